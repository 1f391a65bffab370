// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Arguments of probe events: one word of a command -> an argument.
 */
#include <linux/kernel.h>
#include <linux/kstrtox.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "args_internal.h"

/* Fields that events have without their arguments. */
static const char * const reserved_names[] = {
	"common_type", "common_flags", "common_preempt_count", "common_pid", "common_tgid",
	FIELD_STRING_IP, FIELD_STRING_RETIP, FIELD_STRING_FUNC,
};

static bool name_is_used(const struct trace_probe *tp, int nr, const char *name)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(reserved_names); i++) {
		if (!strcmp(reserved_names[i], name))
			return true;
	}
	for (i = 0; i < nr; i++) {
		if (!strcmp(tp->args[i].name, name))
			return true;
	}
	return false;
}

static bool is_of_call(const char *word)
{
	size_t len = strcspn(word, ":");

	return (len == strlen("$duration") && strstarts(word, "$duration")) ||
	       (len == strlen("$entry_cpu") && strstarts(word, "$entry_cpu"));
}

/*
 * An argument without a name is named after the parameter or the property of a call that it is.
 * Others are numbered.
 */
static char *name_of_unnamed(const char *word, int nr, const struct traceprobe_parse_context *ctx)
{
	char *name;

	word += args_are_of_return(ctx) && is_of_call(word);
	name = kstrndup(word, strcspn(word, ":"), GFP_KERNEL);

	if (!name || is_good_name(name))
		return name;
	kfree(name);
	return kasprintf(GFP_KERNEL, "arg%d", nr + 1);
}

/* Returns FETCH[:TYPE] of a word, or an ERR_PTR(). */
static const char *take_name(struct trace_probe *tp, int nr, const char *word,
			     struct traceprobe_parse_context *ctx)
{
	const char *equals = strchr(word, '=');
	struct probe_arg *arg = &tp->args[nr];
	int code = 0;

	if (!equals)
		arg->name = name_of_unnamed(word, nr, ctx);
	else if (equals - word > MAX_ARG_NAME_LEN)
		code = TP_ERR_ARG_NAME_TOO_LONG;
	else if (equals == word)
		code = TP_ERR_NO_ARG_NAME;
	else
		arg->name = kstrndup(word, equals - word, GFP_KERNEL);
	if (!code && !arg->name)
		return ERR_PTR(-ENOMEM);
	if (!code && !is_good_name(arg->name))
		code = TP_ERR_BAD_ARG_NAME;
	if (!code && name_is_used(tp, nr, arg->name))
		code = TP_ERR_USED_ARG_NAME;
	if (code)
		return ERR_PTR(args_refuse(ctx, 0, code));
	return equals ? equals + 1 : word;
}

/**
 * struct type_words - the type of an argument, as its word gives it
 * @name:	the type, NULL if there is none
 * @at:		its position, 0 if there is none
 * @count:	number of elements of an array, 0 if it is no array
 */
struct type_words {
	char		*name;
	int		at;
	unsigned int	count;
};

/* "TYPE[N]": cut off "[N]". */
static int split_array(struct type_words *words, struct traceprobe_parse_context *ctx)
{
	char *open = strchr(words->name, '[');
	char *close;
	int at;

	if (!open)
		return 0;
	*open++ = '\0';
	at = words->at + (open - words->name);
	close = strchr(open, ']');
	if (!close)
		return args_refuse(ctx, at + strlen(open), TP_ERR_ARRAY_NO_CLOSE);
	if (close[1])
		return args_refuse(ctx, at + (close + 1 - open), TP_ERR_BAD_ARRAY_SUFFIX);
	*close = '\0';
	if (kstrtouint(open, 0, &words->count) || !words->count)
		return args_refuse(ctx, at, TP_ERR_BAD_ARRAY_NUM);
	if (words->count > MAX_ARRAY_LEN)
		return args_refuse(ctx, at, TP_ERR_ARRAY_TOO_BIG);
	return 0;
}

