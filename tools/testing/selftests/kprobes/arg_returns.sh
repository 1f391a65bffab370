#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Values of a whole call in return events: its duration, the CPU of its entry, and a string that a
# process passed.

cd "$(dirname "$0")" && . ./functions

grp=$tracefs/events/kprobes

# Call a known function that takes so many seconds, measured by any clock.
nap() {
	sleep "$1"
}

# both EVENT PLACE ARGUMENT...: define EVENT as a kprobe event, and EVENT_f as a function probe event
# if the kernel has those.
both() {
	name=$1 place=$2
	shift 2
	put "r:kprobes/$name $place $*"
	put "p:kprobes/${name}_p $place%return $*"
	grep -qF 'f[:[<group>/][<event>]]' $tracefs/README || return 0
	put "f:kprobes/${name}_f $place%return $*" $dynamic
}

# Names of the events that both defines.
kinds() {
	for kind in "" _p _f; do
		[ ! -e "$grp/$1$kind" ] || echo "$1$kind"
	done
}

# longest EVENT FIELD
longest() {
	values "$1" "$2" | sort -n | tail -n 1
}

durations() {
	both outer hrtimer_nanosleep '$duration' 'short=$duration:u32' '$entry_cpu'
	both inner do_nanosleep 'd=$duration:x64'
	echo 1 > $grp/enable
	nap 0.1
	echo 0 > $grp/enable
	grep -m 1 'inner: .* d=0x' $tracefs/trace
	for e in $(kinds outer); do
		took=$(longest "$e" duration)
		[ "$took" -ge 90000000 ]
		[ "$took" -lt 100000000000 ]
		values "$e" short | grep -x $((took % 0x100000000))
		values "$e" entry_cpu | grep -x '[0-9]*'
		[ "$(longest "$e" entry_cpu)" -lt "$(grep -c ^processor /proc/cpuinfo)" ]
	done
	# A call takes at most as long as its caller.
	for e in $(kinds inner); do
		[ $(($(values "$e" d | head -n 1))) -ge 90000000 ]
		[ $(($(values "$e" d | head -n 1))) -le "$(longest outer duration)" ]
	done
}

histogram_of_durations() {
	put 'r:kprobes/nap hrtimer_nanosleep $duration'
	echo 'hist:keys=duration.log2:vals=duration' > $grp/nap/trigger
	echo 1 > $grp/nap/enable
	nap 0.15
	nap 0.15
	echo 0 > $grp/nap/enable
	cat $grp/nap/hist
	grep -Eq '\{ duration: ~ 2\^(2[89]|3[0-6]) .*hitcount: +[12]' $grp/nap/hist
}

filter_by_durations() {
	put 'r:kprobes/got vfs_read $duration $entry_cpu'
	echo 'duration > 1000000000000' > $grp/got/filter
	echo 1 > $grp/got/enable
	dd if=/dev/zero of=/dev/null bs=512 count=2
	recorded got 0
	echo 'duration > 0 && entry_cpu < 10000' > $grp/got/filter
	dd if=/dev/zero of=/dev/null bs=512 count=2
	echo 0 > $grp/got/enable
	grep -m 1 'got: .*duration=[1-9]' $tracefs/trace
}

with_parameters() {
	put 'r:kprobes/got vfs_read c=$arg3 $duration b=$arg3:u64 d=$duration $entry_cpu r=$retval:s64'
	grep -F 'duration=$duration' $events
	echo 'c == 7777' > $grp/got/filter
	echo 1 > $grp/got/enable
	dd if=/dev/zero of=/dev/null bs=7777 count=3
	echo 0 > $grp/got/enable
	recorded got 3
	# The same argument twice.
	grep -c 'c=0x1e61 duration=\([0-9]*\) b=7777 d=\1 entry_cpu=[0-9]* r=7777' $tracefs/trace |
		grep -x 3
}

# The same with names of parameters.
by_types() {
	[ -e /sys/kernel/btf/vmlinux ] || skip "no BTF"
	needs_program user_texts
	echo > "$tmp/there"
	both opened do_sys_openat2 '$arg* $duration text=$arg2:lustring same=filename:lustring'
	echo 1 > $grp/enable
	"$program" open "$tmp/there"
	echo 0 > $grp/enable
	for e in $(kinds opened); do
		texts "$e" | grep "^dfd=-100 filename=0x.* duration=[0-9]* \
text=\"$tmp/there\" same=\"$tmp/there\"$"
	done
	bad 'Invalid argument' 'r:e do_sys_openat2 ^dfd:lustring'
}

