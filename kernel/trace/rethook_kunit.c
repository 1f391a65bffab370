// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of hooked calls.
 *
 * The functions are in this file. A kprobe at the entry of each plants a node, as users of rethook
 * do.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/irq_work.h>
#include <linux/kprobes.h>
#include <linux/kthread.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/rethook.h>
#include <linux/sched.h>
#include <linux/stacktrace.h>

#include "rethook_kunit.h"

#define NR_SLEEPERS	1000

static void note_return(struct rethook_node *node, void *data, unsigned long ret_addr,
			struct pt_regs *regs)
{
	struct test_node *tn = container_of(node, struct test_node, node);
	struct test_hook *hook = data;
	int nth = atomic_inc_return(&hook->returns) - 1;

	if (nth >= MAX_RETURNS)
		return;
	hook->order[nth] = tn->call;
	hook->result[nth] = regs_return_value(regs);
	hook->ret_addr = ret_addr;
	hook->regs_ip = instruction_pointer(regs);
	hook->regs_sp = kernel_stack_pointer(regs);
	hook->regs_user = user_mode(regs);
	hook->frame = node->frame;
	hook->nr_frames = stack_trace_save(hook->frames, NR_FRAMES, 0);
}

NOKPROBE_SYMBOL(note_return);

static int plant_node(struct kprobe *kp, struct pt_regs *regs)
{
	struct test_hook *hook = container_of(kp, struct test_hook, kp);
	struct rethook_node *node = rethook_try_get(hook->rh);

	if (!node) {
		atomic_inc(&hook->missed);
		return 0;
	}
	container_of(node, struct test_node, node)->call = atomic_inc_return(&hook->calls);
	rethook_hook(node, regs, false);
	return 0;
}

NOKPROBE_SYMBOL(plant_node);

static struct test_hook *hook_function(struct kunit *test, void *function)
{
	struct test_hook *hook = kunit_kzalloc(test, sizeof(*hook), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, hook);
	test_pool(test, hook, note_return, 1);
	hook->kp.addr = dereference_symbol_descriptor(function);
	hook->kp.pre_handler = plant_node;
	KUNIT_ASSERT_EQ(test, register_kprobe(&hook->kp), 0);
	return hook;
}

/* When this returns, no handler runs. Nodes may still be planted. */
static void unhook(struct test_hook *hook)
{
	unregister_kprobe(&hook->kp);
	rethook_free(hook->rh);
	synchronize_rcu();
}

static void unhook_all(struct kunit *test, struct test_hook *hook)
{
	unhook(hook);
	expect_freed(test, hook);
}

static noinline unsigned long test_double(unsigned long x)
{
	barrier();
	return 2 * x;
}

static void returns_are_seen(struct kunit *test)
{
	struct test_hook *hook = hook_function(test, test_double);

	KUNIT_EXPECT_EQ(test, test_double(21), 42);
	KUNIT_EXPECT_EQ(test, test_double(4), 8);
	KUNIT_EXPECT_EQ(test, atomic_read(&hook->returns), 2);
	KUNIT_EXPECT_EQ(test, hook->result[0], 42);
	KUNIT_EXPECT_EQ(test, hook->result[1], 8);
	KUNIT_EXPECT_EQ(test, hook->regs_ip, hook->ret_addr);
	/* The trampoline of riscv saves no status. */
	if (!IS_ENABLED(CONFIG_RISCV))
		KUNIT_EXPECT_FALSE(test, hook->regs_user);
	/* On x86 the frame is the address of the return address, which RET has popped. */
	if (IS_ENABLED(CONFIG_X86))
		KUNIT_EXPECT_EQ(test, hook->regs_sp, hook->frame + sizeof(long));
	KUNIT_EXPECT_NULL(test, current->rethooks.first);
	KUNIT_EXPECT_EQ(test, nr_lost(hook->rh), 0);
	unhook_all(test, hook);
	KUNIT_EXPECT_EQ(test, test_double(1), 2);
	KUNIT_EXPECT_EQ(test, atomic_read(&hook->returns), 2);
}

