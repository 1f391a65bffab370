// SPDX-License-Identifier: GPL-2.0-only
/*
 * Replace breakpoints by jumps.
 *
 * A jump is longer than a breakpoint, so it displaces instructions behind the probed one. No
 * task may be at one of these when the jump is written:
 *
 * - The site is planted as a breakpoint. Hits run a copy of the probed instruction, or emulate it,
 *   and continue behind it.
 * - If the site is fit for a jump, KPROBE_FLAG_OPTIMIZED is set. From then on hits continue in
 *   the detour, at copies of the instructions that the jump will displace.
 * - A grace period of RCU-tasks waits for tasks that were there before. Then the jumps of all
 *   sites that have waited are written.
 *
 * A worker does this. The way back needs no grace period: the breakpoint is written first, then
 * the other bytes of the displaced instructions.
 *
 * A site is not fit if a site with an enabled listener is among the instructions that it would
 * displace, or if a listener has a post handler that hits by a jump cannot run.
 *
 * With ARCH_KPROBE_JUMP_IN_PLACE a jump displaces no other instructions. Sites are prepared for
 * jumps when they are created, a commit writes a jump like a breakpoint, and the worker is not
 * used.
 */
#include <linux/cpu.h>
#include <linux/init.h>
#include <linux/kprobe_delay.h>
#include <linux/memory.h>
#include <linux/rcupdate.h>
#include <linux/rcupdate_wait.h>
#include <linux/sysctl.h>
#include <linux/workqueue.h>

#include "internal.h"

/* Changed by the sysctl. Guarded by kprobe_mutex. */
static bool jumps_allowed = true;

/*
 * Sites that the worker has to check; sites whose post slots have been written, but may not be run
 * yet; sites that become jumps after the next grace period; sites that become jumps after the
 * current one. Linked by op.list. Guarded by kprobe_mutex.
 */
static LIST_HEAD(to_consider);
static LIST_HEAD(posts_written);
static LIST_HEAD(next_gp);
static LIST_HEAD(this_gp);

/* Number of sites with KPROBE_FLAG_OPTIMIZED. Guarded by kprobe_mutex. */
static unsigned int nr_displacing;

/* Finds out which sites become jumps, then starts jump_work. */
static void decide_work_fn(struct work_struct *work);
static DECLARE_WORK(decide_work, decide_work_fn);

/* Waits for a grace period and writes the jumps. */
static void jump_work_fn(struct work_struct *work);
static DECLARE_WORK(jump_work, jump_work_fn);

/* For configurations with CONFIG_OPTPROBES in which the architecture does not support jumps. */

int __weak arch_prepare_optimized_kprobe(struct optimized_kprobe *op, struct kprobe *orig)
{
	return -EOPNOTSUPP;
}

void __weak arch_remove_optimized_kprobe(struct optimized_kprobe *op)
{
}

int __weak arch_prepare_post_jump(struct optimized_kprobe *op)
{
	return -EOPNOTSUPP;
}

void __weak arch_sync_post_jumps(void)
{
}

int __weak arch_prepared_optinsn(struct arch_optimized_insn *optinsn)
{
	return 0;
}

int __weak arch_check_optimized_kprobe(struct optimized_kprobe *op)
{
	return -EOPNOTSUPP;
}

int __weak arch_within_optimized_kprobe(struct optimized_kprobe *op, kprobe_opcode_t *addr)
{
	return 0;
}

void __weak arch_optimize_kprobes(struct list_head *ops)
{
}

void __weak arch_unoptimize_kprobes(struct list_head *ops, struct list_head *done)
{
	list_splice_tail_init(ops, done);
}

/* Is this site a struct optimized_kprobe? */
static bool is_candidate(struct kprobe_site *site)
{
	return !kprobe_ftrace(&site->kp);
}

static bool is_prepared(struct kprobe_site *site)
{
	return is_candidate(site) && arch_prepared_optinsn(&site->op.optinsn);
}

/* Instructions are at multiples of it. In bytes. */
#define INSN_STEP	sizeof(kprobe_opcode_t)

