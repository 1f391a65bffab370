// SPDX-License-Identifier: GPL-2.0
/*
 * Open perf events of the kprobe and the uprobe PMU with attributes that follow from a seed, many
 * of them bad, use what was opened, and close it. If a call has to be refused, or cannot be, this
 * is known before, and an answer that does not fit is reported. Words are those of fuzz.c.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "calls.h"
#include "files.h"

#define KERNEL_SIZE	136	/* struct perf_event_attr of 6.12; headers of hosts may be older */
#define MAX_SIZE	4096
#define MAX_USES	10
#define MAX_FDS		6
#define TARGET		"/tmp/fuzzed"	/* file for uprobes, which nobody runs */
#define NO_FD		9999

enum { ATTR_SLOT, NAME_SLOT, USE_SLOT };

enum use_kind {
	ENABLE, DISABLE, RESET, REFRESH, PERIOD, ID, SET_OUTPUT, SET_FILTER, SET_BPF, PAUSE_OUTPUT,
	QUERY_BPF, MODIFY, UNKNOWN, MAP, DUP, FORK, HIT, LINK, READ, CLOSE, USES
};

static const char *const use_names[USES] = {
	"enable", "disable", "reset", "refresh", "period", "id", "set_output", "set_filter",
	"set_bpf", "pause_output", "query_bpf", "modify", "unknown", "map", "dup", "fork", "hit",
	"link", "read", "close",
};

/* Something done with an open event. */
struct use {
	enum use_kind kind;
	unsigned int fd;		/* index into the open ones */
	enum where where;
	uint64_t arg;
	const char *text;
};

struct perf_example {
	bool uprobe;
	struct perf_event_attr attr;	/* without the pointers and addresses */
	struct name name;
	struct address addr;
	enum where where;		/* the attributes */
	uint32_t size;
	int tail;			/* offset of a byte behind all known fields; 0: none */
	int pid, cpu, group;
	bool leader;			/* group is a software event */
	uint64_t flags;
	int count;
	struct use uses[MAX_USES];
};

/* Making */

static uint64_t odd_bits(struct maker *g, unsigned int limit)
{
	return chance(g, 50) ? 1ull << below(g, limit) :
	       ((uint64_t)below(g, 0x7fffffff) << 32 | below(g, 0x7fffffff)) & (below(g, 2) - 1ull);
}

static void make_name_or_address(struct maker *g, struct perf_example *e)
{
	static const uint64_t offsets[] = {
		1, 2, 3, 4, 8, 0x10, 0x1000000, 1ull << 31, 1ull << 32, (1ull << 32) + 1,
		1ull << 63, UINT64_MAX, UINT64_MAX - 7,
	};

	make_name(g, &e->name);
	make_address(g, &e->addr);
	e->attr.config = chance(g, 60) ? below(g, 2) : odd_bits(g, 64);
	if (e->uprobe) {
		static const char *const paths[] = { TARGET, TARGET, TARGET, "/nosuch", "/", "" };

		e->name.sort = CHANGED;
		snprintf(e->name.s, sizeof(e->name.s), "%s", PICK(g, paths));
		e->addr.offset = chance(g, 60) ? below(g, 0x4000) : odd_bits(g, 64);
	} else if (chance(g, 25)) {
		e->name.where = IS_NULL;
	} else {
		e->addr = (struct address){ .offset = chance(g, 70) ? 0 : PICK(g, offsets) };
	}
}

static void make_attributes(struct maker *g, struct perf_example *e)
{
	static const uint32_t sizes[] = {
		0, 1, 8, 63, 64, 64, 65, 71, 72, 80, 96, 112, 120, 128, 136, 137, 144, 200, 4096,
		4097, 0x7fffffff, 0xffffffff,
	};

	e->where = make_where(g, 3);
	e->size = chance(g, 75) ? KERNEL_SIZE : PICK(g, sizes);
	if (chance(g, 10))
		e->tail = KERNEL_SIZE + below(g, MAX_SIZE - KERNEL_SIZE);
	e->attr.sample_period = chance(g, 85) ? 1 : odd_bits(g, 64);
	if (chance(g, 15))
		e->attr.sample_type = odd_bits(g, 30);
	if (chance(g, 5))
		e->attr.branch_sample_type = odd_bits(g, 64);
	if (chance(g, 8))
		e->attr.read_format = odd_bits(g, 8);
	e->attr.disabled = chance(g, 30);
	if (chance(g, 15)) {
		/* The bits between read_format and wakeup_events; without signals. */
		*(&e->attr.read_format + 1) = odd_bits(g, 40);
		e->attr.sigtrap = 0;
	}
}

