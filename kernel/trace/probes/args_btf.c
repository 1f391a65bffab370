// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Arguments of probe events: types of functions and structures, from BTF.
 */
#include <linux/bpf.h>
#include <linux/btf.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/string.h>

#include "args_internal.h"

/* Maximum depth of unnamed structures and unions in which members are searched. */
#define MAX_UNNAMED	16

#ifdef CONFIG_MODULES
/* The BTF of a module, referenced; NULL if it has none. */
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

/* "[MOD:]SYM": the number of the function's type, and its BTF, referenced. */
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
 * @ctx: what arguments may refer to; btf, proto, params and nr_params are set
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
 * args_forget_btf - release the BTF of the probed function
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
 * @btf: BTF with @type
 * @type: the structure or union
 * @name: name of the member, which may be in an unnamed structure in @type
 * @where: set to its place in @type and its type
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
 * @btf: set to its BTF, referenced
 *
 * Return: its type, NULL if there is none.
 */
const struct btf_type *args_find_struct(const char *name, struct btf **btf)
{
	s32 id = bpf_find_btf_id(name, BTF_KIND_STRUCT, btf);

	if (id <= 0)
		id = bpf_find_btf_id(name, BTF_KIND_UNION, btf);
	return id > 0 ? btf_type_by_id(*btf, id) : NULL;
}

/**
 * args_type_by_btf - find the type of the operand in BTF
 * @b: the argument
 *
 * Return: the type, NULL if the operand is not a number.
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
 * args_string_by_btf - make text the operand, by the type in BTF
 * @b: the argument, whose operand has a type. If the operand is a pointer to text, or has the size
 *	of a pointer, the memory that it points to becomes the operand
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
 * args_pointee - find the type that the operand points to
 * @b: the argument
 *
 * Return: the type; NULL if the operand is no pointer, or the type is not known.
 */
const struct btf_type *args_pointee(const struct arg_build *b)
{
	if (b->pointee)
		return b->pointee;
	if (!b->type || !btf_type_is_ptr(b->type))
		return NULL;
	return btf_type_skip_modifiers(b->btf, b->type->type, NULL);
}

/* Does the type consist of naturally aligned integers? @at: its offset in bits. */
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
 * args_is_in_registers - is a structure passed and returned in registers?
 * @btf: BTF with @id
 * @id: number of the structure's type
 *
 * Return: true if so; false if it is in memory, or if that is not known.
 */
bool args_is_in_registers(const struct btf *btf, u32 id)
{
	const struct btf_type *type = btf_type_skip_modifiers(btf, id, NULL);

	return type->size && type->size <= 2 * sizeof(long) &&
	       is_of_aligned_integers(btf, id, 0, 0);
}

/* Number of registers before a function's first parameter. */
static int hidden_registers(const struct traceprobe_parse_context *ctx)
{
	const struct btf_type *result;

	/* A tracepoint's function has one more parameter, the first one. */
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
 * args_param_register - find the register in which a parameter is passed
 * @ctx: what arguments may refer to, with the function's type
 * @param: number of the parameter, from 0
 *
 * In 64-bit calling conventions, structures of up to two words are passed like one or two
 * parameters. Larger structures, structures that begin in the last register, and integers of two
 * words are not supported, and neither are parameters behind them.
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