/* "FETCH:TYPE": cut off ":TYPE". */
static int split_type(struct type_words *words, char *text,
		      struct traceprobe_parse_context *ctx)
{
	char *colon = strchr(text, ':');

	if (!colon)
		return 0;
	*colon = '\0';
	words->name = colon + 1;
	words->at = words->name - text;
	return split_array(words, ctx);
}

static bool is_text(const char *text)
{
	return !strcmp(text, "$comm") || !strcmp(text, "$COMM") || strstarts(text, "\\\"");
}

/* Fields of events may have any name, also $comm. */
static int find_type(struct probe_arg *arg, const struct type_words *words, const char *text,
		     struct traceprobe_parse_context *ctx)
{
	const char *name = words->name;

	if (is_text(text) && !args_are_of_event(ctx)) {
		if (words->count || (name && strcmp(name, "string")))
			return args_refuse(ctx, words->at, TP_ERR_NEED_STRING_TYPE);
		name = "string";
	}
	if (name && !strcmp(name, "lustring") && !args_are_of_return(ctx))
		return args_refuse(ctx, words->at, TP_ERR_ONLY_AT_RETURN);
	arg->type = name ? args_find_type(ctx, name) : args_default_type();
	if (!arg->type)
		return args_refuse(ctx, words->at, TP_ERR_BAD_TYPE);
	arg->count = words->count;
	return 0;
}

/* Constants and fields of events are addresses of strings. */
static bool is_address(const struct arg_build *b)
{
	const struct arg_program *prog = b->prog;

	if (prog->nr_steps)
		return false;
	return prog->source == ARG_FROM_IMM || prog->source == ARG_FROM_FIELD ||
	       (args_are_of_event(b->ctx) && prog->source == ARG_FROM_COMM);
}

static int store_string(struct arg_build *b, const struct type_words *words, bool user)
{
	struct arg_program *prog = b->prog;
	int err;

	prog->store = ARG_STORE_STRING;
	if (arg_is_text(prog) && !b->place) {
		prog->store = ARG_STORE_TEXT;
		return 0;
	}
	if (b->type || b->pointee) {
		err = args_string_by_btf(b);
		if (err)
			return err;
	} else if (!b->place && is_address(b)) {
		args_refer(b, ARG_MEM_KERNEL, 0);
	}
	if (!b->place)
		return args_refuse(b->ctx, words->at, TP_ERR_BAD_STRING);
	if (user && b->mem == ARG_MEM_KERNEL)
		b->mem = ARG_MEM_USER;
	prog->by_pointer = words->count;
	return 0;
}

/* Is the value available in the same way at the entry and at the return? */
static bool is_known_at_entry(const struct arg_program *prog)
{
	return prog->source == ARG_FROM_KEPT || prog->source == ARG_FROM_IMM ||
	       prog->source == ARG_FROM_CURRENT;
}

/* Is it $argN without a type? */
static bool is_plain_parameter(const struct arg_build *b)
{
	return b->prog->source == ARG_FROM_KEPT && !b->prog->nr_steps && !b->place && !b->type &&
	       !b->pointee;
}

/*
 * Store text of a process as it was at the entry, if it can be read there. A parameter without a
 * type is the address of the text.
 */
static int store_late(struct arg_build *b, const struct type_words *words)
{
	int err;

	if (!is_known_at_entry(b->prog))
		return args_refuse(b->ctx, words->at, TP_ERR_NOT_AT_ENTRY);
	if (is_plain_parameter(b))
		args_refer(b, ARG_MEM_USER, 0);
	err = store_string(b, words, true) ?: args_keep_texts(b, b->prog->count, words->at);
	if (err < 0)
		return err;
	b->prog->store = ARG_STORE_LATE;
	b->prog->late = err;
	return 0;
}

static int store_symbol(struct arg_build *b, const struct type_words *words)
{
	if ((b->place && b->mem != ARG_MEM_KERNEL) || arg_is_text(b->prog) ||
	    (b->prog->source == ARG_FROM_IMM && !b->place && !b->prog->nr_steps))
		return args_refuse(b->ctx, words->at, TP_ERR_BAD_SYMSTRING);
	if (words->count)
		return args_refuse(b->ctx, words->at, TP_ERR_BAD_STRING);
	b->prog->store = ARG_STORE_SYMBOL;
	return args_load(b);
}

