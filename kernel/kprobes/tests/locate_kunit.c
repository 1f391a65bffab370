// SPDX-License-Identifier: GPL-2.0-only
/* Lookup of addresses, and places where no probe may be. */
#include <linux/bug.h>
#include <linux/jump_label.h>
#include <linux/kallsyms.h>
#include <linux/string.h>
#include <asm/sections.h>

#include "../internal.h"
#include "tests.h"

static int locate(void *addr, const char *name, unsigned int offset,
		  struct kprobe_place *place)
{
	struct kprobe kp = {
		.addr = addr,
		.symbol_name = name,
		.offset = offset,
	};

	*place = (struct kprobe_place){};
	return kprobe_locate(&kp, place);
}

static int check(unsigned long addr)
{
	struct kprobe_place place;

	kprobe_place_at(addr, &place);
	guard(mutex)(&kprobe_mutex);
	return kprobe_check_place(&place);
}

static unsigned long size_of(unsigned long addr)
{
	unsigned long size = 0;

	kallsyms_lookup_size_offset(addr, &size, NULL);
	return size;
}

static void by_name_and_by_address(struct kunit *test)
{
	const struct test_target *t = test->param_value;
	unsigned long entry = test_entry_of(t->fn);
	struct kprobe_place place;

	KUNIT_EXPECT_EQ(test, locate(NULL, t->name, 0, &place), 0);
	KUNIT_EXPECT_EQ(test, place.addr, entry);
	KUNIT_EXPECT_TRUE(test, place.on_entry);
	KUNIT_EXPECT_EQ(test, locate(t->fn, NULL, 0, &place), 0);
	KUNIT_EXPECT_EQ(test, place.addr, entry);
	KUNIT_EXPECT_TRUE(test, place.on_entry);
	/* An address at the entry counts as the entry. */
	KUNIT_EXPECT_EQ(test, locate((void *)entry, NULL, 0, &place), 0);
	KUNIT_EXPECT_EQ(test, place.addr, entry);
	KUNIT_EXPECT_TRUE(test, place.on_entry);
	KUNIT_EXPECT_EQ(test, check(place.addr), 0);
}

static void with_an_offset(struct kunit *test)
{
	unsigned long fn = (unsigned long)kprobe_test_plain;
	unsigned long last = size_of(fn) - 1;
	struct kprobe_place place;

	KUNIT_ASSERT_GT(test, last, test_entry_of(kprobe_test_plain) - fn);
	KUNIT_EXPECT_EQ(test, locate(NULL, "kprobe_test_plain", last, &place), 0);
	KUNIT_EXPECT_EQ(test, place.addr, fn + last);
	KUNIT_EXPECT_FALSE(test, place.on_entry);
	KUNIT_EXPECT_EQ(test, locate((void *)fn, NULL, last, &place), 0);
	KUNIT_EXPECT_EQ(test, place.addr, fn + last);
	KUNIT_EXPECT_FALSE(test, place.on_entry);
}

static void both_neither_unknown(struct kunit *test)
{
	struct kprobe_place place;

	KUNIT_EXPECT_EQ(test, locate(NULL, NULL, 0, &place), -EINVAL);
	KUNIT_EXPECT_EQ(test, locate(kprobe_test_plain, "kprobe_test_plain", 0,
				     &place), -EINVAL);
	KUNIT_EXPECT_EQ(test, locate(NULL, "no_such_symbol", 0, &place), -ENOENT);
	KUNIT_EXPECT_EQ(test, locate(NULL, "", 0, &place), -ENOENT);
	KUNIT_EXPECT_EQ(test, locate(NULL, "no_module:kprobe_test_plain", 0,
				     &place), -ENOENT);
	KUNIT_EXPECT_EQ(test, locate(&place, NULL, 0, &place), -ENOENT);
}