static bool displaces(struct kprobe_site *site, unsigned long addr)
{
	return is_prepared(site) &&
	       arch_within_optimized_kprobe(&site->op, (kprobe_opcode_t *)addr);
}

/* Has the site an enabled listener? */
static bool is_wanted(struct kprobe_site *site)
{
	return !list_empty(&site->listeners) && !kprobe_disabled(&site->kp);
}

/* Has another site among the instructions that this one would displace an enabled listener? */
static bool is_crowded(struct kprobe_site *site)
{
	struct kprobe_site *other;
	unsigned long addr;

	for (addr = site_addr(site) + INSN_STEP; displaces(site, addr); addr += INSN_STEP) {
		other = site_lookup(addr);
		if (other && is_wanted(other))
			return true;
	}
	return false;
}

/* Can a jump run all handlers that the listeners have? */
static bool jump_suffices(struct kprobe_site *site)
{
	return !site->kp.post_handler || site->jump_runs_post;
}

static bool is_fit(struct kprobe_site *site)
{
	return jumps_allowed && sites_armed() && is_wanted(site) && jump_suffices(site) &&
	       !kprobe_gone(&site->kp) && is_prepared(site) && !is_crowded(site) &&
	       !arch_check_optimized_kprobe(&site->op);
}

/**
 * site_may_be_jump - may a commit plant a site as a jump, or keep it as one?
 * @site: the site
 *
 * Context: kprobe_mutex held.
 * Return: true if so; false also if the site must be planted as a breakpoint first.
 */
bool site_may_be_jump(struct kprobe_site *site)
{
	return (ARCH_KPROBE_JUMP_IN_PLACE || site->method == SITE_JUMP) && is_fit(site);
}

/* From now on hits avoid the instructions that the jump will displace. */
static void start_displacing(struct kprobe_site *site)
{
	WRITE_ONCE(site->kp.flags, site->kp.flags | KPROBE_FLAG_OPTIMIZED);
	nr_displacing++;
	kprobe_delay_point(DELAY_JUMP_DISPLACES);
}

static void stop_displacing(struct kprobe_site *site)
{
	WRITE_ONCE(site->kp.flags, site->kp.flags & ~KPROBE_FLAG_OPTIMIZED);
	nr_displacing--;
}

/* Take the site off the lists of this file. */
static void stop_waiting(struct kprobe_site *site)
{
	if (!is_candidate(site))
		return;
	if (kprobe_optimized(&site->kp) && site->method != SITE_JUMP)
		stop_displacing(site);
	list_del_init(&site->op.list);
}

/*
 * @sites have KPROBE_FLAG_OPTIMIZED and are linked by their kp.list, and by their op.list in @ops.
 * The architecture may remove them from @ops.
 */
static void write_jumps(struct list_head *sites, struct list_head *ops)
{
	struct kprobe_site *site;

	cpus_read_lock();
	mutex_lock(&text_mutex);
	arch_optimize_kprobes(ops);
	mutex_unlock(&text_mutex);
	cpus_read_unlock();
	INIT_LIST_HEAD(ops);
	list_for_each_entry(site, sites, kp.list) {
		INIT_LIST_HEAD(&site->op.list);
		kprobe_test_step();
		kprobe_delay_point(DELAY_JUMP_WRITTEN);
		WRITE_ONCE(site->method, SITE_JUMP);
	}
}

/**
 * sites_to_jumps - plant sites as jumps without waiting
 * @sites: linked by kp.list; unplanted or breakpoints, and site_may_be_jump() is true for all
 *
 * Only with ARCH_KPROBE_JUMP_IN_PLACE.
 *
 * Context: process, kprobe_mutex held. Sleeps.
 */
void sites_to_jumps(struct list_head *sites)
{
	struct kprobe_site *site;
	LIST_HEAD(ops);

	if (list_empty(sites))
		return;
	list_for_each_entry(site, sites, kp.list) {
		start_displacing(site);
		kprobe_test_step();
		list_add_tail(&site->op.list, &ops);
	}
	write_jumps(sites, &ops);
}

