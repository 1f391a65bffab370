// SPDX-License-Identifier: GPL-2.0-only
/* Registration: errors, and that a failure leaves nothing behind. */
#include <linux/kallsyms.h>
#include <linux/string.h>

#include "../internal.h"
#include "tests.h"

/* Is this kprobe a listener? The site may have others. */
static bool is_listening(struct kprobe *kp)
{
	guard(mutex)(&kprobe_mutex);
	return site_of_listener(kp);
}

static bool is_planted(void *addr)
{
	struct kprobe_place place = {};
	struct kprobe kp = { .addr = addr };
	struct kprobe_site *site;

	if (kprobe_locate(&kp, &place))
		return false;
	guard(mutex)(&kprobe_mutex);
	site = site_lookup(place.addr);
	return site && site->method != SITE_UNPLANTED;
}

static void bad_places(struct kunit *test)
{
	struct test_probe *tp = test_probe_at(test, NULL, WITH_PRE);

	KUNIT_EXPECT_EQ(test, register_kprobe(&tp->kp), -EINVAL);
	tp->kp.symbol_name = "no_such_symbol";
	KUNIT_EXPECT_EQ(test, register_kprobe(&tp->kp), -ENOENT);
	tp->kp.symbol_name = "no_module:kprobe_test_plain";
	KUNIT_EXPECT_EQ(test, register_kprobe(&tp->kp), -ENOENT);
	tp->kp.symbol_name = "kprobe_test_plain";
	tp->kp.addr = (kprobe_opcode_t *)kprobe_test_plain;
	KUNIT_EXPECT_EQ(test, register_kprobe(&tp->kp), -EINVAL);
	tp->kp.symbol_name = "get_kprobe";
	tp->kp.addr = NULL;
	KUNIT_EXPECT_EQ(test, register_kprobe(&tp->kp), -EINVAL);
	tp->kp.symbol_name = NULL;
	tp->kp.addr = (kprobe_opcode_t *)test;
	KUNIT_EXPECT_EQ(test, register_kprobe(&tp->kp), -ENOENT);
}

/* Instructions are longer than a byte, so some offset is in the middle of one. */
static void middle_of_an_instruction(struct kunit *test)
{
	unsigned long fn = (unsigned long)kprobe_test_load, size, at;
	unsigned int middle = 0, good = 0, i;
	struct test_probe *tp;

	if (!IS_ENABLED(CONFIG_X86) && !IS_ENABLED(CONFIG_RISCV_ISA_C))
		kunit_skip(test, "instructions are of one length here");
	KUNIT_ASSERT_TRUE(test, kallsyms_lookup_size_offset(fn, &size, &at));
	for (i = 1; i < size; i++) {
		tp = test_probe_at(test, kprobe_test_load, WITH_PRE);
		tp->kp.offset = i;
		switch (register_kprobe(&tp->kp)) {
		case 0:
			good++;
			break;
		case -EILSEQ:
			middle++;
			break;
		}
	}
	KUNIT_EXPECT_GT(test, good, 1);
	KUNIT_EXPECT_GT(test, middle, 1);
}

static void by_name(struct kunit *test)
{
	const struct test_target *t = test->param_value;
	struct test_probe *tp = test_probe_at(test, NULL, WITH_PRE);

	tp->kp.symbol_name = t->name;
	KUNIT_ASSERT_EQ(test, register_kprobe(&tp->kp), 0);
	KUNIT_EXPECT_EQ(test, (unsigned long)tp->kp.addr, test_entry_of(t->fn));
	KUNIT_EXPECT_TRUE(test, tp->kp.flags & KPROBE_FLAG_ON_FUNC_ENTRY);
	KUNIT_EXPECT_EQ(test, kprobe_ftrace(&tp->kp), t->traced);
	KUNIT_EXPECT_FALSE(test, kprobe_disabled(&tp->kp));
	test_call(test, t->fn, 3);
	KUNIT_EXPECT_EQ(test, test_pre_hits(tp), 3);

	unregister_kprobe(&tp->kp);
	test_call(test, t->fn, 1);
	KUNIT_EXPECT_EQ(test, test_pre_hits(tp), 3);
	KUNIT_EXPECT_FALSE(test, is_planted(t->fn));
}

