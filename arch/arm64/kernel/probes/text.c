// SPDX-License-Identifier: GPL-2.0-only
/*
 * arm64: write many instructions of the text at once.
 *
 * Some instructions can be exchanged for one another while other CPUs execute them: B, BL, BRK,
 * HVC, ISB, NOP, SMC and SVC (DDI 0487, B2.2.5 "Concurrent modification and execution of
 * instructions"). A CPU then executes the old or the new one, and the new one after its next
 * context synchronization. Breakpoints and jumps are among these, but most probed instructions are
 * not. No CPU may execute other instructions while they are written, so the machine is stopped,
 * once for KPROBE_MAX_PER_STOP instructions if there is memory for a list of them.
 *
 * In both cases all CPUs synchronize their context before they can reach a jump, so no CPU executes
 * stale instructions in the detour.
 */
#include <linux/gfp.h>
#include <linux/kprobe_delay.h>
#include <linux/kprobes.h>
#include <linux/minmax.h>
#include <linux/perf_event.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/smp.h>

#include <asm/insn.h>
#include <asm/patching.h>

#include "private.h"

static bool is_exchangeable(u32 insn)
{
	return aarch64_insn_is_b(insn) || aarch64_insn_is_bl(insn) || aarch64_insn_is_brk(insn) ||
	       aarch64_insn_is_hvc(insn) || aarch64_insn_is_isb(insn) ||
	       aarch64_insn_is_smc(insn) || aarch64_insn_is_svc(insn) ||
	       insn == aarch64_insn_gen_nop();
}

static void write_stopped(struct text_writes *w)
{
	unsigned int i, nr;

	for (i = 0; i < w->nr; i += nr) {
		nr = min(w->nr - i, KPROBE_MAX_PER_STOP);
		aarch64_insn_patch_text(w->addrs + i, w->insns + i, nr);
		cond_resched();
	}
}

static void write_live(struct text_writes *w)
{
	unsigned int i;

	/*
	 * A slot may have been used before, so CPUs may have stale instructions of it. Also, data
	 * that a detour loads must be visible before the jump is.
	 */
	kick_all_cpus_sync();
	for (i = 0; i < w->nr; i++) {
		aarch64_insn_patch_text_nosync(w->addrs[i], w->insns[i]);
		cond_resched();
	}
	kprobe_delay_point(DELAY_BREAKPOINT_WRITTEN);
	/* After this, no CPU executes the old instructions. */
	kick_all_cpus_sync();
}

static void write_all(struct text_writes *w)
{
	if (!w->nr)
		return;
	kprobe_test_step();
	if (w->live)
		write_live(w);
	else
		write_stopped(w);
	kprobe_test_step();
	w->nr = 0;
	w->live = true;
}

/**
 * kprobe_text_begin - prepare to write instructions
 * @w: is initialized
 * @nr: number of instructions
 *
 * Context: text_mutex and cpus_read_lock held. Sleeps.
 */
void kprobe_text_begin(struct text_writes *w, unsigned int nr)
{
	w->nr = 0;
	w->live = true;
	w->room = ARRAY_SIZE(w->few_addrs);
	w->addrs = w->few_addrs;
	w->insns = w->few_insns;
	if (nr <= w->room)
		return;
	w->addrs = kvmalloc_array(nr, sizeof(*w->addrs), GFP_KERNEL);
	w->insns = kvmalloc_array(nr, sizeof(*w->insns), GFP_KERNEL);
	if (w->addrs && w->insns) {
		w->room = nr;
		return;
	}
	kvfree(w->addrs);
	kvfree(w->insns);
	w->addrs = w->few_addrs;
	w->insns = w->few_insns;
}

/**
 * kprobe_text_write - write an instruction, now or in kprobe_text_end()
 * @w: from kprobe_text_begin()
 * @addr: its address in kernel text
 * @insn: the instruction
 *
 * Context: text_mutex and cpus_read_lock held. Sleeps.
 */
void kprobe_text_write(struct text_writes *w, void *addr, u32 insn)
{
	__le32 old, new = cpu_to_le32(insn);
	u32 was;

	if (WARN_ON_ONCE(aarch64_insn_read(addr, &was)))
		return;
	old = cpu_to_le32(was);
	perf_event_text_poke(addr, &old, sizeof(old), &new, sizeof(new));
	w->live &= is_exchangeable(was) && is_exchangeable(insn);
	w->addrs[w->nr] = addr;
	w->insns[w->nr++] = insn;
	if (w->nr == w->room)
		write_all(w);
}

/**
 * kprobe_text_end - write all instructions and sync all CPUs
 * @w: from kprobe_text_begin()
 *
 * Context: text_mutex and cpus_read_lock held. Sleeps.
 */
void kprobe_text_end(struct text_writes *w)
{
	write_all(w);
	if (w->addrs == w->few_addrs)
		return;
	kvfree(w->addrs);
	kvfree(w->insns);
}
