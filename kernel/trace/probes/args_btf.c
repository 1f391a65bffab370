// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Arguments of probe events: what type information (BTF) knows of functions and structures.
 */
#include <linux/bpf.h>
#include <linux/btf.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/string.h>

#include "args_internal.h"

/* How deep unnamed structures and unions are looked into. */
#define MAX_UNNAMED	16

#ifdef CONFIG_MODULES
/* The type information of a module, which stays while it is used. NULL: it has none. */
static struct btf *btf_of_module(const char *name, size_t len)
{
	char buf[MODULE_NAME_LEN];
	struct btf *btf = NULL;
	struct module *mod;

	if (len >= sizeof(buf))
		return NULL;
	strscpy(buf, name, len + 1);
	preempt_disable();
	mod = find_module(buf);
	if (mod && !try_module_get(mod))
		mod = NULL;
	preempt_enable();
	if (!mod)
		return NULL;
	btf = btf_get_module_btf(mod);
	module_put(mod);
	return IS_ERR(btf) ? NULL : btf;
}
#else
static struct btf *btf_of_module(const char *name, size_t len)
{
	return NULL;
}
#endif

/* "[MOD:]SYM": the number of the function's type, and what knows it, referenced. */
static s32 find_function(const char *name, struct btf **btf)
{
	const char *colon = strchr(name, ':');
	s32 id;

	if (!colon)
		return bpf_find_btf_id(name, BTF_KIND_FUNC, btf);
	*btf = btf_of_module(name, colon - name);
	if (!*btf)
		return -ENOENT;
	id = btf_find_by_name_kind(*btf, colon + 1, BTF_KIND_FUNC);
	if (id <= 0)
		btf_put(*btf);
	return id;
}

static bool set_prototype(struct traceprobe_parse_context *ctx, struct btf *btf, s32 id)
{
	const struct btf_type *type = btf_type_by_id(btf, id);

	if (!type || !btf_type_is_func(type))
		return false;
	type = btf_type_by_id(btf, type->type);
	if (!type || !btf_type_is_func_proto(type))
		return false;
	ctx->proto = type;
	ctx->params = (const struct btf_param *)(type + 1);
	ctx->nr_params = btf_type_vlen(type);
	if (ctx->flags & TPARG_FL_TPOINT && ctx->nr_params) {
		ctx->params++;
		ctx->nr_params--;
	}
	return true;
}

/**
 * args_ask_btf - find the type of the probed function
 * @ctx: what arguments may refer to; gets btf, proto, params and nr_params
 *
 * Context: may sleep.
 * Return: 0, or -ENOENT if it is not known.
 */
int args_ask_btf(struct traceprobe_parse_context *ctx)
{
	struct btf *btf;
	s32 id;

	if (ctx->btf_asked || !ctx->funcname)
		return ctx->proto ? 0 : -ENOENT;
	ctx->btf_asked = true;
	id = find_function(ctx->funcname, &btf);
	if (id <= 0)
		return -ENOENT;
	if (!set_prototype(ctx, btf, id)) {
		btf_put(btf);
		return -ENOENT;
	}
	ctx->btf = btf;
	return 0;
}

/**
 * args_forget_btf - be done with the type of the probed function
 * @ctx: what arguments may refer to
 */
void args_forget_btf(struct traceprobe_parse_context *ctx)
{
	if (ctx->btf)
		btf_put(ctx->btf);
	ctx->btf = NULL;
	ctx->proto = NULL;
	ctx->params = NULL;
	ctx->nr_params = 0;
	ctx->btf_asked = false;
}

static const struct btf_member *find_member(const struct btf *btf, const struct btf_type *type,
					    const char *name, struct arg_member *where,
					    int depth)
{
	const struct btf_member *member, *found;
	const struct btf_type *inner;
	const char *its_name;
	u32 i;

	for_each_member(i, type, member) {
		its_name = btf_name_by_offset(btf, member->name_off);
		if (its_name && *its_name) {
			if (strcmp(its_name, name))
				continue;
			where->offset = btf_member_bit_offset(type, i);
			where->bits = btf_member_bitfield_size(type, i);
			return member;
		}
		inner = btf_type_skip_modifiers(btf, member->type, NULL);
		if (!inner || !btf_type_is_struct(inner) || depth >= MAX_UNNAMED)
			continue;
		found = find_member(btf, inner, name, where, depth + 1);
		if (found) {
			where->offset += btf_member_bit_offset(type, i);
			return found;
		}
	}
	return NULL;
}

/**
 * args_find_member - find a member of a structure or union
 * @btf: knows @type
 * @type: the structure or union
 * @name: of the member, which may be in an unnamed structure in there
 * @where: set to where it is in @type, and to its own type
 *
 * Return: true if there is one.
 */
bool args_find_member(const struct btf *btf, const struct btf_type *type, const char *name,
		      struct arg_member *where)
{
	const struct btf_member *member = find_member(btf, type, name, where, 0);

	if (!member)
		return false;
	where->type = btf_type_skip_modifiers(btf, member->type, NULL);
	return true;
}

/**
 * args_find_struct - find a structure or union by its name
 * @name: the name
 * @btf: set to what knows it, referenced
 *
 * Return: its type, NULL: there is none.
 */
const struct btf_type *args_find_struct(const char *name, struct btf **btf)
{
	s32 id = bpf_find_btf_id(name, BTF_KIND_STRUCT, btf);

	if (id <= 0)
		id = bpf_find_btf_id(name, BTF_KIND_UNION, btf);
	return id > 0 ? btf_type_by_id(*btf, id) : NULL;
}

/**
 * args_type_by_btf - which type has what is fetched, by type information?
 * @b: the argument
 *
 * Return: the type of a number, NULL: that is not what it is.
 */
