#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Function probe events, f: in dynamic_events: commands that are accepted, errors of others,
# records, and modules that are loaded and unloaded.

cd "$(dirname "$0")" && . ./functions

defined_listed_removed() {
	put 'f:one vfs_open'
	put 'f:mygroup/two vfs_open a=$stack0 b=@vfs_open:x8'
	put 'f:three vfs_open%return $retval'
	put 'f7:four vfs_read%return'
	cat > "$tmp/expected" << 'END'
f:fprobes/one vfs_open
f:mygroup/two vfs_open a=$stack0 b=@vfs_open:x8
f:fprobes/three vfs_open%return arg1=$retval
f7:fprobes/four vfs_read%return
END
	cmp $dynamic "$tmp/expected"
	empty $tracefs/kprobe_events
	grep -q 'field:unsigned long __probe_ip;' $tracefs/events/mygroup/two/format
	grep -q 'field:.* a;' $tracefs/events/mygroup/two/format
	grep -q 'field:unsigned long __probe_ret_ip;' $tracefs/events/fprobes/three/format
	put '-:mygroup/two'
	[ ! -e $tracefs/events/mygroup ]
	put '-:one'
	put '-:three'
	put '-:four'
	empty $dynamic
	empty $tracefs/enabled_functions
}

named_by_the_kernel() {
	put 'f vfs_open'
	put 'f vfs_open%return'
	put 'f:mygroup/ vfs_read'
	put 'f vfs_w*'
	[ -d $tracefs/events/fprobes/vfs_open__entry ]
	[ -d $tracefs/events/fprobes/vfs_open__exit ]
	[ -d $tracefs/events/mygroup/vfs_read__entry ]
	[ -d $tracefs/events/fprobes/vfs_w___entry ]
}

bad_functions() {
	bad 'Invalid argument' 'f:e ^no_such_function'
	bad 'Invalid argument' 'f:e ^no_such_*'
	bad 'Invalid argument' 'f:e ^vfs_open+4'
	bad 'Invalid argument' 'f:e vfs_open^%retur'
	bad 'Invalid argument' 'f:e vfs_open^%return+4'
	bad 'Invalid argument' 'f:e ^%return'
	refused 'Invalid argument' 'f:e'
	empty $tracefs/enabled_functions
}

no_names() {
	bad_names f vfs_open
}

bad_maxactive() {
	bad 'Invalid argument' 'f^5:e vfs_open'
	bad 'Invalid argument' 'f^0:e vfs_open%return'
	bad 'Invalid argument' 'f^4097:e vfs_open%return'
	grep 'Maxactive is too big' $tracefs/error_log
	bad 'Invalid argument' 'f^5x:e vfs_open%return'
	grep 'Invalid maxactive number' $tracefs/error_log
}

no_arguments() {
	bad_expressions f vfs_open
	bad 'Invalid argument' "f:e vfs_open a=^$reg0"
	bad 'Invalid argument' 'f:e vfs_open%return ^$stack10000'
	# Arguments are checked before the function.
	bad 'Invalid argument' 'f:e no_such_function ^$no_such'
}

entries_and_values() {
	load_target
	put 'f:enter kprobe_target_traced x=$arg1:u64 c=$comm'
	enable fprobes/enter
	call 20
	disable fprobes/enter
	call 20
	recorded enter 20
	seq 0 19 > "$tmp/x"
	values enter x | cmp - "$tmp/x"
	grep ' enter: ' $tracefs/trace | grep -v '(kprobe_target_traced+0x.*kprobe_test_target.*)' |
		not grep .
	[ "$(cat $target/wrong)" = 0 ]
}

returns_and_values() {
	load_target
	put 'f:leave kprobe_target_traced%return v=$retval:u64'
	put 'f:both kprobe_target_other%return x=$arg1:u64 v=$retval:u64'
	enable fprobes
	call 20
	disable fprobes
	call 20
	seq 0 19 > "$tmp/x"
	seq 1 20 > "$tmp/v"
	values leave v | cmp - "$tmp/v"
	values both x | cmp - "$tmp/x"
	values both v | cmp - "$tmp/v"
	grep -q ' leave: (.* <- kprobe_target_traced' $tracefs/trace
	[ "$(cat $target/wrong)" = 0 ]
}

