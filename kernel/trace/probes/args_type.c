// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Arguments of probe events: types, which say how a value is stored and shown.
 */
#include <linux/array_size.h>
#include <linux/kernel.h>
#include <linux/kstrtox.h>
#include <linux/string.h>
#include <linux/unaligned.h>

#include "args_internal.h"

/* Printed if the text of a string could not be read. */
#define FAULT_TEXT	"(fault)"

/* Places in a record are not aligned. */
#define PRINT_NUMBER(name, type, format)					\
static bool print_##name(struct trace_seq *s, const void *value, const void *record)	\
{										\
	trace_seq_printf(s, format, get_unaligned((const type *)value));	\
	return !trace_seq_has_overflowed(s);					\
}

PRINT_NUMBER(u8, u8, "%u")
PRINT_NUMBER(u16, u16, "%u")
PRINT_NUMBER(u32, u32, "%u")
PRINT_NUMBER(u64, u64, "%llu")
PRINT_NUMBER(s8, s8, "%d")
PRINT_NUMBER(s16, s16, "%d")
PRINT_NUMBER(s32, s32, "%d")
PRINT_NUMBER(s64, s64, "%lld")
PRINT_NUMBER(x8, u8, "0x%x")
PRINT_NUMBER(x16, u16, "0x%x")
PRINT_NUMBER(x32, u32, "0x%x")
PRINT_NUMBER(x64, u64, "0x%llx")
PRINT_NUMBER(char, u8, "'%c'")

/* Index of the word with the lower digits of a number of two words. */
#define LOW_WORD	IS_ENABLED(CONFIG_CPU_BIG_ENDIAN)

static bool print_x128(struct trace_seq *s, const void *value, const void *record)
{
	const u64 *words = value;

	trace_seq_printf(s, "0x%llx%016llx", get_unaligned(words + !LOW_WORD),
			 get_unaligned(words + LOW_WORD));
	return !trace_seq_has_overflowed(s);
}

static bool print_symbol(struct trace_seq *s, const void *value, const void *record)
{
	unsigned long addr = get_unaligned((const unsigned long *)value);

	trace_seq_printf(s, "%pS", (void *)addr);
	return !trace_seq_has_overflowed(s);
}

static bool print_string(struct trace_seq *s, const void *value, const void *record)
{
	u32 loc = get_unaligned((const u32 *)value);

	if (get_loc_len(loc))
		trace_seq_printf(s, "\"%s\"", (const char *)record + get_loc_offs(loc));
	else
		trace_seq_puts(s, FAULT_TEXT);
	return !trace_seq_has_overflowed(s);
}

#define NUMBER_TYPE(type_name, c_type, printf_format)		\
	{							\
		.name		= #type_name,			\
		.field		= #c_type,			\
		.format		= printf_format,		\
		.print		= print_##type_name,		\
		.size		= sizeof(c_type),		\
		.is_signed	= is_signed_type(c_type),	\
	}

#define ENUM_TYPE(c_type)					\
	{							\
		.name		= "enum",			\
		.field		= #c_type,			\
		.format		= "%s",				\
		.print		= print_##c_type,		\
		.size		= sizeof(c_type),		\
		.is_enum	= true,				\
	}

#define STRING_TYPE(type_name)					\
	{							\
		.name		= #type_name,			\
		.field		= "__data_loc char[]",		\
		.format		= "\\\"%s\\\"",			\
		.print		= print_string,			\
		.size		= sizeof(u32),			\
		.is_signed	= true,				\
		.is_string	= true,				\
	}

