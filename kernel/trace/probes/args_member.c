// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Arguments of probe events: parameters by their names, members of structures, and typecasts, with
 * types from BTF.
 *
 *	NAME[MEMBERS]				a parameter
 *	$retval[MEMBERS]			the result
 *	$current[MEMBERS]			the current task
 *	(STRUCT)OPERAND MEMBERS			OPERAND points to a STRUCT
 *	(STRUCT,FIELD)OPERAND MEMBERS		OPERAND points to FIELD of a STRUCT
 *
 * MEMBERS are "->FIELD" and ".FIELD", any number of them.
 */
#include <linux/btf.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "args_internal.h"

/* args_refuse() with another errno. */
static int refuse_with(const struct arg_build *b, int at, int code, int err)
{
	args_refuse(b->ctx, at, code);
	return err;
}

/*
 * The end of a name: the next "->" or ".", or the end of the text. Returns NULL for a single
 * hyphen, with the reason in error_log; @at is the position of @name.
 */
static char *name_end(const struct arg_build *b, char *name, int at)
{
	char *end = name + strcspn(name, "-.");

	if (*end == '-' && end[1] != '>') {
		args_refuse(b->ctx, at + (end - name), TP_ERR_BAD_HYPHEN);
		return NULL;
	}
	return end;
}

/* Is the operand in registers, and is its word number @word available? */
static bool has_words(const struct arg_program *prog, unsigned int word)
{
	return prog->source == ARG_FROM_PARAM ||
	       (prog->source == ARG_FROM_RETVAL && arch_result_offset(word) >= 0);
}

/* Take a member from an operand in registers. */
static int take_from_register(struct arg_build *b, const struct arg_member *where, int at)
{
	struct arg_program *prog = b->prog;
	unsigned int word = where->offset / BITS_PER_LONG;
	u32 bits = where->bits;

	if (!bits && where->type && !btf_type_is_struct(where->type))
		bits = btf_type_is_ptr(where->type) ? BITS_PER_LONG :
						      where->type->size * BITS_PER_BYTE;
	if (IS_ENABLED(CONFIG_CPU_BIG_ENDIAN) ||
	    !bits || where->offset % BITS_PER_LONG + bits > BITS_PER_LONG ||
	    (word && !has_words(prog, word)))
		return refuse_with(b, at, TP_ERR_NOSUP_DAT_ARG, -EOPNOTSUPP);
	prog->param += word;
	b->shift = 0;
	b->bits = bits;
	return where->offset % BITS_PER_LONG ? args_shift(b, where->offset % BITS_PER_LONG) : 0;
}

/* Make the member at @where of the current structure the operand. */
static void refer_to_member(struct arg_build *b, const struct arg_member *where, long base)
{
	unsigned int size = sizeof(long), byte = where->offset / BITS_PER_BYTE;

	/* A bit-field is in a word that has the size of its type, and is read as a whole. */
	if (where->bits && where->type && where->type->size)
		size = where->type->size;
	if (where->bits && where->offset % (size * BITS_PER_BYTE) + where->bits <=
	    size * BITS_PER_BYTE)
		byte -= byte % size;
	b->offset = base + byte;
	b->bits = where->bits;
	b->shift = where->bits ? where->offset - byte * BITS_PER_BYTE : 0;
}

/* "->FIELD": returns the structure that the operand points to. */
static const struct btf_type *follow_pointer(struct arg_build *b, int at)
{
	const struct btf_type *type = args_pointee(b);

	if (!b->pointee && (!b->type || !btf_type_is_ptr(b->type))) {
		args_refuse(b->ctx, at, TP_ERR_NO_PTR_STRCT);
		return NULL;
	}
	if (!type || !btf_type_is_struct(type)) {
		args_refuse(b->ctx, at, TP_ERR_BAD_BTF_TID);
		return NULL;
	}
	return type;
}

