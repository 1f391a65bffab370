#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The sample modules do what they say.

cd "$(dirname "$0")" && . ./functions

load_sample() {
	dmesg -c > /dev/null
	load "$@" 2> "$tmp/err" && return
	cat "$tmp/err"
	grep -qi 'not found' "$tmp/err" && skip "no module $1"
	return 1
}

# something_happens N: vfs_open() is called, at least so often.
something_happens() {
	for i in $(seq "$1"); do
		cat /dev/null
	done
}

# The lines that match, of the log of one module.
log() {
	dmesg | grep "$1: $2" > "$tmp/lines" || return
	tail -n 3 "$tmp/lines"
}

kprobe_example() {
	load_sample kprobe_example symbol=vfs_open
	something_happens 3
	rmmod kprobe_example
	log kprobe_example 'vfs_open(0x[0-9a-f]*) by cat\['
	log kprobe_example 'vfs_open goes on at vfs_open+0x'
	log kprobe_example '[0-9]* calls seen, 0 missed'
}

kretprobe_example() {
	load_sample kretprobe_example func=vfs_open
	something_happens 3
	rmmod kretprobe_example
	log kretprobe_example 'vfs_open returned 0x0 to .* after [0-9]* ns'
	log kretprobe_example '0 returns missed'
}

fprobe_example() {
	load_sample fprobe_example symbol=vfs_open,vfs_statx stackdump=0
	something_happens 3
	ls -l /dev/null
	rmmod fprobe_example
	log fprobe_example 'vfs_open called by cat\[[0-9]*\] at '
	log fprobe_example 'vfs_open returns 0x0 to .* after [0-9]* ns'
	log fprobe_example 'vfs_statx called by ls\['
	log fprobe_example '[0-9]* calls seen, 0 missed'
	not log fprobe_example 'Call Trace'
}

fprobe_example_with_a_pattern() {
	load_sample fprobe_example 'symbol=vfs_[os]*' 'nosymbol=vfs_o*' stackdump=1
	something_happens 3
	ls -l /dev/null
	rmmod fprobe_example
	log fprobe_example 'vfs_statx called by ls\['
	not log fprobe_example 'vfs_open'
	dmesg | grep 'Call Trace'
}

fprobe_example_in_the_trace() {
	load_sample fprobe_example symbol=vfs_open use_trace=1
	something_happens 3
	rmmod fprobe_example
	grep 'vfs_open called by cat\[' $tracefs/trace
	grep 'vfs_open returns .* after [0-9]* ns' $tracefs/trace
	grep '<stack trace>' $tracefs/trace
	not log fprobe_example 'vfs_open called'
}

fprobe_example_at_nothing() {
	not load_sample fprobe_example symbol=no_such_function
	log fprobe_example 'no fprobe at no_such_function: -\(ENOENT\|2\)'
	not load_sample fprobe_example symbol=
	not load_sample fprobe_example 'symbol=no_such_*'
}

begin
run kprobe_example
run kretprobe_example
run fprobe_example
run fprobe_example_with_a_pattern
run fprobe_example_in_the_trace
run fprobe_example_at_nothing
finish
