// SPDX-License-Identifier: GPL-2.0-only
/* Hits of fprobes: state and rights of handlers, and calls that handlers do not see. */
#include <linux/fprobe.h>
#include <linux/ftrace.h>
#include <linux/irq_work.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <linux/sched/task_stack.h>
#include <linux/stacktrace.h>

#include <asm/switch_to.h>

#include "fprobes.h"

static void entry_and_exit(struct kunit *test)
{
	struct test_fprobe *tf = test_fprobe_at(test, fprobe_test_one, WITH_ALL);
	int i;

	for (i = 0; i < 1000; i++)
		KUNIT_EXPECT_EQ(test, fprobe_test_call(fprobe_test_one, i), i + 1);
	test_fprobe_expect(test, tf, 1000, 1000, 0);
	KUNIT_EXPECT_EQ(test, tf->entry_ip, ftrace_location(fprobe_test_address(fprobe_test_one)));
	KUNIT_EXPECT_TRUE(test, test_is_inside(tf->caller, fprobe_test_call));
	KUNIT_EXPECT_LT(test, tf->when_entry, tf->when_exit);
}

/* Data that the two handlers share */

/**
 * struct filler - an fprobe that fills the data that its handlers share
 * @fp:		the fprobe
 * @bad:	exits that did not find the data of their entry
 * @exits:	exits
 */
struct filler {
	struct fprobe fp;
	int bad;
	int exits;
};

static int fill_data(struct fprobe *fp, unsigned long entry_ip, unsigned long ret_ip,
		     struct pt_regs *regs, void *entry_data)
{
	/* The stack pointer differs for each call of a recursion. */
	memset(entry_data, kernel_stack_pointer(regs) >> 3, fp->entry_data_size);
	return 0;
}

NOKPROBE_SYMBOL(fill_data);

static void check_data(struct fprobe *fp, unsigned long entry_ip, unsigned long ret_ip,
		       struct pt_regs *regs, void *entry_data)
{
	struct filler *f = container_of(fp, struct filler, fp);
	/* A return takes its address off the stack, or out of a register. */
	size_t returned = IS_ENABLED(CONFIG_X86) ? sizeof(long) : 0;
	u8 good = (kernel_stack_pointer(regs) - returned) >> 3;

	if (memchr_inv(entry_data, good, fp->entry_data_size))
		f->bad++;
	f->exits++;
}

NOKPROBE_SYMBOL(check_data);

static const size_t data_sizes[] = { 1, 2, 7, 8, 9, 56, 64, 65, 200, 4096, 10000 };

static void size_desc(const size_t *size, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%zu bytes", *size);
}

KUNIT_ARRAY_PARAM(data_size, data_sizes, size_desc);

#define DEPTH	40

/* Each call in flight has data of its own. */
static void data_of_every_call(struct kunit *test)
{
	struct filler f = {
		.fp.entry_handler = fill_data,
		.fp.exit_handler = check_data,
		.fp.entry_data_size = *(const size_t *)test->param_value,
	};
	int i;

	if (!IS_ENABLED(CONFIG_X86_64) && !IS_ENABLED(CONFIG_ARM64))
		kunit_skip(test, "where the stack pointer is at exits is not known here");
	KUNIT_ASSERT_EQ(test, register_fprobe(&f.fp, "fprobe_test_recurse", NULL), 0);
	if (test_pool_grows_later(fprobe_test_recurse, DEPTH)) {
		f.exits = 0;
		f.fp.nmissed = 0;
	}
	for (i = 0; i < 5; i++)
		KUNIT_EXPECT_EQ(test, fprobe_test_recurse(DEPTH), DEPTH + 1);
	KUNIT_EXPECT_EQ(test, unregister_fprobe(&f.fp), 0);
	KUNIT_EXPECT_EQ(test, f.bad, 0);
	KUNIT_EXPECT_EQ(test, f.exits, 5 * (DEPTH + 1));
	KUNIT_EXPECT_EQ(test, f.fp.nmissed, 0);
}

