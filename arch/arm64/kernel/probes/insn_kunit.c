// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of arm64 kernel probes. They run instructions of each kind without a probe, and then
 * with each kind of probe. Registers, flags, stack and memory must be the same afterwards.
 *
 * The instructions are in insn_kunit_asm.S.
 */
#include <kunit/test.h>
#include <linux/bitfield.h>
#include <linux/cleanup.h>
#include <linux/cpumask.h>
#include <linux/irqflags.h>
#include <linux/kprobes.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include <asm/cpufeature.h>
#include <asm/debug-monitors.h>
#include <asm/hwcap.h>
#include <asm/neon.h>

#include "../../../../kernel/kprobes/internal.h"
#include "../../../../kernel/kprobes/tests/tests.h"

#include "insn_kunit.h"
#include "private.h"

/* All combinations of four flags, with and without interrupts. */
#define NR_INPUTS	32

void *insn_test_edge;

/**
 * struct outcome - all state that an instruction may change
 * @state: registers, flags and stack
 * @mem: the memory that it may access
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
 * @bad_pc: runs with a wrong program counter: not the probe's in a pre handler, or the copy's in a
 *	post handler
 */
struct probe {
	struct kprobe kp;
	int pre;
	int post;
	int bad_pc;
};

static int count_pre(struct kprobe *kp, struct pt_regs *regs)
{
	struct probe *probe = container_of(kp, struct probe, kp);

	probe->pre++;
	probe->bad_pc += regs->pc != (unsigned long)kp->addr;
	return 0;
}

static void count_post(struct kprobe *kp, struct pt_regs *regs, unsigned long flags)
{
	struct probe *probe = container_of(kp, struct probe, kp);

	probe->post++;
	probe->bad_pc += !core_kernel_text(regs->pc);
}

/* Features of the CPU */

/**
 * insn_test_cpu_has - does the CPU have what snippets need?
 * @need: INSN_NEEDS_*
 *
 * Return: true if so.
 */
bool insn_test_cpu_has(unsigned int need)
{
	switch (need) {
	case INSN_NEEDS_NOTHING:
		return true;
	case INSN_NEEDS_SIMD:
		return system_supports_fpsimd();
	case INSN_NEEDS_LSE:
		return cpu_have_named_feature(ATOMICS);
	case INSN_NEEDS_PAUTH:
		return system_supports_address_auth() && IS_ENABLED(CONFIG_ARM64_PTR_AUTH_KERNEL);
	case INSN_NEEDS_CRC32:
		return cpu_have_named_feature(CRC32);
	case INSN_NEEDS_RCPC:
		return cpu_have_named_feature(LRCPC);
	case INSN_NEEDS_RCPC2:
		return cpu_have_named_feature(ILRCPC);
	case INSN_NEEDS_FLAGM:
		return cpu_have_named_feature(FLAGM);
	case INSN_NEEDS_SB:
		return cpu_have_named_feature(SB);
	case INSN_NEEDS_PAN:
		return system_uses_hw_pan();
	case INSN_NEEDS_UAO:
		return FIELD_GET(ID_AA64MMFR2_EL1_UAO_MASK, read_cpuid(ID_AA64MMFR2_EL1));
	case INSN_NEEDS_LOR:
		return FIELD_GET(ID_AA64MMFR1_EL1_LO_MASK, read_cpuid(ID_AA64MMFR1_EL1));
	case INSN_NEEDS_GIC:
		return cpus_have_cap(ARM64_HAS_GIC_CPUIF_SYSREGS);
	case INSN_NEEDS_DIT:
		return cpu_have_named_feature(DIT);
	case INSN_NEEDS_SSBS:
		return cpu_have_named_feature(SSBS);
	case INSN_NEEDS_MTE:
		return system_supports_mte();
	case INSN_NEEDS_SVE:
		return system_supports_sve();
	case INSN_NEEDS_SME:
		return system_supports_sme();
	case INSN_NEEDS_HBC:
		return cpu_have_named_feature(HBC);
	case INSN_NEEDS_RNG:
		return cpu_have_named_feature(RNG);
	case INSN_NEEDS_CSSC:
		return cpu_have_named_feature(CSSC);
	default:
		return false;
	}
}

/* Running */

/**
 * insn_test_set_input - set the input of snippets
 * @nr: number of the input; its lowest four bits are the condition flags
 */
