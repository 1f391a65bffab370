// SPDX-License-Identifier: GPL-2.0-only
/* Hits: registers in handlers, hits inside hits, in interrupts, at all instructions. */
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/kthread.h>
#include <linux/ptrace.h>

#include "tests.h"

static void handlers_and_arguments(struct kunit *test)
{
	const struct test_target *t = test->param_value;
	struct test_probe *tp = test_probe_new(test, t->fn, WITH_PRE | WITH_POST);

	KUNIT_EXPECT_EQ(test, call_target(t->fn, 41), 42);
	KUNIT_EXPECT_EQ(test, test_pre_hits(tp), 1);
	KUNIT_EXPECT_EQ(test, test_post_hits(tp), 1);
	KUNIT_EXPECT_LT(test, tp->when_pre, tp->when_post);
	if (IS_ENABLED(CONFIG_HAVE_FUNCTION_ARG_ACCESS_API))
		KUNIT_EXPECT_EQ(test, tp->arg, 41);
	test_call(test, t->fn, 1000);
	KUNIT_EXPECT_EQ(test, test_pre_hits(tp), 1001);
	KUNIT_EXPECT_EQ(test, test_post_hits(tp), 1001);
	KUNIT_EXPECT_EQ(test, tp->kp.nmissed, 0);
}

/* A probe on every instruction that takes one. */
static void every_instruction(struct kunit *test)
{
	const unsigned int handlers = (unsigned long)test->param_value;
	unsigned long size, at, i, fn = (unsigned long)kprobe_test_plain;
	struct test_probe *tp;
	unsigned int probed = 0;
	struct test_probe *all[64];

	KUNIT_ASSERT_TRUE(test, kallsyms_lookup_size_offset(fn, &size, &at));
	for (i = 0; i < min(size, 64UL); i++) {
		tp = test_probe_at(test, kprobe_test_plain, handlers);
		tp->kp.offset = i;
		if (!register_kprobe(&tp->kp))
			all[probed++] = tp;
	}
	KUNIT_EXPECT_GE(test, probed, 2);
	test_call(test, kprobe_test_plain, 10);
	for (i = 0; i < probed; i++) {
		KUNIT_EXPECT_EQ(test, all[i]->kp.nmissed, 0);
		/* Instructions behind the last return do not run. */
		if (!test_pre_hits(all[i]))
			continue;
		KUNIT_EXPECT_EQ(test, test_pre_hits(all[i]), 10);
		KUNIT_EXPECT_EQ(test, test_post_hits(all[i]),
				handlers & WITH_POST ? 10 : 0);
	}
	KUNIT_EXPECT_EQ(test, test_pre_hits(all[0]), 10);
}

static const void *gen_handlers(const void *prev, char *desc)
{
	if (!prev) {
		strscpy(desc, "pre", KUNIT_PARAM_DESC_SIZE);
		return (void *)WITH_PRE;
	}
	if (prev == (void *)WITH_PRE) {
		strscpy(desc, "pre and post", KUNIT_PARAM_DESC_SIZE);
		return (void *)(WITH_PRE | WITH_POST);
	}
	return NULL;
}

/**
 * struct caller - a probe whose handlers call a function
 * @tp:		the probe
 * @fn:		what its handlers call
 * @wrong:	calls with a wrong result
 * @not_running: kprobe_running() was NULL in a handler
 */
struct caller {
	struct test_probe tp;
	target_fn fn;
	int wrong;
	int not_running;
};

static nokprobe_inline void call_it(struct caller *c, unsigned long expect)
{
	if (c->fn(7) != expect)
		c->wrong++;
	if (!kprobe_running())
		c->not_running++;
}

static int calling_pre(struct kprobe *p, struct pt_regs *regs)
{
	struct caller *c = container_of(p, struct caller, tp.kp);

	atomic_inc(&c->tp.pre);
	call_it(c, 9);
	return 0;
}

NOKPROBE_SYMBOL(calling_pre);

static void calling_post(struct kprobe *p, struct pt_regs *regs,
			 unsigned long flags)
{
	struct caller *c = container_of(p, struct caller, tp.kp);

	atomic_inc(&c->tp.post);
	call_it(c, 9);
}

