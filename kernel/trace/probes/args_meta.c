// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Arguments of probe events: expand words.
 *
 *	$arg*		the names of all parameters
 *	$argN		the name of a parameter, if it is known
 *	FETCH:%pd	the name of the dentry whose address is FETCH
 *	FETCH:%pD	the name of the file
 */
#include <linux/btf.h>
#include <linux/ctype.h>
#include <linux/dcache.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "args_internal.h"

#define ALL_PARAMETERS	"$arg*"

static bool is_all_parameters(const char *word)
{
	return strstarts(word, ALL_PARAMETERS);
}

/* Does the word begin with $arg1, $arg2 etc.? */
static bool is_parameter(const char *word)
{
	return strstarts(word, "$arg") && !is_all_parameters(word);
}

/**
 * struct name_room - memory for names that replace words
 * @at:		next free byte
 * @left:	number of free bytes
 */
struct name_room {
	char	*at;
	int	left;
};

/* A name that needs no text behind it is used as it is in BTF. */
static const char *put_name(struct name_room *room, const char *name, const char *rest)
{
	const char *word = room->at;
	int len;

	if (!*rest)
		return name;
	len = snprintf(room->at, room->left, "%s%s", name, rest);
	if (len >= room->left)
		return NULL;
	room->at += len + 1;
	room->left -= len + 1;
	return word;
}

#ifdef CONFIG_PROBE_EVENTS_BTF_ARGS
static const char *param_name(const struct traceprobe_parse_context *ctx, int i)
{
	return btf_name_by_offset(ctx->btf, ctx->params[i].name_off) ?: "";
}

/* Number of parameters without the "..." of variadic functions. */
static int count_params(const struct traceprobe_parse_context *ctx)
{
	int nr = ctx->nr_params;

	return nr && !ctx->params[nr - 1].type ? nr - 1 : nr;
}
#else
static const char *param_name(const struct traceprobe_parse_context *ctx, int i)
{
	return "";
}

static int count_params(const struct traceprobe_parse_context *ctx)
{
	return 0;
}
#endif

/* Check that there is a function, and at most one $arg*. Sets @all if there is one. */
static int check_words(int argc, const char **argv, bool *all,
		       struct traceprobe_parse_context *ctx)
{
	int i, code = 0;

	for (i = 0; i < argc && !code; i++) {
		trace_probe_log_set_index(i + 2);
		if (!strstarts(argv[i], "$arg"))
			continue;
		if (!args_have_params(ctx))
			code = TP_ERR_NOFENTRY_ARGS;
		else if (!is_all_parameters(argv[i]))
			code = isdigit(argv[i][4]) ? 0 : TP_ERR_BAD_VAR;
		else if (*all)
			code = TP_ERR_DOUBLE_ARGS;
		else
			*all = true;
	}
	return code ? args_refuse(ctx, 0, code) : 0;
}

static int put_all_parameters(const char **words, struct traceprobe_parse_context *ctx)
{
	int i, nr = args_ask_btf(ctx) ? 0 : count_params(ctx);

	if (!nr) {
		args_refuse(ctx, 0, TP_ERR_NOSUP_BTFARG);
		return -EOPNOTSUPP;
	}
	for (i = 0; i < nr; i++)
		words[i] = param_name(ctx, i);
	return nr;
}

/* If the parameters are not known, the word stays as it is. */
static int put_parameter(const char **word, struct name_room *room,
			 struct traceprobe_parse_context *ctx)
{
	unsigned long nr;
	char *rest;

	nr = simple_strtoul(*word + 4, &rest, 10);
	if (args_ask_btf(ctx) || !count_params(ctx) || !nr)
		return 0;
	if (*rest && *rest != ':') {
		args_refuse(ctx, 0, TP_ERR_BAD_VAR);
		return -ENOENT;
	}
	if (nr > count_params(ctx)) {
		args_refuse(ctx, 0, TP_ERR_NO_BTFARG);
		return -ENOENT;
	}
	*word = put_name(room, param_name(ctx, nr - 1), rest);
	if (*word)
		return 0;
	args_refuse(ctx, 0, TP_ERR_ARGS_2LONG);
	return -E2BIG;
}

static int expand(int argc, const char **argv, const char **words, struct name_room *room,
		  struct traceprobe_parse_context *ctx)
{
	int i, err, nr = 0;

