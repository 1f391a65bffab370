/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _TRACE_PROBES_ARGS_H
#define _TRACE_PROBES_ARGS_H
/*
 * The arguments of probe events: [NAME=]FETCH[:TYPE]
 *
 *	args_words.c	errors of a command and their position, for error_log
 *	args_parse.c	one word of a command -> an argument
 *	args_fetch.c	FETCH -> a program
 *	args_vars.c	words that begin with a $
 *	args_keep.c	values that are kept from a function's entry to its return
 *	args_type.c	TYPE -> how a value is stored and shown
 *	args_enum.c	values that are shown by their names
 *	args_btf.c	types of functions and structures, from BTF
 *	args_member.c	members of structures -> a program
 *	args_meta.c	expands $arg*, %pd and %pD
 *	args_run.c	runs programs in a hit
 *	args_fields.c	the fields of an event and its format string
 *	args_print.c	a record -> text
 *
 * An argument is compiled once, when the event is defined. A hit runs the programs of all
 * arguments in one pass, and each value is written to its place in the record:
 *
 *	head | one place for each argument | bytes of strings
 *
 * The place of a string has a data_loc, which says where its bytes are. So the size of the first
 * two parts, trace_probe.size, is known before any hit.
 */
#include <linux/btf.h>
#include <linux/ptrace.h>
#include <linux/trace_seq.h>
#include <linux/types.h>

#include "args_errors.h"

struct ftrace_event_field;
struct trace_event_call;
struct trace_probe;

#define MAX_TRACE_ARGS		128
#define MAX_ARGSTR_LEN		63
#define MAX_ARG_NAME_LEN	32
#define MAX_ARRAY_LEN		64
#define MAX_BTF_ARGS_LEN	128
#define MAX_STRING_SIZE		PATH_MAX

/* What arguments may refer to, traceprobe_parse_context.flags. */
#define TPARG_FL_RETURN		BIT(0)	/* the return of a function */
#define TPARG_FL_KERNEL		BIT(1)	/* the kernel */
#define TPARG_FL_FENTRY		BIT(2)	/* the first instruction of a function */
#define TPARG_FL_TEVENT		BIT(3)	/* fields of another event */
#define TPARG_FL_USER		BIT(4)	/* a process */
#define TPARG_FL_FPROBE		BIT(5)	/* the entry of a function, called by ftrace */
#define TPARG_FL_TPOINT		BIT(6)	/* the arguments of a tracepoint */

/**
 * struct traceprobe_parse_context - what the arguments of a command may refer to
 * @event:	the event with the fields, for TPARG_FL_TEVENT
 * @funcname:	"[MOD:]SYM", the probed function; NULL if it is not known
 * @flags:	TPARG_FL_*
 * @offset:	position in the command's word of the text that is being parsed
 * @btf:	BTF with @proto, referenced; NULL if it was not looked up, or not found
 * @proto:	the function's type
 * @params:	its parameters; of a tracepoint, without the first one
 * @nr_params:	number of @params
 * @btf_asked:	@btf was looked up
 * @takes_params: an argument is a parameter of the function
 *
 * The caller sets the first three, and calls traceprobe_finish_parse() in the end.
 */
struct traceprobe_parse_context {
	struct trace_event_call		*event;
	const char			*funcname;
	unsigned int			flags;
	int				offset;
	struct btf			*btf;
	const struct btf_type		*proto;
	const struct btf_param		*params;
	s32				nr_params;
	bool				btf_asked;
	bool				takes_params;
};

/**
 * struct arg_type - how a value is stored and shown
 * @name:	the name in commands
 * @field:	the type in C, for the event's format
 * @format:	the format of printf(), for the event's format
 * @print:	prints one value of a record
 * @size:	bytes in the argument's place
 * @words:	in the event's format, the field is an array of that many @field; 0: no array
 * @is_signed:	the value has a sign
 * @is_enum:	values have names, see struct arg_names
 * @is_string:	the place has a data_loc, and the bytes are behind the arguments
 */
struct arg_type {
	const char	*name;
	const char	*field;
	const char	*format;
	bool		(*print)(struct trace_seq *s, const void *value, const void *record);
	u8		size;
	u8		words;
	bool		is_signed;
	bool		is_enum;
	bool		is_string;
};

/**
 * struct arg_names - names of the values of an enum
 * @nr:		number of names
 * @name:	a value and its name, in the order of the enum
 *
 * The strings are behind @name, in the same memory.
 */
