#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Many probes are armed at once under a workload, and hits of known functions are counted exactly.
# Probes are changed many times, and memory is what it was before.
#
#	KPROBES=50000 FUNCTIONS=50000 MINUTES=60 ROUNDS=20 CHANGES=1000000 ./load.sh
#
# KPROBES and FUNCTIONS are armed at once, the kprobes for MINUTES. ROUNDS is how often all of them
# are armed and disarmed, CHANGES how often one event is defined and removed, OPENS how often a perf
# event is opened and closed, and WAITS how often single probes are armed and disarmed, which takes
# grace periods. PARTS are the tests to run.
# Lines that begin with # say what was measured.

cd "$(dirname "$0")" && . ./functions

KPROBES=${KPROBES:-2000}
FUNCTIONS=${FUNCTIONS:-10000}
CHANGES=${CHANGES:-3000}
OPENS=${OPENS:-1500}
WAITS=${WAITS:-400}
ROUNDS=${ROUNDS:-2}
MINUTES=${MINUTES:-0}

say() {
	echo "# $*"
	echo "# $*" >&3
}

# spread FILE: its lines in an order in which neighbours are far from each other.
spread() {
	for k in 0 1 2 3 4 5 6; do
		awk -v k=$k 'NR % 7 == k' "$1"
	done
}

# Functions of the kernel, not of modules, with unique names.
names() {
	grep -v '\[' $tracefs/available_filter_functions | grep -v '\.' | sort | uniq -u
}

# Something that other functions run for. It takes as long if there are many events.
work() {
	cat /proc/self/status /proc/meminfo /proc/modules $tracefs/README > /dev/null
	echo text > "$tmp/work.$1"
	rm "$tmp/work.$1"
	find /sys/module /sys/devices -maxdepth 3 | sort > /dev/null
}

keep_working() {
	set +x
	while go_on; do
		work kept
	done
}

# Milliseconds since boot.
ms() {
	awk '{ print int($1 * 1000) }' /proc/uptime
}

# Milliseconds that a pass of the workload takes.
pass() {
	from=$(ms)
	for _ in 1 2 3 4 5; do
		work timed
	done
	echo $((($(ms) - from) / 5))
}

# Kilobytes that the kernel uses, except for caches.
memory() {
	echo 3 > /proc/sys/vm/drop_caches
	awk '/^(Slab|Percpu|VmallocUsed):/ { n += $2 } END { print n }' /proc/meminfo
}

# Files with names of functions for "define", and with their addresses for "link".
list_functions() {
	names > "$tmp/names"
	# Twice, because there may be fewer functions than probes.
	(spread "$tmp/names"; spread "$tmp/names") > "$tmp/functions"
	addresses > "$tmp/addresses"
}

define_many() {
	"$program" define "$KPROBES" < "$tmp/functions" > "$tmp/defined"
}

# Say each minute how many calls were made.
for_minutes() {
	for minute in $(seq "$MINUTES"); do
		until=$(($(ms) + 60000))
		while [ "$(ms)" -lt $until ]; do
			sleep 1
		done
		say "$minute of $MINUTES minutes, $(calls_made) calls"
	done
}

many_kprobes() {
	load_target
	put "p:known/entry kprobe_test_target:kprobe_target_traced"
	put "p:known/inside $inside"
	put "r:known/return kprobe_test_target:kprobe_target_other"
	list_functions
	alone=$(pass)
	before=$(memory)
	define_many
	say "$(cat "$tmp/defined")"
	enable load known
	grep -c -v DISABLED $kprobes/list > "$tmp/armed"
	say "$(cat "$tmp/armed") probes are armed, $(grep -c OPTIMIZED $kprobes/list) as jumps"
	say "$(($(memory) - before)) kB for these events"
	say "a pass of the workload takes $(pass) ms, $alone ms before"
	start keep_working
	start_callers 2
	until_it calls_are 2000
	for_minutes
	stop_callers
	for e in entry inside return; do
		hits $e "$(calls_made)"
	done
	say "$(calls_made) calls, and $(awk '{ n += $2 } END { print n }' $profile) hits of all"
	disable load known
	echo > $dynamic
	until_it empty $kprobes/list
}

calls_are() {
	[ "$(calls_made)" -ge "$1" ]
}

