// SPDX-License-Identifier: GPL-2.0-only
/*
 * Jumps in place of breakpoints: when a site becomes a jump and when it becomes a breakpoint
 * again, that hits are the same, and that the text is restored in the end.
 */
#include <linux/error-injection.h>
#include <linux/kallsyms.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "jumps.h"

static void becomes_a_jump(struct kunit *test)
{
	struct jump_place *pl = test_jump_place(test);
	struct test_probe *tp = test_probe_new(test, pl->at, WITH_PRE);

	if (ARCH_KPROBE_JUMP_IN_PLACE)
		KUNIT_EXPECT_EQ(test, test_method_at(pl->at), SITE_JUMP);
	KUNIT_EXPECT_EQ(test, test_method_in_the_end(pl->at), SITE_JUMP);
	test_call(test, kprobe_test_plain, 1000);
	test_expect_hits(test, tp, 1000, 0);
	if (IS_ENABLED(CONFIG_HAVE_FUNCTION_ARG_ACCESS_API))
		KUNIT_EXPECT_EQ(test, tp->arg, 999);
	unregister_kprobe(&tp->kp);
	test_expect_untouched(test, pl);
	test_call(test, kprobe_test_plain, 10);
	KUNIT_EXPECT_EQ(test, test_pre_hits(tp), 1000);
}

static kprobe_opcode_t *detour_at(void *addr)
{
	struct kprobe_site *site;

	guard(mutex)(&kprobe_mutex);
	site = site_lookup((unsigned long)addr);
	return site ? site->op.optinsn.insn : NULL;
}

/* Profiles and stack traces need a symbol for detours. */
static void detour_has_a_name(struct kunit *test)
{
	const char *name = ARCH_KPROBE_JUMP_IN_PLACE ? "kprobe_insn_page" : "kprobe_optinsn_page";
	struct jump_place *pl = test_jump_place(test);
	struct test_probe *tp = test_probe_new(test, pl->at, WITH_PRE);
	unsigned long detour;

	KUNIT_ASSERT_EQ(test, test_method_in_the_end(pl->at), SITE_JUMP);
	detour = (unsigned long)detour_at(pl->at);
	KUNIT_EXPECT_TRUE(test, test_page_is_named(detour & PAGE_MASK, name));
	KUNIT_EXPECT_TRUE(test, __kernel_text_address(detour));
	unregister_kprobe(&tp->kp);
}

/* No hit is lost while a breakpoint becomes a jump, and back. */
static void hits_all_the_way(struct kunit *test)
{
	struct jump_place *pl = test_jump_place(test);
	struct test_probe *tp = test_probe_new(test, pl->at, WITH_PRE);
	unsigned int jumps = 0, i = 0;
	struct callers *c;

	c = callers_start(test, kprobe_test_plain, 2 * num_online_cpus());
	while (callers_busy(c) || i++ < 3) {
		jumps += test_method_in_the_end(pl->at) == SITE_JUMP;
		test_allow_jumps(false);
		test_allow_jumps(true);
	}
	callers_wait(c);
	KUNIT_EXPECT_GT(test, jumps, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&c->wrong), 0);
	test_expect_hits(test, tp, c->nr * CALLS_EACH, 0);
	unregister_kprobe(&tp->kp);
	test_expect_untouched(test, pl);
}

static void planted_and_uprooted_under_hits(struct kunit *test)
{
	struct jump_place *pl = test_jump_place(test);
	struct test_probe *tp = test_probe_at(test, pl->at, WITH_PRE);
	struct callers *c;
	unsigned int i = 0;

	c = callers_start(test, kprobe_test_plain, 2 * num_online_cpus());
	while (callers_busy(c) || i < 6) {
		KUNIT_EXPECT_EQ(test, register_kprobe(&tp->kp), 0);
		/* Unregister it at different stages. */
		if (i++ % 3)
			wait_for_kprobe_optimizer();
		unregister_kprobe(&tp->kp);
	}
	callers_wait(c);
	KUNIT_EXPECT_EQ(test, atomic_read(&c->wrong), 0);
	KUNIT_EXPECT_EQ(test, tp->kp.nmissed, 0);
	wait_for_kprobe_optimizer();
	test_expect_untouched(test, pl);
}

