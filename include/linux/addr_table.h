/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From an address in the text to what is there.
 *
 * An open-addressed array of (address, item) pairs, at most three quarters taken, so
 * that a lookup touches a cache line or two with one item or with 50,000. Hits look
 * up without a lock and from any context, NMI included.
 *
 * What makes that safe is that the address in a slot is written once, and stays when its
 * item goes; the next item at that address takes the same slot. A full array is not
 * cleaned but copied to a new one, with room to grow, and freed after a grace period.
 */
#ifndef _LINUX_ADDR_TABLE_H
#define _LINUX_ADDR_TABLE_H

#include <linux/compiler.h>
#include <linux/hash.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>

/* The addr_slot::addr of a slot that was never used. */
#define SLOT_EMPTY	0UL

/* The first array is static, so that there is one before and without memory. */
#define ADDR_TABLE_BOOT_BITS	6

struct addr_slot {
	unsigned long	addr;
	void		*item;
};

/**
 * struct addr_slots - one generation of a table
 * @mask: for offsets of slots, in bytes; there is a power of two of them
 * @used: slots with an address. Guarded by the table's lock
 * @live: slots with an item. Guarded by the table's lock
 * @is_static: the first one, which is not to be freed
 * @rcu: frees it after the last lookup
 * @slot: the pairs. Written under the table's lock, read by anyone under RCU
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
 * @slots: the present generation. Replaced under @lock
 * @nothing: what is found where an item was, to save a lookup the test for NULL; or NULL
 * @lock: the lock of its user, under which it is changed
 */
struct addr_table {
	struct addr_slots __rcu	*slots;
	void			*nothing;
	struct mutex		*lock;	/* the user's */
};

#define ADDR_TABLE_MASK(nr)	(((nr) - 1) * sizeof(struct addr_slot))

/* The first generation of a table, to be given with ADDR_TABLE_INIT(). */
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

/* All bits of an address that matter have their say in these of the product. */
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

/* The next one, in a ring. */
static __always_inline unsigned long slot_after(const struct addr_slots *s, unsigned long offset)
{
	return (offset + sizeof(struct addr_slot)) & s->mask;
}

static __always_inline unsigned int slots_nr(const struct addr_slots *s)
{
	return s->mask / sizeof(struct addr_slot) + 1;
}

/**
 * addr_table_near() - look an address up where most are
 * @t: the table
 * @addr: address of an instruction
 * @item: what is there, or &addr_table.nothing; untouched if it is not found
 *
 * Context: as addr_table_find().
 * Return: true if it was found; if not, addr_table_find() may still find it.
 */
static __always_inline bool addr_table_near(const struct addr_table *t, unsigned long addr,
					    void **item)
{
	const struct addr_slots *s = rcu_dereference_raw(t->slots);
	const struct addr_slot *slot = slot_at(s, slot_start(s, addr));

	/* Pairs with slot_fill(): who sees the address sees the item. */
	if (unlikely(smp_load_acquire(&slot->addr) != addr))
		return false;
	/* What is in the item: by address, pairs with slot_fill() and addr_table_replace(). */
	*item = READ_ONCE(slot->item);
	return true;
}

/**
 * addr_table_find() - what is at an address?
 * @t: the table
 * @addr: address of an instruction
 *
 * Inlined where it is called, so it can neither be traced nor probed.
 *
 * Context: any; either preemption is off or the table's lock is held.
 * Return: the item, or NULL.
 */
static __always_inline void *addr_table_find(const struct addr_table *t, unsigned long addr)
{
	/* Preemption off is all the RCU there is here: lockdep can be probed. */
	const struct addr_slots *s = rcu_dereference_raw(t->slots);
	unsigned long offset = slot_start(s, addr);
	unsigned long key;
	void *item;

	/* Ends: a quarter of the slots is empty. */
	for (;;) {
		/* Pairs with slot_fill(): who sees the address sees the item. */
		key = smp_load_acquire(&slot_at(s, offset)->addr);
		if (likely(key == addr))
			break;
		if (key == SLOT_EMPTY)
			return NULL;
		offset = slot_after(s, offset);
	}
	/* What is in the item: by address, pairs with slot_fill() and addr_table_replace(). */
	item = READ_ONCE(slot_at(s, offset)->item);
	return unlikely(item == t->nothing) ? NULL : item;
}

int addr_table_reserve(struct addr_table *t, unsigned int nr);
void addr_table_insert(struct addr_table *t, unsigned long addr, void *item);
void addr_table_replace(struct addr_table *t, unsigned long addr, void *item);
void addr_table_remove(struct addr_table *t, unsigned long addr);
void *addr_table_next(struct addr_table *t, unsigned int *pos);
unsigned int addr_table_count(struct addr_table *t);

#endif /* _LINUX_ADDR_TABLE_H */
