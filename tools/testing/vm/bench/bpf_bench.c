// SPDX-License-Identifier: GPL-2.0-only
/*
 * Measure what a BPF program at a function costs each call, for each way to
 * attach it, and what it costs to attach a program to many functions. The
 * program does nothing.
 *
 * bpf_bench FUNCTIONS ROW...
 *
 * measures rows one after the other and prints for each result
 *
 *	row NAME TICKS N 0
 *
 * TICKS of the cycle counter is the difference of the medians of calls with and
 * without the program, or the time to attach it to N functions, or to detach
 * it. FUNCTIONS is a file with names of functions that are not called, one a
 * line.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/btf.h>
#include <linux/perf_event.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tool.h"

#define RUNS		300	/* calls that are measured */
#define WARMUP		30	/* before those */
#define LINKED		300	/* functions of a link */
#define MOST		100000	/* functions of a kernel */
#define SETTLE		200000	/* microseconds; memory of the last row is freed */

#if defined(__aarch64__)
#define CALLED		"__arm64_sys_getpgid"
#else
#define CALLED		"__x64_sys_getpgid"
#endif

#define ALL_FUNCTIONS	TRACEFS "available_filter_functions_addrs"
#define PERF_KPROBE	"/sys/bus/event_source/devices/kprobe/type"
#define BTF_FILE	"/sys/kernel/btf/vmlinux"

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static uint64_t time_call(void)
{
	static uint64_t took[RUNS];
	uint64_t start;
	int i;

	for (i = -WARMUP; i < RUNS; i++) {
		start = ticks();
		syscall(SYS_getpgid, 0);
		if (i >= 0)
			took[i] = ticks() - start;
	}
	qsort(took, RUNS, sizeof(took[0]), compare);
	return took[RUNS / 2];
}

static int bpf(int cmd, union bpf_attr *attr, size_t size)
{
	return syscall(SYS_bpf, cmd, attr, size);
}

/* BTF, as far as needed to find a function */

/* What follows a struct btf_type. */
static size_t size_of_rest(const struct btf_type *t)
{
	unsigned int n = BTF_INFO_VLEN(t->info);

	switch (BTF_INFO_KIND(t->info)) {
	case BTF_KIND_INT:
	case BTF_KIND_VAR:
	case BTF_KIND_DECL_TAG:
		return 4;
	case BTF_KIND_ARRAY:
		return sizeof(struct btf_array);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return n * sizeof(struct btf_member);
	case BTF_KIND_ENUM:
		return n * sizeof(struct btf_enum);
	case BTF_KIND_ENUM64:
		return n * 3 * 4;
	case BTF_KIND_FUNC_PROTO:
		return n * sizeof(struct btf_param);
	case BTF_KIND_DATASEC:
		return n * sizeof(struct btf_var_secinfo);
	}
	return 0;
}

static char *read_all(const char *path)
{
	int fd = open(path, O_RDONLY);
	struct stat st;
	char *all;
	ssize_t n;
	off_t at;

	if (fd < 0 || fstat(fd, &st))
		return NULL;
	all = malloc(st.st_size);
	for (at = 0; all && at < st.st_size; at += n) {
		n = read(fd, all + at, st.st_size - at);
		if (n <= 0)
			die("reading %s", path);
	}
	close(fd);
	return all;
}

/* The number of a function's type; 0 without type information. */
static unsigned int type_of(const char *function)
{
	char *all = read_all(BTF_FILE);
	const struct btf_header *hdr = (void *)all;
	const char *names, *at, *end;
	unsigned int id;

	if (!all)
		return 0;
	at = all + hdr->hdr_len + hdr->type_off;
	end = at + hdr->type_len;
	names = all + hdr->hdr_len + hdr->str_off;
	for (id = 1; at < end; id++) {
		const struct btf_type *t = (const void *)at;

		if (BTF_INFO_KIND(t->info) == BTF_KIND_FUNC &&
		    !strcmp(names + t->name_off, function))
			break;
		at += sizeof(*t) + size_of_rest(t);
	}
	if (at >= end)
		id = 0;
	free(all);
	return id;
}

/*
 * Programs, and ways to attach them. Each function returns a file descriptor
 * that holds what it made, or -1.
 */

static int load(unsigned int type, unsigned int attach, unsigned int btf_id)
{
	static const char license[] = "GPL";
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr = {
		.prog_type = type,
		.insns = (uintptr_t)insns,
		.insn_cnt = ARRAY_SIZE(insns),
		.license = (uintptr_t)license,
		.expected_attach_type = attach,
		.attach_btf_id = btf_id,
	};

	return bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
}

static int perf_type(void)
{
	FILE *f = fopen(PERF_KPROBE, "r");
	int type = -1;

	if (f && fscanf(f, "%d", &type) != 1)
		type = -1;
	if (f)
		fclose(f);
	return type;
}

/* Attach as libbpf does for SEC("kprobe/...") and SEC("kretprobe/..."). */
static int attach_perf(bool at_return)
{
	struct perf_event_attr attr = {
		.type = perf_type(),
		.size = sizeof(attr),
		.config = at_return,
		.config1 = (uintptr_t)CALLED,
		.sample_period = 1,
		.wakeup_events = 1,
	};
	int prog = load(BPF_PROG_TYPE_KPROBE, 0, 0);
	int fd = syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);

	if (prog < 0 || fd < 0)
		return -1;
	if (ioctl(fd, PERF_EVENT_IOC_SET_BPF, prog) || ioctl(fd, PERF_EVENT_IOC_ENABLE, 0))
		return -1;
	close(prog);
	return fd;
}

