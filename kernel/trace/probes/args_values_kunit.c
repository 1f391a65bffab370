// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tests of the argument engine: programs fetch the right values. This needs no probe.
 */
#include <kunit/test.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/unaligned.h>
#include <linux/vmalloc.h>

#include "args_internal.h"
#include "args_kunit.h"

#define ARG_LEN		(MAX_ARGSTR_LEN + 8)
#define RECORD_SIZE	512

/* Code here uses it, so BTF has it. */
struct args_kunit_bits {
	unsigned int	low : 3;
	int		negative : 5;
	unsigned int	high : 24;
	union {
		u16	unnamed;
		u8	bytes[2];
	};
	s8		small;
	const char	*text;
	char		array[8];
	struct {
		struct list_head node;
		u64 behind;
	} inner;
};

enum args_kunit_color {
	ARGS_KUNIT_RED		= 3,
	ARGS_KUNIT_GREEN	= -2,
	ARGS_KUNIT_BLUE		= 0x7fffffff,
};

enum args_kunit_narrow {
	ARGS_KUNIT_MINUS	= -2,
	ARGS_KUNIT_PLUS		= 3,
};

enum args_kunit_wide {
	ARGS_KUNIT_ONE		= 1,
	ARGS_KUNIT_WIDE		= 0x123456789abcdef0,
};

/* The widest integer of the compiler. */
#ifdef __SIZEOF_INT128__
#define HUGE_TYPE		u128
#define HUGE(high, low)		((u128)(high) << 64 | (low))
#else
#define HUGE_TYPE		u64
#define HUGE(high, low)		((void)(high), (u64)(low))
#endif

struct args_kunit_named {
	enum args_kunit_color	color;
	enum args_kunit_color	colors[3];
	enum args_kunit_narrow	narrow : 4;
	enum args_kunit_wide	wide;
	HUGE_TYPE		huge;
	unsigned int		nr;
	u16			flexible[];
};

/* Returned in two registers. */
struct args_kunit_pair {
	u32	word;
	u16	half;
	s8	byte;
	u64	behind;
};

/* Returned in memory. */
struct args_kunit_large {
	u64	words[3];
	int	number;
};

static struct args_kunit_bits bits = {
	.low		= 5,
	.negative	= -7,
	.high		= 0x123456,
	.unnamed	= 0xbeef,
	.small		= -3,
	.text		= "pointed to",
	.array		= "within",
	.inner.behind	= 0x1122334455667788,
};

static DEFINE_PER_CPU(unsigned long, args_kunit_number);
static unsigned long __percpu *args_kunit_pointer __used = &args_kunit_number;

/* One argument, and the record it was stored in. */
struct fetched {
	struct trace_probe	*tp;
	u8			record[RECORD_SIZE];
	struct args_record	rec;
};

/* Flags of arguments at a function's return and at its entry. */
#define RETURN	(TPARG_FL_KERNEL | TPARG_FL_RETURN)
#define ENTRY	(TPARG_FL_KERNEL | TPARG_FL_FENTRY)

static int parse(struct kunit *test, struct fetched *got, unsigned int scope, const char *text)
{
	return argument_make(test, &got->tp, scope, NULL, text);
}

static void store(struct fetched *got, struct pt_regs *regs)
{
	struct args_hit hit = { .regs = regs };

	memset(got->record, 0xa5, sizeof(got->record));
	got->rec = (struct args_record) {
		.base	= got->record,
		.args	= got->record + 1,
		.room	= sizeof(got->record),
	};
	preempt_disable();
	args_store(got->tp, &hit, &got->rec);
	preempt_enable();
}

/* Compile the argument and store it to a record. */
static void fetch(struct kunit *test, struct fetched *got, const char *text)
{
	struct pt_regs regs = { };

	KUNIT_ASSERT_EQ_MSG(test, parse(test, got, ENTRY, text), 0,
			    "%s", text);
	store(got, &regs);
}

static void expect_number(struct kunit *test, const char *text, const char *type, u64 value)
{
	struct fetched got;
	u64 stored = 0;

	fetch(test, &got, text);
	KUNIT_EXPECT_STREQ_MSG(test, got.tp->args[0].type->name, type, "%s", text);
	memcpy(&stored, got.rec.args, got.tp->size);
	if (got.tp->size < sizeof(u64))
		value &= BIT_ULL(got.tp->size * BITS_PER_BYTE) - 1;
	KUNIT_EXPECT_EQ_MSG(test, le64_to_cpu((__force __le64)stored), value, "%s", text);
	KUNIT_EXPECT_EQ(test, got.rec.used, 1 + got.tp->size);
}

