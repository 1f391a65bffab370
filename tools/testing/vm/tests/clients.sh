#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Debian's bpftrace, perf and trace-cmd: they have to count all calls. Runs with the host's root
# directory. check.py sets TOP and VMLINUX before this.

# shellcheck source=tools/testing/selftests/kprobes/functions
. "$TOP/tools/testing/selftests/kprobes/functions"

plain=$tracefs/instances/plain

# Prefix of system calls, and the register with return values.
case $(uname -m) in
aarch64)	sys=__arm64_sys reg_ret=%x0 ;;
*)		sys=__x64_sys reg_ret=%ax ;;
esac

# Clients count calls of vfs_write() while this runs: one for each byte that dd writes.
bytes=1000
write_bytes="$(command -v dd) if=/dev/zero of=/dev/null bs=1 count=$bytes status=none"

needs() {
	command -v "$1" > /dev/null || skip "there is no $1"
}

# Many functions at a time

# System calls without starting a process. Begins when the FIFO is opened.
cat > "$tmp/worker" <<'END'
read -r line < "$1/go"
i=0
while [ $i -lt 200 ]; do
	read -r line < /etc/passwd
	echo "$line" > "$1/copy"
	cd /proc
	[ -e "$1/copy" ]
	cd "$1"
	kill -0 $$
	i=$((i + 1))
done
END

# Trace each call of these functions by this process in an instance.
trace_plainly() {
	mkdir $plain
	echo "$1" > $plain/set_ftrace_pid
	printf '%s\n' "$2" > $plain/set_ftrace_filter
	echo 8192 > $plain/buffer_size_kb
	echo function > $plain/current_tracer
}

multi_links() {
	cat "/proc/$1/fdinfo/"* 2> /dev/null | grep -c 'link_type:.kprobe_multi' || :
}

# Wait until it polls for events, after it has attached all probes, or has ended.
bpftrace_is_there() {
	not kill -0 "$bpftrace" || grep -q '^attached$' "$tmp/out"
}

bpftrace_runs() {
	set +x
	until_it bpftrace_is_there
	set -x
	cat "$tmp/out"
	kill -0 "$bpftrace"
}

# Functions and their number of calls in the instance.
plain_counts() {
	grep overrun: $plain/per_cpu/cpu*/stats > "$tmp/overruns"
	not grep -v 'overrun: 0$' "$tmp/overruns"
	awk '!/^#/ { n[$(NF - 1)] += /<-/ } END { for (f in n) print f, n[f] }' $plain/trace |
		sort
}

