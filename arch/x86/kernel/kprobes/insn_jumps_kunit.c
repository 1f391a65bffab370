// SPDX-License-Identifier: GPL-2.0-only
/*
 * x86: instructions under jumps: with displaced instructions, as puns, by relays, and with post
 * handlers. The outcome must be the same as without a probe. Also, how many of the kernel's can be
 * jumps.
 */
#include <kunit/test.h>
#include <linux/err.h>
#include <linux/ftrace.h>
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/memory.h>
#include <linux/string.h>

#include <asm/alternative.h>
#include <asm/cpufeature.h>
#include <asm/sections.h>
#include <asm/text-patching.h>

#include "../../../../kernel/kprobes/internal.h"

#include "insn_runs.h"
#include "private.h"

/**
 * struct jump_case - a snippet whose instruction is to become a jump
 * @c: the snippet
 * @expected: the outcome without a probe
 * @probe: the probe
 * @text: the text without a jump
 * @padding: the padding in front of the snippet
 */
struct jump_case {
	const struct insn_test_case *c;
	struct insn_outcome *expected;
	struct insn_probe *probe;
	u8 text[MAX_INSN_SIZE];
	u8 padding[CONFIG_FUNCTION_PADDING_BYTES];
};

static bool is_short_jump(const struct jump_case *jc)
{
	const u8 *text = insn_test_addr(jc->c);

	return *text == JMP8_INSN_OPCODE && memcmp(text, jc->text, JMP8_INSN_SIZE);
}

static bool is_jump(const struct jump_case *jc)
{
	const u8 *text = insn_test_addr(jc->c);

	return is_short_jump(jc) ||
	       (*text == JMP32_INSN_OPCODE && memcmp(text, jc->text, JMP32_INSN_SIZE));
}

static void *padding_of(const struct jump_case *jc)
{
	return jc->c->entry - sizeof(jc->padding);
}

static void expect_hits(struct kunit *test, struct jump_case *jc)
{
	if (jc->probe->kp.post_handler && !insn_test_faults(jc->c))
		KUNIT_EXPECT_EQ_MSG(test, jc->probe->post, INSN_TEST_INPUTS, "%s", jc->c->name);
	if (jc->probe->kp.post_handler && insn_test_is_boosted(jc->c))
		KUNIT_EXPECT_EQ_MSG(test, jc->probe->post_ip,
				    test_insn_at(test, insn_test_addr(jc->c)).next, "%s",
				    jc->c->name);
	KUNIT_EXPECT_EQ_MSG(test, jc->probe->pre, INSN_TEST_INPUTS, "%s", jc->c->name);
	KUNIT_EXPECT_EQ_MSG(test, jc->probe->bad_ip, 0, "%s", jc->c->name);
	KUNIT_EXPECT_EQ_MSG(test, jc->probe->irqs_on, 0, "%s", jc->c->name);
	KUNIT_EXPECT_EQ_MSG(test, jc->probe->kp.nmissed, INSN_TEST_INPUTS, "%s", jc->c->name);
}

/* Inline, so that insn_test_run_all() is always called from the same function. */
static __always_inline struct jump_case *plant_jumps(struct kunit *test, unsigned int nr,
						     bool post)
{
	struct jump_case *jcs;
	unsigned int i;

	/* No relay of an earlier test is part of what was there before. */
	kprobe_reclaim_flush();
	jcs = kunit_kcalloc(test, nr, sizeof(*jcs), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, jcs);
	for (i = 0; i < nr; i++) {
		jcs[i].c = &insn_test_cases[i];
		jcs[i].expected = insn_test_new_outcomes(test);
		memcpy(jcs[i].text, insn_test_addr(jcs[i].c), MAX_INSN_SIZE);
		memcpy(jcs[i].padding, padding_of(&jcs[i]), sizeof(jcs[i].padding));
		insn_test_run_all(jcs[i].c, false, jcs[i].expected);
	}
	for (i = 0; i < nr; i++)
		jcs[i].probe = insn_test_add_probe(test, jcs[i].c, post);
	wait_for_kprobe_optimizer();
	return jcs;
}

