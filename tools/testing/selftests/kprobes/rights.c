// SPDX-License-Identifier: GPL-2.0
/*
 * rights WHAT OBJECT TEXT UNDO USER...: attempt WHAT as users that have only the given rights.
 *
 * For each user it prints a tab, and "ok" or the name of the error. If WHAT reads output of the
 * kernel, it prints "addresses" if that has kernel addresses, "names" if it has names that
 * rights_functions has created, or "nothing". If TEXT was written, the caller then writes UNDO,
 * unless that is empty.
 *
 * USER is UID:GROUP:CAPABILITY,..., any of which may be missing; or "root" for the caller; "-" is
 * not tried. WHAT_opened: the user only opens the file (or program, event), and the caller does the
 * rest. WHAT_taken: the caller opens it, and the user does the rest.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* Some systems lack these in their headers. */
#ifndef CAP_PERFMON
#define CAP_PERFMON	38
#endif
#ifndef CAP_BPF
#define CAP_BPF		39
#endif

static void fail(const char *what)
{
	perror(what);
	exit(2);
}

/* Users */

static struct {
	uid_t uid;
	gid_t group;
	uint64_t caps;
	bool is_caller;
} who;

static enum { ALL, OPENS, TAKES } part;

static uint64_t read_caps(char *names)
{
	static const struct {
		const char *name;
		unsigned int cap;
	} known[] = {
		{ "perfmon", CAP_PERFMON }, { "bpf", CAP_BPF }, { "sys_admin", CAP_SYS_ADMIN },
		{ "syslog", CAP_SYSLOG }, { "dac_read_search", CAP_DAC_READ_SEARCH },
		{ "sys_rawio", CAP_SYS_RAWIO },
	};
	uint64_t caps = 0;
	char *name;
	size_t i;

	for (name = strtok(names, ","); name; name = strtok(NULL, ",")) {
		for (i = 0; i < ARRAY_SIZE(known) && strcmp(name, known[i].name); i++)
			;
		if (i == ARRAY_SIZE(known)) {
			fprintf(stderr, "unknown capability: %s\n", name);
			exit(2);
		}
		caps |= 1ULL << known[i].cap;
	}
	return caps;
}

static void read_user(char *text)
{
	char *part;

	who.is_caller = !strcmp(text, "root");
	if (who.is_caller)
		return;
	who.uid = strtoul(strsep(&text, ":"), NULL, 0);
	part = strsep(&text, ":");
	who.group = part ? strtoul(part, NULL, 0) : 0;
	who.caps = text ? read_caps(text) : 0;
}

/* Take the rights of the user from now on, unless that is done. */
static void become(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {
		{ .effective = who.caps, .permitted = who.caps },
		{ .effective = who.caps >> 32, .permitted = who.caps >> 32 },
	};

	if (who.is_caller)
		return;
	who.is_caller = true;
	if (prctl(PR_SET_KEEPCAPS, 1))
		fail("PR_SET_KEEPCAPS");
	if (setgroups(!!who.group, &who.group))
		fail("setgroups");
	if (setresgid(who.uid, who.uid, who.uid) || setresuid(who.uid, who.uid, who.uid))
		fail("setresuid");
	if (syscall(__NR_capset, &head, data))
		fail("capset");
}

/* Called before an object is opened or created, and before it is used. */
static void become_for(int which)
{
	if (part == ALL || which == (int)part)
		become();
}

/* Files */

static char buf[1 << 18];

static int fd_or_error(long ret)
{
	return ret < 0 ? -errno : ret;
}

