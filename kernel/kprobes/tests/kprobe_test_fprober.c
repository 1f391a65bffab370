// SPDX-License-Identifier: GPL-2.0-only
/*
 * A module with an fprobe, for tools/testing/selftests/kprobes/. Loading it fails with the errno of
 * the registration. It also has a function to be hooked, fprober_own(). Writing N to its parameter
 * "call" calls that N times.
 */
#include <linux/atomic.h>
#include <linux/compiler.h>
#include <linux/fprobe.h>
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/notifier.h>
#include <linux/string.h>

static char *filter = "fprober_own";
module_param(filter, charp, 0444);
MODULE_PARM_DESC(filter, "pattern for the functions, or two names with a comma between them");

static char *wait;
module_param(wait, charp, 0444);
MODULE_PARM_DESC(wait, "register when this module is about to be initialized");

static bool late;
module_param(late, bool, 0444);
MODULE_PARM_DESC(late, "wait until its initialization has run, too");

static bool early;
module_param(early, bool, 0444);
MODULE_PARM_DESC(early, "register before the notifier of fprobes is told of the module");

static int result = 1;
module_param(result, int, 0444);
MODULE_PARM_DESC(result, "what registration returned, 1 if it has yet to come");

static atomic_t entries;
static atomic_t exits;

static int count_entry(struct fprobe *fp, unsigned long entry_ip, unsigned long ret_ip,
		       struct pt_regs *regs, void *entry_data)
{
	atomic_inc(&entries);
	return 0;
}

static void count_exit(struct fprobe *fp, unsigned long entry_ip, unsigned long ret_ip,
		       struct pt_regs *regs, void *entry_data)
{
	atomic_inc(&exits);
}

static struct fprobe probe = {
	.entry_handler	= count_entry,
	.exit_handler	= count_exit,
};

static noinline __noclone unsigned long fprober_own(unsigned long x)
{
	OPTIMIZER_HIDE_VAR(x);
	return x + 1;
}

static int place(void)
{
	const char *names[2];
	char *comma = strchr(filter, ',');
	int ret;

	if (!comma)
		return register_fprobe(&probe, filter, NULL);
	*comma = '\0';
	names[0] = filter;
	names[1] = comma + 1;
	ret = register_fprobe_syms(&probe, names, ARRAY_SIZE(names));
	*comma = ',';
	return ret;
}

static int hits_get(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%d %d %lu\n", atomic_read(&entries), atomic_read(&exits),
			  probe.nmissed);
}

static const struct kernel_param_ops hits_ops = {
	.get = hits_get,
};
module_param_cb(hits, &hits_ops, NULL, 0444);
MODULE_PARM_DESC(hits, "entries, exits and misses so far");

static int call_set(const char *val, const struct kernel_param *kp)
{
	unsigned int n, i;
	int ret;

	ret = kstrtouint(val, 0, &n);
	for (i = 0; !ret && i < n; i++) {
		if (fprober_own(i) != i + 1)
			ret = -EIO;
	}
	return ret;
}

static const struct kernel_param_ops call_ops = {
	.set = call_set,
};
module_param_cb(call, &call_ops, NULL, 0200);
MODULE_PARM_DESC(call, "write N to call fprober_own() N times");

static int take_away(void)
{
	int ret = result ? 0 : unregister_fprobe(&probe);

	result = 1;
	return ret;
}

static int placed_set(const char *val, const struct kernel_param *kp)
{
	bool placed;
	int ret = kstrtobool(val, &placed);

	if (!ret)
		ret = take_away();
	if (ret || !placed)
		return ret;
	result = place();
	return result;
}

static const struct kernel_param_ops placed_ops = {
	.set = placed_set,
};
module_param_cb(placed, &placed_ops, NULL, 0200);
MODULE_PARM_DESC(placed, "write 1 or 0 to register and unregister; fails as that does");

static int module_event(struct notifier_block *nb, unsigned long event, void *data)
{
	const struct module *mod = data;

	/* The first time only. */
	if (event == (late ? MODULE_STATE_LIVE : MODULE_STATE_COMING) && result == 1 &&
	    !strcmp(mod->name, wait))
		result = place();
	return NOTIFY_DONE;
}

static struct notifier_block module_nb = {
	.notifier_call = module_event,
};

static int __init fprober_init(void)
{
	if (early)
		module_nb.priority = 1;
	if (wait)
		return register_module_notifier(&module_nb);
	result = place();
	return result;
}

static void __exit fprober_exit(void)
{
	if (wait)
		unregister_module_notifier(&module_nb);
	take_away();
}

module_init(fprober_init);
module_exit(fprober_exit);
MODULE_DESCRIPTION("An fprobe for the kprobes selftests");
MODULE_LICENSE("GPL");