static void recursion(struct kunit *test)
{
	struct test_fprobe *tf = test_fprobe_at(test, fprobe_test_recurse, WITH_ALL);

	if (test_pool_grows_later(fprobe_test_recurse, DEPTH)) {
		atomic_set(&tf->entries, 0);
		atomic_set(&tf->exits, 0);
		tf->fp.nmissed = 0;
	}
	KUNIT_EXPECT_EQ(test, fprobe_test_recurse(DEPTH), DEPTH + 1);
	test_fprobe_expect(test, tf, DEPTH + 1, DEPTH + 1, 0);
}

/* Vetoes, disabled fprobes, limits */

static void veto(struct kunit *test)
{
	struct test_fprobe *tf = test_fprobe_make(test, WITH_ALL);
	struct test_fprobe *other = test_fprobe_at(test, fprobe_test_one, WITH_ALL);

	tf->veto = 1000;
	tf->fp.nr_maxactive = 1;
	KUNIT_ASSERT_EQ(test, register_fprobe(&tf->fp, "fprobe_test_one", NULL), 0);
	test_call(test, fprobe_test_one, 1005);
	test_fprobe_expect(test, tf, 1005, 5, 0);
	test_fprobe_expect(test, other, 1005, 1005, 0);
}

static void disable_and_enable(struct kunit *test)
{
	struct test_fprobe *tf = test_fprobe_at(test, fprobe_test_one, WITH_ALL);
	struct test_fprobe *entry = test_fprobe_at(test, fprobe_test_one, WITH_ENTRY);
	struct test_fprobe *other = test_fprobe_at(test, fprobe_test_one, WITH_ALL);

	test_call(test, fprobe_test_one, 2);
	disable_fprobe(&tf->fp);
	disable_fprobe(&entry->fp);
	KUNIT_EXPECT_TRUE(test, fprobe_disabled(&tf->fp));
	test_call(test, fprobe_test_one, 2);
	disable_fprobe(&tf->fp);
	enable_fprobe(&tf->fp);
	enable_fprobe(&entry->fp);
	KUNIT_EXPECT_FALSE(test, fprobe_disabled(&tf->fp));
	test_call(test, fprobe_test_one, 2);
	test_fprobe_expect(test, tf, 4, 4, 0);
	test_fprobe_expect(test, entry, 4, 0, 0);
	test_fprobe_expect(test, other, 6, 6, 0);
}

/**
 * struct inside - an operation that is done inside of a call
 * @tf:		the fprobe, which is at the function
 * @ret:	the result
 */
struct inside {
	struct test_fprobe *tf;
	int ret;
};

static noinline __noclone unsigned long disable_inside(unsigned long x)
{
	struct inside *in = (struct inside *)x;

	disable_fprobe(&in->tf->fp);
	return x + 1;
}

static void disabled_within_a_call(struct kunit *test)
{
	struct inside in = { .tf = test_fprobe_at(test, disable_inside, WITH_ALL) };
	unsigned long x = (unsigned long)&in;

	KUNIT_EXPECT_EQ(test, disable_inside(x), x + 1);
	test_fprobe_expect(test, in.tf, 1, 0, 0);
	/* No node is lost. */
	enable_fprobe(&in.tf->fp);
	KUNIT_EXPECT_EQ(test, disable_inside(x), x + 1);
	test_fprobe_expect(test, in.tf, 2, 0, 0);
}

static noinline __noclone unsigned long unregister_inside(unsigned long x)
{
	struct inside *in = (struct inside *)x;

	in->ret = unregister_fprobe(&in->tf->fp);
	in->tf->gone = true;
	return x + 1;
}

static void unregistered_within_a_call(struct kunit *test)
{
	struct inside in = { .tf = test_fprobe_at(test, unregister_inside, WITH_ALL) };
	unsigned long x = (unsigned long)&in;

	in.ret = 1;
	KUNIT_EXPECT_EQ(test, unregister_inside(x), x + 1);
	KUNIT_EXPECT_EQ(test, in.ret, 0);
	test_fprobe_expect(test, in.tf, 1, 0, 0);
}

static const int depths[] = { 1, 2, 3, 7, 33 };

static void depth_desc(const int *depth, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%d", *depth);
}

KUNIT_ARRAY_PARAM(depth, depths, depth_desc);

