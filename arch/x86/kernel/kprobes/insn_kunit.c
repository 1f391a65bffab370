// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of x86 kernel probes: every kind of instruction is run for real, first
 * without a probe and then with one, in each way that there is to get past it. All of
 * registers, flags, stack and memory must come out the same.
 *
 * The instructions are in insn_kunit_asm.S.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/kallsyms.h>
#include <linux/kdebug.h>
#include <linux/kprobes.h>
#include <linux/kthread.h>
#include <linux/memory.h>
#include <linux/percpu.h>
#include <linux/printk.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/stacktrace.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include <asm/ibt.h>
#include <asm/sections.h>
#include <asm/nospec-branch.h>

#include "../../../../kernel/kprobes/internal.h"

#include "insn_kunit.h"
#include "private.h"

/* All combinations of five flags, with and without interrupts. */
#define NR_INPUTS	64

/* Where kernel memory never is. */
#define BAD_ADDRESS	((void *)0xfffffffffffff000)

DEFINE_PER_CPU(void *, insn_test_percpu_target);

/**
 * struct outcome - all that an instruction can have changed
 * @state: registers, flags and stack
 * @mem: the data that it may have worked on
 */
struct outcome {
	struct insn_test_state state;
	u64 mem[INSN_TEST_MEM_WORDS];
};

/**
 * struct probe - a probe that counts
 * @kp: the probe
 * @pre: runs of its pre handler
 * @post: runs of its post handler
 * @post_ip: where that was told that execution goes on
 * @bad_ip: pre handlers that were told of another address than the probe's
 */
struct probe {
	struct kprobe kp;
	int pre;
	int post;
	unsigned long post_ip;
	int bad_ip;
};

static struct probe *to_probe(struct kprobe *kp)
{
	return container_of(kp, struct probe, kp);
}

static int count_pre(struct kprobe *kp, struct pt_regs *regs)
{
	struct probe *probe = to_probe(kp);

	probe->pre++;
	if (regs->ip != (unsigned long)kp->addr + INT3_INSN_SIZE)
		probe->bad_ip++;
	return 0;
}

static void count_post(struct kprobe *kp, struct pt_regs *regs,
		       unsigned long flags)
{
	struct probe *probe = to_probe(kp);

	probe->post++;
	probe->post_ip = regs->ip;
}

static void *case_addr(const struct insn_test_case *c)
{
	return c->entry + c->offset;
}

static void set_input(int nr)
{
	static const u64 counts[] = { 0, 1, 2, BIT_ULL(32), BIT_ULL(32) + 1 };
	static const u64 flags[] = {
		X86_EFLAGS_CF, X86_EFLAGS_PF, X86_EFLAGS_ZF, X86_EFLAGS_SF,
		X86_EFLAGS_OF, X86_EFLAGS_IF,
	};
	struct insn_test_state *in = &insn_test_in;
	int i;

	for (i = 0; i < ARRAY_SIZE(in->regs); i++)
		in->regs[i] = 0x0123456789abcdefULL * (2 * i + 1) + nr;
	in->regs[STATE_CX / sizeof(u64)] = counts[nr % ARRAY_SIZE(counts)];

	in->flags = X86_EFLAGS_FIXED;
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		if (nr & BIT(i))
			in->flags |= flags[i];
	}

	for (i = 0; i < ARRAY_SIZE(in->stack); i++)
		in->stack[i] = 0x5aa5c33c0ff00000ULL + 0x1001 * i;
	for (i = 0; i < INSN_TEST_MEM_WORDS; i++)
		insn_test_mem[i] = 0xfedcba9876543210ULL + 0x1111111111 * i;
}

/* What is below the stack pointer may have been overwritten by an interrupt. */
static void forget_dead_stack(struct insn_test_state *state)
{
	u64 lowest = insn_test_sp -
		     (INSN_TEST_STACK_WORDS - INSN_TEST_STACK_FILLED) * sizeof(u64);

	if (state->sp > lowest &&
	    state->sp - lowest < sizeof(state->stack))
		memset(state->stack, 0, state->sp - lowest);
}

/*
 * Runs a snippet with every input. To be called from one and the same function for
 * all outcomes that are compared, so that the stack pointer is the same, too.
 */
static noinline void run(const struct insn_test_case *c, bool nested,
			 struct outcome *outcomes)
{
	int nr;