# Lines ADDRESS NAME, first of the functions that this test calls.
addresses() {
	for f in kprobe_target_traced kprobe_args_may_fail; do
		awk -v f=$f '$3 == f { print "0x" $1, f }' /proc/kallsyms
	done
	awk 'NR == FNR { wanted[$1]; next }
	     $3 in wanted { n[$3]++; a[$3] = $1 }
	     END { for (f in n) if (n[f] == 1) print "0x" a[f], f }' "$tmp/names" /proc/kallsyms
}

needs_multi() {
	zcat /proc/config.gz 2> /dev/null | grep -q '^CONFIG_FPROBE=y' || skip "no fprobes"
	zcat /proc/config.gz | grep -q '^CONFIG_BPF_EVENTS=y' || skip "no BPF programs on probes"
}

# Set $hooked to the number of functions for links, which may be fewer, and let others run.
prepare_links() {
	needs_multi
	load_target
	load_args
	list_functions
	hooked=$(head -n "$FUNCTIONS" "$tmp/addresses" | wc -l)
	start keep_working
}

many_functions_of_a_link() {
	prepare_links
	"$program" link "$hooked" 5000 < "$tmp/addresses" > "$tmp/linked" ||
		wrong_count=1
	say "$(cat "$tmp/linked")"
	[ -z "$wrong_count" ]
	enough
	finish_all
	[ "$(cat $target/wrong)" = 0 ]
	until_it empty $tracefs/enabled_functions
}

# The least memory of a while, in which deferred frees come to an end.
least_memory() {
	least=$(memory)
	for _ in $(seq 20); do
		sleep 0.1
		now=$(memory)
		[ "$now" -ge "$least" ] || least=$now
	done
	echo "$least"
}

is_back() {
	now=$(memory)
	[ "$now" -le $((before + bound)) ]
}

# grows BOUND WHAT...: memory has not grown by more than BOUND kilobytes since $before, which was
# measured at $began.
grows() {
	bound=$1
	shift
	until_it is_back || grew=1
	say "$* in $((($(ms) - began) / 1000)) s:" \
		"$((now - before)) kB more than $before kB, at most $bound may be"
	[ -z "$grew" ]
}

# changes BOUND WHAT N [FILE]: repeat something N times. Memory is what it was before, after it was
# repeated to fill caches. BOUND is the number of kilobytes by which it may have grown.
changes() {
	most=$(($3 / 4))
	[ $most -le 1000 ] || most=1000
	"$program" "$2" $most $4
	before=$(least_memory)
	began=$(ms)
	"$program" "$2" "$3" $4
	grows "$1" "$3 times $2 $4"
}

# Define, register, unregister and remove many.
arm_all() {
	define_many
	enable load
	disable load
	echo > $dynamic
}

kprobes_again() {
	list_functions
	arm_all
	before=$(least_memory)
	began=$(ms)
	for _ in $(seq "$ROUNDS"); do
		arm_all
	done
	grows 1024 "$ROUNDS times $KPROBES kprobes"
}

functions_of_a_link_again() {
	prepare_links
	"$program" link "$hooked" 500 < "$tmp/addresses"
	before=$(least_memory)
	began=$(ms)
	for _ in $(seq "$ROUNDS"); do
		"$program" link "$hooked" 500 < "$tmp/addresses"
	done
	enough
	finish_all
	grows 1024 "$ROUNDS times a link to $hooked functions"
}

define_and_remove() {
	load_target
	changes 256 events "$CHANGES"
}

open_and_close() {
	[ -e /sys/bus/event_source/devices/kprobe/type ] || skip "no kprobe PMU"
	load_target
	changes 128 perf "$OPENS"
}

# Each of these waits for grace periods.
enable_and_disable() {
	load_target
	put "p:load/inside $inside"
	put "p:load/entry kprobe_test_target:kprobe_target_traced"
	put "r:load/return kprobe_test_target:kprobe_target_traced"
	put "f:load/function kprobe_target_other" $dynamic
	changes 64 files "$WAITS" $tracefs/events/load/enable
}

register_and_unregister() {
	load_target
	load_or_skip kprobe_test_prober ret=1 symbol=kprobe_target_traced
	changes 64 files "$WAITS" $prober/placed
	rmmod kprobe_test_prober
}

begin
exec 3>&1
needs_program load
for t in ${PARTS:-many_kprobes many_functions_of_a_link kprobes_again functions_of_a_link_again \
	define_and_remove open_and_close enable_and_disable register_and_unregister}; do
	run $t
done
finish
