#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Many events enabled or disabled by one command, and that removing probes does not wait.

cd "$(dirname "$0")" && . ./functions

armed() {
	grep ' k ' $kprobes/list | grep -vc DISABLED || true
}

# A group without armed events; see load_refuser.
begin_group() {
	make_group
	load_refuser "$@"
	before=$(armed)
}

# one_update N COMMAND...: COMMAND takes one update of ftrace, and N events are armed then.
one_update() {
	more=$1
	shift
	[ "$(updates "$@")" = 1 ]
	[ "$(armed)" = $((before + more)) ]
}

a_group_is_one_update() {
	begin_group
	one_update $N group_on
	[ "$(enabled 1)" = $N ]
	# A second time changes nothing.
	[ "$(updates group_on)" = 0 ]
	one_update 0 group_off
	[ "$(enabled 0)" = $N ]
}

all_ways_to_name_many() {
	begin_group
	set_event() {
		echo "$1" >> $tracefs/set_event
	}
	one_update $N set_event many:
	one_update 0 set_event '!many:'
	group_on
	empty_set_event() {
		: > $tracefs/set_event
	}
	one_update 0 empty_set_event
	group_on
	all_off() {
		echo 0 > $tracefs/events/enable
	}
	one_update 0 all_off
}

# Probes of events that are enabled in another instance stay armed.
some_are_on_elsewhere() {
	begin_group
	mkdir $tracefs/instances/other
	echo 1 > $tracefs/instances/other/events/many/e3/enable
	enable many/e5
	one_update $N group_on
	one_update 1 group_off
	[ "$(cat $tracefs/instances/other/events/many/e3/enable)" = 1 ]
	one_update 0 rmdir $tracefs/instances/other
}

# Removing an instance disables events that are enabled only there.
an_instance_goes() {
	begin_group
	mkdir $tracefs/instances/other
	echo 1 > $tracefs/instances/other/events/many/enable
	[ "$(armed)" = $((before + N)) ]
	one_update 0 rmdir $tracefs/instances/other
}

# Events whose probes are refused fail, and only these.
the_odd_one_out() {
	begin_group 7 8 "$N"
	enable many/e1
	refused 'busy' 1 $group
	[ "$(enabled 1)" = $((N - 3)) ]
	[ "$(cat $tracefs/events/many/e7/enable)" = 0 ]
	[ "$(cat $tracefs/events/many/e8/enable)" = 0 ]
	[ "$(cat $tracefs/events/many/e$N/enable)" = 0 ]
	[ "$(cat $group)" = X ]
	[ "$(armed)" = $((before + N - 3)) ]
	refused 'busy' 1 $tracefs/events/many/e7/enable
	one_update 0 group_off
	unload_refuser
	group_on
	[ "$(enabled 1)" = $N ]
	[ "$(cat $group)" = 1 ]
}

hits_from_the_first() {
	load_target
	put "p:many/other $inside"
	put 'p:many/traced kprobe_test_target:kprobe_target_traced'
	put 'r:many/back kprobe_test_target:kprobe_target_traced'
	put 'p:many/twice kprobe_test_target:kprobe_target_other'
	put 'p:many/twice kprobe_test_target:kprobe_target_traced'
	on_and_off other traced back
}

# A trigger of one event enables another event.
soft_disabled() {
	load_target
	put "p:many/first $inside"
	put 'p:many/second kprobe_test_target:kprobe_target_traced'
	echo 'enable_event:many:second' > $tracefs/events/many/first/trigger
	[ "$(cat $tracefs/events/many/second/enable)" = '0*' ]
	group_on
	call 2
	recorded second 2
	group_off
	[ "$(cat $tracefs/events/many/second/enable)" = '0*' ]
	# The call passes it before the event with the trigger.
	call 2
	recorded second 3
	echo '!enable_event:many:second' > $tracefs/events/many/first/trigger
	disable many/second
	echo > $events
	empty $events
}

clearing_is_all_or_nothing() {
	make_group
	enable many/e9
	all_is_busy
	[ "$(enabled 1)" = 1 ]
	[ "$(wc -l < $events)" = $N ]
	disable many/e9
	echo > $events
	empty $events
	empty $kprobes/list
}

nobody_waits_for_events() {
	make_group
	# Check that a wait is found.
	load_or_skip kprobe_test_prober
	waits rmmod kprobe_test_prober > "$tmp/control"
	grep synchronize_rcu "$tmp/control"

	no_waits sh -c "echo 1 > $group"
	no_waits sh -c "echo 0 > $group"
	enable many/e1
	no_waits sh -c "echo 0 > $tracefs/events/many/e1/enable"
	echo > $events
	# Records in the buffer need a reset, which waits. Here the buffer is empty.
	put "p:many/other $inside"
	no_waits sh -c "echo > $events"
	empty $events
}

nobody_waits_for_perf() {
	load_target
	needs_perf_open
	for fn in kprobe_target_other kprobe_target_traced; do
		fn=kprobe_test_target:$fn
		[ "$(waits "$perf_open" $fn $target/call 3)" = 3 ]
		[ "$(waits "$perf_open" -r $fn $target/call 3)" = 3 ]
	done
	put "p:many/other $inside"
	id=$(cat $tracefs/events/many/other/id)
	[ "$(waits "$perf_open" -e "$id" $target/call 3)" = 3 ]
}

# Probes are armed and disarmed while other CPUs hit them.
opened_and_closed_under_fire() {
	load_target
	needs_perf_open
	put "p:many/other $inside"
	id=$(cat $tracefs/events/many/other/id)
	start_callers 1
	percpu=$(awk '$1 == "Percpu:" { print $2 }' /proc/meminfo)
	bound=64
	cpus=$(nproc)
	for i in $(rounds 60); do
		bound=$((bound + 8 * cpus))
		[ "$("$perf_open" kprobe_test_target:kprobe_target_traced \
			$target/call 5)" = 5 ]
		[ "$("$perf_open" -r kprobe_test_target:kprobe_target_other \
			$target/call 5)" = 5 ]
		[ "$("$perf_open" -e "$id" $target/call 5)" = 5 ]
	done
	stop_callers
	put '-:many/other'
	empty $kprobes/list
	# A leak of perf's buffers by one of the three, 16 KiB for each CPU each time, would show.
	now=$(awk '$1 == "Percpu:" { print $2 }' /proc/meminfo)
	echo "$percpu -> $now"
	[ "$now" -le $((percpu + bound)) ]
}

begin
for t in a_group_is_one_update all_ways_to_name_many some_are_on_elsewhere \
	an_instance_goes the_odd_one_out hits_from_the_first soft_disabled \
	clearing_is_all_or_nothing nobody_waits_for_events nobody_waits_for_perf \
	opened_and_closed_under_fire; do
	run $t
	unload_refuser
done
finish
