// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of x86 kernel probes: run each kind of instruction without a probe and
 * then with one, with each method. Registers, flags, stack and memory must be the same.
 *
 * The instructions are in insn_kunit_asm.S.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/kthread.h>
#include <linux/memory.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include <asm/ibt.h>
#include <asm/nospec-branch.h>
#include <asm/sections.h>
#include <asm/text-patching.h>

#include "../../../../kernel/kprobes/internal.h"

#include "insn_runs.h"
#include "private.h"

static void expect_kind(struct kunit *test, const struct insn_test_case *c)
{
	struct arch_specific_insn ainsn = test_insn_at(test, insn_test_addr(c));

	KUNIT_EXPECT_EQ(test, !!ainsn.emulate,
			c->kind == INSN_TEST_EMULATE || c->kind == INSN_TEST_EITHER);
	KUNIT_EXPECT_EQ(test, !!ainsn.insn,
			c->kind != INSN_TEST_EMULATE);
	KUNIT_EXPECT_EQ(test, !!ainsn.boosted, insn_test_is_boosted(c));
}

static void insn_test_same_outcome(struct kunit *test)
{
	const struct insn_test_case *c = test->param_value;
	struct insn_outcome *expected = insn_test_new_outcomes(test);
	struct insn_outcome *now = insn_test_new_outcomes(test);
	u8 text[MAX_INSN_SIZE], after[MAX_INSN_SIZE];
	struct insn_probe *first, *second;

	memcpy(text, insn_test_addr(c), sizeof(text));
	insn_test_run_all(c, false, expected);

	first = insn_test_add_probe(test, c, false);
	expect_kind(test, c);
	insn_test_run_all(c, false, now);
	insn_test_expect_same(test, now, expected, "no post handler");
	KUNIT_EXPECT_EQ(test, first->pre, INSN_TEST_INPUTS);

	/* A listener with a post handler joins while it is planted. */
	second = insn_test_add_probe(test, c, true);
	insn_test_run_all(c, false, now);
	insn_test_expect_same(test, now, expected, "post handler");
	KUNIT_EXPECT_EQ(test, first->pre, 2 * INSN_TEST_INPUTS);
	KUNIT_EXPECT_EQ(test, second->pre, INSN_TEST_INPUTS);
	KUNIT_EXPECT_EQ(test, second->post, insn_test_faults(c) ? 0 : INSN_TEST_INPUTS);
	if (insn_test_is_boosted(c))
		KUNIT_EXPECT_EQ(test, second->post_ip,
				test_insn_at(test, insn_test_addr(c)).next);

	insn_test_run_all(c, true, now);
	insn_test_expect_same(test, now, expected, "hit inside a hit");
	KUNIT_EXPECT_EQ(test, first->pre, 2 * INSN_TEST_INPUTS);
	KUNIT_EXPECT_EQ(test, first->kp.nmissed, INSN_TEST_INPUTS);
	KUNIT_EXPECT_EQ(test, second->kp.nmissed, INSN_TEST_INPUTS);

	insn_test_drop_probe(test, second);
	insn_test_run_all(c, false, now);
	insn_test_expect_same(test, now, expected, "post handler gone");
	KUNIT_EXPECT_EQ(test, first->pre, 3 * INSN_TEST_INPUTS);
	KUNIT_EXPECT_EQ(test, first->bad_ip, 0);
	KUNIT_EXPECT_EQ(test, first->irqs_on, 0);
	KUNIT_EXPECT_EQ(test, second->irqs_on, 0);

	insn_test_drop_probe(test, first);
	memcpy(after, insn_test_addr(c), sizeof(after));
	KUNIT_EXPECT_MEMEQ(test, after, text, sizeof(text));
	insn_test_run_all(c, false, now);
	insn_test_expect_same(test, now, expected, "probe gone");
	KUNIT_EXPECT_EQ(test, first->pre, 3 * INSN_TEST_INPUTS);
}

