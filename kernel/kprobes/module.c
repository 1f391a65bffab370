// SPDX-License-Identifier: GPL-2.0-only
/*
 * Text that goes away: a module's, its init section, the kernel's own init section.
 *
 * The text is still there when we are told. Its sites are uprooted like any others and
 * leave the table, so that whoever is loaded at the same address next finds no trace of
 * them. Their kprobes stay registered, marked gone, until the owner unregisters them.
 *
 * The notifier takes kprobe_mutex, which is why registration needs no reference on a
 * module: see check_module_text().
 */
#include <linux/kprobes.h>
#include <linux/module.h>
#include <asm/sections.h>

#include "internal.h"

/* Sites out of the table that still have listeners, by idle. Guarded by kprobe_mutex. */
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

/* kprobe_mutex held; the text must still be mapped. */
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
		kprobe_blacklist_module(mod, true);
		break;
	case MODULE_STATE_LIVE:
		module_text_goes(mod, MOD_INIT_TEXT);
		break;
	case MODULE_STATE_GOING:
		module_text_goes(mod, MOD_INIT_TEXT);
		module_text_goes(mod, MOD_TEXT);
		kprobe_blacklist_module(mod, false);
		break;
	}
	return NOTIFY_DONE;
}

/*
 * First in line: users of events on a module's functions, such as trace_kprobe, come
 * after the blacklist is in place and after old probes are marked gone.
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
