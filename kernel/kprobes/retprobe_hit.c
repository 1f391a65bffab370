// SPDX-License-Identifier: GPL-2.0-only
/* Kretprobes: what runs when a function is entered whose return is to be seen. */
#include "internal.h"

static nokprobe_inline struct kretprobe *to_kretprobe(struct kprobe *kp)
{
	return container_of(kp, struct kretprobe, kp);
}

/* rp->nmissed is read by users as a plain int; misses come from all CPUs. */
static nokprobe_inline void count_miss(struct kretprobe *rp)
{
	int old = READ_ONCE(rp->nmissed);

	while (!try_cmpxchg(&rp->nmissed, &old, old + 1))
		;
}

/**
 * kretprobe_pre_handler - the pre handler of every kretprobe
 * @p: the kprobe in a kretprobe
 * @regs: the state at the function's entry
 *
 * Context: a hit.
 * Return: 0, go on.
 */
int kretprobe_pre_handler(struct kprobe *p, struct pt_regs *regs)
{
	struct kretprobe *rp = to_kretprobe(p);
	struct kretprobe_instance *call;

	call = kretprobe_pool_get(rp);
	if (!call)
		count_miss(rp);
	else if (rp->entry_handler && rp->entry_handler(call, regs) != 0)
		kretprobe_pool_put(call);
	else
		kretprobe_hook(call, regs, kprobe_ftrace(p));
	return 0;
}

NOKPROBE_SYMBOL(kretprobe_pre_handler);
