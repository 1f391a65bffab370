// SPDX-License-Identifier: GPL-2.0-only
/*
 * A module that shuts ftrace down until reboot, as ftrace does after a failed update, when 1 is
 * written to its parameter "kill". For tools/testing/selftests/kprobes/ftrace_killed.sh.
 */
#include <linux/kprobes.h>
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

#ifdef CONFIG_X86_KERNEL_IBT
#include <asm/ibt.h>

/* A function can start with a landing pad, before the address of a probe on its entry. */
static unsigned long function_start(unsigned long addr)
{
	return is_endbr(*(u32 *)(addr - ENDBR_INSN_SIZE)) ? addr - ENDBR_INSN_SIZE : addr;
}
#else
static unsigned long function_start(unsigned long addr)
{
	return addr;
}
#endif

/* It is not exported. */
static int kill_ftrace(void)
{
	struct kprobe kp = {
		.symbol_name = "ftrace_kill",
		.flags = KPROBE_FLAG_DISABLED,
	};
	void (*ftrace_kill)(void);
	int ret;

	ret = register_kprobe(&kp);
	if (ret)
		return ret;
	ftrace_kill = (void (*)(void))function_start((unsigned long)kp.addr);
	unregister_kprobe(&kp);
	ftrace_kill();
	return 0;
}

static int kill_set(const char *val, const struct kernel_param *kp)
{
	bool kill;
	int ret = kstrtobool(val, &kill);

	return ret || !kill ? ret : kill_ftrace();
}

static const struct kernel_param_ops kill_ops = {
	.set = kill_set,
};
module_param_cb(kill, &kill_ops, NULL, 0200);
MODULE_PARM_DESC(kill, "write 1 to shut ftrace down until the next boot");

static int __init killer_init(void)
{
	return 0;
}

static void __exit killer_exit(void)
{
}

module_init(killer_init);
module_exit(killer_exit);
MODULE_DESCRIPTION("Shuts ftrace down, for the kprobes selftests");
MODULE_LICENSE("GPL");
