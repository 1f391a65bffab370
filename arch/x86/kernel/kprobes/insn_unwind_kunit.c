// SPDX-License-Identifier: GPL-2.0-only
/* x86: stack traces from each instruction of a hit. */
#include <kunit/test.h>
#include <linux/array_size.h>
#include <linux/kallsyms.h>
#include <linux/kdebug.h>
#include <linux/kprobes.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/stacktrace.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include <asm/text-patching.h>

#include "../../../../kernel/kprobes/internal.h"

#include "insn_runs.h"
#include "private.h"

/* For an interrupt at @ip, with @words on the stack that the probed code has not pushed. */
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
	/* Live patching uses this one. */
	KUNIT_EXPECT_EQ(test, kprobe_text_address(ip), origin);
}

/* An unwinder has to see the instruction, wherever a copy of it runs. */
static void insn_test_unwind_address(struct kunit *test)
{
	struct insn_probe *probe = insn_test_add_probe(test, &insn_test_points[POINT_ADD], true);
	unsigned long addr = (unsigned long)probe->kp.addr;
	struct arch_specific_insn ainsn;
	unsigned long copy;

	ainsn = test_insn_at(test, probe->kp.addr);
	KUNIT_ASSERT_NOT_NULL(test, ainsn.insn);
	KUNIT_ASSERT_NE(test, ainsn.boosted, 0);

	copy = (unsigned long)ainsn.insn;
	expect_origin(test, copy, addr, 0);
	expect_origin(test, copy + ainsn.size, ainsn.next, 0);
	copy = (unsigned long)ainsn.insn + ainsn.boosted;
	expect_origin(test, copy, addr, 0);
	expect_origin(test, copy + ainsn.size, ainsn.next, 0);
	/* Other addresses do not change. */
	expect_origin(test, addr, addr, 0);
	expect_origin(test, addr + 1, addr + 1, 0);
}

#ifdef CONFIG_UNWINDER_ORC
static void free_pages_of(void *area)
{
	vfree(area);
}

/* The page of a slot may have been freed since it was looked up. */
static void insn_test_unwind_freed_page(struct kunit *test)
{
	unsigned long gone;
	void *area;

	area = vmalloc(PAGE_SIZE);
	KUNIT_ASSERT_NOT_NULL(test, area);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, free_pages_of, area), 0);
	/* The guard page is not mapped. */
	gone = (unsigned long)area + PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, kprobe_slot_origin(gone), gone);
	KUNIT_EXPECT_EQ(test, kprobe_slot_origin(gone + 1), gone + 1);
}
#else
static void insn_test_unwind_freed_page(struct kunit *test)
{
	kunit_skip(test, "only the ORC unwinder reads slots");
}
#endif

static int traces_taken, traces_with_caller;

static noinline unsigned long call_keep(unsigned long n)
{
	/* Not a tail call, so that there is a frame. */
	return insn_test_keep(n) + 1;
}

static bool is_in(unsigned long addr, const void *func)
{
	unsigned long size, offset;

	return kallsyms_lookup_size_offset(addr, &size, &offset) &&
	       addr - offset == (unsigned long)func;
}

/* Call depth tracking counts calls of a function in the padding in front of it. */
static bool is_in_front(unsigned long addr, const void *func)
{
	return addr < (unsigned long)func &&
	       (unsigned long)func - addr <= CONFIG_FUNCTION_PADDING_BYTES;
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
	struct insn_probe *probe;
	int i;

	if (!IS_ENABLED(CONFIG_UNWINDER_ORC))
		kunit_skip(test, "not for an unwinder that goes by frame pointers");

	for (i = POINT_PUSH; i <= POINT_BACK; i++) {
		traces_taken = 0;
		traces_with_caller = 0;
		probe = insn_test_new_probe(test, &insn_test_points[i], true);
		probe->kp.pre_handler = trace_pre;
		probe->kp.post_handler = trace_post;
		KUNIT_ASSERT_EQ(test, register_kprobe(&probe->kp), 0);
		KUNIT_EXPECT_EQ(test, call_keep(5), 6);
		unregister_kprobe(&probe->kp);

		KUNIT_EXPECT_EQ(test, traces_taken, 2);
		KUNIT_EXPECT_EQ_MSG(test, traces_with_caller, 2, "point %d", i);
	}
}

