// SPDX-License-Identifier: GPL-2.0-only
/*
 * Measure costs without kernel probes, from user space: paths that call probe
 * code, or that this project has changed.
 *
 * path_bench ROW...
 *
 * measures rows one after the other and prints for each
 *
 *	row NAME TICKS 1 0
 *
 * TICKS of the cycle counter is the median of the time for one operation. With
 * QEMU's -icount shift=0 a tick is an instruction.
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
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tool.h"

#define RUNS		300	/* that are measured */
#define WARMUP		30	/* before those */
#define SETTLE		200000	/* microseconds, for grace periods and deferred work */
#define SWITCHES	10	/* for operations that wait for grace periods */

#define SYSCALL_EVENT	"events/syscalls/sys_enter_getppid/"
#if defined(__aarch64__)
#define CALLED		"__arm64_sys_getppid"
#else
#define CALLED		"__x64_sys_getppid"
#endif
#define NOT_CALLED	"vfs_fallocate"	/* long enough for a probe inside */

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static uint64_t median(void (*op)(void), unsigned int warmup, unsigned int runs)
{
	static uint64_t took[RUNS];
	uint64_t start;
	unsigned int i;

	for (i = 0; i < warmup; i++)
		op();
	for (i = 0; i < runs; i++) {
		start = ticks();
		op();
		took[i] = ticks() - start;
	}
	qsort(took, runs, sizeof(took[0]), compare);
	return took[runs / 2];
}

/* Operations */

static void one_syscall(void)
{
	syscall(SYS_getppid);
}

static void fork_and_exit(void)
{
	pid_t pid = vfork();

	if (!pid)
		_exit(0);
	if (pid < 0 || waitpid(pid, NULL, 0) != pid)
		die("vfork()");
}

static int to_child[2], to_parent[2];

static void start_child(void)
{
	char c;

	if (pipe(to_child) || pipe(to_parent))
		die("pipe()");
	if (fork())
		return;
	close(to_child[1]);
	while (read(to_child[0], &c, 1) == 1) {
		if (write(to_parent[1], &c, 1) != 1)
			break;
	}
	_exit(0);
}

static void there_and_back(void)
{
	char c = 0;

	if (write(to_child[1], &c, 1) != 1 || read(to_parent[0], &c, 1) != 1)
		die("the child does not answer");
}

static void fault_in_a_page(void)
{
	char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		die("mmap()");
	*page = 1;
	asm volatile("" : : "r" (page) : "memory");
	munmap(page, 4096);
}

/* A function with a uprobe, which is a breakpoint. */
static noinline void probed_function(void)
{
	asm volatile("" : : : "memory");
}

/* Tracing on and off */

static void trace_file(const char *name, const char *text)
{
	char path[NAME_SIZE];

	snprintf(path, sizeof(path), TRACEFS "%s", name);
	write_file(path, 0, text);
}

static void define(const char *definition)
{
	write_file(DYNAMIC_EVENTS, O_APPEND, definition);
}

static void undefine_all(void)
{
	clear_events(DYNAMIC_EVENTS);
	usleep(SETTLE);
}

static const char text[] = "a string of thirty characters.";

/* An address in this program, and its offset in the file. */
static unsigned long find_in_file(const void *place, char *path)
{
	unsigned long start, end, offset, addr = (unsigned long)place;
	FILE *f = fopen("/proc/self/maps", "r");
	char line[512];

	if (!f)
		die("cannot open /proc/self/maps");
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx %*s %lx %*s %*s %255s",
			   &start, &end, &offset, path) == 4 &&
		    addr >= start && addr < end) {
			fclose(f);
			return addr - start + offset;
		}
	}
	die("this program is not mapped");
}

/* If with_text is set, the event records a string in this program. */
static void define_uprobe(bool with_text)
{
	unsigned long offset, text_offset;
	char path[256], definition[512];

	offset = find_in_file(probed_function, path);
	text_offset = find_in_file(text, path);
	snprintf(definition, sizeof(definition), "p:path_bench/user %s:0x%lx%s", path, offset,
		 with_text ? " text=" : "");
	if (with_text)
		snprintf(definition + strlen(definition), sizeof(definition) - strlen(definition),
			 "@+0x%lx:string", text_offset);
	define(definition);
}

