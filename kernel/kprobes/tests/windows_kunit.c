// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hits in the middle of a change.
 *
 * The core and the architecture call kprobe_test_step() between two steps of a change of text
 * or state. At each step, the function that is changed is called by this task, on another CPU,
 * and in an NMI. It must return the right result, listeners that stay must see each call once,
 * and listeners that join or leave must see all of a call or nothing.
 */
#include <linux/cpumask.h>
#include <linux/kprobes.h>
#include <linux/kthread.h>
#include <linux/smp.h>

#include "fprobes.h"
#include "jumps.h"

/**
 * struct watch - calls a function between the steps of a change
 * @fn:		the function; returns its argument plus one
 * @stays:	sees each call, or NULL
 * @comes:	joins or leaves, with a pre and a post handler, or NULL
 * @steps:	number of steps so far
 * @wrong:	calls with a wrong result
 * @lost:	calls that @stays did not see once
 * @torn:	calls of which @comes saw a part
 * @step:	called at each step instead, if it is set
 *
 * Guarded by kprobe_mutex, under which steps are.
 */
struct watch {
	target_fn fn;
	struct test_probe *stays;
	struct test_probe *comes;
	unsigned int steps;
	unsigned int wrong;
	unsigned int lost;
	unsigned int torn;
	void (*step)(struct watch *w);
};

static struct watch *watch;

static void look(struct watch *w, unsigned long (*call)(target_fn fn, unsigned long x))
{
	int stays = 0, pre = 0, post = 0;

	if (w->stays)
		stays = test_pre_hits(w->stays);
	if (w->comes) {
		pre = test_pre_hits(w->comes);
		post = test_post_hits(w->comes);
	}
	w->wrong += call(w->fn, w->steps) != w->steps + 1;
	if (w->stays)
		w->lost += test_pre_hits(w->stays) != stays + 1;
	if (w->comes)
		w->torn += test_pre_hits(w->comes) - pre != test_post_hits(w->comes) - post;
}

static unsigned long call_in_nmi(target_fn fn, unsigned long x)
{
	unsigned long result;

	preempt_disable();
	result = test_call_in_nmi(fn, x);
	preempt_enable();
	return result;
}

/**
 * struct remote_call - a call on another CPU
 * @fn:		the function
 * @x:		its argument
 * @result:	what it returned
 */
struct remote_call {
	target_fn fn;
	unsigned long x;
	unsigned long result;
};

static void remote_call(void *data)
{
	struct remote_call *c = data;

	c->result = call_target(c->fn, c->x);
}

/* On a CPU other than this one, if there is one. */
static unsigned long call_on_other_cpu(target_fn fn, unsigned long x)
{
	struct remote_call c = { .fn = fn, .x = x };
	unsigned int cpu = cpumask_any_but(cpu_online_mask, get_cpu());

	put_cpu();
	if (cpu >= nr_cpu_ids)
		return call_target(fn, x);
	smp_call_function_single(cpu, remote_call, &c, 1);
	return c.result;
}

void kprobe_test_step(void)
{
	struct watch *w = watch;

	if (!w)
		return;
	w->steps++;
	if (w->step) {
		w->step(w);
		return;
	}
	look(w, call_target);
	look(w, call_on_other_cpu);
	look(w, call_in_nmi);
}

static struct watch *watch_begin(struct kunit *test, target_fn fn, struct test_probe *stays,
				 struct test_probe *comes)
{
	struct watch *w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, w);
	w->fn = fn;
	w->stays = stays;
	w->comes = comes;
	guard(mutex)(&kprobe_mutex);
	watch = w;
	return w;
}

static void watch_stop(void)
{
	guard(mutex)(&kprobe_mutex);
	watch = NULL;
}

static void watch_end(struct kunit *test, struct watch *w)
{
	watch_stop();
	KUNIT_EXPECT_GT(test, w->steps, 0);
	KUNIT_EXPECT_EQ(test, w->wrong, 0);
	KUNIT_EXPECT_EQ(test, w->lost, 0);
	KUNIT_EXPECT_EQ(test, w->torn, 0);
	if (w->stays)
		KUNIT_EXPECT_EQ(test, w->stays->kp.nmissed, 0);
}

static int windows_init(struct kunit *test)
{
	return test_nmi_begin();
}

static void windows_exit(struct kunit *test)
{
	watch_stop();
	test_nmi_end();
}

/* Jumps and breakpoints */

