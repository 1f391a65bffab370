// SPDX-License-Identifier: GPL-2.0-only
/*
 * x86: what happens when a CPU runs into a planted breakpoint.
 *
 *	trap -> pre handlers -> the instruction -> post handlers -> go on
 *
 * The instruction is emulated in the trap (one trap in all), or its boosted copy is
 * returned to, which jumps back to the probed code (one trap, but nothing can run
 * after it), or its other copy is stepped: that one ends in a breakpoint of its own,
 * the second trap. What there is was decided in insn.c.
 *
 * While a copy is stepped interrupts are off, so that current_kprobe and
 * kprobe_ctlblk stay this task's. An NMI or an exception may still come in between
 * and hit a probe; whatever hits while current_kprobe is set is a hit inside a hit, and
 * kprobe_ctlblk::prev_kprobe is where the outer one waits. In the context of the outer one it
 * is counted as missed, and no handler runs; in an NMI, those do that may be nested.
 *
 * Nothing in here may be probed or traced.
 */
#include <linux/kdebug.h>
#include <linux/kprobe_hit.h>
#include <linux/kprobes.h>
#include <linux/notifier.h>
#include <linux/percpu.h>
#include <linux/ptrace.h>

#include <asm/extable.h>
#include <asm/trapnr.h>

#include "private.h"

/*
 * A jump is, or is going to be, written over what is behind the breakpoint, or was and is
 * being taken back: go on at the copies of what it displaces.
 */
static nokprobe_inline void leave_displaced(const struct kprobe *p, struct pt_regs *regs)
{
	if (unlikely(kprobe_optimized(p)))
		int3_emulate_jmp(regs, kprobe_detour_target(p, regs->ip));
}

/*
 * Has the probed instruction done. Returns false if that takes until the trap at the
 * end of the copy, else whoever returns from this trap is on the right way; but for
 * leave_displaced(), with @want_trap.
 */
static nokprobe_inline bool run_insn(struct kprobe_ctlblk *cpu,
				     const struct kprobe *p,
				     struct pt_regs *regs, bool want_trap)
{
	const struct arch_specific_insn *ainsn = &p->ainsn;

	/* leave_displaced(), and without a trap. */
	if (kprobe_optimized(p) && !want_trap) {
		int3_emulate_jmp(regs, kprobe_detour_copies(p));
		return true;
	}

	if (ainsn->emulate) {
		ainsn->emulate(ainsn, regs);
		return true;
	}

	if (ainsn->boosted && !want_trap) {
		int3_emulate_jmp(regs, (unsigned long)ainsn->boosted);
		return true;
	}

	cpu->saved.flags = regs->flags & KPROBE_STEP_FLAGS;
	regs->flags -= cpu->saved.flags;
	int3_emulate_jmp(regs, (unsigned long)ainsn->insn);
	return false;
}

static void first_hit(struct kprobe_ctlblk *cpu, struct kprobe *p,
		      struct pt_regs *regs)
{
	bool post;

	hit_begin(cpu, p);
	if (p->pre_handler(p, regs)) {
		/* It has chosen where to go on. */
		leave_displaced(p, regs);
		hit_end(cpu);
		return;
	}

	post = hit_has_post(p);
	cpu->kprobe_status = KPROBE_HIT_SS;
	if (run_insn(cpu, p, regs, post)) {
		if (post) {
			hit_post(cpu, p, regs);
			leave_displaced(p, regs);
		}
		hit_end(cpu);
		return;
	}
	hit_steps(cpu);
}

NOKPROBE_SYMBOL(first_hit);

static void nested_hit(struct kprobe_ctlblk *cpu, struct kprobe *p,
		       struct pt_regs *regs)
{
	enter_nested(cpu, p);
	if (run_nested(cpu, p, regs, ARCH_KPROBE_TRAP_COUNT, false)) {
		leave_displaced(p, regs);
		leave_nested(cpu);
		return;
	}
	if (run_insn(cpu, p, regs, false))
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

/*
 * The copy is no longer being stepped. Returns true if that was all of the hit, i.e. it
 * was one inside another one.
 */
static nokprobe_inline bool end_step(struct kprobe_ctlblk *cpu,
				     struct pt_regs *regs)
{
	regs->flags |= cpu->saved.flags;

	if (cpu->kprobe_status != KPROBE_REENTER)
		return false;

	leave_nested(cpu);
	return true;
}

/* The trap behind the stepped copy. */
static void step_trap(struct kprobe_ctlblk *cpu, struct kprobe *p,
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

/**
 * kprobe_int3_handler - see whether a breakpoint trap is a probe's
 * @regs: where the trap was taken; ip is behind the breakpoint
 *
 * Context: the breakpoint trap, which is entered like an NMI: any context,
 *	    preemption and interrupts off, RCU watching.
 * Return: 1 if the trap is dealt with, 0 if the breakpoint is someone else's.
 */
int kprobe_int3_handler(struct pt_regs *regs)
{
	unsigned long at = regs->ip - INT3_INSN_SIZE;
	struct kprobe *site, *running;
	struct kprobe_ctlblk *cpu;

	if (user_mode(regs))
		return 0;

	cpu = get_kprobe_ctlblk();
	running = kprobe_running();

	if (is_stepping(cpu, running) && at == kprobe_step_end(&running->ainsn)) {
		step_trap(cpu, running, regs);
		return 1;
	}

	site = get_kprobe((void *)at);
	if (site && kprobe_ftrace(site)) {
		/*
		 * Ftrace patches by way of breakpoints of its own. This one came too
		 * late to find that patching still under way: run what is there now.
		 */
		int3_emulate_jmp(regs, at);
		return 1;
	}
	if (site && !running) {
		first_hit(cpu, site, regs);
		return 1;
	}
	if (site) {
		nested_hit(cpu, site, regs);
		return 1;
	}

	/*
	 * A probe goes from the table after its breakpoint is gone from the text,
	 * everywhere. So if this was a probe's, what the text now has is what to run.
	 */
	if (READ_ONCE(*(u8 *)at) == INT3_INSN_OPCODE)
		return 0;

	int3_emulate_jmp(regs, at);
	return 1;
}

NOKPROBE_SYMBOL(kprobe_int3_handler);

/**
 * kprobe_fault_handler - take a fault in a stepped copy back to where it belongs
 * @regs: where the fault was taken
 * @trapnr: its vector
 *
 * The fault is made to look as if the probed instruction had raised it, and the hit
 * ends: exception tables, oops messages and whoever may make the access good go by
 * the probed address. In the last case the instruction is run again, and the probe
 * hits again.
 *
 * Page faults are looked up in the exception table after this. Others have been
 * before, by the address of the copy, so that is done here again.
 *
 * Boosted copies have no entry in an exception table and need nothing done. A fault
 * in a handler is that handler's own business.
 *
 * Context: exceptions, preemption off and kprobe_running().
 * Return: 1 if the exception table had an answer, 0 if the fault is left to be handled.
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
 * kprobe_exceptions_notify - the same for exceptions that only go to the die chain
 * @nb: the core's notifier
 * @why: which DIE_* it is
 * @data: struct die_args
 *
 * Context: exceptions.
 * Return: NOTIFY_STOP if the exception table had an answer, else NOTIFY_DONE.
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