	for (nr = 0; nr < NR_INPUTS; nr++) {
		if (nested)
			kprobe_busy_begin();
		set_input(nr);
		insn_test_run(c->entry);
		forget_dead_stack(&insn_test_out);
		outcomes[nr].state = insn_test_out;
		memcpy(outcomes[nr].mem, insn_test_mem,
		       sizeof(outcomes[nr].mem));
		if (nested)
			kprobe_busy_end();
	}
}

/* Of all that differs only the first: one such instruction makes for much output. */
static void expect_same(struct kunit *test, const struct outcome *now,
			const struct outcome *expected, const char *how)
{
	const u64 *a = (const u64 *)now, *b = (const u64 *)expected;
	size_t i, words = sizeof(*now) / sizeof(*a);

	for (i = 0; i < NR_INPUTS * words && a[i] == b[i]; i++)
		;
	if (i < NR_INPUTS * words)
		KUNIT_FAIL(test, "%s, input %zu: word %zu is %llx, not %llx",
			   how, i / words, i % words, a[i], b[i]);
}

static struct outcome *new_outcomes(struct kunit *test)
{
	struct outcome *outcomes;

	outcomes = kunit_kcalloc(test, NR_INPUTS, sizeof(*outcomes),
				 GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, outcomes);
	return outcomes;
}

static struct probe *new_probe(struct kunit *test,
			       const struct insn_test_case *c, bool post)
{
	struct probe *probe = kunit_kzalloc(test, sizeof(*probe), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, probe);
	probe->kp.addr = case_addr(c);
	probe->kp.pre_handler = count_pre;
	probe->kp.post_handler = post ? count_post : NULL;
	return probe;
}

static void unregister_action(void *kp)
{
	unregister_kprobe(kp);
}

/* Registered until the end of the test, or until drop_probe(). */
static struct probe *add_probe(struct kunit *test,
			       const struct insn_test_case *c, bool post)
{
	struct probe *probe = new_probe(test, c, post);

	KUNIT_ASSERT_EQ(test, register_kprobe(&probe->kp), 0);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test,
							   unregister_action,
							   &probe->kp));
	return probe;
}

static void drop_probe(struct kunit *test, struct probe *probe)
{
	kunit_release_action(test, unregister_action, &probe->kp);
}

/* Has this CPU been left as if a handler were running? */
static bool in_a_hit(void)
{
	guard(preempt)();
	return kprobe_running();
}

static struct arch_specific_insn planted_insn(struct kunit *test, void *addr)
{
	struct arch_specific_insn ainsn = {};
	struct kprobe *p;

	preempt_disable();
	p = get_kprobe(addr);
	if (p)
		ainsn = p->ainsn;
	preempt_enable();

	KUNIT_ASSERT_NOT_NULL(test, p);
	return ainsn;
}

static void expect_kind(struct kunit *test, const struct insn_test_case *c)
{
	struct arch_specific_insn ainsn = planted_insn(test, case_addr(c));

	KUNIT_EXPECT_EQ(test, !!ainsn.emulate,
			c->kind == INSN_TEST_EMULATE);
	KUNIT_EXPECT_EQ(test, !!ainsn.insn,
			c->kind != INSN_TEST_EMULATE);
	KUNIT_EXPECT_EQ(test, !!ainsn.boosted,
			c->kind == INSN_TEST_BOOST);
}

static bool faults(const struct insn_test_case *c)
{
	return strstr(c->name, "_fault_");
}

static void insn_test_same_outcome(struct kunit *test)
{
	const struct insn_test_case *c = test->param_value;
	struct outcome *expected = new_outcomes(test);
	struct outcome *now = new_outcomes(test);
	u8 text[MAX_INSN_SIZE], after[MAX_INSN_SIZE];
	struct probe *first, *second;

	memcpy(text, case_addr(c), sizeof(text));
	run(c, false, expected);

	first = add_probe(test, c, false);
	expect_kind(test, c);
	run(c, false, now);
	expect_same(test, now, expected, "no post handler");
	KUNIT_EXPECT_EQ(test, first->pre, NR_INPUTS);

	/* One that wants to know when it is done, while it is planted. */
	second = add_probe(test, c, true);
	run(c, false, now);
	expect_same(test, now, expected, "post handler");
	KUNIT_EXPECT_EQ(test, first->pre, 2 * NR_INPUTS);
	KUNIT_EXPECT_EQ(test, second->pre, NR_INPUTS);
	KUNIT_EXPECT_EQ(test, second->post, faults(c) ? 0 : NR_INPUTS);
	if (c->kind == INSN_TEST_BOOST)
		KUNIT_EXPECT_EQ(test, second->post_ip,
				planted_insn(test, case_addr(c)).next);

	run(c, true, now);
	expect_same(test, now, expected, "hit inside a hit");
	KUNIT_EXPECT_EQ(test, first->pre, 2 * NR_INPUTS);
	KUNIT_EXPECT_EQ(test, first->kp.nmissed, NR_INPUTS);
	KUNIT_EXPECT_EQ(test, second->kp.nmissed, NR_INPUTS);

	drop_probe(test, second);
	run(c, false, now);
	expect_same(test, now, expected, "post handler gone");
	KUNIT_EXPECT_EQ(test, first->pre, 3 * NR_INPUTS);
	KUNIT_EXPECT_EQ(test, first->bad_ip, 0);

	drop_probe(test, first);
	memcpy(after, case_addr(c), sizeof(after));
	KUNIT_EXPECT_MEMEQ(test, after, text, sizeof(text));
	run(c, false, now);
	expect_same(test, now, expected, "probe gone");
	KUNIT_EXPECT_EQ(test, first->pre, 3 * NR_INPUTS);
}

