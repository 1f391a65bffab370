// SPDX-License-Identifier: GPL-2.0
/*
 * bpf_probes CASE [EVENT-ID]: test BPF programs on probes, by system calls and without libbpf. They
 * probe functions of the module kprobe_test_args. Without arguments it lists the cases. If a case
 * fails, it prints why and the status is 1.
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
#include <unistd.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define MODULE		"kprobe_test_args"
#define FUNCTION	"kprobe_args_may_fail"
#define OTHER		"kprobe_args_value"
#define PARAMETERS	"/sys/module/" MODULE "/parameters/"
#define UPDATES		"htab_map_update_elem"
#define CALLS		10

static __u64 event_id;

#define expect(what, got, want)						\
	do {								\
		long long got_ = (got), want_ = (want);			\
									\
		if (got_ != want_) {					\
			fprintf(stderr, "%s:%d: %s is %lld, not %lld\n", \
				__func__, __LINE__, what, got_, want_);	\
			exit(1);					\
		}							\
	} while (0)

/* A negative errno, or a file descriptor. */
static int fd_or_error(long ret)
{
	return ret < 0 ? -errno : ret;
}

static int good(const char *what, int ret)
{
	if (ret < 0) {
		fprintf(stderr, "%s: %s\n", what, strerror(-ret));
		exit(1);
	}
	return ret;
}

/* Files of the module and of the kernel */

static void write_file(const char *path, const char *text)
{
	int fd = good(path, fd_or_error(open(path, O_WRONLY)));
	ssize_t len = strlen(text);

	expect(path, write(fd, text, len), len);
	close(fd);
}

static long read_number(const char *path)
{
	FILE *f = fopen(path, "r");
	long number;

	if (!f || fscanf(f, "%ld", &number) != 1) {
		fprintf(stderr, "%s has no number\n", path);
		exit(1);
	}
	fclose(f);
	return number;
}

static void call(void)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", CALLS);
	write_file(PARAMETERS "failed", "0");
	write_file(PARAMETERS "ran", "0");
	write_file(PARAMETERS "call", text);
}

static void call_other(void)
{
	write_file(PARAMETERS "value", "1");
}

static __u64 address_of(const char *name)
{
	char line[1024], symbol[512];
	FILE *f = fopen("/proc/kallsyms", "r");
	unsigned long long at;
	__u64 addr = 0;

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%llx %*c %511s", &at, symbol) == 2 &&
		    !strcmp(symbol, name))
			addr = at;
	}
	if (f)
		fclose(f);
	if (!addr) {
		fprintf(stderr, "/proc/kallsyms does not have %s\n", name);
		exit(1);
	}
	return addr;
}

/* Probes of perf */

#define RETURN	1

static int open_attr(struct perf_event_attr *attr)
{
	attr->size = sizeof(*attr);
	attr->sample_period = 1;
	return fd_or_error(syscall(__NR_perf_event_open, attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC));
}

/* Open a probe at @offset in the function @name or, if that is NULL, at the address @offset. */
static int try_probe(const char *name, __u64 offset, int config)
{
	struct perf_event_attr attr = {
		.type = read_number("/sys/bus/event_source/devices/kprobe/type"),
		.config = config,
		.kprobe_func = (uintptr_t)name,
		.probe_offset = offset,
	};

	return open_attr(&attr);
}

static int probe(const char *name, int config)
{
	return good("perf_event_open()", try_probe(name, 0, config));
}

static int probe_by_event(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.config = event_id,
	};

	return good("perf_event_open()", open_attr(&attr));
}

static __u64 hits(int fd)
{
	__u64 n = 0;

	expect("size of a number", read(fd, &n, sizeof(n)), sizeof(n));
	return n;
}

/* BPF: maps, programs, links */

static int bpf(int cmd, union bpf_attr *attr)
{
	return fd_or_error(syscall(__NR_bpf, cmd, attr, sizeof(*attr)));
}

static int new_map(int type)
{
	union bpf_attr attr = {
		.map_type = type,
		.key_size = sizeof(__u32),
		.value_size = sizeof(__u64),
		.max_entries = 16,
	};

	return good("BPF_MAP_CREATE", bpf(BPF_MAP_CREATE, &attr));
}

