// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tests of the argument engine: words that are accepted, how they are listed, and the bytes that
 * they store. This needs no probe.
 */
#include <kunit/test.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/unaligned.h>
#include <linux/vmalloc.h>

#include "args_internal.h"
#include "args_kunit.h"

#define ARG_LEN		(MAX_ARGSTR_LEN + 40)

/* An address, as commands have it. */
#define AT(pointer)	((unsigned long)(pointer))
#define RECORD_SIZE	1024
#define FILL		0xa5

/* args_errors_kunit.c has a function of the same name. */
static noinline __used void args_kunit_twice(void)
{
	barrier();
}

/* The flags of each kind of probe. */
enum scope {
	ENTRY		= TPARG_FL_KERNEL | TPARG_FL_FENTRY,
	INSIDE		= TPARG_FL_KERNEL,
	RETURN		= TPARG_FL_KERNEL | TPARG_FL_RETURN,
	FUNCTION	= TPARG_FL_KERNEL | TPARG_FL_FENTRY | TPARG_FL_FPROBE,
	TRACEPOINT	= TPARG_FL_KERNEL | TPARG_FL_TPOINT,
	USER		= TPARG_FL_USER,
	USER_RETURN	= TPARG_FL_USER | TPARG_FL_RETURN,
};

/* Number @nr of the arguments of a probe, and the record it was stored in. */
struct fetched {
	struct trace_probe	*tp;
	unsigned int		scope;
	struct pt_regs		regs;
	unsigned long		kept[4];
	u8			record[RECORD_SIZE];
	struct args_record	rec;
};

static void make(struct kunit *test, struct fetched *got, unsigned int scope,
		 const char *function, const char *text)
{
	got->scope = scope;
	KUNIT_ASSERT_EQ_MSG(test, argument_make(test, &got->tp, scope, function, text), 0, "%s",
			    text);
}

/* Store to a record that is filled with a pattern. The first place is at offset 1. */
static void store(struct fetched *got, unsigned int room)
{
	struct args_hit hit = { .regs = &got->regs, .kept = got->kept };

	memset(got->record, FILL, sizeof(got->record));
	got->rec = (struct args_record) {
		.base	= got->record,
		.args	= got->record + 1,
		.room	= room,
	};
	/* Uprobes may sleep. */
	if (!(got->scope & TPARG_FL_USER))
		preempt_disable();
	args_store(got->tp, &hit, &got->rec);
	if (!(got->scope & TPARG_FL_USER))
		preempt_enable();
}

/* Compare all bytes that were written: the places, and the bytes of strings. */
static void expect_bytes(struct kunit *test, struct fetched *got, const char *text,
			 const void *bytes, unsigned int size)
{
	KUNIT_EXPECT_EQ_MSG(test, got->rec.used, 1 + size, "%s", text);
	KUNIT_EXPECT_EQ(test, got->record[0], FILL);
	if (memcmp(got->record + 1, bytes, size))
		KUNIT_FAIL(test, "%s: stored %*ph instead of %*ph", text, min(size, 64U),
			   got->record + 1, min(size, 64U), bytes);
	/* A string may be copied by words. */
	KUNIT_EXPECT_NULL_MSG(test, memchr_inv(got->record + 1 + size + sizeof(long), FILL,
					       RECORD_SIZE - 1 - size - sizeof(long)), "%s", text);
}

static void stores(struct kunit *test, struct fetched *got, unsigned int scope, const char *text,
		   const void *bytes, unsigned int size)
{
	make(test, got, scope, NULL, text);
	store(got, RECORD_SIZE);
	expect_bytes(test, got, text, bytes, size);
	kunit_release_action(test, argument_free, got->tp);
}

/* The bytes of a string: a data_loc, and the text. */
static unsigned int string_bytes(u8 *bytes, const char *text)
{
	unsigned int len = text ? strlen(text) + 1 : 0;

	put_unaligned(len ? make_data_loc(len, 1 + sizeof(u32)) : 0, (u32 *)bytes);
	memcpy(bytes + sizeof(u32), text, len);
	return sizeof(u32) + len;
}

static void stores_string(struct kunit *test, struct fetched *got, unsigned int scope,
			  const char *text, const char *string)
{
	u8 bytes[256];

	stores(test, got, scope, text, bytes, string_bytes(bytes, string));
}

