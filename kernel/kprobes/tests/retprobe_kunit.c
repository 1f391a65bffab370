// SPDX-License-Identifier: GPL-2.0-only
/* Return probes: all returns are seen. */
#include <linux/completion.h>
#include <linux/kprobes.h>
#include <linux/kthread.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/stacktrace.h>
#include <linux/wait_bit.h>

#include "../internal.h"
#include "tests.h"

/**
 * struct test_ret - a kretprobe that counts
 * @rp:		the kretprobe
 * @entries:	runs of the entry handler
 * @returns:	runs of the handler
 * @bad:	returns with a value or data that do not go with the entry
 * @veto:	number of entries at which the entry handler returns non-zero
 * @calls:	called by the handler, unless NULL
 */
struct test_ret {
	struct kretprobe rp;
	atomic_t entries;
	atomic_t returns;
	atomic_t bad;
	int veto;
	target_fn calls;
};

/* Data of an instance, in its first and last words. */
struct test_data {
	unsigned long arg;
	unsigned long pad[29];
	unsigned long again;
};

static struct test_ret *to_ret(struct kretprobe_instance *ri)
{
	return container_of(get_kretprobe(ri), struct test_ret, rp);
}

NOKPROBE_SYMBOL(to_ret);

static int on_entry(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct test_data *data = (void *)ri->data;
	struct test_ret *tr = to_ret(ri);

	if (atomic_inc_return(&tr->entries) <= tr->veto)
		return 1;
	data->arg = test_first_argument(regs);
	data->again = data->arg;
	return 0;
}

NOKPROBE_SYMBOL(on_entry);

static int on_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct test_data *data = (void *)ri->data;
	struct test_ret *tr = to_ret(ri);

	atomic_inc(&tr->returns);
	if (IS_ENABLED(CONFIG_HAVE_FUNCTION_ARG_ACCESS_API) &&
	    tr->rp.entry_handler &&
	    (data->arg != data->again ||
	     regs_return_value(regs) != data->arg + 1))
		atomic_inc(&tr->bad);
	if (!kprobe_running() ||
	    is_kretprobe_trampoline(get_kretprobe_retaddr(ri)))
		atomic_inc(&tr->bad);
	if (tr->calls && tr->calls(7) != 9)
		atomic_inc(&tr->bad);
	return 0;
}

NOKPROBE_SYMBOL(on_return);

static void test_ret_gone(void *rp)
{
	unregister_kretprobe(rp);
}

static struct test_ret *test_ret_at(struct kunit *test, void *addr)
{
	struct test_ret *tr = kunit_kzalloc(test, sizeof(*tr), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, tr);
	tr->rp.kp.addr = addr;
	tr->rp.handler = on_return;
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, test_ret_gone,
							   &tr->rp));
	return tr;
}

static struct test_ret *test_ret_new(struct kunit *test, void *addr, bool data)
{
	struct test_ret *tr = test_ret_at(test, addr);

	if (data) {
		tr->rp.entry_handler = on_entry;
		tr->rp.data_size = sizeof(struct test_data);
	}
	KUNIT_ASSERT_EQ(test, register_kretprobe(&tr->rp), 0);
	return tr;
}

#ifdef CONFIG_KRETPROBE_ON_RETHOOK
static unsigned int pool_size(struct test_ret *tr)
{
	struct rethook_stats stats;

	rethook_pool_stats(tr->rp.rh, &stats);
	return stats.nr_nodes;
}

static bool holds_instances(struct task_struct *task)
{
	return READ_ONCE(task->rethooks.first);
}
#else
static unsigned int pool_size(struct test_ret *tr)
{
	return 0;
}

static bool holds_instances(struct task_struct *task)
{
	return READ_ONCE(task->kretprobe_instances.first);
}
#endif

/* All @n returns were seen, and right. */
static void expect_returns(struct kunit *test, struct test_ret *tr, int n)
{
	KUNIT_EXPECT_EQ(test, atomic_read(&tr->returns), n);
	KUNIT_EXPECT_EQ(test, atomic_read(&tr->bad), 0);
	KUNIT_EXPECT_EQ(test, tr->rp.nmissed, 0);
	KUNIT_EXPECT_EQ(test, tr->rp.kp.nmissed, 0);
}

