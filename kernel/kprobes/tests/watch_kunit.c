// SPDX-License-Identifier: GPL-2.0-only
/*
 * Probes at the functions that register probes, as security tools use them to log who probes what.
 * Also, how often registration waits for a grace period.
 */
#include <linux/fprobe.h>
#include <linux/kprobes.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sizes.h>

#include "../internal.h"
#include "tests.h"

#define NR_PROBES	3

/**
 * struct watcher - a kprobe that counts calls by the task of the test
 * @kp:		the kprobe
 * @task:	the task of the test
 * @calls:	number of its calls
 */
struct watcher {
	struct kprobe kp;
	struct task_struct *task;
	unsigned int calls;
};

static int note_call(struct kprobe *p, struct pt_regs *regs)
{
	struct watcher *w = container_of(p, struct watcher, kp);

	w->calls += current == w->task;
	return 0;
}

NOKPROBE_SYMBOL(note_call);

static void stop_watching(void *kp)
{
	unregister_kprobe(kp);
}

static struct watcher *watch(struct kunit *test, const char *symbol)
{
	struct watcher *w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, w);
	w->kp.symbol_name = symbol;
	w->kp.pre_handler = note_call;
	w->task = current;
	KUNIT_ASSERT_EQ_MSG(test, register_kprobe(&w->kp), 0, "%s", symbol);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, stop_watching, &w->kp));
	w->calls = 0;
	return w;
}

static void kprobes_pass_by(struct kunit *test)
{
	struct watcher *one = watch(test, "register_kprobe");
	struct watcher *many = watch(test, "register_kprobes");
	struct watcher *none = watch(test, "unregister_kprobe");
	struct kprobe *kps[NR_PROBES];
	unsigned int i;

	one->calls = 0;
	many->calls = 0;
	for (i = 0; i < NR_PROBES; i++)
		kps[i] = &test_probe_at(test, test_many[i], WITH_PRE)->kp;
	KUNIT_EXPECT_EQ(test, register_kprobe(kps[0]), 0);
	KUNIT_EXPECT_EQ(test, one->calls, 1);
	KUNIT_EXPECT_EQ(test, many->calls, 0);
	unregister_kprobe(kps[0]);
	KUNIT_EXPECT_EQ(test, none->calls, 1);

	one->calls = 0;
	KUNIT_EXPECT_EQ(test, register_kprobes(kps, NR_PROBES), 0);
	KUNIT_EXPECT_EQ(test, one->calls, NR_PROBES);
	KUNIT_EXPECT_EQ(test, many->calls, 1);
	unregister_kprobes(kps, NR_PROBES);
}

#ifdef CONFIG_KRETPROBES
static int no_handler(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	return 0;
}

NOKPROBE_SYMBOL(no_handler);

static void kretprobes_pass_by(struct kunit *test)
{
	struct watcher *kprobe = watch(test, "register_kprobe");
	struct watcher *one = watch(test, "register_kretprobe");
	struct watcher *none = watch(test, "unregister_kretprobe");
	struct watcher *many = watch(test, "register_kretprobes");
	struct kretprobe *rps[NR_PROBES];
	unsigned int i;

	kprobe->calls = 0;
	for (i = 0; i < NR_PROBES; i++) {
		rps[i] = kunit_kzalloc(test, sizeof(*rps[i]), GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, rps[i]);
		rps[i]->kp.addr = (kprobe_opcode_t *)test_many[i];
		rps[i]->handler = no_handler;
	}
	KUNIT_EXPECT_EQ(test, register_kretprobe(rps[0]), 0);
	KUNIT_EXPECT_EQ(test, one->calls, 1);
	KUNIT_EXPECT_EQ(test, kprobe->calls, 1);
	unregister_kretprobe(rps[0]);
	KUNIT_EXPECT_EQ(test, none->calls, 1);

	KUNIT_EXPECT_EQ(test, register_kretprobes(rps, NR_PROBES), 0);
	KUNIT_EXPECT_EQ(test, many->calls, 1);
	KUNIT_EXPECT_EQ(test, one->calls, 1 + NR_PROBES);
	KUNIT_EXPECT_EQ(test, kprobe->calls, 1 + NR_PROBES);
	unregister_kretprobes(rps, NR_PROBES);
}

