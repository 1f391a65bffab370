// SPDX-License-Identifier: GPL-2.0-only
/* Probes at function entries that ftrace owns, beside its other users. */
#include <linux/ftrace.h>
#include <linux/kprobes.h>
#include <linux/kthread.h>

#include "../internal.h"
#include "tests.h"

static atomic_t traced;

static void tracer_func(unsigned long ip, unsigned long parent_ip,
			struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	atomic_inc(&traced);
}

static struct ftrace_ops tracer = {
	.func = tracer_func,
};

static struct ftrace_ops mover = {
	.func = tracer_func,
	.flags = FTRACE_OPS_FL_SAVE_REGS | FTRACE_OPS_FL_IPMODIFY,
};

static void ops_drop(void *data)
{
	struct ftrace_ops *ops = data;

	if (ops->flags & FTRACE_OPS_FL_ENABLED)
		unregister_ftrace_function(ops);
	ftrace_set_filter(ops, NULL, 0, 1);
}

static unsigned long entry_of(target_fn fn)
{
	return ftrace_location((unsigned long)fn);
}

static void ops_add(struct kunit *test, struct ftrace_ops *ops, target_fn fn)
{
	atomic_set(&traced, 0);
	KUNIT_ASSERT_EQ(test, 0, ftrace_set_filter_ip(ops, entry_of(fn), 0, 1));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, ops_drop, ops));
	KUNIT_ASSERT_EQ(test, 0, register_ftrace_function(ops));
}

static void entry_is_planted_through_ftrace(struct kunit *test)
{
	struct test_probe *tp = test_probe_new(test, kprobe_test_traced, WITH_PRE);
	struct test_probe *inside;

	KUNIT_EXPECT_TRUE(test, kprobe_ftrace(&tp->kp));
	KUNIT_EXPECT_EQ(test, (unsigned long)tp->kp.addr,
			entry_of(kprobe_test_traced));
	test_call(test, kprobe_test_traced, 5);
	KUNIT_EXPECT_EQ(test, test_pre_hits(tp), 5);

	/* The next instruction is planted as a breakpoint. */
	inside = test_probe_at(test, (void *)entry_of(kprobe_test_traced),
			       WITH_PRE | WITH_POST);
	inside->kp.offset = MCOUNT_INSN_SIZE;
	KUNIT_ASSERT_EQ(test, register_kprobe(&inside->kp), 0);
	KUNIT_EXPECT_FALSE(test, kprobe_ftrace(&inside->kp));
	test_call(test, kprobe_test_traced, 5);
	KUNIT_EXPECT_EQ(test, test_pre_hits(tp), 10);
	KUNIT_EXPECT_EQ(test, test_pre_hits(inside), 5);
	KUNIT_EXPECT_EQ(test, test_post_hits(inside), 5);
}

static void tracer_first(struct kunit *test)
{
	struct test_probe *tp;

	ops_add(test, &tracer, kprobe_test_traced);
	test_call(test, kprobe_test_traced, 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&traced), 1);
	tp = test_probe_new(test, kprobe_test_traced, WITH_PRE | WITH_POST);
	test_call(test, kprobe_test_traced, 5);
	KUNIT_EXPECT_EQ(test, atomic_read(&traced), 6);
	KUNIT_EXPECT_EQ(test, test_pre_hits(tp), 5);
	KUNIT_EXPECT_EQ(test, test_post_hits(tp), 5);
	unregister_kprobe(&tp->kp);
	test_call(test, kprobe_test_traced, 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&traced), 7);
}

static void probe_first(struct kunit *test)
{
	struct test_probe *tp = test_probe_new(test, kprobe_test_traced, WITH_PRE);

	ops_add(test, &tracer, kprobe_test_traced);
	test_call(test, kprobe_test_traced, 5);
	KUNIT_EXPECT_EQ(test, atomic_read(&traced), 5);
	KUNIT_EXPECT_EQ(test, test_pre_hits(tp), 5);
	unregister_ftrace_function(&tracer);
	test_call(test, kprobe_test_traced, 5);
	KUNIT_EXPECT_EQ(test, atomic_read(&traced), 5);
	KUNIT_EXPECT_EQ(test, test_pre_hits(tp), 10);
}

