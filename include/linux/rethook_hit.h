/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The common course of hooking a call and taking its return, for those who do that often
 * and inline it: kernel/trace/rethook.c has the rest, and the rules.
 */
#ifndef _LINUX_RETHOOK_HIT_H
#define _LINUX_RETHOOK_HIT_H

#include <linux/atomic.h>
#include <linux/kconfig.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/rethook.h>
#include <linux/sched.h>

#ifdef CONFIG_RETHOOK
/*
 * rethook_try_get() as it mostly goes: NULL means to call that. Not for pools that are
 * stopped otherwise than by taking their users off the hit path, and waiting.
 */
static __always_inline struct rethook_node *rethook_take_home(struct rethook *rh)
{
	return xchg(&this_cpu_ptr(rh->homes)->node[0], NULL);
}

/*
 * Onto the list of a task that runs on this CPU, or is about to. Whatever an interrupt
 * pushes in between has been taken off by the time that it returns, as preemption is off.
 */
static __always_inline void rethook_list_push(struct llist_node *link, struct llist_head *list)
{
	WRITE_ONCE(link->next, READ_ONCE(list->first));
	/* Whoever follows @list->first finds a valid node, by address: rethook_find_ret_addr(). */
	smp_store_release(&list->first, link);
}

/* rethook_hook_in() */
static __always_inline void rethook_plant(struct rethook_node *node, struct pt_regs *entry,
					  bool mcount, struct task_struct *task)
{
	arch_rethook_prepare(node, entry, mcount);
	rethook_list_push(&node->llist, &task->rethooks);
}
#endif /* CONFIG_RETHOOK */

#endif /* _LINUX_RETHOOK_HIT_H */
