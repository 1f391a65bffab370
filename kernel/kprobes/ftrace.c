// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sites where ftrace patches a function's entry.
 *
 * A handler may change the instruction pointer. Ftrace allows one ftrace_ops with
 * FTRACE_OPS_FL_IPMODIFY for each function, and live patches have that flag, too. As in 6.12, only
 * listeners with a post handler need the flag. Without one, a site hooks the entry with an entry
 * hook, as fprobes do (kernel/trace/entry_hook.c), or, if the architecture does not define
 * arch_kprobe_entry_hit(), with an ftrace_ops without the flag.
 */
#include <linux/entry_hook.h>
#include <linux/ftrace.h>
#include <linux/kprobe_delay.h>
#include <linux/mm.h>
#include <linux/probe_hit.h>

#include "internal.h"

static void site_ip_hit(unsigned long ip, unsigned long caller, struct ftrace_ops *ops,
			struct ftrace_regs *fregs);

/* Guarded by kprobe_mutex. */
static struct entry_filter ip_filter =
	ENTRY_FILTER_INIT(site_ip_hit, ENTRY_OPS_FLAGS | FTRACE_OPS_FL_IPMODIFY);

/* Ftrace has found an error in its patching and is off until reboot. Set once, without a lock. */
bool kprobe_ftrace_disabled __read_mostly;

/**
 * kprobe_ftrace_kill - tell kprobes that ftrace has shut itself down
 *
 * From now on no site is planted through ftrace, and the text stays as it is.
 *
 * Context: any.
 */
void kprobe_ftrace_kill(void)
{
	WRITE_ONCE(kprobe_ftrace_disabled, true);
}

/**
 * arch_prepare_kprobe_ftrace - prepare a site for hits through ftrace
 * @p: the site's kprobe
 *
 * No instruction is copied, because ftrace's handler returns behind it. Architectures that store
 * more in @p override this function.
 *
 * Return: 0 or a negative errno.
 */
int __weak arch_prepare_kprobe_ftrace(struct kprobe *p)
{
	return 0;
}

static unsigned long *collect_ips(struct list_head *sites, unsigned int *nr)
{
	struct kprobe_site *site;
	unsigned long *ips;
	unsigned int i = 0;

	*nr = list_count_nodes(sites);
	ips = kvmalloc_array(*nr, sizeof(*ips), GFP_KERNEL);
	if (!ips)
		return NULL;
	list_for_each_entry(site, sites, kp.list)
		ips[i++] = site_addr(site);
	return ips;
}

static int filter_plant(struct entry_filter *filter, struct list_head *sites)
{
	unsigned long *ips;
	unsigned int nr;
	int ret;

	ips = collect_ips(sites, &nr);
	if (!ips)
		return -ENOMEM;
	ret = entry_filter_add(filter, ips, nr);
	kvfree(ips);
	return ret;
}

/* Without memory for an array: one filter update for each site. */
static void uproot_one_by_one(struct entry_filter *filter, struct list_head *sites)
{
	struct kprobe_site *site;
	unsigned long ip;

	list_for_each_entry(site, sites, kp.list) {
		ip = site_addr(site);
		entry_filter_del(filter, &ip, 1);
	}
}

static void filter_uproot(struct entry_filter *filter, struct list_head *sites)
{
	unsigned long *ips;
	unsigned int nr;

	/* The ops stays registered. Its calls find no site. */
	if (READ_ONCE(kprobe_ftrace_disabled)) {
		filter->nr -= list_count_nodes(sites);
		return;
	}
	ips = collect_ips(sites, &nr);
	if (ips)
		entry_filter_del(filter, ips, nr);
	else
		uproot_one_by_one(filter, sites);
	kvfree(ips);
}

/*
 * The site of a hit with method SITE_FTRACE_IP. Ftrace may call before the site is planted or after
 * it was removed. With SITE_FTRACE_CLAIMED, ftrace calls for the entry hook, too, which runs the
 * handlers.
 */
static nokprobe_inline struct kprobe_site *site_of_ip_hit(unsigned long ip)
{
	struct kprobe_site *site = site_lookup(ip);

	return site && READ_ONCE(site->method) == SITE_FTRACE_IP ? site : NULL;
}

#ifdef arch_kprobe_entry_hit
/* Run the only listener, with the instruction pointer that it would get at a breakpoint. */
static noinline void only_hit(struct kprobe_site *site, struct kprobe *kp, unsigned long ip,
			      struct pt_regs *regs)
{
	unsigned long resume = instruction_pointer(regs);

