// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the pool that return hooks are taken from.
 *
 * They take nodes and put them back, and hook no call.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/irq_work.h>
#include <linux/kthread.h>
#include <linux/rcupdate.h>
#include <linux/rethook.h>
#include <linux/sched.h>

#include "rethook_kunit.h"

/* No test here hooks a call. */
static void no_return(struct rethook_node *node, void *data, unsigned long ret_addr,
		      struct pt_regs *regs)
{
}

static struct rethook *pool(struct kunit *test, struct test_hook *hook, int num)
{
	return test_pool(test, hook, no_return, num);
}

static void bad_arguments(struct kunit *test)
{
	const int size = sizeof(struct test_node);

	KUNIT_EXPECT_EQ(test, PTR_ERR(rethook_alloc(NULL, NULL, size, 1)), -EINVAL);
	KUNIT_EXPECT_EQ(test, PTR_ERR(rethook_alloc(NULL, no_return, size, 0)), -EINVAL);
	KUNIT_EXPECT_EQ(test, PTR_ERR(rethook_alloc(NULL, no_return, size, -1)), -EINVAL);
	KUNIT_EXPECT_EQ(test, PTR_ERR(rethook_alloc(NULL, no_return, INT_MAX, 1)), -EINVAL);
	KUNIT_EXPECT_EQ(test, PTR_ERR(rethook_alloc(NULL, no_return, -1, 1)), -EINVAL);
	KUNIT_EXPECT_EQ(test, PTR_ERR(rethook_alloc(NULL, no_return,
						    sizeof(struct rethook_node) - 1, 1)), -EINVAL);
}

static void starts_as_asked(struct kunit *test)
{
	static const int nums[] = { 1, 63, 64, 65, 1000, 4096 };
	struct test_hook hook = {};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(nums); i++) {
		struct rethook *rh = pool(test, &hook, nums[i]);

		KUNIT_EXPECT_GE(test, nr_nodes(rh), nums[i]);
		KUNIT_EXPECT_GE(test, nr_nodes(rh), 2 * num_possible_cpus());
		KUNIT_EXPECT_EQ(test, nr_lost(rh), 0);
		rethook_free(rh);
		expect_freed(test, &hook);
	}
}

/* As get_many(). With PREEMPT_RT, pools grow in a thread, so nodes may be there later. */
static unsigned int get_in_time(struct rethook *rh, unsigned int num, struct llist_node **list)
{
	unsigned int got = get_many(rh, num, list), i;

	for (i = 0; got < num && i < 500 && IS_ENABLED(CONFIG_PREEMPT_RT); i++) {
		msleep(20);
		got += get_many(rh, num - got, list);
	}
	return got;
}

/* Large nodes, so that a segment has few. */
static void large_nodes(struct kunit *test)
{
	struct rethook *rh = rethook_alloc(NULL, no_return, sizeof(struct test_node) + 4096, 100);
	struct llist_node *list = NULL;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, rh);
	KUNIT_EXPECT_EQ(test, get_in_time(rh, 500, &list), 500);
	put_many(list);
	KUNIT_EXPECT_EQ(test, nr_lost(rh), 0);
	rethook_free(rh);
}

static void grows_on_demand(struct kunit *test)
{
	struct test_hook hook = {};
	struct rethook *rh = pool(test, &hook, 1);
	struct llist_node *list = NULL;
	unsigned int nr;

	KUNIT_ASSERT_LT(test, nr_nodes(rh), 5000);
	KUNIT_EXPECT_EQ(test, get_in_time(rh, 5000, &list), 5000);
	if (!IS_ENABLED(CONFIG_PREEMPT_RT))
		KUNIT_EXPECT_EQ(test, nr_exhausted(rh), 0);
	nr = nr_nodes(rh);
	KUNIT_EXPECT_GE(test, nr, 5000);
	KUNIT_EXPECT_LE(test, nr, 2 * 5000);

	put_many(list);
	KUNIT_EXPECT_EQ(test, nr_lost(rh), 0);

	/* Nodes that came back are used again. */
	list = NULL;
	KUNIT_EXPECT_EQ(test, get_many(rh, 5000, &list), 5000);
	KUNIT_EXPECT_EQ(test, nr_nodes(rh), nr);
	put_many(list);
	rethook_free(rh);
	expect_freed(test, &hook);
}