/* If @value is NULL, the text must be unreadable. */
static void expect_text(struct kunit *test, const char *text, const char *value)
{
	struct fetched got;
	u32 loc;

	fetch(test, &got, text);
	loc = get_unaligned((u32 *)got.rec.args);
	KUNIT_EXPECT_FALSE(test, got.rec.cut);
	if (!value) {
		KUNIT_EXPECT_EQ_MSG(test, loc, 0, "%s", text);
		return;
	}
	KUNIT_EXPECT_EQ_MSG(test, get_loc_len(loc), strlen(value) + 1, "%s", text);
	KUNIT_EXPECT_STREQ_MSG(test, got.record + get_loc_offs(loc), value, "%s", text);
	KUNIT_EXPECT_EQ(test, got.rec.used, get_loc_offs(loc) + strlen(value) + 1);
}

#define expect_number_at(test, type, value, format, ...)			\
	do {									\
		char text[ARG_LEN];						\
										\
		snprintf(text, sizeof(text), format, ##__VA_ARGS__);		\
		expect_number(test, text, type, value);				\
	} while (0)

#define expect_text_at(test, value, format, ...)				\
	do {									\
		char text[ARG_LEN];						\
										\
		snprintf(text, sizeof(text), format, ##__VA_ARGS__);		\
		expect_text(test, text, value);					\
	} while (0)

static void constants(struct kunit *test)
{
	expect_number(test, "\\42", "x64", 42);
	expect_number(test, "\\-1", "x64", -1);
	expect_number(test, "\\-2:s8", "s8", -2);
	expect_number(test, "\\0x1234:u8", "u8", 0x34);
	expect_number(test, "\\0xf0:b4@4/8", "u8", 15);
	expect_number(test, "\\0x8000000000000000:b1@63/64", "u64", 1);
	expect_text(test, "\\\"some text\"", "some text");
	expect_text(test, "\\\"\"", "");
	expect_text(test, "$comm", current->comm);
}

static void memory(struct kunit *test)
{
	static const u64 value = 0x8877665544332211;

	expect_number_at(test, "x64", value, "@0x%px", &value);
	expect_number_at(test, "u16", 0x3322, "+1(\\0x%px):u16", &value);
	expect_number_at(test, "s8", -0x78, "+7(\\0x%px):s8", &value);
	expect_number_at(test, "x32", 0x66554433, "-6(\\0x%px):x32", (void *)&value + 8);
	expect_number(test, "+0(\\8):u32", "u32", 0);
	expect_number(test, "+0(+0(\\8)):u64", "u64", 0);
	expect_text(test, "+0(\\8):string", NULL);
	expect_text(test, "+0(+0(\\8)):string", NULL);
	expect_text(test, "+u0(\\8):string", NULL);
	/* On x86-64 this is not a canonical address. */
	expect_text(test, "+0(\\0xdead000000000000):string", NULL);
	expect_number(test, "@0xdead000000000000", "x64", 0);
}

static void arrays(struct kunit *test)
{
	static const u16 numbers[3] = { 1, 0xffff, 3 };
	char text[ARG_LEN];
	struct fetched got;

	snprintf(text, sizeof(text), "@0x%px:u16[3]", numbers);
	fetch(test, &got, text);
	KUNIT_EXPECT_EQ(test, got.tp->args[0].count, 3);
	KUNIT_EXPECT_MEMEQ(test, got.rec.args, numbers, sizeof(numbers));
	snprintf(text, sizeof(text), "+0(\\8):u16[3]");
	fetch(test, &got, text);
	KUNIT_EXPECT_NULL(test, memchr_inv(got.rec.args, 0, sizeof(numbers)));
}

static void free_memory(void *memory)
{
	vfree(memory);
}

/* Text is read word by word, but not beyond the page in which it ends. */
static void text_at_the_end_of_a_page(struct kunit *test)
{
	static const char source[] = "abcdefghijklmnopqrstuvwxyz";
	unsigned int len;
	char *page, *at;

	/* The next page is not mapped. */
	page = vmalloc(PAGE_SIZE);
	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, free_memory, page), 0);
	memset(page, 'x', PAGE_SIZE);
	for (len = 0; len < sizeof(source); len++) {
		at = page + PAGE_SIZE - len - 1;
		strscpy(at, source + sizeof(source) - 1 - len, len + 1);
		expect_text_at(test, source + sizeof(source) - 1 - len, "@0x%px:string", at);
		/* The same without a final zero. */
		at[len] = 'x';
		expect_text_at(test, NULL, "@0x%px:string", at);
		expect_number_at(test, "x64", 0, "@0x%px", page + PAGE_SIZE - 7);
	}
}

