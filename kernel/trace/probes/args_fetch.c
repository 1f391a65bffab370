// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Arguments of probe events: compile FETCH to a program.
 *
 * An expression is parsed from the outside to the inside. Steps are appended on the way back, so
 * that a program begins with the innermost operand. After each function the operand is a value, or
 * a place in memory, see arg_build::place. args_load() makes a value of a place.
 */
#include <linux/ctype.h>
#include <linux/kallsyms.h>
#include <linux/kernel.h>
#include <linux/kstrtox.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <asm/sections.h>

#include "args_internal.h"

#define PERCPU_POINTER	"this_cpu_ptr("
#define PERCPU_READ	"this_cpu_read("

/* args_refuse() with another errno. */
static int refuse_with(const struct arg_build *b, int at, int code, int err)
{
	args_refuse(b->ctx, at, code);
	return err;
}

/**
 * args_next_value - count one more value of an argument
 * @b: the argument
 *
 * Return: 0, or -EINVAL if there are too many.
 */
int args_next_value(struct arg_build *b)
{
	if (b->values >= ARG_MAX_VALUES)
		return args_refuse(b->ctx, 0, TP_ERR_TOO_MANY_OPS);
	b->values++;
	return 0;
}

static int add_step(struct arg_build *b, enum arg_step_op op)
{
	struct arg_program *prog = b->prog;

	if (prog->nr_steps >= ARG_MAX_STEPS)
		return args_refuse(b->ctx, 0, TP_ERR_TOO_MANY_OPS);
	prog->steps[prog->nr_steps++] = (struct arg_step) {
		.op	= op,
		.mem	= b->mem,
		.offset	= b->offset,
	};
	b->offset = 0;
	b->place = false;
	return 0;
}

/**
 * args_load - load the operand if it is a place in memory
 * @b: the argument
 *
 * Return: 0, or -EINVAL if the program is too long.
 */
int args_load(struct arg_build *b)
{
	return b->place ? add_step(b, ARG_STEP_LOAD) : 0;
}

/**
 * args_shift - shift a value to the right
 * @b: the argument, whose operand is a value
 * @bits: number of bits to drop
 *
 * Return: 0, or -EINVAL if the program is too long.
 */
int args_shift(struct arg_build *b, unsigned int bits)
{
	b->offset = bits;
	return add_step(b, ARG_STEP_SHIFT);
}

/**
 * args_refer - make the memory at a value the operand
 * @b: the argument, whose operand is a value
 * @mem: the memory; for uprobes it is always that of the task
 * @offset: bytes from the address
 *
 * The type of the new operand is not known.
 */
void args_refer(struct arg_build *b, enum arg_memory mem, long offset)
{
	if (args_are_of_user(b->ctx))
		mem = ARG_MEM_TASK;
	b->mem = mem;
	b->offset = offset;
	b->place = true;
	b->bits = 0;
	b->type = NULL;
	b->pointee = NULL;
}

static int fetch_register(struct arg_build *b, const char *text)
{
	int reg;

	if (args_are_of_event(b->ctx) || b->ctx->flags & TPARG_FL_FPROBE)
		return args_refuse(b->ctx, 0, TP_ERR_BAD_FETCH_ARG);
	reg = regs_query_register_offset(text + 1);
	if (reg < 0)
		return args_refuse(b->ctx, 0, TP_ERR_BAD_REG_NAME);
	b->prog->source = ARG_FROM_REG;
	b->prog->param = reg;
	return args_next_value(b);
}

static int fetch_address(struct arg_build *b, const char *text)
{
	int err = kstrtoul(text, 0, &b->prog->imm);

	if (err)
		return refuse_with(b, 0, TP_ERR_BAD_MEM_ADDR, err);
	b->prog->source = ARG_FROM_IMM;
	return 0;
}

static int fetch_file(struct arg_build *b, const char *text)
{
	long offset;
	int err;

	if (!args_are_of_user(b->ctx))
		return args_refuse(b->ctx, 0, TP_ERR_FILE_ON_KPROBE);
	err = kstrtol(text, 0, &offset);
	if (err)
		return refuse_with(b, 0, TP_ERR_BAD_FILE_OFFS, err);
	b->prog->source = ARG_FROM_FILE;
	b->prog->imm = offset;
	return 0;
}