/* With interrupts off the pool does not grow: the nodes run out, and the next call is a miss. */
static void exhausted_then_recovers(struct kunit *test)
{
	struct test_hook hook = {};
	struct rethook *rh = pool(test, &hook, 1);
	struct llist_node *list = NULL;
	unsigned int before = nr_nodes(rh), got;
	unsigned long flags;

	local_irq_save(flags);
	got = get_many(rh, UINT_MAX, &list);
	local_irq_restore(flags);

	KUNIT_EXPECT_EQ(test, got, before);
	KUNIT_EXPECT_EQ(test, nr_exhausted(rh), 1);
	KUNIT_EXPECT_EQ(test, get_in_time(rh, 1000, &list), 1000);
	if (!IS_ENABLED(CONFIG_PREEMPT_RT))
		KUNIT_EXPECT_EQ(test, nr_exhausted(rh), 1);
	put_many(list);
	rethook_free(rh);
	expect_freed(test, &hook);
}

static void growth_is_bounded(struct kunit *test)
{
	struct test_hook hook = {};
	struct rethook *rh = pool(test, &hook, 1);
	struct llist_node *list = NULL;

	rh->max_nodes = 999;
	KUNIT_EXPECT_EQ(test, get_in_time(rh, 999, &list), 999);
	KUNIT_EXPECT_NULL(test, get_node(rh));
	KUNIT_EXPECT_EQ(test, nr_nodes(rh), 999);
	if (!IS_ENABLED(CONFIG_PREEMPT_RT))
		KUNIT_EXPECT_EQ(test, nr_exhausted(rh), 1);
	put_many(list);
	KUNIT_EXPECT_EQ(test, nr_lost(rh), 0);
	rethook_free(rh);
	expect_freed(test, &hook);
}

/* A small pool has no home nodes, so that a call without a node does not search all CPUs. */
static void few_nodes_have_no_home(struct kunit *test)
{
	struct test_hook hook = {};
	struct llist_node *list = NULL;
	struct rethook *rh;
	struct test_node *tn;

	rh = rethook_alloc_bounded(&hook, no_return, sizeof(struct test_node), 1, 2);
	KUNIT_ASSERT_FALSE(test, IS_ERR(rh));
	tn = get_node(rh);
	KUNIT_ASSERT_NOT_NULL(test, tn);
	KUNIT_EXPECT_NULL(test, tn->node.home);
	put_node(tn);
	KUNIT_EXPECT_EQ(test, get_many(rh, UINT_MAX, &list), 2);
	KUNIT_EXPECT_EQ(test, nr_exhausted(rh), 1);
	put_many(list);
	list = NULL;
	KUNIT_EXPECT_EQ(test, get_many(rh, UINT_MAX, &list), 2);
	put_many(list);
	KUNIT_EXPECT_EQ(test, nr_lost(rh), 0);
	rethook_free(rh);
}

static void stopped_gives_nothing(struct kunit *test)
{
	struct test_hook hook = {};
	struct rethook *rh = pool(test, &hook, 1);
	struct test_node *tn = get_node(rh);

	KUNIT_EXPECT_NOT_NULL(test, tn);
	rethook_stop(rh);
	KUNIT_EXPECT_NULL(test, get_node(rh));
	KUNIT_EXPECT_EQ(test, nr_exhausted(rh), 0);
	if (tn)
		put_node(tn);
	rethook_free(rh);
	expect_freed(test, &hook);
}

/* The pool is freed when the last node comes back, and not before. */
static void freed_with_the_last_node(struct kunit *test)
{
	struct test_hook hook = {};
	struct rethook *rh = pool(test, &hook, 1);
	struct llist_node *list = NULL, *last;

	KUNIT_EXPECT_EQ(test, get_in_time(rh, 300, &list), 300);
	last = list;
	list = list->next;
	last->next = NULL;

	rethook_free(rh);
	put_many(list);
	/* pool_retire() runs after one grace period. Freeing the memory would take another one. */
	rcu_barrier();
	flush_rcu_work(&rh->free_work);
	rcu_barrier();
	KUNIT_EXPECT_FALSE(test, completion_done(&hook.freed));
	KUNIT_EXPECT_EQ(test, atomic_read(&rh->owed), 1);
	put_many(last);
	expect_freed(test, &hook);
}