static struct fetched *fetched(struct kunit *test)
{
	struct fetched *got = kunit_kzalloc(test, sizeof(*got), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, got);
	return got;
}

/* Words */

/**
 * struct word - a word that is accepted
 * @scope:	what it may refer to
 * @text:	the word
 * @name:	its name in the listing
 * @type:	its type
 * @count:	number of elements, 0 if it is no array
 * @format:	its type in the event's format
 */
struct word {
	unsigned int	scope;
	const char	*text;
	const char	*name;
	const char	*type;
	unsigned int	count;
	const char	*format;
};

#define LONG_HEX	"x" __stringify(BITS_PER_LONG)
#define LONG_FIELD	"u" __stringify(BITS_PER_LONG)

static const struct word words[] = {
	{ RETURN,	"$retval",		"arg1",	LONG_HEX, 0, LONG_FIELD },
	{ USER_RETURN,	"r=$retval:s32",	"r",	"s32", 0, "s32" },
	{ ENTRY,	"$stack",		"arg1",	LONG_HEX, 0, LONG_FIELD },
	{ INSIDE,	"$stack0:u8",		"arg1",	"u8", 0, "u8" },
	{ INSIDE,	"$stack00012",		"arg1",	LONG_HEX, 0, LONG_FIELD },
	{ USER,		"$stack4294967295",	"arg1",	LONG_HEX, 0, LONG_FIELD },
	{ USER,		"s=$stack:x16",		"s",	"x16", 0, "u16" },
	{ ENTRY,	"$arg1",		"arg1",	LONG_HEX, 0, LONG_FIELD },
	{ RETURN,	"$arg2:char",		"arg1",	"char", 0, "u8" },
	{ FUNCTION,	"a=$arg2048:s16",	"a",	"s16", 0, "s16" },
	{ TRACEPOINT,	"$arg1:s8",		"arg1",	"s8", 0, "s8" },
	{ ENTRY,	"$comm",		"arg1",	"string", 0, "__data_loc char[]" },
	{ USER,		"$COMM:string",		"arg1",	"string", 0, "__data_loc char[]" },
	{ INSIDE,	"$current",		"arg1",	LONG_HEX, 0, LONG_FIELD },
	{ INSIDE,	"@jiffies",		"arg1",	LONG_HEX, 0, LONG_FIELD },
	{ INSIDE,	"@jiffies+2:x16[2]",	"arg1",	"x16", 2, "u16[2]" },
	{ INSIDE,	"j=@jiffies-8:symbol",	"j",	"symbol", 0, LONG_FIELD },
	{ INSIDE,	"@0x10:string",		"arg1",	"string", 0, "__data_loc char[]" },
	{ INSIDE,	"@010:ustring",		"arg1",	"ustring", 0, "__data_loc char[]" },
	{ INSIDE,	"@jiffies:symstr",	"arg1",	"symstr", 0, "__data_loc char[]" },
	{ USER,		"@+0x10:u32",		"arg1",	"u32", 0, "u32" },
	{ USER,		"@+010:string",		"arg1",	"string", 0, "__data_loc char[]" },
	{ INSIDE,	"+8($stack):s64",	"arg1",	"s64", 0, "s64" },
	{ INSIDE,	"-0x8(+4(\\1)):x8[64]",	"arg1",	"x8", 64, "u8[64]" },
	{ INSIDE,	"+-8($stack)",		"arg1",	LONG_HEX, 0, LONG_FIELD },
	{ INSIDE,	"+u8($stack):ustring",	"arg1",	"ustring", 0, "__data_loc char[]" },
	{ INSIDE,	"-u8($stack):string[3]", "arg1", "string", 3, "__data_loc char[][3]" },
	{ INSIDE,	"\\1",			"arg1",	LONG_HEX, 0, LONG_FIELD },
	{ INSIDE,	"\\-1:s8",		"arg1",	"s8", 0, "s8" },
	{ INSIDE,	"\\+1:s8",		"arg1",	"s8", 0, "s8" },
	{ INSIDE,	"\\\"\"",		"arg1",	"string", 0, "__data_loc char[]" },
	{ INSIDE,	"t=\\\"a=b\"",		"t",	"string", 0, "__data_loc char[]" },
	{ INSIDE,	"$stack0:b7@1/8",	"arg1",	"u8", 0, "u8" },
	{ INSIDE,	"$stack0:b0x10@020/32",	"arg1",	"u32", 0, "u32" },
	{ INSIDE,	"$stack0:b64@0/64",	"arg1",	"u64", 0, "u64" },
	{ INSIDE,	"@0:b3@2/16[2]",	"arg1",	"u16", 2, "u16[2]" },
	{ INSIDE,	"this_cpu_read(\\8):u8", "arg1", "u8", 0, "u8" },
	{ INSIDE,	"c=this_cpu_ptr(\\8)",	"c",	LONG_HEX, 0, LONG_FIELD },
	{ INSIDE,	"a234567890123456789012345678901=\\1",
	  "a234567890123456789012345678901", LONG_HEX, 0, LONG_FIELD },
};

