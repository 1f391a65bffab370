#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Events on all functions that match a pattern, while modules with some of them are loaded and
# unloaded: these are added and removed, and others do not change.

cd "$(dirname "$0")" && . ./functions

events=$dynamic

# Matches read_zero() of the kernel, which reads /dev/zero, and all functions of the target module.
both='[rk][ep][ar][do][_b][ze]*'

# Each round reads a byte READS times. The module is loaded LOADS times.
READS=1000
LOADS=6

needs_zero() {
	grep -qx read_zero $tracefs/available_filter_functions || skip "no read_zero()"
	load_target
	rmmod kprobe_test_target
}

keep_reading() {
	while go_on; do
		dd if=/dev/zero of="$tmp/bytes" bs=1 count=$READS 2> "$tmp/dd"
		echo >> "$tmp/rounds"
	done
}

# start_reading, stop_reading: read /dev/zero; reads_made has the number of reads afterwards.
start_reading() {
	: > "$tmp/rounds"
	start keep_reading
}

stop_reading() {
	enough
	finish_all
}

reads_made() {
	echo $(($(wc -l < "$tmp/rounds") * READS))
}

# counted EVENT: hits of read_zero() and of unloaded functions in a histogram.
counted() {
	awk '/\] read_zero / { zero += $NF }
		/\] 0x[0-9a-f]+ / { gone += $NF }
		END { print zero + 0, gone + 0 }' $tracefs/events/fprobes/$1/hist
}

# Each call is recorded while a module with matching functions is loaded and unloaded.
nothing_is_lost() {
	needs_zero
	put "f:in $both"
	put "f:out $both%return"
	echo 'hist:keys=__probe_ip.sym' > $tracefs/events/fprobes/in/trigger
	echo 'hist:keys=__probe_func.sym' > $tracefs/events/fprobes/out/trigger
	enable fprobes
	start_reading
	for i in $(seq $LOADS); do
		load_target
		rmmod kprobe_test_target
	done
	stop_reading
	[ "$(reads_made)" -gt 0 ]
	for e in in out; do
		cat $tracefs/events/fprobes/$e/hist
		# Loading calls the three functions of the module and its init function once.
		[ "$(counted $e)" = "$(reads_made) $((4 * LOADS))" ]
	done
	echo '!hist:keys=__probe_ip.sym' > $tracefs/events/fprobes/in/trigger
	echo '!hist:keys=__probe_func.sym' > $tracefs/events/fprobes/out/trigger
	disable fprobes
	empty $tracefs/enabled_functions
}

# One update adds the functions of a module for all events.
added_by_one_update() {
	load_target
	load_refuser
	for i in $(seq 20); do
		put "f:many/in$i $both"
		put "f:many/out$i $both%return"
	done
	put 'f:many/own kprobe_target_*'
	group_on
	rmmod kprobe_test_target
	before=$(wc -l < $tracefs/enabled_functions)
	[ "$(updates load_target)" -le 2 ]
	call 2
	# The three functions that are traced, and the init function.
	recorded own 10
	for i in 1 20; do
		[ "$(grep -c " in$i: (kprobe_target_traced" $tracefs/trace)" = 3 ]
		[ "$(grep -c " out$i: (.*<- kprobe_target_traced)" $tracefs/trace)" = 3 ]
	done
	[ "$(wc -l < $tracefs/enabled_functions)" -gt "$before" ]
	[ "$(updates rmmod kprobe_test_target)" = 1 ]
	[ "$(wc -l < $tracefs/enabled_functions)" = "$before" ]
}

# An event that is disabled while its module is loaded has the functions when it is enabled.
switched_on_later() {
	load_target
	load_refuser
	put "f:later $both"
	put 'f:same kprobe_target_traced'
	rmmod kprobe_test_target
	[ "$(updates load_target)" = 0 ]
	empty $tracefs/enabled_functions
	enable fprobes/later fprobes/same
	call 3
	[ "$(grep -c ' later: (kprobe_target_traced' $tracefs/trace)" = 3 ]
	recorded same 3
	# Init text has been freed.
	not grep kprobe_target_init $tracefs/enabled_functions
	rmmod kprobe_test_target
	disable fprobes/later fprobes/same
	enable fprobes/later fprobes/same
	not grep kprobe_target $tracefs/enabled_functions
	load_target
	recorded same 4
}

# used: KiB in slabs of the kernel.
used() {
	awk '$1 == "SUnreclaim:" { print $2 }' /proc/meminfo
}

# Repeated loading and unloading does not leak memory.
no_memory_is_kept() {
	load_target
	for i in $(seq 100); do
		put "f:many/in$i kprobe_target_*"
		put "f:many/in$i vfs_read"
	done
	group_on
	for i in 1 2 3; do
		rmmod kprobe_test_target
		load_target
	done
	before=$(used)
	for i in $(seq 40); do
		rmmod kprobe_test_target
		load_target
	done
	# A leak would be some hundred bytes, 100 times in each round.
	for i in $(seq 100); do
		[ $(($(used) - before)) -lt 512 ] && break
		sync
		sleep 0.1
	done
	[ $(($(used) - before)) -lt 512 ]
}

keep_switching() {
	while go_on; do
		group_on
		group_off
		"$perf_open" -e "$id" /dev/null x > "$tmp/perf"
		echo x >> "$tmp/switched"
	done
}

# Events are enabled and disabled, perf opens them, and modules are loaded and unloaded, all at once.
everything_at_once() {
	needs_zero
	needs_perf_open
	put "f:many/in $both"
	put "f:many/out $both%return"
	put 't:many/passed kprobe_target_call'
	id=$(cat $tracefs/events/many/out/id)
	start_reading
	start keep_switching
	for i in $(seq $LOADS); do
		load_target
		call 3
		[ "$(cat $target/wrong)" = 0 ]
		rmmod kprobe_test_target
	done
	stop_reading
	[ -s "$tmp/switched" ]
	empty $tracefs/enabled_functions
}

begin_dynamic 'f[:[<group>/][<event>]]'
for t in nothing_is_lost added_by_one_update switched_on_later no_memory_is_kept \
	everything_at_once; do
	run $t
	unload_refuser
done
finish
