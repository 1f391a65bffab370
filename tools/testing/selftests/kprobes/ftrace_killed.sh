#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Ftrace finds its own patching broken and shuts itself down. Its calls stay in the text, but
# call no handlers any more. Probes there can be unregistered, and modules unloaded. There is no
# ftrace after this until the next boot.

cd "$(dirname "$0")" && . ./functions

killer=/sys/module/kprobe_test_killer/parameters

nothing_goes_wrong() {
	call 20
	[ "$(cat $target/wrong)" = 0 ]
}

# Other probes reuse the freed memory. They are at instructions, without ftrace.
use_memory_again() {
	for _ in 1 2 3; do
		n=0
		for i in $(seq 16 300); do
			put "p:again/e$i vfs_fallocate+$i" 2> /dev/null || continue
			n=$((n + 1))
		done
		[ $n -gt 5 ]
		echo 1 > $tracefs/events/again/enable
		nothing_goes_wrong
		echo 0 > $tracefs/events/again/enable
		put '-:again/'
		wait_for_rcu
		nothing_goes_wrong
	done
}

# Unregistration waits for all readers.
wait_for_rcu() {
	for i in 1 2 3; do
		load kprobe_test_prober
		rmmod kprobe_test_prober
	done
}

# The shell prints the error, not the program.
switch_on() {
	{ echo 1 > "$tracefs/events/$1/enable"; } 2> /dev/null
}

probes_are_taken_out_after_ftrace_is_gone() {
	load kprobe_test_killer 2> "$tmp/err" || skip "no module kprobe_test_killer"
	load_target
	put 'p:at_entry kprobe_test_target:kprobe_target_other'
	put 'r:at_return kprobe_test_target:kprobe_target_traced'
	put "p:inside $inside"
	put 'f:functions kprobe_target_other' $dynamic
	put 'f:returns kprobe_target_traced%return' $dynamic
	load kprobe_test_prober ret=1 symbol=kprobe_test_target:kprobe_target_other
	echo 0 > $tracefs/tracing_on
	echo 1 > $tracefs/events/kprobes/enable
	echo 1 > $tracefs/events/fprobes/enable
	nothing_goes_wrong
	[ "$(hits_of at_entry)" -ge 20 ]

	echo 1 > $killer/kill
	nothing_goes_wrong
	# No more probes can be added,
	put 'p:new_one vfs_fallocate'
	not switch_on kprobes/new_one
	# and existing ones can be removed. Their handlers are not called any more.
	echo 0 > $tracefs/events/enable
	echo > $dynamic
	rmmod kprobe_test_prober
	nothing_goes_wrong
	use_memory_again

	# Breakpoints do not depend on ftrace.
	put "p:inside $inside"
	enable kprobes/inside
	call 5
	[ "$(hits_of inside)" = 5 ]
	disable kprobes/inside
	echo > $events
}

module_goes_and_comes_back() {
	load_target
	nothing_goes_wrong
	rmmod kprobe_test_target
	load_target
	nothing_goes_wrong
}

begin
run probes_are_taken_out_after_ftrace_is_gone
run module_goes_and_comes_back
finish
