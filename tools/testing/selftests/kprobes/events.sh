#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# kprobe_events: commands that are accepted, errors of others, and records.

cd "$(dirname "$0")" && . ./functions

created_listed_removed() {
	put 'p:one vfs_open'
	put 'p:mygroup/two vfs_open+0 a=$stack0 b=@vfs_open:x8'
	put 'r:three vfs_open $retval'
	grep -qx 'p:kprobes/one vfs_open' $events
	grep -qx 'p:mygroup/two vfs_open a=$stack0 b=@vfs_open:x8' $events ||
		grep -qx 'p:mygroup/two vfs_open+0 a=$stack0 b=@vfs_open:x8' $events
	grep -qx 'r[0-9]*:kprobes/three vfs_open arg1=$retval' $events
	cmp $events $tracefs/dynamic_events
	grep -q 'field:.* a;' $tracefs/events/mygroup/two/format
	put '-:mygroup/two'
	[ ! -e $tracefs/events/mygroup ]
	put '-:one'
	put '-:three'
	empty $events
}

named_by_the_kernel() {
	put 'p vfs_open'
	put 'r vfs_open'
	[ -d $tracefs/events/kprobes/p_vfs_open_0 ]
	[ -d $tracefs/events/kprobes/r_vfs_open_0 ]
}

# All users may read names, but not addresses.
name_without_the_address() {
	addr=$(awk '$3 == "vfs_open" { print $1; exit }' /proc/kallsyms)
	[ "$addr" != 0000000000000000 ]
	put "p 0x$addr"
	put "r 0x$addr"
	ls $tracefs/events/kprobes | grep '^[pr]_0x' > "$tmp/names"
	cat "$tmp/names"
	[ "$(wc -l < "$tmp/names")" = 2 ]
	not grep -qi "${addr#????????}" "$tmp/names"
	# They still probe the function.
	enable kprobes
	cat /proc/version > /dev/null
	[ "$(hits_of "$(grep '^p' "$tmp/names")")" -gt 0 ]
	disable kprobes
}

bad_places() {
	bad 'Invalid argument' 'p:e ^no_such_symbol'
	bad 'Invalid argument' 'p:e ^vfs_open+x'
	bad 'Invalid argument' 'r:e ^vfs_open+20'
}

no_names() {
	bad_names p vfs_open
}

no_arguments() {
	bad_expressions p vfs_open
	bad 'Invalid argument' 'p:e vfs_open ^$retval'
}

blacklisted() {
	cat $tracefs/dynamic_events > "$tmp/before"
	refused 'Invalid argument' 'p:e get_kprobe'
	refused 'Invalid argument' 'r:e get_kprobe'
	cat $tracefs/dynamic_events | cmp - "$tmp/before"
}

missing_to_remove() {
	put 'p:one vfs_open'
	refused 'No such file' '-:nosuch'
	refused 'No such file' '-:nogroup/one'
	[ "$(wc -l < $events)" = 1 ]
}

enabled_is_busy() {
	load_target
	put "p:one $inside"
	put 'p:two kprobe_test_target:kprobe_target_traced'
	echo 1 > $tracefs/events/kprobes/one/enable
	refused 'busy' '-:one'
	all_is_busy
	call 3
	hits one 3
	echo 0 > $tracefs/events/kprobes/one/enable
	put '-:one'
	put '-:two'
}

enabled_in_an_instance_is_busy() {
	put 'p:one vfs_open'
	mkdir $tracefs/instances/kprobes_test
	echo 1 > $tracefs/instances/kprobes_test/events/kprobes/one/enable
	refused 'busy' '-:one'
	echo 0 > $tracefs/instances/kprobes_test/events/kprobes/one/enable
	put '-:one'
	rmdir $tracefs/instances/kprobes_test
}

arguments_and_values() {
	load_target
	put 'p:enter kprobe_test_target:kprobe_target_traced x=$arg1:u64'
	put 'p:plain kprobe_test_target:kprobe_target_other x=$arg1:u64'
	put 'r:leave kprobe_test_target:kprobe_target_other v=$retval:u64'
	echo 1 > $tracefs/events/kprobes/enable
	call 20
	echo 0 > $tracefs/events/kprobes/enable
	seq 0 19 > "$tmp/x"
	seq 1 20 > "$tmp/v"
	sed -n 's/.* enter: .* x=//p' $tracefs/trace | cmp - "$tmp/x"
	sed -n 's/.* plain: .* x=//p' $tracefs/trace | cmp - "$tmp/x"
	sed -n 's/.* leave: .* v=//p' $tracefs/trace | cmp - "$tmp/v"
	[ "$(cat $target/wrong)" = 0 ]
}

filtered() {
	load_target
	put 'p:enter kprobe_test_target:kprobe_target_traced x=$arg1:u64'
	echo 'x == 7 || x > 97' > $tracefs/events/kprobes/enter/filter
	echo 1 > $tracefs/events/kprobes/enter/enable
	call 100
	echo 0 > $tracefs/events/kprobes/enter/enable
	[ "$(grep -c ' enter: ' $tracefs/trace)" = 3 ]
	# Hits are counted even if the record is discarded.
	hits enter 100
}