static void event_on_and_off(void)
{
	trace_file(SYSCALL_EVENT "enable", "1");
	trace_file(SYSCALL_EVENT "enable", "0");
}

static void tracer_on_and_off(void)
{
	trace_file("current_tracer", "function");
	trace_file("current_tracer", "nop");
}

static unsigned int tracepoint_id(void)
{
	FILE *f = fopen(TRACEFS SYSCALL_EVENT "id", "r");
	unsigned int id;

	if (!f || fscanf(f, "%u", &id) != 1)
		die("cannot read the id of an event");
	fclose(f);
	return id;
}

static int open_tracepoint(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr),
		.config = tracepoint_id(),
		.sample_period = 1,
	};
	int fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);

	if (fd < 0)
		die("perf_event_open() of a tracepoint");
	return fd;
}

static void perf_open_and_close(void)
{
	close(open_tracepoint());
}

/* Attach a BPF program that calls bpf_get_stack() at each system call. */
static int attach_stack_program(void)
{
	/* bpf_get_stack(ctx, fp - 256, 256, 0) */
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_X,
		  .dst_reg = BPF_REG_2, .src_reg = BPF_REG_10 },
		{ .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = BPF_REG_2, .imm = -256 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_3, .imm = 256 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_4, .imm = 0 },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_get_stack },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr open = { .raw_tracepoint.name = (uintptr_t)"sys_enter" };
	int prog, fd;

	prog = load_program(BPF_PROG_TYPE_RAW_TRACEPOINT, insns, ARRAY_SIZE(insns));
	open.raw_tracepoint.prog_fd = prog;
	fd = syscall(SYS_bpf, BPF_RAW_TRACEPOINT_OPEN, &open, sizeof(open));
	if (fd < 0)
		die("attaching a BPF program");
	close(prog);
	return fd;
}

/*
 * Register a probe inside of a function, after the instruction that ftrace
 * patches. It becomes a jump later.
 */
static void plant_jump(void)
{
	int fd = open_file(DYNAMIC_EVENTS, O_WRONLY | O_APPEND), offset = 10, err;
	char definition[NAME_SIZE];

	do {
		snprintf(definition, sizeof(definition), "p:path_bench/jump " NOT_CALLED "+%d",
			 offset++);
		err = put(fd, definition);
	} while (err == EILSEQ || err == EINVAL);
	errno = err;
	if (err)
		die("cannot define %s", definition);
	close(fd);
	trace_file("events/path_bench/jump/enable", "1");
	usleep(10 * SETTLE);
}

static void remove_jump(void)
{
	trace_file("events/path_bench/jump/enable", "0");
	undefine_all();
}

/* Rows */

static uint64_t path_syscall(void)
{
	return median(one_syscall, WARMUP, RUNS);
}

static uint64_t path_fork(void)
{
	return median(fork_and_exit, WARMUP, RUNS);
}

static uint64_t path_switch(void)
{
	uint64_t took;

	start_child();
	took = median(there_and_back, WARMUP, RUNS);
	close(to_child[1]);
	wait(NULL);
	return took;
}

static uint64_t path_fault(void)
{
	return median(fault_in_a_page, WARMUP, RUNS);
}

static uint64_t hit_uprobe(bool with_text)
{
	uint64_t took;

	define_uprobe(with_text);
	trace_file("events/path_bench/user/enable", "1");
	took = median(probed_function, WARMUP, RUNS);
	trace_file("events/path_bench/user/enable", "0");
	undefine_all();
	return took;
}

static uint64_t path_uprobe(void)
{
	return hit_uprobe(false);
}

static uint64_t path_uprobe_string(void)
{
	return hit_uprobe(true);
}

static uint64_t path_tracepoint(void)
{
	uint64_t took;

	trace_file(SYSCALL_EVENT "enable", "1");
	took = median(one_syscall, WARMUP, RUNS);
	trace_file(SYSCALL_EVENT "enable", "0");
	return took;
}

static uint64_t path_eprobe(void)
{
	uint64_t took;

	define("e:path_bench/on syscalls/sys_enter_getppid");
	trace_file("events/path_bench/on/enable", "1");
	took = median(one_syscall, WARMUP, RUNS);
	trace_file("events/path_bench/on/enable", "0");
	undefine_all();
	return took;
}

