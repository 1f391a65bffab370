// SPDX-License-Identifier: GPL-2.0-only
/* Fprobes while calls are in flight: many calls, long ones, and calls on other CPUs. */
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/fprobe.h>
#include <linux/kthread.h>
#include <linux/rethook.h>
#include <linux/sched.h>
#include <linux/wait_bit.h>

#include "fprobes.h"

/* Tests fail after this time instead of hanging. */
#define TIME_LIMIT	(60 * HZ)

static struct rethook_stats pool_of(struct test_fprobe *tf)
{
	struct rethook_stats stats;

	rethook_pool_stats(tf->fp.rethook, &stats);
	return stats;
}

/* Complete @freed when the memory of the pool is freed. */
static void watch_pool(struct test_fprobe *tf, struct completion *freed)
{
	init_completion(freed);
	tf->fp.rethook->freed = freed;
}

static void expect_pool_freed(struct kunit *test, struct completion *freed)
{
	KUNIT_EXPECT_TRUE(test, wait_for_completion_timeout(freed, TIME_LIMIT));
}

#define NR_SLEEPERS	1000

/* More calls than nr_maxactive suggests: the pool grows, and nodes are reused. */
static void a_thousand_asleep(struct kunit *test)
{
	struct test_fprobe *tf = test_fprobe_at(test, test_sleep_here, WITH_ALL);
	struct rethook_stats first = pool_of(tf), grown, again;
	struct completion freed;
	struct sleepers *s;

	watch_pool(tf, &freed);
	KUNIT_EXPECT_LT(test, first.nr_nodes, NR_SLEEPERS);
	s = sleepers_start(test, NR_SLEEPERS);
	test_fprobe_expect(test, tf, NR_SLEEPERS, 0, 0);
	grown = pool_of(tf);
	sleepers_wake(s, NR_SLEEPERS);
	test_fprobe_expect(test, tf, NR_SLEEPERS, NR_SLEEPERS, 0);

	kunit_info(test, "%u calls at a time: from %u to %u nodes of %u bytes, %u KiB",
		   NR_SLEEPERS, first.nr_nodes, grown.nr_nodes, grown.node_bytes,
		   grown.nr_nodes * grown.node_bytes / 1024);
	KUNIT_EXPECT_GE(test, grown.nr_nodes, NR_SLEEPERS);
	KUNIT_EXPECT_LE(test, grown.nr_nodes, 2 * NR_SLEEPERS);
	KUNIT_EXPECT_EQ(test, grown.nr_exhausted, 0);

	/* The same number of calls again needs no more nodes. */
	sleepers_wake(sleepers_start(test, NR_SLEEPERS), NR_SLEEPERS);
	test_fprobe_expect(test, tf, 2 * NR_SLEEPERS, 2 * NR_SLEEPERS, 0);
	again = pool_of(tf);
	KUNIT_EXPECT_EQ(test, again.nr_nodes, grown.nr_nodes);

	KUNIT_EXPECT_EQ(test, unregister_fprobe(&tf->fp), 0);
	expect_pool_freed(test, &freed);
}

/* nr_maxactive is a limit for all tasks and CPUs together. */
static void limited(struct kunit *test)
{
	struct test_fprobe *tf = test_fprobe_make(test, WITH_ALL);
	struct sleepers *s;

	tf->fp.nr_maxactive = 30;
	KUNIT_ASSERT_EQ(test, register_fprobe(&tf->fp, "test_sleep_here", NULL), 0);
	s = sleepers_start(test, 50);
	test_fprobe_expect(test, tf, 30, 0, 20);
	sleepers_wake(s, 50);
	test_fprobe_expect(test, tf, 30, 30, 20);
	KUNIT_EXPECT_EQ(test, pool_of(tf).nr_nodes, 30);
	/* All thirty nodes are free again. */
	s = sleepers_start(test, 30);
	sleepers_wake(s, 30);
	test_fprobe_expect(test, tf, 60, 60, 20);
}

static const char * const sleeping[] = { "test_sleep_here", "schedule" };

