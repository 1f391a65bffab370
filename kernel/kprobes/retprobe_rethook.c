// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kretprobes on return hooks: the pool, the trampoline and the list of calls in flight
 * are rethook's.
 */
#include <linux/err.h>
#include <linux/overflow.h>
#include <linux/rethook.h>

#include "internal.h"

static nokprobe_inline struct kretprobe_instance *to_call(struct rethook_node *n)
{
	return container_of(n, struct kretprobe_instance, node);
}

/*
 * While another probe's handler runs on this CPU. What the architecture noted of that hit is not
 * ours to change.
 */
static noinline void returned_inside(struct kretprobe *rp, struct rethook_node *node,
				     struct pt_regs *regs)
{
	unsigned int context = __this_cpu_read(kprobe_context);
	struct kprobe *outer = kprobe_run_instead(&rp->kp);

	kprobe_context_begin();
	rp->handler(to_call(node), regs);
	kprobe_run_instead(outer);
	__this_cpu_write(kprobe_context, context);
}

NOKPROBE_SYMBOL(returned_inside);

/* Probes that the handler hits are hits inside a hit. */
static void kretprobe_returned(struct rethook_node *node, void *data,
			       unsigned long to, struct pt_regs *regs)
{
	struct kretprobe *rp = data;

	if (!rp->handler)
		return;
	/*
	 * Of several hooks on one call, all but the first displaced a trampoline's
	 * address. What handlers ask for is where the call goes.
	 */
	node->ret_addr = to;
	if (unlikely(kprobe_running())) {
		returned_inside(rp, node, regs);
		return;
	}
	__this_cpu_write(current_kprobe, &rp->kp);
	get_kprobe_ctlblk()->kprobe_status = KPROBE_HIT_ACTIVE;
	kprobe_context_begin();
	rp->handler(to_call(node), regs);
	kprobe_context_end();
	reset_current_kprobe();
}

NOKPROBE_SYMBOL(kretprobe_returned);

int kretprobe_pool_alloc(struct kretprobe *rp)
{
	size_t size = struct_size_t(struct kretprobe_instance, data,
				    rp->data_size);
	struct rethook *pool = rethook_alloc(rp, kretprobe_returned, size,
					     rp->maxactive);

	if (IS_ERR(pool))
		return PTR_ERR(pool);
	rp->rh = pool;
	return 0;
}

/* A hit under way may still be taking an instance: rp->rh stays as it is. */
void kretprobe_pool_free(struct kretprobe *rp)
{
	rethook_stop(rp->rh);
	rethook_free(rp->rh);
}

struct kretprobe_instance *kretprobe_pool_get(struct kretprobe *rp)
{
	struct rethook_node *node = rethook_try_get(rp->rh);

	return node ? to_call(node) : NULL;
}

NOKPROBE_SYMBOL(kretprobe_pool_get);

void kretprobe_pool_put(struct kretprobe_instance *ri)
{
	rethook_recycle(&ri->node);
}

NOKPROBE_SYMBOL(kretprobe_pool_put);

void kretprobe_hook(struct kretprobe_instance *ri, struct pt_regs *regs,
		    bool mcount)
{
	rethook_hook(&ri->node, regs, mcount);
}

NOKPROBE_SYMBOL(kretprobe_hook);

/**
 * kprobe_flush_task - a task is gone for good
 * @tk: the task
 *
 * Its calls in flight are rethook_flush_task()'s.
 */
void kprobe_flush_task(struct task_struct *tk)
{
}
