/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A hash table from an address in the text to an item.
 *
 * It is an open-addressed array of (address, item) pairs, at most three quarters full, so that a
 * lookup reads one or two cache lines, with one item or with 50,000. Lookups take no lock and run
 * in any context, NMI included.
 *
 * The address in a slot is written once and stays when its item is removed. The next item at that
 * address uses the same slot. A full array is copied to a larger one, and freed after a grace
 * period.
 */
#ifndef _LINUX_ADDR_TABLE_H
#define _LINUX_ADDR_TABLE_H

#include <linux/compiler.h>
#include <linux/hash.h>
#include <linux/kprobe_delay.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>

/* addr_slot::addr of a slot that was never used. */
#define SLOT_EMPTY	0UL

/* The first array is static, because it is used before memory can be allocated. */
#define ADDR_TABLE_BOOT_BITS	6

struct addr_slot {
	unsigned long	addr;
	void		*item;
};

/**
 * struct addr_slots - an array of slots
 * @mask: mask for offsets of slots, in bytes; the number of slots is a power of two
 * @used: number of slots with an address. Guarded by the table's lock
 * @live: number of slots with an item. Guarded by the table's lock
 * @is_static: the first array, which is not to be freed
 * @rcu: frees the array
 * @slot: the pairs. Changed under the table's lock, read under RCU
 */
struct addr_slots {
	unsigned long	mask;
	unsigned int	used;
	unsigned int	live;
	bool		is_static;
	struct rcu_head	rcu;
	struct addr_slot slot[];
};

/**
 * struct addr_table - a table
 * @slots: the current array. Replaced under @lock, read under RCU
 * @nothing: stored in slots whose item was removed: an item that makes the test for NULL
 *	unnecessary in addr_table_near(), or NULL
 * @lock: the user's lock for changes
 */
struct addr_table {
	struct addr_slots __rcu	*slots;
	void			*nothing;
	struct mutex		*lock;	/* the user's */
};

#define ADDR_TABLE_MASK(nr)	(((nr) - 1) * sizeof(struct addr_slot))

/* The first array of a table, for ADDR_TABLE_INIT(). */
#define DEFINE_ADDR_SLOTS(name)							\
	static struct addr_slots name = {					\
		.mask = ADDR_TABLE_MASK(1UL << ADDR_TABLE_BOOT_BITS),		\
		.is_static = true,						\
		.slot = {							\
			[(1 << ADDR_TABLE_BOOT_BITS) - 1] = { .addr = SLOT_EMPTY } \
		},								\
	}

#define ADDR_TABLE_INIT(slots_, lock_, nothing_)				\
	{									\
		.slots = RCU_INITIALIZER(&(slots_)),				\
		.nothing = (nothing_),						\
		.lock = &(lock_),						\
	}

/* These bits of the product depend on all bits of an address that differ in the text. */
#define ADDR_HASH_SHIFT		(BITS_PER_LONG == 64 ? 32 : 8)

/* Where the search for an address starts, in bytes. */
static __always_inline unsigned long slot_start(const struct addr_slots *s, unsigned long addr)
{
	return addr * GOLDEN_RATIO_PRIME >> ADDR_HASH_SHIFT & s->mask;
}

static __always_inline struct addr_slot *slot_at(const struct addr_slots *s, unsigned long offset)
{
	return (void *)s + offset + offsetof(struct addr_slots, slot);
}

/* The next slot; the first one follows the last one. */
static __always_inline unsigned long slot_after(const struct addr_slots *s, unsigned long offset)
{
	return (offset + sizeof(struct addr_slot)) & s->mask;
}

static __always_inline unsigned int slots_nr(const struct addr_slots *s)
{
	return s->mask / sizeof(struct addr_slot) + 1;
}

/**
 * addr_table_near() - look up an address in the first slot of the search only
 * @t: the table
 * @addr: address of an instruction
 * @item: receives the item, or &addr_table.nothing; not changed if the address is not found
 *
 * Context: as addr_table_find().
 * Return: true if it was found; if false, addr_table_find() may still find it.
 */
static __always_inline bool addr_table_near(const struct addr_table *t, unsigned long addr,
					    void **item)
{
	const struct addr_slots *s = rcu_dereference_raw(t->slots);
	const struct addr_slot *slot;

	kprobe_delay_point(DELAY_TABLE_SLOTS_READ);
	slot = slot_at(s, slot_start(s, addr));
	/* Pairs with slot_fill(), which stores the item before the address. */
	if (unlikely(smp_load_acquire(&slot->addr) != addr))
		return false;
	kprobe_delay_point(DELAY_TABLE_ADDR_READ);
	/* Address dependency; pairs with slot_fill() and addr_table_replace(). */
	*item = READ_ONCE(slot->item);
	kprobe_delay_point(DELAY_TABLE_ITEM_READ);
	return true;
}

/**
 * addr_table_find() - look up an address
 * @t: the table
 * @addr: address of an instruction
 *
 * Inline, so that it can be neither traced nor probed.
 *
 * Context: any. Preemption is off or the table's lock is held.
 * Return: the item, or NULL.
 */
static __always_inline void *addr_table_find(const struct addr_table *t, unsigned long addr)
{
	/* Not rcu_dereference(): it calls lockdep, which can be probed. */
	const struct addr_slots *s = rcu_dereference_raw(t->slots);
	unsigned long offset, key;
	void *item;

	kprobe_delay_point(DELAY_TABLE_SLOTS_READ);
	offset = slot_start(s, addr);
	/* Terminates, because a quarter of the slots is empty. */
	for (;;) {
		/* Pairs with slot_fill(), which stores the item before the address. */
		key = smp_load_acquire(&slot_at(s, offset)->addr);
		if (likely(key == addr))
			break;
		if (key == SLOT_EMPTY)
			return NULL;
		offset = slot_after(s, offset);
	}
	kprobe_delay_point(DELAY_TABLE_ADDR_READ);
	/* Address dependency; pairs with slot_fill() and addr_table_replace(). */
	item = READ_ONCE(slot_at(s, offset)->item);
	kprobe_delay_point(DELAY_TABLE_ITEM_READ);
	return unlikely(item == t->nothing) ? NULL : item;
}

int addr_table_reserve(struct addr_table *t, unsigned int nr);
void addr_table_insert(struct addr_table *t, unsigned long addr, void *item);
void addr_table_replace(struct addr_table *t, unsigned long addr, void *item);
void addr_table_remove(struct addr_table *t, unsigned long addr);
void *addr_table_next(struct addr_table *t, unsigned int *pos);
unsigned int addr_table_count(struct addr_table *t);

#endif /* _LINUX_ADDR_TABLE_H */
