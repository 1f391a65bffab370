// SPDX-License-Identifier: GPL-2.0-only
/*
 * A site's life: made for its first listener, planted while anyone wants hits, retired
 * after the last listener.
 *
 * How a site should be planted is decided in one place, site_wanted(), from who
 * listens there. site_batch_commit() carries it out for any number of sites at once.
 */
#include <linux/cpu.h>
#include <linux/memory.h>
#include <linux/slab.h>

#include "internal.h"

/* See internal.h for what it guards. */
DEFINE_MUTEX(kprobe_mutex);

/* Of struct kprobe_site: there are many, and no size of kmalloc's is theirs. */
static struct kmem_cache *site_cache __ro_after_init;

void __init site_cache_init(void)
{
	site_cache = KMEM_CACHE(kprobe_site, SLAB_PANIC);
}

/* Cleared by debugfs kprobes/enabled: plant nothing. Guarded by kprobe_mutex. */
static bool armed = true;

/*
 * Who gives a post handler wants to be sure that execution goes where its pre handler says,
 * so nobody else may redirect the function. Others may try, and share it.
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
	/* Moving back would gain nothing but a second filter update. */
	if (site->method == SITE_FTRACE_IP || site->method == SITE_FTRACE_CLAIMED)
		return site->method;
	list_for_each_entry(kp, &site->listeners, list) {
		if (!kprobe_disabled(kp) && wants_ip(kp))
			return site->method == SITE_FTRACE ? SITE_FTRACE_CLAIMED :
							     SITE_FTRACE_IP;
	}
	return SITE_FTRACE;
}

/* In one write: hits read it. */
static void set_flag(struct kprobe *kp, u32 flag, bool on)
{
	WRITE_ONCE(kp->flags, on ? kp->flags | flag : kp->flags & ~flag);
}

/* Make what architecture code sees the sum of the listeners. */
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
	/*
	 * Hits go from it to what it points to, which is complete: by its address, site_run(). For
	 * site_entry_hit(), which acquires it, the owner that was stored before comes along.
	 */
	smp_store_release(&site->sole, sole);
	kprobe_test_step();
	if (kprobe_ftrace(&site->kp))
		site_ftrace_refresh(site);
	kprobe_test_step();
	WRITE_ONCE(site->kp.post_handler, post ? site_post_handler : NULL);
	kprobe_test_step();
	set_flag(&site->kp, KPROBE_FLAG_DISABLED, !enabled);
}

/**
 * site_batch_add - have a site looked at when the batch is committed
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

/* The text of all sites in the list, one way, with one sync of the other CPUs. */
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
 * Context: kprobe_mutex, cpus_read_lock and text_mutex held. Architectures that can
 * share the cost of making other CPUs see the change override it.
 */
void __weak arch_arm_kprobes(struct list_head *kps)
{
	struct kprobe *p;

	list_for_each_entry(p, kps, list)
		arch_arm_kprobe(p);
}

/**
 * arch_disarm_kprobes - put back what was under breakpoints
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
		WRITE_ONCE(site->method, method);
	}
	kprobe_test_step();
}

static int plant(struct list_head *sites, enum site_method method)
{
	int ret = 0;

	if (list_empty(sites))
		return 0;
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
	if (list_empty(sites))
		return;
	if (method == SITE_BREAKPOINT)
		write_breakpoints(sites, false);
	else
		site_ftrace_uproot(sites, method);
	set_method(sites, SITE_UNPLANTED);
}

/*
 * Also register in side_ip, only to get IPMODIFY. A call that goes by way of both ftrace_ops must
 * run the handlers once, so they stay where they are, and the method says so first.
 */
static int claim(struct list_head *sites)
{
	int ret;

	if (list_empty(sites))
		return 0;
	set_method(sites, SITE_FTRACE_CLAIMED);
	ret = site_ftrace_plant(sites, SITE_FTRACE_IP);
	if (ret)
		set_method(sites, SITE_FTRACE);
	return ret;
}

/* What a commit has to do, each a list of sites by their kp.list. */
struct site_work {
	struct list_head keep;
	struct list_head drop_break, drop_jump;
	struct list_head drop_ftrace, drop_ftrace_ip, drop_claimed;
	struct list_head add_break, add_jump, add_ftrace, add_ftrace_ip;
	struct list_head claim, unjump;
};