	__this_cpu_write(current_kprobe, &site->kp);
	__this_cpu_write(kprobe_ctlblk.kprobe_status, KPROBE_HIT_ACTIVE);
	kprobe_context_begin();
	instruction_pointer_set(regs, arch_kprobe_entry_ip(ip));
	/* Restore the instruction pointer, which live patching may have changed before this hit. */
	if (likely(!kp->pre_handler(kp, regs)))
		instruction_pointer_set(regs, resume);
	else
		arch_kprobe_entry_moved(regs);
	kprobe_context_end();
	reset_current_kprobe();
}

NOKPROBE_SYMBOL(only_hit);

/* Several listeners, post handlers or a hit inside a hit: the architecture runs the hit. */
static noinline void any_hit(struct kprobe_site *site, unsigned long ip, struct pt_regs *regs)
{
	kprobe_delay_point(DELAY_METHOD_READ);
	if (!kprobe_disabled(&site->kp))
		arch_kprobe_entry_hit(&site->kp, ip, regs);
}

NOKPROBE_SYMBOL(any_hit);

static void site_entry_hit(struct entry_hook *hook, unsigned long ip, unsigned long caller,
			   struct pt_regs *regs)
{
	struct kprobe_site *site = container_of(hook, struct kprobe_site, entry.hook);
	struct kretprobe *rp;
	struct kprobe *kp;

	/*
	 * Pairs with site_refresh(): the owner is not older than @kp. An older owner could be a
	 * kretprobe that was alone before @kp was published, and @kp would miss the hit.
	 */
	kp = smp_load_acquire(&site->sole);
	kprobe_delay_point(DELAY_SOLE_AND_OWNER_READ);
	if (unlikely(!kp || kprobe_running())) {
		any_hit(site, ip, regs);
		return;
	}
	/* Address dependency; pairs with site_ftrace_refresh(). */
	rp = READ_ONCE(hook->owner);
	if (!rp || !kretprobe_enter(rp, regs))
		only_hit(site, kp, ip, regs);
}

NOKPROBE_SYMBOL(site_entry_hit);

/* No recursion guard of ftrace is needed: calls that listeners make are hits inside a hit. */
static void site_ip_hit(unsigned long ip, unsigned long caller, struct ftrace_ops *ops,
			struct ftrace_regs *fregs)
{
	struct arch_entry_room room __maybe_unused __uninitialized;
	struct pt_regs *regs;
	struct kprobe_site *site;

	preempt_disable_notrace();
	site = probe_hit_is_watched() ? site_of_ip_hit(ip) : NULL;
	if (site) {
		regs = arch_entry_regs(fregs, &room);
		any_hit(site, ip, regs);
		arch_entry_regs_back(fregs, regs);
	}
	preempt_enable_notrace();
}

NOKPROBE_SYMBOL(site_ip_hit);

/*
 * As site_entry_hit(), for a site that had only kretprobes without entry handlers when its hook
 * joined. A call that brings only arguments began before other listeners were published, so it
 * runs only such kretprobes.
 */
static void site_return_hit(struct entry_hook *hook, unsigned long ip, unsigned long caller,
			    struct pt_regs *regs)
{
	struct kprobe_site *site = container_of(hook, struct kprobe_site, entry.hook);
	struct kretprobe *rp;

	/* As in site_entry_hit(). */
	if (likely(smp_load_acquire(&site->sole) && !kprobe_running())) {
		rp = READ_ONCE(hook->owner);
		if (rp && kretprobe_enter(rp, regs))
			return;
	}
	if (arch_entry_regs_are_args(regs))
		site_run_plain_kretprobes(site, regs);
	else
		site_entry_hit(hook, ip, caller, regs);
}

NOKPROBE_SYMBOL(site_return_hit);

/* All enabled listeners are kretprobes that need only the stack pointer. */
static bool takes_args(const struct kprobe_site *site)
{
	struct kprobe *kp;

	list_for_each_entry(kp, &site->listeners, list) {
		if (!kprobe_disabled(kp) && !kretprobe_if_plain(kp))
			return false;
	}
	return ARCH_ENTRY_ARGS;
}

/*
 * Call it before &entry_hook.hit of @sites changes. If it changes from site_return_hit() to
 * site_entry_hit(), wait for hits that began when only kretprobes listened: they may bring only
 * arguments, and read the new value. Context: kprobe_mutex held. Sleeps.
 */
static void forget_kretprobes(struct list_head *sites)
{
	struct kprobe_site *site;

	list_for_each_entry(site, sites, kp.list) {
		if (site->entry.hook.hit == site_return_hit && !takes_args(site)) {
			synchronize_rcu_expedited();
			return;
		}
	}
}

