// SPDX-License-Identifier: GPL-2.0-only
/* What runs on a hit of a site that is planted as a jump. */
#include <linux/context_tracking_irq.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/probe_hit.h>

#include "internal.h"

/**
 * opt_pre_handler - run the handlers of a site that is planted as a jump
 * @p: the site's kprobe
 * @regs: the state at the hit
 *
 * For architectures whose detours go on with the displaced instructions whatever the handlers
 * say. They have found that no handler runs on this CPU, and made @p the one that does.
 *
 * Context: a hit, preemption off.
 */
void opt_pre_handler(struct kprobe *p, struct pt_regs *regs)
{
	site_run(to_site(p), regs, true);
}

NOKPROBE_SYMBOL(opt_pre_handler);

/*
 * A breakpoint's trap makes RCU watch. Without that, grace periods would not wait for handlers.
 * Where it is not watching, interrupts are off.
 */
static nokprobe_inline bool rcu_starts_watching(void)
{
	if (likely(probe_hit_is_watched()))
		return false;
	ct_nmi_enter();
	return true;
}

/* For architectures that have linux/kprobe_ctlblk.h. */
#ifdef KPROBE_MAX_NESTING
#include <linux/kprobe_hit.h>

static noinline int jump_inside(struct kprobe *p, struct pt_regs *regs)
{
	struct kprobe_ctlblk *cpu = get_kprobe_ctlblk();
	int moved;

	enter_nested(cpu, p);
	moved = run_nested(cpu, p, regs, 0, true);
	leave_nested(cpu);
	return moved;
}

NOKPROBE_SYMBOL(jump_inside);

/**
 * kprobe_jump_hit - run the handlers of a site that is planted as a jump
 * @p: the site's kprobe
 * @regs: the state at the hit
 *
 * For architectures whose detours let handlers choose where to go on.
 *
 * Context: the probed code's.
 * Return: 0 to go on with the displaced instructions, else go on where @regs say.
 */
int kprobe_jump_hit(struct kprobe *p, struct pt_regs *regs)
{
	bool rcu_started;
	struct kprobe_ctlblk *cpu;
	int moved;

	preempt_disable_notrace();
	rcu_started = rcu_starts_watching();
	cpu = get_kprobe_ctlblk();
	if (unlikely(hit_running(cpu))) {
		moved = jump_inside(p, regs);
	} else {
		hit_begin(cpu, p);
		moved = site_run(to_site(p), regs, true);
		hit_end(cpu);
	}
	if (unlikely(rcu_started))
		ct_nmi_exit();
	preempt_enable_notrace();
	return moved;
}

NOKPROBE_SYMBOL(kprobe_jump_hit);
#endif /* KPROBE_MAX_NESTING */