#ifdef CONFIG_OPTPROBES
/**
 * struct jump_case - a snippet whose instruction is to become a jump
 * @c: the snippet
 * @expected: what comes out without a probe
 * @probe: the probe
 * @text: what is there without it
 */
struct jump_case {
	const struct insn_test_case *c;
	struct outcome *expected;
	struct probe *probe;
	u8 text[MAX_INSN_SIZE];
};

static bool is_jump(const struct jump_case *jc)
{
	const u8 *text = case_addr(jc->c);

	return *text == JMP32_INSN_OPCODE && memcmp(text, jc->text, JMP32_INSN_SIZE);
}

static void expect_hits(struct kunit *test, struct jump_case *jc)
{
	KUNIT_EXPECT_EQ_MSG(test, jc->probe->pre, NR_INPUTS, "%s", jc->c->name);
	KUNIT_EXPECT_EQ_MSG(test, jc->probe->bad_ip, 0, "%s", jc->c->name);
	KUNIT_EXPECT_EQ_MSG(test, jc->probe->kp.nmissed, NR_INPUTS, "%s", jc->c->name);
}

static struct jump_case *plant_jumps(struct kunit *test, unsigned int nr)
{
	struct jump_case *jcs;
	unsigned int i;

	jcs = kunit_kcalloc(test, nr, sizeof(*jcs), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, jcs);
	for (i = 0; i < nr; i++) {
		jcs[i].c = &insn_test_cases[i];
		jcs[i].expected = new_outcomes(test);
		memcpy(jcs[i].text, case_addr(jcs[i].c), MAX_INSN_SIZE);
		run(jcs[i].c, false, jcs[i].expected);
		jcs[i].probe = add_probe(test, jcs[i].c, false);
	}
	wait_for_kprobe_optimizer();
	return jcs;
}

static void expect_jump_works(struct kunit *test, struct jump_case *jc, struct outcome *now)
{
	run(jc->c, false, now);
	expect_same(test, now, jc->expected, jc->c->name);
	run(jc->c, true, now);
	expect_same(test, now, jc->expected, jc->c->name);
	expect_hits(test, jc);
}

static void expect_gone(struct kunit *test, struct jump_case *jc, struct outcome *now)
{
	u8 text[MAX_INSN_SIZE];

	drop_probe(test, jc->probe);
	memcpy(text, case_addr(jc->c), MAX_INSN_SIZE);
	KUNIT_EXPECT_MEMEQ(test, text, jc->text, MAX_INSN_SIZE);
	run(jc->c, false, now);
	expect_same(test, now, jc->expected, "probe gone");
}

/* All at a time, as each wait is for a grace period of RCU-tasks. */
static void run_jumps(struct kunit *test, unsigned int at_least)
{
	unsigned int nr = insn_test_cases_end - insn_test_cases, i, jumps = 0;
	struct outcome *now = new_outcomes(test);
	struct jump_case *jcs;

	jcs = plant_jumps(test, nr);
	for (i = 0; i < nr; i++) {
		jumps += is_jump(&jcs[i]);
		if (!is_jump(&jcs[i]))
			kunit_info(test, "no jump: %s", jcs[i].c->name);
		expect_jump_works(test, &jcs[i], now);
	}
	kunit_info(test, "%u of %u are jumps", jumps, nr);
	KUNIT_EXPECT_GE(test, jumps, at_least);
	for (i = 0; i < nr; i++)
		expect_gone(test, &jcs[i], now);
}

