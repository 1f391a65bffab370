// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Trace events on probes: parse commands.
 *
 * Each class parses the first two words, with functions of this file. The arguments are
 * the same for all classes.
 */
#define pr_fmt(fmt)	"trace_probe: " fmt

#include <linux/ctype.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "event_point.h"
#include "event_scratch.h"

/* Larger values are taken for mistakes. */
#define MAXACTIVE_MAX	4096

/**
 * probe_flawed - note an error in a word
 * @flaw: receives the rest
 * @code: TP_ERR_*
 * @at: position of the error
 *
 * Return: -EINVAL.
 */
int probe_flawed(struct probe_flaw *flaw, int code, int at)
{
	flaw->code = code;
	flaw->at = at;
	return -EINVAL;
}

/**
 * probe_report - write an error to error_log
 * @word: number of the word in the command
 * @flaw: the error
 *
 * Return: -EINVAL.
 */
int probe_report(int word, const struct probe_flaw *flaw)
{
	trace_probe_log_set_index(word);
	__trace_probe_log_err(flaw->at, flaw->code);
	return -EINVAL;
}

/**
 * probe_spec_cut_return - cut %return off a symbol
 * @spec: the command's, with its symbol; is_return is set if there was one
 * @flaw: receives the error
 *
 * Return: 0, or -EINVAL for another suffix.
 */
int probe_spec_cut_return(struct probe_spec *spec, struct probe_flaw *flaw)
{
	char *suffix = strchr(spec->symbol, '%');

	if (!suffix)
		return 0;
	if (strcmp(suffix, PROBE_RETURN_SUFFIX))
		return probe_flawed(flaw, TP_ERR_BAD_ADDR_SUFFIX,
				    suffix - spec->symbol);
	*suffix = '\0';
	spec->is_return = true;
	return 0;
}

/**
 * probe_spec_maxactive - parse the number behind the letter of a command
 * @spec: the command's; maxactive is set, to 0 if there is no number
 * @head: its first word
 * @flaw: receives the error
 *
 * Text that does not begin with a digit is ignored.
 *
 * Return: 0 or -EINVAL.
 */
int probe_spec_maxactive(struct probe_spec *spec, const char *head,
			 struct probe_flaw *flaw)
{
	size_t len = strcspn(head + 1, ":");
	char digits[16];

	if (!isdigit(head[1]))
		return 0;
	if (len >= sizeof(digits))
		return probe_flawed(flaw, TP_ERR_BAD_MAXACT, 1);
	strscpy(digits, head + 1, len + 1);
	if (kstrtouint(digits, 0, &spec->maxactive) || !spec->maxactive)
		return probe_flawed(flaw, TP_ERR_BAD_MAXACT, 1);
	if (spec->maxactive > MAXACTIVE_MAX)
		return probe_flawed(flaw, TP_ERR_MAXACT_TOO_BIG, 1);
	return 0;
}

/**
 * probe_spec_names - parse group and event in the first word of a command
 * @spec: the command's; group and event are set; event is NULL if there is none
 * @head: the word
 * @group: the default group
 *
 * Return: 0 or -EINVAL, with the reason in error_log.
 */
int probe_spec_names(struct probe_spec *spec, const char *head, const char *group)
{
	const char *colon = strchr(head, ':');

	spec->group = group;
	spec->event = NULL;
	if (!colon)
		return 0;
	spec->event = colon + 1;
	trace_probe_log_set_index(WORD_HEAD);
	return traceprobe_parse_event_name(&spec->event, &spec->group,
					   spec->group_buf, spec->event - head);
}

/**
 * probe_spec_release - free what a spec owns
 * @spec: the spec; its symbol and function must not be used any more
 */
void probe_spec_release(struct probe_spec *spec)
{
	kfree(spec->symbol);
	kfree(spec->function);
	spec->symbol = NULL;
	spec->function = NULL;
}

#ifdef CONFIG_MODULES
static enum module_state module_state_of(const char *symbol, size_t mod_len)
{
	char name[MODULE_NAME_LEN];
	struct module *mod;

	if (mod_len >= sizeof(name))
		return MODULE_STATE_GOING;
	strscpy(name, symbol, mod_len + 1);
	guard(preempt)();
	mod = find_module(name);
	return mod ? READ_ONCE(mod->state) : MODULE_STATE_GOING;
}

/**
 * symbol_module_present - is the module of a symbol loaded?
 * @symbol:	"MOD:SYM"
 * @mod_len:	length of MOD
 *
 * The module may go at any time. If a point waits for it, the notifier finds the point
 * when the module is loaded again.
 *
 * Return: true if it is loaded or being loaded.
 */
bool symbol_module_present(const char *symbol, size_t mod_len)
{
	return module_state_of(symbol, mod_len) != MODULE_STATE_GOING;
}

/**
 * symbol_module_comes - is the module of a symbol being loaded?
 * @symbol:	"MOD:SYM"
 * @mod_len:	length of MOD
 *
 * Until their notifiers were told of it, kprobes and fprobes refuse probes in it with -ENOENT.
 * The notifiers of events run after these, so a point for it can wait.
 *
 * Return: true if so.
 */
bool symbol_module_comes(const char *symbol, size_t mod_len)
{
	return module_state_of(symbol, mod_len) == MODULE_STATE_COMING;
}
#endif /* CONFIG_MODULES */