static void gone_before_it_is_a_jump(struct kunit *test)
{
	struct jump_place *pl = test_jump_place(test);
	struct test_probe *tp = test_probe_at(test, pl->at, WITH_PRE);
	int i;

	for (i = 0; i < 50; i++) {
		KUNIT_EXPECT_EQ(test, register_kprobe(&tp->kp), 0);
		test_call(test, kprobe_test_plain, 1);
		unregister_kprobe(&tp->kp);
	}
	KUNIT_EXPECT_EQ(test, test_method_in_the_end(pl->at), SITE_UNPLANTED);
	test_expect_untouched(test, pl);
	KUNIT_EXPECT_EQ(test, test_pre_hits(tp), 50);
}

/* The jump stays and runs the post handler. */
static void post_handler_joins(struct kunit *test)
{
	struct jump_place *pl = test_jump_place(test);
	struct test_probe *tp = test_probe_new(test, pl->at, WITH_PRE);
	struct test_probe *post = test_probe_at(test, pl->at, WITH_PRE | WITH_POST);

	KUNIT_EXPECT_EQ(test, test_method_in_the_end(pl->at), SITE_JUMP);
	KUNIT_ASSERT_EQ(test, register_kprobe(&post->kp), 0);
	KUNIT_EXPECT_EQ(test, test_method_at(pl->at), SITE_JUMP);
	test_call(test, kprobe_test_plain, 10);
	test_expect_hits(test, tp, 10, 0);
	test_expect_hits(test, post, 10, 10);
	KUNIT_EXPECT_LT(test, post->when_pre, post->when_post);
	unregister_kprobe(&post->kp);
	KUNIT_EXPECT_EQ(test, test_method_at(pl->at), SITE_JUMP);
	test_call(test, kprobe_test_plain, 10);
	test_expect_hits(test, tp, 20, 0);
	test_expect_hits(test, post, 10, 10);
}

static void post_handler_joins_early(struct kunit *test)
{
	struct jump_place *pl = test_jump_place(test);
	struct test_probe *tp = test_waiting_probe(test, pl);
	struct test_probe *post = test_probe_at(test, pl->at, WITH_POST);

	KUNIT_ASSERT_EQ(test, register_kprobe(&post->kp), 0);
	test_call(test, kprobe_test_plain, 10);
	test_expect_hits(test, tp, 10, 0);
	test_expect_hits(test, post, 0, 10);
	KUNIT_EXPECT_EQ(test, test_method_in_the_end(pl->at), SITE_JUMP);
	test_call(test, kprobe_test_plain, 10);
	test_expect_hits(test, tp, 20, 0);
	test_expect_hits(test, post, 0, 20);
}

/* The first listener has a post handler; the jump is planted before another one joins. */
static void post_handler_comes_first(struct kunit *test)
{
	struct jump_place *pl = test_jump_place(test);
	struct test_probe *post, *tp;

	kprobe_reclaim_flush();
	post = test_probe_new(test, pl->at, WITH_PRE | WITH_POST);
	KUNIT_EXPECT_EQ(test, test_method_in_the_end(pl->at), SITE_JUMP);
	test_call(test, kprobe_test_plain, 10);
	test_expect_hits(test, post, 10, 10);
	tp = test_probe_new(test, pl->at, WITH_PRE);
	test_call(test, kprobe_test_plain, 10);
	test_expect_hits(test, post, 20, 20);
	test_expect_hits(test, tp, 10, 0);
	unregister_kprobe(&post->kp);
	unregister_kprobe(&tp->kp);
	test_expect_untouched(test, pl);
	test_call(test, kprobe_test_plain, 10);
}

/* Called by the worker of the optimizer, or by whoever registers. */
static atomic_t syncs;

static int note_sync(struct kprobe *p, struct pt_regs *regs)
{
	atomic_inc(&syncs);
	return 0;
}

