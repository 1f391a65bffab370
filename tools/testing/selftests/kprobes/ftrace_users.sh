#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Other users of ftrace at a probed function: tracers, live patches, and direct calls, which
# BPF trampolines use. Each sees its calls, in any order of registration.

cd "$(dirname "$0")" && . ./functions

fn=kprobe_target_traced
patches=/sys/kernel/livepatch

# traced N: the function tracer has recorded N calls since the trace was cleared.
traced() {
	[ "$(grep -c " $fn " $tracefs/trace)" = "$1" ]
}

start_tracer() {
	grep -qw "$1" $tracefs/available_tracers || skip "no tracer $1"
	echo $fn > $tracefs/set_ftrace_filter
	echo "$1" > $tracefs/current_tracer
}

stop_tracer() {
	echo nop > $tracefs/current_tracer
	echo > $tracefs/set_ftrace_filter
	echo > $tracefs/trace
}

probe_it() {
	put "p:entry kprobe_test_target:$fn"
	put "r:return kprobe_test_target:$fn"
	enable kprobes/entry kprobes/return
}

function_tracer_first() {
	load_target
	start_tracer function
	probe_it
	call 10
	hits entry 10
	hits return 10
	traced 10
	disable kprobes/entry kprobes/return
	echo > $tracefs/trace
	call 10
	traced 10
	hits entry 10
	stop_tracer
}

at_one_ops() {
	! grep -q "^$fn .*(2)" $tracefs/enabled_functions
}

# The return probe saves few registers. A probe that is added later gets all, and no hit is lost.
probe_at_a_return_probe() {
	load_target
	put "r:return kprobe_test_target:$fn"
	put "p:entry kprobe_test_target:$fn"
	enable kprobes/return
	call 10
	hits return 10
	enable kprobes/entry
	call 10
	hits entry 10
	hits return 20
	# ftrace calls both ftrace_ops for a while.
	until_it at_one_ops
	call 10
	hits entry 20
	hits return 30
	disable kprobes/return kprobes/entry
	call 10
	hits entry 20
	hits return 30
}

function_tracer_second() {
	load_target
	probe_it
	start_tracer function
	call 10
	hits entry 10
	hits return 10
	stop_tracer
	call 10
	hits entry 20
	hits return 20
}

# Both hook the same returns.
graph_tracer_and_returns() {
	load_target
	grep -qw function_graph $tracefs/available_tracers || skip "no tracer function_graph"
	put "r:return kprobe_test_target:$fn"
	enable kprobes/return
	echo $fn > $tracefs/set_graph_function
	echo function_graph > $tracefs/current_tracer
	call 10
	hits return 10
	[ "$(cat $target/wrong)" = 0 ]
	grep -q "$fn" $tracefs/trace
	echo nop > $tracefs/current_tracer
	echo > $tracefs/set_graph_function
	call 10
	hits return 20
	[ "$(cat $target/wrong)" = 0 ]
}

tracer_comes_and_goes_under_hits() {
	load_target
	probe_it
	start_callers 3
	for i in $(rounds 15); do
		start_tracer function
		stop_tracer
	done
	stop_callers
	hits entry "$(calls_made)"
	hits return "$(calls_made)"
}

# The patch changes the content of /proc/cmdline.
patched() {
	grep -q 'has been live patched' /proc/cmdline
}

is_settled() {
	not grep -qsx 1 $patches/livepatch_sample/transition
}

settled() {
	until_it is_settled
}

is_gone() {
	[ ! -e $patches/livepatch_sample ]
}

patch() {
	load livepatch-sample 2> "$tmp/err" || return 1
	settled
}

unpatch() {
	[ -e $patches/livepatch_sample ] || return 0
	settled
	echo 0 > $patches/livepatch_sample/enabled
	settled
	until_it is_gone
	rmmod livepatch_sample
}

needs_patch() {
	unpatch
	load_or_skip livepatch-sample
	settled
	unpatch
}

# one_hit COMMAND: COMMAND hits the entry once. Loading a module may do so, too.
one_hit() {
	before=$(awk '$1 == "entry" { print $2 }' $profile)
	"$@"
	hits entry $((before + 1))
}

