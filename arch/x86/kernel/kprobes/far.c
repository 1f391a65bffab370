// SPDX-License-Identifier: GPL-2.0-only
/*
 * x86: executable memory at addresses that are given.
 *
 * A jump whose displacement is in part that of instructions which have to stay (see
 * region.c) leads to one of 256^n consecutive addresses, n being 0 to 3. Where nothing
 * else is, a page can be had there. Slots start at any address, share pages, and may
 * reach from one into the next.
 *
 * In reach of the kernel's text are, from below: two gigabytes that are unused (see
 * Documentation/arch/x86/x86_64/mm.rst); what the image leaves free of the area that it
 * is mapped in, which is most of it; and the area of modules. The latter must not be
 * taken to pieces, so there may be but a few pages in it.
 */
#include <linux/bitmap.h>
#include <linux/cleanup.h>
#include <linux/execmem.h>
#include <linux/gfp.h>
#include <linux/kprobes.h>
#include <linux/minmax.h>
#include <linux/numa.h>
#include <linux/pgtable.h>
#include <linux/rcupdate.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/xarray.h>

#include <asm/cpufeature.h>
#include <asm/sections.h>

#include "private.h"

/**
 * struct far_page - a page
 * @base:	the page
 * @nr_slots:	slots that are in it, if only in part
 * @rcu:	frees this
 * @starts:	at which bytes of it slots start
 *
 * Made and changed under kprobe_mutex. @starts is read under RCU, too.
 */
struct far_page {
	kprobe_opcode_t *base;
	unsigned int nr_slots;
	struct rcu_head rcu;
	DECLARE_BITMAP(starts, PAGE_SIZE);
};

/* By page number. Changed under kprobe_mutex, read under RCU. */
static DEFINE_XARRAY(far_pages);

/* Guarded by kprobe_mutex. */
static unsigned int nr_pages, nr_module_pages;

/**
 * struct far_area - where there may be pages
 * @start: first address
 * @end: behind the last one
 */
struct far_area {
	unsigned long start;
	unsigned long end;
};

/* From where a jump reaches the kernel, to where the kernel is mapped. */
#define HOLE_START	(__START_KERNEL_map - SZ_2G)

#define NR_AREAS	4

static unsigned int find_areas(struct far_area areas[NR_AREAS])
{
	unsigned int nr = 0;

	if (IS_ENABLED(CONFIG_KASAN) && !IS_ENABLED(CONFIG_KASAN_VMALLOC))
		return 0;
	if (!kprobe_far_only_near_modules()) {
		areas[nr++] = (struct far_area){ HOLE_START, __START_KERNEL_map };
		areas[nr++] = (struct far_area){
			__START_KERNEL_map,
			ALIGN_DOWN((unsigned long)_text, PMD_SIZE) - PMD_SIZE
		};
		areas[nr++] = (struct far_area){
			ALIGN((unsigned long)_end, PMD_SIZE) + PMD_SIZE, MODULES_VADDR
		};
	}
	areas[nr++] = (struct far_area){ MODULES_VADDR, MODULES_END };
	return nr;
}

static bool is_for_modules(unsigned long addr)
{
	return addr >= MODULES_VADDR;
}

static struct far_page *page_of(unsigned long addr)
{
	return xa_load(&far_pages, addr >> PAGE_SHIFT);
}

/* Pages */

static bool is_mapped(unsigned long addr)
{
	unsigned int level;
	pte_t *pte = lookup_address(addr, &level);

	return pte && !pte_none(*pte);
}

/* One page, anywhere in between. */
static void *map_page(unsigned long start, unsigned long end)
{
	void *page;

	page = __vmalloc_node_range(PAGE_SIZE, PAGE_SIZE, start, end,
				    GFP_KERNEL | __GFP_NOWARN, PAGE_KERNEL,
				    VM_NO_GUARD | VM_FLUSH_RESET_PERMS, NUMA_NO_NODE,
				    __builtin_return_address(0));
	return page ? kprobe_protect_slots(page) : NULL;
}

