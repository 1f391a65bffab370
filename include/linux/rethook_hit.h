/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Inline fast paths to hook a call. kernel/trace/rethook.c has the slow paths and documents the
 * rules.
 */
#ifndef _LINUX_RETHOOK_HIT_H
#define _LINUX_RETHOOK_HIT_H

#include <linux/atomic.h>
#include <linux/kconfig.h>
#include <linux/kprobe_delay.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/rethook.h>
#include <linux/sched.h>

#ifdef CONFIG_RETHOOK
/*
 * Fast path of rethook_try_get(). If it returns NULL, call rethook_try_get(). It does not check
 * whether the pool is stopped. So it is only for users that unhook their functions before they call
 * rethook_free(). Hits in progress may still take nodes, and the grace period after rethook_free()
 * waits for them.
 */
static __always_inline struct rethook_node *rethook_take_home(struct rethook *rh)
{
	return xchg(&this_cpu_ptr(rh->homes)->node[0], NULL);
}

/*
 * The list is that of the task that runs on this CPU, or is switched to. If an interrupt pushes a
 * node between the two stores, it has also removed it when it returns, because preemption is off.
 */
static __always_inline void rethook_list_push(struct llist_node *link, struct llist_head *list)
{
	WRITE_ONCE(link->next, READ_ONCE(list->first));
	kprobe_delay_point(DELAY_NODE_LINKS);
	/* Publishes the node to rethook_find_ret_addr(), which has an address dependency. */
	smp_store_release(&list->first, link);
}

/* Inline version of rethook_hook_in(). */
static __always_inline void rethook_plant(struct rethook_node *node, struct pt_regs *entry,
					  bool mcount, struct task_struct *task)
{
	kprobe_delay_point(DELAY_HOME_TAKEN);
	arch_rethook_prepare(node, entry, mcount);
	rethook_list_push(&node->llist, &task->rethooks);
}
#endif /* CONFIG_RETHOOK */

#endif /* _LINUX_RETHOOK_HIT_H */
