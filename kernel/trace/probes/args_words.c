// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Arguments of probe events: errors of a command and their position, for error_log.
 */
#include <kunit/static_stub.h>
#include <linux/build_bug.h>
#include <linux/lockdep.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "../trace.h"
#include "../trace_dynevent.h"
#include "args_internal.h"

#define PROBE_ERROR_TEXT(name, text)	[TP_ERR_##name] = text,
static const char *error_texts[] = { PROBE_ERRORS(PROBE_ERROR_TEXT) };

/* Words of a command before the arguments. */
#define WORDS_BEFORE_ARGS	2

/*
 * The current command; @words is NULL if there is none. @all_nr arguments come from one word, the
 * argument @all_at, if @all_nr is not 0. Guarded by dyn_event_ops_mutex.
 */
static struct {
	const char	*reader;
	const char	**words;
	int		nr;
	int		word;
	int		all_at;
	int		all_nr;
} command;

/**
 * trace_probe_log_init - begin to parse a command
 * @reader: name of the parser in error_log
 * @nr: number of words
 * @words: the words, to be kept until trace_probe_log_clear()
 *
 * Context: dyn_event_ops_mutex held.
 */
void trace_probe_log_init(const char *reader, int nr, const char **words)
{
	lockdep_assert_held(&dyn_event_ops_mutex);

	command.reader = reader;
	command.nr = nr;
	command.words = words;
	command.word = 0;
	command.all_nr = 0;
}

/**
 * trace_probe_log_clear - end to parse a command
 *
 * Context: dyn_event_ops_mutex held.
 */
void trace_probe_log_clear(void)
{
	lockdep_assert_held(&dyn_event_ops_mutex);

	memset(&command, 0, sizeof(command));
}

/**
 * trace_probe_log_set_index - set the word of the command that is being parsed
 * @word: its number, from 0; the number of words stands for the end of the command
 *
 * Context: dyn_event_ops_mutex held.
 */
void trace_probe_log_set_index(int word)
{
	lockdep_assert_held(&dyn_event_ops_mutex);

	command.word = word;
}

/**
 * args_log_expanded - one word has become several arguments
 * @at: the argument that the word is, from 0
 * @nr: number of arguments
 *
 * Context: dyn_event_ops_mutex held.
 */
void args_log_expanded(int at, int nr)
{
	lockdep_assert_held(&dyn_event_ops_mutex);

	command.all_at = at;
	command.all_nr = nr;
}

/**
 * trace_probe_log_set_arg - set the argument of the command that is being parsed
 * @arg: its number, from 0, after $arg* was expanded; the caret is at the word that it comes from
 *
 * Context: dyn_event_ops_mutex held.
 */
void trace_probe_log_set_arg(int arg)
{
	lockdep_assert_held(&dyn_event_ops_mutex);

	if (command.all_nr && arg > command.all_at)
		arg = max(command.all_at, arg - command.all_nr + 1);
	trace_probe_log_set_index(WORDS_BEFORE_ARGS + arg);
}

/* Join words with spaces. */
static char *join_words(int nr, const char **words)
{
	size_t len = 1;
	char *text;
	int i;

	for (i = 0; i < nr; i++)
		len += strlen(words[i]) + 1;
	text = kzalloc(len, GFP_KERNEL);
	for (i = 0; text && i < nr; i++) {
		if (i)
			strlcat(text, " ", len);
		strlcat(text, words[i], len);
	}
	return text;
}

/**
 * args_tell - write an error of a command to error_log
 * @text: the command
 * @code: TP_ERR_*
 * @pos: position of the caret
 *
 * Tests replace it.
 *
 * Context: may sleep; dyn_event_ops_mutex held.
 */
void args_tell(const char *text, int code, unsigned int pos)
{
	KUNIT_STATIC_STUB_REDIRECT(args_tell, text, code, pos);
	tracing_log_err(NULL, command.reader, text, error_texts, code, pos);
}

/**
 * __trace_probe_log_err - write an error of the current command to error_log
 * @at: position of the caret in the current word
 * @code: TP_ERR_*
 *
 * Context: may sleep; dyn_event_ops_mutex held.
 */
void __trace_probe_log_err(int at, int code)
{
	unsigned int pos = 0;
	char *text;
	int i;

	lockdep_assert_held(&dyn_event_ops_mutex);

	/* Words that do not come from a command: there is nothing to log. */
	if (!command.words)
		return;
	text = join_words(command.nr, command.words);
	if (!text)
		return;
	for (i = 0; i < min(command.word, command.nr); i++)
		pos += strlen(command.words[i]) + 1;
	/* For a word that is missing, the caret is at the end of the command. */
	if (command.word < command.nr)
		pos += at;
	args_tell(text, code, pos);
	kfree(text);
}

/**
 * args_refuse - refuse the current text, and write the reason to error_log
 * @ctx: what arguments may refer to; its offset is the start of the current text
 * @at: position of the error, from there
 * @code: TP_ERR_*
 *
 * Return: -EINVAL.
 */
int args_refuse(const struct traceprobe_parse_context *ctx, int at, int code)
{
	__trace_probe_log_err(ctx->offset + at, code);
	return -EINVAL;
}
