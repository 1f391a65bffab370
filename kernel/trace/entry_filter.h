/* SPDX-License-Identifier: GPL-2.0-only */
/* The filters of the two ftrace_ops of entry hooks, see entry_hook.c. */
#ifndef _KERNEL_TRACE_ENTRY_FILTER_H
#define _KERNEL_TRACE_ENTRY_FILTER_H

#include <linux/ftrace.h>

/**
 * struct entry_filter - an ftrace_ops and the number of functions in its filter
 * @ops: the ops. It is registered while @nr is not 0, because an empty filter means every
 *	function. Guarded by entry_mutex
 * @nr: number of addresses in the filter. Guarded by entry_mutex
 */
struct entry_filter {
	struct ftrace_ops	ops;
	unsigned int		nr;
};

#define ENTRY_FILTER_INIT(_func, _flags) {				\
	.ops = { .func = (_func), .flags = (_flags), },			\
}

int entry_filter_add(struct entry_filter *filter, unsigned long *ips, unsigned int nr);
void entry_filter_del(struct entry_filter *filter, unsigned long *ips, unsigned int nr);

#endif /* _KERNEL_TRACE_ENTRY_FILTER_H */
