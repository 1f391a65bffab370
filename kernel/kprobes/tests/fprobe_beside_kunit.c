// SPDX-License-Identifier: GPL-2.0-only
/* Fprobes beside other probes: their order, and handlers that run within handlers. */
#include <linux/fprobe.h>
#include <linux/kprobes.h>

#include "fprobes.h"

static void order(struct kunit *test)
{
	struct test_fprobe *a = test_fprobe_at(test, fprobe_test_one, WITH_ALL);
	struct test_fprobe *b = test_fprobe_at(test, fprobe_test_one, WITH_ALL);
	struct test_fprobe *c = test_fprobe_at(test, fprobe_test_one, WITH_ALL);

	test_call(test, fprobe_test_one, 1);
	KUNIT_EXPECT_LT(test, c->when_entry, b->when_entry);
	KUNIT_EXPECT_LT(test, b->when_entry, a->when_entry);
	KUNIT_EXPECT_LT(test, a->when_entry, a->when_exit);
	KUNIT_EXPECT_LT(test, a->when_exit, b->when_exit);
	KUNIT_EXPECT_LT(test, b->when_exit, c->when_exit);

	KUNIT_EXPECT_EQ(test, unregister_fprobe(&b->fp), 0);
	test_call(test, fprobe_test_one, 1);
	test_fprobe_expect(test, a, 2, 2, 0);
	test_fprobe_expect(test, b, 1, 1, 0);
	test_fprobe_expect(test, c, 2, 2, 0);
	KUNIT_EXPECT_LT(test, c->when_entry, a->when_entry);
	KUNIT_EXPECT_LT(test, a->when_exit, c->when_exit);
}

#ifdef CONFIG_KRETPROBES
/**
 * struct test_return - a kretprobe that counts, beside fprobes
 * @rp:		the kretprobe
 * @returns:	runs of its handler
 * @when:	order of the last run among handlers of fprobes
 * @calls:	called by the handler, unless NULL
 */
struct test_return {
	struct kretprobe rp;
	int returns;
	int when;
	target_fn calls;
};

static int note_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct test_return *tr = container_of(get_kretprobe(ri), struct test_return, rp);

	tr->returns++;
	tr->when = test_fprobe_now();
	if (tr->calls)
		tr->calls(7);
	return 0;
}

NOKPROBE_SYMBOL(note_return);

/* Beside kprobes, kretprobes and another ftrace_ops. */
static void beside_kprobes(struct kunit *test)
{
	struct test_return tr = {
		.rp.kp.addr = (kprobe_opcode_t *)fprobe_test_one,
		.rp.handler = note_return,
	};
	struct test_fprobe *first = test_fprobe_at(test, fprobe_test_one, WITH_ALL);
	struct test_probe *tp = test_probe_new(test, fprobe_test_one, WITH_PRE);
	struct test_fprobe *entry, *last;

	KUNIT_ASSERT_EQ(test, register_kretprobe(&tr.rp), 0);
	entry = test_fprobe_at(test, fprobe_test_one, WITH_ENTRY);
	last = test_fprobe_at(test, fprobe_test_one, WITH_ALL);

	test_call(test, fprobe_test_one, 10);
	KUNIT_EXPECT_EQ(test, tr.returns, 10);
	KUNIT_EXPECT_EQ(test, test_pre_hits(tp), 10);
	test_fprobe_expect(test, first, 10, 10, 0);
	test_fprobe_expect(test, entry, 10, 0, 0);
	test_fprobe_expect(test, last, 10, 10, 0);
	/* Returns are in reverse order. If not planted through ftrace, kprobes are hit first. */
	if (IS_ENABLED(CONFIG_KPROBES_ON_FTRACE))
		KUNIT_EXPECT_LT(test, tr.when, first->when_exit);
	else
		KUNIT_EXPECT_GT(test, tr.when, last->when_exit);
	KUNIT_EXPECT_LT(test, first->when_exit, last->when_exit);

	KUNIT_EXPECT_EQ(test, unregister_fprobe(&first->fp), 0);
	unregister_kretprobe(&tr.rp);
	test_call(test, fprobe_test_one, 10);
	KUNIT_EXPECT_EQ(test, tr.returns, 10);
	KUNIT_EXPECT_EQ(test, tr.rp.nmissed, 0);
	KUNIT_EXPECT_EQ(test, test_pre_hits(tp), 20);
	test_fprobe_expect(test, first, 10, 10, 0);
	test_fprobe_expect(test, last, 20, 20, 0);
}
#else
static void beside_kprobes(struct kunit *test)
{
	kunit_skip(test, "no kretprobes");
}
#endif

/* Hits inside handlers */