# $retval in an argument makes it an event at returns.
result_makes_return() {
	load_target
	put 'f:leave kprobe_target_traced v=$retval:u64'
	put 'f5:more kprobe_target_other x=$arg1:u64 v=$retval:u64'
	put 'f:fprobes/ kprobe_target_other +0($retval)'
	bad 'Invalid argument' 'f^5:e kprobe_target_traced x=$stack0'
	cat > "$tmp/listed" << "END"
f:fprobes/leave kprobe_target_traced%return v=$retval:u64
f5:fprobes/more kprobe_target_other%return x=$arg1:u64 v=$retval:u64
f:fprobes/kprobe_target_other__exit kprobe_target_other%return arg1=+0($retval)
END
	cmp "$tmp/listed" $dynamic
	enable fprobes/leave fprobes/more
	call 20
	disable fprobes/leave fprobes/more
	call 20
	seq 0 19 > "$tmp/x"
	seq 1 20 > "$tmp/v"
	values leave v | cmp - "$tmp/v"
	values more x | cmp - "$tmp/x"
	values more v | cmp - "$tmp/v"
}

arguments_by_name() {
	needs_btf
	put 'f:named kprobe_target_traced $arg*'
	put 'f:left kprobe_target_traced%return x $retval'
	grep -qx 'f:fprobes/named kprobe_target_traced x=x' $dynamic
	bad 'No such file' 'f:e kprobe_target_traced ^no_such_argument'
	bad 'No such file' 'f:e kprobe_target_traced ^$arg2'
	enable fprobes
	call 20
	disable fprobes
	seq 0 19 > "$tmp/x"
	seq 1 20 > "$tmp/v"
	values named x | cmp - "$tmp/x"
	values left x | cmp - "$tmp/x"
	values left arg2 | cmp - "$tmp/v"
}

members_and_strings() {
	needs_btf
	put 'f:opened vfs_open name=path->dentry->d_name.name:string'
	put 'f:done vfs_open%return name=path->dentry->d_name.name:string err=$retval'
	echo > "$tmp/a_rare_name"
	enable fprobes
	cat "$tmp/a_rare_name" > /dev/null
	disable fprobes
	grep -q ' opened: (vfs_open.*) name="a_rare_name"' $tracefs/trace
	grep -q ' done: (.*<- vfs_open) name="a_rare_name" err=0' $tracefs/trace
}

all_that_match_a_pattern() {
	load_target
	grep -c '^kprobe_target_.*kprobe_test_target' \
		$tracefs/available_filter_functions > "$tmp/functions"
	[ "$(cat "$tmp/functions")" -gt 1 ]
	put 'f:many kprobe_target_*'
	put 'f:manyret kprobe_target_*%return'
	enable fprobes
	call 10
	disable fprobes
	recorded many $((10 * $(cat "$tmp/functions")))
	recorded manyret $((10 * $(cat "$tmp/functions")))
	[ "$(cat $target/wrong)" = 0 ]
}

enabled_and_disabled() {
	load_target
	put 'f:enter kprobe_target_traced'
	put 'f:leave kprobe_target_traced%return'
	call 3
	for i in $(seq 20); do
		enable fprobes
		call 2
		disable fprobes
		call 3
	done
	recorded enter 40
	recorded leave 40
}

several_functions_one_event() {
	load_target
	put 'f:both kprobe_target_traced x=$arg1:u64'
	put 'f:both kprobe_target_other x=$arg1:u64'
	bad 'exists' '^f:both kprobe_target_other x=$arg1:u64'
	bad 'exists' 'f:both kprobe_target_black ^y=$arg1:u64'
	bad 'exists' 'f:both kprobe_target_black ^x=$arg1:u32'
	bad 'exists' '^f:both kprobe_target_black%return x=$arg1:u64'
	bad 'exists' '^t:fprobes/both kfree x=$arg1:u64'
	bad 'exists' '^f:sched/sched_switch kprobe_target_other'
	enable fprobes/both
	call 10
	recorded both 20
	# A point that is added to an enabled event fires at once, and a point may be removed.
	put 'f:both kprobe_target_black x=$arg1:u64'
	call 10
	recorded both 50
	put '-:both kprobe_target_other x=$arg1:u64'
	call 10
	recorded both 70
	disable fprobes/both
	put '-:both kprobe_target_traced'
	grep -qx 'f:fprobes/both kprobe_target_black x=$arg1:u64' $dynamic
	[ "$(wc -l < $dynamic)" = 1 ]
	put '-:both'
	empty $tracefs/enabled_functions
}

removed_by_definition() {
	put 'f:one vfs_open%return a=$stack0'
	refused 'No such file' '-:one vfs_read'
	refused 'No such file' '-:one vfs_open%return a=$stack1'
	refused 'No such file' '-:nosuch'
	refused 'No such file' '-:nogroup/one'
	[ "$(wc -l < $dynamic)" = 1 ]
	put '-:one vfs_open%return a=$stack0'
	empty $dynamic
}

enabled_is_busy() {
	load_target
	put 'f:one kprobe_target_traced'
	put 'f:two kprobe_target_other%return'
	enable fprobes/one
	refused 'busy' '-:one'
	all_is_busy
	call 3
	recorded one 3
	disable fprobes/one
	put '-:one'
	put '-:two'
}