/**
 * sites_to_breakpoints - write breakpoints over jumps
 * @sites: planted as jumps, linked by kp.list
 *
 * Context: process, kprobe_mutex held. Sleeps.
 */
void sites_to_breakpoints(struct list_head *sites)
{
	struct kprobe_site *site;
	LIST_HEAD(ops);
	LIST_HEAD(done);

	if (list_empty(sites))
		return;
	list_for_each_entry(site, sites, kp.list)
		list_add_tail(&site->op.list, &ops);
	cpus_read_lock();
	mutex_lock(&text_mutex);
	arch_unoptimize_kprobes(&ops, &done);
	mutex_unlock(&text_mutex);
	cpus_read_unlock();
	list_for_each_entry(site, sites, kp.list) {
		INIT_LIST_HEAD(&site->op.list);
		kprobe_test_step();
		kprobe_delay_point(DELAY_JUMP_GONE);
		stop_displacing(site);
		kprobe_test_step();
		kprobe_delay_point(DELAY_JUMP_NOT_DISPLACING);
		WRITE_ONCE(site->method, SITE_BREAKPOINT);
	}
}

static void make_way_for(const struct kprobe_site *site, struct site_batch *batch)
{
	struct kprobe_site *other;
	unsigned int back;

	for (back = INSN_STEP; back < MAX_OPTIMIZED_LENGTH; back += INSN_STEP) {
		other = site_lookup(site_addr(site) - back);
		if (!other || !kprobe_optimized(&other->kp) ||
		    !displaces(other, site_addr(site)))
			continue;
		if (other->method != SITE_JUMP)
			stop_waiting(other);
		else if (list_empty(&other->kp.list))
			list_add(&other->kp.list, &batch->sites);
	}
}

/**
 * jumps_make_way - add sites to a batch whose jumps displace sites of the batch
 * @batch: the sites
 *
 * Context: kprobe_mutex held.
 */
void jumps_make_way(struct site_batch *batch)
{
	struct kprobe_site *site;

	if (ARCH_KPROBE_JUMP_IN_PLACE || !nr_displacing)
		return;
	list_for_each_entry(site, &batch->sites, kp.list) {
		if (site->method != SITE_JUMP && !is_fit(site))
			stop_waiting(site);
		if (site->method == SITE_UNPLANTED && is_wanted(site))
			make_way_for(site, batch);
	}
}

/**
 * jump_init - initialize the members that are for jumps
 * @site: the site, zeroed
 */
void jump_init(struct kprobe_site *site)
{
	INIT_LIST_HEAD(&site->op.list);
}

/* If there is no memory now, jump_consider() tries again when a commit has changed the site. */
static void prepare(struct kprobe_site *site)
{
	int ret = arch_prepare_optimized_kprobe(&site->op, &site->kp);

	site->no_jump = ret && ret != -ENOMEM;
}

/**
 * jump_prepare_in_place - prepare a new site for a jump
 * @site: the site, prepared for a breakpoint
 *
 * Does nothing without ARCH_KPROBE_JUMP_IN_PLACE. If it fails, the site stays a breakpoint.
 *
 * Context: kprobe_mutex held, text_mutex not. Sleeps.
 */
void jump_prepare_in_place(struct kprobe_site *site)
{
	if (ARCH_KPROBE_JUMP_IN_PLACE)
		prepare(site);
}

/* Write the post slot, if there is none yet and the architecture can. True if it is there. */
static bool write_post(struct kprobe_site *site)
{
	if (!site->post_written && is_prepared(site))
		site->post_written = !arch_prepare_post_jump(&site->op);
	return site->post_written;
}

/* All CPUs have been synced since the post slot was written, or cannot reach it before they are. */
static void publish_post(struct kprobe_site *site)
{
	kprobe_delay_point(DELAY_POST_WRITTEN);
	/* Publishes what has been prepared; pairs with the acquire in jump_with_post(). */
	smp_store_release(&site->jump_runs_post, true);
}

/**
 * jump_prepare_post - prepare a site's jump for post handlers, if the architecture can
 * @site: the site; nothing is done if it is not prepared for a jump
 *
 * Context: kprobe_mutex held. Sleeps.
 */