static void twice(struct kunit *test)
{
	const struct test_target *t = test->param_value;
	struct test_probe *tp = test_probe_new(test, t->fn, WITH_PRE);
	kprobe_opcode_t *addr = tp->kp.addr;

	KUNIT_EXPECT_EQ(test, register_kprobe(&tp->kp), -EINVAL);
	/* The refused call has changed nothing. */
	KUNIT_EXPECT_PTR_EQ(test, tp->kp.addr, addr);
	test_call(test, t->fn, 1);
	KUNIT_EXPECT_EQ(test, test_pre_hits(tp), 1);
	unregister_kprobe(&tp->kp);
	KUNIT_EXPECT_FALSE(test, is_planted(t->fn));
	KUNIT_EXPECT_EQ(test, register_kprobe(&tp->kp), 0);
	test_call(test, t->fn, 1);
	KUNIT_EXPECT_EQ(test, test_pre_hits(tp), 2);
}

static void never_registered(struct kunit *test)
{
	struct test_probe *never = test_probe_at(test, kprobe_test_plain, WITH_PRE);
	struct test_probe *other = test_probe_new(test, kprobe_test_plain, WITH_PRE);

	unregister_kprobe(&never->kp);
	KUNIT_EXPECT_NULL(test, never->kp.addr);
	unregister_kprobe(&never->kp);
	test_call(test, kprobe_test_plain, 1);
	KUNIT_EXPECT_EQ(test, test_pre_hits(other), 1);

	KUNIT_EXPECT_EQ(test, enable_kprobe(&never->kp), -EINVAL);
	KUNIT_EXPECT_EQ(test, disable_kprobe(&never->kp), -EINVAL);
}

static void disabled_at_registration(struct kunit *test)
{
	const struct test_target *t = test->param_value;
	struct test_probe *tp = test_probe_at(test, t->fn, WITH_PRE);

	tp->kp.flags = KPROBE_FLAG_DISABLED;
	KUNIT_ASSERT_EQ(test, register_kprobe(&tp->kp), 0);
	KUNIT_EXPECT_TRUE(test, kprobe_disabled(&tp->kp));
	KUNIT_EXPECT_FALSE(test, is_planted(t->fn));
	test_call(test, t->fn, 1);
	KUNIT_EXPECT_EQ(test, test_pre_hits(tp), 0);

	KUNIT_EXPECT_EQ(test, enable_kprobe(&tp->kp), 0);
	KUNIT_EXPECT_EQ(test, enable_kprobe(&tp->kp), 0);
	KUNIT_EXPECT_TRUE(test, is_planted(t->fn));
	test_call(test, t->fn, 1);
	KUNIT_EXPECT_EQ(test, test_pre_hits(tp), 1);

	KUNIT_EXPECT_EQ(test, disable_kprobe(&tp->kp), 0);
	KUNIT_EXPECT_EQ(test, disable_kprobe(&tp->kp), 0);
	KUNIT_EXPECT_TRUE(test, kprobe_disabled(&tp->kp));
	KUNIT_EXPECT_FALSE(test, is_planted(t->fn));
	test_call(test, t->fn, 1);
	KUNIT_EXPECT_EQ(test, test_pre_hits(tp), 1);
}

/* Flags that only the core may set say nothing at registration. */
static void flags_of_the_core(struct kunit *test)
{
	struct test_probe *tp = test_probe_at(test, kprobe_test_plain, WITH_PRE);

	tp->kp.flags = KPROBE_FLAG_GONE | KPROBE_FLAG_OPTIMIZED |
		       KPROBE_FLAG_FTRACE;
	tp->kp.nmissed = 77;
	KUNIT_ASSERT_EQ(test, register_kprobe(&tp->kp), 0);
	KUNIT_EXPECT_EQ(test, tp->kp.flags, KPROBE_FLAG_ON_FUNC_ENTRY);
	KUNIT_EXPECT_EQ(test, tp->kp.nmissed, 0);
}

static void opcode_is_what_was_there(struct kunit *test)
{
	struct test_probe *tp = test_probe_at(test, kprobe_test_plain, WITH_PRE);
	/* With instructions of two lengths, compare the shorter one. */
	size_t sure = IS_ENABLED(CONFIG_RISCV_ISA_C) ? sizeof(u16) : sizeof(kprobe_opcode_t);
	void *addr = (void *)test_entry_of(kprobe_test_plain);
	kprobe_opcode_t was, is;

	memcpy(&was, addr, sizeof(was));
	KUNIT_ASSERT_EQ(test, register_kprobe(&tp->kp), 0);
	memcpy(&is, addr, sizeof(is));
	KUNIT_EXPECT_MEMNEQ(test, &is, &was, sizeof(was));
	KUNIT_EXPECT_MEMEQ(test, &tp->kp.opcode, &was, sure);
	unregister_kprobe(&tp->kp);
	KUNIT_EXPECT_MEMEQ(test, addr, &was, sizeof(was));
}

