// SPDX-License-Identifier: GPL-2.0-only
/* Slots for copied instructions: each is allocated once, and found by address. */
#include <linux/kallsyms.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "../internal.h"
#include "tests.h"

#ifdef __ARCH_WANT_KPROBES_INSN_SLOT

/* More slots than fit into a page, with any size of a slot. */
#define NR_SLOTS	(2 * PAGE_SIZE / sizeof(kprobe_opcode_t) / MAX_INSN_SIZE)

static unsigned long page_of(const void *addr)
{
	return (unsigned long)addr & PAGE_MASK;
}

/* Is a page in /proc/kallsyms, by this name? */
bool test_page_is_named(unsigned long page, const char *want)
{
	char name[KSYM_NAME_LEN], type;
	unsigned long value;
	unsigned int i;

	for (i = 0; !kprobe_get_kallsym(i, &value, &type, name); i++) {
		if (value == page)
			return type == 't' && !strcmp(name, want);
	}
	return false;
}

static bool in_kallsyms(unsigned long page)
{
	return test_page_is_named(page, "kprobe_insn_page");
}

unsigned int test_nr_slot_pages(void)
{
	char name[KSYM_NAME_LEN], type;
	unsigned long value;
	unsigned int i;

	for (i = 0; !kprobe_get_kallsym(i, &value, &type, name); i++)
		;
	return i;
}

static bool is_slot(const void *addr)
{
	guard(rcu)();
	return is_kprobe_insn_slot((unsigned long)addr);
}

static void slots_free(kprobe_opcode_t **slot, unsigned int nr)
{
	while (nr)
		free_insn_slot(slot[--nr], 0);
}

static void slots_are_apart(struct kunit *test)
{
	kprobe_opcode_t *a = get_insn_slot(), *b = get_insn_slot();
	size_t apart;

	KUNIT_EXPECT_NOT_NULL(test, a);
	KUNIT_EXPECT_NOT_NULL(test, b);
	if (!a || !b)
		return;
	apart = a < b ? b - a : a - b;
	KUNIT_EXPECT_GE(test, apart, MAX_INSN_SIZE);
	KUNIT_EXPECT_TRUE(test, is_slot(a));
	KUNIT_EXPECT_TRUE(test, is_slot(b));
	KUNIT_EXPECT_TRUE(test, kernel_text_address((unsigned long)a));
	KUNIT_EXPECT_FALSE(test, is_slot(slots_are_apart));
	KUNIT_EXPECT_FALSE(test, is_slot(&apart));
	free_insn_slot(a, 0);
	free_insn_slot(b, 1);
}

static void slot_is_used_again(struct kunit *test)
{
	kprobe_opcode_t *slot = get_insn_slot();
	unsigned int pages = test_nr_slot_pages();
	int i;

	for (i = 0; slot && i < NR_SLOTS; i++) {
		free_insn_slot(slot, 1);
		slot = get_insn_slot();
	}
	KUNIT_EXPECT_NOT_NULL(test, slot);
	KUNIT_EXPECT_LE(test, test_nr_slot_pages(), pages);
	free_insn_slot(slot, 1);
}

static bool is_slot_throughout(const kprobe_opcode_t *slot)
{
	return is_slot(slot) && is_slot(slot + MAX_INSN_SIZE - 1);
}

static void full_page_gets_another(struct kunit *test)
{
	kprobe_opcode_t **slot;
	unsigned int i, j, other = 0, known = 0;

	slot = kunit_kcalloc(test, NR_SLOTS, sizeof(*slot), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, slot);
	for (i = 0; i < NR_SLOTS; i++) {
		slot[i] = get_insn_slot();
		if (!slot[i])
			break;
		for (j = 0; j < i && slot[j] != slot[i]; j++)
			;
		if (j < i)
			break;
		if (page_of(slot[i]) != page_of(slot[0]))
			other = i;
	}
	for (j = 0; j < i; j++)
		known += is_slot_throughout(slot[j]);
	KUNIT_EXPECT_EQ_MSG(test, i, NR_SLOTS, "slot %u is none of its own", i);
	KUNIT_EXPECT_EQ(test, known, i);
	KUNIT_EXPECT_GT(test, other, 0);
	KUNIT_EXPECT_TRUE(test, in_kallsyms(page_of(slot[0])));
	KUNIT_EXPECT_TRUE(test, in_kallsyms(page_of(slot[other])));
	slots_free(slot, i);
}

