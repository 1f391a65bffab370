#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# CPUs go offline and online while probes are hit and planted.

cd "$(dirname "$0")" && . ./functions

cpu=/sys/devices/system/cpu/cpu1/online

needs_cpu() {
	[ -w $cpu ] || skip "no CPU that can be taken offline"
	load_target
	# The CPU is online again after the test in any case.
	undo=back_online
}

back_online() {
	echo 1 > $cpu
}

hits_are_counted() {
	needs_cpu
	put "p:plain $inside"
	put 'r:ret kprobe_test_target:kprobe_target_traced'
	echo 1 > $tracefs/events/kprobes/enable
	start_callers 4
	for i in 1 2 3 4 5; do
		echo 0 > $cpu
		echo 1 > $cpu
	done
	stop_callers
	hits plain "$(calls_made)"
	hits ret "$(calls_made)"
}

planted_while_offline() {
	needs_cpu
	echo 0 > $cpu
	put "p:plain $inside"
	put 'r:ret kprobe_test_target:kprobe_target_traced'
	echo 1 > $tracefs/events/kprobes/enable
	call 10
	echo 1 > $cpu
	# On the CPU that was offline while text was patched.
	if command -v taskset > /dev/null; then
		taskset 2 sh -c "echo 10 > $target/call"
	else
		call 10
	fi
	hits plain 20
	hits ret 20
	echo 0 > $cpu
	echo 0 > $tracefs/events/kprobes/enable
	echo 1 > $cpu
	call 10
	hits plain 20
	hits ret 20
}

plant_again_and_again() {
	for _ in $(rounds 40); do
		put "p:more $inside"
		enable kprobes/more
		call 10
		hits more 10
		disable kprobes/more
		put '-:more'
	done
}

planted_all_the_while() {
	needs_cpu
	start plant_again_and_again
	for i in 1 2 3 4 5; do
		echo 0 > $cpu
		echo 1 > $cpu
	done
	finish_all
	[ "$(cat $target/wrong)" = 0 ]
}

# Functions that a CPU runs before it can take a trap. Some kernels lack some of them.
not_before_it_can_take_a_trap() {
	needs_cpu
	grep -q 'start_secondary$' /proc/kallsyms || skip "no x86"
	for f in start_secondary cr4_init native_write_cr4 native_write_gdt_entry \
		cpu_init_exception_handling load_current_idt early_setup_idt; do
		not load kprobe_test_prober symbol=$f
	done
	echo 0 > $cpu
	echo 1 > $cpu
}

# Functions soon after that.
hit_as_it_comes_up() {
	needs_cpu
	for f in cpu_init load_ucode_ap notify_cpu_starting; do
		load kprobe_test_prober symbol=$f || continue
		echo $f >> "$tmp/probed"
		echo 0 > $cpu
		echo 1 > $cpu
		[ "$(cat $prober/hits)" = 1 ]
		rmmod kprobe_test_prober
	done
	[ -s "$tmp/probed" ] || skip "nothing that it runs can be probed"
}

tracer_and_cpu_back() {
	echo nop > $tracefs/current_tracer
	[ ! -e $jumps ] || echo 1 > $jumps
	back_online
}

# The function tracer runs on a CPU that comes up, with a breakpoint in the code that records.
traced_as_it_comes_up() {
	needs_cpu
	grep -qw function $tracefs/available_tracers || skip "no function tracer"
	jumps=/proc/sys/debug/kprobes-optimization
	undo=tracer_and_cpu_back
	[ ! -e $jumps ] || echo 0 > $jumps
	planted=
	for n in 4 8 5 6 7 9 10 11 12; do
		load kprobe_test_prober symbol=ring_buffer_lock_reserve offset=$n post=1 || continue
		planted=y
		break
	done
	[ $planted ]
	echo 0 > $cpu
	echo function > $tracefs/current_tracer
	echo 1 > $cpu
	echo nop > $tracefs/current_tracer
	[ "$(cat $prober/hits)" -gt 0 ]
}

# A handler reads where nothing is mapped, on a CPU that has not loaded its interrupt table yet.
fault_as_it_comes_up() {
	needs_cpu
	grep -q 'load_current_idt$' /proc/kallsyms || skip "no x86"
	put 'f:early load_current_idt bad=@0xffffc8fffffff000' $dynamic
	enable fprobes/early
	echo 0 > $cpu
	echo 1 > $cpu
	disable fprobes/early
	grep 'early:.* bad=0x0$' $tracefs/trace
}

begin
run hits_are_counted
run planted_while_offline
run planted_all_the_while
run not_before_it_can_take_a_trap
run hit_as_it_comes_up
run traced_as_it_comes_up
run fault_as_it_comes_up
finish
