// SPDX-License-Identifier: GPL-2.0-only
/* The workload: tracing, perf and BPF, which users have beside probes. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "arch.h"
#include "workload.h"

#define TRACEFS	"/sys/kernel/tracing/"

static char buf[1 << 20];

static bool set(const char *file, const char *text)
{
	char path[200];

	snprintf(path, sizeof(path), TRACEFS "%s", file);
	return write_file(path, text);
}

static bool trace_has(const char *what)
{
	return read_file(TRACEFS "trace", buf, sizeof(buf)) >= 0 && strstr(buf, what);
}

static void function_tracer(void)
{
	must(set("set_ftrace_filter", "vfs_open vfs_read"));
	must(set("current_tracer", "function"));
	must(read_file("/proc/version", buf, 100) > 0);
	must(trace_has("vfs_open"));
	must(set("current_tracer", "function_graph"));
	must(read_file("/proc/version", buf, 100) > 0);
	must(trace_has("vfs_read"));
	must(set("current_tracer", "nop"));
	must(set("set_ftrace_filter", "\n"));
	must(set("trace", "\n"));
}

static void switches(void)
{
	must(set("events/sched/sched_switch/enable", "1"));
	must(set("events/syscalls/sys_enter_getppid/enable", "1"));
	must(set("events/syscalls/sys_enter_getppid/trigger", "hist:keys=common_pid"));
	getppid();
	usleep(1);
	must(trace_has("sys_getppid"));
	must(read_file(TRACEFS "events/syscalls/sys_enter_getppid/hist", buf, sizeof(buf)) > 0);
	must(set("events/syscalls/sys_enter_getppid/trigger", "!hist:keys=common_pid"));
	must(set("events/syscalls/sys_enter_getppid/enable", "0"));
	must(set("events/sched/sched_switch/enable", "0"));
	must(set("trace", "\n"));
}

/*
 * Define events on vfs_open in the group "work", hit them, and check that the trace
 * has the given records.
 */
static void try_events(const char *file, const char *define, const char *remove,
		       const char *record, const char *other)
{
	must(set(file, define));
	must(set("events/work/enable", "1"));
	must(read_file("/proc/version", buf, 100) > 0);
	must(trace_has(record) && trace_has(other));
	must(set("events/work/enable", "0"));
	must(set(file, remove));
	must(set("trace", "\n"));
}

static void probe_events(void)
{
	try_events("kprobe_events",
		   "p:work/open vfs_open path=+0($arg1):x64\nr:work/back vfs_open ret=$retval\n",
		   "-:work/open\n-:work/back\n", " open: ", " back: ");
	try_events("dynamic_events", "f:work/fopen vfs_open\n", "-:work/fopen\n",
		   " fopen: ", " fopen: ");
}

static void buffers(void)
{
	must(!mkdir(TRACEFS "instances/work", 0755));
	must(set("instances/work/set_ftrace_filter", "*getppid*"));
	must(set("instances/work/current_tracer", "function"));
	getppid();
	must(set("instances/work/current_tracer", "nop"));
	must(set("instances/work/events/sched/enable", "1"));
	must(set("instances/work/events/sched/enable", "0"));
	must(!rmdir(TRACEFS "instances/work"));
}

static int perf(struct perf_event_attr *attr, int pid)
{
	attr->size = sizeof(*attr);
	return syscall(SYS_perf_event_open, attr, pid, -1, -1, 0);
}

static void counters(void)
{
	static const int kinds[] = {
		PERF_COUNT_SW_TASK_CLOCK, PERF_COUNT_SW_PAGE_FAULTS, PERF_COUNT_SW_CONTEXT_SWITCHES,
		PERF_COUNT_SW_CPU_MIGRATIONS, PERF_COUNT_SW_CPU_CLOCK,
	};
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE };
	uint64_t count;
	size_t i;
	int fd;

	for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		attr.config = kinds[i];
		fd = perf(&attr, 0);
		usleep(1);
		must(read(fd, &count, 8) == 8);
		close(fd);
	}
}

static void samples(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE, .config = PERF_COUNT_SW_CPU_CLOCK,
		.sample_period = 200000, .wakeup_events = 1,
		.sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_CALLCHAIN,
	};
	struct perf_event_mmap_page *page;
	int fd = perf(&attr, 0);

	page = mmap(NULL, 9 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	must(page != MAP_FAILED);
	while (!*(volatile __u64 *)&page->data_head)
		getppid();
	close(fd);
}

