// SPDX-License-Identifier: GPL-2.0-only
/*
 * x86: hits of breakpoints.
 *
 *	trap -> pre handlers -> the instruction -> post handlers -> continue
 *
 * There are three ways to run the instruction. The trap handler emulates it. Or the trap
 * returns to the boosted copy, which jumps back to the probed code; then no post handler
 * can run. Or the trap returns to the other copy, which ends in a breakpoint, and the
 * second trap continues the hit. insn.c decides which of these are possible.
 *
 * While a copy is stepped interrupts are off, so that current_kprobe and kprobe_ctlblk
 * belong to this task. An NMI or an exception may come then and hit a probe. A hit while
 * current_kprobe is set is a hit inside a hit. The state of the outer one is saved in
 * kprobe_ctlblk::prev_kprobe. In the context of the outer hit, it is counted as missed and no
 * handler runs. In an NMI, handlers of kprobes with KPROBE_FLAG_REENTRANT run.
 *
 * All of this cannot be probed or traced.
 */
#include <linux/kdebug.h>
#include <linux/kprobe_delay.h>
#include <linux/kprobe_hit.h>
#include <linux/kprobes.h>
#include <linux/notifier.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/ptrace.h>

#include <asm/extable.h>
#include <asm/trapnr.h>

#include "private.h"

/*
 * With KPROBE_FLAG_OPTIMIZED the bytes behind the breakpoint may be part of a jump: continue at the
 * copy of the instruction that the jump displaces.
 */
static nokprobe_inline void leave_displaced(const struct kprobe *p, struct pt_regs *regs)
{
	if (unlikely(kprobe_optimized(p)))
		int3_emulate_jmp(regs, kprobe_detour_target(p, regs->ip));
}

/*
 * Run the probed instruction. Returns true if it was emulated, or if this trap is to return to a
 * boosted copy or to the detour; with @want_trap leave_displaced() is left to do then. Returns
 * false if the copy is stepped, which ends in another trap.
 */
static nokprobe_inline bool run_insn(const struct kprobe *p, struct pt_regs *regs, bool want_trap)
{
	const struct arch_specific_insn *ainsn = &p->ainsn;
	struct kprobe_ctlblk *cpu;

	/* Continue at the detour's copies, of which the first is the probed instruction. */
	if (kprobe_optimized(p) && !want_trap) {
		int3_emulate_jmp(regs, kprobe_detour_copies(p));
		return true;
	}
	kprobe_delay_point(DELAY_DISPLACED_READ);

	if (ainsn->boosted && !want_trap) {
		int3_emulate_jmp(regs, (unsigned long)ainsn->insn + ainsn->boosted);
		return true;
	}

	if (ainsn->emulate) {
		ainsn->emulate(ainsn, regs);
		return true;
	}

	cpu = get_kprobe_ctlblk();
	cpu->saved.flags = regs->flags & KPROBE_STEP_FLAGS;
	regs->flags -= cpu->saved.flags;
	int3_emulate_jmp(regs, (unsigned long)ainsn->insn);
	return false;
}

/* Nearly all traps are this one, so it is part of its caller, and the others are not. */
static nokprobe_inline void first_hit(struct kprobe *p, struct pt_regs *regs)
{
	struct kprobe_ctlblk *cpu = get_kprobe_ctlblk();
	bool post;

	hit_begin(cpu, p);
	if (p->pre_handler(p, regs)) {
		/* A handler has changed where execution continues. */
		leave_displaced(p, regs);
		hit_end(cpu);
		return;
	}

	post = hit_has_post(p);
	hit_set_status(cpu, KPROBE_HIT_SS);
	if (run_insn(p, regs, post)) {
		if (post) {
			hit_post(cpu, p, regs);
			leave_displaced(p, regs);
		}
		hit_end(cpu);
		return;
	}
	hit_steps(cpu);
}

static noinline void nested_hit(struct kprobe_ctlblk *cpu, struct kprobe *p,
				struct pt_regs *regs)
{
	enter_nested(cpu, p);
	if (run_nested(cpu, p, regs, ARCH_KPROBE_TRAP_COUNT, false)) {
		leave_displaced(p, regs);
		leave_nested(cpu);
		return;
	}
	if (run_insn(p, regs, false))
		leave_nested(cpu);
}

NOKPROBE_SYMBOL(nested_hit);

static nokprobe_inline bool is_stepping(const struct kprobe_ctlblk *cpu,
					const struct kprobe *running)
{
	return running && running->ainsn.insn &&
	       (cpu->kprobe_status == KPROBE_HIT_SS ||
		cpu->kprobe_status == KPROBE_REENTER);
}

/* End the step of the copy. Returns true if the hit ends, too, because it was inside of another. */
static nokprobe_inline bool end_step(struct kprobe_ctlblk *cpu,
				     struct pt_regs *regs)
{
	regs->flags |= cpu->saved.flags;

	if (cpu->kprobe_status != KPROBE_REENTER)
		return false;

