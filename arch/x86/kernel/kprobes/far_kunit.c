// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of executable memory at given addresses: slots are at the requested addresses
 * and do not overlap, and pages are allocated and freed with them.
 *
 * Most tests run in the area of modules and, if pages may be there, far below the kernel.
 */
#include <kunit/test.h>
#include <linux/execmem.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include <asm/sections.h>

#include "../../../../kernel/kprobes/internal.h"

#include "private.h"

#define SLOT_SIZE	KPROBE_FAR_SLOT_SIZE
#define SLOTS_IN_PAGE	(PAGE_SIZE / SLOT_SIZE)

#define HOLE_START	(__START_KERNEL_map - SZ_2G)

/**
 * struct area - an area where slots may be
 * @name: its name
 * @start: its first address
 * @end: one past its last address
 * @max_pages: maximum number of pages in it
 */
struct area {
	const char *name;
	unsigned long start;
	unsigned long end;
	unsigned int max_pages;
};

static const struct area *test_areas(void)
{
	static struct area areas[3];

	areas[0] = (struct area){ "hole", HOLE_START, __START_KERNEL_map,
				  KPROBE_FAR_MAX_PAGES };
	areas[1] = (struct area){ "modules", MODULES_VADDR, MODULES_END,
				  KPROBE_FAR_MAX_MODULE_PAGES };
	return areas;
}

static const void *area_gen_params(const void *prev, char *desc)
{
	const struct area *area = prev ? prev + sizeof(*area) : test_areas();

	if (!area->name)
		return NULL;
	strscpy(desc, area->name, KUNIT_PARAM_DESC_SIZE);
	return area;
}

static void needs_module_area(struct kunit *test)
{
	if (IS_ENABLED(CONFIG_KASAN) && !IS_ENABLED(CONFIG_KASAN_VMALLOC))
		kunit_skip(test, "no shadow of executable memory");
}

/* The area in which the test runs. */
static const struct area *my_area(struct kunit *test)
{
	const struct area *area = test->param_value;

	needs_module_area(test);
	if (area->start == HOLE_START && kprobe_far_only_near_modules())
		kunit_skip(test, "slots only in the area of modules");
	return area;
}

/* The end of a test frees its slots. */

static void put_action(void *slot)
{
	guard(mutex)(&kprobe_mutex);
	kprobe_far_slot_put(slot);
}

static unsigned long get(struct kunit *test, unsigned long first, unsigned long last)
{
	void *slot;

	scoped_guard(mutex, &kprobe_mutex)
		slot = kprobe_far_slot_get(first, last);
	if (slot)
		KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, put_action, slot));
	return (unsigned long)slot;
}

static unsigned long get_at(struct kunit *test, unsigned long addr)
{
	return get(test, addr, addr);
}

static bool put_any(unsigned long addr)
{
	guard(mutex)(&kprobe_mutex);
	return kprobe_far_slot_put((void *)addr);
}

static void put(struct kunit *test, unsigned long slot)
{
	kunit_remove_action(test, put_action, (void *)slot);
	KUNIT_EXPECT_TRUE(test, put_any(slot));
}

static unsigned long find(unsigned long addr)
{
	guard(rcu)();
	return (unsigned long)kprobe_far_slot_find(addr);
}

/* Is @addr in a page of slots? */
static bool is_page(unsigned long addr)
{
	guard(rcu)();
	return is_kprobe_optinsn_slot(addr);
}

static bool is_free(unsigned long addr)
{
	return !find_vm_area((void *)addr) && !is_page(addr);
}

/* The highest @nr unused pages in a row, below a used one. */
static unsigned long free_pages_in(struct kunit *test, const struct area *area,
				   unsigned int nr)
{
	unsigned long addr = area->end;
	unsigned int found = 0;

	while (found <= nr && addr > area->start) {
		addr -= PAGE_SIZE;
		found = is_free(addr) ? found + 1 : 0;
	}
	KUNIT_ASSERT_GT(test, found, nr);
	return addr;
}