static __u64 look_up(int map, __u32 key)
{
	__u64 value = 0;
	union bpf_attr attr = {
		.map_fd = map,
		.key = (uintptr_t)&key,
		.value = (uintptr_t)&value,
	};

	good("BPF_MAP_LOOKUP_ELEM", bpf(BPF_MAP_LOOKUP_ELEM, &attr));
	return value;
}

#define INSN(c, d, s, o, i)						\
	((struct bpf_insn){ .code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i) })
#define MOV_IMM(reg, imm)	INSN(BPF_ALU64 | BPF_MOV | BPF_K, reg, 0, 0, imm)
#define MOV(reg, from)		INSN(BPF_ALU64 | BPF_MOV | BPF_X, reg, from, 0, 0)
#define ADD_IMM(reg, imm)	INSN(BPF_ALU64 | BPF_ADD | BPF_K, reg, 0, 0, imm)
#define STORE(at, off, reg)	INSN(BPF_STX | BPF_MEM | BPF_DW, at, reg, off, 0)
#define STORE_IMM32(at, off, n)	INSN(BPF_ST | BPF_MEM | BPF_W, at, 0, off, n)
#define STORE_IMM64(at, off, n)	INSN(BPF_ST | BPF_MEM | BPF_DW, at, 0, off, n)
#define ATOMIC_ADD(at, off, reg) INSN(BPF_STX | BPF_ATOMIC | BPF_DW, at, reg, off, BPF_ADD)
#define IF_ZERO(reg, skip)	INSN(BPF_JMP | BPF_JEQ | BPF_K, reg, 0, skip, 0)
#define HELPER(nr)		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_ ## nr)
#define LOAD_MAP(reg, fd)						\
	INSN(BPF_LD | BPF_DW | BPF_IMM, reg, BPF_PSEUDO_MAP_FD, 0, fd), INSN(0, 0, 0, 0, 0)
#define END			INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

/* The address of map[key] in r0, or 0. */
#define ELEMENT(map, key)						\
	STORE_IMM32(10, -4, key), MOV(2, 10), ADD_IMM(2, -4),		\
	LOAD_MAP(1, map), HELPER(map_lookup_elem)
#define COUNT(map, key)							\
	ELEMENT(map, key), IF_ZERO(0, 2), MOV_IMM(1, 1), ATOMIC_ADD(0, 0, 1)
#define KEEP(map, key, reg)						\
	ELEMENT(map, key), IF_ZERO(0, 1), STORE(0, 0, reg)

static int load(int attach_type, const struct bpf_insn *insns, size_t nr)
{
	static char log[65536];
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_KPROBE,
		.expected_attach_type = attach_type,
		.insns = (uintptr_t)insns,
		.insn_cnt = nr,
		.license = (uintptr_t)"GPL",
		.log_buf = (uintptr_t)log,
		.log_size = sizeof(log),
		.log_level = 1,
	};
	int fd = bpf(BPF_PROG_LOAD, &attr);

	if (fd < 0)
		fprintf(stderr, "%s", log);
	return good("BPF_PROG_LOAD", fd);
}

#define program(type, ...)						\
	({								\
		const struct bpf_insn insns_[] = { __VA_ARGS__ };	\
									\
		load(type, insns_, ARRAY_SIZE(insns_));			\
	})

#define BY_PERF	0
#define MULTI	BPF_TRACE_KPROBE_MULTI

/* Count in map[key], and return @ret. */
static int counter(int type, int map, __u32 key, int ret)
{
	return program(type, COUNT(map, key), MOV_IMM(0, ret), END);
}

static int overrider(int type, int ret)
{
	return program(type, MOV_IMM(2, ret), HELPER(override_return), MOV_IMM(0, 1), END);
}

/* Call UPDATES: write 1 to an element of a hash. */
static int updater(int type, int hash)
{
	return program(type, STORE_IMM32(10, -4, 1), STORE_IMM64(10, -16, 1), LOAD_MAP(1, hash),
		       MOV(2, 10), ADD_IMM(2, -4), MOV(3, 10), ADD_IMM(3, -16), MOV_IMM(4, 0),
		       HELPER(map_update_elem), MOV_IMM(0, type == BY_PERF), END);
}

