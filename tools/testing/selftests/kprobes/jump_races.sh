#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Jumps are written and removed while other tasks call, probe, trace or unload the functions
# that they are in. Each call is counted, with all methods.

cd "$(dirname "$0")" && . ./functions

optimization=/proc/sys/debug/kprobes-optimization
cpu=/sys/devices/system/cpu/cpu1/online
callers=4

# Is there a jump at this offset of kprobe_target_traced()?
is_traced_jump() {
	jump_at "${inside##*+}" 2
}

needs_jumps() {
	[ -e $optimization ] || skip "no jumps in this kernel"
	case $(uname -m) in
	x86_64|aarch64)	;;
	*)	skip "does not know how a jump looks" ;;
	esac
	load_target
	echo 1 > $optimization
	put "p:always $inside"
	enable kprobes/always
	grep OPTIMIZED $kprobes/list
	until_it is_jump
	own=0
}

# Calls like those of the callers.
call_too() {
	call "$1"
	own=$((own + $1))
}

# The event "always" must have counted each call.
all_have_been_seen() {
	stop_callers
	echo 1 > $optimization
	hits always $(($(calls_made) + own))
}

switched_off_and_on() {
	needs_jumps
	start_callers $callers
	for i in $(rounds 150); do
		echo 0 > $optimization
		not is_jump
		echo 1 > $optimization
		[ $((i % 10)) -gt 0 ] || until_it is_jump
	done
	all_have_been_seen
}

# If all instructions have one length, a jump displaces only the probed one.
needs_neighbours() {
	[ "$(uname -m)" != aarch64 ] || skip "a jump displaces one instruction"
}

# for_each_neighbour COMMAND: run COMMAND with a probe, "near", at each instruction that the jump
# displaces.
for_each_neighbour() {
	base=${inside%+*}
	off=${inside##*+}
	placed=0
	for at in $(seq $((off + 1)) $((off + 4))); do
		put "p:near $base+$at" 2> /dev/null || continue
		"$1"
		put '-:near'
		placed=$((placed + 1))
	done
	[ $placed -gt 0 ]
}

comes_and_goes() {
	for i in $(rounds 5); do
		enable kprobes/near
		not is_jump
		before=$(hits_of near)
		call_too 10
		[ "$(hits_of near)" -ge $((before + 10)) ]
		disable kprobes/near
		until_it is_jump
	done
}

neighbours_come_and_go() {
	needs_neighbours
	needs_jumps
	start_callers $callers
	for_each_neighbour comes_and_goes
	all_have_been_seen
}

# A jump is not written either when later ones are.
stays() {
	enable kprobes/near
	echo 0 > $optimization
	echo 1 > $optimization
	enable kprobes/other
	until_it is_traced_jump
	not is_jump
	before=$(hits_of near)
	call_too 10
	[ "$(hits_of near)" -ge $((before + 10)) ]
	disable kprobes/near kprobes/other
}

neighbours_stay() {
	needs_neighbours
	needs_jumps
	put "p:other kprobe_test_target:kprobe_target_traced+${inside##*+}"
	start_callers $callers
	for_each_neighbour stays
	all_have_been_seen
}

# sees_all EVENT: EVENT counts all calls that are made now.
sees_all() {
	before=$(hits_of "$1")
	call 10
	hits "$1" $((before + 10))
}

# Events of the whole group, while tracers start and stop at the same functions.
tracers_come_and_go() {
	needs_jumps
	put 'p:entry kprobe_test_target:kprobe_target_other'
	put 'r:back kprobe_test_target:kprobe_target_other'
	echo ':mod:kprobe_test_target' > $tracefs/set_ftrace_filter
	start_callers $callers
	for i in $(rounds 10); do
		echo function > $tracefs/current_tracer
		echo 0 > $tracefs/events/kprobes/entry/enable
		echo function_graph > $tracefs/current_tracer
		echo 1 > $tracefs/events/kprobes/entry/enable
		echo 0 > $tracefs/events/kprobes/back/enable
		echo nop > $tracefs/current_tracer
		echo 1 > $tracefs/events/kprobes/back/enable
	done
	all_have_been_seen
	sees_all entry
	sees_all back
	echo > $tracefs/set_ftrace_filter
}

# The group is enabled and disabled. Some calls are not counted, but all return the right value.
group_comes_and_goes() {
	needs_jumps
	put "r:back kprobe_test_target:kprobe_target_other"
	put "p:traced kprobe_test_target:kprobe_target_traced"
	start_callers $callers
	for i in $(rounds 100); do
		echo 0 > $tracefs/events/kprobes/enable
		not is_jump
		echo 1 > $tracefs/events/kprobes/enable
		[ $((i % 10)) -gt 0 ] || until_it is_jump
	done
	stop_callers
	sees_all always
	sees_all back
	sees_all traced
}

# The module is unloaded with jumps in it, some of them not yet written.
module_comes_and_goes() {
	needs_jumps
	expect=0
	for i in $(rounds 15); do
		[ $((i % 2)) = 0 ] || until_it is_jump
		for _ in $(seq $callers); do
			call 50 &
		done
		wait
		expect=$((expect + callers * 50))
		hits always $expect
		[ "$(cat $target/wrong)" = 0 ]
		rmmod kprobe_test_target
		load_target
		# The init function of the module calls each function once.
		expect=$((expect + 1))
	done
}

# Freeing the tracer of an instance waits for all tasks.
wait_for_tasks() {
	mkdir $tracefs/instances/wait
	echo vfs_open > $tracefs/instances/wait/set_ftrace_filter
	echo function > $tracefs/instances/wait/current_tracer
	echo nop > $tracefs/instances/wait/current_tracer
	rmdir $tracefs/instances/wait
}

# The module is unloaded while the optimizer waits for tasks. Its text has another owner after that.
module_goes_while_jumps_wait() {
	needs_jumps
	needs_neighbours
	load_or_skip kprobe_test_prober
	for i in 1 2 3; do
		wait_for_tasks
		disable kprobes/always
		echo 1 > $prober/hold
		enable kprobes/always
		echo 1 > $prober/toggle
		[ "$(grep -c 'kprobe_target.*OPTIMIZED' $kprobes/list)" = 2 ]
		not is_jump
		rmmod kprobe_test_target
		not grep kprobe_target $kprobes/list
		echo 0 > $prober/hold
		wait_for_tasks
		load_target
		until_it is_jump
		sees_all always
		rmmod kprobe_test_prober
		load kprobe_test_prober
	done
	[ "$(cat $target/wrong)" = 0 ]
}

back_online() {
	echo 1 > $cpu
}

cpu_goes_and_comes() {
	[ -w $cpu ] || skip "no CPU that can be taken offline"
	needs_jumps
	start_callers $callers
	undo=back_online
	for i in $(rounds 6); do
		echo 0 > $optimization
		echo 0 > $cpu
		echo 1 > $optimization
		until_it is_jump
		echo 1 > $cpu
	done
	all_have_been_seen
}

begin
run switched_off_and_on
run neighbours_come_and_go
run neighbours_stay
run tracers_come_and_go
run group_comes_and_goes
run module_comes_and_goes
run module_goes_while_jumps_wait
run cpu_goes_and_comes
finish
