// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tests of the argument engine: values that are kept from a function's entry to its return. This
 * needs no probe: the test is the function.
 */
#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/sched/clock.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/unaligned.h>

#include "args_internal.h"
#include "args_kunit.h"

#define RETURN		(TPARG_FL_KERNEL | TPARG_FL_RETURN)
#define RECORD_SIZE	2048
#define MOST_ARGS	16
#define FILL		0xa5

/* A call of a function, and the record of its return. */
struct call {
	struct trace_probe	*tp;
	struct pt_regs		regs;
	unsigned long		kept[ARG_MAX_KEPT / sizeof(long)];
	u8			record[RECORD_SIZE];
	struct args_record	rec;
	void __user		*room;
};

/* Add an argument. Returns the result of the engine. */
static int add(struct call *call, const char *text)
{
	struct traceprobe_parse_context ctx = { .flags = RETURN };
	struct trace_probe *tp = call->tp;
	struct probe_arg *arg = &tp->args[tp->nr_args];
	int err;

	mutex_lock(&dyn_event_ops_mutex);
	err = traceprobe_parse_probe_arg(tp, tp->nr_args, text, &ctx);
	traceprobe_finish_parse(&ctx);
	mutex_unlock(&dyn_event_ops_mutex);
	if (err)
		probe_arg_free(arg);
	else
		tp->nr_args++;
	return err;
}

static void add_all(struct kunit *test, struct call *call, const char *const *texts)
{
	for (; *texts; texts++)
		KUNIT_ASSERT_EQ_MSG(test, add(call, *texts), 0, "%s", *texts);
}

#define ADD(test, call, ...)	\
	add_all(test, call, (const char * const []){ __VA_ARGS__, NULL })

static struct call *call_of(struct kunit *test)
{
	struct call *call = kunit_kzalloc(test, sizeof(*call), GFP_KERNEL);
	struct trace_probe *tp = kzalloc(struct_size(tp, args, MOST_ARGS), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, call);
	KUNIT_ASSERT_NOT_NULL(test, tp);
	KUNIT_ASSERT_EQ(test, trace_probe_init(tp, "kunit", "kunit", false, MOST_ARGS), 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, argument_free, tp), 0);
	tp->nr_args = 0;
	call->tp = tp;
	memset(call->kept, FILL, sizeof(call->kept));
	return call;
}

/* Set parameter @n, from 0. */
static void pass(struct kunit *test, struct call *call, unsigned int n, unsigned long value)
{
	int at = arch_param_offset(n);

	if (at < 0)
		kunit_skip(test, "not known in which register parameters are");
	*(unsigned long *)((void *)&call->regs + at) = value;
}

static void enter(struct call *call)
{
	guard(preempt)();
	if (args_keep_is_mixed(call->tp))
		args_keep_mixed(call->tp, &call->regs, call->kept);
	else
		args_keep(call->tp, &call->regs, call->kept);
}

/* Return from the call, with a record of so many bytes. */
static void leave_with(struct call *call, unsigned int room)
{
	struct args_hit hit = { .regs = &call->regs, .kept = call->kept };

	memset(call->record, FILL, sizeof(call->record));
	call->rec = (struct args_record) {
		.base	= call->record,
		.args	= call->record,
		.room	= room,
	};
	guard(preempt)();
	if (args_keep_is_timed(call->tp))
		args_stop_time(call->tp, call->kept);
	args_store(call->tp, &hit, &call->rec);
}

static void leave(struct call *call)
{
	/* At the return the registers do not have the parameters. */
	memset(&call->regs, FILL, sizeof(call->regs));
	leave_with(call, RECORD_SIZE);
}

static u64 number(const struct call *call, unsigned int nr)
{
	const struct probe_arg *arg = &call->tp->args[nr];
	const u8 *place = call->record + arg->offset;

	return arg->type->size == sizeof(u64) ? get_unaligned((u64 *)place) :
						get_unaligned((u32 *)place);
}

