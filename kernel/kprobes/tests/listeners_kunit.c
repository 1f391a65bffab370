// SPDX-License-Identifier: GPL-2.0-only
/* Many listeners at one address, of all kinds and in any order. */
#include <linux/error-injection.h>
#include <linux/kprobes.h>
#include <linux/ptrace.h>

#include "tests.h"

static void mixture(struct kunit *test)
{
	const struct test_target *t = test->param_value;
	struct test_probe *pre = test_probe_new(test, t->fn, WITH_PRE);
	struct test_probe *post = test_probe_new(test, t->fn, WITH_POST);
	struct test_probe *both = test_probe_new(test, t->fn, WITH_PRE | WITH_POST);
	struct test_probe *none = test_probe_new(test, t->fn, 0);
	struct test_probe *off = test_probe_at(test, t->fn, WITH_PRE | WITH_POST);

	off->kp.flags = KPROBE_FLAG_DISABLED;
	KUNIT_ASSERT_EQ(test, register_kprobe(&off->kp), 0);
	test_call(test, t->fn, 10);
	KUNIT_EXPECT_EQ(test, test_pre_hits(pre), 10);
	KUNIT_EXPECT_EQ(test, test_post_hits(pre), 0);
	KUNIT_EXPECT_EQ(test, test_pre_hits(post), 0);
	KUNIT_EXPECT_EQ(test, test_post_hits(post), 10);
	KUNIT_EXPECT_EQ(test, test_pre_hits(both), 10);
	KUNIT_EXPECT_EQ(test, test_post_hits(both), 10);
	KUNIT_EXPECT_EQ(test, test_pre_hits(off), 0);
	KUNIT_EXPECT_EQ(test, test_post_hits(off), 0);
	KUNIT_EXPECT_EQ(test, none->kp.nmissed, 0);

	/* Only listeners without a post handler are left: none may run. */
	unregister_kprobe(&post->kp);
	unregister_kprobe(&both->kp);
	test_call(test, t->fn, 10);
	KUNIT_EXPECT_EQ(test, test_pre_hits(pre), 20);
	KUNIT_EXPECT_EQ(test, test_post_hits(post), 10);
	KUNIT_EXPECT_EQ(test, test_post_hits(both), 10);
}

static void pre_handlers_run_in_order(struct kunit *test)
{
	const struct test_target *t = test->param_value;
	struct test_probe *a = test_probe_new(test, t->fn, WITH_PRE | WITH_POST);
	struct test_probe *b = test_probe_new(test, t->fn, WITH_PRE | WITH_POST);
	struct test_probe *c = test_probe_new(test, t->fn, WITH_PRE);

	test_call(test, t->fn, 1);
	KUNIT_EXPECT_LT(test, a->when_pre, b->when_pre);
	KUNIT_EXPECT_LT(test, b->when_pre, c->when_pre);
	/* The instruction is in between. */
	KUNIT_EXPECT_LT(test, c->when_pre, a->when_post);
	KUNIT_EXPECT_LT(test, c->when_pre, b->when_post);
}

#define NR_CROWD	16

/* Listeners leave one by one; the others must still be called. */
static void leaving_in_any_order(struct kunit *test)
{
	const struct test_target *t = test->param_value;
	static const unsigned char order[NR_CROWD] = {
		7, 0, 15, 3, 8, 4, 12, 1, 14, 2, 9, 5, 11, 6, 13, 10,
	};
	struct test_probe *tp[NR_CROWD];
	int expect[NR_CROWD] = {}, i, j;
	bool here[NR_CROWD];

	for (i = 0; i < NR_CROWD; i++) {
		tp[i] = test_probe_new(test, t->fn,
				       WITH_PRE | (i % 3 ? 0 : WITH_POST));
		here[i] = true;
	}
	for (i = 0; i < NR_CROWD; i++) {
		/* Every other one is disabled first, for a while. */
		if (i % 2)
			KUNIT_EXPECT_EQ(test, disable_kprobe(&tp[order[i]]->kp), 0);
		else
			unregister_kprobe(&tp[order[i]]->kp);
		here[order[i]] = false;
		test_call(test, t->fn, 2);
		unregister_kprobe(&tp[order[i]]->kp);
		test_call(test, t->fn, 1);
		for (j = 0; j < NR_CROWD; j++) {
			expect[j] += here[j] ? 3 : 0;
			KUNIT_EXPECT_EQ(test, test_pre_hits(tp[j]), expect[j]);
			KUNIT_EXPECT_EQ(test, test_post_hits(tp[j]),
					j % 3 ? 0 : expect[j]);
			KUNIT_EXPECT_EQ(test, tp[j]->kp.nmissed, 0);
		}
	}
}

