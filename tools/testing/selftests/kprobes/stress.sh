#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Many probes, and many who place them at the same time.

cd "$(dirname "$0")" && . ./functions

# names N: functions of the kernel itself, each name there only once.
names() {
	grep -v '\[' $tracefs/available_filter_functions | grep -v '\.' |
		sort | uniq -u | awk -v n="$1" '{ l[NR] = $1 }
		END { for (i = 1; i <= n; i++) print l[int(i * NR / (n + 1))] }'
}

# place FUNCTION...: events e1, e2, ... in one go; what cannot be probed is left out.
place() {
	i=0
	for fn; do
		i=$((i + 1))
		echo "p:e$i $fn"
	done
}

# A kernel that checks its locks is slow enough with fewer.
thousand_events() {
	many=1200
	[ ! -e /proc/lockdep ] || many=120
	names $many > "$tmp/names"
	# shellcheck disable=SC2046
	place $(cat "$tmp/names") > "$tmp/commands"
	set +e
	while read -r c; do
		echo "$c" >> $events
	done < "$tmp/commands" 2> /dev/null
	set -e
	n=$(wc -l < $events)
	[ "$n" -ge $((many * 5 / 6)) ]
	[ "$(grep -c ' k ' $kprobes/list)" = "$n" ]
	echo 1 > $tracefs/events/kprobes/enable
	not grep DISABLED $kprobes/list
	ls -l /proc/self/fd > /dev/null
	cat $profile > "$tmp/profile"
	[ "$(wc -l < "$tmp/profile")" = "$n" ]
	awk '{ sum += $2 } END { exit sum == 0 }' "$tmp/profile"
	echo 0 > $tracefs/events/kprobes/enable
	[ "$(grep -c DISABLED $kprobes/list)" = "$n" ]
	echo > $events
	[ -z "$(cat $kprobes/list)" ]
}

# Shells that each place, enable, disable and remove their own event at one function.
own_event() {
	for i in $(seq 30); do
		echo "$2:own$1 kprobe_test_target:$3" >> $events
		echo 1 > $tracefs/events/kprobes/own$1/enable
		call 20
		# Others call, too: at least what is known to have been called.
		cp $profile "$tmp/profile$1"
		awk -v e=own$1 '$1 == e && $2 >= 20 { ok = 1 } END { exit !ok }' \
			"$tmp/profile$1" || {
			echo "own$1: lost hits"
			cat "$tmp/profile$1"
		} >> "$tmp/lost"
		echo 0 > $tracefs/events/kprobes/own$1/enable
		echo "-:own$1" >> $events || echo "own$1: not removed" >> "$tmp/lost"
	done
}

racing_for_one_function() {
	load_target
	: > "$tmp/lost"
	put "p:always $inside"
	echo 1 > $tracefs/events/kprobes/always/enable
	own_event 1 p kprobe_target_other &
	own_event 2 r kprobe_target_other &
	own_event 3 p kprobe_target_traced &
	own_event 4 r kprobe_target_traced &
	wait
	cat "$tmp/lost"
	[ ! -s "$tmp/lost" ]
	hits always 2400
	[ "$(cat $target/wrong)" = 0 ]
	[ "$(wc -l < $events)" = 1 ]
}

# All shells fight for the same event: most of it fails, nothing breaks.
racing_for_one_event() {
	load_target
	for s in 1 2 3 4; do
		(set +e
		 for i in $(seq 40); do
			echo "p:fight $inside" >> $events
			echo 1 > $tracefs/events/kprobes/fight/enable
			call 5
			echo 0 > $tracefs/events/kprobes/fight/enable
			echo '-:fight' >> $events
		 done) 2> /dev/null &
	done
	wait
	[ "$(cat $target/wrong)" = 0 ]
	echo 0 > $tracefs/events/enable
	echo > $events
	[ -z "$(cat $kprobes/list)" ]
}

# The switch in debugfs goes back and forth while probes are hit and placed.
racing_with_the_switch() {
	[ -e $kprobes/enabled ] || skip "no debugfs"
	load_target
	put "p:one $inside"
	put 'r:two kprobe_test_target:kprobe_target_traced'
	echo 1 > $tracefs/events/kprobes/enable
	(for i in $(seq 100); do
		echo 0 > $kprobes/enabled
		echo 1 > $kprobes/enabled
	 done) &
	for i in $(seq 100); do
		call 20
	done
	wait
	[ "$(cat $kprobes/enabled)" = 1 ]
	[ "$(cat $target/wrong)" = 0 ]
	before=$(awk '$1 == "one" { print $2 }' $profile)
	call 10
	hits one $((before + 10))
}

begin
run thousand_events
run racing_for_one_function
run racing_for_one_event
run racing_with_the_switch
finish
