#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# CPUs that go and come while probes are hit and planted.

cd "$(dirname "$0")" && . ./functions

cpu=/sys/devices/system/cpu/cpu1/online

needs_cpu() {
	[ -w $cpu ] || skip "no CPU that can be taken offline"
	load_target
}

# Whatever happens, the CPU is back when the test is over.
back_online() {
	echo 1 > $cpu
}

hits_are_counted() {
	needs_cpu
	trap back_online EXIT
	put "p:plain $inside"
	put 'r:ret kprobe_test_target:kprobe_target_traced'
	echo 1 > $tracefs/events/kprobes/enable
	(for i in $(seq 50); do
		call 50
	 done) &
	for i in 1 2 3 4 5; do
		echo 0 > $cpu
		echo 1 > $cpu
	done
	wait
	hits plain 2500
	hits ret 2500
	[ "$(cat $target/wrong)" = 0 ]
}

planted_while_offline() {
	needs_cpu
	trap back_online EXIT
	echo 0 > $cpu
	put "p:plain $inside"
	put 'r:ret kprobe_test_target:kprobe_target_traced'
	echo 1 > $tracefs/events/kprobes/enable
	call 10
	echo 1 > $cpu
	# On the CPU that has seen none of the patching.
	if command -v taskset > /dev/null; then
		taskset 2 sh -c "echo 10 > $target/call"
	else
		call 10
	fi
	hits plain 20
	hits ret 20
	echo 0 > $cpu
	echo 0 > $tracefs/events/kprobes/enable
	echo 1 > $cpu
	call 10
	hits plain 20
	hits ret 20
}

planted_all_the_while() {
	needs_cpu
	trap back_online EXIT
	(for i in $(seq 40); do
		echo "p:more $inside" >> $events
		echo 1 > $tracefs/events/kprobes/more/enable
		call 10
		awk '$1 == "more" && $2 != 10 { print }' $profile >> "$tmp/lost"
		echo 0 > $tracefs/events/kprobes/more/enable
		echo '-:more' >> $events
	 done) &
	for i in 1 2 3 4 5; do
		echo 0 > $cpu
		echo 1 > $cpu
	done
	wait
	cat "$tmp/lost"
	[ ! -s "$tmp/lost" ]
	[ "$(cat $target/wrong)" = 0 ]
}

begin
run hits_are_counted
run planted_while_offline
run planted_all_the_while
finish