void jump_prepare_post(struct kprobe_site *site)
{
	if (site->jump_runs_post || !write_post(site))
		return;
	if (!site->unseen)
		arch_sync_post_jumps();
	publish_post(site);
}

/**
 * jump_consider - let the worker check whether a site can be a jump
 * @site: the site
 *
 * Context: kprobe_mutex held. Does not wait.
 */
void jump_consider(struct kprobe_site *site)
{
	if (ARCH_KPROBE_JUMP_IN_PLACE || site->method != SITE_BREAKPOINT || site->no_jump ||
	    !jumps_allowed || !list_empty(&site->op.list))
		return;
	list_add_tail(&site->op.list, &to_consider);
	queue_work(system_unbound_wq, &decide_work);
}

/**
 * jump_consider_around - jump_consider() for sites whose jump displaces another site
 * @site: the other site, no longer planted
 *
 * Context: kprobe_mutex held. Does not wait.
 */
void jump_consider_around(struct kprobe_site *site)
{
	struct kprobe_site *other;
	unsigned int back;

	stop_waiting(site);
	for (back = INSN_STEP; back < MAX_OPTIMIZED_LENGTH; back += INSN_STEP) {
		other = site_lookup(site_addr(site) - back);
		if (other && displaces(other, site_addr(site)))
			jump_consider(other);
	}
}

/**
 * jump_release - free what was prepared for a jump
 * @site: a site about to be freed, in whose detour no task can be
 *
 * Context: kprobe_mutex held.
 */
void jump_release(struct kprobe_site *site)
{
	if (!is_candidate(site))
		return;
	list_del_init(&site->op.list);
	if (is_prepared(site))
		arch_remove_optimized_kprobe(&site->op);
}

/* The site is in no list. */
static void displace_if_fit(struct kprobe_site *site)
{
	if (site->method != SITE_BREAKPOINT || !is_fit(site))
		return;
	kprobe_test_step();
	start_displacing(site);
	kprobe_test_step();
	list_add_tail(&site->op.list, &next_gp);
}

/* Check one site. Returns false if there is none to check. */
static bool decide_next(void)
{
	struct kprobe_site *site;

	site = list_first_entry_or_null(&to_consider, struct kprobe_site, op.list);
	if (!site)
		return false;
	list_del_init(&site->op.list);
	if (!is_prepared(site) && site->method == SITE_BREAKPOINT)
		prepare(site);
	if (site->kp.post_handler && !site->jump_runs_post && write_post(site))
		list_add_tail(&site->op.list, &posts_written);
	else
		displace_if_fit(site);
	return true;
}

/* A sync takes as long as checking a dozen sites, so there is one for all post slots. */
static void publish_posts(void)
{
	struct kprobe_site *site, *next;

	if (list_empty(&posts_written))
		return;
	arch_sync_post_jumps();
	list_for_each_entry_safe(site, next, &posts_written, op.list) {
		list_del_init(&site->op.list);
		publish_post(site);
		displace_if_fit(site);
	}
}

/**
 * jumps_decide - check all sites in to_consider
 *
 * Sites that are fit for a jump get KPROBE_FLAG_OPTIMIZED, which debugfs shows. The check reads
 * the code around each site, so this releases the mutex between two sites, and lets RCU-tasks
 * pass.
 *
 * Context: process, kprobe_mutex not held. Sleeps on locks only.
 */
void jumps_decide(void)
{
	bool more = true;

	while (more) {
		scoped_guard(mutex, &kprobe_mutex) {
			more = decide_next();
			if (!more)
				publish_posts();
		}
		cond_resched_tasks_rcu_qs();
	}
}

/* Write the jumps of the sites that have waited and are still fit. */
static void write_this_gp(void)
{
	struct kprobe_site *site, *next;
	LIST_HEAD(sites);

	if (list_empty(&this_gp))
		return;
	kprobe_delay_point(DELAY_JUMP_WRITES);
	/* Architectures may take them off the list that they get. */
	list_for_each_entry(site, &this_gp, op.list)
		list_add_tail(&site->kp.list, &sites);
	write_jumps(&sites, &this_gp);
	list_for_each_entry_safe(site, next, &sites, kp.list)
		list_del_init(&site->kp.list);
}