static void probe_comes_and_goes(struct kunit *test)
{
	struct jump_place *pl = test_jump_place(test);
	struct test_probe *tp = test_probe_at(test, pl->at, WITH_PRE | WITH_POST);
	struct watch *w = watch_begin(test, kprobe_test_plain, NULL, tp);

	KUNIT_ASSERT_EQ(test, register_kprobe(&tp->kp), 0);
	unregister_kprobe(&tp->kp);
	watch_end(test, w);
	KUNIT_EXPECT_GT(test, test_post_hits(tp), 0);
	test_expect_untouched(test, pl);
}

static void becomes_a_jump_and_goes(struct kunit *test)
{
	struct jump_place *pl = test_jump_place(test);
	struct test_probe *tp;
	struct watch *w;

	/* From a breakpoint, if a site does not become a jump at once. */
	test_allow_jumps(false);
	tp = test_probe_new(test, pl->at, WITH_PRE);
	w = watch_begin(test, kprobe_test_plain, tp, NULL);
	test_allow_jumps(true);
	KUNIT_EXPECT_EQ(test, test_method_in_the_end(pl->at), SITE_JUMP);
	watch_end(test, w);

	w = watch_begin(test, kprobe_test_plain, NULL, NULL);
	unregister_kprobe(&tp->kp);
	watch_end(test, w);
	test_expect_untouched(test, pl);
}

static void post_handler_joins_a_jump(struct kunit *test)
{
	struct jump_place *pl = test_jump_place(test);
	struct test_probe *tp = test_probe_new(test, pl->at, WITH_PRE);
	struct test_probe *post = test_probe_at(test, pl->at, WITH_PRE | WITH_POST);
	struct watch *w;

	KUNIT_EXPECT_EQ(test, test_method_in_the_end(pl->at), SITE_JUMP);
	w = watch_begin(test, kprobe_test_plain, tp, post);
	KUNIT_ASSERT_EQ(test, register_kprobe(&post->kp), 0);
	unregister_kprobe(&post->kp);
	KUNIT_EXPECT_EQ(test, test_method_in_the_end(pl->at), SITE_JUMP);
	watch_end(test, w);
	KUNIT_EXPECT_GT(test, test_post_hits(post), 0);
}

/* While hits of the breakpoint avoid the instructions that the jump will displace. */
static void post_handler_joins_before_the_jump(struct kunit *test)
{
	struct jump_place *pl = test_jump_place(test);
	struct test_probe *tp = test_probe_new(test, pl->at, WITH_PRE);
	struct test_probe *post = test_probe_at(test, pl->at, WITH_PRE | WITH_POST);
	struct watch *w;

	jumps_decide();
	w = watch_begin(test, kprobe_test_plain, tp, post);
	KUNIT_ASSERT_EQ(test, register_kprobe(&post->kp), 0);
	unregister_kprobe(&post->kp);
	watch_end(test, w);
}

static void post_handler_is_switched(struct kunit *test)
{
	struct jump_place *pl = test_jump_place(test);
	struct test_probe *tp = test_probe_new(test, pl->at, WITH_PRE);
	struct test_probe *post = test_probe_at(test, pl->at, WITH_PRE | WITH_POST);
	struct watch *w;

	post->kp.flags = KPROBE_FLAG_DISABLED;
	KUNIT_ASSERT_EQ(test, register_kprobe(&post->kp), 0);
	KUNIT_EXPECT_EQ(test, test_method_in_the_end(pl->at), SITE_JUMP);
	w = watch_begin(test, kprobe_test_plain, tp, post);
	KUNIT_EXPECT_EQ(test, enable_kprobe(&post->kp), 0);
	KUNIT_EXPECT_EQ(test, disable_kprobe(&post->kp), 0);
	watch_end(test, w);
	KUNIT_EXPECT_GT(test, test_post_hits(post), 0);
}

static void neighbour_makes_a_breakpoint_of_it(struct kunit *test)
{
	struct jump_place *pl = test_crowded_place(test);
	struct test_probe *tp = test_probe_new(test, pl->at, WITH_PRE);
	struct test_probe *nb = test_probe_at(test, pl->inside, WITH_PRE | WITH_POST);
	struct watch *w;

	KUNIT_EXPECT_EQ(test, test_method_in_the_end(pl->at), SITE_JUMP);
	w = watch_begin(test, kprobe_test_plain, tp, nb);
	KUNIT_ASSERT_EQ(test, register_kprobe(&nb->kp), 0);
	unregister_kprobe(&nb->kp);
	KUNIT_EXPECT_EQ(test, test_method_in_the_end(pl->at), SITE_JUMP);
	watch_end(test, w);
	KUNIT_EXPECT_GT(test, test_post_hits(nb), 0);
}

