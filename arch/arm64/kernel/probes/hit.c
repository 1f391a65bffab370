// SPDX-License-Identifier: GPL-2.0-only
/*
 * arm64: what happens when a CPU runs into a planted breakpoint.
 *
 *	BRK -> pre handlers -> the instruction -> post handlers -> go on
 *
 * The instruction is simulated in the trap, or its boosted copy is returned to, which branches
 * back to the probed code: one exception in either case. Where something has to be done behind the
 * instruction, because of a post handler or because of an entry in an exception table, its other
 * copy is stepped: that one ends in a breakpoint of its own, the second exception.
 *
 * The trap of a breakpoint masks all exceptions but synchronous ones, and they stay masked while a
 * copy is stepped, so that current_kprobe and kprobe_ctlblk stay this task's. A synchronous one,
 * by a fault or in a handler, may still hit a probe, as may an event of the firmware (SDEI), which
 * nothing masks; whatever hits while current_kprobe is set is a hit inside a hit, and
 * kprobe_ctlblk::prev_kprobe is where the outer one waits. In the context of the outer one it is
 * counted as missed, and no handler runs; in another one, those do that may be nested.
 *
 * Nothing in here may be probed or traced.
 */
#include <linux/kprobe_hit.h>
#include <linux/kprobes.h>
#include <linux/percpu.h>
#include <linux/ptrace.h>

#include <asm/cpufeature.h>
#include <asm/daifflags.h>
#include <asm/debug-monitors.h>

#include "private.h"

static nokprobe_inline void go_to(struct pt_regs *regs, const kprobe_opcode_t *copy)
{
	regs->pc = (unsigned long)copy;
	/* A landing pad has been passed, and a copy is none. */
	regs->pstate &= ~PSR_BTYPE_MASK;
}

/* For as long as the copy is stepped. What is said to irqs_disabled() is what is so. */
static nokprobe_inline void mask_exceptions(struct kprobe_ctlblk *cpu, struct pt_regs *regs)
{
	cpu->saved.daif = regs->pstate & DAIF_MASK;
	regs->pstate |= DAIF_MASK;
	if (!system_uses_irq_prio_masking())
		return;
	cpu->saved.pmr = regs->pmr_save;
	regs->pmr_save = GIC_PRIO_IRQON | GIC_PRIO_PSR_I_SET;
}

static nokprobe_inline void unmask_exceptions(struct kprobe_ctlblk *cpu, struct pt_regs *regs)
{
	regs->pstate &= ~DAIF_MASK;
	regs->pstate |= cpu->saved.daif;
	if (system_uses_irq_prio_masking())
		regs->pmr_save = cpu->saved.pmr;
}

/*
 * Has the probed instruction done. Returns false if that takes until the breakpoint at the end
 * of the copy, else whoever returns from this trap is on the right way.
 */
static nokprobe_inline bool run_insn(struct kprobe_ctlblk *cpu, const struct kprobe *p,
				     struct pt_regs *regs, bool want_trap)
{
	const struct arch_specific_insn *ainsn = &p->ainsn;

	if (ainsn->api.handler) {
		ainsn->api.handler(p->opcode, (long)p->addr, regs);
		return true;
	}
	if (ainsn->boosted && !want_trap) {
		go_to(regs, ainsn->insn + SLOT_COPIES);
		return true;
	}
	mask_exceptions(cpu, regs);
	go_to(regs, ainsn->insn + SLOT_STEP);
	return false;
}

static void first_hit(struct kprobe_ctlblk *cpu, struct kprobe *p, struct pt_regs *regs)
{
	bool post;

	hit_begin(cpu, p);
	if (p->pre_handler(p, regs)) {
		/* It has chosen where to go on. */
		regs->pstate &= ~PSR_BTYPE_MASK;
		hit_end(cpu);
		return;
	}
	post = hit_has_post(p);
	cpu->kprobe_status = KPROBE_HIT_SS;
	if (!run_insn(cpu, p, regs, post))
		return;
	if (post)
		hit_post(cpu, p, regs);
	hit_end(cpu);
}

NOKPROBE_SYMBOL(first_hit);

static void nested_hit(struct kprobe_ctlblk *cpu, struct kprobe *p, struct pt_regs *regs)
{
	enter_nested(cpu, p);
	if (run_nested(cpu, p, regs, ARCH_KPROBE_TRAP_COUNT, false)) {
		regs->pstate &= ~PSR_BTYPE_MASK;
		leave_nested(cpu);
		return;
	}
	if (run_insn(cpu, p, regs, false))
		leave_nested(cpu);
}

NOKPROBE_SYMBOL(nested_hit);