static void expect_word(struct kunit *test, struct fetched *got, const struct word *word,
			const char *function)
{
	const struct probe_arg *arg;
	const char *equals = strchr(word->text, '=');

	make(test, got, word->scope, function, word->text);
	arg = &got->tp->args[0];
	KUNIT_EXPECT_STREQ_MSG(test, arg->name, word->name, "%s", word->text);
	/* What follows the name is listed as it was written. */
	KUNIT_EXPECT_STREQ_MSG(test, arg->comm,
			       equals && strcmp(arg->name, "arg1") ? equals + 1 : word->text,
			       "%s", word->text);
	KUNIT_EXPECT_STREQ_MSG(test, arg->type->name, word->type, "%s", word->text);
	KUNIT_EXPECT_EQ_MSG(test, arg->count, word->count, "%s", word->text);
	KUNIT_EXPECT_STREQ_MSG(test, arg->format ?: arg->type->field, word->format, "%s",
			       word->text);
	KUNIT_EXPECT_EQ_MSG(test, got->tp->size, arg->type->size * (arg->count ?: 1), "%s",
			    word->text);
}

static void listing(struct kunit *test)
{
	struct fetched *got = fetched(test);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		expect_word(test, got, &words[i], NULL);
}

static void listing_by_types(struct kunit *test)
{
	static const struct word typed[] = {
		{ ENTRY,	"file",			"file",	"x64", 0, "u64" },
		{ ENTRY,	"count",		"count", "u64", 0, "u64" },
		{ ENTRY,	"count:x8",		"count", "x8", 0, "u8" },
		{ ENTRY,	"buf:ustring",		"buf",	"ustring", 0, "__data_loc char[]" },
		{ ENTRY,	"file->f_inode->i_mode", "arg1", "u16", 0, "u16" },
		{ ENTRY,	"m=file->f_path.dentry",	"m", "x64", 0, "u64" },
		{ RETURN,	"$retval",		"arg1",	"s64", 0, "s64" },
		{ RETURN,	"pos",			"pos",	"x64", 0, "u64" },
		{ INSIDE,	"$current->pid",	"arg1",	"s32", 0, "s32" },
		{ INSIDE,	"c=$current->comm:string", "c",	"string", 0, "__data_loc char[]" },
		{ INSIDE,	"(task_struct)$stack0->pid", "arg1", "s32", 0, "s32" },
		{ INSIDE,	"p=(task_struct,tasks)$stack0->pid", "p", "s32", 0, "s32" },
		{ INSIDE,	"(task_struct)($current->real_parent)->pid",
		  "arg1", "s32", 0, "s32" },
	};
	struct fetched *got = fetched(test);
	unsigned int i;

	if (!IS_ENABLED(CONFIG_PROBE_EVENTS_BTF_ARGS))
		kunit_skip(test, "no type information");
	for (i = 0; i < ARRAY_SIZE(typed); i++)
		expect_word(test, got, &typed[i], "vfs_read");
}

/* Sources */

static void registers(struct kunit *test)
{
	/* Registers of x86-64, of arm64, and of riscv64. */
	static const char * const names[] = {
		"ax", "bx", "cx", "dx", "si", "di", "bp", "sp", "r8", "r15", "ip",
		"x0", "x1", "x15", "x28", "lr", "pc", "a0", "a7", "s1", "t6", "ra",
	};
	struct fetched *got = fetched(test);
	unsigned int i, known = 0;
	char text[ARG_LEN];
	u64 value;
	int at;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		at = regs_query_register_offset(names[i]);
		if (at < 0)
			continue;
		known++;
		value = 0x8182838485868788ULL + i;
		memset(&got->regs, 0, sizeof(got->regs));
		*(unsigned long *)((void *)&got->regs + at) = value;
		snprintf(text, sizeof(text), "%%%s:x64", names[i]);
		stores(test, got, INSIDE, text, &value, sizeof(value));
	}
	if (!known)
		kunit_skip(test, "no register of these names");
}

