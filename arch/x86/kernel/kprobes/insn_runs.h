/* SPDX-License-Identifier: GPL-2.0-only */
/* x86: declarations that the tests of instructions share; see insn_runs.c. */
#ifndef _ARCH_X86_KPROBES_INSN_RUNS_H
#define _ARCH_X86_KPROBES_INSN_RUNS_H

#include <kunit/test.h>
#include <linux/container_of.h>
#include <linux/kprobes.h>
#include <linux/ptrace.h>

#include <asm/irqflags.h>
#include <asm/processor-flags.h>

#include "../../../../kernel/kprobes/tests/tests.h"

#include "insn_kunit.h"

/* All combinations of five flags, with and without interrupts. */
#define INSN_TEST_INPUTS	64

/* An address that is never mapped. */
#define INSN_TEST_BAD_ADDRESS	((void *)0xfffffffffffff000)

/* The points of insn_test_sum(), of insn_test_keep(), and of insn_test_padded(). */
enum {
	POINT_ADD, POINT_CALL, POINT_JCC, POINT_RET, NR_POINTS,
	POINT_PUSH = NR_POINTS, POINT_MOV, POINT_LONG, POINT_POP, POINT_BACK,
	POINT_PADDED, POINT_NO_PADDING, POINT_NO_LONG_PADDING, POINT_NAMED,
};

/**
 * struct insn_outcome - the state after an instruction
 * @state: registers, flags and stack
 * @mem: the memory that it may access
 */
struct insn_outcome {
	struct insn_test_state state;
	u64 mem[INSN_TEST_MEM_WORDS];
};

/**
 * struct insn_probe - a probe that counts
 * @kp: the probe
 * @pre: runs of its pre handler
 * @post: runs of its post handler
 * @post_ip: the instruction pointer in its post handler
 * @bad_ip: pre handlers with a wrong instruction pointer
 * @irqs_on: handlers with interrupts on that the probed code had off
 */
struct insn_probe {
	struct kprobe kp;
	int pre;
	int post;
	unsigned long post_ip;
	int bad_ip;
	int irqs_on;
};

static inline struct insn_probe *insn_test_to_probe(struct kprobe *kp)
{
	return container_of(kp, struct insn_probe, kp);
}

/* Handlers may run with interrupts off that the probed code had on, but not the reverse. */
static nokprobe_inline bool insn_test_irqs_wrongly_on(const struct pt_regs *regs)
{
	return !(regs->flags & X86_EFLAGS_IF) && (native_save_fl() & X86_EFLAGS_IF);
}

/* Does it run from a copy, without a trap behind it, if there is no post handler? */
static inline bool insn_test_is_boosted(const struct insn_test_case *c)
{
	return c->kind == INSN_TEST_BOOST || c->kind == INSN_TEST_EITHER;
}

int insn_test_count_pre(struct kprobe *kp, struct pt_regs *regs);
void *insn_test_addr(const struct insn_test_case *c);
void insn_test_run_all(const struct insn_test_case *c, bool nested,
		       struct insn_outcome *outcomes);
void insn_test_expect_same(struct kunit *test, const struct insn_outcome *now,
			   const struct insn_outcome *expected, const char *how);
struct insn_outcome *insn_test_new_outcomes(struct kunit *test);
struct insn_probe *insn_test_new_probe(struct kunit *test, const struct insn_test_case *c,
				       bool post);
struct insn_probe *insn_test_add_probe(struct kunit *test, const struct insn_test_case *c,
				       bool post);
void insn_test_drop_probe(struct kunit *test, struct insn_probe *probe);
bool insn_test_in_a_hit(void);
bool insn_test_faults(const struct insn_test_case *c);
int insn_test_suite_init(struct kunit_suite *suite);

#endif /* _ARCH_X86_KPROBES_INSN_RUNS_H */
