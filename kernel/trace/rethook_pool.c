// SPDX-License-Identifier: GPL-2.0
/*
 * Pools of return hooks: how they grow and how they are freed.
 *
 * When few nodes are left on the list that all CPUs share, an irq_work adds nodes as soon as
 * interrupts are on. Until then hits use the nodes that are left, see reserve_nodes().
 *
 * The memory of nodes is freed with the pool. That may be long after rethook_free(), because a task
 * can sleep in a hooked call for days. Nodes hold no references. Instead, a grace period after
 * rethook_free() the homes and the list are closed, and nodes that come back are counted.
 */
#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/irq_work.h>
#include <linux/kprobe_delay.h>
#include <linux/limits.h>
#include <linux/llist.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/percpu.h>
#include <linux/rethook.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "rethook_internal.h"
#include "rethook_pool.h"

/* Nodes do not share cache lines, because different CPUs use them. */
#define NODE_ALIGN	64
#define SEGMENT_BYTES	4096
#define MIN_SLOTS	4

/* Maximum number of segments that one interrupt adds. */
#define GROW_AT_ONCE	8

static void refill_interrupt(struct irq_work *work);
static void dead_interrupt(struct irq_work *work);

DEFINE_PER_CPU(struct pool_refill, rethook_refill) = {
	.work = IRQ_WORK_INIT(refill_interrupt),
};

LLIST_HEAD(rethook_dead_pools);
DEFINE_IRQ_WORK(rethook_dead_work, dead_interrupt);

/*
 * Number of pools that wait for a grace period, without those that wait for calls to return. If
 * there are more than MAX_RETIRING, rethook_throttle() waits.
 */
#define MAX_RETIRING	1024
static atomic_t nr_retiring = ATOMIC_INIT(0);
static DECLARE_WAIT_QUEUE_HEAD(few_retiring);

static void retire_after_gp(struct rethook *rh)
{
	atomic_inc(&nr_retiring);
	queue_rcu_work(system_unbound_wq, &rh->free_work);
}

static void retire_gp_over(void)
{
	if (atomic_dec_return(&nr_retiring) == MAX_RETIRING)
		wake_up_all(&few_retiring);
}

/* Growing */

/*
 * Number of nodes that the shared list should always have.
 *
 * A hit that leaves fewer raises an interrupt on its CPU, which adds nodes when interrupts are on.
 * Until then that CPU needs more nodes only for nested calls and for hard interrupts and NMIs,
 * because a call that returns gives its node back. For a hook on one function, each of these
 * contexts needs one node, unless the function is recursive. RETHOOK_HOMES and two nodes on the
 * shared list for each CPU are enough for that. Four more are for one CPU that needs more than the
 * others.
 *
 * A pool for many functions has deeper nesting. Its user asks for more nodes, and the pool reserves
 * a quarter of its nodes besides. Only the stack bounds recursion, so the reserve may not be
 * enough: nr_exhausted counts these calls.
 */
static unsigned int reserve_nodes(unsigned int nr_nodes)
{
	return 4 + 2 * num_possible_cpus() + nr_nodes / 4;
}

/* Number of slots of the next segment, for about @wanted nodes; 0 if the pool is full. */
static unsigned int segment_slots(struct rethook *rh, unsigned int wanted)
{
	unsigned int slots = max_t(unsigned int, SEGMENT_BYTES / rh->node_size, MIN_SLOTS);
	unsigned int room = rh->max_nodes - READ_ONCE(rh->nr_nodes);
	size_t bytes = kmalloc_size_roundup(min(slots, wanted) * rh->node_size);

	if (READ_ONCE(rh->nr_segments) == MAX_SEGMENTS)
		return 0;
	return min3(bytes / rh->node_size, (size_t)MAX_SLOTS, (size_t)room);
}

struct segment_table {
	void		**segments;
	unsigned int	len;
};

/*
 * Allocate a table twice as long if the present one is full. The old table stays until the pool is
 * freed, because a hit may be reading it.
 */
