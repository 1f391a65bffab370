/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What hits (rethook.c) and those who make pools and take them down (rethook_pool.c) share.
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

/* The upper half of the list's head: a node's name or one of these. */
#define LIST_HALF	(BITS_PER_LONG / 2)
#define LIST_EMPTY	0U
#define LIST_CLOSED	1U

/* A name: the segment, from 1 on, and the slot in it. */
#define SLOT_BITS	8
#define MAX_SLOTS	BIT(SLOT_BITS)
#define MAX_SEGMENTS	BIT(min(LIST_HALF - SLOT_BITS, 16))

/*
 * For each CPU, the pool that was last found to be low there. A hit that
 * overwrites another's pool does no lasting harm: that one asks again on its
 * next hit.
 */
struct pool_refill {
	struct irq_work	work;
	struct rethook	*pool;
};

DECLARE_PER_CPU(struct pool_refill, rethook_refill);

/* Pools whose last node came back. */
extern struct llist_head rethook_dead_pools;
extern struct irq_work rethook_dead_work;

static __always_inline unsigned int head_name(unsigned long head)
{
	return head >> LIST_HALF;
}

/* The next value of a list head: @name on top, one more change. */
static __always_inline unsigned long head_next(unsigned long head, unsigned int name)
{
	unsigned long changes = (head + 1) & ((1UL << LIST_HALF) - 1);

	return (unsigned long)name << LIST_HALF | changes;
}

static __always_inline struct rethook_node *name_to_node(struct rethook *rh, unsigned int name)
{
	/* What is in it: by address, pairs with enter_segment(). */
	void **segments = READ_ONCE(rh->segments);

	return segments[name >> SLOT_BITS] + (name & (MAX_SLOTS - 1)) * rh->node_size;
}

#endif /* _KERNEL_TRACE_RETHOOK_POOL_H */