/* The symbol may be one of a module that is loaded later: see traceprobe_update_arg(). */
static int fetch_symbol(struct arg_build *b, const char *text)
{
	if (args_are_of_user(b->ctx))
		return args_refuse(b->ctx, 0, TP_ERR_SYM_ON_UPROBE);
	b->prog->source = ARG_FROM_IMM;
	b->prog->symbol = kstrdup(text, GFP_KERNEL);
	if (!b->prog->symbol)
		return -ENOMEM;
	return args_next_value(b);
}

/* "@ADDR", "@+OFFS" and "@SYM": memory. */
static int fetch_memory(struct arg_build *b, const char *text)
{
	int err;

	if (isdigit(text[1]))
		err = fetch_address(b, text + 1);
	else if (text[1] == '+')
		err = fetch_file(b, text + 2);
	else
		err = fetch_symbol(b, text + 1);
	err = err ?: args_next_value(b) ?: args_next_value(b);
	if (!err)
		args_refer(b, ARG_MEM_KERNEL, 0);
	return err;
}

/**
 * args_closing_brace - find the closing brace
 * @text: the text behind the opening brace
 *
 * Return: the closing brace, or the end of @text.
 */
char *args_closing_brace(char *text)
{
	int depth = 1;

	for (; *text; text++) {
		depth += (*text == '(') - (*text == ')');
		if (!depth)
			break;
	}
	return text;
}

/* Compile an inner FETCH, which is at position @at. */
static int fetch_inner(struct arg_build *b, char *text, int at)
{
	int err, offset = b->ctx->offset;
	bool nested = b->cast;

	if (nested && ++b->nested > ARG_MAX_NESTED)
		return args_refuse(b->ctx, 0, TP_ERR_TOO_MANY_NESTED);
	b->ctx->offset += at;
	err = args_fetch(b, text);
	if (!err && arg_is_text(b->prog))
		err = args_refuse(b->ctx, 0, TP_ERR_COMM_CANT_DEREF);
	/* If this is one value too many, the caret is at the inner FETCH. */
	err = err ?: args_next_value(b);
	if (err)
		return err;
	b->ctx->offset = offset;
	b->nested -= nested;
	return 0;
}

/* "+OFFS(FETCH)", "-uOFFS(FETCH)" */
static int fetch_dereference(struct arg_build *b, char *text)
{
	char *number = text, *open, *close;
	enum arg_memory mem = ARG_MEM_KERNEL;
	long offset;
	int err;

	if (text[1] == 'u') {
		mem = ARG_MEM_USER;
		/* Move the sign to the number. */
		number++;
		*number = *text;
	}
	/* Another sign may follow a plus. */
	if (*number == '+')
		number++;
	open = strchr(number, '(');
	if (!open)
		return args_refuse(b->ctx, 0, TP_ERR_DEREF_NEED_BRACE);
	*open = '\0';
	err = kstrtol(number, 0, &offset);
	if (err)
		return refuse_with(b, 0, TP_ERR_BAD_DEREF_OFFS, err);
	close = strrchr(open + 1, ')');
	if (!close)
		return args_refuse(b->ctx, open + 1 - text + strlen(open + 1),
				   TP_ERR_DEREF_OPEN_BRACE);
	*close = '\0';

	err = fetch_inner(b, open + 1, open + 1 - text) ?: args_load(b);
	if (!err)
		args_refer(b, mem, offset);
	return err;
}

static int fetch_text(struct arg_build *b, const char *text)
{
	size_t len = strlen(text);

	/* The caret is where the quote is missing. */
	if (!len || text[len - 1] != '"')
		return args_refuse(b->ctx, 2 + len, TP_ERR_IMMSTR_NO_CLOSE);
	b->prog->source = ARG_FROM_TEXT;
	b->prog->data = kstrndup(text, len - 1, GFP_KERNEL);
	if (!b->prog->data)
		return -ENOMEM;
	return args_next_value(b);
}

/* "\NUMBER" and "\"TEXT"" */
static int fetch_immediate(struct arg_build *b, const char *text)
{
	int err;

	if (text[1] == '"')
		return fetch_text(b, text + 2);
	if (text[1] == '-')
		err = kstrtol(text + 1, 0, (long *)&b->prog->imm);
	else
		err = kstrtoul(text + 1, 0, &b->prog->imm);
	if (err)
		return refuse_with(b, 1, TP_ERR_BAD_IMM, err);
	b->prog->source = ARG_FROM_IMM;
	return args_next_value(b);
}

