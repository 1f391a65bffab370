// SPDX-License-Identifier: GPL-2.0-only
/*
 * kprobe_table: from an address to the site that is there.
 *
 * An open-addressed array of (address, site) pairs, at most three quarters taken, so
 * that a lookup touches a cache line or two with one probe or with 50,000. Hits look
 * up without a lock and from any context, NMI included.
 *
 * What makes that safe is that a slot is written once: it goes from empty to an
 * address, and from there to dead, never back. A full array is not cleaned but
 * copied to a new one, with room to grow, and freed after a grace period.
 */
#include <linux/hash.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include "internal.h"

/* Values of table_slot::addr where no instruction can be. */
#define SLOT_EMPTY	0UL
#define SLOT_DEAD	1UL

/* The first table is static, so that probing works before and without memory. */
#define TABLE_BOOT_BITS	6

struct table_slot {
	unsigned long addr;
	struct kprobe_site *site;
};

/**
 * struct kprobe_table - one generation of the address hash
 * @bits: log2 of the number of slots
 * @used: slots that are not empty. Guarded by kprobe_mutex
 * @live: slots that hold a site. Guarded by kprobe_mutex
 * @rcu: frees it after the last lookup
 * @slot: the pairs. Written under kprobe_mutex, read by anyone under RCU
 */
struct kprobe_table {
	unsigned int bits;
	unsigned int used;
	unsigned int live;
	struct rcu_head rcu;
	struct table_slot slot[];
};

static struct kprobe_table boot_table = {
	.bits = TABLE_BOOT_BITS,
	.slot = { [(1 << TABLE_BOOT_BITS) - 1] = { .addr = SLOT_EMPTY } },
};

/* Replaced under kprobe_mutex. */
static struct kprobe_table __rcu *kprobe_table = RCU_INITIALIZER(&boot_table);

static struct kprobe_table *table_locked(void)
{
	return rcu_dereference_protected(kprobe_table,
					 lockdep_is_held(&kprobe_mutex));
}

/**
 * site_lookup - find the site at an address
 * @addr: address of an instruction
 *
 * Context: any; either preemption is off or kprobe_mutex is held.
 * Return: the site, or NULL. The site stays valid as long as preemption is off.
 */
struct kprobe_site *site_lookup(unsigned long addr)
{
	/* Preemption off is all the RCU there is here: lockdep can be probed. */
	const struct kprobe_table *t = rcu_dereference_raw(kprobe_table);
	unsigned long mask = (1UL << t->bits) - 1;
	unsigned long i = hash_long(addr, t->bits);
	unsigned long key;

	/* Ends: a quarter of the slots is empty. */
	for (;; i = (i + 1) & mask) {
		/* Pairs with slot_fill(): who sees the address sees the site. */
		key = smp_load_acquire(&t->slot[i].addr);
		if (key == addr)
			return READ_ONCE(t->slot[i].site);
		if (key == SLOT_EMPTY)
			return NULL;
	}
}

NOKPROBE_SYMBOL(site_lookup);

/**
 * get_kprobe - find what is planted at an address
 * @addr: address of an instruction
 *
 * Context: any, preemption off.
 * Return: the kprobe of the site at @addr, whose handlers run those of everybody who
 * listens there; NULL if there is none.
 */
struct kprobe *get_kprobe(void *addr)
{
	struct kprobe_site *site = site_lookup((unsigned long)addr);

	return site ? &site->kp : NULL;
}

NOKPROBE_SYMBOL(get_kprobe);

static void slot_fill(struct kprobe_table *t, struct kprobe_site *site)
{
	unsigned long mask = (1UL << t->bits) - 1;
	unsigned long i = hash_long(site_addr(site), t->bits);

	while (t->slot[i].addr != SLOT_EMPTY)
		i = (i + 1) & mask;
	WRITE_ONCE(t->slot[i].site, site);
	/* Pairs with site_lookup(). */
	smp_store_release(&t->slot[i].addr, site_addr(site));
	t->used++;
	t->live++;
}

static struct kprobe_table *table_copy(const struct kprobe_table *old,
				       unsigned int bits)
{
	struct kprobe_table *t;
	unsigned long i;

	t = kvzalloc(struct_size(t, slot, 1UL << bits), GFP_KERNEL);
	if (!t)
		return NULL;
	t->bits = bits;
	for (i = 0; i < 1UL << old->bits; i++) {
		if (old->slot[i].addr > SLOT_DEAD)
			slot_fill(t, old->slot[i].site);
	}
	return t;
}

static unsigned int table_room(unsigned int bits)
{
	return (1U << bits) / 4 * 3;
}

/**
 * site_table_reserve - make sure that insertions will find room
 * @nr: how many
 *
 * Context: process, kprobe_mutex held. Sleeps.
 * Return: 0, or -ENOMEM if the table had to grow and could not.
 */
int site_table_reserve(unsigned int nr)
{
	struct kprobe_table *old = table_locked(), *new;
	unsigned int bits = TABLE_BOOT_BITS;

	if (old->used + nr <= table_room(old->bits))
		return 0;
	/* Twice what is needed: the next copy is as many insertions away. */
	while (table_room(bits) < 2 * (old->live + nr))
		bits++;
	new = table_copy(old, bits);
	if (!new)
		return -ENOMEM;
	rcu_assign_pointer(kprobe_table, new);
	if (old != &boot_table)
		kvfree_rcu(old, rcu);
	return 0;
}

/**
 * site_table_insert - let hits find a site
 * @site: fully set up, not planted yet
 *
 * Context: kprobe_mutex held, site_table_reserve() called.
 */
void site_table_insert(struct kprobe_site *site)
{
	slot_fill(table_locked(), site);
}

/**
 * site_table_remove - hide a site
 * @site: a site in the table, not planted and with no hit under way
 *
 * Context: kprobe_mutex held. Free the site after a grace period.
 */
void site_table_remove(struct kprobe_site *site)
{
	struct kprobe_table *t = table_locked();
	unsigned long mask = (1UL << t->bits) - 1;
	unsigned long i = hash_long(site_addr(site), t->bits);

	while (t->slot[i].site != site)
		i = (i + 1) & mask;
	WRITE_ONCE(t->slot[i].site, NULL);
	WRITE_ONCE(t->slot[i].addr, SLOT_DEAD);
	t->live--;
}

/**
 * site_table_next - walk all sites
 * @pos: where the walk is; start with 0
 *
 * Context: kprobe_mutex held over the whole walk.
 * Return: the next site in no particular order, NULL at the end.
 */
struct kprobe_site *site_table_next(unsigned int *pos)
{
	struct kprobe_table *t = table_locked();
	struct kprobe_site *site;

	while (*pos < 1U << t->bits) {
		site = t->slot[(*pos)++].site;
		if (site)
			return site;
	}
	return NULL;
}

/* How many sites there are, retired ones included. kprobe_mutex held. */
unsigned int site_table_count(void)
{
	return table_locked()->live;
}