/* Functions that a handler calls are not reported to other handlers. */
static void handlers_call_what_is_hooked(struct kunit *test)
{
	struct test_fprobe *outer = test_fprobe_make(test, WITH_ALL);
	struct test_fprobe *entry = test_fprobe_at(test, fprobe_test_two, WITH_ENTRY);
	struct test_fprobe *both = test_fprobe_at(test, fprobe_test_two, WITH_ALL);
	struct test_fprobe *off = test_fprobe_at(test, fprobe_test_two, WITH_ALL);

	disable_fprobe(&off->fp);
	outer->in_entry = fprobe_test_two;
	KUNIT_ASSERT_EQ(test, register_fprobe(&outer->fp, "fprobe_test_one", NULL), 0);
	test_call(test, fprobe_test_one, 5);
	test_fprobe_expect(test, outer, 5, 5, 0);
	test_fprobe_expect(test, entry, 0, 0, 5);
	test_fprobe_expect(test, both, 0, 0, 5);

	outer->in_exit = fprobe_test_two;
	test_call(test, fprobe_test_one, 5);
	test_fprobe_expect(test, outer, 10, 10, 0);
	test_fprobe_expect(test, entry, 0, 0, 15);
	test_fprobe_expect(test, both, 0, 0, 15);
	test_fprobe_expect(test, off, 0, 0, 0);

	/* Outside of a handler the call is reported. */
	test_call(test, fprobe_test_two, 1);
	test_fprobe_expect(test, entry, 1, 0, 15);
	test_fprobe_expect(test, both, 1, 1, 15);
}

static void handlers_call_the_same_function(struct kunit *test)
{
	struct test_fprobe *tf = test_fprobe_make(test, WITH_ALL);

	tf->in_entry = fprobe_test_one;
	tf->in_exit = fprobe_test_one;
	KUNIT_ASSERT_EQ(test, register_fprobe(&tf->fp, "fprobe_test_one", NULL), 0);
	test_call(test, fprobe_test_one, 5);
	test_fprobe_expect(test, tf, 5, 5, 10);
}

/* With kprobes */

static int pre_calls(struct kprobe *p, struct pt_regs *regs)
{
	fprobe_test_one(1);
	return 0;
}

NOKPROBE_SYMBOL(pre_calls);

/* A kprobe's handler calls a hooked function: only fprobes that are not shared see it. */
static void called_by_a_kprobe(struct kunit *test)
{
	const struct test_target *t = test->param_value;
	struct kprobe kp = {
		.addr = (kprobe_opcode_t *)t->fn,
		.pre_handler = pre_calls,
	};
	struct test_fprobe *shared = test_fprobe_make(test, WITH_ALL);
	struct test_fprobe *shared_entry = test_fprobe_make(test, WITH_ENTRY);
	struct test_fprobe *other = test_fprobe_at(test, fprobe_test_one, WITH_ALL);

	shared->fp.flags = FPROBE_FL_KPROBE_SHARED;
	shared_entry->fp.flags = FPROBE_FL_KPROBE_SHARED;
	KUNIT_EXPECT_TRUE(test, fprobe_shared_with_kprobes(&shared->fp));
	KUNIT_EXPECT_FALSE(test, fprobe_shared_with_kprobes(&other->fp));
	KUNIT_ASSERT_EQ(test, register_fprobe(&shared->fp, "fprobe_test_one", NULL), 0);
	KUNIT_ASSERT_EQ(test, register_fprobe(&shared_entry->fp, "fprobe_test_one", NULL), 0);

	KUNIT_ASSERT_EQ(test, register_kprobe(&kp), 0);
	test_call(test, t->fn, 5);
	unregister_kprobe(&kp);
	test_fprobe_expect(test, shared, 0, 0, 5);
	test_fprobe_expect(test, shared_entry, 0, 0, 5);
	test_fprobe_expect(test, other, 5, 5, 0);
	KUNIT_EXPECT_EQ(test, kp.nmissed, 0);

	test_call(test, fprobe_test_one, 2);
	test_fprobe_expect(test, shared, 2, 2, 5);
	test_fprobe_expect(test, shared_entry, 2, 0, 5);

	/* A disabled fprobe does not count misses. */
	disable_fprobe(&shared->fp);
	kprobe_busy_begin();
	fprobe_test_one(1);
	kprobe_busy_end();
	test_fprobe_expect(test, shared, 2, 2, 5);
	test_fprobe_expect(test, shared_entry, 2, 0, 6);
}

/* A kprobe is hit between entry and exit, where a shared fprobe may want to run. */
static noinline __noclone unsigned long busy_at_exit(unsigned long x)
{
	kprobe_busy_begin();
	return x + 1;
}

