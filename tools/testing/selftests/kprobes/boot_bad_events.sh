#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Events of the kernel command line with errors are skipped, and all others are created. Boot
# with kprobe_event= and the events of the file boot_bad_events. Does not clean up first, because
# it tests the events that exist.

cd "$(dirname "$0")" && . ./functions

good='booted/first booted/behind booted/init booted/initret booted/last'

the_good_ones_are_there() {
	cat $events
	for e in $good; do
		grep "^[pr][0-9]*:$e " $events
		[ "$(cat $tracefs/events/$e/enable)" = 1 ]
		[ -e $tracefs/events/$e/format ]
	done
}

the_bad_ones_are_not() {
	not grep 'nosuch\|badoff\|1badname\|toolong\|toomany\|badarg' $events
	[ "$(sort $events | uniq -d | wc -l)" = 0 ]
	[ "$(grep -c 'booted/twice' $events)" = 1 ]
	[ "$(wc -l < $events)" = 6 ]
}

they_were_hit_as_the_machine_came_up() {
	# Otherwise reading the trace would add records without end.
	echo 0 > $tracefs/tracing_on
	for e in $good; do
		[ "$(hits_of ${e#*/})" -gt 0 ]
	done
	for e in first behind last; do
		grep -q " $e: " $tracefs/trace
	done
}

# The function was init text.
init_text_can_be_switched_and_removed() {
	disable booted/init booted/initret
	enable booted/init booted/initret || true
	disable booted/init booted/initret
	put '-:booted/init'
	put '-:booted/initret'
}

all_can_be_removed() {
	echo 0 > $tracefs/events/enable
	echo > $events
	empty $events
	empty $kprobes/list
}

begin
grep -q 'kprobe_event=.*p:booted/first,' /proc/cmdline || {
	echo "1..0 # SKIP not booted with kprobe_event=\$(cat boot_bad_events)"
	exit $SKIP
}
clean() {
	:
}
run the_good_ones_are_there
run the_bad_ones_are_not
run they_were_hit_as_the_machine_came_up
run init_text_can_be_switched_and_removed
run all_can_be_removed
finish
