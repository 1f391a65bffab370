#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Many function and tracepoint probe events by one command, that removing them does not
# wait, and that a name finds the same functions as a pattern.

cd "$(dirname "$0")" && . ./functions

hooked() {
	wc -l < $tracefs/enabled_functions
}

clear_all() {
	: > $dynamic
}

remove_group() {
	put '-:many/'
}

# make_many [SUFFIX]: define a group of events. Half of the functions have two events each.
make_many() {
	make_group f "$1"
	i=0
	sed 's/.* //' $dynamic | sed 's/%return//' | while read -r fn; do
		i=$((i + 1))
		[ $((i % 2)) = 0 ] || put "f:many/again$i $fn$1"
	done
	all=$(wc -l < $dynamic)
}

# Events that are defined but not enabled hook no function. Enabling hooks all functions at once, and
# each function is listed once, also with several events.
a_group_is_one_update() {
	load_target
	load_refuser
	for suffix in '' %return; do
		before=$(hooked)
		[ "$(updates make_many $suffix)" = 0 ]
		all=$(wc -l < $dynamic)
		[ "$all" -gt $N ]
		[ "$(hooked)" = "$before" ]
		for i in 1 2 3; do
			[ "$(updates group_on)" = 1 ]
			[ "$(enabled 1)" = "$all" ]
			[ "$(hooked)" = $((before + N)) ]
			[ "$(updates group_off)" = 1 ]
			[ "$(enabled 0)" = "$all" ]
			[ "$(hooked)" = "$before" ]
		done
		[ "$(updates clear_all)" = 0 ]
		empty $dynamic
	done
}

# The same for a single event that is enabled by its own file, and for one with several places.
one_by_one() {
	load_target
	load_refuser
	before=$(hooked)
	put 'f:many/a kprobe_target_traced' $dynamic
	put 'f:many/b kprobe_target_traced' $dynamic
	put 'f:many/both kprobe_target_traced' $dynamic
	put 'f:many/both kprobe_target_other' $dynamic
	put 'f:many/every kprobe_target_*' $dynamic
	[ "$(hooked)" = "$before" ]
	[ "$(updates enable many/a)" = 1 ]
	# It is hooked.
	[ "$(updates enable many/b)" = 0 ]
	[ "$(hooked)" = $((before + 1)) ]
	[ "$(updates enable many/both)" = 1 ]
	[ "$(hooked)" = $((before + 2)) ]
	[ "$(updates disable many/a many/b)" = 0 ]
	[ "$(updates disable many/both)" = 1 ]
	[ "$(hooked)" = "$before" ]
	[ "$(updates enable many/every)" = 1 ]
	[ "$(hooked)" -gt $((before + 2)) ]
	call 3
	recorded a 0
	recorded both 0
	[ "$(grep -c ' every: (kprobe_target_traced' $tracefs/trace)" = 3 ]
	[ "$(updates disable many/every)" = 1 ]
	[ "$(hooked)" = "$before" ]
}

# Every second definition adds a place to the event of the one before.
mixed_group() {
	make_group p
	put 'f:many/f1 kprobe_target_traced'
	put 'f:many/f2 kprobe_target_other%return'
	put 't:many/t1 kprobe_target_call'
	put 'p:many/p1 kprobe_test_target:kprobe_target_traced'
	all=$((N + 4))
}

all_kinds_in_one_group() {
	mixed_group
	load_refuser
	before=$(hooked)
	for i in $(seq 5); do
		# One update for the kprobe events, and one for the others, each of one or two
		# ftrace_ops. Functions that move between these leave the first one at the end.
		[ "$(updates group_on)" -le 4 ]
		[ "$(enabled 1)" = $all ]
		call 3
		[ "$(updates group_off)" -le 4 ]
		[ "$(enabled 0)" = $all ]
		call 3
	done
	for e in f1 f2 t1 p1; do
		recorded $e 15
	done
	[ "$(hooked)" = "$before" ]
	[ "$(updates clear_all)" = 0 ]
	[ "$(hooked)" = "$before" ]
	[ "$(cat $target/wrong)" = 0 ]
}

# One event of a group has a probe that is refused.
the_odd_one_out() {
	mixed_group
	load_refuser 5
	refused 'busy' 1 $group
	[ "$(cat $group)" = X ]
	[ "$(enabled 1)" = $((all - 1)) ]
	[ "$(cat $tracefs/events/many/e5/enable)" = 0 ]
	call 4
	group_off
	call 4
	for e in f1 f2 t1 p1; do
		recorded $e 4
	done
}