static void results(struct kunit *test)
{
	struct fetched *got = fetched(test);
	u64 value = 0xfedcba9876543210;

	if (!set_result(&got->regs, value))
		kunit_skip(test, "the architecture cannot set a result");
	stores(test, got, RETURN, "$retval:x64", &value, sizeof(value));
	stores(test, got, USER_RETURN, "$retval:x64", &value, sizeof(value));
	got->kept[0] = 77;
	value = 77;
	stores(test, got, RETURN, "$arg3:u64", &value, sizeof(value));
}

/* The program reads the parameter's register, or the parameter by its number. */
static void expect_parameter(struct kunit *test, const struct arg_program *prog, unsigned int n)
{
	int offset = arch_param_offset(n);

	KUNIT_EXPECT_EQ(test, prog->source, offset < 0 ? ARG_FROM_PARAM : ARG_FROM_REG);
	KUNIT_EXPECT_EQ(test, prog->param, offset < 0 ? n : offset);
}

/* Parameters by number. A tracepoint's function has one more, the first one. */
static void parameters(struct kunit *test)
{
	struct fetched *got = fetched(test);
	unsigned int nr;
	char text[ARG_LEN];

	for (nr = 1; nr < 12; nr++) {
		snprintf(text, sizeof(text), "$arg%u", nr);
		make(test, got, ENTRY, NULL, text);
		expect_parameter(test, got->tp->args[0].prog, nr - 1);
		make(test, got, TRACEPOINT, NULL, text);
		expect_parameter(test, got->tp->args[0].prog, nr);
		make(test, got, RETURN, NULL, text);
		KUNIT_EXPECT_EQ(test, got->tp->args[0].prog->source, ARG_FROM_KEPT);
		KUNIT_EXPECT_EQ(test, got->tp->entry_arg->nr, 1);
		KUNIT_EXPECT_EQ(test, got->tp->entry_arg->values[0].what, nr - 1);
	}
}

static void stack(struct kunit *test)
{
	unsigned long words[4] = { 11, 22, 33, 44 };
	struct fetched *got = fetched(test);
	int at = regs_query_register_offset("sp");
	u64 value = 33;

	if (at < 0)
		kunit_skip(test, "the stack pointer has another name");
	*(unsigned long *)((void *)&got->regs + at) = (unsigned long)words;
	stores(test, got, INSIDE, "$stack2:u64", &value, sizeof(value));
	stores(test, got, INSIDE, "+16($stack):u64", &value, sizeof(value));
	value = (unsigned long)words;
	stores(test, got, INSIDE, "$stack:u64", &value, sizeof(value));
	value = (unsigned long)current;
	stores(test, got, INSIDE, "$current:u64", &value, sizeof(value));
}

/* Numbers */

static const struct {
	const char	*name;
	unsigned int	size;
} numbers[] = {
	{ "u8", 1 }, { "s8", 1 }, { "x8", 1 }, { "char", 1 }, { "u16", 2 }, { "s16", 2 },
	{ "x16", 2 }, { "u32", 4 }, { "s32", 4 }, { "x32", 4 }, { "u64", 8 }, { "s64", 8 },
	{ "x64", 8 }, { "symbol", sizeof(long) },
};

static u8 pattern[64 * 8 + 16];

/* Symbols for words: the start of the pattern, and a pointer into it. */
static u8 args_kunit_bytes[32] __used;
static u8 *args_kunit_middle __used = args_kunit_bytes + 8;

static void fill_pattern(void)
{
	unsigned int i;

	for (i = 0; i < sizeof(pattern); i++)
		pattern[i] = i * 37 + 129;
}

static void numbers_in_memory(struct kunit *test)
{
	struct fetched *got = fetched(test);
	char text[ARG_LEN];
	unsigned int i, at;

	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		for (at = 0; at < 9; at++) {
			snprintf(text, sizeof(text), "@0x%lx:%s", AT(pattern + at),
				 numbers[i].name);
			stores(test, got, INSIDE, text, pattern + at, numbers[i].size);
			snprintf(text, sizeof(text), "+%u(\\0x%lx):%s", at, AT(pattern),
				 numbers[i].name);
			stores(test, got, INSIDE, text, pattern + at, numbers[i].size);
			snprintf(text, sizeof(text), "-%u(\\0x%lx):%s", at,
				 AT(pattern + sizeof(pattern) - 8), numbers[i].name);
			stores(test, got, INSIDE, text, pattern + sizeof(pattern) - 8 - at,
			       numbers[i].size);
		}
	}
}

