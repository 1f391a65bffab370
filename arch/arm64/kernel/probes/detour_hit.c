// SPDX-License-Identifier: GPL-2.0-only
/* arm64: leave a detour with changed registers; see detour_entry.S. */
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

/* Bits of PSTATE that have a register of their own. */
#define PSTATE_SSBS_REG	sys_reg(3, 3, 4, 2, 6)
#define PSTATE_DIT_REG	sys_reg(3, 3, 4, 2, 5)
#define PSTATE_TCO_REG	sys_reg(3, 3, 4, 2, 7)

/* Bits that an exception return sets, and that are not in @regs of a detour. */
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

/* The copy in the post slot; 0 if there is none. */
static nokprobe_inline unsigned long copy_before_post(const struct kprobe *p)
{
	s32 post = READ_ONCE(p->ainsn.post);

	return post ? (unsigned long)(p->ainsn.insn + post + POST_COPY) : 0;
}

/*
 * Mask what the trap of a breakpoint masks. irqs_disabled() reads only the mask of priorities if
 * interrupts are masked by that, so write it, too: otherwise preempt_enable_notrace() would
 * schedule.
 */
static nokprobe_inline void mask_exceptions_now(void)
{
	write_sysreg(DAIF_MASK, daif);
	if (system_uses_irq_prio_masking())
		write_sysreg_s(GIC_PRIO_IRQON | GIC_PRIO_PSR_I_SET, SYS_ICC_PMR_EL1);
}

/* All bits but the condition flags, which are always restored. */
#define PSTATE_KEPT	GENMASK(23, 0)

/* arch_kprobe_jump_run() has set @regs->pc to the copy. */
static nokprobe_inline unsigned long leave_to_copy(struct kprobe *p, struct pt_regs *regs,
						   unsigned long pstate)
{
	struct kprobe_saved *saved = kprobe_jump_steps(p);

	saved->daif = regs->pstate & DAIF_MASK;
	saved->pmr = regs->pmr_save;
	if (!((regs->pstate ^ pstate) & PSTATE_KEPT))
		return regs->pc - (POST_COPY - POST_ENTRY) * AARCH64_INSN_SIZE;
	regs->pstate |= DAIF_MASK | current_pstate_bits();
	return 0;
}

/**
 * kprobe_detour_leave - prepare to continue elsewhere, or with another PSTATE
 * @p: the site
 * @regs: the registers that handlers have set
 * @moved: a handler has changed where execution continues
 * @pstate: the PSTATE in @regs at the hit
 *
 * Context: a hit.
 * Return: an address in a slot to return to; 0 to continue by an exception return with @regs.
 */
asmlinkage unsigned long kprobe_detour_leave(struct kprobe *p, struct pt_regs *regs, bool moved,
					     unsigned long pstate)
{
	/* If the instruction has not run yet, continue at its copy. */
	if (!moved && regs->pc == (unsigned long)p->addr)
		regs->pc = (unsigned long)(p->ainsn.insn + SLOT_COPIES);
	else if (moved && regs->pc == copy_before_post(p))
		return leave_to_copy(p, regs, pstate);
	regs->pstate |= current_pstate_bits();
	return 0;
}

NOKPROBE_SYMBOL(kprobe_detour_leave);

/**
 * arch_kprobe_jump_run - simulate the probed instruction, or prepare to run a copy of it
 * @p: a site that is planted as a jump; arch_prepare_post_jump() has returned 0 for it
 * @regs: the state at the hit; set to the state after the instruction, or before the copy
 *
 * Context: a hit. Exceptions are masked afterwards, and irqs_disabled() is true, if the copy is to
 * be run.
 * Return: true if the instruction was simulated; false if the copy is to be run, which calls
 * kprobe_jump_post().
 */
bool arch_kprobe_jump_run(struct kprobe *p, struct pt_regs *regs)
{
	probes_handler_t *simulate = p->ainsn.api.handler ?: p->ainsn.before_post;
	unsigned long copy = copy_before_post(p);

	if (copy) {
		/* @regs keeps the masks that are restored after the copy. */
		mask_exceptions_now();
		regs->pc = copy;
		return false;
	}
	simulate(p->opcode, (long)p->addr, regs);
	return true;
}

NOKPROBE_SYMBOL(arch_kprobe_jump_run);

/**
 * arch_kprobe_jump_ran - restore registers that were changed for the copy
 * @saved: the registers that kprobe_detour_leave() has saved
 * @regs: the state after the copy; set to the state after the instruction
 *
 * Context: a hit, preemption off, exceptions masked.
 */
void arch_kprobe_jump_ran(const struct kprobe_saved *saved, struct pt_regs *regs)
{
	regs->pstate &= ~DAIF_MASK;
	regs->pstate |= saved->daif;
	regs->pmr_save = saved->pmr;
}

NOKPROBE_SYMBOL(arch_kprobe_jump_ran);

/**
 * arch_kprobe_jump_irqs_restore - restore the masks of exceptions of the probed code
 * @regs: the registers of the probed code
 *
 * Context: a hit, preemption off, exceptions masked.
 */
void arch_kprobe_jump_irqs_restore(const struct pt_regs *regs)
{
	if (system_uses_irq_prio_masking()) {
		write_sysreg_s(regs->pmr_save, SYS_ICC_PMR_EL1);
		pmr_sync();
	}
	write_sysreg(regs->pstate & DAIF_MASK, daif);
}

NOKPROBE_SYMBOL(arch_kprobe_jump_irqs_restore);