static void insn_test_jumps(struct kunit *test)
{
	run_jumps(test, 120);
}

static void forget_entered_everywhere(void *unused)
{
	kprobe_region_entered_everywhere = false;
}

/* Only one instruction displaced; where jumps lead to is up to what is behind it. */
static void insn_test_puns(struct kunit *test)
{
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action(test, forget_entered_everywhere, NULL));
	/* A site that is still there knows how it was prepared. */
	kprobe_reclaim_flush();
	kprobe_region_entered_everywhere = true;
	run_jumps(test, kprobe_far_only_near_modules() ? 30 : 110);
	kprobe_reclaim_flush();
}

/* Of the instructions of the kernel, one of so many. */
#define SHARE_STRIDE	(IS_ENABLED(CONFIG_KASAN) ? 2503 : 997)	/* with KASAN it takes long */

/* In percent, of those that can be probed. */
#define SHARE_WANTED	95

/**
 * struct share - what has become of the instructions
 * @skip: all so far
 * @nr: those that can be probed
 * @displaced: those that can be displaced by a jump, with what is behind them
 * @punned: those that can be, with what is behind them as a part of the jump
 * @verdict: the others, by error number
 */
struct share {
	unsigned long skip;
	unsigned int nr;
	unsigned int displaced;
	unsigned int punned;
	unsigned int verdict[MAX_ERRNO];
};

static bool can_be_probed(unsigned long addr)
{
	struct probed_text text;

	if (within_kprobe_blacklist(addr))
		return false;
	guard(mutex)(&text_mutex);
	return kprobe_insn_read(&text, addr, addr + MAX_INSN_SIZE) >= 0 &&
	       !kprobe_insn_check(&text, addr);
}

/* As the core does, to the point where it would be written. */
static int try_jump(unsigned long addr, bool *pun)
{
	struct optimized_kprobe op = { .kp.addr = (kprobe_opcode_t *)addr };
	struct kprobe_region region;
	int ret;

	guard(mutex)(&kprobe_mutex);
	ret = kprobe_region_find(addr, &region);
	if (ret)
		return ret;
	*pun = kprobe_is_pun(&region);
	ret = arch_prepare_optimized_kprobe(&op, &op.kp);
	if (!ret)
		arch_remove_optimized_kprobe(&op);
	return ret;
}

static void count_insn(struct share *share, unsigned long addr)
{
	bool pun = false;
	int ret;

	if (!can_be_probed(addr))
		return;
	share->nr++;
	ret = try_jump(addr, &pun);
	if (ret)
		share->verdict[-ret]++;
	else if (pun)
		share->punned++;
	else
		share->displaced++;
}

static int count_symbol(void *data, const char *name, unsigned long start)
{
	unsigned long size, offset, pos;
	struct share *share = data;
	struct insn insn;

	if (!core_kernel_text(start) || init_section_contains((void *)start, 1) ||
	    !kallsyms_lookup_size_offset(start, &size, &offset) || offset)
		return 0;
	for (pos = start; pos < start + size; pos += insn.length) {
		if (insn_decode_kernel(&insn, (void *)pos))
			return 0;
		if (share->skip++ % SHARE_STRIDE == 0)
			count_insn(share, pos);
	}
	return 0;
}

/* How many of the instructions that can be probed can be probed by a jump? */
static void insn_test_share(struct kunit *test)
{
	struct share *share = kunit_kzalloc(test, sizeof(*share), GFP_KERNEL);
	unsigned int jumps, i;

	if (IS_ENABLED(CONFIG_KCSAN))
		kunit_skip(test, "takes long with all accesses watched");
	KUNIT_ASSERT_NOT_NULL(test, share);
	kallsyms_on_each_symbol(count_symbol, share);
	jumps = share->displaced + share->punned;
	KUNIT_ASSERT_GT(test, share->nr, 1000);
	kunit_info(test, "%u of %u instructions by a jump, %u %%: %u displaced, %u punned",
		   jumps, share->nr, jumps * 100 / share->nr, share->displaced,
		   share->punned);
	for (i = 0; i < MAX_ERRNO; i++) {
		if (share->verdict[i])
			kunit_info(test, "%5u not: error -%u", share->verdict[i], i);
	}
	/* Without what is refused to them. */
	if (!kprobe_far_only_near_modules())
		KUNIT_EXPECT_GE(test, jumps * 100, share->nr * SHARE_WANTED);
}

