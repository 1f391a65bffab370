// SPDX-License-Identifier: GPL-2.0-only
/*
 * A probe on the hit path is hit inside of each hit. So plant probes at all functions
 * that the core accepts, some hundred at a time, take hits of all kinds with interrupts
 * off, and check that no probe was missed. This shows that no function on the hit path
 * can be probed.
 */
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/rethook.h>
#include <linux/slab.h>
#include <linux/stop_machine.h>

#include "../internal.h"
#include "fprobes.h"

#define NR_CHUNK	4096

/**
 * struct chunk - probes without handlers
 * @test:	the test
 * @sym:	all functions of the kernel
 * @nr_sym:	entries in @sym
 * @kp:		the probes
 * @kps:	those of them that could be registered
 * @missed:	how often each was missed while hits were taken
 * @nr:		entries in @kps
 * @wrong:	calls with a wrong result
 * @hooked:	a function with fprobes that count as kprobes, unless NULL
 */
struct chunk {
	struct kunit *test;
	unsigned long *sym;
	unsigned int nr_sym;
	struct kprobe *kp;
	struct kprobe **kps;
	unsigned long *missed;
	unsigned int nr;
	unsigned int wrong;
	target_fn hooked;
};

static int count_symbol(void *data, const char *name, unsigned long addr)
{
	struct chunk *c = data;

	c->nr_sym += core_kernel_text(addr);
	return 0;
}

static int note_symbol(void *data, const char *name, unsigned long addr)
{
	struct chunk *c = data;

	if (core_kernel_text(addr))
		c->sym[c->nr_sym++] = addr;
	return 0;
}

static bool can_be_probed(unsigned long addr)
{
	struct kprobe kp = { .addr = (kprobe_opcode_t *)addr };
	struct kprobe_place place = {};

	if (kprobe_locate(&kp, &place))
		return false;
	guard(mutex)(&kprobe_mutex);
	/* The test itself calls functions with probes of this test. */
	return !kprobe_check_place(&place) && !site_lookup(place.addr);
}

/* Nothing but hits happens here, on any CPU. */
static int take_hits(void *data)
{
	struct chunk *c = data;
	unsigned int i;

	for (i = 0; i < c->nr; i++)
		c->missed[i] = READ_ONCE(c->kps[i]->nmissed);
	for (i = 0; i < 4; i++) {
		c->wrong += kprobe_test_plain(i) != i + 1;
		c->wrong += kprobe_test_traced(i) != i + 1;
		c->wrong += kprobe_test_inner(i) != i + 2;
		c->wrong += c->hooked && c->hooked(i) != i + 1;
	}
	for (i = 0; i < c->nr; i++)
		c->missed[i] = READ_ONCE(c->kps[i]->nmissed) - c->missed[i];
	return 0;
}

NOKPROBE_SYMBOL(take_hits);

static void plant_chunk(struct chunk *c, unsigned int from, unsigned int to)
{
	unsigned int i;

	c->nr = 0;
	for (i = from; i < to; i++) {
		if (!can_be_probed(c->sym[i]))
			continue;
		c->kp[c->nr] = (struct kprobe){
			.addr = (kprobe_opcode_t *)c->sym[i],
		};
		c->kps[c->nr] = &c->kp[c->nr];
		c->nr++;
	}
}

/* One batch if all are good, else those that are. */
static void register_chunk(struct chunk *c)
{
	unsigned int i, nr = 0;

	if (!c->nr || !register_kprobes(c->kps, c->nr))
		return;
	for (i = 0; i < c->nr; i++) {
		if (!register_kprobe(&c->kp[i]))
			c->kps[nr++] = &c->kp[i];
	}
	c->nr = nr;
}

static unsigned int report_missed(struct chunk *c)
{
	unsigned int i, bad = 0;

	for (i = 0; i < c->nr; i++) {
		if (!c->missed[i])
			continue;
		kunit_err(c->test, "%pS can be probed, and is run by a hit",
			  c->kps[i]->addr);
		bad++;
	}
	return bad;
}

/* Lockdep, KASAN and KCSAN run for every access, and would be probed as well. */
static void skip_where_it_takes_long(struct kunit *test)
{
	if (IS_ENABLED(CONFIG_PROVE_LOCKING) || IS_ENABLED(CONFIG_KASAN) ||
	    IS_ENABLED(CONFIG_KCSAN))
		kunit_skip(test, "takes too long with debugging aids probed");
	if (IS_ENABLED(CONFIG_RISCV))
		kunit_skip(test, "takes too long where each probe stops the machine");
}

#ifdef CONFIG_KRETPROBES
static int return_handler(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	return 0;
}

NOKPROBE_SYMBOL(return_handler);

static struct kretprobe hooks[2];

static void hooks_plant(struct kunit *test)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(hooks); i++) {
		hooks[i] = (struct kretprobe){
			.kp.addr = (kprobe_opcode_t *)test_targets[i].fn,
			.handler = return_handler,
			.entry_handler = return_handler,
			.data_size = 64,
		};
		KUNIT_EXPECT_EQ(test, register_kretprobe(&hooks[i]), 0);
	}
}

static void hooks_remove(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(hooks); i++)
		unregister_kretprobe(&hooks[i]);
}
#else
static void hooks_plant(struct kunit *test) { }
static void hooks_remove(void) { }
#endif

#ifdef CONFIG_FPROBE
/* Kprobes that are hit by handlers of these fprobes are missed. */
static target_fn fprobes_plant(struct kunit *test)
{
	static const unsigned int kinds[] = { WITH_ENTRY, WITH_EXIT, WITH_ALL };
	struct test_fprobe *tf;
	int i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		tf = test_fprobe_make(test, kinds[i]);
		tf->fp.flags = FPROBE_FL_KPROBE_SHARED;
		KUNIT_EXPECT_EQ(test, register_fprobe(&tf->fp, "fprobe_test_one", NULL), 0);
	}
	return fprobe_test_one;
}

