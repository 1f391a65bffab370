#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Jumps that are written and taken back while others call, probe, trace or unload what they
# are in. Each call counts, whatever the probe is at the time.

cd "$(dirname "$0")" && . ./functions

optimization=/proc/sys/debug/kprobes-optimization
cpu=/sys/devices/system/cpu/cpu1/online
callers=4
calls=60

needs_jumps() {
	[ -e $optimization ] || skip "no jumps in this kernel"
	load_target
	echo 1 > $optimization
	put "p:always $inside"
	enable kprobes/always
	grep -q OPTIMIZED $kprobes/list || skip "no jump can be at $inside"
}

# Several at once, as often as is known: "always" must have seen each call.
start_callers() {
	for c in $(seq $callers); do
		(for i in $(seq $calls); do
			call 50
		 done) &
	done
}

all_have_been_seen() {
	wait
	echo 1 > $optimization
	hits always $((callers * calls * 50))
	[ "$(cat $target/wrong)" = 0 ]
}

switched_off_and_on() {
	needs_jumps
	start_callers
	for i in $(seq 150); do
		echo 0 > $optimization
		echo 1 > $optimization
	done
	all_have_been_seen
}

# At all other instructions of the function: among them those that the jump displaces.
neighbours_come_and_go() {
	needs_jumps
	start_callers
	for i in $(seq 6); do
		for at in $(seq 0 24); do
			echo "p:near kprobe_test_target:kprobe_target_other+$at" >> $events || continue
			echo 1 > $tracefs/events/kprobes/near/enable
			echo 0 > $tracefs/events/kprobes/near/enable
			echo '-:near' >> $events
			echo "$at" >> "$tmp/placed"
		done 2> /dev/null
	done
	all_have_been_seen
	# There were some.
	[ "$(sort -u "$tmp/placed" | wc -l)" -ge 3 ]
}

# One stays at a place where a jump's tail was.
neighbour_stays() {
	needs_jumps
	base=${inside%+*}
	off=${inside##*+}
	for at in $(seq $((off + 1)) $((off + 8))); do
		put "p:near$at $base+$at" 2> /dev/null || continue
		enable "kprobes/near$at"
		before=$(awk '$1 == "always" { print $2 }' $profile)
		call 10
		hits "near$at" 10
		hits always $((before + 10))
	done
	[ "$(cat $target/wrong)" = 0 ]
}

# The whole group, while tracers take and leave the same functions.
tracers_come_and_go() {
	needs_jumps
	put 'p:entry kprobe_test_target:kprobe_target_other'
	put 'r:back kprobe_test_target:kprobe_target_other'
	echo ':mod:kprobe_test_target' > $tracefs/set_ftrace_filter
	start_callers
	for i in $(seq 10); do
		echo function > $tracefs/current_tracer
		echo 0 > $tracefs/events/kprobes/entry/enable
		echo function_graph > $tracefs/current_tracer
		echo 1 > $tracefs/events/kprobes/entry/enable
		echo 0 > $tracefs/events/kprobes/back/enable
		echo nop > $tracefs/current_tracer
		echo 1 > $tracefs/events/kprobes/back/enable
	done
	all_have_been_seen
	echo > $tracefs/set_ftrace_filter
}

# The group is switched on and off: then not each call is seen, but none goes wrong.
group_comes_and_goes() {
	needs_jumps
	put "r:back kprobe_test_target:kprobe_target_other"
	put "p:traced kprobe_test_target:kprobe_target_traced"
	start_callers
	for i in $(seq 100); do
		echo 0 > $tracefs/events/kprobes/enable
		echo 1 > $tracefs/events/kprobes/enable
	done
	wait
	[ "$(cat $target/wrong)" = 0 ]
	before=$(awk '$1 == "always" { print $2 }' $profile)
	call 10
	hits always $((before + 10))
	before=$(awk '$1 == "traced" { print $2 }' $profile)
	call 10
	hits traced $((before + 10))
}

# The module goes with jumps in it, some only on their way.
module_comes_and_goes() {
	needs_jumps
	expect=0
	jumps=0
	for i in $(seq 15); do
		for c in $(seq $callers); do
			call 50 &
		done
		wait
		expect=$((expect + callers * 50))
		hits always $expect
		[ "$(cat $target/wrong)" = 0 ]
		grep -q OPTIMIZED $kprobes/list && jumps=$((jumps + 1))
		rmmod kprobe_test_target
		load_target
		# Loading calls each function once.
		expect=$((expect + 1))
	done
	[ $jumps -gt 0 ]
}

cpu_goes_and_comes() {
	[ -w $cpu ] || skip "no CPU that can be taken offline"
	needs_jumps
	trap 'echo 1 > $cpu' EXIT
	start_callers
	for i in $(seq 6); do
		echo 0 > $optimization
		echo 0 > $cpu
		echo 1 > $optimization
		echo 1 > $cpu
	done
	all_have_been_seen
}

begin
run switched_off_and_on
run neighbours_come_and_go
run neighbour_stays
run tracers_come_and_go
run group_comes_and_goes
run module_comes_and_goes
run cpu_goes_and_comes
finish