/**
 * kprobe_brk_handler - see whether a breakpoint is a probe's
 * @regs: where the trap was taken; pc is at the breakpoint
 * @esr: the syndrome
 *
 * Context: the trap of a BRK for kprobes, from the kernel: any context, preemption and
 *	    interrupts off, RCU watching.
 * Return: DBG_HOOK_HANDLED, or DBG_HOOK_ERROR if the breakpoint is someone else's.
 */
int kprobe_brk_handler(struct pt_regs *regs, unsigned long esr)
{
	struct kprobe *site = get_kprobe((void *)regs->pc);
	struct kprobe_ctlblk *cpu = get_kprobe_ctlblk();

	if (site) {
		if (hit_running(cpu))
			nested_hit(cpu, site, regs);
		else
			first_hit(cpu, site, regs);
		return DBG_HOOK_HANDLED;
	}
	/*
	 * A probe goes from the table after its breakpoint is gone from the text, everywhere.
	 * So if this was a probe's, what the text now has is what to run.
	 */
	if (le32_to_cpu(READ_ONCE(*(__le32 *)regs->pc)) == BRK64_OPCODE_KPROBES)
		return DBG_HOOK_ERROR;
	return DBG_HOOK_HANDLED;
}

NOKPROBE_SYMBOL(kprobe_brk_handler);

static nokprobe_inline bool is_stepping(const struct kprobe_ctlblk *cpu,
					const struct kprobe *running)
{
	return running && running->ainsn.insn && !running->ainsn.api.handler &&
	       (cpu->kprobe_status == KPROBE_HIT_SS || cpu->kprobe_status == KPROBE_REENTER);
}

/*
 * The copy is no longer being stepped. Returns true if that was all of the hit, i.e. it was one
 * inside another one.
 */
static nokprobe_inline bool end_step(struct kprobe_ctlblk *cpu, struct pt_regs *regs)
{
	unmask_exceptions(cpu, regs);
	if (cpu->kprobe_status != KPROBE_REENTER)
		return false;
	leave_nested(cpu);
	return true;
}

/**
 * kprobe_ss_brk_handler - see whether a breakpoint ends the copy that is stepped
 * @regs: where the trap was taken; pc is at the breakpoint
 * @esr: the syndrome
 *
 * Context: as kprobe_brk_handler().
 * Return: as kprobe_brk_handler().
 */
int kprobe_ss_brk_handler(struct pt_regs *regs, unsigned long esr)
{
	struct kprobe_ctlblk *cpu = get_kprobe_ctlblk();
	struct kprobe *running = hit_running(cpu);

	if (!is_stepping(cpu, running) || regs->pc != kprobe_step_end(&running->ainsn))
		return DBG_HOOK_ERROR;
	go_to(regs, running->addr + 1);
	if (end_step(cpu, regs))
		return DBG_HOOK_HANDLED;
	hit_post(cpu, running, regs);
	hit_end(cpu);
	return DBG_HOOK_HANDLED;
}

NOKPROBE_SYMBOL(kprobe_ss_brk_handler);

/**
 * kretprobe_brk_handler - see whether a breakpoint is that of a return hook
 * @regs: where the trap was taken
 * @esr: the syndrome
 *
 * Return: DBG_HOOK_ERROR: returns are hooked without a breakpoint.
 */
int kretprobe_brk_handler(struct pt_regs *regs, unsigned long esr)
{
	return DBG_HOOK_ERROR;
}

NOKPROBE_SYMBOL(kretprobe_brk_handler);

/**
 * kprobe_fault_handler - take a fault in a stepped copy back to where it belongs
 * @regs: where the fault was taken
 * @esr: the syndrome
 *
 * The fault is made to look as if the probed instruction had raised it, and the hit ends:
 * exception tables, oops messages and whoever may make the access good go by the probed address.
 * In the last case the instruction is run again, and the probe hits again. That may sleep, so
 * exceptions are masked no more than they were in the probed code.
 *
 * Boosted copies have no entry in an exception table and need nothing done. A fault in a handler
 * is that handler's own business.
 *
 * Context: exceptions, preemption off or exceptions masked, and kprobe_running().
 * Return: 0: the fault is left to be handled.
 */
int kprobe_fault_handler(struct pt_regs *regs, unsigned int esr)
{
	struct kprobe_ctlblk *cpu = get_kprobe_ctlblk();
	struct kprobe *running = hit_running(cpu);

	if (!is_stepping(cpu, running) || regs->pc != kprobe_step_start(&running->ainsn))
		return 0;
	go_to(regs, running->addr);
	if (!end_step(cpu, regs))
		hit_end(cpu);
	local_daif_inherit(regs);
	return 0;
}

NOKPROBE_SYMBOL(kprobe_fault_handler);
