// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Arguments of probe events: values that are kept from a function's entry to its return.
 *
 * They are in the node of the return hook: a word for each value, and texts between them. If
 * several arguments need a value, it is kept once; texts are kept for each argument. args_run.c
 * stores them.
 */
#include <linux/kernel.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include "args_internal.h"

/* Add room for one more value. */
static struct probe_entry_arg *grow(struct trace_probe *tp)
{
	struct probe_entry_arg *entry, *had = tp->entry_arg;
	unsigned int nr = had ? had->nr : 0;

	entry = krealloc(had, struct_size(entry, values, nr + 1), GFP_KERNEL);
	if (!entry)
		return NULL;
	if (!had)
		*entry = (struct probe_entry_arg) { .time = -1 };
	tp->entry_arg = entry;
	return entry;
}

/* Returns -EINVAL if there is no room for as many bytes. */
static int check_room(const struct arg_build *b, unsigned int bytes, int at)
{
	if (args_kept_size(b->tp) + bytes > ARG_MAX_KEPT)
		return args_refuse(b->ctx, at, TP_ERR_TOO_MANY_EARGS);
	return 0;
}

/* Keep a value if it is not kept yet. Returns its word, or an error. */
static int keep(struct arg_build *b, unsigned int what, unsigned int words)
{
	struct probe_entry_arg *entry = b->tp->entry_arg;
	unsigned int i;
	int err;

	for (i = 0; entry && i < entry->nr; i++) {
		if (entry->values[i].what == what)
			return entry->values[i].word;
	}
	err = check_room(b, words * sizeof(long), 0);
	if (err)
		return err;
	entry = grow(b->tp);
	if (!entry)
		return -ENOMEM;
	entry->values[entry->nr].what = what;
	entry->values[entry->nr].word = entry->words;
	entry->nr++;
	entry->words += words;
	return entry->words - words;
}

/**
 * args_keep_parameter - keep a parameter of the function for its return
 * @b: the argument that refers to it
 * @param: number of the parameter in the calling convention, from 0
 *
 * Return: the word at which it is kept; -EINVAL if there is too much, -ENOMEM.
 */
int args_keep_parameter(struct arg_build *b, unsigned int param)
{
	return keep(b, param, 1);
}

/**
 * args_keep_time - keep the time of the function's entry for its return
 * @b: the argument that refers to it
 *
 * Return: as args_keep_parameter().
 */
int args_keep_time(struct arg_build *b)
{
	int word = keep(b, ARG_KEEP_TIME, sizeof(u64) / sizeof(long));

	if (word >= 0) {
		b->tp->entry_arg->time = word;
		b->tp->entry_arg->mixed = true;
	}
	return word;
}

/**
 * args_keep_cpu - keep the CPU of the function's entry for its return
 * @b: the argument that refers to it
 *
 * Return: as args_keep_parameter().
 */
int args_keep_cpu(struct arg_build *b)
{
	int word = keep(b, ARG_KEEP_CPU, 1);

	if (word >= 0)
		b->tp->entry_arg->mixed = true;
	return word;
}

/**
 * args_keep_texts - keep text from the function's entry to its return
 * @b: the argument whose program fetches it
 * @nr: number of texts
 * @at: position in the argument, for error_log
 *
 * Return: the word at which the first &struct arg_kept_text is; -EINVAL if there is too much,
 * -ENOMEM.
 */
int args_keep_texts(struct arg_build *b, unsigned int nr, int at)
{
	unsigned int bytes = nr * sizeof(struct arg_kept_text);
	struct probe_entry_arg *entry;
	int err;

	BUILD_BUG_ON(sizeof(struct arg_kept_text) % sizeof(long));
	err = check_room(b, bytes, at);
	if (err)
		return err;
	entry = b->tp->entry_arg ?: grow(b->tp);
	if (!entry)
		return -ENOMEM;
	entry->mixed = true;
	entry->words += bytes / sizeof(long);
	return entry->words - bytes / sizeof(long);
}

/**
 * args_kept_size - get the size of the values that are kept
 * @tp: the probe
 *
 * Return: number of bytes that args_keep() and args_keep_mixed() write.
 */
unsigned int args_kept_size(const struct trace_probe *tp)
{
	return tp->entry_arg ? tp->entry_arg->words * sizeof(long) : 0;
}

/**
 * args_keep_is_mixed - are not only parameters kept?
 * @tp: the probe
 *
 * Return: true if args_keep_mixed() has to be called at the entry, not args_keep().
 */
bool args_keep_is_mixed(const struct trace_probe *tp)
{
	return tp->entry_arg && tp->entry_arg->mixed;
}

/**
 * args_keep_is_timed - is the time of the entry kept?
 * @tp: the probe
 *
 * Return: true if args_stop_time() has to be called at the return.
 */
bool args_keep_is_timed(const struct trace_probe *tp)
{
	return tp->entry_arg && tp->entry_arg->time >= 0;
}
