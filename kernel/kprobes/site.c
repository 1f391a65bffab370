// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sites: creation, listeners, planting.
 *
 * A site is created for its first listener, planted while a listener is enabled, and retired
 * when the last listener has left. site_wanted() decides how a site is to be planted.
 * site_batch_commit() changes the text for all sites of a batch at once.
 */
#include <linux/cpu.h>
#include <linux/kprobe_delay.h>
#include <linux/memory.h>
#include <linux/slab.h>

#include "internal.h"

/* internal.h says what it guards. */
DEFINE_MUTEX(kprobe_mutex);

/* A cache for struct kprobe_site, because its size wastes memory with kmalloc(). */
static struct kmem_cache *site_cache __ro_after_init;

void __init site_cache_init(void)
{
	site_cache = KMEM_CACHE(kprobe_site, SLAB_PANIC);
}

/* False: no site is planted. Changed by debugfs kprobes/enabled. Guarded by kprobe_mutex. */
static bool armed = true;

/*
 * A listener with a post handler must know where execution continues, so no other user of
 * ftrace may redirect the function. Other listeners share the function with such users.
 */
static bool wants_ip(const struct kprobe *kp)
{
	return kp->post_handler;
}

static enum site_method site_wanted(struct kprobe_site *site)
{
	struct kprobe *kp;

	if (!armed || kprobe_disabled(&site->kp))
		return SITE_UNPLANTED;
	if (!kprobe_ftrace(&site->kp))
		return site_may_be_jump(site) ? SITE_JUMP : SITE_BREAKPOINT;
	/* Going back to SITE_FTRACE would cost a filter update and gain nothing. */
	if (site->method == SITE_FTRACE_IP || site->method == SITE_FTRACE_CLAIMED)
		return site->method;
	list_for_each_entry(kp, &site->listeners, list) {
		if (!kprobe_disabled(kp) && wants_ip(kp))
			return site->method == SITE_FTRACE ? SITE_FTRACE_CLAIMED :
							     SITE_FTRACE_IP;
	}
	return SITE_FTRACE;
}

/* Hits read the flags, so this is one store. */
static void set_flag(struct kprobe *kp, u32 flag, bool on)
{
	WRITE_ONCE(kp->flags, on ? kp->flags | flag : kp->flags & ~flag);
}

/* Update what hits read from what the listeners want. */
static void site_refresh(struct kprobe_site *site)
{
	struct kprobe *sole = NULL;
	bool enabled = false, post = false;
	struct kprobe *kp;

	list_for_each_entry(kp, &site->listeners, list) {
		if (kprobe_disabled(kp))
			continue;
		sole = enabled || kp->post_handler || !kp->pre_handler ? NULL : kp;
		enabled = true;
		if (kp->post_handler)
			post = true;
	}
	kprobe_test_step();
	kprobe_delay_point(DELAY_SOLE_STORES);
	/*
	 * Publishes the listener to site_run(), which has an address dependency. Also orders the
	 * last store to the hook's owner before this store, for site_entry_hit(), which acquires.
	 */
	smp_store_release(&site->sole, sole);
	kprobe_delay_point(DELAY_SOLE_STORED);
	kprobe_test_step();
	if (kprobe_ftrace(&site->kp))
		site_ftrace_refresh(site);
	kprobe_test_step();
	WRITE_ONCE(site->kp.post_handler, post ? site_post_handler : NULL);
	kprobe_test_step();
	set_flag(&site->kp, KPROBE_FLAG_DISABLED, !enabled);
}

/**
 * site_batch_add - add a site to a batch
 * @batch: the batch
 * @site: a site whose listeners changed
 *
 * Context: kprobe_mutex held.
 */
void site_batch_add(struct site_batch *batch, struct kprobe_site *site)
{
	site_refresh(site);
	if (list_empty(&site->kp.list))
		list_add_tail(&site->kp.list, &batch->sites);
}