/* The first ones are those that BTF types map to. */
static const struct arg_type types[] = {
	NUMBER_TYPE(u8, u8, "%u"),
	NUMBER_TYPE(u16, u16, "%u"),
	NUMBER_TYPE(u32, u32, "%u"),
	NUMBER_TYPE(u64, u64, "%Lu"),
	NUMBER_TYPE(s8, s8, "%d"),
	NUMBER_TYPE(s16, s16, "%d"),
	NUMBER_TYPE(s32, s32, "%d"),
	NUMBER_TYPE(s64, s64, "%Ld"),
	NUMBER_TYPE(x8, u8, "0x%x"),
	NUMBER_TYPE(x16, u16, "0x%x"),
	NUMBER_TYPE(x32, u32, "0x%x"),
	NUMBER_TYPE(x64, u64, "0x%Lx"),
	NUMBER_TYPE(char, u8, "'%c'"),
	{
		.name		= "x128",
		.field		= "u64",
		.format		= "0x%Lx%016Lx",
		.print		= print_x128,
		.size		= 2 * sizeof(u64),
		.words		= 2,
	},
	/* BTF tells the size. */
	ENUM_TYPE(u8),
	ENUM_TYPE(u16),
	ENUM_TYPE(u32),
	ENUM_TYPE(u64),
	STRING_TYPE(string),
	STRING_TYPE(ustring),
	STRING_TYPE(lustring),
	/* Only for probes of the kernel. */
	STRING_TYPE(symstr),
	{
		.name		= "symbol",
		.field		= __stringify(CONCATENATE(u, BITS_PER_LONG)),
		.format		= "%pS",
		.print		= print_symbol,
		.size		= sizeof(long),
	},
};

static bool is_of_kernel(const struct arg_type *type)
{
	return !strcmp(type->name, "symstr") || !strcmp(type->name, "symbol") || type->is_enum;
}

static const struct arg_type *find(const char *name)
{
	const struct arg_type *type;

	for (type = types; type < types + ARRAY_SIZE(types); type++) {
		if (!strcmp(type->name, name))
			return type;
	}
	return NULL;
}

/**
 * args_type_of_size - find the type of a number
 * @size: its bytes
 * @is_signed: it has a sign
 *
 * Return: the type, NULL if there is none of this size.
 */
const struct arg_type *args_type_of_size(unsigned int size, bool is_signed)
{
	const struct arg_type *type;

	for (type = types; type->print != print_x8; type++) {
		if (type->size == size && type->is_signed == is_signed)
			return type;
	}
	return NULL;
}

/**
 * args_type_of_enum - find the type of values that are shown by their names
 * @size: their bytes
 *
 * Return: the type, NULL if there is none of this size.
 */
const struct arg_type *args_type_of_enum(unsigned int size)
{
	const struct arg_type *type;

	for (type = types; type < types + ARRAY_SIZE(types); type++) {
		if (type->is_enum && type->size == size)
			return type;
	}
	return NULL;
}

/**
 * args_type_of_pair - find the type of a number of two words
 *
 * Return: the type.
 */
const struct arg_type *args_type_of_pair(void)
{
	return find("x128");
}

/**
 * args_default_type - find the type for arguments without a type
 *
 * Return: the type of a register.
 */
const struct arg_type *args_default_type(void)
{
	return find("x" __stringify(BITS_PER_LONG));
}

/* The type for SIZE in "bWIDTH@OFFSET/SIZE". */
static const struct arg_type *bitfield_container(const char *name)
{
	const char *slash = strchr(name, '/');
	unsigned long bits;

	if (!slash || kstrtoul(slash + 1, 0, &bits) || bits % BITS_PER_BYTE)
		return NULL;
	return args_type_of_size(bits / BITS_PER_BYTE, false);
}

/**
 * args_find_type - find a type by its name
 * @ctx: what arguments may refer to
 * @name: the name
 *
 * Return: the type; for a bit-field, that of the word that contains it; NULL if there is none.
 */
const struct arg_type *args_find_type(const struct traceprobe_parse_context *ctx,
				      const char *name)
{
	const struct arg_type *type;

	if (*name == 'b')
		return bitfield_container(name);
	type = find(name);
	if (type && args_are_of_user(ctx) && is_of_kernel(type))
		return NULL;
	return type;
}

/**
 * args_bitfield - store bits of a word
 * @b: the argument
 * @name: "bWIDTH@OFFSET/SIZE"
 * @size: bytes of the word
 *
 * Return: 0, or -EINVAL if there are no such bits in the word.
 */
int args_bitfield(struct arg_build *b, const char *name, unsigned int size)
{
	unsigned int bits = size * BITS_PER_BYTE;
	unsigned long width, shift;
	char *at, *end;

	width = simple_strtoul(name + 1, &at, 0);
	if (!width || *at != '@')
		return -EINVAL;
	shift = simple_strtoul(at + 1, &end, 0);
	if (end == at + 1 || *end != '/' || width > bits || shift > bits - width)
		return -EINVAL;
	b->prog->shift_left = bits - (width + shift);
	b->prog->shift_right = bits - width;
	return 0;
}