/*
 * Traces without the caller: how many were taken on the way out of a detour, which may overwrite
 * what unwinders need, and where the first other one was.
 */
static unsigned int traces_on_way_out;
static unsigned long bad_trace_ip;

/* Set with interrupts off by the task that steps. */
static struct task_struct *stepping;

static unsigned long call_keep_in_steps(unsigned long n);

/* The compiler may have added a suffix to the name, so compare the part before the dot. */
static bool is_on_way_out(unsigned long addr)
{
	static const char * const functions[] = {
		"emulate_ret", "kprobe_detour", "kprobe_detour_leave", "leave_detour",
	};
	char name[KSYM_NAME_LEN];
	unsigned int i;

	if (lookup_symbol_name(addr, name))
		return false;
	*strchrnul(name, '.') = '\0';
	for (i = 0; i < ARRAY_SIZE(functions); i++) {
		if (!strcmp(name, functions[i]))
			return true;
	}
	return false;
}

/* Is one of the functions on its way out, or, with KCSAN, what it calls for each access? */
static bool trace_is_on_way_out(const unsigned long *entries, unsigned int nr)
{
	return (nr > 0 && is_on_way_out(entries[0])) ||
	       (IS_ENABLED(CONFIG_KPROBES_KCSAN_HITS) && nr > 1 && is_on_way_out(entries[1]));
}

/* Addresses of the kernel that were translated for live patching, and to what. */
static unsigned int translated;
static unsigned long translation;

static void note_translation(unsigned long ip)
{
	unsigned long origin = kprobe_text_address(ip);

	if (!core_kernel_text(ip) || origin == ip)
		return;
	translated++;
	translation = origin;
}

static void note_trace_of_step(struct pt_regs *regs)
{
	unsigned long entries[32];
	unsigned int nr;

	note_translation(regs->ip);
	nr = stack_trace_save_regs(regs, entries, ARRAY_SIZE(entries), 0);
	if (note_trace(entries, nr))
		return;
	if (trace_is_on_way_out(entries, nr))
		traces_on_way_out++;
	else if (!bad_trace_ip)
		bad_trace_ip = regs->ip;
}

static int step_trap(struct notifier_block *nb, unsigned long why, void *data)
{
	struct die_args *die = data;

	if (why != DIE_DEBUG || READ_ONCE(stepping) != current || user_mode(die->regs))
		return NOTIFY_DONE;
	/* Skip steps before and after the call, and in thunks, which have no unwind information. */
	if (is_in(die->regs->ip, call_keep_in_steps) || is_in_front(die->regs->ip, call_keep) ||
	    arch_within_kprobe_blacklist(die->regs->ip))
		return NOTIFY_STOP;
	note_trace_of_step(die->regs);
	return NOTIFY_STOP;
}

static struct notifier_block step_nb = { .notifier_call = step_trap };

static void set_stepping(bool on)
{
	unsigned long flags = native_save_fl();

	flags = on ? flags | X86_EFLAGS_TF : flags & ~X86_EFLAGS_TF;
	asm volatile("push %0; popf" : : "r" (flags) : "memory", "cc");
}

/* Single-step the call. */
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

#ifdef CONFIG_OPTPROBES
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
#endif

/* kprobe_detour_leave() overwrites the frame that unwinders need. */
static bool is_left_behind_post(const struct insn_probe *probe, int point)
{
	return probe->kp.post_handler && (point == POINT_LONG || point == POINT_BACK);
}

