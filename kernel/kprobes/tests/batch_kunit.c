// SPDX-License-Identifier: GPL-2.0-only
/* Hundreds of probes in one call. */
#include <linux/kallsyms.h>
#include <linux/slab.h>

#include "../internal.h"
#include "tests.h"

#define NR_BATCH	500

static struct kprobe_site *site_at(void *addr)
{
	guard(mutex)(&kprobe_mutex);
	return site_lookup((unsigned long)addr);
}

/**
 * struct harvest - functions of the kernel that can be probed
 * @kp:		disabled probes there, which stay until harvest() ends
 * @fn:		their addresses
 * @nr:		number of functions
 * @skip:	skip most functions, so that the others are from all over the kernel
 */
struct harvest {
	struct kprobe kp[NR_BATCH];
	void *fn[NR_BATCH];
	unsigned int nr;
	unsigned int skip;
};

static int harvest_one(void *data, const char *name, unsigned long addr)
{
	struct kprobe_place place = {};
	struct harvest *h = data;
	struct kprobe kp = { .addr = (kprobe_opcode_t *)addr, .flags = KPROBE_FLAG_DISABLED };

	if (!core_kernel_text(addr) || h->skip++ % 16)
		return 0;
	if (kprobe_locate(&kp, &place) || !place.on_entry)
		return 0;
	scoped_guard(mutex, &kprobe_mutex) {
		if (kprobe_check_place(&place) ||
		    place.ftrace != IS_ENABLED(CONFIG_KPROBES_ON_FTRACE))
			return 0;
	}
	/* Some functions start with an instruction that cannot be probed, e.g. a hypercall. */
	h->kp[h->nr] = kp;
	if (register_kprobe(&h->kp[h->nr]))
		return 0;
	h->fn[h->nr++] = (void *)place.addr;
	return h->nr == NR_BATCH;
}

/* @kps: room for as many */
static void harvest(struct harvest *h, struct kprobe **kps)
{
	int i;

	kallsyms_on_each_symbol(harvest_one, h);
	for (i = 0; i < h->nr; i++)
		kps[i] = &h->kp[i];
	unregister_kprobes(kps, h->nr);
}

static void five_hundred(struct kunit *test)
{
	struct test_probe *tp[NR_MANY];
	struct kprobe **kps, *others;
	struct harvest *h;
	int i, others_nr;

	h = kunit_kzalloc(test, sizeof(*h), GFP_KERNEL);
	kps = kunit_kcalloc(test, NR_BATCH, sizeof(*kps), GFP_KERNEL);
	others = kunit_kcalloc(test, NR_BATCH, sizeof(*others), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, h);
	KUNIT_ASSERT_NOT_NULL(test, kps);
	KUNIT_ASSERT_NOT_NULL(test, others);
	harvest(h, kps);
	others_nr = min(h->nr, (unsigned int)(NR_BATCH - NR_MANY));
	KUNIT_ASSERT_GT(test, others_nr, 100);

	for (i = 0; i < NR_MANY; i++) {
		tp[i] = test_probe_at(test, test_many[i], WITH_PRE);
		kps[i] = &tp[i]->kp;
	}
	/* Without handlers: this tests planting. */
	for (i = 0; i < others_nr; i++) {
		others[i].addr = h->fn[i];
		others[i].post_handler = NULL;
		kps[NR_MANY + i] = &others[i];
	}
	KUNIT_ASSERT_EQ(test, register_kprobes(kps, NR_MANY + others_nr), 0);
	for (i = 0; i < NR_MANY; i++)
		test_call(test, test_many[i], 3);
	for (i = 0; i < others_nr; i++) {
		if (!site_at(others[i].addr))
			break;
	}
	KUNIT_EXPECT_EQ(test, i, others_nr);
	KUNIT_EXPECT_EQ(test, disable_kprobes(kps, NR_MANY + others_nr), 0);
	for (i = 0; i < NR_MANY; i++)
		test_call(test, test_many[i], 1);
	KUNIT_EXPECT_EQ(test, enable_kprobes(kps, NR_MANY + others_nr), 0);
	for (i = 0; i < NR_MANY; i++)
		test_call(test, test_many[i], 1);
	unregister_kprobes(kps, NR_MANY + others_nr);

	for (i = 0; i < NR_MANY; i++) {
		test_call(test, test_many[i], 1);
		KUNIT_EXPECT_EQ(test, test_pre_hits(tp[i]), 4);
		KUNIT_EXPECT_EQ(test, tp[i]->kp.nmissed, 0);
	}
	kprobe_reclaim_flush();
	for (i = 0; i < others_nr; i++) {
		if (site_at(h->fn[i]))
			break;
	}
	KUNIT_EXPECT_EQ(test, i, others_nr);
}

/* Most of a batch is planted through ftrace, some by breakpoints; then one fails. */
static void last_of_many_fails(struct kunit *test)
{
	struct test_probe *tp[NR_MANY + 1];
	struct kprobe *kps[NR_MANY + 1];
	int i;

	for (i = 0; i <= NR_MANY; i++) {
		tp[i] = test_probe_at(test, i < NR_MANY ? (void *)test_many[i] :
						(void *)get_kprobe, WITH_PRE);
		kps[i] = &tp[i]->kp;
	}
	KUNIT_EXPECT_EQ(test, register_kprobes(kps, NR_MANY + 1), -EINVAL);
	for (i = 0; i < NR_MANY; i++) {
		test_call(test, test_many[i], 1);
		KUNIT_EXPECT_EQ(test, test_pre_hits(tp[i]), 0);
	}
	KUNIT_EXPECT_EQ(test, register_kprobes(kps, NR_MANY), 0);
	for (i = 0; i < NR_MANY; i++) {
		test_call(test, test_many[i], 1);
		KUNIT_EXPECT_EQ(test, test_pre_hits(tp[i]), 1);
	}
	unregister_kprobes(kps, NR_MANY);
}

static struct kunit_case batch_cases[] = {
	KUNIT_CASE_SLOW(five_hundred),
	KUNIT_CASE(last_of_many_fails),
	{}
};

static struct kunit_suite batch_suite = {
	.name = "kprobes_batch",
	.test_cases = batch_cases,
};

kunit_test_suite(batch_suite);