static void one_disabled_of_two(struct kunit *test)
{
	const struct test_target *t = test->param_value;
	struct test_probe *a = test_probe_new(test, t->fn, WITH_PRE);
	struct test_probe *b = test_probe_new(test, t->fn, WITH_PRE | WITH_POST);

	KUNIT_EXPECT_EQ(test, disable_kprobe(&b->kp), 0);
	test_call(test, t->fn, 4);
	KUNIT_EXPECT_EQ(test, test_pre_hits(a), 4);
	KUNIT_EXPECT_EQ(test, test_pre_hits(b), 0);
	KUNIT_EXPECT_EQ(test, test_post_hits(b), 0);
	KUNIT_EXPECT_EQ(test, disable_kprobe(&a->kp), 0);
	test_call(test, t->fn, 4);
	KUNIT_EXPECT_EQ(test, test_pre_hits(a), 4);
	KUNIT_EXPECT_EQ(test, enable_kprobe(&b->kp), 0);
	test_call(test, t->fn, 4);
	KUNIT_EXPECT_EQ(test, test_pre_hits(a), 4);
	KUNIT_EXPECT_EQ(test, test_pre_hits(b), 4);
	KUNIT_EXPECT_EQ(test, test_post_hits(b), 4);
}

static int go_elsewhere(struct kprobe *p, struct pt_regs *regs)
{
	struct test_probe *tp = container_of(p, struct test_probe, kp);

	atomic_inc(&tp->pre);
	instruction_pointer_set(regs, (unsigned long)kprobe_test_elsewhere);
	return 1;
}

NOKPROBE_SYMBOL(go_elsewhere);

static void moving_on_elsewhere(struct kunit *test)
{
	const struct test_target *t = test->param_value;
	struct test_probe *before = test_probe_new(test, t->fn, WITH_PRE);
	struct test_probe *mover = test_probe_at(test, t->fn, 0);
	struct test_probe *after = test_probe_at(test, t->fn, WITH_PRE);

	mover->kp.pre_handler = go_elsewhere;
	KUNIT_ASSERT_EQ(test, register_kprobe(&mover->kp), 0);
	KUNIT_ASSERT_EQ(test, register_kprobe(&after->kp), 0);
	KUNIT_EXPECT_EQ(test, call_target(t->fn, 5), 1005);
	KUNIT_EXPECT_EQ(test, test_pre_hits(before), 1);
	KUNIT_EXPECT_EQ(test, test_pre_hits(mover), 1);
	/* Later listeners see the registers of the hit. */
	KUNIT_EXPECT_EQ(test, test_pre_hits(after), 1);
	KUNIT_EXPECT_EQ(test, after->arg, 5);
	KUNIT_EXPECT_EQ(test, after->ip, before->ip);
	/* The CPU is not in a hit any more. */
	unregister_kprobe(&mover->kp);
	test_call(test, t->fn, 1);
	KUNIT_EXPECT_EQ(test, test_pre_hits(before), 2);
	KUNIT_EXPECT_EQ(test, test_pre_hits(after), 2);
}

static int go_on_here(struct kprobe *p, struct pt_regs *regs)
{
	struct test_probe *tp = container_of(p, struct test_probe, kp);

	atomic_inc(&tp->pre);
	return 0;
}

NOKPROBE_SYMBOL(go_on_here);

/* A disabled mover changes nothing, and post handlers run again. */
static void mover_disabled(struct kunit *test)
{
	const struct test_target *t = test->param_value;
	struct test_probe *mover = test_probe_at(test, t->fn, 0);
	struct test_probe *after = test_probe_at(test, t->fn, WITH_PRE | WITH_POST);
	struct test_probe *same = test_probe_at(test, t->fn, 0);

	mover->kp.pre_handler = go_elsewhere;
	same->kp.pre_handler = go_on_here;
	KUNIT_ASSERT_EQ(test, register_kprobe(&mover->kp), 0);
	KUNIT_ASSERT_EQ(test, register_kprobe(&after->kp), 0);
	KUNIT_ASSERT_EQ(test, register_kprobe(&same->kp), 0);
	KUNIT_EXPECT_EQ(test, call_target(t->fn, 1), 1001);
	KUNIT_EXPECT_EQ(test, test_post_hits(after), 0);
	KUNIT_EXPECT_EQ(test, disable_kprobe(&mover->kp), 0);
	test_call(test, t->fn, 3);
	KUNIT_EXPECT_EQ(test, test_pre_hits(mover), 1);
	KUNIT_EXPECT_EQ(test, test_pre_hits(after), 4);
	KUNIT_EXPECT_EQ(test, test_post_hits(after), 3);
	KUNIT_EXPECT_EQ(test, test_pre_hits(same), 4);
}

