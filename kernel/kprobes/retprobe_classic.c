// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kretprobes where an architecture has no return hooks but a trampoline for kretprobes.
 *
 * A task's calls in flight are on its kretprobe_instances list, the latest first. Only
 * the task itself, and what interrupts it, adds or removes; unwinders read it of tasks
 * that do not run. Instances come from a pool that does not grow: maxactive is a limit
 * here.
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

/* It is freed when the last instance is back; each checks for the kretprobe first. */
static void pool_give_up(struct rcu_head *rcu)
{
	struct kretprobe_holder *h = container_of(rcu, struct kretprobe_holder, rcu);

	objpool_fini(&h->pool);
}

/*
 * A hit under way may be taking an instance, or be giving one back to the kretprobe: rp->rph
 * stays as it is, and the pool until a grace period has passed.
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

/* No unwinder looks at the instance any more. */
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
 * Several kretprobes of one function all hooked the same return; only the first of them
 * saw where it really goes. Find that one.
 */
static struct llist_node *first_hook(struct llist_node *n)
{
	while (n && is_kretprobe_trampoline(get_kretprobe_retaddr(to_call(n))))
		n = n->next;
	return n;
}

NOKPROBE_SYMBOL(first_hook);

/**
 * kretprobe_find_ret_addr - what is under a trampoline on a stack
 * @tsk: current, or a task that does not run
 * @frame: the frame it was found in
 * @cur: where the walk is; NULL to start with, and the same for all of one unwinding
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
 * arch_kretprobe_fixup_return - a return is about to be handled
 * @regs: the state at the return
 * @to: where it goes
 *
 * For architectures that must make the address visible in a place of their own.
 */
void __weak arch_kretprobe_fixup_return(struct pt_regs *regs,
					kprobe_opcode_t *to)
{
}

static void run_handler(struct kretprobe_instance *call, struct pt_regs *regs)
{
	struct kretprobe *rp = get_kretprobe(call);
	struct kprobe *outer;

	/* Without a kretprobe: it was unregistered while the call was under way. */
	if (rp && rp->handler) {
		outer = kprobe_run_instead(&rp->kp);
		rp->handler(call, regs);
		kprobe_run_instead(outer);
	}
}

NOKPROBE_SYMBOL(run_handler);

/**
 * __kretprobe_trampoline_handler - a hooked function has returned
 * @regs: the state at the return
 * @frame: what arch_prepare_kretprobe() noted for this call
 *
 * Context: from the architecture's trampoline, preemption off, kprobe_running() set.
 * Return: the address to go on at.
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

	/* The list stays whole until all have run: they may unwind this stack. */
	for (n = first; n != rest; n = n->next) {
		/* What handlers ask for is the address, not the trampoline. */
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
 * kretprobe_trampoline_handler - the same, from a trampoline that is plain code
 * @regs: the state at the return
 * @frame: what arch_prepare_kretprobe() noted for this call
 *
 * Return: the address to go on at.
 */
unsigned long kretprobe_trampoline_handler(struct pt_regs *regs, void *frame)
{
	unsigned long to;

	/* There was no trap to say that this CPU is busy with a probe. */
	kprobe_busy_begin();
	to = __kretprobe_trampoline_handler(regs, frame);
	kprobe_busy_end();
	return to;
}

NOKPROBE_SYMBOL(kretprobe_trampoline_handler);

/**
 * kprobe_flush_task - a task is gone for good
 * @tk: the task, which will not run again
 *
 * Its calls in flight never return; their instances go back.
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
