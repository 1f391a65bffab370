#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Random sequences of what users do with probe events, by several processes in several instances,
# while modules, live patches, processors and global settings change. After all of them have ended,
# events can be removed, and nothing is left: the text of the kernel is what it was before the
# round, byte by byte. If the kernel can let memory fail, it does. Boot with kmemleak=on to find
# leaks, too.
#
#	SEED=7 ROUNDS=500 ./sequences.sh
#
# SEED is printed. It defines what each process does, but not how the processes interleave.

cd "$(dirname "$0")" && . ./functions

SEED=${SEED:-$(($(date +%s) % 1000000))}
# Kernels in which memory may fail are slow.
if memory_may_fail; then
	ROUNDS=${ROUNDS:-3}
	LIMIT_OF_ROUND=${LIMIT_OF_ROUND:-40}
fi
ROUNDS=${ROUNDS:-6}
patch=/sys/kernel/livepatch/livepatch_sample
# Number of actions of each process in a round, and the longest time.
STEPS=${STEPS:-100}
LIMIT_OF_ROUND=${LIMIT_OF_ROUND:-10}

# Restore all settings. The function tracer traces the probed functions, and perhaps more.
set_all_on() {
	printf 'vfs_unlink\ndo_unlinkat\npath_openat\n' > $tracefs/set_ftrace_filter 2> /dev/null || true
	echo 1 > /sys/devices/system/cpu/cpu1/online 2> /dev/null || true
	echo nop > $tracefs/current_tracer
	echo 1 > /proc/sys/kernel/ftrace_enabled
	echo 1 > $kprobes/enabled
	[ ! -e /proc/sys/debug/kprobes-optimization ] || echo 1 > /proc/sys/debug/kprobes-optimization
}

# A patch goes after all tasks have left its functions.
patch_goes() {
	[ ! -e $patch ] || echo 0 > $patch/enabled
	[ ! -e $patch ]
}

unpatch() {
	until_it patch_goes
	rmmod livepatch_sample 2> /dev/null || true
}

has_patch() {
	[ -d /sys/kernel/livepatch ] &&
		[ -n "$(find "/lib/modules/$(uname -r)" -name 'livepatch-sample.ko*')" ]
}

leave_none() {
	set_all_on
	unpatch
	echo 0 > $tracefs/events/enable
	echo > $dynamic
	rmmod kprobe_test_args 2> /dev/null
}

take_down() {
	unpatch
	echo 0 > $tracefs/events/enable
	for i in $tracefs/instances/seq*/; do
		[ ! -d "$i" ] || echo 0 > "$i/events/enable"
	done
	for t in $tracefs/events/seq?/*/trigger $tracefs/instances/*/events/seq?/*/trigger; do
		[ -e "$t" ] || continue
		grep -v '^#' "$t" | sed 's/ \[.*//; s/^/!/' > "$tmp/triggers"
		while read -r line; do
			echo "$line" > "$t"
		done < "$tmp/triggers"
	done
	for i in $tracefs/instances/seq*/; do
		[ ! -d "$i" ] || rmdir "$i"
	done
	echo > $dynamic
}

nothing_is_left() {
	cat $dynamic $kprobes/list $tracefs/enabled_functions
	empty $dynamic
	empty $tracefs/kprobe_profile
	# Removed probes are gone after a grace period at the latest.
	until_it empty $kprobes/list
	until_it empty $tracefs/enabled_functions
	rmmod kprobe_test_target 2> /dev/null || true
	load_target
	call 20
	[ "$(cat $target/wrong)" = 0 ]
	[ "$(cat $args/failed)" = 0 ]
	rmmod kprobe_test_target kprobe_test_args
}

# perf changes its static branches a second after the last event of a task has gone. If that happens
# after text was saved, it never becomes the same again.
keep_perf_on() {
	needs_perf_open
	mkfifo "$tmp/keep"
	"$perf_open" -k < "$tmp/keep" > "$tmp/kept" &
	exec 4> "$tmp/keep"
	until_it grep -q open "$tmp/kept"
}

# Load modules from memory. The file system of the guest does not recover when memory has failed in it.
modules_in_memory() {
	for m in kprobe_test_target kprobe_test_args livepatch-sample; do
		file=$(find "/lib/modules/$(uname -r)" -name "$m.ko")
		[ -n "$file" ] || continue
		cp "$file" "$tmp/$m.ko"
	done
	[ -e "$tmp/kprobe_test_target.ko" ] || return 0
	# shellcheck disable=SC2016 # $1 is the parameter of that script
	printf '#!/bin/sh\nexec insmod "%s/$1.ko"\n' "$tmp" > "$tmp/load"
	chmod +x "$tmp/load"
	export MODPROBE="$tmp/load"
}