static noinline unsigned long test_sum_to(unsigned long n)
{
	unsigned long sum = n ? test_sum_to(n - 1) : 0;

	barrier();
	return sum + n;
}

static void recursion(struct kunit *test)
{
	struct test_hook *hook = hook_function(test, test_sum_to);
	unsigned int i;

	KUNIT_EXPECT_EQ(test, test_sum_to(19), 190);
	KUNIT_EXPECT_EQ(test, atomic_read(&hook->missed), 0);
	KUNIT_ASSERT_EQ(test, atomic_read(&hook->returns), 20);
	for (i = 0; i < 20; i++) {
		KUNIT_EXPECT_EQ(test, hook->order[i], 20 - i);
		KUNIT_EXPECT_EQ(test, hook->result[i], i * (i + 1) / 2);
	}
	unhook_all(test, hook);
}

/* Both hooks of a call get its real return address. */
static void hooked_twice(struct kunit *test)
{
	struct test_hook *a = hook_function(test, test_double);
	struct test_hook *b = hook_function(test, test_double);

	KUNIT_EXPECT_EQ(test, test_double(5), 10);
	KUNIT_EXPECT_EQ(test, a->result[0], 10);
	KUNIT_EXPECT_EQ(test, b->result[0], 10);
	KUNIT_EXPECT_EQ(test, a->ret_addr, b->ret_addr);
	KUNIT_EXPECT_EQ(test, a->regs_ip, b->regs_ip);
	KUNIT_EXPECT_FALSE(test, is_rethook_trampoline(a->ret_addr));
	KUNIT_EXPECT_NULL(test, current->rethooks.first);

	/* One hook is removed. */
	unhook_all(test, a);
	KUNIT_EXPECT_EQ(test, test_double(6), 12);
	KUNIT_EXPECT_EQ(test, atomic_read(&a->returns), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&b->returns), 2);
	unhook_all(test, b);
}

struct trace {
	unsigned long	frames[NR_FRAMES];
	unsigned int	nr;
};

static noinline unsigned long test_trace(struct trace *trace)
{
	trace->nr = stack_trace_save(trace->frames, NR_FRAMES, 0);
	return trace->nr;
}

static void expect_frame(struct kunit *test, unsigned long *frames, unsigned int nr,
			 unsigned long ret_addr)
{
	unsigned int i, found = 0;

	for (i = 0; i < nr; i++) {
		KUNIT_EXPECT_FALSE(test, is_rethook_trampoline(frames[i]));
		found += frames[i] == ret_addr;
	}
	KUNIT_EXPECT_EQ(test, found, 1);
}

static void need_stack_traces(struct kunit *test)
{
	if (!IS_ENABLED(CONFIG_STACKTRACE) || IS_ENABLED(CONFIG_UNWINDER_GUESS))
		kunit_skip(test, "no reliable stack traces in this configuration");
	if (!IS_ENABLED(CONFIG_ARCH_CORRECT_STACKTRACE_ON_KRETPROBE))
		kunit_skip(test, "this architecture does not unwind through hooks");
}

/* Stack traces from the function and from the handler, with one node and with two. */
static void stack_traces(struct kunit *test)
{
	struct test_hook *a, *b;
	struct trace trace = {};

	need_stack_traces(test);
	a = hook_function(test, test_trace);
	test_trace(&trace);
	expect_frame(test, trace.frames, trace.nr, a->ret_addr);
	expect_frame(test, a->frames, a->nr_frames, a->ret_addr);

	b = hook_function(test, test_trace);
	test_trace(&trace);
	expect_frame(test, trace.frames, trace.nr, a->ret_addr);
	expect_frame(test, a->frames, a->nr_frames, a->ret_addr);
	expect_frame(test, b->frames, b->nr_frames, a->ret_addr);
	unhook_all(test, b);
	unhook_all(test, a);
}

