// SPDX-License-Identifier: GPL-2.0-only
/*
 * Executable memory for copied instructions.
 *
 * A cache allocates slots of one size from pages that are read-only and executable from the
 * start. Architecture code writes to slots by text patching. A slot is freed when no task can
 * be executing in it (see retire.c), so it can be allocated again at once.
 *
 * Exception handlers and unwinders check in any context whether an address is in a slot. They
 * look up the page in an xarray, under RCU. Addresses below the first or above the last page,
 * such as most of modules and BPF programs, need no lookup.
 */
#include <linux/bitmap.h>
#include <linux/execmem.h>
#include <linux/kallsyms.h>
#include <linux/kprobe_delay.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/perf_event.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/xarray.h>

#include "internal.h"

#ifdef __ARCH_WANT_KPROBES_INSN_SLOT

/* In kprobe_opcode_t. Architectures define it if they keep more than one copy in a slot. */
#ifndef KPROBE_INSN_SLOT_SIZE
#define KPROBE_INSN_SLOT_SIZE	MAX_INSN_SIZE
#endif

/* In kprobe_opcode_t. Architectures define it if a detour may take several slots. */
#ifndef KPROBE_OPTINSN_SLOT_SIZE
#define KPROBE_OPTINSN_SLOT_SIZE	MAX_OPTINSN_SIZE
#endif

/**
 * struct slot_page - one page of slots
 * @base:	the first slot
 * @roomy:	links the page in kprobe_insn_cache::roomy while a slot is free
 * @nr_used:	number of slots that are allocated
 * @rcu:	frees this struct
 * @used:	a bit for each slot that is allocated
 *
 * The cache's lock guards all but @base, which is constant, and @rcu.
 */
struct slot_page {
	kprobe_opcode_t *base;
	struct list_head roomy;
	unsigned int nr_used;
	struct rcu_head rcu;
	unsigned long used[];
};

/**
 * struct kprobe_insn_cache - slots of one kind
 * @lock:	serializes allocating and freeing. Nests inside text_mutex, because
 *		arch_prepare_kprobe() allocates slots
 * @roomy:	pages with a free slot. Guarded by @lock
 * @pages:	all pages, by page number. Changed under @lock, read under RCU
 * @first:	address of the lowest page so far, ULONG_MAX if there was none. Changed under
 *		@lock before code in the page can run, read with READ_ONCE()
 * @end:	end of the highest page so far, 0 if there was none. As @first
 * @slot_len:	length of a slot, in kprobe_opcode_t
 * @page_name:	the name of a page in kallsyms and perf
 * @get_page:	allocates a page that is executable and not writable
 * @get_page_near: allocates such a page between two addresses, both included
 * @put_page:	frees a page
 */
struct kprobe_insn_cache {
	struct mutex lock;	/* guards slots that are allocated and freed */
	struct list_head roomy;
	struct xarray pages;
	unsigned long first;
	unsigned long end;
	unsigned int slot_len;
	const char *page_name;
	void *(*get_page)(void);
	void *(*get_page_near)(unsigned long first, unsigned long last);
	void (*put_page)(void *page);
};

/**
 * alloc_insn_page - allocate a page for instructions
 *
 * Architectures override it if the page must be near the kernel's text, or if its protection
 * must be changed.
 *
 * Return: the page, NULL if there is no memory.
 */
void *__weak alloc_insn_page(void)
{
	return execmem_alloc(EXECMEM_KPROBES, PAGE_SIZE);
}

/**
 * alloc_insn_page_near - allocate a page for instructions between two addresses
 * @first: the lowest address that the page may have
 * @last: the highest
 *
 * Architectures override it if their branches are too short for one area of slots.
 *
 * Return: the page, NULL if there is no memory there.
 */
void *__weak alloc_insn_page_near(unsigned long first, unsigned long last)
{
	return NULL;
}

