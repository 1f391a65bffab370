#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Let each allocation of an operation fail in turn: the operation must return an errno, leave
# nothing behind, and succeed afterwards. Boot with kmemleak=on to find leaks, too.
#
#	OPERATIONS="definitions enabling" ./faults.sh
#
# All of them take more than a quarter of an hour on a debug kernel.

cd "$(dirname "$0")" && . ./functions

needs_faults() {
	let_memory_fail || skip "memory does not fail on demand"
	needs_program fail_nth
	load_target
	# Start to record comms now: the base warns if it lacks memory for that.
	echo 1 > $tracefs/events/sched/sched_process_exit/enable
	STATE="$events $dynamic $kprobes/list $tracefs/enabled_functions $tracefs/events \
		$tracefs/instances /sys/module"
	for d in kprobes fprobes tracepoints many; do
		STATE="$STATE $tracefs/events/$d"
	done
	export STATE
}

# defines EVENT DEFINITION...: define the event, and remove it.
defines() {
	"$program" write $dynamic "$2" "-:$1"
}

definitions() {
	needs_faults
	defines kprobes/e "p:kprobes/e $inside"
	defines kprobes/e 'p:kprobes/e kprobe_test_target:kprobe_target_traced'
	defines kprobes/e 'r:kprobes/e kprobe_test_target:kprobe_target_traced'
	defines kprobes/e 'p:kprobes/e kprobe_target_traced@*'
	defines kprobes/e "p:kprobes/e $inside a=+0($reg0):x64[4] b=+0(+8(\$stack)):string \
c=\$comm d=\\\"text\" e=$reg_pc:symstr f=$reg1:b4@4/32"
	defines fprobes/e 'f:fprobes/e kprobe_target_traced a=$arg1'
	defines fprobes/e 'f:fprobes/e kprobe_target_traced%return a=$arg1 b=$retval'
	defines fprobes/e 'f:fprobes/e kprobe_target_* a=$arg1'
	defines tracepoints/e 't:tracepoints/e kprobe_target_call a=$arg1'
	# The event waits for its module.
	rmmod kprobe_test_target
	defines kprobes/e 'p:kprobes/e kprobe_test_target:kprobe_target_traced'
	load_target
	# Add a place to an event.
	put 'p:kprobes/two kprobe_test_target:kprobe_target_other'
	"$program" write $dynamic 'p:kprobes/two kprobe_test_target:kprobe_target_traced' \
		'-:kprobes/two kprobe_test_target:kprobe_target_traced'
}

# switches FILE: write 1, then 0, to it.
switches() {
	"$program" write "$1" 1 0
}

enabling() {
	needs_faults
	put "p:kprobes/inside $inside" $dynamic
	put 'p:kprobes/entry kprobe_test_target:kprobe_target_traced' $dynamic
	put 'r:kprobes/return kprobe_test_target:kprobe_target_traced' $dynamic
	put 'f:fprobes/entry kprobe_target_traced' $dynamic
	put 'f:fprobes/return kprobe_target_*%return' $dynamic
	put 't:tracepoints/passed kprobe_target_call' $dynamic
	mkdir $tracefs/instances/other
	for e in kprobes/inside kprobes/entry kprobes/return fprobes/entry fprobes/return \
		tracepoints/passed; do
		switches $tracefs/events/$e/enable
		switches $tracefs/instances/other/events/$e/enable
		"$program" write $tracefs/events/$e/filter 'common_pid == 1' 0
	done
	call 10
	[ "$(cat $target/wrong)" = 0 ]
	rmdir $tracefs/instances/other
}

# Each event of a group may fail alone, so part of the group may be enabled. Disable it all.
a_group() {
	needs_faults
	N=3
	make_group
	put "p:many/inside $inside"
	load_refuser
	before=$(cat $kprobes/list)
	for nth in $(seq 400); do
		sh -c "echo $nth > /proc/self/fail-nth; echo 1 > $group; cat /proc/self/fail-nth > $tmp/left" \
			2> /dev/null || true
		echo 0 > $group
		[ "$(enabled 0)" = $((N + 1)) ]
		[ "$(cat $kprobes/list)" = "$before" ]
		[ "$(cat "$tmp/left")" = 0 ] || break
	done
	[ "$(cat "$tmp/left")" != 0 ]
	group_on
	[ "$(enabled 1)" = $((N + 1)) ]
	group_off
	unload_refuser
}

perf_events() {
	needs_faults
	[ -e /sys/bus/event_source/devices/kprobe/type ] || skip "no kprobe PMU"
	for config in 0 1; do
		"$program" perf kprobe_test_target:kprobe_target_traced 0 $config
		"$program" perf kprobe_test_target:kprobe_target_other 0 $config
	done
	"$program" perf "${inside%+*}" "${inside##*+}" 0
	put "p:kprobes/inside $inside" $dynamic
	put 'r:kprobes/return kprobe_test_target:kprobe_target_traced' $dynamic
	put 'f:fprobes/entry kprobe_target_traced' $dynamic
	put 't:tracepoints/passed kprobe_target_call' $dynamic
	for e in kprobes/inside kprobes/return fprobes/entry tracepoints/passed; do
		"$program" perf-event "$(cat $tracefs/events/$e/id)"
	done
}

# module NAME: a copy of its file in memory, because the file system may not handle faults.
module() {
	file=$(find "/lib/modules/$(uname -r)" -name "$1.ko")
	[ -z "$file" ] || cp "$file" "$tmp/$1.ko"
	[ ! -e "$tmp/$1.ko" ] || echo "$tmp/$1.ko"
}

address_inside() {
	start=$(awk '$3 == "kprobe_target_other" { print $1; exit }' /proc/kallsyms)
	printf '0x%x' $((0x$start + ${inside##*+}))
}

# registers MODULE PARAMETER...: load a module that registers probes, and unload it.
registers() {
	load_or_skip "$@"
	put 0 "/sys/module/$1/parameters/placed"
	"$program" write "/sys/module/$1/parameters/placed" 1 0
	rmmod "$1"
}

# Probes of modules.
registering() {
	needs_faults
	registers kprobe_test_prober symbol=kprobe_target_traced
	registers kprobe_test_prober "addr=$(address_inside)"
	registers kprobe_test_prober ret=1 symbol=kprobe_target_traced
	registers kprobe_test_fprober 'filter=kprobe_target_*'
	registers kprobe_test_fprober filter=kprobe_target_traced,kprobe_target_other
	call 10
	[ "$(cat $target/wrong)" = 0 ]
}

# The module with the probed functions.
module_with_events() {
	needs_faults
	put "p:kprobes/inside $inside" $dynamic
	put 'r:kprobes/return kprobe_test_target:kprobe_target_traced' $dynamic
	put 'f:fprobes/many kprobe_target_*' $dynamic
	put 't:tracepoints/passed kprobe_target_call' $dynamic
	enable kprobes/inside kprobes/return fprobes/many tracepoints/passed
	rmmod kprobe_test_target
	STATE="$events $dynamic $tracefs/events /sys/module"
	[ -n "$(module kprobe_test_target)" ] || skip "modules are not plain files"
	"$program" insmod "$(module kprobe_test_target)" ''
	load_target
	: > $tracefs/trace
	call 10
	[ "$(cat $target/wrong)" = 0 ]
	recorded inside 10
	recorded return 10
	recorded many 30
	recorded passed 10
}

OPERATIONS=${OPERATIONS:-definitions enabling a_group perf_events registering module_with_events}

begin
forget_leaks
for t in $OPERATIONS nothing_is_lost; do
	run $t
	unload_refuser
done
finish
