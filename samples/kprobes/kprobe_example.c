// SPDX-License-Identifier: GPL-2.0-only
/*
 * A probe at a function's entry.
 *
 *	# insmod kprobe_example.ko symbol=vfs_open
 *	# ls
 *	# dmesg
 *	# rmmod kprobe_example
 *
 * Handlers run with preemption off and wherever the function is called, so they must
 * neither sleep nor take locks that the function's callers may hold. Printing is for
 * show; a handler for real use records what it saw and leaves.
 */
#define pr_fmt(fmt) "%s: " fmt, __func__

#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/ptrace.h>
#include <linux/ratelimit.h>

static char *symbol = "kernel_clone";
module_param(symbol, charp, 0444);
MODULE_PARM_DESC(symbol, "function to watch, SYMBOL or MODULE:SYMBOL");

#ifdef CONFIG_X86
static unsigned long flags_of(const struct pt_regs *regs)
{
	return regs->flags;
}
#else
static unsigned long flags_of(const struct pt_regs *regs)
{
	return 0;
}
#endif

/* Before the first instruction: arguments are where the caller put them. */
static int handler_pre(struct kprobe *kp, struct pt_regs *regs)
{
	pr_info_ratelimited("<%s> p->addr = 0x%p, ip = %lx, flags = 0x%lx\n", kp->symbol_name,
			    kp->addr, instruction_pointer(regs), flags_of(regs));
	/* Zero: go on with the function as if nothing had happened. */
	return 0;
}

/*
 * After the first instruction. Have one only if it is needed: it keeps the probe from
 * being planted in a cheaper way than by a breakpoint.
 */
static void handler_post(struct kprobe *kp, struct pt_regs *regs, unsigned long unused)
{
	pr_info_ratelimited("<%s> p->addr = 0x%p, flags = 0x%lx\n", kp->symbol_name, kp->addr,
			    flags_of(regs));
}

static struct kprobe probe = {
	.pre_handler	= handler_pre,
	.post_handler	= handler_post,
};

static int __init kprobe_init(void)
{
	int err;

	probe.symbol_name = symbol;
	err = register_kprobe(&probe);
	if (err)
		pr_err("register_kprobe failed, returned %d\n", err);
	else
		pr_info("Planted kprobe at %p\n", probe.addr);
	return err;
}

static void __exit kprobe_exit(void)
{
	/* No handler runs once this is done, so the module may go. */
	unregister_kprobe(&probe);
	pr_info("kprobe at %p unregistered\n", probe.addr);
}

module_init(kprobe_init);
module_exit(kprobe_exit);
MODULE_DESCRIPTION("sample: a kprobe at a function's entry");
MODULE_LICENSE("GPL");