static void function_entry(struct kunit *test)
{
	const struct test_target *t = test->param_value;
	unsigned long entry = test_entry_of(t->fn);
	unsigned long last = size_of((unsigned long)t->fn) - 1;
	kprobe_opcode_t *fn = (kprobe_opcode_t *)t->fn;

	KUNIT_EXPECT_EQ(test, kprobe_on_func_entry(NULL, t->name, 0), 0);
	KUNIT_EXPECT_EQ(test, kprobe_on_func_entry(fn, NULL, 0), 0);
	KUNIT_EXPECT_EQ(test, kprobe_on_func_entry((void *)entry, NULL, 0), 0);
	KUNIT_EXPECT_EQ(test, kprobe_on_func_entry(NULL, t->name, last), -EINVAL);
	KUNIT_EXPECT_EQ(test, kprobe_on_func_entry(fn, NULL, last), -EINVAL);
	KUNIT_EXPECT_EQ(test, kprobe_on_func_entry(fn, t->name, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, kprobe_on_func_entry(NULL, NULL, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, kprobe_on_func_entry(NULL, "no_such_symbol", 0),
			-ENOENT);
}

static void data_is_refused(struct kunit *test)
{
	static unsigned long in_bss;
	struct test_probe *tp;

	KUNIT_EXPECT_EQ(test, check((unsigned long)&in_bss), -EINVAL);
	KUNIT_EXPECT_EQ(test, check((unsigned long)test_targets), -EINVAL);
	KUNIT_EXPECT_EQ(test, check((unsigned long)test), -EINVAL);
	KUNIT_EXPECT_EQ(test, check(PAGE_SIZE), -EINVAL);

	tp = test_probe_at(test, &in_bss, WITH_PRE);
	KUNIT_EXPECT_NE(test, register_kprobe(&tp->kp), 0);
}

static noinline void __kprobes in_kprobes_text(void)
{
	barrier();
}

static noinline void marked_nokprobe(void)
{
	barrier();
}

NOKPROBE_SYMBOL(marked_nokprobe);

static noinstr void marked_noinstr(void)
{
	barrier();
}

/* The first, a middle and the last byte of @addr's symbol are refused. */
static void expect_black(struct kunit *test, unsigned long addr,
			 const char *what)
{
	unsigned long size = size_of(addr);

	KUNIT_EXPECT_TRUE_MSG(test, within_kprobe_blacklist(addr), "%s", what);
	if (size < 2)
		return;
	KUNIT_EXPECT_TRUE_MSG(test, within_kprobe_blacklist(addr + size / 2),
			      "middle of %s", what);
	KUNIT_EXPECT_TRUE_MSG(test, within_kprobe_blacklist(addr + size - 1),
			      "end of %s", what);
	KUNIT_EXPECT_EQ_MSG(test, check(addr), -EINVAL, "%s", what);
}

static void blacklist_covers(struct kunit *test)
{
	struct test_probe *tp;

	in_kprobes_text();
	marked_nokprobe();
	marked_noinstr();
	expect_black(test, (unsigned long)in_kprobes_text, "__kprobes");
	expect_black(test, (unsigned long)marked_nokprobe, "NOKPROBE_SYMBOL");
	expect_black(test, (unsigned long)marked_noinstr, "noinstr");
	expect_black(test, (unsigned long)__kprobes_text_start, "kprobes text");
	expect_black(test, (unsigned long)__noinstr_text_start, "noinstr text");
	expect_black(test, (unsigned long)__irqentry_text_start, "irqentry text");
	expect_black(test, (unsigned long)__entry_text_start, "entry text");

	KUNIT_EXPECT_FALSE(test, within_kprobe_blacklist((unsigned long)kprobe_test_plain));
	KUNIT_EXPECT_FALSE(test, within_kprobe_blacklist((unsigned long)vprintk));

	tp = test_probe_at(test, marked_nokprobe, WITH_PRE);
	KUNIT_EXPECT_EQ(test, register_kprobe(&tp->kp), -EINVAL);
}

/**
 * struct clones - what the compiler made of functions, as symbols with a dot
 * @test:	the test
 * @black:	clones of blacklisted functions
 * @open:	those that a probe would be allowed on
 */
struct clones {
	struct kunit *test;
	unsigned int black;
	unsigned int open;
};

static int look_at_clone(void *data, const char *name, unsigned long addr)
{
	char whole[KSYM_NAME_LEN];
	struct clones *c = data;
	unsigned long fn;
	char *dot;

	if (!core_kernel_text(addr) || strscpy(whole, name, sizeof(whole)) < 0)
		return 0;
	dot = strchr(whole, '.');
	if (!dot || dot == whole)
		return 0;
	*dot = '\0';
	fn = kallsyms_lookup_name(whole);
	if (!fn || !within_kprobe_blacklist(fn))
		return 0;
	c->black++;
	/* Debuggers call the former, registration the latter. */
	if (within_kprobe_blacklist(addr) && check(addr) == -EINVAL)
		return 0;
	c->open++;
	kunit_err(c->test, "%s can be probed", name);
	return 0;
}

static void clones_are_as_black(struct kunit *test)
{
	struct clones c = { .test = test };

	kallsyms_on_each_symbol(look_at_clone, &c);
	if (!c.black)
		kunit_skip(test, "the compiler split no blacklisted function");
	KUNIT_EXPECT_EQ(test, c.open, 0);
}

/* Padding before functions, if the architecture has it. */
static void padding_is_refused(struct kunit *test)
{
	static const char * const names[] = { "__pfx_vprintk", "__cfi_vprintk" };
	unsigned int i, found = 0;
	struct kprobe_place place;
	unsigned long addr;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		addr = kallsyms_lookup_name(names[i]);
		if (!addr)
			continue;
		found++;
		KUNIT_EXPECT_EQ_MSG(test, check(addr), -EINVAL, "%s", names[i]);
		KUNIT_EXPECT_EQ_MSG(test, locate((void *)addr, NULL, 0, &place), 0, "%s", names[i]);
		KUNIT_EXPECT_TRUE_MSG(test, place.is_padding, "%s", names[i]);
	}
	if (IS_ENABLED(CONFIG_PREFIX_SYMBOLS))
		KUNIT_EXPECT_GT(test, found, 0);
	KUNIT_EXPECT_EQ(test, locate((void *)vprintk, NULL, 0, &place), 0);
	KUNIT_EXPECT_FALSE(test, place.is_padding);
}

/*
 * By name, so that a function that loses its mark is found. Functions that the compiler
 * inlined do not exist; the first few must exist, or the list is out of date.
 */
static const char * const hit_path[] = {
	"get_kprobe", "site_pre_handler", "kprobes_inc_nmissed_count",
	"kprobe_busy_begin", "kprobe_busy_end",
#define NR_HIT_PATH_ALWAYS	5
	"site_lookup", "site_post_handler", "opt_pre_handler", "kprobe_jump_hit",
	"site_pre_handlers", "dump_kprobe",
	"kprobe_exceptions_notify",
	"kretprobe_pre_handler", "kretprobe_pool_get", "kretprobe_pool_put",
	"kretprobe_hook", "kretprobe_returned", "kretprobe_find_ret_addr",
	"__kretprobe_trampoline_handler", "run_handler", "first_hook",
	"rethook_try_get", "rethook_hook", "rethook_recycle", "shared_push",
	"returned_through_many", "recycle_down_to",
	"rethook_find_ret_addr", "rethook_trampoline_handler",
	"rethook_flush_task", "node_came_back", "no_way_back",
	"arch_rethook_trampoline", "arch_rethook_trampoline_callback",
	"arch_rethook_prepare", "arch_rethook_fixup_return",
	"kprobe_int3_handler", "first_hit", "nested_hit", "step_trap",
	"kprobe_fault_handler", "kprobe_ftrace_handler", "ftrace_hit",
	"arch_kprobe_entry_hit", "kprobe_breakpoint_handler",
	"site_ip_hit", "site_entry_hit", "only_hit", "any_hit",
	"entry_hit", "many_hit", "far_hit", "nobody_hit",
	"fprobe_entry_hit", "fprobe_call_hit", "fprobe_any_hit", "fprobe_switch_hit",
	"any_entered", "any_returned", "fprobe_returned",
	"exc_int3", "asm_exc_int3", "do_int3", "poke_int3_handler",
};

static void hit_path_is_refused(struct kunit *test)
{
	unsigned long addr;
	int i;

	for (i = 0; i < ARRAY_SIZE(hit_path); i++) {
		addr = kallsyms_lookup_name(hit_path[i]);
		if (addr)
			expect_black(test, addr, hit_path[i]);
		else
			KUNIT_EXPECT_GE_MSG(test, i, NR_HIT_PATH_ALWAYS,
					    "there is no %s", hit_path[i]);
	}
}

#ifdef CONFIG_GENERIC_BUG
extern struct bug_entry __start___bug_table[], __stop___bug_table[];

#ifdef CONFIG_GENERIC_BUG_RELATIVE_POINTERS
static unsigned long address_of_bug(const struct bug_entry *bug)
{
	return (unsigned long)&bug->bug_addr_disp + bug->bug_addr_disp;
}
#else
static unsigned long address_of_bug(const struct bug_entry *bug)
{
	return bug->bug_addr;
}
#endif

static noinline __noclone unsigned long may_warn(unsigned long x)
{
	WARN_ON(x == 1234567);
	return x + 1;
}

/* arch_may_be_bug() must be true for all of the kernel's. */
static void bugs_are_refused(struct kunit *test)
{
	unsigned long fn = (unsigned long)may_warn, addr;
	unsigned int ours = 0, missed = 0;
	struct bug_entry *bug;

	KUNIT_EXPECT_EQ(test, may_warn(1), 2);
	for (bug = __start___bug_table; bug < __stop___bug_table; bug++) {
		addr = address_of_bug(bug);
		/* Init text may be gone. */
		if (!__is_kernel_text(addr))
			continue;
		if (!arch_may_be_bug(addr) && !missed++)
			KUNIT_FAIL(test, "%pS", (void *)addr);
		if (addr - fn >= size_of(fn))
			continue;
		ours++;
		KUNIT_EXPECT_EQ(test, check(addr), -EINVAL);
	}
	KUNIT_EXPECT_EQ(test, missed, 0);
	KUNIT_EXPECT_EQ(test, ours, 1);
	KUNIT_EXPECT_EQ(test, check(test_entry_of(may_warn)), 0);
}
#else
static void bugs_are_refused(struct kunit *test)
{
	kunit_skip(test, "there is no list of them");
}
#endif

#ifdef CONFIG_JUMP_LABEL
static DEFINE_STATIC_KEY_FALSE(branch_key);

static noinline __noclone unsigned long has_a_branch(unsigned long x)
{
	if (static_branch_unlikely(&branch_key))
		return x + 2;
	return x + 1;
}

static void static_branches_are_refused(struct kunit *test)
{
	unsigned long fn = (unsigned long)has_a_branch, addr;
	unsigned int ours = 0, missed = 0;
	struct jump_entry *entry;

	KUNIT_EXPECT_EQ(test, has_a_branch(1), 2);
	for (entry = __start___jump_table; entry < __stop___jump_table; entry++) {
		addr = jump_entry_code(entry);
		if (jump_entry_is_init(entry) || !__is_kernel_text(addr))
			continue;
		if (!arch_may_be_jump_label(addr) && !missed++)
			KUNIT_FAIL(test, "%pS", (void *)addr);
		if (addr - fn >= size_of(fn))
			continue;
		ours++;
		KUNIT_EXPECT_EQ(test, check(addr), -EINVAL);
		static_branch_enable(&branch_key);
		KUNIT_EXPECT_EQ(test, has_a_branch(1), 3);
		KUNIT_EXPECT_TRUE(test, arch_may_be_jump_label(addr));
		KUNIT_EXPECT_EQ(test, check(addr), -EINVAL);
		static_branch_disable(&branch_key);
	}
	KUNIT_EXPECT_EQ(test, missed, 0);
	KUNIT_EXPECT_EQ(test, ours, 1);
	KUNIT_EXPECT_EQ(test, check(test_entry_of(has_a_branch)), 0);
}
#else
static void static_branches_are_refused(struct kunit *test)
{
	kunit_skip(test, "there are none");
}
#endif

KUNIT_ARRAY_PARAM_DESC(target, test_targets, name);

static struct kunit_case locate_cases[] = {
	KUNIT_CASE_PARAM(by_name_and_by_address, target_gen_params),
	KUNIT_CASE(with_an_offset),
	KUNIT_CASE(both_neither_unknown),
	KUNIT_CASE_PARAM(function_entry, target_gen_params),
	KUNIT_CASE(data_is_refused),
	KUNIT_CASE(blacklist_covers),
	KUNIT_CASE_SLOW(clones_are_as_black),
	KUNIT_CASE(padding_is_refused),
	KUNIT_CASE(hit_path_is_refused),
	KUNIT_CASE(bugs_are_refused),
	KUNIT_CASE(static_branches_are_refused),
	{}
};

static struct kunit_suite locate_suite = {
	.name = "kprobes_locate",
	.test_cases = locate_cases,
};

kunit_test_suite(locate_suite);
