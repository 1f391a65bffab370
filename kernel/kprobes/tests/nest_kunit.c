// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hits in an interrupt that came while a handler ran. They are missed for kprobes without
 * KPROBE_FLAG_REENTRANT. Hits in the context of a handler are missed for all.
 */
#include <linux/interrupt.h>
#include <linux/irq_work.h>
#include <linux/irqflags.h>
#include <linux/kprobe_context.h>
#include <linux/kprobes.h>

#include "jumps.h"
#include "nest.h"

#define CALLS	10

/* Indices in test_many. Functions with an even index are traced. */
const struct nest_place nest_places[NEST_PLACES] = {
	{ "ftrace in ftrace", 0, 2 },
	{ "jump in ftrace", 0, 3 },
	{ "breakpoint in ftrace", 0, 3, .breakpoint = true },
	{ "ftrace in jump", 1, 2 },
	{ "jump in jump", 1, 3 },
	{ "breakpoint in jump", 1, 3, .breakpoint = true },
};

static const void *gen_place(const void *prev, char *desc)
{
	const struct nest_place *pl = prev ? (const struct nest_place *)prev + 1 : nest_places;

	if (pl == nest_places + NEST_PLACES)
		return NULL;
	strscpy(desc, pl->name, KUNIT_PARAM_DESC_SIZE);
	return pl;
}

/* Not locked: there is one at a time. */
static struct {
	struct irq_work work;
	target_fn fn;
	unsigned long x;
	unsigned long result;
	bool done;
} irq_now;

static void irq_now_runs(struct irq_work *work)
{
	irq_now.result = irq_now.fn(irq_now.x);
	WRITE_ONCE(irq_now.done, true);
}

NOKPROBE_SYMBOL(irq_now_runs);

/* An interrupt is taken in less time on all machines. */
#define IRQ_PATIENCE	100000000

/* fn(x), in an interrupt of this CPU while the caller waits; x if none can come. */
unsigned long test_irq_now(target_fn fn, unsigned long x)
{
	int spin = 0;

	if (irqs_disabled())
		return x;
	irq_now.work = IRQ_WORK_INIT_HARD(irq_now_runs);
	irq_now.fn = fn;
	irq_now.x = x;
	irq_now.result = x;
	WRITE_ONCE(irq_now.done, false);
	irq_work_queue(&irq_now.work);
	while (!READ_ONCE(irq_now.done) && spin++ < IRQ_PATIENCE)
		cpu_relax();
	return irq_now.result;
}

NOKPROBE_SYMBOL(test_irq_now);

/* In a soft interrupt. Not locked, as above. */
static struct {
	struct tasklet_struct tasklet;
	target_fn fn;
	unsigned long x;
	unsigned long result;
} softirq_now;

static void softirq_now_runs(struct tasklet_struct *t)
{
	softirq_now.result = softirq_now.fn(softirq_now.x);
}

NOKPROBE_SYMBOL(softirq_now_runs);

/* fn(x), in a soft interrupt of this CPU while the caller waits; x if none can come. */
static unsigned long test_softirq_now(target_fn fn, unsigned long x)
{
	if (irqs_disabled() || in_interrupt())
		return x;
	softirq_now.fn = fn;
	softirq_now.x = x;
	softirq_now.result = x;
	local_bh_disable();
	tasklet_hi_schedule(&softirq_now.tasklet);
	local_bh_enable();
	return softirq_now.result;
}

NOKPROBE_SYMBOL(test_softirq_now);

static int nest_pre(struct kprobe *p, struct pt_regs *regs)
{
	struct nest *n = container_of(p, struct nest, tp.kp);
	struct kprobe *running = kprobe_running();

	atomic_inc(&n->tp.pre);
	if (n->fn && n->call(n->fn, 7) != 8)
		n->wrong++;
	if (!running || kprobe_running() != running || running->addr != p->addr)
		n->wrong++;
	return 0;
}

NOKPROBE_SYMBOL(nest_pre);

static void nest_gone(void *kp)
{
	unregister_kprobe(kp);
}

/**
 * test_nest_at - a probe whose handler makes a call
 * @test: the probe is unregistered at its end
 * @at: the instruction or function to probe
 * @call: makes the call, in another context
 * @fn: the function that is called; NULL: no call
 *
 * Return: the probe, not registered; may be nested.
 */
struct nest *test_nest_at(struct kunit *test, void *at, nest_call call, target_fn fn)
{
	struct nest *n = kunit_kzalloc(test, sizeof(*n), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, n);
	n->tp.kp.addr = at;
	n->tp.kp.pre_handler = nest_pre;
	n->tp.kp.flags = KPROBE_FLAG_REENTRANT;
	n->call = call;
	n->fn = fn;
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, nest_gone, &n->tp.kp));
	return n;
}

#if defined(CONFIG_OPTPROBES) && defined(KPROBE_MAX_NESTING)
static int nest_contexts(void)
{
	return KPROBE_MAX_CONTEXTS;
}

