// SPDX-License-Identifier: GPL-2.0
/*
 * known_values KIND SEED COUNT [new]: define events with random arguments, and hit them with known
 * values. If trace shows another value for an argument, print that; the status is 1 then. Expected
 * values are computed from the known values, without code of the kernel.
 *
 *   enter	tracepoint sys_enter: the system call, its registers, and what they point to
 *   exit	tracepoint sys_exit: the same, and the result for the number
 *   rename	tracepoint task_rename: strings in the kernel
 *   fields	event probe on a system call
 *   text	event probe on task/task_rename: strings in the event
 *   program	a function of this program: registers, the stack, memory
 *   result	its return
 *
 * new: also with features that 6.12 lacks
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TRACEFS		"/sys/kernel/tracing/"
#define EVENT		TRACEFS "events/known/e/"
#define CALLS		4		/* hits of each event */
#define MAX_ARGS	8
#define VALUES		10
#define NUMBERS		256		/* offset in memory */
#define POINTERS	4
#define TEXT_ROOM	40
#define MARKED		2		/* number of the value with the mark */
#define NAME_SIZE	16
#define MARK		0x5eedface00000000
#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))

#if defined(__x86_64__)
#define PARAMS		"%di", "%si", "%dx", "%cx", "%r8", "%r9", "$stack1", "$stack2", \
			"+24($stack)", "$stack4"
static const int places[] = { 112, 104, 96, 56, 72, 64 };	/* in struct pt_regs */
#elif defined(__aarch64__)
#define PARAMS		"%x0", "%x1", "%x2", "%x3", "%x4", "%x5", "%x6", "%x7", "$stack0", \
			"+8($stack)"
static const int places[] = { 0, 8, 16, 24, 32, 40 };
#else
#define PARAMS		NULL
static const int places[6];
#endif

/* PROGRAM and later ones are uprobe events. */
enum call { ENTER, EXIT, RENAME, PWRITEV2, PROGRAM, RESULT };

/* The arguments of a call. */
static struct {
	uint64_t	value[VALUES];
	uint64_t	second;		/* parameter of the tracepoint */
	char		name[NAME_SIZE];
	char		old_name[NAME_SIZE];
} passed;

/* Memory that one of the values points to. */
static struct {
	uint8_t		numbers[NUMBERS];
	char		*pointers[POINTERS];
	char		texts[POINTERS][TEXT_ROOM];
} memory;

/* Events also read it by its offset in the file of this program. */
static const char in_file[] = "this is what the file has";

enum what { VALUE, SECOND, PID, CONSTANT, BYTES, NAME_BYTES, TEXT, TEXTS, NAME, OLD_NAME };

struct type {
	const char	*name;
	unsigned int	size;
	char		shown;		/* as u, s, x, c; b: bits */
};

static const struct type types[] = {
	{ "u8", 1, 'u' }, { "s8", 1, 's' }, { "x8", 1, 'x' }, { "char", 1, 'c' },
	{ "u16", 2, 'u' }, { "s16", 2, 's' }, { "x16", 2, 'x' },
	{ "u32", 4, 'u' }, { "s32", 4, 's' }, { "x32", 4, 'x' },
	{ "u64", 8, 'u' }, { "s64", 8, 's' }, { "x64", 8, 'x' }, { "", 8, 'x' },
};

/**
 * struct arg - an argument whose values are known
 * @what:	kind of the argument
 * @index:	number of the value or string
 * @at:		offset in memory or in a string
 * @constant:	value of a constant
 * @type:	letter of the type of a number
 * @width:	width of a bit-field
 * @shift:	offset of a bit-field
 * @count:	elements of an array; 0: not an array
 */
struct arg {
	enum what	what;
	unsigned int	index;
	unsigned int	at;
	uint64_t	constant;
	struct type	type;
	unsigned int	width;
	unsigned int	shift;
	unsigned int	count;
};

/**
 * struct kind - a kind of event, and its possible arguments
 * @name:	its name
 * @file:	the file for commands
 * @head:	the command without arguments; %s: the place in this program
 * @call:	hits the event
 * @values:	FETCH of each value; NULL: not available
 * @address:	number of the value that is the address of memory
 * @user:	"u" if memory of the process has to be marked as user memory
 */
struct kind {
	const char	*name;
	const char	*file;
	const char	*head;
	enum call	call;
	const char	*values[VALUES];
	unsigned int	address;
	const char	*user;
};