/* Allocate all slots in between. Returns their number. */
static unsigned int get_all(struct kunit *test, unsigned long first, unsigned long last,
			    unsigned long *slots, unsigned int most)
{
	unsigned int nr;

	for (nr = 0; nr < most; nr++) {
		slots[nr] = get(test, first, last);
		if (!slots[nr])
			break;
		KUNIT_EXPECT_GE(test, slots[nr], first);
		KUNIT_EXPECT_LE(test, slots[nr], last);
	}
	return nr;
}

static void expect_apart(struct kunit *test, const unsigned long *slots, unsigned int nr)
{
	unsigned int i, j;

	for (i = 0; i < nr; i++) {
		for (j = 0; j < i; j++) {
			if (abs_diff(slots[i], slots[j]) < SLOT_SIZE)
				KUNIT_FAIL(test, "slots at %lx and %lx", slots[j], slots[i]);
		}
	}
}

static void expect_full(struct kunit *test, unsigned long first, unsigned long last,
			unsigned int expected)
{
	unsigned long *slots = kunit_kcalloc(test, expected + 1, sizeof(*slots), GFP_KERNEL);
	unsigned int nr;

	KUNIT_ASSERT_NOT_NULL(test, slots);
	nr = get_all(test, first, last, slots, expected + 1);
	KUNIT_EXPECT_EQ(test, nr, expected);
	expect_apart(test, slots, nr);
	while (nr)
		put(test, slots[--nr]);
	KUNIT_EXPECT_FALSE(test, is_page(first));
	KUNIT_EXPECT_FALSE(test, is_page(last));
}

/* All slots between two addresses, which are in different pages. */
static void few_addresses(struct kunit *test)
{
	unsigned long base = free_pages_in(test, my_area(test), 3);
	unsigned long first = base + 7, last = base + PAGE_SIZE + 1000;

	expect_full(test, first, last, (last - first) / SLOT_SIZE + 1);
}

/* With many addresses, slots share pages. */
static void many_addresses(struct kunit *test)
{
	unsigned long base = free_pages_in(test, my_area(test), 5);

	expect_full(test, base, base + 4 * PAGE_SIZE, 4 * SLOTS_IN_PAGE);
	expect_full(test, base + 1, base + 4 * PAGE_SIZE - 1, 2 * SLOTS_IN_PAGE);
}

static void one_address(struct kunit *test)
{
	unsigned long slot = free_pages_in(test, my_area(test), 3) + PAGE_SIZE + 1001;

	KUNIT_ASSERT_EQ(test, get_at(test, slot), slot);
	KUNIT_EXPECT_EQ(test, get_at(test, slot), 0);
	KUNIT_EXPECT_EQ(test, get_at(test, slot - SLOT_SIZE + 1), 0);
	KUNIT_EXPECT_EQ(test, get_at(test, slot + SLOT_SIZE - 1), 0);
	KUNIT_EXPECT_EQ(test, get(test, slot - SLOT_SIZE + 1, slot + SLOT_SIZE - 1), 0);
	KUNIT_EXPECT_EQ(test, get(test, slot, slot + SLOT_SIZE), slot + SLOT_SIZE);
	KUNIT_EXPECT_EQ(test, get(test, slot - SLOT_SIZE, slot), slot - SLOT_SIZE);
	/* One slot is free again, its neighbours are not. */
	put(test, slot);
	KUNIT_EXPECT_EQ(test, get_at(test, slot + 1), 0);
	KUNIT_EXPECT_EQ(test, get_at(test, slot - 1), 0);
	KUNIT_EXPECT_EQ(test, get(test, slot - 1, slot + 1), slot);
}