probe_first_then_patch() {
	needs_patch
	put 'p:entry cmdline_proc_show'
	enable kprobes/entry
	one_hit not patched
	patch
	one_hit patched
	unpatch
	one_hit not patched
}

patch_first_then_probe() {
	needs_patch
	patch
	put 'p:entry cmdline_proc_show'
	put 'f:entered cmdline_proc_show' $dynamic
	enable kprobes/entry fprobes/entered
	patched
	patched
	hits entry 2
	recorded entered 2
	disable kprobes/entry fprobes/entered
	patched
	hits entry 2
	unpatch
}

# Only one user may change where the function continues. A probe with a post handler does.
post_handler_excludes_a_patch() {
	needs_patch
	load_or_skip kprobe_example symbol=cmdline_proc_show
	not patch
	grep -q 'busy' "$tmp/err"
	not patched
	rmmod kprobe_example
	patch
	not load kprobe_example symbol=cmdline_proc_show 2> "$tmp/err"
	grep -q 'busy' "$tmp/err"
	patched
	unpatch
	load kprobe_example symbol=cmdline_proc_show
	rmmod kprobe_example
}

# With only a direct call, returns are traced.
direct_calls() {
	put 'p:entry wake_up_process'
	put 'r:return wake_up_process'
	enable kprobes/entry
	load_or_skip ftrace-direct
	enable kprobes/return
	for i in $(seq 20); do
		/bin/true
	done
	disable kprobes/entry kprobes/return
	rmmod ftrace_direct
	grep -q 'waking up' $tracefs/trace
	grep -q ' entry: ' $tracefs/trace
	grep -q ' return: ' $tracefs/trace
	echo > $tracefs/trace
	enable kprobes/entry
	/bin/true
	disable kprobes/entry
	not grep 'waking up' $tracefs/trace
}

# ftrace calls copies of these functions, and would copy a breakpoint, too.
no_probes_in_trampolines() {
	load_target
	i=0
	for f in ftrace_caller ftrace_regs_caller; do
		grep -q " $f\$" /proc/kallsyms || continue
		i=$((i + 1))
		grep -qw $f $kprobes/blacklist
		not load kprobe_test_prober symbol=$f
	done
	[ $i -gt 0 ] || skip "no trampolines of these names"
}

# called N: ftrace has N functions with callbacks.
called() {
	wc -l < $tracefs/enabled_functions > "$tmp/called"
	cat "$tmp/called"
	[ "$(cat "$tmp/called")" = "$1" ]
}

# Check the first probe and the last one, and add and remove others in between.
few_functions_among_many() {
	# By ftrace. On arm64, entries have jumps.
	case $(uname -m) in
	aarch64)	kind=f ours=fprobes ;;
	*)		kind=r ours=kprobes ;;
	esac
	[ $kind = r ] || grep -q 'f\[:' $tracefs/README || skip "there are no events on functions"
	put "$kind:entry vfs_read" $dynamic
	put "$kind:other vfs_write" $dynamic
	[ -e $tracefs/enabled_functions ] || skip "ftrace does not show what it calls from"
	echo nop > $tracefs/current_tracer
	called 0
	enable $ours/entry
	called 1
	grep -q '^vfs_read ' $tracefs/enabled_functions
	disable $ours/entry
	called 0
	echo 'vfs_r*' > $tracefs/set_ftrace_filter
	some=$(wc -l < $tracefs/set_ftrace_filter)
	[ "$some" -gt 2 ]
	echo function > $tracefs/current_tracer
	called "$some"
	enable $ours/entry
	called "$some"
	grep '^vfs_read (2)' $tracefs/enabled_functions
	enable $ours/other
	called $((some + 1))
	disable $ours/entry
	called $((some + 1))
	grep '^vfs_read (1)' $tracefs/enabled_functions
	disable $ours/other
	called "$some"
	enable $ours/entry
	stop_tracer
	called 1
	echo function > $tracefs/current_tracer
	all=$(wc -l < $tracefs/enabled_functions)
	[ "$all" -gt 1000 ]
	disable $ours/entry
	called "$all"
	enable $ours/other
	called "$all"
	stop_tracer
	called 1
	disable $ours/other
	called 0
}