static void one_open(void)
{
	open(text, O_RDONLY);
}

/* The file name is in user memory. The attached event itself is not enabled. */
static uint64_t path_eprobe_string(void)
{
	uint64_t took;

	define("e:path_bench/on syscalls/sys_enter_openat name=+0($filename):ustring");
	trace_file("events/path_bench/on/enable", "1");
	took = median(one_open, WARMUP, RUNS);
	trace_file("events/path_bench/on/enable", "0");
	undefine_all();
	return took;
}

static uint64_t path_perf(void)
{
	int fd = open_tracepoint();
	uint64_t took = median(one_syscall, WARMUP, RUNS);

	close(fd);
	return took;
}

static uint64_t path_stack(void)
{
	uint64_t took;

	trace_file("options/stacktrace", "1");
	took = path_tracepoint();
	trace_file("options/stacktrace", "0");
	return took;
}

static uint64_t path_stack_jump(void)
{
	uint64_t took;

	plant_jump();
	took = path_stack();
	remove_jump();
	return took;
}

static uint64_t path_function(void)
{
	uint64_t took;

	trace_file("set_ftrace_filter", CALLED);
	trace_file("current_tracer", "function");
	took = median(one_syscall, WARMUP, RUNS);
	trace_file("current_tracer", "nop");
	return took;
}

static uint64_t path_function_stack(void)
{
	uint64_t took;

	/* The option exists only while the tracer is set. */
	trace_file("set_ftrace_filter", CALLED);
	trace_file("current_tracer", "function");
	trace_file("options/func_stack_trace", "1");
	took = median(one_syscall, WARMUP, RUNS);
	trace_file("options/func_stack_trace", "0");
	trace_file("current_tracer", "nop");
	return took;
}

static uint64_t path_bpf_stack(void)
{
	int fd = attach_stack_program();
	uint64_t took = median(one_syscall, WARMUP, RUNS);

	close(fd);
	usleep(SETTLE);
	return took;
}

static uint64_t path_bpf_stack_jump(void)
{
	uint64_t took;

	plant_jump();
	took = path_bpf_stack();
	remove_jump();
	return took;
}

static uint64_t path_event_stack(void)
{
	uint64_t took;

	define("p:path_bench/entry " CALLED);
	trace_file("options/stacktrace", "1");
	trace_file("events/path_bench/entry/enable", "1");
	took = median(one_syscall, WARMUP, RUNS);
	trace_file("events/path_bench/entry/enable", "0");
	trace_file("options/stacktrace", "0");
	undefine_all();
	return took;
}

static uint64_t path_enable(void)
{
	return median(event_on_and_off, 2, SWITCHES);
}

static uint64_t path_tracer(void)
{
	trace_file("set_ftrace_filter", CALLED);
	return median(tracer_on_and_off, 2, SWITCHES);
}

static uint64_t path_perf_open(void)
{
	return median(perf_open_and_close, 2, SWITCHES);
}

static const struct {
	const char *name;
	uint64_t (*measure)(void);
} rows[] = {
	{ "path-syscall", path_syscall },
	{ "path-fork", path_fork },
	{ "path-switch", path_switch },
	{ "path-fault", path_fault },
	{ "path-uprobe", path_uprobe },
	{ "path-uprobe-string", path_uprobe_string },
	{ "path-tracepoint", path_tracepoint },
	{ "path-eprobe", path_eprobe },
	{ "path-eprobe-string", path_eprobe_string },
	{ "path-perf", path_perf },
	{ "path-function", path_function },
	{ "path-stack", path_stack },
	{ "path-stack-jump", path_stack_jump },
	{ "path-function-stack", path_function_stack },
	{ "path-bpf-stack", path_bpf_stack },
	{ "path-bpf-stack-jump", path_bpf_stack_jump },
	{ "path-event-stack", path_event_stack },
	{ "path-enable", path_enable },
	{ "path-tracer", path_tracer },
	{ "path-perf-open", path_perf_open },
};

static void measure(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		if (strcmp(name, rows[i].name))
			continue;
		write_file(TRACEFS "trace", O_TRUNC, "");
		result(name, rows[i].measure(), 1, 0);
		return;
	}
	errno = EINVAL;
	die("no row %s", name);
}

int main(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		measure(argv[i]);
	return 0;
}
