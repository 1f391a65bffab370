// SPDX-License-Identifier: GPL-2.0-only
/* Changes of an addr_table. addr_table.h explains it and has the lookup. */
#include <linux/addr_table.h>
#include <linux/kprobe_delay.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/slab.h>

static struct addr_slots *slots_locked(struct addr_table *t)
{
	return rcu_dereference_protected(t->slots, lockdep_is_held(t->lock));
}

/* The slot that has an address, or else is free for it. */
static struct addr_slot *slot_of(struct addr_slots *s, unsigned long addr)
{
	unsigned long offset = slot_start(s, addr);

	for (;;) {
		if (slot_at(s, offset)->addr == addr || slot_at(s, offset)->addr == SLOT_EMPTY)
			return slot_at(s, offset);
		offset = slot_after(s, offset);
	}
}

static void slot_fill(struct addr_slots *s, unsigned long addr, void *item)
{
	struct addr_slot *slot = slot_of(s, addr);

	if (slot->addr == SLOT_EMPTY)
		s->used++;
	s->live++;
	/* Publishes the item to lookups that find the address already. */
	smp_store_release(&slot->item, item);
	kprobe_delay_point(DELAY_TABLE_ITEM_STORED);
	/* Publishes the item to other lookups; pairs with the acquire in addr_table_find(). */
	smp_store_release(&slot->addr, addr);
}

static bool slot_has_item(const struct addr_table *t, const struct addr_slot *slot)
{
	return slot->addr != SLOT_EMPTY && slot->item != t->nothing;
}

static struct addr_slots *slots_copy(struct addr_table *t, unsigned int bits)
{
	const struct addr_slots *old = slots_locked(t);
	struct addr_slots *s;
	unsigned int i;

	s = kvzalloc(struct_size(s, slot, 1UL << bits), GFP_KERNEL);
	if (!s)
		return NULL;
	s->mask = ADDR_TABLE_MASK(1UL << bits);
	for (i = 0; i < slots_nr(old); i++) {
		if (slot_has_item(t, &old->slot[i]))
			slot_fill(s, old->slot[i].addr, old->slot[i].item);
	}
	return s;
}

static unsigned int slots_room(unsigned int nr)
{
	return nr / 4 * 3;
}

/**
 * addr_table_reserve - make sure that insertions will find room
 * @t: the table
 * @nr: number of insertions
 *
 * Context: process, the table's lock held. Sleeps.
 * Return: 0, or -ENOMEM if the table could not grow.
 */
int addr_table_reserve(struct addr_table *t, unsigned int nr)
{
	struct addr_slots *old = slots_locked(t), *new;
	unsigned int bits = ADDR_TABLE_BOOT_BITS;

	if (old->used + nr <= slots_room(slots_nr(old)))
		return 0;
	/* Twice the size that is needed, so that copies are rare. */
	while (slots_room(1U << bits) < 2 * (old->live + nr))
		bits++;
	new = slots_copy(t, bits);
	if (!new)
		return -ENOMEM;
	kprobe_delay_point(DELAY_TABLE_COPIED);
	rcu_assign_pointer(t->slots, new);
	kprobe_delay_point(DELAY_TABLE_GREW);
	if (!old->is_static)
		kvfree_rcu(old, rcu);
	return 0;
}

/**
 * addr_table_insert - let hits find an item
 * @t: the table
 * @addr: an address that has no item
 * @item: fully set up
 *
 * Context: the table's lock held, addr_table_reserve() called.
 */
void addr_table_insert(struct addr_table *t, unsigned long addr, void *item)
{
	slot_fill(slots_locked(t), addr, item);
}

/**
 * addr_table_replace - let hits find another item
 * @t: the table
 * @addr: an address in the table
 * @item: fully set up
 *
 * Context: the table's lock held.
 */
void addr_table_replace(struct addr_table *t, unsigned long addr, void *item)
{
	kprobe_delay_point(DELAY_TABLE_REPLACES);
	/* Publishes the item to addr_table_find(), which has an address dependency. */
	smp_store_release(&slot_of(slots_locked(t), addr)->item, item);
}

/**
 * addr_table_remove - remove the item at an address
 * @t: the table
 * @addr: an address in the table
 *
 * Context: the table's lock held. Free the item after a grace period.
 */
void addr_table_remove(struct addr_table *t, unsigned long addr)
{
	struct addr_slots *s = slots_locked(t);

	WRITE_ONCE(slot_of(s, addr)->item, t->nothing);
	kprobe_delay_point(DELAY_TABLE_REMOVED);
	s->live--;
}

/**
 * addr_table_next - walk all items
 * @t: the table
 * @pos: position of the walk; set it to 0 before the first call
 *
 * Context: the table's lock held over the whole walk.
 * Return: the next item in no particular order, NULL at the end.
 */
void *addr_table_next(struct addr_table *t, unsigned int *pos)
{
	struct addr_slots *s = slots_locked(t);
	struct addr_slot *slot;

	while (*pos < slots_nr(s)) {
		slot = &s->slot[(*pos)++];
		if (slot_has_item(t, slot))
			return slot->item;
	}
	return NULL;
}

/* Number of items. Context: the table's lock held. */
unsigned int addr_table_count(struct addr_table *t)
{
	return slots_locked(t)->live;
}