/* In a child process, which has the same open files. */
static int open_as(const char *path, int flags)
{
	const int flags_of_map = MAP_SHARED | MAP_ANONYMOUS;
	int *fd, status;
	pid_t pid;

	fd = mmap(NULL, sizeof(*fd), PROT_READ | PROT_WRITE, flags_of_map, -1, 0);
	if (fd == MAP_FAILED)
		fail("mmap");
	pid = syscall(__NR_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
	if (pid < 0)
		fail("clone");
	if (!pid) {
		become_for(OPENS);
		*fd = fd_or_error(open(path, flags));
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid || status)
		fail("waitpid");
	become_for(TAKES);
	return *fd;
}

static int read_file(const char *path, const char *text)
{
	int fd = open_as(path, O_RDONLY);
	ssize_t len;

	if (fd < 0)
		return fd;
	while ((len = read(fd, buf, sizeof(buf))) > 0)
		;
	return fd_or_error(len);
}

/* A hashed address begins with zeros. */
static bool is_address(const char *s)
{
	size_t digits = strspn(s, "0123456789abcdefABCDEF");

	return digits == 16 && !strncasecmp(s, "ffff", 4) && strncasecmp(s, "ffffffffffffffff", 16);
}

static bool has_address(const char *text)
{
	const char *s = text;

	while ((s = strcasestr(s, "ffff"))) {
		if ((s == text || !isxdigit(s[-1])) && is_address(s))
			return true;
		s++;
	}
	return false;
}

static bool has_name(const char *text)
{
	static const char * const names[] = { "rights_", "vfs_unlink", "get_kprobe", " _text" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (strstr(text, names[i]))
			return true;
	}
	return false;
}

#define ADDRESSES	1
#define NAMES		2
#define NOTHING		3

/* Read as much as fits in the buffer. */
static int show(const char *path, const char *text)
{
	int fd = open_as(path, O_RDONLY);
	size_t used = 0;
	ssize_t len;

	if (fd < 0)
		return fd;
	while ((len = read(fd, buf + used, sizeof(buf) - 1 - used)) > 0)
		used += len;
	if (len < 0)
		return -errno;
	buf[used] = '\0';
	if (has_address(buf))
		return ADDRESSES;
	return has_name(buf) ? NAMES : NOTHING;
}

static int write_as(const char *path, const char *text, int flags)
{
	int fd = open_as(path, O_WRONLY | flags), ret;

	if (fd < 0)
		return fd;
	ret = fd_or_error(write(fd, text, strlen(text)));
	return ret < 0 ? ret : 0;
}

static int write_file(const char *path, const char *text)
{
	return write_as(path, text, O_APPEND);
}

static int empty(const char *path, const char *text)
{
	return write_as(path, "\n", O_TRUNC);
}

/* Perf */

static int pmu_type(const char *name)
{
	char path[128];
	int type = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/bus/event_source/devices/%s/type", name);
	f = fopen(path, "r");
	if (!f || fscanf(f, "%d", &type) != 1)
		fail(path);
	fclose(f);
	return type;
}

static int open_attr(struct perf_event_attr *attr)
{
	attr->size = sizeof(*attr);
	attr->sample_period = 1;
	return fd_or_error(syscall(__NR_perf_event_open, attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC));
}

static int open_probe(const char *name, uint64_t addr, int config)
{
	struct perf_event_attr attr = {
		.type = pmu_type("kprobe"),
		.config = config,
		.kprobe_func = (uintptr_t)name,
		.probe_offset = addr,
	};

	return open_attr(&attr);
}

static int perf_func(const char *name, const char *text)
{
	become_for(OPENS);
	return open_probe(name, 0, 0);
}

static int perf_return(const char *name, const char *text)
{
	become_for(OPENS);
	return open_probe(name, 0, 1);
}

static int perf_addr(const char *addr, const char *text)
{
	become_for(OPENS);
	return open_probe(NULL, strtoull(addr, NULL, 16), 0);
}

static int perf_uprobe(const char *path, const char *text)
{
	struct perf_event_attr attr = {
		.type = pmu_type("uprobe"),
		.uprobe_path = (uintptr_t)path,
		.probe_offset = 16,
	};

	become_for(OPENS);
	return open_attr(&attr);
}

/* An event of tracefs: counted in user mode, counted, and sampled. */
static int open_event(const char *id, bool user_only, int sample_type)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.config = strtoull(id, NULL, 0),
		.sample_type = sample_type,
		.exclude_kernel = user_only,
	};

	become_for(OPENS);
	return open_attr(&attr);
}

static int count_user(const char *id, const char *text)
{
	return open_event(id, true, 0);
}

static int count(const char *id, const char *text)
{
	return open_event(id, false, 0);
}

static int sample(const char *id, const char *text)
{
	return open_event(id, true, PERF_SAMPLE_RAW);
}

/* BPF */

static int bpf(int cmd, union bpf_attr *attr)
{
	return fd_or_error(syscall(__NR_bpf, cmd, attr, sizeof(*attr)));
}

#define INSN(c, d, s, i)							\
	((struct bpf_insn){ .code = (c), .dst_reg = (d), .src_reg = (s), .imm = (i) })