# odd_ones, even_ones: of the functions, the odd and the even ones.
odd_ones() {
	sed -n 'p;n' "$tmp/functions"
}

even_ones() {
	sed -n 'n;p' "$tmp/functions"
}

# every_third: of the functions.
every_third() {
	sed -n 'p;n;n' "$tmp/functions"
}

# expect_called: exactly those that are probed, and those that the tracer is to see.
expect_called() {
	sort -u "$tmp/probed" "$tmp/traced" > "$tmp/wanted"
	sed 's/ .*//' $tracefs/enabled_functions | sort > "$tmp/found"
	diff "$tmp/wanted" "$tmp/found"
	[ "$(grep -c '(2)' $tracefs/enabled_functions)" = \
		"$(sort "$tmp/probed" "$tmp/traced" | uniq -d | wc -l)" ]
}

# probe_them, leave_them: functions, one after the other.
probe_them() {
	for fn in "$@"; do
		enable "$ours/$fn"
		echo "$fn" >> "$tmp/probed"
		expect_called
	done
}

leave_them() {
	for fn in "$@"; do
		disable "$ours/$fn"
		sed -i "/^$fn\$/d" "$tmp/probed"
		expect_called
	done
}

# A filter that gets or loses one function is changed in place, or is copied if it is to have more
# buckets. Ftrace's own trampolines and those of the probes take turns meanwhile.
# shellcheck disable=SC2046 # lists of functions
one_function_after_the_other() {
	case $(uname -m) in
	aarch64)	kind=f ours=fprobes ;;
	*)		kind=p ours=kprobes ;;
	esac
	[ $kind = p ] || grep -q 'f\[:' $tracefs/README || skip "there are no events on functions"
	[ -e $tracefs/enabled_functions ] || skip "ftrace does not show what it calls from"
	echo nop > $tracefs/current_tracer
	called 0
	grep -xE 'vfs_[a-z]*|do_sys_[a-z]*|ksys_[a-z]*|__x64_sys_[a-z]*|__arm64_sys_[a-z]*' \
		$tracefs/available_filter_functions | sort | uniq -u | grep -vx vfs_read > "$tmp/some"
	echo vfs_read | cat - "$tmp/some" > "$tmp/all"
	: > "$tmp/functions"
	while read -r fn; do
		[ "$(wc -l < "$tmp/functions")" -lt 50 ] || break
		! put "$kind:$fn $fn" $dynamic 2> /dev/null || echo "$fn" >> "$tmp/functions"
	done < "$tmp/all"
	[ "$(wc -l < "$tmp/functions")" = 50 ]

	: > "$tmp/probed"
	every_third > "$tmp/traced"
	every_third > $tracefs/set_ftrace_filter
	# Of two trampolines at a function ftrace has to know which one it was. It looks at the
	# later one first.
	echo function > $tracefs/current_tracer
	probe_them $(even_ones)
	probe_them $(odd_ones)
	leave_them $(even_ones)
	stop_tracer
	: > "$tmp/traced"
	expect_called
	probe_them $(even_ones)
	every_third > "$tmp/traced"
	every_third > $tracefs/set_ftrace_filter
	echo function > $tracefs/current_tracer
	expect_called
	leave_them $(odd_ones)
	stop_tracer
	: > "$tmp/traced"
	probe_them $(odd_ones)
	cat /proc/version > /dev/null
	# Reading the trace would make it longer.
	echo 0 > $tracefs/tracing_on
	grep ' vfs_read: (' $tracefs/trace > "$tmp/hits"
	echo 1 > $tracefs/tracing_on
	leave_them $(cat "$tmp/functions")
	called 0
}

begin
run few_functions_among_many
stop_tracer
run one_function_after_the_other
stop_tracer
run no_probes_in_trampolines
run probe_at_a_return_probe
run function_tracer_first
stop_tracer
run function_tracer_second
stop_tracer
run graph_tracer_and_returns
stop_tracer
run tracer_comes_and_goes_under_hits
stop_tracer
run probe_first_then_patch
unpatch
run patch_first_then_probe
unpatch
run post_handler_excludes_a_patch
rmmod kprobe_example 2> /dev/null
unpatch
run direct_calls
rmmod ftrace_direct 2> /dev/null
finish