static void insn_test_refusal(struct kunit *test)
{
	const struct insn_test_case *c = test->param_value;
	struct insn_probe *probe = insn_test_new_probe(test, c, false);
	u8 before[MAX_INSN_SIZE], after[MAX_INSN_SIZE];
	int err;

	memcpy(before, insn_test_addr(c), sizeof(before));
	err = register_kprobe(&probe->kp);
	if (!err)
		unregister_kprobe(&probe->kp);
	memcpy(after, insn_test_addr(c), sizeof(after));

	KUNIT_EXPECT_EQ(test, err, c->kind);
	KUNIT_EXPECT_MEMEQ(test, after, before, sizeof(before));
}

/* How often the points are executed. */
static const int passes_of_sum_10[NR_POINTS] = { 10, 10, 10, 1 };

static void insn_test_neighbours(struct kunit *test)
{
	struct kprobe *kps[NR_POINTS];
	struct insn_probe *probes[NR_POINTS];
	struct insn_test_case into;
	struct insn_probe *probe;
	int i;

	for (i = 0; i < NR_POINTS; i++) {
		probes[i] = insn_test_new_probe(test, &insn_test_points[i], i & 1);
		kps[i] = &probes[i]->kp;
	}
	KUNIT_ASSERT_EQ(test, register_kprobes(kps, NR_POINTS), 0);

	KUNIT_EXPECT_EQ(test, insn_test_sum(10), 55);
	for (i = 0; i < NR_POINTS; i++)
		KUNIT_EXPECT_EQ(test, probes[i]->pre, passes_of_sum_10[i]);

	/* The start of instructions is found with a probe planted, too. */
	into = insn_test_points[POINT_CALL];
	into.offset++;
	probe = insn_test_new_probe(test, &into, false);
	KUNIT_EXPECT_EQ(test, register_kprobe(&probe->kp), -EILSEQ);

	unregister_kprobes(kps, NR_POINTS);
	KUNIT_EXPECT_EQ(test, insn_test_sum(10), 55);
	KUNIT_EXPECT_EQ(test, probes[POINT_ADD]->pre, 10);
}

static unsigned long sum_in_handler;

static int sum_pre(struct kprobe *kp, struct pt_regs *regs)
{
	insn_test_to_probe(kp)->pre++;
	sum_in_handler += insn_test_sum(4);
	return 0;
}

/* Handlers that hit probes, their own included. */
static void insn_test_nesting(struct kunit *test)
{
	struct insn_probe *outer = insn_test_new_probe(test, &insn_test_points[POINT_ADD], true);
	struct insn_probe *inner = insn_test_add_probe(test, &insn_test_points[POINT_JCC], true);

	outer->kp.pre_handler = sum_pre;
	sum_in_handler = 0;
	KUNIT_ASSERT_EQ(test, register_kprobe(&outer->kp), 0);
	KUNIT_EXPECT_EQ(test, insn_test_sum(10), 55);
	unregister_kprobe(&outer->kp);

	KUNIT_EXPECT_EQ(test, sum_in_handler, 10 * 10);
	KUNIT_EXPECT_EQ(test, outer->pre, 10);
	KUNIT_EXPECT_EQ(test, outer->post, 10);
	KUNIT_EXPECT_EQ(test, outer->kp.nmissed, 10 * 4);
	KUNIT_EXPECT_EQ(test, inner->pre, 10);
	KUNIT_EXPECT_EQ(test, inner->post, 10);
	KUNIT_EXPECT_EQ(test, inner->kp.nmissed, 10 * 4);
	KUNIT_EXPECT_FALSE(test, insn_test_in_a_hit());
}

static int skip_call_pre(struct kprobe *kp, struct pt_regs *regs)
{
	insn_test_to_probe(kp)->pre++;
	regs->ax += 100;
	regs->ip = (unsigned long)kp->addr + CALL_INSN_SIZE;
	return 1;
}

static void insn_test_handler_moves_ip(struct kunit *test)
{
	struct insn_probe *probe = insn_test_new_probe(test, &insn_test_points[POINT_CALL], true);

	probe->kp.pre_handler = skip_call_pre;
	KUNIT_ASSERT_EQ(test, register_kprobe(&probe->kp), 0);
	KUNIT_EXPECT_EQ(test, insn_test_sum(3), 306);
	unregister_kprobe(&probe->kp);

	KUNIT_EXPECT_EQ(test, probe->pre, 3);
	KUNIT_EXPECT_EQ(test, probe->post, 0);
	KUNIT_EXPECT_FALSE(test, insn_test_in_a_hit());
}