#if defined(CONFIG_FUNCTION_ERROR_INJECTION) && defined(CONFIG_KRETPROBES)
#define OVERRIDDEN	42
#define NR_OVERRIDDEN	10

/* Kretprobes behind an override run if the architecture defines arch_kprobe_return_address. */
#ifdef arch_kprobe_return_address
#define NR_RETURNS	(2 * NR_OVERRIDDEN)
#else
#define NR_RETURNS	NR_OVERRIDDEN
#endif

static int override(struct kprobe *p, struct pt_regs *regs)
{
	regs_set_return_value(regs, OVERRIDDEN);
	override_function_with_return(regs);
	return 1;
}

NOKPROBE_SYMBOL(override);

/* Only the first override counts. */
static int override_again(struct kprobe *p, struct pt_regs *regs)
{
	regs_set_return_value(regs, OVERRIDDEN + 1);
	instruction_pointer_set(regs, (unsigned long)kprobe_test_elsewhere);
	return 1;
}

NOKPROBE_SYMBOL(override_again);

static atomic_t returns;

static int count_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	if (regs_return_value(regs) == OVERRIDDEN)
		atomic_inc(&returns);
	return 0;
}

NOKPROBE_SYMBOL(count_return);

static void observers_of_an_overridden_function(struct kunit *test)
{
	const struct test_target *t = test->param_value;
	struct kretprobe before = {
		.kp.addr = (kprobe_opcode_t *)t->fn,
		.handler = count_return,
	};
	struct kretprobe after = before;
	struct test_probe *first, *mover, *other, *last;
	int i;

	atomic_set(&returns, 0);
	first = test_probe_new(test, t->fn, WITH_PRE);
	KUNIT_ASSERT_EQ(test, register_kretprobe(&before), 0);
	mover = test_probe_at(test, t->fn, 0);
	mover->kp.pre_handler = override;
	other = test_probe_at(test, t->fn, 0);
	other->kp.pre_handler = override_again;
	KUNIT_EXPECT_EQ(test, register_kprobe(&mover->kp), 0);
	KUNIT_EXPECT_EQ(test, register_kprobe(&other->kp), 0);
	KUNIT_EXPECT_EQ(test, register_kretprobe(&after), 0);
	last = test_probe_new(test, t->fn, WITH_PRE);
	for (i = 0; i < NR_OVERRIDDEN; i++)
		KUNIT_EXPECT_EQ(test, call_target(t->fn, i), OVERRIDDEN);
	unregister_kretprobe(&after);
	unregister_kretprobe(&before);
	KUNIT_EXPECT_EQ(test, test_pre_hits(first), NR_OVERRIDDEN);
	KUNIT_EXPECT_EQ(test, test_pre_hits(last), NR_OVERRIDDEN);
	/* Elsewhere the result takes the register of the first argument. */
	if (IS_ENABLED(CONFIG_X86))
		KUNIT_EXPECT_EQ(test, last->arg, NR_OVERRIDDEN - 1);
	KUNIT_EXPECT_EQ(test, last->ip, first->ip);
	KUNIT_EXPECT_EQ(test, atomic_read(&returns), NR_RETURNS);
	KUNIT_EXPECT_EQ(test, before.nmissed + after.nmissed, 0);
}
#else
static void observers_of_an_overridden_function(struct kunit *test)
{
	kunit_skip(test, "functions cannot be overridden");
}
#endif

KUNIT_ARRAY_PARAM_DESC(target, test_targets, name);

static struct kunit_case listeners_cases[] = {
	KUNIT_CASE_PARAM(mixture, target_gen_params),
	KUNIT_CASE_PARAM(pre_handlers_run_in_order, target_gen_params),
	KUNIT_CASE_PARAM(leaving_in_any_order, target_gen_params),
	KUNIT_CASE_PARAM(one_disabled_of_two, target_gen_params),
	KUNIT_CASE_PARAM(moving_on_elsewhere, target_gen_params),
	KUNIT_CASE_PARAM(mover_disabled, target_gen_params),
	KUNIT_CASE_PARAM(observers_of_an_overridden_function, target_gen_params),
	{}
};

static struct kunit_suite listeners_suite = {
	.name = "kprobes_listeners",
	.test_cases = listeners_cases,
};

kunit_test_suite(listeners_suite);