/* Arm or disarm all sites of the list, with one sync of the other CPUs. */
static void write_breakpoints(struct list_head *sites, bool plant)
{
	if (list_empty(sites))
		return;
	cpus_read_lock();
	mutex_lock(&text_mutex);
	if (plant)
		arch_arm_kprobes(sites);
	else
		arch_disarm_kprobes(sites);
	mutex_unlock(&text_mutex);
	cpus_read_unlock();
}

/**
 * arch_arm_kprobes - plant breakpoints
 * @kps: struct kprobe, linked by list
 *
 * Architectures override it if they can sync the other CPUs once for all.
 *
 * Context: kprobe_mutex, cpus_read_lock and text_mutex held.
 */
void __weak arch_arm_kprobes(struct list_head *kps)
{
	struct kprobe *p;

	list_for_each_entry(p, kps, list)
		arch_arm_kprobe(p);
}

/**
 * arch_disarm_kprobes - restore the instructions under breakpoints
 * @kps: struct kprobe, linked by list
 *
 * Context: as arch_arm_kprobes().
 */
void __weak arch_disarm_kprobes(struct list_head *kps)
{
	struct kprobe *p;

	list_for_each_entry(p, kps, list)
		arch_disarm_kprobe(p);
}

static void set_method(struct list_head *sites, enum site_method method)
{
	struct kprobe_site *site;

	list_for_each_entry(site, sites, kp.list) {
		kprobe_test_step();
		kprobe_delay_point(DELAY_METHOD_STORES);
		WRITE_ONCE(site->method, method);
	}
	kprobe_test_step();
}

static int plant(struct list_head *sites, enum site_method method)
{
	int ret = 0;

	if (method == SITE_BREAKPOINT)
		write_breakpoints(sites, true);
	else
		ret = site_ftrace_plant(sites, method);
	if (!ret)
		set_method(sites, method);
	return ret;
}

static void uproot(struct list_head *sites, enum site_method method)
{
	if (method == SITE_BREAKPOINT)
		write_breakpoints(sites, false);
	else
		site_ftrace_uproot(sites, method);
	set_method(sites, SITE_UNPLANTED);
}

/*
 * Also add the functions to ip_filter, only to get IPMODIFY. Ftrace then calls both ftrace_ops for
 * one hit, and only one of them may run the handlers. So first set the method with which
 * site_ip_hit() does not.
 */
static int claim(struct list_head *sites)
{
	int ret;

	set_method(sites, SITE_FTRACE_CLAIMED);
	kprobe_delay_point(DELAY_METHOD_CLAIMED);
	ret = site_ftrace_plant(sites, SITE_FTRACE_IP);
	if (ret)
		set_method(sites, SITE_FTRACE);
	return ret;
}

/* The steps of a commit, in order. Of the steps that plant, those that can fail come first. */
enum site_step {
	STEP_KEEP,
	STEP_JUMP_TO_BREAKPOINT,
	STEP_UPROOT_JUMP,
	STEP_UPROOT_TEXT,
	STEP_UPROOT_FTRACE,
	STEP_UPROOT_FTRACE_IP,
	STEP_UPROOT_CLAIMED,
	STEP_PLANT_FTRACE_IP,
	STEP_CLAIM,
	STEP_PLANT_FTRACE,
	STEP_PLANT_BREAKPOINT,
	STEP_PLANT_JUMP,
	NR_STEPS
};

/*
 * The transitions of a site in a commit, and the step that makes each. The only other one is from
 * a breakpoint to a jump without ARCH_KPROBE_JUMP_IN_PLACE, which the worker in optimize.c makes.
 */
