// SPDX-License-Identifier: GPL-2.0-only
/* Do hits and changes pass all points of linux/kprobe_delay.h, and are they delayed there? */
#include <linux/addr_table.h>
#include <linux/array_size.h>
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/rethook.h>

#include "delays.h"
#include "fprobes.h"
#include "jumps.h"

#define ON_X86		IS_ENABLED(CONFIG_X86_64)
#define ON_ARM64	IS_ENABLED(CONFIG_ARM64)
#define WITH_RETHOOK	IS_ENABLED(CONFIG_RETHOOK)
#define WITH_FPROBE	IS_ENABLED(CONFIG_FPROBE)
#define WITH_JUMPS	(IS_ENABLED(CONFIG_OPTPROBES) && (ON_X86 || ON_ARM64))

#ifdef arch_kprobe_entry_hit
#define WITH_ENTRIES	IS_ENABLED(CONFIG_KPROBES_ON_FTRACE)
#else
#define WITH_ENTRIES	false
#endif

/* The points in the order of their numbers, and whether this kernel has them. */
static const struct {
	enum kprobe_delay number;
	const char *name;
	bool there;
} points[] = {
#define POINT(point, there) { DELAY_##point, #point, there }
	POINT(TABLE_COPIED, true),
	POINT(TABLE_GREW, true),
	POINT(TABLE_SLOTS_READ, true),
	POINT(TABLE_ITEM_STORED, true),
	POINT(TABLE_ADDR_READ, true),
	POINT(TABLE_REPLACES, true),
	POINT(TABLE_ITEM_READ, true),
	POINT(TABLE_REMOVED, true),
	POINT(BREAKPOINT_WRITTEN, ON_X86 || ON_ARM64),
	POINT(SITE_UPROOTED, true),
	POINT(BREAKPOINT_TRAPPED, ON_X86 || ON_ARM64),
	POINT(BREAKPOINT_LOOKED_UP, ON_X86 || ON_ARM64),
	POINT(JUMP_DISPLACES, WITH_JUMPS),
	POINT(JUMP_WRITES, WITH_JUMPS && !ARCH_KPROBE_JUMP_IN_PLACE),
	POINT(JUMP_BYTES_WRITTEN, WITH_JUMPS && ON_X86),
	POINT(JUMP_WRITTEN, WITH_JUMPS),
	POINT(JUMP_GONE, WITH_JUMPS),
	POINT(JUMP_NOT_DISPLACING, WITH_JUMPS),
	POINT(JUMP_HIT, WITH_JUMPS),
	POINT(DISPLACED_READ, ON_X86),
	POINT(POST_ANNOUNCED, true),
	POINT(POST_WRITTEN, WITH_JUMPS),
	POINT(LISTENERS_READ, true),
	POINT(RUNS_POST_READ, WITH_JUMPS),
	POINT(SOLE_STORED, true),
	POINT(SOLE_AND_OWNER_READ, WITH_ENTRIES),
	POINT(LISTENER_LISTED, true),
	POINT(LISTENER_UNLISTED, true),
	POINT(SOLE_STORES, true),
	POINT(SOLE_READ, true),
	POINT(LISTENER_READ, true),
	POINT(METHOD_STORES, true),
	POINT(METHOD_CLAIMED, IS_ENABLED(CONFIG_KPROBES_ON_FTRACE)),
	POINT(METHOD_READ, WITH_ENTRIES),
	POINT(SITE_RETIRED, true),
	POINT(SITE_LEFT_TABLE, true),
	POINT(SLOT_PAGE_ENTERED, true),
	POINT(SLOT_PAGE_LEFT, true),
	POINT(SLOT_CHECKED, true),
	POINT(ENTRY_READY, WITH_FPROBE),
	POINT(ENTRY_LINKED, WITH_FPROBE && WITH_ENTRIES),
	POINT(ENTRY_UNLINKED, WITH_FPROBE),
	POINT(ENTRY_SECOND_READY, WITH_FPROBE),
	POINT(ENTRY_MOVES, WITH_FPROBE && ON_X86),
	POINT(ENTRY_FIRST_READ, WITH_FPROBE),
	POINT(ENTRY_NEXT_READ, WITH_FPROBE),
	POINT(FPROBE_POOL_READY, WITH_FPROBE),
	POINT(FPROBE_LEFT, WITH_FPROBE),
	POINT(FPROBE_HIT, WITH_FPROBE),
	POINT(HOME_GIVES, WITH_RETHOOK),
	POINT(HOME_FOUND, WITH_RETHOOK),
	POINT(HOME_TAKEN, WITH_RETHOOK),
	POINT(SEGMENTS_COPIED, WITH_RETHOOK),
	POINT(SEGMENT_ENTERED, WITH_RETHOOK),
	POINT(SHARED_PUSHES, WITH_RETHOOK),
	POINT(SHARED_NAME_READ, WITH_RETHOOK),
	POINT(SHARED_NEXT_READ, WITH_RETHOOK),
	POINT(POOL_STOPPED, WITH_RETHOOK),
	POINT(POOL_CLOSED, WITH_RETHOOK),
	POINT(POOL_OPEN_READ, WITH_RETHOOK),
	POINT(NODE_LINKS, WITH_RETHOOK),
	POINT(NODE_UNLINKS, WITH_RETHOOK),
	POINT(NODE_READ, WITH_RETHOOK),
};

