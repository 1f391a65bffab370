#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The sample modules do what they say. They say it of functions that only this test calls,
# and not often: the log takes so many lines of them and no more.

cd "$(dirname "$0")" && . ./functions

traced=kprobe_target_traced
other=kprobe_target_other
mod='\[kprobe_test_target\]'

load_sample() {
	dmesg -c > /dev/null
	load_or_skip "$@"
}

# refused_sample MODULE PARAMETER=VALUE...
refused_sample() {
	dmesg -c > /dev/null
	not load "$@" 2> "$tmp/err"
	cat "$tmp/err"
	not grep -qi 'not found' "$tmp/err"
}

# said N MODULE LINE: so many lines of the log are like that, and end there.
said() {
	dmesg | grep "$2: $3\$" > "$tmp/lines" || true
	dmesg | tail -n 20
	[ "$(wc -l < "$tmp/lines")" = "$1" ]
}

kprobe_example() {
	load_target
	load_sample kprobe_example symbol=$traced
	call 3
	rmmod kprobe_example
	said 1 kprobe_example "a kprobe is at $traced+0x.*"
	for x in 0 1 2; do
		said 1 kprobe_example "$traced(0x$x) by .*\[[0-9]*\]"
	done
	said 3 kprobe_example "$traced goes on at $traced+0x.*"
	said 1 kprobe_example '3 calls seen, 0 missed'
}

kretprobe_example() {
	load_target
	load_sample kretprobe_example func=$traced
	call 3
	rmmod kretprobe_example
	for v in 1 2 3; do
		said 1 kretprobe_example "$traced returned 0x$v to .* after [0-9]* ns"
	done
	said 1 kretprobe_example '0 returns missed'
}

fprobe_example() {
	load_target
	load_sample fprobe_example symbol=$traced,$other stackdump=0
	call 3
	rmmod fprobe_example
	for f in $traced $other; do
		said 3 fprobe_example "$f $mod called by .*\[[0-9]*\] at .*"
		for v in 1 2 3; do
			said 1 fprobe_example "$f $mod returns 0x$v to .* after [0-9]* ns"
		done
	done
	said 1 fprobe_example '6 calls seen, 0 missed'
	dmesg | not grep 'Call Trace'
}

fprobe_example_with_a_pattern() {
	load_target
	load_sample fprobe_example 'symbol=kprobe_target_[ot]*' 'nosymbol=kprobe_target_o*' stackdump=1
	call 3
	rmmod fprobe_example
	said 3 fprobe_example "$traced $mod called by .*"
	said 0 fprobe_example "$other .*"
	# At entry and at return.
	[ "$(dmesg | grep -c 'Call Trace:')" = 6 ]
}

fprobe_example_in_the_trace() {
	load_target
	load_sample fprobe_example symbol=$traced use_trace=1
	call 3
	rmmod fprobe_example
	[ "$(grep -c "$traced $mod called by .*\[[0-9]*\]" $tracefs/trace)" = 3 ]
	[ "$(grep -c "$traced $mod returns 0x[123] to .* after [0-9]* ns" $tracefs/trace)" = 3 ]
	[ "$(grep -c '<stack trace>' $tracefs/trace)" = 6 ]
	said 0 fprobe_example "$traced .*"
}

fprobe_example_at_nothing() {
	load_sample fprobe_example symbol=vfs_open
	rmmod fprobe_example
	refused_sample fprobe_example symbol=no_such_function
	dmesg | grep 'fprobe_example: no fprobe at no_such_function: -\(ENOENT\|2\)$'
	refused_sample fprobe_example symbol=
	refused_sample fprobe_example 'symbol=no_such_*'
}

cleanup_samples() {
	for m in kprobe_example kretprobe_example fprobe_example; do
		rmmod $m 2> /dev/null
	done
}

begin
for t in kprobe_example kretprobe_example fprobe_example fprobe_example_with_a_pattern \
	fprobe_example_in_the_trace fprobe_example_at_nothing; do
	run $t
	cleanup_samples
done
finish
