// SPDX-License-Identifier: GPL-2.0-only
/* arm64: when handlers choose where to go on from a jump; see detour_entry.S. */
#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/kprobes.h>
#include <linux/ptrace.h>
#include <linux/stddef.h>

#include <asm/cpufeature.h>
#include <asm/daifflags.h>
#include <asm/insn.h>
#include <asm/sysreg.h>

#include "private.h"

/* detour_entry.S reads it. */
static_assert(offsetof(struct kprobe, addr) == 0);

asmlinkage unsigned long kprobe_detour_leave(struct kprobe *p, struct pt_regs *regs, bool moved,
					     unsigned long pstate);

/* Bits of PSTATE that can be read by themselves. */
#define PSTATE_SSBS_REG	sys_reg(3, 3, 4, 2, 6)
#define PSTATE_DIT_REG	sys_reg(3, 3, 4, 2, 5)
#define PSTATE_TCO_REG	sys_reg(3, 3, 4, 2, 7)

/* What the return from an exception sets, and no handler has changed meanwhile. */
static nokprobe_inline unsigned long current_pstate_bits(void)
{
	unsigned long bits = 0;

	if (cpus_have_final_cap(ARM64_SSBS))
		bits |= read_sysreg_s(PSTATE_SSBS_REG) & PSR_SSBS_BIT;
	if (cpus_have_final_cap(ARM64_HAS_DIT))
		bits |= read_sysreg_s(PSTATE_DIT_REG) & PSR_DIT_BIT;
	if (system_supports_mte())
		bits |= read_sysreg_s(PSTATE_TCO_REG) & PSR_TCO_BIT;
	return bits;
}

/* In a slot of its own, the copy that post handlers follow; 0 if there is none. */
static nokprobe_inline unsigned long copy_before_post(const struct kprobe *p)
{
	s32 post = READ_ONCE(p->ainsn.post);

	return post ? (unsigned long)(p->ainsn.insn + post + POST_COPY) : 0;
}

/* All but the flags, which are restored in any case. */
#define PSTATE_KEPT	GENMASK(23, 0)

/* See arch_kprobe_jump_run(). */
static nokprobe_inline unsigned long leave_to_copy(struct kprobe *p, struct pt_regs *regs,
						   unsigned long pstate)
{
	kprobe_jump_steps(p)->daif = regs->pstate & DAIF_MASK;
	if (!((regs->pstate ^ pstate) & PSTATE_KEPT))
		return regs->pc - (POST_COPY - POST_ENTRY) * AARCH64_INSN_SIZE;
	regs->pstate |= DAIF_MASK | current_pstate_bits();
	return 0;
}

/**
 * kprobe_detour_leave - get ready to go on elsewhere, or in another state
 * @p: the site
 * @regs: what handlers want
 * @moved: they have chosen where to go on
 * @pstate: what was in @regs at the hit
 *
 * Context: a hit.
 * Return: 0, or the address to return to in place of that in the slot.
 */
asmlinkage unsigned long kprobe_detour_leave(struct kprobe *p, struct pt_regs *regs, bool moved,
					     unsigned long pstate)
{
	/* Behind post handlers, nothing is left to be done by a copy. */
	if (!moved && regs->pc == (unsigned long)p->addr)
		regs->pc = (unsigned long)(p->ainsn.insn + SLOT_COPIES);
	else if (moved && regs->pc == copy_before_post(p))
		return leave_to_copy(p, regs, pstate);
	regs->pstate |= current_pstate_bits();
	return 0;
}

NOKPROBE_SYMBOL(kprobe_detour_leave);

/**
 * arch_kprobe_jump_run - have the probed instruction done by simulation, or go to a copy of it
 * @p: a site that is a jump, and for which arch_prepare_post_jump() has returned 0
 * @regs: the state at the hit; set to that behind the instruction, or in front of the copy
 *
 * Context: a hit.
 * Return: true if it is done; false if the copy is to be run, which leads to kprobe_jump_post().
 */
bool arch_kprobe_jump_run(struct kprobe *p, struct pt_regs *regs)
{
	unsigned long copy = copy_before_post(p);

	if (copy) {
		/* Behind the copy, @regs->pstate says which come on again. */
		write_sysreg(DAIF_MASK, daif);
		regs->pc = copy;
		return false;
	}
	p->ainsn.api.handler(p->opcode, (long)p->addr, regs);
	return true;
}

NOKPROBE_SYMBOL(arch_kprobe_jump_run);

/**
 * arch_kprobe_jump_ran - undo what was changed for the copy
 * @saved: by kprobe_detour_leave()
 * @regs: the state behind the copy; set to that behind the instruction
 *
 * Context: a hit, preemption off, exceptions masked.
 */
void arch_kprobe_jump_ran(const struct kprobe_saved *saved, struct pt_regs *regs)
{
	regs->pstate &= ~DAIF_MASK;
	regs->pstate |= saved->daif;
}

NOKPROBE_SYMBOL(arch_kprobe_jump_ran);

/**
 * arch_kprobe_jump_irqs_restore - mask no more exceptions than the probed code
 * @regs: of that
 *
 * Context: a hit, preemption off, exceptions masked.
 */
void arch_kprobe_jump_irqs_restore(const struct pt_regs *regs)
{
	write_sysreg(regs->pstate & DAIF_MASK, daif);
}

NOKPROBE_SYMBOL(arch_kprobe_jump_irqs_restore);
