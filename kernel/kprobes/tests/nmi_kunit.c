// SPDX-License-Identifier: GPL-2.0-only
/* Hits in NMIs, which this CPU sends to itself. x86 only. */
#include <linux/kprobes.h>

#include "fprobes.h"

/* What the latest call in an NMI returned. */
static unsigned long nmi_result;

static void nmi_myself(target_fn fn)
{
	nmi_result = test_call_in_nmi(fn, 7);
}

NOKPROBE_SYMBOL(nmi_myself);

static int nmi_suite_init(struct kunit *test)
{
	return test_nmi_begin();
}

static void nmi_suite_exit(struct kunit *test)
{
	test_nmi_end();
}

static void hit_in_nmi(struct kunit *test)
{
	const struct test_target *t = test->param_value;
	struct test_probe *tp = test_probe_new(test, t->fn, WITH_PRE | WITH_POST);
	int i;

	for (i = 0; i < 20; i++) {
		preempt_disable();
		nmi_myself(t->fn);
		preempt_enable();
	}
	KUNIT_EXPECT_EQ(test, test_nmis_taken(), 20);
	KUNIT_EXPECT_EQ(test, nmi_result, 8);
	KUNIT_EXPECT_EQ(test, test_pre_hits(tp), 20);
	KUNIT_EXPECT_EQ(test, test_post_hits(tp), 20);
	KUNIT_EXPECT_EQ(test, tp->kp.nmissed, 0);
}

static int pre_with_nmi(struct kprobe *p, struct pt_regs *regs)
{
	struct test_probe *tp = container_of(p, struct test_probe, kp);

	atomic_inc(&tp->pre);
	nmi_myself(kprobe_test_plain);
	return 0;
}

NOKPROBE_SYMBOL(pre_with_nmi);

/* The NMI comes while a handler runs: its hit is one inside a hit. */
static void nmi_in_a_handler(struct kunit *test)
{
	const struct test_target *t = test->param_value;
	struct test_probe *inner = NULL;
	struct test_probe *outer = test_probe_at(test, t->fn, WITH_POST);

	if (t->fn != kprobe_test_plain)
		inner = test_probe_new(test, kprobe_test_plain,
				       WITH_PRE | WITH_POST);
	outer->kp.pre_handler = pre_with_nmi;
	KUNIT_ASSERT_EQ(test, register_kprobe(&outer->kp), 0);
	test_call(test, t->fn, 10);
	KUNIT_EXPECT_EQ(test, test_nmis_taken(), 10);
	KUNIT_EXPECT_EQ(test, nmi_result, 8);
	KUNIT_EXPECT_EQ(test, test_pre_hits(outer), 10);
	KUNIT_EXPECT_EQ(test, test_post_hits(outer), 10);
	if (inner) {
		KUNIT_EXPECT_EQ(test, test_pre_hits(inner), 0);
		KUNIT_EXPECT_EQ(test, inner->kp.nmissed, 10);
	} else {
		KUNIT_EXPECT_EQ(test, outer->kp.nmissed, 10);
	}
}

#ifdef CONFIG_KRETPROBES
static atomic_t returns;

static int count_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	if (regs_return_value(regs) == 8)
		atomic_inc(&returns);
	return 0;
}

NOKPROBE_SYMBOL(count_return);

static void return_in_nmi(struct kunit *test)
{
	const struct test_target *t = test->param_value;
	struct kretprobe rp = {
		.kp.addr = (kprobe_opcode_t *)t->fn,
		.handler = count_return,
	};
	int i;

	atomic_set(&returns, 0);
	KUNIT_ASSERT_EQ(test, register_kretprobe(&rp), 0);
	for (i = 0; i < 20; i++) {
		preempt_disable();
		nmi_myself(t->fn);
		preempt_enable();
	}
	unregister_kretprobe(&rp);
	KUNIT_EXPECT_EQ(test, test_nmis_taken(), 20);
	KUNIT_EXPECT_EQ(test, atomic_read(&returns), 20);
	KUNIT_EXPECT_EQ(test, rp.nmissed, 0);
}
#else
static void return_in_nmi(struct kunit *test)
{
	kunit_skip(test, "no kretprobes");
}
#endif