NOKPROBE_SYMBOL(note_sync);

/* All CPUs are synced once for all post slots; where planting syncs them, not even that. */
static void post_handlers_of_many(struct kunit *test)
{
	struct kprobe sync = {
		.symbol_name = "arch_sync_post_jumps",
		.pre_handler = note_sync,
	};
	struct test_probe *post[NR_MANY / 2];
	struct kprobe *kps[NR_MANY / 2];
	int i;

	test_jump_place(test);
	for (i = 0; i < NR_MANY / 2; i++) {
		post[i] = test_probe_at(test, test_many[2 * i + 1], WITH_PRE | WITH_POST);
		kps[i] = &post[i]->kp;
	}
	KUNIT_ASSERT_EQ(test, register_kprobe(&sync), 0);
	wait_for_kprobe_optimizer();
	kprobe_reclaim_flush();
	atomic_set(&syncs, 0);
	KUNIT_EXPECT_EQ(test, register_kprobes(kps, NR_MANY / 2), 0);
	wait_for_kprobe_optimizer();
	KUNIT_EXPECT_EQ(test, atomic_read(&syncs), ARCH_KPROBE_JUMP_IN_PLACE ? 0 : 1);
	unregister_kprobe(&sync);
	for (i = 0; i < NR_MANY / 2; i++) {
		KUNIT_EXPECT_EQ(test, test_method_at(kps[i]->addr), SITE_JUMP);
		test_call(test, test_many[2 * i + 1], 10);
		test_expect_hits(test, post[i], 10, 10);
	}
	unregister_kprobes(kps, NR_MANY / 2);
}

static void post_handlers_under_hits(struct kunit *test)
{
	struct jump_place *pl = test_jump_place(test);
	struct test_probe *tp = test_probe_new(test, pl->at, WITH_PRE | WITH_POST);
	struct test_probe *guest = test_probe_at(test, pl->at, WITH_PRE | WITH_POST);
	unsigned int others = 0, i = 0;
	struct callers *c;

	KUNIT_EXPECT_EQ(test, test_method_in_the_end(pl->at), SITE_JUMP);
	c = callers_start(test, kprobe_test_plain, 2 * num_online_cpus());
	while (callers_busy(c) || i++ < 3) {
		KUNIT_EXPECT_EQ(test, register_kprobe(&guest->kp), 0);
		others += test_method_at(pl->at) != SITE_JUMP;
		unregister_kprobe(&guest->kp);
	}
	callers_wait(c);
	KUNIT_EXPECT_EQ(test, others, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&c->wrong), 0);
	test_expect_hits(test, tp, c->nr * CALLS_EACH, c->nr * CALLS_EACH);
	unregister_kprobe(&tp->kp);
	test_expect_untouched(test, pl);
}

static void disabled_and_enabled(struct kunit *test)
{
	struct jump_place *pl = test_jump_place(test);
	struct test_probe *tp = test_probe_new(test, pl->at, WITH_PRE);

	KUNIT_EXPECT_EQ(test, test_method_in_the_end(pl->at), SITE_JUMP);
	KUNIT_EXPECT_EQ(test, disable_kprobe(&tp->kp), 0);
	test_expect_untouched(test, pl);
	test_call(test, kprobe_test_plain, 10);
	KUNIT_EXPECT_EQ(test, enable_kprobe(&tp->kp), 0);
	KUNIT_EXPECT_EQ(test, test_method_in_the_end(pl->at), SITE_JUMP);
	test_call(test, kprobe_test_plain, 10);
	test_expect_hits(test, tp, 10, 0);
}

static void all_disarmed_and_armed(struct kunit *test)
{
	struct jump_place *pl = test_jump_place(test);
	struct test_probe *tp = test_probe_new(test, pl->at, WITH_PRE);

	KUNIT_EXPECT_EQ(test, test_method_in_the_end(pl->at), SITE_JUMP);
	scoped_guard(mutex, &kprobe_mutex)
		sites_set_armed(false);
	test_expect_untouched(test, pl);
	test_call(test, kprobe_test_plain, 10);
	scoped_guard(mutex, &kprobe_mutex)
		sites_set_armed(true);
	KUNIT_EXPECT_EQ(test, test_method_in_the_end(pl->at), SITE_JUMP);
	test_call(test, kprobe_test_plain, 10);
	test_expect_hits(test, tp, 10, 0);
}

