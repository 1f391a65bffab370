// SPDX-License-Identifier: GPL-2.0
/*
 * load WHAT ARGUMENT...: many probes, and many changes of probes, for load.sh. WHAT is
 *
 *   define N		define N events in the group "load", half of them at entries of functions,
 *			the others behind. Reads names of functions
 *   link N CALLS	hook N functions by a kprobe-multi link, call the first two of them CALLS
 *			times, and expect so many hits. Reads lines ADDRESS NAME
 *   events COUNT	define and remove events
 *   perf COUNT		open and close perf probes
 *   files COUNT FILE	write 1 and 0 to FILE
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define EVENTS		"/sys/kernel/tracing/dynamic_events"
#define CALL		"/sys/module/kprobe_test_%s/parameters/call"
#define KNOWN		2	/* functions of a link whose calls are counted */
#define FURTHEST	24	/* bytes from a function's entry */

static void fail(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

static int opened(const char *file)
{
	int fd = open(file, O_WRONLY | O_APPEND);

	if (fd < 0)
		fail(file);
	return fd;
}

static bool put(int fd, const char *text)
{
	return write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

static void must_put(int fd, const char *text)
{
	if (!put(fd, text))
		fail(text);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* Events */

static bool define_one(int fd, int nr, const char *name)
{
	char line[256];
	int offset = nr % 2;

	do {
		snprintf(line, sizeof(line), "p:load/e%d %s+%d", nr, name, offset);
		if (put(fd, line))
			return true;
	} while (nr % 2 && offset++ < FURTHEST);
	return false;
}

static void define(char **args)
{
	int fd = opened(EVENTS), nr = 0, refused = 0, wanted = atoi(args[0]);
	double start = now();
	char name[160];

	while (nr < wanted && scanf("%159s", name) == 1) {
		if (define_one(fd, nr, name))
			nr++;
		else
			refused++;
	}
	printf("%d events defined in %.2f s, %d functions refused\n", nr, now() - start, refused);
	if (nr < wanted)
		exit(1);
}

static void events(char **args)
{
	static const char * const commands[] = {
		"p:load/loop kprobe_test_target:kprobe_target_traced a=$stack0", "-:load/loop",
		"r:load/loop kprobe_test_target:kprobe_target_other", "-:load/loop",
		"f:load/loop kprobe_target_traced", "-:load/loop",
	};
	int fd = opened(EVENTS), i, n = atoi(args[0]) * 2;

	for (i = 0; i < n; i++)
		must_put(fd, commands[i % ARRAY_SIZE(commands)]);
}

static int pmu_type(void)
{
	FILE *f = fopen("/sys/bus/event_source/devices/kprobe/type", "r");
	int type;

	if (!f || fscanf(f, "%d", &type) != 1)
		fail("kprobe PMU");
	fclose(f);
	return type;
}

static void perf(char **args)
{
	struct perf_event_attr attr = {
		.type = pmu_type(),
		.size = sizeof(attr),
		.kprobe_func = (uintptr_t)"kprobe_test_target:kprobe_target_traced",
		.sample_period = 1,
	};
	int i, fd, n = atoi(args[0]);

	for (i = 0; i < n; i++) {
		attr.config = i % 2;
		fd = syscall(__NR_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
		if (fd < 0)
			fail("perf_event_open");
		close(fd);
	}
}

static void files(char **args)
{
	int fd = opened(args[1]), i, n = atoi(args[0]);

	for (i = 0; i < n; i++) {
		must_put(fd, "1");
		must_put(fd, "0");
	}
}

/* A kprobe-multi link. Its program counts calls by cookies: 1 and 2 are of the known functions. */

#define INSN(code, dst, src, off, imm)	((struct bpf_insn){ code, dst, src, off, imm })

static int bpf(int cmd, union bpf_attr *attr, const char *what)
{
	int fd = syscall(__NR_bpf, cmd, attr, sizeof(*attr));

	if (fd < 0)
		fail(what);
	return fd;
}

static int new_map(void)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_ARRAY,
		.key_size = 4,
		.value_size = 8,
		.max_entries = KNOWN + 1,
	};

	return bpf(BPF_MAP_CREATE, &attr, "BPF_MAP_CREATE");
}

static uint64_t counted(int map, uint32_t key)
{
	uint64_t value = 0;
	union bpf_attr attr = {
		.map_fd = map,
		.key = (uintptr_t)&key,
		.value = (uintptr_t)&value,
	};

	bpf(BPF_MAP_LOOKUP_ELEM, &attr, "BPF_MAP_LOOKUP_ELEM");
	return value;
}

static int counter(int map)
{
	const struct bpf_insn insns[] = {
		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_get_attach_cookie),
		INSN(BPF_STX | BPF_MEM | BPF_W, 10, 0, -4, 0),
		INSN(BPF_LD | BPF_DW | BPF_IMM, 1, BPF_PSEUDO_MAP_FD, 0, map),
		INSN(0, 0, 0, 0, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, 2, 10, 0, 0),
		INSN(BPF_ALU64 | BPF_ADD | BPF_K, 2, 0, 0, -4),
		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_map_lookup_elem),
		INSN(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 2, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 1, 0, 0, 1),
		INSN(BPF_STX | BPF_ATOMIC | BPF_DW, 0, 1, 0, BPF_ADD),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0),
		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
	};
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_KPROBE,
		.expected_attach_type = BPF_TRACE_KPROBE_MULTI,
		.insns = (uintptr_t)insns,
		.insn_cnt = ARRAY_SIZE(insns),
		.license = (uintptr_t)"GPL",
	};

	return bpf(BPF_PROG_LOAD, &attr, "BPF_PROG_LOAD");
}

