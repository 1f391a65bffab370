#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Many probes, and many tasks that register them at the same time.

cd "$(dirname "$0")" && . ./functions

# names N: N functions of the kernel, not of modules, with unique names.
names() {
	grep -v '\[' $tracefs/available_filter_functions | grep -v '\.' |
		sort | uniq -u | awk -v n="$1" '{ l[NR] = $1 }
		END { for (i = 1; i <= n; i++) print l[int(i * NR / (n + 1))] }'
}

# place FUNCTION...: define events e1, e2, ... in one write, and skip functions that cannot be probed.
place() {
	i=0
	for fn; do
		i=$((i + 1))
		echo "p:e$i $fn"
	done
}

# With lockdep the kernel is slow, so use fewer.
thousand_events() {
	many=1200
	[ ! -e /proc/lockdep ] || many=120
	names $many > "$tmp/names"
	load_target
	place $(cat "$tmp/names") > "$tmp/commands"
	[ "$(wc -l < "$tmp/commands")" = $many ]
	: > "$tmp/refused"
	set +x
	while read -r c; do
		put "$c" 2> "$tmp/err" || echo "${c##* }" >> "$tmp/refused"
	done < "$tmp/commands"
	set -x
	# Only blacklisted functions are skipped, and names with duplicates that ftrace does not know.
	while read -r f; do
		awk '{ print $2 }' $kprobes/blacklist | grep -x "$f" ||
			[ "$(grep -c "^[^ ]* . $f\$" /proc/kallsyms)" -gt 1 ]
	done < "$tmp/refused"
	n=$(wc -l < $events)
	[ "$n" = $((many - $(wc -l < "$tmp/refused"))) ]
	[ "$n" -ge $((many * 5 / 6)) ]
	[ "$(grep -c ' k ' $kprobes/list)" = "$n" ]
	echo 1 > $tracefs/events/kprobes/enable
	not grep DISABLED $kprobes/list
	put "p:among_them $inside"
	enable kprobes/among_them
	call 20
	hits among_them 20
	disable kprobes/among_them
	put '-:among_them'
	# Some of them are hit, at least by these writes and reads.
	cat $profile > "$tmp/profile"
	[ "$(wc -l < "$tmp/profile")" = "$n" ]
	awk '$2 > 0' "$tmp/profile" | grep -c .
	[ "$(cat $target/wrong)" = 0 ]
	echo 0 > $tracefs/events/kprobes/enable
	[ "$(grep -c DISABLED $kprobes/list)" = "$n" ]
	echo > $events
	[ -z "$(cat $kprobes/list)" ]
}

# Several shells define, enable, disable and remove an event each, at one function.
own_event() {
	for _ in $(rounds 30); do
		put "$2:own$1 kprobe_test_target:$3"
		enable kprobes/own$1
		call 20
		# Other tasks may call the function, too.
		[ "$(hits_of own$1)" -ge 20 ]
		disable kprobes/own$1
		put "-:own$1"
	done
}

racing_for_one_function() {
	load_target
	put "p:always $inside"
	echo 1 > $tracefs/events/kprobes/always/enable
	start own_event 1 p kprobe_target_other
	start own_event 2 r kprobe_target_other
	start own_event 3 p kprobe_target_traced
	start own_event 4 r kprobe_target_traced
	finish_all
	hits always $((4 * 20 * $(rounds 30 | wc -l)))
	[ "$(cat $target/wrong)" = 0 ]
	[ "$(wc -l < $events)" = 1 ]
}

# Prints a line for each step that succeeds.
fight() {
	for _ in $(rounds 40); do
		put "p:fight $inside" && echo placed
		enable kprobes/fight && echo enabled
		call 5
		disable kprobes/fight
		put '-:fight' && echo removed
	done >> "$tmp/fought" 2> /dev/null || true
}

fought() {
	grep -c "$1" "$tmp/fought"
}

# All shells use the same event. Many steps fail, but the kernel stays consistent.
racing_for_one_event() {
	load_target
	for _ in 1 2 3 4; do
		start fight
	done
	finish_all
	sort "$tmp/fought" | uniq -c
	# An event that was defined is removed once.
	[ "$(fought enabled)" -gt 0 ]
	[ "$(fought placed)" -ge "$(fought removed)" ]
	[ "$(fought removed)" -gt 0 ]
	[ "$(cat $target/wrong)" = 0 ]
	echo 0 > $tracefs/events/enable
	echo > $events
	[ -z "$(cat $kprobes/list)" ]
}

switch_all() {
	for _ in $(rounds 100); do
		echo 0 > $kprobes/enabled
		echo 1 > $kprobes/enabled
	done
}

# The file "enabled" in debugfs is switched while probes are hit and registered.
racing_with_the_switch() {
	[ -e $kprobes/enabled ] || skip "no debugfs"
	load_target
	put "p:one $inside"
	put 'r:two kprobe_test_target:kprobe_target_traced'
	echo 1 > $tracefs/events/kprobes/enable
	start switch_all
	for i in $(rounds 100); do
		call 20
	done
	finish_all
	[ "$(cat $kprobes/enabled)" = 1 ]
	[ "$(cat $target/wrong)" = 0 ]
	before=$(hits_of one)
	call 10
	hits one $((before + 10))
}

begin
run thousand_events
run racing_for_one_function
run racing_for_one_event
run racing_with_the_switch
finish
