// SPDX-License-Identifier: GPL-2.0-only
/*
 * A probe at a function's entry: who calls it, with which first argument?
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
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/ptrace.h>
#include <linux/ratelimit.h>
#include <linux/sched.h>

static char *symbol = "kernel_clone";
module_param(symbol, charp, 0444);
MODULE_PARM_DESC(symbol, "function to watch, SYMBOL or MODULE:SYMBOL");

/* How many calls there were; each CPU may be in a handler at the same time. */
static atomic_long_t calls;

/* Before the first instruction: arguments are where the caller put them. */
static int before_insn(struct kprobe *p, struct pt_regs *regs)
{
	atomic_long_inc(&calls);
#ifdef CONFIG_HAVE_FUNCTION_ARG_ACCESS_API
	pr_info_ratelimited("%s(%#lx) by %s[%d]\n", p->symbol_name,
			    regs_get_kernel_argument(regs, 0), current->comm,
			    task_pid_nr(current));
#else
	pr_info_ratelimited("%s by %s[%d]\n", p->symbol_name, current->comm,
			    task_pid_nr(current));
#endif
	/* Zero: go on with the function as if nothing had happened. */
	return 0;
}

/*
 * After the first instruction. Have one only if it is needed: it keeps the probe from
 * being planted in a cheaper way than by a breakpoint.
 */
static void after_insn(struct kprobe *p, struct pt_regs *regs,
		       unsigned long flags)
{
	pr_info_ratelimited("%s goes on at %pS\n", p->symbol_name,
			    (void *)instruction_pointer(regs));
}

static struct kprobe probe = {
	.pre_handler	= before_insn,
	.post_handler	= after_insn,
};

static int __init kprobe_example_init(void)
{
	int ret;

	probe.symbol_name = symbol;
	ret = register_kprobe(&probe);
	if (ret) {
		pr_err("no probe at %s: %pe\n", symbol, ERR_PTR(ret));
		return ret;
	}
	pr_info("a kprobe is at %pS\n", probe.addr);
	return 0;
}

static void __exit kprobe_example_exit(void)
{
	/* No handler runs once this is done, so the module may go. */
	unregister_kprobe(&probe);
	pr_info("%ld calls seen, %lu missed\n", atomic_long_read(&calls),
		probe.nmissed);
}

module_init(kprobe_example_init);
module_exit(kprobe_example_exit);
MODULE_DESCRIPTION("sample: a kprobe at a function's entry");
MODULE_LICENSE("GPL");