struct arg_names {
	unsigned int	nr;
	struct {
		u64		value;
		const char	*name;
	} name[] __counted_by(nr);
};

struct arg_program;

/**
 * struct probe_arg - one argument of a probe
 * @prog:	the program that fetches it
 * @name:	its name
 * @comm:	FETCH[:TYPE], as the user wrote it
 * @type:	how it is stored and shown
 * @format:	for an array, its type in the event's format; else NULL
 * @names:	names of its values, or NULL
 * @offset:	offset of its place from that of the first argument
 * @count:	number of elements of an array, 0 if it is no array
 */
struct probe_arg {
	struct arg_program	*prog;
	char			*name;
	char			*comm;
	const struct arg_type	*type;
	char			*format;
	struct arg_names	*names;
	unsigned int		offset;
	unsigned int		count;
};

/* Length of a string, and offset of its bytes from the start of the record. 0: no string. */
#define make_data_loc(len, offs)	((u32)(len) << 16 | ((u32)(offs) & 0xffff))
#define get_loc_len(loc)		((u32)(loc) >> 16)
#define get_loc_offs(loc)		((u32)(loc) & 0xffff)

/**
 * struct args_hit - the sources of values in a hit
 * @regs:	registers; NULL for a hit of another event
 * @kept:	at a return: the values that args_keep() stored at the entry
 * @rec:	the other event's record
 * @file_base:	address where the file of a uprobe is mapped
 */
struct args_hit {
	struct pt_regs		*regs;
	const unsigned long	*kept;
	const void		*rec;
	unsigned long		file_base;
};

/**
 * struct args_record - a record that arguments are written to
 * @base:	start of the record
 * @args:	place of the first argument
 * @room:	size of the record, at least up to the end of all places
 * @used:	set to the number of bytes that were written, from @base on
 * @cut:	set if there was no room for a string, which then has no bytes
 * @at:		for args_store(): where the next string is written
 * @end:	for args_store(): end of the room for strings
 */
struct args_record {
	void		*base;
	void		*args;
	unsigned int	room;
	unsigned int	used;
	bool		cut;
	u8		*at;
	u8		*end;
};

/* args_run.c */
void args_store(const struct trace_probe *tp, const struct args_hit *hit,
		struct args_record *rec);
void args_store_plain(const struct trace_probe *tp, const struct args_hit *hit, void *args);
void args_keep(const struct trace_probe *tp, struct pt_regs *regs, unsigned long *kept);
void args_keep_mixed(const struct trace_probe *tp, struct pt_regs *regs, unsigned long *kept);
void args_stop_time(const struct trace_probe *tp, unsigned long *kept);

/* args_words.c */
void trace_probe_log_init(const char *reader, int nr, const char **words);
void trace_probe_log_clear(void);
void trace_probe_log_set_index(int word);
void trace_probe_log_set_arg(int arg);
void __trace_probe_log_err(int at, int code);

#define trace_probe_log_err(offset, name)	__trace_probe_log_err(offset, TP_ERR_##name)

/* args_parse.c */
void probe_arg_free(struct probe_arg *arg);
void traceprobe_finish_parse(struct traceprobe_parse_context *ctx);

/* args_enum.c */
bool args_names_differ(const struct probe_arg *a, const struct probe_arg *b);

/* args_fetch.c */
int traceprobe_update_arg(struct probe_arg *arg);

/* args_keep.c */
unsigned int args_kept_size(const struct trace_probe *tp);
bool args_keep_is_mixed(const struct trace_probe *tp);
bool args_keep_is_timed(const struct trace_probe *tp);

/* args_meta.c */
const char **traceprobe_expand_meta_args(int argc, const char *argv[], int *new_argc,
					 char *buf, int bufsize,
					 struct traceprobe_parse_context *ctx);
int traceprobe_expand_dentry_args(int argc, const char *argv[], char **buf);

/* args_fields.c */

/* Kinds of records, which differ in their first fields. */
enum probe_print_type { PROBE_PRINT_NORMAL, PROBE_PRINT_RETURN, PROBE_PRINT_EVENT };

int traceprobe_set_print_fmt(struct trace_probe *tp, enum probe_print_type ptype);
int traceprobe_define_arg_fields(struct trace_event_call *call, size_t offset,
				 struct trace_probe *tp);

/* args_print.c */
int trace_probe_print_args(struct trace_seq *s, struct probe_arg *args, int nr, u8 *first,
			   void *record);

#endif /* _TRACE_PROBES_ARGS_H */
