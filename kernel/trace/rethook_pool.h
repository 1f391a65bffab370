/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Return hooks: declarations that rethook.c, which serves hits, and rethook_pool.c, which makes and
 * frees pools, share.
 */
#ifndef _KERNEL_TRACE_RETHOOK_POOL_H
#define _KERNEL_TRACE_RETHOOK_POOL_H

#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/irq_work.h>
#include <linux/llist.h>
#include <linux/minmax.h>
#include <linux/percpu.h>
#include <linux/rethook.h>

/* The upper half of &rethook.shared: the name of the first node, or one of these. */
#define LIST_HALF	(BITS_PER_LONG / 2)
#define LIST_EMPTY	0U
#define LIST_CLOSED	1U

/* The name of a node: the number of its segment, from 1 on, and its slot in the segment. */
#define SLOT_BITS	8
#define MAX_SLOTS	BIT(SLOT_BITS)
#define MAX_SEGMENTS	BIT(min(LIST_HALF - SLOT_BITS, 16))

/*
 * The pool that a hit on this CPU last found to be low. A hit may replace another pool that was not
 * grown yet. The next hit of that one asks again. Written by hits on this CPU; any CPU clears it
 * with xchg() or cmpxchg().
 */
struct pool_refill {
	struct irq_work	work;
	struct rethook	*pool;
};

DECLARE_PER_CPU(struct pool_refill, rethook_refill);

/* Pools whose last node came back after rethook_free(). Added to and emptied without a lock. */
extern struct llist_head rethook_dead_pools;
extern struct irq_work rethook_dead_work;

static __always_inline unsigned int head_name(unsigned long head)
{
	return head >> LIST_HALF;
}

/* The next value of a list head: @name is the first node, and the count of changes is one more. */
static __always_inline unsigned long head_next(unsigned long head, unsigned int name)
{
	unsigned long changes = (head + 1) & ((1UL << LIST_HALF) - 1);

	return (unsigned long)name << LIST_HALF | changes;
}

static __always_inline struct rethook_node *name_to_node(struct rethook *rh, unsigned int name)
{
	/* Address dependency for the contents of the table; pairs with enter_segment(). */
	void **segments = READ_ONCE(rh->segments);

	return segments[name >> SLOT_BITS] + (name & (MAX_SLOTS - 1)) * rh->node_size;
}

#endif /* _KERNEL_TRACE_RETHOOK_POOL_H */
