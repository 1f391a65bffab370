/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _TRACE_PROBES_ARGS_ERRORS_H
#define _TRACE_PROBES_ARGS_ERRORS_H
/*
 * Messages of error_log for commands that are refused. Scripts search for these texts, so
 * they must not change.
 *
 * E(NAME, TEXT) is expanded for each. The code is TP_ERR_NAME.
 */
#define PROBE_ERRORS(E)									\
	/* The place of the probe */							\
	E(FILE_NOT_FOUND,	"Failed to find the given file")			\
	E(NO_REGULAR_FILE,	"Not a regular file")					\
	E(BAD_REFCNT,		"Invalid reference counter offset")			\
	E(REFCNT_OPEN_BRACE,	"Reference counter brace is not closed")		\
	E(BAD_REFCNT_SUFFIX,	"Reference counter has wrong suffix")			\
	E(BAD_UPROBE_OFFS,	"Invalid uprobe offset")				\
	E(BAD_MAXACT_TYPE,	"Maxactive is only for function exit")			\
	E(BAD_MAXACT,		"Invalid maxactive number")				\
	E(MAXACT_TOO_BIG,	"Maxactive is too big")					\
	E(BAD_PROBE_ADDR,	"Invalid probed address or symbol")			\
	E(NON_UNIQ_SYMBOL,	"The symbol is not unique")				\
	E(BAD_RETPROBE,		"Retprobe address must be an function entry")		\
	E(NO_TRACEPOINT,	"Tracepoint is not found")				\
	E(BAD_TP_NAME,		"Invalid character in tracepoint name")			\
	E(BAD_ADDR_SUFFIX,	"Invalid probed address suffix")			\
	E(BAD_INSN_BNDRY,	"Probe point is not an instruction boundary")		\
	E(FAIL_REG_PROBE,	"Failed to register probe event")			\
	/* The event */									\
	E(NO_GROUP_NAME,	"Group name is not specified")				\
	E(GROUP_TOO_LONG,	"Group name is too long")				\
	E(BAD_GROUP_NAME,								\
	  "Group name must follow the same rules as C identifiers")			\
	E(NO_EVENT_NAME,	"Event name is not specified")				\
	E(EVENT_TOO_LONG,	"Event name is too long")				\
	E(BAD_EVENT_NAME,								\
	  "Event name must follow the same rules as C identifiers")			\
	E(EVENT_EXIST,									\
	  "Given group/event name is already used by another event")			\
	E(EVENT_TOO_BIG,	"Event too big (too many fields?)")			\
	E(DIFF_PROBE_TYPE,	"Probe type is different from existing probe")		\
	E(DIFF_ARG_TYPE,								\
	  "Argument type or name is different from existing probe")			\
	E(SAME_PROBE,		"There is already the exact same probe event")		\
	E(NO_EVENT_INFO,								\
	  "This requires both group and event name to attach")				\
	E(BAD_ATTACH_EVENT,	"Attached event does not exist")			\
	E(BAD_ATTACH_ARG,	"Attached event does not have this field")		\
	E(NO_EP_FILTER,		"No filter rule after 'if'")				\
	/* FETCH of arguments */							\
	E(RETVAL_ON_PROBE,	"$retval is not available on probe")			\
	E(NO_RETVAL,		"This function returns 'void' type")			\
	E(BAD_STACK_NUM,	"Invalid stack number")					\
	E(BAD_ARG_NUM,		"Invalid argument number")				\
	E(BAD_VAR,		"Invalid $-variable specified")				\
	E(BAD_REG_NAME,		"Invalid register name")				\
	E(BAD_MEM_ADDR,		"Invalid memory address")				\
	E(BAD_IMM,		"Invalid immediate value")				\
	E(IMMSTR_NO_CLOSE,	"String is not closed with '\"'")			\
	E(FILE_ON_KPROBE,	"File offset is not available with kprobe")		\
	E(BAD_FILE_OFFS,	"Invalid file offset value")				\
	E(SYM_ON_UPROBE,	"Symbol is not available with uprobe")			\
	E(TOO_MANY_ARGS,	"Too many arguments are specified")			\
	E(TOO_MANY_OPS,		"Dereference is too much nested")			\
	E(DEREF_NEED_BRACE,	"Dereference needs a brace")				\
	E(BAD_DEREF_OFFS,	"Invalid dereference offset")				\
	E(DEREF_OPEN_BRACE,	"Dereference brace is not closed")			\
	E(COMM_CANT_DEREF,	"$comm can not be dereferenced")			\
	E(BAD_FETCH_ARG,	"Invalid fetch argument")				\
	/* TYPE of arguments */								\
	E(ARRAY_NO_CLOSE,	"Array is not closed")					\
	E(BAD_ARRAY_SUFFIX,	"Array has wrong suffix")				\
	E(BAD_ARRAY_NUM,	"Invalid array size")					\
	E(ARRAY_TOO_BIG,	"Array number is too big")				\
	E(BAD_TYPE,		"Unknown type is specified")				\
	E(BAD_STRING,		"String accepts only memory argument")			\
	E(BAD_SYMSTRING,	"Symbol String doesn't accept data/userdata")		\
	E(BAD_BITFIELD,		"Invalid bitfield")					\
	E(NEED_STRING_TYPE,								\
	  "$comm and immediate-string only accepts string type")			\
	/* NAME of arguments */								\
	E(ARG_NAME_TOO_LONG,	"Argument name is too long")				\
	E(NO_ARG_NAME,		"Argument name is not specified")			\
	E(BAD_ARG_NAME,									\
	  "Argument name must follow the same rules as C identifiers")			\
	E(USED_ARG_NAME,	"This argument name is already used")			\
	E(ARG_TOO_LONG,		"Argument expression is too long")			\
	E(NO_ARG_BODY,		"No argument expression")				\
	/* BTF */									\
	E(NOSUP_BTFARG,		"BTF is not available or not supported")		\
	E(NO_BTFARG,		"This variable is not found at this probe point")	\
	E(NO_BTF_ENTRY,		"No BTF entry for this probe point")			\
	E(BAD_VAR_ARGS,									\
	  "$arg* must be an independent parameter without name etc.")			\
	E(NOFENTRY_ARGS,								\
	  "$arg* can be used only on function entry or exit")				\
	E(DOUBLE_ARGS,									\
	  "$arg* can be used only once in the parameters")				\
	E(ARGS_2LONG,									\
	  "$arg* failed because the argument list is too long")				\
	E(ARGIDX_2BIG,		"$argN index is too big")				\
	E(NO_PTR_STRCT,									\
	  "This is not a pointer to union/structure.")					\
	E(NOSUP_DAT_ARG,								\
	  "Non pointer structure/union argument is not supported.")			\
	E(BAD_HYPHEN,									\
	  "Failed to parse single hyphen. Forgot '>'?")					\
	E(NO_BTF_FIELD,		"This field is not found.")				\
	E(BAD_BTF_TID,		"Failed to get BTF type info.")				\
	E(BAD_TYPE4STR,		"This type does not fit for string.")			\
	/* From kernels after 6.12 */							\
	E(NO_EVENT_FIELD,	"This event field is not found")			\
	E(NOSUP_PERCPU,									\
	  "Per-cpu variable access is only for kernel probes")				\
	E(TOO_MANY_EARGS,	"Too many entry arguments specified")			\
	E(TOO_MANY_NESTED,	"Too many nested typecasts/dereferences")		\
	E(TYPECAST_BAD_ARROW,	"Typecast field option does not support -> operator")	\
	E(TYPECAST_NOT_ALIGNED,	"Typecast field option is not byte-aligned")		\
	E(TYPECAST_NOT_EVENT,								\
	  "Typecasts are only for eprobe field or kernel function arguments")		\
	E(TYPECAST_REQ_FIELD,	"Typecast requires a field access")			\
	E(TYPECAST_SYM_OFFSET,	"@SYM+/-OFFSET with typecast needs parentheses")	\
	/* Only in this implementation, in the order in which they were added */	\
	E(ONLY_AT_RETURN,								\
	  "This is only available at the return of a kernel function")			\
	E(NOT_AT_ENTRY,									\
	  "lustring accepts only what is known at the function's entry")		\
	E(ALL_WITH_OFFS,	"All functions of a name have no offset")		\
	E(TOO_MANY_FUNCS,	"Too many functions have this name")			\
	E(LIST_NO_NAME,		"A name is missing in the list")			\
	E(LIST_ONLY_EXCEPT,	"The list names nothing but exceptions")		\
	E(LIST_TOO_LONG,	"Too many names in the list")

#define PROBE_ERROR_CODE(name, text)	TP_ERR_##name,
enum probe_error { PROBE_ERRORS(PROBE_ERROR_CODE) TP_ERR_COUNT };
#undef PROBE_ERROR_CODE

#endif /* _TRACE_PROBES_ARGS_ERRORS_H */
