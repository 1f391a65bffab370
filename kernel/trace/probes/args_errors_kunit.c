// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tests of commands for probe events: errors and positions in error_log.
 *
 * A ^ in a command is not part of it: it marks the position of the caret. Commands are written to
 * dynamic_events, as users do. Each error in args_errors.h must be caused by one of them.
 */
#include <kunit/static_stub.h>
#include <kunit/test.h>
#include <linux/initrd.h>
#include <linux/string.h>

#include "args_internal.h"
#include "args_kunit.h"
#include "fprobe.h"
#include "kprobe.h"

#define MAX_COMMAND	4000

/* The first entry of error_log for a command. */
struct told {
	int		code;		/* -1: no entry */
	unsigned int	pos;
	char		text[MAX_COMMAND];
	char		command[MAX_COMMAND];
	char		line[MAX_COMMAND];
	struct command_file commands;
};

struct args_kunit_two {
	struct {
		int	number;
	}		inside;
	long		word;
};

struct args_kunit_three {
	long		words[3];
};

/* The engine does not know where the last parameter is passed. */
int args_kunit_wide(struct args_kunit_two two, struct args_kunit_three three, int after);

noinline int args_kunit_wide(struct args_kunit_two two, struct args_kunit_three three, int after)
{
	return two.inside.number + three.words[0] + after;
}

/* args_words_kunit.c has a function of the same name. */
static noinline __used void args_kunit_twice(void)
{
	barrier();
}

static DECLARE_BITMAP(seen, TP_ERR_COUNT);

static void take(const char *text, int code, unsigned int pos)
{
	struct told *told = kunit_get_current_test()->priv;

	/* Keep the first error. */
	if (told->code >= 0)
		return;
	told->code = code;
	told->pos = pos;
	strscpy(told->text, text);
	__set_bit(code, seen);
}

static const char *name_of(int code)
{
#define NAME(name, text)	[TP_ERR_##name] = #name,
	static const char * const names[] = { PROBE_ERRORS(NAME) };
#undef NAME

	return code < 0 ? "no error" : names[code];
}

/* Write a line, as a shell does. */
static int write_line(struct kunit *test, const char *line)
{
	struct told *told = test->priv;

	told->code = -1;
	told->pos = 0;
	return command_write(test, &told->commands, line);
}

/* Remove the mark from a command. Returns its position, or -1 if there is none. */
static int take_mark(char *command)
{
	char *mark = strchr(command, '^');

	if (!mark)
		return -1;
	memmove(mark, mark + 1, strlen(mark));
	return mark - command;
}

static void refused(struct kunit *test, const char *marked, int code)
{
	struct told *told = test->priv;
	int mark, written;

	strscpy(told->command, marked);
	mark = take_mark(told->command);
	written = write_line(test, told->command);
	KUNIT_EXPECT_LT_MSG(test, written, 0, "%s", marked);
	KUNIT_EXPECT_STREQ_MSG(test, name_of(told->code), name_of(code), "%s", marked);
	KUNIT_EXPECT_STREQ_MSG(test, told->text, told->command, "%s", marked);
	if (mark >= 0)
		KUNIT_EXPECT_EQ_MSG(test, told->pos, mark, "%s", marked);
}

/* The command ends too early: the caret is one space behind its end. */
static void refused_behind(struct kunit *test, const char *command, int code)
{
	struct told *told = test->priv;

	refused(test, command, code);
	KUNIT_EXPECT_EQ_MSG(test, told->pos, strlen(command) + 1, "%s", command);
}

static void accepted(struct kunit *test, const char *command)
{
	struct told *told = test->priv;

	KUNIT_ASSERT_EQ_MSG(test, write_line(test, command), strlen(command), "%s: %s at %u",
			    command, name_of(told->code), told->pos);
}

/**
 * struct refusal - a command that is refused
 * @code:	TP_ERR_*
 * @command:	the command, with a mark
 */
struct refusal {
	int		code;
	const char	*command;
};

#define NO(name, command)	{ TP_ERR_##name, command }

#define NAME_31		"a234567890123456789012345678901"
#define NAME_64		NAME_31 "b" NAME_31 "c"
#define NAME_32		NAME_31 "b"

static void refuse_all(struct kunit *test, const struct refusal *all, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		refused(test, all[i].command, all[i].code);
}

