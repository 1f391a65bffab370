// SPDX-License-Identifier: GPL-2.0-only
/*
 * The functions that events use: register many fprobes at once, add functions to a registered
 * fprobe, and register an fprobe again without waiting.
 */
#include <linux/entry_hook.h>
#include <linux/error-injection.h>
#include <linux/fprobe.h>
#include <linux/ftrace.h>
#include <linux/kprobes.h>
#include <linux/kthread.h>
#include <linux/rcupdate.h>

#include "../../trace/fprobe_internal.h"
#include "fprobes.h"

#define NR_FUNCTIONS	3
#define NR_AGAIN	100

static const target_fn functions[NR_FUNCTIONS] = {
	fprobe_test_one, fprobe_test_two, fprobe_test_three,
};

/* Addresses of ftrace's calls in the functions above. */
static unsigned long ips[NR_FUNCTIONS];

static int find_ips(struct kunit *test)
{
	int i;

	for (i = 0; i < NR_FUNCTIONS; i++) {
		ips[i] = ftrace_location(fprobe_test_address(functions[i]));
		KUNIT_ASSERT_NE(test, ips[i], 0);
	}
	return 0;
}

static void call_all(struct kunit *test)
{
	int i;

	for (i = 0; i < NR_FUNCTIONS; i++)
		test_call(test, functions[i], 1);
}

/* Call each of the functions once. @tf must see so many of these calls. */
static void expect_seen(struct kunit *test, struct test_fprobe *tf, int hits)
{
	test_fprobe_reset(tf);
	call_all(test);
	test_fprobe_expect(test, tf, hits, hits, 0);
}

static int hook(struct test_fprobe *tf, const unsigned long *at, unsigned int nr, bool more)
{
	struct fprobe_ips f = { .fp = &tf->fp, .ips = at, .nr = nr, .more = more };

	return fprobes_hook(&f, 1);
}

static void many_at_once(struct kunit *test)
{
	struct fprobe_ips each[NR_FUNCTIONS] = { };
	struct test_fprobe *tf[NR_FUNCTIONS];
	struct fprobe *fps[NR_FUNCTIONS];
	int i;

	/* The first one is for one function, the second one for two, and so on. */
	for (i = 0; i < NR_FUNCTIONS; i++) {
		tf[i] = test_fprobe_make(test, WITH_ALL);
		fps[i] = &tf[i]->fp;
		each[i].fp = &tf[i]->fp;
		each[i].ips = ips;
		each[i].nr = i + 1;
	}
	KUNIT_ASSERT_EQ(test, fprobes_hook(each, NR_FUNCTIONS), 0);
	for (i = 0; i < NR_FUNCTIONS; i++) {
		KUNIT_EXPECT_TRUE(test, fprobe_is_registered(fps[i]));
		expect_seen(test, tf[i], i + 1);
	}
	unregister_fprobes_nowait(fps, NR_FUNCTIONS);
	for (i = 0; i < NR_FUNCTIONS; i++) {
		KUNIT_EXPECT_FALSE(test, fprobe_is_registered(fps[i]));
		expect_seen(test, tf[i], 0);
	}
	synchronize_rcu();
}

static void more_functions(struct kunit *test)
{
	struct test_fprobe *tf = test_fprobe_make(test, WITH_ALL);

	KUNIT_ASSERT_EQ(test, hook(tf, ips, 1, false), 0);
	expect_seen(test, tf, 1);
	KUNIT_ASSERT_EQ(test, hook(tf, ips + 1, 2, true), 0);
	expect_seen(test, tf, 3);
	KUNIT_EXPECT_EQ(test, unregister_fprobe(&tf->fp), 0);
	expect_seen(test, tf, 0);
}

static void for_no_function(struct kunit *test)
{
	struct test_fprobe *tf = test_fprobe_make(test, WITH_ALL);

	KUNIT_ASSERT_EQ(test, hook(tf, ips, 0, false), 0);
	KUNIT_EXPECT_TRUE(test, fprobe_is_registered(&tf->fp));
	expect_seen(test, tf, 0);
	KUNIT_ASSERT_EQ(test, hook(tf, ips, 2, true), 0);
	expect_seen(test, tf, 2);
	KUNIT_EXPECT_EQ(test, unregister_fprobe(&tf->fp), 0);
}