# Records are the same in both instances.
in_instances() {
	put 'r:kprobes/nap hrtimer_nanosleep $duration'
	mkdir $tracefs/instances/two
	echo 1 > $grp/nap/enable
	echo 1 > $tracefs/instances/two/events/kprobes/nap/enable
	nap 0.05
	echo 0 > $tracefs/instances/two/events/kprobes/nap/enable
	echo 0 > $grp/nap/enable
	values nap duration > "$tmp/durations"
	[ -s "$tmp/durations" ]
	sed -n 's/.* duration=//p' $tracefs/instances/two/trace | cmp - "$tmp/durations"
}

# texts EVENT: the values of its fields, one a line.
texts() {
	sed -n "s/.* $1: ([^)]*) //p" $tracefs/trace
}

# Open a file, with the page of its name paged in or not.
texts_paged_in_by_the_call() {
	needs_program user_texts
	echo > "$tmp/there"
	both opened do_sys_openat2 'late=$arg2:lustring' 'past=+4($arg2):lustring'
	put 'p:kprobes/asked do_sys_openat2 now=+0($arg2):ustring'
	for how in open reopen; do
		: > $tracefs/trace
		echo 1 > $grp/enable
		"$program" $how "$tmp/there"
		echo 0 > $grp/enable
		for e in $(kinds opened); do
			texts "$e" | grep -xF "late=\"$tmp/there\" past=\"$(echo "$tmp/there" | cut -c 5-)\""
		done
		# The page was not in memory.
		texts asked | grep -xF 'now=(fault)'
		[ -z "$(texts asked | grep -F "$tmp/there")" ]
	done
}

filter_by_late_texts() {
	needs_program user_texts
	echo > "$tmp/there"
	put 'r:kprobes/opened do_sys_openat2 name=+0($arg2):lustring'
	echo "name == \"$tmp/there\"" > $grp/opened/filter
	echo "hist:keys=name if name == \"$tmp/there\"" > $grp/opened/trigger
	echo 1 > $grp/opened/enable
	"$program" open "$tmp/there"
	"$program" open "$tmp/not_there" || true
	echo 0 > $grp/opened/enable
	recorded opened 1
	cat $grp/opened/hist
	grep -F "{ name: $tmp/there" $grp/opened/hist | grep 'hitcount: *1$'
}

texts_as_they_were() {
	needs_program user_texts
	both got ksys_read 'late=+0($arg2):lustring' 'now=+0($arg2):ustring'
	echo 'now ~ "new text*"' | tee $grp/got/filter $grp/got_p/filter
	[ ! -e $grp/got_f ] || echo 'now ~ "new text*"' > $grp/got_f/filter
	long=$(printf %0255d 0)
	echo 1 > $grp/enable
	"$program" read 'old text' 'new text'
	"$program" read "$long" 'new text, too'
	"$program" read "${long}1" 'new text, once more'
	echo 0 > $grp/enable
	for e in $(kinds got); do
		texts "$e" > "$tmp/texts"
		cat "$tmp/texts"
		cmp "$tmp/texts" - << END
late="old text" now="new text"
late="$long" now="new text, too"
late="new text, once more" now="new text, once more"
END
	done
}

texts_that_go() {
	needs_program user_texts
	both went do_vmi_munmap 'late=+0($arg3):lustring' 'now=+0($arg3):ustring'
	echo 1 > $grp/enable
	"$program" unmap 'a text that goes'
	echo 0 > $grp/enable
	for e in $(kinds went); do
		texts "$e" | grep -xF 'late="a text that goes" now=(fault)'
		# Unreadable memory gives the same as with ustring.
		[ -z "$(texts "$e" | grep -F 'late=(fault) now="')" ]
	done
}

refusals() {
	for place in 'p:e vfs_read' 'p:e vfs_read+0'; do
		bad 'Invalid argument' "$place ^\$duration"
		bad 'Invalid argument' "$place x=^\$entry_cpu:u8"
		bad 'Invalid argument' "$place x=+0(\$arg2):^lustring"
	done
	grep -F 'only available at the return of a kernel function' $tracefs/error_log
	bad 'Invalid argument' "r:e vfs_read \$duration ^\$duration"
	bad 'Invalid argument' "r:e vfs_read ^\$duration1"
	bad 'Invalid argument' "r:e vfs_read \$duration:^string"
	bad 'Invalid argument' "r:e vfs_read x=+0(\$retval):^lustring"
	grep -F "known at the function's entry" $tracefs/error_log
	bad 'Invalid argument' "r:e vfs_read x=+0(\$arg2):^lustring[64]"
}

begin
run durations
run histogram_of_durations
run filter_by_durations
run with_parameters
run by_types
run in_instances
run texts_paged_in_by_the_call
run filter_by_late_texts
run texts_as_they_were
run texts_that_go
run refusals
finish