static void heads(struct kunit *test)
{
	static const struct refusal all[] = {
		NO(BAD_MAXACT_TYPE,	"p^100 vfs_read"),
		NO(BAD_MAXACT,		"r^1a111 vfs_read"),
		NO(BAD_MAXACT,		"r^0 vfs_read"),
		NO(BAD_MAXACT,		"r^4294967296 vfs_read"),
		NO(MAXACT_TOO_BIG,	"r^100000 vfs_read"),
		NO(MAXACT_TOO_BIG,	"r^4097 vfs_read"),
		NO(NO_GROUP_NAME,	"p:^/bar vfs_read"),
		NO(NO_GROUP_NAME,	"p:^.bar vfs_read"),
		NO(GROUP_TOO_LONG,	"p:^" NAME_64 "/bar vfs_read"),
		NO(BAD_GROUP_NAME,	"p:^foo.1/bar vfs_read"),
		NO(NO_EVENT_NAME,	"p:^ vfs_read"),
		NO(EVENT_TOO_LONG,	"p:foo/^" NAME_64 " vfs_read"),
		NO(BAD_EVENT_NAME,	"p:foo/^bar.1 vfs_read"),
		NO(BAD_EVENT_NAME,	"p:foo/^1bar vfs_read"),
	};

	refuse_all(test, all, ARRAY_SIZE(all));
}

static void places(struct kunit *test)
{
	static const struct refusal all[] = {
		NO(BAD_PROBE_ADDR,	"p ^no_such_function_there_is"),
		NO(BAD_PROBE_ADDR,	"p ^vfs_read+x"),
		NO(BAD_PROBE_ADDR,	"p ^vfs_read-4"),
		NO(BAD_PROBE_ADDR,	"p ^1"),
		NO(NON_UNIQ_SYMBOL,	"p ^args_kunit_twice"),
		NO(BAD_RETPROBE,	"r ^vfs_read+16"),
		NO(BAD_RETPROBE,	"p ^vfs_read+16%return"),
		NO(BAD_ADDR_SUFFIX,	"p vfs_read^%hoge"),
		NO(BAD_ADDR_SUFFIX,	"p vfs_read^%return%return"),
		NO(BAD_ADDR_SUFFIX,	"p vfs_read@*^x"),
		NO(BAD_PROBE_ADDR,	"p ^no_such_function_there_is@*"),
		NO(BAD_PROBE_ADDR,	"p ^@*"),
		NO(ALL_WITH_OFFS,	"p vfs_read@*^+4"),
		NO(ALL_WITH_OFFS,	"r vfs_read^+0@*"),
	};

	refuse_all(test, all, ARRAY_SIZE(all));
	/* Only on x86 do instructions differ in length, and does the image begin with code. */
	if (IS_ENABLED(CONFIG_X86)) {
		refused(test, "p ^vfs_read+3", TP_ERR_BAD_INSN_BNDRY);
		refused(test, "p ^_text", TP_ERR_FAIL_REG_PROBE);
	}
}

static void places_of_uprobes(struct kunit *test)
{
	static const struct refusal all[] = {
		NO(FILE_NOT_FOUND,	"p ^/no_such_file:100"),
		NO(NO_REGULAR_FILE,	"p ^/dev:100"),
		NO(BAD_UPROBE_OFFS,	"p /init:^10a"),
		NO(BAD_REFCNT,		"p /init:10(^1a)"),
		NO(REFCNT_OPEN_BRACE,	"p /init:10(10^"),
		NO(BAD_REFCNT_SUFFIX,	"p /init:10(10)^a"),
		NO(BAD_FILE_OFFS,	"p /init:10 ^@+ab"),
		NO(SYM_ON_UPROBE,	"p /init:10 ^@symbol"),
		NO(BAD_TYPE,		"p /init:10 $stack0:^symstr"),
		NO(BAD_TYPE,		"p /init:10 $stack0:^symbol"),
		NO(BAD_ADDR_SUFFIX,	"p /init:10^%hoge"),
		NO(BAD_STACK_NUM,	"p /init:10 ^$stack4294967296"),
		NO(BAD_VAR,		"p /init:10 ^$current"),
		NO(NOFENTRY_ARGS,	"p /init:10 ^$arg1"),
		NO(RETVAL_ON_PROBE,	"p /init:10 ^$retval"),
		NO(NOSUP_BTFARG,	"p /init:10 ^name"),
		NO(NOSUP_PERCPU,	"p /init:10 ^this_cpu_ptr(\\1)"),
		NO(NOSUP_PERCPU,	"p /init:10 x=+0(^this_cpu_read(\\1))"),
		NO(ONLY_AT_RETURN,	"p /init:10 ^$duration"),
		NO(ONLY_AT_RETURN,	"r /init:10 x=+0(^$entry_cpu)"),
		NO(ONLY_AT_RETURN,	"r /init:10 $retval +0($retval):^lustring"),
	};

	if (!IS_ENABLED(CONFIG_UPROBE_EVENTS))
		kunit_skip(test, "no uprobe events");
	refuse_all(test, all, ARRAY_SIZE(all));
}

