#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Reasons why probes are refused: probe_errors in tracefs, for callers that get only an errno; and
# blacklist_reasons in debugfs.

cd "$(dirname "$0")" && . ./functions

reasons=$tracefs/probe_errors
long=/sys/kernel/livepatch/kprobe_test_patch

# says TEXT...: the last line contains each text. modprobe may try more than once.
says() {
	cat $reasons
	for text in "$@"; do
		tail -n 1 $reasons | grep -qF -- "$text"
	done
}

# no_probe TEXT PARAMETER=VALUE...: a probe of a module is refused, with TEXT as reason.
no_probe() {
	: > $reasons
	because=$1
	shift
	not load kprobe_test_prober "$@"
	says "$because" "modprobe-" "register_k"
}

modules_are_told() {
	load_target
	no_probe 'no_such_function: ' symbol=no_such_function
	no_probe 'no such symbol, in the kernel or in a module' symbol=no_such_function
	no_probe 'notamod:vfs_read: ' symbol=notamod:vfs_read
	no_probe 'this module is not loaded' symbol=notamod:vfs_read
	no_probe 'no such symbol in this module' symbol=kprobe_test_target:vfs_read
	no_probe 'on the hit path of probes: NOKPROBE_SYMBOL()' symbol=get_kprobe
	no_probe 'not in kernel text' symbol=jiffies
	no_probe 'vfs_read+0x1: ' symbol=vfs_read offset=1
	no_probe 'register_kprobe: ' symbol=get_kprobe
}

the_nearest_name_is_told() {
	wrapper=$(sed -n 's/.* T \(__[a-z0-9]*_sys_openat\)$/\1/p' /proc/kallsyms | head -n 1)
	[ -n "$wrapper" ] || skip "system calls have no wrappers"
	no_probe "no such symbol; there is $wrapper" symbol=sys_openat
}

# If instructions differ in size, the hint names instruction boundaries.
boundaries_are_told() {
	[ "$(uname -m)" = x86_64 ] || skip "instructions have one size"
	load_target
	no_probe 'inside an instruction; boundaries at +0x0, +0x4' symbol=vfs_read offset=2
	at=$(tail -n 1 $reasons | sed 's/.*, +//; s/ .*//')
	load kprobe_test_prober symbol=vfs_read offset=$((at))
	rmmod kprobe_test_prober
}

returns_are_told() {
	load_target
	no_probe 'register_kretprobe: ' "symbol=${inside%+*}" "offset=${inside#*+}" ret=1
	no_probe 'not the entry of a function' "symbol=${inside%+*}" "offset=${inside#*+}" ret=1
}

# The wrong name among several.
fprobes_are_told() {
	load_or_skip kprobe_test_fprober filter=vfs_read
	rmmod kprobe_test_fprober
	: > $reasons
	not load kprobe_test_fprober filter=vfs_read,no_such_function
	says 'register_fprobe_syms: no_such_function: ' 'no such symbol'
	not load kprobe_test_fprober filter=get_kprobe,vfs_read
	says 'register_fprobe_syms: get_kprobe: ' 'notrace function'
	not load kprobe_test_fprober filter=vfs_read,vfs_read
	says 'register_fprobe_syms: vfs_read: ' 'given twice'
	not load kprobe_test_fprober filter='no_such_*'
	says 'register_fprobe: no_such_*: ' 'no function that can be traced matches'
}

perf_is_told() {
	: > $reasons
	not ./perf_open no_such_function /dev/null x
	says 'perf_open-' 'perf_event_open: no_such_function: ' 'no such symbol'
	[ "$(wc -l < $reasons)" = 1 ]
	not ./perf_open notamod:vfs_read /dev/null x
	says 'perf_event_open: notamod:vfs_read: ' 'this module is not loaded'
	not ./perf_open get_kprobe /dev/null x
	says 'get_kprobe' 'on the hit path of probes'
	double=$(awk '$2 == "t" && !/\[/ { print $3 }' /proc/kallsyms | grep -v '[.$]' | sort |
		uniq -d | head -n 1)
	not ./perf_open "$double" /dev/null x
	says "perf_event_open: $double: " 'several functions have this name; ' "$double: "
	tail -n 1 $reasons | grep '+0x[0-9a-f]* .*+0x[0-9a-f]*'
}

# All by one process, this shell.
again_is_one_line() {
	: > $reasons
	for i in 1 2 3; do
		echo 'p:no get_kprobe' >> $events || true
	done
	[ "$(wc -l < $reasons)" = 1 ]
	says 'get_kprobe' '(3 times)'
	not ./perf_open no_such_function /dev/null x
	echo 'p:no get_kprobe' >> $events || true
	[ "$(wc -l < $reasons)" = 3 ]
}