static void make_target(struct maker *g, struct perf_example *e)
{
	static const int pids[] = { -1, -1, 1, 1, 4194305, -2, 0x7fffffff, -0x7fffffff - 1 };
	static const int cpus[] = { 0, 1, 4096, -2, 0x7fffffff, -0x7fffffff - 1 };

	e->pid = 0;
	e->cpu = -1;
	e->group = -1;
	if (chance(g, 25)) {
		e->pid = PICK(g, pids);
		e->cpu = chance(g, 70) ? 0 : -1;
	}
	if (chance(g, 15))
		e->cpu = PICK(g, cpus);
	if (chance(g, 10)) {
		e->leader = chance(g, 60);
		e->group = chance(g, 50) ? NO_FD : 0;
	}
	if (chance(g, 15))
		e->flags = chance(g, 60) ? below(g, 16) : odd_bits(g, 64);
}

static void make_use(struct maker *g, struct use *u)
{
	static const char *const filters[] = {
		"common_pid > 0", "__probe_ip != 0", "nosuch == 1", "", "(", "common_pid", "\xff",
		"common_comm ~ \"a*\"", "__probe_ip & 1 || common_pid == 1", "0",
	};

	*u = (struct use){
		.kind = below(g, USES),
		.fd = below(g, MAX_FDS),
		.where = make_where(g, 15),
		.arg = chance(g, 70) ? below(g, 4) : odd_bits(g, 64),
		.text = PICK(g, filters),
	};
}

static void make_perf(struct perf_example *e, uint64_t seed, uint32_t number)
{
	struct maker g = { .state = mixed(seed ^ mixed(number + 1) ^ 4) };

	*e = (struct perf_example){ .uprobe = chance(&g, 10) };
	make_attributes(&g, e);
	make_name_or_address(&g, e);
	make_target(&g, e);
	e->count = below(&g, MAX_USES + 1);
	for (int i = 0; i < e->count; i++)
		make_use(&g, &e->uses[i]);
}

void print_perf(uint64_t seed, uint32_t number)
{
	struct perf_example e;

	make_perf(&e, seed, number);
	printf("perf_event_open(%sattr, pid %d, cpu %d, group %s%d, flags %#llx): %s, %#llx, ",
	       name_of_where(e.where), e.pid, e.cpu, e.leader ? "event " : "", e.group,
	       (unsigned long long)e.flags, e.uprobe ? "uprobe" : "kprobe", e.attr.config);
	print_name(&e.name);
	printf(", ");
	print_address(&e.addr);
	printf(", size %u, tail at %d, period %llu, sample %#llx, ", e.size, e.tail,
	       e.attr.sample_period, e.attr.sample_type);
	printf("branch %#llx, read %#llx, bits %#llx\n", e.attr.branch_sample_type,
	       e.attr.read_format, *(&e.attr.read_format + 1));
	for (int i = 0; i < e.count; i++)
		printf("%s of %u: %s%#llx \"%s\"\n", use_names[e.uses[i].kind], e.uses[i].fd,
		       name_of_where(e.uses[i].where), (unsigned long long)e.uses[i].arg,
		       e.uses[i].text);
}

/* What is right */

static void size_verdict(struct verdict *v, const struct perf_example *e)
{
	if (e->where == TO_UNTERMINATED && e->size > MAX_SIZE / 2)
		may_fail(v, EFAULT, 0);
	else if (e->where != TO_UNTERMINATED)
		pointer_verdict(v, e->where == IS_NULL ? TO_NOTHING : e->where);
	if ((e->size && e->size < PERF_ATTR_SIZE_VER0) || e->size > MAX_SIZE ||
	    (e->tail && (uint32_t)e->tail < e->size))
		must_fail(v, E2BIG, 0);
}