static void places_of_fprobes(struct kunit *test)
{
	static const struct refusal all[] = {
		NO(FAIL_REG_PROBE,	"f ^no_such_function_there_is"),
		NO(BAD_MAXACT_TYPE,	"f^100 vfs_read"),
		NO(BAD_ADDR_SUFFIX,	"f vfs_read^%hoge"),
		NO(BAD_TP_NAME,		"t kfree^+4"),
		NO(BAD_TP_NAME,		"t ^-kfree"),
		NO(BAD_MAXACT_TYPE,	"t^100 kfree"),
		NO(RETVAL_ON_PROBE,	"t kfree ^$retval"),
		NO(BAD_FETCH_ARG,	"f vfs_read ^%x"),
		NO(ONLY_AT_RETURN,	"f vfs_read ^$duration"),
		NO(ONLY_AT_RETURN,	"f vfs_read c=^$entry_cpu:u8"),
		NO(ONLY_AT_RETURN,	"f vfs_read x=+0($arg2):^lustring"),
		NO(ONLY_AT_RETURN,	"t kfree ^$duration"),
		NO(ONLY_AT_RETURN,	"t kfree ^$entry_cpu"),
		NO(ONLY_AT_RETURN,	"t kfree +0($arg2):^lustring"),
		NO(NOT_AT_ENTRY,	"f vfs_read%return x=+0($retval):^lustring"),
		NO(FAIL_REG_PROBE,	"f:x vfs_read,^no_such_function_there_is,vfs_write"),
		NO(BAD_PROBE_ADDR,	"f:x vfs_read,^!no_such_function_there_is"),
		NO(BAD_PROBE_ADDR,	"f:x ^vfs_read,!vfs_*"),
		NO(LIST_NO_NAME,	"f:x vfs_read,^,vfs_write"),
		NO(LIST_NO_NAME,	"f:x vfs_read,^!"),
		NO(LIST_NO_NAME,	"f:x vfs_write,^:vfs_read"),
		NO(FAIL_REG_PROBE,	"f:x ^:vfs_read"),
		NO(FAIL_REG_PROBE,	"f:x ^vfs_read:x:y"),
		NO(LIST_NO_NAME,	"f:x vfs_write,^vfs_read:x:y"),
		NO(FAIL_REG_PROBE,	"f:x ^!vfs_read"),
		NO(LIST_ONLY_EXCEPT,	"f:x ^!vfs_read,!vfs_write"),
		NO(NO_EVENT_NAME,	"f^ vfs_read,vfs_write"),
		NO(RETVAL_ON_PROBE,	"f vfs_read:entry ^$retval"),
		NO(BAD_ADDR_SUFFIX,	"f vfs_read:exit^%return"),
	};

	if (!IS_ENABLED(CONFIG_FPROBE_EVENTS))
		kunit_skip(test, "no events on fprobes");
	refuse_all(test, all, ARRAY_SIZE(all));
}

/* The longest list that is accepted, and one with one name more. */
static void long_list(struct kunit *test)
{
	struct told *told = test->priv;
	int i, len;

	if (!IS_ENABLED(CONFIG_FPROBE_EVENTS))
		kunit_skip(test, "no events on fprobes");
	len = scnprintf(told->line, MAX_COMMAND, "f:kunit_errors/e vfs_read");
	for (i = 1; i < FPROBE_LIST_MAX; i++)
		len += scnprintf(told->line + len, MAX_COMMAND - len, ",!x*");
	accepted(test, told->line);
	accepted(test, "-:kunit_errors/e");
	scnprintf(told->line, MAX_COMMAND, "f:kunit_errors/e ^vfs_read");
	for (i = 1, len = strlen(told->line); i <= FPROBE_LIST_MAX; i++)
		len += scnprintf(told->line + len, MAX_COMMAND - len, ",!x*");
	refused(test, told->line, TP_ERR_LIST_TOO_LONG);
}

static int too_many(const char *symbol, const char *module, struct kprobe_found *found)
{
	return -E2BIG;
}

/* The message for many functions of a name. No name in the kernel has so many. */
static void many_namesakes(struct kunit *test)
{
	kunit_activate_static_stub(test, kprobe_names_find, too_many);
	refused(test, "p:kunit_errors/e ^vfs_read@*", TP_ERR_TOO_MANY_FUNCS);
	refused(test, "r:kunit_errors/e ^vfs_read@*", TP_ERR_TOO_MANY_FUNCS);
}

