// SPDX-License-Identifier: GPL-2.0-only
/* Hits in NMIs that this CPU sends to itself, if the architecture can. */
#include <linux/kprobes.h>

#include "fprobes.h"
#include "jumps.h"
#include "nest.h"

static void nmi_myself(target_fn fn)
{
	test_call_in_nmi(fn, 7);
}

NOKPROBE_SYMBOL(nmi_myself);

static int nmi_suite_init(struct kunit *test)
{
	int err = test_nmi_begin();

	if (!err && !test_nmis_are_there())
		kunit_skip(test, "this boot has no NMIs");
	return err;
}

static void nmi_suite_exit(struct kunit *test)
{
	test_allow_jumps(true);
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
	KUNIT_EXPECT_EQ(test, test_nmi_result(), 8);
	KUNIT_EXPECT_EQ(test, test_pre_hits(tp), 20);
	KUNIT_EXPECT_EQ(test, test_post_hits(tp), 20);
	KUNIT_EXPECT_EQ(test, tp->kp.nmissed, 0);
}

/* NMIs that came while pre_with_nmi() ran, and whether it runs in a call of one. */
static int came_inside;
static bool in_the_call;

static unsigned long call_plain(unsigned long x)
{
	unsigned long result;

	in_the_call = true;
	result = kprobe_test_plain(x);
	in_the_call = false;
	return result;
}

NOKPROBE_SYMBOL(call_plain);

static int pre_with_nmi(struct kprobe *p, struct pt_regs *regs)
{
	struct test_probe *tp = container_of(p, struct test_probe, kp);
	int before = test_nmis_taken();

	atomic_inc(&tp->pre);
	if (in_the_call)
		return 0;
	nmi_myself(call_plain);
	came_inside += test_nmis_taken() - before;
	return 0;
}

NOKPROBE_SYMBOL(pre_with_nmi);

#ifdef CONFIG_OPTPROBES
static void expect_jump(struct kunit *test, void *addr)
{
	KUNIT_ASSERT_EQ(test, test_method_in_the_end(addr), SITE_JUMP);
}
#else
static void expect_jump(struct kunit *test, void *addr) { }
#endif

/*
 * Ten hits, in each of which an NMI is sent. The NMI hits the probe: inside of the first hit, or,
 * if NMIs are masked there, as soon as that is over.
 */
static void ten_with_nmis(struct kunit *test, target_fn fn, unsigned int handlers, bool jump,
			  bool masked)
{
	struct test_probe *outer = test_probe_at(test, fn, WITH_PRE | handlers), *inner = outer;
	int own = 10;

	if (fn != kprobe_test_plain)
		inner = test_probe_new(test, kprobe_test_plain, WITH_PRE | WITH_POST);
	else if (masked)
		own = 20;
	outer->kp.pre_handler = pre_with_nmi;
	test_allow_jumps(jump);
	KUNIT_ASSERT_EQ(test, register_kprobe(&outer->kp), 0);
	if (jump)
		expect_jump(test, outer->kp.addr);
	came_inside = 0;
	test_call(test, fn, 10);
	KUNIT_EXPECT_EQ(test, test_nmis_taken(), 10);
	KUNIT_EXPECT_EQ(test, came_inside, masked ? 0 : 10);
	KUNIT_EXPECT_EQ(test, test_nmi_result(), 8);
	KUNIT_EXPECT_EQ(test, test_pre_hits(outer), own);
	KUNIT_EXPECT_EQ(test, test_post_hits(outer), handlers & WITH_POST ? own : 0);
	KUNIT_EXPECT_EQ(test, inner->kp.nmissed, masked ? 0 : 10);
	if (inner != outer)
		KUNIT_EXPECT_EQ(test, test_pre_hits(inner), masked ? 10 : 0);
	KUNIT_EXPECT_FALSE(test, in_the_call);
}

static void nmi_in_a_handler(struct kunit *test)
{
	const struct test_target *t = test->param_value;

	/* The probe is a breakpoint, or planted through ftrace. */
	ten_with_nmis(test, t->fn, WITH_POST, false, arch_test_traps_mask_nmis);
}

/* A jump masks no exceptions, so the NMI comes at once. */
static void nmi_in_a_handler_of_a_jump(struct kunit *test)
{
	if (!IS_ENABLED(CONFIG_OPTPROBES))
		kunit_skip(test, "no jumps");
	ten_with_nmis(test, kprobe_test_plain, 0, true, false);
}

static void nmi_in_a_handler_of_a_jump_with_post(struct kunit *test)
{
	if (!IS_ENABLED(CONFIG_OPTPROBES))
		kunit_skip(test, "no jumps");
	ten_with_nmis(test, kprobe_test_plain, WITH_POST, true, false);
}