static int try_link(int prog, int perf, __u64 cookie)
{
	union bpf_attr attr = {
		.link_create.prog_fd = prog,
		.link_create.target_fd = perf,
		.link_create.attach_type = BPF_PERF_EVENT,
		.link_create.perf_event.bpf_cookie = cookie,
	};

	return bpf(BPF_LINK_CREATE, &attr);
}

static int link_to(int prog, int perf)
{
	return good("BPF_LINK_CREATE", try_link(prog, perf, 0));
}

static int try_multi(int prog, int type, __u32 flags, const char * const *names,
		     const __u64 *addrs, const __u64 *cookies, __u32 nr)
{
	union bpf_attr attr = {
		.link_create.prog_fd = prog,
		.link_create.attach_type = type,
		.link_create.kprobe_multi.flags = flags,
		.link_create.kprobe_multi.cnt = nr,
		.link_create.kprobe_multi.syms = (uintptr_t)names,
		.link_create.kprobe_multi.addrs = (uintptr_t)addrs,
		.link_create.kprobe_multi.cookies = (uintptr_t)cookies,
	};

	return bpf(BPF_LINK_CREATE, &attr);
}

static int multi_link(int prog, int type, const char * const *names, __u32 nr)
{
	return good("BPF_LINK_CREATE", try_multi(prog, type, 0, names, NULL, NULL, nr));
}

static void info_of(int fd, void *info, size_t size)
{
	union bpf_attr attr = {
		.info.bpf_fd = fd,
		.info.info_len = size,
		.info.info = (uintptr_t)info,
	};

	good("BPF_OBJ_GET_INFO_BY_FD", bpf(BPF_OBJ_GET_INFO_BY_FD, &attr));
}

static struct bpf_prog_info info_of_program(int prog)
{
	struct bpf_prog_info info = {};

	info_of(prog, &info, sizeof(info));
	return info;
}

static __u32 id_of(int prog)
{
	return info_of_program(prog).id;
}

/* The cases */

static void entries_and_returns(void)
{
	int map = new_map(BPF_MAP_TYPE_ARRAY);
	int entry = probe(FUNCTION, 0), ret = probe(FUNCTION, RETURN);
	int links[] = {
		link_to(counter(BY_PERF, map, 0, 1), entry),
		link_to(counter(BY_PERF, map, 1, 1), ret),
	};

	call();
	expect("calls seen", look_up(map, 0), CALLS);
	expect("returns seen", look_up(map, 1), CALLS);
	expect("calls counted by perf", hits(entry), CALLS);
	expect("returns counted by perf", hits(ret), CALLS);
	close(links[0]);
	call();
	expect("calls seen when the program is gone", look_up(map, 0), CALLS);
	expect("calls counted by perf", hits(entry), 2 * CALLS);
	expect("returns seen", look_up(map, 1), 2 * CALLS);
	close(ret);
	close(links[1]);
	call();
	expect("returns seen when all is gone", look_up(map, 1), 2 * CALLS);
}

/* Attach by an ioctl of perf, as loaders did before BPF links. */
static void set_by_ioctl(void)
{
	int map = new_map(BPF_MAP_TYPE_ARRAY), fd = probe(FUNCTION, 0);
	int prog = counter(BY_PERF, map, 0, 1);

	expect("PERF_EVENT_IOC_SET_BPF", ioctl(fd, PERF_EVENT_IOC_SET_BPF, prog), 0);
	call();
	expect("calls seen", look_up(map, 0), CALLS);
	expect("setting another", ioctl(fd, PERF_EVENT_IOC_SET_BPF, prog) ? errno : 0, EEXIST);
	/* The program runs while it is attached, whether perf counts or not. */
	ioctl(fd, PERF_EVENT_IOC_DISABLE, 0);
	call();
	expect("calls seen while it is off", look_up(map, 0), 2 * CALLS);
	expect("calls counted", hits(fd), CALLS);
	ioctl(fd, PERF_EVENT_IOC_ENABLE, 0);
	call();
	expect("calls seen", look_up(map, 0), 3 * CALLS);
	expect("calls counted", hits(fd), 2 * CALLS);
	close(fd);
	call();
	expect("calls seen when it is gone", look_up(map, 0), 3 * CALLS);
}

