#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Tracepoint probe events, t: in dynamic_events: commands that are accepted, errors of
# others, records, and modules that are loaded and unloaded.

cd "$(dirname "$0")" && . ./functions

defined_listed_removed() {
	put 't:one sched_process_exit'
	put 't:mygroup/two kfree a=$stack0'
	put 't:one sched_process_free'
	cat > "$tmp/expected" << 'END'
t:tracepoints/one sched_process_exit
t:mygroup/two kfree a=$stack0
t:tracepoints/one sched_process_free
END
	cmp $dynamic "$tmp/expected"
	grep -q 'field:unsigned long __probe_ip;' $tracefs/events/tracepoints/one/format
	put '-:mygroup/two'
	[ ! -e $tracefs/events/mygroup ]
	put '-:one'
	empty $dynamic
	empty $tracefs/enabled_functions
}

named_by_the_kernel() {
	put 't kfree'
	put 't 9p_no_such'
	put 't:mygroup/ sched_process_exit'
	[ -d $tracefs/events/tracepoints/kfree ]
	[ -d $tracefs/events/tracepoints/_9p_no_such ]
	[ -d $tracefs/events/mygroup/sched_process_exit ]
}

bad_tracepoints() {
	bad 'Invalid argument' 't:e kfree^%return'
	bad 'Invalid argument' 't:e kfree^+0'
	bad 'Invalid argument' 't:e no^-such'
	bad 'Invalid argument' 't:e kprobe_test_target^:kprobe_target_call'
	refused 'Invalid argument' 't:e'
}

no_names() {
	bad_names t kfree
}

no_arguments() {
	bad_expressions t kfree
	bad 'Invalid argument' 't:e kfree ^$retval'
	bad 'Invalid argument' "t:e kfree a=^$reg0"
}

hits_and_values() {
	load_target
	put 't:hit kprobe_target_call x=$arg1:u64 w=+0($arg2):string c=$comm'
	call 5
	enable tracepoints/hit
	call 20
	disable tracepoints/hit
	call 5
	recorded hit 20
	seq 0 19 > "$tmp/x"
	values hit x | cmp - "$tmp/x"
	[ "$(values hit w | sort -u)" = '"kprobe_test_target"' ]
	grep -q ' hit: (__probestub_kprobe_target_call+0x' $tracefs/trace
	[ "$(cat $target/wrong)" = 0 ]
}

arguments_by_name() {
	needs_btf
	put 't:named kprobe_target_call $arg*'
	put 't:text kprobe_target_call who:string'
	grep -qx 't:tracepoints/named kprobe_target_call x=x who=who' $dynamic
	bad 'No such file' 't:e kprobe_target_call ^no_such_argument'
	bad 'No such file' 't:e kprobe_target_call ^__data'
	bad 'No such file' 't:e kprobe_target_call ^$arg3'
	enable tracepoints
	call 20
	disable tracepoints
	seq 0 19 > "$tmp/x"
	values named x | cmp - "$tmp/x"
	[ "$(values text who | sort -u)" = '"kprobe_test_target"' ]
}

members_of_the_kernels() {
	needs_btf
	put 't:fork sched_process_fork parent=parent->pid child=child->pid'
	enable tracepoints/fork
	sleep 0 &
	child=$!
	wait
	disable tracepoints/fork
	grep " fork: (__probestub_sched_process_fork.*) parent=.* child=$child\$" $tracefs/trace
}

# Events share the tracepoint and do not affect each other.
several_events_one_tracepoint() {
	load_target
	put 't:a kprobe_target_call x=$arg1:u64'
	put 't:b kprobe_target_call'
	put 'f:stub __probestub_kprobe_target_call'
	enable tracepoints/a
	call 10
	enable tracepoints/b
	call 10
	disable tracepoints/a
	call 10
	recorded a 20
	recorded b 20
	# This also clears the buffer.
	put '-:a'
	call 10
	disable tracepoints/b
	call 10
	recorded b 10
	enable fprobes/stub
	call 10
	# Without listeners, the function is not called.
	recorded stub 0
	enable tracepoints/b
	call 10
	# It is called once for all listeners.
	recorded stub 10
	recorded b 20
}

# of_target N: the event "both" has N records of the target's tracepoint.
of_target() {
	grep -c ' both: (__probestub_kprobe_target_call' $tracefs/trace > "$tmp/count"
	[ "$(cat "$tmp/count")" = "$1" ]
}

several_tracepoints_one_event() {
	load_target
	put 't:both kprobe_target_call x=$arg1:u64'
	put 't:both kfree x=$arg1:u64'
	bad 'exists' '^t:both kfree x=$arg1:u64'
	bad 'exists' 't:both sched_process_exit ^y=$arg1:u64'
	bad 'exists' '^f:tracepoints/both vfs_open x=$arg1:u64'
	echo '__probe_ip > 0 && x < 10' > $tracefs/events/tracepoints/both/filter
	enable tracepoints/both
	call 10
	of_target 10
	put '-:both kprobe_target_call x=$arg1:u64'
	grep -qx 't:tracepoints/both kfree x=$arg1:u64' $dynamic
	call 10
	of_target 10
	put 't:both kprobe_target_call x=$arg1:u64'
	call 10
	of_target 20
	disable tracepoints/both
	put '-:both'
}