# Users of perf events choose the task's name and the symbol.
lines_are_not_forged() {
	: > $reasons
	forged=$(printf 'no\n[    1.000000] init-1: forged')
	not ./perf_open "$forged" /dev/null x
	cat $reasons
	[ "$(wc -l < $reasons)" = 1 ]
	grep -F 'no\012[    1.000000] init-1: forged: ' $reasons
}

# Run the tests of BPF, in which a probe is refused.
bpf_is_told() {
	needs_program bpf_probes
	[ -e /proc/sys/kernel/unprivileged_bpf_disabled ] || skip "no BPF"
	load_args
	: > $reasons
	"$program" multi_refused
	cat $reasons
	grep -F ' bpf_link_create: no_such_function: ' $reasons | grep -F 'no such symbol'
	grep -F 'bpf_probes-' $reasons | grep -F ' register_fprobe_ips: ' |
		grep -F 'notrace function, or not the entry of one'
	"$program" override_refused
	grep -F ' BPF program: ' $reasons | grep -F 'ALLOW_ERROR_INJECTION'
	grep -F ' bpf_link_create: ' $reasons | grep -F 'ALLOW_ERROR_INJECTION'
}

# Errors of events are in error_log. This file has further details from registration.
events_are_told() {
	: > $reasons
	refused 'Invalid argument' 'p:no get_kprobe'
	says 'event: get_kprobe' 'on the hit path of probes'
}

# An event that waits for its module is not refused.
waiting_is_no_refusal() {
	: > $reasons
	put 'p:later kprobe_test_target:kprobe_target_traced'
	empty $reasons
	load_target
	empty $reasons
}

live_patches_are_named() {
	[ -d /sys/kernel/livepatch ] || skip "no live patches"
	load kprobe_test_long 2> "$tmp/err" || skip "no module kprobe_test_long"
	load kprobe_test_patch
	until_it grep 0 $long/transition
	: > $reasons
	not load kprobe_test_prober symbol=kprobe_test_long:kprobe_long post=1
	says 'another user of ftrace redirects this function' 'live patch kprobe_test_patch'
	not load kprobe_test_prober first=vfs_read symbol=kprobe_test_long:kprobe_long post=1
	says 'register_kprobes: kprobe_test_long:kprobe_long: ' 'live patch kprobe_test_patch'
	load kprobe_test_prober symbol=kprobe_test_long:kprobe_long
	rmmod kprobe_test_prober
	echo 0 > $long/enabled
	until_it not [ -e $long ]
	rmmod kprobe_test_patch kprobe_test_long
}

# Only the latest lines are kept.
there_are_not_too_many() {
	: > $reasons
	for i in $(seq 70); do
		not ./perf_open "no_such_$i" /dev/null x 2> /dev/null
	done
	[ "$(wc -l < $reasons)" = 64 ]
	head -n 1 $reasons | grep ' no_such_7: '
	tail -n 1 $reasons | grep ' no_such_70: '
	echo > $reasons
	empty $reasons
}

addresses_are_for_those_who_may_know() {
	address=$(awk '$3 == "get_kprobe" { print $1 }' /proc/kallsyms)
	: > $reasons
	not load kprobe_test_prober "addr=0x$address"
	says "register_kprobe: 0x$address get_kprobe+0x0/"
	echo 2 > /proc/sys/kernel/kptr_restrict
	undo="eval echo 0 > /proc/sys/kernel/kptr_restrict"
	says 'register_kprobe: get_kprobe+0x0/'
	not grep "$address" $reasons
	# An address without a symbol has no name.
	not load kprobe_test_prober addr=0x1234
	says 'register_kprobe: (no symbol): ' 'no function is at this address'
}

blacklist_has_reasons() {
	cut -f 1,2 $kprobes/blacklist_reasons | cmp - $kprobes/blacklist
	grep -q '	get_kprobe	on the hit path of probes: NOKPROBE_SYMBOL()$' \
		$kprobes/blacklist_reasons
	grep -q '	noinstr: ' $kprobes/blacklist_reasons
	[ -z "$(awk -F '\t' 'NF != 3 || $3 == ""' $kprobes/blacklist_reasons)" ]
}

begin
run modules_are_told
run the_nearest_name_is_told
run boundaries_are_told
run returns_are_told
run fprobes_are_told
run perf_is_told
run again_is_one_line
run lines_are_not_forged
run bpf_is_told
run events_are_told
run waiting_is_no_refusal
run live_patches_are_named
run there_are_not_too_many
run addresses_are_for_those_who_may_know
run blacklist_has_reasons
finish