/* If the program returns 0, perf does not count the hit. */
static void returns_zero(void)
{
	int map = new_map(BPF_MAP_TYPE_ARRAY);
	int entry = probe(FUNCTION, 0), ret = probe(FUNCTION, RETURN);
	int other = probe(FUNCTION, 0);

	link_to(counter(BY_PERF, map, 0, 0), entry);
	link_to(counter(BY_PERF, map, 1, 0), ret);
	call();
	expect("calls seen", look_up(map, 0), CALLS);
	expect("returns seen", look_up(map, 1), CALLS);
	expect("calls counted by perf", hits(entry), 0);
	expect("returns counted by perf", hits(ret), 0);
	expect("calls counted by another event", hits(other), CALLS);
}

static void cookies(void)
{
	static const __u64 given[] = { 0x1122334455667788, UINT64_MAX };
	int map = new_map(BPF_MAP_TYPE_ARRAY);
	int i;

	for (i = 0; i < 2; i++) {
		int prog = program(BY_PERF, HELPER(get_attach_cookie), MOV(6, 0), KEEP(map, i, 6),
				   MOV_IMM(0, 1), END);

		good("BPF_LINK_CREATE", try_link(prog, probe(FUNCTION, i ? RETURN : 0), given[i]));
	}
	call();
	for (i = 0; i < 2; i++)
		expect("cookie", look_up(map, i), given[i]);
}

struct query {
	char name[128];
	__u32 type;
	__u32 prog;
	__u64 offset;
	__u64 addr;
};

static struct query task_fd_query(int fd)
{
	struct query q = {};
	union bpf_attr attr = {
		.task_fd_query.pid = getpid(),
		.task_fd_query.fd = fd,
		.task_fd_query.buf_len = sizeof(q.name),
		.task_fd_query.buf = (uintptr_t)q.name,
	};

	good("BPF_TASK_FD_QUERY", bpf(BPF_TASK_FD_QUERY, &attr));
	q.type = attr.task_fd_query.fd_type;
	q.prog = attr.task_fd_query.prog_id;
	q.offset = attr.task_fd_query.probe_offset;
	q.addr = attr.task_fd_query.probe_addr;
	return q;
}

static void fd_query(void)
{
	int prog = counter(BY_PERF, new_map(BPF_MAP_TYPE_ARRAY), 0, 1);
	__u64 addr = address_of(FUNCTION);
	struct query q;
	int i, fd;

	for (i = 0; i < 2; i++) {
		fd = probe(FUNCTION, i);
		link_to(prog, fd);
		q = task_fd_query(fd);
		expect("type", q.type, i ? BPF_FD_TYPE_KRETPROBE : BPF_FD_TYPE_KPROBE);
		expect("whether the name is right", !strcmp(q.name, FUNCTION), 1);
		expect("offset", q.offset, 0);
		expect("program", q.prog, id_of(prog));

		fd = good("probe by address", try_probe(NULL, addr, i));
		link_to(prog, fd);
		q = task_fd_query(fd);
		expect("type", q.type, i ? BPF_FD_TYPE_KRETPROBE : BPF_FD_TYPE_KPROBE);
		expect("length of the name", strlen(q.name), 0);
		/* A kprobe is after the landing pad of an entry. */
		expect("whether the address is right", q.addr - addr <= 8, 1);
	}
	fd = probe_by_event();
	link_to(prog, fd);
	q = task_fd_query(fd);
	expect("type of an event", q.type, BPF_FD_TYPE_KPROBE);
	expect("whether the name is right", !strcmp(q.name, MODULE ":" FUNCTION), 1);
	expect("program", q.prog, id_of(prog));
}