/* Is it a field of the other event that is an array in the record? */
static bool is_field_in_memory(const struct arg_build *b)
{
	struct ftrace_event_field *field;

	if (b->prog->source != ARG_FROM_FIELD || b->prog->nr_steps || b->place)
		return false;
	field = (struct ftrace_event_field *)b->prog->data;
	return is_string_field(field);
}

/* Is it an integer that the function returns in two registers? */
static bool is_result_in_two(const struct arg_build *b)
{
	return b->prog->source == ARG_FROM_RETVAL && !b->prog->nr_steps && !b->place &&
	       b->prog->size > sizeof(long) && b->type && btf_is_int(b->type) &&
	       b->type->size > sizeof(long) && arch_result_offset(1) >= 0;
}

static bool is_duration(const struct arg_build *b)
{
	return b->prog->source == ARG_FROM_DURATION && !b->prog->nr_steps && !b->place;
}

/* Store a number, or an array, which is in memory. */
static int store_number(struct arg_build *b, const struct type_words *words)
{
	if (!words->count && is_result_in_two(b)) {
		b->prog->store = ARG_STORE_RESULT;
		return 0;
	}
	b->prog->store = b->place ? ARG_STORE_MEMORY : ARG_STORE_VALUE;
	if (!words->count && is_duration(b) && sizeof(long) < sizeof(u64))
		b->prog->store = ARG_STORE_DURATION;
	if (!words->count)
		return 0;
	if (is_field_in_memory(b))
		args_refer(b, ARG_MEM_KERNEL, 0);
	if (!b->place)
		return args_refuse(b->ctx, words->at, TP_ERR_BAD_STRING);
	b->prog->store = ARG_STORE_MEMORY;
	return 0;
}

static int store_member_bits(struct arg_build *b, unsigned int size)
{
	unsigned int bits = size * BITS_PER_BYTE;

	if (!b->bits)
		return 0;
	if (size > sizeof(u64))
		return -EINVAL;
	/* The type may be a smaller word that contains the bits. */
	if (b->shift + b->bits > bits && b->place && !IS_ENABLED(CONFIG_CPU_BIG_ENDIAN)) {
		b->offset += b->shift / BITS_PER_BYTE;
		b->shift %= BITS_PER_BYTE;
	}
	if (b->shift + b->bits > bits)
		return -EINVAL;
	if (IS_ENABLED(CONFIG_CPU_BIG_ENDIAN) && b->place)
		b->prog->shift_left = b->shift;
	else
		b->prog->shift_left = bits - (b->shift + b->bits);
	b->prog->shift_right = bits - b->bits;
	b->prog->is_signed = (btf_is_int(b->type) &&
			      btf_int_encoding(b->type) & BTF_INT_SIGNED) ||
			     (btf_is_any_enum(b->type) && btf_type_kflag(b->type));
	return 0;
}

/* Store bits of a word: those that the type gives, or a member that is a bit-field. */
static int store_bits(struct arg_build *b, const struct type_words *words)
{
	if (!words->name || *words->name != 'b') {
		if (store_member_bits(b, b->prog->size))
			return args_refuse(b->ctx, words->at, TP_ERR_BAD_BITFIELD);
		return 0;
	}
	b->values++;
	if (args_bitfield(b, words->name, b->prog->size))
		return args_refuse(b->ctx, words->at, TP_ERR_BAD_BITFIELD);
	return 0;
}

/* If the parameter is in a register, let hits read the register. */
static void name_register(struct arg_program *prog)
{
	int offset = -1;

	if (prog->source == ARG_FROM_PARAM)
		offset = arch_param_offset(prog->param);
	else if (prog->source == ARG_FROM_RETVAL && prog->store != ARG_STORE_RESULT)
		offset = arch_result_offset(prog->param);
	if (offset < 0)
		return;
	prog->source = ARG_FROM_REG;
	prog->param = offset;
}