#define ADD_INSN_SIZE	3

static int skip_add_pre(struct kprobe *kp, struct pt_regs *regs)
{
	insn_test_to_probe(kp)->pre++;
	regs->ip = (unsigned long)kp->addr + ADD_INSN_SIZE;
	return 1;
}

/* The handler continues at an instruction that the jump displaces. */
static void insn_test_handler_moves_ip_a_bit(struct kunit *test)
{
	struct insn_probe *probe = insn_test_new_probe(test, &insn_test_points[POINT_ADD], false);

	probe->kp.pre_handler = skip_add_pre;
	KUNIT_ASSERT_EQ(test, register_kprobe(&probe->kp), 0);
	KUNIT_EXPECT_EQ(test, insn_test_sum(3), 0);
	wait_for_kprobe_optimizer();
	if (IS_ENABLED(CONFIG_OPTPROBES))
		KUNIT_EXPECT_EQ(test, *(u8 *)probe->kp.addr, JMP32_INSN_OPCODE);
	KUNIT_EXPECT_EQ(test, insn_test_sum(3), 0);
	unregister_kprobe(&probe->kp);

	KUNIT_EXPECT_EQ(test, probe->pre, 6);
	KUNIT_EXPECT_FALSE(test, insn_test_in_a_hit());
	KUNIT_EXPECT_EQ(test, insn_test_sum(3), 6);
}

/* Get what a jump at a point may write and displace. Returns the error, if there is one. */
static int find_region(int point, unsigned int *may_write, unsigned int *displaced)
{
	unsigned long addr = (unsigned long)insn_test_addr(&insn_test_points[point]);
	struct kprobe_region region;
	int ret;

	scoped_guard(mutex, &kprobe_mutex)
		ret = kprobe_region_find(addr, &region);
	if (ret)
		return ret;
	*may_write = region.free_end - addr;
	*displaced = region.end - addr;
	return 0;
}

/* A jump may be written over padding, but not over similar code that is a branch target. */
static void insn_test_padding(struct kunit *test)
{
	unsigned int may_write, displaced;
	struct insn_probe *probe[3];
	int i;

	if (!IS_ENABLED(CONFIG_OPTPROBES))
		kunit_skip(test, "needs CONFIG_OPTPROBES");

	KUNIT_ASSERT_EQ(test, find_region(POINT_PADDED, &may_write, &displaced), 0);
	KUNIT_EXPECT_EQ(test, may_write, JMP8_INSN_SIZE + 1);
	KUNIT_EXPECT_EQ(test, displaced, JMP8_INSN_SIZE);
	KUNIT_ASSERT_EQ(test, find_region(POINT_NO_PADDING, &may_write, &displaced), 0);
	KUNIT_ASSERT_EQ(test, may_write, JMP8_INSN_SIZE);
	KUNIT_EXPECT_EQ(test, displaced, JMP8_INSN_SIZE);
	KUNIT_ASSERT_EQ(test, find_region(POINT_NO_LONG_PADDING, &may_write, &displaced),
			-EADDRINUSE);

	for (i = 0; i < ARRAY_SIZE(probe); i++)
		probe[i] = insn_test_add_probe(test, &insn_test_points[POINT_PADDED + i], false);
	wait_for_kprobe_optimizer();
	for (i = 0; i < 10; i++)
		KUNIT_EXPECT_EQ(test, insn_test_padded(i), 2 * i + 2);
	for (i = 0; i < ARRAY_SIZE(probe); i++)
		KUNIT_EXPECT_EQ(test, probe[i]->pre, 10);
}

#define LEA_INSN_SIZE	4

/* Data with the name of a part of the function must not be decoded. */
static void insn_test_data_named_alike(struct kunit *test)
{
	unsigned int may_write, displaced;

	if (!IS_ENABLED(CONFIG_OPTPROBES))
		kunit_skip(test, "needs CONFIG_OPTPROBES");
	if (!kallsyms_lookup_name("insn_test_padded.cold"))
		kunit_skip(test, "needs CONFIG_KALLSYMS_ALL");

	KUNIT_ASSERT_EQ(test, find_region(POINT_NAMED, &may_write, &displaced), 0);
	KUNIT_EXPECT_EQ(test, displaced, LEA_INSN_SIZE + JMP8_INSN_SIZE);
}