/* The filter of an enabled ops changes in place. */
static void filter_changes_in_place(struct kunit *test)
{
	unsigned long other = entry_of(test_many[0]);

	ops_add(test, &tracer, kprobe_test_traced);
	KUNIT_EXPECT_EQ(test, ftrace_set_filter_ips(&tracer, &other, 0, 0, 0), 0);
	test_call(test, test_many[0], 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&traced), 0);
	KUNIT_EXPECT_EQ(test, ftrace_set_filter_ips(&tracer, &other, 1, 0, 0), 0);
	test_call(test, test_many[0], 3);
	test_call(test, kprobe_test_traced, 5);
	KUNIT_EXPECT_EQ(test, atomic_read(&traced), 8);
	KUNIT_EXPECT_EQ(test, ftrace_set_filter_ips(&tracer, &other, 0, 1, 0), 0);
	KUNIT_EXPECT_EQ(test, ftrace_set_filter_ips(&tracer, &other, 1, 1, 0), 0);
	test_call(test, test_many[0], 3);
	test_call(test, kprobe_test_traced, 5);
	KUNIT_EXPECT_EQ(test, atomic_read(&traced), 13);
}

/* Another user redirects the function: a probe that needs IPMODIFY is refused. */
static void redirected_is_busy(struct kunit *test)
{
	struct test_probe *may, *shares;

	ops_add(test, &mover, kprobe_test_traced);
	may = test_probe_at(test, kprobe_test_traced, WITH_PRE | WITH_POST);
	KUNIT_EXPECT_EQ(test, register_kprobe(&may->kp), -EBUSY);
	test_call(test, kprobe_test_traced, 3);
	KUNIT_EXPECT_EQ(test, test_pre_hits(may), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&traced), 3);

	/* A probe without a post handler is accepted. */
	shares = test_probe_new(test, kprobe_test_traced, WITH_PRE);
	test_call(test, kprobe_test_traced, 3);
	KUNIT_EXPECT_EQ(test, test_pre_hits(shares), 3);
	KUNIT_EXPECT_EQ(test, register_kprobe(&may->kp), -EBUSY);
	test_call(test, kprobe_test_traced, 3);
	KUNIT_EXPECT_EQ(test, test_pre_hits(shares), 6);
	KUNIT_EXPECT_EQ(test, test_pre_hits(may), 0);

	unregister_ftrace_function(&mover);
	KUNIT_EXPECT_EQ(test, register_kprobe(&may->kp), 0);
	test_call(test, kprobe_test_traced, 3);
	KUNIT_EXPECT_EQ(test, test_pre_hits(shares), 9);
	KUNIT_EXPECT_EQ(test, test_pre_hits(may), 3);
}

/* A probe with IPMODIFY is there: another user that redirects is refused. */
static void probe_keeps_redirectors_out(struct kunit *test)
{
	struct test_probe *tp = test_probe_new(test, kprobe_test_traced,
					       WITH_PRE | WITH_POST);

	KUNIT_ASSERT_EQ(test, 0,
			ftrace_set_filter_ip(&mover, entry_of(kprobe_test_traced),
					     0, 1));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, ops_drop, &mover));
	KUNIT_EXPECT_EQ(test, register_ftrace_function(&mover), -EBUSY);
	unregister_kprobe(&tp->kp);
	KUNIT_EXPECT_EQ(test, register_ftrace_function(&mover), 0);
}

#define NR_BATCH	8

static void busy_one_in_a_batch(struct kunit *test)
{
	struct test_probe *tp[NR_BATCH];
	struct kprobe *kps[NR_BATCH];
	int i;

	/* Even ones are planted through ftrace, the others are not. */
	for (i = 0; i < NR_BATCH; i++) {
		tp[i] = test_probe_at(test, test_many[i], WITH_PRE | WITH_POST);
		kps[i] = &tp[i]->kp;
	}
	ops_add(test, &mover, test_many[4]);
	KUNIT_EXPECT_EQ(test, register_kprobes(kps, NR_BATCH), -EBUSY);
	for (i = 0; i < NR_BATCH; i++) {
		test_call(test, test_many[i], 1);
		KUNIT_EXPECT_EQ(test, test_pre_hits(tp[i]), 0);
	}
	unregister_ftrace_function(&mover);
	KUNIT_EXPECT_EQ(test, register_kprobes(kps, NR_BATCH), 0);
	for (i = 0; i < NR_BATCH; i++) {
		test_call(test, test_many[i], 1);
		KUNIT_EXPECT_EQ(test, test_pre_hits(tp[i]), 1);
	}
}