static void all_are_disarmed_and_armed(struct kunit *test)
{
	struct jump_place *pl = test_jump_place(test);
	struct test_probe *tp = test_probe_new(test, pl->at, WITH_PRE);
	struct watch *w;

	KUNIT_EXPECT_EQ(test, test_method_in_the_end(pl->at), SITE_JUMP);
	w = watch_begin(test, kprobe_test_plain, NULL, NULL);
	scoped_guard(mutex, &kprobe_mutex) {
		sites_set_armed(false);
		sites_set_armed(true);
	}
	KUNIT_EXPECT_EQ(test, test_method_in_the_end(pl->at), SITE_JUMP);
	watch_end(test, w);
	KUNIT_EXPECT_GT(test, test_pre_hits(tp), 0);
}

/* Entries that ftrace patches */

static void entry_is_probed_and_left(struct kunit *test)
{
	struct test_probe *tp = test_probe_at(test, kprobe_test_traced, WITH_PRE);
	struct watch *w = watch_begin(test, kprobe_test_traced, NULL, NULL);

	KUNIT_ASSERT_EQ(test, register_kprobe(&tp->kp), 0);
	KUNIT_EXPECT_EQ(test, disable_kprobe(&tp->kp), 0);
	KUNIT_EXPECT_EQ(test, enable_kprobe(&tp->kp), 0);
	unregister_kprobe(&tp->kp);
	watch_end(test, w);
	KUNIT_EXPECT_GT(test, test_pre_hits(tp), 0);
}

static void post_handler_claims_an_entry(struct kunit *test)
{
	struct test_probe *tp = test_probe_new(test, kprobe_test_traced, WITH_PRE);
	struct test_probe *post = test_probe_at(test, kprobe_test_traced, WITH_PRE | WITH_POST);
	struct watch *w = watch_begin(test, kprobe_test_traced, tp, post);

	KUNIT_ASSERT_EQ(test, register_kprobe(&post->kp), 0);
	KUNIT_EXPECT_EQ(test, disable_kprobe(&post->kp), 0);
	KUNIT_EXPECT_EQ(test, enable_kprobe(&post->kp), 0);
	unregister_kprobe(&post->kp);
	watch_end(test, w);
	KUNIT_EXPECT_GT(test, test_post_hits(post), 0);
}

static void post_handler_alone_at_an_entry(struct kunit *test)
{
	struct test_probe *post = test_probe_at(test, kprobe_test_traced, WITH_PRE | WITH_POST);
	struct test_probe *tp = test_probe_at(test, kprobe_test_traced, WITH_PRE);
	struct watch *w = watch_begin(test, kprobe_test_traced, NULL, post);

	KUNIT_ASSERT_EQ(test, register_kprobe(&post->kp), 0);
	KUNIT_ASSERT_EQ(test, register_kprobe(&tp->kp), 0);
	unregister_kprobe(&post->kp);
	unregister_kprobe(&tp->kp);
	watch_end(test, w);
	KUNIT_EXPECT_GT(test, test_post_hits(post), 0);
}

#ifdef CONFIG_KRETPROBES
static int no_handler(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	return 0;
}

NOKPROBE_SYMBOL(no_handler);

static void kretprobe_shares_an_entry(struct kunit *test)
{
	struct test_probe *tp = test_probe_new(test, kprobe_test_traced, WITH_PRE);
	struct kretprobe rp = {
		.kp.addr = (kprobe_opcode_t *)kprobe_test_traced,
		.handler = no_handler,
	};
	struct watch *w = watch_begin(test, kprobe_test_traced, tp, NULL);
	int i;

	KUNIT_ASSERT_EQ(test, register_kretprobe(&rp), 0);
	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_EQ(test, disable_kretprobe(&rp), 0);
		KUNIT_EXPECT_EQ(test, enable_kretprobe(&rp), 0);
	}
	unregister_kretprobe(&rp);
	watch_end(test, w);
}

