// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Kprobe events: commands that other kernel code builds.
 * See Documentation/trace/events.rst, section 7.3, for how to use this.
 */
#include <linux/export.h>
#include <linux/slab.h>
#include <linux/stdarg.h>
#include <linux/trace_events.h>

#include "kprobe.h"

static int run_built_command(struct dynevent_cmd *cmd)
{
	const struct seq_buf *text = &cmd->seq;

	return kprobe_event_command(text->buffer);
}

/**
 * kprobe_event_cmd_init - initialize a command
 * @cmd: the command
 * @text: memory for its text; must stay until the command has run
 * @size: size of @text
 */
void kprobe_event_cmd_init(struct dynevent_cmd *cmd, char *text, int size)
{
	dynevent_cmd_init(cmd, text, size, DYNEVENT_TYPE_KPROBE,
			  run_built_command);
}
EXPORT_SYMBOL_GPL(kprobe_event_cmd_init);

static int add_word(struct dynevent_cmd *cmd, const char *word)
{
	struct dynevent_arg arg;

	dynevent_arg_init(&arg, 0);
	arg.str = word;
	return dynevent_arg_add(cmd, &arg, NULL);
}

/* Add all arguments up to a NULL. */
static int add_fields(struct dynevent_cmd *cmd, va_list fields)
{
	const char *field;
	int err;

	while ((field = va_arg(fields, const char *))) {
		if (cmd->n_fields >= MAX_TRACE_ARGS)
			return -EINVAL;
		err = add_word(cmd, field);
		if (err)
			return err;
		cmd->n_fields++;
	}
	return 0;
}

/**
 * __kprobe_event_gen_cmd_start - begin a command that creates an event
 * @cmd: the command, from kprobe_event_cmd_init()
 * @is_return: probe the return
 * @name: name of the event, or "GROUP/NAME"
 * @place: the place to probe; arguments may follow it
 * @...: arguments of the event as strings, then NULL
 *
 * Use kprobe_event_gen_cmd_start() or kretprobe_event_gen_cmd_start(), which add the
 * NULL. The event is created by kprobe_event_gen_cmd_end().
 *
 * Return: 0, -EINVAL for a command of another kind, a missing name or place, or too
 * many arguments, -E2BIG if the text does not fit.
 */
int __kprobe_event_gen_cmd_start(struct dynevent_cmd *cmd, bool is_return,
				 const char *name, const char *place, ...)
{
	va_list fields;
	int err;

	if (cmd->type != DYNEVENT_TYPE_KPROBE || !name || !place)
		return -EINVAL;

	err = dynevent_str_add(cmd, is_return ? "r:" : "p:") ?:
	      dynevent_str_add(cmd, name) ?:
	      add_word(cmd, place);
	if (err)
		return err;

	va_start(fields, place);
	err = add_fields(cmd, fields);
	va_end(fields);
	return err;
}
EXPORT_SYMBOL_GPL(__kprobe_event_gen_cmd_start);

/**
 * kprobe_event_delete - delete an event
 * @event: its name, or "GROUP/NAME"
 *
 * Return: 0, -ENOENT if there is none of that name, -EBUSY if it is in use, -EINVAL
 * without a name, -ENOMEM.
 */
int kprobe_event_delete(const char *event)
{
	char *text;
	int err;

	if (!event || !*event)
		return -EINVAL;
	text = kasprintf(GFP_KERNEL, "-:%s", event);
	if (!text)
		return -ENOMEM;
	err = kprobe_event_command(text);
	kfree(text);
	return err;
}
EXPORT_SYMBOL_GPL(kprobe_event_delete);

/**
 * __kprobe_event_add_fields - add arguments to a command that was begun
 * @cmd: the command
 * @...: arguments of the event as strings, then NULL
 *
 * Use kprobe_event_add_fields() or kprobe_event_add_field().
 *
 * Return: 0, -EINVAL for a command of another kind or too many arguments, -E2BIG if
 * the text does not fit.
 */
int __kprobe_event_add_fields(struct dynevent_cmd *cmd, ...)
{
	va_list fields;
	int err;

	if (cmd->type != DYNEVENT_TYPE_KPROBE)
		return -EINVAL;

	va_start(fields, cmd);
	err = add_fields(cmd, fields);
	va_end(fields);
	return err;
}
EXPORT_SYMBOL_GPL(__kprobe_event_add_fields);
