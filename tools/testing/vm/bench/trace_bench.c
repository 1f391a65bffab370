// SPDX-License-Identifier: GPL-2.0-only
/*
 * Measure what probe events of tracefs and of perf_event_open() cost.
 *
 * trace_bench FUNCTIONS TRACEPOINTS ROW...
 *
 * measures rows one after the other and prints for each result
 *
 *	row NAME TICKS N MISSED
 *
 * TICKS of the cycle counter is the time for N hits of an event, or for N
 * events that are created, enabled and so on, waiting included. With QEMU's
 * -icount shift=0 a tick is an instruction. Rows "wall-..." count nanoseconds
 * instead.
 *
 * FUNCTIONS is a file with names of functions that are not called, one a line.
 * TRACEPOINTS has names of tracepoints.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "tool.h"

#define KPROBE_PROFILE	TRACEFS "kprobe_profile"
#define GROUP		"trace_bench"
#define EVENT		GROUP "/opened"
#define FUNCTION	"do_filp_open"
#define PATH		"/tmp/trace_bench/no_such_file"

#define BUFFER_SIZE	"1408"	/* KiB per CPU, the default */

#define HITS		1000	/* calls that are measured */
#define WARMUP		100	/* calls before those */
#define ATTACHED	300	/* events or perf probes that are created */
#define ON_TRACEPOINTS	100	/* the same where there are fewer places */
#define SWITCHED	16	/* events that are enabled one by one */
#define WITH_BPF	50	/* probes with a BPF program */
#define SETTLE		200000	/* microseconds, for grace periods and deferred work */

static struct names functions, tracepoints;

static uint64_t nanoseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

/* The event's number of missed hits. Exits if the number of hits is wrong. */
static unsigned long check_hits(unsigned long want)
{
	char event[NAME_SIZE], line[512];
	unsigned long hits, missed;
	FILE *f;

	f = fopen(KPROBE_PROFILE, "r");
	if (!f)
		die("cannot open " KPROBE_PROFILE);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%127s %lu %lu", event, &hits, &missed) != 3 ||
		    strcmp(event, "opened"))
			continue;
		fclose(f);
		if (hits + missed < want)
			die("%lu hits instead of %lu", hits + missed, want);
		return missed;
	}
	die("no event in " KPROBE_PROFILE);
	return 0;
}

/*
 * The same for an event that is not in kprobe_profile: hits that were not
 * recorded.
 */
static unsigned long check_records(unsigned long want)
{
	unsigned long kept, written;
	char line[512];
	FILE *f;

	f = fopen(TRACEFS "trace", "r");
	if (!f)
		die("cannot open " TRACEFS "trace");
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "# entries-in-buffer/entries-written: %lu/%lu", &kept,
			   &written) != 2)
			continue;
		fclose(f);
		if (written < want)
			die("%lu records instead of %lu", written, want);
		return 0;
	}
	die("nothing was traced");
	return 0;
}

/* Rows of one event: the cost of a hit */

struct event_row {
	const char *name;
	const char *definition;
	const char *filter;
};

/* The first three arguments of a function. */
#if defined(__x86_64__)
#define ARG1	"%di"
#define ARG2	"%si"
#define ARG3	"%dx"
#elif defined(__aarch64__)
#define ARG1	"%x0"
#define ARG2	"%x1"
#define ARG3	"%x2"
#else
#error "name the registers of this architecture"
#endif

#define EIGHT_ARGUMENTS \
	"dfd=" ARG1 ":s32 name=" ARG2 " op=" ARG3 " path=+0(+0(" ARG2 ")):string " \
	"uptr=+8(" ARG2 ") open_flag=+0(" ARG3 "):x32 mode=+4(" ARG3 "):u16 " \
	"acc_mode=+8(" ARG3 "):s32"

static const struct event_row event_rows[] = {
	{ "event-plain", "p:" EVENT " " FUNCTION, NULL },
	{ "event-registers", "p:" EVENT " " FUNCTION " dfd=" ARG1 ":s32 name=" ARG2, NULL },
	{ "event-string", "p:" EVENT " " FUNCTION " path=+0(+0(" ARG2 ")):string", NULL },
	{ "event-btf-string", "p:" EVENT " " FUNCTION " path=pathname->name:string", NULL },
	{ "event-eight", "p:" EVENT " " FUNCTION " " EIGHT_ARGUMENTS, NULL },
	{ "event-filtered", "p:" EVENT " " FUNCTION " path=+0(+0(" ARG2 ")):string",
	  "path == \"something else\"" },
	{ "event-return", "r:" EVENT " " FUNCTION " ret=$retval", NULL },
	{ "fevent-plain", "f:" EVENT " " FUNCTION, NULL },
	{ "fevent-registers", "f:" EVENT " " FUNCTION " dfd=$arg1:s32 name=$arg2:x64", NULL },
	{ "fevent-return", "f:" EVENT " " FUNCTION "%return ret=$retval:x64", NULL },
};