static void link_info(void)
{
	int map = new_map(BPF_MAP_TYPE_ARRAY), i;

	for (i = 0; i < 2; i++) {
		int prog = counter(BY_PERF, map, 0, 1);
		int link = good("BPF_LINK_CREATE", try_link(prog, probe(FUNCTION, i), 77));
		char name[128] = "";
		struct bpf_link_info info = {
			.perf_event.kprobe.func_name = (uintptr_t)name,
			.perf_event.kprobe.name_len = sizeof(name),
		};

		info_of(link, &info, sizeof(info));
		expect("type of the link", info.type, BPF_LINK_TYPE_PERF_EVENT);
		expect("program", info.prog_id, id_of(prog));
		expect("type of the event", info.perf_event.type,
		       i ? BPF_PERF_EVENT_KRETPROBE : BPF_PERF_EVENT_KPROBE);
		expect("whether the name is right", !strcmp(name, FUNCTION), 1);
		expect("offset", info.perf_event.kprobe.offset, 0);
		expect("cookie", info.perf_event.kprobe.cookie, 77);
		expect("missed", info.perf_event.kprobe.missed, 0);
	}
}

/* The event may have several places, which another task changes. */
static void info_of_event(void)
{
	int prog = counter(BY_PERF, new_map(BPF_MAP_TYPE_ARRAY), 0, 1);
	int fd = probe_by_event(), i;
	int link = good("BPF_LINK_CREATE", try_link(prog, fd, 0));

	for (i = 0; i < 100; i++) {
		char name[128] = "";
		struct bpf_link_info info = {
			.perf_event.kprobe.func_name = (uintptr_t)name,
			.perf_event.kprobe.name_len = sizeof(name),
		};

		info_of(link, &info, sizeof(info));
		expect("type of the event", info.perf_event.type, BPF_PERF_EVENT_KPROBE);
		expect("whether there is a name", strlen(name) > 0, 1);
		expect("length of the name", info.perf_event.kprobe.name_len, strlen(name) + 1);
		expect("missed", info.perf_event.kprobe.missed, 0);
	}
}

static __u64 missed_by(int link)
{
	struct bpf_link_info info = {};

	info_of(link, &info, sizeof(info));
	return info.type == BPF_LINK_TYPE_KPROBE_MULTI ? info.kprobe_multi.missed :
		info.perf_event.kprobe.missed;
}

/* Hits in functions that a program calls are missed, because a handler runs. */
static void misses(void)
{
	int hash = new_map(BPF_MAP_TYPE_HASH), map = new_map(BPF_MAP_TYPE_ARRAY);
	int entry = link_to(counter(BY_PERF, map, 0, 1), probe(UPDATES, 0));
	int ret = link_to(counter(BY_PERF, map, 1, 1), probe(UPDATES, RETURN));

	link_to(updater(BY_PERF, hash), probe(FUNCTION, 0));
	call();
	expect("whether the program ran", look_up(hash, 1), 1);
	expect("calls seen", look_up(map, 0), 0);
	expect("returns seen", look_up(map, 1), 0);
	expect("calls missed", missed_by(entry), CALLS);
	expect("returns missed", missed_by(ret), CALLS);
}

/* Link to functions of the kernel by name, alone and together with those of a module. */
static void link_to_kernel(int prog)
{
	static const char * const names[] = { "vfs_fallocate", "vfs_fsync", FUNCTION, OTHER };
	unsigned int i, nr;

	for (nr = 2; nr <= ARRAY_SIZE(names); nr++) {
		__u64 told[ARRAY_SIZE(names) + 1] = {}, sum = 0;
		struct bpf_link_info info = {
			.kprobe_multi.addrs = (uintptr_t)told,
			.kprobe_multi.count = ARRAY_SIZE(told),
		};
		int link = multi_link(prog, MULTI, names, nr);

		info_of(link, &info, sizeof(info));
		close(link);
		expect("functions of kernel and module", info.kprobe_multi.count, nr);
		for (i = 0; i < nr; i++)
			sum += told[i] - address_of(names[i]);
		expect("sum of their addresses", sum, 0);
	}
}