static void symbols(struct kunit *test)
{
	struct fetched *got = fetched(test);
	char text[ARG_LEN];
	unsigned int at;

	memcpy(args_kunit_bytes, pattern, sizeof(args_kunit_bytes));
	stores(test, got, INSIDE, "@args_kunit_bytes:u8", pattern, 1);
	stores(test, got, INSIDE, "+6(@args_kunit_middle):x16[2]", pattern + 8 + 6, 4);
	stores(test, got, INSIDE, "-6(@args_kunit_middle):x16[2]", pattern + 8 - 6, 4);
	for (at = 0; at < 16; at++) {
		snprintf(text, sizeof(text), "@args_kunit_bytes+%u:x32", at);
		stores(test, got, INSIDE, text, pattern + at, 4);
		snprintf(text, sizeof(text), "@args_kunit_bytes+0x%x:s8[2]", at);
		stores(test, got, INSIDE, text, pattern + at, 2);
	}
}

static void arrays_of_numbers(struct kunit *test)
{
	static const unsigned int counts[] = { 1, 2, 3, 63, 64 };
	struct fetched *got = fetched(test);
	char text[ARG_LEN];
	unsigned int i, n;

	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		for (n = 0; n < ARRAY_SIZE(counts); n++) {
			snprintf(text, sizeof(text), "@0x%lx:%s[%u]", AT(pattern + 3),
				 numbers[i].name,
				 counts[n]);
			stores(test, got, INSIDE, text, pattern + 3, numbers[i].size * counts[n]);
		}
	}
}

/* Write the bytes of a word to a place of this size. */
static void put_word(u8 *bytes, unsigned int size, u64 value)
{
	switch (size) {
	case 1:
		*bytes = value;
		break;
	case 2:
		put_unaligned((u16)value, (u16 *)bytes);
		break;
	case 4:
		put_unaligned((u32)value, (u32 *)bytes);
		break;
	default:
		put_unaligned(value, (u64 *)bytes);
	}
}

static void numbers_as_they_are(struct kunit *test)
{
	static const u64 values[] = { 0, 1, 0x80, 0x7fff, 0x80000000, 0xfedcba9876543210,
				      0x7fffffffffffffff, 0x8000000000000000, ~0ULL };
	struct fetched *got = fetched(test);
	char text[ARG_LEN];
	unsigned int i, n;
	u8 bytes[8];

	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		for (n = 0; n < ARRAY_SIZE(values); n++) {
			put_word(bytes, numbers[i].size, values[n]);
			snprintf(text, sizeof(text), "\\%llu:%s", values[n], numbers[i].name);
			stores(test, got, INSIDE, text, bytes, numbers[i].size);
			snprintf(text, sizeof(text), "\\0x%llx:%s", values[n], numbers[i].name);
			stores(test, got, INSIDE, text, bytes, numbers[i].size);
			snprintf(text, sizeof(text), "\\%lld:%s", values[n], numbers[i].name);
			stores(test, got, INSIDE, text, bytes, numbers[i].size);
		}
	}
}

/* Bits of a word, one at a time. */
static u64 bits_of(u64 word, unsigned int width, unsigned int shift)
{
	u64 bits = 0;
	unsigned int i;

	for (i = 0; i < width; i++) {
		if (word & BIT_ULL(shift + i))
			bits |= BIT_ULL(i);
	}
	return bits;
}

static u64 word_of(const u8 *bytes, unsigned int size)
{
	switch (size) {
	case 1:
		return *bytes;
	case 2:
		return get_unaligned((const u16 *)bytes);
	case 4:
		return get_unaligned((const u32 *)bytes);
	default:
		return get_unaligned((const u64 *)bytes);
	}
}