static struct segment_table longer_table(struct rethook *rh, gfp_t gfp)
{
	struct segment_table longer = { .len = 2 * READ_ONCE(rh->len_segments) };

	if (2 * READ_ONCE(rh->nr_segments) == longer.len)
		longer.segments = kcalloc(longer.len, sizeof(void *), gfp);
	return longer;
}

/* Part of install_segment(). Context: grow_lock held. */
static unsigned int enter_segment(struct rethook *rh, void *segment, unsigned int slots,
				  struct segment_table *longer)
{
	if (rh->nr_nodes + slots > rh->max_nodes)
		return 0;
	if (rh->nr_segments == rh->len_segments) {
		if (!longer->segments || longer->len <= rh->len_segments)
			return 0;
		memcpy(longer->segments, rh->segments, rh->len_segments * sizeof(void *));
		longer->segments[0] = rh->segments;
		WRITE_ONCE(rh->len_segments, longer->len);
		kprobe_delay_point(DELAY_SEGMENTS_COPIED);
		/* Publishes the copy. Pairs with the address dependency in name_to_node(). */
		smp_store_release(&rh->segments, longer->segments);
		longer->segments = NULL;
	}
	WRITE_ONCE(rh->nr_nodes, rh->nr_nodes + slots);
	rh->segments[rh->nr_segments] = segment;
	WRITE_ONCE(rh->nr_segments, rh->nr_segments + 1);
	return rh->nr_segments - 1;
}

/*
 * Enter a segment of @slots nodes into the table. Returns its number, or 0. If the present table is
 * full, @longer replaces it.
 *
 * The nodes are pushed onto the shared list after this, by a fully ordered cmpxchg. shared_pop()
 * reads the table after it has read a name from the list, with smp_rmb() between. So the table that
 * it sees has the segment of that name.
 */
static unsigned int install_segment(struct rethook *rh, void *segment, unsigned int slots,
				    struct segment_table *longer)
{
	unsigned long flags;
	unsigned int number;

	raw_spin_lock_irqsave(&rh->grow_lock, flags);
	number = enter_segment(rh, segment, slots, longer);
	raw_spin_unlock_irqrestore(&rh->grow_lock, flags);
	return number;
}

static void init_nodes(struct rethook *rh, void *segment, unsigned int number,
		       unsigned int slots)
{
	struct rethook_node *node = segment;
	unsigned int slot;

	for (slot = 0; slot < slots; slot++) {
		node->rethook = rh;
		node->name = number << SLOT_BITS | slot;
		node = (void *)node + rh->node_size;
	}
}

/*
 * Add a segment of about @wanted nodes, but not more than a segment has. The nodes are on no list
 * yet. Returns the number of nodes; -ENOMEM without memory, or if segments that were added at the
 * same time left no room; -ENOSPC if the pool may not grow any more.
 */
static int add_segment(struct rethook *rh, unsigned int wanted, gfp_t gfp, void **segment)
{
	unsigned int slots = segment_slots(rh, wanted);
	struct segment_table longer;
	unsigned int number;
	void *memory;

	if (!slots) {
		WRITE_ONCE(rh->full, true);
		return -ENOSPC;
	}
	memory = kzalloc(slots * rh->node_size, gfp);
	if (!memory)
		return -ENOMEM;
	longer = longer_table(rh, gfp);
	number = install_segment(rh, memory, slots, &longer);
	kfree(longer.segments);
	if (!number) {
		kfree(memory);
		return -ENOMEM;
	}
	init_nodes(rh, memory, number, slots);
	kprobe_delay_point(DELAY_SEGMENT_ENTERED);
	*segment = memory;
	return slots;
}

/*
 * Add nodes until the shared list has twice as many as its low-water mark, or GROW_AT_ONCE segments
 * were added. Concurrent calls may add one segment too many, which does no harm.
 */