static struct kind kinds[] = {
	{ "enter", "dynamic_events", "t:known/e sys_enter", ENTER, { NULL }, 3, "u" },
	{ "exit", "dynamic_events", "t:known/e sys_exit", EXIT, { NULL }, 3, "u" },
	{ "rename", "dynamic_events", "t:known/e task_rename", RENAME },
	{ "fields", "dynamic_events", "e:known/e syscalls.sys_enter_pwritev2", PWRITEV2,
	  { "$fd", "$vec", "$vlen", "$pos_l", "$pos_h", "$flags" }, 1, "u" },
	{ "text", "dynamic_events", "e:known/e task.task_rename", RENAME },
	{ "program", "uprobe_events", "p:known/e %s", PROGRAM, { PARAMS }, 0, "" },
	{ "result", "uprobe_events", "r:known/e %s", RESULT, { "$retval" }, 0, "" },
};

static struct kind *kind;
static bool with_new;
static uint64_t state;

static unsigned int below(unsigned int limit)
{
	state = state * 6364136223846793005 + 1442695040888963407;
	return (state >> 33) % limit;
}

static bool chance(unsigned int percent)
{
	return below(100) < percent;
}

static uint64_t any_number(void)
{
	uint64_t n = (uint64_t)below(1u << 31) << 33;

	n ^= (uint64_t)below(1u << 31) << 11 ^ below(4096);
	return chance(30) ? (uint64_t)(int32_t)n : n;
}

/* Called functions */

__attribute__((noipa)) uint64_t known_program(uint64_t a, uint64_t b, uint64_t c, uint64_t d,
					      uint64_t e, uint64_t f, uint64_t g, uint64_t h,
					      uint64_t i, uint64_t j)
{
	return a + b + c + d + e + f + g + h + i + j;
}

__attribute__((noipa)) uint64_t known_result(uint64_t result)
{
	return result;
}

/* Offset in the file of this program of an address in its mapping. */
static unsigned long file_offset(unsigned long at)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	unsigned long first, last, offset;
	char line[400];

	while (maps && fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx %*s %lx", &first, &last, &offset) == 3 && at >= first &&
		    at < last) {
			fclose(maps);
			return at - first + offset;
		}
	}
	errx(1, "cannot find the offset of a function in this program");
}

static const char *place(void)
{
	unsigned long at = kind->call == RESULT ? (unsigned long)known_result :
						  (unsigned long)known_program;
	static char text[300];
	char path[200];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (n < 0)
		err(1, "/proc/self/exe");
	snprintf(text, sizeof(text), "%.*s:%#lx", (int)n, path, file_offset(at));
	return text;
}

/* Words of an event */

static char command[4096];

static void put(const char *format, ...)
{
	size_t len = strlen(command);
	va_list list;

	va_start(list, format);
	vsnprintf(command + len, sizeof(command) - len, format, list);
	va_end(list);
}

enum where { ALONE, IN_MEMORY, IN_TEXT };

/* A type of at most 8 bytes, or an array. */
static void put_type(struct arg *a, enum where from, bool is_array)
{
	do
		a->type = types[below(COUNT(types))];
	while ((a->type.shown == 'c' && from != IN_TEXT) || (is_array && !a->type.name[0]));
	if (chance(20) && a->type.name[0]) {
		a->type.shown = 'b';
		a->width = 1 + below(a->type.size * 8);
		a->shift = below(a->type.size * 8 - a->width + 1);
		put(":b%u@%u/%u", a->width, a->shift, a->type.size * 8);
	} else if (a->type.name[0]) {
		put(":%s", a->type.name);
	}
	if (!is_array)
		return;
	a->count = 1 + below(8 / a->type.size);
	put("[%u]", a->count);
}

static const char *base(void)
{
	return kind->values[kind->address];
}

static void put_value(struct arg *a)
{
	do
		a->index = below(VALUES);
	while (!kind->values[a->index]);
	a->what = VALUE;
	put("%s", kind->values[a->index]);
	put_type(a, ALONE, false);
}

static void put_second(struct arg *a)
{
	a->what = SECOND;
	put("$arg2");
	put_type(a, ALONE, false);
}

/* Arrays in user memory are new, except for uprobes. */
static bool has_arrays(void)
{
	return with_new || kind->call >= PROGRAM;
}

