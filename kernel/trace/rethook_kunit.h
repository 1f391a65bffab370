/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Helpers for the tests of return hooks: pools, and the nodes that are taken from them.
 */
#ifndef _KERNEL_TRACE_RETHOOK_KUNIT_H
#define _KERNEL_TRACE_RETHOOK_KUNIT_H

#include <kunit/test.h>
#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/kprobes.h>
#include <linux/preempt.h>
#include <linux/rethook.h>

/* Only tests that fail reach it. */
#define TIME_LIMIT	(10 * HZ)
#define NR_FRAMES	32
#define MAX_RETURNS	64

struct test_node {
	struct rethook_node	node;
	atomic_t		users;	/* number of threads and interrupts that hold the node */
	unsigned int		call;	/* number of the call that it hooks */
};

/* A kprobe that hooks the return of each call, and the results. */
struct test_hook {
	struct kprobe		kp;
	struct rethook		*rh;
	struct completion	freed;
	atomic_t		calls;
	atomic_t		missed;
	atomic_t		returns;
	/* The number and the result of each call, for the first MAX_RETURNS returns, in order. */
	unsigned int		order[MAX_RETURNS];
	unsigned long		result[MAX_RETURNS];
	unsigned long		ret_addr;
	unsigned long		regs_ip;
	unsigned long		regs_sp;
	unsigned long		frame;
	bool			regs_user;
	unsigned long		frames[NR_FRAMES];
	unsigned int		nr_frames;
};

static inline struct rethook *test_pool(struct kunit *test, struct test_hook *hook,
					rethook_handler_t handler, int num)
{
	struct rethook *rh = rethook_alloc(hook, handler, sizeof(struct test_node), num);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, rh);
	init_completion(&hook->freed);
	rh->freed = &hook->freed;
	hook->rh = rh;
	return rh;
}

static inline void expect_freed(struct kunit *test, struct test_hook *hook)
{
	KUNIT_EXPECT_TRUE_MSG(test, wait_for_completion_timeout(&hook->freed, TIME_LIMIT),
			      "the pool is still there");
}

static inline struct test_node *get_node(struct rethook *rh)
{
	struct rethook_node *node;

	preempt_disable();
	node = rethook_try_get(rh);
	preempt_enable();
	return node ? container_of(node, struct test_node, node) : NULL;
}

static inline void put_node(struct test_node *tn)
{
	preempt_disable();
	rethook_recycle(&tn->node);
	preempt_enable();
}

/* Take at most @num nodes and link them in @list. */
static inline unsigned int get_many(struct rethook *rh, unsigned int num, struct llist_node **list)
{
	unsigned int count;

	for (count = 0; count < num; count++) {
		struct test_node *tn = get_node(rh);

		if (!tn)
			break;
		tn->node.llist.next = *list;
		*list = &tn->node.llist;
	}
	return count;
}

static inline void put_many(struct llist_node *list)
{
	struct rethook_node *node, *next;

	llist_for_each_entry_safe(node, next, list, llist)
		put_node(container_of(node, struct test_node, node));
}

static inline unsigned int nr_nodes(struct rethook *rh)
{
	struct rethook_stats stats;

	rethook_pool_stats(rh, &stats);
	return stats.nr_nodes;
}

/* Number of nodes that cannot be taken. No nodes are added while interrupts are off. */
static inline unsigned int nr_lost(struct rethook *rh)
{
	struct llist_node *list = NULL;
	unsigned long flags;
	unsigned int lost;

	local_irq_save(flags);
	lost = nr_nodes(rh) - get_many(rh, UINT_MAX, &list);
	put_many(list);
	local_irq_restore(flags);
	return lost;
}

static inline unsigned long nr_exhausted(struct rethook *rh)
{
	struct rethook_stats stats;

	rethook_pool_stats(rh, &stats);
	return stats.nr_exhausted;
}

#endif /* _KERNEL_TRACE_RETHOOK_KUNIT_H */