/* Attach to functions by their names, or by their addresses. */
static int attach_link(int prog, const char **symbols, const uint64_t *addrs, unsigned int n,
		       bool at_return)
{
	union bpf_attr attr = { };

	attr.link_create.prog_fd = prog;
	attr.link_create.attach_type = BPF_TRACE_KPROBE_MULTI;
	attr.link_create.kprobe_multi.syms = (uintptr_t)symbols;
	attr.link_create.kprobe_multi.addrs = (uintptr_t)addrs;
	attr.link_create.kprobe_multi.cnt = n;
	attr.link_create.kprobe_multi.flags = at_return ? BPF_F_KPROBE_MULTI_RETURN : 0;
	return bpf(BPF_LINK_CREATE, &attr, sizeof(attr));
}

static int attach_multi(bool at_return)
{
	const char *symbol = CALLED;
	int fd, prog = load(BPF_PROG_TYPE_KPROBE, BPF_TRACE_KPROBE_MULTI, 0);

	if (prog < 0)
		return -1;
	fd = attach_link(prog, &symbol, NULL, 1, at_return);
	close(prog);
	return fd;
}

/* Attach by a BPF trampoline, which uses no probe. */
static int attach_trampoline(bool at_return)
{
	unsigned int type = at_return ? BPF_TRACE_FEXIT : BPF_TRACE_FENTRY;
	union bpf_attr attr = { };
	int fd, prog = load(BPF_PROG_TYPE_TRACING, type, type_of(CALLED));

	if (prog < 0)
		return -1;
	attr.link_create.prog_fd = prog;
	attr.link_create.attach_type = type;
	fd = bpf(BPF_LINK_CREATE, &attr, sizeof(attr));
	close(prog);
	return fd;
}

static const struct row {
	const char *name;
	int (*attach)(bool at_return);
	bool at_return;
} rows[] = {
	{ "bpf-kprobe", attach_perf, false },
	{ "bpf-kretprobe", attach_perf, true },
	{ "bpf-multi", attach_multi, false },
	{ "bpf-multi-return", attach_multi, true },
	{ "bpf-fentry", attach_trampoline, false },
	{ "bpf-fexit", attach_trampoline, true },
};

static void measure(const struct row *row)
{
	uint64_t without, with;
	int fd;

	usleep(SETTLE);
	without = time_call();
	errno = 0;
	fd = row->attach(row->at_return);
	if (fd < 0) {
		printf("refused %s %s\n", row->name, strerror(errno));
		fflush(stdout);
		return;
	}
	with = time_call();
	close(fd);
	result(row->name, with - without, 1, 0);
}

/* Attaching to many */

static struct names functions;

static void refuse_link(const char *name)
{
	printf("refused %s-attach %s\nrefused %s-detach %s\n", name, strerror(errno), name,
	       strerror(errno));
	fflush(stdout);
}

static void measure_link(const char *name, const char **symbols, const uint64_t *addrs,
			 unsigned int n)
{
	int fd, prog = load(BPF_PROG_TYPE_KPROBE, BPF_TRACE_KPROBE_MULTI, 0);
	uint64_t start, attached, detached;
	char row[NAME_SIZE];

	usleep(SETTLE);
	start = ticks();
	fd = prog < 0 ? -1 : attach_link(prog, symbols, addrs, n, false);
	attached = ticks();
	if (fd < 0) {
		refuse_link(name);
		return;
	}
	close(fd);
	detached = ticks();
	close(prog);
	snprintf(row, sizeof(row), "%s-attach", name);
	result(row, attached - start, n, 0);
	snprintf(row, sizeof(row), "%s-detach", name);
	result(row, detached - attached, n, 0);
}

static void measure_some(void)
{
	const char *symbols[LINKED];
	unsigned int i;

	for (i = 0; i < LINKED; i++)
		symbols[i] = functions.name[i];
	measure_link("link", symbols, NULL, LINKED);
}

/* Attach to all functions that ftrace knows and has not disabled. */
static void measure_all(void)
{
	static uint64_t addrs[MOST];
	FILE *f = fopen(ALL_FUNCTIONS, "r");
	char line[512], name[256];
	unsigned int n = 0;

	if (!f)
		die("cannot open " ALL_FUNCTIONS);
	while (n < MOST && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx %255s", (unsigned long *)&addrs[n], name) == 2 &&
		    strncmp(name, "__ftrace_invalid", 16))
			n++;
	}
	fclose(f);
	measure_link("link-all", NULL, addrs, n);
}

int main(int argc, char **argv)
{
	unsigned int r;
	int i;

	if (argc < 3) {
		fputs("usage: bpf_bench FUNCTIONS ROW...\n", stderr);
		return 2;
	}
	read_names(argv[1], &functions, LINKED);
	for (i = 2; i < argc; i++) {
		if (!strcmp(argv[i], "link") || !strcmp(argv[i], "link-all")) {
			strcmp(argv[i], "link") ? measure_all() : measure_some();
			continue;
		}
		for (r = 0; r < ARRAY_SIZE(rows); r++) {
			if (!strcmp(argv[i], rows[r].name))
				break;
		}
		errno = EINVAL;
		if (r == ARRAY_SIZE(rows))
			die("no row %s", argv[i]);
		measure(&rows[r]);
	}
	return 0;
}
