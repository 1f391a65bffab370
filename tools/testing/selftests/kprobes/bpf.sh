#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# BPF programs on probes; and perf, ftrace and BPF together: each sees its hits while others are
# attached and detached.

cd "$(dirname "$0")" && . ./functions

fn=kprobe_args_may_fail

needs_bpf() {
	needs_program bpf_probes
	[ -e /proc/sys/kernel/unprivileged_bpf_disabled ] || skip "no BPF"
	load_args
}

# Run a case of bpf_probes, with an event that some cases use.
bpf_case() {
	needs_bpf
	put "p:bpf/event kprobe_test_args:$fn"
	"$program" "$case" "$(cat $tracefs/events/bpf/event/id)"
	put '-:bpf/event'
	empty $kprobes/list
	empty $tracefs/enabled_functions
}

# called N: perf_open makes N calls, and the event counts N.
called() {
	[ "$("$perf_open" -e "$id" $args/call "$1")" = "$1" ]
}

# The trace, an instance, perf and a BPF program use the event. They start and stop in all orders.
one_event_for_all() {
	needs_perf_open
	needs_bpf
	put "p:bpf/event kprobe_test_args:$fn x=\$arg1:s32"
	id=$(cat $tracefs/events/bpf/event/id)
	mkdir $tracefs/instances/other
	enable bpf/event
	called 10
	recorded event 10
	"$program" entries_and_returns "$id"
	recorded event $((10 + 30))
	echo 1 > $tracefs/instances/other/events/bpf/event/enable
	called 10
	recorded event 50
	recorded event 10 other
	disable bpf/event
	called 10
	recorded event 50
	recorded event 20 other
	"$program" override_by_event "$id"
	# It sees each call, also those that did not run the function.
	recorded event 40 other
	echo 0 > $tracefs/instances/other/events/bpf/event/enable
	called 10
	recorded event 40 other
	hits event 90
	rmdir $tracefs/instances/other
}

ask_for_info() {
	"$program" info_of_event "$id" || : > "$tmp/wrong"
}

# The places of an event, and the functions of a place, come and go while programs ask for them.
# This finds something with lockdep or KASAN only.
info_while_places_change() {
	needs_bpf
	load_or_skip kprobe_test_names
	put 'p:bpf/event names_same@*'
	id=$(cat $tracefs/events/bpf/event/id)
	: > "$tmp/tried"
	start keep_trying ask_for_info
	until_it [ -s "$tmp/tried" ]
	for i in $(rounds 30); do
		put 'p:bpf/event vfs_fsync'
		put '-:bpf/event names_same@*'
		put 'p:bpf/event names_same@*'
		put '-:bpf/event vfs_fsync'
		rmmod kprobe_test_names
		load kprobe_test_names
	done
	enough
	finish_all
	[ ! -e "$tmp/wrong" ]
	put '-:bpf/event'
	rmmod kprobe_test_names
}

# fails N: N of ten calls fail.
fails() {
	echo 0 > $args/failed
	echo 0 > $args/ran
	echo 10 > $args/call
	[ "$(cat $args/failed)" = "$1" ]
	[ "$(cat $args/ran)" = $((10 - $1)) ]
}

# An injected result is returned without calling the function, and events on it see that.
fail_function() {
	inject=/sys/kernel/debug/fail_function
	[ -e $inject/inject ] || skip "no fail_function"
	load_args
	undo=no_more_failures
	put "p:bpf/entry kprobe_test_args:$fn"
	put "r:bpf/return kprobe_test_args:$fn ret=\$retval:s32"
	echo 1 > $tracefs/events/bpf/enable
	fails 0
	echo $fn > $inject/inject
	printf %#x -12 > $inject/$fn/retval
	echo N > $inject/task-filter
	echo 100 > $inject/probability
	echo 0 > $inject/interval
	echo -1 > $inject/times
	echo 0 > $inject/verbose
	fails 10
	[ "$(cat $args/last)" = -12 ]
	echo 0 > $inject/probability
	fails 0
	echo 100 > $inject/probability
	echo 3 > $inject/times
	fails 3
	no_more_failures_here
	fails 0
	hits entry 50
	hits return 50
	refused 'out of range' vfs_read $inject/inject
}

no_more_failures_here() {
	echo > $inject/inject
}

no_more_failures() {
	no_more_failures_here
	unload_args
}

begin
(needs_program bpf_probes) || {
	echo "1..0 # SKIP $(cat "$tmp/reason")"
	exit $SKIP
}
needs_program bpf_probes
for case in $("$program"); do
	eval "$case() { bpf_case; }"
	run $case
done
run one_event_for_all
run info_while_places_change
run fail_function
finish