static void kretprobe_was_there_first(struct kunit *test)
{
	struct test_probe *tp = test_probe_at(test, kprobe_test_traced, WITH_PRE);
	struct kretprobe rp = {
		.kp.addr = (kprobe_opcode_t *)kprobe_test_traced,
		.handler = no_handler,
	};
	struct watch *w;

	KUNIT_ASSERT_EQ(test, register_kretprobe(&rp), 0);
	KUNIT_ASSERT_EQ(test, register_kprobe(&tp->kp), 0);
	w = watch_begin(test, kprobe_test_traced, tp, NULL);
	unregister_kretprobe(&rp);
	watch_end(test, w);
}
#else
static void kretprobe_shares_an_entry(struct kunit *test)
{
	kunit_skip(test, "no kretprobes");
}

static void kretprobe_was_there_first(struct kunit *test)
{
	kunit_skip(test, "no kretprobes");
}
#endif

/* Otherwise kprobes are no hooks of entries, and text is not written while a handler waits. */
#if defined(CONFIG_FPROBE) && defined(CONFIG_KPROBES_ON_FTRACE)
/**
 * struct held_probe - a kprobe whose handler returns when @go is set
 * @kp:		the kprobe
 * @hits:	runs of the handler
 * @inside:	the handler is running
 * @go:		let it return
 */
struct held_probe {
	struct kprobe kp;
	atomic_t hits;
	bool inside;
	bool go;
};

/* Loops after which a handler stops waiting for @go; enough on all machines. */
#define HANDLER_PATIENCE	1000000000UL

static int wait_in_handler(struct kprobe *p, struct pt_regs *regs)
{
	struct held_probe *held = container_of(p, struct held_probe, kp);
	unsigned long spin = HANDLER_PATIENCE;

	atomic_inc(&held->hits);
	WRITE_ONCE(held->inside, true);
	while (!READ_ONCE(held->go) && spin--)
		cpu_relax();
	return 0;
}

NOKPROBE_SYMBOL(wait_in_handler);

static int call_once(void *data)
{
	int wrong = call_target(fprobe_test_one, 1) != 2;

	/* The task must exist when it is stopped. */
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return wrong;
}

/* While a call is in the handler, unregister the kprobe and register it again. */
static void leave_and_rejoin(struct kunit *test, struct held_probe *held)
{
	unsigned int cpu = cpumask_any_but(cpu_online_mask, get_cpu());
	struct task_struct *task;

	put_cpu();
	if (cpu >= nr_cpu_ids)
		kunit_skip(test, "it takes two CPUs");
	task = kthread_run_on_cpu(call_once, NULL, cpu, "kprobes_held/%u");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	while (!READ_ONCE(held->inside))
		schedule_timeout_uninterruptible(1);
	KUNIT_EXPECT_EQ(test, disable_kprobe(&held->kp), 0);
	KUNIT_EXPECT_EQ(test, enable_kprobe(&held->kp), 0);
	WRITE_ONCE(held->go, true);
	KUNIT_EXPECT_EQ(test, kthread_stop(task), 0);
}

static void drop_held(void *kp)
{
	unregister_kprobe(kp);
}

static struct held_probe *add_held(struct kunit *test)
{
	struct held_probe *held = kunit_kzalloc(test, sizeof(*held), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, held);
	held->kp.addr = (kprobe_opcode_t *)fprobe_test_one;
	held->kp.pre_handler = wait_in_handler;
	KUNIT_ASSERT_EQ(test, register_kprobe(&held->kp), 0);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, drop_held, &held->kp));
	return held;
}

/* Another hook at the same entry sees the call once. */
static void rejoins_in_the_middle_of_a_hit(struct kunit *test)
{
	struct test_fprobe *before = test_fprobe_at(test, fprobe_test_one, WITH_ALL);
	struct held_probe *held = add_held(test);
	struct test_fprobe *after = test_fprobe_at(test, fprobe_test_one, WITH_ALL);
	struct test_fprobe *last = test_fprobe_at(test, fprobe_test_one, WITH_ENTRY);

	leave_and_rejoin(test, held);
	KUNIT_EXPECT_EQ(test, atomic_read(&held->hits), 1);
	test_fprobe_expect(test, before, 1, 1, 0);
	test_fprobe_expect(test, after, 1, 1, 0);
	test_fprobe_expect(test, last, 1, 0, 0);
}
#else
static void rejoins_in_the_middle_of_a_hit(struct kunit *test)
{
	kunit_skip(test, "no fprobes, or no kprobes beside them");
}
#endif