/* If an address of one of several fprobes is not a function, none of them is registered. */
static void all_or_none(struct kunit *test)
{
	struct test_fprobe *had = test_fprobe_make(test, WITH_ALL);
	struct test_fprobe *new = test_fprobe_make(test, WITH_ALL);
	struct test_fprobe *bad = test_fprobe_make(test, WITH_ALL);
	unsigned long nowhere = fprobe_test_address(fprobe_test_hidden);
	struct fprobe_ips each[] = {
		{ .fp = &had->fp, .ips = ips + 1, .nr = 2, .more = true },
		{ .fp = &new->fp, .ips = ips, .nr = 3 },
		{ .fp = &bad->fp, .ips = &nowhere, .nr = 1 },
	};

	KUNIT_ASSERT_EQ(test, hook(had, ips, 1, false), 0);
	KUNIT_ASSERT_EQ(test, fprobes_hook(each, 3), -EINVAL);
	KUNIT_EXPECT_FALSE(test, fprobe_is_registered(&new->fp));
	KUNIT_EXPECT_FALSE(test, fprobe_is_registered(&bad->fp));
	expect_seen(test, new, 0);
	expect_seen(test, had, 1);
	/* Without that fprobe the others are registered. */
	KUNIT_EXPECT_EQ(test, fprobes_hook(each, 2), 0);
	expect_seen(test, new, 3);
	expect_seen(test, had, 3);
	/* Hits of functions that were hooked before may have seen fprobes of the failed call. */
	synchronize_rcu();
}

/* entry_data_size is too large. */
static void too_much_data(struct kunit *test)
{
	struct test_fprobe *good = test_fprobe_make(test, WITH_ALL);
	struct test_fprobe *bad = test_fprobe_make(test, WITH_ALL);
	struct fprobe_ips each[] = {
		{ .fp = &good->fp, .ips = ips, .nr = 3 },
		{ .fp = &bad->fp, .ips = ips, .nr = 3 },
	};

	bad->fp.entry_data_size = PAGE_SIZE * 64;
	KUNIT_EXPECT_EQ(test, fprobe_check(&good->fp), 0);
	KUNIT_EXPECT_EQ(test, fprobe_check(&bad->fp), -ENOMEM);
	KUNIT_EXPECT_EQ(test, fprobes_hook(each, 2), -ENOMEM);
	expect_seen(test, good, 0);
	KUNIT_EXPECT_EQ(test, fprobes_hook(each, 1), 0);
	expect_seen(test, good, 3);
}

static int call_until_stopped(void *data)
{
	unsigned long calls = 0;

	while (!kthread_should_stop()) {
		fprobe_test_one(calls++);
		cond_resched();
	}
	return 0;
}

/* Register an fprobe again at once, while earlier hits may be in progress. */
static void again_and_again(struct kunit *test)
{
	struct test_fprobe *tf = test_fprobe_make(test, WITH_ALL);
	struct fprobe *fp = &tf->fp;
	struct task_struct *caller;
	int i;

	caller = kthread_run(call_until_stopped, NULL, "fprobe_again");
	KUNIT_ASSERT_FALSE(test, IS_ERR(caller));
	for (i = 0; i < NR_AGAIN; i++) {
		KUNIT_EXPECT_EQ(test, hook(tf, ips, 3, false), 0);
		test_call(test, fprobe_test_two, 1);
		unregister_fprobes_nowait(&fp, 1);
	}
	kthread_stop(caller);
	synchronize_rcu();
	KUNIT_EXPECT_EQ(test, atomic_read(&tf->bad), 0);
	/* At least the calls that this test makes. */
	KUNIT_EXPECT_GE(test, atomic_read(&tf->exits), NR_AGAIN);
	KUNIT_EXPECT_GE(test, atomic_read(&tf->entries), atomic_read(&tf->exits));
	expect_seen(test, tf, 0);
}

