// SPDX-License-Identifier: GPL-2.0-only
/*
 * A module that registers one probe and counts its hits, for tools/testing/selftests/kprobes/.
 * Loading it fails with the errno of the registration.
 *
 * It can also delay grace periods of RCU-tasks, after which jumps are written.
 */
#include <linux/array_size.h>
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/kprobes.h>
#include <linux/kstrtox.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/notifier.h>
#include <linux/sched.h>
#include <linux/string.h>

static char *symbol = "kprobe_test_target:kprobe_target_plain";
module_param(symbol, charp, 0444);
MODULE_PARM_DESC(symbol, "where to probe");

static unsigned long addr;
module_param(addr, ulong, 0444);
MODULE_PARM_DESC(addr, "where to probe, in place of a symbol");

static char *first;
module_param(first, charp, 0444);
MODULE_PARM_DESC(first, "another symbol, which is registered by the same call");

static unsigned int offset;
module_param(offset, uint, 0444);
MODULE_PARM_DESC(offset, "bytes from there");

static bool post;
module_param(post, bool, 0444);
MODULE_PARM_DESC(post, "have a post handler");

static bool ret;
module_param(ret, bool, 0444);
MODULE_PARM_DESC(ret, "probe returns as well");

static char *wait;
module_param(wait, charp, 0444);
MODULE_PARM_DESC(wait, "register when this module is about to be initialized");

static int result = 1;
module_param(result, int, 0444);
MODULE_PARM_DESC(result, "what registration returned; 1 before that");

static unsigned int hits;
module_param(hits, uint, 0444);
MODULE_PARM_DESC(hits, "runs of the handler");

static unsigned int returns;
module_param(returns, uint, 0444);
MODULE_PARM_DESC(returns, "runs of the return handler");

static int count_hit(struct kprobe *p, struct pt_regs *regs)
{
	hits++;
	return 0;
}

NOKPROBE_SYMBOL(count_hit);

static void after_hit(struct kprobe *p, struct pt_regs *regs, unsigned long flags)
{
}

NOKPROBE_SYMBOL(after_hit);

static int count_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	returns++;
	return 0;
}

NOKPROBE_SYMBOL(count_return);

static struct kprobe probe = {
	.pre_handler = count_hit,
};

static struct kprobe other = {
	.pre_handler = count_hit,
};

static struct kretprobe retprobe = {
	.handler = count_return,
};

static int state_get(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%s%s\n", probe.flags & KPROBE_FLAG_GONE ? "gone " : "",
			  kprobe_disabled(&probe) ? "disabled" : "enabled");
}

static const struct kernel_param_ops state_ops = {
	.get = state_get,
};
module_param_cb(state, &state_ops, NULL, 0444);
MODULE_PARM_DESC(state, "of the probe: enabled, disabled, gone disabled");

/* Disable the probe and enable it again. Returns the error of these. */
static int toggle_set(const char *val, const struct kernel_param *kp)
{
	int err = disable_kprobe(&probe);

	return err ?: enable_kprobe(&probe);
}

static const struct kernel_param_ops toggle_ops = {
	.set = toggle_set,
};
module_param_cb(toggle, &toggle_ops, NULL, 0200);
MODULE_PARM_DESC(toggle, "write to disable and enable the probe");

/* Guarded by the lock of this module's parameters. */
static struct task_struct *holder;
static DECLARE_COMPLETION(held);

/* It lets other tasks run, but does not sleep, so RCU-tasks waits for it. */
static int hold_fn(void *unused)
{
	complete(&held);
	while (!kthread_should_stop())
		cond_resched();
	return 0;
}

static int start_holding(void)
{
	struct task_struct *task = kthread_run(hold_fn, NULL, "kprobe_test_hold");

	if (IS_ERR(task))
		return PTR_ERR(task);
	wait_for_completion(&held);
	holder = task;
	return 0;
}

static void stop_holding(void)
{
	if (holder)
		kthread_stop(holder);
	holder = NULL;
}

static int hold_set(const char *val, const struct kernel_param *kp)
{
	bool hold;
	int err = kstrtobool(val, &hold);

	if (err)
		return err;
	stop_holding();
	return hold ? start_holding() : 0;
}

static const struct kernel_param_ops hold_ops = {
	.set = hold_set,
};
module_param_cb(hold, &hold_ops, NULL, 0200);
MODULE_PARM_DESC(hold, "write 1 to have waits for all tasks not end, until 0 is written");

static int place_two(void)
{
	struct kprobe *both[] = { &other, &probe };

	other.flags = 0;
	other.addr = NULL;
	other.symbol_name = first;
	other.post_handler = probe.post_handler;
	return register_kprobes(both, ARRAY_SIZE(both));
}

static int place(void)
{
	int err;

	/* An earlier registration has set flags and the address. */
	probe.flags = 0;
	probe.addr = (kprobe_opcode_t *)addr;
	probe.symbol_name = addr ? NULL : symbol;
	probe.offset = offset;
	probe.post_handler = post ? after_hit : NULL;
	err = first ? place_two() : register_kprobe(&probe);
	if (err || !ret)
		return err;
	retprobe.kp.flags = 0;
	retprobe.kp.addr = NULL;
	retprobe.kp.symbol_name = symbol;
	retprobe.kp.offset = offset;
	err = register_kretprobe(&retprobe);
	if (err) {
		unregister_kprobe(&probe);
		if (first)
			unregister_kprobe(&other);
	}
	return err;
}

static void take_away(void)
{
	if (result)
		return;
	if (ret)
		unregister_kretprobe(&retprobe);
	unregister_kprobe(&probe);
	if (first)
		unregister_kprobe(&other);
	result = 1;
}

static int placed_set(const char *val, const struct kernel_param *kp)
{
	bool placed;
	int err = kstrtobool(val, &placed);

	if (err)
		return err;
	take_away();
	if (placed)
		result = place();
	return placed ? result : 0;
}

static const struct kernel_param_ops placed_ops = {
	.set = placed_set,
};
module_param_cb(placed, &placed_ops, NULL, 0200);
MODULE_PARM_DESC(placed, "write 1 or 0 to register and unregister; fails as that does");

static int module_event(struct notifier_block *nb, unsigned long event,
			void *data)
{
	const struct module *mod = data;

	if (event == MODULE_STATE_COMING && !strcmp(mod->name, wait))
		result = place();
	return NOTIFY_DONE;
}

static struct notifier_block module_nb = {
	.notifier_call = module_event,
};

static int __init prober_init(void)
{
	if (wait)
		return register_module_notifier(&module_nb);
	result = place();
	return result;
}

static void __exit prober_exit(void)
{
	stop_holding();
	if (wait)
		unregister_module_notifier(&module_nb);
	take_away();
}

module_init(prober_init);
module_exit(prober_exit);
MODULE_DESCRIPTION("A probe for the kprobes selftests");
MODULE_LICENSE("GPL");
