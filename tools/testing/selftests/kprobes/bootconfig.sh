#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Events from a boot configuration. Boot with "bootconfig" on the command line and the text of
# the file bootconfig attached to the initrd. Does not clean up first, unlike others, because it
# tests the events that exist.

cd "$(dirname "$0")" && . ./functions

ev=$tracefs/events/kprobes

all_are_defined() {
	cat $events
	grep -qx 'p:kprobes/boot_call do_one_initcall fn=$arg1:symbol' $events
	grep -qx 'r[0-9]*:kprobes/boot_ret do_one_initcall ret=$retval:s32' $events
	grep -qx 'p:kprobes/boot_pair vfs_read n=$arg3:u64' $events
	grep -qx 'p:kprobes/boot_pair vfs_write n=$arg3:u64' $events
	grep -qx 'p:kprobes/boot_off vfs_open' $events
	grep -qx 'p:kprobes/boot_hist vfs_read n=$arg3:u64' $events
	grep -qx 'p:kprobes/boot_there vfs_open' $events
	# Wrong events are skipped, and those after them are created.
	not grep 'no_such_function' $events
	grep -qx 'p:kprobes/boot_behind vfs_open' $events
}

as_it_says_on_and_off() {
	[ "$(cat $ev/boot_call/enable)" = 1 ]
	[ "$(cat $ev/boot_ret/enable)" = 1 ]
	[ "$(cat $ev/boot_pair/enable)" = 1 ]
	[ "$(cat $ev/boot_off/enable)" = 0 ]
	[ "$(cat $ev/boot_there/enable)" = 0 ]
	[ "$(cat $tracefs/instances/booted/events/kprobes/boot_there/enable)" = 1 ]
	[ "$(cat $ev/boot_pair/filter)" = 'n == 77' ]
}

# Events are enabled before later parts of the kernel are initialized.
initcalls_are_recorded() {
	# Reading the trace must not add records.
	echo 0 > $tracefs/tracing_on
	[ "$(hits_of boot_call)" -gt 10 ]
	[ "$(hits_of boot_ret)" -gt 10 ]
	[ "$(grep -c ' boot_call: .*fn=[a-z_0-9]*+0x0/0x' $tracefs/trace)" -gt 10 ]
	[ "$(grep -c ' boot_ret: .* ret=0$' $tracefs/trace)" -gt 10 ]
}

filters_and_histograms() {
	echo 1 > $tracefs/tracing_on
	dd if=/dev/zero of=/dev/null bs=77 count=1
	echo 0 > $tracefs/tracing_on
	grep -q ' boot_pair: .*vfs_read.* n=77$' $tracefs/trace
	not grep ' boot_pair: .* n=\([0-689]\|7[0-689]\|77.\)' $tracefs/trace
	[ "$(sed -n 's/^ *Hits: //p' $ev/boot_hist/hist)" -gt 0 ]
}

in_its_instance() {
	cat /dev/null
	echo 0 > $tracefs/instances/booted/tracing_on
	grep -q ' boot_there: ' $tracefs/instances/booted/trace
	not grep ' boot_there: ' $tracefs/trace
}

and_can_be_removed() {
	echo 0 > $tracefs/events/enable
	echo 0 > $tracefs/instances/booted/events/enable
	echo '!hist:keys=common_pid:vals=n' > $ev/boot_hist/trigger
	rmdir $tracefs/instances/booted
	echo > $events
	empty $events
	empty $kprobes/list
}

begin
grep -qw bootconfig /proc/cmdline && grep -q '^ftrace.event.kprobes.boot_call' /proc/bootconfig || {
	echo "1..0 # SKIP not booted with the file bootconfig"
	exit $SKIP
}
clean() {
	:
}
run all_are_defined
run as_it_says_on_and_off
run initcalls_are_recorded
run filters_and_histograms
run in_its_instance
run and_can_be_removed
finish
