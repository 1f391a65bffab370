// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Probe events: parse words of commands that all kinds have, and compare probes.
 */
#include <linux/kernel.h>
#include <linux/kstrtox.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "event.h"

/**
 * traceprobe_split_symbol_offset - cut the offset off a symbol
 * @symbol: "SYM", "SYM+OFFS" or "SYM-OFFS"; cut behind SYM
 * @offset: set to OFFS with its sign, 0 if there is none
 *
 * Return: 0, or -EINVAL or -ERANGE if OFFS is no number, @symbol being unchanged.
 */
int traceprobe_split_symbol_offset(char *symbol, long *offset)
{
	char *sign = strpbrk(symbol, "+-");
	int err;

	*offset = 0;
	if (!sign)
		return 0;
	err = kstrtol(sign, 0, offset);
	if (!err)
		*sign = '\0';
	return err;
}

static int refuse(int at, int code)
{
	__trace_probe_log_err(at, code);
	return -EINVAL;
}

static int parse_group(const char *group, size_t len, char *buf, int at)
{
	if (!len)
		return refuse(at, TP_ERR_NO_GROUP_NAME);
	if (len >= MAX_EVENT_NAME_LEN)
		return refuse(at, TP_ERR_GROUP_TOO_LONG);
	strscpy(buf, group, len + 1);
	if (!is_good_system_name(buf))
		return refuse(at, TP_ERR_BAD_GROUP_NAME);
	return 0;
}

/**
 * traceprobe_parse_event_name - parse "[GRP/]EVENT" or "GRP/"
 * @name: the text; set to EVENT, NULL if there is none
 * @group: set to @room if there is a GRP; the slash may be a dot
 * @room: receives GRP, MAX_EVENT_NAME_LEN bytes
 * @at: position of the text in the command's word
 *
 * Context: dyn_event_ops_mutex held, for error_log.
 * Return: 0, or -EINVAL with the reason in error_log.
 */
int traceprobe_parse_event_name(const char **name, const char **group, char *room, int at)
{
	const char *word = *name;
	size_t len = strcspn(word, "/");
	int err;

	if (!word[len])
		len = strcspn(word, ".");
	if (word[len]) {
		err = parse_group(word, len, room, at);
		if (err)
			return err;
		*group = room;
		word += len + 1;
		at += len + 1;
		*name = *word ? word : NULL;
		if (!*name)
			return 0;
	}
	if (!*word)
		return refuse(at, TP_ERR_NO_EVENT_NAME);
	if (strlen(word) >= MAX_EVENT_NAME_LEN)
		return refuse(at, TP_ERR_EVENT_TOO_LONG);
	return is_good_name(word) ? 0 : refuse(at, TP_ERR_BAD_EVENT_NAME);
}

/**
 * trace_probe_create - split a command into words and carry it out
 * @command: the command
 * @carry_out: carries it out
 *
 * Context: may sleep; dyn_event_ops_mutex held.
 * Return: the result of @carry_out, 0 if there are no words, -ENOMEM.
 */
int trace_probe_create(const char *command, int (*carry_out)(int, const char **))
{
	char **words;
	int nr, err;

	words = argv_split(GFP_KERNEL, command, &nr);
	if (!words)
		return -ENOMEM;
	err = nr ? carry_out(nr, (const char **)words) : 0;
	/* @carry_out may leave the words in error_log's state. */
	trace_probe_log_clear();
	argv_free(words);
	return err;
}

static bool args_differ(const struct probe_arg *a, const struct probe_arg *b)
{
	return a->type != b->type || a->count != b->count || strcmp(a->name, b->name) ||
	       args_names_differ(a, b);
}

/**
 * trace_probe_compare_arg_type - do the arguments of two probes give the same record format?
 * @a: a probe
 * @b: another one
 *
 * Return: 0 if they do, else the number of the first argument that differs, from 1.
 */
int trace_probe_compare_arg_type(struct trace_probe *a, struct trace_probe *b)
{
	unsigned int i, both = min(a->nr_args, b->nr_args);

	/* The first argument that only one of them has. */
	if (a->nr_args != b->nr_args)
		return both + 1;
	for (i = 0; i < both; i++) {
		if (args_differ(&a->args[i], &b->args[i]))
			return i + 1;
	}
	return 0;
}

/* Is @word the NAME=COMM of the argument? */
static bool arg_is_written(const struct probe_arg *arg, const char *word)
{
	size_t len = strlen(arg->name);

	return !strncmp(word, arg->name, len) && word[len] == '=' &&
	       !strcmp(word + len + 1, arg->comm);
}

/**
 * trace_probe_match_command_args - do words define the arguments of a probe?
 * @probe: the probe
 * @nr: number of words; if the probe has more arguments, only the first ones are compared
 * @words: the words
 *
 * Return: true if so.
 */
bool trace_probe_match_command_args(struct trace_probe *probe, int nr, const char **words)
{
	const struct probe_arg *arg = probe->args;

	if (nr < 0 || nr > probe->nr_args)
		return false;
	while (nr-- && arg_is_written(arg, *words)) {
		arg++;
		words++;
	}
	return nr < 0;
}