NOKPROBE_SYMBOL(calling_post);

/* The inner function is probed; its probe is stepped over and counted, not run. */
static void hit_inside_a_hit(struct kunit *test)
{
	const struct test_target *t = test->param_value;
	struct test_probe *inner, *quiet, *off;
	struct caller c = {
		.tp.kp.addr = (kprobe_opcode_t *)t->fn,
		.tp.kp.pre_handler = calling_pre,
		.tp.kp.post_handler = calling_post,
		.fn = kprobe_test_inner,
	};

	inner = test_probe_new(test, kprobe_test_inner, WITH_PRE | WITH_POST);
	quiet = test_probe_new(test, kprobe_test_inner, WITH_PRE);
	off = test_probe_at(test, kprobe_test_inner, WITH_PRE);
	off->kp.flags = KPROBE_FLAG_DISABLED;
	KUNIT_ASSERT_EQ(test, register_kprobe(&off->kp), 0);

	KUNIT_EXPECT_EQ(test, register_kprobe(&c.tp.kp), 0);
	test_call(test, t->fn, 10);
	unregister_kprobe(&c.tp.kp);

	KUNIT_EXPECT_EQ(test, test_pre_hits(&c.tp), 10);
	KUNIT_EXPECT_EQ(test, test_post_hits(&c.tp), 10);
	KUNIT_EXPECT_EQ(test, c.tp.kp.nmissed, 0);
	KUNIT_EXPECT_EQ(test, c.wrong, 0);
	KUNIT_EXPECT_EQ(test, c.not_running, 0);
	KUNIT_EXPECT_EQ(test, test_pre_hits(inner), 0);
	KUNIT_EXPECT_EQ(test, test_post_hits(inner), 0);
	KUNIT_EXPECT_EQ(test, inner->kp.nmissed, 20);
	KUNIT_EXPECT_EQ(test, quiet->kp.nmissed, 20);
	KUNIT_EXPECT_EQ(test, off->kp.nmissed, 0);

	/* Outside of a hit, handlers run. */
	KUNIT_EXPECT_EQ(test, kprobe_test_inner(1), 3);
	KUNIT_EXPECT_EQ(test, test_pre_hits(inner), 1);
	KUNIT_EXPECT_EQ(test, test_post_hits(inner), 1);
	KUNIT_EXPECT_EQ(test, inner->kp.nmissed, 20);
}

static int calling_itself(struct kprobe *p, struct pt_regs *regs)
{
	struct caller *c = container_of(p, struct caller, tp.kp);

	atomic_inc(&c->tp.pre);
	call_it(c, 8);
	return 0;
}

NOKPROBE_SYMBOL(calling_itself);

/* The handler calls the function that it is at. */
static void hit_inside_a_hit_of_the_same(struct kunit *test)
{
	const struct test_target *t = test->param_value;
	struct caller c = {
		.tp.kp.addr = (kprobe_opcode_t *)t->fn,
		.tp.kp.pre_handler = calling_itself,
		.fn = t->fn,
	};

	KUNIT_ASSERT_EQ(test, register_kprobe(&c.tp.kp), 0);
	test_call(test, t->fn, 10);
	unregister_kprobe(&c.tp.kp);
	KUNIT_EXPECT_EQ(test, test_pre_hits(&c.tp), 10);
	KUNIT_EXPECT_EQ(test, c.wrong, 0);
	/* Ftrace may detect the recursion first. */
	if (t->traced)
		KUNIT_EXPECT_LE(test, c.tp.kp.nmissed, 10);
	else
		KUNIT_EXPECT_EQ(test, c.tp.kp.nmissed, 10);
}

static void busy_means_missed(struct kunit *test)
{
	const struct test_target *t = test->param_value;
	struct test_probe *tp = test_probe_new(test, t->fn, WITH_PRE | WITH_POST);
	unsigned long result;

	kprobe_busy_begin();
	result = call_target(t->fn, 1);
	kprobe_busy_end();
	KUNIT_EXPECT_EQ(test, result, 2);
	KUNIT_EXPECT_EQ(test, test_pre_hits(tp), 0);
	KUNIT_EXPECT_EQ(test, tp->kp.nmissed, 1);
	test_call(test, t->fn, 1);
	KUNIT_EXPECT_EQ(test, test_pre_hits(tp), 1);
	KUNIT_EXPECT_EQ(test, tp->kp.nmissed, 1);
}

