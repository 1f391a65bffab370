#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# kprobe_profile and probe_profile: each hit is counted once, on all CPUs.

cd "$(dirname "$0")" && . ./functions

place_all() {
	put "p:plain $inside"
	put 'p:traced kprobe_test_target:kprobe_target_traced'
	put 'r:ret_plain kprobe_test_target:kprobe_target_other'
	put 'r:ret_traced kprobe_test_target:kprobe_target_traced'
}

hits_everywhere() {
	hits plain "$1"
	hits traced "$1"
	hits ret_plain "$1"
	hits ret_traced "$1"
}

counted_one_by_one() {
	load_target
	place_all
	hits_everywhere 0
	echo 1 > $tracefs/events/kprobes/enable
	call 1
	hits_everywhere 1
	call 999
	hits_everywhere 1000
	echo 0 > $tracefs/events/kprobes/enable
	call 100
	hits_everywhere 1000
	echo 1 > $tracefs/events/kprobes/enable
	call 1
	hits_everywhere 1001
	echo 0 > $tracefs/events/kprobes/enable
}

counted_on_all_cpus() {
	load_target
	place_all
	echo 1 > $tracefs/events/kprobes/enable
	for i in 1 2 3 4 5 6; do
		call 1000 &
	done
	wait
	hits_everywhere 6000
	[ "$(cat $target/wrong)" = 0 ]
	echo 0 > $tracefs/events/kprobes/enable
}

# Two events at one place, and in two instances: each has its own count.
counted_for_each_event() {
	load_target
	put "p:one $inside"
	put "p:two $inside"
	mkdir $tracefs/instances/kprobes_test
	echo 1 > $tracefs/events/kprobes/one/enable
	call 10
	echo 1 > $tracefs/events/kprobes/two/enable
	echo 1 > $tracefs/instances/kprobes_test/events/kprobes/two/enable
	call 10
	echo 0 > $tracefs/events/kprobes/one/enable
	echo 0 > $tracefs/events/kprobes/two/enable
	call 10
	hits one 20
	hits two 20
	[ "$(grep -c ' one: ' $tracefs/trace)" = 20 ]
	[ "$(grep -c ' two: ' $tracefs/trace)" = 10 ]
	[ "$(grep -c ' two: ' $tracefs/instances/kprobes_test/trace)" = 20 ]
	echo 0 > $tracefs/instances/kprobes_test/events/kprobes/two/enable
}

needs_probe_profile() {
	[ -e $probe_profile ] || skip "there is no $probe_profile"
}

# A probe that is hit in the handler of another one is missed. kprobe_profile keeps its three
# columns, because scripts may read all after the second as one field.
missed_in_a_handler() {
	load_target
	put 'p:inner copy_from_kernel_nofault_allowed' ||
		skip "copy_from_kernel_nofault_allowed cannot be probed"
	put 'r:innerret copy_from_kernel_nofault_allowed'
	put 'p:outer kprobe_test_target:kprobe_target_traced s=+0(@linux_banner):u64'
	echo 1 > $tracefs/events/kprobes/enable
	call 10
	echo 0 > $tracefs/events/kprobes/enable
	hits outer 10
	cat $profile
	while read -r name hits missed; do
		[ "$hits" -ge 0 ]
		[ "$missed" -ge 0 ]
		[ "$name" = outer ] || [ "$missed" -gt 0 ]
	done < $profile
	[ "$(wc -l < $profile)" = 3 ]
	awk 'NF != 3 { exit 1 }' $profile
}

# probe_profile has the reasons, for all kinds of events.
missed_and_why() {
	needs_probe_profile
	load_target
	put 'p:inner copy_from_kernel_nofault_allowed' ||
		skip "copy_from_kernel_nofault_allowed cannot be probed"
	put 'r:innerret copy_from_kernel_nofault_allowed'
	put 'f:finner copy_from_kernel_nofault_allowed' $dynamic
	put 'f:finnerret copy_from_kernel_nofault_allowed%return' $dynamic
	put 'p:outer kprobe_test_target:kprobe_target_traced s=+0(@linux_banner):u64'
	put 'f:fouter kprobe_target_traced s=+0(@linux_banner):u64' $dynamic
	put 't:touter kprobe_target_call s=+0(@linux_banner):u64' $dynamic
	for g in kprobes fprobes tracepoints; do
		echo 1 > $tracefs/events/$g/enable
	done
	call 10
	for g in kprobes fprobes tracepoints; do
		echo 0 > $tracefs/events/$g/enable
	done
	cat $probe_profile
	# Fprobes in handlers of kprobes are not missed, and kprobes in handlers of fprobes are not.
	for e in kprobes/inner kprobes/innerret fprobes/finner fprobes/finnerret; do
		[ "$(counts $e RECURSION)" -ge 10 ]
		[ "$(counts $e MISSED)" = "$(counts $e RECURSION)" ]
		[ "$(counts $e EXHAUSTED)" = 0 ]
	done
	for e in kprobes/outer fprobes/fouter tracepoints/touter; do
		[ "$(counts $e HITS)" = 10 ]
		[ "$(counts $e MISSED)" = 0 ]
	done
	hits inner "$(counts kprobes/inner HITS)" "$(counts kprobes/inner MISSED)"
	[ "$(counts kprobes/innerret PLACE)" = copy_from_kernel_nofault_allowed%return ]
	[ "$(counts fprobes/finnerret PLACE)" = copy_from_kernel_nofault_allowed%return ]
	[ "$(counts tracepoints/touter PLACE)" = kprobe_target_call ]
	awk 'NF != 8 + (NR == 1) { exit 1 }' $probe_profile
}

# Counts continue after an event is disabled and enabled, and its module unloaded and loaded.
counted_on_and_on() {
	needs_probe_profile
	load_target
	put 'p:kin kprobe_test_target:kprobe_target_traced'
	put 'f:in kprobe_target_traced' $dynamic
	put 'f:out kprobe_target_other%return' $dynamic
	put 't:passed kprobe_target_call' $dynamic
	put 'f:inner copy_from_kernel_nofault_allowed' $dynamic
	put 'f:outer kprobe_target_traced s=+0(@linux_banner):u64' $dynamic
	all="kprobes/kin fprobes/in fprobes/out tracepoints/passed"
	for i in 1 2 3; do
		enable $all fprobes/inner fprobes/outer
		call 5
		disable $all fprobes/inner fprobes/outer
		call 5
		missed=$(counts fprobes/inner MISSED)
		[ "$missed" -ge $((5 * i)) ]
		for e in $all; do
			[ "$(counts $e HITS)" = $((5 * i)) ]
		done
	done
	enable $all
	rmmod kprobe_test_target
	load_target
	for e in $all; do
		[ "$(counts $e HITS)" = 16 ]
	done
	[ "$(counts fprobes/inner MISSED)" = "$missed" ]
	disable $all
}

# Both files have the same permissions.
who_may_read() {
	needs_probe_profile
	[ "$(stat -c %a $profile)" = "$(stat -c %a $probe_profile)" ]
	not put x $probe_profile
}

begin
run counted_one_by_one
run counted_on_all_cpus
run counted_for_each_event
run missed_in_a_handler
run missed_and_why
run counted_on_and_on
run who_may_read
finish