static void events_on_events(struct kunit *test)
{
	static const struct refusal all[] = {
		NO(NO_EVENT_INFO,	"e ^sched_switch"),
		NO(BAD_ATTACH_EVENT,	"e ^sched.no_such_event"),
		NO(BAD_VAR,		"e sched.sched_switch ^$no_such_field"),
		NO(BAD_VAR,		"e sched.sched_switch x=+0(^$retval)"),
		NO(BAD_FETCH_ARG,	"e sched.sched_switch ^%x"),
		NO(ONLY_AT_RETURN,	"e sched.sched_switch ^$duration"),
		NO(ONLY_AT_RETURN,	"e sched.sched_switch x=+0(^$entry_cpu)"),
		NO(ONLY_AT_RETURN,	"e sched.sched_switch $prev_pid:^lustring"),
		NO(NOSUP_PERCPU,	"e sched.sched_switch ^this_cpu_ptr(\\1)"),
		NO(NOSUP_BTFARG,	"e sched.sched_switch x=^prev_pid"),
		NO(BAD_STRING,		"e sched.sched_switch x=$prev_pid:^u8[2]"),
	};

	refused_behind(test, "e sched.sched_switch if", TP_ERR_NO_EP_FILTER);
	refuse_all(test, all, ARRAY_SIZE(all));
}

static void words(struct kunit *test)
{
	static const struct refusal all[] = {
		NO(RETVAL_ON_PROBE,	"p vfs_read ^$retval"),
		NO(ONLY_AT_RETURN,	"p vfs_read ^$duration"),
		NO(ONLY_AT_RETURN,	"p vfs_read+16 c=^$entry_cpu"),
		NO(BAD_VAR,		"r vfs_read ^$durations"),
		NO(BAD_VAR,		"r vfs_read ^$entry_cpu0"),
		NO(BAD_STACK_NUM,	"p vfs_read ^$stack100000"),
		NO(BAD_ARG_NUM,		"p vfs_read x=+0(^$arg10000)"),
		NO(BAD_VAR,		"p vfs_read ^$none_var"),
		NO(BAD_VAR,		"p vfs_read ^$"),
		NO(BAD_VAR,		"p vfs_read ^$stackx"),
		NO(BAD_VAR,		"p vfs_read ^$stack1x"),
		NO(BAD_VAR,		"p vfs_read x=^$argx"),
		NO(BAD_VAR,		"p vfs_read x=^$comm1"),
		NO(BAD_REG_NAME,	"p vfs_read ^%none_reg"),
		NO(BAD_REG_NAME,	"p vfs_read +0(^%)"),
		NO(BAD_MEM_ADDR,	"p vfs_read ^@12345678abcde"),
		NO(BAD_MEM_ADDR,	"p vfs_read x=+8(^@0x10000000000000000)"),
		NO(FILE_ON_KPROBE,	"p vfs_read ^@+10"),
		NO(BAD_IMM,		"p vfs_read arg1=\\^x"),
		NO(BAD_IMM,		"p vfs_read \\^"),
		NO(BAD_IMM,		"p vfs_read \\^18446744073709551616"),
		NO(BAD_IMM,		"p vfs_read \\^-9223372036854775809"),
		NO(IMMSTR_NO_CLOSE,	"p vfs_read arg1=\\\"abcd^"),
		NO(DEREF_NEED_BRACE,	"p vfs_read ^+0@0)"),
		NO(BAD_DEREF_OFFS,	"p vfs_read ^+0ab1(@0)"),
		NO(BAD_DEREF_OFFS,	"p vfs_read ^+u(@0)"),
		NO(BAD_DEREF_OFFS,	"p vfs_read +0(^-x(@0))"),
		NO(BAD_DEREF_OFFS,	"p vfs_read ^+9223372036854775808(@0)"),
		NO(DEREF_OPEN_BRACE,	"p vfs_read +0(+0(@0^)"),
		NO(DEREF_OPEN_BRACE,	"p vfs_read this_cpu_ptr(@jiffies^"),
		NO(COMM_CANT_DEREF,	"p vfs_read +0(^$comm)"),
		NO(COMM_CANT_DEREF,	"p vfs_read +0(^\\\"a\")"),
		NO(COMM_CANT_DEREF,	"p vfs_read this_cpu_ptr(^$comm)"),
		NO(BAD_FETCH_ARG,	"p vfs_read ^&1"),
		NO(BAD_FETCH_ARG,	"p vfs_read +8(^)"),
		NO(BAD_FETCH_ARG,	"p vfs_read +8(^1)"),
		NO(BAD_MEM_ADDR,	"p vfs_read this_cpu_ptr(@no_such_variable_there_is)"),
		NO(NOFENTRY_ARGS,	"p vfs_read+16 ^$arg1"),
		NO(NOFENTRY_ARGS,	"p vfs_read+16 ^$arg*"),
		NO(DOUBLE_ARGS,		"p vfs_read $arg* ^$arg*"),
		NO(TOO_MANY_OPS,
		   "p vfs_read +0(^+0(+0(+0(+0(+0(+0(+0(+0(+0(+0(+0(+0(+0(@0))))))))))))))"),
	};

	refuse_all(test, all, ARRAY_SIZE(all));
}

