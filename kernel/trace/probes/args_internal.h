/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _TRACE_PROBES_ARGS_INTERNAL_H
#define _TRACE_PROBES_ARGS_INTERNAL_H
/*
 * Declarations that the files of the argument engine share: programs, and how they are compiled.
 */
#include <linux/build_bug.h>
#include <linux/mutex.h>
#include <asm/probe_args.h>

#include "event.h"

/* In trace_dynevent.c. Held while a command is parsed; guards the state of error_log's entries. */
extern struct mutex dyn_event_ops_mutex;

/* The source of a program's first value. */
enum arg_source {
	ARG_FROM_REG,		/* register @param */
	ARG_FROM_PARAM,		/* the function's parameter @param, from 0 */
	ARG_FROM_STACK,		/* word @param of the kernel's stack */
	ARG_FROM_STACKP,	/* the kernel's stack pointer */
	ARG_FROM_RETVAL,	/* word @param of the function's result */
	ARG_FROM_KEPT,		/* a parameter, kept at the entry as word @param */
	ARG_FROM_DURATION,	/* time since the entry, which is kept as word @param */
	ARG_FROM_ENTRY_CPU,	/* the CPU at the entry, kept as word @param */
	ARG_FROM_IMM,		/* @imm */
	ARG_FROM_CURRENT,	/* the current task */
	ARG_FROM_FIELD,		/* field @data of the other event's record */
	ARG_FROM_TEXT,		/* text @data, not a number */
	ARG_FROM_COMM,		/* name of the current task, not a number */
	ARG_FROM_USER_STACK,	/* word @param of the process's stack */
	ARG_FROM_USER_STACKP,	/* the process's stack pointer */
	ARG_FROM_FILE,		/* address where offset @imm of the uprobe's file is mapped */
};

/* The memory that is read. */
enum arg_memory {
	ARG_MEM_KERNEL,		/* of the kernel, without page faults */
	ARG_MEM_USER,		/* of the current process, without page faults */
	ARG_MEM_TASK,		/* of the current process; may sleep */
};

/* The steps from the first value to the last. */
enum arg_step_op {
	ARG_STEP_LOAD,		/* value = *(unsigned long *)(value + offset), in memory @mem */
	ARG_STEP_PERCPU,	/* value = this CPU's instance of value */
	ARG_STEP_SHIFT,		/* value >>= offset */
};

struct arg_step {
	u8	op;
	u8	mem;
	long	offset;
};

/* What is stored in the record. */
enum arg_store {
	ARG_STORE_VALUE,	/* the last value */
	ARG_STORE_MEMORY,	/* numbers at value + offset, in memory @mem */
	ARG_STORE_STRING,	/* text at value + offset, in memory @mem */
	ARG_STORE_SYMBOL,	/* the symbol at the address that is the value, as text */
	ARG_STORE_TEXT,		/* the source's text */
	ARG_STORE_RESULT,	/* both words of the function's result */
	ARG_STORE_DURATION,	/* time since the entry, if that takes two words */
	ARG_STORE_LATE,		/* text as it was at the entry; if not known, as it is now */
};

/**
 * struct arg_program - the program that fetches and stores an argument
 * @source:	enum arg_source
 * @store:	enum arg_store
 * @mem:	enum arg_memory, for @store
 * @size:	bytes of one element in the record
 * @shift_left:	for a bit-field: shift that drops the bits above it
 * @shift_right: for a bit-field: shift that drops the bits below it
 * @is_signed:	for a bit-field: its top bit is a sign
 * @plain:	the program only stores the register @param
 * @single:	it stores one number or text, which is the value or in memory
 * @by_pointer:	for an array of strings: its elements are pointers to them
 * @nr_steps:	number of @steps
 * @param:	parameter of @source
 * @count:	number of elements, at least 1
 * @late:	for ARG_STORE_LATE: the word of the kept values where the first
 *		&struct arg_kept_text is
 * @imm:	parameter of @source. traceprobe_update_arg() may change it while hits run the
 *		program; all other members are constant
 * @data:	parameter of @source
 * @symbol:	"SYM[+-OFFS]" whose address is @imm, or NULL
 * @offset:	parameter of @store
 * @steps:	the steps between @source and @store
 */
struct arg_program {
	u8			source;
	u8			store;
	u8			mem;
	u8			size;
	u8			shift_left;
	u8			shift_right;
	bool			is_signed;
	bool			plain;
	bool			single;
	bool			by_pointer;
	u8			nr_steps;
	u32			param;
	u16			count;
	u16			late;
	unsigned long		imm;
	const void		*data;
	char			*symbol;
	long			offset;
	struct arg_step		steps[];
};

