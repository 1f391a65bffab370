// SPDX-License-Identifier: GPL-2.0-only
/* Kretprobes: hits at the entry of functions. */
#include "internal.h"

/* Users read rp->nmissed as an int. Atomic, because all CPUs count. */
static nokprobe_inline void count_miss(struct kretprobe *rp)
{
	int old = READ_ONCE(rp->nmissed);

	while (!try_cmpxchg(&rp->nmissed, &old, old + 1))
		;
}

/**
 * kretprobe_pre_handler - the pre handler of every kretprobe
 * @kp: the kprobe in a kretprobe
 * @regs: the state at the function's entry
 *
 * Context: a hit.
 * Return: 0: continue with the probed instruction.
 */
int kretprobe_pre_handler(struct kprobe *kp, struct pt_regs *regs)
{
	struct kretprobe *watcher = container_of(kp, struct kretprobe, kp);
	struct kretprobe_instance *call = kretprobe_pool_get(watcher);

	if (!call) {
		count_miss(watcher);
		return 0;
	}
	if (watcher->entry_handler && watcher->entry_handler(call, regs))
		kretprobe_pool_put(call);
	else
		kretprobe_hook(call, regs, kprobe_ftrace(kp));
	return 0;
}

NOKPROBE_SYMBOL(kretprobe_pre_handler);