#define MOV_IMM(reg, imm)	INSN(BPF_ALU64 | BPF_MOV | BPF_K, reg, 0, imm)
#define MOV(reg, from)		INSN(BPF_ALU64 | BPF_MOV | BPF_X, reg, from, 0)
#define ADD_IMM(reg, imm)	INSN(BPF_ALU64 | BPF_ADD | BPF_K, reg, 0, imm)
#define HELPER(nr)		INSN(BPF_JMP | BPF_CALL, 0, 0, BPF_FUNC_ ## nr)
#define END			INSN(BPF_JMP | BPF_EXIT, 0, 0, 0)

static int load(int type, const struct bpf_insn *insns, size_t nr)
{
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_KPROBE,
		.expected_attach_type = type,
		.insns = (uintptr_t)insns,
		.insn_cnt = nr,
		.license = (uintptr_t)"GPL",
	};

	return bpf(BPF_PROG_LOAD, &attr);
}

#define program(type, ...)						\
	({								\
		const struct bpf_insn insns_[] = { __VA_ARGS__ };	\
									\
		load(type, insns_, ARRAY_SIZE(insns_));			\
	})

static int nothing(int type)
{
	return program(type, MOV_IMM(0, 0), END);
}

static int bpf_load(const char *object, const char *text)
{
	become_for(OPENS);
	return nothing(0);
}

/* Programs with privileged helpers. */

static int bpf_override(const char *object, const char *text)
{
	become_for(OPENS);
	return program(0, MOV_IMM(2, -1), HELPER(override_return), MOV_IMM(0, 0), END);
}

static int bpf_read_kernel(const char *object, const char *text)
{
	become_for(OPENS);
	return program(0, MOV(3, 1), MOV(1, 10), ADD_IMM(1, -8), MOV_IMM(2, 8),
		       HELPER(probe_read_kernel), MOV_IMM(0, 0), END);
}

static int bpf_write_user(const char *object, const char *text)
{
	become_for(OPENS);
	return program(0, MOV(6, 1), MOV_IMM(1, 0), MOV(2, 10), ADD_IMM(2, -8),
		       INSN(BPF_ST | BPF_MEM | BPF_DW, 2, 0, 0), MOV_IMM(3, 8),
		       HELPER(probe_write_user), MOV_IMM(0, 0), END);
}

static int link_perf(int prog, int event)
{
	union bpf_attr attr = {
		.link_create.prog_fd = prog,
		.link_create.target_fd = event,
		.link_create.attach_type = BPF_PERF_EVENT,
	};

	return bpf(BPF_LINK_CREATE, &attr);
}

static int link_multi(int prog, const char *name)
{
	const char * const names[] = { name };
	union bpf_attr attr = {
		.link_create.prog_fd = prog,
		.link_create.attach_type = BPF_TRACE_KPROBE_MULTI,
		.link_create.kprobe_multi.cnt = 1,
		.link_create.kprobe_multi.syms = (uintptr_t)names,
	};

	return bpf(BPF_LINK_CREATE, &attr);
}

/* The user does all steps. With _taken, the user only makes the link, of the caller's objects. */

static int bpf_perf(const char *name, const char *text)
{
	int prog, event;

	become_for(OPENS);
	prog = nothing(0);
	if (prog < 0)
		return prog;
	event = open_probe(name, 0, 0);
	if (event < 0)
		return event;
	become_for(TAKES);
	return link_perf(prog, event);
}

static int bpf_event(const char *id, const char *text)
{
	int prog, event;

	become_for(OPENS);
	prog = nothing(0);
	if (prog < 0)
		return prog;
	event = open_event(id, false, 0);
	if (event < 0)
		return event;
	become_for(TAKES);
	return link_perf(prog, event);
}

static int bpf_multi(const char *name, const char *text)
{
	int prog;

	become_for(OPENS);
	prog = nothing(BPF_TRACE_KPROBE_MULTI);
	if (prog < 0)
		return prog;
	become_for(TAKES);
	return link_multi(prog, name);
}

/* Show information about a link of the caller. */
static int tell_info(int link, struct bpf_link_info *info, const uint64_t *addr)
{
	union bpf_attr attr = {
		.info.bpf_fd = link,
		.info.info_len = sizeof(*info),
		.info.info = (uintptr_t)info,
	};
	int ret;

	if (link < 0)
		return link;
	become();
	ret = bpf(BPF_OBJ_GET_INFO_BY_FD, &attr);
	if (ret < 0)
		return ret;
	return *addr ? ADDRESSES : NAMES;
}

