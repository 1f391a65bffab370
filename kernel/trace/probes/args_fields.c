// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Arguments of probe events: the fields of an event, and its format string.
 */
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/stdarg.h>

#include "args_internal.h"

/**
 * traceprobe_define_arg_fields - define fields for the arguments
 * @call: the event
 * @offset: offset of the first one in a record
 * @tp: the event's first probe
 *
 * Return: 0, or the error of trace_define_field().
 */
int traceprobe_define_arg_fields(struct trace_event_call *call, size_t offset,
				 struct trace_probe *tp)
{
	const struct probe_arg *arg = tp->args;
	const struct arg_type *type;
	int err;

	for (; arg < tp->args + tp->nr_args; arg++) {
		type = arg->type;
		err = trace_define_field(call, arg->format ?: type->field, arg->name,
					 offset + arg->offset, type->size * (arg->count ?: 1),
					 type->is_signed, FILTER_OTHER);
		if (err)
			return err;
	}
	return 0;
}

/* The text of the format. Without @buf it is only counted. */
struct text {
	char	*buf;
	int	size;
	int	len;
};

static __printf(2, 3) void put(struct text *text, const char *format, ...)
{
	int left = text->buf ? text->size - text->len : 0;
	va_list args;

	va_start(args, format);
	text->len += vsnprintf(left ? text->buf + text->len : NULL, left, format, args);
	va_end(args);
}

static void put_format(struct text *text, const struct probe_arg *arg)
{
	unsigned int i;

	put(text, " %s=", arg->name);
	if (!arg->count) {
		put(text, "%s", arg->type->format);
		return;
	}
	for (i = 0; i < arg->count; i++)
		put(text, "%c%s", i ? ',' : '{', arg->type->format);
	put(text, "}");
}

/* A reference to the field, or to an element of it. */
static void put_reference(struct text *text, const struct probe_arg *arg, unsigned int i)
{
	put(text, "%s", arg->name);
	if (arg->format)
		put(text, "[%u]", i);
}

static void put_symbolic(struct text *text, const struct probe_arg *arg, unsigned int i)
{
	unsigned int n;

	put(text, ", __print_symbolic(REC->");
	put_reference(text, arg, i);
	for (n = 0; n < arg->names->nr; n++)
		put(text, ", { 0x%llx, \"%s\" }", arg->names->name[n].value,
		    arg->names->name[n].name);
	put(text, ")");
}

/* The word with the upper digits is first. */
static void put_words(struct text *text, const struct probe_arg *arg, unsigned int i)
{
	unsigned int n, words = arg->type->words;

	for (n = 0; n < words; n++) {
		put(text, ", REC->");
		put_reference(text, arg, i * words + (IS_ENABLED(CONFIG_CPU_BIG_ENDIAN) ?
						      n : words - 1 - n));
	}
}

static void put_value(struct text *text, const struct probe_arg *arg, unsigned int i)
{
	if (arg->names) {
		put_symbolic(text, arg, i);
	} else if (arg->type->words) {
		put_words(text, arg, i);
	} else {
		put(text, arg->type->is_string ? ", __get_str(" : ", REC->");
		put_reference(text, arg, i);
		if (arg->type->is_string)
			put(text, ")");
	}
}

static void put_values(struct text *text, const struct probe_arg *arg)
{
	unsigned int i;

	for (i = 0; i < (arg->count ?: 1); i++)
		put_value(text, arg, i);
}

/* The fields before the arguments: their format and values. */
static const struct {
	const char *format;
	const char *values;
} heads[] = {
	[PROBE_PRINT_NORMAL] = {
		"(%lx)", ", REC->" FIELD_STRING_IP
	},
	[PROBE_PRINT_RETURN] = {
		"(%lx <- %lx)", ", REC->" FIELD_STRING_FUNC ", REC->" FIELD_STRING_RETIP
	},
	[PROBE_PRINT_EVENT] = {
		"", ""
	},
};

static void put_all(struct text *text, const struct trace_probe *tp, enum probe_print_type ptype)
{
	unsigned int i;

	text->len = 0;
	put(text, "\"%s", heads[ptype].format);
	for (i = 0; i < tp->nr_args; i++)
		put_format(text, &tp->args[i]);
	put(text, "\"%s", heads[ptype].values);
	for (i = 0; i < tp->nr_args; i++)
		put_values(text, &tp->args[i]);
}

/**
 * traceprobe_set_print_fmt - set the format string of an event
 * @tp: the event's first probe, with all its arguments
 * @ptype: the kind of records
 *
 * Return: 0 or -ENOMEM.
 */
int traceprobe_set_print_fmt(struct trace_probe *tp, enum probe_print_type ptype)
{
	struct text text = { };

	put_all(&text, tp, ptype);
	text.size = text.len + 1;
	text.buf = kmalloc(text.size, GFP_KERNEL);
	if (!text.buf)
		return -ENOMEM;
	put_all(&text, tp, ptype);
	tp->event->call.print_fmt = text.buf;
	return 0;
}