static void hit_in_an_interrupt(struct kunit *test)
{
	const struct test_target *t = test->param_value;
	struct test_probe *tp = test_probe_new(test, t->fn, WITH_PRE | WITH_POST);
	int i;

	for (i = 0; i < 100; i++)
		KUNIT_EXPECT_EQ(test, test_call_in_irq(t->fn, i), i + 1);
	KUNIT_EXPECT_EQ(test, test_pre_hits(tp), 100);
	KUNIT_EXPECT_EQ(test, test_post_hits(tp), 100);
	KUNIT_EXPECT_EQ(test, atomic_read(&tp->in_irq), 100);
	KUNIT_EXPECT_EQ(test, tp->kp.nmissed, 0);
}

#define NR_ROUNDS	2000

/**
 * struct crowd - threads that call one function
 * @fn:		the function
 * @wrong:	calls with a wrong result
 * @done:	threads that have made their calls
 */
struct crowd {
	target_fn fn;
	atomic_t wrong;
	atomic_t done;
};

static int crowd_thread(void *data)
{
	struct crowd *c = data;
	unsigned long i;

	for (i = 0; i < NR_ROUNDS; i++) {
		if (c->fn(i) != i + 1)
			atomic_inc(&c->wrong);
		cond_resched();
	}
	atomic_inc(&c->done);
	while (!kthread_should_stop())
		schedule();
	return 0;
}

/* On all CPUs at once, while other listeners join and leave: no hit is lost. */
static void hits_on_all_cpus(struct kunit *test)
{
	const struct test_target *t = test->param_value;
	struct test_probe *tp = test_probe_new(test, t->fn, WITH_PRE);
	struct test_probe *guest = test_probe_at(test, t->fn, WITH_PRE | WITH_POST);
	struct crowd c = { .fn = t->fn };
	struct task_struct *task[8];
	int cpu, nr = 0, i;

	for_each_online_cpu(cpu) {
		if (nr == ARRAY_SIZE(task))
			break;
		task[nr] = kthread_run_on_cpu(crowd_thread, &c, cpu,
					      "kprobes_hits/%u");
		if (!IS_ERR(task[nr]))
			nr++;
	}
	KUNIT_EXPECT_GT(test, nr, 0);
	for (i = 0; atomic_read(&c.done) < nr && i < 200; i++) {
		KUNIT_EXPECT_EQ(test, register_kprobe(&guest->kp), 0);
		unregister_kprobe(&guest->kp);
		schedule();
	}
	while (atomic_read(&c.done) < nr)
		schedule();
	for (i = 0; i < nr; i++)
		kthread_stop(task[i]);
	KUNIT_EXPECT_EQ(test, atomic_read(&c.wrong), 0);
	KUNIT_EXPECT_EQ(test, test_pre_hits(tp), nr * NR_ROUNDS);
	KUNIT_EXPECT_EQ(test, tp->kp.nmissed, 0);
	KUNIT_EXPECT_EQ(test, guest->kp.nmissed, 0);
}

KUNIT_ARRAY_PARAM_DESC(target, test_targets, name);

static struct kunit_case hits_cases[] = {
	KUNIT_CASE_PARAM(handlers_and_arguments, target_gen_params),
	KUNIT_CASE_PARAM(every_instruction, gen_handlers),
	KUNIT_CASE_PARAM(hit_inside_a_hit, target_gen_params),
	KUNIT_CASE_PARAM(hit_inside_a_hit_of_the_same, target_gen_params),
	KUNIT_CASE_PARAM(busy_means_missed, target_gen_params),
	KUNIT_CASE_PARAM(hit_in_an_interrupt, target_gen_params),
	KUNIT_CASE_PARAM(hits_on_all_cpus, target_gen_params),
	{}
};

static struct kunit_suite hits_suite = {
	.name = "kprobes_hits",
	.test_cases = hits_cases,
};

kunit_test_suite(hits_suite);