# Some events of a group cannot be hooked. These stay disabled, and all others are enabled.
odd_ones_out() {
	make_group f
	put 'f:many/mixed kprobe_target_traced' $dynamic
	put "f:many/mixed $(sed -n 5p "$tmp/functions" | sed 's/.* //')" $dynamic
	before=$(hooked)
	load_refuser 5 17
	for i in 1 2; do
		refused 'busy' 1 $group
		[ "$(cat $group)" = X ]
		[ "$(enabled 1)" = $((N - 2)) ]
		for e in e5 e17 mixed; do
			[ "$(cat $tracefs/events/many/$e/enable)" = 0 ]
		done
		[ "$(hooked)" = $((before + N - 2)) ]
		group_off
		[ "$(hooked)" = "$before" ]
	done
	# If one function of an event cannot be hooked, none of them is.
	refused 'busy' 1 $tracefs/events/many/mixed/enable
	[ "$(hooked)" = "$before" ]
	call 3
	recorded mixed 0
	unload_refuser
	group_on
	[ "$(enabled 1)" = $((N + 1)) ]
	call 3
	recorded mixed 3
}

perf_is_told_too() {
	load_target
	needs_perf_open
	put 'f:many/in kprobe_target_traced' $dynamic
	echo "0x$(awk '$2 == "kprobe_target_traced" { print $1 }' $addrs)" > "$tmp/addrs"
	load_refuser 1
	id=$(cat $tracefs/events/many/in/id)
	not "$perf_open" -e "$id" $target/call 3 2> "$tmp/err"
	grep -q busy "$tmp/err"
	empty $tracefs/enabled_functions
	unload_refuser
	[ "$("$perf_open" -e "$id" $target/call 3)" = 3 ]
	empty $tracefs/enabled_functions
}

clearing_is_all_or_nothing() {
	mixed_group
	cat $dynamic > "$tmp/before"
	enable many/p1
	events=$dynamic all_is_busy
	disable many/p1
	enable many/t1
	events=$dynamic all_is_busy
	cat $dynamic | cmp - "$tmp/before"
	disable many/t1
	clear_all
	empty $dynamic
}

hits_from_the_first() {
	load_target
	put 'f:many/in kprobe_target_traced' $dynamic
	put 'f:many/out kprobe_target_traced%return' $dynamic
	put 'f:many/twice kprobe_target_other' $dynamic
	put 'f:many/twice kprobe_target_traced' $dynamic
	put 't:many/passed kprobe_target_call' $dynamic
	on_and_off in out passed
}

# Events that are enabled in another instance stay enabled there.
an_instance_of_its_own() {
	load_target
	put 'f:many/in kprobe_target_traced' $dynamic
	put 't:many/passed kprobe_target_call' $dynamic
	mkdir $tracefs/instances/other
	echo 1 > $tracefs/instances/other/events/many/enable
	group_on
	call 2
	group_off
	call 2
	for e in in passed; do
		recorded $e 2
		recorded $e 4 other
	done
	rmdir $tracefs/instances/other
	call 2
	clear_all
	empty $dynamic
	empty $tracefs/enabled_functions
}

# Remove several points from enabled events that share a tracepoint.
points_of_several_events() {
	load_target
	load_refuser
	before=$(hooked)
	for e in a b; do
		put "t:many/$e kprobe_target_call" $dynamic
		put "t:many/$e sched_process_free" $dynamic
		put "f:many/f$e kprobe_target_other" $dynamic
		put "f:many/f$e kprobe_target_traced" $dynamic
	done
	group_on
	call 5
	recorded fa 10
	put '-:many/ kprobe_target_call' $dynamic
	before_going=$(hooked)
	[ "$(updates put '-:many/ kprobe_target_other' $dynamic)" = 1 ]
	[ "$(hooked)" = $((before_going - 1)) ]
	call 5
	recorded fa 15
	recorded fb 15
	[ "$(grep -c '[ab]: (__probestub_kprobe_target_call' $tracefs/trace)" = 10 ]
	# The points can be added again.
	for e in a b; do
		put "t:many/$e kprobe_target_call" $dynamic
	done
	call 5
	[ "$(grep -c '[ab]: (__probestub_kprobe_target_call' $tracefs/trace)" = 20 ]
	group_off
	clear_all
	[ "$(hooked)" = "$before" ]
	[ "$(cat $target/wrong)" = 0 ]
}

# Functions of a module are removed in one update, and enabled events stay enabled.
module_goes_and_comes() {
	load_target
	load_refuser
	for i in $(seq 8); do
		put "f:many/in$i kprobe_target_traced" $dynamic
		put "f:many/out$i kprobe_target_other%return" $dynamic
		put "f:many/third$i kprobe_target_black" $dynamic
		put "t:many/passed$i kprobe_target_call" $dynamic
	done
	group_on
	call 2
	# One update for functions of the tracepoint, and one for all others.
	[ "$(updates rmmod kprobe_test_target)" = 2 ]
	not grep kprobe_target $tracefs/enabled_functions
	# Events without functions can be enabled and disabled, too.
	group_off
	group_on
	: > $tracefs/trace
	load_target
	call 2
	for i in $(seq 8); do
		recorded in$i 3
		recorded out$i 3
		recorded third$i 3
		recorded passed$i 3
	done
	[ "$(cat $target/wrong)" = 0 ]
	rmmod kprobe_test_target
	group_off
	[ "$(updates clear_all)" = 0 ]
	empty $dynamic
}