/* The head of the list differs from an earlier one with the same first node. */
static void change_is_noticed(struct kunit *test)
{
	struct test_hook hook = {};
	struct rethook *rh = pool(test, &hook, 1);
	struct test_node *home[RETHOOK_HOMES], *a, *b, *again;
	unsigned long flags, before, after;
	int i;

	local_irq_save(flags);
	for (i = 0; i < RETHOOK_HOMES; i++)
		home[i] = get_node(rh);
	a = get_node(rh);
	put_node(a);
	before = rh->shared;
	a = get_node(rh);
	b = get_node(rh);
	put_node(a);
	after = rh->shared;
	again = get_node(rh);
	put_node(b);
	put_node(again);
	for (i = 0; i < RETHOOK_HOMES; i++)
		put_node(home[i]);
	local_irq_restore(flags);

	KUNIT_EXPECT_NULL(test, a->node.home);
	KUNIT_EXPECT_PTR_EQ(test, again, a);
	KUNIT_EXPECT_NE(test, before, after);
	KUNIT_EXPECT_EQ(test, nr_lost(rh), 0);
	rethook_free(rh);
	expect_freed(test, &hook);
}

/* Concurrent users */

struct hammer {
	struct rethook		*rh;
	struct irq_work		interrupt;
	struct completion	done;
	atomic_t		*clashes;
};

#define HAMMER_HOLDS	6
#define HAMMER_ROUNDS	20000

static struct test_node *claim(struct hammer *hammer)
{
	struct test_node *tn = get_node(hammer->rh);

	if (tn && atomic_inc_return(&tn->users) != 1)
		atomic_inc(hammer->clashes);
	return tn;
}

static void unclaim(struct hammer *hammer, struct test_node *tn)
{
	if (!tn)
		return;
	if (atomic_dec_return(&tn->users))
		atomic_inc(hammer->clashes);
	put_node(tn);
}

static void hammer_interrupt(struct irq_work *work)
{
	struct hammer *hammer = container_of(work, struct hammer, interrupt);
	struct test_node *a = claim(hammer), *b = claim(hammer);

	/* Afterwards the list has the same nodes in another order. */
	unclaim(hammer, a);
	unclaim(hammer, b);
}

static int hammer_thread(void *data)
{
	struct test_node *held[HAMMER_HOLDS] = {};
	struct hammer *hammer = data;
	unsigned int i;

	for (i = 0; i < HAMMER_ROUNDS; i++) {
		unsigned int slot = i % HAMMER_HOLDS;

		if (i % 3 == 0)
			irq_work_queue(&hammer->interrupt);
		unclaim(hammer, held[slot]);
		held[slot] = claim(hammer);
		if (i % 64 == 0)
			cond_resched();
	}
	for (i = 0; i < HAMMER_HOLDS; i++)
		unclaim(hammer, held[i]);
	irq_work_sync(&hammer->interrupt);
	complete(&hammer->done);
	return 0;
}

static void no_node_twice(struct kunit *test)
{
	unsigned int nr = 2 * num_online_cpus() + 2, i;
	struct test_hook hook = {};
	atomic_t clashes = ATOMIC_INIT(0);
	struct hammer *hammers;

	hammers = kunit_kcalloc(test, nr, sizeof(*hammers), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, hammers);
	pool(test, &hook, 1);
	for (i = 0; i < nr; i++) {
		struct task_struct *task;

		hammers[i].rh = hook.rh;
		hammers[i].clashes = &clashes;
		hammers[i].interrupt = IRQ_WORK_INIT_HARD(hammer_interrupt);
		init_completion(&hammers[i].done);
		task = kthread_run(hammer_thread, &hammers[i], "rethook-hammer/%u", i);
		if (IS_ERR(task))
			complete(&hammers[i].done);
		KUNIT_EXPECT_FALSE(test, IS_ERR(task));
	}
	for (i = 0; i < nr; i++)
		wait_for_completion(&hammers[i].done);

	KUNIT_EXPECT_EQ(test, atomic_read(&clashes), 0);
	KUNIT_EXPECT_EQ(test, nr_lost(hook.rh), 0);
	rethook_free(hook.rh);
	expect_freed(test, &hook);
}

static struct kunit_case rethook_pool_cases[] = {
	KUNIT_CASE(bad_arguments),
	KUNIT_CASE(starts_as_asked),
	KUNIT_CASE(large_nodes),
	KUNIT_CASE(grows_on_demand),
	KUNIT_CASE(exhausted_then_recovers),
	KUNIT_CASE(growth_is_bounded),
	KUNIT_CASE(few_nodes_have_no_home),
	KUNIT_CASE(stopped_gives_nothing),
	KUNIT_CASE(freed_with_the_last_node),
	KUNIT_CASE(change_is_noticed),
	KUNIT_CASE_SLOW(no_node_twice),
	{}
};

static struct kunit_suite rethook_pool_suite = {
	.name = "rethook_pool",
	.test_cases = rethook_pool_cases,
};

kunit_test_suite(rethook_pool_suite);

MODULE_DESCRIPTION("KUnit tests of the pool of return hooks");
MODULE_LICENSE("GPL");