/* Compile how the value is stored. */
static int store_as(struct arg_build *b, struct probe_arg *arg, const struct type_words *words)
{
	struct arg_program *prog = b->prog;
	int err;

	prog->size = arg->type->size;
	prog->count = arg->count ?: 1;
	if (!arg->type->is_string)
		err = store_bits(b, words) ?: store_number(b, words);
	else if (!strcmp(arg->type->name, "symstr"))
		err = store_symbol(b, words);
	else if (!strcmp(arg->type->name, "lustring"))
		err = store_late(b, words);
	else
		err = store_string(b, words, !strcmp(arg->type->name, "ustring"));
	if (err)
		return err;
	/* An array counts as a value. */
	b->values += !!arg->count;
	if (b->values > ARG_MAX_VALUES) {
		args_refuse(b->ctx, words->at, TP_ERR_TOO_MANY_OPS);
		return -E2BIG;
	}
	prog->mem = b->mem;
	prog->offset = b->offset;
	prog->single = prog->count == 1 && !prog->by_pointer && prog->size <= sizeof(u64) &&
		       (prog->store == ARG_STORE_VALUE || prog->store == ARG_STORE_MEMORY ||
			prog->store == ARG_STORE_STRING);
	name_register(prog);
	prog->plain = prog->single && prog->store == ARG_STORE_VALUE &&
		      prog->source == ARG_FROM_REG && !prog->nr_steps && !prog->shift_left &&
		      !prog->shift_right;
	return 0;
}

/* Allocate a place in the record. */
static int take_place(struct trace_probe *tp, struct probe_arg *arg,
		      struct traceprobe_parse_context *ctx)
{
	unsigned int size = arg->type->size * (arg->count ?: 1);

	if (tp->size + size > ARG_MAX_SIZE) {
		args_refuse(ctx, 0, TP_ERR_EVENT_TOO_BIG);
		return -E2BIG;
	}
	arg->offset = tp->size;
	tp->size += size;
	tp->dynamic |= arg->type->is_string;
	return 0;
}

static bool is_entry_cpu(const struct arg_build *b)
{
	return b->prog->source == ARG_FROM_ENTRY_CPU && !b->prog->nr_steps && !b->place;
}

/* Without a type in the command, use that of BTF. */
static void find_default_type(struct arg_build *b, struct probe_arg *arg,
			      const struct type_words *words)
{
	const struct arg_type *type;

	if (words->name || arg->type->is_string)
		return;
	if (is_duration(b))
		type = args_type_of_size(sizeof(u64), false);
	else if (is_entry_cpu(b))
		type = args_type_of_size(sizeof(u32), false);
	else
		type = args_type_by_btf(b);
	if (type)
		arg->type = type;
}

/* Find the size and the names of an enum's values. */
static int find_enum(struct arg_build *b, struct probe_arg *arg, const struct type_words *words)
{
	const struct btf_type *type = args_enum_of(b, words->count);

	if (type)
		arg->type = args_type_of_enum(type->size);
	if (!type || !arg->type)
		return args_refuse(b->ctx, words->at, TP_ERR_BAD_TYPE);
	return args_find_names(b, type, arg);
}

static int compile(struct arg_build *b, struct probe_arg *arg, char *text)
{
	struct type_words words = { };
	int err;

	err = split_type(&words, text, b->ctx) ?: find_type(arg, &words, text, b->ctx) ?:
	      args_fetch(b, text);
	if (err)
		return err;
	find_default_type(b, arg, &words);
	if (arg->type->is_enum)
		err = find_enum(b, arg, &words);
	if (err)
		return err;
	return store_as(b, arg, &words);
}

/* Free a program. */
static void free_program(struct arg_program *prog)
{
	if (!prog)
		return;
	if (prog->source == ARG_FROM_TEXT)
		kfree(prog->data);
	kfree(prog->symbol);
	kfree(prog);
}