static void sleeping_desc(const char * const *name, char *desc)
{
	strscpy(desc, *name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(sleeping, sleeping, sleeping_desc);

/* Calls in flight return to their callers, and no handler runs. */
static void unregistered_in_flight(struct kunit *test)
{
	const char *name = *(const char * const *)test->param_value;
	struct test_fprobe *tf = test_fprobe_make(test, WITH_ALL);
	struct test_fprobe *other = test_fprobe_at(test, test_sleep_here, WITH_ALL);
	bool all_come_back = !strcmp(name, "test_sleep_here");
	struct completion freed;
	struct sleepers *s;

	tf->any_value = true;
	KUNIT_ASSERT_EQ(test, register_fprobe(&tf->fp, name, NULL), 0);
	/* Other tasks may sleep in schedule() for a long time. */
	if (all_come_back)
		watch_pool(tf, &freed);
	s = sleepers_start(test, 50);
	KUNIT_EXPECT_GE(test, atomic_read(&tf->entries), 50);
	KUNIT_EXPECT_EQ(test, unregister_fprobe(&tf->fp), 0);
	WRITE_ONCE(tf->gone, true);
	/* The pool stays until their nodes are back. */
	if (all_come_back)
		KUNIT_EXPECT_FALSE(test, completion_done(&freed));
	sleepers_wake(s, 50);
	test_fprobe_expect(test, other, 50, 50, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&tf->bad), 0);
	KUNIT_EXPECT_EQ(test, tf->fp.nmissed, 0);
	if (all_come_back)
		expect_pool_freed(test, &freed);
}

static void registered_again_in_flight(struct kunit *test)
{
	struct test_fprobe *tf = test_fprobe_at(test, test_sleep_here, WITH_ALL);
	struct sleepers *old = sleepers_start(test, 20), *new;

	KUNIT_EXPECT_EQ(test, unregister_fprobe(&tf->fp), 0);
	test_fprobe_reset(tf);
	KUNIT_ASSERT_EQ(test, register_fprobe(&tf->fp, "test_sleep_here", NULL), 0);
	new = sleepers_start(test, 20);
	sleepers_wake(old, 20);
	test_fprobe_expect(test, tf, 20, 0, 0);
	/* Earlier calls belong to the earlier registration. */
	sleepers_wake(new, 20);
	test_fprobe_expect(test, tf, 20, 20, 0);
}

static void switched_in_flight(struct kunit *test)
{
	struct test_fprobe *tf = test_fprobe_at(test, test_sleep_here, WITH_ALL);
	struct test_fprobe *late = test_fprobe_make(test, WITH_ALL);
	struct sleepers *s = sleepers_start(test, 10), *more;

	disable_fprobe(&tf->fp);
	KUNIT_ASSERT_EQ(test, register_fprobe(&late->fp, "test_sleep_here", NULL), 0);
	more = sleepers_start(test, 10);
	sleepers_wake(s, 10);
	test_fprobe_expect(test, tf, 10, 0, 0);
	enable_fprobe(&tf->fp);
	sleepers_wake(more, 10);
	/* The first ten returned while it was disabled, the others were entered then. */
	test_fprobe_expect(test, tf, 10, 0, 0);
	test_fprobe_expect(test, late, 10, 10, 0);
}

static unsigned long long_handler(unsigned long x)
{
	test_take_long();
	return x;
}

NOKPROBE_SYMBOL(long_handler);

/* The test knows that it is registered. */
static void unregister_this(void *fp)
{
	unregister_fprobe(fp);
}

static void unregistered_within_a_handler(struct kunit *test)
{
	/* Keeps the function hooked, so that no text is patched, which takes time. */
	struct test_fprobe *stays = test_fprobe_at(test, fprobe_test_one, WITH_ENTRY);
	struct test_fprobe *entry = test_fprobe_make(test, WITH_ENTRY);
	struct test_fprobe *exit = test_fprobe_make(test, WITH_EXIT);
	unsigned long addr = fprobe_test_address(fprobe_test_one);

	test_needs_two_cpus(test);
	entry->in_entry = long_handler;
	exit->in_exit = long_handler;
	KUNIT_ASSERT_EQ(test, register_fprobe_ips(&entry->fp, &addr, 1), 0);
	KUNIT_EXPECT_TRUE(test, test_is_waited_for(fprobe_test_one, unregister_this, &entry->fp));
	KUNIT_ASSERT_EQ(test, register_fprobe_ips(&exit->fp, &addr, 1), 0);
	KUNIT_EXPECT_TRUE(test, test_is_waited_for(fprobe_test_one, unregister_this, &exit->fp));
	test_fprobe_expect(test, entry, 1, 0, 0);
	test_fprobe_expect(test, exit, 0, 1, 0);
	test_fprobe_expect(test, stays, 2, 0, 0);
}

/* Register and unregister while other tasks call: all calls return, and are seen. */
static void racing_registration(struct kunit *test)
{
	struct test_fprobe *stays = test_fprobe_at(test, fprobe_test_one, WITH_ALL);
	struct test_fprobe *tf = test_fprobe_make(test, WITH_ALL);
	struct test_fprobe *entry = test_fprobe_make(test, WITH_ENTRY);
	struct callers *c = callers_start(test, fprobe_test_one, 8);
	int i;

	for (i = 0; i < 100 && callers_busy(c); i++) {
		WRITE_ONCE(tf->gone, false);
		KUNIT_EXPECT_EQ(test, register_fprobe(&tf->fp, "fprobe_test_one", NULL), 0);
		KUNIT_EXPECT_EQ(test, register_fprobe(&entry->fp, "fprobe_test_[ot]*", NULL), 0);
		schedule();
		KUNIT_EXPECT_EQ(test, unregister_fprobe(&tf->fp), 0);
		WRITE_ONCE(tf->gone, true);
		KUNIT_EXPECT_EQ(test, unregister_fprobe(&entry->fp), 0);
	}
	callers_wait(c);
	KUNIT_EXPECT_EQ(test, atomic_read(&c->wrong), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&tf->bad), 0);
	KUNIT_EXPECT_LE(test, atomic_read(&tf->exits), atomic_read(&tf->entries));
	KUNIT_EXPECT_LE(test, atomic_read(&tf->entries), c->nr * CALLS_EACH);
	KUNIT_EXPECT_EQ(test, tf->fp.nmissed, 0);
	KUNIT_EXPECT_EQ(test, entry->fp.nmissed, 0);
	test_fprobe_expect(test, stays, c->nr * CALLS_EACH, c->nr * CALLS_EACH, 0);
}