/* Calls beyond the limit are not seen. */
static void limit(struct kunit *test)
{
	struct test_fprobe *unlimited = test_fprobe_at(test, fprobe_test_recurse, WITH_ALL);
	struct test_fprobe *tf = test_fprobe_make(test, WITH_ALL);
	struct test_fprobe *at_exit = test_fprobe_make(test, WITH_EXIT);
	const int most = *(const int *)test->param_value;

	tf->fp.nr_maxactive = most;
	at_exit->fp.nr_maxactive = most;
	KUNIT_ASSERT_EQ(test, register_fprobe(&tf->fp, "fprobe_test_recurse", NULL), 0);
	KUNIT_ASSERT_EQ(test, register_fprobe(&at_exit->fp, "fprobe_test_recurse", NULL), 0);

	KUNIT_EXPECT_EQ(test, fprobe_test_recurse(most - 1), most);
	test_fprobe_expect(test, tf, most, most, 0);
	KUNIT_EXPECT_EQ(test, fprobe_test_recurse(most + 2), most + 3);
	test_fprobe_expect(test, tf, 2 * most, 2 * most, 3);
	test_fprobe_expect(test, at_exit, 0, 2 * most, 3);
	test_fprobe_expect(test, unlimited, 2 * most + 3, 2 * most + 3, 0);

	/* Registration resets the count. */
	KUNIT_EXPECT_EQ(test, unregister_fprobe(&tf->fp), 0);
	KUNIT_EXPECT_EQ(test, tf->fp.nmissed, 3);
	KUNIT_ASSERT_EQ(test, register_fprobe(&tf->fp, "fprobe_test_recurse", NULL), 0);
	KUNIT_EXPECT_EQ(test, tf->fp.nmissed, 0);
}

/* Calls with a veto do not count for the limit. */
static void limit_and_veto(struct kunit *test)
{
	struct test_fprobe *tf = test_fprobe_make(test, WITH_ALL);

	tf->fp.nr_maxactive = 1;
	tf->veto = INT_MAX;
	KUNIT_ASSERT_EQ(test, register_fprobe(&tf->fp, "fprobe_test_recurse", NULL), 0);
	KUNIT_EXPECT_EQ(test, fprobe_test_recurse(9), 10);
	test_fprobe_expect(test, tf, 10, 0, 0);
}

/* Handlers that change things */

/* Registers of the first two arguments, on architectures that are known here. */
#if defined(CONFIG_X86_64)
#define FIRST_REG(r)		((r)->di)
#define SECOND_REG(r)		((r)->si)
#elif defined(CONFIG_ARM64)
#define FIRST_REG(r)		((r)->regs[0])
#define SECOND_REG(r)		((r)->regs[1])
#endif

#ifdef FIRST_REG
static int change_argument(struct fprobe *fp, unsigned long entry_ip, unsigned long ret_ip,
			   struct pt_regs *regs, void *entry_data)
{
	FIRST_REG(regs) += 100;
	return 0;
}

static void arguments_can_be_changed(struct kunit *test)
{
	struct fprobe fp = { .entry_handler = change_argument };

	KUNIT_ASSERT_EQ(test, register_fprobe(&fp, "fprobe_test_one", NULL), 0);
	KUNIT_EXPECT_EQ(test, call_target(fprobe_test_one, 1), 102);
	KUNIT_EXPECT_EQ(test, unregister_fprobe(&fp), 0);
	test_call(test, fprobe_test_one, 1);
}
#else
static void arguments_can_be_changed(struct kunit *test)
{
	kunit_skip(test, "which register it is in is not known here");
}
#endif

static void change_result(struct fprobe *fp, unsigned long entry_ip, unsigned long ret_ip,
			  struct pt_regs *regs, void *entry_data)
{
	regs_set_return_value(regs, regs_return_value(regs) + 100);
}

static void results_can_be_changed(struct kunit *test)
{
	struct fprobe fp = { .exit_handler = change_result };

	KUNIT_ASSERT_EQ(test, register_fprobe(&fp, "fprobe_test_one", NULL), 0);
	KUNIT_EXPECT_EQ(test, call_target(fprobe_test_one, 1), 102);
	KUNIT_EXPECT_EQ(test, unregister_fprobe(&fp), 0);
	test_call(test, fprobe_test_one, 1);
}