/* Element @i of argument @nr; NULL if it has no bytes. */
static const char *text_at(const struct call *call, unsigned int nr, unsigned int i)
{
	const u8 *place = call->record + call->tp->args[nr].offset + i * sizeof(u32);
	u32 loc = get_unaligned((u32 *)place);

	return get_loc_len(loc) ? (const char *)call->record + get_loc_offs(loc) : NULL;
}

static const char *text(const struct call *call, unsigned int nr)
{
	return text_at(call, nr, 0) ?: "(none)";
}

static void put_user_text(struct kunit *test, void __user *to, const char *what)
{
	KUNIT_ASSERT_EQ(test, copy_to_user(to, what, strlen(what) + 1), 0);
}

/* Numbers */

static void how_they_are_called(struct kunit *test)
{
	static const struct {
		const char *text, *name, *type;
	} all[] = {
		{ "$duration",		"duration",	"u64" },
		{ "$entry_cpu",		"entry_cpu",	"u32" },
		{ "us=$duration:x32",	"us",		"x32" },
		{ "c=$entry_cpu:s64",	"c",		"s64" },
		{ "d=$duration",	"d",		"u64" },
	};
	struct call *call = call_of(test);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(all); i++) {
		KUNIT_ASSERT_EQ_MSG(test, add(call, all[i].text), 0, "%s", all[i].text);
		KUNIT_EXPECT_STREQ(test, call->tp->args[i].name, all[i].name);
		KUNIT_EXPECT_STREQ(test, call->tp->args[i].type->name, all[i].type);
	}
	/* Names must be unique, and $duration1 does not exist. */
	KUNIT_EXPECT_EQ(test, add(call, "$duration"), -EINVAL);
	KUNIT_EXPECT_EQ(test, add(call, "$duration1"), -EINVAL);
	KUNIT_EXPECT_EQ(test, add(call, "e=$duration:string"), -EINVAL);
	KUNIT_EXPECT_EQ(test, add(call, "e=$duration:u64[2]"), -EINVAL);
	KUNIT_EXPECT_EQ(test, add(call, "e=$duration:enum"), -EINVAL);
}

static void nothing_where_unused(struct kunit *test)
{
	struct call *call = call_of(test);

	ADD(test, call, "a=$retval", "b=$comm", "c=$current");
	KUNIT_EXPECT_EQ(test, args_kept_size(call->tp), 0);
	KUNIT_EXPECT_NULL(test, call->tp->entry_arg);
	ADD(test, call, "d=$arg1", "e=+0($arg1):ustring", "f=$arg2");
	KUNIT_EXPECT_EQ(test, args_kept_size(call->tp), 2 * sizeof(long));
	KUNIT_EXPECT_FALSE(test, args_keep_is_mixed(call->tp));
	KUNIT_EXPECT_FALSE(test, args_keep_is_timed(call->tp));
}

static void kept_once(struct kunit *test)
{
	struct call *call = call_of(test);

	ADD(test, call, "$duration", "d=$duration:u32", "$entry_cpu", "c=$entry_cpu:u8", "a=$arg1",
	    "b=$arg1:u8");
	KUNIT_EXPECT_EQ(test, args_kept_size(call->tp), sizeof(u64) + 2 * sizeof(long));
	KUNIT_EXPECT_TRUE(test, args_keep_is_mixed(call->tp));
	KUNIT_EXPECT_TRUE(test, args_keep_is_timed(call->tp));
}