/* Instead of the number of a parameter: other values that are kept. */
#define ARG_KEEP_TIME		U16_MAX
#define ARG_KEEP_CPU		(U16_MAX - 1)

/**
 * struct probe_entry_arg - the values that are kept from a function's entry to its return
 * @nr:		number of @values
 * @words:	size in words, with texts; &arg_program.late says where these are
 * @time:	word with the time, -1 if it is not kept
 * @mixed:	not only parameters are kept, one in each word
 * @values:	numbers of parameters of the function, from 0, or ARG_KEEP_*; and the word of each
 */
struct probe_entry_arg {
	unsigned int	nr;
	unsigned int	words;
	int		time;
	bool		mixed;
	struct {
		u16	what;
		u16	word;
	} values[];
};

/* Maximum length of a text that is kept. */
#define ARG_MAX_KEPT_TEXT	255

/**
 * struct arg_kept_text - text that is kept from a function's entry to its return
 * @mm:		the memory that it was in
 * @addr:	its address, if @known
 * @len:	its length with the final zero; 0 if it could not be read, or is too long
 * @known:	@addr could be read
 * @text:	the text; one byte longer than a text that is kept, to detect longer ones
 */
struct arg_kept_text {
	const struct mm_struct	*mm;
	unsigned long		addr;
	u16			len;
	bool			known;
	u8			text[ARG_MAX_KEPT_TEXT + 2];
};

/* Maximum bytes of kept values. */
#define ARG_MAX_KEPT		3072

/* Maximum number of values in an argument, counted as in 6.12. */
#define ARG_MAX_VALUES		15

/* Maximum steps of a program. More than values, because members add steps without counting. */
#define ARG_MAX_STEPS		32

/* Maximum depth of nested typecasts, with the dereferences between them. */
#define ARG_MAX_NESTED		8

/* Maximum bytes of all places of an event. */
#define ARG_MAX_SIZE		3072

/* Number of parameters that can be kept. */
#define ARG_MAX_PARAMS		2048

/**
 * struct arg_member - the place of a member in its structure
 * @offset:	bits from the start of the structure
 * @bits:	width of a bit-field, 0 if it is no bit-field
 * @type:	type of the member
 */
struct arg_member {
	u32			offset;
	u32			bits;
	const struct btf_type	*type;
};

/**
 * struct arg_build - an argument that is being compiled
 * @tp:		its probe
 * @ctx:	what it may refer to
 * @values:	number of values so far, see ARG_MAX_VALUES
 * @nested:	number of typecasts and dereferences around the current text
 * @cast:	there is a typecast around it
 * @place:	the operand is in memory: the program so far computes an address, and @mem and
 *		@offset say where the operand is. False: the program computes the operand
 * @shift:	with @place: offset in bits of a bit-field
 * @bits:	with @place: width of a bit-field, 0 if it is no bit-field
 * @mem:	with @place: the memory
 * @offset:	with @place: bytes from the address
 * @btf:	BTF with @type and @pointee; owned by @ctx, or one of @held
 * @type:	type of the operand, NULL if it is not known
 * @pointee:	instead of @type: the operand is a pointer to this structure or union
 * @inside:	with @pointee: number of bytes that the pointer points into it
 * @held:	BTF of typecasts, referenced until the argument is compiled
 * @nr_held:	number of @held
 * @prog:	the program so far, with room for ARG_MAX_STEPS
 */
struct arg_build {
	struct trace_probe		*tp;
	struct traceprobe_parse_context	*ctx;
	unsigned int			values;
	unsigned int			nested;
	bool				cast;
	bool				place;
	u8				shift;
	u8				bits;
	u8				mem;
	long				offset;
	const struct btf		*btf;
	const struct btf_type		*type;
	const struct btf_type		*pointee;
	unsigned int			inside;
	struct btf			*held[ARG_MAX_NESTED + 1];
	unsigned int			nr_held;
	struct arg_program		*prog;
};

static inline bool args_are_of_user(const struct traceprobe_parse_context *ctx)
{
	return ctx->flags & TPARG_FL_USER;
}

/* Can values be kept from a function's entry? */
static inline bool args_are_of_return(const struct traceprobe_parse_context *ctx)
{
	return (ctx->flags & TPARG_FL_KERNEL) && (ctx->flags & TPARG_FL_RETURN);
}

static inline bool args_are_of_event(const struct traceprobe_parse_context *ctx)
{
	return ctx->flags & TPARG_FL_TEVENT;
}

/* Are a function's parameters available, in the hit or kept from the entry? */
static inline bool args_have_params(const struct traceprobe_parse_context *ctx)
{
	if (!(ctx->flags & TPARG_FL_KERNEL))
		return false;
	return ctx->flags & (TPARG_FL_RETURN | TPARG_FL_FENTRY | TPARG_FL_FPROBE | TPARG_FL_TPOINT);
}

