// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tests of the argument engine: what is kept from a function's entry to its return. This needs no
 * probe: the test is the function.
 */
#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/sched/clock.h>
#include <linux/smp.h>
#include <linux/string.h>
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
};

/* Add an argument. Returns what the engine says to it. */
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

/* Parameter @n, from 0. */
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

static void leave(struct call *call)
{
	struct args_hit hit = { .regs = &call->regs, .kept = call->kept };

	/* Parameters are gone. */
	memset(&call->regs, FILL, sizeof(call->regs));
	memset(call->record, FILL, sizeof(call->record));
	call->rec = (struct args_record) {
		.base	= call->record,
		.args	= call->record,
		.room	= RECORD_SIZE,
	};
	guard(preempt)();
	if (args_keep_is_timed(call->tp))
		args_stop_time(call->tp, call->kept);
	args_store(call->tp, &hit, &call->rec);
}

static u64 number(const struct call *call, unsigned int nr)
{
	const struct probe_arg *arg = &call->tp->args[nr];
	const u8 *place = call->record + arg->offset;

	return arg->type->size == sizeof(u64) ? get_unaligned((u64 *)place) :
						get_unaligned((u32 *)place);
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
	/* As for any other name. */
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

/* What is kept in whichever order. */
static void durations(struct kunit *test)
{
	struct call *call = call_of(test);
	u64 least, most, begin, end;

	ADD(test, call, "a=$arg1", "$duration", "b=$arg2", "$entry_cpu", "d=$duration:u32",
	    "h=$duration:b32@32/64");
	pass(test, call, 0, 1234);
	pass(test, call, 1, 5678);
	/* Until the machine is up, each CPU may have a clock of its own. */
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
	/* All have the same. */
	KUNIT_EXPECT_EQ(test, number(call, 4), (u32)number(call, 1));
	KUNIT_EXPECT_EQ(test, number(call, 5), number(call, 1) >> 32);
}

/* More than fits into 32 bits, and less than nothing. */
static void long_durations(struct kunit *test)
{
	u64 hour = 3600ULL * NSEC_PER_SEC;
	struct call *call = call_of(test);
	u64 *then = (u64 *)call->kept;

	/* A time is as memory has a number, but for a 32-bit machine that is big-endian. */
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

static struct kunit_case cases[] = {
	KUNIT_CASE(how_they_are_called),
	KUNIT_CASE(nothing_where_unused),
	KUNIT_CASE(kept_once),
	KUNIT_CASE(durations),
	KUNIT_CASE(long_durations),
	KUNIT_CASE(cpu_of_entry),
	{}
};

static struct kunit_suite suite = {
	.name = "trace_probe_args_return",
	.test_cases = cases,
};

kunit_test_suite(suite);