static void in_two_pages(struct kunit *test)
{
	unsigned long base = free_pages_in(test, my_area(test), 4);
	unsigned long second = base + PAGE_SIZE, third = second + PAGE_SIZE;
	unsigned long slot, other;

	slot = get_at(test, third - 1);
	KUNIT_ASSERT_EQ(test, slot, third - 1);
	KUNIT_EXPECT_TRUE(test, is_free(base));
	KUNIT_EXPECT_TRUE(test, is_page(second));
	KUNIT_EXPECT_TRUE(test, is_page(third));
	KUNIT_EXPECT_TRUE(test, is_free(third + PAGE_SIZE));

	/* A page stays as long as a slot is in it. */
	other = get_at(test, third + SLOT_SIZE);
	KUNIT_ASSERT_EQ(test, other, third + SLOT_SIZE);
	put(test, slot);
	KUNIT_EXPECT_TRUE(test, is_free(second));
	KUNIT_EXPECT_TRUE(test, is_page(third));
	KUNIT_ASSERT_EQ(test, get_at(test, third - SLOT_SIZE + 1), third - SLOT_SIZE + 1);
	put(test, other);
	KUNIT_EXPECT_TRUE(test, is_page(second));
	KUNIT_EXPECT_TRUE(test, is_page(third));
	put(test, third - SLOT_SIZE + 1);
	KUNIT_EXPECT_TRUE(test, is_free(second));
	KUNIT_EXPECT_TRUE(test, is_free(third));
}

/* A page is freed with its last slot, and can be allocated again at once. */
static void page_goes_with_its_last_slot(struct kunit *test)
{
	unsigned long page = free_pages_in(test, my_area(test), 2);
	int i;

	for (i = 0; i < 20; i++) {
		KUNIT_ASSERT_EQ(test, get_at(test, page), page);
		KUNIT_ASSERT_EQ(test, get_at(test, page + PAGE_SIZE - SLOT_SIZE),
				page + PAGE_SIZE - SLOT_SIZE);
		KUNIT_EXPECT_TRUE(test, is_free(page + PAGE_SIZE));
		put(test, page);
		KUNIT_EXPECT_TRUE(test, is_page(page));
		put(test, page + PAGE_SIZE - SLOT_SIZE);
		KUNIT_EXPECT_TRUE(test, is_free(page));
	}
}

static void first_and_last_of_an_area(struct kunit *test)
{
	const struct area *area = my_area(test);
	unsigned long last = area->end - SLOT_SIZE, slot;

	slot = get(test, area->start, area->end - 1);
	KUNIT_EXPECT_GE(test, slot, area->start);
	KUNIT_EXPECT_LE(test, slot, last);
	if (is_free(area->start))
		KUNIT_EXPECT_EQ(test, get_at(test, area->start), area->start);
	if (is_free(last))
		KUNIT_EXPECT_EQ(test, get(test, last, last + SLOT_SIZE), last);
}

static void nowhere_else(struct kunit *test)
{
	unsigned long text = (unsigned long)_text, end = (unsigned long)_end;

	KUNIT_EXPECT_EQ(test, get(test, MODULES_END - SLOT_SIZE + 1, ULONG_MAX), 0);
	KUNIT_EXPECT_EQ(test, get(test, text, end), 0);
	KUNIT_EXPECT_EQ(test, get(test, PAGE_OFFSET, PAGE_OFFSET + SZ_1G), 0);
	KUNIT_EXPECT_EQ(test, get(test, 0, HOLE_START - 1), 0);
	if (kprobe_far_only_near_modules())
		KUNIT_EXPECT_EQ(test, get(test, 0, MODULES_VADDR - 1), 0);
}

/* Check which slots are found at and around the addresses of a slot. */
static void expect_found(struct kunit *test, unsigned long slot, unsigned long before,
			 unsigned long behind)
{
	KUNIT_EXPECT_EQ(test, find(slot - 1), before);
	KUNIT_EXPECT_EQ(test, find(slot), slot);
	KUNIT_EXPECT_EQ(test, find(slot + 1), slot);
	KUNIT_EXPECT_EQ(test, find(slot + SLOT_SIZE - 1), slot);
	KUNIT_EXPECT_EQ(test, find(slot + SLOT_SIZE), behind);
}