/* Values that are kept, in any order. */
static void durations(struct kunit *test)
{
	struct call *call = call_of(test);
	u64 least, most, begin, end;

	ADD(test, call, "a=$arg1", "$duration", "b=$arg2", "$entry_cpu", "d=$duration:u32",
	    "h=$duration:b32@32/64");
	pass(test, call, 0, 1234);
	pass(test, call, 1, 5678);
	/* In boot the clocks of CPUs may differ. */
	migrate_disable();
	begin = local_clock();
	enter(call);
	least = local_clock();
	mdelay(3);
	most = local_clock();
	leave(call);
	end = local_clock();
	migrate_enable();

	KUNIT_EXPECT_EQ(test, number(call, 0), 1234);
	KUNIT_EXPECT_EQ(test, number(call, 2), 5678);
	KUNIT_EXPECT_GE(test, number(call, 1), most - least);
	KUNIT_EXPECT_LE(test, number(call, 1), end - begin);
	KUNIT_EXPECT_LT(test, number(call, 3), nr_cpu_ids);
	/* All arguments have the same time. */
	KUNIT_EXPECT_EQ(test, number(call, 4), (u32)number(call, 1));
	KUNIT_EXPECT_EQ(test, number(call, 5), number(call, 1) >> 32);
}

/* A duration of more than 32 bits, and a negative one. */
static void long_durations(struct kunit *test)
{
	u64 hour = 3600ULL * NSEC_PER_SEC;
	struct call *call = call_of(test);
	u64 *then = (u64 *)call->kept;

	/* The test stores the time as one number, which does not work there. */
	if (IS_ENABLED(CONFIG_CPU_BIG_ENDIAN) && BITS_PER_LONG < 64)
		kunit_skip(test, "words are the other way round");
	ADD(test, call, "$duration", "x=$duration:x128");
	enter(call);
	put_unaligned(get_unaligned(then) - hour, then);
	leave(call);
	KUNIT_EXPECT_GE(test, number(call, 0), hour);
	KUNIT_EXPECT_LT(test, number(call, 0), hour + 60ULL * NSEC_PER_SEC);

	enter(call);
	put_unaligned(get_unaligned(then) + hour, then);
	leave(call);
	KUNIT_EXPECT_EQ(test, number(call, 0), 0);
}

static void cpu_of_entry(struct kunit *test)
{
	struct call *call = call_of(test);
	unsigned int cpu;

	ADD(test, call, "$entry_cpu");
	for_each_online_cpu(cpu) {
		KUNIT_ASSERT_EQ(test, set_cpus_allowed_ptr(current, cpumask_of(cpu)), 0);
		enter(call);
		set_cpus_allowed_ptr(current, cpumask_of(cpumask_next_wrap(cpu, cpu_online_mask,
									   cpu, false)));
		leave(call);
		KUNIT_EXPECT_EQ(test, number(call, 0), cpu);
	}
	set_cpus_allowed_ptr(current, cpu_possible_mask);
}

/* Text */

/* A call with the address of user memory that is not paged in. */
static struct call *call_with_room(struct kunit *test, unsigned int pages)
{
	struct call *call = call_of(test);

	call->room = user_room(test, pages);
	pass(test, call, 0, (unsigned long)call->room);
	return call;
}

static void text_as_it_was(struct kunit *test)
{
	struct call *call = call_with_room(test, 1);

	ADD(test, call, "l=+0($arg1):lustring", "u=+0($arg1):ustring", "o=+u2($arg1):lustring",
	    "p=$arg1:lustring");
	put_user_text(test, call->room, "before");
	enter(call);
	put_user_text(test, call->room, "and after");
	leave(call);
	KUNIT_EXPECT_STREQ(test, text(call, 0), "before");
	KUNIT_EXPECT_STREQ(test, text(call, 1), "and after");
	KUNIT_EXPECT_STREQ(test, text(call, 2), "fore");
	KUNIT_EXPECT_STREQ(test, text(call, 3), "before");

	/* Empty text is text, too. */
	put_user_text(test, call->room, "");
	pass(test, call, 0, (unsigned long)call->room);
	enter(call);
	put_user_text(test, call->room, "something");
	leave(call);
	KUNIT_EXPECT_STREQ(test, text(call, 0), "");
}

