/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Return hooks: have a function return through a trampoline, once per call.
 *
 * Whoever catches function entries takes a node from a pool
 * (rethook_try_get()) and plants it (rethook_hook()). When that call returns,
 * the handler of the pool runs with the node. kernel/trace/rethook_pool.c
 * explains how the pool grows and how it goes away.
 */
#ifndef _LINUX_RETHOOK_H
#define _LINUX_RETHOOK_H

#include <linux/atomic.h>
#include <linux/cache.h>
#include <linux/compiler.h>
#include <linux/kallsyms.h>
#include <linux/llist.h>
#include <linux/slab.h>
#include <linux/spinlock_types.h>
#include <linux/types.h>
#include <linux/workqueue.h>

struct completion;
struct pt_regs;
struct rethook_node;
struct task_struct;

/**
 * typedef rethook_handler_t - what runs when a hooked call returns
 * @node: the node that was planted, as the first member of the user's own
 * @data: the @data of rethook_alloc()
 * @ret_addr: where the call really returns to
 * @regs: registers right after the return; written values take effect
 *
 * Context: in the returning task, or in the interrupt or NMI that made the
 * call; preemption is off.
 */
typedef void (*rethook_handler_t)(struct rethook_node *node, void *data,
				  unsigned long ret_addr, struct pt_regs *regs);

/**
 * struct rethook_node - one hooked call
 * @llist: link in the task's list of planted nodes, the latest call first
 * @rethook: the pool that the node belongs to; set once
 * @ret_addr: the return address that was displaced
 * @frame: where that address stood, or whatever else identifies the frame on
 *	this architecture
 * @home: the place of a CPU that the node returns to, or NULL for the list that
 *	all share; set once
 * @next_free: name of the node below on the shared list, while on it
 * @name: segment and slot of the node in its pool; set once
 *
 * While planted, the node belongs to the task whose list it is on: only that
 * task, and interrupts on top of it, change the list. While free it belongs
 * to its home, or to the shared list.
 */
struct rethook_node {
	struct llist_node	llist;
	struct rethook		*rethook;
	unsigned long		ret_addr;
	unsigned long		frame;
	struct rethook_node	**home;
	unsigned int		next_free;
	unsigned int		name;
};

/* A pool grows to so many nodes, and to so much memory, at most. */
#define RETHOOK_MAX_NODES	(BITS_PER_LONG == 64 ? 131072U : 16384U)
#define RETHOOK_MAX_BYTES	(64U << 20)

/* What a node of a user may take; a segment of 256 of them is one allocation. */
#define RETHOOK_MAX_NODE_SIZE	(KMALLOC_MAX_SIZE / 256)

/* Nodes at home with each CPU. */
#define RETHOOK_HOMES		2

/**
 * struct rethook_homes - free nodes of a CPU
 * @node: each place is for one node, and NULL while that is away, or RETHOOK_CLOSED.
 *	Taken by any CPU, with xchg()
 */
struct rethook_homes {
	struct rethook_node	*node[RETHOOK_HOMES];
};

/* The pool was freed: nodes that come back are counted. */
#define RETHOOK_CLOSED		((struct rethook_node *)1UL)

/* Segments that a pool can name before it needs a longer table; [0] is not one. */
#define RETHOOK_INLINE_SEGMENTS	8

/**
 * struct rethook - a handler and its pool of nodes
 * @handler: NULL once stopped
 * @data: for the handler
 * @homes: for each CPU, see &rethook_node.home
 * @segments: memory of segment n at [n]; [0] links the tables outgrown
 * @node_size: distance of two nodes in a segment
 * @low_water: the shared list asks for more nodes below this
 * @full: @max_nodes was reached
 * @homeless: no node has a home: @max_nodes is small; set once
 * @shared: the free list that all CPUs share
 * @spare: about how many nodes are on @shared
 * @grow_lock: guards the four fields that follow and the store to @segments;
 *	never taken on a hit
 * @nr_nodes: nodes made so far
 * @max_nodes: bound for @nr_nodes
 * @nr_segments: segments in use, counting the unused [0]
 * @len_segments: length of the table @segments
 * @nr_exhausted: calls that went unhooked as no node was free
 * @nr_nomem: times that no memory was to be had for growing
 * @owed: once freed: nodes that have yet to come back
 * @dead: link in the list of pools whose last node came back
 * @grow_work: grows the pool where an interrupt could not
 * @free_work: takes the pool down after a grace period
 * @freed: if set, completed when the memory is gone; for tests
 * @inline_segments: the first table
 *
 * Users look at @data only; the rest is for kernel/trace/rethook*.c.
 */
