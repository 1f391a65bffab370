// SPDX-License-Identifier: GPL-2.0-only
/*
 * A module that counts the updates of ftrace's filters, and makes those fail that add certain
 * functions, for tools/testing/selftests/kprobes/.
 */
#include <linux/ftrace.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/ptrace.h>

#define MOST	16

static unsigned long busy[MOST];
static unsigned int nr_busy;
module_param_array(busy, ulong, &nr_busy, 0444);
MODULE_PARM_DESC(busy, "addresses of ftrace's calls in functions that are refused");

static unsigned int updates;
module_param(updates, uint, 0644);
MODULE_PARM_DESC(updates, "number of updates of filters since this was written to");

static unsigned int refused;
module_param(refused, uint, 0444);
MODULE_PARM_DESC(refused, "updates that failed with -EBUSY");

/* Called in place of ftrace_set_filter_ips(), with its arguments. */
static noinline int refuse(struct ftrace_ops *ops, unsigned long *ips, unsigned int cnt,
			   int remove, int reset)
{
	refused++;
	return -EBUSY;
}

static bool is_busy(unsigned long ip)
{
	unsigned int i;

	for (i = 0; i < nr_busy; i++) {
		if (busy[i] == ip)
			return true;
	}
	return false;
}

NOKPROBE_SYMBOL(is_busy);

static int filter_changes(struct kprobe *p, struct pt_regs *regs)
{
	const unsigned long *ips = (void *)regs_get_kernel_argument(regs, 1);
	unsigned int cnt = regs_get_kernel_argument(regs, 2);
	bool remove = (int)regs_get_kernel_argument(regs, 3);
	unsigned int i;

	updates++;
	for (i = 0; !remove && i < cnt; i++) {
		if (is_busy(ips[i])) {
			instruction_pointer_set(regs, (unsigned long)refuse);
			return 1;
		}
	}
	return 0;
}

NOKPROBE_SYMBOL(filter_changes);

static struct kprobe probe = {
	.symbol_name = "ftrace_set_filter_ips",
	.pre_handler = filter_changes,
};

static int __init refuser_init(void)
{
	return register_kprobe(&probe);
}

static void __exit refuser_exit(void)
{
	unregister_kprobe(&probe);
}

module_init(refuser_init);
module_exit(refuser_exit);
MODULE_DESCRIPTION("Refuses and counts updates of ftrace's filters for the kprobes selftests");
MODULE_LICENSE("GPL");