static void put_bytes(struct arg *a)
{
	a->what = BYTES;
	a->at = below(NUMBERS - 8);
	put("+%s%u(%s)", kind->user, a->at, base());
	put_type(a, IN_MEMORY, has_arrays() && chance(40));
}

static void put_text(struct arg *a)
{
	size_t text = offsetof(typeof(memory), texts);
	size_t pointers = offsetof(typeof(memory), pointers);
	bool is_user = kind->call < PROGRAM && chance(50);
	const char *type = is_user ? "ustring" : "string", *u = is_user ? "" : kind->user;

	a->what = TEXT;
	a->index = below(POINTERS);
	switch (below(has_arrays() ? 3 : 2)) {
	case 0:
		a->at = below(4);
		text += a->index * TEXT_ROOM + a->at;
		put("+%s%zu(%s):%s", u, text, base(), type);
		break;
	case 1:
		pointers += a->index * sizeof(char *);
		put("+%s0(+%s%zu(%s)):%s", u, kind->user, pointers, base(), type);
		break;
	default:
		a->what = TEXTS;
		a->count = 1 + below(POINTERS);
		put("+%s%zu(%s):%s[%u]", kind->user, pointers, base(), type, a->count);
	}
}

/* The new and old name of the task, and its PID, from a tracepoint or from its event. */
static void put_name(struct arg *a)
{
	bool event = kind->head[0] == 'e';
	const char *name = event ? "$newcomm" : "$arg2";

	if (event && chance(20)) {
		a->what = PID;
		put("$pid");
		put_type(a, ALONE, false);
		return;
	}
	a->what = NAME;
	switch (below(with_new ? 6 : 3)) {
	case 0:
		put(event ? "$newcomm:string" : "+0($arg2):string");
		break;
	case 1:
		a->at = below(NAME_SIZE - 1);
		put("+%u(%s):string", a->at, name);
		break;
	case 2:
		a->what = NAME_BYTES;
		a->at = below(NAME_SIZE - 8);
		put("+%u(%s)", a->at, name);
		put_type(a, IN_TEXT, chance(50));
		break;
	case 3:
		a->what = PID;
		a->type = (struct type){ "s32", 4, 's' };
		put(event ? "$current->pid" : "(task_struct)$arg1->pid");
		break;
	case 4:
		a->what = OLD_NAME;
		put(event ? "$oldcomm:string" : "(task_struct)$arg1->comm:string");
		break;
	default:
		if (event) {
			a->what = NAME_BYTES;
			put("$newcomm");
			put_type(a, IN_TEXT, true);
		} else {
			put("comm:string");
		}
	}
}

/* State that all calls share. */
static void put_constant(struct arg *a)
{
	a->what = CONSTANT;
	if (kind->call == PROGRAM && chance(50)) {
		a->at = below(sizeof(in_file) - 8);
		memcpy(&a->constant, in_file + a->at, sizeof(a->constant));
		put("@+%#lx", file_offset((unsigned long)in_file) + a->at);
		put_type(a, IN_TEXT, false);
	} else {
		a->constant = any_number();
		put("\\%#llx", (unsigned long long)a->constant);
		put_type(a, ALONE, false);
	}
}

static void put_arg(struct arg *a, int number)
{
	unsigned int way = below(100);

	memset(a, 0, sizeof(*a));
	put(" a%d=", number);
	if (way < 10) {
		put_constant(a);
	} else if (way < 15) {
		a->what = OLD_NAME;
		put(kind->head[0] == 'e' ? "$comm:string" : "$comm");
	} else if (kind->call == RENAME) {
		put_name(a);
	} else if (kind->call <= EXIT && way < 35) {
		put_second(a);
	} else if (way < 50) {
		put_value(a);
	} else if (way < 75) {
		put_bytes(a);
	} else {
		put_text(a);
	}
}

/* System calls of other processes lack the mark. */
static bool is_marked(void)
{
	return kind->call <= EXIT;
}

static void put_event(struct arg *args, int count)
{
	command[0] = 0;
	if (strchr(kind->head, '%'))
		put("%.*s%s", (int)strcspn(kind->head, "%"), kind->head, place());
	else
		put("%s", kind->head);
	if (is_marked())
		put(" mark=%s:x64", kind->values[MARKED]);
	for (int i = 0; i < count; i++)
		put_arg(&args[i], i);
}