/* Expect bits of a word in memory, of an array of two words, and of a constant. */
static void expect_bits(struct kunit *test, struct fetched *got, unsigned int size,
			unsigned int width, unsigned int shift)
{
	const u8 *at = pattern + 5;
	char text[ARG_LEN];
	u8 bytes[16];

	put_word(bytes, size, bits_of(word_of(at, size), width, shift));
	put_word(bytes + size, size, bits_of(word_of(at + size, size), width, shift));
	snprintf(text, sizeof(text), "@0x%lx:b%u@%u/%u", AT(at), width, shift, size * 8);
	stores(test, got, INSIDE, text, bytes, size);
	snprintf(text, sizeof(text), "@0x%lx:b%u@%u/%u[2]", AT(at), width, shift, size * 8);
	stores(test, got, INSIDE, text, bytes, 2 * size);
	put_word(bytes, size, bits_of(word_of(at, 8), width, shift));
	snprintf(text, sizeof(text), "\\0x%llx:b%u@%u/%u", word_of(at, 8), width, shift, size * 8);
	stores(test, got, INSIDE, text, bytes, size);
}

/* All widths at all offsets of small words, and many of those of larger words. */
static void bit_fields(struct kunit *test)
{
	struct fetched *got = fetched(test);
	unsigned int size, width, shift;

	for (size = 1; size <= 8; size *= 2) {
		for (width = 1; width <= size * 8; width += size > 4 ? 7 : 1) {
			for (shift = 0; shift + width <= size * 8; shift += size > 2 ? 3 : 1)
				expect_bits(test, got, size, width, shift);
		}
	}
}

/* Addresses */

static void free_memory(void *memory)
{
	vfree(memory);
}

/* Allocate a page. The next one is not mapped. */
static u8 *lone_page(struct kunit *test)
{
	u8 *page = vmalloc(PAGE_SIZE);

	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, free_memory, page), 0);
	memset(page, 0x3c, PAGE_SIZE);
	return page;
}

/* An element that reaches beyond mapped memory is all zero. */
static void end_of_memory(struct kunit *test)
{
	struct fetched *got = fetched(test);
	u8 *end = lone_page(test) + PAGE_SIZE;
	char text[ARG_LEN];
	unsigned int i, at;
	u8 bytes[4 * 8];

	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		unsigned int size = numbers[i].size;

		for (at = 1; at <= 4 * size; at++) {
			memset(bytes, 0, sizeof(bytes));
			memset(bytes, 0x3c, at / size * size);
			snprintf(text, sizeof(text), "@0x%lx:%s[4]", AT(end - at), numbers[i].name);
			stores(test, got, INSIDE, text, bytes, 4 * size);
			snprintf(text, sizeof(text), "@0x%lx:%s", AT(end - at), numbers[i].name);
			stores(test, got, INSIDE, text, bytes, size);
		}
	}
}

static void no_memory(struct kunit *test)
{
	static const char * const addresses[] = {
		"0", "8", "4096", "0xffffffffffffffff", "0xfffffffffffffff9", "0x8000000000000000",
		"0xdead000000000000", "0x7fffffffffff", "0x7ffffffffffffff8",
	};
	static const u8 zeros[16];
	struct fetched *got = fetched(test);
	char text[ARG_LEN];
	unsigned int i;

	if (!IS_ENABLED(CONFIG_64BIT))
		kunit_skip(test, "addresses of 64 bits");
	for (i = 0; i < ARRAY_SIZE(addresses); i++) {
		snprintf(text, sizeof(text), "@%s:u8", addresses[i]);
		stores(test, got, INSIDE, text, zeros, 1);
		snprintf(text, sizeof(text), "@%s:x64[2]", addresses[i]);
		stores(test, got, INSIDE, text, zeros, 16);
		snprintf(text, sizeof(text), "+0(+8(\\%s)):x64", addresses[i]);
		stores(test, got, INSIDE, text, zeros, 8);
		snprintf(text, sizeof(text), "+u0(\\%s):x32", addresses[i]);
		stores(test, got, INSIDE, text, zeros, 4);
		snprintf(text, sizeof(text), "@%s:string", addresses[i]);
		stores_string(test, got, INSIDE, text, NULL);
		snprintf(text, sizeof(text), "@%s:ustring", addresses[i]);
		stores_string(test, got, INSIDE, text, NULL);
		snprintf(text, sizeof(text), "@%s:symstr", addresses[i]);
		stores_string(test, got, INSIDE, text, NULL);
		snprintf(text, sizeof(text), "@%s:string[4]", addresses[i]);
		stores(test, got, INSIDE, text, zeros, 16);
		snprintf(text, sizeof(text), "@%s:string", addresses[i]);
		stores_string(test, got, USER, text, NULL);
		snprintf(text, sizeof(text), "+8(@%s):x64", addresses[i]);
		stores(test, got, USER, text, zeros, 8);
	}
}

