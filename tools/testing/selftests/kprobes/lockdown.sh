#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# With lockdown=confidentiality, all probes are refused. Boot with
#	lockdown=confidentiality kprobe_event=p:locked,vfs_read
# lockdown_later.sh locks down a running kernel; lockdown_rights.sh tests access rights then.

cd "$(dirname "$0")" && . ./functions

# events FILE: writing a command fails, and reading shows no event.
not_through() {
	[ -e "$1" ] || return 0
	refused 'Operation not permitted' "$2" "$1"
	not cat "$1" 2> "$tmp/err"
	cat "$tmp/err"
	grep 'Operation not permitted' "$tmp/err"
}

no_events() {
	for d in 'p:a vfs_read' 'r:a vfs_read' '-:a'; do
		not_through $events "$d"
		not_through $dynamic "$d"
	done
	not_through $dynamic 'f:a vfs_read'
	not_through $dynamic 't:a sched_switch'
	for f in $profile $probe_profile $tracefs/probe_errors $tracefs/error_log $tracefs/trace \
		$tracefs/set_event $tracefs/enabled_functions; do
		not cat $f
	done
}

no_event_of_the_command_line() {
	grep -q kprobe_event=p:locked, /proc/cmdline
	[ -z "$(awk '/vfs_read/' $kprobes/list 2> /dev/null)" ]
}

no_probe_of_perf() {
	needs_perf_open
	for how in '' -r; do
		not "$perf_open" $how vfs_read /dev/null x 2> "$tmp/err"
		cat "$tmp/err"
		grep 'Operation not permitted' "$tmp/err"
	done
}

no_switch_in_debugfs() {
	refused 'Operation not permitted' 0 $kprobes/enabled
}

if ! grep -qF '[confidentiality]' /sys/kernel/security/lockdown 2> /dev/null; then
	echo "TAP version 13"
	echo "1..0 # SKIP not booted with lockdown=confidentiality"
	exit $SKIP
fi
# Cleaning up is not possible here.
clean() {
	:
}
echo "TAP version 13"
run no_events
run no_event_of_the_command_line
run no_probe_of_perf
run no_switch_in_debugfs
finish