static bool is_fprobe_row(const struct event_row *row)
{
	return row->definition[0] == 'f';
}

static uint64_t one_call(void)
{
	uint64_t start = ticks();

	if (syscall(SYS_openat, AT_FDCWD, PATH, O_RDONLY) >= 0)
		die(PATH " exists");
	return ticks() - start;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* The time of a call: the median, because interrupts hit some of them. */
static uint64_t time_call(void)
{
	static uint64_t took[HITS];
	unsigned int i;

	for (i = 0; i < WARMUP; i++)
		one_call();
	for (i = 0; i < HITS; i++)
		took[i] = one_call();
	qsort(took, HITS, sizeof(took[0]), compare);
	return took[HITS / 2];
}

static void arm_event(const struct event_row *row)
{
	write_file(is_fprobe_row(row) ? DYNAMIC_EVENTS : KPROBE_EVENTS, O_APPEND, row->definition);
	if (row->filter)
		write_file(TRACEFS "events/" EVENT "/filter", 0, row->filter);
	write_file(TRACEFS "events/" EVENT "/enable", 0, "1");
}

static void disarm_event(void)
{
	write_file(TRACEFS "events/" EVENT "/enable", 0, "0");
	clear_events(DYNAMIC_EVENTS);
	write_file(TRACEFS "trace", O_TRUNC, "");
}

static void measure_event(const struct event_row *row)
{
	uint64_t without, with;
	unsigned long missed;

	without = time_call();
	arm_event(row);
	with = time_call();
	missed = is_fprobe_row(row) ? check_records(WARMUP + HITS) : check_hits(WARMUP + HITS);
	disarm_event();
	result(row->name, with - without, 1, missed);
}

/* Rows of many functions */

struct group_row {
	const char *name;
	const struct names *on;
	unsigned int number;
	char type;
	const char *file;
	/* The results that are printed. */
	const char *create, *enable, *disable, *clear, *all;
};

static const struct group_row group_rows[] = {
	{ "group", &functions, ATTACHED, 'p', KPROBE_EVENTS,
	  "group-create", "group-enable", "group-disable", "group-clear", NULL },
	{ "fgroup", &functions, ATTACHED, 'f', DYNAMIC_EVENTS,
	  "fgroup-create", "fgroup-enable", "fgroup-disable", "fgroup-clear", "fgroup" },
	/*
	 * Only "all" can be compared: stock registers with the tracepoint when
	 * an event is defined, ours when it is enabled.
	 */
	{ "tgroup", &tracepoints, ON_TRACEPOINTS, 't', DYNAMIC_EVENTS,
	  NULL, NULL, NULL, NULL, "tgroup" },
};

static void create_group(const struct group_row *row)
{
	create_events(row->file, row->type, GROUP, row->on, 0, row->number);
}

static void enable_group(const struct group_row *row)
{
	write_file(TRACEFS "events/" GROUP "/enable", 0, "1");
}

static void disable_group(const struct group_row *row)
{
	write_file(TRACEFS "events/" GROUP "/enable", 0, "0");
}

static void clear_group(const struct group_row *row)
{
	clear_events(row->file);
}

/* Run one step of a row. Returns its cost. */
static uint64_t measure_step(const struct group_row *row, const char *name,
			     void (*step)(const struct group_row *row))
{
	uint64_t start, took;

	/* Deferred work of the last step must not run during this one. */
	usleep(SETTLE);
	start = ticks();
	step(row);
	took = ticks() - start;
	if (name)
		result(name, took, row->number, 0);
	return took;
}

static void measure_group(const struct group_row *row)
{
	uint64_t all;

	all = measure_step(row, row->create, create_group);
	all += measure_step(row, row->enable, enable_group);
	all += measure_step(row, row->disable, disable_group);
	all += measure_step(row, row->clear, clear_group);
	if (row->all)
		result(row->all, all, row->number, 0);
}

static void switch_each(const char *to)
{
	char path[NAME_SIZE];
	unsigned int i;

	for (i = 0; i < SWITCHED; i++) {
		snprintf(path, sizeof(path), TRACEFS "events/" GROUP "/e%u/enable", i);
		write_file(path, 0, to);
	}
}

/* Measure enabling and disabling events one by one, by their own files. */
static void measure_files(void)
{
	uint64_t start, enabled, disabled;

	create_events(KPROBE_EVENTS, 'p', GROUP, &functions, 0, SWITCHED);
	start = ticks();
	switch_each("1");
	enabled = ticks();
	switch_each("0");
	disabled = ticks();
	clear_events(KPROBE_EVENTS);
	result("file-enable", enabled - start, SWITCHED, 0);
	result("file-disable", disabled - enabled, SWITCHED, 0);
}

static unsigned int perf_type(void)
{
	static const char path[] = "/sys/bus/event_source/devices/kprobe/type";
	unsigned int type;
	FILE *f;

	f = fopen(path, "r");
	if (!f || fscanf(f, "%u", &type) != 1)
		die("cannot read %s", path);
	fclose(f);
	return type;
}

/* A probe on a function, as loaders of BPF programs attach one. */
static int open_probe(unsigned int type, const char *function)
{
	struct perf_event_attr attr = {
		.type = type,
		.size = sizeof(attr),
		.config1 = (uintptr_t)function,
		.sample_period = 1,
		.wakeup_events = 1,
	};
	int fd;

	fd = syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		die("perf_event_open() for %s", function);
	return fd;
}

static void measure_perf(uint64_t (*clock)(void), const char *opening, const char *closing,
			 const char *all)
{
	unsigned int i, type = perf_type();
	uint64_t start, opened, closed;
	static int fds[ATTACHED];

	start = clock();
	for (i = 0; i < ATTACHED; i++)
		fds[i] = open_probe(type, functions.name[i]);
	opened = clock();
	for (i = 0; i < ATTACHED; i++)
		close(fds[i]);
	closed = clock();
	result(opening, opened - start, ATTACHED, 0);
	result(closing, closed - opened, ATTACHED, 0);
	result(all, closed - start, ATTACHED, 0);
}

/* Probes with one program each, as loaders without kprobe_multi attach them. */
static void measure_bpf(void)
{
	unsigned int i, type = perf_type();
	uint64_t start, opened, closed;
	static int fds[WITH_BPF];
	/* return 0; */
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int prog = load_program(BPF_PROG_TYPE_KPROBE, insns, ARRAY_SIZE(insns));

	start = ticks();
	for (i = 0; i < WITH_BPF; i++) {
		fds[i] = open_probe(type, functions.name[i]);
		if (ioctl(fds[i], PERF_EVENT_IOC_SET_BPF, prog) ||
		    ioctl(fds[i], PERF_EVENT_IOC_ENABLE, 0))
			die("attaching a BPF program");
	}
	opened = ticks();
	for (i = 0; i < WITH_BPF; i++)
		close(fds[i]);
	closed = ticks();
	close(prog);
	result("bpf-attach", opened - start, WITH_BPF, 0);
	result("bpf-detach", closed - opened, WITH_BPF, 0);
}

/* Rows of one event. "arm-ROW" leaves it armed: a debugger follows a hit. */
static bool measure_event_row(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(event_rows); i++) {
		if (!strcmp(name, event_rows[i].name)) {
			measure_event(&event_rows[i]);
			return true;
		}
		if (!strncmp(name, "arm-", 4) && !strcmp(name + 4, event_rows[i].name)) {
			arm_event(&event_rows[i]);
			return true;
		}
	}
	return false;
}

