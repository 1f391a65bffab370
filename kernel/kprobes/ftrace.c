// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sites where ftrace patches a function's entry: planted as addresses in the filter of
 * an ftrace_ops, so that all users of the entry share one patched instruction.
 *
 * There are two ftrace_ops. A handler may change the instruction pointer; of those
 * ftrace allows one per function, and live patches are of that kind as well. So sites
 * whose listeners cannot do that stay out of the way, in an ops of their own.
 */
#include <linux/ftrace.h>
#include <linux/mm.h>

#include "internal.h"

/**
 * struct ftrace_side - an ftrace_ops and who is in it
 * @ops: the ops; registered while @users is not 0, because an empty filter would mean
 *	every function
 * @users: sites in the filter. Guarded by kprobe_mutex
 */
struct ftrace_side {
	struct ftrace_ops ops;
	unsigned int users;
};

static struct ftrace_side side_plain = {
	.ops = {
		.func = kprobe_ftrace_handler,
		.flags = FTRACE_OPS_FL_SAVE_REGS,
	},
};

static struct ftrace_side side_ip = {
	.ops = {
		.func = kprobe_ftrace_handler,
		.flags = FTRACE_OPS_FL_SAVE_REGS | FTRACE_OPS_FL_IPMODIFY,
	},
};

/* ftrace found its own patching broken and stays off until reboot. */
static bool ftrace_is_dead;

/**
 * kprobe_ftrace_kill - ftrace has shut itself down
 *
 * Context: any. From now on sites are neither planted through ftrace nor removed.
 */
void kprobe_ftrace_kill(void)
{
	WRITE_ONCE(ftrace_is_dead, true);
}

/**
 * arch_prepare_kprobe_ftrace - get ready for hits through ftrace
 * @p: the site's kprobe
 *
 * There is no instruction to copy: ftrace's handler returns behind it. Architectures
 * that keep more override it.
 *
 * Return: 0 or a negative errno.
 */
int __weak arch_prepare_kprobe_ftrace(struct kprobe *p)
{
	return 0;
}

static struct ftrace_side *side_of(enum site_method method)
{
	return method == SITE_FTRACE_IP ? &side_ip : &side_plain;
}

static unsigned long *collect_ips(struct list_head *sites, unsigned int *nr)
{
	struct kprobe_site *site;
	unsigned long *ips;
	unsigned int i = 0;

	*nr = list_count_nodes(sites);
	ips = kvmalloc_array(*nr, sizeof(*ips), GFP_KERNEL);
	if (!ips)
		return NULL;
	list_for_each_entry(site, sites, batch)
		ips[i++] = site_addr(site);
	return ips;
}

static int side_join(struct ftrace_side *side, unsigned long *ips,
		     unsigned int nr)
{
	int ret;

	ret = ftrace_set_filter_ips(&side->ops, ips, nr, 0, 0);
	if (ret)
		return ret;
	if (!side->users) {
		ret = register_ftrace_function(&side->ops);
		if (ret) {
			ftrace_set_filter_ips(&side->ops, ips, nr, 1, 0);
			return ret;
		}
	}
	side->users += nr;
	return 0;
}

/**
 * site_ftrace_plant - get hits through ftrace
 * @sites: by their batch member
 * @method: SITE_FTRACE or SITE_FTRACE_IP
 *
 * Context: process, kprobe_mutex held. Sleeps.
 * Return: 0; -ENOMEM; -EBUSY if another user redirects one of the functions; -ENODEV
 * if ftrace is dead. On error no site is planted.
 */
int site_ftrace_plant(struct list_head *sites, enum site_method method)
{
	unsigned long *ips;
	unsigned int nr;
	int ret;

	if (READ_ONCE(ftrace_is_dead))
		return -ENODEV;
	ips = collect_ips(sites, &nr);
	if (!ips)
		return -ENOMEM;
	ret = side_join(side_of(method), ips, nr);
	kvfree(ips);
	return ret;
}

/* No memory for an array: one filter update for each. */
static void leave_one_by_one(struct ftrace_side *side, struct list_head *sites)
{
	struct kprobe_site *site;

	list_for_each_entry(site, sites, batch)
		ftrace_set_filter_ip(&side->ops, site_addr(site), 1, 0);
}

/**
 * site_ftrace_uproot - no more hits through ftrace
 * @sites: by their batch member
 * @method: how they are planted
 *
 * Context: process, kprobe_mutex held. Sleeps.
 */
void site_ftrace_uproot(struct list_head *sites, enum site_method method)
{
	struct ftrace_side *side = side_of(method);
	unsigned long *ips;
	unsigned int nr;

	if (READ_ONCE(ftrace_is_dead))
		return;
	ips = collect_ips(sites, &nr);
	side->users -= nr;
	if (!side->users)
		WARN_ON_ONCE(unregister_ftrace_function(&side->ops));
	if (ips)
		WARN_ON_ONCE(ftrace_set_filter_ips(&side->ops, ips, nr, 1, 0));
	else
		leave_one_by_one(side, sites);
	kvfree(ips);
}