static __always_inline void expect_jump_works(struct kunit *test, struct jump_case *jc,
					      struct insn_outcome *now)
{
	insn_test_run_all(jc->c, false, now);
	insn_test_expect_same(test, now, jc->expected, jc->c->name);
	insn_test_run_all(jc->c, true, now);
	insn_test_expect_same(test, now, jc->expected, jc->c->name);
	expect_hits(test, jc);
}

static __always_inline void expect_gone(struct kunit *test, struct jump_case *jc,
					struct insn_outcome *now)
{
	u8 text[JMP32_INSN_SIZE];

	insn_test_drop_probe(test, jc->probe);
	/* Behind that may be padding, where relays are still. */
	memcpy(text, insn_test_addr(jc->c), JMP32_INSN_SIZE);
	KUNIT_EXPECT_MEMEQ(test, text, jc->text, JMP32_INSN_SIZE);
	insn_test_run_all(jc->c, false, now);
	insn_test_expect_same(test, now, jc->expected, "probe gone");
}

#ifdef CONFIG_OPTPROBES
/* A copy of a return must not be where the kernel replaces returns by a thunk. */
static void expect_safe_returns(struct kunit *test, const struct jump_case *jc)
{
	const struct optimized_kprobe *op;
	const struct kprobe_copy *copy;
	unsigned int i;
	u8 *at;

	guard(mutex)(&kprobe_mutex);
	op = container_of(get_kprobe(insn_test_addr(jc->c)), struct optimized_kprobe, kp);
	for (i = 0; i < op->optinsn.copies.nr - 1; i++) {
		copy = &op->optinsn.copies.copy[i];
		at = (u8 *)op->optinsn.insn + copy->at;
		if (*at == RET_INSN_OPCODE && !cpu_wants_rethunk_at(op->kp.addr + copy->of))
			KUNIT_EXPECT_FALSE_MSG(test, cpu_wants_rethunk_at(at), "%s", jc->c->name);
	}
}
#else
static void expect_safe_returns(struct kunit *test, const struct jump_case *jc)
{
}
#endif

/* The first bytes of a padding may be the last ones of a pun in front of it. */
static void expect_room_for_puns(struct kunit *test, const struct jump_case *jc)
{
	u8 first[DISP32_SIZE];

	memcpy(first, padding_of(jc), sizeof(first));
	KUNIT_EXPECT_MEMEQ_MSG(test, first, jc->padding, sizeof(first), "%s", jc->c->name);
}

/* Relays are removed when no task can be at them. */
static void expect_no_relays(struct kunit *test, const struct jump_case *jcs, unsigned int nr)
{
	u8 now[sizeof(jcs->padding)], text[MAX_INSN_SIZE];
	unsigned int i;

	kprobe_reclaim_flush();
	for (i = 0; i < nr; i++) {
		memcpy(now, padding_of(&jcs[i]), sizeof(now));
		KUNIT_EXPECT_MEMEQ_MSG(test, now, jcs[i].padding, sizeof(now), "%s",
				       jcs[i].c->name);
		memcpy(text, insn_test_addr(jcs[i].c), sizeof(text));
		KUNIT_EXPECT_MEMEQ_MSG(test, text, jcs[i].text, sizeof(text), "%s",
				       jcs[i].c->name);
	}
}

/* Test all snippets together, because each wait takes a grace period of RCU-tasks. */
static void run_jumps(struct kunit *test, unsigned int at_least, bool post)
{
	unsigned int nr = insn_test_cases_end - insn_test_cases, i, jumps = 0, relayed = 0;
	struct insn_outcome *now = insn_test_new_outcomes(test);
	struct jump_case *jcs;

	jcs = plant_jumps(test, nr, post);
	for (i = 0; i < nr; i++) {
		jumps += is_jump(&jcs[i]);
		relayed += is_short_jump(&jcs[i]);
		if (is_jump(&jcs[i]))
			expect_safe_returns(test, &jcs[i]);
		else
			kunit_info(test, "no jump: %s", jcs[i].c->name);
		if (kprobe_relay_always)
			expect_room_for_puns(test, &jcs[i]);
		expect_jump_works(test, &jcs[i], now);
	}
	kunit_info(test, "%u of %u are jumps, %u by relays", jumps, nr, relayed);
	KUNIT_EXPECT_GE(test, kprobe_relay_always ? relayed : jumps - relayed, at_least);
	if (kprobe_relay_always)
		KUNIT_EXPECT_EQ(test, relayed, jumps);
	for (i = 0; i < nr; i++)
		expect_gone(test, &jcs[i], now);
	expect_no_relays(test, jcs, nr);
}