with_its_trace_event() {
	[ -d $tracefs/events/sched/sched_process_fork ] || skip "no trace events"
	put 't:fork sched_process_fork'
	enable tracepoints/fork sched/sched_process_fork
	(:)
	disable tracepoints/fork
	(:)
	disable sched/sched_process_fork
	(:)
	[ "$(grep -c ' fork: ' $tracefs/trace)" -ge 1 ]
	[ "$(grep -c ' sched_process_fork: ' $tracefs/trace)" -gt \
	  "$(grep -c ' fork: ' $tracefs/trace)" ]
}

enabled_is_busy() {
	load_target
	put 't:one kprobe_target_call'
	put 't:away kprobe_no_such_tracepoint'
	mkdir $tracefs/instances/kprobes_test
	enable tracepoints/one tracepoints/away
	refused 'busy' '-:one'
	refused 'busy' '-:away'
	all_is_busy
	echo 1 > $tracefs/instances/kprobes_test/events/tracepoints/one/enable
	call 3
	disable tracepoints
	call 4
	refused 'busy' '-:one'
	echo 0 > $tracefs/instances/kprobes_test/events/tracepoints/one/enable
	call 5
	recorded one 3
	recorded one 7 kprobes_test
	put '-:away'
	put '-:one'
	rmdir $tracefs/instances/kprobes_test
}

filtered() {
	load_target
	put 't:hit kprobe_target_call x=$arg1:u64'
	echo 'x == 7 || x > 97' > $tracefs/events/tracepoints/hit/filter
	enable tracepoints/hit
	call 100
	disable tracepoints/hit
	recorded hit 3
}

counted_by_perf() {
	needs_perf_open
	load_target
	put 't:hit kprobe_target_call x=$arg1:u64 w=+0($arg2):string'
	id=$(cat $tracefs/events/tracepoints/hit/id)
	[ "$("$perf_open" -e "$id" $target/call 100)" = 100 ]
	recorded hit 0
	put '-:hit'
}

waits_for_its_module() {
	load_target
	rmmod kprobe_test_target
	put 't:early kprobe_target_call x=$arg1:u64'
	put 't:late kprobe_target_call'
	# Its types are in the BTF of the module.
	if [ -e /sys/kernel/btf/vmlinux ]; then
		bad 'No such file' 't:e kprobe_target_call ^x'
		bad 'Operation not supported' 't:e kprobe_target_call ^$arg*'
	fi
	enable tracepoints/early
	load_target
	# The init function of the module passes it once.
	recorded early 1
	call 10
	recorded early 11
	recorded late 0
	enable tracepoints/late
	call 10
	recorded early 21
	recorded late 10
}

module_goes_and_comes() {
	load_target
	put 't:stays kprobe_target_call x=$arg1:u64'
	put 't:idle kprobe_target_call'
	put 't:mixed kprobe_target_call'
	put 't:mixed sched_process_exit'
	enable tracepoints/stays
	for i in 1 2 3 4 5; do
		echo > $tracefs/trace
		call 10
		recorded stays 10
		rmmod kprobe_test_target
		not grep -q kprobe_target $tracefs/enabled_functions
		[ "$(wc -l < $dynamic)" = 4 ]
		echo > $tracefs/trace
		load_target
		recorded stays 1
		recorded idle 0
	done
	rmmod kprobe_test_target
	disable tracepoints/stays
	enable tracepoints/idle
	load_target
	recorded stays 1
	recorded idle 1
	disable tracepoints/idle
	call 10
	recorded idle 1
	echo > $dynamic
	empty $tracefs/enabled_functions
	rmmod kprobe_test_target
}

removed_while_its_module_is_away() {
	load_target
	put 't:goes kprobe_target_call'
	enable tracepoints/goes
	rmmod kprobe_test_target
	disable tracepoints/goes
	put '-:goes'
	load_target
	call 1
	empty $tracefs/enabled_functions
	rmmod kprobe_test_target
}

place_and_remove() {
	try put 't:race kprobe_target_call x=$arg1'
	try enable tracepoints/race
	try put 't:race2 kprobe_target_call'
	try enable tracepoints/race2
	try disable tracepoints/race
	try put '-:race'
	try disable tracepoints/race2
	try put '-:race2'
}

racing_events_and_modules() {
	race_with_module place_and_remove
	empty $tracefs/enabled_functions
}

begin_dynamic 't[:[<group>/][<event>]]'
run defined_listed_removed
run named_by_the_kernel
run bad_tracepoints
run no_names
run no_arguments
run hits_and_values
run arguments_by_name
run members_of_the_kernels
run several_events_one_tracepoint
run several_tracepoints_one_event
run with_its_trace_event
run enabled_is_busy
run filtered
run counted_by_perf
run waits_for_its_module
run module_goes_and_comes
run removed_while_its_module_is_away
run racing_events_and_modules
finish
