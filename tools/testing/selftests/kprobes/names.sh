#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Names of 6.12 that other programs use: functions that security tools probe to log the use of
# probes, types in BPF programs, symbols that modules link to, and files. Documentation/trace/
# kprobes.rst lists names that are missing on purpose.

cd "$(dirname "$0")" && . ./functions

# Tracee, for example, probes the first of them.
watched='register_kprobe register_kprobes register_kretprobe register_kretprobes
	unregister_kprobe unregister_kprobes unregister_kretprobe unregister_kretprobes
	enable_kprobe disable_kprobe'
# Events cannot probe functions of kernel/trace, but kprobes of modules can.
fprobe='register_fprobe register_fprobe_ips register_fprobe_syms unregister_fprobe'

# of_fprobes: skip if this kernel has no fprobes.
of_fprobes() {
	grep -q ' T register_fprobe$' /proc/kallsyms
}

functions_can_be_watched() {
	sed -n 's/.* T //p' /proc/kallsyms > "$tmp/symbols"
	for f in $fprobe; do
		! of_fprobes || grep -qx "$f" "$tmp/symbols"
	done
	for f in $watched; do
		grep -qx "$f" "$tmp/symbols"
		put "p:watch/$f $f"
		put "r:watch/${f}_ret $f"
	done
	echo 1 > $tracefs/events/watch/enable
	echo 0 > $tracefs/events/watch/enable
	echo > $events
}

# Events find them, like BPF and modules.
registrations_pass_by() {
	load_target
	put 'p:watch/one register_kprobe'
	put 'p:watch/ret register_kretprobe'
	put 'p:watch/gone unregister_kprobe'
	echo 1 > $tracefs/events/watch/enable
	put 'p:seen1 vfs_open'
	recorded one 1
	put 'r:seen2 vfs_open'
	recorded ret 1
	recorded one 2
	load kprobe_test_prober
	recorded one 3
	rmmod kprobe_test_prober
	echo 0 > $tracefs/events/watch/enable
}

# has_types TYPE...: BTF has structs of these names, found as strings.
has_types() {
	tr '\0' '\n' < /sys/kernel/btf/vmlinux > "$tmp/strings"
	for t in "$@"; do
		grep -qx "$t" "$tmp/strings"
	done
}

types_are_known() {
	[ -e /sys/kernel/btf/vmlinux ] || skip "no BTF"
	has_types kprobe kretprobe kretprobe_instance kretprobe_blackpoint kprobe_ctlblk \
		arch_specific_insn prev_kprobe
	! of_fprobes || has_types fprobe rethook rethook_node
	# Headers of records, which BPF programs at events and libtraceevent read.
	has_types kprobe_trace_entry_head kretprobe_trace_entry_head
}

# Patterns that perf looks for in README to detect features; see tools/perf/util/probe-file.c.
perf_knows_what_there_is() {
	for pattern in 'type: .* x8/16/32/64,' 'place (kretprobe): ' 'u\]<offset>' \
		'Create/append/' '\\imm-value,'; do
		grep -q "$pattern" $tracefs/README
	done
}

files_are_there() {
	for file in $tracefs/kprobe_events $tracefs/kprobe_profile $tracefs/dynamic_events \
		$tracefs/error_log /proc/sys/debug/kprobes-optimization \
		$kprobes/list $kprobes/enabled $kprobes/blacklist \
		/sys/bus/event_source/devices/kprobe/type \
		/sys/bus/event_source/devices/kprobe/format/retprobe; do
		cat $file > "$tmp/file"
	done
	[ "$(cat /proc/sys/debug/kprobes-optimization)" = 1 ]
	[ "$(cat $kprobes/enabled)" = 1 ]
	grep -q '^0x[0-9a-f]*-0x[0-9a-f]*	' $kprobes/blacklist
	[ "$(cat /sys/bus/event_source/devices/kprobe/format/retprobe)" = config:0 ]
	# "ADDR  TYPE  SYMBOL+OFFSET  [MODULE][STATE]"
	put 'p:listed vfs_open'
	put 'r:listed_ret vfs_read'
	grep -q '^[0-9a-f]*  k  vfs_open+0x[0-9a-f]* .*\[DISABLED\]' $kprobes/list
	grep -q '^[0-9a-f]*  r  vfs_read+0x[0-9a-f]* .*\[DISABLED\]' $kprobes/list
}

begin
run functions_can_be_watched
run registrations_pass_by
run types_are_known
run perf_knows_what_there_is
run files_are_there
finish
