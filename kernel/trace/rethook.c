// SPDX-License-Identifier: GPL-2.0
/*
 * Return hooks: plant nodes, and run handlers when hooked calls return.
 *
 * When a call is hooked, a trampoline's address replaces its return address. A node with the return
 * address is planted in the list of the task. The list is a stack: a call that was made later
 * returns earlier, and so does all that an interrupt or NMI calls in between. Only the CPU that
 * runs the task, or switches to it, changes the list, so it needs no lock. Nodes above that of a
 * call that returns belong to calls that will never return.
 *
 * Each struct rethook has a pool of nodes. Hits use it in any context, NMI included, so they take
 * no lock and allocate no memory:
 *
 * - A few nodes have a home at a CPU, which is a pointer to one node. Hits take the node with an
 *   xchg and give it back with a cmpxchg. A node goes back to its home on whichever CPU the call
 *   returns, so nodes do not gather on some CPUs.
 *
 * - All other nodes are on a shared list. Its head is one word, changed by cmpxchg: the name of the
 *   first node in the upper half, and a count of changes in the lower half. Because of the count,
 *   the cmpxchg fails if the list was changed and has the same first node again. Nodes have names
 *   so that both fit in one word.
 *
 * Nodes hold no references to the pool. rethook_pool.c explains how it grows and how it is freed.
 *
 * All of this runs in hits. The Makefile disables tracing and instrumentation of this file.
 */
#include <linux/atomic.h>
#include <linux/bug.h>
#include <linux/cleanup.h>
#include <linux/cpumask.h>
#include <linux/irq_work.h>
#include <linux/kprobe_delay.h>
#include <linux/kprobes.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/probe_hit.h>
#include <linux/ptrace.h>
#include <linux/rcupdate.h>
#include <linux/rethook.h>
#include <linux/rethook_hit.h>
#include <linux/sched.h>

#include "rethook_pool.h"

static __always_inline struct rethook_node *to_node(struct llist_node *link)
{
	return container_of(link, struct rethook_node, llist);
}

/* As llist_add(), but inline, because llist_add_batch() can be probed. */
static __always_inline void list_push(struct llist_node *link, struct llist_head *list)
{
	struct llist_node *first = READ_ONCE(list->first);

	do {
		WRITE_ONCE(link->next, first);
	} while (!try_cmpxchg(&list->first, &first, link));
}

/* Free nodes */

/*
 * Take a node from the shared list. At any point another context may take the same node, use it and
 * give it back. Then next_free is wrong, and the cmpxchg fails. The memory of the node stays.
 */
static __always_inline struct rethook_node *shared_pop(struct rethook *rh)
{
	unsigned long old = READ_ONCE(rh->shared);
	struct rethook_node *node;
	unsigned int next;

	do {
		if (unlikely(head_name(old) <= LIST_CLOSED))
			return NULL;
		/*
		 * Read the name before the table. Pairs with the cmpxchg in shared_push(), which
		 * comes after install_segment().
		 */
		smp_rmb();
		kprobe_delay_point(DELAY_SHARED_NAME_READ);
		node = name_to_node(rh, head_name(old));
		next = READ_ONCE(node->next_free);
		kprobe_delay_point(DELAY_SHARED_NEXT_READ);
	} while (!try_cmpxchg(&rh->shared, &old, head_next(old, next)));
	return node;
}

/* A node came back after rethook_free(). If it is the last one, free the pool. */
static noinline void node_came_back(struct rethook *rh)
{
	if (atomic_dec_return(&rh->owed))
		return;
	list_push(&rh->dead, &rethook_dead_pools);
	irq_work_queue(&rethook_dead_work);
}

NOKPROBE_SYMBOL(node_came_back);

static noinline void shared_push(struct rethook_node *node)
{
	struct rethook *rh = node->rethook;
	unsigned long old;

	atomic_inc(&rh->spare);
	old = READ_ONCE(rh->shared);
	do {
		if (unlikely(head_name(old) == LIST_CLOSED)) {
			node_came_back(rh);
			return;
		}
		WRITE_ONCE(node->next_free, head_name(old));
		kprobe_delay_point(DELAY_SHARED_PUSHES);
	} while (!try_cmpxchg(&rh->shared, &old, head_next(old, node->name)));
}

NOKPROBE_SYMBOL(shared_push);

/*
 * Give a node back. If it is the last one of a freed pool, the pool may be freed as soon as the
 * node is back, unless preemption is off and RCU is watching. So the pool is not accessed after the
 * cmpxchg.
 */
