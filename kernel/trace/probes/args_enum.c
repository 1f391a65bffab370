// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Arguments of probe events: values that are shown by their names, FETCH:enum. BTF has the names. A
 * record has an unsigned number of the size of the enum.
 */
#include <linux/array_size.h>
#include <linux/btf.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/unaligned.h>

#include "args_internal.h"

/* A limit for the length of the event's format. */
#define MAX_NAMES	1024

static u64 value_at(const u8 *place, unsigned int size)
{
	switch (size) {
	case 1:
		return *place;
	case 2:
		return get_unaligned((const u16 *)place);
	case 4:
		return get_unaligned((const u32 *)place);
	default:
		return get_unaligned((const u64 *)place);
	}
}

/**
 * args_print_name - show a value by its name
 * @s: the output
 * @arg: the argument, which has names
 * @place: place of the value in the record
 *
 * A value without a name is shown as by __print_symbolic(), which the event's format has.
 */
void args_print_name(struct trace_seq *s, const struct probe_arg *arg, const u8 *place)
{
	u64 value = value_at(place, arg->type->size);
	unsigned int i;

	for (i = 0; i < arg->names->nr; i++) {
		if (arg->names->name[i].value != value)
			continue;
		trace_seq_puts(s, arg->names->name[i].name);
		return;
	}
	trace_seq_printf(s, "0x%llx", value);
}

/**
 * args_names_differ - do two arguments have different names for values?
 * @a: an argument
 * @b: another one, of the same type
 *
 * Return: true if they do.
 */
bool args_names_differ(const struct probe_arg *a, const struct probe_arg *b)
{
	const struct arg_names *x = a->names, *y = b->names;
	unsigned int i;

	if (!x || !y)
		return x != y;
	if (x->nr != y->nr)
		return true;
	for (i = 0; i < x->nr; i++) {
		if (x->name[i].value != y->name[i].value ||
		    strcmp(x->name[i].name, y->name[i].name))
			return true;
	}
	return false;
}

#ifdef CONFIG_PROBE_EVENTS_BTF_ARGS
/**
 * args_enum_of - find the enum that the operand has as its type
 * @b: the argument
 * @array: the operand is an array of it
 *
 * Return: the enum, NULL if there is none or it is not known.
 */
const struct btf_type *args_enum_of(const struct arg_build *b, bool array)
{
	const struct btf_type *type = b->type;

	if (!type || b->pointee)
		return NULL;
	if (array) {
		if (!btf_is_array(type))
			return NULL;
		type = btf_type_skip_modifiers(b->btf, btf_array(type)->type, NULL);
	}
	if (!type || !btf_is_any_enum(type) || btf_type_vlen(type) > MAX_NAMES)
		return NULL;
	return type;
}

/* Name @i of an enum, and its value. */
static const char *enum_name(const struct btf *btf, const struct btf_type *type, unsigned int i,
			     u64 *value)
{
	u32 name;

	if (btf_is_enum(type)) {
		*value = btf_enum(type)[i].val;
		name = btf_enum(type)[i].name_off;
	} else {
		*value = btf_enum64_value(&btf_enum64(type)[i]);
		name = btf_enum64(type)[i].name_off;
	}
	if (type->size < sizeof(u64))
		*value &= BIT_ULL(type->size * BITS_PER_BYTE) - 1;
	return btf_name_by_offset(btf, name) ?: "";
}

/**
 * args_find_names - find the names of an argument's values
 * @b: the argument
 * @type: its enum
 * @arg: receives copies of the names
 *
 * Return: 0 or -ENOMEM.
 */
int args_find_names(const struct arg_build *b, const struct btf_type *type, struct probe_arg *arg)
{
	unsigned int i, nr = btf_type_vlen(type);
	struct arg_names *names;
	size_t text = 0, size;
	char *to;
	u64 value;

	for (i = 0; i < nr; i++)
		text += strlen(enum_name(b->btf, type, i, &value)) + 1;
	size = struct_size(names, name, nr);
	names = kmalloc(size + text, GFP_KERNEL);
	if (!names)
		return -ENOMEM;
	names->nr = nr;
	to = (char *)names + size;
	for (i = 0; i < nr; i++) {
		const char *name = enum_name(b->btf, type, i, &value);

		size = strlen(name) + 1;
		names->name[i].value = value;
		names->name[i].name = memcpy(to, name, size);
		to += size;
	}
	arg->names = names;
	return 0;
}
#endif /* CONFIG_PROBE_EVENTS_BTF_ARGS */
