#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A name of an event is taken by one event, of whatever kind, until that is removed.

cd "$(dirname "$0")" && . ./functions

text=$(readlink -f /bin/sh)
taken='File exists'

# Define events of each kind with one name; all but the first are refused.
only_first_of() {
	first=$1
	shift
	put "$first" $dynamic
	for other in "$@"; do
		: > $tracefs/error_log
		refused "$taken" "$other" $dynamic
		cat $tracefs/error_log
		grep 'already used by another event' $tracefs/error_log
	done
	[ "$(wc -l < $dynamic)" = 1 ]
	put "-:$(echo "$first" | sed 's/^[^:]*://; s/ .*//')" $dynamic
	empty $dynamic
}

kinds_share_names() {
	grep -q 'f\[:' $tracefs/README || skip "there are no events on functions"
	[ -e $tracefs/uprobe_events ] || skip "there are no events on programs"
	k='p:named/one vfs_read'
	f='f:named/one vfs_read'
	u="p:named/one $text:0x1000"
	e='e:named/one sched/sched_switch'
	only_first_of "$k" "$f" "$u" "$e"
	only_first_of "$f" "$k" "$u" "$e"
	only_first_of "$u" "$k" "$f" "$e"
	only_first_of "$e" "$k" "$f" "$u"
}

# The kernel's events and synthetic events, in groups that also have probe events.
others_are_there_first() {
	put 'p:sched/mine vfs_read'
	put 'p:sched/two vfs_write'
	bad "$taken" '^p:sched/sched_switch vfs_read'
	bad "$taken" '^p:sched/sched_wakeup vfs_read'
	[ ! -e $tracefs/events/syscalls/sys_enter_read ] ||
		bad "$taken" '^p:syscalls/sys_enter_read vfs_read'
	put '-:sched/mine'
	bad "$taken" '^p:sched/sched_switch vfs_read'
	put '-:sched/two'
	bad "$taken" '^p:sched/sched_switch vfs_read'
	[ -e $tracefs/synthetic_events ] || return 0
	put 'one int x' $tracefs/synthetic_events
	refused "$taken" 'p:synthetic/one vfs_read'
	put '!one int x' $tracefs/synthetic_events
	put 'p:synthetic/one vfs_read'
	put '-:synthetic/one'
}

# Synthetic events come and go, in a group that has only probe events otherwise.
others_come_between() {
	[ -e $tracefs/synthetic_events ] || skip "no synthetic events"
	put 'p:synthetic/a vfs_read'
	put 'p:synthetic/b vfs_read'
	put 'one int x' $tracefs/synthetic_events
	refused "$taken" 'p:synthetic/one vfs_read'
	put 'p:synthetic/c vfs_read'
	refused "$taken" 'p:synthetic/one vfs_read'
	put '-:synthetic/b'
	refused "$taken" 'p:synthetic/one vfs_read'
	put '-:synthetic/a'
	put '-:synthetic/c'
	refused "$taken" 'p:synthetic/one vfs_read'
	put 'p:synthetic/a vfs_read'
	put '!one int x' $tracefs/synthetic_events
	put 'p:synthetic/one vfs_read'
	put '-:synthetic/one'
	put 'one int x' $tracefs/synthetic_events
	refused "$taken" 'p:synthetic/one vfs_read'
	put '!one int x' $tracefs/synthetic_events
	put '-:synthetic/a'
}

# The same name in another group, or a longer one, is not taken.
groups_have_names_of_their_own() {
	put 'p:named/one vfs_read'
	put 'p:names/one vfs_read'
	put 'p:named/one1 vfs_read'
	put 'p:named/on vfs_read'
	put 'p:named/one vfs_write'
	[ "$(wc -l < $events)" = 5 ]
	put '-:named/one'
	[ "$(wc -l < $events)" = 3 ]
	refused "No such" '-:named/one'
	put 'r:named/one vfs_read'
	refused "$taken" 'p:named/one1 vfs_read'
	refused "$taken" 'p:named/one vfs_write'
}

# Enough events that the table of names has to grow, and to shrink again.
many_names_come_and_go() {
	for _ in 1 2; do
		for i in $(seq 600); do
			echo "p:crowd/e$i vfs_read x=\\$i"
		done > "$tmp/all"
		cat "$tmp/all" > $events
		[ "$(wc -l < $events)" = 600 ]
		for i in 1 77 300 599 600; do
			refused "$taken" "p:crowd/e$i vfs_read x=\\$i"
			refused "$taken" "e:crowd/e$i sched/sched_switch" $dynamic
		done
		for i in $(seq 2 2 600); do
			echo "-:crowd/e$i"
		done > "$tmp/half"
		cat "$tmp/half" >> $events
		[ "$(wc -l < $events)" = 300 ]
		refused "$taken" 'p:crowd/e599 vfs_read x=\599'
		put 'p:crowd/e600 vfs_read x=\600'
		echo > $events
		empty $events
	done
}

begin
run kinds_share_names
run others_are_there_first
run others_come_between
run groups_have_names_of_their_own
run many_names_come_and_go
finish
