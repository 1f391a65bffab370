// SPDX-License-Identifier: GPL-2.0-only
/*
 * Free sites that have no listener any more.
 *
 * After the breakpoint of a site is removed from the text, a CPU may still handle its trap,
 * and a preempted task may be in the copied instruction. An RCU grace period waits for the
 * former, one of RCU-tasks for the latter, if RCU watches the CPU and it is not idle; see
 * wait_for_unwatched(). No caller waits: retired sites are put on a list, and one callback at a
 * time waits for both grace periods for all sites that are on the list when it starts. Until it is
 * freed, a retired site whose text has not gone is in the table and can be used again.
 */
#include <linux/cpu.h>
#include <linux/kprobe_delay.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/workqueue.h>

#include "internal.h"

/* Sites that retired after the current callback was started. Guarded by kprobe_mutex. */
static LIST_HEAD(retired_next);

/* Sites that the current callback is for. Guarded by kprobe_mutex. */
static LIST_HEAD(retired_waiting);

/* There is a callback. Guarded by kprobe_mutex. */
static bool in_flight;

/*
 * If more sites than that are retired, registration waits until the current callback has freed its
 * sites. So a task that registers and unregisters in a loop does not fill the memory, though grace
 * periods can take long: a site takes some hundred bytes, so these take a few megabytes.
 */
#define MAX_RETIRED	16384

/* Number of retired sites. Changed under kprobe_mutex, read by any task. */
static unsigned int nr_retired;

static struct rcu_head reclaim_rcu;
static void reclaim_work_fn(struct work_struct *work);
static DECLARE_WORK(reclaim_work, reclaim_work_fn);

/* No CPU that RCU watches handles a trap of these sites, or is in one of their copies. */
static void grace_done(struct rcu_head *head)
{
	schedule_work(&reclaim_work);
}

/*
 * No task but idle ones is in a copied instruction. Now wait for traps: a grace period of RCU-tasks
 * need not contain one of RCU.
 */
static void tasks_done(struct rcu_head *head)
{
	call_rcu(&reclaim_rcu, grace_done);
}

/* Start a callback if there is none. Context: kprobe_mutex held. */
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
	kprobe_delay_point(DELAY_SITE_UPROOTED);
	if (!kprobe_gone(&site->kp))
		site_table_remove(site);
	kprobe_delay_point(DELAY_SITE_LEFT_TABLE);
	jump_release(site);
	if (!kprobe_ftrace(&site->kp))
		arch_remove_kprobe(&site->kp);
	kfree_rcu(site, rcu);
}

/*
 * Wait for CPUs in copied instructions that no grace period has waited for.
 *
 * RCU-tasks does not wait for idle tasks, and RCU not while it does not watch them, as on the way
 * into an idle state. Interrupts are off there, and the text has changed, so a CPU that handles an
 * interrupt afterwards is in no copy. x86 and arm64 have waited for such an interrupt of all CPUs
 * when they changed the text, other architectures need not.
 *
 * RCU does not watch CPUs that are about to be offline, or are not online yet, and they get no
 * interrupt. They are offline or online when cpus_read_lock() returns.
 */
static void wait_for_unwatched(void)
{
	cpus_read_lock();
	kick_all_cpus_sync();
	cpus_read_unlock();
}

static void reclaim_work_fn(struct work_struct *work)
{
	struct kprobe_site *site, *next;

	wait_for_unwatched();
	guard(mutex)(&kprobe_mutex);
	list_for_each_entry_safe(site, next, &retired_waiting, idle)
		site_free(site);
	INIT_LIST_HEAD(&retired_waiting);
	in_flight = false;
	reclaim_kick();
}

/**
 * site_retire - free a site after the grace periods
 * @site: unplanted, without listeners
 *
 * Context: kprobe_mutex held.
 */
void site_retire(struct kprobe_site *site)
{
	/* It waits already, and has not been planted since. */
	if (site->retired)
		return;
	site->retired = true;
	count_retired(1);
	kprobe_delay_point(DELAY_SITE_RETIRED);
	/* It may have been in gone_sites. */
	list_move_tail(&site->idle, &retired_next);
	reclaim_kick();
}

/**
 * site_unretire - use a site again
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

/* Without preemption call_rcu_tasks() is call_rcu(), and rcu_barrier() waits for both. */
#ifdef CONFIG_TASKS_RCU
static void wait_for_tasks_done(void)
{
	rcu_barrier_tasks();
}
#else
static void wait_for_tasks_done(void) { }
#endif

/* Wait until the current callback has freed its sites. */
static void wait_for_reclaim(void)
{
	wait_for_tasks_done();
	rcu_barrier();
	rcu_barrier();
	flush_work(&reclaim_work);
}

#if IS_ENABLED(CONFIG_KPROBES_KUNIT_TEST)
/**
 * kprobe_reclaim_flush - wait until all retired sites are freed
 *
 * Context: process, kprobe_mutex not held. Sleeps, possibly for seconds.
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
#endif

/**
 * kprobe_reclaim_throttle - wait if too many retired sites hold memory
 *
 * Callers are about to create sites.
 *
 * Context: process, kprobe_mutex not held. Sleeps, possibly for seconds.
 */
void kprobe_reclaim_throttle(void)
{
	if (READ_ONCE(nr_retired) > MAX_RETIRED)
		wait_for_reclaim();
}
