#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# kprobe_profile: every hit is counted, once, on whatever CPU.

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

# Two events at one place, and in two instances: each counts for itself.
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

# A probe that is hit in the handler of another one is missed, and why is told behind the
# columns that have always been there.
missed_in_a_handler() {
	load_target
	put 'p:inner copy_from_kernel_nofault' ||
		skip "copy_from_kernel_nofault cannot be probed"
	put 'r:innerret copy_from_kernel_nofault'
	put 'p:outer kprobe_test_target:kprobe_target_traced s=+0(@linux_banner):u64'
	echo 1 > $tracefs/events/kprobes/enable
	call 10
	echo 0 > $tracefs/events/kprobes/enable
	hits outer 10
	cat $profile
	for e in inner innerret; do
		grep -qE "^  $e +[0-9]+ +[1-9][0-9]* recursion=[1-9][0-9]* exhausted=0\$" $profile
		awk -v e=$e '$1 == e { split($4, why, "="); exit why[2] != $3 }' $profile
	done
	grep -qE '^  outer +10 +0$' $profile
}

begin
run counted_one_by_one
run counted_on_all_cpus
run counted_for_each_event
run missed_in_a_handler
finish