static int plain_plant(struct list_head *sites)
{
	struct entry_hook *all = NULL, *args = NULL, *hook;
	struct kprobe_site *site;

	forget_kretprobes(sites);
	list_for_each_entry(site, sites, kp.list) {
		hook = &site->entry.hook;
		hook->ip = site_addr(site);
		if (takes_args(site)) {
			WRITE_ONCE(hook->hit, site_return_hit);
			site->widened = false;
			args = entry_batch_add(hook, args);
		} else {
			WRITE_ONCE(hook->hit, site_entry_hit);
			all = entry_batch_add(hook, all);
		}
	}
	return entry_hooks_join(all, args, ENTRY_LAST);
}

static void plain_uproot(struct list_head *sites)
{
	struct entry_hook *batch = NULL;
	struct kprobe_site *site;

	list_for_each_entry(site, sites, kp.list)
		batch = entry_batch_add(&site->entry.hook, batch);
	entry_hooks_leave(batch);
}

static bool is_to_widen(const struct kprobe_site *site)
{
	if (site->method != SITE_FTRACE && site->method != SITE_FTRACE_CLAIMED)
		return false;
	return site->entry.hook.hit == site_return_hit && !site->widened && !takes_args(site);
}

/**
 * site_ftrace_widen - make hits bring all registers at sites whose listeners need them now
 * @sites: linked by kp.list; planted with any method, or not
 *
 * Context: process, kprobe_mutex held. Sleeps; if there are such sites, perhaps for a grace period.
 * Return: as site_ftrace_plant().
 */
int site_ftrace_widen(struct list_head *sites)
{
	struct entry_hook *batch = NULL;
	struct kprobe_site *site;
	int ret;

	list_for_each_entry(site, sites, kp.list) {
		if (is_to_widen(site))
			batch = entry_batch_add(&site->entry.hook, batch);
	}
	ret = batch ? entry_hooks_widen(batch) : 0;
	for (; batch && !ret; batch = batch->batch)
		container_of(batch, struct kprobe_site, entry.hook)->widened = true;
	return ret;
}
#else
/* Guarded by kprobe_mutex. */
static struct entry_filter plain_filter =
	ENTRY_FILTER_INIT(kprobe_ftrace_handler, ENTRY_OPS_FLAGS);

static void site_ip_hit(unsigned long ip, unsigned long caller, struct ftrace_ops *ops,
			struct ftrace_regs *fregs)
{
	bool ours;

	preempt_disable_notrace();
	ours = probe_hit_is_watched() && site_of_ip_hit(ip);
	preempt_enable_notrace();
	if (ours)
		kprobe_ftrace_handler(ip, caller, ops, fregs);
}

NOKPROBE_SYMBOL(site_ip_hit);

static int plain_plant(struct list_head *sites)
{
	return filter_plant(&plain_filter, sites);
}

static void plain_uproot(struct list_head *sites)
{
	filter_uproot(&plain_filter, sites);
}

int site_ftrace_widen(struct list_head *sites)
{
	return 0;
}
#endif /* arch_kprobe_entry_hit */

/**
 * site_ftrace_refresh - publish the only listener to hits if it is a kretprobe
 * @site: is planted through ftrace, and its &kprobe_site.sole is up to date
 *
 * Context: kprobe_mutex held.
 */
void site_ftrace_refresh(struct kprobe_site *site)
{
	struct kretprobe *rp = site->sole ? kretprobe_if_plain(site->sole) : NULL;

	/*
	 * Publishes @rp, which is complete. Pairs with the address dependency in site_entry_hit().
	 * When the only listener is replaced by another one, the site has both or none in between,
	 * and @rp is NULL then.
	 */
	smp_store_release(&site->entry.hook.owner, rp);
}

/**
 * site_ftrace_plant - plant sites through ftrace
 * @sites: linked by kp.list
 * @method: SITE_FTRACE or SITE_FTRACE_IP
 *
 * Context: process, kprobe_mutex held. Sleeps.
 * Return: 0; -ENOMEM; -EBUSY if another ftrace_ops with FTRACE_OPS_FL_IPMODIFY is at one of the
 * functions; -ENODEV if ftrace has shut itself down. On error no site is planted.
 */
int site_ftrace_plant(struct list_head *sites, enum site_method method)
{
	if (READ_ONCE(kprobe_ftrace_disabled))
		return -ENODEV;
	if (method == SITE_FTRACE)
		return plain_plant(sites);
	return filter_plant(&ip_filter, sites);
}

/**
 * site_ftrace_uproot - remove sites from ftrace
 * @sites: linked by kp.list
 * @method: their present method: SITE_FTRACE, SITE_FTRACE_IP or SITE_FTRACE_CLAIMED
 *
 * Context: process, kprobe_mutex held. Sleeps.
 */
void site_ftrace_uproot(struct list_head *sites, enum site_method method)
{
	if (method != SITE_FTRACE_IP)
		plain_uproot(sites);
	if (method != SITE_FTRACE)
		filter_uproot(&ip_filter, sites);
}