static_assert(ARRAY_SIZE(points) == NR_KPROBE_DELAYS);

static DEFINE_MUTEX(table_lock);
DEFINE_ADDR_SLOTS(first_slots);
static struct addr_table table = ADDR_TABLE_INIT(first_slots, table_lock, NULL);

static void change_a_table(struct kunit *test)
{
	unsigned long addr = (unsigned long)change_a_table;
	int one, two;

	guard(mutex)(&table_lock);
	/* As many as it has slots, so that it grows. */
	KUNIT_ASSERT_EQ(test, addr_table_reserve(&table, slots_nr(table.slots)), 0);
	addr_table_insert(&table, addr, &one);
	KUNIT_EXPECT_PTR_EQ(test, addr_table_find(&table, addr), (void *)&one);
	addr_table_replace(&table, addr, &two);
	KUNIT_EXPECT_PTR_EQ(test, addr_table_find(&table, addr), (void *)&two);
	addr_table_remove(&table, addr);
}

#ifdef __ARCH_WANT_KPROBES_INSN_SLOT
/* More than fit into a page. */
static kprobe_opcode_t *many_slots[2 * PAGE_SIZE / sizeof(kprobe_opcode_t) / MAX_INSN_SIZE];

static void fill_a_page_of_slots(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(many_slots); i++) {
		many_slots[i] = get_insn_slot();
		if (!many_slots[i])
			break;
	}
	KUNIT_EXPECT_EQ(test, i, ARRAY_SIZE(many_slots));
	guard(rcu)();
	if (i)
		KUNIT_EXPECT_TRUE(test, is_kprobe_insn_slot((unsigned long)many_slots[0]));
}

static void free_slots(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(many_slots) && many_slots[i]; i++)
		free_insn_slot(many_slots[i], 0);
}
#else
static void fill_a_page_of_slots(struct kunit *test) { }
static void free_slots(void) { }
#endif

/* While two threads call @fn: listeners come and go, with and without post handlers. */
static void change_listeners(struct kunit *test, target_fn fn)
{
	struct callers *c = callers_start(test, fn, 2 * num_online_cpus());
	struct test_probe *first = test_probe_at(test, fn, WITH_PRE);
	struct test_probe *post = test_probe_at(test, fn, WITH_PRE | WITH_POST);

	KUNIT_ASSERT_EQ(test, register_kprobe(&first->kp), 0);
	test_call(test, fn, 10);
	KUNIT_ASSERT_EQ(test, register_kprobe(&post->kp), 0);
	test_call(test, fn, 10);
	unregister_kprobe(&post->kp);
	unregister_kprobe(&first->kp);
	callers_wait(c);
	KUNIT_EXPECT_EQ(test, atomic_read(&c->wrong), 0);
	KUNIT_EXPECT_EQ(test, test_post_hits(post) > 0, test_pre_hits(post) > 0);
}

#ifdef CONFIG_OPTPROBES
/* A breakpoint becomes a jump, has a post handler for a while, and becomes a breakpoint. */
static void change_a_jump(struct kunit *test)
{
	struct test_probe *tp, *post;

	test_allow_jumps(false);
	tp = test_probe_new(test, kprobe_test_plain, WITH_PRE);
	post = test_probe_at(test, kprobe_test_plain, WITH_PRE | WITH_POST);
	test_call(test, kprobe_test_plain, 10);
	test_allow_jumps(true);
	wait_for_kprobe_optimizer();
	test_call(test, kprobe_test_plain, 10);
	KUNIT_ASSERT_EQ(test, register_kprobe(&post->kp), 0);
	wait_for_kprobe_optimizer();
	test_call(test, kprobe_test_plain, 10);
	test_allow_jumps(false);
	unregister_kprobe(&post->kp);
	unregister_kprobe(&tp->kp);
	test_allow_jumps(true);
}
#else
static void change_a_jump(struct kunit *test) { }
#endif