/* Passed values */

static void put_letters(char *to, unsigned int len)
{
	for (unsigned int i = 0; i < len; i++)
		to[i] = 'a' + below(26);
	to[len] = 0;
}

static void make_values(void)
{
	for (int i = 0; i < NUMBERS; i++)
		memory.numbers[i] = below(256);
	for (int i = 0; i < POINTERS; i++) {
		put_letters(memory.texts[i], 4 + below(TEXT_ROOM - 4));
		memory.pointers[i] = memory.texts[i];
	}
	for (int i = 0; i < VALUES; i++)
		passed.value[i] = any_number();
	if (is_marked())
		passed.value[MARKED] = MARK;
	passed.value[kind->address] = (unsigned long)&memory;
	passed.second = any_number();
	memcpy(passed.old_name, passed.name, NAME_SIZE);
	if (kind->call == RENAME)
		put_letters(passed.name, NAME_SIZE - 1);
}

/* The result is the new offset of the file. Only the lower half of a file descriptor counts. */
static void seek(uint64_t *v)
{
	static int file = -1;

	if (file < 0)
		file = open("/tmp", O_RDWR | O_TMPFILE, 0600);
	if (file < 0)
		err(1, "a file in /tmp");
	v[0] = v[0] << 32 | file;
	v[1] >>= 1;
	passed.second = v[1];
	if (syscall(SYS_lseek, v[0], v[1], v[2], v[3], v[4], v[5]) != (long)v[1])
		err(1, "lseek");
}

static void call(void)
{
	uint64_t *v = passed.value;

	switch (kind->call) {
	case ENTER:
		passed.second = SYS_getppid;
		syscall(passed.second, v[0], v[1], v[2], v[3], v[4], v[5]);
		break;
	case EXIT:
		seek(v);
		break;
	case RENAME:
		prctl(PR_SET_NAME, passed.name);
		break;
	case PWRITEV2:
		/* No such file. */
		v[0] |= 1u << 31;
		syscall(SYS_pwritev2, v[0], v[1], v[2], v[3], v[4], v[5]);
		break;
	case PROGRAM:
		known_program(v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], v[9]);
		break;
	case RESULT:
		known_result(v[0]);
		break;
	}
}

/* Expected output */

static char expected[CALLS][8192];
static char *end;

static void show(const char *format, ...)
{
	va_list list;

	va_start(list, format);
	end += vsprintf(end, format, list);
	va_end(list);
}

static void show_number(const struct arg *a, uint64_t n)
{
	int unused = 64 - a->type.size * 8;

	switch (a->type.shown) {
	case 'u':
		show("%llu", (unsigned long long)(n << unused >> unused));
		break;
	case 's':
		show("%lld", (long long)(n << unused) >> unused);
		break;
	case 'x':
		show("0x%llx", (unsigned long long)(n << unused >> unused));
		break;
	case 'c':
		show("'%c'", (char)n);
		break;
	default:
		n = n >> a->shift << (64 - a->width) >> (64 - a->width);
		show("%llu", (unsigned long long)n);
	}
}

static void show_bytes(const struct arg *a, const void *from)
{
	for (unsigned int i = 0; i < (a->count ?: 1); i++) {
		uint64_t n = 0;

		memcpy(&n, from + i * a->type.size, a->type.size);
		show("%s", i ? "," : a->count ? "{" : "");
		show_number(a, n);
	}
	show("%s", a->count ? "}" : "");
}

static void show_arg(const struct arg *a, int number)
{
	show(" a%d=", number);
	switch (a->what) {
	case VALUE:
		show_number(a, passed.value[a->index]);
		break;
	case SECOND:
		show_number(a, passed.second);
		break;
	case PID:
		show_number(a, getpid());
		break;
	case CONSTANT:
		show_number(a, a->constant);
		break;
	case BYTES:
		show_bytes(a, memory.numbers + a->at);
		break;
	case NAME_BYTES:
		show_bytes(a, passed.name + a->at);
		break;
	case TEXT:
		show("\"%s\"", memory.texts[a->index] + a->at);
		break;
	case TEXTS:
		for (unsigned int i = 0; i < a->count; i++)
			show("%s\"%s\"", i ? "," : "{", memory.texts[i]);
		show("}");
		break;
	case NAME:
		show("\"%s\"", passed.name + a->at);
		break;
	case OLD_NAME:
		show("\"%s\"", passed.old_name);
		break;
	}
}