static noinline unsigned long test_in_interrupt(unsigned long x)
{
	barrier();
	return x + 1;
}

static unsigned long interrupt_result;

static void call_in_interrupt(struct irq_work *work)
{
	interrupt_result = test_in_interrupt(41);
}

static noinline unsigned long test_interrupted(unsigned long x)
{
	struct irq_work work = IRQ_WORK_INIT_HARD(call_in_interrupt);

	irq_work_queue(&work);
	irq_work_sync(&work);
	return x;
}

static void in_interrupt_on_top(struct kunit *test)
{
	struct test_hook *task = hook_function(test, test_interrupted);
	struct test_hook *irq = hook_function(test, test_in_interrupt);

	interrupt_result = 0;
	KUNIT_EXPECT_EQ(test, test_interrupted(7), 7);
	KUNIT_EXPECT_EQ(test, interrupt_result, 42);
	KUNIT_EXPECT_EQ(test, task->result[0], 7);
	KUNIT_EXPECT_EQ(test, irq->result[0], 42);
	KUNIT_EXPECT_NULL(test, current->rethooks.first);
	unhook_all(test, irq);
	unhook_all(test, task);
}

/* Plant the node of a call that never returns, above the node of this call. */
static noinline unsigned long test_leaves_node(struct rethook *rh)
{
	struct test_node *tn;
	unsigned long local;

	preempt_disable();
	tn = get_node(rh);
	if (tn) {
		tn->node.frame = (unsigned long)&local;
		tn->node.ret_addr = (unsigned long)test_leaves_node;
		llist_add(&tn->node.llist, &current->rethooks);
	}
	preempt_enable();
	return !tn;
}

static void abandoned_calls(struct kunit *test)
{
	struct test_hook *hook = hook_function(test, test_leaves_node);
	struct test_hook other = {};

	test_pool(test, &other, note_return, 1);
	KUNIT_EXPECT_EQ(test, test_leaves_node(other.rh), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&hook->returns), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&other.returns), 0);
	KUNIT_EXPECT_NULL(test, current->rethooks.first);
	KUNIT_EXPECT_EQ(test, nr_lost(other.rh), 0);
	rethook_free(other.rh);
	expect_freed(test, &other);
	unhook_all(test, hook);
}

static noinline int test_exits(void *started)
{
	complete(started);
	kthread_exit(0);
}

/* A task that exits inside a hooked call gives the node back. */
static void exit_in_hooked_call(struct kunit *test)
{
	struct test_hook *hook = hook_function(test, test_exits);
	DECLARE_COMPLETION_ONSTACK(started);
	struct task_struct *task = kthread_create(test_exits, &started, "rethook-exits");

	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	get_task_struct(task);
	wake_up_process(task);
	wait_for_completion(&started);
	kthread_stop_put(task);
	KUNIT_EXPECT_EQ(test, atomic_read(&hook->calls), 1);
	unhook_all(test, hook);
	KUNIT_EXPECT_EQ(test, atomic_read(&hook->returns), 0);
}

struct sleepers {
	struct test_hook	*hook;
	struct completion	wake;
	struct completion	all_done;
	atomic_t		left;
	unsigned int		nr;
	struct task_struct	*tasks[NR_SLEEPERS];
};

static noinline unsigned long test_sleeps(struct sleepers *sleepers)
{
	wait_for_completion_state(&sleepers->wake, TASK_IDLE);
	return 1;
}

static int sleeper_thread(void *data)
{
	struct sleepers *sleepers = data;

	test_sleeps(sleepers);
	if (atomic_dec_and_test(&sleepers->left))
		complete(&sleepers->all_done);
	return 0;
}