static void types(struct kunit *test)
{
	static const struct refusal all[] = {
		NO(ARRAY_NO_CLOSE,	"p vfs_read +0(@11):u8[10^"),
		NO(BAD_ARRAY_SUFFIX,	"p vfs_read +0(@11):u8[10]^a"),
		NO(BAD_ARRAY_NUM,	"p vfs_read +0(@11):u8[^10a]"),
		NO(BAD_ARRAY_NUM,	"p vfs_read +0(@11):u8[^0]"),
		NO(BAD_ARRAY_NUM,	"p vfs_read +0(@11):u8[^]"),
		NO(ARRAY_TOO_BIG,	"p vfs_read +0(@11):u8[^256]"),
		NO(ARRAY_TOO_BIG,	"p vfs_read +0(@11):u8[^65]"),
		NO(BAD_TYPE,		"p vfs_read @11:^unknown_type"),
		NO(BAD_TYPE,		"p vfs_read @11:^"),
		NO(BAD_TYPE,		"p vfs_read @11:^u128"),
		NO(BAD_TYPE,		"p vfs_read @11:^b4@0/128"),
		NO(BAD_TYPE,		"p vfs_read @11:^b4@0/12"),
		NO(BAD_STRING,		"p vfs_read $stack0:^string"),
		NO(BAD_STRING,		"p vfs_read $stack0:^u8[2]"),
		NO(BAD_STRING,		"p vfs_read @11:^symstr[2]"),
		NO(BAD_STRING,		"r vfs_read $duration:^string"),
		NO(BAD_STRING,		"r vfs_read $entry_cpu:^u8[2]"),
		NO(BAD_BITFIELD,	"r vfs_read $duration:^b65@0/64"),
		NO(ONLY_AT_RETURN,	"p vfs_read +0($arg2):^lustring"),
		NO(ONLY_AT_RETURN,	"p vfs_read x=+0($arg2):^lustring[2]"),
		NO(NOT_AT_ENTRY,	"r vfs_read $retval:^lustring"),
		NO(NOT_AT_ENTRY,	"p vfs_read%return x=+0($stack1):^lustring"),
		NO(NOT_AT_ENTRY,	"r vfs_read x=+0(+0($duration)):^lustring[2]"),
		NO(TOO_MANY_EARGS,	"r vfs_read a=+0($arg2):^lustring[20]"),
		NO(BAD_SYMSTRING,	"p vfs_read \\1:^symstr"),
		NO(BAD_SYMSTRING,	"p vfs_read +u0(\\1):^symstr"),
		NO(BAD_BITFIELD,	"p vfs_read @11:^b10@a/16"),
		NO(BAD_BITFIELD,	"p vfs_read @11:^b0@0/8"),
		NO(BAD_BITFIELD,	"p vfs_read @11:^b9@0/8"),
		NO(BAD_BITFIELD,	"p vfs_read @11:^b8@1/8"),
		NO(BAD_BITFIELD,	"p vfs_read @11:^b1@64/64"),
		NO(NEED_STRING_TYPE,	"p vfs_read $comm:^u8"),
		NO(NEED_STRING_TYPE,	"p vfs_read \\\"a\":^ustring"),
		NO(NEED_STRING_TYPE,	"p vfs_read $COMM:^string[2]"),
	};

	refuse_all(test, all, ARRAY_SIZE(all));
}

