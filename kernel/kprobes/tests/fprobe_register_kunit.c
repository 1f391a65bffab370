// SPDX-License-Identifier: GPL-2.0-only
/* Registration of fprobes: hooked functions, errors, and that a failure leaves nothing behind. */
#include <linux/entry_hook.h>
#include <linux/fprobe.h>
#include <linux/ftrace.h>
#include <linux/kallsyms.h>
#include <linux/limits.h>
#include <linux/rcupdate.h>
#include <linux/rethook.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "fprobes.h"

#define NR_HOOKABLE	3

static const target_fn hookable[NR_HOOKABLE] = {
	fprobe_test_one, fprobe_test_two, fprobe_test_three,
};

/* Call the three functions. @tf must see so many entries and exits. */
static void expect_hits(struct kunit *test, struct test_fprobe *tf, int entries, int exits)
{
	int i;

	test_fprobe_reset(tf);
	for (i = 0; i < NR_HOOKABLE; i++)
		test_call(test, hookable[i], 1);
	test_fprobe_expect(test, tf, entries, exits, 0);
}

/**
 * struct text - text at the entries of functions
 * @bytes: the first bytes of each function
 */
struct text {
	u8 bytes[NR_HOOKABLE][32];
};

static void read_text(struct kunit *test, struct text *text)
{
	int i;

	for (i = 0; i < NR_HOOKABLE; i++)
		KUNIT_ASSERT_EQ(test,
				copy_from_kernel_nofault(text->bytes[i],
							 (void *)fprobe_test_address(hookable[i]),
							 sizeof(text->bytes[i])), 0);
}

/* The text of the functions when they are not hooked. */
static struct text pristine;

static int register_suite_init(struct kunit *test)
{
	read_text(test, &pristine);
	return 0;
}

/* The fprobe is not registered, no handler is called, and the text is as it was. */
static void expect_nothing_left(struct kunit *test, struct test_fprobe *tf)
{
	struct text text;

	KUNIT_EXPECT_FALSE(test, fprobe_is_registered(&tf->fp));
	KUNIT_EXPECT_EQ(test, unregister_fprobe(&tf->fp), -EINVAL);
	expect_hits(test, tf, 0, 0);
	read_text(test, &text);
	KUNIT_EXPECT_MEMEQ(test, &text, &pristine, sizeof(text));
}

/* Registration returned @ret, which must be 0. Check the hits, and unregister. */
static void expect_registered(struct kunit *test, struct test_fprobe *tf, int ret, int hits)
{
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_TRUE(test, fprobe_is_registered(&tf->fp));
	expect_hits(test, tf, tf->fp.entry_handler ? hits : 0, tf->fp.exit_handler ? hits : 0);
	KUNIT_EXPECT_EQ(test, unregister_fprobe(&tf->fp), 0);
	expect_nothing_left(test, tf);
}

/* Combinations of handlers that tests use. */
static const unsigned int kinds[] = { WITH_ENTRY, WITH_EXIT, WITH_ALL };

static void kind_desc(const unsigned int *with, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s%s%s", *with & WITH_ENTRY ? " entry" : "",
		 *with & WITH_EXIT ? " exit" : "", *with & WITH_DATA ? " data" : "");
}

KUNIT_ARRAY_PARAM(kind, kinds, kind_desc);

static struct test_fprobe *fprobe_of_kind(struct kunit *test)
{
	return test_fprobe_make(test, *(const unsigned int *)test->param_value);
}