struct rethook {
	/* Set up once; read on every hit. @handler, @segments: READ_ONCE(). */
	rethook_handler_t	handler;
	void			*data;
	struct rethook_homes __percpu *homes;
	void			**segments;
	unsigned int		node_size;
	unsigned int		low_water;
	bool			full;
	bool			homeless;

	/* Changed by hits that find no node at home. */
	unsigned long		shared ____cacheline_aligned_in_smp;
	atomic_t		spare;

	raw_spinlock_t		grow_lock;
	unsigned int		nr_nodes;
	unsigned int		max_nodes;
	unsigned int		nr_segments;
	unsigned int		len_segments;

	atomic_long_t		nr_exhausted;
	atomic_long_t		nr_nomem;
	atomic_t		owed;
	struct llist_node	dead;
	struct work_struct	grow_work;
	struct rcu_work		free_work;
	struct completion	*freed;
	void			*inline_segments[RETHOOK_INLINE_SEGMENTS];
};

/**
 * struct rethook_stats - state of a pool
 * @nr_nodes: nodes that it has, free and planted
 * @max_nodes: how many it may come to have
 * @node_bytes: memory that each takes
 * @nr_exhausted: times that rethook_try_get() found no free node
 * @nr_nomem: times that the pool wanted to grow and found no memory
 */
struct rethook_stats {
	unsigned int	nr_nodes;
	unsigned int	max_nodes;
	unsigned int	node_bytes;
	unsigned long	nr_exhausted;
	unsigned long	nr_nomem;
};

#ifdef CONFIG_RETHOOK

struct rethook *rethook_alloc(void *data, rethook_handler_t handler, int size, int num);
struct rethook *rethook_alloc_bounded(void *data, rethook_handler_t handler, int size,
				      int num, int most);
void rethook_stop(struct rethook *rh);
void rethook_free(struct rethook *rh);
void rethook_pool_stats(struct rethook *rh, struct rethook_stats *stats);

struct rethook_node *rethook_try_get(struct rethook *rh);
void rethook_recycle(struct rethook_node *node);
void rethook_hook(struct rethook_node *node, struct pt_regs *regs, bool mcount);
void rethook_hook_in(struct rethook_node *node, struct pt_regs *regs, bool mcount,
		     struct task_struct *task);

unsigned long rethook_find_ret_addr(struct task_struct *tsk, unsigned long frame,
				    struct llist_node **cur);
void rethook_flush_task(struct task_struct *tk);

/* Provided by the architecture, as are those that are in its header. */
#include <asm/rethook.h>

void arch_rethook_trampoline(void);
unsigned long arch_rethook_switch_ip(void);
struct task_struct *arch_rethook_switch_to(struct pt_regs *regs);

/* For the architecture's trampoline. */
unsigned long rethook_trampoline_handler(struct pt_regs *regs, unsigned long frame);

/**
 * is_rethook_trampoline() - does a return address lead to the trampoline?
 * @addr: the return address
 *
 * Return: true if so.
 */
static inline bool is_rethook_trampoline(unsigned long addr)
{
	void *entry = dereference_symbol_descriptor(arch_rethook_trampoline);

	return addr == (unsigned long)entry;
}

#else /* !CONFIG_RETHOOK */

static inline void rethook_flush_task(struct task_struct *tk)
{
}

#endif /* CONFIG_RETHOOK */

#endif /* _LINUX_RETHOOK_H */