# 6.12 warns if it has no memory to record comms for the first event that is enabled: let an instance
# record some event until the round is over.
keep_comms() {
	mkdir $tracefs/instances/keep
	echo 1 > $tracefs/instances/keep/events/sched/sched_process_exit/enable
}

# The text of the kernel and of modules, if the kernel shows it.
save_text() {
	[ ! -e /proc/kcore ] || "$kernel_text" save "$tmp/text"
}

text_is_same() {
	[ ! -e /proc/kcore ] || "$kernel_text" compare "$tmp/text" > "$tmp/changed"
}

# Static branches and probes are written by deferred work.
text_becomes_same() {
	until_it text_is_same || { cat "$tmp/changed"; return 1; }
	[ ! -e /proc/kcore ] || cat "$tmp/changed" >> "$tmp/texts"
}

# The kernel log must have no warning; the harness checks it, too.
no_complaint() {
	dmesg > "$tmp/after"
	grep -vxFf "$tmp/before" "$tmp/after" > "$tmp/new" || true
	not grep -E 'WARNING:|BUG:|Oops|INFO: task|general protection|lockdep' "$tmp/new"
}

one_round() {
	dmesg > "$tmp/before"
	set_all_on
	keep_comms
	load_target
	load_or_skip kprobe_test_args
	save_text
	"$program" "$SEED" "$round" "$STEPS" "$LIMIT_OF_ROUND" > "$tmp/did"
	cat "$tmp/did"
	echo "# round $round: $(cat "$tmp/did")" >&3
	set_all_on
	take_down
	text_becomes_same
	nothing_is_left
	no_complaint
	cat "$tmp/did" >> "$tmp/all"
}

# The last user of a function is removed while ftrace is off. ftrace checks that nothing is left.
last_user_goes_while_ftrace_is_off() {
	dmesg > "$tmp/before"
	printf 'p:seqx/e vfs_unlink\np:seqy/e vfs_rmdir\n' > $dynamic
	echo 1 > $tracefs/events/seqx/enable
	echo 0 > /proc/sys/kernel/ftrace_enabled
	echo 0 > $tracefs/events/seqx/enable
	echo 1 > /proc/sys/kernel/ftrace_enabled
	echo 1 > $tracefs/events/seqy/enable
	echo 0 > $tracefs/events/seqy/enable
	echo > $dynamic
	until_it empty $tracefs/enabled_functions
	no_complaint
}

# That a probe changes text is seen, and where.
a_patched_byte_is_seen() {
	[ -e /proc/kcore ] || skip "no /proc/kcore"
	load_target
	save_text
	put "p:seqx/e $inside" $dynamic
	enable seqx/e
	# Recording of comms has changed the text of tracepoints, too.
	not text_is_same
	cat "$tmp/changed"
	where=$(printf '%s+0x%x' "${inside%+*}" "${inside##*+}" | sed 's/:/: /')
	grep "^$where was" "$tmp/changed"
	[ "$(grep -c '^kprobe_test.* was' "$tmp/changed")" = 1 ]
	disable seqx/e
	put '-:seqx/e' $dynamic
	text_becomes_same
}

# The text of the module that stays was compared in each round. The other one moves.
text_was_compared() {
	[ -e /proc/kcore ] || skip "no /proc/kcore"
	sort "$tmp/texts" | uniq -c
	[ "$(grep -cw 'kernel.*kprobe_test_args' "$tmp/texts")" -ge "$ROUNDS" ]
}

# Each action was done, and most of them several times. To clear all events fails while one of them is
# enabled somewhere, which may be the case at each attempt.
it_was_something() {
	tr ' ' '\n' < "$tmp/all" | grep . | paste -d ' ' - - | awk '
		{ split($2, n, "/"); done[$1] += n[1]; tried[$1] += n[2] }
		END { for (d in done) print d, done[d], tried[d] }' > "$tmp/sum"
	cat "$tmp/sum"
	grep "^clear [0-9]* [1-9]" "$tmp/sum"
	for deed in define enable remove hit look perf instance load unload arm processor \
		$(! has_patch || echo patch) $(! memory_may_fail || echo memory); do
		grep "^$deed [1-9]" "$tmp/sum"
	done
}

begin
exec 3>&1
keep_perf_on
forget_leaks
! let_memory_fail || modules_in_memory
needs_program kernel_text
kernel_text=$program
needs_program sequences
echo "# SEED=$SEED"
undo=leave_none
run a_patched_byte_is_seen
for round in $(seq "$ROUNDS"); do
	eval "round_$round() { one_round; }"
	run round_$round
done
run last_user_goes_while_ftrace_is_off
run it_was_something
run text_was_compared
run nothing_is_lost
exec 4>&-
echo > $tracefs/set_ftrace_filter 2> /dev/null || true
finish
