#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# kprobe_event_gen_test: events that a module creates by the interface for kernel code.

cd "$(dirname "$0")" && . ./functions

gen=kprobe_event_gen_test
entry=kprobes/gen_kprobe_test
return=kprobes/gen_kretprobe_test

unload() {
	rmmod $gen 2> /dev/null
}

made_and_removed() {
	load_or_skip $gen
	undo=unload
	cat $events
	grep -q "^p:$entry do_sys_open dfd=.* filename=.* flags=.* mode=" $events
	grep -q "^r[0-9]*:$return do_sys_open .*\$retval" $events
	[ "$(wc -l < $events)" = 2 ]
	[ "$(cat $tracefs/events/$entry/enable)" = 1 ]
	[ "$(cat $tracefs/events/$return/enable)" = 1 ]
	rmmod $gen
	empty $events
	empty $kprobes/list
	[ ! -e $tracefs/events/kprobes ]
}

# The module has references to the events.
busy_while_it_is_there() {
	load_or_skip $gen
	undo=unload
	refused 'busy' "-:$entry"
	refused 'busy' "-:$return"
	disable $entry $return
	refused 'busy' "-:$entry"
	all_is_busy
	[ "$(wc -l < $events)" = 2 ]
	rmmod $gen
	empty $events
}

# If a name is taken, loading fails, and removes the events that it has created until then.
names_that_are_taken() {
	for taken in "p:$entry vfs_open" "r:$return vfs_open"; do
		put "$taken"
		cat $events > "$tmp/before"
		# Not every modprobe prints the error.
		load $gen || true
		[ ! -e /sys/module/$gen ]
		cat $events | cmp - "$tmp/before"
		echo > $events
	done
	load_or_skip $gen
	rmmod $gen
}

again_and_again() {
	for i in $(seq 20); do
		load_or_skip $gen
		rmmod $gen
	done
	empty $events
	empty $kprobes/list
}

begin
run made_and_removed
run busy_while_it_is_there
run names_that_are_taken
run again_and_again
finish
