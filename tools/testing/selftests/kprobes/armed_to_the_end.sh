#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Shut down the machine with many probes planted, most of them as jumps. To be run in a boot
# of its own: the caller checks whether the shutdown works.

cd "$(dirname "$0")" && . ./functions

wanted=1500

# Offset of the first instruction after the one that ftrace patches, on x86-64 with and without
# ENDBR.
case $(uname -m) in
x86_64)	behind="9 5" ;;
*)	behind="16 12 8" ;;
esac

place_behind_entries() {
	i=0
	for fn in $(grep -v '\[' $tracefs/available_filter_functions | grep -v '\.' | sort | uniq -u |
			awk -v n=$wanted '{ l[NR] = $1 } END { for (i = 1; i <= n; i++) print l[int(i * NR / (n + 1))] }'); do
		i=$((i + 1))
		for at in $behind; do
			echo "p:e$i $fn+$at" >> $events && break
		done
	done 2> /dev/null
}

left_armed() {
	place_behind_entries
	n=$(wc -l < $events)
	[ "$n" -ge $((wanted / 2)) ]
	echo 1 > $tracefs/events/kprobes/enable
	[ "$(grep -c ' k ' $kprobes/list)" = "$n" ]
	ls -l /proc/self/fd > /dev/null
	[ ! -e /proc/sys/debug/kprobes-optimization ] && return
	[ "$(grep -c OPTIMIZED $kprobes/list)" -ge $((n / 2)) ]
}

begin
run left_armed
# No clean(): the probes stay.
echo "1..$nr"
exit $failed
