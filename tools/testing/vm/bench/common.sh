# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# Functions for guests of bench.py. ROWS is set.

bench=/sys/module/probe_bench/parameters
functions=/sys/kernel/tracing/available_filter_functions_addrs

# Functions for rows with many probes, one a line: the address of a kprobe at the entry, and the
# name. Names are unique, and the benchmark does not call these functions.
cold_functions() {
	case $(uname -m) in
	x86_64)	known_to_ftrace ;;
	*)	known_to_ftrace | awk 'NR == FNR { want[$2]; next } NF == 3 && $3 in want { print $1, $3 }' - /proc/kallsyms ;;
	esac
}

# The same, with the addresses that ftrace has.
known_to_ftrace() {
	cold='tcp|udp|inet|fib|igmp|arp|raw|icmp|ping|ip|ip4|ipv4|neigh|packet'
	[ -d /proc/sys/net/ipv4 ] || cold='ovl|crypto|pci|btf|blk|clk|fdt|of|input'
	awk -v cold="^($cold)_" '
		FILENAME != last { last = FILENAME; file++ }
		file == 1 { banned[$2]; next }
		NF == 2 && !($2 in banned) &&
		$2 ~ cold &&
		$2 !~ /\./ { seen[$2]++; addr[$2] = $1; names[++n] = $2 }
		END {
			for (i = 1; i <= n; i++)
				if (seen[names[i]] == 1)
					print addr[names[i]], names[i]
		}' /sys/kernel/debug/kprobes/blacklist $functions
}

# Tracepoints that the benchmark does not hit, one a line. The name of an event can differ from the
# name of its tracepoint, so look for the tracepoint, too.
cold_tracepoints() {
	awk -F '[ :]' '
		NR == FNR { sub(/^__tracepoint_/, "", $3); there[$3]; next }
		$1 ~ /^(tcp|cgroup|block|netfs|io_uring|xdp|iomap|ksm|oom|sock|neigh|regulator|clk|filelock|compaction|page_pool)$/ &&
		$2 in there { print $2 }' /proc/kallsyms /sys/kernel/tracing/available_events
}

# Arguments of user programs.
name_places() {
	cold_functions | awk '{ print $2 }' > /tmp/functions
	cold_tracepoints > /tmp/tracepoints
}

# Pass addresses, one a line, to the module.
give_places() {
	awk '{ line = line " " $1 }
	     NR % 200 == 0 { print line; line = "" }
	     END { if (line != "") print line }' | while read -r line; do
		echo "$line" > $bench/places
	done
}

# Allow jumps only for rows that measure them, and on arm64 also for rows at entries and with many
# probes, because kprobes of arm64 do not use ftrace.
jumps_for() {
	[ -e /proc/sys/debug/kprobes-optimization ] || return 0
	case $1,$(uname -m) in
	*-jump,*)	echo 1 ;;
	kprobe-inside,* | kprobe-post,* | kprobe-among-*,* | *,x86_64)	echo 0 ;;
	*)	echo 1 ;;
	esac > /proc/sys/debug/kprobes-optimization
}

# Load the module with the addresses that the rows need.
load() {
	insmod /mnt/probe_bench.ko || exit 1
	case " $ROWS " in
	*\ kprobe-among-*)
		{ cold_functions; cat $functions; } |
			awk 'NF == 2 && !($1 in given) { given[$1]; print $1 }' | give_places
		;;
	*\ batch* | *\ single* | *\ bytes-*)
		cold_functions | give_places
		;;
	*\ share-*)
		awk '$3 == "_stext" { print "0x" $1 }' /proc/kallsyms > $bench/text_start
		awk '$3 == "_etext" { print "0x" $1 }' /proc/kallsyms > $bench/text_end
		;;
	esac
}
