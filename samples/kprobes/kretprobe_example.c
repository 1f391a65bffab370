// SPDX-License-Identifier: GPL-2.0-only
/*
 * A return probe: what does a function return, and how long does it take?
 *
 *	# insmod kretprobe_example.ko func=vfs_read
 *	# ls
 *	# dmesg
 *	# rmmod kretprobe_example
 */
#include <linux/kprobes.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/ptrace.h>
#include <linux/ratelimit.h>
#include <linux/sched.h>

static char *func = "kernel_clone";
module_param(func, charp, 0444);
MODULE_PARM_DESC(func, "function to time, SYMBOL or MODULE:SYMBOL");

/* Comes with every call in flight, from its entry to its return. */
struct call_data {
	ktime_t began;
};

/* A kernel thread is of no interest here: non-zero lets that call go unwatched. */
static int at_entry(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct call_data *call = (struct call_data *)ri->data;

	if (current->flags & PF_KTHREAD)
		return 1;
	call->began = ktime_get();
	return 0;
}

NOKPROBE_SYMBOL(at_entry);

static int at_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct call_data *call = (struct call_data *)ri->data;
	s64 took = ktime_to_ns(ktime_sub(ktime_get(), call->began));

	pr_info_ratelimited("%s returned %lu and took %lld ns to execute\n", func,
			    regs_return_value(regs), took);
	return 0;
}

NOKPROBE_SYMBOL(at_return);

static struct kretprobe probe = {
	.handler	= at_return,
	.entry_handler	= at_entry,
	.data_size	= sizeof(struct call_data),
	/* A guess at how many calls are in flight at a time; more is fine. */
	.maxactive	= 20,
};

static int __init kretprobe_example_init(void)
{
	int ret;

	probe.kp.symbol_name = func;
	ret = register_kretprobe(&probe);
	if (ret) {
		pr_err("register_kretprobe failed, returned %d\n", ret);
		return ret;
	}
	pr_info("Planted return probe at %s: %p\n", func, probe.kp.addr);
	return 0;
}

static void __exit kretprobe_example_exit(void)
{
	/* Calls still in flight return as ever; the handler does not run for them. */
	unregister_kretprobe(&probe);
	pr_info("kretprobe at %p unregistered\n", probe.kp.addr);
	pr_info("Missed probing %d instances of %s\n", probe.nmissed, func);
}

module_init(kretprobe_example_init);
module_exit(kretprobe_example_exit);
MODULE_DESCRIPTION("sample: a kretprobe that times a function");
MODULE_LICENSE("GPL");