static int pool_grow(struct rethook *rh, gfp_t gfp)
{
	int budget, slots, slot;
	void *segment;

	for (budget = GROW_AT_ONCE; budget; budget--) {
		if (!READ_ONCE(rh->handler))
			return 0;
		if (atomic_read(&rh->spare) >= 2 * (int)READ_ONCE(rh->low_water))
			return 0;
		slots = add_segment(rh, MAX_SLOTS, gfp, &segment);
		if (slots < 0)
			return slots;
		for (slot = 0; slot < slots; slot++)
			rethook_recycle(segment + slot * rh->node_size);
		WRITE_ONCE(rh->low_water, reserve_nodes(READ_ONCE(rh->nr_nodes)));
	}
	return 0;
}

static void grow_worker(struct work_struct *work)
{
	struct rethook *rh = container_of(work, struct rethook, grow_work);

	pool_grow(rh, GFP_KERNEL | __GFP_NOWARN);
}

/*
 * Runs in a hard interrupt, or on PREEMPT_RT in a thread. It is an RCU reader in both cases, so the
 * pool stays, see pool_retire().
 */
static void refill_interrupt(struct irq_work *work)
{
	struct pool_refill *refill = container_of(work, struct pool_refill, work);
	struct rethook *rh = xchg(&refill->pool, NULL);

	if (!rh || pool_grow(rh, GFP_NOWAIT | __GFP_NOWARN) != -ENOMEM)
		return;
	atomic_long_inc(&rh->nr_nomem);
	schedule_work(&rh->grow_work);
}

/* Life of a pool */

/* Close the shared list: it takes no more nodes. Returns the number of nodes that it had. */
static unsigned int shared_close(struct rethook *rh)
{
	unsigned long old = READ_ONCE(rh->shared);
	unsigned int name, count = 0;

	while (!try_cmpxchg(&rh->shared, &old, head_next(old, LIST_CLOSED)))
		;
	for (name = head_name(old); name != LIST_EMPTY; count++)
		name = name_to_node(rh, name)->next_free;
	return count;
}

/* Close the homes of a CPU. Returns the number of nodes that they had. */
static unsigned int homes_close(struct rethook_homes *homes)
{
	unsigned int i, count = 0;

	for (i = 0; i < RETHOOK_HOMES; i++)
		count += !!xchg(&homes->node[i], RETHOOK_CLOSED);
	return count;
}

static void pool_free_memory(struct rethook *rh)
{
	struct completion *freed = rh->freed;
	void **table = rh->segments, **older;
	unsigned int i;

	for (i = 1; i < rh->nr_segments; i++)
		kfree(table[i]);
	for (; table != rh->inline_segments; table = older) {
		older = table[0];
		kfree(table);
	}
	free_percpu(rh->homes);
	kfree(rh);

	if (freed)
		complete(freed);
}

static void pool_free_worker(struct work_struct *work)
{
	pool_free_memory(container_of(to_rcu_work(work), struct rethook, free_work));
	retire_gp_over();
}

/*
 * Free a pool that has no planted nodes. RCU readers may still use it: rethook_find_ret_addr() a
 * node that has come back, refill_interrupt() the pool that it has just taken from rethook_refill,
 * or free_push() the pool in its last steps.
 */
static void pool_free_later(struct rethook *rh)
{
	INIT_RCU_WORK(&rh->free_work, pool_free_worker);
	retire_after_gp(rh);
}

static void dead_interrupt(struct irq_work *work)
{
	struct rethook *rh, *next;

	llist_for_each_entry_safe(rh, next, llist_del_all(&rethook_dead_pools), dead)
		pool_free_later(rh);
}

/*
 * Runs a grace period after rethook_free(). Hits that began before are over, and rethook_try_get()
 * sees that @handler is NULL, so no node is taken any more and no refill is requested. A refill
 * that starts now does nothing, but it may start while the pool is in rethook_refill of a CPU, so
 * the pool is removed from there. The pool is freed a grace period after its last node has come
 * back.
 */