	for (i = 0; i < argc; i++) {
		trace_probe_log_set_index(i + 2);
		words[nr] = argv[i];
		if (is_all_parameters(argv[i])) {
			err = put_all_parameters(words + nr, ctx);
			if (err > 0)
				args_log_expanded(i, err);
			nr += err;
		} else {
			err = is_parameter(argv[i]) ? put_parameter(words + nr, room, ctx) : 0;
			nr++;
		}
		if (err < 0)
			return err;
	}
	return nr;
}

/**
 * traceprobe_expand_meta_args - expand words that stand for parameters
 * @argc: number of words
 * @argv: the words
 * @new_argc: set to the number of words that are returned
 * @buf: memory for names with types; must stay as long as the words
 * @bufsize: size of @buf
 * @ctx: what arguments may refer to; must stay as long as the words
 *
 * Context: may sleep; dyn_event_ops_mutex held, for error_log.
 * Return: the words, to be freed, or NULL if they stay as they are; or an ERR_PTR(), with
 * the reason in error_log: -EINVAL for $arg* if there are no parameters, or if it is there twice;
 * -ENOENT for $argN if the function has no such parameter; -EOPNOTSUPP without BTF; -E2BIG if names
 * do not fit into @buf; -ENOMEM. From then on, trace_probe_log_set_arg() takes the numbers of the
 * new words.
 */
const char **traceprobe_expand_meta_args(int argc, const char *argv[], int *new_argc,
					 char *buf, int bufsize,
					 struct traceprobe_parse_context *ctx)
{
	struct name_room room = { .at = buf, .left = bufsize };
	const char **words;
	bool any = false, all = false;
	int i, err, nr = argc;

	for (i = 0; i < argc; i++)
		any |= strstarts(argv[i], "$arg");
	*new_argc = argc;
	if (!any)
		return NULL;
	ctx->offset = 0;
	err = check_words(argc, argv, &all, ctx);
	if (err)
		return ERR_PTR(err);
	if (all && !args_ask_btf(ctx))
		nr += count_params(ctx);
	words = kcalloc(nr, sizeof(*words), GFP_KERNEL);
	if (!words)
		return ERR_PTR(-ENOMEM);
	nr = expand(argc, argv, words, &room, ctx);
	if (nr == argc && !memcmp(words, argv, array_size(nr, sizeof(*words))))
		nr = 0;
	if (nr > 0) {
		*new_argc = nr;
		return words;
	}
	kfree(words);
	return nr ? ERR_PTR(nr) : NULL;
}

/* Maximum length of the text around FETCH that reads a name: offsets, braces and a type. */
#define DENTRY_ROOM	64

static bool is_dentry(const char *word)
{
	size_t len = strlen(word);

	return len >= 4 && (!strcmp(word + len - 4, ":%pd") || !strcmp(word + len - 4, ":%pD"));
}

/* [NAME=]FETCH:%pd. Returns the length of the text with the final zero. */
static int put_dentry(char *buf, int size, const char *word)
{
	const char *equals = strchr(word, '=');
	const char *fetch = equals ? equals + 1 : word;
	bool is_file = word[strlen(word) - 1] == 'D';
	int name_len = fetch - word;
	int fetch_len = max_t(int, strlen(fetch) - strlen(":%pd"), 0);
	size_t name_at = offsetof(struct dentry, d_name.name);
	size_t dentry_at = offsetof(struct file, f_path.dentry);

	if (is_file)
		return 1 + snprintf(buf, size, "%.*s+0x0(+0x%zx(+0x%zx(%.*s))):string", name_len,
				    word, name_at, dentry_at, fetch_len, fetch);
	return 1 + snprintf(buf, size, "%.*s+0x0(+0x%zx(%.*s)):string", name_len, word, name_at,
			    fetch_len, fetch);
}

/**
 * traceprobe_expand_dentry_args - expand words that stand for names of dentries and files
 * @argc: number of words
 * @argv: the words; such words are replaced
 * @buf: set to the memory of the new words, to be freed; NULL if there are none
 *
 * Return: 0 or -ENOMEM.
 */
int traceprobe_expand_dentry_args(int argc, const char *argv[], char **buf)
{
	int i, size = 0;
	char *at;

	*buf = NULL;
	for (i = 0; i < argc; i++) {
		if (is_dentry(argv[i]))
			size += strlen(argv[i]) + DENTRY_ROOM;
	}
	if (!size)
		return 0;
	*buf = kmalloc(size, GFP_KERNEL);
	if (!*buf)
		return -ENOMEM;
	at = *buf;
	for (i = 0; i < argc; i++) {
		int used;

		if (!is_dentry(argv[i]))
			continue;
		used = put_dentry(at, *buf + size - at, argv[i]);
		argv[i] = at;
		at += used;
	}
	return 0;
}
