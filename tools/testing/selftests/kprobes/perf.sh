#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Probes by way of perf: the kprobe PMU of perf_event_open(), and events.

cd "$(dirname "$0")" && . ./functions

needs_perf_open() {
	[ -e /sys/bus/event_source/devices/kprobe/type ] || skip "no kprobe PMU"
	load_target
	perf_open=./perf_open
	[ -x $perf_open ] && return
	perf_open=$tmp/perf_open
	[ -x "$perf_open" ] || cc -o "$perf_open" perf_open.c 2>/dev/null ||
		skip "perf_open is not built, and there is no compiler"
}

pmu_is_described() {
	[ -e /sys/bus/event_source/devices/kprobe/type ] || skip "no kprobe PMU"
	[ "$(cat /sys/bus/event_source/devices/kprobe/format/retprobe)" = "config:0" ]
}

local_probe_counts() {
	needs_perf_open
	[ "$("$perf_open" kprobe_test_target:kprobe_target_other $target/call 100)" = 100 ]
	[ "$("$perf_open" kprobe_test_target:kprobe_target_traced $target/call 7)" = 7 ]
	# Nothing of it is left, nor was it anybody else's business.
	[ -z "$(cat $events)" ]
	[ -z "$(cat $kprobes/list)" ]
}

local_return_probe_counts() {
	needs_perf_open
	[ "$("$perf_open" -r kprobe_test_target:kprobe_target_other $target/call 100)" = 100 ]
	[ -z "$(cat $kprobes/list)" ]
}

local_probe_of_nothing() {
	needs_perf_open
	not "$perf_open" no_such_symbol $target/call 1
	not "$perf_open" get_kprobe $target/call 1
	[ -z "$(cat $kprobes/list)" ]
}

perf_stat_on_an_event() {
	perf version > /dev/null 2>&1 || skip "no perf tool"
	load_target
	put "p:plain $inside"
	perf stat -x, -o "$tmp/stat" -e kprobes:plain -- \
		sh -c "echo 50 > $target/call"
	cat "$tmp/stat"
	[ "$(awk -F, '/kprobes:plain/ { print $1 }' "$tmp/stat")" = 50 ]
}

begin
run pmu_is_described
run local_probe_counts
run local_return_probe_counts
run local_probe_of_nothing
run perf_stat_on_an_event
finish