#ifdef CONFIG_KRETPROBE_ON_RETHOOK
static void *pool_of(struct kretprobe *rp)
{
	return rp->rh;
}
#else
static void *pool_of(struct kretprobe *rp)
{
	return rp->rph;
}
#endif

/* The pool of a kretprobe that is registered already must not change. */
static void kretprobe_again(struct kunit *test)
{
	struct kretprobe rp = {
		.kp.addr = (kprobe_opcode_t *)kprobe_test_plain,
		.handler = no_handler,
	};
	void *pool;

	KUNIT_ASSERT_EQ(test, register_kretprobe(&rp), 0);
	pool = pool_of(&rp);
	KUNIT_EXPECT_EQ(test, register_kretprobe(&rp), -EINVAL);
	KUNIT_EXPECT_PTR_EQ(test, pool_of(&rp), pool);
	test_call(test, kprobe_test_plain, 10);
	unregister_kretprobe(&rp);
}
#else
static void kretprobes_pass_by(struct kunit *test)
{
	kunit_skip(test, "no kretprobes");
}

static void kretprobe_again(struct kunit *test)
{
	kunit_skip(test, "no kretprobes");
}
#endif

/* Functions of the API that can be probed in 6.12. */
static const char * const interface[] = {
	"register_kprobe", "register_kprobes", "unregister_kprobe", "unregister_kprobes",
	"enable_kprobe", "disable_kprobe",
#ifdef CONFIG_KRETPROBES
	"register_kretprobe", "register_kretprobes", "unregister_kretprobe",
	"unregister_kretprobes",
#endif
#ifdef CONFIG_FPROBE
	"register_fprobe", "register_fprobe_ips", "register_fprobe_syms", "unregister_fprobe",
#endif
};

static void interface_can_be_probed(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(interface); i++)
		watch(test, interface[i]);
}

/* One wait per call, for any number of probes. */
static void one_wait_for_many(struct kunit *test)
{
	struct watcher *waits = watch(test, "synchronize_rcu");
	struct kprobe *kps[NR_MANY];
	int i;

	for (i = 0; i < NR_MANY; i++)
		kps[i] = &test_probe_at(test, test_many[i], WITH_PRE)->kp;
	KUNIT_ASSERT_EQ(test, register_kprobes(kps, NR_MANY), 0);
	waits->calls = 0;
	unregister_kprobes(kps, NR_MANY);
	KUNIT_EXPECT_EQ(test, waits->calls, 1);

	KUNIT_ASSERT_EQ(test, register_kprobes(kps, NR_MANY), 0);
	waits->calls = 0;
	for (i = 0; i < NR_MANY; i++)
		unregister_kprobe(kps[i]);
	KUNIT_EXPECT_EQ(test, waits->calls, NR_MANY);
}

static void failures_do_not_wait(struct kunit *test)
{
	struct watcher *waits = watch(test, "synchronize_rcu");
	struct test_probe *good = test_probe_at(test, test_many[0], WITH_PRE);
	struct kprobe bad = { .symbol_name = "no_such_function" };
	struct kprobe *kps[] = { &good->kp, &bad };
	int i;

	/* Earlier tests may have left sites to free, which waits. */
	kprobe_reclaim_flush();
	waits->calls = 0;
	for (i = 0; i < 10; i++)
		KUNIT_EXPECT_EQ(test, register_kprobe(&bad), -ENOENT);
	KUNIT_EXPECT_EQ(test, register_kprobes(kps, 2), -ENOENT);
	KUNIT_EXPECT_EQ(test, waits->calls, 0);
}