static bool pages_are_left(unsigned long addr)
{
	return nr_pages < KPROBE_FAR_MAX_PAGES &&
	       !(is_for_modules(addr) && nr_module_pages >= KPROBE_FAR_MAX_MODULE_PAGES);
}

static void count_page(const struct far_page *page, int by)
{
	nr_pages += by;
	if (is_for_modules((unsigned long)page->base))
		nr_module_pages += by;
}

static struct far_page *page_add(unsigned long start, unsigned long end)
{
	struct far_page *page;

	if (!pages_are_left(start))
		return NULL;
	page = kzalloc(sizeof(*page), GFP_KERNEL);
	if (!page)
		return NULL;
	page->base = map_page(start, end);
	if (!page->base)
		goto no_page;
	if (xa_err(xa_store(&far_pages, (unsigned long)page->base >> PAGE_SHIFT, page,
			    GFP_KERNEL)))
		goto no_entry;
	if (kprobe_optinsn_page_add(page->base))
		goto not_known;
	count_page(page, 1);
	return page;

not_known:
	xa_erase(&far_pages, (unsigned long)page->base >> PAGE_SHIFT);
no_entry:
	execmem_free(page->base);
no_page:
	kfree(page);
	return NULL;
}

static void page_drop(struct far_page *page)
{
	count_page(page, -1);
	xa_erase(&far_pages, (unsigned long)page->base >> PAGE_SHIFT);
	kprobe_optinsn_page_del(page->base);
	execmem_free(page->base);
	kfree_rcu(page, rcu);
}

static void page_drop_if_empty(struct far_page *page)
{
	if (page && !page->nr_slots)
		page_drop(page);
}

static struct far_page *page_at(unsigned long addr)
{
	unsigned long start = ALIGN_DOWN(addr, PAGE_SIZE);
	struct far_page *page = page_of(addr);

	if (page)
		return page;
	/* Somebody's: do not have vmalloc look for memory to reclaim. */
	if (find_vm_area((void *)start) || is_mapped(start))
		return NULL;
	return page_add(start, start + PAGE_SIZE);
}

/* Slots */

static unsigned long slot_end(unsigned long slot)
{
	return slot + KPROBE_FAR_SLOT_SIZE;
}

/* The first start of a slot in between, else @end. */
static unsigned long next_slot(unsigned long start, unsigned long end)
{
	unsigned long index, first, bit;
	struct far_page *page;

	xa_for_each_range(&far_pages, index, page, start >> PAGE_SHIFT,
			  (end - 1) >> PAGE_SHIFT) {
		first = index << PAGE_SHIFT;
		bit = find_next_bit(page->starts, PAGE_SIZE, max(start, first) - first);
		if (bit < PAGE_SIZE)
			return min(first + bit, end);
	}
	return end;
}

/* The lowest address from @first to @last that a slot can start at; 0 if there is none. */
static unsigned long find_room(unsigned long first, unsigned long last)
{
	unsigned long pos = first, slot;

	while (pos <= last) {
		slot = next_slot(pos - KPROBE_FAR_SLOT_SIZE + 1, slot_end(pos));
		if (slot == slot_end(pos))
			return pos;
		pos = slot_end(slot);
	}
	return 0;
}

/* In the pages that there are. */
static unsigned long find_room_in_pages(unsigned long first, unsigned long last)
{
	unsigned long index, start, slot;
	struct far_page *page;

	xa_for_each_range(&far_pages, index, page, first >> PAGE_SHIFT, last >> PAGE_SHIFT) {
		start = index << PAGE_SHIFT;
		slot = find_room(max(first, start),
				 min(last, start + PAGE_SIZE - KPROBE_FAR_SLOT_SIZE));
		if (slot)
			return slot;
	}
	return 0;
}

/* The one or two pages that it is in. */
static bool get_pages(unsigned long slot)
{
	struct far_page *page = page_at(slot);

	if (!page)
		return false;
	if (page_at(slot_end(slot) - 1))
		return true;
	page_drop_if_empty(page);
	return false;
}

