// SPDX-License-Identifier: GPL-2.0-only
/* What runs on a hit of a site that is planted as a jump. */
#include <linux/percpu.h>
#include <linux/preempt.h>

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
	int moved = 0;

	preempt_disable_notrace();
	if (unlikely(kprobe_running())) {
		kprobes_inc_nmissed_count(p);
	} else {
		__this_cpu_write(current_kprobe, p);
		__this_cpu_write(kprobe_ctlblk.kprobe_status, KPROBE_HIT_ACTIVE);
		moved = site_run(to_site(p), regs, true);
		reset_current_kprobe();
	}
	preempt_enable_notrace();
	return moved;
}

NOKPROBE_SYMBOL(kprobe_jump_hit);