/* How many slots the detour of a jump takes. */
static unsigned int slots_of_jump(void *addr)
{
	struct kprobe *p;

	guard(preempt)();
	p = get_kprobe(addr);
	return p ? container_of(p, struct optimized_kprobe, kp)->optinsn.nr_slots : 0;
}

#else
static unsigned int slots_of_jump(void *addr)
{
	return 0;
}

static void insn_test_jumps(struct kunit *test)
{
	kunit_skip(test, "needs CONFIG_OPTPROBES");
}

static void insn_test_puns(struct kunit *test)
{
	kunit_skip(test, "needs CONFIG_OPTPROBES");
}

static void insn_test_share(struct kunit *test)
{
	kunit_skip(test, "needs CONFIG_OPTPROBES");
}
#endif

static void insn_test_refusal(struct kunit *test)
{
	const struct insn_test_case *c = test->param_value;
	struct probe *probe = new_probe(test, c, false);
	u8 before[MAX_INSN_SIZE], after[MAX_INSN_SIZE];
	int err;

	memcpy(before, case_addr(c), sizeof(before));
	err = register_kprobe(&probe->kp);
	if (!err)
		unregister_kprobe(&probe->kp);
	memcpy(after, case_addr(c), sizeof(after));

	KUNIT_EXPECT_EQ(test, err, c->kind);
	KUNIT_EXPECT_MEMEQ(test, after, before, sizeof(before));
}

/* The points of insn_test_sum(), of insn_test_keep(), and of insn_test_padded(). */
enum {
	POINT_ADD, POINT_CALL, POINT_JCC, POINT_RET, NR_POINTS,
	POINT_PUSH = NR_POINTS, POINT_LONG, POINT_POP, POINT_BACK,
	POINT_PADDED, POINT_NO_PADDING, POINT_NO_LONG_PADDING, POINT_NAMED,
};

/* How often they are passed. */
static const int passes_of_sum_10[NR_POINTS] = { 10, 10, 10, 1 };

static void insn_test_neighbours(struct kunit *test)
{
	struct kprobe *kps[NR_POINTS];
	struct probe *probes[NR_POINTS];
	struct insn_test_case into;
	struct probe *probe;
	int i;

	for (i = 0; i < NR_POINTS; i++) {
		probes[i] = new_probe(test, &insn_test_points[i], i & 1);
		kps[i] = &probes[i]->kp;
	}
	KUNIT_ASSERT_EQ(test, register_kprobes(kps, NR_POINTS), 0);

	KUNIT_EXPECT_EQ(test, insn_test_sum(10), 55);
	for (i = 0; i < NR_POINTS; i++)
		KUNIT_EXPECT_EQ(test, probes[i]->pre, passes_of_sum_10[i]);

	/* Where instructions start is still known. */
	into = insn_test_points[POINT_CALL];
	into.offset++;
	probe = new_probe(test, &into, false);
	KUNIT_EXPECT_EQ(test, register_kprobe(&probe->kp), -EILSEQ);

	unregister_kprobes(kps, NR_POINTS);
	KUNIT_EXPECT_EQ(test, insn_test_sum(10), 55);
	KUNIT_EXPECT_EQ(test, probes[POINT_ADD]->pre, 10);
}

static unsigned long sum_in_handler;

static int sum_pre(struct kprobe *kp, struct pt_regs *regs)
{
	to_probe(kp)->pre++;
	sum_in_handler += insn_test_sum(4);
	return 0;
}

/* Handlers that hit probes, their own included. */
static void insn_test_nesting(struct kunit *test)
{
	struct probe *outer = new_probe(test, &insn_test_points[POINT_ADD], true);
	struct probe *inner = add_probe(test, &insn_test_points[POINT_JCC], true);

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
	KUNIT_EXPECT_FALSE(test, in_a_hit());
}

static int skip_call_pre(struct kprobe *kp, struct pt_regs *regs)
{
	to_probe(kp)->pre++;
	regs->ax += 100;
	regs->ip = (unsigned long)kp->addr + CALL_INSN_SIZE;
	return 1;
}

static void insn_test_handler_moves_ip(struct kunit *test)
{
	struct probe *probe = new_probe(test, &insn_test_points[POINT_CALL], true);

	probe->kp.pre_handler = skip_call_pre;
	KUNIT_ASSERT_EQ(test, register_kprobe(&probe->kp), 0);
	KUNIT_EXPECT_EQ(test, insn_test_sum(3), 306);
	unregister_kprobe(&probe->kp);

	KUNIT_EXPECT_EQ(test, probe->pre, 3);
	KUNIT_EXPECT_EQ(test, probe->post, 0);
	KUNIT_EXPECT_FALSE(test, in_a_hit());
}

