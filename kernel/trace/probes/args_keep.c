// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Arguments of probe events: what is kept from a function's entry to its return.
 *
 * It is in the node of the return's hook, a word for each value, and texts among them. What is
 * asked for again is kept once, but for texts. See args_run.c for how it gets there.
 */
#include <linux/kernel.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include "args_internal.h"

/* Room for one more value, which is not among them yet. */
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

/* Returns the word at which it is, or an error. */
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
 * @param: the parameter as the calling convention counts, from 0
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
 * @b: the argument whose program leads to it
 * @nr: how many texts
 * @at: position of what asks for it, in the argument
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
 * args_kept_size - how much is kept from a function's entry to its return?
 * @tp: the probe
 *
 * Return: bytes, for args_keep() and args_keep_mixed().
 */
unsigned int args_kept_size(const struct trace_probe *tp)
{
	return tp->entry_arg ? tp->entry_arg->words * sizeof(long) : 0;
}

/**
 * args_keep_is_mixed - is something else kept than parameters?
 * @tp: the probe
 *
 * Return: whether args_keep_mixed() is needed at the entry, rather than args_keep().
 */
bool args_keep_is_mixed(const struct trace_probe *tp)
{
	return tp->entry_arg && tp->entry_arg->mixed;
}

/**
 * args_keep_is_timed - is it known at the return how long the function took?
 * @tp: the probe
 *
 * Return: whether args_stop_time() is needed at the return.
 */
bool args_keep_is_timed(const struct trace_probe *tp)
{
	return tp->entry_arg && tp->entry_arg->time >= 0;
}
