// SPDX-License-Identifier: GPL-2.0-only
/*
 * debug.kprobes-optimization: may sites be planted as jumps?
 *
 * No site is yet. The switch is here because tools set it, and keeps what they wrote.
 */
#include <linux/init.h>
#include <linux/sysctl.h>

#include "internal.h"

/**
 * opt_pre_handler - run the handlers of a site that is planted as a jump
 * @p: the site's kprobe
 * @regs: the state at the hit
 *
 * A jump goes on with the displaced instructions whatever the handlers say.
 */
void __kprobes opt_pre_handler(struct kprobe *p, struct pt_regs *regs)
{
	site_pre_handler(p, regs);
}

/* Written by the sysctl, read by whoever decides on a site's method. */
static int allow_optimization = 1;

static struct ctl_table optimize_sysctl = {
	.procname	= "kprobes-optimization",
	.data		= &allow_optimization,
	.maxlen		= sizeof(allow_optimization),
	.mode		= 0644,
	.proc_handler	= proc_dointvec_minmax,
	.extra1		= SYSCTL_ZERO,
	.extra2		= SYSCTL_ONE,
};

static int __init optimize_init(void)
{
	if (!register_sysctl_sz("debug", &optimize_sysctl, 1))
		pr_warn("kprobes: no sysctl debug.kprobes-optimization\n");
	return 0;
}
subsys_initcall(optimize_init);