static volatile long watched;
static volatile sig_atomic_t trapped;

static void on_trap(int sig)
{
	trapped++;
}

static void hardware_breakpoint(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_BREAKPOINT, .bp_type = HW_BREAKPOINT_W,
		.bp_addr = (long)&watched, .bp_len = HW_BREAKPOINT_LEN_8, .exclude_kernel = 1,
	};
	uint64_t count = 0;
	int fd = perf(&attr, 0), i;

	for (i = 0; i < 10; i++)
		watched = i;
	must(fd >= 0 && read(fd, &count, 8) == 8);
	add_number(count);
	close(fd);
	/* Single steps without a debugger. */
	signal(SIGTRAP, on_trap);
	step_oneself();
	add_number(trapped);
}

static int bpf(int cmd, union bpf_attr *attr)
{
	return syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

static void maps(void)
{
	union bpf_attr attr = { .map_type = BPF_MAP_TYPE_HASH, .key_size = 4, .value_size = 8,
				.max_entries = 50 };
	uint64_t value;
	uint32_t key;
	int fd = bpf(BPF_MAP_CREATE, &attr);

	must(fd >= 0);
	for (key = 0; key < 60; key++) {
		value = key * 3;
		memset(&attr, 0, sizeof(attr));
		attr.map_fd = fd;
		attr.key = (long)&key;
		attr.value = (long)&value;
		add_result(bpf(BPF_MAP_UPDATE_ELEM, &attr));
	}
	for (key = 0; key < 60; key += 7) {
		value = 0;
		add_result(bpf(BPF_MAP_LOOKUP_ELEM, &attr));
		add_number(value);
	}
}

/* A filter that keeps 21 bytes of a packet, at a socket and in a test run. */
static void filter(void)
{
	struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 7 },
		{ .code = BPF_ALU64 | BPF_MUL | BPF_K, .dst_reg = 0, .imm = 3 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr = { .prog_type = BPF_PROG_TYPE_SOCKET_FILTER, .insn_cnt = 3,
				.insns = (long)insns, .license = (long)"GPL" };
	int fd = bpf(BPF_PROG_LOAD, &attr), pair[2];

	must(fd >= 0);
	must(!socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
	must(!setsockopt(pair[1], SOL_SOCKET, SO_ATTACH_BPF, &fd, sizeof(fd)));
	must(send(pair[0], buf, 100, 0) == 100);
	add_result(recv(pair[1], buf, 100, 0));
	memset(&attr, 0, sizeof(attr));
	attr.test.prog_fd = fd;
	attr.test.data_in = (long)buf;
	attr.test.data_size_in = 100;
	attr.test.repeat = 20;
	add_result(bpf(BPF_PROG_TEST_RUN, &attr));
	add_number(attr.test.retval);
}

/* An empty BPF program at a tracepoint. */
static void attached(void)
{
	struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr = { .prog_type = BPF_PROG_TYPE_TRACEPOINT, .insn_cnt = 2,
				.insns = (long)insns, .license = (long)"GPL" };
	struct perf_event_attr event = { .type = PERF_TYPE_TRACEPOINT, .sample_period = 1 };
	int prog = bpf(BPF_PROG_LOAD, &attr), fd;

	must(read_file(TRACEFS "events/syscalls/sys_enter_getppid/id", buf, 20) > 0);
	event.config = atoi(buf);
	fd = perf(&event, 0);
	must(!ioctl(fd, PERF_EVENT_IOC_SET_BPF, prog));
	must(!ioctl(fd, PERF_EVENT_IOC_ENABLE, 0));
	getppid();
	must(!ioctl(fd, PERF_EVENT_IOC_DISABLE, 0));
}

const struct item trace_items[] = {
	{ "function_tracer", function_tracer },
	{ "switches", switches },
	{ "probe_events", probe_events },
	{ "buffers", buffers },
	{ "counters", counters },
	{ "samples", samples },
	{ "hardware_breakpoint", hardware_breakpoint },
	{ "maps", maps },
	{ "filter", filter },
	{ "attached", attached },
	{ }
};