static void is_found(struct kunit *test)
{
	unsigned long base = free_pages_in(test, my_area(test), 3);
	unsigned long lone = base + SLOT_SIZE + 5;
	unsigned long cross = base + PAGE_SIZE - 3, near = cross - SLOT_SIZE;

	KUNIT_EXPECT_EQ(test, find(lone), 0);
	KUNIT_ASSERT_EQ(test, get_at(test, lone), lone);
	KUNIT_ASSERT_EQ(test, get_at(test, near), near);
	KUNIT_ASSERT_EQ(test, get_at(test, cross), cross);
	expect_found(test, lone, 0, 0);
	expect_found(test, near, 0, cross);
	expect_found(test, cross, near, 0);
	/* The slot is at the last byte of a page and at the first byte of the next. */
	KUNIT_EXPECT_EQ(test, find(base + PAGE_SIZE - 1), cross);
	KUNIT_EXPECT_EQ(test, find(base + PAGE_SIZE), cross);
	KUNIT_EXPECT_EQ(test, find(base), 0);
	KUNIT_EXPECT_EQ(test, find(base + 2 * PAGE_SIZE - 1), 0);

	put(test, near);
	expect_found(test, cross, 0, 0);
	put(test, cross);
	KUNIT_EXPECT_EQ(test, find(cross), 0);
	KUNIT_EXPECT_EQ(test, find(base + PAGE_SIZE), 0);
	expect_found(test, lone, 0, 0);
}