/**
 * struct registrar - a thread that registers and unregisters an fprobe over and over
 * @tf:		the fprobe
 * @failed:	times that either failed
 * @done:	counts the threads that have finished
 */
struct registrar {
	struct test_fprobe *tf;
	int failed;
	atomic_t *done;
};

static int register_often(void *data)
{
	unsigned long addrs[] = {
		fprobe_test_address(fprobe_test_one),
		fprobe_test_address(fprobe_test_two),
	};
	struct registrar *r = data;
	int i;

	for (i = 0; i < 20; i++) {
		if (register_fprobe_ips(&r->tf->fp, addrs, ARRAY_SIZE(addrs)) ||
		    unregister_fprobe(&r->tf->fp))
			r->failed++;
	}
	atomic_inc(r->done);
	wake_up_var(r->done);
	return 0;
}

#define NR_REGISTRARS	4

/* Several at one function, all at the same time. */
static void racing_registrars(struct kunit *test)
{
	struct test_fprobe *stays = test_fprobe_on(test, "fprobe_test_*", WITH_ALL);
	struct registrar r[NR_REGISTRARS];
	atomic_t done = ATOMIC_INIT(0);
	struct task_struct *task;
	struct callers *c;
	int i;

	c = callers_start(test, fprobe_test_one, 4);
	for (i = 0; i < NR_REGISTRARS; i++) {
		r[i] = (struct registrar) {
			.tf = test_fprobe_make(test, i % 2 ? WITH_ALL : WITH_ENTRY),
			.done = &done,
		};
		task = kthread_run(register_often, &r[i], "kprobes_reg");
		KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	}
	wait_var_event(&done, atomic_read(&done) == NR_REGISTRARS);
	callers_wait(c);
	for (i = 0; i < NR_REGISTRARS; i++) {
		KUNIT_EXPECT_EQ(test, r[i].failed, 0);
		KUNIT_EXPECT_EQ(test, atomic_read(&r[i].tf->bad), 0);
		KUNIT_EXPECT_EQ(test, r[i].tf->fp.nmissed, 0);
	}
	KUNIT_EXPECT_EQ(test, atomic_read(&c->wrong), 0);
	test_fprobe_expect(test, stays, c->nr * CALLS_EACH, c->nr * CALLS_EACH, 0);
}

static struct kunit_case flight_cases[] = {
	KUNIT_CASE(a_thousand_asleep),
	KUNIT_CASE(limited),
	KUNIT_CASE_PARAM(unregistered_in_flight, sleeping_gen_params),
	KUNIT_CASE(registered_again_in_flight),
	KUNIT_CASE(switched_in_flight),
	KUNIT_CASE(unregistered_within_a_handler),
	KUNIT_CASE(racing_registration),
	KUNIT_CASE(racing_registrars),
	{}
};

static struct kunit_suite flight_suite = {
	.name = "kprobes_fprobe_flight",
	.test_cases = flight_cases,
};

kunit_test_suite(flight_suite);