static void value_and_data(struct kunit *test)
{
	const struct test_target *t = test->param_value;
	struct test_ret *tr = test_ret_new(test, t->fn, true);

	test_call(test, t->fn, 100);
	KUNIT_EXPECT_EQ(test, atomic_read(&tr->entries), 100);
	expect_returns(test, tr, 100);
	unregister_kretprobe(&tr->rp);
	test_call(test, t->fn, 1);
	expect_returns(test, tr, 100);
}

static void entry_veto(struct kunit *test)
{
	const struct test_target *t = test->param_value;
	struct test_ret *tr = test_ret_at(test, t->fn);
	unsigned int size;

	tr->rp.entry_handler = on_entry;
	tr->rp.data_size = sizeof(struct test_data);
	tr->rp.maxactive = 1;
	tr->veto = 1000;
	KUNIT_ASSERT_EQ(test, register_kretprobe(&tr->rp), 0);
	size = pool_size(tr);
	test_call(test, t->fn, 1005);
	KUNIT_EXPECT_EQ(test, pool_size(tr), size);
	KUNIT_EXPECT_EQ(test, atomic_read(&tr->entries), 1005);
	expect_returns(test, tr, 5);
}

#ifdef CONFIG_HAVE_FUNCTION_ERROR_INJECTION
static int change_value(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	regs_set_return_value(regs, 4711);
	return 0;
}

NOKPROBE_SYMBOL(change_value);

static void handler_changes_the_value(struct kunit *test)
{
	const struct test_target *t = test->param_value;
	struct test_ret *tr = test_ret_at(test, t->fn);

	tr->rp.handler = change_value;
	KUNIT_ASSERT_EQ(test, register_kretprobe(&tr->rp), 0);
	KUNIT_EXPECT_EQ(test, call_target(t->fn, 1), 4711);
	unregister_kretprobe(&tr->rp);
	KUNIT_EXPECT_EQ(test, call_target(t->fn, 1), 2);
}
#else
static void handler_changes_the_value(struct kunit *test)
{
	kunit_skip(test, "no regs_set_return_value() here");
}
#endif

static void disable_and_enable(struct kunit *test)
{
	const struct test_target *t = test->param_value;
	struct test_ret *tr = test_ret_new(test, t->fn, true);

	test_call(test, t->fn, 2);
	KUNIT_EXPECT_EQ(test, disable_kretprobe(&tr->rp), 0);
	test_call(test, t->fn, 2);
	KUNIT_EXPECT_EQ(test, enable_kretprobe(&tr->rp), 0);
	test_call(test, t->fn, 2);
	expect_returns(test, tr, 4);
}

static void two_and_a_kprobe(struct kunit *test)
{
	const struct test_target *t = test->param_value;
	struct test_ret *a = test_ret_new(test, t->fn, true);
	struct test_probe *tp = test_probe_new(test, t->fn, WITH_PRE | WITH_POST);
	struct test_ret *b = test_ret_new(test, t->fn, true);

	test_call(test, t->fn, 10);
	expect_returns(test, a, 10);
	expect_returns(test, b, 10);
	KUNIT_EXPECT_EQ(test, test_pre_hits(tp), 10);
	KUNIT_EXPECT_EQ(test, test_post_hits(tp), 10);
	unregister_kretprobe(&a->rp);
	test_call(test, t->fn, 10);
	expect_returns(test, a, 10);
	expect_returns(test, b, 20);
	KUNIT_EXPECT_EQ(test, test_pre_hits(tp), 20);
}

static void handler_hits_a_probe(struct kunit *test)
{
	const struct test_target *t = test->param_value;
	struct test_probe *inner = test_probe_new(test, kprobe_test_inner, WITH_PRE);
	struct test_ret *tr = test_ret_at(test, t->fn);

	tr->calls = kprobe_test_inner;
	KUNIT_ASSERT_EQ(test, register_kretprobe(&tr->rp), 0);
	test_call(test, t->fn, 10);
	expect_returns(test, tr, 10);
	KUNIT_EXPECT_EQ(test, test_pre_hits(inner), 0);
	KUNIT_EXPECT_EQ(test, inner->kp.nmissed, 10);
	KUNIT_EXPECT_EQ(test, kprobe_test_inner(1), 3);
	KUNIT_EXPECT_EQ(test, test_pre_hits(inner), 1);
}