static int faulting_pre(struct kprobe *kp, struct pt_regs *regs)
{
	unsigned long val;

	if (copy_from_kernel_nofault(&val, INSN_TEST_BAD_ADDRESS, sizeof(val)) == -EFAULT)
		insn_test_to_probe(kp)->pre++;
	return 0;
}

static void insn_test_handler_faults(struct kunit *test)
{
	struct insn_probe *probe = insn_test_new_probe(test, &insn_test_points[POINT_ADD], true);

	probe->kp.pre_handler = faulting_pre;
	KUNIT_ASSERT_EQ(test, register_kprobe(&probe->kp), 0);
	KUNIT_EXPECT_EQ(test, insn_test_sum(10), 55);
	unregister_kprobe(&probe->kp);

	KUNIT_EXPECT_EQ(test, probe->pre, 10);
	KUNIT_EXPECT_EQ(test, probe->post, 10);
}

#define RACE_ROUNDS	3000

/**
 * struct racer - a thread that runs the probed code
 * @wrong: number of wrong sums
 * @done: completed after the last one
 */
struct racer {
	int wrong;
	struct completion done;
};

static int racer_fn(void *data)
{
	struct racer *racer = data;
	int i;

	for (i = 0; i < RACE_ROUNDS; i++) {
		if (insn_test_sum(20) != 210)
			racer->wrong++;
		cond_resched();
	}
	complete(&racer->done);
	return 0;
}

/* Breakpoints are planted and removed while another CPU executes the code. */
static void insn_test_race(struct kunit *test)
{
	struct kprobe *kps[NR_POINTS];
	struct task_struct *task;
	struct racer racer = {};
	int i, err = 0;

	init_completion(&racer.done);
	for (i = 0; i < NR_POINTS; i++)
		kps[i] = &insn_test_new_probe(test, &insn_test_points[i], i == 0)->kp;

	task = kthread_run(racer_fn, &racer, "insn_kunit_race");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));

	while (!err && !try_wait_for_completion(&racer.done)) {
		err = register_kprobes(kps, NR_POINTS);
		cond_resched();
		if (err)
			wait_for_completion(&racer.done);
		else
			unregister_kprobes(kps, NR_POINTS);
		for (i = 0; i < NR_POINTS; i++)
			kps[i]->flags = 0;
	}
	KUNIT_EXPECT_EQ(test, err, 0);
	KUNIT_EXPECT_EQ(test, racer.wrong, 0);
}

/* A trap of ftrace's breakpoint, after ftrace has removed the breakpoint. */
static void insn_test_late_ftrace_trap(struct kunit *test)
{
	struct insn_probe *probe = insn_test_new_probe(test, &insn_test_points[POINT_ADD], false);
	struct pt_regs regs = { .cs = __KERNEL_CS };
	int ret;

	if (!IS_ENABLED(CONFIG_KPROBES_ON_FTRACE))
		kunit_skip(test, "nothing is planted through ftrace");

	probe->kp.addr = (kprobe_opcode_t *)vprintk_emit;
	KUNIT_ASSERT_EQ(test, register_kprobe(&probe->kp), 0);
	KUNIT_ASSERT_TRUE(test, kprobe_ftrace(&probe->kp));

	regs.ip = (unsigned long)probe->kp.addr + INT3_INSN_SIZE;
	preempt_disable();
	ret = kprobe_int3_handler(&regs);
	preempt_enable();

	KUNIT_EXPECT_EQ(test, ret, 1);
	KUNIT_EXPECT_EQ(test, regs.ip, (unsigned long)probe->kp.addr);
	KUNIT_EXPECT_FALSE(test, insn_test_in_a_hit());
	unregister_kprobe(&probe->kp);
}