/* Special calls */

static void tail_call(struct kunit *test)
{
	struct test_fprobe *tail = test_fprobe_at(test, fprobe_test_tail, WITH_ALL);
	struct test_fprobe *one = test_fprobe_at(test, fprobe_test_one, WITH_ALL);
	struct test_fprobe *entry = test_fprobe_at(test, fprobe_test_one, WITH_ENTRY);
	int i;

	for (i = 0; i < 10; i++)
		KUNIT_EXPECT_EQ(test, fprobe_test_call(fprobe_test_tail, i), i + 1);
	test_fprobe_expect(test, tail, 10, 10, 0);
	test_fprobe_expect(test, one, 10, 10, 0);
	test_fprobe_expect(test, entry, 10, 0, 0);
	if (test_is_inside(one->caller, fprobe_test_tail))
		kunit_skip(test, "this compiler does not turn the call into a jump");
	KUNIT_EXPECT_TRUE(test, test_is_inside(tail->caller, fprobe_test_call));
	KUNIT_EXPECT_EQ(test, one->caller, tail->caller);
	KUNIT_EXPECT_EQ(test, entry->caller, tail->caller);
	KUNIT_EXPECT_LT(test, one->when_exit, tail->when_exit);
}

/* A function that sleeps. Calls of other tasks are ignored. */
static void schedule_and_back(struct kunit *test)
{
	struct test_fprobe *tf = test_fprobe_make(test, WITH_ALL);
	int i;

	tf->any_value = true;
	tf->only = current;
	KUNIT_ASSERT_EQ(test, register_fprobe(&tf->fp, "schedule", NULL), 0);
	/* Registration may have slept. */
	test_fprobe_reset(tf);
	for (i = 0; i < 200; i++)
		schedule();
	test_fprobe_expect(test, tf, 200, 200, 0);
}

#ifdef FIRST_REG
/**
 * struct switches - an fprobe at __switch_to()
 * @fp:		the fprobe
 * @entries:	runs of the handler at the entry
 * @exits:	runs of that at the exit
 * @bad:	exits that do not go with the entry
 */
struct switches {
	struct fprobe fp;
	atomic_t entries;
	atomic_t exits;
	atomic_t bad;
};

struct switch_data {
	unsigned long prev;
	unsigned long next;
};

static int switch_entered(struct fprobe *fp, unsigned long entry_ip, unsigned long ret_ip,
			  struct pt_regs *regs, void *entry_data)
{
	struct switches *s = container_of(fp, struct switches, fp);
	struct switch_data *data = entry_data;

	data->prev = FIRST_REG(regs);
	data->next = SECOND_REG(regs);
	atomic_inc(&s->entries);
	return 0;
}

NOKPROBE_SYMBOL(switch_entered);

static void switch_returned(struct fprobe *fp, unsigned long entry_ip, unsigned long ret_ip,
			    struct pt_regs *regs, void *entry_data)
{
	struct switches *s = container_of(fp, struct switches, fp);
	struct switch_data *data = entry_data;
	unsigned long stack = (unsigned long)task_stack_page(current);

	if (data->next != (unsigned long)current || regs_return_value(regs) != data->prev ||
	    kernel_stack_pointer(regs) - stack >= THREAD_SIZE)
		atomic_inc(&s->bad);
	atomic_inc(&s->exits);
}

NOKPROBE_SYMBOL(switch_returned);