struct kprobe_insn_cache kprobe_insn_slots = {
	.lock = __MUTEX_INITIALIZER(kprobe_insn_slots.lock),
	.roomy = LIST_HEAD_INIT(kprobe_insn_slots.roomy),
	.pages = XARRAY_INIT(kprobe_insn_slots.pages, 0),
	.first = ULONG_MAX,
	.slot_len = KPROBE_INSN_SLOT_SIZE,
	.page_name = "kprobe_insn_page",
	.get_page = alloc_insn_page,
	.get_page_near = alloc_insn_page_near,
	.put_page = execmem_free,
};

static unsigned int slots_per_page(const struct kprobe_insn_cache *c)
{
	return PAGE_SIZE / (c->slot_len * sizeof(kprobe_opcode_t));
}

static unsigned long page_index(const void *addr)
{
	return (unsigned long)addr >> PAGE_SHIFT;
}

static void tell_perf(const struct kprobe_insn_cache *c, void *page, bool gone)
{
	perf_event_ksymbol(PERF_RECORD_KSYMBOL_TYPE_OOL, (unsigned long)page,
			   PAGE_SIZE, gone, c->page_name);
}

/* From now on __is_insn_slot_addr() is true for addresses in the page. */
static int page_publish(struct kprobe_insn_cache *c, struct slot_page *sp)
{
	unsigned long addr = (unsigned long)sp->base;
	int ret = xa_err(xa_store(&c->pages, page_index(sp->base), sp, GFP_KERNEL));

	if (ret)
		return ret;
	kprobe_delay_point(DELAY_SLOT_PAGE_ENTERED);
	WRITE_ONCE(c->first, min(c->first, addr));
	WRITE_ONCE(c->end, max(c->end, addr + PAGE_SIZE));
	tell_perf(c, sp->base, false);
	return 0;
}

static void page_withdraw(struct kprobe_insn_cache *c, struct slot_page *sp)
{
	xa_erase(&c->pages, page_index(sp->base));
	kprobe_delay_point(DELAY_SLOT_PAGE_LEFT);
	tell_perf(c, sp->base, true);
	kfree_rcu(sp, rcu);
}

/* Where a page may be. With @anywhere, get_page() decides. */
struct slot_range {
	unsigned long first;
	unsigned long last;
};

static const struct slot_range anywhere = { .last = ULONG_MAX };

static bool page_is_in(const struct slot_page *sp, const struct slot_range *range)
{
	unsigned long base = (unsigned long)sp->base;

	return base >= range->first && base + PAGE_SIZE - 1 <= range->last;
}

static void *page_get(struct kprobe_insn_cache *c, const struct slot_range *range)
{
	return range == &anywhere ? c->get_page() : c->get_page_near(range->first, range->last);
}

static struct slot_page *page_add(struct kprobe_insn_cache *c, const struct slot_range *range)
{
	struct slot_page *sp;

	sp = kzalloc(struct_size(sp, used, BITS_TO_LONGS(slots_per_page(c))),
		     GFP_KERNEL);
	if (!sp)
		return NULL;
	sp->base = page_get(c, range);
	if (!sp->base)
		goto no_page;
	if (page_publish(c, sp))
		goto no_entry;
	list_add(&sp->roomy, &c->roomy);
	return sp;

no_entry:
	c->put_page(sp->base);
no_page:
	kfree(sp);
	return NULL;
}

static void page_drop(struct kprobe_insn_cache *c, struct slot_page *sp)
{
	void *page = sp->base;

	list_del(&sp->roomy);
	page_withdraw(c, sp);
	c->put_page(page);
}

/* Allocate @nr slots next to each other; NULL if the page has not as many. */
static kprobe_opcode_t *page_take(struct kprobe_insn_cache *c, struct slot_page *sp,
				  unsigned int nr)
{
	unsigned int total = slots_per_page(c);
	unsigned int i = bitmap_find_next_zero_area(sp->used, total, 0, nr, 0);

	if (i >= total)
		return NULL;
	bitmap_set(sp->used, i, nr);
	sp->nr_used += nr;
	if (sp->nr_used == total)
		list_del_init(&sp->roomy);
	return sp->base + i * c->slot_len;
}

