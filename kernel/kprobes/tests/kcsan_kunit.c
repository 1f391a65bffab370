// SPDX-License-Identifier: GPL-2.0-only
/*
 * KCSAN must report a data race in handlers, with all methods. Otherwise its silence in all other
 * tests would show nothing.
 */
#include <linux/jiffies.h>
#include <linux/kprobes.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <trace/events/printk.h>

#include "jumps.h"
#include "tests.h"

/* KCSAN looks at one access among hundreds, and two processors have to meet there. */
#define PATIENCE	(120 * HZ)

/**
 * struct way - how the racing handler comes to run
 * @name:	of the method
 * @fn:		the function that is probed
 * @jump:	the probe may become a jump
 */
struct way {
	const char *name;
	target_fn fn;
	bool jump;
};

/* What handlers race about, and whether KCSAN has said so. */
static unsigned long shared;
static bool reported;

static int kprobes_planted_race(struct kprobe *kp, struct pt_regs *regs)
{
	shared++;
	return 0;
}

NOKPROBE_SYMBOL(kprobes_planted_race);

static const struct way ways[] = {
	{ "breakpoint", kprobe_test_plain, false },
	{ "jump", kprobe_test_plain, true },
	{ "entry, by ftrace where it is used", kprobe_test_traced, true },
};

static void look_at_console(void *unused, const char *text, size_t len)
{
	if (strnstr(text, "BUG: KCSAN: data-race in kprobes_planted_race", len))
		WRITE_ONCE(reported, true);
}

static void stop_looking(void *unused)
{
	unregister_trace_console(look_at_console, NULL);
	tracepoint_synchronize_unregister();
}

static int call_until_stopped(void *fn)
{
	while (!kthread_should_stop()) {
		call_target(fn, 1);
		cond_resched();
	}
	return 0;
}

static void stop_thread(void *task)
{
	kthread_stop(task);
}

static void start_threads(struct kunit *test, target_fn fn)
{
	struct task_struct *task;
	int cpu;

	for_each_online_cpu(cpu) {
		task = kthread_run_on_cpu(call_until_stopped, fn, cpu, "kprobes_race/%u");
		KUNIT_ASSERT_FALSE(test, IS_ERR(task));
		KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, stop_thread, task));
	}
}

static void drop_kprobe(void *kp)
{
	unregister_kprobe(kp);
	test_allow_jumps(true);
}

static void race_is_seen(struct kunit *test)
{
	const struct way *way = test->param_value;
	unsigned long end = jiffies + PATIENCE;
	struct kprobe *kp;

	if (num_online_cpus() < 2)
		kunit_skip(test, "it takes two processors");
	kp = kunit_kzalloc(test, sizeof(*kp), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, kp);
	kp->addr = (void *)test_entry_of(way->fn);
	kp->pre_handler = kprobes_planted_race;
	WRITE_ONCE(reported, false);
	KUNIT_ASSERT_EQ(test, 0, register_trace_console(look_at_console, NULL));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, stop_looking, NULL));
	test_allow_jumps(way->jump);
	KUNIT_ASSERT_EQ(test, 0, register_kprobe(kp));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, drop_kprobe, kp));
	wait_for_kprobe_optimizer();
	start_threads(test, way->fn);
	while (!READ_ONCE(reported) && time_before(jiffies, end))
		schedule_timeout_uninterruptible(1);
	KUNIT_EXPECT_TRUE(test, READ_ONCE(reported));
}

KUNIT_ARRAY_PARAM_DESC(way, ways, name);

static struct kunit_case kcsan_cases[] = {
	KUNIT_CASE_PARAM(race_is_seen, way_gen_params),
	{}
};

static struct kunit_suite kcsan_suite = {
	.name = "kprobes_kcsan",
	.test_cases = kcsan_cases,
};

kunit_test_suite(kcsan_suite);