/* @eff: the attributes as the kernel sees them, without what a short size cuts */
static void attributes_verdict(struct verdict *v, const struct perf_example *e,
			       const struct perf_event_attr *eff)
{
	struct perf_event_attr plain = { .disabled = eff->disabled };
	const __u64 *bits = &eff->read_format + 1, *plain_bits = &plain.read_format + 1;

	if (e->size != KERNEL_SIZE)
		may_fail(v, EINVAL, 0);
	if (!eff->freq && eff->sample_period >> 63)
		must_fail(v, EINVAL, 0);
	if (eff->sample_type >> 25 || eff->read_format >> 5)
		must_fail(v, EINVAL, 0);
	if (eff->sample_type & PERF_SAMPLE_BRANCH_STACK)
		must_fail(v, EINVAL, EOPNOTSUPP, 0);
	if (eff->sample_type || eff->read_format || *bits != *plain_bits)
		may_fail(v, EINVAL, E2BIG, EOPNOTSUPP, ENOSPC, 0);
}

static void target_verdict(struct verdict *v, const struct perf_example *e)
{
	bool no_such_pid = e->pid < -1 || e->pid > 4194304;

	if (e->flags >> 4)
		must_fail(v, EINVAL, 0);
	if (e->flags & PERF_FLAG_PID_CGROUP)
		must_fail(v, EINVAL, EBADF, EOPNOTSUPP, 0);
	else if (no_such_pid)
		must_fail(v, ESRCH, 0);
	if (e->cpu < -1 || e->cpu >= 4096 || (e->pid == -1 && e->cpu == -1))
		must_fail(v, EINVAL, 0);
	if (e->cpu == 1)
		may_fail(v, ENODEV, EINVAL, 0);
	if (e->group >= 0 && !e->leader)
		must_fail(v, EBADF, 0);
	else if (e->group >= 0)
		may_fail(v, EINVAL, 0);
}

static void kprobe_verdict(struct verdict *v, const struct perf_example *e,
			   const struct perf_event_attr *eff)
{
	bool by_name = e->name.where != IS_NULL && eff->kprobe_func && e->name.sort != EMPTY;

	if (eff->kprobe_func)
		pointer_verdict(v, e->name.where);
	if (e->name.where > TO_UNTERMINATED && by_name)
		return;
	if (!by_name) {
		/* A short size cuts the address. */
		if (e->addr.sort != FINE || !e->addr.symbol ||
		    eff->kprobe_addr != value_of(&e->addr))
			must_fail(v, EINVAL, EILSEQ, ENOENT, EADDRNOTAVAIL, 0);
		return;
	}
	if (e->name.sort == TOO_LONG)
		must_fail(v, E2BIG, 0);
	else if (e->name.sort == MISSING)
		must_fail(v, ENOENT, EINVAL, 0);
	else if (e->name.sort == REFUSED)
		must_fail(v, EINVAL, ENOENT, EADDRNOTAVAIL, EILSEQ, 0);
	else if (e->name.sort == CHANGED)
		may_fail(v, EINVAL, ENOENT, EADDRNOTAVAIL, EILSEQ, 0);
	/* The first instruction has 4 bytes. A probe behind it is at an entry or not. */
	if (eff->probe_offset && (eff->probe_offset < 4 || eff->probe_offset > 0x10))
		must_fail(v, EINVAL, EILSEQ, ENOENT, 0);
	else if (eff->probe_offset)
		may_fail(v, EINVAL, EILSEQ, 0);
}

static void uprobe_verdict(struct verdict *v, const struct perf_example *e)
{
	if (e->name.where == IS_NULL || !e->name.s[0])
		must_fail(v, EINVAL, E2BIG, EFAULT, 0);
	pointer_verdict(v, e->name.where);
	if (strcmp(e->name.s, TARGET))
		must_fail(v, EINVAL, ENOENT, EISDIR, 0);
	may_fail(v, EINVAL, E2BIG, EOPNOTSUPP, EILSEQ, ENOEXEC, EIO, 524, 0);
}

/* Doing */

static int pmu_type(bool uprobe)
{
	static int types[2];

	if (!types[uprobe]) {
		static char text[MAX_FILE];

		read_file(uprobe ? "/sys/bus/event_source/devices/uprobe/type" :
			  "/sys/bus/event_source/devices/kprobe/type", text);
		types[uprobe] = atoi(text);
	}
	return types[uprobe];
}