/* If a pointer cannot be read, no memory near it may be shown. */
static void behind_a_fault(struct kunit *test)
{
	struct fetched *got = fetched(test);
	u8 *end = lone_page(test) + PAGE_SIZE;
	static const u8 zeros[8];
	char text[ARG_LEN];

	put_unaligned((unsigned long)pattern, (unsigned long *)(end - 16));
	put_unaligned((unsigned long)pattern, (unsigned long *)(end - 8));
	/* One half of the pointer is in the next page. */
	snprintf(text, sizeof(text), "-12(+0(\\0x%lx)):x64", AT(end - 4));
	stores(test, got, INSIDE, text, zeros, 8);
	snprintf(text, sizeof(text), "-12(+0(\\0x%lx)):string", AT(end - 4));
	stores_string(test, got, INSIDE, text, NULL);
	snprintf(text, sizeof(text), "-12(+0(\\0x%lx)):string[2]", AT(end - 4));
	stores(test, got, INSIDE, text, zeros, 8);
}

static void user_memory(struct kunit *test)
{
	struct fetched *got = fetched(test);
	void __user *room = user_room(test, 1);
	char text[ARG_LEN];
	unsigned int i;

	KUNIT_ASSERT_EQ(test, copy_to_user(room, pattern, 64), 0);
	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		snprintf(text, sizeof(text), "+u3(\\0x%lx):%s", AT(room), numbers[i].name);
		stores(test, got, INSIDE, text, pattern + 3, numbers[i].size);
		snprintf(text, sizeof(text), "+u5(\\0x%lx):%s[2]", AT(room), numbers[i].name);
		stores(test, got, INSIDE, text, pattern + 5, 2 * numbers[i].size);
		if (!strcmp(numbers[i].name, "symbol"))
			continue;
		snprintf(text, sizeof(text), "+5(\\0x%lx):%s[2]", AT(room), numbers[i].name);
		stores(test, got, USER, text, pattern + 5, 2 * numbers[i].size);
	}
}

static void user_strings(struct kunit *test)
{
	static const char source[] = "the quick brown fox";
	struct fetched *got = fetched(test);
	void __user *room = user_room(test, 1);
	unsigned long pointer = (unsigned long)room + 4;
	char text[ARG_LEN];
	unsigned int i;

	for (i = 0; i < sizeof(source); i++) {
		/* The text ends where the mapped memory ends. */
		void __user *at = room + PAGE_SIZE - sizeof(source) + i;

		KUNIT_ASSERT_EQ(test, copy_to_user(room + PAGE_SIZE - sizeof(source), source,
						   sizeof(source)), 0);
		snprintf(text, sizeof(text), "+u0(\\0x%lx):string", AT(at));
		stores_string(test, got, INSIDE, text, source + i);
		snprintf(text, sizeof(text), "@0x%lx:ustring", AT(at));
		stores_string(test, got, INSIDE, text, source + i);
		snprintf(text, sizeof(text), "@0x%lx:string", AT(at));
		stores_string(test, got, USER, text, source + i);
	}
	KUNIT_ASSERT_EQ(test, copy_to_user(room, &pointer, sizeof(pointer)), 0);
	KUNIT_ASSERT_EQ(test, copy_to_user((void __user *)pointer + 8, source, 4), 0);
	snprintf(text, sizeof(text), "+u8(+u0(\\0x%lx)):char[4]", AT(room));
	stores(test, got, INSIDE, text, source, 4);
}

