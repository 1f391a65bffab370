#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Events from the kernel command line. Boot with
#	kprobe_event=p:kprobes/booted,vfs_open;r:kprobes/booted_ret,vfs_open,ret=$retval
# Does not clean up first, unlike the others, because it tests the events that exist.

cd "$(dirname "$0")" && . ./functions

there_from_the_start() {
	grep -q '^p:kprobes/booted vfs_open' $events
	grep -q '^r[0-9]*:kprobes/booted_ret vfs_open ret=\$retval' $events
}

and_enabled() {
	[ "$(cat $tracefs/events/kprobes/booted/enable)" = 1 ]
	[ "$(cat $tracefs/events/kprobes/booted_ret/enable)" = 1 ]
	cat /proc/cmdline > /dev/null
	[ "$(hits_of booted)" -gt 0 ]
	[ "$(hits_of booted_ret)" -gt 0 ]
	grep -q ' booted: ' $tracefs/trace
	grep -q ' booted_ret: ' $tracefs/trace
}

and_can_be_removed() {
	refused 'busy' '-:booted'
	echo 0 > $tracefs/events/kprobes/enable
	put '-:booted'
	put '-:booted_ret'
	[ -z "$(cat $events)" ]
}

begin
grep -q 'kprobe_event=p:kprobes/booted,vfs_open' /proc/cmdline || {
	echo "1..0 # SKIP not booted with kprobe_event=p:kprobes/booted,..."
	exit $SKIP
}
clean() {
	:
}
run there_from_the_start
run and_enabled
run and_can_be_removed
finish
