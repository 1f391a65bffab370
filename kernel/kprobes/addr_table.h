/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From an address in the text to what is there.
 *
 * An open-addressed array of (address, item) pairs, at most three quarters taken, so
 * that a lookup touches a cache line or two with one item or with 50,000. Hits look
 * up without a lock and from any context, NMI included.
 *
 * What makes that safe is that the address in a slot is written once: it goes from empty
 * to an address, and from there to dead, never back. A full array is not cleaned but
 * copied to a new one, with room to grow, and freed after a grace period.
 */
#ifndef _KERNEL_KPROBES_ADDR_TABLE_H
#define _KERNEL_KPROBES_ADDR_TABLE_H

#include <linux/compiler.h>
#include <linux/hash.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>

/* Values of addr_slot::addr where no instruction can be. */
#define SLOT_EMPTY	0UL
#define SLOT_DEAD	1UL

/* The first array is static, so that there is one before and without memory. */
#define ADDR_TABLE_BOOT_BITS	6

struct addr_slot {
	unsigned long	addr;
	void		*item;
};

/**
 * struct addr_slots - one generation of a table
 * @shift: what the hash of an address is shifted by; there are 2^(BITS_PER_LONG - @shift)
 *	slots
 * @used: slots that are not empty. Guarded by the table's lock
 * @live: slots that hold an item. Guarded by the table's lock
 * @rcu: frees it after the last lookup
 * @slot: the pairs. Written under the table's lock, read by anyone under RCU
 */
struct addr_slots {
	unsigned int	shift;
	unsigned int	used;
	unsigned int	live;
	struct rcu_head	rcu;
	struct addr_slot slot[];
};

/**
 * struct addr_table - a table
 * @slots: the present generation. Replaced under @lock
 * @boot: the first generation
 * @lock: the lock of its user, under which it is changed
 */
struct addr_table {
	struct addr_slots __rcu	*slots;
	struct addr_slots	*boot;
	struct mutex		*lock;	/* the user's */
};

#define DEFINE_ADDR_TABLE(name, mutex)						\
	static struct addr_slots name##_boot = {				\
		.shift = BITS_PER_LONG - ADDR_TABLE_BOOT_BITS,			\
		.slot = {							\
			[(1 << ADDR_TABLE_BOOT_BITS) - 1] = { .addr = SLOT_EMPTY } \
		},								\
	};									\
	static struct addr_table name = {					\
		.slots = RCU_INITIALIZER(&name##_boot),				\
		.boot = &name##_boot,						\
		.lock = &(mutex),						\
	}

static __always_inline unsigned int slots_bits(const struct addr_slots *s)
{
	return BITS_PER_LONG - s->shift;
}

static __always_inline unsigned long slots_mask(const struct addr_slots *s)
{
	return (1UL << slots_bits(s)) - 1;
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
static __always_inline void *addr_table_find(const struct addr_table *t,
					     unsigned long addr)
{
	/* Preemption off is all the RCU there is here: lockdep can be probed. */
	const struct addr_slots *s = rcu_dereference_raw(t->slots);
	unsigned long i = hash_long(addr, slots_bits(s));
	const struct addr_slot *slot = &s->slot[i];
	unsigned long key;

	/* Ends: a quarter of the slots is empty. */
	for (;;) {
		/* Pairs with slot_fill(): who sees the address sees the item. */
		key = smp_load_acquire(&slot->addr);
		if (likely(key == addr))
			return READ_ONCE(slot->item);
		if (key == SLOT_EMPTY)
			return NULL;
		i = (i + 1) & slots_mask(s);
		slot = &s->slot[i];
	}
}

int addr_table_reserve(struct addr_table *t, unsigned int nr);
void addr_table_insert(struct addr_table *t, unsigned long addr, void *item);
void addr_table_replace(struct addr_table *t, unsigned long addr, void *item);
void addr_table_remove(struct addr_table *t, unsigned long addr);
void *addr_table_next(struct addr_table *t, unsigned int *pos);
unsigned int addr_table_count(struct addr_table *t);

#endif /* _KERNEL_KPROBES_ADDR_TABLE_H */
