#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Jumps in functions with unusual control flow. The functions must return the right results with
# all jumps.

cd "$(dirname "$0")" && . ./functions

odd=/sys/module/kprobe_test_odd/parameters

# all_of FUNCTION: all its addresses in the module.
all_of() {
	awk -v f="$1" '$3 == f && $4 == "[kprobe_test_odd]" { print $1 }' /proc/kallsyms
}

# Probe one instruction at a time: a neighbour would keep it from being a jump.
each_instruction() {
	load kprobe_test_odd 2> "$tmp/err" || skip "no module kprobe_test_odd"
	load_target
	hits=0
	for f in "$@"; do
		for addr in $(all_of "$f"); do
			for i in $(seq 0 40); do
				one_place "$f" "0x$addr" "$i"
			done
		done
	done
	[ $hits -ge 10 ]
	rmmod kprobe_test_odd
}

# one_place FUNCTION ADDRESS OFFSET: if a probe is possible there, calls still return the right result.
one_place() {
	# Use a module, not an event: ftrace does not know these functions.
	load kprobe_test_prober "addr=$(printf '0x%x' $(($2 + $3)))" 2> /dev/null || return 0
	# Skip offsets outside of the function.
	if grep -qF " $1+" $kprobes/list; then
		echo 8 > $odd/call
		settle
		echo 8 > $odd/call
		cat $kprobes/list
		[ "$(cat $odd/wrong)" = 0 ]
		[ "$(cat $prober/hits)" -eq 0 ] || hits=$((hits + 1))
	fi
	rmmod kprobe_test_prober
}

# Wait until the probe is a jump, if it can be one: a probe that was registered later is.
settle() {
	put "p:odd/later $inside"
	enable odd/later
	cat $kprobes/list > /dev/null
	until_it is_jump
	disable odd/later
	put '-:odd/later'
}

a_function_and_its_namesake() {
	each_instruction kprobe_odd_dup
}

a_switch() {
	each_instruction kprobe_odd_switch
}

begin
run a_function_and_its_namesake
run a_switch
finish
