// SPDX-License-Identifier: GPL-2.0-only
/*
 * kprobe_table maps an address to the site there. Changed under kprobe_mutex, read by hits
 * under RCU.
 */
#include <linux/addr_table.h>

#include "internal.h"

DEFINE_ADDR_SLOTS(boot_slots);
static struct addr_table kprobe_table = ADDR_TABLE_INIT(boot_slots, kprobe_mutex, NULL);

/**
 * site_lookup - find the site at an address
 * @addr: address of an instruction
 *
 * Context: any. Preemption is off or kprobe_mutex is held.
 * Return: the site, or NULL. The site stays valid as long as preemption is off.
 */
struct kprobe_site *site_lookup(unsigned long addr)
{
	return addr_table_find(&kprobe_table, addr);
}

NOKPROBE_SYMBOL(site_lookup);

/**
 * get_kprobe - find the kprobe of the site at an address
 * @addr: address of an instruction
 *
 * Context: any, preemption off.
 * Return: the kprobe of the site at @addr, whose handlers run those of all listeners;
 * NULL if there is no site.
 */
struct kprobe *get_kprobe(void *addr)
{
	struct kprobe_site *site = addr_table_find(&kprobe_table, (unsigned long)addr);

	return site ? &site->kp : NULL;
}

NOKPROBE_SYMBOL(get_kprobe);

/**
 * site_table_reserve - make sure that insertions will find room
 * @nr: number of insertions
 *
 * Context: process, kprobe_mutex held. Sleeps.
 * Return: 0, or -ENOMEM if the table could not grow.
 */
int site_table_reserve(unsigned int nr)
{
	return addr_table_reserve(&kprobe_table, nr);
}

/**
 * site_table_insert - let hits find a site
 * @site: fully set up, not planted yet
 *
 * Context: kprobe_mutex held, site_table_reserve() called.
 */
void site_table_insert(struct kprobe_site *site)
{
	addr_table_insert(&kprobe_table, site_addr(site), site);
}

/**
 * site_table_remove - hide a site
 * @site: a site in the table, not planted and with no hit in progress
 *
 * Context: kprobe_mutex held. Free the site after a grace period.
 */
void site_table_remove(struct kprobe_site *site)
{
	addr_table_remove(&kprobe_table, site_addr(site));
}

/**
 * site_table_next - walk all sites
 * @pos: position of the walk; set it to 0 before the first call
 *
 * Context: kprobe_mutex held over the whole walk.
 * Return: the next site in no particular order, NULL at the end.
 */
struct kprobe_site *site_table_next(unsigned int *pos)
{
	return addr_table_next(&kprobe_table, pos);
}

#if IS_ENABLED(CONFIG_KPROBES_KUNIT_TEST)
/* Number of sites, retired ones included. kprobe_mutex is held. */
unsigned int site_table_count(void)
{
	return addr_table_count(&kprobe_table);
}
#endif