static kprobe_opcode_t *get_slots(struct kprobe_insn_cache *c, unsigned int nr,
				  const struct slot_range *range)
{
	kprobe_opcode_t *slot;
	struct slot_page *sp;

	guard(mutex)(&c->lock);
	list_for_each_entry(sp, &c->roomy, roomy) {
		slot = page_is_in(sp, range) ? page_take(c, sp, nr) : NULL;
		if (slot)
			return slot;
	}
	sp = page_add(c, range);
	return sp ? page_take(c, sp, nr) : NULL;
}

/**
 * kprobe_get_slots - allocate slots
 * @c: the cache
 * @nr: number of slots, next to each other
 *
 * Context: process. Sleeps.
 * Return: the first slot, to be written by text patching only; NULL if there is no memory.
 */
kprobe_opcode_t *kprobe_get_slots(struct kprobe_insn_cache *c, unsigned int nr)
{
	return get_slots(c, nr, &anywhere);
}

/**
 * kprobe_get_slots_near - allocate slots between two addresses
 * @c: the cache
 * @nr: number of slots, next to each other
 * @first: the lowest address that they may have
 * @last: the highest
 *
 * Context: process. Sleeps.
 * Return: as kprobe_get_slots(); NULL also if there is no memory in between.
 */
kprobe_opcode_t *kprobe_get_slots_near(struct kprobe_insn_cache *c, unsigned int nr,
				       unsigned long first, unsigned long last)
{
	struct slot_range range = { .first = first, .last = last };

	return get_slots(c, nr, &range);
}

/**
 * kprobe_put_slots - free slots
 * @c: the cache
 * @slot: from kprobe_get_slots()
 * @nr: number of slots, as it was allocated
 *
 * Context: process. Sleeps. No task can be executing in the slots.
 */
void kprobe_put_slots(struct kprobe_insn_cache *c, kprobe_opcode_t *slot, unsigned int nr)
{
	struct slot_page *sp;

	guard(mutex)(&c->lock);
	sp = xa_load(&c->pages, page_index(slot));
	if (WARN_ON_ONCE(!sp))
		return;
	bitmap_clear(sp->used, (slot - sp->base) / c->slot_len, nr);
	sp->nr_used -= nr;
	if (list_empty(&sp->roomy))
		list_add(&sp->roomy, &c->roomy);
	/* Keep one page, so that a probe that comes and goes does not allocate and free one. */
	if (!sp->nr_used && !list_is_singular(&c->roomy))
		page_drop(c, sp);
}

/**
 * __get_insn_slot - allocate a slot
 * @c: the cache
 *
 * Context: process. Sleeps.
 * Return: as kprobe_get_slots().
 */
kprobe_opcode_t *__get_insn_slot(struct kprobe_insn_cache *c)
{
	return kprobe_get_slots(c, 1);
}

/**
 * __free_insn_slot - free a slot
 * @c: the cache
 * @slot: from __get_insn_slot()
 * @dirty: not used: slots are freed only when no task can be executing in them
 *
 * Context: process. Sleeps.
 */
void __free_insn_slot(struct kprobe_insn_cache *c, kprobe_opcode_t *slot,
		      int dirty)
{
	kprobe_put_slots(c, slot, 1);
}

/**
 * __is_insn_slot_addr - is this address in a page of slots?
 * @c: the cache
 * @addr: any address
 *
 * Context: any in which RCU is watching.
 * Return: true if it is.
 */
bool __is_insn_slot_addr(struct kprobe_insn_cache *c, unsigned long addr)
{
	if (addr < READ_ONCE(c->first) || addr >= READ_ONCE(c->end))
		return false;
	kprobe_delay_point(DELAY_SLOT_CHECKED);
	return xa_load(&c->pages, page_index((void *)addr));
}

#ifdef CONFIG_OPTPROBES
/**
 * alloc_optinsn_page - allocate a page for detours
 *
 * Return: the page, NULL if there is no memory.
 */
void *__weak alloc_optinsn_page(void)
{
	return alloc_insn_page();
}