static void bad_registration(struct kunit *test)
{
	struct test_ret *tr = test_ret_at(test, kprobe_test_load);
	struct kretprobe *none = NULL;

	KUNIT_EXPECT_EQ(test, register_kretprobes(&none, 0), -EINVAL);
	tr->rp.kp.offset = 8;
	KUNIT_EXPECT_EQ(test, register_kretprobe(&tr->rp), -EINVAL);
	tr->rp.kp.offset = 0;
	tr->rp.data_size = KRETPROBE_MAX_DATA_SIZE + 1;
	KUNIT_EXPECT_EQ(test, register_kretprobe(&tr->rp), -E2BIG);
	tr->rp.data_size = KRETPROBE_MAX_DATA_SIZE;
	KUNIT_EXPECT_EQ(test, register_kretprobe(&tr->rp), 0);
	KUNIT_EXPECT_EQ(test, register_kretprobe(&tr->rp), -EINVAL);
	unregister_kretprobe(&tr->rp);

	tr = test_ret_at(test, NULL);
	KUNIT_EXPECT_EQ(test, register_kretprobe(&tr->rp), -EINVAL);
	tr->rp.kp.symbol_name = "no_such_symbol";
	KUNIT_EXPECT_EQ(test, register_kretprobe(&tr->rp), -ENOENT);
	tr->rp.kp.symbol_name = "get_kprobe";
	KUNIT_EXPECT_EQ(test, register_kretprobe(&tr->rp), -EINVAL);
	if (IS_ENABLED(CONFIG_X86)) {
		tr->rp.kp.symbol_name = "__switch_to";
		KUNIT_EXPECT_EQ(test, register_kretprobe(&tr->rp), -EINVAL);
	}
}

static void bad_one_in_a_batch(struct kunit *test)
{
	struct test_ret *tr[4];
	struct kretprobe *rps[4];
	int i;

	for (i = 0; i < 4; i++) {
		tr[i] = test_ret_at(test, test_many[i]);
		rps[i] = &tr[i]->rp;
	}
	rps[2]->data_size = KRETPROBE_MAX_DATA_SIZE + 1;
	KUNIT_EXPECT_EQ(test, register_kretprobes(rps, 4), -E2BIG);
	for (i = 0; i < 4; i++) {
		test_call(test, test_many[i], 1);
		expect_returns(test, tr[i], 0);
	}
	rps[2]->data_size = 0;
	KUNIT_EXPECT_EQ(test, register_kretprobes(rps, 4), 0);
	for (i = 0; i < 4; i++) {
		test_call(test, test_many[i], 1);
		expect_returns(test, tr[i], 1);
	}
	unregister_kretprobes(rps, 4);
}

/* More than the number of nodes of a new pool. */
#define DEPTH	64

static noinline __noclone unsigned long recurse_traced(unsigned long n)
{
	if (n)
		n = recurse_traced(n - 1);
	/* Work after the call keeps the compiler from making a loop of the recursion. */
	OPTIMIZER_HIDE_VAR(n);
	return n + 1;
}

static noinline __noclone notrace unsigned long recurse_plain(unsigned long n)
{
	if (n)
		n = recurse_plain(n - 1);
	n += 11;
	OPTIMIZER_HIDE_VAR(n);
	return n - 10;
}

static const struct test_target recursive[] = {
	{ "plain", false, recurse_plain },
	{ "traced", true, recurse_traced },
};

static void recursion(struct kunit *test)
{
	const struct test_target *t = test->param_value;
	struct test_ret *tr = test_ret_at(test, t->fn);
	int i;

	tr->rp.maxactive = 1;
	tr->rp.entry_handler = on_entry;
	tr->rp.data_size = sizeof(struct test_data);
	KUNIT_ASSERT_EQ(test, register_kretprobe(&tr->rp), 0);
	if (test_pool_grows_later(t->fn, DEPTH)) {
		atomic_set(&tr->returns, 0);
		tr->rp.nmissed = 0;
	}
	for (i = 0; i < 20; i++)
		KUNIT_EXPECT_EQ(test, call_target(t->fn, DEPTH), DEPTH + 1);
	expect_returns(test, tr, 20 * (DEPTH + 1));
}

static noinline __noclone unsigned long tail_end(unsigned long x)
{
	OPTIMIZER_HIDE_VAR(x);
	return x + 1;
}