/* A function that is called in one task and returns in another. */
static void switches_of_tasks(struct kunit *test)
{
	struct switches s = {
		.fp.entry_handler = switch_entered,
		.fp.exit_handler = switch_returned,
		.fp.entry_data_size = sizeof(struct switch_data),
	};
	const int n = 50;

	/* With CONFIG_FUNCTION_GRAPH_TRACER it is notrace. */
	if (!ftrace_location((unsigned long)__switch_to))
		kunit_skip(test, "ftrace does not call from __switch_to() here");
	KUNIT_ASSERT_EQ(test, register_fprobe(&s.fp, "__switch_to", NULL), 0);
	sleepers_wake(sleepers_start(test, n), n);
	KUNIT_EXPECT_EQ(test, unregister_fprobe(&s.fp), 0);
	/* Each task sleeps and wakes up, and so does this one, at least once. */
	KUNIT_EXPECT_GT(test, atomic_read(&s.entries), 2 * n);
	KUNIT_EXPECT_LE(test, atomic_read(&s.exits), atomic_read(&s.entries));
	/* On each CPU one call may have been in flight. */
	KUNIT_EXPECT_GE(test, atomic_read(&s.exits) + (int)num_online_cpus(),
			atomic_read(&s.entries));
	KUNIT_EXPECT_EQ(test, atomic_read(&s.bad), 0);
	KUNIT_EXPECT_EQ(test, s.fp.nmissed, 0);
}
#else
static void switches_of_tasks(struct kunit *test)
{
	kunit_skip(test, "no function with a calling convention that is known");
}
#endif

/* On a stack that was just switched to, with interrupts off, and at the end of tasks. */
static void after_switches(struct kunit *test)
{
	struct test_fprobe *tf = test_fprobe_make(test, WITH_ALL);
	const int n = 50;

	tf->any_value = true;
	KUNIT_ASSERT_EQ(test, register_fprobe(&tf->fp, "finish_task_switch*", NULL), 0);
	sleepers_wake(sleepers_start(test, n), n);
	KUNIT_EXPECT_EQ(test, unregister_fprobe(&tf->fp), 0);
	KUNIT_EXPECT_GT(test, atomic_read(&tf->entries), 2 * n);
	KUNIT_EXPECT_LE(test, atomic_read(&tf->exits), atomic_read(&tf->entries));
	KUNIT_EXPECT_GE(test, atomic_read(&tf->exits) + (int)num_online_cpus(),
			atomic_read(&tf->entries));
	KUNIT_EXPECT_EQ(test, atomic_read(&tf->bad), 0);
	KUNIT_EXPECT_EQ(test, tf->fp.nmissed, 0);
}

/* Interrupts */

static void hits_in_interrupts(struct kunit *test)
{
	struct test_fprobe *tf = test_fprobe_at(test, fprobe_test_one, WITH_ALL);
	struct test_fprobe *nested = test_fprobe_at(test, fprobe_test_recurse, WITH_ALL);
	int i;

	for (i = 0; i < 100; i++) {
		KUNIT_EXPECT_EQ(test, test_call_in_irq(fprobe_test_one, i), i + 1);
		KUNIT_EXPECT_EQ(test, test_call_in_irq(fprobe_test_recurse, 3), 4);
	}
	test_fprobe_expect(test, tf, 100, 100, 0);
	test_fprobe_expect(test, nested, 400, 400, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&tf->in_irq), 100);
	KUNIT_EXPECT_EQ(test, atomic_read(&nested->in_irq), 400);
}

static atomic_t interrupts;

static void interrupt(struct irq_work *work)
{
	fprobe_test_two(1);
	atomic_inc(&interrupts);
}

static struct irq_work interrupt_work = IRQ_WORK_INIT_HARD(interrupt);

/* Raises an interrupt of this CPU; bounded, to fail and not to hang. */
static unsigned long be_interrupted(unsigned long x)
{
	int before = atomic_read(&interrupts), spin = 0;

	irq_work_queue(&interrupt_work);
	while (atomic_read(&interrupts) == before && spin++ < 100000000)
		cpu_relax();
	return x;
}

/* An interrupt during a handler is not a recursion. */
static void handlers_are_interrupted(struct kunit *test)
{
	struct test_fprobe *two = test_fprobe_at(test, fprobe_test_two, WITH_ALL);
	struct test_fprobe *one = test_fprobe_make(test, WITH_ALL);

	one->in_entry = be_interrupted;
	one->in_exit = be_interrupted;
	KUNIT_ASSERT_EQ(test, register_fprobe(&one->fp, "fprobe_test_one", NULL), 0);
	atomic_set(&interrupts, 0);
	test_call(test, fprobe_test_one, 10);
	KUNIT_EXPECT_EQ(test, atomic_read(&interrupts), 20);
	test_fprobe_expect(test, one, 10, 10, 0);
	test_fprobe_expect(test, two, 20, 20, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&two->in_irq), 20);
	KUNIT_EXPECT_EQ(test, atomic_read(&one->in_irq), 0);
}