/* With few addresses to choose from, try all pages that they are in. */
static unsigned long find_room_nearby(unsigned long first, unsigned long last)
{
	unsigned long slot, end;

	for (; first <= last; first = end) {
		end = ALIGN_DOWN(first, PAGE_SIZE) + PAGE_SIZE;
		slot = find_room(first, min(last, end - 1));
		if (slot && get_pages(slot))
			return slot;
	}
	return 0;
}

static unsigned long find_room_in_new_page(unsigned long first, unsigned long last)
{
	struct far_page *page;

	page = page_add(ALIGN(first, PAGE_SIZE), ALIGN_DOWN(last, PAGE_SIZE));
	return page ? (unsigned long)page->base : 0;
}

static unsigned long find_room_in_area(const struct far_area *area, unsigned long first,
				       unsigned long last)
{
	unsigned long slot;

	first = max(first, area->start);
	last = min(last, area->end - KPROBE_FAR_SLOT_SIZE);
	if (area->start >= area->end || first > last)
		return 0;
	slot = find_room_in_pages(first, last);
	if (slot)
		return slot;
	if (last - first < 2 * PAGE_SIZE)
		return find_room_nearby(first, last);
	return find_room_in_new_page(first, last);
}

/* Note that a slot is there, or not any more. */
static void change_slot(unsigned long slot, bool there)
{
	struct far_page *page = page_of(slot), *other = page_of(slot_end(slot) - 1);
	int by = there ? 1 : -1;

	__assign_bit(offset_in_page(slot), page->starts, there);
	page->nr_slots += by;
	if (other != page)
		other->nr_slots += by;
}

/**
 * kprobe_far_slot_get - get a slot at one of some addresses
 * @first: the lowest of them
 * @last: the highest
 *
 * Context: process, kprobe_mutex held. Sleeps.
 * Return: KPROBE_FAR_SLOT_SIZE bytes of executable memory, to be written by text patching
 * only; NULL if there is none.
 */
void *kprobe_far_slot_get(unsigned long first, unsigned long last)
{
	struct far_area areas[NR_AREAS];
	unsigned int nr = find_areas(areas), i;
	unsigned long slot;

	for (i = 0; i < nr; i++) {
		slot = find_room_in_area(&areas[i], first, last);
		if (slot) {
			change_slot(slot, true);
			return (void *)slot;
		}
	}
	return NULL;
}

/**
 * kprobe_far_slot_put - give a slot back
 * @slot: any address
 *
 * Context: process, kprobe_mutex held. Sleeps. Nothing is executing in the slot.
 * Return: false if @slot is not from kprobe_far_slot_get().
 */
bool kprobe_far_slot_put(void *slot)
{
	unsigned long addr = (unsigned long)slot;
	struct far_page *page = page_of(addr);

	if (!page || !test_bit(offset_in_page(addr), page->starts))
		return false;
	change_slot(addr, false);
	if (page_of(slot_end(addr) - 1) != page)
		page_drop_if_empty(page_of(slot_end(addr) - 1));
	page_drop_if_empty(page);
	return true;
}

/**
 * kprobe_far_slot_find - which slot is an address in?
 * @addr: any address
 *
 * Context: any in which RCU is watching; the caller is in a section of it.
 * Return: its start, NULL if it is in none.
 */
void *kprobe_far_slot_find(unsigned long addr)
{
	unsigned long slot = next_slot(addr - KPROBE_FAR_SLOT_SIZE + 1, addr + 1);

	return slot <= addr ? (void *)slot : NULL;
}

NOKPROBE_SYMBOL(kprobe_far_slot_find);

/*
 * So that page tables which were copied from the kernel's have it: a call into firmware
 * runs on those, and an interrupt in there may hit a jump.
 */
static int __init far_init(void)
{
	unsigned long addr;
	p4d_t *p4d;

	if (kprobe_far_only_near_modules())
		return 0;
	for (addr = HOLE_START; addr < __START_KERNEL_map; addr += PUD_SIZE) {
		p4d = p4d_offset(pgd_offset_k(addr), addr);
		if (!pmd_alloc(&init_mm, pud_offset(p4d, addr), addr))
			return -ENOMEM;
	}
	return 0;
}
early_initcall(far_init);