#ifdef CONFIG_FPROBE
static void fprobe_in_nmi(struct kunit *test)
{
	struct test_fprobe *tf = test_fprobe_at(test, fprobe_test_one, WITH_ALL);
	struct test_fprobe *entry = test_fprobe_at(test, fprobe_test_one, WITH_ENTRY);
	int i;

	for (i = 0; i < 20; i++) {
		preempt_disable();
		nmi_myself(fprobe_test_one);
		preempt_enable();
	}
	KUNIT_EXPECT_EQ(test, test_nmis_taken(), 20);
	KUNIT_EXPECT_EQ(test, nmi_result, 8);
	test_fprobe_expect(test, tf, 20, 20, 0);
	test_fprobe_expect(test, entry, 20, 0, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&tf->in_nmi), 20);
}

static unsigned long nmi_here(unsigned long x)
{
	nmi_myself(fprobe_test_two);
	return x;
}

/* What an NMI calls is not called by the handler that it came upon. */
static void nmi_in_a_handler_of_fprobe(struct kunit *test)
{
	struct test_fprobe *two = test_fprobe_at(test, fprobe_test_two, WITH_ALL);
	struct test_fprobe *one = test_fprobe_make(test, WITH_ALL);

	one->in_entry = nmi_here;
	one->in_exit = nmi_here;
	KUNIT_ASSERT_EQ(test, register_fprobe(&one->fp, "fprobe_test_one", NULL), 0);
	test_call(test, fprobe_test_one, 10);
	KUNIT_EXPECT_EQ(test, test_nmis_taken(), 20);
	test_fprobe_expect(test, one, 10, 10, 0);
	test_fprobe_expect(test, two, 20, 20, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&two->in_nmi), 20);
	KUNIT_EXPECT_EQ(test, atomic_read(&one->in_nmi), 0);
}

static unsigned long deep_nmi(unsigned long x)
{
	return fprobe_test_recurse(x) + fprobe_test_recurse(x) - fprobe_test_recurse(x);
}

/*
 * In an NMI there is no growing: what its calls need has to be there, or to be counted.
 * Either way nothing is lost when they return.
 */
static void deep_in_nmi(struct kunit *test)
{
	struct test_fprobe *tf = test_fprobe_at(test, fprobe_test_recurse, WITH_ALL);
	int i, seen;

	for (i = 0; i < 20; i++) {
		preempt_disable();
		nmi_myself(deep_nmi);
		preempt_enable();
	}
	KUNIT_EXPECT_EQ(test, nmi_result, 8);
	seen = atomic_read(&tf->entries);
	KUNIT_EXPECT_EQ(test, seen + tf->fp.nmissed, 20 * 3 * 8);
	test_fprobe_expect(test, tf, seen, seen, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&tf->in_nmi), seen);
}
#else
static void fprobe_in_nmi(struct kunit *test)
{
	kunit_skip(test, "no fprobes");
}

static void nmi_in_a_handler_of_fprobe(struct kunit *test)
{
	kunit_skip(test, "no fprobes");
}

static void deep_in_nmi(struct kunit *test)
{
	kunit_skip(test, "no fprobes");
}
#endif

KUNIT_ARRAY_PARAM_DESC(target, test_targets, name);

static struct kunit_case nmi_cases[] = {
	KUNIT_CASE_PARAM(hit_in_nmi, target_gen_params),
	KUNIT_CASE_PARAM(nmi_in_a_handler, target_gen_params),
	KUNIT_CASE_PARAM(return_in_nmi, target_gen_params),
	KUNIT_CASE(fprobe_in_nmi),
	KUNIT_CASE(nmi_in_a_handler_of_fprobe),
	KUNIT_CASE(deep_in_nmi),
	{}
};

static struct kunit_suite nmi_suite = {
	.name = "kprobes_nmi",
	.init = nmi_suite_init,
	.exit = nmi_suite_exit,
	.test_cases = nmi_cases,
};

kunit_test_suite(nmi_suite);