void insn_test_set_input(unsigned int nr)
{
	/* For branches that depend on x2. */
	static const u64 values[] = {
		0, 1, BIT_ULL(31), BIT_ULL(32), BIT_ULL(32) + 1, BIT_ULL(63), ~0ULL,
	};
	struct insn_test_state *in = &insn_test_in;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(in->regs); i++)
		in->regs[i] = 0x0123456789abcdefULL * (2 * i + 1) + nr;
	in->regs[2] = values[nr % ARRAY_SIZE(values)];
	in->nzcv = (u64)(nr & 0xf) << 28;
	for (i = 0; i < ARRAY_SIZE(in->v); i++)
		in->v[i] = 0x3ff5a00040490fdbULL * (i + 1) + nr;
	for (i = 0; i < ARRAY_SIZE(in->stack); i++)
		in->stack[i] = 0x5aa5c33c0ff00000ULL + 0x1001 * i;
	for (i = 0; i < INSN_TEST_MEM_WORDS; i++)
		insn_test_mem[i] = 0xfedcba9876543210ULL + 0x1111111111 * i;
}

/* An interrupt may have overwritten the memory below the stack pointer. */
static void forget_dead_stack(struct insn_test_state *state)
{
	u64 lowest = insn_test_sp - (INSN_TEST_STACK_WORDS - INSN_TEST_STACK_FILLED) * sizeof(u64);

	if (state->sp > lowest && state->sp - lowest < sizeof(state->stack))
		memset(state->stack, 0, state->sp - lowest);
}

static bool uses_simd(const struct insn_test_case *c)
{
	return c->needs == INSN_NEEDS_SIMD || c->needs == INSN_NEEDS_SVE;
}

/* Do not wait for an interrupt that is masked by its priority. */
static bool waits(const struct insn_test_case *c)
{
	return !strcmp(c->name, "insn_test_wfi") && system_uses_irq_prio_masking();
}

static void run_once(const struct insn_test_case *c, bool masked)
{
	unsigned long flags;

	masked &= !waits(c);
	insn_test_out = (struct insn_test_state){ };
	insn_test_simd = uses_simd(c);
	if (insn_test_simd)
		kernel_neon_begin();
	if (masked)
		local_irq_save(flags);
	insn_test_run(c->entry);
	if (masked)
		local_irq_restore(flags);
	if (insn_test_simd)
		kernel_neon_end();
}

/*
 * Run a snippet with each input. Call this from one function for all outcomes that are compared, so
 * that the stack pointer is the same.
 */
static noinline void run(const struct insn_test_case *c, bool nested, struct outcome *outcomes)
{
	unsigned int nr;

	for (nr = 0; nr < NR_INPUTS; nr++) {
		insn_test_set_input(nr);
		if (nested)
			kprobe_busy_begin();
		run_once(c, nr & 16);
		if (nested)
			kprobe_busy_end();
		forget_dead_stack(&insn_test_out);
		outcomes[nr].state = insn_test_out;
		memcpy(outcomes[nr].mem, insn_test_mem, sizeof(outcomes[nr].mem));
	}
}

/* Report only the first difference: an instruction may cause many. */
static void expect_same(struct kunit *test, const struct outcome *now,
			const struct outcome *expected, const char *name)
{
	const u64 *a = (const u64 *)now, *b = (const u64 *)expected;
	size_t i, words = sizeof(*now) / sizeof(*a);

	for (i = 0; i < NR_INPUTS * words && a[i] == b[i]; i++)
		;
	if (i < NR_INPUTS * words)
		KUNIT_FAIL(test, "%s, input %zu: word %zu is %llx, not %llx", name, i / words,
			   i % words, a[i], b[i]);
}

/* Kinds of hits */

/**
 * struct way - how a probe is hit
 * @name: its name
 * @jump: jumps are allowed
 * @post: the probe has a post handler; without a jump, a copy is stepped for it
 * @nested: hit as if a handler were running
 */
struct way {
	const char *name;
	bool jump;
	bool post;
	bool nested;
};

static const struct way ways[] = {
	{ "breakpoint" },
	{ "breakpoint, post handler", .post = true },
	{ "breakpoint inside a hit", .nested = true },
#ifdef CONFIG_OPTPROBES
	{ "jump", .jump = true },
	{ "jump, post handler", .jump = true, .post = true },
	{ "jump inside a hit", .jump = true, .nested = true },
#endif
};

KUNIT_ARRAY_PARAM_DESC(way, ways, name);

#define NR_CASES	((unsigned int)(insn_test_cases_end - insn_test_cases))

/**
 * struct subject - a snippet under test
 * @c: the snippet
 * @runs: the CPU has the features that it needs
 * @expected: outcomes without a probe
 * @text: the text without a probe
 * @probe: the probe
 */
struct subject {
	const struct insn_test_case *c;
	bool runs;
	struct outcome *expected;
	u32 text;
	struct probe probe;
};

static u32 text_at(const struct insn_test_case *c)
{
	return le32_to_cpu(READ_ONCE(*(__le32 *)insn_test_addr(c)));
}

static void free_outcomes(void *outcomes)
{
	vfree(outcomes);
}

static struct outcome *new_outcomes(struct kunit *test, unsigned int nr)
{
	struct outcome *outcomes = vcalloc(nr, NR_INPUTS * sizeof(*outcomes));