static void text_of_any_alignment(struct kunit *test)
{
	static const char source[] = "0123456789abcdefghijklmnopqrst";
	unsigned int i;

	for (i = 0; i < sizeof(source); i++)
		expect_text_at(test, source + i, "@0x%px:string", source + i);
}

static void percpu(struct kunit *test)
{
	unsigned long *mine;
	struct fetched got;

	migrate_disable();
	mine = this_cpu_ptr(args_kunit_pointer);
	*mine = 0x12345678;
	expect_number(test, "this_cpu_read(@args_kunit_number)", "x64", 0x12345678);
	expect_number(test, "this_cpu_ptr(@args_kunit_number)", "x64", (unsigned long)mine);
	expect_number(test, "this_cpu_read(@args_kunit_pointer):u32", "u32", 0x12345678);
	expect_number(test, "+0(this_cpu_ptr(@args_kunit_pointer)):u8", "u8", 0x78);
	migrate_enable();
	KUNIT_EXPECT_EQ(test, parse(test, &got, TPARG_FL_USER, "this_cpu_read(\\1)"), -EINVAL);
	KUNIT_EXPECT_EQ(test, parse(test, &got, TPARG_FL_KERNEL, "this_cpu_read(\\1"), -EINVAL);
}

static void need_btf(struct kunit *test)
{
	if (!IS_ENABLED(CONFIG_PROBE_EVENTS_BTF_ARGS))
		kunit_skip(test, "no type information");
}

static void casts(struct kunit *test)
{
	need_btf(test);
	expect_number(test, "$current", "x64", (unsigned long)current);
	expect_number(test, "$current->pid", "s32", current->pid);
	expect_number(test, "(task_struct)$current->tgid", "s32", current->tgid);
	expect_text(test, "$current->comm:string", current->comm);
	expect_number_at(test, "s32", current->pid, "(task_struct,tasks)(\\0x%px)->pid",
			 &current->tasks);
#define CAST "(args_kunit_bits)(\\0x%px)->"
	expect_number_at(test, "u32", 5, CAST "low", &bits);
	expect_number_at(test, "s32", -7, CAST "negative", &bits);
	expect_number_at(test, "u32", 0x123456, CAST "high", &bits);
	expect_number_at(test, "u16", 0xbeef, CAST "unnamed", &bits);
	expect_number_at(test, "s8", -3, CAST "small", &bits);
	expect_text_at(test, "pointed to", CAST "text:string", &bits);
	expect_text_at(test, "within", CAST "array:string", &bits);
	expect_number_at(test, "u64", bits.inner.behind, CAST "inner.behind", &bits);
	expect_number_at(test, "u64", bits.inner.behind,
			 "(args_kunit_bits,inner.node)(\\0x%px)->inner.behind", &bits.inner.node);
#undef CAST
}

/* Each of these is refused. */
static void refused_casts(struct kunit *test)
{
	static const char * const words[] = {
		"(task_struct)$current",			/* no member */
		"(no_such_struct_there_is)$current->pid",
		"(task_struct)$current->no_such_member",
		"(task_struct,no_such_member)$current->pid",
		"(task_struct,pid->tgid)$current->pid",
		"(args_kunit_bits,negative)$current->low",
		"(task_struct)@jiffies+8->pid",
		"(task_struct)(task_struct)$current->pid",
		"(task_struct)$comm->pid",
		"(task_struct)($current->pid",
		"()$current->pid",
		"$current-",
		"$current->",
		"$current-pid",
		"$current.pid",
		"this_cpu_ptr(\\1)-",
		"this_cpu_ptr(\\1)pid",
		"this_cpu_read(@no_such_symbol_there_is)",
		"(task_struct)",
	};
	struct fetched got;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		KUNIT_EXPECT_LT_MSG(test, parse(test, &got, TPARG_FL_KERNEL, words[i]), 0, "%s",
				    words[i]);
	KUNIT_EXPECT_LT(test, parse(test, &got, TPARG_FL_USER, "(task_struct)%sp->pid"), 0);
}

/* Compare the text of a stored value. */
static void expect_shown(struct kunit *test, struct fetched *got, const char *shown)
{
	struct trace_seq *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, s);
	trace_seq_init(s);
	KUNIT_EXPECT_EQ(test, trace_probe_print_args(s, got->tp->args, 1, got->rec.args,
						     got->record), 0);
	KUNIT_EXPECT_EQ(test, trace_seq_used(s), strlen(shown));
	KUNIT_EXPECT_EQ_MSG(test, memcmp(s->buffer, shown, strlen(shown)), 0, "%.*s, not %s",
			    (int)trace_seq_used(s), s->buffer, shown);
}