/* The compiler turns the calls in these into jumps. */
static noinline __noclone unsigned long tail_middle(unsigned long x)
{
	OPTIMIZER_HIDE_VAR(x);
	return tail_end(x);
}

static noinline __noclone notrace unsigned long tail_start(unsigned long x)
{
	OPTIMIZER_HIDE_VAR(x);
	return tail_middle(x);
}

static void tail_calls(struct kunit *test)
{
	struct test_ret *start = test_ret_new(test, tail_start, true);
	struct test_ret *middle = test_ret_new(test, tail_middle, true);
	struct test_ret *end = test_ret_new(test, tail_end, true);

	test_call(test, tail_start, 10);
	expect_returns(test, start, 10);
	expect_returns(test, middle, 10);
	expect_returns(test, end, 10);
}

#define NR_SLEEPERS	200

/* Many more calls than maxactive: the pool has to grow. */
static void many_asleep_inside(struct kunit *test)
{
	struct test_ret *tr = test_ret_new(test, test_sleep_here, true);
	struct sleepers *s = sleepers_start(test, NR_SLEEPERS);

	expect_returns(test, tr, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&tr->entries), NR_SLEEPERS);
	sleepers_wake(s, NR_SLEEPERS);
	expect_returns(test, tr, NR_SLEEPERS);
}

/* Calls in flight return to their callers, and no handler runs. */
static void unregistered_while_asleep(struct kunit *test)
{
	struct test_ret *tr = test_ret_new(test, test_sleep_here, true);
	struct sleepers *s = sleepers_start(test, 50);

	unregister_kretprobe(&tr->rp);
	sleepers_wake(s, 50);
	expect_returns(test, tr, 0);
}

static void registered_again_while_asleep(struct kunit *test)
{
	struct test_ret *tr = test_ret_new(test, test_sleep_here, true);
	struct sleepers *old = sleepers_start(test, 20), *new;

	unregister_kretprobe(&tr->rp);
	KUNIT_ASSERT_EQ(test, register_kretprobe(&tr->rp), 0);
	new = sleepers_start(test, 20);
	sleepers_wake(old, 20);
	sleepers_wake(new, 20);
	/* Earlier calls belong to the earlier registration. */
	expect_returns(test, tr, 20);
}

/* Bounded, to fail rather than to hang. */
static bool wait_for_flush(struct task_struct *task)
{
	int i;

	for (i = 0; i < 1000 && holds_instances(task); i++)
		schedule_timeout_uninterruptible(1);
	return !holds_instances(task);
}

/* A task that exits in the function never returns; its node goes back to the pool. */
static void exit_inside(struct kunit *test)
{
	struct test_ret *tr = test_ret_new(test, test_sleep_here, true);
	struct sleepers *s = sleepers_make(test);
	unsigned int size = pool_size(tr), i;
	struct task_struct *task;
	bool flushed;

	s->exit = true;
	complete_all(&s->go);
	for (i = 0; i < 2 * size + 10; i++) {
		task = kthread_create(test_sleeper, s, "kprobes_exit");
		KUNIT_ASSERT_FALSE(test, IS_ERR(task));
		get_task_struct(task);
		wake_up_process(task);
		wait_var_event(&s->back, atomic_read(&s->back) == i + 1);
		flushed = wait_for_flush(task);
		put_task_struct(task);
		KUNIT_ASSERT_TRUE(test, flushed);
	}
	KUNIT_EXPECT_EQ(test, atomic_read(&tr->entries), i);
	expect_returns(test, tr, 0);
	KUNIT_EXPECT_EQ(test, pool_size(tr), size);
}

#ifdef CONFIG_ARCH_CORRECT_STACKTRACE_ON_KRETPROBE
static struct test_trace *trace_handler;

static int trace_on_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct test_trace *tr = trace_handler;

	if (tr)
		tr->nr = stack_trace_save_regs(regs, tr->entries,
					       ARRAY_SIZE(tr->entries), 0);
	return 0;
}