static const u8 transitions[][SITE_FTRACE_CLAIMED + 1] = {
	[SITE_UNPLANTED] = {
		[SITE_BREAKPOINT]	= STEP_PLANT_BREAKPOINT,
		[SITE_JUMP]		= STEP_PLANT_JUMP,	/* only in place */
		[SITE_FTRACE]		= STEP_PLANT_FTRACE,
		[SITE_FTRACE_IP]	= STEP_PLANT_FTRACE_IP,
	},
	[SITE_BREAKPOINT] = {
		[SITE_UNPLANTED]	= STEP_UPROOT_TEXT,
		[SITE_JUMP]		= STEP_PLANT_JUMP,	/* only in place */
	},
	[SITE_JUMP] = {
		[SITE_UNPLANTED]	= ARCH_KPROBE_JUMP_IN_PLACE ? STEP_UPROOT_TEXT :
								      STEP_UPROOT_JUMP,
		[SITE_BREAKPOINT]	= STEP_JUMP_TO_BREAKPOINT,
	},
	[SITE_FTRACE] = {
		[SITE_UNPLANTED]	= STEP_UPROOT_FTRACE,
		[SITE_FTRACE_CLAIMED]	= STEP_CLAIM,
	},
	[SITE_FTRACE_IP] = {
		[SITE_UNPLANTED]	= STEP_UPROOT_FTRACE_IP,
	},
	[SITE_FTRACE_CLAIMED] = {
		[SITE_UNPLANTED]	= STEP_UPROOT_CLAIMED,
	},
};

/* The sites of a batch by the step that they take, linked by kp.list. Local to a commit. */
struct site_work {
	struct list_head sites[NR_STEPS];
};

static void work_sort(struct site_work *w, struct list_head *sites)
{
	struct kprobe_site *site, *next;
	enum site_method to;
	unsigned int step;

	for (step = 0; step < NR_STEPS; step++)
		INIT_LIST_HEAD(&w->sites[step]);
	list_for_each_entry_safe(site, next, sites, kp.list) {
		to = site_wanted(site);
		step = transitions[site->method][to];
		WARN_ON_ONCE(step == STEP_KEEP && site->method != to);
		list_move_tail(&site->kp.list, &w->sites[step]);
	}
}

static int work_step(struct site_work *w, enum site_step step)
{
	struct list_head *sites = &w->sites[step];

	if (list_empty(sites))
		return 0;
	switch (step) {
	case STEP_JUMP_TO_BREAKPOINT:
		sites_to_breakpoints(sites);
		return 0;
	case STEP_UPROOT_JUMP:
		sites_to_breakpoints(sites);
		list_splice_tail_init(sites, &w->sites[STEP_UPROOT_TEXT]);
		return 0;
	case STEP_UPROOT_TEXT:
		uproot(sites, SITE_BREAKPOINT);
		return 0;
	case STEP_UPROOT_FTRACE:
		uproot(sites, SITE_FTRACE);
		return 0;
	case STEP_UPROOT_FTRACE_IP:
		uproot(sites, SITE_FTRACE_IP);
		return 0;
	case STEP_UPROOT_CLAIMED:
		uproot(sites, SITE_FTRACE_CLAIMED);
		return 0;
	case STEP_PLANT_FTRACE_IP:
		return plant(sites, SITE_FTRACE_IP);
	case STEP_CLAIM:
		return claim(sites);
	case STEP_PLANT_FTRACE:
		return plant(sites, SITE_FTRACE);
	case STEP_PLANT_BREAKPOINT:
		return plant(sites, SITE_BREAKPOINT);
	case STEP_PLANT_JUMP:
		sites_to_jumps(sites);
		return 0;
	default:
		return 0;
	}
}

static void work_finish(struct list_head *sites)
{
	struct kprobe_site *site, *next;

	list_for_each_entry_safe(site, next, sites, kp.list) {
		list_del_init(&site->kp.list);
		if (site->method == SITE_UNPLANTED) {
			jump_consider_around(site);
		} else {
			site->unseen = false;
			jump_consider(site);
		}
		if (list_empty(&site->listeners))
			site_retire(site);
	}
}

/**
 * site_batch_commit - plant and uproot sites as their listeners want
 * @batch: the sites; empty afterwards
 *
 * Sites without listeners are retired. This waits for no grace period but one for all sites where
 * only kretprobes listened until now, and an expedited one: see site_ftrace_widen().
 *
 * Context: process, kprobe_mutex held. Sleeps.
 * Return: 0, or the error of ftrace: -EBUSY if another user redirects one of the functions,
 * -ENOMEM, -ENODEV. On error none of the sites is planted that were passed to ftrace in the same
 * call, and the caller has to remove its listeners. Uprooting never fails.
 */