static __always_inline void free_push(struct rethook_node *node)
{
	struct rethook_node *away = NULL;

	kprobe_delay_point(DELAY_HOME_GIVES);
	if (unlikely(!node->home))
		shared_push(node);
	else if (unlikely(!try_cmpxchg(node->home, &away, node)))
		node_came_back(node->rethook);
}

/* Take any home node of a CPU. Reads before the xchg, to leave the cache line with its CPU. */
static __always_inline struct rethook_node *homes_pop(struct rethook_homes *homes)
{
	struct rethook_node *node;
	unsigned int i;

	for (i = 0; i < RETHOOK_HOMES; i++) {
		if (!READ_ONCE(homes->node[i]))
			continue;
		kprobe_delay_point(DELAY_HOME_FOUND);
		node = xchg(&homes->node[i], NULL);
		if (node)
			return node;
	}
	return NULL;
}

static __always_inline void ask_for_refill(struct rethook *rh)
{
	if (READ_ONCE(rh->full))
		return;
	this_cpu_write(rethook_refill.pool, rh);
	irq_work_queue(this_cpu_ptr(&rethook_refill.work));
}

static __always_inline struct rethook_node *pop_shared(struct rethook *rh)
{
	struct rethook_node *node = shared_pop(rh);

	if (likely(node) && atomic_dec_return(&rh->spare) >= (int)READ_ONCE(rh->low_water))
		return node;
	ask_for_refill(rh);
	return node;
}

/*
 * Take any home node of any CPU. for_each_possible_cpu() calls a function that can be probed if
 * there may be more than 64 CPUs.
 */
static __always_inline struct rethook_node *homes_pop_any(struct rethook *rh)
{
	struct rethook_node *node;
	unsigned int cpu;

	for (cpu = 0; cpu < nr_cpu_ids; cpu++) {
		node = cpu_possible(cpu) ? homes_pop(per_cpu_ptr(rh->homes, cpu)) : NULL;
		if (node)
			return node;
	}
	return NULL;
}

static __always_inline struct rethook_node *free_pop(struct rethook *rh)
{
	struct rethook_node *node;

	node = homes_pop(this_cpu_ptr(rh->homes)) ?: pop_shared(rh);
	if (likely(node))
		return node;
	node = rh->homeless ? NULL : homes_pop_any(rh);
	if (node)
		return node;
	atomic_long_inc(&rh->nr_exhausted);
	return NULL;
}

/* Hits */

/**
 * rethook_try_get() - take a node for a call
 * @rh: the return hook
 *
 * The caller plants the node with rethook_hook() or gives it back with rethook_recycle().
 *
 * Context: any, NMI included, with preemption off. The grace period after rethook_free() waits for
 * the caller, if RCU is watching.
 * Return: a node; or NULL if @rh was stopped, RCU is not watching or no node is free. Only the last
 * case is counted, in &rethook_stats.nr_exhausted.
 */
struct rethook_node *rethook_try_get(struct rethook *rh)
{
	if (unlikely(!READ_ONCE(rh->handler)))
		return NULL;
	if (unlikely(!probe_hit_is_watched()))
		return NULL;
	kprobe_delay_point(DELAY_POOL_OPEN_READ);
	return free_pop(rh);
}

NOKPROBE_SYMBOL(rethook_try_get);

/**
 * rethook_recycle() - give a node back that was not planted
 * @node: from rethook_try_get()
 *
 * Context: any, NMI included, with preemption off. rethook_pool.c also calls it with preemption on,
 * for a pool that cannot be freed meanwhile.
 */
void rethook_recycle(struct rethook_node *node)
{
	free_push(node);
}

NOKPROBE_SYMBOL(rethook_recycle);

/**
 * rethook_hook() - make a call return through the trampoline
 * @node: from rethook_try_get()
 * @entry: registers at the entry of the function
 * @mcount: ftrace is the caller, not a kprobe
 *
 * Context: at the entry of the function, in the task or interrupt that called it, with preemption
 * off.
 */
void rethook_hook(struct rethook_node *node, struct pt_regs *entry, bool mcount)
{
	rethook_hook_in(node, entry, mcount, current);
}

NOKPROBE_SYMBOL(rethook_hook);

/**
 * rethook_hook_in() - make a call return through the trampoline, in another task
 * @node: from rethook_try_get()
 * @entry: registers at the entry of the function
 * @mcount: ftrace is the caller, not a kprobe
 * @task: the task that will be current when the call returns, see arch_rethook_switch_to()
 *
 * Context: as rethook_hook().
 */
