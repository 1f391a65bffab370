// SPDX-License-Identifier: GPL-2.0-only
/*
 * Taking back sites that nobody listens to any more.
 *
 * When a site's breakpoint is out of the text, a CPU may still be in its trap, and a
 * task that was preempted may still stand in its copied instruction. The first is over
 * after an RCU grace period, the second after one of RCU-tasks. Nobody waits: sites
 * gather on a list, and one callback at a time goes through the grace periods for all
 * that are on the list when it starts. Until then a retired site is in the table and
 * can be taken back into service.
 */
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "internal.h"

/* Retired since the callback in flight was started. Guarded by kprobe_mutex. */
static LIST_HEAD(retired_next);

/* The callback in flight is for these. Guarded by kprobe_mutex. */
static LIST_HEAD(retired_waiting);

/* A callback is in flight. Guarded by kprobe_mutex. */
static bool in_flight;

/*
 * How many sites are retired, and how many may be before registration waits for them to be
 * freed. Grace periods can take long, and each of them holds some hundred bytes.
 */
#define MAX_RETIRED	16384
static unsigned int nr_retired;	/* written under kprobe_mutex */

static struct rcu_head reclaim_rcu;
static void reclaim_work_fn(struct work_struct *work);
static DECLARE_WORK(reclaim_work, reclaim_work_fn);

/* No CPU is in a trap of these, and no task in a copied instruction. */
static void grace_done(struct rcu_head *head)
{
	schedule_work(&reclaim_work);
}

/*
 * No task stands in a copied instruction. Now the traps: that RCU-tasks happens to
 * contain a grace period of RCU is not promised.
 */
static void tasks_done(struct rcu_head *head)
{
	call_rcu(&reclaim_rcu, grace_done);
}

/* kprobe_mutex held. */
static void reclaim_kick(void)
{
	if (in_flight || list_empty(&retired_next))
		return;
	list_splice_tail_init(&retired_next, &retired_waiting);
	in_flight = true;
	call_rcu_tasks(&reclaim_rcu, tasks_done);
}

static void count_retired(int by)
{
	WRITE_ONCE(nr_retired, nr_retired + by);
}

static void site_free(struct kprobe_site *site)
{
	count_retired(-1);
	if (!kprobe_gone(&site->kp))
		site_table_remove(site);
	jump_release(site);
	if (!kprobe_ftrace(&site->kp))
		arch_remove_kprobe(&site->kp);
	kfree_rcu(site, rcu);
}

static void reclaim_work_fn(struct work_struct *work)
{
	struct kprobe_site *site, *next;

	guard(mutex)(&kprobe_mutex);
	list_for_each_entry_safe(site, next, &retired_waiting, idle)
		site_free(site);
	INIT_LIST_HEAD(&retired_waiting);
	in_flight = false;
	reclaim_kick();
}

/**
 * site_retire - the last listener is gone
 * @site: unplanted, without listeners
 *
 * Context: kprobe_mutex held.
 */
void site_retire(struct kprobe_site *site)
{
	/* Already waiting: it was not planted since, so that wait will do. */
	if (site->retired)
		return;
	site->retired = true;
	count_retired(1);
	/* It may have been in gone_sites. */
	list_move_tail(&site->idle, &retired_next);
	reclaim_kick();
}

/**
 * site_unretire - somebody listens again
 * @site: a site, retired or not
 *
 * Context: kprobe_mutex held.
 */
void site_unretire(struct kprobe_site *site)
{
	if (!site->retired)
		return;
	site->retired = false;
	count_retired(-1);
	list_del_init(&site->idle);
}

/* Without preemption RCU's grace period is enough, and RCU-tasks is an alias of it. */
#ifdef CONFIG_TASKS_RCU
static void wait_for_tasks_done(void)
{
	rcu_barrier_tasks();
}
#else
static void wait_for_tasks_done(void) { }
#endif

/* Until the callback in flight has done what it is for. */
static void wait_for_reclaim(void)
{
	wait_for_tasks_done();
	rcu_barrier();
	rcu_barrier();
	flush_work(&reclaim_work);
}

/**
 * kprobe_reclaim_flush - wait until everything that was retired is freed
 *
 * For tests.
 *
 * Context: process, kprobe_mutex not held. Sleeps, for seconds perhaps.
 */
void kprobe_reclaim_flush(void)
{
	bool busy;

	do {
		wait_for_reclaim();
		mutex_lock(&kprobe_mutex);
		busy = in_flight;
		mutex_unlock(&kprobe_mutex);
	} while (busy);
}

/**
 * kprobe_reclaim_throttle - wait for memory to be freed if too much is held back
 *
 * Called by those who are going to make sites.
 *
 * Context: process, kprobe_mutex not held. Sleeps, for seconds perhaps, if so.
 */
void kprobe_reclaim_throttle(void)
{
	if (READ_ONCE(nr_retired) > MAX_RETIRED)
		wait_for_reclaim();
}