static void names(struct kunit *test)
{
	static const struct refusal all[] = {
		NO(ARG_NAME_TOO_LONG,	"p vfs_read ^" NAME_32 "c=@11"),
		NO(NO_ARG_NAME,		"p vfs_read ^=@11"),
		NO(BAD_ARG_NAME,	"p vfs_read ^var.1=@11"),
		NO(BAD_ARG_NAME,	"p vfs_read a=@11 ^1a=@11"),
		NO(USED_ARG_NAME,	"p vfs_read var1=@11 ^var1=@12"),
		NO(USED_ARG_NAME,	"p vfs_read ^common_pid=@12"),
		NO(USED_ARG_NAME,	"p vfs_read ^__probe_ip=@12"),
		NO(ARG_TOO_LONG,
		   "p vfs_read ^+1234567(+1234567(+1234567(+1234567(+1234567(+1234567(@1234))))))"),
		NO(ARG_TOO_LONG,	"p vfs_read x=^\\\"" NAME_31 NAME_31 "\""),
		NO(NO_ARG_BODY,		"p vfs_read arg1=^"),
	};

	refuse_all(test, all, ARRAY_SIZE(all));
}

static void what_there_is_already(struct kunit *test)
{
	accepted(test, "p:kunit_errors/e vfs_read a=\\1 b=\\2:u8");
	refused(test, "^r:kunit_errors/e vfs_read", TP_ERR_DIFF_PROBE_TYPE);
	refused(test, "p:kunit_errors/e vfs_write ^c=\\1 b=\\2:u8", TP_ERR_DIFF_ARG_TYPE);
	refused(test, "p:kunit_errors/e vfs_write a=\\1 b=\\2:u8 ^c=\\3", TP_ERR_DIFF_ARG_TYPE);
	refused_behind(test, "p:kunit_errors/e vfs_write a=\\1", TP_ERR_DIFF_ARG_TYPE);
	refused(test, "p:kunit_errors/e vfs_write a=\\1 ^b=\\2:u16", TP_ERR_DIFF_ARG_TYPE);
	refused(test, "p:kunit_errors/e vfs_write a=\\1 ^c=\\2:u8", TP_ERR_DIFF_ARG_TYPE);
	refused(test, "^p:kunit_errors/e vfs_read a=\\1 b=\\2:u8", TP_ERR_SAME_PROBE);
	refused(test, "^p:sched/sched_switch vfs_read", TP_ERR_EVENT_EXIST);
	accepted(test, "p:kunit_errors/e vfs_write a=\\1 b=\\2:u8");
	accepted(test, "-:kunit_errors/e");
}

/* Too many arguments, and arguments that do not fit into a record. */
static void too_much(struct kunit *test)
{
	static const char head[] = "p:kunit_errors/e vfs_read";
	struct told *told = test->priv;
	int i, len;

	len = scnprintf(told->line, MAX_COMMAND, "%s", head);
	for (i = 0; i < MAX_TRACE_ARGS; i++)
		len += scnprintf(told->line + len, MAX_COMMAND - len, " \\%d", i);
	accepted(test, told->line);
	accepted(test, "-:kunit_errors/e");
	scnprintf(told->line + len, MAX_COMMAND - len, " ^\\1");
	refused(test, told->line, TP_ERR_TOO_MANY_ARGS);

	/* Six arrays of 64 words fill the record. */
	len = scnprintf(told->line, MAX_COMMAND, "%s", head);
	for (i = 0; i < ARG_MAX_SIZE / (MAX_ARRAY_LEN * sizeof(u64)); i++)
		len += scnprintf(told->line + len, MAX_COMMAND - len, " a%d=@0:u64[64]", i);
	accepted(test, told->line);
	accepted(test, "-:kunit_errors/e");
	scnprintf(told->line + len, MAX_COMMAND - len, " c=^\\1:u8");
	refused(test, told->line, TP_ERR_EVENT_TOO_BIG);
}

static void without_types(struct kunit *test)
{
	static const struct refusal all[] = {
		NO(NOSUP_BTFARG,	"p vfs_read ^$arg*"),
		NO(NOSUP_BTFARG,	"p vfs_read ^file"),
		NO(NOSUP_BTFARG,	"p vfs_read ^$current->pid"),
		NO(NOSUP_BTFARG,	"p vfs_read ^(task_struct)$arg1->pid"),
		NO(NOSUP_BTFARG,	"p vfs_read this_cpu_ptr(\\1)^->pid"),
	};

	if (IS_ENABLED(CONFIG_PROBE_EVENTS_BTF_ARGS))
		kunit_skip(test, "there is type information");
	refuse_all(test, all, ARRAY_SIZE(all));
}