static void step_through_jump(struct kunit *test, int point, bool post, u8 opcode)
{
	struct insn_probe *probe = insn_test_add_probe(test, &insn_test_points[point], post);

	wait_for_kprobe_optimizer();
	KUNIT_EXPECT_EQ(test, *(u8 *)probe->kp.addr, opcode);
	KUNIT_EXPECT_EQ(test, slots_of_jump(probe->kp.addr), point == POINT_LONG ? 2 : 1);
	traces_taken = 0;
	traces_with_caller = 0;
	traces_on_way_out = 0;
	bad_trace_ip = 0;
	translated = 0;
	KUNIT_EXPECT_EQ(test, call_keep_in_steps(5), 6);
	KUNIT_EXPECT_EQ(test, probe->pre, 1);
	KUNIT_EXPECT_EQ(test, probe->post, post);
	/* The instructions that push and pop registers alone are more. */
	KUNIT_EXPECT_GT(test, traces_taken, 40);
	KUNIT_EXPECT_EQ_MSG(test, bad_trace_ip, 0, "point %d: %pS", point, (void *)bad_trace_ip);
	if (!is_left_behind_post(probe, point))
		KUNIT_EXPECT_EQ_MSG(test, traces_on_way_out, 0, "point %d", point);
	/* Only a relay is in the kernel's text. */
	KUNIT_EXPECT_EQ(test, translated, opcode == JMP8_INSN_OPCODE);
	if (translated)
		KUNIT_EXPECT_EQ(test, translation, (unsigned long)probe->kp.addr);
	insn_test_drop_probe(test, probe);
}

static void remove_step_trap(void *unused)
{
	unregister_die_notifier(&step_nb);
}

/* Take a trace from each instruction of a hit by a jump: in the detour and in the core. */
static void insn_test_stack_trace_in_jump(struct kunit *test)
{
	int i;

	if (!IS_ENABLED(CONFIG_UNWINDER_ORC) || !IS_ENABLED(CONFIG_OPTPROBES))
		kunit_skip(test, "needs CONFIG_OPTPROBES, and unwinding without frame pointers");

	KUNIT_ASSERT_EQ(test, register_die_notifier(&step_nb), 0);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, remove_step_trap, NULL));
	for (i = POINT_PUSH; i <= POINT_BACK; i++) {
		step_through_jump(test, i, false, JMP32_INSN_OPCODE);
		step_through_jump(test, i, true, JMP32_INSN_OPCODE);
	}
}

#if defined(CONFIG_OPTPROBES) && defined(CONFIG_X86_64)
static void forget_relay_always(void *unused)
{
	kprobe_relay_always = false;
}

/* The same for a jump of two bytes, and its relay. */
static void insn_test_stack_trace_in_relay(struct kunit *test)
{
	if (!IS_ENABLED(CONFIG_UNWINDER_ORC) || !IS_ENABLED(CONFIG_PREFIX_SYMBOLS) ||
	    cpu_feature_enabled(X86_FEATURE_CALL_DEPTH))
		kunit_skip(test, "needs free padding, and unwinding without frame pointers");

	KUNIT_ASSERT_EQ(test, register_die_notifier(&step_nb), 0);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, remove_step_trap, NULL));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action(test, forget_relay_always, NULL));
	kprobe_reclaim_flush();
	kprobe_relay_always = true;
	step_through_jump(test, POINT_MOV, false, JMP8_INSN_OPCODE);
	step_through_jump(test, POINT_MOV, true, JMP8_INSN_OPCODE);
	kprobe_reclaim_flush();
}
#else
static void insn_test_stack_trace_in_relay(struct kunit *test)
{
	kunit_skip(test, "needs CONFIG_OPTPROBES");
}
#endif

static struct kunit_case unwind_cases[] = {
	KUNIT_CASE(insn_test_unwind_address),
	KUNIT_CASE(insn_test_unwind_freed_page),
	KUNIT_CASE(insn_test_stack_trace),
	KUNIT_CASE(insn_test_stack_trace_in_jump),
	KUNIT_CASE(insn_test_stack_trace_in_relay),
	{}
};

static struct kunit_suite unwind_suite = {
	.name = "kprobes_x86_unwind",
	.suite_init = insn_test_suite_init,
	.test_cases = unwind_cases,
};

kunit_test_suite(unwind_suite);
