// SPDX-License-Identifier: GPL-2.0-only
/*
 * A function probe: who calls these functions, from where, and how long do they take?
 *
 *	# insmod fprobe_example.ko symbol=vfs_open,vfs_statx
 *	# insmod fprobe_example.ko symbol='vfs_*' nosymbol='vfs_[rw]*' stackdump=0
 *
 * and once something has happened
 *
 *	# dmesg
 *	# rmmod fprobe_example
 *
 * With use_trace=1 it writes to /sys/kernel/tracing/trace, which is the better idea for
 * functions that are called often, or by what printing itself does.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/fprobe.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

static char *wanted = "kernel_clone";
static char *unwanted;
static bool with_callers = true;
static bool to_trace;

MODULE_PARM_DESC(symbol, "functions to watch: names with commas between them, or a pattern");
module_param_named(symbol, wanted, charp, 0444);

MODULE_PARM_DESC(nosymbol, "functions not to watch though the pattern matches: another pattern");
module_param_named(nosymbol, unwanted, charp, 0444);

MODULE_PARM_DESC(stackdump, "show the callers as well");
module_param_named(stackdump, with_callers, bool, 0644);

MODULE_PARM_DESC(use_trace, "write to the trace buffer instead of the kernel log");
module_param_named(use_trace, to_trace, bool, 0644);

/* Calls seen; each CPU may be in a handler at the same time. */
static atomic_long_t calls;

/* What comes with every call in flight, from its entry to its return. */
struct call_data {
	ktime_t began;
};

static void show_callers(void)
{
	if (to_trace)
		trace_dump_stack(1);
	else
		dump_stack();
}

static __printf(1, 2) void show(const char *fmt, ...)
{
	struct va_format text = { .fmt = fmt };
	va_list args;

	va_start(args, fmt);
	text.va = &args;
	if (to_trace)
		trace_printk("%pV", &text);
	else
		pr_info("%pV", &text);
	va_end(args);
}

/* @ip is in the function, where it calls its tracer: %ps makes that its name. */
static int entered(struct fprobe *fp, unsigned long ip, unsigned long ret_ip,
		   struct pt_regs *regs, void *data)
{
	struct call_data *call = data;

	atomic_long_inc(&calls);
	show("%ps called by %s[%d] at %pS\n", (void *)ip, current->comm,
	     task_pid_nr(current), (void *)ret_ip);
	if (with_callers)
		show_callers();
	call->began = ktime_get();
	/* Zero: the exit handler is wanted for this call. */
	return 0;
}

static void returned(struct fprobe *fp, unsigned long ip, unsigned long ret_ip,
		     struct pt_regs *regs, void *data)
{
	struct call_data *call = data;
	s64 took = ktime_to_ns(ktime_sub(ktime_get(), call->began));

	show("%ps returns %#lx to %pS after %lld ns\n", (void *)ip,
	     regs_return_value(regs), (void *)ret_ip, took);
	if (with_callers)
		show_callers();
}

static struct fprobe probe = {
	.entry_handler		= entered,
	.exit_handler		= returned,
	.entry_data_size	= sizeof(struct call_data),
};

/* @list is changed. */
static int register_list(char *list)
{
	const char **names;
	int nr = 0, ret;
	char *name;

	/* One name in every two characters at most. */
	names = kcalloc(strlen(list) / 2 + 1, sizeof(*names), GFP_KERNEL);
	if (!names)
		return -ENOMEM;
	while ((name = strsep(&list, ","))) {
		if (*name)
			names[nr++] = name;
	}
	ret = register_fprobe_syms(&probe, names, nr);
	kfree(names);
	return ret;
}

static int register_symbols(void)
{
	char *list;
	int ret;

	if (strpbrk(wanted, "*?["))
		return register_fprobe(&probe, wanted, unwanted);
	list = kstrdup(wanted, GFP_KERNEL);
	if (!list)
		return -ENOMEM;
	ret = register_list(list);
	kfree(list);
	return ret;
}

static int __init fprobe_example_init(void)
{
	int ret = register_symbols();

	if (ret) {
		pr_err("no fprobe at %s: %pe\n", wanted, ERR_PTR(ret));
		return ret;
	}
	pr_info("an fprobe is at %s\n", wanted);
	return 0;
}

static void __exit fprobe_example_exit(void)
{
	/* No handler runs once this is done, so the module may go. */
	unregister_fprobe(&probe);
	pr_info("%ld calls seen, %lu missed\n", atomic_long_read(&calls), probe.nmissed);
}

module_init(fprobe_example_init);
module_exit(fprobe_example_exit);
MODULE_DESCRIPTION("sample: an fprobe at any number of functions");
MODULE_LICENSE("GPL");