int site_batch_commit(struct site_batch *batch)
{
	struct site_work w;
	unsigned int step;
	int ret, err;

	jumps_make_way(batch);
	ret = site_ftrace_widen(&batch->sites);
	work_sort(&w, &batch->sites);
	for (step = 0; step < NR_STEPS; step++) {
		err = work_step(&w, step);
		ret = ret ?: err;
	}
	for (step = 0; step < NR_STEPS; step++)
		work_finish(&w.sites[step]);
	return ret;
}

static struct kprobe_site *site_create(const struct kprobe_place *place)
{
	struct kprobe_site *site;
	int ret;

	ret = site_table_reserve(1);
	if (ret)
		return ERR_PTR(ret);
	site = kmem_cache_zalloc(site_cache, GFP_KERNEL);
	if (!site)
		return ERR_PTR(-ENOMEM);

	INIT_LIST_HEAD(&site->listeners);
	INIT_LIST_HEAD(&site->idle);
	INIT_LIST_HEAD(&site->kp.list);
	site->kp.addr = (kprobe_opcode_t *)place->addr;
	site->kp.pre_handler = site_pre_handler;
	site->kp.flags = KPROBE_FLAG_DISABLED;
	site->unseen = true;
	if (place->on_entry)
		site->kp.flags |= KPROBE_FLAG_ON_FUNC_ENTRY;
	if (place->ftrace) {
		site->kp.flags |= KPROBE_FLAG_FTRACE;
		ret = arch_prepare_kprobe_ftrace(&site->kp);
	} else {
		jump_init(site);
		/* Jump labels, static calls and ftrace write breakpoints under text_mutex. */
		scoped_guard(mutex, &text_mutex)
			ret = arch_prepare_kprobe(&site->kp);
		if (!ret)
			jump_prepare_in_place(site);
	}
	if (ret) {
		kmem_cache_free(site_cache, site);
		return ERR_PTR(ret);
	}
	site_table_insert(site);
	return site;
}

/**
 * site_get - find or create the site at an address
 * @place: an address that kprobe_check_place() accepted
 * @batch: its &site_batch.was_live is set if there can be hits
 *
 * The caller adds a listener.
 *
 * Context: process, kprobe_mutex held. Sleeps.
 * Return: the site; -ENOMEM; or the error of arch_prepare_kprobe(): -EILSEQ if no instruction
 * starts there, -EINVAL, -EOPNOTSUPP.
 */
struct kprobe_site *site_get(const struct kprobe_place *place, struct site_batch *batch)
{
	struct kprobe_site *site = site_lookup(place->addr);

	if (!site)
		return site_create(place);
	/* Also if it is retired: a preempted task may be in the detour, before the handlers. */
	batch->was_live = true;
	site_unretire(site);
	return site;
}

/*
 * Call it before a listener is published. From now on hits must not run the pre handler of @sole
 * directly, and must check for post handlers after the pre handlers. The barrier pairs with the
 * one in site_pre_handlers(). A hit that has already read @sole began before the listener joined,
 * so it may or may not see the post handler. So the order of the first two stores is free.
 */
static void announce_post_handler(struct kprobe_site *site, const struct kprobe *kp)
{
	if (!kp->post_handler)
		return;
	jump_prepare_post(site);
	kprobe_test_step();
	WRITE_ONCE(site->sole, NULL);
	kprobe_test_step();
	WRITE_ONCE(site->kp.post_handler, site_post_handler);
	smp_wmb(); /* pairs with site_pre_handlers() */
	kprobe_delay_point(DELAY_POST_ANNOUNCED);
	kprobe_test_step();
}

/**
 * site_add_listener - add a listener to a site
 * @site: from site_get()
 * @kp: a caller's kprobe, ready to run
 * @batch: receives the site
 *
 * Hits see the listener from now on if the site is planted, else after the commit of @batch.
 *
 * Context: kprobe_mutex held.
 */