/* Its handler runs in the context of the probed code, with interrupts on. */
void test_nest_jump(struct kunit *test, target_fn at)
{
	void *addr = (void *)test_entry_of(at);
	enum site_method method;

	method = test_method_in_the_end(addr);
	KUNIT_ASSERT_TRUE(test, method == SITE_JUMP || method == SITE_FTRACE);
}

void test_expect_breakpoint(struct kunit *test, void *addr)
{
	KUNIT_ASSERT_EQ(test, test_method_in_the_end(addr), SITE_BREAKPOINT);
}
#else
static int nest_contexts(void)
{
	return 0;
}

void test_nest_jump(struct kunit *test, target_fn at)
{
	kunit_skip(test, "all hits trap, or do not nest");
}

void test_expect_breakpoint(struct kunit *test, void *addr) { }
#endif

/* The inner probe is planted as the place says. */
static void expect_inner(struct kunit *test, const struct nest_place *pl, void *addr)
{
	if (pl->breakpoint)
		test_expect_breakpoint(test, addr);
	else
		test_nest_jump(test, test_many[pl->inner]);
}

/* CALLS hits of the outer one, in each of which the inner ones are hit in another context. */
void test_nest_hits(struct kunit *test, const struct nest_place *pl, nest_call call)
{
	target_fn at = test_many[pl->outer];
	target_fn fn = pl->breakpoint ? kprobe_test_load_one : test_many[pl->inner];
	void *addr = pl->breakpoint ? test_load_insn() : (void *)fn;
	struct nest *outer = test_nest_at(test, at, call, fn);
	struct nest *inner = test_nest_at(test, addr, call, NULL);
	struct test_probe *other;

	/* The outer probe need not be nestable. */
	outer->tp.kp.flags = 0;
	KUNIT_ASSERT_EQ(test, register_kprobe(&outer->tp.kp), 0);
	test_nest_jump(test, at);
	KUNIT_ASSERT_EQ(test, register_kprobe(&inner->tp.kp), 0);
	other = test_probe_new(test, addr, WITH_PRE | (pl->breakpoint ? WITH_POST : 0));
	expect_inner(test, pl, addr);

	test_call(test, at, CALLS);
	KUNIT_EXPECT_EQ(test, outer->wrong + inner->wrong, 0);
	KUNIT_EXPECT_EQ(test, test_pre_hits(&outer->tp), CALLS);
	KUNIT_EXPECT_EQ(test, test_pre_hits(&inner->tp), CALLS);
	KUNIT_EXPECT_EQ(test, inner->tp.kp.nmissed, 0);
	KUNIT_EXPECT_EQ(test, test_pre_hits(other), 0);
	KUNIT_EXPECT_EQ(test, other->kp.nmissed, CALLS);

	/* Later hits are normal again. */
	test_call(test, fn, CALLS);
	KUNIT_EXPECT_EQ(test, test_pre_hits(&inner->tp), 2 * CALLS);
	KUNIT_EXPECT_EQ(test, test_pre_hits(other), CALLS);
	KUNIT_EXPECT_EQ(test, test_post_hits(other), pl->breakpoint ? CALLS : 0);
	expect_inner(test, pl, addr);
}

static void in_an_interrupt(struct kunit *test)
{
	test_nest_hits(test, test->param_value, test_irq_now);
}

/* On PREEMPT_RT they run in a task, and not while a handler does. */
static void in_a_soft_interrupt(struct kunit *test)
{
	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		kunit_skip(test, "soft interrupts are tasks");
	tasklet_setup(&softirq_now.tasklet, softirq_now_runs);
	test_nest_hits(test, test->param_value, test_softirq_now);
	tasklet_kill(&softirq_now.tasklet);
}

static unsigned long call_here(target_fn fn, unsigned long x)
{
	return call_target(fn, x);
}

NOKPROBE_SYMBOL(call_here);

/* Recursion, in a task and in an interrupt: each is missed. */
static void in_the_same_context(struct kunit *test)
{
	struct nest *outer = test_nest_at(test, test_many[1], test_irq_now, test_many[3]);
	struct nest *middle = test_nest_at(test, test_many[3], call_here, test_many[5]);
	struct nest *inner = test_nest_at(test, test_many[5], call_here, NULL);

	KUNIT_ASSERT_EQ(test, register_kprobe(&outer->tp.kp), 0);
	test_nest_jump(test, test_many[1]);
	KUNIT_ASSERT_EQ(test, register_kprobe(&middle->tp.kp), 0);
	KUNIT_ASSERT_EQ(test, register_kprobe(&inner->tp.kp), 0);
	test_call(test, test_many[3], CALLS);
	KUNIT_EXPECT_EQ(test, inner->tp.kp.nmissed, CALLS);
	test_call(test, test_many[1], CALLS);
	KUNIT_EXPECT_EQ(test, test_pre_hits(&outer->tp), CALLS);
	KUNIT_EXPECT_EQ(test, test_pre_hits(&middle->tp), 2 * CALLS);
	KUNIT_EXPECT_EQ(test, middle->tp.kp.nmissed, 0);
	KUNIT_EXPECT_EQ(test, test_pre_hits(&inner->tp), 0);
	KUNIT_EXPECT_EQ(test, inner->tp.kp.nmissed, 2 * CALLS);
	KUNIT_EXPECT_EQ(test, outer->wrong + middle->wrong, 0);
}