static struct sleepers *all_asleep(struct kunit *test, struct test_hook *hook, unsigned int nr)
{
	struct sleepers *sleepers = kunit_kzalloc(test, sizeof(*sleepers), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, sleepers);
	sleepers->hook = hook;
	init_completion(&sleepers->wake);
	init_completion(&sleepers->all_done);
	atomic_set(&sleepers->left, nr);
	sleepers->nr = nr;
	for (i = 0; i < nr; i++) {
		struct task_struct *task = kthread_create(sleeper_thread, sleepers,
							  "rethook-sleeps/%u", i);

		KUNIT_ASSERT_FALSE(test, IS_ERR(task));
		sleepers->tasks[i] = get_task_struct(task);
	}
	for (i = 0; i < nr; i++)
		wake_up_process(sleepers->tasks[i]);
	for (i = 0; i < nr; i++)
		while (!wait_task_inactive(sleepers->tasks[i], TASK_IDLE))
			cond_resched();
	return sleepers;
}

static void all_awake(struct sleepers *sleepers)
{
	unsigned int i;

	complete_all(&sleepers->wake);
	wait_for_completion(&sleepers->all_done);
	for (i = 0; i < sleepers->nr; i++)
		put_task_struct(sleepers->tasks[i]);
}

static void a_thousand_asleep(struct kunit *test)
{
	struct test_hook *hook = hook_function(test, test_sleeps);
	struct sleepers *sleepers = all_asleep(test, hook, NR_SLEEPERS);

	KUNIT_EXPECT_EQ(test, atomic_read(&hook->calls), NR_SLEEPERS);
	KUNIT_EXPECT_EQ(test, atomic_read(&hook->returns), 0);
	all_awake(sleepers);
	KUNIT_EXPECT_EQ(test, atomic_read(&hook->missed), 0);
	KUNIT_EXPECT_EQ(test, nr_exhausted(hook->rh), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&hook->returns), NR_SLEEPERS);
	KUNIT_EXPECT_EQ(test, nr_lost(hook->rh), 0);
	unhook_all(test, hook);
}

/* The hook is freed while calls sleep. They return, and the handler does not run. */
static void unhooked_while_asleep(struct kunit *test)
{
	struct test_hook *hook = hook_function(test, test_sleeps);
	struct sleepers *sleepers = all_asleep(test, hook, 100);

	unhook(hook);
	rcu_barrier();
	KUNIT_EXPECT_FALSE(test, completion_done(&hook->freed));
	all_awake(sleepers);
	expect_freed(test, hook);
	KUNIT_EXPECT_EQ(test, atomic_read(&hook->returns), 0);
}

static void stack_of_sleeper(struct kunit *test)
{
	struct test_hook *hook;
	struct sleepers *sleepers;
	struct trace trace = {};
	unsigned long ret_addr;

	need_stack_traces(test);
	hook = hook_function(test, test_sleeps);
	sleepers = all_asleep(test, hook, 10);
	trace.nr = stack_trace_save_tsk(sleepers->tasks[7], trace.frames, NR_FRAMES, 0);
	ret_addr = llist_entry(sleepers->tasks[7]->rethooks.first, struct rethook_node,
			       llist)->ret_addr;
	expect_frame(test, trace.frames, trace.nr, ret_addr);
	all_awake(sleepers);
	unhook_all(test, hook);
}

static struct kunit_case rethook_cases[] = {
	KUNIT_CASE(returns_are_seen),
	KUNIT_CASE(recursion),
	KUNIT_CASE(hooked_twice),
	KUNIT_CASE(stack_traces),
	KUNIT_CASE(in_interrupt_on_top),
	KUNIT_CASE(abandoned_calls),
	KUNIT_CASE(exit_in_hooked_call),
	KUNIT_CASE_SLOW(a_thousand_asleep),
	KUNIT_CASE(unhooked_while_asleep),
	KUNIT_CASE(stack_of_sleeper),
	{}
};

static struct kunit_suite rethook_suite = {
	.name = "rethook",
	.test_cases = rethook_cases,
};

kunit_test_suite(rethook_suite);

MODULE_DESCRIPTION("KUnit tests of return hooks");
MODULE_LICENSE("GPL");
