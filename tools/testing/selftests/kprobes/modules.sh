#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Modules that are loaded, probed, unloaded, and loaded again.

cd "$(dirname "$0")" && . ./functions

listed_alive() {
	grep kprobe_target $kprobes/list | grep -v GONE
}

needs_modules() {
	load_target
	rmmod kprobe_test_target
}

event_waits_for_its_module() {
	needs_modules
	put 'p:early kprobe_test_target:kprobe_target_other'
	put 'r:earlyret kprobe_test_target:kprobe_target_other'
	echo 1 > $tracefs/events/kprobes/enable
	load_target
	# The init function calls each function once.
	hits early 1
	call 10
	hits early 11
	hits earlyret 11
}

event_survives_its_module() {
	load_target
	put "p:stays $inside"
	put 'p:traced kprobe_test_target:kprobe_target_traced'
	put 'r:ret kprobe_test_target:kprobe_target_other'
	echo 1 > $tracefs/events/kprobes/enable
	expect=0
	for i in 1 2 3 4 5; do
		call 10
		expect=$((expect + 10))
		hits stays $expect
		hits traced $expect
		hits ret $expect
		rmmod kprobe_test_target
		not listed_alive
		grep -q stays $events
		load_target
		expect=$((expect + 1))
		[ "$(cat $target/wrong)" = 0 ]
	done
	echo 0 > $tracefs/events/kprobes/enable
	put '-:stays'
	put '-:traced'
	put '-:ret'
}

# goes N: unloading of the target module has begun, and waits; see its parameter "stay".
goes() {
	grep -q '^kprobe_test_target .* Unloading' /proc/modules || return
	[ "$1" = 1 ] || not grep -q kprobe_target_other $tracefs/available_filter_functions
}

let_it_go() {
	echo 0 > $target/stay || true
}

# Like a module that is not loaded: events wait for it.
defined_as_its_module_goes() {
	[ -e $tracefs/available_filter_functions ] || skip "no function tracer"
	load_target
	[ -e $target/stay ]
	undo=let_it_go
	for where in 1 2; do
		load_target
		echo $where > $target/stay
		start rmmod kprobe_test_target
		until_it goes $where
		put "p:late$where kprobe_test_target:kprobe_target_other"
		put "p:inside$where $inside"
		put "r:ret$where kprobe_test_target:kprobe_target_other"
		! grep -qF 't[:[' $tracefs/README ||
			put "t:kprobes/point$where kprobe_target_call" $dynamic
		# Without the name of a module, the function has to exist.
		refused 'No such file' 'p:e kprobe_target_other'
		let_it_go
		finish_all
	done
	undo=
	not grep -q kprobe_target $kprobes/list
	echo 1 > $tracefs/events/kprobes/enable
	load_target
	call 10
	for where in 1 2; do
		for e in late inside ret; do
			hits $e$where 11
		done
		[ ! -e $tracefs/events/kprobes/point$where ] || recorded point$where 11
	done
}

removed_while_its_module_is_away() {
	load_target
	put "p:goes $inside"
	echo 1 > $tracefs/events/kprobes/goes/enable
	rmmod kprobe_test_target
	echo 0 > $tracefs/events/kprobes/goes/enable
	put '-:goes'
	load_target
	call 1
	not grep -q kprobe_target $kprobes/list
}

unloaded_under_a_live_probe() {
	needs_modules
	load_target
	load kprobe_test_prober ret=1
	call 10
	[ "$(cat $prober/hits)" = 10 ]
	[ "$(cat $prober/returns)" = 10 ]
	[ "$(cat $prober/state)" = enabled ]
	rmmod kprobe_test_target
	[ "$(cat $prober/state)" = "gone disabled" ]
	grep -q GONE $kprobes/list
	refused 'Invalid argument' 1 $prober/toggle
	# The next module, perhaps at the same address, is not probed.
	load_target
	call 10
	[ "$(cat $prober/hits)" = 10 ]
	[ "$(cat $prober/returns)" = 10 ]
	[ "$(cat $target/wrong)" = 0 ]
	rmmod kprobe_test_prober
	not grep -q kprobe_target $kprobes/list
	load kprobe_test_prober
	call 10
	[ "$(cat $prober/hits)" = 10 ]
}

init_text() {
	needs_modules
	load kprobe_test_prober wait=kprobe_test_target \
		symbol=kprobe_test_target:kprobe_target_init ret=1
	[ "$(cat $prober/result)" = 1 ]
	load_target
	[ "$(cat $prober/result)" = 0 ]
	[ "$(cat $prober/hits)" = 1 ]
	[ "$(cat $prober/returns)" = 1 ]
	grep -q gone $prober/state
	refused 'Invalid argument' 1 $prober/toggle
	rmmod kprobe_test_target
	rmmod kprobe_test_prober
	not grep -q kprobe_target $kprobes/list
}

init_text_of_a_live_module_is_refused() {
	load_target
	not load kprobe_test_prober symbol=kprobe_test_target:kprobe_target_init
}

blacklist_of_a_module() {
	load_target
	grep -qw kprobe_target_black $kprobes/blacklist
	not load kprobe_test_prober symbol=kprobe_test_target:kprobe_target_black
	refused 'Invalid argument' 'p:e kprobe_test_target:kprobe_target_black'
	rmmod kprobe_test_target
	not grep -w kprobe_target_black $kprobes/blacklist
}

unknown_in_a_module() {
	load_target
	not load kprobe_test_prober symbol=kprobe_test_target:no_such_symbol
	not load kprobe_test_prober symbol=kprobe_test_target:vfs_open
	bad 'Invalid argument' 'p:e ^kprobe_test_target:no_such_symbol'
}

disable_and_enable() {
	load_target
	load kprobe_test_prober
	for i in 1 2 3 4 5 6 7 8 9 10; do
		echo 1 > $prober/toggle
		call 1
	done
	[ "$(cat $prober/hits)" = 10 ]
}

place_and_remove() {
	try put "p:race $inside"
	try enable kprobes/race
	try disable kprobes/race
	try put '-:race'
}

racing_events_and_modules() {
	race_with_module place_and_remove
	not grep -q kprobe_target $kprobes/list
}

begin
run event_waits_for_its_module
run event_survives_its_module
run defined_as_its_module_goes
run removed_while_its_module_is_away
run unloaded_under_a_live_probe
run init_text
run init_text_of_a_live_module_is_refused
run blacklist_of_a_module
run unknown_in_a_module
run disable_and_enable
run racing_events_and_modules
finish
