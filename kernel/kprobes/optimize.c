// SPDX-License-Identifier: GPL-2.0-only
/*
 * From breakpoints to jumps.
 *
 * A jump takes more bytes than a breakpoint, so it displaces instructions behind the
 * probed one. Nobody may stand among those when it is written:
 *
 * - The site is planted as a breakpoint, and its hits step the instruction as usual.
 * - Once the site is found fit, KPROBE_FLAG_OPTIMIZED makes its hits go on in the
 *   detour, at copies of what will be displaced.
 * - After that, tasks that were there before are waited for (RCU-tasks), and then the
 *   jumps of all sites that have come so far are written.
 *
 * That is done by a worker, as soon as there is a site to do it for. The way back is
 * short: the breakpoint is written, then what was displaced, and nobody is waited for.
 *
 * A site is not, or no longer, fit when there is another site among the instructions that it
 * displaces, or when a listener has a post handler that the architecture cannot run by a jump.
 *
 * With ARCH_KPROBE_JUMP_IN_PLACE there are no such instructions and nobody to wait for. What a
 * site needs for its jump is prepared when the site is made, and a commit writes a jump as it
 * would a breakpoint. The worker has nothing to do.
 */
#include <linux/cpu.h>
#include <linux/init.h>
#include <linux/memory.h>
#include <linux/rcupdate.h>
#include <linux/rcupdate_wait.h>
#include <linux/sysctl.h>
#include <linux/workqueue.h>

#include "internal.h"

/* Written by the sysctl. Guarded by kprobe_mutex. */
static bool jumps_allowed = true;

/*
 * Sites to be decided on; those that become jumps after the next grace period, and those that do
 * after the one under way. Linked by op.list. Guarded by kprobe_mutex.
 */
static LIST_HEAD(to_consider);
static LIST_HEAD(next_gp);
static LIST_HEAD(this_gp);

/* Sites that displace, or are about to. Guarded by kprobe_mutex. */
static unsigned int nr_displacing;

static void jump_work_fn(struct work_struct *work);
static DECLARE_WORK(jump_work, jump_work_fn);

/* Architectures whose CONFIG_OPTPROBES is for some configurations only leave these. */

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

/* May it become a jump as far as we know, and so has what struct optimized_kprobe has? */
static bool is_candidate(struct kprobe_site *site)
{
	return !kprobe_ftrace(&site->kp);
}

static bool is_prepared(struct kprobe_site *site)
{
	return is_candidate(site) && arch_prepared_optinsn(&site->op.optinsn);
}

/* Instructions are at multiples of it, where there are jumps. In bytes. */
#define INSN_STEP	sizeof(kprobe_opcode_t)

static bool displaces(struct kprobe_site *site, unsigned long addr)
{
	return is_prepared(site) &&
	       arch_within_optimized_kprobe(&site->op, (kprobe_opcode_t *)addr);
}

/* Has it a listener, and so a breakpoint? */
static bool is_wanted(struct kprobe_site *site)
{
	return !list_empty(&site->listeners) && !kprobe_disabled(&site->kp);
}

/* Is another site wanted among what this one would displace? */
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

/* Would a jump run the handlers that the listeners have? */
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
 * site_may_be_jump - may a commit plant a site as a jump, or leave it one?
 * @site: the site
 *
 * Context: kprobe_mutex held.
 * Return: true if so; false also for one that first has to be a breakpoint.
 */
bool site_may_be_jump(struct kprobe_site *site)
{
	return (ARCH_KPROBE_JUMP_IN_PLACE || site->method == SITE_JUMP) && is_fit(site);
}

/* Have its hits go round what it is going to displace. */
static void start_displacing(struct kprobe_site *site)
{
	WRITE_ONCE(site->kp.flags, site->kp.flags | KPROBE_FLAG_OPTIMIZED);
	nr_displacing++;
}

static void stop_displacing(struct kprobe_site *site)
{
	WRITE_ONCE(site->kp.flags, site->kp.flags & ~KPROBE_FLAG_OPTIMIZED);
	nr_displacing--;
}

/* It is not going to become a jump just now. */
static void stop_waiting(struct kprobe_site *site)
{
	if (!is_candidate(site))
		return;
	if (kprobe_optimized(&site->kp) && site->method != SITE_JUMP)
		stop_displacing(site);
	list_del_init(&site->op.list);
}

/* Takes sites by their kp.list, with KPROBE_FLAG_OPTIMIZED. Their op.list is free or in @ops. */
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
		WRITE_ONCE(site->method, SITE_JUMP);
	}
}