static void returns_to_a_kprobe(struct kunit *test)
{
	struct test_fprobe *tf = test_fprobe_make(test, WITH_ALL);
	unsigned long addr = fprobe_test_address(busy_at_exit), result;

	tf->fp.flags = FPROBE_FL_KPROBE_SHARED;
	KUNIT_ASSERT_EQ(test, register_fprobe_ips(&tf->fp, &addr, 1), 0);
	result = busy_at_exit(1);
	kprobe_busy_end();
	KUNIT_EXPECT_EQ(test, result, 2);
	test_fprobe_expect(test, tf, 1, 0, 1);
}

static bool in_kprobe(void)
{
	guard(preempt)();
	return kprobe_running();
}

/* A handler hits a kprobe. */
static void calls_a_kprobe(struct kunit *test)
{
	const struct test_target *t = test->param_value;
	struct test_probe *tp = test_probe_new(test, t->fn, WITH_PRE | WITH_POST);
	struct test_fprobe *tf = test_fprobe_make(test, WITH_ALL);
	struct test_fprobe *other = test_fprobe_make(test, WITH_ALL);

	tf->fp.flags = FPROBE_FL_KPROBE_SHARED;
	tf->in_entry = t->fn;
	KUNIT_ASSERT_EQ(test, register_fprobe(&tf->fp, "fprobe_test_one", NULL), 0);
	test_call(test, fprobe_test_one, 5);
	KUNIT_EXPECT_EQ(test, tp->kp.nmissed, 5);
	tf->in_entry = NULL;
	tf->in_exit = t->fn;
	test_call(test, fprobe_test_one, 5);
	KUNIT_EXPECT_EQ(test, tp->kp.nmissed, 10);
	KUNIT_EXPECT_EQ(test, test_pre_hits(tp), 0);
	test_fprobe_expect(test, tf, 10, 10, 0);
	KUNIT_EXPECT_FALSE(test, in_kprobe());

	other->in_entry = t->fn;
	other->in_exit = t->fn;
	KUNIT_ASSERT_EQ(test, register_fprobe(&other->fp, "fprobe_test_two", NULL), 0);
	test_call(test, fprobe_test_two, 5);
	test_fprobe_expect(test, other, 5, 5, 0);
	KUNIT_EXPECT_EQ(test, tp->kp.nmissed, 10);
	KUNIT_EXPECT_EQ(test, test_pre_hits(tp), 10);
	KUNIT_EXPECT_EQ(test, test_post_hits(tp), 10);
}

#ifdef CONFIG_KRETPROBES
static void called_by_a_kretprobe(struct kunit *test)
{
	const struct test_target *t = test->param_value;
	struct test_return tr = {
		.rp.kp.addr = (kprobe_opcode_t *)t->fn,
		.rp.handler = note_return,
		.calls = fprobe_test_one,
	};
	struct test_fprobe *other = test_fprobe_at(test, fprobe_test_one, WITH_ALL);
	struct test_fprobe *shared = test_fprobe_make(test, WITH_ALL);

	shared->fp.flags = FPROBE_FL_KPROBE_SHARED;
	KUNIT_ASSERT_EQ(test, register_fprobe(&shared->fp, "fprobe_test_one", NULL), 0);
	KUNIT_ASSERT_EQ(test, register_kretprobe(&tr.rp), 0);
	test_call(test, t->fn, 5);
	unregister_kretprobe(&tr.rp);
	KUNIT_EXPECT_EQ(test, tr.returns, 5);
	test_fprobe_expect(test, shared, 0, 0, 5);
	test_fprobe_expect(test, other, 5, 5, 0);
}
#else
static void called_by_a_kretprobe(struct kunit *test)
{
	kunit_skip(test, "no kretprobes");
}
#endif

KUNIT_ARRAY_PARAM_DESC(target, test_targets, name);

static struct kunit_case beside_cases[] = {
	KUNIT_CASE(order),
	KUNIT_CASE(beside_kprobes),
	KUNIT_CASE(handlers_call_what_is_hooked),
	KUNIT_CASE(handlers_call_the_same_function),
	KUNIT_CASE_PARAM(called_by_a_kprobe, target_gen_params),
	KUNIT_CASE(returns_to_a_kprobe),
	KUNIT_CASE_PARAM(calls_a_kprobe, target_gen_params),
	KUNIT_CASE_PARAM(called_by_a_kretprobe, target_gen_params),
	{}
};

static struct kunit_suite beside_suite = {
	.name = "kprobes_fprobe_beside",
	.test_cases = beside_cases,
};

kunit_test_suite(beside_suite);