	leave_nested(cpu);
	return true;
}

/* The breakpoint behind the stepped copy. */
static noinline void step_trap(struct kprobe_ctlblk *cpu, struct kprobe *p,
			       struct pt_regs *regs)
{
	kprobe_insn_finish(&p->ainsn, regs);
	if (end_step(cpu, regs)) {
		leave_displaced(p, regs);
		return;
	}
	hit_post(cpu, p, regs);
	leave_displaced(p, regs);
	hit_end(cpu);
}

NOKPROBE_SYMBOL(step_trap);

static nokprobe_inline int handle_int3(struct pt_regs *regs)
{
	unsigned long at = regs->ip - INT3_INSN_SIZE;
	struct kprobe *site, *running = kprobe_running();

	if (is_stepping(get_kprobe_ctlblk(), running) && at == kprobe_step_end(&running->ainsn)) {
		step_trap(get_kprobe_ctlblk(), running, regs);
		return 1;
	}

	kprobe_delay_point(DELAY_BREAKPOINT_TRAPPED);
	site = get_kprobe((void *)at);
	kprobe_delay_point(DELAY_BREAKPOINT_LOOKED_UP);
	if (site && kprobe_ftrace(site)) {
		/*
		 * Ftrace patches with temporary breakpoints. It was done before this CPU
		 * got here, so run the new text.
		 */
		int3_emulate_jmp(regs, at);
		return 1;
	}
	if (site && !running) {
		first_hit(site, regs);
		return 1;
	}
	if (site) {
		nested_hit(get_kprobe_ctlblk(), site, regs);
		return 1;
	}

	/*
	 * A site leaves the table after all CPUs have seen that its breakpoint is removed.
	 * So if this was the breakpoint of a probe, run the text that is there now.
	 */
	if (READ_ONCE(*(u8 *)at) == INT3_INSN_OPCODE)
		return 0;

	int3_emulate_jmp(regs, at);
	return 1;
}

/**
 * kprobe_int3_handler - handle a breakpoint trap if it is one of a probe
 * @regs: where the trap was taken; ip is behind the breakpoint
 *
 * The trap itself is not counted as disabled preemption. Handlers are to see the same
 * preempt_count() in it as by a jump or through ftrace: events record it less one.
 *
 * Context: the breakpoint trap, which is entered like an NMI: any context, interrupts off, RCU
 *	    watching.
 * Return: 1 if the trap was handled, 0 if the breakpoint is not one of a probe.
 */
int kprobe_int3_handler(struct pt_regs *regs)
{
	int handled;

	if (user_mode(regs))
		return 0;

	preempt_disable_notrace();
	handled = handle_int3(regs);
	preempt_enable_no_resched_notrace();
	return handled;
}

NOKPROBE_SYMBOL(kprobe_int3_handler);

/**
 * kprobe_fault_handler - move a fault in a stepped copy to the probed instruction
 * @regs: where the fault was taken
 * @trapnr: its vector
 *
 * This sets the instruction pointer to the probed instruction and ends the hit, because
 * exception tables, oops messages and page fault handling need the probed address. If the page
 * fault is resolved, the instruction runs again, and the probe is hit again.
 *
 * Callers look up page faults in the exception table after this. For other faults they have
 * already looked up the address of the copy, so the lookup is repeated here.
 *
 * Boosted copies have no entry in an exception table. Faults in a handler need no change.
 *
 * Context: exceptions, preemption off and kprobe_running().
 * Return: 1 if the exception table has fixed up the fault, 0 if it is left to be handled.
 */
int kprobe_fault_handler(struct pt_regs *regs, int trapnr)
{
	struct kprobe *running = kprobe_running();
	struct kprobe_ctlblk *cpu;

	cpu = get_kprobe_ctlblk();
	if (!is_stepping(cpu, running) ||
	    regs->ip != (unsigned long)running->ainsn.insn)
		return 0;

	int3_emulate_jmp(regs, (unsigned long)running->addr);
	if (!end_step(cpu, regs))
		hit_end(cpu);

	return trapnr != X86_TRAP_PF && fixup_exception(regs, trapnr, 0, 0);
}

NOKPROBE_SYMBOL(kprobe_fault_handler);

/**
 * kprobe_exceptions_notify - kprobe_fault_handler() for exceptions of the die chain
 * @nb: the core's notifier
 * @why: DIE_*
 * @data: struct die_args
 *
 * Context: exceptions.
 * Return: NOTIFY_STOP if the exception table has fixed up the fault, else NOTIFY_DONE.
 */
int kprobe_exceptions_notify(struct notifier_block *nb, unsigned long why,
			     void *data)
{
	const struct die_args *die = data;

	if (why != DIE_TRAP || user_mode(die->regs) || preemptible())
		return NOTIFY_DONE;

	return kprobe_fault_handler(die->regs, die->trapnr) ? NOTIFY_STOP :
							      NOTIFY_DONE;
}

NOKPROBE_SYMBOL(kprobe_exceptions_notify);