static void insn_test_jumps(struct kunit *test)
{
	run_jumps(test, 120, false);
}

static void insn_test_jumps_with_post(struct kunit *test)
{
	run_jumps(test, 110, true);
}

static void forget_entered_everywhere(void *unused)
{
	kprobe_region_entered_everywhere = false;
}

/* Puns: one instruction is displaced, and the next ones are part of the displacement. */
static void run_puns(struct kunit *test, bool post)
{
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action(test, forget_entered_everywhere, NULL));
	/* Free retired sites, which are prepared in another way. */
	kprobe_reclaim_flush();
	kprobe_region_entered_everywhere = true;
	run_jumps(test, kprobe_far_only_near_modules() ? 30 : 100, post);
	kprobe_reclaim_flush();
}

static void insn_test_puns(struct kunit *test)
{
	run_puns(test, false);
}

static void insn_test_puns_with_post(struct kunit *test)
{
	run_puns(test, true);
}

static void forget_relay_always(void *unused)
{
	kprobe_relay_always = false;
}

/* Jumps of two bytes to relays in the paddings of the snippets. */
static void run_relays(struct kunit *test, bool post)
{
	if (!IS_ENABLED(CONFIG_PREFIX_SYMBOLS) || cpu_feature_enabled(X86_FEATURE_CALL_DEPTH))
		kunit_skip(test, "the padding in front of functions is not free");
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action(test, forget_relay_always, NULL));
	kprobe_reclaim_flush();
	kprobe_relay_always = true;
	run_jumps(test, 100, post);
}

static void insn_test_relays(struct kunit *test)
{
	run_relays(test, false);
}

static void insn_test_relays_with_post(struct kunit *test)
{
	run_relays(test, true);
}

/*
 * A listener with a post handler joins jumps, and leaves. Breakpoints replace jumps that cannot
 * run it meanwhile.
 */
static void insn_test_post_joins_jumps(struct kunit *test)
{
	unsigned int nr = insn_test_cases_end - insn_test_cases, i;
	struct insn_outcome *now = insn_test_new_outcomes(test);
	unsigned int jumps = 0, left = 0;
	struct jump_case *jcs;
	struct insn_probe *post;

	jcs = plant_jumps(test, nr, false);
	for (i = 0; i < nr; i++) {
		int posts = insn_test_faults(jcs[i].c) ? 0 : INSN_TEST_INPUTS;

		jumps += is_jump(&jcs[i]);
		post = insn_test_add_probe(test, jcs[i].c, true);
		left += is_jump(&jcs[i]);
		insn_test_run_all(jcs[i].c, false, now);
		insn_test_expect_same(test, now, jcs[i].expected, jcs[i].c->name);
		KUNIT_EXPECT_EQ_MSG(test, post->pre, INSN_TEST_INPUTS, "%s", jcs[i].c->name);
		KUNIT_EXPECT_EQ_MSG(test, post->post, posts, "%s", jcs[i].c->name);
		insn_test_drop_probe(test, post);
		insn_test_run_all(jcs[i].c, false, now);
		insn_test_expect_same(test, now, jcs[i].expected, jcs[i].c->name);
		KUNIT_EXPECT_EQ_MSG(test, jcs[i].probe->pre, 2 * INSN_TEST_INPUTS, "%s",
				    jcs[i].c->name);
		KUNIT_EXPECT_EQ_MSG(test, post->post, posts, "%s", jcs[i].c->name);
	}
	/* Some of them cannot run it. */
	KUNIT_EXPECT_GE(test, left, 110);
	KUNIT_EXPECT_LT(test, left, jumps);
}