static bool measure_group_row(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(group_rows); i++) {
		if (!strcmp(name, group_rows[i].name)) {
			measure_group(&group_rows[i]);
			return true;
		}
	}
	return false;
}

/* Does the kernel have fprobe events? If not, it lacks kprobe-multi links, too. */
static bool has_function_events(void)
{
	char line[256];
	bool found = false;
	FILE *f = fopen(TRACEFS "README", "r");

	if (!f)
		die("cannot read README of tracing");
	while (!found && fgets(line, sizeof(line), f))
		found = strstr(line, "f[:[<group>/]");
	fclose(f);
	return found;
}

static bool is_on_functions(const char *name)
{
	static const char * const rows[] = { "fevent-", "arm-fevent-", "fgroup", "tgroup", "bpf" };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!strncmp(name, rows[i], strlen(rows[i])))
			return true;
	}
	return false;
}

static void measure(const char *name)
{
	if (is_on_functions(name) && !has_function_events()) {
		printf("refused %s no fprobes\n", name);
		fflush(stdout);
		return;
	}
	if (measure_event_row(name) || measure_group_row(name))
		return;
	if (!strcmp(name, "disarm")) {
		disarm_event();
	} else if (!strcmp(name, "files")) {
		measure_files();
	} else if (!strcmp(name, "perf")) {
		measure_perf(ticks, "perf-open", "perf-close", "perf");
	} else if (!strcmp(name, "bpf")) {
		measure_bpf();
	} else if (!strcmp(name, "wall")) {
		measure_perf(nanoseconds, "wall-open", "wall-close", "wall");
	} else {
		errno = EINVAL;
		die("no row %s", name);
	}
}

int main(int argc, char **argv)
{
	int i;

	if (argc < 4) {
		fputs("usage: trace_bench FUNCTIONS TRACEPOINTS ROW...\n", stderr);
		return 2;
	}
	read_names(argv[1], &functions, ATTACHED);
	read_names(argv[2], &tracepoints, ON_TRACEPOINTS);
	/* The first enabled event enlarges the buffer; do not measure that. */
	write_file(TRACEFS "buffer_size_kb", 0, BUFFER_SIZE);
	for (i = 3; i < argc; i++)
		measure(argv[i]);
	return 0;
}