static int go_elsewhere(struct kprobe *p, struct pt_regs *regs)
{
	instruction_pointer_set(regs, (unsigned long)kprobe_test_elsewhere);
	return 1;
}

NOKPROBE_SYMBOL(go_elsewhere);

static void handler_goes_elsewhere(struct kunit *test)
{
	struct jump_place *pl = test_jump_place(test);
	struct test_probe *tp = test_probe_at(test, pl->at, 0);
	int i;

	tp->kp.pre_handler = go_elsewhere;
	KUNIT_ASSERT_EQ(test, register_kprobe(&tp->kp), 0);
	KUNIT_EXPECT_EQ(test, test_method_in_the_end(pl->at), SITE_JUMP);
	for (i = 0; i < 10; i++)
		KUNIT_EXPECT_EQ(test, call_target(kprobe_test_plain, i), 1000 + i);
	unregister_kprobe(&tp->kp);
	test_expect_untouched(test, pl);
	test_call(test, kprobe_test_plain, 10);
}

static atomic_t returns;

static int count_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	atomic_inc(&returns);
	return 0;
}

NOKPROBE_SYMBOL(count_return);

static void a_kretprobe_there(struct kunit *test)
{
	struct jump_place *pl = test_jump_place(test);
	struct kretprobe *rp = kunit_kzalloc(test, sizeof(*rp), GFP_KERNEL);
	struct test_probe *tp = test_probe_new(test, pl->at, WITH_PRE);

	KUNIT_ASSERT_NOT_NULL(test, rp);
	rp->kp.addr = (kprobe_opcode_t *)kprobe_test_plain;
	rp->handler = count_return;
	atomic_set(&returns, 0);
	KUNIT_ASSERT_EQ(test, register_kretprobe(rp), 0);
	KUNIT_EXPECT_EQ(test, test_method_in_the_end(pl->at), SITE_JUMP);
	test_call(test, kprobe_test_plain, 1000);
	KUNIT_EXPECT_EQ(test, rp->nmissed, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&returns), 1000);
	unregister_kretprobe(rp);
	test_expect_hits(test, tp, 1000, 0);
}

static int call_plain(struct kprobe *p, struct pt_regs *regs)
{
	struct test_probe *tp = container_of(p, struct test_probe, kp);

	atomic_inc(&tp->pre);
	if (kprobe_test_plain(7) != 8)
		atomic_inc(&tp->post);
	return 0;
}

NOKPROBE_SYMBOL(call_plain);

/* The detours of arm and powerpc set current_kprobe before they call it. */
static void handlers_run_when_told_to(struct kunit *test)
{
	struct jump_place *pl = test_jump_place(test);
	struct test_probe *tp = test_probe_new(test, pl->at, WITH_PRE);
	struct pt_regs regs = {};
	struct kprobe *kp;

	scoped_guard(preempt) {
		kp = get_kprobe(pl->at);
		__this_cpu_write(current_kprobe, kp);
		instruction_pointer_set(&regs, (unsigned long)pl->at);
		opt_pre_handler(kp, &regs);
		reset_current_kprobe();
	}
	test_expect_hits(test, tp, 1, 0);
	unregister_kprobe(&tp->kp);
}