const struct arg_type *args_type_by_btf(const struct arg_build *b)
{
	const struct btf_type *type = b->type;

	if (!type || b->pointee || btf_type_is_ptr(type))
		return NULL;
	if (btf_is_any_enum(type))
		return args_type_of_size(type->size, true);
	if (btf_is_int(type) && type->size > sizeof(u64))
		return args_type_of_pair();
	if (btf_is_int(type))
		return args_type_of_size(type->size, btf_int_encoding(type) & BTF_INT_SIGNED);
	return NULL;
}

static bool is_character(const struct btf *btf, u32 id)
{
	const struct btf_type *type = btf_type_skip_modifiers(btf, id, NULL);

	return type && btf_is_int(type) && type->size == sizeof(char);
}

/**
 * args_string_by_btf - have what is fetched be text, by type information
 * @b: the argument, which has a type. If that is one of a pointer to text, or what has the size of
 *	a pointer, then what is meant is now the memory there
 *
 * Return: 0, or -EINVAL with the reason in error_log.
 */
int args_string_by_btf(struct arg_build *b)
{
	const struct btf_type *type = b->type;
	int err;

	if (b->pointee)
		return args_refuse(b->ctx, 0, TP_ERR_BAD_TYPE4STR);
	if (btf_is_array(type) && b->place) {
		if (is_character(b->btf, btf_array(type)->type))
			return 0;
	} else if (btf_type_is_ptr(type) ? is_character(b->btf, type->type) :
					   type->size == sizeof(long)) {
		err = args_load(b);
		b->place = true;
		return err;
	}
	return args_refuse(b->ctx, 0, TP_ERR_BAD_TYPE4STR);
}

/**
 * args_pointee - what does a pointer point to, by type information?
 * @b: the argument that is one
 *
 * Return: the type; NULL: it is no pointer, or one to something unknown.
 */
const struct btf_type *args_pointee(const struct arg_build *b)
{
	if (b->pointee)
		return b->pointee;
	if (!b->type || !btf_type_is_ptr(b->type))
		return NULL;
	return btf_type_skip_modifiers(b->btf, b->type->type, NULL);
}

/* Is it all integers, each where its size is a divisor of the address? @at: in bits. */
static bool is_of_aligned_integers(const struct btf *btf, u32 id, u32 at, int depth)
{
	const struct btf_type *type = btf_type_skip_modifiers(btf, id, NULL);
	const struct btf_member *member;
	u32 i;

	if (!type || depth > MAX_UNNAMED)
		return false;
	if (btf_type_is_ptr(type))
		return !(at % BITS_PER_LONG);
	if (btf_is_int(type) || btf_is_any_enum(type))
		return type->size && !(at % (type->size * BITS_PER_BYTE));
	if (btf_is_array(type))
		return is_of_aligned_integers(btf, btf_array(type)->type, at, depth + 1);
	if (!btf_type_is_struct(type))
		return false;
	for_each_member(i, type, member) {
		if (!btf_member_bitfield_size(type, i) &&
		    !is_of_aligned_integers(btf, member->type,
					    at + btf_member_bit_offset(type, i), depth + 1))
			return false;
	}
	return true;
}

/**
 * args_is_in_registers - is this structure passed, and returned, in registers?
 * @btf: knows @id
 * @id: number of the structure's type
 *
 * Return: false if it is in memory, or not known.
 */
bool args_is_in_registers(const struct btf *btf, u32 id)
{
	const struct btf_type *type = btf_type_skip_modifiers(btf, id, NULL);

	return type->size && type->size <= 2 * sizeof(long) &&
	       is_of_aligned_integers(btf, id, 0, 0);
}

/* How many registers are in front of a function's first parameter. */
static int hidden_registers(const struct traceprobe_parse_context *ctx)
{
	const struct btf_type *result;

	/* What a tracepoint calls has one parameter more. */
	if (ctx->flags & TPARG_FL_TPOINT)
		return 1;
	if (!ARCH_RESULT_IS_PARAM || !ctx->proto->type)
		return 0;
	result = btf_type_skip_modifiers(ctx->btf, ctx->proto->type, NULL);
	if (!result || !btf_type_is_struct(result) || !result->size ||
	    args_is_in_registers(ctx->btf, ctx->proto->type))
		return 0;
	return result->size > 2 * sizeof(long) ? 1 : -EOPNOTSUPP;
}

/**
 * args_param_register - where does a calling convention put a parameter?
 * @ctx: what arguments may refer to, with the function's type
 * @param: number of the parameter, from 0
 *
 * Structures of up to two words are passed like as many parameters, as 64-bit conventions have
 * it. Where larger ones are, those that begin in the last register, integers of two words, and what
 * is behind them, is not known here.
 *
 * Return: the number of the parameter's first register, or -EOPNOTSUPP.
 */
int args_param_register(const struct traceprobe_parse_context *ctx, unsigned int param)
{
	int reg = hidden_registers(ctx);
	const struct btf_type *type;
	unsigned int i, words;

	if (reg < 0)
		return reg;
	for (i = 0; i <= param; i++) {
		type = btf_type_skip_modifiers(ctx->btf, ctx->params[i].type, NULL);
		words = 1;
		if (type && btf_is_int(type) && type->size > sizeof(long))
			return -EOPNOTSUPP;
		if (type && btf_type_is_struct(type)) {
			words = DIV_ROUND_UP(type->size, sizeof(long));
			if (words && !args_is_in_registers(ctx->btf, ctx->params[i].type))
				return -EOPNOTSUPP;
		}
		if (words == 2 && reg < ARCH_PARAM_REGISTERS && reg + words > ARCH_PARAM_REGISTERS)
			return -EOPNOTSUPP;
		if (i < param)
			reg += words;
	}
	return reg;
}