static int link_to(int prog, const uint64_t *addrs, const uint64_t *cookies, int nr)
{
	union bpf_attr attr = {
		.link_create.prog_fd = prog,
		.link_create.attach_type = BPF_TRACE_KPROBE_MULTI,
		.link_create.kprobe_multi.cnt = nr,
		.link_create.kprobe_multi.addrs = (uintptr_t)addrs,
		.link_create.kprobe_multi.cookies = (uintptr_t)cookies,
	};

	return bpf(BPF_LINK_CREATE, &attr, "BPF_LINK_CREATE");
}

static int read_addrs(uint64_t *addrs, uint64_t *cookies, int wanted)
{
	char name[160];
	int nr;

	for (nr = 0; nr < wanted && scanf("%lx %159s", &addrs[nr], name) == 2; nr++)
		cookies[nr] = nr < KNOWN ? nr + 1 : 0;
	return nr;
}

static void link_many(char **args)
{
	int wanted = atoi(args[0]), map = new_map(), fd, nr, i;
	uint64_t *addrs = calloc(wanted, sizeof(*addrs));
	uint64_t *cookies = calloc(wanted, sizeof(*cookies));
	static const char * const modules[KNOWN] = { "target", "args" };
	double start, attached, detached;
	char file[128];

	nr = read_addrs(addrs, cookies, wanted);
	start = now();
	fd = link_to(counter(map), addrs, cookies, nr);
	attached = now();
	for (i = 0; i < KNOWN; i++) {
		snprintf(file, sizeof(file), CALL, modules[i]);
		must_put(opened(file), args[1]);
	}
	detached = now();
	close(fd);
	printf("%d functions: attached in %.2f s, detached in %.2f s, %lu hits of others;",
	       nr, attached - start, now() - detached, counted(map, 0));
	printf(" calls %lu %lu\n", counted(map, 1), counted(map, 2));
	if (nr < wanted || !counted(map, 0))
		exit(1);
	for (i = 0; i < KNOWN; i++) {
		if (counted(map, i + 1) != strtoul(args[1], NULL, 0))
			exit(1);
	}
}

static const struct {
	const char *name;
	int nr_args;
	void (*run)(char **args);
} all[] = {
	{ "define", 1, define }, { "link", 2, link_many }, { "events", 1, events },
	{ "perf", 1, perf }, { "files", 2, files },
};

int main(int argc, char **argv)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(all); i++) {
		if (argc > 1 && !strcmp(argv[1], all[i].name) && argc == 2 + all[i].nr_args) {
			all[i].run(argv + 2);
			return 0;
		}
	}
	fprintf(stderr, "usage: see the source\n");
	return 2;
}