/**
 * struct arg_words - the arguments of a command, expanded
 * @argc:	number of words
 * @argv:	the words
 * @owned:	@argv, if it was allocated
 * @btf_buf:	memory for the expansion of $arg*
 * @dentry_buf:	memory for the expansion of %pd and %pD, allocated
 */
struct arg_words {
	int		argc;
	const char	**argv;
	const char	**owned;
	char		btf_buf[MAX_BTF_ARGS_LEN];
	char		*dentry_buf;
};

static int arg_words_expand(struct arg_words *words,
			    struct traceprobe_parse_context *ctx)
{
	words->owned = traceprobe_expand_meta_args(words->argc, words->argv,
						   &words->argc, words->btf_buf,
						   sizeof(words->btf_buf), ctx);
	if (IS_ERR(words->owned)) {
		int err = PTR_ERR(words->owned);

		words->owned = NULL;
		return err;
	}
	if (words->owned)
		words->argv = words->owned;
	if (words->argc > MAX_TRACE_ARGS) {
		/* The caret is at the first argument that is too many. */
		trace_probe_log_set_arg(MAX_TRACE_ARGS);
		trace_probe_log_err(0, TOO_MANY_ARGS);
		return -E2BIG;
	}
	return traceprobe_expand_dentry_args(words->argc, words->argv,
					     &words->dentry_buf);
}

static void arg_words_release(struct arg_words *words)
{
	kfree(words->owned);
	kfree(words->dentry_buf);
}

static int compile_args(struct probe_point *pp, const struct arg_words *words,
			struct traceprobe_parse_context *ctx)
{
	int i = 0, err;

	for (; i < words->argc; i++) {
		trace_probe_log_set_arg(i);
		ctx->offset = 0;
		err = traceprobe_parse_probe_arg(&pp->tp, i, words->argv[i], ctx);
		if (err)
			return err;
	}
	return point_set_print_fmt(pp);
}

/**
 * symbol_may_have_moved - may parameters be in other places than in the source?
 * @symbol: name of a function
 *
 * Return: true if the compiler made the function from another one: it may have removed or replaced
 * parameters.
 */
bool symbol_may_have_moved(const char *symbol)
{
	return strstr(symbol, ".isra.") || strstr(symbol, ".constprop.");
}

/* A warning only, because the parameters may be in their places. Context: event_mutex held. */
static void warn_of_moved(const struct probe_point *pp, const struct probe_spec *spec)
{
	const struct point_class *class = pp->kind->class;
	const char *function = spec->function;

	if (!(function && symbol_may_have_moved(function)) &&
	    !(class->may_have_moved && class->may_have_moved(pp)))
		return;
	pr_warn("%s: on what the compiler made of a function (.isra or .constprop): parameters may have moved\n",
		trace_event_name(&pp->event->call));
}

static int add_point(const struct point_class *class, struct probe_spec *spec,
		     const struct arg_words *words,
		     struct traceprobe_parse_context *ctx)
{
	struct probe_point *pp = class->create(spec, words->argc);
	int err;

	if (IS_ERR(pp))
		return PTR_ERR(pp);

	err = probe_scratch_get_ready() ?: compile_args(pp, words, ctx);
	if (!err) {
		/* Not under event_mutex, because modules and other events wait for it. */
		kprobe_reclaim_throttle();
		mutex_lock(&event_mutex);
		err = point_publish(pp);
		if (!err && ctx->takes_params)
			warn_of_moved(pp, spec);
		mutex_unlock(&event_mutex);
	}
	if (err)
		point_free_later(pp);
	return err;
}

static int add_described(const struct point_class *class, struct probe_spec *spec,
			 int argc, const char **argv)
{
	struct traceprobe_parse_context ctx = { .flags = spec->scope };
	struct arg_words words = { .argc = argc, .argv = argv };
	int err;

	/* The point takes ownership of the symbol, and the lookup in BTF needs the function. */
	if (spec->symbol && !spec->function) {
		spec->function = kstrdup(spec->symbol, GFP_KERNEL);
		if (!spec->function)
			return -ENOMEM;
	}
	ctx.funcname = spec->function;

	trace_probe_log_set_index(WORD_ARGS);
	err = arg_words_expand(&words, &ctx) ?: add_point(class, spec, &words, &ctx);

	traceprobe_finish_parse(&ctx);
	arg_words_release(&words);
	return err;
}

/**
 * probe_spec_run - carry out a command that creates a point
 * @class: the class
 * @argc: number of words
 * @argv: the words
 *
 * Context: may sleep; dyn_event_ops_mutex held, which guards error_log's state.
 * Return: 0, -ECANCELED if the command is not for this class, or another error.
 */
int probe_spec_run(const struct point_class *class, int argc, const char **argv)
{
	struct probe_spec *spec = kzalloc(sizeof(*spec), GFP_KERNEL);
	int err;

	if (!spec)
		return -ENOMEM;

	err = class->parse(spec, argc, argv);
	if (!err)
		err = add_described(class, spec, argc - WORD_ARGS, argv + WORD_ARGS);
	if (err != -ECANCELED)
		trace_probe_log_clear();

	probe_spec_release(spec);
	kfree(spec);
	return err;
}
