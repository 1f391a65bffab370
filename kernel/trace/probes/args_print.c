// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Arguments of probe events: a record -> text.
 */
#include <linux/errno.h>

#include "args_internal.h"

static bool print_one(struct trace_seq *s, const struct probe_arg *arg, const u8 *place,
		      const void *record)
{
	if (!arg->names)
		return arg->type->print(s, place, record);
	args_print_name(s, arg, place);
	return !trace_seq_has_overflowed(s);
}

static bool print_array(struct trace_seq *s, const struct probe_arg *arg, const u8 *place,
			const void *record)
{
	unsigned int i;

	for (i = 0; i < arg->count; i++) {
		trace_seq_putc(s, i ? ',' : '{');
		if (!print_one(s, arg, place + i * arg->type->size, record))
			return false;
	}
	trace_seq_putc(s, '}');
	return !trace_seq_has_overflowed(s);
}

static bool print_value(struct trace_seq *s, const struct probe_arg *arg, const u8 *place,
			const void *record)
{
	if (arg->count)
		return print_array(s, arg, place, record);
	return print_one(s, arg, place, record);
}

/**
 * trace_probe_print_args - print the arguments of a record
 * @s: the output
 * @args: the arguments
 * @nr: number of arguments
 * @first: place of the first one
 * @record: start of the record
 *
 * Return: 0, or -ENOMEM if @s is full.
 */
int trace_probe_print_args(struct trace_seq *s, struct probe_arg *args, int nr, u8 *first,
			   void *record)
{
	const struct probe_arg *arg, *end = args + nr;

	for (arg = args; arg != end; arg++) {
		trace_seq_putc(s, ' ');
		trace_seq_puts(s, arg->name);
		trace_seq_putc(s, '=');
		if (!print_value(s, arg, first + arg->offset, record))
			return -ENOMEM;
	}
	return 0;
}