static struct list_head *drop_list(struct site_work *w, enum site_method from)
{
	switch (from) {
	case SITE_BREAKPOINT:
		return &w->drop_break;
	case SITE_JUMP:
		return &w->drop_jump;
	case SITE_FTRACE:
		return &w->drop_ftrace;
	case SITE_FTRACE_IP:
		return &w->drop_ftrace_ip;
	case SITE_FTRACE_CLAIMED:
		return &w->drop_claimed;
	default:
		return &w->keep;
	}
}

static struct list_head *work_list(struct site_work *w, enum site_method from,
				   enum site_method to)
{
	if (from == to)
		return &w->keep;
	if (to == SITE_UNPLANTED)
		return drop_list(w, from);
	if (to == SITE_JUMP)
		return &w->add_jump;
	if (from != SITE_UNPLANTED)
		return from == SITE_JUMP ? &w->unjump : &w->claim;
	if (to == SITE_BREAKPOINT)
		return &w->add_break;
	return to == SITE_FTRACE ? &w->add_ftrace : &w->add_ftrace_ip;
}

static void work_sort(struct site_work *w, struct list_head *sites)
{
	struct kprobe_site *site, *next;

	INIT_LIST_HEAD(&w->keep);
	INIT_LIST_HEAD(&w->drop_break);
	INIT_LIST_HEAD(&w->drop_jump);
	INIT_LIST_HEAD(&w->drop_ftrace);
	INIT_LIST_HEAD(&w->drop_ftrace_ip);
	INIT_LIST_HEAD(&w->drop_claimed);
	INIT_LIST_HEAD(&w->add_break);
	INIT_LIST_HEAD(&w->add_jump);
	INIT_LIST_HEAD(&w->add_ftrace);
	INIT_LIST_HEAD(&w->add_ftrace_ip);
	INIT_LIST_HEAD(&w->claim);
	INIT_LIST_HEAD(&w->unjump);
	list_for_each_entry_safe(site, next, sites, kp.list)
		list_move_tail(&site->kp.list,
			       work_list(w, site->method, site_wanted(site)));
}

static void work_finish(struct list_head *sites)
{
	struct kprobe_site *site, *next;

	list_for_each_entry_safe(site, next, sites, kp.list) {
		list_del_init(&site->kp.list);
		if (site->method == SITE_UNPLANTED)
			jump_consider_around(site);
		else
			jump_consider(site);
		if (list_empty(&site->listeners))
			site_retire(site);
	}
}

/**
 * site_batch_commit - make the text agree with who listens
 * @batch: sites to look at; empty afterwards
 *
 * Sites that lost their last listener are retired. Nothing here waits for a grace
 * period, however many sites there are.
 *
 * Context: process, kprobe_mutex held. Sleeps.
 * Return: 0; or what ftrace said when it refused to plant some (-EBUSY: somebody else
 * redirects that function, -ENOMEM, -ENODEV). Then none of the sites is planted that
 * it was asked for together, and the caller takes its listeners away again. Taking
 * away never fails.
 */