/* Try one of so many instructions of the kernel. */
#define SHARE_STRIDE	(IS_ENABLED(CONFIG_KASAN) ? 2503 : 997)	/* with KASAN it takes long */

/* Percent of the instructions that can be probed. */
#define SHARE_WANTED	95

/**
 * struct share - counts of instructions
 * @skip: all instructions so far
 * @nr: those that can be probed
 * @displaced: those that can be jumps that displace the next instructions
 * @punned: those that can be puns
 * @relayed: those that can be jumps to relays
 * @verdict: the others, by error number
 * @undecoded: functions with text that is no instruction
 */
struct share {
	unsigned long skip;
	unsigned int nr;
	unsigned int displaced;
	unsigned int punned;
	unsigned int relayed;
	unsigned int verdict[MAX_ERRNO];
	unsigned int undecoded;
};

static bool can_be_probed(unsigned long addr)
{
	struct probed_text text;

	if (within_kprobe_blacklist(addr))
		return false;
	guard(mutex)(&text_mutex);
	return kprobe_insn_read(&text, addr, addr + MAX_INSN_SIZE) >= 0 &&
	       !kprobe_insn_check(&text) && !ftrace_text_reserved((void *)addr, (void *)addr);
}

/* Like the core, but writes no jump, only a relay. */
static void count_insn(struct share *share, unsigned long addr)
{
	struct optimized_kprobe op = { .kp.addr = (kprobe_opcode_t *)addr };
	struct kprobe_region region = { .free_end = ULONG_MAX };
	int ret;

	if (!can_be_probed(addr))
		return;
	share->nr++;
	guard(mutex)(&kprobe_mutex);
	kprobe_region_find(addr, &region);
	ret = arch_prepare_optimized_kprobe(&op, &op.kp);
	if (ret) {
		share->verdict[-ret]++;
		return;
	}
	if (op.optinsn.relay)
		share->relayed++;
	else if (kprobe_is_pun(&region))
		share->punned++;
	else
		share->displaced++;
	arch_remove_optimized_kprobe(&op);
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
		if (insn_decode_kernel(&insn, (void *)pos)) {
			share->undecoded++;
			return 0;
		}
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
	jumps = share->displaced + share->punned + share->relayed;
	KUNIT_ASSERT_GT(test, share->nr, 1000);
	KUNIT_EXPECT_EQ(test, share->undecoded, 0);
	kunit_info(test,
		   "%u of %u instructions by a jump, %u %%: %u displaced, %u punned, %u relayed",
		   jumps, share->nr, jumps * 100 / share->nr, share->displaced,
		   share->punned, share->relayed);
	for (i = 0; i < MAX_ERRNO; i++) {
		if (share->verdict[i])
			kunit_info(test, "%5u not: error -%u", share->verdict[i], i);
	}
	/* Not if puns have only the area of modules. */
	if (!kprobe_far_only_near_modules())
		KUNIT_EXPECT_GE(test, jumps * 100, share->nr * SHARE_WANTED);
}

static struct kunit_case jumps_cases[] = {
	KUNIT_CASE(insn_test_jumps),
	KUNIT_CASE(insn_test_jumps_with_post),
	KUNIT_CASE(insn_test_post_joins_jumps),
	KUNIT_CASE_SLOW(insn_test_puns),
	KUNIT_CASE_SLOW(insn_test_puns_with_post),
	KUNIT_CASE_SLOW(insn_test_relays),
	KUNIT_CASE_SLOW(insn_test_relays_with_post),
	KUNIT_CASE_SLOW(insn_test_share),
	{}
};

static struct kunit_suite jumps_suite = {
	.name = "kprobes_x86_jumps",
	.suite_init = insn_test_suite_init,
	.test_cases = jumps_cases,
};

kunit_test_suite(jumps_suite);
