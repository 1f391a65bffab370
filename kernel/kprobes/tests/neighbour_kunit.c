// SPDX-License-Identifier: GPL-2.0-only
/* Jumps that displace several instructions, and probes on these. */
#include <linux/kprobes.h>

#include "jumps.h"

/* How a site is planted if the next instruction is probed, too. */
#define CROWDED		(ARCH_KPROBE_JUMP_IN_PLACE ? SITE_JUMP : SITE_BREAKPOINT)

/* A probe at a displaced instruction removes the jump, which comes back afterwards. */
static void neighbour_comes_and_goes(struct kunit *test)
{
	struct jump_place *pl = test_crowded_place(test);
	struct test_probe *tp = test_probe_new(test, pl->at, WITH_PRE);
	struct test_probe *nb = test_probe_at(test, pl->inside, WITH_PRE);

	KUNIT_EXPECT_EQ(test, test_method_in_the_end(pl->at), SITE_JUMP);
	KUNIT_ASSERT_EQ(test, register_kprobe(&nb->kp), 0);
	KUNIT_EXPECT_EQ(test, test_method_at(pl->at), CROWDED);
	KUNIT_EXPECT_EQ(test, test_method_in_the_end(pl->at), CROWDED);
	test_call(test, kprobe_test_plain, 10);
	test_expect_hits(test, tp, 10, 0);
	test_expect_hits(test, nb, 10, 0);

	unregister_kprobe(&nb->kp);
	KUNIT_EXPECT_EQ(test, test_method_in_the_end(pl->at), SITE_JUMP);
	test_call(test, kprobe_test_plain, 10);
	test_expect_hits(test, tp, 20, 0);
	test_expect_hits(test, nb, 10, 0);
	unregister_kprobe(&tp->kp);
	test_expect_untouched(test, pl);
}

static void neighbour_was_there_first(struct kunit *test)
{
	struct jump_place *pl = test_crowded_place(test);
	struct test_probe *nb = test_probe_new(test, pl->inside, WITH_PRE);
	struct test_probe *tp = test_probe_new(test, pl->at, WITH_PRE);

	KUNIT_EXPECT_EQ(test, test_method_in_the_end(pl->at), CROWDED);
	/* A disabled probe does not remove the jump. */
	KUNIT_EXPECT_EQ(test, disable_kprobe(&nb->kp), 0);
	KUNIT_EXPECT_EQ(test, test_method_in_the_end(pl->at), SITE_JUMP);
	test_call(test, kprobe_test_plain, 10);
	KUNIT_EXPECT_EQ(test, enable_kprobe(&nb->kp), 0);
	KUNIT_EXPECT_EQ(test, test_method_in_the_end(pl->at), CROWDED);
	test_call(test, kprobe_test_plain, 10);
	test_expect_hits(test, tp, 20, 0);
	test_expect_hits(test, nb, 10, 0);
	unregister_kprobe(&tp->kp);
	unregister_kprobe(&nb->kp);
	test_expect_untouched(test, pl);
}

static void neighbour_comes_early(struct kunit *test)
{
	struct jump_place *pl = test_crowded_place(test);
	struct test_probe *tp = test_waiting_probe(test, pl);
	struct test_probe *nb = test_probe_at(test, pl->inside, WITH_PRE);

	KUNIT_ASSERT_EQ(test, register_kprobe(&nb->kp), 0);
	KUNIT_EXPECT_EQ(test, test_method_in_the_end(pl->at), CROWDED);
	test_call(test, kprobe_test_plain, 10);
	test_expect_hits(test, tp, 10, 0);
	test_expect_hits(test, nb, 10, 0);
	unregister_kprobe(&nb->kp);
	KUNIT_EXPECT_EQ(test, test_method_in_the_end(pl->at), SITE_JUMP);
}

static void both_in_one_call(struct kunit *test)
{
	struct jump_place *pl = test_crowded_place(test);
	struct test_probe *tp = test_probe_at(test, pl->at, WITH_PRE);
	struct test_probe *nb = test_probe_at(test, pl->inside, WITH_PRE);
	struct kprobe *kps[] = { &tp->kp, &nb->kp };

	KUNIT_ASSERT_EQ(test, register_kprobes(kps, 2), 0);
	KUNIT_EXPECT_EQ(test, test_method_in_the_end(pl->at), CROWDED);
	test_call(test, kprobe_test_plain, 10);
	test_expect_hits(test, tp, 10, 0);
	test_expect_hits(test, nb, 10, 0);
	unregister_kprobes(kps, 2);
	KUNIT_EXPECT_EQ(test, test_method_in_the_end(pl->at), SITE_UNPLANTED);
	test_expect_untouched(test, pl);
}

static struct kunit_case neighbour_cases[] = {
	KUNIT_CASE(neighbour_comes_and_goes),
	KUNIT_CASE(neighbour_was_there_first),
	KUNIT_CASE(neighbour_comes_early),
	KUNIT_CASE(both_in_one_call),
	{}
};

static struct kunit_suite neighbour_suite = {
	.name = "kprobes_neighbour",
	.test_cases = neighbour_cases,
};

kunit_test_suite(neighbour_suite);