nobody_waits() {
	load_target
	# Check that a wait is found.
	load_or_skip kprobe_test_prober
	waits rmmod kprobe_test_prober > "$tmp/control"
	grep synchronize_rcu "$tmp/control"

	# Records in the buffer would need a reset, which waits.
	for way in ": > $dynamic" "echo -:many/ >> $dynamic"; do
		for i in $(seq 8); do
			put "f:many/in$i kprobe_target_traced" $dynamic
			put "f:many/out$i kprobe_target_other%return" $dynamic
			put "t:many/passed$i kprobe_target_call" $dynamic
		done
		no_waits sh -c "$way"
		empty $dynamic
	done
	make_group f
	put 't:many/passed kprobe_target_call' $dynamic
	no_waits sh -c "echo 1 > $group"
	no_waits sh -c "echo 0 > $group"
	for e in e1 passed; do
		enable many/$e
		no_waits sh -c "echo 0 > $tracefs/events/many/$e/enable"
	done
}

nobody_waits_for_perf() {
	load_target
	needs_perf_open
	put 'f:many/in kprobe_target_traced' $dynamic
	put 'f:many/out kprobe_target_other%return' $dynamic
	put 't:many/passed kprobe_target_call' $dynamic
	for e in in out passed; do
		id=$(cat $tracefs/events/many/$e/id)
		[ "$(waits "$perf_open" -e "$id" $target/call 3)" = 3 ]
	done
}

# Groups are enabled and disabled while other CPUs hit them.
groups_under_fire() {
	load_target
	needs_perf_open
	start_callers 1
	for round in $(rounds 15); do
		for i in $(seq 5); do
			put "f:many/in$i kprobe_target_traced x=\$arg1" $dynamic
			put "f:many/out$i kprobe_target_other%return \$retval" $dynamic
			put "f:many/all$i kprobe_target_*" $dynamic
			put "t:many/passed$i kprobe_target_call x=\$arg1" $dynamic
		done
		group_on
		for e in in1 out1 passed1; do
			id=$(cat $tracefs/events/many/$e/id)
			[ "$("$perf_open" -e "$id" $target/call 5)" = 5 ]
		done
		group_off
		if [ $((round % 2)) = 0 ]; then
			clear_all
		else
			remove_group
		fi
	done
	stop_callers
	empty $dynamic
	empty $tracefs/enabled_functions
}

# found PLACE: the functions that an event on PLACE hooks, or "refused".
found() {
	if put "f:many/found $1" $dynamic 2> /dev/null; then
		enable many/found
		sed 's/ .*//' $tracefs/enabled_functions | sort | uniq -c
		disable many/found
		put '-:many/found' $dynamic
	else
		echo refused
	fi
}

# Names that ftrace has for at least and at most so many functions.
shared_names() {
	awk -v least="$1" -v most="$2" '
		NF == 1 { n[$1]++ }
		END { for (f in n) if (n[f] >= least && n[f] <= most) print f }
		' $tracefs/available_filter_functions | sort | head -n 4
}

# Further names of functions (aliases), in the order of addresses.
aliases() {
	awk '$2 ~ /[tT]/ && $4 == "" { if ($1 == last) print name, $3; last = $1; name = $3 }
		' /proc/kallsyms | grep -v '__cfi_\|__pfx_' | tail -n 3 | tr ' ' '\n'
}

a_name_is_its_pattern() {
	load_target
	{
		echo kprobe_target_traced
		echo kprobe_target_plain
		echo kprobe_target_init
		echo vfs_read
		echo jiffies
		echo no_such_function
		shared_names 2 2
		shared_names 3 8
		shared_names 9 9
		shared_names 10 100
		aliases
	} > "$tmp/names"
	cat "$tmp/names"
	[ "$(wc -l < "$tmp/names")" -ge 14 ]
	while read -r name; do
		rest=${name#?}
		found "$name" > "$tmp/by_name"
		found "[${name%"$rest"}]$rest" > "$tmp/by_pattern"
		cmp "$tmp/by_name" "$tmp/by_pattern"
		cat "$tmp/by_name"
	done < "$tmp/names" > "$tmp/all"
	# Check that not all are refused.
	grep -q refused "$tmp/all"
	grep -q ' 2 ' "$tmp/all"
	grep -q '^ *1 kprobe_target_traced$' "$tmp/all"
}

begin_dynamic 'f[:[<group>/][<event>]]'
for t in a_group_is_one_update one_by_one all_kinds_in_one_group the_odd_one_out odd_ones_out \
	perf_is_told_too clearing_is_all_or_nothing hits_from_the_first an_instance_of_its_own \
	points_of_several_events module_goes_and_comes nobody_waits nobody_waits_for_perf \
	groups_under_fire a_name_is_its_pattern; do
	run $t
	unload_refuser
done
finish