#define ADD_INSN_SIZE	3

static int skip_add_pre(struct kprobe *kp, struct pt_regs *regs)
{
	to_probe(kp)->pre++;
	regs->ip = (unsigned long)kp->addr + ADD_INSN_SIZE;
	return 1;
}

/* To an instruction that is displaced along with the probed one. */
static void insn_test_handler_moves_ip_a_bit(struct kunit *test)
{
	struct probe *probe = new_probe(test, &insn_test_points[POINT_ADD], false);

	probe->kp.pre_handler = skip_add_pre;
	KUNIT_ASSERT_EQ(test, register_kprobe(&probe->kp), 0);
	KUNIT_EXPECT_EQ(test, insn_test_sum(3), 0);
	wait_for_kprobe_optimizer();
	if (IS_ENABLED(CONFIG_OPTPROBES))
		KUNIT_EXPECT_EQ(test, *(u8 *)probe->kp.addr, JMP32_INSN_OPCODE);
	KUNIT_EXPECT_EQ(test, insn_test_sum(3), 0);
	unregister_kprobe(&probe->kp);

	KUNIT_EXPECT_EQ(test, probe->pre, 6);
	KUNIT_EXPECT_FALSE(test, in_a_hit());
	KUNIT_EXPECT_EQ(test, insn_test_sum(3), 6);
}

/* What may a jump at a point write, and what displace? The error, if nothing. */
static int find_region(int point, unsigned int *may_write, unsigned int *displaced)
{
	unsigned long addr = (unsigned long)case_addr(&insn_test_points[point]);
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

/* A jump may be written over padding, but not over what looks like it and is led to. */
static void insn_test_padding(struct kunit *test)
{
	unsigned int may_write, displaced;
	struct probe *probe[3];
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
		probe[i] = add_probe(test, &insn_test_points[POINT_PADDED + i], false);
	wait_for_kprobe_optimizer();
	for (i = 0; i < 10; i++)
		KUNIT_EXPECT_EQ(test, insn_test_padded(i), 2 * i + 2);
	for (i = 0; i < ARRAY_SIZE(probe); i++)
		KUNIT_EXPECT_EQ(test, probe[i]->pre, 10);
}

#define LEA_INSN_SIZE	4

/* Data that has the name of a part of the function says nothing about its branches. */
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

	if (copy_from_kernel_nofault(&val, BAD_ADDRESS, sizeof(val)) == -EFAULT)
		to_probe(kp)->pre++;
	return 0;
}

static void insn_test_handler_faults(struct kunit *test)
{
	struct probe *probe = new_probe(test, &insn_test_points[POINT_ADD], true);

	probe->kp.pre_handler = faulting_pre;
	KUNIT_ASSERT_EQ(test, register_kprobe(&probe->kp), 0);
	KUNIT_EXPECT_EQ(test, insn_test_sum(10), 55);
	unregister_kprobe(&probe->kp);

	KUNIT_EXPECT_EQ(test, probe->pre, 10);
	KUNIT_EXPECT_EQ(test, probe->post, 10);
}

#define RACE_ROUNDS	3000

