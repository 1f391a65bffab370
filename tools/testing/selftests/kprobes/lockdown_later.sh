#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The kernel is locked down while probes are there. To be run in a boot of its own: there is no
# way back.

cd "$(dirname "$0")" && . ./functions

lockdown=/sys/kernel/security/lockdown

# Existing probes still work and record; new ones are refused.
locked_down_with_probes() {
	[ -w $lockdown ] || skip "no lockdown"
	needs_perf_open
	load_target
	put "p:there $inside"
	put 'r:back kprobe_test_target:kprobe_target_traced'
	enable kprobes/there kprobes/back
	call 10
	hits there 10
	exec 3>> $events
	exec 4> $tracefs/events/kprobes/there/enable
	start_callers 1
	echo confidentiality > $lockdown
	stop_callers
	call 10
	[ "$(cat $target/wrong)" = 0 ]
	# Also through files that were opened before.
	not env echo 'p:new vfs_read' >&3
	refused 'Operation not permitted' 'p:new vfs_read'
	refused 'Operation not permitted' '-:there'
	refused 'Operation not permitted' 'f:new vfs_read' $dynamic
	not "$perf_open" vfs_read /dev/null x
	not load kprobe_test_prober
	not cat $profile
	not cat $events
	# Modules with probes in them can be unloaded.
	rmmod kprobe_test_target
}

begin
run locked_down_with_probes
# No clean(): it is not possible any more.
rm -rf "$tmp"
echo "1..$nr"
exit $failed