static void batch_of_none(struct kunit *test)
{
	struct kprobe *none = NULL;

	KUNIT_EXPECT_EQ(test, register_kprobes(&none, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, register_kprobes(&none, -1), -EINVAL);
	KUNIT_EXPECT_EQ(test, enable_kprobes(&none, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, disable_kprobes(&none, 0), -EINVAL);
	unregister_kprobes(&none, 0);
	unregister_kprobes(&none, -1);
}

#define NR_BATCH	5

/* A bad probe in the middle: nothing is left, and the same array can be registered again. */
static void batch_with_a_bad_one(struct kunit *test)
{
	struct test_probe *tp[NR_BATCH];
	struct kprobe *kps[NR_BATCH];
	int i;

	for (i = 0; i < NR_BATCH; i++) {
		tp[i] = test_probe_at(test, i == 2 ? NULL : (void *)test_many[i],
				      WITH_PRE);
		kps[i] = &tp[i]->kp;
	}
	kps[2]->symbol_name = "no_such_symbol";
	kps[4]->flags = KPROBE_FLAG_DISABLED;
	KUNIT_EXPECT_EQ(test, register_kprobes(kps, NR_BATCH), -ENOENT);
	for (i = 0; i < NR_BATCH; i++) {
		KUNIT_EXPECT_FALSE(test, is_listening(kps[i]));
		KUNIT_EXPECT_FALSE(test, is_planted(test_many[i]));
		test_call(test, test_many[i], 1);
		KUNIT_EXPECT_EQ(test, test_pre_hits(tp[i]), 0);
	}

	kps[2]->symbol_name = "kprobe_test_plain";
	KUNIT_EXPECT_EQ(test, register_kprobes(kps, NR_BATCH), 0);
	for (i = 0; i < NR_BATCH; i++) {
		test_call(test, i == 2 ? kprobe_test_plain : test_many[i], 1);
		KUNIT_EXPECT_EQ(test, test_pre_hits(tp[i]), i != 4);
	}
	unregister_kprobes(kps, NR_BATCH);
	for (i = 0; i < NR_BATCH; i++)
		KUNIT_EXPECT_FALSE(test, is_planted(kps[i]->addr));
}

/* A name was resolved before the batch failed; it must not count as an address then. */
static void names_can_be_tried_again(struct kunit *test)
{
	struct test_probe *tp[2];
	struct kprobe *kps[2];

	tp[0] = test_probe_at(test, NULL, WITH_PRE);
	tp[1] = test_probe_at(test, NULL, WITH_PRE);
	tp[0]->kp.symbol_name = "kprobe_test_plain";
	tp[1]->kp.symbol_name = "no_such_symbol";
	kps[0] = &tp[0]->kp;
	kps[1] = &tp[1]->kp;
	KUNIT_EXPECT_EQ(test, register_kprobes(kps, 2), -ENOENT);
	tp[1]->kp.symbol_name = "kprobe_test_traced";
	KUNIT_EXPECT_EQ(test, register_kprobes(kps, 2), 0);
	test_call(test, kprobe_test_plain, 1);
	KUNIT_EXPECT_EQ(test, test_pre_hits(tp[0]), 1);
}

static void same_one_twice_in_a_batch(struct kunit *test)
{
	struct test_probe *tp = test_probe_at(test, kprobe_test_plain, WITH_PRE);
	struct kprobe *kps[2] = { &tp->kp, &tp->kp };

	KUNIT_EXPECT_EQ(test, register_kprobes(kps, 2), -EINVAL);
	KUNIT_EXPECT_FALSE(test, is_planted(kprobe_test_plain));
	test_call(test, kprobe_test_plain, 1);
	KUNIT_EXPECT_EQ(test, test_pre_hits(tp), 0);
}

/* A batch that fails must not disturb other listeners at the same sites. */
static void failed_batch_beside_others(struct kunit *test)
{
	const struct test_target *t = test->param_value;
	struct test_probe *there = test_probe_new(test, t->fn, WITH_PRE);
	struct test_probe *tp[2];
	struct kprobe *kps[2];

	tp[0] = test_probe_at(test, t->fn, WITH_PRE | WITH_POST);
	tp[1] = test_probe_at(test, NULL, WITH_PRE);
	kps[0] = &tp[0]->kp;
	kps[1] = &tp[1]->kp;
	KUNIT_EXPECT_EQ(test, register_kprobes(kps, 2), -EINVAL);
	test_call(test, t->fn, 5);
	KUNIT_EXPECT_EQ(test, test_pre_hits(there), 5);
	KUNIT_EXPECT_EQ(test, test_pre_hits(tp[0]), 0);
	KUNIT_EXPECT_EQ(test, test_post_hits(tp[0]), 0);
}

static void many_enabled_or_none(struct kunit *test)
{
	struct test_probe *a = test_probe_new(test, kprobe_test_plain, WITH_PRE);
	struct test_probe *b = test_probe_new(test, kprobe_test_traced, WITH_PRE);
	struct test_probe *never = test_probe_at(test, kprobe_test_inner, WITH_PRE);
	struct kprobe *kps[3] = { &a->kp, &b->kp, &never->kp };

	KUNIT_EXPECT_EQ(test, disable_kprobes(kps, 3), -EINVAL);
	test_call(test, kprobe_test_plain, 1);
	test_call(test, kprobe_test_traced, 1);
	KUNIT_EXPECT_EQ(test, test_pre_hits(a), 1);
	KUNIT_EXPECT_EQ(test, test_pre_hits(b), 1);

	KUNIT_EXPECT_EQ(test, disable_kprobes(kps, 2), 0);
	KUNIT_EXPECT_FALSE(test, is_planted(kprobe_test_plain));
	KUNIT_EXPECT_FALSE(test, is_planted(kprobe_test_traced));
	KUNIT_EXPECT_EQ(test, enable_kprobes(kps, 3), -EINVAL);
	KUNIT_EXPECT_FALSE(test, is_planted(kprobe_test_plain));
	KUNIT_EXPECT_EQ(test, enable_kprobes(kps, 2), 0);
	test_call(test, kprobe_test_plain, 1);
	test_call(test, kprobe_test_traced, 1);
	KUNIT_EXPECT_EQ(test, test_pre_hits(a), 2);
	KUNIT_EXPECT_EQ(test, test_pre_hits(b), 2);
}

/* debugfs kprobes/enabled: nothing in the text while it is off, everything after. */
static void all_disarmed(struct kunit *test)
{
	const struct test_target *t = test->param_value;
	struct test_probe *a = test_probe_new(test, t->fn, WITH_PRE);
	struct test_probe *b;

	mutex_lock(&kprobe_mutex);
	sites_set_armed(false);
	mutex_unlock(&kprobe_mutex);
	KUNIT_EXPECT_FALSE(test, is_planted(t->fn));
	/* Registered while off: accepted, and planted with the others. */
	b = test_probe_at(test, t->fn, WITH_PRE);
	KUNIT_EXPECT_EQ(test, register_kprobe(&b->kp), 0);
	test_call(test, t->fn, 1);
	KUNIT_EXPECT_EQ(test, test_pre_hits(a), 0);
	KUNIT_EXPECT_EQ(test, test_pre_hits(b), 0);
	KUNIT_EXPECT_FALSE(test, kprobe_disabled(&a->kp));

	mutex_lock(&kprobe_mutex);
	KUNIT_EXPECT_FALSE(test, sites_armed());
	sites_set_armed(true);
	KUNIT_EXPECT_TRUE(test, sites_armed());
	mutex_unlock(&kprobe_mutex);
	test_call(test, t->fn, 1);
	KUNIT_EXPECT_EQ(test, test_pre_hits(a), 1);
	KUNIT_EXPECT_EQ(test, test_pre_hits(b), 1);
}

KUNIT_ARRAY_PARAM_DESC(target, test_targets, name);

static struct kunit_case register_cases[] = {
	KUNIT_CASE(bad_places),
	KUNIT_CASE(middle_of_an_instruction),
	KUNIT_CASE_PARAM(by_name, target_gen_params),
	KUNIT_CASE_PARAM(twice, target_gen_params),
	KUNIT_CASE(never_registered),
	KUNIT_CASE_PARAM(disabled_at_registration, target_gen_params),
	KUNIT_CASE(flags_of_the_core),
	KUNIT_CASE(opcode_is_what_was_there),
	KUNIT_CASE(batch_of_none),
	KUNIT_CASE(batch_with_a_bad_one),
	KUNIT_CASE(names_can_be_tried_again),
	KUNIT_CASE(same_one_twice_in_a_batch),
	KUNIT_CASE_PARAM(failed_batch_beside_others, target_gen_params),
	KUNIT_CASE(many_enabled_or_none),
	KUNIT_CASE_PARAM(all_disarmed, target_gen_params),
	{}
};

static struct kunit_suite register_suite = {
	.name = "kprobes_register",
	.test_cases = register_cases,
};

kunit_test_suite(register_suite);