static void expect_shown_at(struct kunit *test, const void *at, const char *text,
			    const char *shown)
{
	char word[ARG_LEN];
	struct fetched got;

	snprintf(word, sizeof(word), "x=(args_kunit_named)(\\0x%px)->%s", at, text);
	fetch(test, &got, word);
	expect_shown(test, &got, shown);
}

static void names_of_values(struct kunit *test)
{
	struct args_kunit_named named = {
		.color	= ARGS_KUNIT_GREEN,
		.colors	= { ARGS_KUNIT_RED, 4, ARGS_KUNIT_BLUE },
		.narrow	= ARGS_KUNIT_MINUS,
		.wide	= ARGS_KUNIT_WIDE,
	};

	need_btf(test);
	expect_shown_at(test, &named, "color:enum", " x=ARGS_KUNIT_GREEN");
	expect_shown_at(test, &named, "colors:enum[3]", " x={ARGS_KUNIT_RED,0x4,ARGS_KUNIT_BLUE}");
	expect_shown_at(test, &named, "narrow:enum", " x=ARGS_KUNIT_MINUS");
	expect_shown_at(test, &named, "wide:enum", " x=ARGS_KUNIT_WIDE");
	expect_shown_at(test, &named, "color", " x=-2");
}

static void values_without_names(struct kunit *test)
{
	static const char * const words[] = {
		"$current:enum",
		"\\1:enum",
		"$current->pid:enum",
		"(args_kunit_named)$current->colors:enum",
		"(args_kunit_named)$current->color:enum[2]",
		"(args_kunit_bits)$current->low:x128",
	};
	struct fetched got;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		KUNIT_EXPECT_LT_MSG(test, parse(test, &got, TPARG_FL_KERNEL, words[i]), 0, "%s",
				    words[i]);
}

static void numbers_of_two_words(struct kunit *test)
{
	struct args_kunit_named named = { .huge = HUGE(0x123, 0x456789abcdef0123) };
	struct fetched got;

	fetch(test, &got, "x=\\0x12:x128");
	expect_shown(test, &got, " x=0x00000000000000012");
	fetch(test, &got, "x=+0(\\1):x128[2]");
	expect_shown(test, &got, " x={0x00000000000000000,0x00000000000000000}");
	need_btf(test);
	if (sizeof(named.huge) == sizeof(u64))
		kunit_skip(test, "the compiler has no integer of 128 bits");
	expect_shown_at(test, &named, "huge", " x=0x123456789abcdef0123");
	expect_shown_at(test, &named, "huge:x128", " x=0x123456789abcdef0123");
	expect_shown_at(test, &named, "huge:x64", " x=0x456789abcdef0123");
}

/* The command gives the length of a flexible array. */
static void flexible_arrays(struct kunit *test)
{
	struct args_kunit_named *named;

	need_btf(test);
	named = kunit_kzalloc(test, struct_size(named, flexible, 3), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, named);
	named->nr = 3;
	named->flexible[0] = 1;
	named->flexible[1] = 0xffff;
	named->flexible[2] = 3;
	expect_shown_at(test, named, "nr", " x=3");
	expect_shown_at(test, named, "flexible:u16[3]", " x={1,65535,3}");
}

/* Functions with results to fetch. Not static, so that BTF has them. */
struct args_kunit_pair args_kunit_returns_pair(void);
struct args_kunit_large args_kunit_returns_large(int number);
HUGE_TYPE args_kunit_returns_huge(void);
struct args_kunit_pair *args_kunit_returns_pointer(void);

noinline struct args_kunit_pair args_kunit_returns_pair(void)
{
	struct args_kunit_pair pair = {
		.word = 0x89abcdef, .half = 0xfedc, .byte = -5, .behind = 0x1122334455667788,
	};

	barrier();
	return pair;
}

noinline struct args_kunit_large args_kunit_returns_large(int number)
{
	struct args_kunit_large large = { .words = { 1, 2, 3 }, .number = number };

	barrier();
	return large;
}

noinline HUGE_TYPE args_kunit_returns_huge(void)
{
	barrier();
	return HUGE(0x99, 0x8877665544332211);
}

noinline struct args_kunit_pair *args_kunit_returns_pointer(void)
{
	barrier();
	return NULL;
}

static struct fetched *at_return;