/* Enabling is refused where registration would be; others at the site go on. */
static void busy_when_enabled(struct kunit *test)
{
	struct test_probe *other = test_probe_new(test, kprobe_test_traced, WITH_PRE);
	struct test_probe *tp = test_probe_at(test, kprobe_test_traced,
					      WITH_PRE | WITH_POST);

	tp->kp.flags = KPROBE_FLAG_DISABLED;
	KUNIT_ASSERT_EQ(test, register_kprobe(&tp->kp), 0);
	ops_add(test, &mover, kprobe_test_traced);
	KUNIT_EXPECT_EQ(test, enable_kprobe(&tp->kp), -EBUSY);
	KUNIT_EXPECT_TRUE(test, kprobe_disabled(&tp->kp));
	test_call(test, kprobe_test_traced, 2);
	KUNIT_EXPECT_EQ(test, test_pre_hits(other), 2);
	KUNIT_EXPECT_EQ(test, test_pre_hits(tp), 0);
	unregister_ftrace_function(&mover);
	KUNIT_EXPECT_EQ(test, enable_kprobe(&tp->kp), 0);
	test_call(test, kprobe_test_traced, 2);
	KUNIT_EXPECT_EQ(test, test_pre_hits(other), 4);
	KUNIT_EXPECT_EQ(test, test_pre_hits(tp), 2);
}

static void set_armed(bool on)
{
	guard(mutex)(&kprobe_mutex);
	sites_set_armed(on);
}

/* While probes are disarmed, another user redirects a function: only that probe is lost. */
static void busy_when_switched_back_on(struct kunit *test)
{
	struct test_probe *other = test_probe_new(test, test_many[0], WITH_PRE);
	struct test_probe *plain = test_probe_new(test, kprobe_test_plain, WITH_PRE);
	struct test_probe *tp = test_probe_new(test, kprobe_test_traced,
					       WITH_PRE | WITH_POST);

	set_armed(false);
	ops_add(test, &mover, kprobe_test_traced);
	set_armed(true);
	test_call(test, test_many[0], 2);
	test_call(test, kprobe_test_plain, 2);
	test_call(test, kprobe_test_traced, 2);
	KUNIT_EXPECT_EQ(test, test_pre_hits(other), 2);
	KUNIT_EXPECT_EQ(test, test_pre_hits(plain), 2);
	KUNIT_EXPECT_EQ(test, test_pre_hits(tp), 0);

	unregister_ftrace_function(&mover);
	set_armed(false);
	set_armed(true);
	test_call(test, kprobe_test_traced, 2);
	KUNIT_EXPECT_EQ(test, test_pre_hits(tp), 2);
}

/* Ftrace calls two ftrace_ops for one probed function; each handler runs once per call. */
static void claim_comes_later(struct kunit *test)
{
	struct test_probe *first = test_probe_new(test, kprobe_test_traced, WITH_PRE);
	struct test_probe *post;

	post = test_probe_new(test, kprobe_test_traced, WITH_PRE | WITH_POST);
	test_call(test, kprobe_test_traced, 5);
	KUNIT_EXPECT_EQ(test, test_pre_hits(first), 5);
	KUNIT_EXPECT_EQ(test, test_pre_hits(post), 5);
	KUNIT_EXPECT_EQ(test, test_post_hits(post), 5);

	KUNIT_ASSERT_EQ(test, 0, ftrace_set_filter_ip(&mover, entry_of(kprobe_test_traced),
						      0, 1));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, ops_drop, &mover));
	KUNIT_EXPECT_EQ(test, register_ftrace_function(&mover), -EBUSY);

	/* The claim stays with the site, and goes with it. */
	unregister_kprobe(&post->kp);
	test_call(test, kprobe_test_traced, 5);
	KUNIT_EXPECT_EQ(test, test_pre_hits(first), 10);
	KUNIT_EXPECT_EQ(test, test_pre_hits(post), 5);
	KUNIT_EXPECT_EQ(test, register_ftrace_function(&mover), -EBUSY);
	unregister_kprobe(&first->kp);
	KUNIT_EXPECT_EQ(test, register_ftrace_function(&mover), 0);
}