void rethook_hook_in(struct rethook_node *node, struct pt_regs *entry, bool mcount,
		     struct task_struct *task)
{
	rethook_plant(node, entry, mcount, task);
}

NOKPROBE_SYMBOL(rethook_hook_in);

/**
 * arch_rethook_switch_ip() - find the function that returns in another task
 *
 * This is a function that is called on the stack of the next task, and makes that task current. A
 * function that switches stacks itself is not: it returns from the call that the same task made
 * earlier.
 *
 * Context: process.
 * Return: address of ftrace's call in the function; 0 if there is no such function.
 */
unsigned long __weak arch_rethook_switch_ip(void)
{
	return 0;
}

/**
 * arch_rethook_switch_to() - find the task in which a call will return
 * @entry: registers at the entry of the function of arch_rethook_switch_ip()
 *
 * Context: a hit.
 * Return: the task.
 */
struct task_struct * __weak arch_rethook_switch_to(struct pt_regs *entry)
{
	return current;
}

NOKPROBE_SYMBOL(arch_rethook_switch_to);

#ifndef arch_rethook_fixup_return
/* For architectures that have nothing to restore. */
void __weak arch_rethook_fixup_return(struct pt_regs *saved, unsigned long ret_addr)
{
}

NOKPROBE_SYMBOL(arch_rethook_fixup_return);
#endif

/* There is no return address for @frame. Print what is known before BUG(). */
static noinline __noreturn void no_way_back(unsigned long frame)
{
	struct llist_node *link;

	pr_emerg("rethook: %s/%d returned to frame %lx, which nobody hooked; hooked are:\n",
		 current->comm, current->pid, frame);
	for (link = current->rethooks.first; link; link = link->next)
		pr_emerg("  frame %lx, return address %pS\n", to_node(link)->frame,
			 (void *)to_node(link)->ret_addr);
	BUG();
}

NOKPROBE_SYMBOL(no_way_back);

/* The latest node for @frame. The nodes above it are of calls that will not return. */
static __always_inline struct rethook_node *node_of_frame(struct llist_node *link,
							  unsigned long frame)
{
	for (; link; link = link->next) {
		if (to_node(link)->frame == frame)
			return to_node(link);
	}
	no_way_back(frame);
}

/*
 * Find the node with the return address. A call that was hooked several times, or that ended in
 * tail calls that were hooked, too, has several nodes. Only the earliest has the return address.
 * The others have the address of the trampoline.
 */
static __always_inline struct rethook_node *node_with_address(struct rethook_node *node)
{
	unsigned long frame = node->frame;

	while (is_rethook_trampoline(node->ret_addr)) {
		if (!node->llist.next)
			no_way_back(frame);
		node = to_node(node->llist.next);
	}
	return node;
}

/* Remove the nodes down to @last from the list of this task, and give them back. */
static noinline void recycle_down_to(struct rethook_node *last)
{
	struct llist_head *list = &current->rethooks;
	struct llist_node *link = READ_ONCE(list->first);
	struct rethook_node *node;

	WRITE_ONCE(list->first, last->llist.next);
	do {
		node = to_node(link);
		link = link->next;
		free_push(node);
	} while (node != last);
}

NOKPROBE_SYMBOL(recycle_down_to);

static __always_inline void call_handler(struct rethook_node *node, unsigned long ret_addr,
					 struct pt_regs *regs)
{
	struct rethook *rh = node->rethook;
	rethook_handler_t handler = READ_ONCE(rh->handler);

	if (likely(handler))
		handler(node, rh->data, ret_addr, regs);
}

/* Return of a call that has several nodes, or has nodes above its own. */
static noinline unsigned long returned_through_many(struct pt_regs *regs, unsigned long frame)
{
	struct rethook_node *node = node_of_frame(current->rethooks.first, frame);
	struct rethook_node *last = node_with_address(node);
	unsigned long ret_addr = last->ret_addr;

	instruction_pointer_set(regs, ret_addr);
	for (;;) {
		call_handler(node, ret_addr, regs);
		if (node == last)
			break;
		node = to_node(node->llist.next);
	}
	arch_rethook_fixup_return(regs, ret_addr);
	barrier(); /* as in returned_through() */
	recycle_down_to(last);
	return ret_addr;
}

NOKPROBE_SYMBOL(returned_through_many);

/* Return of a call whose only node is @node, the latest one. */
static __always_inline unsigned long returned_through(struct rethook_node *node,
						      struct pt_regs *regs)
{
	unsigned long ret_addr = node->ret_addr;
	struct llist_head *list;