/**
 * struct racer - a thread that runs what is being probed
 * @wrong: sums that are not right
 * @done: after the last one
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

/* Breakpoints come and go under a CPU that runs into them. */
static void insn_test_race(struct kunit *test)
{
	struct kprobe *kps[NR_POINTS];
	struct task_struct *task;
	struct racer racer = {};
	int i, err = 0;

	init_completion(&racer.done);
	for (i = 0; i < NR_POINTS; i++)
		kps[i] = &new_probe(test, &insn_test_points[i], i == 0)->kp;

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

/* For an interrupt at @ip, with @words on the stack that the probed code knows nothing of. */
static void expect_origin(struct kunit *test, unsigned long ip, unsigned long origin,
			  unsigned int words)
{
	unsigned int pushed = 0;
	unsigned long at;

	guard(preempt)();
	at = kprobe_trap_ip(ip, NULL);
	kprobe_slot_unwind(&at, &pushed);
	KUNIT_EXPECT_EQ(test, at, origin);
	KUNIT_EXPECT_EQ(test, pushed, words * sizeof(long));
	/* Live patching goes by this one. */
	KUNIT_EXPECT_EQ(test, kprobe_text_address(ip), origin);
}

/* An unwinder has to see the instruction, wherever a copy of it runs. */
static void insn_test_unwind_address(struct kunit *test)
{
	struct probe *probe = add_probe(test, &insn_test_points[POINT_ADD], true);
	unsigned long addr = (unsigned long)probe->kp.addr;
	struct arch_specific_insn ainsn;
	unsigned long copy;

	ainsn = planted_insn(test, probe->kp.addr);
	KUNIT_ASSERT_NOT_NULL(test, ainsn.insn);
	KUNIT_ASSERT_NOT_NULL(test, ainsn.boosted);

	copy = (unsigned long)ainsn.insn;
	expect_origin(test, copy, addr, 0);
	expect_origin(test, copy + ainsn.size, ainsn.next, 0);
	copy = (unsigned long)ainsn.boosted;
	expect_origin(test, copy, addr, 0);
	expect_origin(test, copy + ainsn.size, ainsn.next, 0);
	/* What has to do with no probe stays as it is. */
	expect_origin(test, addr, addr, 0);
	expect_origin(test, addr + 1, addr + 1, 0);
}

/* Ftrace's own breakpoint, taken when ftrace has just removed it. */
static void insn_test_late_ftrace_trap(struct kunit *test)
{
	struct probe *probe = new_probe(test, &insn_test_points[POINT_ADD], false);
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
	KUNIT_EXPECT_FALSE(test, in_a_hit());
	unregister_kprobe(&probe->kp);
}

static int traces_taken, traces_with_caller;

static noinline unsigned long call_keep(unsigned long n)
{
	/* Not a tail call: there has to be a frame to find. */
	return insn_test_keep(n) + 1;
}

static bool is_in(unsigned long addr, const void *func)
{
	unsigned long size, offset;

	return kallsyms_lookup_size_offset(addr, &size, &offset) &&
	       addr - offset == (unsigned long)func;
}

/* Returns false if call_keep() is not in the trace. */
static bool note_trace(const unsigned long *entries, unsigned int nr)
{
	unsigned int i;

	traces_taken++;
	for (i = 0; i < nr; i++) {
		if (is_in(entries[i], call_keep)) {
			traces_with_caller++;
			return true;
		}
	}
	return false;
}

static void take_trace(void)
{
	unsigned long entries[32];

	note_trace(entries, stack_trace_save(entries, ARRAY_SIZE(entries), 0));
}

static int trace_pre(struct kprobe *kp, struct pt_regs *regs)
{
	take_trace();
	return 0;
}

static void trace_post(struct kprobe *kp, struct pt_regs *regs,
		       unsigned long flags)
{
	take_trace();
}

/* Where instructions of one byte move the stack pointer. */
static void insn_test_stack_trace(struct kunit *test)
{
	struct probe *probe;
	int i;

	if (!IS_ENABLED(CONFIG_UNWINDER_ORC))
		kunit_skip(test, "not for an unwinder that goes by frame pointers");

	for (i = POINT_PUSH; i <= POINT_BACK; i++) {
		traces_taken = 0;
		traces_with_caller = 0;
		probe = new_probe(test, &insn_test_points[i], true);
		probe->kp.pre_handler = trace_pre;
		probe->kp.post_handler = trace_post;
		KUNIT_ASSERT_EQ(test, register_kprobe(&probe->kp), 0);
		KUNIT_EXPECT_EQ(test, call_keep(5), 6);
		unregister_kprobe(&probe->kp);

		KUNIT_EXPECT_EQ(test, traces_taken, 2);
		KUNIT_EXPECT_EQ_MSG(test, traces_with_caller, 2, "point %d", i);
	}
}

/* Where the first trace without the caller was taken. */
static unsigned long bad_trace_ip;

/* Set with interrupts off by who steps. */
static struct task_struct *stepping;

static unsigned long call_keep_in_steps(unsigned long n);

static int step_trap(struct notifier_block *nb, unsigned long why, void *data)
{
	struct die_args *die = data;
	unsigned long entries[32];
	unsigned int nr;

	if (why != DIE_DEBUG || READ_ONCE(stepping) != current || user_mode(die->regs))
		return NOTIFY_DONE;
	/* Before and after it is called; and thunks have no unwind information. */
	if (is_in(die->regs->ip, call_keep_in_steps) ||
	    arch_within_kprobe_blacklist(die->regs->ip))
		return NOTIFY_STOP;
	nr = stack_trace_save_regs(die->regs, entries, ARRAY_SIZE(entries), 0);
	if (!note_trace(entries, nr) && !bad_trace_ip)
		bad_trace_ip = die->regs->ip;
	return NOTIFY_STOP;
}

static struct notifier_block step_nb = { .notifier_call = step_trap };

static void set_stepping(bool on)
{
	unsigned long flags = native_save_fl();

	flags = on ? flags | X86_EFLAGS_TF : flags & ~X86_EFLAGS_TF;
	asm volatile("push %0; popf" : : "r" (flags) : "memory", "cc");
}

/* One instruction after the other, nothing but what we do here. */
static noinline __noclone unsigned long call_keep_in_steps(unsigned long n)
{
	unsigned long flags, ret;

	local_irq_save(flags);
	WRITE_ONCE(stepping, current);
	set_stepping(true);
	ret = call_keep(n);
	set_stepping(false);
	WRITE_ONCE(stepping, NULL);
	local_irq_restore(flags);
	return ret;
}

static void step_through_jump(struct kunit *test, int point)
{
	struct probe *probe = add_probe(test, &insn_test_points[point], false);

	wait_for_kprobe_optimizer();
	KUNIT_EXPECT_EQ(test, *(u8 *)probe->kp.addr, JMP32_INSN_OPCODE);
	KUNIT_EXPECT_EQ(test, slots_of_jump(probe->kp.addr), point == POINT_LONG ? 2 : 1);
	traces_taken = 0;
	traces_with_caller = 0;
	bad_trace_ip = 0;
	KUNIT_EXPECT_EQ(test, call_keep_in_steps(5), 6);
	KUNIT_EXPECT_EQ(test, probe->pre, 1);
	/* What pushes and pops the registers alone is more. */
	KUNIT_EXPECT_GT(test, traces_taken, 40);
	KUNIT_EXPECT_EQ_MSG(test, traces_with_caller, traces_taken, "point %d: %pS", point,
			    (void *)bad_trace_ip);
	drop_probe(test, probe);
}

static void remove_step_trap(void *unused)
{
	unregister_die_notifier(&step_nb);
}

/* From each instruction that a jump leads to, its own and those of the core. */
static void insn_test_stack_trace_in_jump(struct kunit *test)
{
	int i;

	if (!IS_ENABLED(CONFIG_UNWINDER_ORC) || !IS_ENABLED(CONFIG_OPTPROBES))
		kunit_skip(test, "needs CONFIG_OPTPROBES, and unwinding without frame pointers");

	KUNIT_ASSERT_EQ(test, register_die_notifier(&step_nb), 0);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, remove_step_trap, NULL));
	for (i = POINT_PUSH; i <= POINT_BACK; i++)
		step_through_jump(test, i);
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
	struct kprobe kp = { .addr = addr, .pre_handler = count_pre };
	int err = register_kprobe(&kp);

	if (!err)
		unregister_kprobe(&kp);
	KUNIT_EXPECT_EQ_MSG(test, err, -EINVAL, "%pS", addr);
}