static bool reads_kernel(const struct arg_program *prog)
{
	unsigned int i;

	if ((prog->store == ARG_STORE_MEMORY || prog->store == ARG_STORE_STRING) &&
	    prog->mem == ARG_MEM_KERNEL)
		return true;
	for (i = 0; i < prog->nr_steps; i++) {
		if (prog->steps[i].op == ARG_STEP_LOAD && prog->steps[i].mem == ARG_MEM_KERNEL)
			return true;
	}
	return false;
}

/* Copy the program to memory of its size. */
static int keep_program(struct probe_arg *arg, const struct arg_program *prog)
{
	arg->prog = kmemdup(prog, struct_size(prog, steps, prog->nr_steps), GFP_KERNEL);
	return arg->prog ? 0 : -ENOMEM;
}

/* Set the type of the event's field, if it is an array. */
static int find_format(struct probe_arg *arg)
{
	if (!arg->count && !arg->type->words)
		return 0;
	arg->format = kasprintf(GFP_KERNEL, "%s[%d]", arg->type->field,
				(arg->count ?: 1) * (arg->type->words ?: 1));
	return arg->format ? 0 : -ENOMEM;
}

static int parse_fetch(struct trace_probe *tp, struct probe_arg *arg, const char *word,
		       struct traceprobe_parse_context *ctx)
{
	struct arg_build b = { .tp = tp, .ctx = ctx };
	char *text = NULL;
	int err = -ENOMEM;

	b.prog = kzalloc(struct_size(b.prog, steps, ARG_MAX_STEPS), GFP_KERNEL);
	arg->comm = kstrdup(word, GFP_KERNEL);
	text = kstrdup(word, GFP_KERNEL);
	if (b.prog && arg->comm && text)
		err = compile(&b, arg, text);
	args_release(&b);
	err = err ?: find_format(arg) ?: take_place(tp, arg, ctx) ?: keep_program(arg, b.prog);
	kfree(text);
	if (err) {
		free_program(b.prog);
		return err;
	}
	tp->reads_kernel |= reads_kernel(b.prog);
	tp->others |= !b.prog->plain;
	kfree(b.prog);
	return 0;
}

/**
 * traceprobe_parse_probe_arg - compile an argument
 * @tp: its probe
 * @i: its number, from 0; those before it are compiled
 * @argv: the word, [NAME=]FETCH[:TYPE]
 * @ctx: what it may refer to
 *
 * The caller calls probe_arg_free() in the end, also on error.
 *
 * Context: may sleep; dyn_event_ops_mutex held, for error_log.
 * Return: 0; -ENOMEM; -E2BIG if it is too long or too large; the error of args_fetch(). Except for
 * -ENOMEM the reason is in error_log.
 */
int traceprobe_parse_probe_arg(struct trace_probe *tp, int i, const char *argv,
			       struct traceprobe_parse_context *ctx)
{
	const char *word;

	ctx->offset = 0;
	word = take_name(tp, i, argv, ctx);
	if (IS_ERR(word))
		return PTR_ERR(word);
	ctx->offset = word - argv;
	if (strlen(word) > MAX_ARGSTR_LEN) {
		args_refuse(ctx, 0, TP_ERR_ARG_TOO_LONG);
		return -E2BIG;
	}
	if (!*word)
		return args_refuse(ctx, 0, TP_ERR_NO_ARG_BODY);
	return parse_fetch(tp, &tp->args[i], word, ctx);
}

/**
 * probe_arg_free - free what an argument owns
 * @arg: the argument, zeroed if it was not compiled
 */
void probe_arg_free(struct probe_arg *arg)
{
	free_program(arg->prog);
	kfree(arg->name);
	kfree(arg->comm);
	kfree(arg->format);
	kfree(arg->names);
	memset(arg, 0, sizeof(*arg));
}

/**
 * traceprobe_finish_parse - release what a context refers to
 * @ctx: the context
 */
void traceprobe_finish_parse(struct traceprobe_parse_context *ctx)
{
	args_forget_btf(ctx);
}