/**
 * sites_to_jumps - plant jumps at once
 * @sites: by their kp.list; site_may_be_jump(), unplanted or breakpoints
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
 * @sites: planted as jumps, by their kp.list
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
		stop_displacing(site);
		kprobe_test_step();
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
 * jumps_make_way - look at the neighbours of sites, too
 * @batch: the sites; those that displace what one of them needs are added
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
 * jump_init - begin the life of a site that may become a jump
 * @site: the site, zeroed
 */
void jump_init(struct kprobe_site *site)
{
	INIT_LIST_HEAD(&site->op.list);
}

/**
 * jump_prepare_in_place - get a site ready to be planted as a jump
 * @site: the site, prepared for a breakpoint
 *
 * Does nothing without ARCH_KPROBE_JUMP_IN_PLACE. It is no error if the site cannot be a jump.
 *
 * Context: kprobe_mutex held, text_mutex not. Sleeps.
 */
void jump_prepare_in_place(struct kprobe_site *site)
{
	if (ARCH_KPROBE_JUMP_IN_PLACE)
		site->no_jump = arch_prepare_optimized_kprobe(&site->op, &site->kp);
}

/**
 * jump_prepare_post - have a site's jump run post handlers, if it can
 * @site: the site; nothing is done if it is not prepared for a jump
 *
 * Context: kprobe_mutex held. Sleeps.
 */
void jump_prepare_post(struct kprobe_site *site)
{
	if (!is_prepared(site) || site->jump_runs_post)
		return;
	/* With what has been prepared: pairs with jump_with_post(). */
	smp_store_release(&site->jump_runs_post, !arch_prepare_post_jump(&site->op));
}

/**
 * jump_consider - see whether a site could be a jump
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
	queue_work(system_unbound_wq, &jump_work);
}

/**
 * jump_consider_around - the same for sites that one has kept from being jumps
 * @site: a site that is no longer planted
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
 * jump_release - undo what was prepared for a jump
 * @site: a site that nothing can be in any more
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

/* Decide on one of those to be considered, if there is one. */
static bool decide_next(void)
{
	struct kprobe_site *site;

	site = list_first_entry_or_null(&to_consider, struct kprobe_site, op.list);
	if (!site)
		return false;
	list_del_init(&site->op.list);
	if (!is_prepared(site) && site->method == SITE_BREAKPOINT)
		site->no_jump = arch_prepare_optimized_kprobe(&site->op, &site->kp);
	if (site->kp.post_handler)
		jump_prepare_post(site);
	if (site->method == SITE_BREAKPOINT && is_fit(site)) {
		kprobe_test_step();
		start_displacing(site);
		kprobe_test_step();
		list_add_tail(&site->op.list, &next_gp);
	}
	return true;
}

/**
 * jumps_decide - find out which of the sites that are to be considered become jumps
 *
 * What is decided shows as KPROBE_FLAG_OPTIMIZED, and in debugfs; it is carried out when
 * all tasks have been waited for. It takes a while to read the code around thousands of
 * sites, so others can have the mutex in between, and nobody waits for this task.
 *
 * Context: process, kprobe_mutex not held. Sleeps on locks only.
 */
void jumps_decide(void)
{
	bool more = true;

	while (more) {
		scoped_guard(mutex, &kprobe_mutex)
			more = decide_next();
		cond_resched_tasks_rcu_qs();
	}
}

/* Those that have waited, and were not told to stop, become jumps. */
static void write_this_gp(void)
{
	struct kprobe_site *site, *next;
	LIST_HEAD(sites);

	if (list_empty(&this_gp))
		return;
	/* Architectures may take them off the list that they get. */
	list_for_each_entry(site, &this_gp, op.list)
		list_add_tail(&site->kp.list, &sites);
	write_jumps(&sites, &this_gp);
	list_for_each_entry_safe(site, next, &sites, kp.list)
		list_del_init(&site->kp.list);
}

/* Who comes later waits for the next time. */
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

static void jump_work_fn(struct work_struct *work)
{
	jumps_decide();
	if (!start_wait())
		return;
	/* Idle tasks are none of RCU-tasks' business. */
	synchronize_rcu_mult(call_rcu_tasks, call_rcu);
	end_wait();
}

static bool jumps_are_due(void)
{
	guard(mutex)(&kprobe_mutex);
	return !list_empty(&to_consider) || !list_empty(&next_gp) || !list_empty(&this_gp);
}

/**
 * wait_for_kprobe_optimizer - wait until what can be a jump is one
 *
 * Context: process, kprobe_mutex not held. Sleeps, for a grace period of RCU-tasks or two.
 */
void wait_for_kprobe_optimizer(void)
{
	do {
		flush_work(&jump_work);
	} while (jumps_are_due());
}

/**
 * jumps_allow - have sites become jumps, or none be one
 * @allowed: the former
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
	/* Administrators look for these. */
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