/* Like an exception that is entered like an interrupt. */
static unsigned long as_if_in_irq(target_fn fn, unsigned long x)
{
	unsigned long result;

	__preempt_count_add(HARDIRQ_OFFSET);
	result = call_target(fn, x);
	__preempt_count_sub(HARDIRQ_OFFSET);
	return result;
}

NOKPROBE_SYMBOL(as_if_in_irq);

/* Each handler hits its own probe in another context. KPROBE_MAX_CONTEXTS ends that. */
static void without_end(struct kunit *test)
{
	struct nest *n = test_nest_at(test, test_many[1], as_if_in_irq, test_many[1]);

	KUNIT_ASSERT_EQ(test, register_kprobe(&n->tp.kp), 0);
	test_nest_jump(test, test_many[1]);
	test_call(test, test_many[1], 1);
	KUNIT_EXPECT_EQ(test, test_pre_hits(&n->tp), nest_contexts());
	KUNIT_EXPECT_EQ(test, n->tp.kp.nmissed, 1);
	KUNIT_EXPECT_EQ(test, n->wrong, 0);
}

#ifdef CONFIG_KRETPROBES
static atomic_t nest_returns;

static int nest_returned(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	if (regs_return_value(regs) == 8)
		atomic_inc(&nest_returns);
	return 0;
}

NOKPROBE_SYMBOL(nest_returned);

static void returns_in_an_interrupt(struct kunit *test)
{
	const struct nest_place *pl = test->param_value;
	target_fn at = test_many[pl->outer], fn = test_many[pl->inner];
	struct nest *outer = test_nest_at(test, at, test_irq_now, fn);
	struct kretprobe may = {
		.kp.addr = (kprobe_opcode_t *)fn,
		.kp.flags = KPROBE_FLAG_REENTRANT,
		.handler = nest_returned,
	};

	atomic_set(&nest_returns, 0);
	KUNIT_ASSERT_EQ(test, register_kprobe(&outer->tp.kp), 0);
	test_nest_jump(test, at);
	KUNIT_ASSERT_EQ(test, register_kretprobe(&may), 0);
	test_call(test, at, CALLS);
	unregister_kretprobe(&may);
	KUNIT_EXPECT_EQ(test, test_pre_hits(&outer->tp), CALLS);
	KUNIT_EXPECT_EQ(test, atomic_read(&nest_returns), CALLS);
	KUNIT_EXPECT_EQ(test, may.kp.nmissed, 0);
	KUNIT_EXPECT_EQ(test, may.nmissed, 0);
	KUNIT_EXPECT_EQ(test, outer->wrong, 0);
}
#else
static void returns_in_an_interrupt(struct kunit *test)
{
	kunit_skip(test, "no kretprobes");
}
#endif

/* A hit inside a hit cannot run post handlers. */
static void with_a_post_handler(struct kunit *test)
{
	struct test_probe *tp = test_probe_at(test, test_many[1], WITH_PRE | WITH_POST);

	tp->kp.flags = KPROBE_FLAG_REENTRANT;
	KUNIT_EXPECT_EQ(test, register_kprobe(&tp->kp), -EINVAL);
	tp->kp.flags = 0;
	KUNIT_EXPECT_EQ(test, register_kprobe(&tp->kp), 0);
}

/* kprobe_context is reset after each hit, on all CPUs. */
static void no_context_is_left(struct kunit *test)
{
	struct nest *nest = test_nest_at(test, test_many[1], call_here, NULL);
	unsigned int cpu;

	KUNIT_ASSERT_EQ(test, register_kprobe(&nest->tp.kp), 0);
	test_call(test, test_many[1], CALLS);
	KUNIT_EXPECT_EQ(test, test_pre_hits(&nest->tp), CALLS);
	for_each_possible_cpu(cpu) {
		KUNIT_EXPECT_EQ(test, per_cpu(kprobe_context, cpu), KPROBE_NO_CONTEXT);
		KUNIT_EXPECT_PTR_EQ(test, per_cpu(current_kprobe, cpu), (struct kprobe *)NULL);
	}
}

static struct kunit_case nest_cases[] = {
	KUNIT_CASE_PARAM(in_an_interrupt, gen_place),
	KUNIT_CASE_PARAM(in_a_soft_interrupt, gen_place),
	KUNIT_CASE(in_the_same_context),
	KUNIT_CASE(without_end),
	KUNIT_CASE_PARAM(returns_in_an_interrupt, gen_place),
	KUNIT_CASE(with_a_post_handler),
	KUNIT_CASE(no_context_is_left),
	{}
};

static struct kunit_suite nest_suite = {
	.name = "kprobes_nest",
	.test_cases = nest_cases,
};

kunit_test_suite(nest_suite);
