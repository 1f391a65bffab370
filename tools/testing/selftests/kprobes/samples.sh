#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The sample modules print what they should. They probe functions that only this test calls,
# and few times, because the log takes a limited number of lines.

cd "$(dirname "$0")" && . ./functions

traced=kprobe_target_traced
other=kprobe_target_other

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

# said N LINE: the log has N lines that match LINE. They are those of 6.12, because people search
# for them.
said() {
	dmesg | sed 's/^\[[^]]*\] //' > "$tmp/log.now"
	grep "^$2\$" "$tmp/log.now" > "$tmp/lines" || true
	tail -n 20 "$tmp/log.now"
	[ "$(wc -l < "$tmp/lines")" = "$1" ]
}

# Without randomness, as on CPUs without RDRAND, the log has (____ptrval____).
ptr='[0-9a-f(_ptrval)]*'
hex=0x$ptr

kprobe_example() {
	load_target
	load_sample kprobe_example symbol=$traced
	call 3
	rmmod kprobe_example
	said 1 "kprobe_init: Planted kprobe at $ptr"
	said 3 "handler_pre: <$traced> p->addr = $hex, ip = $ptr, flags = $hex"
	said 3 "handler_post: <$traced> p->addr = $hex, flags = $hex"
	said 1 "kprobe_exit: kprobe at $ptr unregistered"
	refused_sample kprobe_example symbol=no_such_function
	dmesg | grep ' kprobe_init: register_kprobe failed, returned -2$'
}

kretprobe_example() {
	load_target
	load_sample kretprobe_example func=$traced
	call 3
	rmmod kretprobe_example
	said 1 "Planted return probe at $traced: $ptr"
	for v in 1 2 3; do
		said 1 "$traced returned $v and took [0-9]* ns to execute"
	done
	said 1 "kretprobe at $ptr unregistered"
	said 1 "Missed probing 0 instances of $traced"
	refused_sample kretprobe_example func=no_such_function
	dmesg | grep '\] register_kretprobe failed, returned -2$'
}

entered() {
	said "$1" "sample_entry_handler: Enter <$2+0x[^>]*> ip = $hex"
}

returned() {
	said "$1" "sample_exit_handler: Return from <$2+0x[^>]*> ip = $hex to rip = $hex (.*+0x.*)"
}

fprobe_example() {
	load_target
	load_sample fprobe_example symbol=$traced,$other stackdump=0
	call 3
	rmmod fprobe_example
	said 1 'fprobe_init: 2 symbols found'
	said 1 "fprobe_init: Planted fprobe at $traced,$other"
	for f in $traced $other; do
		entered 3 "$f"
		returned 3 "$f"
	done
	said 1 "fprobe_exit: fprobe at $traced,$other unregistered. 12 times hit, 0 times missed"
	dmesg | not grep -i 'Call Trace'
}

fprobe_example_with_a_pattern() {
	load_target
	load_sample fprobe_example 'symbol=kprobe_target_[ot]*' 'nosymbol=kprobe_target_o*' stackdump=1
	call 3
	rmmod fprobe_example
	entered 3 $traced
	entered 0 $other
	# One at entry and one at return.
	[ "$(dmesg | grep -ci 'Call Trace:')" = 6 ]
}

fprobe_example_in_the_trace() {
	load_target
	load_sample fprobe_example symbol=$traced use_trace=1
	call 3
	rmmod fprobe_example
	[ "$(grep -c ": Enter <$traced+0x.*> ip = $hex\$" $tracefs/trace)" = 3 ]
	[ "$(grep -c ": Return from <$traced+0x.*> ip = $hex to rip = $hex (.*)\$" $tracefs/trace)" = 3 ]
	[ "$(grep -c '<stack trace>' $tracefs/trace)" = 6 ]
	entered 0 $traced
}

fprobe_example_at_nothing() {
	load_sample fprobe_example symbol=vfs_open
	rmmod fprobe_example
	refused_sample fprobe_example symbol=no_such_function
	dmesg | grep ' fprobe_init: register_fprobe failed, returned -2$'
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
