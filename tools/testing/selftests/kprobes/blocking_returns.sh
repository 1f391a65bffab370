#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Many tasks sleep in one probed function: each return is recorded once, without a maxactive
# in the command.
#
# They sleep in fifo_open(), readers without a writer, until one opens the FIFO.

cd "$(dirname "$0")" && . ./functions

sleepers=1000
# Starting a task takes 50 ms on slow guests, so this is enough.
zcat /proc/config.gz 2> /dev/null | grep -q '^CONFIG_KASAN=y' && sleepers=200

# All started tasks sleep in the function.
all_asleep() {
	[ "$(cat /proc/[0-9]*/wchan 2> /dev/null |
	     grep -o 'wait_for_partner\|fifo_open' | wc -l)" = $sleepers ]
}

wake_up() {
	: <> "$tmp/fifo"
}

put_to_sleep() {
	set +x
	for i in $(seq $sleepers); do
		: < "$tmp/fifo" &
		echo $!
	done > "$tmp/pids"
	until_it all_asleep
	set -x
}

# The trace has one record for each task that slept, and for the one that woke them.
reported_once() {
	awk -v e="$1:" '!/^#/ && index($0, e) {
		match($0, /-[0-9]+ +\[/)
		print substr($0, RSTART + 1, RLENGTH - 3) + 0
	}' $tracefs/trace | sort > "$tmp/reported"
	sort "$tmp/pids" > "$tmp/expected"
	wc -l "$tmp/reported" "$tmp/expected"
	cmp "$tmp/reported" "$tmp/expected"
}

# all_return EVENT
all_return() {
	mkfifo "$tmp/fifo"
	undo=wake_up
	echo 1 > $tracefs/events/kprobes/enable
	put_to_sleep
	not grep -q "$1:" $tracefs/trace
	sh -c 'echo $$; : > "$0"' "$tmp/fifo" >> "$tmp/pids"
	wait
	undo=
	echo 0 > $tracefs/events/kprobes/enable
	rm "$tmp/fifo"
	reported_once "$1"
}

kretprobe_event() {
	put 'r:returned fifo_open'
	all_return returned
	hits returned $((sleepers + 1))
}

fprobe_event() {
	grep -qF 'f[:[<group>/][<event>]]' $tracefs/README || skip "no fprobe events"
	put 'f:kprobes/returned fifo_open%return' $dynamic
	all_return returned
}

begin
run kretprobe_event
run fprobe_event
finish