static long open_event(const void *attr, int pid, int cpu, int group, unsigned long flags)
{
	return call_result(syscall(__NR_perf_event_open, attr, pid, cpu, group, flags));
}

static int open_leader(void)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE, .size = sizeof(attr),
					.config = PERF_COUNT_SW_DUMMY };

	return open_event(&attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

static void make_target_file(void)
{
	static bool done;
	static char all[MAX_FILE];

	if (!done)
		truncate_file(TARGET);
	if (!done) {
		int fd = open(TARGET, O_CREAT | O_WRONLY, 0755);
		size_t len = read_file("/proc/self/exe", all);

		if (fd < 0 || write(fd, all, len) != (ssize_t)len)
			printf(" %s cannot be written", TARGET);
		close(fd);
	}
	done = true;
}

/* Returns the descriptor or a negative errno, and what it may be in @v. */
static long open_example(const struct perf_example *e, int group, struct verdict *v)
{
	static char raw[2 * MAX_SIZE];
	struct perf_event_attr attr = e->attr, eff = {};
	size_t size = e->size ?: PERF_ATTR_SIZE_VER0;
	uint64_t at;

	attr.type = pmu_type(e->uprobe);
	attr.size = e->size;
	attr.kprobe_func = place_name(NAME_SLOT, &e->name);
	attr.probe_offset = value_of(&e->addr);
	memset(raw, 0, sizeof(raw));
	memcpy(raw, &attr, sizeof(attr));
	if (e->tail)
		raw[e->tail] = 1;
	memcpy(&eff, &attr, size < sizeof(eff) ? size : sizeof(eff));
	at = place(ATTR_SLOT, e->where, raw, e->where == TO_UNTERMINATED ? MAX_SIZE : sizeof(raw));

	*v = (struct verdict){};
	size_verdict(v, e);
	attributes_verdict(v, e, &eff);
	target_verdict(v, e);
	if (e->uprobe)
		uprobe_verdict(v, e);
	else
		kprobe_verdict(v, e, &eff);
	return open_event((void *)(uintptr_t)at, e->pid, e->cpu, group, e->flags);
}

/* The files that are open. Closed ones are -1. */
struct opened {
	int count;
	int fds[MAX_FDS];
	void *map;
	size_t mapped;
};

static void keep(struct opened *o, long fd)
{
	if (fd < 0)
		return;
	if (o->count < MAX_FDS)
		o->fds[o->count++] = fd;
	else
		close(fd);
}

static void fork_with(int fd)
{
	uint64_t n[8];
	int pid = fork();

	if (!pid) {
		ioctl(fd, PERF_EVENT_IOC_ENABLE, 0);
		do_something();
		if (read(fd, n, sizeof(n)) < 0)
			ioctl(fd, PERF_EVENT_IOC_DISABLE, 1);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

static void map(struct opened *o, int fd, const struct use *u)
{
	size_t len = u->arg < 4 ? (1 + (1ul << u->arg) / 2) * MAX_SIZE : (u->arg & 0xffffff);
	void *at = mmap(NULL, len, PROT_READ | (u->fd % 2 ? PROT_WRITE : 0), MAP_SHARED, fd, 0);

	if (at == MAP_FAILED)
		return;
	if (o->map)
		munmap(o->map, o->mapped);
	o->map = at;
	o->mapped = len;
}

static void set_bpf(struct opened *o, int fd, const struct use *u)
{
	int prog = u->arg < PROGRAMS ? program_fd(u->arg) : NO_FD;
	long ret = call_result(ioctl(fd, PERF_EVENT_IOC_SET_BPF, prog));

	if (prog == NO_FD)
		expect_errno("setting a program that is none", ret, EBADF);
	else if (ret >= 0 && u->arg == OF_TRACEPOINT)
		printf(" a program for tracepoints is set");
}

static void link_bpf(struct opened *o, int fd, const struct use *u)
{
	union bpf_attr attr = {
		.link_create.prog_fd = program_fd(u->arg % PROGRAMS),
		.link_create.target_fd = fd,
		.link_create.attach_type = BPF_PERF_EVENT,
		.link_create.flags = u->where == TO_TEXT ? 0 : 1 + u->where,
		.link_create.perf_event.bpf_cookie = u->arg,
	};
	long ret = bpf_call(BPF_LINK_CREATE, &attr, sizeof(attr));

	if (ret >= 0 && (attr.link_create.flags || u->arg % PROGRAMS == OF_TRACEPOINT))
		printf(" a link is created in spite of its flags or program");
	keep(o, ret);
}

/* An ioctl that copies to or from user space. */
static void ask_for(int fd, const struct use *u)
{
	static const unsigned long requests[USES] = {
		[PERIOD] = PERF_EVENT_IOC_PERIOD, [ID] = PERF_EVENT_IOC_ID,
		[SET_FILTER] = PERF_EVENT_IOC_SET_FILTER, [QUERY_BPF] = PERF_EVENT_IOC_QUERY_BPF,
		[MODIFY] = PERF_EVENT_IOC_MODIFY_ATTRIBUTES,
	};
	struct perf_event_attr attr = { .type = pmu_type(false), .size = u->arg, .config = 1 };
	uint64_t at, numbers[2] = { u->arg, 0 };
	long ret;

	if (u->kind == SET_FILTER)
		at = place(USE_SLOT, u->where, u->text, strlen(u->text));
	else if (u->kind == MODIFY)
		at = place(USE_SLOT, u->where, &attr, sizeof(attr));
	else
		at = place(USE_SLOT, u->where, numbers, sizeof(numbers));
	ret = call_result(ioctl(fd, requests[u->kind], at));
	if (u->where > TO_UNTERMINATED && ret >= 0)
		printf(" %s takes a bad pointer", use_names[u->kind]);
}

static void use(struct opened *o, const struct use *u)
{
	int *file = &o->fds[u->fd % o->count], fd = *file;
	static char data[4096];

	if (u->kind <= REFRESH) {
		static const unsigned long requests[] = {
			PERF_EVENT_IOC_ENABLE, PERF_EVENT_IOC_DISABLE, PERF_EVENT_IOC_RESET,
			PERF_EVENT_IOC_REFRESH,
		};

		ioctl(fd, requests[u->kind], u->arg);
	} else if (u->kind == SET_OUTPUT) {
		ioctl(fd, PERF_EVENT_IOC_SET_OUTPUT, u->arg < 4 ? o->fds[u->arg % o->count] : -1);
	} else if (u->kind == PAUSE_OUTPUT) {
		ioctl(fd, PERF_EVENT_IOC_PAUSE_OUTPUT, u->arg);
	} else if (u->kind == UNKNOWN) {
		ioctl(fd, u->arg, 0);
	} else if (u->kind == SET_BPF) {
		set_bpf(o, fd, u);
	} else if (u->kind == MAP) {
		map(o, fd, u);
	} else if (u->kind == DUP) {
		keep(o, dup(fd));
	} else if (u->kind == FORK) {
		fork_with(fd);
	} else if (u->kind == HIT) {
		do_something();
	} else if (u->kind == LINK) {
		link_bpf(o, fd, u);
	} else if (u->kind == READ) {
		read(fd, data, u->arg < 4 ? 8 * u->arg : sizeof(data));
	} else if (u->kind == CLOSE) {
		if (fd >= 0)
			close(fd);
		*file = -1;
	} else {
		ask_for(fd, u);
	}
}

void fuzz_perf(uint64_t seed, uint32_t number)
{
	static struct perf_example e;
	struct opened o = {};
	struct verdict v;
	int group;
	long fd;

	make_target_file();
	make_perf(&e, seed, number);
	group = e.leader ? open_leader() : e.group;
	fd = open_example(&e, group, &v);
	printf(fd < 0 ? " refused" : " hit");
	judge(&v, "perf_event_open", fd);
	keep(&o, fd);
	if (o.count) {
		do_something();
		for (int i = 0; i < e.count; i++)
			use(&o, &e.uses[i]);
	}
	for (int i = o.count - 1; i >= 0; i--)
		if (o.fds[i] >= 0)
			close(o.fds[i]);
	if (o.map)
		munmap(o.map, o.mapped);
	if (e.leader)
		close(group);
}