/* kprobe_far_slot_put() refuses addresses in no page, and in a page but in no slot. */
static void others_are_not_put(struct kunit *test)
{
	unsigned long slot = free_pages_in(test, my_area(test), 2) + 100;

	KUNIT_EXPECT_FALSE(test, put_any(slot));
	KUNIT_EXPECT_FALSE(test, put_any(0));
	KUNIT_EXPECT_FALSE(test, put_any((unsigned long)test));
	KUNIT_EXPECT_FALSE(test, put_any((unsigned long)others_are_not_put));
	KUNIT_ASSERT_EQ(test, get_at(test, slot), slot);
	KUNIT_EXPECT_FALSE(test, put_any(slot + 1));
	KUNIT_EXPECT_FALSE(test, put_any(slot + SLOT_SIZE));
	KUNIT_EXPECT_FALSE(test, put_any(slot - 1));
	KUNIT_EXPECT_FALSE(test, put_any(slot + PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, find(slot), slot);
	KUNIT_EXPECT_TRUE(test, is_page(slot));
	put(test, slot);
	KUNIT_EXPECT_FALSE(test, put_any(slot));
}

/* A used page in the middle of an area, between two unused ones. */
static unsigned long somebodys_page(struct kunit *test, const struct area *area)
{
	unsigned long base = free_pages_in(test, area, 3);
	void *page;

	page = __vmalloc_node_range(PAGE_SIZE, PAGE_SIZE, base + PAGE_SIZE,
				    base + 2 * PAGE_SIZE, GFP_KERNEL, PAGE_KERNEL,
				    VM_NO_GUARD, NUMA_NO_NODE,
				    __builtin_return_address(0));
	KUNIT_ASSERT_NOT_NULL(test, page);
	return (unsigned long)page;
}

static void others_keep_theirs(struct kunit *test)
{
	const struct area *area = my_area(test);
	unsigned long page = somebodys_page(test, area), slot;

	memset((void *)page, 0x5a, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, get_at(test, page), 0);
	KUNIT_EXPECT_EQ(test, get(test, page, page + PAGE_SIZE - 1), 0);
	/* A slot cannot be in it in part, and the other page is freed then. */
	KUNIT_EXPECT_EQ(test, get_at(test, page - 1), 0);
	KUNIT_EXPECT_TRUE(test, is_free(page - 1));
	KUNIT_EXPECT_EQ(test, get_at(test, page + PAGE_SIZE - 1), 0);
	KUNIT_EXPECT_TRUE(test, is_free(page + PAGE_SIZE));
	/* A slot can be next to it. */
	slot = get(test, page - SLOT_SIZE, page);
	KUNIT_EXPECT_EQ(test, slot, page - SLOT_SIZE);
	slot = get(test, page - SLOT_SIZE + 1, page + PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, slot, page + PAGE_SIZE);

	KUNIT_EXPECT_PTR_EQ(test, memchr_inv((void *)page, 0x5a, PAGE_SIZE), NULL);
	KUNIT_EXPECT_NOT_NULL(test, find_vm_area((void *)page));
	vfree((void *)page);
}

/* An upper bound of the number of pages that sites use already. */
static unsigned int nr_pages_before(void)
{
	char name[KSYM_NAME_LEN], type;
	unsigned long value;
	unsigned int i, nr = 0;

	for (i = 0; !kprobe_get_kallsym(i, &value, &type, name); i++)
		nr += !strcmp(name, "kprobe_optinsn_page");
	return nr;
}

/* Fill the area with pages, with a slot in the middle of each. Later slots can cross pages. */
static void so_many_pages(struct kunit *test)
{
	const struct area *area = my_area(test);
	unsigned int before = nr_pages_before(), nr;
	unsigned long base = free_pages_in(test, area, area->max_pages + 2);
	unsigned long addr = base + PAGE_SIZE / 2;

	for (nr = 0; nr <= area->max_pages && get_at(test, addr); nr++)
		addr += PAGE_SIZE;
	KUNIT_EXPECT_LE(test, nr, area->max_pages);
	KUNIT_EXPECT_GE(test, nr + before, area->max_pages);
	KUNIT_EXPECT_TRUE(test, is_free(addr));

	/* There is room in allocated pages, also in two of them. */
	KUNIT_EXPECT_EQ(test, get_at(test, base + PAGE_SIZE - 1), base + PAGE_SIZE - 1);
	KUNIT_EXPECT_EQ(test, get(test, base, addr), base);
	KUNIT_EXPECT_EQ(test, get_at(test, addr - PAGE_SIZE / 2 - 1), 0);
	KUNIT_EXPECT_TRUE(test, is_free(addr));

	/* If one page is freed, one can be allocated, but not two. */
	addr -= PAGE_SIZE;
	put(test, addr);
	KUNIT_EXPECT_EQ(test, get_at(test, addr + PAGE_SIZE / 2 - 1), 0);
	KUNIT_EXPECT_TRUE(test, is_free(addr));
	KUNIT_EXPECT_EQ(test, get_at(test, addr + PAGE_SIZE), addr + PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, get_at(test, addr), 0);
}

/* Sites of other suites' probes must not go while this one counts. */
static int far_test_init(struct kunit *test)
{
	kprobe_reclaim_flush();
	return 0;
}

static struct kunit_case far_cases[] = {
	KUNIT_CASE_PARAM(few_addresses, area_gen_params),
	KUNIT_CASE_PARAM(many_addresses, area_gen_params),
	KUNIT_CASE_PARAM(one_address, area_gen_params),
	KUNIT_CASE_PARAM(in_two_pages, area_gen_params),
	KUNIT_CASE_PARAM(page_goes_with_its_last_slot, area_gen_params),
	KUNIT_CASE_PARAM(first_and_last_of_an_area, area_gen_params),
	KUNIT_CASE(nowhere_else),
	KUNIT_CASE_PARAM(is_found, area_gen_params),
	KUNIT_CASE_PARAM(others_are_not_put, area_gen_params),
	KUNIT_CASE_PARAM(others_keep_theirs, area_gen_params),
	KUNIT_CASE_PARAM_ATTR(so_many_pages, area_gen_params, { .speed = KUNIT_SPEED_SLOW }),
	{}
};

static struct kunit_suite far_suite = {
	.name = "kprobes_x86_far",
	.init = far_test_init,
	.test_cases = far_cases,
};

kunit_test_suite(far_suite);