static int store_at_return(struct kretprobe_instance *call, struct pt_regs *regs)
{
	store(at_return, regs);
	return 0;
}

NOKPROBE_SYMBOL(store_at_return);

/* Call a function, and compare the argument that is fetched at its return. */
static void expect_result(struct kunit *test, void *function, const char *name, const char *text,
			  const char *shown)
{
	struct kretprobe rp = { .kp.addr = function, .handler = store_at_return };
	struct fetched got;

	KUNIT_ASSERT_EQ_MSG(test, argument_make(test, &got.tp, RETURN, name, text), 0, "%s", text);
	got.rec.args = NULL;
	at_return = &got;
	KUNIT_ASSERT_EQ(test, register_kretprobe(&rp), 0);
	if (function == args_kunit_returns_pair)
		args_kunit_returns_pair();
	else if (function == args_kunit_returns_large)
		args_kunit_returns_large(77);
	else
		args_kunit_returns_huge();
	unregister_kretprobe(&rp);
	KUNIT_ASSERT_NOT_NULL(test, got.rec.args);
	expect_shown(test, &got, shown);
}

#define expect_result_of(test, function, text, shown) \
	expect_result(test, function, #function, text, shown)

static void results(struct kunit *test)
{
	struct fetched got;

	need_btf(test);
	if (arch_result_offset(1) < 0)
		kunit_skip(test, "where a second word is returned is not known");
	expect_result_of(test, args_kunit_returns_pair, "x=$retval.word:x32", " x=0x89abcdef");
	expect_result_of(test, args_kunit_returns_pair, "x=$retval.half:x16", " x=0xfedc");
	expect_result_of(test, args_kunit_returns_pair, "x=$retval.byte", " x=-5");
	expect_result_of(test, args_kunit_returns_pair, "x=$retval.behind:x64",
			 " x=0x1122334455667788");
	expect_result_of(test, args_kunit_returns_huge, "x=$retval",
			 " x=0x998877665544332211");
	if (ARCH_RESULT_IS_PARAM)
		expect_result_of(test, args_kunit_returns_large, "x=$retval.number", " x=77");
	else
		KUNIT_EXPECT_EQ(test, argument_make(test, &got.tp, RETURN,
						    "args_kunit_returns_large",
						    "x=$retval.number"), -EOPNOTSUPP);
}

/* The second register is not part of the value, with any type. */
static void result_of_one_word(struct kunit *test)
{
	struct pt_regs regs = { };
	struct fetched got;
	unsigned int i;

	need_btf(test);
	if (arch_result_offset(1) < 0)
		kunit_skip(test, "where a second word is returned is not known");
	for (i = 0; i < 2; i++)
		*(unsigned long *)((void *)&regs + arch_result_offset(i)) = 0x1234 + i;
	KUNIT_ASSERT_EQ(test, argument_make(test, &got.tp, RETURN, "args_kunit_returns_pointer",
					    "x=$retval:x128"), 0);
	store(&got, &regs);
	expect_shown(test, &got, " x=0x00000000000001234");
}

/* The address of a large result may be passed like a parameter in front of the others. */
static void parameter_behind_a_result(struct kunit *test)
{
	struct pt_regs regs = { };
	struct fetched got;
	int offset;

	need_btf(test);
	offset = arch_param_offset(ARCH_RESULT_IS_PARAM);
	if (offset < 0)
		kunit_skip(test, "where parameters are is not known");
	*(unsigned long *)((void *)&regs + offset) = 78;
	KUNIT_ASSERT_EQ(test, argument_make(test, &got.tp, ENTRY, "args_kunit_returns_large",
					    "x=number"), 0);
	store(&got, &regs);
	expect_shown(test, &got, " x=78");
}

static struct kunit_case cases[] = {
	KUNIT_CASE(constants),
	KUNIT_CASE(memory),
	KUNIT_CASE(arrays),
	KUNIT_CASE(text_at_the_end_of_a_page),
	KUNIT_CASE(text_of_any_alignment),
	KUNIT_CASE(percpu),
	KUNIT_CASE(casts),
	KUNIT_CASE(refused_casts),
	KUNIT_CASE(names_of_values),
	KUNIT_CASE(values_without_names),
	KUNIT_CASE(numbers_of_two_words),
	KUNIT_CASE(flexible_arrays),
	KUNIT_CASE(results),
	KUNIT_CASE(result_of_one_word),
	KUNIT_CASE(parameter_behind_a_result),
	{}
};

static struct kunit_suite suite = {
	.name = "trace_probe_values",
	.test_cases = cases,
};

kunit_test_suite(suite);
