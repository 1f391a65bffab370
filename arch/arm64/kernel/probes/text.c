// SPDX-License-Identifier: GPL-2.0-only
/*
 * arm64: writing instructions into the text, many at a time.
 *
 * Some instructions may be exchanged for one another while other CPUs execute them: B, BL, BRK,
 * HVC, ISB, NOP, SMC and SVC (DDI 0487, B2.2.5 "Concurrent modification and execution of
 * instructions"). A CPU then executes either the old one or the new one, and the new one from its
 * next context synchronization on. Breakpoints and jumps are among them, what they displace is
 * mostly not. For anything else no CPU may be executing it, so the machine is stopped, once for
 * as many instructions as there is memory to list.
 *
 * Either way every CPU synchronizes its context before it can get to a jump, so none has old
 * instructions of a detour that has been written before.
 */
#include <linux/gfp.h>
#include <linux/kprobes.h>
#include <linux/perf_event.h>
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

static void write_live(struct text_writes *w)
{
	unsigned int i;

	/*
	 * Of slots, which may have been others' before, CPUs may have old instructions; and what
	 * detours load must have been written. Not to be left out.
	 */
	kick_all_cpus_sync();
	for (i = 0; i < w->nr; i++)
		aarch64_insn_patch_text_nosync(w->addrs[i], w->insns[i]);
	/* Nobody executes the old ones when this is done. */
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
		aarch64_insn_patch_text(w->addrs, w->insns, w->nr);
	kprobe_test_step();
	w->nr = 0;
	w->live = true;
}

/**
 * kprobe_text_begin - get ready to write instructions
 * @w: to be filled
 * @nr: how many there will be
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
 * kprobe_text_write - write an instruction, now or when writing ends
 * @w: from kprobe_text_begin()
 * @addr: where, in kernel text
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
 * kprobe_text_end - have everything written and seen by all CPUs
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