/* Hits may have seen the listener that is detached again. */
static void failure_at_a_live_site_waits(struct kunit *test)
{
	struct watcher *waits = watch(test, "synchronize_rcu");
	struct test_probe *first = test_probe_new(test, test_many[0], WITH_PRE);
	struct test_probe *good = test_probe_at(test, test_many[0], WITH_PRE);
	struct kprobe bad = { .symbol_name = "no_such_function" };
	struct kprobe *kps[] = { &good->kp, &bad };

	waits->calls = 0;
	KUNIT_EXPECT_EQ(test, register_kprobes(kps, 2), -ENOENT);
	KUNIT_EXPECT_EQ(test, waits->calls, 1);
	test_call(test, test_many[0], 3);
	KUNIT_EXPECT_EQ(test, test_pre_hits(first), 3);
	KUNIT_EXPECT_EQ(test, test_pre_hits(good), 0);
}

/* A task may be in the detour of a retired site, before the handlers. */
static void failure_at_a_retired_site_waits(struct kunit *test)
{
	struct watcher *waits = watch(test, "synchronize_rcu");
	struct test_probe *first = test_probe_new(test, test_many[0], WITH_PRE);
	struct test_probe *good = test_probe_at(test, test_many[0], WITH_PRE);
	struct kprobe bad = { .symbol_name = "no_such_function" };
	struct kprobe *kps[] = { &good->kp, &bad };

	unregister_kprobe(&first->kp);
	waits->calls = 0;
	KUNIT_EXPECT_EQ(test, register_kprobes(kps, 2), -ENOENT);
	KUNIT_EXPECT_EQ(test, waits->calls, 1);
}

#ifdef CONFIG_FPROBE
static void ignore_exit(struct fprobe *fp, unsigned long entry_ip, unsigned long ret_ip,
			struct pt_regs *regs, void *data)
{
}

NOKPROBE_SYMBOL(ignore_exit);

/* Also at a function that is hooked already. */
static void failures_of_fprobes_do_not_wait(struct kunit *test)
{
	struct watcher *waits = watch(test, "synchronize_rcu");
	struct fprobe good = { .exit_handler = ignore_exit };
	struct fprobe bad = { .exit_handler = ignore_exit, .nr_maxactive = -1 };
	struct fprobe large = { .exit_handler = ignore_exit, .entry_data_size = SZ_1M };
	struct fprobe any = { .exit_handler = ignore_exit };
	const char *nowhere = "no_such_function";

	KUNIT_ASSERT_EQ(test, register_fprobe(&good, "kprobe_test_traced", NULL), 0);
	waits->calls = 0;
	KUNIT_EXPECT_EQ(test, register_fprobe(&any, nowhere, NULL), -EINVAL);
	KUNIT_EXPECT_EQ(test, register_fprobe_syms(&any, &nowhere, 1), -ENOENT);
	KUNIT_EXPECT_EQ(test, register_fprobe(&bad, "kprobe_test_traced", NULL), -EINVAL);
	KUNIT_EXPECT_EQ(test, register_fprobe(&large, "kprobe_test_traced", NULL), -ENOMEM);
	KUNIT_EXPECT_EQ(test, register_fprobe(&good, "kprobe_test_traced", NULL), -EBUSY);
	KUNIT_EXPECT_EQ(test, waits->calls, 0);
	KUNIT_EXPECT_EQ(test, unregister_fprobe(&good), 0);
	KUNIT_EXPECT_EQ(test, waits->calls, 1);
}
#else
static void failures_of_fprobes_do_not_wait(struct kunit *test)
{
	kunit_skip(test, "no fprobes");
}
#endif

static struct kunit_case watch_cases[] = {
	KUNIT_CASE(kprobes_pass_by),
	KUNIT_CASE(kretprobes_pass_by),
	KUNIT_CASE(kretprobe_again),
	KUNIT_CASE(interface_can_be_probed),
	KUNIT_CASE_SLOW(one_wait_for_many),
	KUNIT_CASE(failures_do_not_wait),
	KUNIT_CASE(failure_at_a_live_site_waits),
	KUNIT_CASE(failure_at_a_retired_site_waits),
	KUNIT_CASE(failures_of_fprobes_do_not_wait),
	{}
};

static struct kunit_suite watch_suite = {
	.name = "kprobes_watch",
	.test_cases = watch_cases,
};

kunit_test_suite(watch_suite);