static void pool_retire(struct work_struct *work)
{
	struct rethook *rh = container_of(to_rcu_work(work), struct rethook, free_work);
	unsigned int nr_free;
	int cpu;

	for_each_possible_cpu(cpu)
		cmpxchg(&per_cpu_ptr(&rethook_refill, cpu)->pool, rh, NULL);
	cancel_work_sync(&rh->grow_work);

	nr_free = shared_close(rh);
	kprobe_delay_point(DELAY_POOL_CLOSED);
	for_each_possible_cpu(cpu)
		nr_free += homes_close(per_cpu_ptr(rh->homes, cpu));

	/* Nodes that have come back since the closing have made @owed negative. */
	if (!atomic_add_return(rh->nr_nodes - nr_free, &rh->owed))
		pool_free_later(rh);
	retire_gp_over();
}

/*
 * Put a new node into the next home that is free, or onto the shared list if there is none. @cpu
 * is nr_cpu_ids if no node is to have a home.
 */
static void distribute_node(struct rethook *rh, struct rethook_node *node, int *cpu, int *dealt)
{
	if (*cpu < nr_cpu_ids) {
		node->home = &per_cpu_ptr(rh->homes, *cpu)->node[*dealt];
		if (++*dealt == RETHOOK_HOMES) {
			*cpu = cpumask_next(*cpu, cpu_possible_mask);
			*dealt = 0;
		}
	}
	rethook_recycle(node);
}

static int pool_fill(struct rethook *rh, unsigned int num)
{
	int cpu = rh->homeless ? nr_cpu_ids : cpumask_first(cpu_possible_mask);
	int slots, slot, dealt = 0;
	void *segment;

	while (rh->nr_nodes < num) {
		slots = add_segment(rh, num - rh->nr_nodes, GFP_KERNEL, &segment);
		if (slots < 0)
			return slots;
		for (slot = 0; slot < slots; slot++)
			distribute_node(rh, segment + slot * rh->node_size, &cpu, &dealt);
	}
	return 0;
}

/* Make a pool without nodes. */
static struct rethook *pool_make(void *data, rethook_handler_t handler, int size)
{
	struct rethook *rh;

	rh = kzalloc(sizeof(*rh), GFP_KERNEL);
	if (!rh)
		return NULL;
	rh->node_size = ALIGN(size, NODE_ALIGN);
	rh->max_nodes = min(RETHOOK_MAX_NODES, RETHOOK_MAX_BYTES / rh->node_size);
	rh->data = data;
	rh->handler = handler;
	rh->segments = rh->inline_segments;
	rh->nr_segments = 1;
	rh->len_segments = RETHOOK_INLINE_SEGMENTS;
	raw_spin_lock_init(&rh->grow_lock);
	INIT_WORK(&rh->grow_work, grow_worker);
	INIT_RCU_WORK(&rh->free_work, pool_retire);
	rh->homes = alloc_percpu(struct rethook_homes);
	if (rh->homes)
		return rh;
	kfree(rh);
	return NULL;
}

/**
 * rethook_alloc_bounded() - make a return hook for a limited number of calls
 * @data: argument of the handler
 * @handler: runs when a hooked call returns
 * @size: size of the user's node, which starts with a struct rethook_node
 * @num: expected number of calls in progress at a time
 * @most: maximum number of calls that are hooked at a time; 0 for the maximum of rethook_alloc()
 *
 * As rethook_alloc(), but rethook_try_get() finds no node while @most nodes are in use.
 *
 * Context: process. Sleeps.
 * Return: as rethook_alloc(); ERR_PTR(-EINVAL) also if @most is negative.
 */
struct rethook *rethook_alloc_bounded(void *data, rethook_handler_t handler, int size,
				      int num, int most)
{
	unsigned int least = RETHOOK_HOMES * num_possible_cpus() + 2 * reserve_nodes(0);
	struct rethook *rh;
	int ret;

	if (!handler || num <= 0 || most < 0 || size < (int)sizeof(struct rethook_node) ||
	    size > (int)RETHOOK_MAX_NODE_SIZE)
		return ERR_PTR(-EINVAL);

	rh = pool_make(data, handler, size);
	if (!rh)
		return ERR_PTR(-ENOMEM);
	if (most)
		rh->max_nodes = min_t(unsigned int, rh->max_nodes, most);
	/*
	 * All nodes of a small pool may be in use for long. Then a hit is to find that out from the
	 * shared list, without a search of all CPUs.
	 */
	rh->homeless = rh->max_nodes < 2 * RETHOOK_HOMES * num_possible_cpus();
	ret = pool_fill(rh, min(rh->max_nodes, max_t(unsigned int, num, least)));
	if (ret) {
		pool_free_memory(rh);
		return ERR_PTR(ret);
	}
	rh->low_water = reserve_nodes(rh->nr_nodes);
	return rh;
}

