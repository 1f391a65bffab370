// SPDX-License-Identifier: GPL-2.0-only
/*
 * x86: executable memory at given addresses, for the detours of puns.
 *
 * A pun (see region.c) leads to one of 256^n consecutive addresses, n being 0 to 3. If
 * there is no other memory, this allocates a page there. A slot starts at any address and
 * may span two pages. Slots share pages.
 *
 * Three areas are in reach of the kernel's text: two gigabytes below the area of the
 * kernel image that are not used (see Documentation/arch/x86/x86_64/mm.rst); the part of
 * that area that the image does not use; and the area of modules. The number of pages in
 * the latter is limited, because they fragment it.
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
 * @nr_slots:	number of slots that are in it, also in part
 * @rcu:	frees this struct
 * @starts:	a bit for each byte at which a slot starts
 *
 * Guarded by kprobe_mutex. @starts is also read under RCU.
 */
struct far_page {
	kprobe_opcode_t *base;
	unsigned int nr_slots;
	struct rcu_head rcu;
	DECLARE_BITMAP(starts, PAGE_SIZE);
};

/* All pages, by page number. Changed under kprobe_mutex, read under RCU. */
static DEFINE_XARRAY(far_pages);

/* Numbers of pages: all, and those in the area of modules. Guarded by kprobe_mutex. */
static unsigned int nr_pages, nr_module_pages;

/**
 * struct far_area - an area where pages may be
 * @start: first address
 * @end: one past the last address
 */
struct far_area {
	unsigned long start;
	unsigned long end;
};

/* The lowest address from which a jump reaches the kernel's text. */
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

/* Map a page between two addresses. */
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
	if (kprobe_optinsn_page_add(page->base))
		goto not_known;
	/* The last step that may fail, because @page is read under RCU from here on. */
	if (xa_err(xa_store(&far_pages, (unsigned long)page->base >> PAGE_SHIFT, page,
			    GFP_KERNEL)))
		goto no_entry;
	count_page(page, 1);
	return page;

no_entry:
	kprobe_optinsn_page_del(page->base);
not_known:
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
	/* In use. Check here, because vmalloc() would purge lazily freed areas before it fails. */
	if (find_vm_area((void *)start) || is_mapped(start))
		return NULL;
	return page_add(start, start + PAGE_SIZE);
}

/* Slots */

static unsigned long slot_end(unsigned long slot)
{
	return slot + KPROBE_FAR_SLOT_SIZE;
}

/* The first slot that starts from @start to before @end; @end if there is none. */
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

/* The lowest address from @first to @last where a slot can start; 0 if there is none. */
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

/* find_room() in pages that are allocated. */
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

/* Allocate the one or two pages of a slot, if they are not. */
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

/* For few addresses: try all pages that they are in. */
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

/* Mark a slot as allocated or free. */
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
 * kprobe_far_slot_get - allocate a slot between two addresses
 * @first: the lowest address that it may have
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
 * kprobe_far_slot_put - free a slot
 * @slot: any address
 *
 * Context: process, kprobe_mutex held. Sleeps. No task is executing in the slot.
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
 * kprobe_far_slot_find - find the slot that an address is in
 * @addr: any address
 *
 * Context: any, in an RCU read-side critical section.
 * Return: the start of the slot, NULL if the address is in none.
 */
void *kprobe_far_slot_find(unsigned long addr)
{
	unsigned long slot = next_slot(addr - KPROBE_FAR_SLOT_SIZE + 1, addr + 1);

	return slot <= addr ? (void *)slot : NULL;
}

NOKPROBE_SYMBOL(kprobe_far_slot_find);

/*
 * Allocate the upper levels of page tables in boot, so that copies of the kernel's page tables
 * have them. Calls of firmware use such a copy, and an interrupt in one may hit a jump.
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