static void multi(void)
{
	static const char * const names[] = { FUNCTION, OTHER };
	static const __u64 given[] = { 111, 222 };
	__u64 addrs[] = { address_of(OTHER), address_of(FUNCTION) };
	__u64 told[4] = {}, told_cookies[4] = {};
	int map = new_map(BPF_MAP_TYPE_ARRAY), flag;
	int prog = program(MULTI, MOV(8, 1), HELPER(get_attach_cookie), MOV(6, 0), MOV(1, 8),
			   HELPER(get_func_ip), MOV(7, 0), KEEP(map, 0, 6), KEEP(map, 1, 7),
			   COUNT(map, 2), MOV_IMM(0, 0), END);
	__u64 before = 0;

	for (flag = 0; flag <= BPF_F_KPROBE_MULTI_RETURN; flag++) {
		struct bpf_link_info info = {
			.kprobe_multi.addrs = (uintptr_t)told,
			.kprobe_multi.cookies = (uintptr_t)told_cookies,
			.kprobe_multi.count = ARRAY_SIZE(told),
		};
		int link = good("link by names",
				try_multi(prog, MULTI, flag, names, NULL, given, 2));

		call();
		expect("cookie", look_up(map, 0), 111);
		expect("address", look_up(map, 1), addrs[1]);
		expect("calls seen", look_up(map, 2) - before, CALLS);
		call_other();
		expect("cookie of the other", look_up(map, 0), 222);
		expect("address of the other", look_up(map, 1), addrs[0]);
		close(link);
		call();
		expect("calls seen, all in all", look_up(map, 2) - before, CALLS + 1);
		before = look_up(map, 2);

		link = good("link by addresses",
			    try_multi(prog, MULTI, flag, NULL, addrs, given, 2));
		call();
		expect("cookie", look_up(map, 0), 222);
		call_other();
		expect("cookie of the other", look_up(map, 0), 111);
		before = look_up(map, 2);
		info_of(link, &info, sizeof(info));
		expect("type", info.type, BPF_LINK_TYPE_KPROBE_MULTI);
		expect("functions", info.kprobe_multi.count, 2);
		expect("flags", info.kprobe_multi.flags, flag);
		expect("missed", info.kprobe_multi.missed, 0);
		expect("sum of the addresses", told[0] + told[1], addrs[0] + addrs[1]);
		expect("cookie that goes with the first", told_cookies[0],
		       told[0] == addrs[0] ? given[0] : given[1]);
		close(link);
	}
	link_to_kernel(prog);
}

/* An offset whose lower half is 0 is not that of the function. */
static void far_offset(void)
{
	expect("2^32 behind", try_probe(FUNCTION, 1ULL << 32, 0), -EINVAL);
	expect("2^63 behind", try_probe(FUNCTION, 1ULL << 63, 0), -EINVAL);
	expect("return, 2^32 behind", try_probe(FUNCTION, 1ULL << 32, RETURN), -EINVAL);
}

static void multi_refused(void)
{
	static const char * const unknown[] = { FUNCTION, "no_such_function" };
	static const char * const unknown_beside[] = { "vfs_fsync", "no_such_function" };
	static const char * const twice[] = { "vfs_fsync", "vfs_fsync" };
	static const char * const names[] = { FUNCTION, OTHER };
	__u64 addrs[] = { address_of(OTHER) + 11 };
	int prog = counter(MULTI, new_map(BPF_MAP_TYPE_ARRAY), 0, 0);
	int by_perf = counter(BY_PERF, new_map(BPF_MAP_TYPE_ARRAY), 0, 0);

	expect("unknown name", try_multi(prog, MULTI, 0, unknown, NULL, NULL, 2), -ESRCH);
	expect("unknown name beside one of the kernel",
	       try_multi(prog, MULTI, 0, unknown_beside, NULL, NULL, 2), -ESRCH);
	expect("one name twice", try_multi(prog, MULTI, 0, twice, NULL, NULL, 2), -ESRCH);
	expect("no function", try_multi(prog, MULTI, 0, names, NULL, NULL, 0), -EINVAL);
	expect("unknown flag", try_multi(prog, MULTI, 2, names, NULL, NULL, 2), -EINVAL);
	expect("names and addresses", try_multi(prog, MULTI, 0, names, addrs, NULL, 1), -EINVAL);
	expect("in a function", try_multi(prog, MULTI, 0, NULL, addrs, NULL, 1), -EINVAL);
	expect("bad pointer", try_multi(prog, MULTI, 0, (const char * const *)8, NULL, NULL, 2),
	       -EFAULT);
	expect("bad cookies", try_multi(prog, MULTI, 0, names, NULL, (const __u64 *)8, 2),
	       -EFAULT);
	expect("far too many", try_multi(prog, MULTI, 0, names, NULL, NULL, 1 << 21), -E2BIG);
	expect("program of another kind", try_multi(by_perf, MULTI, 0, names, NULL, NULL, 2),
	       -EINVAL);
}