static int arrow_member(struct arg_build *b, const char *field, int at)
{
	const struct btf_type *type = follow_pointer(b, at);
	long base = b->pointee ? -(long)b->inside : 0;
	struct arg_member where;
	int err;

	if (!type)
		return -EINVAL;
	if (!args_find_member(b->btf, type, field, &where))
		return refuse_with(b, at, TP_ERR_NO_BTF_FIELD, -ENOENT);
	err = args_load(b) ?: args_next_value(b);
	if (err)
		return err;
	args_refer(b, ARG_MEM_KERNEL, 0);
	refer_to_member(b, &where, base);
	b->type = where.type;
	return 0;
}

static int dot_member(struct arg_build *b, const char *field, int at, bool first)
{
	struct arg_member where;
	int err = 0;

	if (first && !b->place && !(b->type && btf_type_is_struct(b->type)))
		return refuse_with(b, at, TP_ERR_NOSUP_DAT_ARG, -EOPNOTSUPP);
	if (!b->type || !btf_type_is_struct(b->type))
		return args_refuse(b->ctx, at, TP_ERR_BAD_BTF_TID);
	if (!args_find_member(b->btf, b->type, field, &where))
		return refuse_with(b, at, TP_ERR_NO_BTF_FIELD, -ENOENT);
	if (b->place)
		refer_to_member(b, &where, b->offset);
	else
		err = take_from_register(b, &where, at);
	b->type = where.type;
	return err;
}

/**
 * args_members - compile members of the operand
 * @b: the argument, whose operand has a type
 * @text: "->FIELD" or ".FIELD", any number of them; is changed
 * @at: its position
 *
 * Return: 0; -EINVAL, -ENOENT or -EOPNOTSUPP with the reason in error_log.
 */
int args_members(struct arg_build *b, char *text, int at)
{
	bool arrow, first = true;
	char *field, *end, next;
	int err;

	for (; *text; text = end) {
		arrow = *text == '-';
		if (arrow && text[1] != '>')
			return args_refuse(b->ctx, at, TP_ERR_BAD_HYPHEN);
		if (!arrow && *text != '.')
			return args_refuse(b->ctx, at, TP_ERR_BAD_FETCH_ARG);
		field = text + 1 + arrow;
		at += 1 + arrow;
		end = name_end(b, field, at);
		if (!end)
			return -EINVAL;
		next = *end;
		*end = '\0';
		err = arrow ? arrow_member(b, field, at) : dot_member(b, field, at, first);
		*end = next;
		if (err)
			return err;
		at += end - field;
		first = false;
	}
	return 0;
}

/* Fetch the parameter of that name. If a dot follows, at @dot, it must be a structure. */
static int fetch_named(struct arg_build *b, const char *name, int dot)
{
	struct traceprobe_parse_context *ctx = b->ctx;
	bool known = !args_ask_btf(ctx) && ctx->nr_params;
	const char *its_name;
	int i, reg;

	for (i = 0; i < ctx->nr_params; i++) {
		its_name = btf_name_by_offset(ctx->btf, ctx->params[i].name_off);
		if (its_name && !strcmp(its_name, name))
			break;
	}
	if (i == ctx->nr_params && dot)
		return refuse_with(b, dot, TP_ERR_NOSUP_DAT_ARG, -EOPNOTSUPP);
	if (i == ctx->nr_params)
		return refuse_with(b, 0, known ? TP_ERR_NO_BTFARG : TP_ERR_NO_BTF_ENTRY, -ENOENT);
	reg = args_param_register(ctx, i);
	if (reg < 0)
		return refuse_with(b, 0, TP_ERR_NOSUP_DAT_ARG, reg);
	b->btf = ctx->btf;
	b->type = btf_type_skip_modifiers(ctx->btf, ctx->params[i].type, NULL);
	ctx->takes_params = true;
	return args_parameter(b, reg);
}

/**
 * args_name - compile a parameter by its name, or a member of it
 * @b: the argument
 * @text: NAME and MEMBERS; is changed
 *
 * Return: as args_fetch().
 */
