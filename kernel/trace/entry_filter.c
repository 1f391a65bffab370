// SPDX-License-Identifier: GPL-2.0-only
/*
 * Add functions to the filter of an ftrace_ops and remove them: for entry hooks, and for kprobes
 * that need an ftrace_ops of their own.
 */
#include <linux/entry_hook.h>
#include <linux/errno.h>
#include <linux/ftrace.h>
#include <linux/sched.h>

/*
 * If ftrace has dropped one of the addresses, as it does with the kernel's init text, it refuses
 * the whole array. Then the addresses are removed one by one. An address that ftrace has dropped
 * stays in the filter, but ftrace does not call from there.
 *
 * ftrace may need memory to remove an address. This waits until there is some: callers cannot undo
 * a removal, and an address that stayed could get into the filters of two ops.
 */
static void remove_ips(struct entry_filter *filter, unsigned long *ips, unsigned int nr)
{
	unsigned int i;

	if (!ftrace_set_filter_ips(&filter->ops, ips, nr, 1, 0))
		return;
	for (i = 0; i < nr; i++) {
		while (ftrace_set_filter_ip(&filter->ops, ips[i], 1, 0) == -ENOMEM)
			schedule_timeout_uninterruptible(1);
	}
}

/**
 * entry_filter_add - add functions to the filter of an ops, all or none
 * @filter: the ops
 * @ips: addresses of ftrace's calls; none is in the filter
 * @nr: number of addresses
 *
 * Context: process, the user's lock held. Sleeps.
 * Return: 0; -EINVAL if ftrace has no call at one of the addresses; -EBUSY if the ops has
 * FTRACE_OPS_FL_IPMODIFY, and another such ops is at one of the functions; -ENOMEM; -ENODEV if
 * ftrace has shut itself down.
 */
int entry_filter_add(struct entry_filter *filter, unsigned long *ips, unsigned int nr)
{
	int ret;

	if (!nr)
		return 0;
	ret = ftrace_set_filter_ips(&filter->ops, ips, nr, 0, 0);
	if (ret)
		return ret;
	if (!filter->nr) {
		ret = register_ftrace_function(&filter->ops);
		if (ret) {
			remove_ips(filter, ips, nr);
			return ret;
		}
	}
	filter->nr += nr;
	return 0;
}

/**
 * entry_filter_del - remove functions from the filter of an ops
 * @filter: the ops
 * @ips: addresses of ftrace's calls; all are in the filter
 * @nr: number of addresses
 *
 * An address that ftrace has dropped, as it does with the kernel's init text, stays in the filter,
 * but ftrace does not call from there. If there is no memory, this waits until there is some.
 *
 * Context: process, the user's lock held. Sleeps.
 */
void entry_filter_del(struct entry_filter *filter, unsigned long *ips, unsigned int nr)
{
	if (!nr)
		return;
	filter->nr -= nr;
	if (!filter->nr)
		unregister_ftrace_function(&filter->ops);
	remove_ips(filter, ips, nr);
}
