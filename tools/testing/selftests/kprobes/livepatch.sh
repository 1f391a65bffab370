#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A live patch of a function while a task is preempted in a probed instruction of it. To be run
# with preempt=full, because the task can only be kept there then.

cd "$(dirname "$0")" && . ./functions

long=/sys/module/kprobe_test_long/parameters
patch=/sys/kernel/livepatch/kprobe_test_patch
throttling=/proc/sys/kernel/sched_rt_runtime_us

is_long_jump() {
	grep -q '^e9' $long/text
}

# Does the stack of the task have the function?
is_in_function() {
	grep 'kprobe_long+' "/proc/$(cat $long/pid)/stack"
}

# Have all other tasks switched to the patched functions?
others_are_patched() {
	for state in /proc/[0-9]*/task/*/patch_state; do
		case $state in
		*/task/$(cat $long/pid)/*) continue ;;
		esac
		# The task may have ended.
		[ "$(cat "$state" 2> /dev/null || echo 1)" = 1 ] || return 1
	done
}

patch_is_complete() {
	[ "$(cat $patch/transition)" = 0 ]
}

patch_is_gone() {
	[ ! -e $patch ]
}

# hold: keep the thread that calls the function from running in the middle of it. The busy task that
# does this must not be throttled in favour of tasks that it starves.
hold() {
	echo -1 > $throttling
	echo 1 > $long/run
	for i in $(seq 20); do
		echo 1 > $long/spin
		is_in_function && return
		echo 0 > $long/spin
	done
	return 1
}

leave() {
	echo 0 > $long/spin
	echo 950000 > $throttling
	until_it patch_is_complete
	echo 0 > $patch/enabled
	until_it patch_is_gone
	rmmod kprobe_test_patch
	echo 0 > $long/run
	rmmod kprobe_test_long
}

# By configuration, or by the command line.
is_preemptible() {
	grep -q '\bpreempt=full\b' /proc/cmdline ||
		zcat /proc/config.gz 2> /dev/null | grep -q '^CONFIG_PREEMPT=y'
}

needs_livepatch() {
	[ -d /sys/kernel/livepatch ] || skip "no live patches"
	is_preemptible || skip "needs preempt=full"
	[ "$(nproc)" -ge 2 ] || skip "it takes two CPUs"
	load kprobe_test_long 2> "$tmp/err" || skip "no module kprobe_test_long"
}

# With each kind of probe, the task is in the function, and the transition does not end.
patch_waits_for_the_task() {
	hold
	load kprobe_test_patch
	until_it others_are_patched
	[ "$(cat $patch/transition)" = 1 ]
	[ "$(cat "/proc/$(cat $long/pid)/patch_state")" = 0 ]
	is_in_function
	leave
}

task_in_the_function() {
	needs_livepatch
	patch_waits_for_the_task
}

task_in_a_detour() {
	needs_livepatch
	put "p:in_long kprobe_test_long:kprobe_long+$(cat $long/insn)"
	enable kprobes/in_long
	until_it is_long_jump
	patch_waits_for_the_task
	[ "$(hits_of in_long)" -gt 0 ]
}

# Either of them keeps the instruction from being a jump.
task_in_a_copied_instruction() {
	needs_livepatch
	echo 0 > /proc/sys/debug/kprobes-optimization
	put "p:in_long kprobe_test_long:kprobe_long+$(cat $long/insn)"
	enable kprobes/in_long
	patch_waits_for_the_task
	[ "$(hits_of in_long)" -gt 0 ]
	echo 1 > /proc/sys/debug/kprobes-optimization
}

begin
run task_in_the_function
run task_in_a_detour
run task_in_a_copied_instruction
finish