static void with_types(struct kunit *test)
{
	static const struct refusal all[] = {
		NO(NOSUP_BTFARG,	"p vfs_read+16 ^file"),
		NO(NO_BTFARG,		"p vfs_read ^no_such_parameter"),
		NO(NO_BTFARG,		"p vfs_read $arg1 ^$arg5"),
		NO(NO_BTF_ENTRY,	"p memcpy ^parameter"),
		NO(NO_RETVAL,		"r kfree ^$retval"),
		NO(NO_PTR_STRCT,	"r vfs_read $retval->^foo"),
		NO(NO_PTR_STRCT,	"p vfs_read count->^foo"),
		NO(BAD_BTF_TID,		"p vfs_read buf->^foo"),
		NO(BAD_BTF_TID,		"p vfs_read file->f_pos.^foo"),
		NO(NO_BTF_FIELD,	"p vfs_read file->^foo"),
		NO(NO_BTF_FIELD,	"p vfs_read file->f_path.^foo"),
		NO(BAD_HYPHEN,		"p vfs_read file^-.foo"),
		NO(BAD_HYPHEN,		"p vfs_read file->f_inode^-i_ino"),
		NO(BAD_TYPE4STR,	"p vfs_read ^file:string"),
		NO(NOSUP_DAT_ARG,	"p vfs_read file.^f_inode"),
		NO(BAD_VAR,		"p vfs_read ^$arg1x"),
		NO(NOSUP_DAT_ARG,	"p args_kunit_wide ^after"),
		NO(NOSUP_DAT_ARG,	"p args_kunit_wide two.^inside"),
	};

	if (!IS_ENABLED(CONFIG_PROBE_EVENTS_BTF_ARGS))
		kunit_skip(test, "no type information");
	refuse_all(test, all, ARRAY_SIZE(all));
}

static void typecasts(struct kunit *test)
{
	static const struct refusal all[] = {
		NO(TYPECAST_REQ_FIELD,	"p vfs_read (task_struct)$arg1^"),
		NO(TYPECAST_REQ_FIELD,	"p vfs_read x=(file)^(file)$arg1->f_inode"),
		NO(TYPECAST_BAD_ARROW,	"p vfs_read (task_struct,real_parent^->pid)$arg1->pid"),
		NO(TYPECAST_NOT_ALIGNED, "p vfs_read (task_struct,^sched_reset_on_fork)$arg1->pid"),
		NO(TYPECAST_SYM_OFFSET,	"p vfs_read (task_struct)@init_task^+8->pid"),
		NO(TYPECAST_NOT_EVENT,	"p /init:10 x=^(task_struct)$stack0->pid"),
		NO(NO_EVENT_FIELD,	"e sched.sched_switch (task_struct)^$nothing->pid"),
		NO(BAD_BTF_TID,		"p vfs_read (^no_such_struct_there_is)$arg1->pid"),
		NO(NO_BTF_FIELD,	"p vfs_read (task_struct)$arg1->^nothing"),
		NO(NO_BTF_FIELD,	"p vfs_read (task_struct,^nothing)$arg1->pid"),
		NO(NO_BTF_FIELD,	"p vfs_read (task_struct,se.^nothing)$arg1->pid"),
		NO(BAD_BTF_TID,		"p vfs_read (task_struct,pid.^nothing)$arg1->pid"),
		NO(BAD_FETCH_ARG,	"p vfs_read ^()$arg1->pid"),
		NO(BAD_FETCH_ARG,	"p vfs_read ^(task_struct"),
		NO(BAD_FETCH_ARG,	"p vfs_read ^(task_struct)"),
		NO(TYPECAST_REQ_FIELD,	"p vfs_read (task_struct)($arg1->pid^"),
		NO(COMM_CANT_DEREF,	"p vfs_read (task_struct)^$comm->pid"),
		NO(TOO_MANY_NESTED,
		   "p vfs_read (file)(+0(+0(+0(+0(+0(+0(+0(^+0($arg1)))))))))->f_pos"),
		NO(TOO_MANY_NESTED,
		   "p vfs_read (qstr)(+0(+0(+0(+0(+0(+0(+0(^(qstr)$arg1->name))))))))->name"),
		NO(BAD_HYPHEN,		"p vfs_read $current^-pid"),
		NO(NO_BTF_FIELD,	"p vfs_read $current->^"),
	};

	if (!IS_ENABLED(CONFIG_PROBE_EVENTS_BTF_ARGS))
		kunit_skip(test, "no type information");
	refuse_all(test, all, ARRAY_SIZE(all));
}