int args_name(struct arg_build *b, char *text)
{
	char *end, next;
	int err;

	if (!args_have_params(b->ctx))
		return args_refuse(b->ctx, 0, TP_ERR_NOSUP_BTFARG);
	end = name_end(b, text, 0);
	if (!end)
		return -EINVAL;
	next = *end;
	*end = '\0';
	err = fetch_named(b, text, next == '.' ? end + 1 - text : 0);
	*end = next;
	return err ?: args_members(b, end, end - text);
}

/* The function returns a structure, in registers or in memory. */
static int find_result(struct arg_build *b, int at)
{
	const struct btf_type *type = b->type;

	if (args_is_in_registers(b->btf, b->ctx->proto->type))
		return 0;
	if (!ARCH_RESULT_IS_PARAM || type->size <= 2 * sizeof(long))
		return refuse_with(b, at, TP_ERR_NOSUP_DAT_ARG, -EOPNOTSUPP);
	args_refer(b, ARG_MEM_KERNEL, 0);
	b->type = type;
	return 0;
}

/**
 * args_result - compile members of a function's result, and find its type
 * @b: the argument, which has the result
 * @text: "$retval" and MEMBERS; is changed
 *
 * Return: as args_fetch().
 */
int args_result(struct arg_build *b, char *text)
{
	char *end = name_end(b, text, 0);
	int at;

	if (!end)
		return -EINVAL;
	at = end - text;
	if (args_ask_btf(b->ctx)) {
		if (!*end)
			return 0;
		return refuse_with(b, at + 1 + (*end == '-'), TP_ERR_NO_BTF_ENTRY, -ENOENT);
	}
	if (at != strlen("$retval"))
		return refuse_with(b, 0, TP_ERR_NO_BTFARG, -ENOENT);
	if (!b->ctx->proto->type)
		return refuse_with(b, 0, TP_ERR_NO_RETVAL, -ENOENT);
	b->btf = b->ctx->btf;
	b->type = btf_type_skip_modifiers(b->btf, b->ctx->proto->type, NULL);
	if (*end && b->type && btf_type_is_struct(b->type)) {
		int err = find_result(b, at + 1);

		if (err)
			return err;
	}
	return args_members(b, end, at);
}

/* Let the operand be a pointer to the structure of this name. */
static int point_to(struct arg_build *b, const char *name, int at)
{
	const struct btf_type *type;
	struct btf *btf = NULL;

	if (WARN_ON_ONCE(b->nr_held >= ARRAY_SIZE(b->held)))
		return -EINVAL;
	type = args_find_struct(name, &btf);
	if (!type)
		return args_refuse(b->ctx, at, TP_ERR_BAD_BTF_TID);
	b->held[b->nr_held++] = btf;
	b->btf = btf;
	b->type = NULL;
	b->pointee = type;
	b->inside = 0;
	return 0;
}

/**
 * args_release - release the BTF of typecasts
 * @b: the argument, whose types are not used any more
 */
void args_release(struct arg_build *b)
{
	while (b->nr_held)
		btf_put(b->held[--b->nr_held]);
}

/**
 * args_current - compile members of the current task
 * @b: the argument, which has the task
 * @text: "$current" and MEMBERS; is changed
 *
 * Return: as args_fetch().
 */
int args_current(struct arg_build *b, char *text)
{
	char *members = text + strlen("$current");
	int err;

	if (!*members)
		return 0;
	err = point_to(b, "task_struct", 0);
	return err ?: args_members(b, members, members - text);
}

/* Typecasts */

/* The end of an operand: the first arrow or dot that is not in braces. */
static char *operand_end(char *text)
{
	bool dots = *text != '@' && *text != '\\';

	for (; *text; text++) {
		if (*text == '(') {
			text = args_closing_brace(text + 1);
			if (!*text)
				break;
		}
		if ((*text == '-' && text[1] == '>') || (*text == '.' && dots))
			break;
	}
	return text;
}