/**
 * free_optinsn_page - free a page from alloc_optinsn_page()
 * @page: the page
 */
void __weak free_optinsn_page(void *page)
{
	execmem_free(page);
}

/* slot_len may depend on symbols, so kprobe_slots_init() sets it. */
struct kprobe_insn_cache kprobe_optinsn_slots = {
	.lock = __MUTEX_INITIALIZER(kprobe_optinsn_slots.lock),
	.roomy = LIST_HEAD_INIT(kprobe_optinsn_slots.roomy),
	.pages = XARRAY_INIT(kprobe_optinsn_slots.pages, 0),
	.first = ULONG_MAX,
	.page_name = "kprobe_optinsn_page",
	.get_page = alloc_optinsn_page,
	.get_page_near = alloc_insn_page_near,
	.put_page = free_optinsn_page,
};

/**
 * kprobe_optinsn_page_add - let is_kprobe_optinsn_slot() be true for a page
 * @page: a page that the architecture has allocated; slots are not allocated from it
 *
 * Context: process. Sleeps.
 * Return: 0, -ENOMEM.
 */
int kprobe_optinsn_page_add(void *page)
{
	struct kprobe_insn_cache *c = &kprobe_optinsn_slots;
	struct slot_page *sp = kzalloc(sizeof(*sp), GFP_KERNEL);
	int ret;

	if (!sp)
		return -ENOMEM;
	sp->base = page;
	guard(mutex)(&c->lock);
	ret = page_publish(c, sp);
	if (ret)
		kfree(sp);
	return ret;
}

/**
 * kprobe_optinsn_page_del - undo kprobe_optinsn_page_add()
 * @page: the page
 *
 * Context: process. Sleeps.
 */
void kprobe_optinsn_page_del(void *page)
{
	struct kprobe_insn_cache *c = &kprobe_optinsn_slots;

	guard(mutex)(&c->lock);
	page_withdraw(c, xa_load(&c->pages, page_index(page)));
}

void __init kprobe_slots_init(void)
{
	kprobe_optinsn_slots.slot_len = KPROBE_OPTINSN_SLOT_SIZE;
}

#else
void __init kprobe_slots_init(void) { }
#endif /* CONFIG_OPTPROBES */

static struct kprobe_insn_cache *const all_caches[] = {
	&kprobe_insn_slots,
#ifdef CONFIG_OPTPROBES
	&kprobe_optinsn_slots,
#endif
};

/* The page number @nr of a cache. If it has fewer pages, @nr is reduced by their number. */
static void *cache_page(struct kprobe_insn_cache *c, unsigned int *nr)
{
	struct slot_page *sp;
	unsigned long index;

	guard(rcu)();
	xa_for_each(&c->pages, index, sp) {
		if (*nr == 0)
			return sp->base;
		--*nr;
	}
	return NULL;
}

/**
 * kprobe_get_kallsym - get an entry that probes add to /proc/kallsyms
 * @symnum: number of the entry, from 0
 * @value: receives the address
 * @type: receives the type
 * @sym: receives the name, KSYM_NAME_LEN bytes
 *
 * Context: process.
 * Return: 0, or -ERANGE if there is no such entry.
 */
int kprobe_get_kallsym(unsigned int symnum, unsigned long *value, char *type,
		       char *sym)
{
	unsigned int i;
	void *page;

	for (i = 0; i < ARRAY_SIZE(all_caches); i++) {
		page = cache_page(all_caches[i], &symnum);
		if (!page)
			continue;
		strscpy(sym, all_caches[i]->page_name, KSYM_NAME_LEN);
		*value = (unsigned long)page;
		*type = 't';
		return 0;
	}
	return -ERANGE;
}

#else /* !__ARCH_WANT_KPROBES_INSN_SLOT */

void __init kprobe_slots_init(void) { }

int kprobe_get_kallsym(unsigned int nr, unsigned long *addr, char *type,
		       char *name)
{
	return -ERANGE;
}

#endif /* __ARCH_WANT_KPROBES_INSN_SLOT */
