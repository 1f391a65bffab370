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

begin
run counted_one_by_one
run counted_on_all_cpus
run counted_for_each_event
finish