static int info_perf(const char *name, const char *text)
{
	struct bpf_link_info info = {};
	int prog = nothing(0), event = open_probe(name, 0, 0);

	return tell_info(link_perf(prog, event), &info, (uint64_t *)&info.perf_event.kprobe.addr);
}

static int info_multi(const char *name, const char *text)
{
	uint64_t addrs[1] = {};
	struct bpf_link_info info = {
		.kprobe_multi.addrs = (uintptr_t)addrs,
		.kprobe_multi.count = 1,
	};

	return tell_info(link_multi(nothing(BPF_TRACE_KPROBE_MULTI), name), &info, addrs);
}

/* Ask about a perf event by process and file descriptor, which needs CAP_SYS_ADMIN. */
static int query_perf(const char *name, const char *text)
{
	int prog = nothing(0), event = open_probe(name, 0, 0);
	char symbol[128];
	union bpf_attr attr = {
		.task_fd_query.pid = getpid(),
		.task_fd_query.fd = event,
		.task_fd_query.buf_len = sizeof(symbol),
		.task_fd_query.buf = (uintptr_t)symbol,
	};
	int ret = link_perf(prog, event);

	if (ret < 0)
		return ret;
	become();
	ret = bpf(BPF_TASK_FD_QUERY, &attr);
	if (ret < 0)
		return ret;
	return attr.task_fd_query.probe_addr ? ADDRESSES : NAMES;
}

/* Attempts */

static const struct {
	const char *name;
	int (*attempt)(const char *object, const char *text);
	bool tells;		/* judge the result; otherwise it is a file descriptor */
} attempts[] = {
	{ "show", show, true }, { "read", read_file }, { "write", write_file }, { "empty", empty },
	{ "perf_func", perf_func }, { "perf_return", perf_return }, { "perf_addr", perf_addr },
	{ "perf_uprobe", perf_uprobe }, { "count_user", count_user }, { "count", count },
	{ "sample", sample }, { "bpf_load", bpf_load }, { "bpf_override", bpf_override },
	{ "bpf_read_kernel", bpf_read_kernel }, { "bpf_write_user", bpf_write_user },
	{ "bpf_perf", bpf_perf }, { "bpf_event", bpf_event }, { "bpf_multi", bpf_multi },
	{ "info_perf", info_perf, true }, { "info_multi", info_multi, true },
	{ "query_perf", query_perf, true },
};

static bool cut(char *name, const char *suffix)
{
	char *at = strstr(name, suffix);

	if (at)
		*at = '\0';
	return at;
}

static int find_attempt(char *what)
{
	size_t i;

	if (cut(what, "_opened"))
		part = OPENS;
	else if (cut(what, "_taken"))
		part = TAKES;
	for (i = 0; i < ARRAY_SIZE(attempts); i++) {
		if (!strcmp(what, attempts[i].name))
			return i;
	}
	fprintf(stderr, "no such attempt: %s\n", what);
	exit(2);
}

static const char *name_of(int result)
{
	static const char * const good[] = {
		[ADDRESSES] = "addresses", [NAMES] = "names", [NOTHING] = "nothing",
	};

	if (result < 0)
		return strerrorname_np(-result) ?: "unknown";
	return result ? good[result] : "ok";
}

/* In a child process, because rights cannot be regained. */
static bool attempt(int nr, const char *object, const char *text, char *user)
{
	int status, ret;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		fail("fork");
	if (!pid) {
		read_user(user);
		ret = attempts[nr].attempt(object, text);
		if (ret > 0 && !attempts[nr].tells)
			ret = 0;
		printf("\t%s", name_of(ret));
		fflush(stdout);
		_exit(ret < 0);
	}
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) > 1)
		exit(2);
	return !status;
}

static void undo(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_APPEND);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		fail(path);
	close(fd);
}

int main(int argc, char **argv)
{
	int nr, i;

	if (argc < 5) {
		fprintf(stderr, "usage: rights WHAT OBJECT TEXT UNDO USER...\n");
		return 2;
	}
	nr = find_attempt(argv[1]);
	for (i = 5; i < argc; i++) {
		if (!strcmp(argv[i], "-"))
			printf("\t-");
		else if (attempt(nr, argv[2], argv[3], argv[i]) && *argv[4])
			undo(argv[2], argv[4]);
	}
	puts("");
	return 0;
}