static void insn_test_entry(struct kunit *test)
{
	unsigned long func = (unsigned long)insn_test_sum;
	bool on_entry = false;
	void *addr;

	addr = arch_adjust_kprobe_addr(func, 0, &on_entry);
	KUNIT_EXPECT_EQ(test, (unsigned long)addr, func + ENDBR_INSN_SIZE);
	KUNIT_EXPECT_TRUE(test, on_entry);

	on_entry = false;
	addr = arch_adjust_kprobe_addr(func, ENDBR_INSN_SIZE, &on_entry);
	KUNIT_EXPECT_EQ(test, (unsigned long)addr, func + ENDBR_INSN_SIZE);
	KUNIT_EXPECT_TRUE(test, on_entry);

	addr = arch_adjust_kprobe_addr(func, ENDBR_INSN_SIZE + 1, &on_entry);
	KUNIT_EXPECT_EQ(test, (unsigned long)addr, func + ENDBR_INSN_SIZE + 1);
	KUNIT_EXPECT_FALSE(test, on_entry);
}

#ifdef CONFIG_KPROBES_ON_FTRACE
#define FTRACE_HANDLER	arch_kprobe_entry_hit
#else
#define FTRACE_HANDLER	kprobe_int3_handler
#endif

static void expect_off_limits(struct kunit *test, void *addr)
{
	struct kprobe kp = { .addr = addr, .pre_handler = insn_test_count_pre };
	int err = register_kprobe(&kp);

	if (!err)
		unregister_kprobe(&kp);
	KUNIT_EXPECT_EQ_MSG(test, err, -EINVAL, "%pS", addr);
}

/* Functions of the hit path and of its trap cannot be probed. */
static void insn_test_off_limits(struct kunit *test)
{
	const struct insn_test_case *c;
	struct arch_specific_insn ainsn;
	struct insn_probe *probe;

	expect_off_limits(test, kprobe_int3_handler);
	expect_off_limits(test, kprobe_fault_handler);
	expect_off_limits(test, get_kprobe);
	expect_off_limits(test, kprobes_inc_nmissed_count);
	expect_off_limits(test, __entry_text_start);
	expect_off_limits(test, FTRACE_HANDLER);
	if (IS_ENABLED(CONFIG_MITIGATION_RETPOLINE))
		expect_off_limits(test, __x86_indirect_thunk_array);

	for (c = insn_test_cases; c < insn_test_cases_end; c++) {
		if (c->kind != INSN_TEST_EMULATE)
			continue;
		probe = insn_test_add_probe(test, c, false);
		ainsn = test_insn_at(test, insn_test_addr(c));
		insn_test_drop_probe(test, probe);
		expect_off_limits(test, ainsn.emulate);
	}
}

static const void *next_case(const void *prev, const struct insn_test_case *first,
			     const struct insn_test_case *end, char *desc)
{
	const struct insn_test_case *c = prev ? prev + sizeof(*c) : first;

	if (c == end)
		return NULL;
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
	return c;
}

static const void *cases_gen_params(const void *prev, char *desc)
{
	return next_case(prev, insn_test_cases, insn_test_cases_end, desc);
}

static const void *refused_gen_params(const void *prev, char *desc)
{
	return next_case(prev, insn_test_refused, insn_test_refused_end, desc);
}

static struct kunit_case insn_test_kunit_cases[] = {
	KUNIT_CASE_PARAM(insn_test_same_outcome, cases_gen_params),
	KUNIT_CASE_PARAM(insn_test_refusal, refused_gen_params),
	KUNIT_CASE(insn_test_neighbours),
	KUNIT_CASE(insn_test_nesting),
	KUNIT_CASE(insn_test_handler_moves_ip),
	KUNIT_CASE(insn_test_handler_moves_ip_a_bit),
	KUNIT_CASE(insn_test_padding),
	KUNIT_CASE(insn_test_data_named_alike),
	KUNIT_CASE(insn_test_handler_faults),
	KUNIT_CASE_SLOW(insn_test_race),
	KUNIT_CASE(insn_test_late_ftrace_trap),
	KUNIT_CASE(insn_test_entry),
	KUNIT_CASE(insn_test_off_limits),
	{}
};

static struct kunit_suite insn_test_suite = {
	.name = "kprobes_x86_insn",
	.suite_init = insn_test_suite_init,
	.test_cases = insn_test_kunit_cases,
};

kunit_test_suite(insn_test_suite);