/**
 * struct everything - an fprobe at all functions
 * @tf:		the fprobe
 * @missed:	how often it missed a call while nothing but hits happened
 * @wrong:	calls with a wrong result
 */
struct everything {
	struct test_fprobe *tf;
	unsigned long missed;
	unsigned int wrong;
};

/* Interrupts are off. */
static int take_hits_of_fprobe(void *data)
{
	struct everything *e = data;
	unsigned long before = READ_ONCE(e->tf->fp.nmissed);
	unsigned int i;

	for (i = 0; i < 4; i++) {
		e->wrong += fprobe_test_one(i) != i + 1;
		e->wrong += fprobe_test_tail(i) != i + 1;
		e->wrong += fprobe_test_recurse(i) != i + 1;
	}
	e->missed = READ_ONCE(e->tf->fp.nmissed) - before;
	return 0;
}

/* With all functions hooked, a hit must not cause another hit. */
static void nothing_on_the_hit_path_is_traced(struct kunit *test)
{
	struct everything e = {};
	struct test_fprobe *first;
	struct rethook_stats pool;

	skip_where_it_takes_long(test);
	first = test_fprobe_on(test, "fprobe_test_*", WITH_ALL);
	e.tf = test_fprobe_make(test, WITH_ALL);
	e.tf->any_value = true;
	KUNIT_ASSERT_EQ(test, register_fprobe(&e.tf->fp, "*", NULL), 0);
	stop_machine(take_hits_of_fprobe, &e, NULL);
	rethook_pool_stats(e.tf->fp.rethook, &pool);
	KUNIT_EXPECT_EQ(test, unregister_fprobe(&e.tf->fp), 0);
	kunit_info(test, "%d entries, %d exits, %lu missed in all, %lu of them for want of one of %u nodes",
		   atomic_read(&e.tf->entries), atomic_read(&e.tf->exits), e.tf->fp.nmissed,
		   pool.nr_exhausted, pool.nr_nodes);
	KUNIT_EXPECT_EQ(test, e.wrong, 0);
	KUNIT_EXPECT_EQ(test, e.missed, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&e.tf->bad), 0);
	/* One each, two for the tail call, as many as it recurses. */
	test_fprobe_expect(test, first, 4 + 8 + 10, 4 + 8 + 10, 0);
	KUNIT_EXPECT_GT(test, atomic_read(&e.tf->exits), 4 + 8 + 10);
}
#else
static target_fn fprobes_plant(struct kunit *test)
{
	return NULL;
}

static void nothing_on_the_hit_path_is_traced(struct kunit *test)
{
	kunit_skip(test, "no fprobes");
}
#endif

static void chunk_alloc(struct kunit *test, struct chunk *c)
{
	kallsyms_on_each_symbol(count_symbol, c);
	c->sym = kunit_kcalloc(test, c->nr_sym, sizeof(*c->sym), GFP_KERNEL);
	c->kp = kunit_kcalloc(test, NR_CHUNK, sizeof(*c->kp), GFP_KERNEL);
	c->kps = kunit_kcalloc(test, NR_CHUNK, sizeof(*c->kps), GFP_KERNEL);
	c->missed = kunit_kcalloc(test, NR_CHUNK, sizeof(*c->missed), GFP_KERNEL);
	KUNIT_ASSERT_TRUE(test, c->sym && c->kp && c->kps && c->missed);
	c->nr_sym = 0;
	kallsyms_on_each_symbol(note_symbol, c);
}

static void nothing_on_the_hit_path_can_be_probed(struct kunit *test)
{
	struct chunk c = { .test = test };
	struct test_probe *tp;
	unsigned int from, probed = 0, bad = 0;

	skip_where_it_takes_long(test);
	chunk_alloc(test, &c);
	test_probe_new(test, kprobe_test_plain, WITH_PRE);
	test_probe_new(test, kprobe_test_traced, WITH_PRE);
	test_probe_new(test, kprobe_test_traced, WITH_PRE | WITH_POST);
	tp = test_probe_new(test, kprobe_test_inner, WITH_PRE | WITH_POST);
	hooks_plant(test);
	c.hooked = fprobes_plant(test);

	for (from = 0; from < c.nr_sym; from += NR_CHUNK) {
		plant_chunk(&c, from, min(from + NR_CHUNK, c.nr_sym));
		register_chunk(&c);
		probed += c.nr;
		stop_machine(take_hits, &c, NULL);
		unregister_kprobes(c.kps, c.nr);
		bad += report_missed(&c);
	}
	hooks_remove();
	kunit_info(test, "%u of %u functions probed", probed, c.nr_sym);
	KUNIT_EXPECT_EQ(test, bad, 0);
	KUNIT_EXPECT_EQ(test, c.wrong, 0);
	KUNIT_EXPECT_GT(test, test_pre_hits(tp), 0);
	KUNIT_EXPECT_GT(test, probed, c.nr_sym / 4);
}

static struct kunit_case hitpath_cases[] = {
	KUNIT_CASE_SLOW(nothing_on_the_hit_path_can_be_probed),
	KUNIT_CASE_SLOW(nothing_on_the_hit_path_is_traced),
	{}
};

static struct kunit_suite hitpath_suite = {
	.name = "kprobes_hitpath",
	.test_cases = hitpath_cases,
};

kunit_test_suite(hitpath_suite);