int site_batch_commit(struct site_batch *batch)
{
	int widened, ret, err;
	struct site_work w;

	jumps_make_way(batch);
	widened = site_ftrace_widen(&batch->sites);
	work_sort(&w, &batch->sites);

	sites_to_breakpoints(&w.unjump);
	/* Those that are in place of breakpoints are taken out like them. */
	if (!ARCH_KPROBE_JUMP_IN_PLACE)
		sites_to_breakpoints(&w.drop_jump);
	list_splice_tail_init(&w.drop_jump, &w.drop_break);
	uproot(&w.drop_break, SITE_BREAKPOINT);
	uproot(&w.drop_ftrace, SITE_FTRACE);
	uproot(&w.drop_ftrace_ip, SITE_FTRACE_IP);
	uproot(&w.drop_claimed, SITE_FTRACE_CLAIMED);

	/* What can fail goes first; breakpoints cannot. */
	ret = plant(&w.add_ftrace_ip, SITE_FTRACE_IP);
	err = claim(&w.claim);
	ret = ret ?: err;
	err = plant(&w.add_ftrace, SITE_FTRACE);
	ret = ret ?: err;
	plant(&w.add_break, SITE_BREAKPOINT);
	sites_to_jumps(&w.add_jump);

	work_finish(&w.keep);
	work_finish(&w.drop_break);
	work_finish(&w.drop_ftrace);
	work_finish(&w.drop_ftrace_ip);
	work_finish(&w.drop_claimed);
	work_finish(&w.add_ftrace_ip);
	work_finish(&w.claim);
	work_finish(&w.unjump);
	work_finish(&w.add_ftrace);
	work_finish(&w.add_break);
	work_finish(&w.add_jump);
	return ret ?: widened;
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
	if (place->on_entry)
		site->kp.flags |= KPROBE_FLAG_ON_FUNC_ENTRY;
	if (place->ftrace) {
		site->kp.flags |= KPROBE_FLAG_FTRACE;
		ret = arch_prepare_kprobe_ftrace(&site->kp);
	} else {
		jump_init(site);
		/* Jump labels, static calls and ftrace use breakpoints, too, but not meanwhile. */
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
 * site_get - the site at an address, made if there is none
 * @place: an address that was found fit for a probe
 * @batch: where to note that hits may be at it
 *
 * Add a listener, or give it back with site_put().
 *
 * Context: process, kprobe_mutex held. Sleeps.
 * Return: the site; -ENOMEM; or what the architecture says about the instruction:
 * -EILSEQ if it is none, -EINVAL, -EOPNOTSUPP.
 */
struct kprobe_site *site_get(const struct kprobe_place *place, struct site_batch *batch)
{
	struct kprobe_site *site = site_lookup(place->addr);

	if (!site)
		return site_create(place);
	/* Even of a retired one: a task may stand in its detour, on the way to the handlers. */
	batch->was_live = true;
	site_unretire(site);
	return site;
}

/**
 * site_put - give back a site from site_get()
 * @site: the site
 *
 * Context: kprobe_mutex held.
 */
void site_put(struct kprobe_site *site)
{
	if (list_empty(&site->listeners))
		site_retire(site);
}

/*
 * Before a listener can be seen. A hit that comes from now on must not have the pre handler of the
 * only one run; and when it has run pre handlers it asks whether there are post handlers. The
 * barrier pairs with that of site_pre_handlers(). A hit that has read @sole before is one that
 * began before, whatever it finds then; so the order of the first two stores does not matter.
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
	smp_wmb(); /* see above */
	kprobe_test_step();
}

/**
 * site_add_listener - let a kprobe listen
 * @site: from site_get()
 * @kp: a caller's kprobe, ready to run
 * @batch: where to note that the site changed
 *
 * Hits see the listener from now on if the site is planted already; otherwise from
 * when @batch is committed.
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
	site_batch_add(batch, site);
}

/**
 * site_del_listener - no further hit will see a kprobe
 * @site: where it listens
 * @kp: the kprobe
 * @batch: where to note that the site changed
 *
 * Hits under way may still see it until an RCU grace period has passed.
 *
 * Context: kprobe_mutex held.
 */
void site_del_listener(struct kprobe_site *site, struct kprobe *kp,
		       struct site_batch *batch)
{
	list_del_rcu(&kp->list);
	site_batch_add(batch, site);
}

/**
 * site_switch_listener - have hits see a kprobe that listens, or pass over it
 * @site: where it listens
 * @kp: the kprobe
 * @on: let it be seen
 * @batch: where to note that the site changed
 *
 * Hits under way may still run its handlers when it has been switched off, until an RCU grace
 * period has passed.
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
 * site_of_listener - where a kprobe listens
 * @kp: any kprobe; apart from its addr nothing in it is trusted
 *
 * Context: kprobe_mutex held.
 * Return: the site, whose text may be gone; NULL if @kp is not registered.
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

/* kprobe_mutex held. */
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
 * sites_set_armed - plant or uproot everything
 * @on: plant what has an enabled listener; else leave no probe in the text
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
	/* One function that somebody else redirects must not keep out the others. */
	if (ret)
		ret = plant_unplanted();
	if (ret)
		pr_warn("kprobes: not all probes could be planted: %d\n", ret);
}