/* More names for $argN than fit into the memory for them. */
static void long_names(struct kunit *test)
{
	struct told *told = test->priv;
	int i, len;

	if (!IS_ENABLED(CONFIG_PROBE_EVENTS_BTF_ARGS))
		kunit_skip(test, "no type information");
	/* "file:x64" and its zero is nine bytes. */
	len = scnprintf(told->line, MAX_COMMAND, "p:kunit_errors/e vfs_read");
	for (i = 0; i < MAX_BTF_ARGS_LEN / 9; i++)
		len += scnprintf(told->line + len, MAX_COMMAND - len, " $arg1:x64");
	scnprintf(told->line + len, MAX_COMMAND - len, " ^$arg1:x64");
	refused(test, told->line, TP_ERR_ARGS_2LONG);
}

/*
 * Errors that no command causes. Their texts stay in the list, because scripts know them. A
 * tracepoint that does not exist is not an error: a module may have it.
 */
static const int never[] = {
	TP_ERR_NO_TRACEPOINT,
	TP_ERR_BAD_VAR_ARGS, TP_ERR_ARGIDX_2BIG, TP_ERR_BAD_ATTACH_ARG,
};

/* Errors that need BTF. */
static const int of_types[] = {
	TP_ERR_NO_RETVAL, TP_ERR_NO_BTFARG, TP_ERR_NO_BTF_ENTRY, TP_ERR_ARGS_2LONG,
	TP_ERR_NO_PTR_STRCT, TP_ERR_NOSUP_DAT_ARG, TP_ERR_BAD_HYPHEN, TP_ERR_NO_BTF_FIELD,
	TP_ERR_BAD_BTF_TID, TP_ERR_BAD_TYPE4STR, TP_ERR_NO_EVENT_FIELD, TP_ERR_TOO_MANY_NESTED,
	TP_ERR_TYPECAST_BAD_ARROW, TP_ERR_TYPECAST_NOT_ALIGNED, TP_ERR_TYPECAST_NOT_EVENT,
	TP_ERR_TYPECAST_REQ_FIELD, TP_ERR_TYPECAST_SYM_OFFSET,
};

static bool is_among(int code, const int *codes, unsigned int nr)
{
	while (nr--) {
		if (codes[nr] == code)
			return true;
	}
	return false;
}

/* Can a command cause this error in this configuration? */
static bool may_be(int code)
{
	if (code == TP_ERR_BAD_TP_NAME || code == TP_ERR_LIST_NO_NAME ||
	    code == TP_ERR_LIST_ONLY_EXCEPT || code == TP_ERR_LIST_TOO_LONG)
		return IS_ENABLED(CONFIG_FPROBE_EVENTS);
	if (code == TP_ERR_BAD_INSN_BNDRY)
		return IS_ENABLED(CONFIG_X86);
	if (code == TP_ERR_FAIL_REG_PROBE)
		return IS_ENABLED(CONFIG_X86) || IS_ENABLED(CONFIG_FPROBE_EVENTS);
	return IS_ENABLED(CONFIG_PROBE_EVENTS_BTF_ARGS) ||
	       !is_among(code, of_types, ARRAY_SIZE(of_types));
}

/* Check that other tests caused each error. Runs last. */
static void every_error_there_is(struct kunit *test)
{
	int code;

	for (code = 0; code < TP_ERR_COUNT; code++) {
		bool is_seen = test_bit(code, seen);

		if (is_among(code, never, ARRAY_SIZE(never)))
			KUNIT_EXPECT_FALSE_MSG(test, is_seen, "%s", name_of(code));
		else if (may_be(code))
			KUNIT_EXPECT_TRUE_MSG(test, is_seen, "%s", name_of(code));
	}
}

static int init(struct kunit *test)
{
	struct told *told = kunit_kzalloc(test, sizeof(*told), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, told);
	test->priv = told;
	/* Some commands probe the file /init. */
	wait_for_initramfs();
	command_file_open(test, &told->commands);
	kunit_activate_static_stub(test, args_tell, take);
	return 0;
}

static struct kunit_case cases[] = {
	KUNIT_CASE(heads),
	KUNIT_CASE(places),
	KUNIT_CASE(places_of_uprobes),
	KUNIT_CASE(places_of_fprobes),
	KUNIT_CASE(long_list),
	KUNIT_CASE(many_namesakes),
	KUNIT_CASE(events_on_events),
	KUNIT_CASE(words),
	KUNIT_CASE(types),
	KUNIT_CASE(names),
	KUNIT_CASE(what_there_is_already),
	KUNIT_CASE(too_much),
	KUNIT_CASE(without_types),
	KUNIT_CASE(with_types),
	KUNIT_CASE(typecasts),
	KUNIT_CASE(long_names),
	KUNIT_CASE(every_error_there_is),
	{}
};

static struct kunit_suite suite = {
	.name = "trace_probe_errors",
	.init = init,
	.test_cases = cases,
};

kunit_test_suite(suite);