# A filter reads the preemption count of the caller, as the record has it: 0.
filtered_by_context() {
	load_target
	put 'p:enter kprobe_test_target:kprobe_target_traced'
	put 'r:leave kprobe_test_target:kprobe_target_other'
	put "p:inside $inside"
	all='enter leave inside'
	if grep -qF 'f[:[<group>/][<event>]]' $tracefs/README; then
		put 'f:kprobes/function kprobe_target_traced' $dynamic
		put 'f:kprobes/back kprobe_target_traced%return' $dynamic
		all="$all function back"
	fi
	for e in $all; do
		echo 'common_preempt_count == 0' > $tracefs/events/kprobes/$e/filter
	done
	enable kprobes
	call 10
	disable kprobes
	for e in $all; do
		recorded $e 10
	done
}

two_places_one_event() {
	load_target
	put 'p:both kprobe_test_target:kprobe_target_traced x=$arg1:u64'
	put 'p:both kprobe_test_target:kprobe_target_other x=$arg1:u64'
	refused 'exists' 'p:both kprobe_test_target:kprobe_target_other y=$arg1:u32'
	echo 1 > $tracefs/events/kprobes/both/enable
	call 10
	echo 0 > $tracefs/events/kprobes/both/enable
	[ "$(grep -c ' both: ' $tracefs/trace)" = 20 ]
	put '-:both kprobe_test_target:kprobe_target_other'
	[ "$(wc -l < $events)" = 1 ]
	put '-:both'
}

# removal_refused LINE: it is refused because something is in use, and all events stay.
removal_refused() {
	cat $dynamic > "$tmp/before"
	refused busy "$1" "$2"
	cat $dynamic | cmp - "$tmp/before"
}

busy_means_no_change() {
	put 'p:io/a vfs_read'
	put 'p:io/b vfs_write'
	enable io/b
	removal_refused '-:io/'
	removal_refused '-:io/' $dynamic
	put '-:io/a'
	disable io/b
	put '-:io/'
	put 'p:io vfs_read'
	put 'p:io vfs_write'
	put 'p:io vfs_open'
	enable kprobes/io
	removal_refused '-:io'
	# Some of its places may go, but not the last one.
	put '-:io vfs_write'
	put '-:io vfs_open'
	removal_refused '-:io vfs_read'
	disable kprobes/io
	put '-:io'
	empty $events
}

detach() {
	put '-:on_b' $dynamic 2> /dev/null
}

# An event that another one is attached to is in use, although it is not enabled.
attached_means_busy() {
	grep -qF 'f[:[<group>/][<event>]]' $tracefs/README || skip "no f events"
	grep -qF 'e[:[<group>/][<event>]]' $tracefs/README || skip "no events on events"
	events=$dynamic
	undo=detach
	put 'f:io/a vfs_read'
	put 'f:io/b vfs_write'
	put 'e:on_b io.b'
	all_is_busy
	removal_refused '-:io/'
	put '-:on_b'
	put '-:io/'
	empty $events
}

# The event probe stands between two places of the event that it is attached to.
attached_by_what_goes_first() {
	grep -qF 'f[:[<group>/][<event>]]' $tracefs/README || skip "no f events"
	grep -qF 'e[:[<group>/][<event>]]' $tracefs/README || skip "no events on events"
	events=$dynamic
	for remove in '-:io/' ''; do
		put 'f:io/a vfs_read'
		put 'e:io/on_a io.a'
		put 'f:io/a vfs_write'
		if [ -n "$remove" ]; then
			put "$remove"
		else
			echo > $events
		fi
		empty $events
	done
}

with_the_function_tracer() {
	load_target
	grep -qw function $tracefs/available_tracers || skip "no function tracer"
	put 'p:enter kprobe_test_target:kprobe_target_traced x=$arg1:u64'
	echo kprobe_target_traced > $tracefs/set_ftrace_filter
	echo function > $tracefs/current_tracer
	echo 1 > $tracefs/events/kprobes/enter/enable
	call 10
	echo 0 > $tracefs/events/kprobes/enter/enable
	call 10
	echo 0 > $tracefs/tracing_on
	hits enter 10
	[ "$(grep -c ' kprobe_target_traced <-' $tracefs/trace)" = 20 ]
	[ "$(cat $target/wrong)" = 0 ]
}

begin
run created_listed_removed
run named_by_the_kernel
run name_without_the_address
run bad_places
run no_names
run no_arguments
run blacklisted
run missing_to_remove
run enabled_is_busy
run enabled_in_an_instance_is_busy
run arguments_and_values
run filtered
run filtered_by_context
run two_places_one_event
run busy_means_no_change
run attached_by_what_goes_first
run attached_means_busy
run with_the_function_tracer
finish
