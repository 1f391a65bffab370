// SPDX-License-Identifier: GPL-2.0-only
/* x86: runs of snippets with and without probes, for the tests of instructions. */
#include <kunit/test.h>
#include <linux/kprobes.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/string.h>

#include <asm/cpufeature.h>
#include <asm/text-patching.h>

#include "insn_runs.h"

DEFINE_PER_CPU(void *, insn_test_percpu_target);

int insn_test_count_pre(struct kprobe *kp, struct pt_regs *regs)
{
	struct insn_probe *probe = insn_test_to_probe(kp);

	probe->pre++;
	if (regs->ip != (unsigned long)kp->addr + INT3_INSN_SIZE)
		probe->bad_ip++;
	probe->irqs_on += insn_test_irqs_wrongly_on(regs);
	return 0;
}

static void count_post(struct kprobe *kp, struct pt_regs *regs,
		       unsigned long flags)
{
	struct insn_probe *probe = insn_test_to_probe(kp);

	probe->post++;
	probe->post_ip = regs->ip;
	probe->irqs_on += insn_test_irqs_wrongly_on(regs);
}

void *insn_test_addr(const struct insn_test_case *c)
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

/* An interrupt may have overwritten the memory below the stack pointer. */
static void forget_dead_stack(struct insn_test_state *state)
{
	u64 lowest = insn_test_sp -
		     (INSN_TEST_STACK_WORDS - INSN_TEST_STACK_FILLED) * sizeof(u64);

	if (state->sp > lowest &&
	    state->sp - lowest < sizeof(state->stack))
		memset(state->stack, 0, state->sp - lowest);
}

/* With call depth tracking, the thunk of an indirect call counts, which sets them. */
static bool flags_are_lost(const struct insn_test_case *c)
{
	return cpu_feature_enabled(X86_FEATURE_CALL_DEPTH) &&
	       !strcmp(c->name, "insn_test_call_thunk");
}

/*
 * Run a snippet with all inputs. Outcomes that are compared must come from calls in the
 * same function, so that the stack pointer is the same.
 */
noinline void insn_test_run_all(const struct insn_test_case *c, bool nested,
			 struct insn_outcome *outcomes)
{
	int nr;

	for (nr = 0; nr < INSN_TEST_INPUTS; nr++) {
		if (nested)
			kprobe_busy_begin();
		set_input(nr);
		insn_test_run(c->entry);
		forget_dead_stack(&insn_test_out);
		if (flags_are_lost(c))
			insn_test_out.flags &= ~INSN_TEST_RESULT_FLAGS;
		outcomes[nr].state = insn_test_out;
		memcpy(outcomes[nr].mem, insn_test_mem,
		       sizeof(outcomes[nr].mem));
		if (nested)
			kprobe_busy_end();
	}
}

/* Reports only the first difference, because one bad instruction causes many. */
void insn_test_expect_same(struct kunit *test, const struct insn_outcome *now,
			   const struct insn_outcome *expected, const char *how)
{
	const u64 *a = (const u64 *)now, *b = (const u64 *)expected;
	size_t i, words = sizeof(*now) / sizeof(*a);

	for (i = 0; i < INSN_TEST_INPUTS * words && a[i] == b[i]; i++)
		;
	if (i < INSN_TEST_INPUTS * words)
		KUNIT_FAIL(test, "%s, input %zu: word %zu is %llx, not %llx",
			   how, i / words, i % words, a[i], b[i]);
}

struct insn_outcome *insn_test_new_outcomes(struct kunit *test)
{
	struct insn_outcome *outcomes;

	outcomes = kunit_kcalloc(test, INSN_TEST_INPUTS, sizeof(*outcomes),
				 GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, outcomes);
	return outcomes;
}

struct insn_probe *insn_test_new_probe(struct kunit *test, const struct insn_test_case *c,
				       bool post)
{
	struct insn_probe *probe = kunit_kzalloc(test, sizeof(*probe), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, probe);
	probe->kp.addr = insn_test_addr(c);
	probe->kp.pre_handler = insn_test_count_pre;
	probe->kp.post_handler = post ? count_post : NULL;
	return probe;
}

static void unregister_action(void *kp)
{
	unregister_kprobe(kp);
}

/* Registered until the end of the test, or until insn_test_drop_probe(). */
struct insn_probe *insn_test_add_probe(struct kunit *test, const struct insn_test_case *c,
				       bool post)
{
	struct insn_probe *probe = insn_test_new_probe(test, c, post);

	KUNIT_ASSERT_EQ(test, register_kprobe(&probe->kp), 0);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test,
							   unregister_action,
							   &probe->kp));
	return probe;
}

void insn_test_drop_probe(struct kunit *test, struct insn_probe *probe)
{
	kunit_release_action(test, unregister_action, &probe->kp);
}

/* Is kprobe_running() still set on this CPU? */
bool insn_test_in_a_hit(void)
{
	guard(preempt)();
	return kprobe_running();
}

bool insn_test_faults(const struct insn_test_case *c)
{
	return strstr(c->name, "_fault_");
}

/* For each suite that runs snippets. */
int insn_test_suite_init(struct kunit_suite *suite)
{
	int cpu;

	for_each_possible_cpu(cpu)
		per_cpu(insn_test_percpu_target, cpu) = insn_test_percpu_landing;
	return 0;
}