bpftrace_by_kprobe_multi() {
	needs bpftrace
	mkfifo "$tmp/go"
	sh "$tmp/worker" "$tmp" &
	worker=$!
	started="$started $worker"
	not grep . $tracefs/enabled_functions

	bpftrace -e "kprobe:${sys}_*, kprobe:vfs_* /pid == $worker/ { @calls[func] = count(); }
		kretprobe:${sys}_*, kretprobe:vfs_* /pid == $worker/ { @returns = count(); }
		interval:s:1 { printf(\"attached\n\"); }" > "$tmp/out" 2>&1 &
	bpftrace=$!
	started="$started $bpftrace"
	bpftrace_runs
	# It uses one link for each pattern, not a probe for each function.
	multi_links $bpftrace
	[ "$(multi_links $bpftrace)" = 4 ]
	[ "$(grep -c . $tracefs/enabled_functions)" -ge 100 ]
	trace_plainly $worker "${sys}_* vfs_*"

	: > "$tmp/go"
	wait $worker
	echo 0 > $plain/tracing_on
	kill -INT $bpftrace
	wait $bpftrace
	started=

	plain_counts > "$tmp/plain"
	sed -n 's/^@calls\[\(.*\)\]: /\1 /p' "$tmp/out" | sort > "$tmp/counted"
	diff "$tmp/plain" "$tmp/counted"
	# Calls that the worker certainly makes.
	grep -x "${sys}_kill 200" "$tmp/counted"
	# All calls return except for the one that ends the process.
	awk -v last=${sys}_exit_group '$1 != last { n += $2 } END { print "@returns: " n }' \
		"$tmp/plain" > "$tmp/returns"
	cat "$tmp/returns"
	grep -xF -f "$tmp/returns" "$tmp/out"
	# Nothing is left behind.
	echo nop > $plain/current_tracer
	not grep . $tracefs/enabled_functions
}

bpftrace_on_one_function() {
	needs bpftrace
	bpftrace -c "$write_bytes" -e '
		kprobe:vfs_write /pid == cpid/ { @calls = count(); @sum = sum(arg2); }
		kretprobe:vfs_write /pid == cpid/ { @returns = count(); @written = sum(retval); }' |
		tee "$tmp/out"
	for name in calls sum returns written; do
		grep -x "@$name: $bytes" "$tmp/out"
	done
	[ -z "$(cat $kprobes/list)" ]
}

# BPF trampolines at a probed function.
bpftrace_with_trampolines() {
	needs bpftrace
	[ -e /sys/kernel/btf/vmlinux ] || skip "no BTF"
	bpftrace -c "$write_bytes" -e '
		kfunc:vfs_write /pid == cpid/ { @entered = count(); }
		kprobe:vfs_write /pid == cpid/ { @calls = count(); }
		kretprobe:vfs_write /pid == cpid/ { @returns = count(); }
		kretfunc:vfs_write /pid == cpid/ { @written = sum(retval); }' |
		tee "$tmp/out"
	for name in entered calls returns written; do
		grep -x "@$name: $bytes" "$tmp/out"
	done
	[ -z "$(cat $kprobes/list)" ]
}

# perf

# probed EVENT VALUE ARGUMENT...: perf probe with these arguments defines EVENT. perf stat and perf
# record see each hit, and records end with VALUE.
probed() {
	needs perf
	event=$1
	value=$2
	shift 2
	perf probe -q "$@"
	cat $events
	perf stat -x, -o "$tmp/stat" -e "$event" -- $write_bytes
	cat "$tmp/stat"
	[ "$(awk -F, -v e="$event" '$3 == e { print $1 }' "$tmp/stat")" = $bytes ]
	perf record -q -o "$tmp/perf.data" -c 1 -e "$event" -- $write_bytes
	perf script -i "$tmp/perf.data" > "$tmp/script"
	[ "$(grep -c "$event:.*$value\$" "$tmp/script")" = $bytes ]
	perf probe -q -d "$event"
	[ -z "$(cat $events)" ]
}

perf_probe_at_entry() {
	probed probe:mine '' -a mine=vfs_write
}

perf_probe_at_return() {
	probed probe:mine__return arg1=0x1 -a 'mine=vfs_write%return $retval'
}

# With the debug information of the running kernel.
perf_probe_of_a_variable() {
	[ -e "$VMLINUX" ]
	probed probe:mine count=0x1 -k "$VMLINUX" -a 'mine=vfs_write count'
}

# Functions that tracing, hits or writes to text call. perf probes them and unwinds the stack at each
# hit, on all CPUs.
own_means='irq_work_queue irq_work_run copy_from_kernel_nofault strncpy_from_kernel_nofault
	memcpy memset strlen strcmp strscpy vsnprintf vprintk_emit ktime_get ktime_get_mono_fast_ns
	sched_clock local_clock trace_clock_local call_rcu rcu_note_context_switch rcu_core
	_raw_spin_lock _raw_spin_lock_irqsave _raw_spin_unlock_irqrestore _raw_spin_unlock
	native_queued_spin_lock_slowpath perf_trace_buf_alloc perf_tp_event perf_swevent_event
	perf_output_begin_forward perf_output_end perf_prepare_sample perf_callchain
	get_perf_callchain trace_call_bpf ring_buffer_lock_reserve ring_buffer_unlock_commit
	event_triggers_call filter_match_preds kfree kmem_cache_alloc_noprof ___slab_alloc
	get_page_from_freelist notify_die search_exception_tables preempt_count_add
	preempt_count_sub schedule preempt_schedule_irq text_poke_bp_batch __text_poke
	on_each_cpu_cond_mask smp_call_function_many_cond do_sync_core kallsyms_lookup
	unwind_next_frame __unwind_start arch_stack_walk kernel_text_address
	is_module_text_address __module_address update_curr hrtimer_interrupt irq_enter_rcu
	irq_exit_rcu handle_softirqs do_idle tick_nohz_idle_enter tick_nohz_idle_exit
	native_write_msr __fdget_pos mutex_lock mutex_unlock down_read up_read __wake_up
	try_to_wake_up ttwu_do_activate wake_up_process queued_spin_lock_slowpath
	aarch64_insn_patch_text_nosync aarch64_insn_write aarch64_insn_patch_text
	multi_cpu_stop stop_machine_cpuslocked caches_clean_inval_pou flush_icache_range
	gic_handle_irq generic_handle_domain_irq arch_timer_read_counter'

perf_of_what_tracing_calls() {
	needs perf
	set +x
	for function in $own_means; do
		# Some do not exist, or are refused because hits run them.
		put "p:own/p_$function $function s=+0(%sp):string" || :
		put "r:own/r_$function $function s=+0($reg_ret):string" || :
	done 2> /dev/null
	chosen=$(sed 's|^[^:]*:own/\([^ ]*\) .*|-e own:\1|' $events)
	set -x
	[ "$(grep -c . $events)" -ge 100 ]
	# perf ends although its own actions hit probes. There are more records than it can write.
	perf record -q -a -g -o "$tmp/perf.data" $chosen -- $write_bytes
	perf report -i "$tmp/perf.data" --stdio -g none -s sym > "$tmp/report" 2> /dev/null
	[ "$(grep -c '^# Samples: .*own:' "$tmp/report")" -ge 30 ]
	echo > $events
	[ -z "$(cat $kprobes/list)" ]
}

trace_cmd_records_an_event() {
	needs trace-cmd
	put 'p:mine vfs_write count=$arg3'
	put 'r:mine_ret vfs_write ret=$retval:s64'
	trace-cmd record -q -o "$tmp/trace.dat" -e kprobes -F $write_bytes
	trace-cmd report -i "$tmp/trace.dat" > "$tmp/report" 2> /dev/null
	tail -n 3 "$tmp/report"
	[ "$(grep -c 'mine:.* count=0x1$' "$tmp/report")" = $bytes ]
	# The first record is the return of the write that enables tracing; those of dd follow.
	awk '/ mine: / { begun = 1 } / mine_ret: .* ret=1$/ { n += begun } END { print n }' \
		"$tmp/report" > "$tmp/returns"
	[ "$(cat "$tmp/returns")" = $bytes ]
}

trace_cmd_shows_names_and_wide_numbers() {
	needs trace-cmd
	put 'p:attached attach_pid type:enum wide=$arg2:x128'
	trace-cmd record -q -o "$tmp/trace.dat" -e kprobes sh -c '/bin/true; /bin/true'
	trace-cmd report -i "$tmp/trace.dat" > "$tmp/report" 2> /dev/null
	tail -n 3 "$tmp/report"
	[ "$(grep -c 'attached:.* type=PIDTYPE_PID wide=0x00*[0-3]$' "$tmp/report")" -ge 1 ]
}

begin
run bpftrace_by_kprobe_multi
run bpftrace_on_one_function
run bpftrace_with_trampolines
run perf_probe_at_entry
run perf_probe_at_return
run perf_probe_of_a_variable
run perf_of_what_tracing_calls
run trace_cmd_records_an_event
run trace_cmd_shows_names_and_wide_numbers
finish
