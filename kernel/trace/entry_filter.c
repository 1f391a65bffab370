// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hooks on the entries of functions: at which functions their ftrace_ops are.
 */
#include <linux/ftrace.h>

#include "entry_filter.h"

/**
 * entry_filter_add - have ftrace call an ops at more functions, all or none
 * @filter: the ops
 * @ips: where ftrace calls from; the ops is at none of them
 * @nr: how many
 *
 * Context: process, entry_mutex held. Sleeps.
 * Return: 0; -EINVAL if an ip is not one that ftrace calls from; -ENOMEM; -ENODEV if
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
			ftrace_set_filter_ips(&filter->ops, ips, nr, 1, 0);
			return ret;
		}
	}
	filter->nr += nr;
	return 0;
}

/**
 * entry_filter_del - have ftrace call an ops no more at functions
 * @filter: the ops
 * @ips: where ftrace calls from; the ops is at all of them
 * @nr: how many
 *
 * Ftrace refuses the whole when it has forgotten about one of them, which happens to the
 * kernel's init text. Nothing will be called from there, so what stays is harmless.
 *
 * Context: process, entry_mutex held. Sleeps.
 */
void entry_filter_del(struct entry_filter *filter, unsigned long *ips, unsigned int nr)
{
	unsigned int i;

	if (!nr)
		return;
	filter->nr -= nr;
	if (!filter->nr)
		unregister_ftrace_function(&filter->ops);
	if (!ftrace_set_filter_ips(&filter->ops, ips, nr, 1, 0))
		return;
	for (i = 0; i < nr; i++)
		ftrace_set_filter_ip(&filter->ops, ips[i], 1, 0);
}
