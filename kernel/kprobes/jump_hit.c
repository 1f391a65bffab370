// SPDX-License-Identifier: GPL-2.0-only
/* What runs on a hit of a site that is planted as a jump. */
#include <linux/percpu.h>
#include <linux/preempt.h>

#include "internal.h"

static nokprobe_inline int run_handlers(struct kprobe *p, struct pt_regs *regs)
{
	int moved;

	if (unlikely(kprobe_running())) {
		kprobes_inc_nmissed_count(p);
		return 0;
	}
	__this_cpu_write(current_kprobe, p);
	__this_cpu_write(kprobe_ctlblk.kprobe_status, KPROBE_HIT_ACTIVE);
	moved = site_run(to_site(p), regs, true);
	reset_current_kprobe();
	return moved;
}

/**
 * opt_pre_handler - run the handlers of a site that is planted as a jump
 * @p: the site's kprobe
 * @regs: the state at the hit
 *
 * For architectures whose detours go on with the displaced instructions whatever the
 * handlers say.
 *
 * Context: a hit, preemption off.
 */
void opt_pre_handler(struct kprobe *p, struct pt_regs *regs)
{
	run_handlers(p, regs);
}

NOKPROBE_SYMBOL(opt_pre_handler);

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
	int moved;

	preempt_disable_notrace();
	moved = run_handlers(p, regs);
	preempt_enable_notrace();
	return moved;
}

NOKPROBE_SYMBOL(kprobe_jump_hit);
