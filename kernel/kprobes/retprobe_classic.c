// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kretprobes on architectures that have no rethook but a trampoline for kretprobes.
 *
 * A task's calls in flight are on its kretprobe_instances list, the latest first. Only the
 * task and the interrupts that it takes change the list. Unwinders read the lists of tasks that
 * do not run. Instances come from a pool that does not grow, so maxactive is a limit here.
 */
#include <linux/err.h>
#include <linux/objpool.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "internal.h"

static int instance_init(void *obj, void *holder)
{
	struct kretprobe_instance *ri = obj;

	ri->rph = holder;
	return 0;
}

static int holder_free(struct objpool_head *pool, void *holder)
{
	kfree(holder);
	return 0;
}

int kretprobe_pool_alloc(struct kretprobe *rp)
{
	struct kretprobe_holder *h;
	int ret;

	h = kzalloc(sizeof(*h), GFP_KERNEL);
	if (!h)
		return -ENOMEM;
	ret = objpool_init(&h->pool, rp->maxactive,
			   sizeof(struct kretprobe_instance) + rp->data_size,
			   GFP_KERNEL, h, instance_init, holder_free);
	if (ret) {
		kfree(h);
		return ret;
	}
	rcu_assign_pointer(h->rp, rp);
	rp->rph = h;
	return 0;
}

/* The pool is freed when the last instance is back. */
static void pool_give_up(struct rcu_head *rcu)
{
	struct kretprobe_holder *h = container_of(rcu, struct kretprobe_holder, rcu);

	objpool_fini(&h->pool);
}

/*
 * A hit in progress may take an instance or give one back, so rp->rph does not change, and the
 * pool stays until a grace period has passed.
 */
void kretprobe_pool_free(struct kretprobe *rp)
{
	rcu_assign_pointer(rp->rph->rp, NULL);
	call_rcu(&rp->rph->rcu, pool_give_up);
}

struct kretprobe_instance *kretprobe_pool_get(struct kretprobe *rp)
{
	return objpool_pop(&rp->rph->pool);
}

NOKPROBE_SYMBOL(kretprobe_pool_get);

/* No unwinder reads the instance any more. */
static void instance_drop(struct rcu_head *rcu)
{
	struct kretprobe_instance *call;

	call = container_of(rcu, typeof(*call), rcu);
	objpool_drop(call, &call->rph->pool);
}

void kretprobe_pool_put(struct kretprobe_instance *ri)
{
	struct kretprobe_holder *h = ri->rph;

	if (unlikely(!rcu_access_pointer(h->rp)))
		call_rcu(&ri->rcu, instance_drop);
	else
		objpool_push(ri, &h->pool);
}

NOKPROBE_SYMBOL(kretprobe_pool_put);

void kretprobe_hook(struct kretprobe_instance *ri, struct pt_regs *regs,
		    bool mcount)
{
	arch_prepare_kretprobe(ri, regs);
	__llist_add(&ri->llist, &current->kretprobe_instances);
}

NOKPROBE_SYMBOL(kretprobe_hook);

static nokprobe_inline struct kretprobe_instance *to_call(struct llist_node *n)
{
	return llist_entry(n, struct kretprobe_instance, llist);
}

/*
 * Several kretprobes of one function have hooked the same return. Only the first of them has
 * stored the return address, the others a trampoline. Find the first one.
 */
static struct llist_node *first_hook(struct llist_node *n)
{
	while (n && is_kretprobe_trampoline(get_kretprobe_retaddr(to_call(n))))
		n = n->next;
	return n;
}

NOKPROBE_SYMBOL(first_hook);

/**
 * kretprobe_find_ret_addr - find the return address that a trampoline on a stack replaces
 * @tsk: current, or a task that does not run
 * @frame: the frame with the trampoline
 * @cur: position in the list; NULL before the first call of an unwinding
 *
 * Context: any.
 * Return: the return address, 0 if there is none.
 */
unsigned long kretprobe_find_ret_addr(struct task_struct *tsk, void *frame,
				      struct llist_node **cur)
{
	struct llist_node *n = tsk->kretprobe_instances.first;

	if (*cur)
		n = (*cur)->next;
	for (n = first_hook(n); n; n = first_hook(n->next)) {
		*cur = n;
		if (to_call(n)->fp == frame)
			return get_kretprobe_retaddr(to_call(n));
	}
	return 0;
}

NOKPROBE_SYMBOL(kretprobe_find_ret_addr);

/**
 * arch_kretprobe_fixup_return - store the return address before the handlers run
 * @regs: the state at the return
 * @to: the return address
 *
 * For architectures that keep it in another place than instruction_pointer().
 */
void __weak arch_kretprobe_fixup_return(struct pt_regs *regs,
					kprobe_opcode_t *to)
{
}

static void run_handler(struct kretprobe_instance *call, struct pt_regs *regs)
{
	struct kretprobe *rp = get_kretprobe(call);
	struct kprobe *outer;

	/* NULL if it was unregistered while the call was in flight. */
	if (rp && rp->handler) {
		outer = kprobe_run_instead(&rp->kp);
		rp->handler(call, regs);
		kprobe_run_instead(outer);
	}
}

NOKPROBE_SYMBOL(run_handler);

/**
 * __kretprobe_trampoline_handler - handle the return of a hooked function
 * @regs: the state at the return
 * @frame: the frame that arch_prepare_kretprobe() stored for this call
 *
 * Context: the architecture's trampoline, preemption off, kprobe_running() is not NULL.
 * Return: the return address.
 */
unsigned long __kretprobe_trampoline_handler(struct pt_regs *regs, void *frame)
{
	struct llist_node *first = current->kretprobe_instances.first;
	struct llist_node *last = first_hook(first), *rest, *n;
	kprobe_opcode_t *to;

	if (!last || to_call(last)->fp != frame)
		panic("kprobes: a hooked return with nowhere to go");
	to = to_call(last)->ret_addr;
	rest = last->next;
	instruction_pointer_set(regs, (unsigned long)to);
	arch_kretprobe_fixup_return(regs, to);

	/* Handlers may unwind this stack, so the list does not change until all have run. */
	for (n = first; n != rest; n = n->next) {
		/* Handlers read the return address here, not the trampoline. */
		to_call(n)->ret_addr = to;
		run_handler(to_call(n), regs);
	}
	current->kretprobe_instances.first = rest;
	while (first != rest) {
		n = first;
		first = n->next;
		kretprobe_pool_put(to_call(n));
	}
	return (unsigned long)to;
}

NOKPROBE_SYMBOL(__kretprobe_trampoline_handler);

/**
 * kretprobe_trampoline_handler - handle a return for a trampoline that takes no trap
 * @regs: the state at the return
 * @frame: the frame that arch_prepare_kretprobe() stored for this call
 *
 * Return: the return address.
 */
unsigned long kretprobe_trampoline_handler(struct pt_regs *regs, void *frame)
{
	unsigned long to;

	/* No trap has set current_kprobe. */
	kprobe_busy_begin();
	to = __kretprobe_trampoline_handler(regs, frame);
	kprobe_busy_end();
	return to;
}

NOKPROBE_SYMBOL(kretprobe_trampoline_handler);

/**
 * kprobe_flush_task - free the instances of a task that has exited
 * @tk: the task, which will not run again
 */
void kprobe_flush_task(struct task_struct *tk)
{
	struct llist_node *n, *next;

	preempt_disable();
	for (n = __llist_del_all(&tk->kretprobe_instances); n; n = next) {
		next = n->next;
		kretprobe_pool_put(to_call(n));
	}
	preempt_enable();
}

NOKPROBE_SYMBOL(kprobe_flush_task);
