// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bringing the probe core up.
 */
#include <linux/init.h>
#include <linux/kdebug.h>
#include <linux/notifier.h>

#include "internal.h"

/* Before all other users of the die chain: the trap may be ours. */
static struct notifier_block exceptions_nb = {
	.notifier_call = kprobe_exceptions_notify,
	.priority = INT_MAX,
};

/*
 * An initcall, and not earlier, because the blacklist needs kallsyms and text patching
 * has to be up. Other early initcalls may place probes only after this one.
 */
static int __init kprobes_init(void)
{
	int ret;

	site_cache_init();
	kprobe_slots_init();
	ret = kprobe_blacklist_init();
	if (ret)
		pr_err("kprobes: blacklist is incomplete: %d\n", ret);
	kretprobe_blacklist_init();
	/* An architecture may place a probe of its own, on the trampoline of kretprobes. */
	kprobes_ready = true;
	ret = arch_init_kprobes();
	if (!ret)
		ret = register_die_notifier(&exceptions_nb);
	if (!ret)
		ret = kprobe_module_init();
	if (ret)
		kprobes_ready = false;
	return ret;
}
early_initcall(kprobes_init);