/* The hit is counted as missed, and the displaced instructions run. */
static void hit_inside_a_hit(struct kunit *test)
{
	struct jump_place *pl = test_jump_place(test);
	struct test_probe *inner = test_probe_new(test, pl->at, WITH_PRE);
	struct test_probe *outer = test_probe_at(test, kprobe_test_inner, 0);

	outer->kp.pre_handler = call_plain;
	KUNIT_ASSERT_EQ(test, register_kprobe(&outer->kp), 0);
	KUNIT_EXPECT_EQ(test, test_method_in_the_end(pl->at), SITE_JUMP);
	KUNIT_EXPECT_EQ(test, kprobe_test_inner(1), 3);
	KUNIT_EXPECT_EQ(test, kprobe_test_inner(2), 4);
	unregister_kprobe(&outer->kp);
	test_expect_hits(test, outer, 2, 0);
	KUNIT_EXPECT_EQ(test, test_pre_hits(inner), 0);
	KUNIT_EXPECT_EQ(test, inner->kp.nmissed, 2);
}

static void hit_in_an_interrupt(struct kunit *test)
{
	struct jump_place *pl = test_jump_place(test);
	struct test_probe *tp = test_probe_new(test, pl->at, WITH_PRE);
	int i;

	KUNIT_EXPECT_EQ(test, test_method_in_the_end(pl->at), SITE_JUMP);
	for (i = 0; i < 100; i++)
		KUNIT_EXPECT_EQ(test, test_call_in_irq(kprobe_test_plain, i), i + 1);
	test_expect_hits(test, tp, 100, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&tp->in_irq), 100);
}

#ifdef CONFIG_FUNCTION_ERROR_INJECTION
/* Called by the worker of the optimizer. */
static int no_memory(struct kprobe *p, struct pt_regs *regs)
{
	regs_set_return_value(regs, -ENOMEM);
	override_function_with_return(regs);
	return 1;
}

NOKPROBE_SYMBOL(no_memory);

/* Then the site is a breakpoint until it changes. */
static void no_memory_for_a_while(struct kunit *test)
{
	struct kprobe fails = {
		.symbol_name = "arch_prepare_optimized_kprobe",
		.pre_handler = no_memory,
	};
	struct jump_place *pl = test_jump_place(test);
	struct test_probe *tp;

	if (ARCH_KPROBE_JUMP_IN_PLACE)
		kunit_skip(test, "breakpoints do not become jumps here");
	kprobe_reclaim_flush();
	KUNIT_ASSERT_EQ(test, register_kprobe(&fails), 0);
	wait_for_kprobe_optimizer();
	tp = test_probe_new(test, pl->at, WITH_PRE);
	KUNIT_EXPECT_EQ(test, test_method_in_the_end(pl->at), SITE_BREAKPOINT);
	unregister_kprobe(&fails);
	KUNIT_EXPECT_EQ(test, disable_kprobe(&tp->kp), 0);
	KUNIT_EXPECT_EQ(test, enable_kprobe(&tp->kp), 0);
	KUNIT_EXPECT_EQ(test, test_method_in_the_end(pl->at), SITE_JUMP);
	test_call(test, kprobe_test_plain, 10);
	test_expect_hits(test, tp, 10, 0);
}
#else
static void no_memory_for_a_while(struct kunit *test)
{
	kunit_skip(test, "needs CONFIG_FUNCTION_ERROR_INJECTION");
}
#endif

/* Sites that are planted together become jumps together. */
static void many_at_once(struct kunit *test)
{
	struct kprobe *kps[NR_MANY / 2];
	unsigned int i, jumps = 0;

	for (i = 0; i < NR_MANY / 2; i++)
		kps[i] = &test_probe_at(test, test_many[2 * i + 1], WITH_PRE)->kp;
	KUNIT_ASSERT_EQ(test, register_kprobes(kps, NR_MANY / 2), 0);
	for (i = 0; i < NR_MANY / 2; i++)
		jumps += test_method_in_the_end(kps[i]->addr) == SITE_JUMP;
	if (!jumps)
		test_no_jump(test, "no jump at any of the functions");
	KUNIT_EXPECT_EQ(test, jumps, NR_MANY / 2);
	for (i = 0; i < NR_MANY / 2; i++) {
		test_call(test, test_many[2 * i + 1], 10);
		test_expect_hits(test, container_of(kps[i], struct test_probe, kp), 10, 0);
	}
	unregister_kprobes(kps, NR_MANY / 2);
	for (i = 0; i < NR_MANY / 2; i++)
		test_call(test, test_many[2 * i + 1], 1);
}