/* What a hit runs, and what its trap needs. */
static void insn_test_off_limits(struct kunit *test)
{
	const struct insn_test_case *c;
	struct arch_specific_insn ainsn;
	struct probe *probe;

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
		probe = add_probe(test, c, false);
		ainsn = planted_insn(test, case_addr(c));
		drop_probe(test, probe);
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

static int insn_test_suite_init(struct kunit_suite *suite)
{
	int cpu;

	for_each_possible_cpu(cpu)
		per_cpu(insn_test_percpu_target, cpu) = insn_test_percpu_landing;
	return 0;
}

static struct kunit_case insn_test_kunit_cases[] = {
	KUNIT_CASE_PARAM(insn_test_same_outcome, cases_gen_params),
	KUNIT_CASE_PARAM(insn_test_refusal, refused_gen_params),
	KUNIT_CASE(insn_test_jumps),
	KUNIT_CASE_SLOW(insn_test_puns),
	KUNIT_CASE_SLOW(insn_test_share),
	KUNIT_CASE(insn_test_neighbours),
	KUNIT_CASE(insn_test_nesting),
	KUNIT_CASE(insn_test_handler_moves_ip),
	KUNIT_CASE(insn_test_handler_moves_ip_a_bit),
	KUNIT_CASE(insn_test_padding),
	KUNIT_CASE(insn_test_data_named_alike),
	KUNIT_CASE(insn_test_handler_faults),
	KUNIT_CASE_SLOW(insn_test_race),
	KUNIT_CASE(insn_test_unwind_address),
	KUNIT_CASE(insn_test_late_ftrace_trap),
	KUNIT_CASE(insn_test_stack_trace),
	KUNIT_CASE(insn_test_stack_trace_in_jump),
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