/* Sites that are put in next_gp from now on wait for another grace period. */
static bool start_wait(void)
{
	guard(mutex)(&kprobe_mutex);
	list_splice_tail_init(&next_gp, &this_gp);
	return !list_empty(&this_gp);
}

static void end_wait(void)
{
	guard(mutex)(&kprobe_mutex);
	write_this_gp();
	if (!list_empty(&next_gp))
		queue_work(system_unbound_wq, &jump_work);
}

static void decide_work_fn(struct work_struct *work)
{
	jumps_decide();
	queue_work(system_unbound_wq, &jump_work);
}

static void jump_work_fn(struct work_struct *work)
{
	if (!start_wait())
		return;
	/*
	 * RCU-tasks does not wait for idle tasks. RCU does, if it watches them. Otherwise they run
	 * code that cannot be probed if jumps displace other instructions: noinstr code of x86.
	 */
	synchronize_rcu_mult(call_rcu_tasks, call_rcu);
	end_wait();
}

static bool jumps_are_due(void)
{
	guard(mutex)(&kprobe_mutex);
	return !list_empty(&to_consider) || !list_empty(&posts_written) ||
	       !list_empty(&next_gp) || !list_empty(&this_gp);
}

/**
 * wait_for_kprobe_optimizer - wait until all sites that are fit for a jump are planted as one
 *
 * Context: process, kprobe_mutex not held. Sleeps for one or two grace periods of RCU-tasks.
 */
void wait_for_kprobe_optimizer(void)
{
	do {
		flush_work(&decide_work);
		flush_work(&jump_work);
	} while (jumps_are_due());
}

/**
 * jumps_wait_decided - wait until the worker has checked all sites
 *
 * Context: process, kprobe_mutex not held. Sleeps, but waits for no grace period.
 */
void jumps_wait_decided(void)
{
	flush_work(&decide_work);
}

/**
 * jumps_allow - plant sites as jumps where possible, or none
 * @allowed: plant jumps; else replace all jumps by breakpoints
 *
 * Context: process, kprobe_mutex held. Sleeps.
 */
void jumps_allow(bool allowed)
{
	struct kprobe_site *site;
	unsigned int pos;
	DEFINE_SITE_BATCH(batch);

	jumps_allowed = allowed;
	for_each_site(site, pos) {
		if (ARCH_KPROBE_JUMP_IN_PLACE && is_wanted(site))
			site_batch_add(&batch, site);
		else if (allowed)
			jump_consider(site);
		else if (site->method == SITE_JUMP)
			site_batch_add(&batch, site);
		else
			stop_waiting(site);
	}
	site_batch_commit(&batch);
}

static int optimization_handler(const struct ctl_table *table, int write, void *buffer,
				size_t *lenp, loff_t *ppos)
{
	int value, ret;
	struct ctl_table copy = *table;

	guard(mutex)(&kprobe_mutex);
	value = jumps_allowed;
	copy.data = &value;
	ret = proc_dointvec_minmax(&copy, write, buffer, lenp, ppos);
	if (ret || !write || value == jumps_allowed)
		return ret;
	jumps_allow(value);
	/* 6.12 prints these, too. */
	if (value)
		pr_info("kprobes: kprobe jump-optimization is enabled. All kprobes are optimized if possible.\n");
	else
		pr_info("kprobes: kprobe jump-optimization is disabled. All kprobes are based on software breakpoint.\n");
	return 0;
}

static struct ctl_table optimize_sysctl = {
	.procname	= "kprobes-optimization",
	.maxlen		= sizeof(int),
	.mode		= 0644,
	.proc_handler	= optimization_handler,
	.extra1		= SYSCTL_ZERO,
	.extra2		= SYSCTL_ONE,
};

static int __init optimize_init(void)
{
	if (!register_sysctl_sz("debug", &optimize_sysctl, 1))
		pr_warn("kprobes: no sysctl debug.kprobes-optimization\n");
	return 0;
}
subsys_initcall(optimize_init);