/* The same call, before and after all functions on the way are hooked. */
static void stack_trace_through_hooks(struct kunit *test)
{
	static void * const fns[] = {
		test_trace_inner, test_trace_middle, test_trace_outer,
	};
	struct test_trace *before = test_trace_make(test);
	struct test_trace *after = test_trace_make(test);
	struct test_ret *tr;
	unsigned int i, round;

	trace_handler = NULL;
	for (round = 0; round < 2; round++) {
		for (i = 0; round && i < 3; i++) {
			tr = test_ret_at(test, fns[i]);
			tr->rp.handler = trace_on_return;
			KUNIT_ASSERT_EQ(test, register_kretprobe(&tr->rp), 0);
		}
		KUNIT_EXPECT_EQ(test, test_trace_call(round ? after : before), 2);
	}
	test_trace_expect_same(test, after, before, stack_trace_through_hooks);
}

/* From the handler: as if the function had just returned. */
static void stack_trace_in_a_handler(struct kunit *test)
{
	struct test_ret *inner = test_ret_at(test, test_trace_inner);
	struct test_ret *outer = test_ret_new(test, test_trace_outer, false);
	struct test_trace *inside = test_trace_make(test);

	trace_handler = test_trace_make(test);
	inner->rp.handler = trace_on_return;
	KUNIT_ASSERT_EQ(test, register_kretprobe(&inner->rp), 0);
	KUNIT_EXPECT_EQ(test, test_trace_call(inside), 2);
	expect_returns(test, outer, 1);
	unregister_kretprobe(&inner->rp);
	/* The trace of the caller is the outer part of the trace inside of the function. */
	test_trace_expect_tail(test, trace_handler, 0, inside);
}
#else
static void stack_trace_through_hooks(struct kunit *test)
{
	kunit_skip(test, "this architecture does not unwind through hooks");
}

static void stack_trace_in_a_handler(struct kunit *test)
{
	kunit_skip(test, "this architecture does not unwind through hooks");
}
#endif

/* Register and unregister while other tasks call: all calls return. */
static void racing_registration(struct kunit *test)
{
	const struct test_target *t = test->param_value;
	struct test_ret *stays = test_ret_new(test, t->fn, true);
	struct test_ret *tr = test_ret_at(test, t->fn);
	struct callers *c;
	int i;

	tr->rp.entry_handler = on_entry;
	tr->rp.data_size = sizeof(struct test_data);
	c = callers_start(test, t->fn, 8);
	for (i = 0; i < 200 && callers_busy(c); i++) {
		KUNIT_EXPECT_EQ(test, register_kretprobe(&tr->rp), 0);
		schedule();
		unregister_kretprobe(&tr->rp);
	}
	callers_wait(c);
	KUNIT_EXPECT_EQ(test, atomic_read(&c->wrong), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&tr->bad), 0);
	KUNIT_EXPECT_LE(test, atomic_read(&tr->returns), c->nr * CALLS_EACH);
	expect_returns(test, stays, c->nr * CALLS_EACH);
}

KUNIT_ARRAY_PARAM_DESC(target, test_targets, name);
KUNIT_ARRAY_PARAM_DESC(recursive, recursive, name);

static struct kunit_case retprobe_cases[] = {
	KUNIT_CASE_PARAM(value_and_data, target_gen_params),
	KUNIT_CASE_PARAM(entry_veto, target_gen_params),
	KUNIT_CASE_PARAM(handler_changes_the_value, target_gen_params),
	KUNIT_CASE_PARAM(disable_and_enable, target_gen_params),
	KUNIT_CASE_PARAM(two_and_a_kprobe, target_gen_params),
	KUNIT_CASE_PARAM(handler_hits_a_probe, target_gen_params),
	KUNIT_CASE(bad_registration),
	KUNIT_CASE(bad_one_in_a_batch),
	KUNIT_CASE_PARAM(recursion, recursive_gen_params),
	KUNIT_CASE(tail_calls),
	KUNIT_CASE(many_asleep_inside),
	KUNIT_CASE(unregistered_while_asleep),
	KUNIT_CASE(registered_again_while_asleep),
	KUNIT_CASE(exit_inside),
	KUNIT_CASE(stack_trace_through_hooks),
	KUNIT_CASE(stack_trace_in_a_handler),
	KUNIT_CASE_PARAM(racing_registration, target_gen_params),
	{}
};

static struct kunit_suite retprobe_suite = {
	.name = "kprobes_retprobe",
	.test_cases = retprobe_cases,
};

kunit_test_suite(retprobe_suite);