/**
 * rethook_alloc() - make a return hook with its pool of nodes
 * @data: argument of the handler
 * @handler: runs when a hooked call returns
 * @size: size of the user's node, which starts with a struct rethook_node
 * @num: expected number of calls in progress at a time
 *
 * @num is a hint. The pool starts with at least two nodes for each possible CPU and a reserve. It
 * grows as needed to at most RETHOOK_MAX_NODES nodes or RETHOOK_MAX_BYTES, even if @num is larger.
 * A node takes @size bytes, rounded up to a multiple of 64. The pool does not shrink. Nodes are
 * zeroed when they are allocated, not each time that they are used.
 *
 * Context: process. Sleeps.
 * Return: the hook, to be freed by rethook_free(); ERR_PTR(-EINVAL) without a @handler, if @size is
 * too small for a node or above RETHOOK_MAX_NODE_SIZE, or if @num is not positive; ERR_PTR(-ENOMEM)
 * without memory.
 */
struct rethook *rethook_alloc(void *data, rethook_handler_t handler, int size, int num)
{
	return rethook_alloc_bounded(data, handler, size, num, 0);
}

/**
 * rethook_stop() - hook no more calls
 * @rh: the return hook
 *
 * From now on rethook_try_get() returns NULL, and does not count that. Calls that were hooked
 * before return without a call of the handler. The handler may still be running when this returns.
 * It has finished after an RCU grace period.
 *
 * Context: any.
 */
void rethook_stop(struct rethook *rh)
{
	WRITE_ONCE(rh->handler, NULL);
}

/**
 * rethook_free() - free a return hook when its calls have returned
 * @rh: the return hook
 *
 * Stops it as rethook_stop() does. The memory is freed when all hooked calls have returned or their
 * tasks have exited, and a grace period has passed. This function does not wait. Before the
 * handler's code or @rh->data are freed, the caller waits for a grace period.
 *
 * Context: any except NMI. Does not sleep. Locks may be held.
 */
void rethook_free(struct rethook *rh)
{
	rethook_stop(rh);
	kprobe_delay_point(DELAY_POOL_STOPPED);
	retire_after_gp(rh);
}

/**
 * rethook_throttle() - wait if too many return hooks wait to be freed
 *
 * For callers of rethook_free(), perhaps in a loop.
 *
 * Context: process. If it waits, sleeps, perhaps for some grace periods.
 */
void rethook_throttle(void)
{
	wait_event(few_retiring, atomic_read(&nr_retiring) <= MAX_RETIRING);
}

/**
 * rethook_retiring() - number of return hooks that wait for a grace period
 *
 * Return: the number, without return hooks that wait for calls to return.
 */
unsigned int rethook_retiring(void)
{
	return atomic_read(&nr_retiring);
}

/**
 * rethook_pool_stats() - read the state of a pool
 * @rh: the return hook; its memory is not freed yet
 * @stats: receives the state
 *
 * Context: any.
 */
void rethook_pool_stats(struct rethook *rh, struct rethook_stats *stats)
{
	*stats = (struct rethook_stats) {
		.nr_nodes	= READ_ONCE(rh->nr_nodes),
		.max_nodes	= rh->max_nodes,
		.node_bytes	= rh->node_size,
		.nr_exhausted	= atomic_long_read(&rh->nr_exhausted),
		.nr_nomem	= atomic_long_read(&rh->nr_nomem),
	};
}
