/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Return hooks: let a call of a function return through a trampoline.
 *
 * At a function's entry, the user takes a node from a pool (rethook_try_get()) and plants it
 * (rethook_hook()). When that call returns, the handler of the pool runs with the node.
 * kernel/trace/rethook_pool.c explains how a pool grows and how it is freed.
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
 * typedef rethook_handler_t - handler that runs when a hooked call returns
 * @node: the node that was planted, the first member of the user's struct
 * @data: the @data of rethook_alloc()
 * @ret_addr: the return address of the call
 * @regs: registers right after the return; changes take effect
 *
 * Context: in the returning task, or in the interrupt or NMI that made the
 * call; preemption is off.
 */
typedef void (*rethook_handler_t)(struct rethook_node *node, void *data,
				  unsigned long ret_addr, struct pt_regs *regs);

/**
 * struct rethook_node - one hooked call
 * @llist: links the node in the task's list of planted nodes, the latest call first
 * @rethook: the pool that the node belongs to; set once
 * @ret_addr: the return address that the trampoline replaces
 * @frame: address of the return address, or what else identifies the frame on this
 *	architecture
 * @home: the entry of &struct rethook_homes that the node returns to, or NULL for the shared
 *	list; set once
 * @next_free: name of the next node on the shared list, while the node is on it
 * @name: segment and slot of the node in its pool; set once
 *
 * A planted node is on the list of a task. Only the CPU that runs the task, or switches to it,
 * changes the list, and rethook_flush_task() after the task has exited. A free node is in its home
 * or on the shared list.
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

/* The most nodes that a pool can have, and the most memory. */
#define RETHOOK_MAX_NODES	(BITS_PER_LONG == 64 ? 131072U : 16384U)
#define RETHOOK_MAX_BYTES	(64U << 20)

/* A segment of 256 nodes is one allocation. */
#define RETHOOK_MAX_NODE_SIZE	(KMALLOC_MAX_SIZE / 256)

/* Entries of struct rethook_homes for each CPU. */
#define RETHOOK_HOMES		2

/**
 * struct rethook_homes - free nodes of a CPU
 * @node: each entry is for one node; NULL while that node is in use, RETHOOK_CLOSED after the
 *	pool was freed. Any CPU changes it, with xchg() or cmpxchg()
 */
struct rethook_homes {
	struct rethook_node	*node[RETHOOK_HOMES];
};

/* The pool was freed: nodes that come back are counted. */
#define RETHOOK_CLOSED		((struct rethook_node *)1UL)

/* Length of the first table of segments; [0] is not a segment. */
#define RETHOOK_INLINE_SEGMENTS	8

/**
 * struct rethook - a handler and its pool of nodes
 * @handler: NULL after rethook_stop()
 * @data: argument of the handler
 * @homes: free nodes of each CPU, see &rethook_node.home
 * @segments: memory of segment n at [n]; [0] links the tables that became too short
 * @node_size: distance of two nodes in a segment
 * @low_water: the pool grows if @spare is below this. Changed by pool_grow(), without a lock
 * @full: the pool cannot grow any more. Set without a lock, never cleared
 * @homeless: no node has a home, because @max_nodes is small; set once
 * @shared: list of free nodes that all CPUs share
 * @spare: approximate number of nodes on @shared
 * @grow_lock: guards the four fields that follow and stores to @segments; not taken on a hit
 * @nr_nodes: nodes allocated so far
 * @max_nodes: bound for @nr_nodes
 * @nr_segments: segments in use, counting the unused [0]
 * @len_segments: length of the table @segments
 * @nr_exhausted: calls that were not hooked because no node was free
 * @nr_nomem: failed allocations when the pool was to grow
 * @owed: after rethook_free(): nodes that are not back yet
 * @dead: links the pool in the list of pools whose last node is back
 * @grow_work: grows the pool if an interrupt could not
 * @free_work: frees the pool after a grace period
 * @freed: if set, completed when the memory is freed; for tests
 * @inline_segments: the first table
 *
 * Users read only @data; the rest is for kernel/trace/rethook*.c.
 */
struct rethook {
	/* Read by hits. Set once, except @handler, @segments, @low_water and @full: READ_ONCE(). */
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
 * @nr_nodes: number of nodes, free and planted
 * @max_nodes: bound for @nr_nodes
 * @node_bytes: memory of a node
 * @nr_exhausted: calls of rethook_try_get() that found no free node
 * @nr_nomem: failed allocations when the pool was to grow
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

/* Provided by the architecture, some of it inline in its header. */
#include <asm/rethook.h>

void arch_rethook_trampoline(void);
unsigned long arch_rethook_switch_ip(void);
struct task_struct *arch_rethook_switch_to(struct pt_regs *regs);

/* Called by the architecture's trampoline. */
unsigned long rethook_trampoline_handler(struct pt_regs *regs, unsigned long frame);

/**
 * is_rethook_trampoline() - is this the address of the trampoline?
 * @addr: a return address
 *
 * Return: true if it is.
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
