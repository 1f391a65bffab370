// SPDX-License-Identifier: GPL-2.0-only
/*
 * arm64: hits of breakpoints.
 *
 *	BRK -> pre handlers -> the instruction -> post handlers -> continue
 *
 * There are three ways to run the instruction. The trap handler simulates it. Or the trap returns
 * to the boosted copy, which branches back to the probed code. Or the trap returns to the other
 * copy, which ends in a breakpoint, and the second trap continues the hit. The last is for hits
 * with a post handler and for instructions with an entry in an exception table.
 *
 * The trap of a breakpoint masks all exceptions that are not synchronous. They stay masked while a
 * copy is stepped, so that current_kprobe and kprobe_ctlblk belong to this task. A synchronous
 * exception, or an event of the firmware (SDEI), may still hit a probe. A hit while current_kprobe
 * is set is a hit inside a hit. The state of the outer one is saved in kprobe_ctlblk::prev_kprobe.
 * In the context of the outer hit, it is counted as missed and no handler runs. In another context,
 * handlers of kprobes with KPROBE_FLAG_REENTRANT run.
 *
 * All of this cannot be probed or traced.
 */
#include <linux/kprobe_delay.h>
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
	/* The landing pad was checked already, and a copy is not one. */
	regs->pstate &= ~PSR_BTYPE_MASK;
}

/* While the copy is stepped. Also set the state that irqs_disabled() reads. */
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
 * Run the probed instruction. Returns true if it was simulated, or if this trap is to return to a
 * boosted copy. Returns false if the copy is stepped, which ends in another trap.
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
	if (ainsn->before_post) {
		ainsn->before_post(p->opcode, (long)p->addr, regs);
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
		/* A handler has changed where execution continues. */
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
 * kprobe_brk_handler - handle a breakpoint trap if it is one of a probe
 * @regs: where the trap was taken; pc is at the breakpoint
 * @esr: the syndrome
 *
 * Context: the trap of a BRK for kprobes, from the kernel: any context, preemption and
 *	    interrupts off, RCU watching.
 * Return: DBG_HOOK_HANDLED, or DBG_HOOK_ERROR if the breakpoint is not one of a probe.
 */
int kprobe_brk_handler(struct pt_regs *regs, unsigned long esr)
{
	struct kprobe_ctlblk *cpu = get_kprobe_ctlblk();
	struct kprobe *site;

	kprobe_delay_point(DELAY_BREAKPOINT_TRAPPED);
	site = get_kprobe((void *)regs->pc);
	kprobe_delay_point(DELAY_BREAKPOINT_LOOKED_UP);
	if (site) {
		if (hit_running(cpu))
			nested_hit(cpu, site, regs);
		else
			first_hit(cpu, site, regs);
		return DBG_HOOK_HANDLED;
	}
	/*
	 * A site leaves the table after all CPUs have seen that its breakpoint is removed. So if
	 * this was the breakpoint of a probe, run the text that is there now.
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

/* End the step of the copy. Returns true if the hit ends, too, because it was inside of another. */
static nokprobe_inline bool end_step(struct kprobe_ctlblk *cpu, struct pt_regs *regs)
{
	unmask_exceptions(cpu, regs);
	if (cpu->kprobe_status != KPROBE_REENTER)
		return false;
	leave_nested(cpu);
	return true;
}

/**
 * kprobe_ss_brk_handler - handle the breakpoint behind a stepped copy
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
 * kretprobe_brk_handler - handle a breakpoint of a return hook
 * @regs: where the trap was taken
 * @esr: the syndrome
 *
 * Return: DBG_HOOK_ERROR, because return hooks have no breakpoint.
 */
int kretprobe_brk_handler(struct pt_regs *regs, unsigned long esr)
{
	return DBG_HOOK_ERROR;
}

NOKPROBE_SYMBOL(kretprobe_brk_handler);

/**
 * kprobe_fault_handler - move a fault in a stepped copy to the probed instruction
 * @regs: where the fault was taken
 * @esr: the syndrome
 *
 * This sets the program counter to the probed instruction and ends the hit, because exception
 * tables, oops messages and page fault handling need the probed address. If the page fault is
 * resolved, the instruction runs again, and the probe is hit again. Page fault handling may sleep,
 * so the masks of exceptions are those of the probed code.
 *
 * Boosted copies have no entry in an exception table. Faults in a handler need no change.
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