/* A set that is detached again, while a handler of it runs on another CPU */

/**
 * struct taken_back - a probe of a set in which another one is refused
 * @kp:		the probe, at a site that has a listener already
 * @watch:	is called at the steps of the changes
 * @call:	hits it on another CPU
 * @inside:	its handler runs
 * @leaving:	it is being detached
 * @lost:	the handler has seen no address
 */
struct taken_back {
	struct kprobe kp;
	struct watch watch;
	call_single_data_t call;
	bool inside;
	bool leaving;
	bool lost;
};

/* Number of loops of a handler, which take far longer than to detach a probe. */
#define MANY_LOOKS	1000000

static int stay_inside(struct kprobe *p, struct pt_regs *regs)
{
	struct taken_back *t = container_of(p, struct taken_back, kp);
	unsigned int i;

	smp_store_release(&t->inside, true); /* pairs with hit_and_leave() */
	while (!READ_ONCE(t->leaving))
		cpu_relax();
	for (i = 0; i < MANY_LOOKS && !t->lost; i++)
		t->lost = !READ_ONCE(p->addr);
	return 0;
}

NOKPROBE_SYMBOL(stay_inside);

static void call_plain_once(void *unused)
{
	call_target(kprobe_test_plain, 1);
}

/* From the second step on, hits see the listener. Wait for its handler, then let it leave. */
static void hit_and_leave(struct watch *w)
{
	struct taken_back *t = container_of(w, struct taken_back, watch);
	unsigned int cpu;

	if (w->steps == 2) {
		cpu = cpumask_any_but(cpu_online_mask, smp_processor_id());
		smp_call_function_single_async(cpu, &t->call);
		while (!smp_load_acquire(&t->inside)) /* pairs with stay_inside() */
			cpu_relax();
	}
	/* There are four steps when a listener joins. */
	if (w->steps > 4)
		WRITE_ONCE(t->leaving, true);
}

static void address_stays_while_a_handler_runs(struct kunit *test)
{
	struct taken_back *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	struct kprobe bad = { .symbol_name = "no_such_symbol" };
	struct kprobe *kps[2] = { NULL, &bad };

	KUNIT_ASSERT_NOT_NULL(test, t);
	KUNIT_ASSERT_GT(test, num_online_cpus(), 1);
	test_probe_new(test, kprobe_test_plain, WITH_PRE);
	t->kp.symbol_name = "kprobe_test_plain";
	t->kp.pre_handler = stay_inside;
	t->watch.step = hit_and_leave;
	INIT_CSD(&t->call, call_plain_once, NULL);
	kps[0] = &t->kp;
	migrate_disable();
	scoped_guard(mutex, &kprobe_mutex)
		watch = &t->watch;
	KUNIT_EXPECT_EQ(test, register_kprobes(kps, 2), -ENOENT);
	migrate_enable();
	/* Let the handler on the other CPU return. */
	WRITE_ONCE(t->leaving, true);
	watch_stop();
	KUNIT_EXPECT_TRUE(test, t->inside);
	KUNIT_EXPECT_GT(test, t->watch.steps, 4);
	KUNIT_EXPECT_FALSE(test, t->lost);
	KUNIT_EXPECT_NULL(test, t->kp.addr);
}

static struct kunit_case windows_cases[] = {
	KUNIT_CASE(probe_comes_and_goes),
	KUNIT_CASE(becomes_a_jump_and_goes),
	KUNIT_CASE(post_handler_joins_a_jump),
	KUNIT_CASE(post_handler_joins_before_the_jump),
	KUNIT_CASE(post_handler_is_switched),
	KUNIT_CASE(neighbour_makes_a_breakpoint_of_it),
	KUNIT_CASE(all_are_disarmed_and_armed),
	KUNIT_CASE(entry_is_probed_and_left),
	KUNIT_CASE(post_handler_claims_an_entry),
	KUNIT_CASE(post_handler_alone_at_an_entry),
	KUNIT_CASE(kretprobe_shares_an_entry),
	KUNIT_CASE(kretprobe_was_there_first),
	KUNIT_CASE(rejoins_in_the_middle_of_a_hit),
	KUNIT_CASE(address_stays_while_a_handler_runs),
	{}
};

static struct kunit_suite windows_suite = {
	.name = "kprobes_windows",
	.init = windows_init,
	.exit = windows_exit,
	.test_cases = windows_cases,
};

kunit_test_suite(windows_suite);