/**
 * struct watched - calls of kprobe_test_traced() while its probes change
 * @kp:		a probe that is there from when @round is set until after it is cleared
 * @hits:	of @kp, in the call that is being made
 * @round:	not 0: every call has to be hit
 * @stop:	make no more calls
 * @calls:	made while @round was set
 * @twice:	calls that ran the handler more than once
 * @lost:	calls that did not run it although @round was set
 * @done:	there will be no more calls
 */
struct watched {
	struct kprobe kp;
	atomic_t hits;
	unsigned int round;
	bool stop;
	atomic_t calls;
	unsigned int twice;
	unsigned int lost;
	struct completion done;
};

static int watched_hit(struct kprobe *p, struct pt_regs *regs)
{
	atomic_inc(&container_of(p, struct watched, kp)->hits);
	return 0;
}

static int watched_caller(void *data)
{
	struct watched *w = data;
	unsigned int round;
	bool there;
	int hits;

	while (!READ_ONCE(w->stop)) {
		atomic_set(&w->hits, 0);
		/* After registration; pairs with the store in claim_once(). */
		round = smp_load_acquire(&w->round);
		call_target(kprobe_test_traced, 1);
		hits = atomic_read(&w->hits);
		/* The call is over. */
		smp_mb();
		there = round && READ_ONCE(w->round) == round;
		w->twice += hits > 1;
		w->lost += there && !hits;
		if (there)
			atomic_inc(&w->calls);
		cond_resched();
	}
	complete(&w->done);
	return 0;
}

#define CLAIMS		20

/* One round: a probe, and then one that has the function claimed while it is called. */
static void claim_once(struct kunit *test, struct watched *w, struct test_probe *post,
		       unsigned int round)
{
	int calls = atomic_read(&w->calls);

	w->kp.addr = (kprobe_opcode_t *)kprobe_test_traced;
	w->kp.flags = 0;
	KUNIT_EXPECT_EQ(test, register_kprobe(&w->kp), 0);
	/* Pairs with the load in watched_caller(). */
	smp_store_release(&w->round, round);
	KUNIT_EXPECT_EQ(test, register_kprobe(&post->kp), 0);
	while (atomic_read(&w->calls) == calls)
		cond_resched();
	unregister_kprobe(&post->kp);
	post->kp.addr = (kprobe_opcode_t *)kprobe_test_traced;
	WRITE_ONCE(w->round, 0);
	/* Pairs with the barrier in watched_caller(). */
	smp_mb();
	unregister_kprobe(&w->kp);
}

static void claim_is_hit_once(struct kunit *test)
{
	struct test_probe *post = test_probe_at(test, kprobe_test_traced,
						WITH_PRE | WITH_POST);
	struct watched *w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, w);
	w->kp.pre_handler = watched_hit;
	init_completion(&w->done);
	KUNIT_ASSERT_FALSE(test, IS_ERR(kthread_run(watched_caller, w, "kprobes_call")));
	for (i = 0; i < CLAIMS; i++)
		claim_once(test, w, post, i + 1);
	WRITE_ONCE(w->stop, true);
	wait_for_completion(&w->done);
	KUNIT_EXPECT_EQ(test, w->twice, 0U);
	KUNIT_EXPECT_EQ(test, w->lost, 0U);
}

static struct kunit_case ftrace_cases[] = {
	KUNIT_CASE(entry_is_planted_through_ftrace),
	KUNIT_CASE(tracer_first),
	KUNIT_CASE(probe_first),
	KUNIT_CASE(filter_changes_in_place),
	KUNIT_CASE(redirected_is_busy),
	KUNIT_CASE(probe_keeps_redirectors_out),
	KUNIT_CASE(busy_one_in_a_batch),
	KUNIT_CASE(busy_when_enabled),
	KUNIT_CASE(busy_when_switched_back_on),
	KUNIT_CASE(claim_comes_later),
	KUNIT_CASE(claim_is_hit_once),
	{}
};

static struct kunit_suite ftrace_suite = {
	.name = "kprobes_ftrace",
	.test_cases = ftrace_cases,
};

kunit_test_suite(ftrace_suite);
