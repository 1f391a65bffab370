// SPDX-License-Identifier: GPL-2.0-only
/*
 * A function probe: prints the callers of functions, and where these return to.
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
#include <linux/atomic.h>
#include <linux/fprobe.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/printk.h>
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

/* Entries and returns; each CPU may be in a handler at the same time. */
static atomic_long_t hits;

static void show_callers(void)
{
	if (to_trace)
		trace_dump_stack(1);
	else
		dump_stack();
}

static __printf(2, 3) void show(const char *who, const char *fmt, ...)
{
	struct va_format text = { .fmt = fmt };
	va_list args;

	va_start(args, fmt);
	text.va = &args;
	if (to_trace)
		trace_printk("%pV", &text);
	else
		pr_info("%s: %pV", who, &text);
	va_end(args);
}

/* @at is in the function, where it calls its tracer. */
static int sample_entry_handler(struct fprobe *fp, unsigned long at, unsigned long caller,
				struct pt_regs *regs, void *shared)
{
	show(__func__, "Enter <%pS> ip = 0x%p\n", (void *)at, (void *)at);
	atomic_long_inc(&hits);
	if (with_callers)
		show_callers();
	/* Zero: the exit handler is wanted for this call. */
	return 0;
}

static void sample_exit_handler(struct fprobe *fp, unsigned long at, unsigned long to,
				struct pt_regs *regs, void *shared)
{
	show(__func__, "Return from <%pS> ip = 0x%p to rip = 0x%p (%pS)\n", (void *)at,
	     (void *)at, (void *)to, (void *)to);
	atomic_long_inc(&hits);
	if (with_callers)
		show_callers();
}

static struct fprobe probe = {
	.entry_handler	= sample_entry_handler,
	.exit_handler	= sample_exit_handler,
};

/* Names with commas between them. */
static int register_list(char *list, int nr)
{
	const char **names;
	int i, ret;

	names = kcalloc(nr, sizeof(*names), GFP_KERNEL);
	if (!names)
		return -ENOMEM;
	for (i = 0; i < nr; i++)
		names[i] = strsep(&list, ",");
	ret = register_fprobe_syms(&probe, names, nr);
	kfree(names);
	return ret;
}

static int nr_wanted(void)
{
	const char *at = wanted;
	int nr = 1;

	while ((at = strchr(at, ','))) {
		at++;
		nr++;
	}
	return nr;
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
	ret = register_list(list, nr_wanted());
	kfree(list);
	return ret;
}

static int __init fprobe_init(void)
{
	int err;

	if (strchr(wanted, ','))
		pr_info("%s: %d symbols found\n", __func__, nr_wanted());
	err = register_symbols();
	if (err)
		pr_err("%s: register_fprobe failed, returned %d\n", __func__, err);
	else
		pr_info("%s: Planted fprobe at %s\n", __func__, wanted);
	return err;
}

static void __exit fprobe_exit(void)
{
	/* No handler runs once this is done, so the module may go. */
	unregister_fprobe(&probe);
	pr_info("%s: fprobe at %s unregistered. %ld times hit, %lu times missed\n", __func__,
		wanted, atomic_long_read(&hits), probe.nmissed);
}

module_init(fprobe_init);
module_exit(fprobe_exit);
MODULE_DESCRIPTION("sample: an fprobe at any number of functions");
MODULE_LICENSE("GPL");
