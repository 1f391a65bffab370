// SPDX-License-Identifier: GPL-2.0-only
/* Faults in handlers and in probed instructions. */
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "tests.h"

/**
 * struct hole - an address that faults
 * @page:	memory
 * @bad:	an address behind it, where nothing is mapped
 */
struct hole {
	void *page;
	unsigned long *bad;
};

static void free_page_of_hole(void *page)
{
	vfree(page);
}

static void hole_make(struct kunit *test, struct hole *h)
{
	h->page = vmalloc(PAGE_SIZE);
	KUNIT_ASSERT_NOT_NULL(test, h->page);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, free_page_of_hole,
						  h->page));
	/* The guard page that each area ends with. */
	h->bad = h->page + PAGE_SIZE;
}

/**
 * struct reader - a probe whose handlers read from a bad address
 * @tp:		the probe
 * @bad:	the address
 * @faults:	number of reads that failed, as expected
 */
struct reader {
	struct test_probe tp;
	unsigned long *bad;
	int faults;
};

static nokprobe_inline void read_bad(struct reader *r)
{
	unsigned long val;

	if (copy_from_kernel_nofault(&val, r->bad, sizeof(val)) == -EFAULT)
		r->faults++;
}

static int reading_pre(struct kprobe *p, struct pt_regs *regs)
{
	struct reader *r = container_of(p, struct reader, tp.kp);

	atomic_inc(&r->tp.pre);
	read_bad(r);
	return 0;
}

NOKPROBE_SYMBOL(reading_pre);

static void reading_post(struct kprobe *p, struct pt_regs *regs,
			 unsigned long flags)
{
	struct reader *r = container_of(p, struct reader, tp.kp);

	atomic_inc(&r->tp.post);
	read_bad(r);
}

NOKPROBE_SYMBOL(reading_post);

static void fault_in_handlers(struct kunit *test)
{
	const struct test_target *t = test->param_value;
	struct reader r = {
		.tp.kp.addr = (kprobe_opcode_t *)t->fn,
		.tp.kp.pre_handler = reading_pre,
		.tp.kp.post_handler = reading_post,
	};
	struct hole h;

	hole_make(test, &h);
	r.bad = h.bad;
	KUNIT_ASSERT_EQ(test, register_kprobe(&r.tp.kp), 0);
	test_call(test, t->fn, 10);
	unregister_kprobe(&r.tp.kp);
	KUNIT_EXPECT_EQ(test, test_pre_hits(&r.tp), 10);
	KUNIT_EXPECT_EQ(test, test_post_hits(&r.tp), 10);
	KUNIT_EXPECT_EQ(test, r.faults, 20);
	KUNIT_EXPECT_EQ(test, r.tp.kp.nmissed, 0);
}

static unsigned int probe_all(struct kunit *test, struct test_probe **all,
			      unsigned int max, unsigned int handlers)
{
	unsigned long fn = (unsigned long)kprobe_test_load, size, at, i;
	unsigned int probed = 0;
	struct test_probe *tp;

	KUNIT_ASSERT_TRUE(test, kallsyms_lookup_size_offset(fn, &size, &at));
	for (i = 0; i < size && probed < max; i++) {
		tp = test_probe_at(test, kprobe_test_load, handlers);
		tp->kp.offset = i;
		if (!register_kprobe(&tp->kp))
			all[probed++] = tp;
	}
	return probed;
}

/*
 * A probe on each instruction of a function, one of which faults and has a fixup. The
 * fixup must be found, and the CPU must not stay in the hit.
 */
static void fault_in_a_probed_instruction(struct kunit *test)
{
	unsigned int handlers = (unsigned long)test->param_value;
	unsigned long good = 0x1234, out = 0;
	struct test_probe *all[64], *faulting = NULL;
	unsigned int nr, i;
	struct hole h;

	hole_make(test, &h);
	KUNIT_EXPECT_EQ(test, kprobe_test_load(&out, &good), 0);
	KUNIT_EXPECT_EQ(test, kprobe_test_load(&out, h.bad), -EFAULT);
	nr = probe_all(test, all, ARRAY_SIZE(all), handlers);
	KUNIT_ASSERT_GT(test, nr, 2);

	for (i = 0; i < 10; i++) {
		out = 0;
		KUNIT_EXPECT_EQ(test, kprobe_test_load(&out, &good), 0);
		KUNIT_EXPECT_EQ(test, out, 0x1234);
		KUNIT_EXPECT_EQ(test, kprobe_test_load(&out, h.bad), -EFAULT);
	}
	for (i = 0; i < nr; i++) {
		KUNIT_EXPECT_EQ(test, all[i]->kp.nmissed, 0);
		if (all[i]->kp.addr == test_load_insn())
			faulting = all[i];
	}
	KUNIT_ASSERT_NOT_NULL(test, faulting);
	KUNIT_EXPECT_EQ(test, test_pre_hits(faulting), 20);
	/* It does not run where the instruction faults. */
	KUNIT_EXPECT_EQ(test, test_post_hits(faulting), handlers & WITH_POST ? 10 : 0);
	KUNIT_EXPECT_EQ(test, test_pre_hits(all[0]), 20);
}

static const void *gen_handlers(const void *prev, char *desc)
{
	if (!prev) {
		strscpy(desc, "boosted if it can be", KUNIT_PARAM_DESC_SIZE);
		return (void *)WITH_PRE;
	}
	if (prev == (void *)WITH_PRE) {
		strscpy(desc, "stepped", KUNIT_PARAM_DESC_SIZE);
		return (void *)(WITH_PRE | WITH_POST);
	}
	return NULL;
}

KUNIT_ARRAY_PARAM_DESC(target, test_targets, name);

static struct kunit_case faults_cases[] = {
	KUNIT_CASE_PARAM(fault_in_handlers, target_gen_params),
	KUNIT_CASE_PARAM(fault_in_a_probed_instruction, gen_handlers),
	{}
};

static struct kunit_suite faults_suite = {
	.name = "kprobes_faults",
	.test_cases = faults_cases,
};

kunit_test_suite(faults_suite);