void site_add_listener(struct kprobe_site *site, struct kprobe *kp,
		       struct site_batch *batch)
{
	kp->addr = site->kp.addr;
	kp->opcode = site->kp.opcode;
	kp->flags |= site->kp.flags &
		     (KPROBE_FLAG_ON_FUNC_ENTRY | KPROBE_FLAG_FTRACE);
	if (!kprobe_disabled(kp))
		announce_post_handler(site, kp);
	list_add_tail_rcu(&kp->list, &site->listeners);
	kprobe_delay_point(DELAY_LISTENER_LISTED);
	site_batch_add(batch, site);
}

/**
 * site_del_listener - remove a listener from a site
 * @site: the site
 * @kp: the listener
 * @batch: receives the site
 *
 * Hits in progress may see it until an RCU grace period has passed.
 *
 * Context: kprobe_mutex held.
 */
void site_del_listener(struct kprobe_site *site, struct kprobe *kp,
		       struct site_batch *batch)
{
	list_del_rcu(&kp->list);
	kprobe_delay_point(DELAY_LISTENER_UNLISTED);
	site_batch_add(batch, site);
}

/**
 * site_switch_listener - enable or disable a listener
 * @site: the site
 * @kp: the listener
 * @on: enable it
 * @batch: receives the site
 *
 * Hits in progress may run the handlers of a disabled listener until an RCU grace period has
 * passed.
 *
 * Context: kprobe_mutex held.
 */
void site_switch_listener(struct kprobe_site *site, struct kprobe *kp, bool on,
			  struct site_batch *batch)
{
	if (on)
		announce_post_handler(site, kp);
	set_flag(kp, KPROBE_FLAG_DISABLED, !on);
	site_batch_add(batch, site);
}

static bool listens(const struct kprobe_site *site, const struct kprobe *kp)
{
	struct kprobe *p;

	list_for_each_entry(p, &site->listeners, list) {
		if (p == kp)
			return true;
	}
	return false;
}

/**
 * site_of_listener - find the site of a listener
 * @kp: any kprobe; only its addr is read
 *
 * Context: kprobe_mutex held.
 * Return: the site, whose text may have gone; NULL if @kp is not registered.
 */
struct kprobe_site *site_of_listener(const struct kprobe *kp)
{
	struct kprobe_site *site;

	if (!kp->addr)
		return NULL;
	site = site_lookup((unsigned long)kp->addr);
	if (site && listens(site, kp))
		return site;
	list_for_each_entry(site, &gone_sites, idle) {
		if (site->kp.addr == kp->addr && listens(site, kp))
			return site;
	}
	return NULL;
}

/* Context: kprobe_mutex held. */
bool sites_armed(void)
{
	return armed;
}

static int plant_unplanted(void)
{
	struct kprobe_site *site;
	unsigned int pos;
	int ret = 0, err;

	for_each_site(site, pos) {
		DEFINE_SITE_BATCH(batch);

		if (list_empty(&site->listeners))
			continue;
		site_batch_add(&batch, site);
		err = site_batch_commit(&batch);
		ret = ret ?: err;
	}
	return ret;
}

/**
 * sites_set_armed - plant or uproot all sites
 * @on: plant all sites that have an enabled listener; else uproot all
 *
 * Context: process, kprobe_mutex held. Sleeps.
 */
void sites_set_armed(bool on)
{
	struct kprobe_site *site;
	unsigned int pos;
	int ret;
	DEFINE_SITE_BATCH(batch);

	armed = on;
	for_each_site(site, pos) {
		if (!list_empty(&site->listeners))
			site_batch_add(&batch, site);
	}
	ret = site_batch_commit(&batch);
	/* If another user redirects one function, plant the sites at all others. */
	if (ret)
		ret = plant_unplanted();
	if (ret)
		pr_warn("kprobes: not all probes could be planted: %d\n", ret);
}
