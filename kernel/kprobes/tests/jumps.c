// SPDX-License-Identifier: GPL-2.0-only
/* Functions at whose entry there can be a jump. */
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/string.h>

#include "jumps.h"

enum site_method test_method_at(void *addr)
{
	struct kprobe_site *site;

	guard(mutex)(&kprobe_mutex);
	site = site_lookup((unsigned long)addr);
	return site ? site->method : SITE_UNPLANTED;
}

/* The method after the optimizer is done. */
enum site_method test_method_in_the_end(void *addr)
{
	wait_for_kprobe_optimizer();
	return test_method_at(addr);
}

/* Replace all jumps by breakpoints, or allow them again. */
void test_allow_jumps(bool allowed)
{
	guard(mutex)(&kprobe_mutex);
	jumps_allow(allowed);
}

static bool would_displace(void *at, void *addr)
{
	struct kprobe_site *site;

	guard(mutex)(&kprobe_mutex);
	site = site_lookup((unsigned long)at);
	return site && arch_within_optimized_kprobe(&site->op, addr);
}

/* The first instruction behind @at that a jump there displaces and that can be probed. */
static void *find_inside(struct kunit *test, void *at)
{
	struct test_probe *tp;
	void *addr;

	/* If it displaces none, use the next one. */
	if (ARCH_KPROBE_JUMP_IN_PLACE)
		return at + sizeof(kprobe_opcode_t);
	for (addr = at + 1; would_displace(at, addr); addr++) {
		tp = test_probe_at(test, addr, WITH_PRE);
		if (register_kprobe(&tp->kp))
			continue;
		unregister_kprobe(&tp->kp);
		return addr;
	}
	return NULL;
}

/* No jump was found: fail if the architecture is known to have some. */
void test_no_jump(struct kunit *test, const char *why)
{
	if (IS_ENABLED(CONFIG_X86_64) || IS_ENABLED(CONFIG_ARM64))
		KUNIT_FAIL_AND_ABORT(test, "%s", why);
	kunit_skip(test, "%s", why);
}

/* A jump at the entry of a function that ftrace does not patch. */
struct jump_place *test_jump_place(struct kunit *test)
{
	struct jump_place *pl = kunit_kzalloc(test, sizeof(*pl), GFP_KERNEL);
	struct test_probe *tp;

	KUNIT_ASSERT_NOT_NULL(test, pl);
	kprobe_reclaim_flush();
	tp = test_probe_at(test, kprobe_test_plain, WITH_PRE);
	tp->kp.flags = KPROBE_FLAG_DISABLED;
	KUNIT_ASSERT_EQ(test, register_kprobe(&tp->kp), 0);
	pl->at = tp->kp.addr;
	memcpy(pl->text, pl->at, TEXT_LEN);
	KUNIT_ASSERT_EQ(test, enable_kprobe(&tp->kp), 0);
	if (test_method_in_the_end(pl->at) != SITE_JUMP)
		test_no_jump(test, "no jump at the entry of kprobe_test_plain()");
	pl->inside = find_inside(test, pl->at);
	unregister_kprobe(&tp->kp);
	return pl;
}

/* The same, with a displaced instruction that can be probed. */
struct jump_place *test_crowded_place(struct kunit *test)
{
	struct jump_place *pl = test_jump_place(test);

	if (!pl->inside)
		test_no_jump(test, "the jump displaces no other instruction");
	return pl;
}

void test_expect_untouched(struct kunit *test, const struct jump_place *pl)
{
	KUNIT_EXPECT_EQ(test, test_method_at(pl->at), SITE_UNPLANTED);
	KUNIT_EXPECT_MEMEQ(test, pl->at, pl->text, TEXT_LEN);
}

void test_expect_hits(struct kunit *test, struct test_probe *tp, int pre, int post)
{
	KUNIT_EXPECT_EQ(test, test_pre_hits(tp), pre);
	KUNIT_EXPECT_EQ(test, test_post_hits(tp), post);
	KUNIT_EXPECT_EQ(test, tp->kp.nmissed, 0);
}

/* A probe that is fit for a jump, and may wait for the grace period. */
struct test_probe *test_waiting_probe(struct kunit *test, const struct jump_place *pl)
{
	struct test_probe *tp = test_probe_new(test, pl->at, WITH_PRE);

	jumps_decide();
	return tp;
}