/* $comm and immediate strings are text, not numbers. */
static inline bool arg_is_text(const struct arg_program *prog)
{
	return prog->source == ARG_FROM_TEXT || prog->source == ARG_FROM_COMM;
}

/* args_words.c */
void args_tell(const char *text, int code, unsigned int pos);
void args_log_expanded(int at, int nr);
int args_refuse(const struct traceprobe_parse_context *ctx, int at, int code);

/* args_fetch.c */
void args_refer(struct arg_build *b, enum arg_memory mem, long offset);
int args_fetch(struct arg_build *b, char *text);
char *args_closing_brace(char *text);
int args_shift(struct arg_build *b, unsigned int bits);
int args_load(struct arg_build *b);
int args_next_value(struct arg_build *b);

/* args_vars.c */
int args_variable(struct arg_build *b, char *text);
int args_parameter(struct arg_build *b, unsigned int param);

/* args_keep.c */
int args_keep_parameter(struct arg_build *b, unsigned int param);
int args_keep_time(struct arg_build *b);
int args_keep_cpu(struct arg_build *b);
int args_keep_texts(struct arg_build *b, unsigned int nr, int at);

/* args_type.c */
const struct arg_type *args_find_type(const struct traceprobe_parse_context *ctx,
				      const char *name);
const struct arg_type *args_default_type(void);
const struct arg_type *args_type_of_size(unsigned int size, bool is_signed);
const struct arg_type *args_type_of_enum(unsigned int size);
const struct arg_type *args_type_of_pair(void);
int args_bitfield(struct arg_build *b, const char *name, unsigned int size);

/* args_enum.c */
void args_print_name(struct trace_seq *s, const struct probe_arg *arg, const u8 *place);

/* args_btf.c */
#ifdef CONFIG_PROBE_EVENTS_BTF_ARGS
int args_ask_btf(struct traceprobe_parse_context *ctx);
void args_forget_btf(struct traceprobe_parse_context *ctx);
bool args_find_member(const struct btf *btf, const struct btf_type *type, const char *name,
		      struct arg_member *where);
const struct arg_type *args_type_by_btf(const struct arg_build *b);
const struct btf_type *args_pointee(const struct arg_build *b);
int args_string_by_btf(struct arg_build *b);
int args_param_register(const struct traceprobe_parse_context *ctx, unsigned int param);
bool args_is_in_registers(const struct btf *btf, u32 id);
const struct btf_type *args_enum_of(const struct arg_build *b, bool array);
int args_find_names(const struct arg_build *b, const struct btf_type *type, struct probe_arg *arg);
const struct btf_type *args_find_struct(const char *name, struct btf **btf);
#else
static inline int args_ask_btf(struct traceprobe_parse_context *ctx)
{
	return -EOPNOTSUPP;
}

static inline void args_forget_btf(struct traceprobe_parse_context *ctx) { }

static inline const struct arg_type *args_type_by_btf(const struct arg_build *b)
{
	return NULL;
}

static inline const struct btf_type *args_pointee(const struct arg_build *b)
{
	return NULL;
}

static inline int args_string_by_btf(struct arg_build *b)
{
	return 0;
}

static inline const struct btf_type *args_enum_of(const struct arg_build *b, bool array)
{
	return NULL;
}

static inline int args_find_names(const struct arg_build *b, const struct btf_type *type,
				  struct probe_arg *arg)
{
	return 0;
}
#endif

/* args_member.c */
#ifdef CONFIG_PROBE_EVENTS_BTF_ARGS
int args_name(struct arg_build *b, char *text);
int args_result(struct arg_build *b, char *text);
int args_current(struct arg_build *b, char *text);
int args_members(struct arg_build *b, char *text, int at);
int args_typecast(struct arg_build *b, char *text);
void args_release(struct arg_build *b);
#else
static inline int args_name(struct arg_build *b, char *text)
{
	return args_refuse(b->ctx, 0, TP_ERR_NOSUP_BTFARG);
}

static inline int args_result(struct arg_build *b, char *text)
{
	return 0;
}

static inline int args_current(struct arg_build *b, char *text)
{
	if (text[strlen("$current")])
		return args_refuse(b->ctx, 0, TP_ERR_NOSUP_BTFARG);
	return 0;
}

static inline int args_members(struct arg_build *b, char *text, int at)
{
	return args_refuse(b->ctx, at, TP_ERR_NOSUP_BTFARG);
}

static inline int args_typecast(struct arg_build *b, char *text)
{
	return args_refuse(b->ctx, 0, TP_ERR_NOSUP_BTFARG);
}

static inline void args_release(struct arg_build *b) { }
#endif

#endif /* _TRACE_PROBES_ARGS_INTERNAL_H */
