// SPDX-License-Identifier: GPL-2.0-only
/*
 * Insert sites at addresses where nothing executes, while other CPUs look up addresses of which
 * they know whether they are in the table.
 */
#include <linux/addr_table.h>
#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "../internal.h"
#include "tests.h"

#define NR_SITES	50000
#define NR_PLACES	65536
#define STRIDE		16

/**
 * struct world - fake sites
 * @text:	their addresses are in here
 * @sites:	the sites, in the order in which they come and go
 * @end:	sites before this have been inserted. Written with release semantics
 * @start:	sites before this have been removed. Written likewise
 * @removing:	sites before this have been, or are being removed
 * @wrong:	lookups with a wrong result
 * @running:	readers that have begun
 */
struct world {
	char *text;
	struct kprobe_site *sites;
	unsigned int end;
	unsigned int start;
	unsigned int removing;
	atomic_t wrong;
	atomic_t running;
};

/*
 * Scatter the addresses: hashes of addresses in a row would hardly collide. Each step can be
 * undone, so this is one to one.
 */
static unsigned long fake_addr(const struct world *w, unsigned int i)
{
	u16 place = i;

	place ^= place >> 7;
	place *= 40503;
	place ^= place >> 9;
	return (unsigned long)w->text + place * STRIDE;
}

static struct world *world_new(struct kunit *test)
{
	struct world *w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, w);
	w->text = kvzalloc(NR_PLACES * STRIDE, GFP_KERNEL);
	w->sites = kvcalloc(NR_SITES, sizeof(*w->sites), GFP_KERNEL);
	for (i = 0; w->text && w->sites && i < NR_SITES; i++) {
		w->sites[i].kp.addr = (kprobe_opcode_t *)fake_addr(w, i);
		INIT_LIST_HEAD(&w->sites[i].listeners);
	}
	return w;
}

static void world_free(struct world *w)
{
	kvfree(w->text);
	kvfree(w->sites);
}

static void insert_to(struct kunit *test, struct world *w, unsigned int end)
{
	guard(mutex)(&kprobe_mutex);
	while (w->end < end) {
		if (site_table_reserve(1)) {
			KUNIT_FAIL(test, "no memory at %u sites", w->end);
			break;
		}
		site_table_insert(&w->sites[w->end]);
		/* Pairs with lookup_is_right(). */
		smp_store_release(&w->end, w->end + 1);
	}
}

static void remove_to(struct world *w, unsigned int start)
{
	guard(mutex)(&kprobe_mutex);
	while (w->start < min(start, w->end)) {
		WRITE_ONCE(w->removing, w->start + 1);
		/* Pairs with lookup_is_right(): store @removing before the removal. */
		smp_wmb();
		site_table_remove(&w->sites[w->start]);
		/* Pairs with lookup_is_right(). */
		smp_store_release(&w->start, w->start + 1);
	}
}

static struct kprobe_site *lookup(unsigned long addr)
{
	guard(preempt)();
	return site_lookup(addr);
}

static unsigned int capacity(void)
{
	struct kprobe_site *site;
	unsigned int pos;

	guard(mutex)(&kprobe_mutex);
	for_each_site(site, pos)
		;
	return pos;
}

static unsigned int count(void)
{
	guard(mutex)(&kprobe_mutex);
	return site_table_count();
}

/* Is the result of a lookup of fake address @i possible, with concurrent changes? */
static bool lookup_is_right(struct world *w, unsigned int i)
{
	unsigned int gone, there;
	struct kprobe_site *site;

	/* Pairs with remove_to(): sites that are removed now are not found. */
	gone = smp_load_acquire(&w->start);
	/* Pairs with insert_to(): sites that are inserted now are found. */
	there = smp_load_acquire(&w->end);
	site = lookup(fake_addr(w, i));
	if (site)
		return site == &w->sites[i] && i >= gone;
	/* Read @removing after the lookup. */
	smp_rmb();
	return i < READ_ONCE(w->removing) || i >= there;
}

static int reader(void *data)
{
	struct world *w = data;
	unsigned int i = 0;

	atomic_inc(&w->running);
	while (!kthread_should_stop()) {
		i = (i + 7919) % NR_SITES;
		if (!lookup_is_right(w, i) || lookup(fake_addr(w, i) + 1))
			atomic_inc(&w->wrong);
		cond_resched();
	}
	return 0;
}

static void table_finds_what_is_there(struct kunit *test)
{
	struct world *w = world_new(test);
	unsigned int before = count(), i, pos, seen = 0;
	struct kprobe_site *site;

	KUNIT_EXPECT_NULL(test, lookup(fake_addr(w, 0)));
	insert_to(test, w, 1000);
	KUNIT_EXPECT_EQ(test, count(), before + 1000);
	for (i = 0; i < 1000; i++) {
		KUNIT_EXPECT_PTR_EQ(test, lookup(fake_addr(w, i)), &w->sites[i]);
		KUNIT_EXPECT_NULL(test, lookup(fake_addr(w, i) + 1));
	}
	KUNIT_EXPECT_NULL(test, lookup(fake_addr(w, 1000)));

	mutex_lock(&kprobe_mutex);
	for_each_site(site, pos)
		seen += site >= w->sites && site < w->sites + NR_SITES;
	mutex_unlock(&kprobe_mutex);
	KUNIT_EXPECT_EQ(test, seen, 1000);

	remove_to(w, 500);
	for (i = 0; i < 1000; i++)
		KUNIT_EXPECT_PTR_EQ(test, lookup(fake_addr(w, i)),
				    i < 500 ? NULL : &w->sites[i]);
	remove_to(w, 1000);
	KUNIT_EXPECT_EQ(test, count(), before);
	world_free(w);
}