	instruction_pointer_set(regs, ret_addr);
	call_handler(node, ret_addr, regs);
	/* Read it again, which is cheaper than to keep it in a register. */
	ret_addr = READ_ONCE(node->ret_addr);
	arch_rethook_fixup_return(regs, ret_addr);
	/*
	 * Restore the return address before the node leaves the list, because an NMI that unwinds
	 * needs one of them.
	 */
	barrier();
	kprobe_delay_point(DELAY_NODE_UNLINKS);
	list = &current->rethooks;
	if (unlikely(list->first != &node->llist)) {
		recycle_down_to(node);
	} else {
		WRITE_ONCE(list->first, node->llist.next);
		free_push(node);
	}
	return ret_addr;
}

/**
 * rethook_trampoline_handler() - run the handlers of a call that returns
 * @regs: registers at the return of the hooked call
 * @frame: what arch_rethook_prepare() stored in &rethook_node.frame
 *
 * Runs the handlers, that of the latest hook first. The instruction pointer in @regs is the return
 * address of the call. Stack traces from handlers and NMIs need the nodes, so the nodes stay on the
 * list until the architecture has restored the return address.
 *
 * Context: called by the trampoline. Disables preemption.
 * Return: the address to return to.
 */
unsigned long rethook_trampoline_handler(struct pt_regs *regs, unsigned long frame)
{
	struct llist_node *link;
	unsigned long ret_addr;

	preempt_disable_notrace();
	link = current->rethooks.first;
	if (likely(link && to_node(link)->frame == frame &&
		   !is_rethook_trampoline(to_node(link)->ret_addr)))
		ret_addr = returned_through(to_node(link), regs);
	else
		ret_addr = returned_through_many(regs, frame);
	preempt_enable_notrace();
	return ret_addr;
}

NOKPROBE_SYMBOL(rethook_trampoline_handler);

/* Others */

/*
 * Find the node behind @cur in the list of a task that may start to run. @cur may have left the
 * list, so it is searched for, and its next pointer is used only if it is found.
 */
static struct llist_node *resume_after(struct llist_node *first, struct llist_node *cur)
{
	struct llist_node *link;
	unsigned int left = RETHOOK_MAX_NODES;

	for (link = first; link && left; link = READ_ONCE(link->next), left--)
		if (link == cur)
			return READ_ONCE(link->next);
	return first;
}

/**
 * rethook_find_ret_addr() - find the return address that a hook replaced
 * @tsk: the task whose stack is unwound: current, or not running
 * @frame: the frame whose return address is that of the trampoline
 * @cur: state of the unwinder, NULL at the start; the unwinder asks for frames from the innermost
 *	to the outermost
 *
 * If another task starts to run, its nodes may go back to their pools at any time, and onto other
 * lists. Then the result may be wrong. Nodes are not freed while preemption is off here.
 *
 * Context: any, NMI included.
 * Return: the return address, or 0 if there is none for @frame.
 */
unsigned long rethook_find_ret_addr(struct task_struct *tsk, unsigned long frame,
				    struct llist_node **cur)
{
	unsigned int left = RETHOOK_MAX_NODES;
	unsigned long ret_addr = 0, addr;
	struct llist_node *link;
	struct rethook_node *node;

	if (WARN_ON_ONCE(!cur))
		return 0;

	preempt_disable_notrace();
	/* Address dependency; pairs with rethook_list_push(). */
	link = READ_ONCE(tsk->rethooks.first);
	if (*cur)
		link = tsk == current ? (*cur)->next : resume_after(link, *cur);

	for (; link && left; link = READ_ONCE(link->next), left--) {
		node = to_node(link);
		kprobe_delay_point(DELAY_NODE_READ);
		/* Both may change if @tsk runs. Read the address once, so it is the checked one. */
		addr = READ_ONCE(node->ret_addr);
		if (READ_ONCE(node->frame) != frame || is_rethook_trampoline(addr))
			continue;
		*cur = link;
		ret_addr = addr;
		break;
	}
	preempt_enable_notrace();
	return ret_addr;
}

NOKPROBE_SYMBOL(rethook_find_ret_addr);

/**
 * rethook_flush_task() - give back the nodes of a task that has exited
 * @tk: the task, which will not run again
 *
 * Context: any.
 */
void rethook_flush_task(struct task_struct *tk)
{
	struct llist_node *link, *next;

	if (likely(!tk->rethooks.first))
		return;

	guard(preempt_notrace)();
	link = tk->rethooks.first;
	tk->rethooks.first = NULL;
	llist_for_each_safe(link, next, link)
		free_push(to_node(link));
}

NOKPROBE_SYMBOL(rethook_flush_task);