static void text_paged_in_by_the_call(struct kunit *test)
{
	struct call *call = call_with_room(test, 2);
	void __user *across = call->room + PAGE_SIZE - 2;

	ADD(test, call, "l=+0($arg1):lustring", "n=+8($arg1):lustring", "x=$arg1:x64");
	enter(call);
	put_user_text(test, call->room, "present");
	put_user_text(test, call->room + 8, "as well");
	leave(call);
	KUNIT_EXPECT_STREQ(test, text(call, 0), "present");
	KUNIT_EXPECT_STREQ(test, text(call, 1), "as well");
	KUNIT_EXPECT_EQ(test, number(call, 2), (unsigned long)call->room);

	/* Only the first page of it can be read. */
	KUNIT_ASSERT_EQ(test, copy_to_user(across, "ha", 2), 0);
	pass(test, call, 0, (unsigned long)across);
	enter(call);
	put_user_text(test, across, "half");
	leave(call);
	KUNIT_EXPECT_STREQ(test, text(call, 0), "half");
}

static void text_that_is_nowhere(struct kunit *test)
{
	struct call *call = call_with_room(test, 1);

	ADD(test, call, "l=+0($arg1):lustring", "u=+0($arg1):ustring", "k=+0($arg2):lustring");
	/* Addresses of the kernel are not read as addresses of a process. */
	pass(test, call, 1, (unsigned long)"kernel");
	enter(call);
	leave(call);
	KUNIT_EXPECT_NULL(test, text_at(call, 0, 0));
	KUNIT_EXPECT_NULL(test, text_at(call, 1, 0));
	KUNIT_EXPECT_NULL(test, text_at(call, 2, 0));
	KUNIT_EXPECT_EQ(test, call->rec.used, 3 * sizeof(u32));
}

static void fill(char *text, unsigned int len)
{
	memset(text, 'x', len);
	text[len] = '\0';
}

/* The longest text that is kept, and a longer one. */
static void text_that_does_not_fit(struct kunit *test)
{
	struct call *call = call_with_room(test, 1);
	char *longest = kunit_kzalloc(test, RECORD_SIZE, GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, longest);
	ADD(test, call, "l=+0($arg1):lustring");
	fill(longest, ARG_MAX_KEPT_TEXT);
	put_user_text(test, call->room, longest);
	enter(call);
	put_user_text(test, call->room, "after");
	leave(call);
	KUNIT_EXPECT_STREQ(test, text(call, 0), longest);

	for (i = 1; i < 200; i *= 5) {
		fill(longest, ARG_MAX_KEPT_TEXT + i);
		put_user_text(test, call->room, longest);
		pass(test, call, 0, (unsigned long)call->room);
		enter(call);
		leave(call);
		KUNIT_EXPECT_STREQ(test, text(call, 0), longest);
	}

	/* The record has no room, neither for a text that is kept nor for the other one. */
	leave_with(call, 100);
	KUNIT_EXPECT_TRUE(test, call->rec.cut);
	KUNIT_EXPECT_LE(test, call->rec.used, 100);
	KUNIT_EXPECT_EQ(test, call->record[100], FILL);
	put_user_text(test, call->room, "0123456789");
	pass(test, call, 0, (unsigned long)call->room);
	enter(call);
	leave_with(call, sizeof(u32) + 11);
	KUNIT_EXPECT_TRUE(test, call->rec.cut);
	KUNIT_EXPECT_EQ(test, call->record[sizeof(u32) + 11], FILL);
	leave_with(call, sizeof(u32) + 12);
	KUNIT_EXPECT_FALSE(test, call->rec.cut);
	KUNIT_EXPECT_STREQ(test, text(call, 0), "0123456789");
}