/**
 * struct sticky - a probe whose pre handler asks the task to give up the CPU
 * @tp:		the probe
 * @switched:	post handlers before which the task has given it up
 */
struct sticky {
	struct test_probe tp;
	int switched;
};

static int ask_to_switch(struct kprobe *p, struct pt_regs *regs)
{
	struct sticky *s = container_of(p, struct sticky, tp.kp);

	atomic_inc(&s->tp.pre);
	set_tsk_need_resched(current);
	set_preempt_need_resched();
	return 0;
}

NOKPROBE_SYMBOL(ask_to_switch);

static void see_if_switched(struct kprobe *p, struct pt_regs *regs, unsigned long flags)
{
	struct sticky *s = container_of(p, struct sticky, tp.kp);

	atomic_inc(&s->tp.post);
	if (!test_tsk_need_resched(current))
		s->switched++;
}

NOKPROBE_SYMBOL(see_if_switched);

/*
 * The state of a hit is that of the CPU, so the task does not give up the CPU between the two
 * handlers. Only preempt=full lets it, and on arm64 irqchip.gicv3_pseudo_nmi=1 decides what
 * irqs_disabled() reads. Loads and stores are not emulated, so copies of them run.
 */
static void no_switch_inside_a_hit(struct kunit *test)
{
	unsigned long size, at, i, fn = (unsigned long)kprobe_test_load;
	unsigned long from = 1, to = 0;
	unsigned int jumps = 0;
	struct sticky *s;

	KUNIT_ASSERT_TRUE(test, kallsyms_lookup_size_offset(fn, &size, &at));
	for (i = 0; i < size; i++) {
		s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, s);
		s->tp.kp.addr = (kprobe_opcode_t *)(fn + i);
		s->tp.kp.pre_handler = ask_to_switch;
		s->tp.kp.post_handler = see_if_switched;
		if (register_kprobe(&s->tp.kp))
			continue;
		jumps += test_method_in_the_end(s->tp.kp.addr) == SITE_JUMP;
		KUNIT_EXPECT_EQ(test, kprobe_test_load(&to, &from), 0);
		KUNIT_EXPECT_EQ(test, to, from++);
		unregister_kprobe(&s->tp.kp);
		KUNIT_EXPECT_EQ(test, test_post_hits(&s->tp), test_pre_hits(&s->tp));
		KUNIT_EXPECT_EQ_MSG(test, s->switched, 0, "at offset %lu", i);
	}
	if (!jumps)
		test_no_jump(test, "no jump in kprobe_test_load()");
}

static struct kunit_case jump_cases[] = {
	KUNIT_CASE(becomes_a_jump),
	KUNIT_CASE(detour_has_a_name),
	KUNIT_CASE(hits_all_the_way),
	KUNIT_CASE(planted_and_uprooted_under_hits),
	KUNIT_CASE(gone_before_it_is_a_jump),
	KUNIT_CASE(post_handler_joins),
	KUNIT_CASE(post_handler_joins_early),
	KUNIT_CASE(post_handler_comes_first),
	KUNIT_CASE(post_handlers_of_many),
	KUNIT_CASE_SLOW(post_handlers_under_hits),
	KUNIT_CASE(disabled_and_enabled),
	KUNIT_CASE(all_disarmed_and_armed),
	KUNIT_CASE(handler_goes_elsewhere),
	KUNIT_CASE(a_kretprobe_there),
	KUNIT_CASE(handlers_run_when_told_to),
	KUNIT_CASE(hit_inside_a_hit),
	KUNIT_CASE(hit_in_an_interrupt),
	KUNIT_CASE(no_memory_for_a_while),
	KUNIT_CASE(many_at_once),
	KUNIT_CASE(no_switch_inside_a_hit),
	{}
};

static struct kunit_suite jump_suite = {
	.name = "kprobes_jump",
	.test_cases = jump_cases,
};

kunit_test_suite(jump_suite);