static void empty_page_is_dropped(struct kunit *test)
{
	unsigned int before = test_nr_slot_pages(), kept = 0, named = 0, i;
	kprobe_opcode_t **slot;

	slot = kunit_kcalloc(test, NR_SLOTS, sizeof(*slot), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, slot);
	for (i = 0; i < NR_SLOTS; i++)
		slot[i] = get_insn_slot();
	KUNIT_EXPECT_GT(test, test_nr_slot_pages(), before);
	slots_free(slot, NR_SLOTS);
	KUNIT_EXPECT_LE(test, test_nr_slot_pages(), max(before, 1U));
	for (i = 0; i < NR_SLOTS; i++) {
		kept += is_slot(slot[i]);
		named += in_kallsyms(page_of(slot[i]));
	}
	KUNIT_EXPECT_LT(test, kept, NR_SLOTS);
	KUNIT_EXPECT_EQ(test, kept, named);
}

#define RUN		3	/* slots */

static bool overlaps(const kprobe_opcode_t *a, const kprobe_opcode_t *b)
{
	return a < b + RUN * MAX_INSN_SIZE && b < a + RUN * MAX_INSN_SIZE;
}

/* Several slots in a row, between others that are allocated and freed. */
static void slots_in_a_row(struct kunit *test)
{
	kprobe_opcode_t *single[4], **run;
	unsigned int i, j, clash = 0;

	run = kunit_kcalloc(test, NR_SLOTS, sizeof(*run), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, run);
	for (i = 0; i < ARRAY_SIZE(single); i++)
		single[i] = get_insn_slot();
	/* The gaps are too short. */
	free_insn_slot(single[0], 0);
	free_insn_slot(single[2], 0);
	for (i = 0; i < NR_SLOTS; i++) {
		run[i] = kprobe_get_slots(&kprobe_insn_slots, RUN);
		if (!run[i])
			break;
		for (j = 0; j < i; j++)
			clash += overlaps(run[i], run[j]);
		clash += single[1] >= run[i] && single[1] < run[i] + RUN * MAX_INSN_SIZE;
		clash += single[3] >= run[i] && single[3] < run[i] + RUN * MAX_INSN_SIZE;
		clash += page_of(run[i]) != page_of(run[i] + RUN * MAX_INSN_SIZE - 1);
	}
	KUNIT_EXPECT_EQ(test, i, NR_SLOTS);
	KUNIT_EXPECT_EQ(test, clash, 0);
	while (i)
		kprobe_put_slots(&kprobe_insn_slots, run[--i], RUN);
	free_insn_slot(single[1], 0);
	free_insn_slot(single[3], 0);
}

static void kallsyms_ends(struct kunit *test)
{
	char name[KSYM_NAME_LEN], type;
	unsigned long value;

	KUNIT_EXPECT_EQ(test, kprobe_get_kallsym(test_nr_slot_pages(), &value, &type, name),
			-ERANGE);
	KUNIT_EXPECT_EQ(test, kprobe_get_kallsym(1 << 20, &value, &type, name),
			-ERANGE);
}

/* Sites of other suites' probes must not go while this one counts. */
static int slots_init(struct kunit *test)
{
	kprobe_reclaim_flush();
	return 0;
}

static struct kunit_case slots_cases[] = {
	KUNIT_CASE(slots_are_apart),
	KUNIT_CASE(slot_is_used_again),
	KUNIT_CASE(full_page_gets_another),
	KUNIT_CASE(empty_page_is_dropped),
	KUNIT_CASE(slots_in_a_row),
	KUNIT_CASE(kallsyms_ends),
	{}
};

static struct kunit_suite slots_suite = {
	.name = "kprobes_slots",
	.init = slots_init,
	.test_cases = slots_cases,
};

kunit_test_suite(slots_suite);

#endif /* __ARCH_WANT_KPROBES_INSN_SLOT */