/* fprobes_hook() does not reset the counts of misses. */
static void misses_add_up(struct kunit *test)
{
	struct test_fprobe *outer = test_fprobe_at(test, fprobe_test_two, WITH_ENTRY);
	struct test_fprobe *tf = test_fprobe_make(test, WITH_ALL);
	struct fprobe *fp = &tf->fp;
	int i;

	outer->in_entry = fprobe_test_one;
	for (i = 1; i <= 3; i++) {
		KUNIT_ASSERT_EQ(test, hook(tf, ips, 1, false), 0);
		test_call(test, fprobe_test_two, 1);
		KUNIT_EXPECT_EQ(test, fp->nmissed, i);
		unregister_fprobes_nowait(&fp, 1);
	}
	synchronize_rcu();
}

#if defined(CONFIG_FUNCTION_ERROR_INJECTION) && defined(CONFIG_DYNAMIC_FTRACE)
static void filter_func(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *op,
			struct ftrace_regs *fregs)
{
}

/* The call fails that makes *@left zero. */
static int fail_a_call(struct pt_regs *regs, atomic_t *left, int err)
{
	if (atomic_dec_return(left))
		return 0;
	regs_set_return_value(regs, err);
	override_function_with_return(regs);
	return 1;
}

NOKPROBE_SYMBOL(fail_a_call);

/* Calls of two functions until one fails. */
static atomic_t until_busy, until_no_memory;

static int fail_to_register(struct kprobe *p, struct pt_regs *regs)
{
	return fail_a_call(regs, &until_busy, -EBUSY);
}

NOKPROBE_SYMBOL(fail_to_register);

static int fail_to_set(struct kprobe *p, struct pt_regs *regs)
{
	return fail_a_call(regs, &until_no_memory, -ENOMEM);
}

NOKPROBE_SYMBOL(fail_to_set);

/* If an ops cannot be registered, its filter gets empty again, even if there is no memory first. */
static void filter_after_a_failure(struct kunit *test)
{
	struct kprobe busy = {
		.symbol_name = "register_ftrace_function",
		.pre_handler = fail_to_register,
	};
	struct kprobe no_memory = {
		.symbol_name = "ftrace_set_filter_ips",
		.pre_handler = fail_to_set,
	};
	static struct entry_filter filter = ENTRY_FILTER_INIT(filter_func, 0);

	atomic_set(&until_busy, 0);
	atomic_set(&until_no_memory, 0);
	KUNIT_EXPECT_EQ(test, register_kprobe(&busy), 0);
	KUNIT_EXPECT_EQ(test, register_kprobe(&no_memory), 0);
	atomic_set(&until_busy, 1);
	/* The second call is to undo the first. */
	atomic_set(&until_no_memory, 2);
	KUNIT_EXPECT_EQ(test, entry_filter_add(&filter, ips, 1), -EBUSY);
	KUNIT_EXPECT_LE(test, atomic_read(&until_no_memory), 0);
	unregister_kprobe(&no_memory);
	unregister_kprobe(&busy);
	KUNIT_EXPECT_EQ(test, filter.nr, 0);
	/* It is not there to be removed. */
	KUNIT_EXPECT_EQ(test, ftrace_set_filter_ip(&filter.ops, ips[0], 1, 0), -ENOENT);
	ftrace_free_filter(&filter.ops);
}
#else
static void filter_after_a_failure(struct kunit *test)
{
	kunit_skip(test, "needs CONFIG_FUNCTION_ERROR_INJECTION and CONFIG_DYNAMIC_FTRACE");
}
#endif

static struct kunit_case cases[] = {
	KUNIT_CASE(many_at_once),
	KUNIT_CASE(more_functions),
	KUNIT_CASE(for_no_function),
	KUNIT_CASE(all_or_none),
	KUNIT_CASE(too_much_data),
	KUNIT_CASE(again_and_again),
	KUNIT_CASE(misses_add_up),
	KUNIT_CASE(filter_after_a_failure),
	{}
};

static struct kunit_suite suite = {
	.name = "fprobe_hook",
	.init = find_ips,
	.test_cases = cases,
};

kunit_test_suite(suite);