static void show_all(int nr, const struct arg *args, int count)
{
	end = expected[nr];
	*end = 0;
	if (is_marked())
		show(" mark=0x%llx", (unsigned long long)MARK);
	for (int i = 0; i < count; i++)
		show_arg(&args[i], i);
}

/* Events */

static void write_to(const char *path, const char *text)
{
	int file = open(path, O_WRONLY | O_APPEND);

	if (file < 0 || write(file, text, strlen(text)) != (ssize_t)strlen(text))
		err(1, "%s: %s", path, text);
	close(file);
}

static char trace[1 << 18];

static void read_trace(void)
{
	int file = open(TRACEFS "trace", O_RDONLY);
	size_t len = 0;
	ssize_t n;

	while ((n = read(file, trace + len, sizeof(trace) - 1 - len)) > 0)
		len += n;
	trace[len] = 0;
	close(file);
	file = open(TRACEFS "trace", O_WRONLY | O_TRUNC);
	close(file);
}

/* Returns the number of calls whose record is wrong. */
static int compare(void)
{
	int seen = 0, wrong = 0;
	char *line, *rest = trace;

	while ((line = strsep(&rest, "\n"))) {
		char *text = strstr(line, ": e: (");

		text = text ? strchr(text, ')') : NULL;
		if (!text)
			continue;
		if (seen < CALLS && strcmp(text + 1, expected[seen])) {
			printf("# %s\n# passed:%s\n", command, expected[seen]);
			printf("# traced:%s\n", text + 1);
			wrong++;
		}
		seen++;
	}
	if (seen == CALLS)
		return wrong;
	printf("# %s\n# %d calls, %d records\n", command, CALLS, seen);
	return wrong + 1;
}

static int one_event(void)
{
	struct arg args[MAX_ARGS];
	int count = 1 + below(MAX_ARGS);
	char path[100], filter[100];

	put_event(args, count);
	snprintf(path, sizeof(path), TRACEFS "%s", kind->file);
	write_to(path, command);
	if (is_marked())
		snprintf(filter, sizeof(filter), "mark == %#llx", (unsigned long long)MARK);
	else
		snprintf(filter, sizeof(filter), "common_pid == %d", getpid());
	write_to(EVENT "filter", filter);
	write_to(EVENT "enable", "1");
	for (int i = 0; i < CALLS; i++) {
		make_values();
		call();
		show_all(i, args, count);
	}
	write_to(EVENT "enable", "0");
	read_trace();
	write_to(path, "-:known/e");
	return compare();
}

/* Offsets in struct pt_regs, an argument of the tracepoint, of the system call's arguments. */
static void find_values(void)
{
	static char fetch[COUNT(places)][24];

	for (unsigned int i = 0; i < COUNT(places) && is_marked(); i++) {
		snprintf(fetch[i], sizeof(fetch[i]), "+%d($arg1)", places[i]);
		kind->values[i] = fetch[i];
	}
	/* On some architectures the result has overwritten this register. */
	if (kind->call == EXIT)
		kind->values[0] = NULL;
}

static struct kind *find_kind(const char *name)
{
	for (unsigned int i = 0; i < COUNT(kinds); i++) {
		if (!strcmp(kinds[i].name, name))
			return &kinds[i];
	}
	errx(2, "there is no kind %s", name);
}

/* Stay on one CPU: its records are in the order of the calls. */
static void stay(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(sched_getcpu(), &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		err(1, "sched_setaffinity");
}

int main(int argc, char **argv)
{
	int count, wrong = 0;

	if (argc < 4)
		errx(2, "usage: known_values KIND SEED COUNT [new]");
	if (!places[1]) {
		printf("# nothing is known of the registers of this machine\n");
		return 4;
	}
	kind = find_kind(argv[1]);
	state = strtoull(argv[2], NULL, 0);
	count = atoi(argv[3]);
	with_new = argc > 4;
	find_values();
	stay();
	put_letters(passed.name, NAME_SIZE - 1);
	prctl(PR_SET_NAME, passed.name);
	for (int i = 0; i < count && wrong < 5; i++)
		wrong += one_event();
	printf("# %s, seed %s: %d events, %d calls not as they were\n", kind->name, argv[2], count,
	       wrong);
	return wrong ? 1 : 0;
}