/* Handlers with KPROBE_FLAG_REENTRANT run, with all methods of the outer hit. */
static void nested_in_nmi(struct kunit *test)
{
	test_nest_hits(test, &nest_places[(unsigned long)test->param_value - 1], test_call_in_nmi);
}

static const void *gen_place(const void *prev, char *desc)
{
	unsigned long nr = (unsigned long)prev;

	if (nr == NEST_PLACES)
		return NULL;
	strscpy(desc, nest_places[nr].name, KUNIT_PARAM_DESC_SIZE);
	return (void *)(nr + 1);
}

/* The trap of the outer hit is entered like an NMI; it must not count as a context. */
static void nested_in_nmi_of_a_trap(struct kunit *test)
{
	struct nest *outer = test_nest_at(test, test_load_insn(), test_call_in_nmi, test_many[3]);
	struct nest *inner = test_nest_at(test, test_many[3], test_call_in_nmi, NULL);

	if (arch_test_traps_mask_nmis)
		kunit_skip(test, "traps mask NMIs");
	test_probe_new(test, test_load_insn(), WITH_PRE | WITH_POST);
	test_probe_new(test, test_many[3], WITH_PRE | WITH_POST);
	KUNIT_ASSERT_EQ(test, register_kprobe(&outer->tp.kp), 0);
	KUNIT_ASSERT_EQ(test, register_kprobe(&inner->tp.kp), 0);
	test_expect_breakpoint(test, test_load_insn());
	test_call(test, kprobe_test_load_one, 10);
	KUNIT_EXPECT_EQ(test, test_pre_hits(&inner->tp), 10);
	KUNIT_EXPECT_EQ(test, inner->tp.kp.nmissed, 0);

	/* A call by the handler is in its context, with or without a trap. */
	outer->call = call_target;
	test_call(test, kprobe_test_load_one, 10);
	KUNIT_EXPECT_EQ(test, test_pre_hits(&inner->tp), 10);
	KUNIT_EXPECT_EQ(test, inner->tp.kp.nmissed, 10);
	KUNIT_EXPECT_EQ(test, outer->wrong + inner->wrong, 0);
}

/* A task, an interrupt and an NMI, each with a handler that is interrupted by the next. */
static void three_deep(struct kunit *test)
{
	struct nest *task = test_nest_at(test, test_many[1], test_irq_now, test_many[3]);
	struct nest *irq = test_nest_at(test, test_many[3], test_call_in_nmi, test_many[5]);
	struct nest *nmi = test_nest_at(test, test_many[5], test_call_in_nmi, NULL);

	KUNIT_ASSERT_EQ(test, register_kprobe(&task->tp.kp), 0);
	test_nest_jump(test, test_many[1]);
	KUNIT_ASSERT_EQ(test, register_kprobe(&irq->tp.kp), 0);
	test_nest_jump(test, test_many[3]);
	KUNIT_ASSERT_EQ(test, register_kprobe(&nmi->tp.kp), 0);
	test_call(test, test_many[1], 10);
	KUNIT_EXPECT_EQ(test, test_pre_hits(&task->tp), 10);
	KUNIT_EXPECT_EQ(test, test_pre_hits(&irq->tp), 10);
	KUNIT_EXPECT_EQ(test, test_pre_hits(&nmi->tp), 10);
	KUNIT_EXPECT_EQ(test, task->tp.kp.nmissed + irq->tp.kp.nmissed + nmi->tp.kp.nmissed, 0);
	KUNIT_EXPECT_EQ(test, task->wrong + irq->wrong + nmi->wrong, 0);
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
	KUNIT_EXPECT_EQ(test, test_nmi_result(), 8);
	test_fprobe_expect(test, tf, 20, 20, 0);
	test_fprobe_expect(test, entry, 20, 0, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&tf->in_nmi), 20);
}

static unsigned long nmi_here(unsigned long x)
{
	nmi_myself(fprobe_test_two);
	return x;
}

/* Functions that an NMI calls do not count as called by the handler. */
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
 * A pool does not grow in an NMI: calls find a free node, or are counted as missed. No node
 * is lost when they return.
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
	KUNIT_EXPECT_EQ(test, test_nmi_result(), 8);
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
	KUNIT_CASE(nmi_in_a_handler_of_a_jump),
	KUNIT_CASE(nmi_in_a_handler_of_a_jump_with_post),
	KUNIT_CASE_PARAM(nested_in_nmi, gen_place),
	KUNIT_CASE(nested_in_nmi_of_a_trap),
	KUNIT_CASE(three_deep),
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
