// SPDX-License-Identifier: GPL-2.0-only
/*
 * Initialize the probe core.
 */
#include <linux/init.h>
#include <linux/kdebug.h>
#include <linux/notifier.h>

#include "internal.h"

/* Before all other users of the die chain, because the trap may be one of a probe. */
static struct notifier_block exceptions_nb = {
	.notifier_call = kprobe_exceptions_notify,
	.priority = INT_MAX,
};

/*
 * An initcall, because the blacklist needs kallsyms, and planting needs text patching. Other
 * early initcalls can register probes only after this one.
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
	/* arch_init_kprobes() may register a probe at the trampoline of kretprobes. */
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