enabled_in_an_instance_is_busy() {
	load_target
	put 'f:one kprobe_target_traced'
	mkdir $tracefs/instances/kprobes_test
	echo 1 > $tracefs/instances/kprobes_test/events/fprobes/one/enable
	refused 'busy' '-:one'
	enable fprobes/one
	call 3
	disable fprobes/one
	call 4
	refused 'busy' '-:one'
	echo 0 > $tracefs/instances/kprobes_test/events/fprobes/one/enable
	call 5
	recorded one 3
	recorded one 7 kprobes_test
	put '-:one'
	rmdir $tracefs/instances/kprobes_test
}

filtered() {
	load_target
	put 'f:enter kprobe_target_traced x=$arg1:u64'
	put 'f:leave kprobe_target_traced%return v=$retval:u64'
	echo 'x == 7 || x > 97' > $tracefs/events/fprobes/enter/filter
	echo 'v == 50' > $tracefs/events/fprobes/leave/filter
	enable fprobes
	call 100
	disable fprobes
	recorded enter 3
	recorded leave 1
}

counted_by_a_histogram() {
	load_target
	put 'f:leave kprobe_target_traced%return v=$retval:u64'
	[ -e $tracefs/events/fprobes/leave/hist ] || skip "no histograms"
	echo 'hist:keys=__probe_func.sym:vals=v' > $tracefs/events/fprobes/leave/trigger
	call 10
	cat $tracefs/events/fprobes/leave/hist
	grep -q 'kprobe_target_traced .*hitcount: *10 *v: *55' $tracefs/events/fprobes/leave/hist
	refused 'busy' '-:leave'
	echo '!hist:keys=__probe_func.sym:vals=v' > $tracefs/events/fprobes/leave/trigger
	put '-:leave'
}

counted_by_perf() {
	needs_perf_open
	load_target
	put 'f:enter kprobe_target_traced x=$arg1:u64 c=$comm'
	put 'f:leave kprobe_target_traced%return x=$arg1:u64 v=$retval'
	for e in enter leave; do
		id=$(cat $tracefs/events/fprobes/$e/id)
		[ "$("$perf_open" -e "$id" $target/call 100)" = 100 ]
	done
	# None of these records went to the trace.
	recorded enter 0
	put '-:enter'
	put '-:leave'
}

module_goes_and_comes() {
	load_target
	put 'f:stays kprobe_target_traced x=$arg1:u64'
	put 'f:ret kprobe_target_other%return v=$retval:u64'
	put 'f:many kprobe_target_*'
	put 'f:mixed vfs_open'
	put 'f:mixed kprobe_target_traced'
	enable fprobes/stays fprobes/ret fprobes/many
	for i in 1 2 3; do
		echo > $tracefs/trace
		call 10
		recorded stays 10
		recorded ret 10
		[ "$(grep -c ' many: ' $tracefs/trace)" -ge 20 ]
		rmmod kprobe_test_target
		not grep -q kprobe_target $tracefs/enabled_functions
		[ "$(wc -l < $dynamic)" = 5 ]
		echo > $tracefs/trace
		load_target
		# The init function of the module calls each function once.
		recorded stays 1
		recorded ret 1
		[ "$(cat $target/wrong)" = 0 ]
	done
	disable fprobes
	call 10
	recorded stays 1
	echo > $dynamic
	empty $tracefs/enabled_functions
}

removed_while_its_module_is_away() {
	load_target
	put 'f:goes kprobe_target_traced%return'
	enable fprobes/goes
	rmmod kprobe_test_target
	bad 'Invalid argument' 'f:e ^kprobe_target_traced'
	disable fprobes/goes
	put '-:goes'
	load_target
	call 1
	empty $tracefs/enabled_functions
}

place_and_remove() {
	try put 'f:race kprobe_target_traced%return $retval'
	try enable fprobes/race
	try disable fprobes/race
	try put '-:race'
}

racing_events_and_modules() {
	race_with_module place_and_remove
	empty $tracefs/enabled_functions
}

begin_dynamic 'f[:[<group>/][<event>]]'
run defined_listed_removed
run named_by_the_kernel
run bad_functions
run no_names
run bad_maxactive
run no_arguments
run entries_and_values
run returns_and_values
run result_makes_return
run arguments_by_name
run members_and_strings
run all_that_match_a_pattern
run enabled_and_disabled
run several_functions_one_event
run removed_by_definition
run enabled_is_busy
run enabled_in_an_instance_is_busy
run filtered
run counted_by_a_histogram
run counted_by_perf
run module_goes_and_comes
run removed_while_its_module_is_away
run racing_events_and_modules
finish