/* The pointers to it are in memory that is not paged in, too. */
static void text_by_pointers(struct kunit *test)
{
	struct call *call = call_with_room(test, 3);
	unsigned long at = (unsigned long)call->room;
	unsigned long pointers[2] = { at + PAGE_SIZE, at + 2 * PAGE_SIZE };
	unsigned long none[2] = { };

	ADD(test, call, "p=+0(+u0($arg1)):lustring", "a=+0($arg1):lustring[2]");
	enter(call);
	KUNIT_ASSERT_EQ(test, copy_to_user(call->room, pointers, sizeof(pointers)), 0);
	put_user_text(test, call->room + PAGE_SIZE, "first");
	leave(call);
	KUNIT_EXPECT_STREQ(test, text(call, 0), "first");
	KUNIT_EXPECT_STREQ(test, text_at(call, 1, 0), "first");
	KUNIT_EXPECT_NULL(test, text_at(call, 1, 1));

	/* At the entry one text can be read, and of the other one only the pointer. */
	pass(test, call, 0, at);
	enter(call);
	KUNIT_ASSERT_EQ(test, copy_to_user(call->room, none, sizeof(none)), 0);
	put_user_text(test, call->room + PAGE_SIZE, "changed");
	put_user_text(test, call->room + 2 * PAGE_SIZE, "second");
	leave(call);
	KUNIT_EXPECT_STREQ(test, text(call, 0), "first");
	KUNIT_EXPECT_STREQ(test, text_at(call, 1, 0), "first");
	KUNIT_EXPECT_STREQ(test, text_at(call, 1, 1), "second");
}

/* The process has another mm at the return. */
static void text_of_another_mm(struct kunit *test)
{
	struct call *call = call_with_room(test, 1);
	struct arg_kept_text *kept;

	ADD(test, call, "l=+0($arg1):lustring");
	kept = (struct arg_kept_text *)(call->kept + call->tp->args[0].prog->late);
	enter(call);
	KUNIT_EXPECT_PTR_EQ(test, kept->mm, current->mm);
	kept->mm = (void *)kept->mm + 1;
	put_user_text(test, call->room, "secret");
	leave(call);
	KUNIT_EXPECT_NULL(test, text_at(call, 0, 0));

	pass(test, call, 0, (unsigned long)call->room);
	enter(call);
	kept->mm = (void *)kept->mm + 1;
	leave(call);
	KUNIT_EXPECT_STREQ(test, text(call, 0), "secret");
}

static void as_much_as_is_kept(struct kunit *test)
{
	unsigned int i, fit = (ARG_MAX_KEPT - sizeof(long)) / sizeof(struct arg_kept_text);
	struct call *call = call_with_room(test, 1);
	char word[32];

	KUNIT_ASSERT_LT(test, fit + 1, MOST_ARGS);
	for (i = 0; i <= fit; i++) {
		snprintf(word, sizeof(word), "l%u=+0($arg1):lustring", i);
		KUNIT_EXPECT_EQ_MSG(test, add(call, word), i < fit ? 0 : -EINVAL, "%s", word);
	}
	KUNIT_EXPECT_LE(test, args_kept_size(call->tp), ARG_MAX_KEPT);
	put_user_text(test, call->room, "all");
	enter(call);
	put_user_text(test, call->room, "of them");
	leave(call);
	for (i = 0; i < fit; i++)
		KUNIT_EXPECT_STREQ(test, text(call, i), "all");
}

static struct kunit_case cases[] = {
	KUNIT_CASE(how_they_are_called),
	KUNIT_CASE(nothing_where_unused),
	KUNIT_CASE(kept_once),
	KUNIT_CASE(durations),
	KUNIT_CASE(long_durations),
	KUNIT_CASE(cpu_of_entry),
	KUNIT_CASE(text_as_it_was),
	KUNIT_CASE(text_paged_in_by_the_call),
	KUNIT_CASE(text_that_is_nowhere),
	KUNIT_CASE(text_that_does_not_fit),
	KUNIT_CASE(text_by_pointers),
	KUNIT_CASE(text_of_another_mm),
	KUNIT_CASE(as_much_as_is_kept),
	{}
};

static struct kunit_suite suite = {
	.name = "trace_probe_args_return",
	.test_cases = cases,
};

kunit_test_suite(suite);