/* The program's result at the entry decides whether it runs at the return. */
static void session(void)
{
	static const char * const names[] = { FUNCTION };
	int map = new_map(BPF_MAP_TYPE_ARRAY), no_return;

	for (no_return = 0; no_return < 2; no_return++) {
		int prog = counter(BPF_TRACE_KPROBE_SESSION, map, no_return, no_return);
		int link = multi_link(prog, BPF_TRACE_KPROBE_SESSION, names, 1);

		call();
		expect("runs", look_up(map, no_return), no_return ? CALLS : 2 * CALLS);
		close(link);
	}
}

static void multi_misses(void)
{
	static const char * const names[] = { UPDATES, FUNCTION };
	int hash = new_map(BPF_MAP_TYPE_HASH);
	int prog = updater(MULTI, hash), link = multi_link(prog, MULTI, names, 2);

	call();
	expect("whether the program ran", look_up(hash, 1), 1);
	expect("missed by the link or by the program",
	       missed_by(link) + info_of_program(prog).recursion_misses, CALLS);
}

/* All calls fail without running the function, or none does. */
static void all_fail(int err)
{
	call();
	expect("calls that failed", read_number(PARAMETERS "failed"), err ? CALLS : 0);
	expect("calls that ran", read_number(PARAMETERS "ran"), err ? 0 : CALLS);
	expect("result", read_number(PARAMETERS "last"), err);
}

static void override(void)
{
	int fd = probe(FUNCTION, 0), link = link_to(overrider(BY_PERF, -ENOTTY), fd);

	all_fail(-ENOTTY);
	close(link);
	all_fail(0);
	close(fd);

	fd = good("probe by address", try_probe(NULL, address_of(FUNCTION), 0));
	link = link_to(overrider(BY_PERF, -ENODEV), fd);
	all_fail(-ENODEV);
	close(link);
	all_fail(0);
}

static void override_by_multi(void)
{
	static const char * const names[] = { FUNCTION };
	int link = multi_link(overrider(MULTI, -ENOTTY), MULTI, names, 1);

	all_fail(-ENOTTY);
	close(link);
	all_fail(0);
}

static void override_by_event(void)
{
	int link = link_to(overrider(BY_PERF, -ENOTTY), probe_by_event());

	all_fail(-ENOTTY);
	close(link);
	all_fail(0);
}

/* At functions that do not allow error injection, and not at the entry. */
static void override_refused(void)
{
	static const char * const names[] = { OTHER };
	int prog = overrider(BY_PERF, -ENOTTY), offset, fd = -1;

	expect("another function", try_link(prog, probe(OTHER, 0), 0), -EINVAL);
	expect("another one by multi",
	       try_multi(overrider(MULTI, -ENOTTY), MULTI, 0, names, NULL, NULL, 1), -EINVAL);
	/* After the entry, at the start of the second instruction. */
	for (offset = 9; fd < 0 && offset < 32; offset++)
		fd = try_probe(FUNCTION, offset, 0);
	expect("inside of the function", try_link(prog, good("probe inside", fd), 0), -EINVAL);
	all_fail(0);
}

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
	{ "entries_and_returns", entries_and_returns },
	{ "set_by_ioctl", set_by_ioctl },
	{ "returns_zero", returns_zero },
	{ "cookies", cookies },
	{ "fd_query", fd_query },
	{ "link_info", link_info },
	{ "info_of_event", info_of_event },
	{ "misses", misses },
	{ "far_offset", far_offset },
	{ "multi", multi },
	{ "multi_refused", multi_refused },
	{ "multi_misses", multi_misses },
	{ "session", session },
	{ "override", override },
	{ "override_by_multi", override_by_multi },
	{ "override_by_event", override_by_event },
	{ "override_refused", override_refused },
};

int main(int argc, char **argv)
{
	size_t i;

	if (argc > 2)
		event_id = strtoull(argv[2], NULL, 0);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		if (argc < 2) {
			puts(cases[i].name);
		} else if (!strcmp(cases[i].name, argv[1])) {
			cases[i].run();
			return 0;
		}
	}
	return argc > 1;
}