/* The operand may be any FETCH if it is in braces. */
static int fetch_operand(struct arg_build *b, char *text, int at)
{
	int err, offset = b->ctx->offset;
	char *sign;

	sign = *text == '@' ? strpbrk(text, "+-") : NULL;
	if (sign)
		return args_refuse(b->ctx, at + (sign - text), TP_ERR_TYPECAST_SYM_OFFSET);
	if (*text == '(') {
		char *close = args_closing_brace(text + 1);

		if (!*close)
			return args_refuse(b->ctx, at + (close - text), TP_ERR_DEREF_OPEN_BRACE);
		/* A typecast of a typecast: its members are ambiguous. */
		if (close[1])
			return args_refuse(b->ctx, at, TP_ERR_TYPECAST_REQ_FIELD);
		*close = '\0';
		text++;
		at++;
	}
	b->ctx->offset += at;
	err = args_fetch(b, text);
	if (!err && arg_is_text(b->prog))
		err = args_refuse(b->ctx, 0, TP_ERR_COMM_CANT_DEREF);
	if (!err)
		b->ctx->offset = offset;
	return err ?: args_load(b);
}

/* The operand points to this FIELD, or FIELD.FIELD, of the structure. */
static int look_inside(struct arg_build *b, char *path, int at)
{
	const struct btf_type *type = b->pointee;
	struct arg_member where;
	u32 offset = 0;
	char *field;

	if (strchr(path, '-'))
		return args_refuse(b->ctx, at + (strchr(path, '-') - path),
				   TP_ERR_TYPECAST_BAD_ARROW);
	while ((field = strsep(&path, "."))) {
		if (!type || !btf_type_is_struct(type))
			return args_refuse(b->ctx, at, TP_ERR_BAD_BTF_TID);
		if (!args_find_member(b->btf, type, field, &where))
			return refuse_with(b, at, TP_ERR_NO_BTF_FIELD, -ENOENT);
		offset += where.offset;
		if (where.bits || offset % BITS_PER_BYTE)
			return args_refuse(b->ctx, at, TP_ERR_TYPECAST_NOT_ALIGNED);
		type = where.type;
		at += strlen(field) + 1;
	}
	b->inside = offset / BITS_PER_BYTE;
	return 0;
}

/* Are the braces those of a typecast, with text behind them? */
static bool is_typecast(char *name, char *close)
{
	char *end = name + strcspn(name, ",");
	char last = *end;
	bool good;

	if (close && end > close)
		return false;
	*end = '\0';
	good = is_good_name(name);
	*end = last;
	return good && close[1];
}

/**
 * args_typecast - compile a typecast
 * @b: the argument
 * @text: "(STRUCT)OPERAND MEMBERS" or "(STRUCT,FIELD)OPERAND MEMBERS"; is changed
 *
 * Return: as args_fetch().
 */
int args_typecast(struct arg_build *b, char *text)
{
	char *close = strchr(text, ')');
	char *operand, *members, *inside, next;
	bool outermost = !b->cast;
	int err;

	if (!close)
		return args_refuse(b->ctx, 0, TP_ERR_BAD_FETCH_ARG);
	*close = '\0';
	if (!is_typecast(text + 1, close))
		return args_refuse(b->ctx, 0, TP_ERR_BAD_FETCH_ARG);
	if (args_are_of_user(b->ctx))
		return args_refuse(b->ctx, 0, TP_ERR_TYPECAST_NOT_EVENT);
	if (++b->nested > ARG_MAX_NESTED)
		return args_refuse(b->ctx, 0, TP_ERR_TOO_MANY_NESTED);
	operand = close + 1;
	members = operand_end(operand);
	if (!*members)
		return args_refuse(b->ctx, members - text, TP_ERR_TYPECAST_REQ_FIELD);

	b->cast = true;
	next = *members;
	*members = '\0';
	err = fetch_operand(b, operand, operand - text);
	*members = next;
	if (err)
		return err;
	inside = strchr(text, ',');
	if (inside)
		*inside++ = '\0';
	err = point_to(b, text + 1, 1);
	if (!err && inside)
		err = look_inside(b, inside, inside - text);
	err = err ?: args_members(b, members, members - text);
	b->nested--;
	b->cast = !outermost;
	return err;
}
