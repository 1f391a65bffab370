// SPDX-License-Identifier: GPL-2.0-only
/*
 * Text that is freed: a module's, its init text, the kernel's init text.
 *
 * The text is still mapped when the notifier is called. The sites in it are uprooted and leave
 * the table, so that another module can be loaded at the same address. Their listeners stay
 * registered, with KPROBE_FLAG_GONE, until the callers unregister them.
 *
 * The notifier takes kprobe_mutex, so registration needs no reference to a module: see
 * check_module_text().
 *
 * A module may fail to load before notifiers are told that it is coming, and then they are not told
 * that it is going. So there are no probes in it before this notifier was told.
 */
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/xarray.h>
#include <asm/sections.h>

#include "internal.h"

/* Sites that left the table but have listeners, linked by idle. Guarded by kprobe_mutex. */
LIST_HEAD(gone_sites);

static void mark_gone(struct kprobe_site *site, struct site_batch *batch)
{
	struct kprobe *kp;

	list_for_each_entry(kp, &site->listeners, list)
		WRITE_ONCE(kp->flags, kp->flags | KPROBE_FLAG_GONE);
	WRITE_ONCE(site->kp.flags, site->kp.flags | KPROBE_FLAG_GONE);
	site_batch_add(batch, site);
}

static void leave_table(struct kprobe_site *site)
{
	site_table_remove(site);
	if (!list_empty(&site->listeners))
		list_add_tail(&site->idle, &gone_sites);
}

static bool site_within(const struct kprobe_site *site, const void *start,
			const void *end)
{
	const void *addr = site->kp.addr;

	return addr >= start && addr < end;
}

/* Context: kprobe_mutex held, the text is still mapped. */
static void text_goes(const void *start, const void *end)
{
	struct kprobe_site *site;
	unsigned int pos;
	DEFINE_SITE_BATCH(batch);

	for_each_site(site, pos) {
		if (site_within(site, start, end))
			mark_gone(site, &batch);
	}
	site_batch_commit(&batch);
	for_each_site(site, pos) {
		if (site_within(site, start, end))
			leave_table(site);
	}
}

#ifdef CONFIG_MODULES
/*
 * Modules that are coming and that module_event() was told of, by their address. Changed under
 * kprobe_mutex, read under RCU.
 */
static DEFINE_XARRAY(coming);

/**
 * kprobe_module_announced - was the notifier told of a module that is coming?
 * @mod: the module, in state MODULE_STATE_COMING
 *
 * Context: kprobe_mutex held, so that the answer stays true.
 * Return: true if so. Then it will be told when the module is live or going.
 */
bool kprobe_module_announced(const struct module *mod)
{
	return xa_load(&coming, (unsigned long)mod);
}

static int module_comes(struct module *mod)
{
	int ret = xa_err(xa_store(&coming, (unsigned long)mod, mod, GFP_KERNEL));

	if (!ret)
		kprobe_blacklist_module(mod, true);
	/* If there is no memory, the module is not loaded. */
	return notifier_from_errno(ret);
}

static void module_text_goes(const struct module *mod, enum mod_mem_type type)
{
	const struct module_memory *mem = &mod->mem[type];

	if (mem->size)
		text_goes(mem->base, mem->base + mem->size);
}

static int module_event(struct notifier_block *nb, unsigned long state,
			void *data)
{
	struct module *mod = data;

	guard(mutex)(&kprobe_mutex);
	switch (state) {
	case MODULE_STATE_COMING:
		return module_comes(mod);
	case MODULE_STATE_LIVE:
		xa_erase(&coming, (unsigned long)mod);
		module_text_goes(mod, MOD_INIT_TEXT);
		break;
	case MODULE_STATE_GOING:
		xa_erase(&coming, (unsigned long)mod);
		module_text_goes(mod, MOD_INIT_TEXT);
		module_text_goes(mod, MOD_TEXT);
		kprobe_blacklist_module(mod, false);
		break;
	}
	return NOTIFY_DONE;
}

/*
 * Runs before the notifiers of users that register probes in modules, such as trace_kprobe, so
 * that the blacklist is complete and old probes are marked gone then.
 */
static struct notifier_block module_nb = {
	.notifier_call = module_event,
	.priority = INT_MAX,
};

int __init kprobe_module_init(void)
{
	return register_module_notifier(&module_nb);
}
#else
int __init kprobe_module_init(void)
{
	return 0;
}
#endif /* CONFIG_MODULES */

/**
 * kprobe_free_init_mem - the kernel's init text is about to be freed
 *
 * Context: process, in boot.
 */
void kprobe_free_init_mem(void)
{
	guard(mutex)(&kprobe_mutex);
	text_goes(__init_begin, __init_end);
}
