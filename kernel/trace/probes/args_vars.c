// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Arguments of probe events: words that begin with a $.
 */
#include <linux/ctype.h>
#include <linux/kernel.h>
#include <linux/kstrtox.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "args_internal.h"

/* Number of words of a stack. */
#define MAX_STACK_WORDS		(THREAD_SIZE / sizeof(long))

static int set_source(struct arg_build *b, enum arg_source source, unsigned int param)
{
	b->prog->source = source;
	b->prog->param = param;
	return args_next_value(b);
}

/**
 * args_parameter - begin a program with a parameter of the function
 * @b: the argument
 * @param: number of the parameter in the calling convention, from 0
 *
 * At a return it is the value at the entry.
 *
 * Return: 0, -ENOMEM, or -EINVAL if there are too many values.
 */
int args_parameter(struct arg_build *b, unsigned int param)
{
	int kept;

	if (!(b->ctx->flags & TPARG_FL_RETURN))
		return set_source(b, ARG_FROM_PARAM, param);
	kept = args_keep_parameter(b, param);
	if (kept < 0)
		return kept;
	return set_source(b, ARG_FROM_KEPT, kept);
}

static bool is_duration(const char *name)
{
	return !strcmp(name, "duration");
}

static bool is_entry_cpu(const char *name)
{
	return !strcmp(name, "entry_cpu");
}

/* Properties of a call that are kept from the entry to the return. */
static int fetch_of_call(struct arg_build *b, const char *name)
{
	int kept;

	if (!args_are_of_return(b->ctx))
		return args_refuse(b->ctx, 0, TP_ERR_ONLY_AT_RETURN);
	kept = is_duration(name) ? args_keep_time(b) : args_keep_cpu(b);
	if (kept < 0)
		return kept;
	return set_source(b, is_duration(name) ? ARG_FROM_DURATION : ARG_FROM_ENTRY_CPU, kept);
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

/* A field of the other event has precedence over $comm and others. */
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
	if (is_duration(name) || is_entry_cpu(name))
		return fetch_of_call(b, name);
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
	b->ctx->takes_params = true;
	/* A tracepoint's function has one more parameter, the first one. */
	return args_parameter(b, nr - !(b->ctx->flags & TPARG_FL_TPOINT));
}
#else
static int fetch_parameter(struct arg_build *b, const char *number)
{
	return args_refuse(b->ctx, 0, TP_ERR_BAD_VAR);
}
#endif

/* "$retval", with BTF also members of the structure that it points to. */
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
	if (is_duration(name) || is_entry_cpu(name))
		return fetch_of_call(b, name);
	if (strstarts(name, "arg"))
		return fetch_parameter(b, name + 3);
	return args_refuse(b->ctx, 0, TP_ERR_BAD_VAR);
}