static void no_fprobe(struct kunit *test)
{
	unsigned long addr = fprobe_test_address(fprobe_test_one);
	const char *sym = "fprobe_test_one";

	KUNIT_EXPECT_EQ(test, register_fprobe(NULL, sym, NULL), -EINVAL);
	KUNIT_EXPECT_EQ(test, register_fprobe_ips(NULL, &addr, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, register_fprobe_syms(NULL, &sym, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, unregister_fprobe(NULL), -EINVAL);
	KUNIT_EXPECT_FALSE(test, fprobe_is_registered(NULL));
	KUNIT_EXPECT_FALSE(test, fprobe_disabled(NULL));
	disable_fprobe(NULL);
	enable_fprobe(NULL);
}

/**
 * struct pattern_case - a pair of patterns
 * @filter: pattern for functions
 * @not: pattern for functions to exclude
 * @hits: number of the three functions that are hooked
 */
struct pattern_case {
	const char *filter;
	const char *not;
	int hits;
};

static const struct pattern_case bad_patterns[] = {
	{ NULL, NULL },
	{ NULL, "fprobe_test_*" },
	{ "", NULL },
	{ "no_such_function", NULL },
	{ "no_such_function_*", NULL },
	{ "fprobe_test_hidden", NULL },
	{ "jiffies", NULL },
	{ "fprobe_test_one fprobe_test_two", NULL },
	{ "!fprobe_test_*", NULL },
	{ "no_such_module:fprobe_test_*", NULL },
	{ "fprobe_test_*", "" },
	{ "fprobe_test_*", "no_such_function*" },
};

static void by_wrong_pattern(struct kunit *test)
{
	struct test_fprobe *tf = test_fprobe_make(test, WITH_ALL);
	const struct pattern_case *p;
	int ret;

	for (p = bad_patterns; p < bad_patterns + ARRAY_SIZE(bad_patterns); p++) {
		ret = register_fprobe(&tf->fp, p->filter, p->not);
		KUNIT_EXPECT_EQ_MSG(test, ret, -EINVAL, "%s, %s", p->filter ?: "(null)",
				    p->not ?: "(null)");
		expect_nothing_left(test, tf);
	}
}

static const struct pattern_case patterns[] = {
	{ "fprobe_test_one", NULL, 1 },
	{ "fprobe_test_on?", NULL, 1 },
	{ "*robe_test_one", NULL, 1 },
	{ "fprobe_test_[ot]*", NULL, 3 },
	{ "fprobe_test_t[!w]*", NULL, 1 },
	{ "fprobe_test_*", "fprobe_test_t*", 1 },
	{ "fprobe_test_*", "fprobe_test_one", 2 },
	{ "fprobe_test_*", "fprobe_*", 0 },
};

static void pattern_desc(const struct pattern_case *p, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s but %s", p->filter, p->not ?: "none");
}

KUNIT_ARRAY_PARAM(pattern, patterns, pattern_desc);

static void by_pattern(struct kunit *test)
{
	const struct pattern_case *p = test->param_value;
	struct test_fprobe *tf = test_fprobe_make(test, WITH_ALL);

	expect_registered(test, tf, register_fprobe(&tf->fp, p->filter, p->not), p->hits);
}

/**
 * struct names_case - an array of names, and the result of registration
 * @names: the array
 * @num: the length that is passed
 * @ret: what registration returns
 * @hits: if that is 0, number of the three functions that are hooked
 */
struct names_case {
	const char *names[3];
	int num;
	int ret;
	int hits;
};

static const struct names_case names_cases[] = {
	{ { "fprobe_test_one" }, 0, -EINVAL },
	{ { "fprobe_test_one" }, -1, -EINVAL },
	{ { "fprobe_test_one" }, INT_MIN, -EINVAL },
	{ { "no_such_function" }, 1, -ENOENT },
	{ { "fprobe_test_one", "no_such_function" }, 2, -ENOENT },
	{ { "no_such_function", "fprobe_test_one" }, 2, -ENOENT },
	{ { "fprobe_test_hidden" }, 1, -ENOENT },
	{ { "jiffies" }, 1, -ENOENT },
	{ { "" }, 1, -ENOENT },
	{ { "fprobe_test_*" }, 1, -ENOENT },
	{ { "fprobe_test_one+1" }, 1, -ENOENT },
	{ { "fprobe_test_one", "fprobe_test_one" }, 2, -ENOENT },
	{ { "fprobe_test_one" }, 1, 0, 1 },
	{ { "fprobe_test_two", "fprobe_test_one" }, 2, 0, 2 },
	{ { "fprobe_test_two", "fprobe_test_three", "fprobe_test_one" }, 3, 0, 3 },
};

static void by_name(struct kunit *test)
{
	struct test_fprobe *tf = fprobe_of_kind(test);
	const struct names_case *n;
	const char *names[3];
	int ret;

	KUNIT_EXPECT_EQ(test, register_fprobe_syms(&tf->fp, NULL, 1), -EINVAL);
	expect_nothing_left(test, tf);
	for (n = names_cases; n < names_cases + ARRAY_SIZE(names_cases); n++) {
		/* Names are checked before entry_data_size. */
		if (n->ret && !tf->fp.entry_data_size)
			continue;
		memcpy(names, n->names, sizeof(names));
		ret = register_fprobe_syms(&tf->fp, names, n->num);
		KUNIT_EXPECT_EQ_MSG(test, ret, n->ret, "%s, %d of them", names[0], n->num);
		if (ret)
			expect_nothing_left(test, tf);
		else
			expect_registered(test, tf, ret, n->hits);
		/* The caller's array is not sorted. */
		KUNIT_EXPECT_MEMEQ(test, names, n->names, sizeof(names));
	}
}

/* Register for @addr alone, and for @addr after a valid address. Both are refused. */
static void expect_refused(struct kunit *test, struct test_fprobe *tf, unsigned long addr)
{
	unsigned long addrs[2] = { addr, 0 };

	KUNIT_EXPECT_EQ_MSG(test, register_fprobe_ips(&tf->fp, addrs, 1), -EINVAL,
			    "%pS", (void *)addr);
	expect_nothing_left(test, tf);

	addrs[0] = fprobe_test_address(fprobe_test_one);
	addrs[1] = addr;
	KUNIT_EXPECT_EQ(test, register_fprobe_ips(&tf->fp, addrs, 2), -EINVAL);
	expect_nothing_left(test, tf);
}

static void by_wrong_address(struct kunit *test)
{
	struct test_fprobe *tf = fprobe_of_kind(test);
	unsigned long addr = fprobe_test_address(fprobe_test_one);
	unsigned long mcount = ftrace_location(addr);
	static unsigned long data;

	KUNIT_EXPECT_EQ(test, register_fprobe_ips(&tf->fp, NULL, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, register_fprobe_ips(&tf->fp, &addr, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, register_fprobe_ips(&tf->fp, &addr, -1), -EINVAL);
	KUNIT_EXPECT_EQ(test, register_fprobe_ips(&tf->fp, &addr, INT_MIN), -EINVAL);
	expect_nothing_left(test, tf);

	expect_refused(test, tf, 0);
	expect_refused(test, tf, 1);
	expect_refused(test, tf, ULONG_MAX);
	expect_refused(test, tf, (unsigned long)&data);
	expect_refused(test, tf, fprobe_test_address(fprobe_test_hidden));
	/* Inside: after ftrace's call, and before it if it is not the first instruction. */
	expect_refused(test, tf, mcount + MCOUNT_INSN_SIZE);
	if (mcount != addr)
		expect_refused(test, tf, addr + 1);
}

static void by_address(struct kunit *test)
{
	struct test_fprobe *tf = fprobe_of_kind(test);
	unsigned long one = fprobe_test_address(fprobe_test_one);
	unsigned long two = fprobe_test_address(fprobe_test_two);
	unsigned long mcount = ftrace_location(one);
	unsigned long addrs[4];

	addrs[0] = one;
	expect_registered(test, tf, register_fprobe_ips(&tf->fp, addrs, 1), 1);
	KUNIT_EXPECT_EQ(test, addrs[0], one);
	if (tf->fp.entry_handler)
		KUNIT_EXPECT_EQ(test, tf->entry_ip, mcount);

	/* The address of ftrace's call, and an address within that call. */
	addrs[0] = mcount;
	expect_registered(test, tf, register_fprobe_ips(&tf->fp, addrs, 1), 1);
	addrs[0] = mcount + MCOUNT_INSN_SIZE - 1;
	expect_registered(test, tf, register_fprobe_ips(&tf->fp, addrs, 1), 1);

	addrs[0] = max(one, two);
	addrs[1] = min(one, two);
	expect_registered(test, tf, register_fprobe_ips(&tf->fp, addrs, 2), 2);
	KUNIT_EXPECT_EQ(test, addrs[0], max(one, two));

	/* A function that is given several times is hooked once. */
	addrs[0] = one;
	addrs[1] = mcount;
	addrs[2] = two;
	addrs[3] = one;
	expect_registered(test, tf, register_fprobe_ips(&tf->fp, addrs, 4), 2);
}

/* An fprobe without handlers can be registered. */
static void no_handlers(struct kunit *test)
{
	struct test_fprobe *tf = test_fprobe_make(test, 0);
	unsigned long addr = fprobe_test_address(fprobe_test_one);
	const char *sym = "fprobe_test_one";

	expect_registered(test, tf, register_fprobe(&tf->fp, "fprobe_test_*", NULL), 0);
	expect_registered(test, tf, register_fprobe_ips(&tf->fp, &addr, 1), 0);
	expect_registered(test, tf, register_fprobe_syms(&tf->fp, &sym, 1), 0);
}

static void twice(struct kunit *test)
{
	struct test_fprobe *tf = fprobe_of_kind(test);
	unsigned long addr = fprobe_test_address(fprobe_test_two);
	const char *sym = "fprobe_test_two";

	expect_nothing_left(test, tf);
	KUNIT_ASSERT_EQ(test, register_fprobe(&tf->fp, "fprobe_test_one", NULL), 0);
	/* It is registered: registering it again is refused, and changes nothing. */
	KUNIT_EXPECT_EQ(test, register_fprobe(&tf->fp, "fprobe_test_*", NULL), -EBUSY);
	KUNIT_EXPECT_EQ(test, register_fprobe_ips(&tf->fp, &addr, 1), -EBUSY);
	KUNIT_EXPECT_EQ(test, register_fprobe_syms(&tf->fp, &sym, 1), -EBUSY);
	expect_registered(test, tf, 0, 1);
	/* After it was unregistered, it can be registered again. That resets nmissed. */
	tf->fp.nmissed = 77;
	expect_registered(test, tf, register_fprobe(&tf->fp, "fprobe_test_t*", NULL), 2);
}

static void entry_data_sizes(struct kunit *test)
{
	static const size_t refused[] = {
		RETHOOK_MAX_NODE_SIZE, SZ_1M, 1UL << 31, UINT_MAX, LONG_MAX, ULONG_MAX - 4096,
		ULONG_MAX,
	};
	struct test_fprobe *tf = test_fprobe_make(test, WITH_EXIT);
	int i;

	for (i = 0; i < ARRAY_SIZE(refused); i++) {
		tf->fp.entry_data_size = refused[i];
		KUNIT_EXPECT_EQ(test, register_fprobe(&tf->fp, "fprobe_test_one", NULL),
				-ENOMEM);
		expect_nothing_left(test, tf);
	}
	tf->fp.entry_data_size = 1;
	expect_registered(test, tf, register_fprobe(&tf->fp, "fprobe_test_one", NULL), 1);
	tf->fp.entry_data_size = RETHOOK_MAX_NODE_SIZE - 64;
	expect_registered(test, tf, register_fprobe(&tf->fp, "fprobe_test_one", NULL), 1);
	tf->fp.entry_data_size = 4096;
	expect_registered(test, tf, register_fprobe(&tf->fp, "fprobe_test_one", NULL), 1);

	/* Without an exit handler no data is allocated, with any size. */
	tf = test_fprobe_make(test, WITH_ENTRY);
	tf->fp.entry_data_size = ULONG_MAX;
	expect_registered(test, tf, register_fprobe(&tf->fp, "fprobe_test_one", NULL), 1);
}

static void limits(struct kunit *test)
{
	static const int refused[] = { -1, INT_MIN }, good[] = { 0, 1, 7, 100000, INT_MAX };
	struct test_fprobe *tf = test_fprobe_make(test, WITH_ALL);
	int i;

	for (i = 0; i < ARRAY_SIZE(refused); i++) {
		tf->fp.nr_maxactive = refused[i];
		KUNIT_EXPECT_EQ(test, register_fprobe(&tf->fp, "fprobe_test_one", NULL),
				-EINVAL);
		expect_nothing_left(test, tf);
	}
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		tf->fp.nr_maxactive = good[i];
		expect_registered(test, tf,
				  register_fprobe(&tf->fp, "fprobe_test_one", NULL), 1);
		KUNIT_EXPECT_EQ(test, tf->fp.nr_maxactive, good[i]);
	}
	/* Without an exit handler nr_maxactive is not used. */
	tf = test_fprobe_make(test, WITH_ENTRY);
	tf->fp.nr_maxactive = -1;
	expect_registered(test, tf, register_fprobe(&tf->fp, "fprobe_test_one", NULL), 1);
}

static void registered_disabled(struct kunit *test)
{
	struct test_fprobe *tf = fprobe_of_kind(test);

	tf->fp.flags = FPROBE_FL_DISABLED;
	KUNIT_ASSERT_EQ(test, register_fprobe(&tf->fp, "fprobe_test_*", NULL), 0);
	KUNIT_EXPECT_TRUE(test, fprobe_disabled(&tf->fp));
	expect_hits(test, tf, 0, 0);
	enable_fprobe(&tf->fp);
	expect_registered(test, tf, 0, 3);
}

static void call_many(struct kunit *test)
{
	int i;

	for (i = 0; i < NR_FPROBE_MANY; i++)
		test_call(test, fprobe_many[i], 1);
}

/* A thousand functions are hooked by one update of ftrace, and unhooked by one. */
static void a_thousand_functions(struct kunit *test)
{
	struct test_fprobe *tf = fprobe_of_kind(test);
	struct test_probe *updates = test_probe_at(test, NULL, WITH_PRE);

	updates->kp.symbol_name = "ftrace_modify_all_code";
	KUNIT_ASSERT_EQ(test, register_kprobe(&updates->kp), 0);
	KUNIT_ASSERT_EQ(test, register_fprobe(&tf->fp, "fprobe_many_*", NULL), 0);
	KUNIT_EXPECT_EQ(test, test_pre_hits(updates), 1);

	call_many(test);
	test_fprobe_expect(test, tf, tf->fp.entry_handler ? NR_FPROBE_MANY : 0,
			   tf->fp.exit_handler ? NR_FPROBE_MANY : 0, 0);
	KUNIT_EXPECT_EQ(test, unregister_fprobe(&tf->fp), 0);
	KUNIT_EXPECT_EQ(test, test_pre_hits(updates), 2);

	test_fprobe_reset(tf);
	call_many(test);
	test_fprobe_expect(test, tf, 0, 0, 0);
}

/* Functions that another fprobe has hooked are shared with it, and not patched again. */
static void a_thousand_functions_twice(struct kunit *test)
{
	struct test_fprobe *first = test_fprobe_on(test, "fprobe_many_*", WITH_ALL);
	struct test_fprobe *tf = fprobe_of_kind(test);
	struct test_probe *updates = test_probe_at(test, NULL, WITH_PRE);

	updates->kp.symbol_name = "ftrace_modify_all_code";
	KUNIT_ASSERT_EQ(test, register_kprobe(&updates->kp), 0);
	KUNIT_ASSERT_EQ(test, register_fprobe(&tf->fp, "fprobe_many_*", NULL), 0);
	call_many(test);
	KUNIT_EXPECT_EQ(test, unregister_fprobe(&tf->fp), 0);
	call_many(test);
	KUNIT_EXPECT_EQ(test, test_pre_hits(updates), 0);
	test_fprobe_expect(test, tf, tf->fp.entry_handler ? NR_FPROBE_MANY : 0,
			   tf->fp.exit_handler ? NR_FPROBE_MANY : 0, 0);
	test_fprobe_expect(test, first, 2 * NR_FPROBE_MANY, 2 * NR_FPROBE_MANY, 0);
}

static const struct pattern_case going[] = {
	{ "fprobe_test_one", NULL, 1 },
	{ "fprobe_test_[ot]*", NULL, 3 },
	{ "fprobe_test_two", NULL, 1 },
	{ "fprobe_test_t*", NULL, 2 },
};

/* Several fprobes are unregistered by one update. One on the same functions stays. */
static void many_go_at_once(struct kunit *test)
{
	struct test_fprobe *stays = test_fprobe_on(test, "fprobe_test_two", WITH_ALL);
	struct test_probe *updates = test_probe_at(test, NULL, WITH_PRE);
	struct test_fprobe *tf[ARRAY_SIZE(going)];
	struct fprobe *fps[ARRAY_SIZE(going)];
	int i;

	for (i = 0; i < ARRAY_SIZE(going); i++) {
		tf[i] = test_fprobe_on(test, going[i].filter, WITH_ALL);
		expect_hits(test, tf[i], going[i].hits, going[i].hits);
		fps[i] = &tf[i]->fp;
	}
	updates->kp.symbol_name = "ftrace_modify_all_code";
	KUNIT_ASSERT_EQ(test, register_kprobe(&updates->kp), 0);
	unregister_fprobes_nowait(fps, ARRAY_SIZE(fps));
	KUNIT_EXPECT_EQ(test, test_pre_hits(updates), 1);
	synchronize_rcu();

	for (i = 0; i < ARRAY_SIZE(going); i++) {
		KUNIT_EXPECT_FALSE(test, fprobe_is_registered(fps[i]));
		expect_hits(test, tf[i], 0, 0);
	}
	expect_registered(test, stays, 0, 1);
	/* They can be registered again. */
	for (i = 0; i < ARRAY_SIZE(going); i++)
		expect_registered(test, tf[i], register_fprobe(fps[i], going[i].filter, NULL),
				  going[i].hits);
}

/**
 * struct calls - distances of ftrace's calls from the start of their functions
 * @near: number of functions in which it is within ARCH_ENTRY_REACH
 * @far: number of functions in which it is beyond that
 * @farthest: the largest distance within it
 */
struct calls {
	unsigned int	near;
	unsigned int	far;
	unsigned long	farthest;
};

static int count_call(void *data, const char *name, unsigned long addr)
{
	unsigned long ip = ftrace_location(addr);
	struct calls *calls = data;

	if (!ip)
		return 0;
	if (ip - addr > ARCH_ENTRY_REACH) {
		calls->far++;
		return 0;
	}
	calls->near++;
	calls->farthest = max(calls->farthest, ip - addr);
	return 0;
}

/*
 * Calls beyond ARCH_ENTRY_REACH belong to functions that the linker dropped, which are few. The
 * lookup of names uses this bound: if it is too small, lookups are slow; if it is too large, they
 * find wrong functions.
 */
static void bound_of_calls(struct kunit *test)
{
	struct calls calls = { };

	kallsyms_on_each_symbol(count_call, &calls);
	kunit_info(test, "%u of %u calls are beyond it\n", calls.far, calls.near + calls.far);
	KUNIT_EXPECT_GT(test, calls.near, 100 * calls.far);
	KUNIT_EXPECT_EQ(test, calls.farthest, ARCH_ENTRY_REACH);
}

static struct kunit_case register_cases[] = {
	KUNIT_CASE(bound_of_calls),
	KUNIT_CASE(no_fprobe),
	KUNIT_CASE(by_wrong_pattern),
	KUNIT_CASE_PARAM(by_pattern, pattern_gen_params),
	KUNIT_CASE_PARAM(by_name, kind_gen_params),
	KUNIT_CASE_PARAM(by_wrong_address, kind_gen_params),
	KUNIT_CASE_PARAM(by_address, kind_gen_params),
	KUNIT_CASE(no_handlers),
	KUNIT_CASE_PARAM(twice, kind_gen_params),
	KUNIT_CASE(entry_data_sizes),
	KUNIT_CASE(limits),
	KUNIT_CASE_PARAM(registered_disabled, kind_gen_params),
	KUNIT_CASE_PARAM(a_thousand_functions, kind_gen_params),
	KUNIT_CASE_PARAM(a_thousand_functions_twice, kind_gen_params),
	KUNIT_CASE(many_go_at_once),
	{}
};

static struct kunit_suite register_suite = {
	.name = "kprobes_fprobe_register",
	.init = register_suite_init,
	.test_cases = register_cases,
};

kunit_test_suite(register_suite);