/* Insert one, remove one: dead slots must be dropped, and the size must not grow. */
static void table_does_not_fill_with_the_dead(struct kunit *test)
{
	struct world *w = world_new(test);
	unsigned int before = count(), size = capacity(), i;

	for (i = 1; i <= NR_SITES; i++) {
		insert_to(test, w, i);
		if (lookup(fake_addr(w, i - 1)) != &w->sites[i - 1])
			break;
		remove_to(w, i);
		cond_resched();
	}
	KUNIT_EXPECT_EQ(test, i, NR_SITES + 1);
	KUNIT_EXPECT_EQ(test, count(), before);
	KUNIT_EXPECT_LE(test, capacity(), max(2 * size, 8 * before + 64));
	/* The dead slot of an address can be used again. */
	w->start = 0;
	w->removing = 0;
	w->end = 0;
	insert_to(test, w, 10);
	KUNIT_EXPECT_PTR_EQ(test, lookup(fake_addr(w, 9)), &w->sites[9]);
	remove_to(w, 10);
	world_free(w);
}

static void table_grows_under_readers(struct kunit *test)
{
	struct world *w = world_new(test);
	struct task_struct *task[8] = {};
	unsigned int before = count(), i, nr = 0;
	int cpu;

	for_each_online_cpu(cpu) {
		if (nr == ARRAY_SIZE(task))
			break;
		task[nr] = kthread_run_on_cpu(reader, w, cpu, "kprobes_table/%u");
		if (!IS_ERR(task[nr]))
			nr++;
	}
	KUNIT_EXPECT_GT(test, nr, 0);
	while (atomic_read(&w->running) < nr)
		schedule();

	for (i = 500; i <= NR_SITES; i += 500) {
		insert_to(test, w, i);
		cond_resched();
	}
	KUNIT_EXPECT_EQ(test, count(), before + NR_SITES);
	/* At most three quarters in use, and memory in proportion. */
	KUNIT_EXPECT_GE(test, capacity() / 4 * 3, NR_SITES);
	KUNIT_EXPECT_LE(test, capacity(), 8 * NR_SITES);
	for (i = 0; i < NR_SITES; i++) {
		if (lookup(fake_addr(w, i)) != &w->sites[i])
			break;
	}
	KUNIT_EXPECT_EQ(test, i, NR_SITES);
	for (i = 500; i <= NR_SITES; i += 500) {
		remove_to(w, i);
		cond_resched();
	}

	while (nr)
		kthread_stop(task[--nr]);
	KUNIT_EXPECT_EQ(test, atomic_read(&w->wrong), 0);
	KUNIT_EXPECT_EQ(test, count(), before);
	world_free(w);
}

/* Sites of other suites' probes must not go while this one counts. */
static int table_init(struct kunit *test)
{
	kprobe_reclaim_flush();
	return 0;
}

static DEFINE_MUTEX(own_mutex);
static int own_nothing;
DEFINE_ADDR_SLOTS(own_slots);
static struct addr_table own_table = ADDR_TABLE_INIT(own_slots, own_mutex, &own_nothing);

/* Insertions and removals of one address must not make its lookups longer. */
static void table_uses_a_place_again(struct kunit *test)
{
	const unsigned long addr = 0x12345670;
	struct addr_slots *slots;
	int items[2], i;

	guard(mutex)(&own_mutex);
	KUNIT_ASSERT_EQ(test, addr_table_reserve(&own_table, 1), 0);
	for (i = 0; i < 40; i++) {
		KUNIT_EXPECT_NULL(test, addr_table_find(&own_table, addr));
		addr_table_insert(&own_table, addr, &items[i % 2]);
		KUNIT_EXPECT_PTR_EQ(test, addr_table_find(&own_table, addr), (void *)&items[i % 2]);
		addr_table_remove(&own_table, addr);
	}
	slots = rcu_dereference_protected(own_table.slots, lockdep_is_held(&own_mutex));
	KUNIT_EXPECT_EQ(test, slots->used, 1);
	KUNIT_EXPECT_EQ(test, addr_table_count(&own_table), 0);
}

static struct kunit_case table_cases[] = {
	KUNIT_CASE(table_finds_what_is_there),
	KUNIT_CASE(table_uses_a_place_again),
	KUNIT_CASE_SLOW(table_does_not_fill_with_the_dead),
	KUNIT_CASE_SLOW(table_grows_under_readers),
	{}
};

static struct kunit_suite table_suite = {
	.name = "kprobes_table",
	.init = table_init,
	.test_cases = table_cases,
};

kunit_test_suite(table_suite);
