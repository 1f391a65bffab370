// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that waits for grace periods is bounded: a loop that creates and removes probes waits in
 * the end if no grace period ends.
 */
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/fprobe.h>
#include <linux/kprobes.h>
#include <linux/kthread.h>
#include <linux/rcupdate.h>
#include <linux/rethook.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "../../trace/fprobe_internal.h"
#include "../../trace/rethook_internal.h"
#include "../../trace/probes/event_point.h"
#include "fprobes.h"

/**
 * struct holder - prevents the end of grace periods until the test waits for one
 * @kp:		a probe at the function in which the test waits
 * @tester:	the task of the test
 * @waits:	number of calls of that function by @tester
 * @enough:	let grace periods end
 * @holding:	completed when no grace period ends any more
 * @task:	the thread that prevents it
 */
struct holder {
	struct kprobe		kp;
	struct task_struct	*tester;
	unsigned int		waits;
	bool			enough;
	struct completion	holding;
	struct task_struct	*task;
};

static int tester_waits(struct kprobe *kp, struct pt_regs *regs)
{
	struct holder *h = container_of(kp, struct holder, kp);

	if (current != h->tester)
		return 0;
	h->waits++;
	WRITE_ONCE(h->enough, true);
	return 0;
}

NOKPROBE_SYMBOL(tester_waits);

static int hold(void *data)
{
	struct holder *h = data;

	rcu_read_lock();
	complete(&h->holding);
	while (!READ_ONCE(h->enough))
		cpu_relax();
	rcu_read_unlock();
	return 0;
}

static void stop_watching(void *h)
{
	unregister_kprobe(&((struct holder *)h)->kp);
}

static void stop_holding(void *data)
{
	struct holder *h = data;

	WRITE_ONCE(h->enough, true);
	kthread_stop_put(h->task);
}

/* No grace period ends from now on, until this task calls @symbol. */
static struct holder *hold_until(struct kunit *test, const char *symbol)
{
	struct holder *h;

	if (num_online_cpus() < 2)
		kunit_skip(test, "needs another CPU");
	h = kunit_kzalloc(test, sizeof(*h), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, h);
	init_completion(&h->holding);
	h->tester = current;
	h->kp.symbol_name = symbol;
	h->kp.pre_handler = tester_waits;
	KUNIT_ASSERT_EQ_MSG(test, register_kprobe(&h->kp), 0, "%s", symbol);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, stop_watching, h), 0);

	h->task = kthread_create(hold, h, "rcu_holder");
	KUNIT_ASSERT_FALSE(test, IS_ERR(h->task));
	get_task_struct(h->task);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, stop_holding, h), 0);
	wake_up_process(h->task);
	wait_for_completion(&h->holding);
	return h;
}

/* Points */

static void no_unplant(struct list_head *points)
{
}

static void release(struct probe_point *pp)
{
	kfree(pp);
}

static const struct point_class class = {
	.unplant	= no_unplant,
	.release	= release,
};

static const struct point_kind kind = {
	.class		= &class,
};

static struct probe_point *make_point(struct kunit *test)
{
	struct probe_point *pp = kzalloc(sizeof(*pp), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, pp);
	KUNIT_ASSERT_EQ(test, trace_probe_init(&pp->tp, "kunit", "kunit", false, 0), 0);
	pp->kind = &kind;
	INIT_LIST_HEAD(&pp->batch);
	return pp;
}

static void points(struct kunit *test)
{
	struct holder *h = hold_until(test, "rcu_barrier");
	int i, leaving, most = 0;

	for (i = 0; i < POINTS_MAX_LEAVING + 100; i++) {
		point_free_later(make_point(test));
		leaving = atomic_read(&points_leaving);
		most = max(most, leaving);
		/* Points of other tests may wait, too. */
		if (h->waits)
			break;
		KUNIT_ASSERT_GT(test, leaving, i);
	}
	KUNIT_EXPECT_EQ(test, h->waits, 1);
	KUNIT_EXPECT_LE(test, most, POINTS_MAX_LEAVING);
	/* The points that waited were freed. */
	KUNIT_EXPECT_LT(test, leaving, POINTS_MAX_LEAVING);
}

/* Functions of fprobes */

#define NR_IPS		64
#define NR_LEAVE	(SZ_64K / NR_IPS + 2)

static void functions(struct kunit *test)
{
	struct test_fprobe *tf = test_fprobe_make(test, WITH_ENTRY);
	struct fprobe_targets *targets;
	unsigned long ips[NR_IPS];
	struct holder *h;
	int i;

	for (i = 0; i < NR_IPS; i++) {
		ips[i] = ftrace_location(fprobe_test_address(fprobe_many[i]));
		KUNIT_ASSERT_NE(test, ips[i], 0);
	}
	h = hold_until(test, "kvfree_rcu_barrier");
	fprobe_throttle();
	h->waits = 0;
	for (i = 0; i < NR_LEAVE && !h->waits; i++) {
		targets = fprobe_make_targets(&tf->fp, ips, NR_IPS, true);
		KUNIT_ASSERT_FALSE(test, IS_ERR_OR_NULL(targets));
		fprobe_free_targets_later(targets);
		fprobe_throttle();
	}
	KUNIT_EXPECT_EQ(test, h->waits, 1);
	fprobe_throttle();
	KUNIT_EXPECT_EQ(test, h->waits, 1);
}

/* With any function that unregisters without waiting. */
static void fprobes(struct kunit *test)
{
	struct test_fprobe *tf = test_fprobe_make(test, WITH_ALL);
	unsigned long ip = ftrace_location(fprobe_test_address(fprobe_test_one));
	struct fprobe_ips f = { .fp = &tf->fp, .ips = &ip, .nr = 1 };
	struct holder *h = hold_until(test, "rethook_throttle");

	KUNIT_ASSERT_EQ(test, fprobes_hook(&f, 1), 0);
	unregister_fprobe_nowait(&tf->fp);
	KUNIT_EXPECT_EQ(test, h->waits, 1);
	WRITE_ONCE(h->enough, true);
	synchronize_rcu();
}

/* Pools of return hooks */

static void never_returns(struct rethook_node *node, void *data, unsigned long to,
			  struct pt_regs *regs)
{
}

static int give_up_many(struct kunit *test, int many)
{
	struct rethook *rh;
	int i;

	for (i = 0; i < many; i++) {
		rh = rethook_alloc(NULL, never_returns, sizeof(struct rethook_node), 1);
		KUNIT_ASSERT_FALSE(test, IS_ERR(rh));
		rethook_free(rh);
	}
	return rethook_retiring();
}

static void pools(struct kunit *test)
{
	struct holder *h = hold_until(test, "rethook_throttle");

	KUNIT_EXPECT_GE(test, give_up_many(test, 1100), 1100);
	rethook_throttle();
	KUNIT_EXPECT_EQ(test, h->waits, 1);
	KUNIT_EXPECT_LE(test, rethook_retiring(), 1024);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(points),
	KUNIT_CASE(functions),
	KUNIT_CASE(fprobes),
	KUNIT_CASE(pools),
	{}
};

static struct kunit_suite suite = {
	.name = "kprobes_backlog",
	.test_cases = cases,
};

kunit_test_suite(suite);