/* Stack traces */

#ifdef CONFIG_ARCH_CORRECT_STACKTRACE_ON_KRETPROBE
/**
 * struct tracer - an fprobe that takes stack traces
 * @fp:		the fprobe
 * @entry:	the last one at an entry
 * @exit:	the last one at an exit
 */
struct tracer {
	struct fprobe fp;
	struct test_trace *entry;
	struct test_trace *exit;
};

static void trace_from(struct pt_regs *regs, struct test_trace *tr)
{
	tr->nr = stack_trace_save_regs(regs, tr->entries, ARRAY_SIZE(tr->entries), 0);
}

static int trace_entry(struct fprobe *fp, unsigned long entry_ip, unsigned long ret_ip,
		       struct pt_regs *regs, void *entry_data)
{
	trace_from(regs, container_of(fp, struct tracer, fp)->entry);
	return 0;
}

static void trace_exit(struct fprobe *fp, unsigned long entry_ip, unsigned long ret_ip,
		       struct pt_regs *regs, void *entry_data)
{
	trace_from(regs, container_of(fp, struct tracer, fp)->exit);
}

/* The same call before and after the functions on its way are hooked, each twice. */
static void stack_traces(struct kunit *test)
{
	struct test_trace *before = test_trace_make(test), *after = test_trace_make(test);
	struct tracer t = {
		.fp.entry_handler = trace_entry,
		.fp.exit_handler = trace_exit,
		.entry = test_trace_make(test),
		.exit = test_trace_make(test),
	};
	int round;

	for (round = 0; round < 2; round++) {
		if (round) {
			test_fprobe_at(test, test_trace_outer, WITH_ALL);
			test_fprobe_at(test, test_trace_inner, WITH_ALL);
			KUNIT_ASSERT_EQ(test, register_fprobe(&t.fp, "test_trace_inner", NULL), 0);
			test_fprobe_at(test, test_trace_inner, WITH_ALL);
		}
		KUNIT_EXPECT_EQ(test, test_trace_call(round ? after : before), 2);
	}
	KUNIT_EXPECT_EQ(test, unregister_fprobe(&t.fp), 0);
	test_trace_expect_same(test, after, before, stack_traces);
	/* At the entry and after the return, no trampoline is in the trace. */
	KUNIT_EXPECT_TRUE(test, test_is_inside(t.entry->entries[0], test_trace_inner));
	test_trace_expect_tail(test, t.entry, 1, after);
	test_trace_expect_tail(test, t.exit, 0, after);
}
#else
static void stack_traces(struct kunit *test)
{
	kunit_skip(test, "this architecture does not unwind through hooks");
}
#endif

static struct kunit_case hits_cases[] = {
	KUNIT_CASE(entry_and_exit),
	KUNIT_CASE_PARAM(data_of_every_call, data_size_gen_params),
	KUNIT_CASE(recursion),
	KUNIT_CASE(veto),
	KUNIT_CASE(disable_and_enable),
	KUNIT_CASE(disabled_within_a_call),
	KUNIT_CASE(unregistered_within_a_call),
	KUNIT_CASE_PARAM(limit, depth_gen_params),
	KUNIT_CASE(limit_and_veto),
	KUNIT_CASE(arguments_can_be_changed),
	KUNIT_CASE(results_can_be_changed),
	KUNIT_CASE(tail_call),
	KUNIT_CASE(schedule_and_back),
	KUNIT_CASE(switches_of_tasks),
	KUNIT_CASE(after_switches),
	KUNIT_CASE(hits_in_interrupts),
	KUNIT_CASE(handlers_are_interrupted),
	KUNIT_CASE(stack_traces),
	{}
};

static struct kunit_suite hits_suite = {
	.name = "kprobes_fprobe_hits",
	.test_cases = hits_cases,
};

kunit_test_suite(hits_suite);