	KUNIT_ASSERT_NOT_NULL(test, outcomes);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, free_outcomes, outcomes));
	return outcomes;
}

static struct subject *new_subjects(struct kunit *test, const struct way *way)
{
	struct outcome *outcomes = new_outcomes(test, NR_CASES);
	struct subject *subjects;
	unsigned int i;

	subjects = kunit_kcalloc(test, NR_CASES, sizeof(*subjects), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, subjects);
	for (i = 0; i < NR_CASES; i++) {
		subjects[i].c = &insn_test_cases[i];
		subjects[i].runs = insn_test_cpu_has(insn_test_cases[i].needs);
		subjects[i].expected = outcomes + i * NR_INPUTS;
		subjects[i].text = text_at(subjects[i].c);
		subjects[i].probe.kp.addr = insn_test_addr(subjects[i].c);
		subjects[i].probe.kp.pre_handler = count_pre;
		subjects[i].probe.kp.post_handler = way->post ? count_post : NULL;
	}
	return subjects;
}

static bool is_simulated(const struct insn_test_case *c)
{
	return c->kind == INSN_TEST_SIMULATE || c->kind == INSN_TEST_TRAP;
}

static bool may_be_jump(const struct insn_test_case *c)
{
	return c->kind == INSN_TEST_SIMULATE || c->kind == INSN_TEST_BOOST;
}

/* A landing pad stays a breakpoint: a branch is none. */
static bool is_landing_pad(u32 text)
{
	return system_supports_bti_kernel() &&
	       (aarch64_insn_is_bti(text) ||
		text == aarch64_insn_gen_hint(AARCH64_INSN_HINT_PACIASP) ||
		text == aarch64_insn_gen_hint(AARCH64_INSN_HINT_PACIBSP));
}

/* The site is prepared and planted as expected. */
static void expect_kind(struct kunit *test, const struct subject *s, const struct way *way)
{
	const struct insn_test_case *c = s->c;
	struct arch_specific_insn ainsn = test_insn_at(test, insn_test_addr(c));
	u32 text = text_at(c);

	KUNIT_EXPECT_EQ_MSG(test, !!ainsn.api.handler, is_simulated(c), "%s", c->name);
	KUNIT_EXPECT_EQ_MSG(test, ainsn.boosted, c->kind == INSN_TEST_BOOST, "%s", c->name);
	KUNIT_EXPECT_EQ_MSG(test, ainsn.detour, may_be_jump(c), "%s", c->name);
	if (!is_simulated(c))
		KUNIT_EXPECT_NOT_NULL_MSG(test, ainsn.insn, "%s", c->name);
	if (!way->jump || !may_be_jump(c) || is_landing_pad(s->text)) {
		KUNIT_EXPECT_EQ_MSG(test, text, BRK64_OPCODE_KPROBES, "%s", c->name);
		return;
	}
	KUNIT_ASSERT_TRUE_MSG(test, aarch64_insn_is_b(text), "%s", c->name);
	KUNIT_EXPECT_PTR_EQ_MSG(test, (void *)insn_test_addr(c) + aarch64_get_branch_offset(text),
				(void *)(ainsn.insn + SLOT_DETOUR), "%s", c->name);
}

#ifndef CONFIG_OPTPROBES
static void jumps_allow(bool allowed) { }
#endif

/* Are probes to be planted as jumps where they can be? */
void insn_test_allow_jumps(bool allowed)
{
	guard(mutex)(&kprobe_mutex);
	jumps_allow(allowed);
}

static void unplant(void *kps)
{
	unregister_kprobes(kps, NR_CASES);
	insn_test_allow_jumps(true);
}

/* Change all probes at once: each change of text stops the machine, and removal waits for hits. */
static struct kprobe **plant(struct kunit *test, struct subject *subjects, const struct way *way)
{
	struct kprobe **kps;
	unsigned int i;

	kps = kunit_kcalloc(test, NR_CASES, sizeof(*kps), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, kps);
	for (i = 0; i < NR_CASES; i++)
		kps[i] = &subjects[i].probe.kp;
	/* A site that still exists keeps its kind. */
	kprobe_reclaim_flush();
	insn_test_allow_jumps(way->jump);
	KUNIT_ASSERT_EQ(test, register_kprobes(kps, NR_CASES), 0);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, unplant, kps));
	return kps;
}

static void expect_hits(struct kunit *test, const struct subject *s, const struct way *way)
{
	int hits = way->nested ? 0 : NR_INPUTS;

	KUNIT_EXPECT_EQ_MSG(test, s->probe.pre, hits, "%s", s->c->name);
	KUNIT_EXPECT_EQ_MSG(test, s->probe.post, way->post && !s->c->faults ? hits : 0, "%s",
			    s->c->name);
	KUNIT_EXPECT_EQ_MSG(test, s->probe.bad_pc, 0, "%s", s->c->name);
	KUNIT_EXPECT_EQ_MSG(test, s->probe.kp.nmissed, NR_INPUTS - hits, "%s", s->c->name);
}

