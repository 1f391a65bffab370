// SPDX-License-Identifier: GPL-2.0-only
/* Retired sites: when they are freed, and that callers do not wait for that. */
#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>

#include "../internal.h"
#include "tests.h"

static struct kprobe_site *site_at(void *addr)
{
	guard(mutex)(&kprobe_mutex);
	return site_lookup((unsigned long)addr);
}

static unsigned int nr_sites(void)
{
	guard(mutex)(&kprobe_mutex);
	return site_table_count();
}

static void reclaimed_in_the_end(struct kunit *test)
{
	const struct test_target *t = test->param_value;
	unsigned int before;
	struct test_probe *tp;
	void *addr;

	kprobe_reclaim_flush();
	before = nr_sites();
	tp = test_probe_new(test, t->fn, WITH_PRE);
	addr = tp->kp.addr;
	KUNIT_EXPECT_NOT_NULL(test, site_at(addr));
	KUNIT_EXPECT_EQ(test, nr_sites(), before + 1);
	unregister_kprobe(&tp->kp);
	kprobe_reclaim_flush();
	KUNIT_EXPECT_NULL(test, site_at(addr));
	KUNIT_EXPECT_EQ(test, nr_sites(), before);
}

/* A listener joins before the site is freed: the site is used again. */
static void used_again_before_it_is_freed(struct kunit *test)
{
	const struct test_target *t = test->param_value;
	struct test_probe *tp = test_probe_new(test, t->fn, WITH_PRE);
	int i;

	for (i = 0; i < 20; i++) {
		test_call(test, t->fn, 1);
		unregister_kprobe(&tp->kp);
		KUNIT_EXPECT_EQ(test, register_kprobe(&tp->kp), 0);
	}
	kprobe_reclaim_flush();
	KUNIT_EXPECT_NOT_NULL(test, site_at(tp->kp.addr));
	test_call(test, t->fn, 5);
	KUNIT_EXPECT_EQ(test, test_pre_hits(tp), 25);
	unregister_kprobe(&tp->kp);
	kprobe_reclaim_flush();
	KUNIT_EXPECT_NULL(test, site_at(tp->kp.addr));
}

static void slots_come_back(struct kunit *test)
{
	struct kprobe *kps[NR_MANY];
	unsigned int pages, i;

	if (IS_ENABLED(CONFIG_RISCV))
		kunit_skip(test, "arch_remove_kprobe() of riscv gives none back");
	for (i = 0; i < NR_MANY; i++)
		kps[i] = &test_probe_at(test, test_many[i], WITH_PRE)->kp;
	kprobe_reclaim_flush();
	pages = test_nr_slot_pages();
	/* Otherwise this would fill some pages. */
	for (i = 0; i < 4 * PAGE_SIZE / MAX_INSN_SIZE / NR_MANY; i++) {
		KUNIT_EXPECT_EQ(test, register_kprobes(kps, NR_MANY), 0);
		unregister_kprobes(kps, NR_MANY);
		kprobe_reclaim_flush();
	}
	KUNIT_EXPECT_LE(test, test_nr_slot_pages(), pages + 1);
}

/**
 * struct rcu_hog - an RCU reader, so that no grace period ends
 * @began:	completed when it is in the read-side critical section
 * @done:	it may leave it
 * @gave_up:	it left after a timeout, because the test seems to wait for it
 */
struct rcu_hog {
	struct completion began;
	bool done;
	bool gave_up;
};

static int hog_thread(void *data)
{
	struct rcu_hog *hog = data;
	unsigned long left = 1UL << 26;

	rcu_read_lock();
	complete(&hog->began);
	while (!READ_ONCE(hog->done) && --left)
		cpu_relax();
	rcu_read_unlock();
	hog->gave_up = !left;
	while (!kthread_should_stop())
		schedule();
	return 0;
}

/* The _nowait functions wait for no grace period, and neither does registration. */
static void no_wait_at_all(struct kunit *test)
{
	struct rcu_hog hog = {
		.began = COMPLETION_INITIALIZER_ONSTACK(hog.began),
	};
	struct kprobe *kps[NR_MANY];
	struct task_struct *task;
	int i, cpu, ret = 0;

	if (num_online_cpus() < 2)
		kunit_skip(test, "needs a CPU that is not this one");
	if ((IS_ENABLED(CONFIG_ARM64) || IS_ENABLED(CONFIG_RISCV)) &&
	    !preempt_model_preemptible())
		kunit_skip(test, "to stop the machine waits for all that is not preempted");
	for (i = 0; i < NR_MANY; i++)
		kps[i] = &test_probe_at(test, test_many[i], WITH_PRE)->kp;

	migrate_disable();
	cpu = cpumask_any_but(cpu_online_mask, smp_processor_id());
	task = kthread_run_on_cpu(hog_thread, &hog, cpu, "kprobes_hog/%u");
	if (!IS_ERR(task)) {
		wait_for_completion(&hog.began);
		for (i = 0; i < NR_MANY; i++)
			ret = ret ?: register_kprobe(kps[i]);
		ret = ret ?: disable_kprobes(kps, NR_MANY);
		ret = ret ?: enable_kprobes(kps, NR_MANY);
		for (i = 0; i < NR_MANY; i++)
			unregister_kprobes_nowait(&kps[i], 1);
		WRITE_ONCE(hog.done, true);
		kthread_stop(task);
	}
	migrate_enable();
	synchronize_rcu();
	KUNIT_EXPECT_FALSE(test, IS_ERR(task));
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_FALSE(test, hog.gave_up);
}

KUNIT_ARRAY_PARAM_DESC(target, test_targets, name);

static struct kunit_case retire_cases[] = {
	KUNIT_CASE_PARAM(reclaimed_in_the_end, target_gen_params),
	KUNIT_CASE_PARAM(used_again_before_it_is_freed, target_gen_params),
	KUNIT_CASE_SLOW(slots_come_back),
	KUNIT_CASE_SLOW(no_wait_at_all),
	{}
};

static struct kunit_suite retire_suite = {
	.name = "kprobes_retire",
	.test_cases = retire_cases,
};

kunit_test_suite(retire_suite);