/* The address of "SYM[+-OFFS]". */
static int look_up(const char *symbol, unsigned long *addr)
{
	char *name = kstrdup(symbol, GFP_KERNEL);
	long offset;
	int err;

	if (!name)
		return -ENOMEM;
	err = traceprobe_split_symbol_offset(name, &offset);
	if (!err) {
		*addr = kallsyms_lookup_name(name);
		err = *addr ? 0 : -ENOENT;
		*addr += offset;
	}
	kfree(name);
	return err;
}

/*
 * Is it a per-CPU variable, and not a pointer to one? Returns -EINVAL if the symbol is not there,
 * because that is not known then.
 */
static int is_percpu_variable(const struct arg_build *b)
{
	unsigned long addr;

	if (!b->prog->symbol || b->prog->nr_steps || !b->place)
		return false;
	if (look_up(b->prog->symbol, &addr))
		return args_refuse(b->ctx, 0, TP_ERR_BAD_MEM_ADDR);
	if (addr >= (unsigned long)__per_cpu_start && addr < (unsigned long)__per_cpu_end)
		return true;
	return is_module_percpu_address(addr);
}

/* "this_cpu_ptr(FETCH)" and "this_cpu_read(FETCH)"; @name is the part before FETCH */
static int fetch_percpu(struct arg_build *b, char *text, const char *name, bool read)
{
	char *inner = text + strlen(name);
	const struct btf_type *type;
	char *close, *members;
	int err;

	if (!(b->ctx->flags & TPARG_FL_KERNEL) || args_are_of_event(b->ctx))
		return args_refuse(b->ctx, 0, TP_ERR_NOSUP_PERCPU);
	close = args_closing_brace(inner);
	if (!*close)
		return args_refuse(b->ctx, close - text, TP_ERR_DEREF_OPEN_BRACE);
	members = close + 1;
	*close = '\0';
	err = fetch_inner(b, inner, inner - text);
	if (err)
		return err;
	err = is_percpu_variable(b);
	if (err < 0)
		return err;
	if (err)
		b->place = false;
	err = args_load(b) ?: add_step(b, ARG_STEP_PERCPU);
	if (err)
		return err;
	if (read) {
		type = args_pointee(b);
		args_refer(b, ARG_MEM_KERNEL, 0);
		b->type = type;
		err = args_next_value(b);
	}
	if (err || !*members)
		return err;
	return args_members(b, members, members - text);
}

/**
 * args_fetch - compile FETCH
 * @b: the argument, with an empty program; the context's offset is the position of @text
 * @text: FETCH; is changed
 *
 * Context: may sleep; dyn_event_ops_mutex held, for error_log.
 * Return: 0; -ENOMEM; or, with the reason in error_log: -EINVAL for bad syntax; -ENOENT if BTF
 * does not have it; -EOPNOTSUPP if it is not possible; -ERANGE if a number is too large.
 */
int args_fetch(struct arg_build *b, char *text)
{
	switch (*text) {
	case '$':
		return args_variable(b, text);
	case '%':
		return fetch_register(b, text);
	case '@':
		return fetch_memory(b, text);
	case '+':
	case '-':
		return fetch_dereference(b, text);
	case '\\':
		return fetch_immediate(b, text);
	case '(':
		return args_typecast(b, text);
	}
	if (strstarts(text, PERCPU_POINTER))
		return fetch_percpu(b, text, PERCPU_POINTER, false);
	if (strstarts(text, PERCPU_READ))
		return fetch_percpu(b, text, PERCPU_READ, true);
	if (isalpha(*text) || *text == '_')
		return args_name(b, text);
	return args_refuse(b->ctx, 0, TP_ERR_BAD_FETCH_ARG);
}

/**
 * traceprobe_update_arg - look up the symbol of an argument again
 * @arg: the argument; hits may be running its program
 *
 * Without its symbol, the address is 0, which cannot be read.
 *
 * Context: may sleep.
 * Return: 0; -ENOENT if the symbol does not exist; -EINVAL or -ERANGE if its offset is no number;
 * -ENOMEM.
 */
int traceprobe_update_arg(struct probe_arg *arg)
{
	struct arg_program *prog = arg->prog;
	unsigned long addr;
	int err;

	if (!prog->symbol)
		return 0;
	err = look_up(prog->symbol, &addr);
	if (err == -ENOENT)
		addr = 0;
	if (!err || err == -ENOENT)
		/* Hits read it at any time, and get the old or the new address. */
		WRITE_ONCE(prog->imm, addr);
	return err;
}
