// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kretprobes on rethook, which has the pool of instances, the trampoline and the list of calls
 * in flight.
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
 * Run the handler while a handler of another probe runs on this CPU. The architecture's state of
 * the outer hit stays as it is.
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

/* current_kprobe is set, so probes that the handler hits are hits inside a hit. */
static void kretprobe_returned(struct rethook_node *node, void *data,
			       unsigned long to, struct pt_regs *regs)
{
	struct kretprobe *rp = data;

	if (!rp->handler)
		return;
	/*
	 * If there are several hooks on one call, all but the first have stored the address of
	 * the trampoline here. Handlers read the return address.
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

/* A hit in progress may take an instance, so rp->rh does not change. */
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
 * kprobe_flush_task - does nothing: rethook_flush_task() frees a task's instances
 * @tk: the task
 */
void kprobe_flush_task(struct task_struct *tk)
{
}
