// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Arguments of probe events: the words that begin with a $.
 */
#include <linux/ctype.h>
#include <linux/kernel.h>
#include <linux/kstrtox.h>
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "args_internal.h"

/* Words of a stack. */
#define MAX_STACK_WORDS		(THREAD_SIZE / sizeof(long))

static int set_source(struct arg_build *b, enum arg_source source, unsigned int param)
{
	b->prog->source = source;
	b->prog->param = param;
	return args_next_value(b);
}

/* Keep a parameter of the function for its return, unless that is done already. */
static int keep_parameter(struct trace_probe *tp, unsigned int param)
{
	struct probe_entry_arg *kept, *had = tp->entry_arg;
	unsigned int i, nr = had ? had->nr : 0;

	for (i = 0; i < nr; i++) {
		if (had->params[i] == param)
			return i;
	}
	kept = krealloc(had, struct_size(kept, params, nr + 1), GFP_KERNEL);
	if (!kept)
		return -ENOMEM;
	kept->params[nr] = param;
	kept->nr = nr + 1;
	tp->entry_arg = kept;
	return nr;
}

/**
 * args_kept_size - how much is kept from a function's entry to its return?
 * @tp: the probe
 *
 * Return: bytes, for args_keep().
 */
unsigned int args_kept_size(const struct trace_probe *tp)
{
	return tp->entry_arg ? tp->entry_arg->nr * sizeof(unsigned long) : 0;
}

/**
 * args_parameter - have a program begin with a parameter of the function
 * @b: the argument
 * @param: the parameter as the calling convention counts, from 0
 *
 * At a return it is what was passed at entry.
 *
 * Return: 0, -ENOMEM, or -EINVAL if there are too many values.
 */
int args_parameter(struct arg_build *b, unsigned int param)
{
	int kept;

	if (!(b->ctx->flags & TPARG_FL_RETURN))
		return set_source(b, ARG_FROM_PARAM, param);
	kept = keep_parameter(b->tp, param);
	if (kept < 0)
		return kept;
	return set_source(b, ARG_FROM_KEPT, kept);
}

static int fetch_field(struct arg_build *b, const char *name)
{
	struct ftrace_event_field *field;

	list_for_each_entry(field, trace_get_fields(b->ctx->event), link) {
		if (strcmp(field->name, name))
			continue;
		b->prog->data = field;
		return set_source(b, ARG_FROM_FIELD, 0);
	}
	return -ENOENT;
}

static bool is_comm(const char *name)
{
	return !strcmp(name, "comm") || !strcmp(name, "COMM");
}

/* "current" and members of it */
static bool is_current(const char *name)
{
	const char *end = name + strlen("current");

	return strstarts(name, "current") && (!*end || *end == '-' || *end == '.');
}

static int fetch_current(struct arg_build *b, char *text)
{
	return set_source(b, ARG_FROM_CURRENT, 0) ?: args_current(b, text);
}

/* A field of the other event comes first. */
static int fetch_of_event(struct arg_build *b, char *text)
{
	const char *name = text + 1;
	int err = fetch_field(b, name);

	if (err != -ENOENT)
		return err;
	if (is_current(name))
		return fetch_current(b, text);
	if (is_comm(name))
		return set_source(b, ARG_FROM_COMM, 0);
	if (b->cast)
		return args_refuse(b->ctx, 0, TP_ERR_NO_EVENT_FIELD);
	return args_refuse(b->ctx, 0, TP_ERR_BAD_VAR);
}

static int fetch_stack(struct arg_build *b, const char *number)
{
	enum arg_source source = ARG_FROM_STACK;
	unsigned long word;

	if (kstrtoul(number, 10, &word))
		return args_refuse(b->ctx, 0, TP_ERR_BAD_VAR);
	if (args_are_of_user(b->ctx)) {
		source = ARG_FROM_USER_STACK;
		if (word > U32_MAX)
			return args_refuse(b->ctx, 0, TP_ERR_BAD_STACK_NUM);
	} else if (word > MAX_STACK_WORDS) {
		return args_refuse(b->ctx, 0, TP_ERR_BAD_STACK_NUM);
	}
	return set_source(b, source, word);
}

#ifdef CONFIG_HAVE_FUNCTION_ARG_ACCESS_API
static int fetch_parameter(struct arg_build *b, const char *number)
{
	unsigned long nr;

	if (kstrtoul(number, 10, &nr))
		return args_refuse(b->ctx, 0, TP_ERR_BAD_VAR);
	if (!args_have_params(b->ctx))
		return args_refuse(b->ctx, 0, TP_ERR_NOFENTRY_ARGS);
	if (!nr || nr > ARG_MAX_PARAMS)
		return args_refuse(b->ctx, 0, TP_ERR_BAD_ARG_NUM);
	/* What a tracepoint calls has one more in front. */
	return args_parameter(b, nr - !(b->ctx->flags & TPARG_FL_TPOINT));
}
#else
static int fetch_parameter(struct arg_build *b, const char *number)
{
	return args_refuse(b->ctx, 0, TP_ERR_BAD_VAR);
}
#endif

/* With type information, members of what it points to, too. */
static int fetch_result(struct arg_build *b, char *text)
{
	int err;

	if (!(b->ctx->flags & TPARG_FL_RETURN))
		return args_refuse(b->ctx, 0, TP_ERR_RETVAL_ON_PROBE);
	err = set_source(b, ARG_FROM_RETVAL, 0);
	if (err || args_are_of_user(b->ctx))
		return err;
	return args_result(b, text);
}

/**
 * args_variable - compile a word that begins with a $
 * @b: the argument
 * @text: the word; is changed
 *
 * Return: as args_fetch().
 */
int args_variable(struct arg_build *b, char *text)
{
	const char *name = text + 1;
	bool user = args_are_of_user(b->ctx);

	if (args_are_of_event(b->ctx))
		return fetch_of_event(b, text);
	if (is_current(name) && !user)
		return fetch_current(b, text);
	if (strstarts(name, "retval"))
		return fetch_result(b, text);
	if (!strcmp(name, "stack"))
		return set_source(b, user ? ARG_FROM_USER_STACKP : ARG_FROM_STACKP, 0);
	if (strstarts(name, "stack") && isdigit(name[5]))
		return fetch_stack(b, name + 5);
	if (is_comm(name))
		return set_source(b, ARG_FROM_COMM, 0);
	if (strstarts(name, "arg"))
		return fetch_parameter(b, name + 3);
	return args_refuse(b->ctx, 0, TP_ERR_BAD_VAR);
}
