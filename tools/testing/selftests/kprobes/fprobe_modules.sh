#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Fprobes of modules, and in modules that are loaded, unloaded, and loaded again.

cd "$(dirname "$0")" && . ./functions

fprober=/sys/module/kprobe_test_fprober/parameters

load_fprober() {
	load_or_skip kprobe_test_fprober "$@"
}

# seen ENTRIES EXITS [MISSED]
seen() {
	cat $fprober/hits
	[ "$(cat $fprober/hits)" = "$1 $2 ${3:-0}" ]
}

own() {
	echo "$1" > $fprober/call
}

functions_of_a_module() {
	load_target
	load_fprober 'filter=kprobe_target_*'
	call 10
	# All functions but the one that ftrace does not trace.
	seen 30 30
	[ "$(cat $target/wrong)" = 0 ]
}

names_of_two_modules() {
	load_target
	not load kprobe_test_fprober filter=kprobe_target_traced,no_such_function
	not load kprobe_test_fprober filter=kprobe_target_traced,kprobe_target_plain
	# An fprobe of the module finds the module's functions while it is loaded; others do not yet.
	load_fprober filter=kprobe_target_traced,fprober_own
	call 10
	own 5
	seen 15 15
}

nothing_to_hook() {
	rmmod kprobe_test_target || true
	not load kprobe_test_fprober 'filter=kprobe_target_*'
	[ ! -e $fprober ]
}

# Functions of the module are removed. The fprobe stays at the others.
module_goes_and_comes() {
	load_target
	load_fprober filter=kprobe_target_traced,fprober_own
	call 1
	own 1
	seen 2 2
	for i in 1 2 3; do
		rmmod kprobe_test_target
		own 10
		load_target
		call 10
		[ "$(cat $target/wrong)" = 0 ]
	done
	seen 32 32
	# The function is not added again by itself, but by a new registration.
	echo 1 > $fprober/placed
	call 10
	own 1
	seen 43 43
}

fprobe_of_nothing_but_what_is_gone() {
	load_target
	load_fprober 'filter=kprobe_target_*'
	call 1
	rmmod kprobe_test_target
	seen 3 3
	not put 1 $fprober/placed
	# Registration failed, so no function is hooked.
	load_target
	call 10
	seen 3 3
}

fprobe_goes_first() {
	load_target
	for i in 1 2 3 4 5; do
		load_fprober 'filter=kprobe_target_*'
		call 10
		seen 30 30
		rmmod kprobe_test_fprober
		call 10
		[ "$(cat $target/wrong)" = 0 ]
	done
}

# Init text is hooked until it is freed.
from_the_first_call_on() {
	rmmod kprobe_test_target || true
	load_fprober wait=kprobe_test_target 'filter=kprobe_target_*'
	load_target
	[ "$(cat $fprober/result)" = 0 ]
	# kprobe_target_init(), and each other function once.
	seen 4 4
	call 10
	seen 34 34
	[ "$(cat $target/wrong)" = 0 ]
	for i in 1 2 3; do
		rmmod kprobe_test_target
		load_target
		call 10
		seen 34 34
	done
	rmmod kprobe_test_target
}

# A module that then failed to load would go without notice.
before_the_module_is_announced() {
	rmmod kprobe_test_target || true
	load_fprober wait=kprobe_test_target early=1 'filter=kprobe_target_*'
	load_target
	[ "$(cat $fprober/result)" = -2 ]
	call 10
	seen 0 0
	echo 1 > $fprober/placed
	call 10
	seen 30 30
	[ "$(cat $target/wrong)" = 0 ]
}

# Init text still exists when the module is live, and is freed after that.
init_text_after_the_first_call() {
	rmmod kprobe_test_target || true
	load_fprober wait=kprobe_test_target late=1 filter=kprobe_target_init
	load_target
	[ "$(cat $fprober/result)" = -2 ]
	rmmod kprobe_test_fprober
	rmmod kprobe_test_target
	load_fprober wait=kprobe_test_target late=1 'filter=kprobe_target_*'
	load_target
	[ "$(cat $fprober/result)" = 0 ]
	call 10
	seen 30 30
	[ "$(cat $target/wrong)" = 0 ]
}

read_pipe() {
	cat "$tmp/pipe" > "$tmp/out"
}

# A task sleeps in a function while the module with the exit handler is unloaded.
gone_while_a_call_sleeps() {
	mkfifo "$tmp/pipe"
	grep -q '^wait_for_partner$' $tracefs/available_filter_functions ||
		skip "no wait_for_partner()"
	load_fprober filter=wait_for_partner,fprober_own
	start read_pipe
	until_it seen 1 0
	rmmod kprobe_test_fprober
	echo through > "$tmp/pipe"
	finish_all
	[ "$(cat "$tmp/out")" = through ]
}

cleanup_fprober() {
	rmmod kprobe_test_fprober 2> /dev/null || true
}

begin
for t in functions_of_a_module names_of_two_modules nothing_to_hook module_goes_and_comes \
	fprobe_of_nothing_but_what_is_gone fprobe_goes_first from_the_first_call_on \
	before_the_module_is_announced init_text_after_the_first_call gone_while_a_call_sleeps; do
	run $t
	cleanup_fprober
done
finish
