#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Probes by perf_event_open(): the kprobe PMU.

cd "$(dirname "$0")" && . ./functions

needs_pmu() {
	[ -e /sys/bus/event_source/devices/kprobe/type ] || skip "no kprobe PMU"
	needs_perf_open
	load_target
}

pmu_is_described() {
	[ -e /sys/bus/event_source/devices/kprobe/type ] || skip "no kprobe PMU"
	[ "$(cat /sys/bus/event_source/devices/kprobe/format/retprobe)" = "config:0" ]
}

local_probe_counts() {
	needs_pmu
	[ "$("$perf_open" kprobe_test_target:kprobe_target_other $target/call 100)" = 100 ]
	[ "$("$perf_open" kprobe_test_target:kprobe_target_traced $target/call 7)" = 7 ]
	# Neither a probe nor an event is left.
	[ -z "$(cat $events)" ]
	[ -z "$(cat $kprobes/list)" ]
}

local_return_probe_counts() {
	needs_pmu
	[ "$("$perf_open" -r kprobe_test_target:kprobe_target_other $target/call 100)" = 100 ]
	[ -z "$(cat $kprobes/list)" ]
}

# fails_with ERROR SYMBOL
fails_with() {
	not "$perf_open" "$2" $target/call 1 2> "$tmp/err"
	cat "$tmp/err"
	grep "perf_event_open: \($1\)" "$tmp/err"
}

local_probe_of_nothing() {
	needs_pmu
	fails_with 'No such file\|Invalid argument' no_such_symbol
	fails_with 'Invalid argument' get_kprobe
	[ -z "$(cat $kprobes/list)" ]
}

begin
run pmu_is_described
run local_probe_counts
run local_return_probe_counts
run local_probe_of_nothing
finish