/* A uprobe can read memory that is not paged in, a hit in the kernel cannot. */
static void absent_memory(struct kunit *test)
{
	struct fetched *got = fetched(test);
	void __user *room = user_room(test, 2);
	static const u8 zeros[8];
	char text[ARG_LEN];

	snprintf(text, sizeof(text), "+u0(\\0x%lx):string", AT(room));
	stores_string(test, got, INSIDE, text, NULL);
	snprintf(text, sizeof(text), "+u0(\\0x%lx):u64", AT(room));
	stores(test, got, INSIDE, text, zeros, 8);
	snprintf(text, sizeof(text), "+0(\\0x%lx):ustring", AT(room));
	stores_string(test, got, INSIDE, text, NULL);
	snprintf(text, sizeof(text), "+0(\\0x%lx):string", AT(room));
	stores_string(test, got, USER, text, "");
	/* Text that continues in memory that is not mapped. */
	KUNIT_ASSERT_EQ(test, copy_to_user(room + PAGE_SIZE - 2, "ab", 2), 0);
	snprintf(text, sizeof(text), "+u0(\\0x%lx):string", AT(room + PAGE_SIZE - 2));
	stores_string(test, got, INSIDE, text, NULL);
	snprintf(text, sizeof(text), "+0(\\0x%lx):string", AT(room + PAGE_SIZE - 2));
	stores_string(test, got, USER, text, "ab");
}

/* Strings */

#define LETTERS	"abcdefghijklmnopqrstabcdefghijklmnopqrstabcdefghijklmnopqrst"

static void constant_strings(struct kunit *test)
{
	struct fetched *got = fetched(test);

	stores_string(test, got, INSIDE, "\\\"a b\"", "a b");
	stores_string(test, got, INSIDE, "\\\"\"", "");
	stores_string(test, got, USER, "x=\\\"=\":string", "=");
	/* The longest word. */
	stores_string(test, got, INSIDE, "x=\\\"" LETTERS "\"", LETTERS);
	stores_string(test, got, INSIDE, "$comm", current->comm);
	stores_string(test, got, USER, "$COMM:string", current->comm);
}

static void arrays_of_strings(struct kunit *test)
{
	static const char * const texts[] = { "one", "", NULL, "four" };
	struct fetched *got = fetched(test);
	unsigned int i, at = 1 + 4 * sizeof(u32);
	char text[ARG_LEN];
	u8 bytes[64];

	for (i = 0; i < 4; i++) {
		unsigned int len = texts[i] ? strlen(texts[i]) + 1 : 0;

		put_unaligned(len ? make_data_loc(len, at) : 0, (u32 *)bytes + i);
		memcpy(bytes + at - 1, texts[i], len);
		at += len;
	}
	snprintf(text, sizeof(text), "@0x%lx:string[4]", AT(texts));
	stores(test, got, INSIDE, text, bytes, at - 1);
}

/* A record with exactly as much room as the string takes, and smaller ones. */
static void room_for_a_string(struct kunit *test)
{
	static const char source[] = "sixteen letters.";
	struct fetched *got = fetched(test);
	unsigned int room, need = 1 + sizeof(u32) + sizeof(source);
	char text[ARG_LEN];

	snprintf(text, sizeof(text), "@0x%lx:string", AT(source));
	make(test, got, INSIDE, NULL, text);
	for (room = 1 + sizeof(u32); room < need + 4; room++) {
		store(got, room);
		KUNIT_EXPECT_EQ(test, got->rec.cut, room <= need);
		KUNIT_EXPECT_EQ(test, get_loc_len(get_unaligned((u32 *)got->rec.args)),
				room <= need ? 0 : sizeof(source));
		KUNIT_EXPECT_NULL(test, memchr_inv(got->record + room, FILL, RECORD_SIZE - room));
	}
}

static int init(struct kunit *test)
{
	fill_pattern();
	return 0;
}

static struct kunit_case cases[] = {
	KUNIT_CASE(listing),
	KUNIT_CASE(listing_by_types),
	KUNIT_CASE(registers),
	KUNIT_CASE(results),
	KUNIT_CASE(parameters),
	KUNIT_CASE(stack),
	KUNIT_CASE(numbers_in_memory),
	KUNIT_CASE(symbols),
	KUNIT_CASE(arrays_of_numbers),
	KUNIT_CASE(numbers_as_they_are),
	KUNIT_CASE(bit_fields),
	KUNIT_CASE(end_of_memory),
	KUNIT_CASE(no_memory),
	KUNIT_CASE(behind_a_fault),
	KUNIT_CASE(user_memory),
	KUNIT_CASE(user_strings),
	KUNIT_CASE(absent_memory),
	KUNIT_CASE(constant_strings),
	KUNIT_CASE(arrays_of_strings),
	KUNIT_CASE(room_for_a_string),
	{}
};

static struct kunit_suite suite = {
	.name = "trace_probe_words",
	.init = init,
	.test_cases = cases,
};

kunit_test_suite(suite);