/* Does this CPU look as if a handler were running? */
static bool in_a_hit(void)
{
	guard(preempt)();
	return kprobe_running();
}

/* The one caller of run(), see there. */
static void run_subjects(struct kunit *test, struct subject *subjects, const struct way *way,
			 struct outcome *now)
{
	struct subject *s;

	for (s = subjects; s < subjects + NR_CASES; s++) {
		if (!s->runs)
			continue;
		run(s->c, now && way->nested, now ?: s->expected);
		if (!now)
			continue;
		expect_same(test, now, s->expected, s->c->name);
		expect_hits(test, s, way);
		KUNIT_ASSERT_FALSE_MSG(test, in_a_hit(), "%s", s->c->name);
	}
}

static void same_outcome(struct kunit *test)
{
	const struct way *way = test->param_value;
	struct subject *subjects = new_subjects(test, way);
	struct outcome *now = new_outcomes(test, 1);
	unsigned int i, nr_run = 0;
	struct kprobe **kps;

	/* Stay on one CPU, so that its state does not differ. */
	KUNIT_ASSERT_EQ(test, 0, set_cpus_allowed_ptr(current,
						      cpumask_of(raw_smp_processor_id())));
	run_subjects(test, subjects, way, NULL);
	kps = plant(test, subjects, way);
	for (i = 0; i < NR_CASES; i++) {
		expect_kind(test, &subjects[i], way);
		nr_run += subjects[i].runs;
	}
	run_subjects(test, subjects, way, now);
	kunit_release_action(test, unplant, kps);
	for (i = 0; i < NR_CASES; i++)
		KUNIT_EXPECT_EQ_MSG(test, text_at(subjects[i].c), subjects[i].text, "%s",
				    subjects[i].c->name);
	kunit_info(test, "%u of %u snippets run; for the others this CPU is too old", nr_run,
		   NR_CASES);
}

/* Check that inputs let branches go both ways. */
static void branches_go_both_ways(struct kunit *test)
{
	struct outcome *outcomes = new_outcomes(test, 1);
	unsigned int conditional = 0, taken, i;
	const struct insn_test_case *c;

	for (c = insn_test_cases; c < insn_test_cases_end; c++) {
		if (!strstr(c->name, "test_b_") || !insn_test_cpu_has(c->needs))
			continue;
		run(c, false, outcomes);
		for (i = taken = 0; i < NR_INPUTS; i++)
			taken += outcomes[i].state.regs[27] == 0x600d;
		conditional += taken && taken < NR_INPUTS;
	}
	/* All but al, nv and the unconditional one; one occurs twice. */
	KUNIT_EXPECT_EQ(test, conditional, 14 + 1);
}

static void refused(struct kunit *test)
{
	const struct insn_test_case *c = test->param_value;
	void *addr = insn_test_addr(c);
	struct kprobe kp = { .addr = addr, .pre_handler = count_pre };
	u32 *word = PTR_ALIGN_DOWN(addr, sizeof(u32));
	u32 before = READ_ONCE(*word);
	int err = register_kprobe(&kp);

	if (!err)
		unregister_kprobe(&kp);
	KUNIT_EXPECT_EQ(test, err, c->kind);
	KUNIT_EXPECT_EQ(test, READ_ONCE(*word), before);
}

static const void *refused_gen_params(const void *prev, char *desc)
{
	const struct insn_test_case *c = prev ? prev + sizeof(*c) : insn_test_refused;

	if (c == insn_test_refused_end)
		return NULL;
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s+%d", c->name, c->offset);
	return c;
}

static void *edge_page;

static int insn_suite_init(struct kunit_suite *suite)
{
	edge_page = vmalloc(PAGE_SIZE);
	if (!edge_page)
		return -ENOMEM;
	memset(edge_page, 0x5a, PAGE_SIZE);
	insn_test_edge = edge_page + PAGE_SIZE - 3;
	return 0;
}

static void insn_suite_exit(struct kunit_suite *suite)
{
	vfree(edge_page);
}

static struct kunit_case insn_cases[] = {
	KUNIT_CASE_PARAM_ATTR(same_outcome, way_gen_params, { .speed = KUNIT_SPEED_SLOW }),
	KUNIT_CASE(branches_go_both_ways),
	KUNIT_CASE_PARAM(refused, refused_gen_params),
	{}
};

static struct kunit_suite insn_suite = {
	.name = "kprobes_arm64_insn",
	.suite_init = insn_suite_init,
	.suite_exit = insn_suite_exit,
	.test_cases = insn_cases,
};

kunit_test_suite(insn_suite);