#ifdef CONFIG_FPROBE
/* Hooks of one entry: the first one leaves, and one in the middle. */
static void change_hooks(struct kunit *test)
{
	struct test_fprobe *last = test_fprobe_at(test, fprobe_test_one, WITH_EXIT);
	struct test_fprobe *middle = test_fprobe_at(test, fprobe_test_one, WITH_ALL);
	struct test_fprobe *first = test_fprobe_at(test, fprobe_test_one, WITH_ENTRY);
	struct test_probe *tp = test_probe_at(test, fprobe_test_one, WITH_PRE);

	test_call(test, fprobe_test_one, 10);
	KUNIT_ASSERT_EQ(test, register_kprobe(&tp->kp), 0);
	test_call(test, fprobe_test_one, 10);
	KUNIT_EXPECT_EQ(test, unregister_fprobe(&middle->fp), 0);
	KUNIT_EXPECT_EQ(test, unregister_fprobe(&first->fp), 0);
	test_call(test, fprobe_test_one, 10);
	unregister_kprobe(&tp->kp);
	KUNIT_EXPECT_EQ(test, unregister_fprobe(&last->fp), 0);
}

static void trace_a_hooked_call(struct kunit *test)
{
	struct test_fprobe *tf = test_fprobe_make(test, WITH_EXIT);
	struct test_trace *tr = test_trace_make(test);

	tf->any_value = true;
	KUNIT_ASSERT_EQ(test, register_fprobe(&tf->fp, "test_trace_outer", NULL), 0);
	test_trace_call(tr);
	KUNIT_EXPECT_EQ(test, unregister_fprobe(&tf->fp), 0);
}
#else
static void change_hooks(struct kunit *test) { }
static void trace_a_hooked_call(struct kunit *test) { }
#endif

#ifdef CONFIG_RETHOOK
static void no_return(struct rethook_node *node, void *data, unsigned long ret_addr,
		      struct pt_regs *regs)
{
}

/* More nodes than homes are taken, and more segments than the first table of them has. */
static void use_a_pool(struct kunit *test)
{
	struct rethook_node *nodes[RETHOOK_HOMES + 1];
	DECLARE_COMPLETION_ONSTACK(freed);
	struct rethook *rh;
	unsigned int i;

	rh = rethook_alloc(NULL, no_return, sizeof(*nodes[0]), 10000);
	KUNIT_ASSERT_FALSE(test, IS_ERR(rh));
	preempt_disable();
	for (i = 0; i < ARRAY_SIZE(nodes); i++)
		nodes[i] = rethook_try_get(rh);
	while (i--) {
		if (nodes[i])
			rethook_recycle(nodes[i]);
	}
	preempt_enable();
	rh->freed = &freed;
	rethook_free(rh);
	wait_for_completion(&freed);
}
#else
static void use_a_pool(struct kunit *test) { }
#endif

static void pass_all(struct kunit *test)
{
	change_a_table(test);
	fill_a_page_of_slots(test);
	change_listeners(test, kprobe_test_plain);
	change_listeners(test, kprobe_test_traced);
	change_a_jump(test);
	change_hooks(test);
	trace_a_hooked_call(test);
	use_a_pool(test);
	kprobe_reclaim_flush();
	free_slots();
}

static void every_point(struct kunit *test)
{
	unsigned int point, passed, delayed;

	test_delays_reset();
	pass_all(test);
	for (point = 0; point < NR_KPROBE_DELAYS; point++) {
		passed = test_delays_at(point, &delayed);
		KUNIT_EXPECT_EQ(test, points[point].number, point);
		if (!points[point].there)
			continue;
		KUNIT_EXPECT_GT_MSG(test, passed, 0, "%s", points[point].name);
		KUNIT_EXPECT_GT_MSG(test, delayed, 0, "%s", points[point].name);
	}
}

static void none_without_a_seed(struct kunit *test)
{
	unsigned int point, delayed;

	test_delays_seed(0);
	test_delays_reset();
	test_call(test, kprobe_test_plain, 10);
	change_a_table(test);
	for (point = 0; point < NR_KPROBE_DELAYS; point++)
		KUNIT_EXPECT_EQ(test, test_delays_at(point, &delayed), 0);
}

/* The seed of this boot, which other suites keep. */
static unsigned int boot_seed;

static int delays_init(struct kunit *test)
{
	boot_seed = test_delays_seed(0);
	test_delays_seed(boot_seed ?: 1);
	return 0;
}

static void delays_exit(struct kunit *test)
{
	test_delays_seed(boot_seed);
}

static struct kunit_case delays_cases[] = {
	KUNIT_CASE(every_point),
	KUNIT_CASE(none_without_a_seed),
	{}
};

static struct kunit_suite delays_suite = {
	.name = "kprobes_delays",
	.init = delays_init,
	.exit = delays_exit,
	.test_cases = delays_cases,
};

kunit_test_suite(delays_suite);
