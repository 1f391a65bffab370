// SPDX-License-Identifier: GPL-2.0
/*
 * Load BPF programs of the types that attach to probes with attributes that follow from a seed,
 * many of them bad, and attach them to perf events; see fuzz_attach.c. What a call may answer is
 * known before, by kernel/bpf/syscall.c and verifier.c. Words are those of fuzz.c.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "attach.h"

#define KERNEL_SIZE	148	/* of the attributes of BPF_PROG_LOAD in 6.12, to prog_token_fd */
#define UNION_SIZE	152	/* union bpf_attr of 6.12 */
#define ATTR_SIZE	256	/* what is there */
#define MAX_INSNS	2048	/* all of a slot */
#define MOST_INSNS	1000000
#define NO_FD		9999
#define KPROBE_SESSION	56	/* old headers do not have it */
#define SLEEPABLE	(1 << 4)
#define TOKEN_FD	(1 << 16)
#define KNOWN_FLAGS	(0xff | TOKEN_FD)
#define LEVELS		7	/* those bits of log_level with which a valid program has a log */
#define ALL_LEVELS	15
#define LONG_LICENSE	200	/* the kernel reads 127 bytes */

enum { ATTR_SLOT, INSNS_SLOT, LICENSE_SLOT, LOG_SLOT, FDS_SLOT };

enum code {
	ZERO, ONE, TWO, LONG, GPL_HELPER, READ_CTX, MAP_BY_INDEX,
	/* These are refused. */
	NO_EXIT, NO_RESULT, NO_INSN, NO_HELPER, READ_PAST_CTX, WRITE_CTX, ENDLESS, CODES
};

static const char *const code_names[CODES] = {
	"return 0", "return 1", "return 2", "2048 instructions", "helper for GPL", "read ctx",
	"map by index", "no exit", "no result", "no instruction", "no helper", "read past ctx",
	"write ctx", "endless",
};

enum fds { MAP, NO_MAP, NO_FILE };

/* A file descriptor among the attributes. */
enum fd_sort { ABSENT, NOT_OPEN, OTHER_FILE };

struct prog_example {
	enum where where;		/* the attributes */
	uint32_t size;
	int tail;			/* offset of a byte behind the known fields; 0: none */
	uint32_t type, attach_type;
	enum code code;
	enum where insns, license, log, fd_array;
	bool odd_cnt;
	uint32_t cnt;			/* if odd_cnt, instead of that of the code */
	const char *license_text;
	uint32_t level, log_size, flags;
	const char *name;
	uint32_t btf_id, ifindex;
	enum fd_sort target, btf, token;
	enum fds fds;
	struct attach attach;
};

/* Making */

static void make_code(struct maker *g, struct prog_example *e)
{
	static const uint32_t counts[] = {
		0, 0, 1, 3, 100, MAX_INSNS, MAX_INSNS + 1, 4096, MOST_INSNS, MOST_INSNS + 1,
		0x7fffffff, 0xffffffff,
	};
	static const char *const licenses[] = { "", "Proprietary", "GPL v2", "gpl", "GPL\n", "x" };
	static char long_license[LONG_LICENSE + 1];

	memset(long_license, 'G', LONG_LICENSE);
	e->code = chance(g, 75) ? below(g, NO_EXIT) : below(g, CODES);
	e->odd_cnt = chance(g, 10);
	e->cnt = e->odd_cnt ? PICK(g, counts) : 0;
	e->insns = make_where(g, 4);
	e->license = make_where(g, 6);
	e->license_text = chance(g, 75) ? "GPL" : chance(g, 80) ? PICK(g, licenses) : long_license;
	e->fds = chance(g, 60) ? MAP : below(g, 3);
	e->fd_array = e->code == MAP_BY_INDEX || chance(g, 10) ? make_where(g, 20) : IS_NULL;
}

static void make_log(struct maker *g, struct prog_example *e)
{
	static const uint32_t sizes[] = {
		0, 1, 8, 64, 256, 4096, 16384, 0x3fffffff, 0x40000000, 0xffffffff,
	};

	e->log = IS_NULL;
	if (!chance(g, 30))
		return;
	e->log = chance(g, 90) ? make_where(g, 20) : IS_NULL;
	e->level = chance(g, 85) ? 1 + below(g, ALL_LEVELS) :
		   chance(g, 50) ? 0 : 1u << below(g, 32);
	e->log_size = chance(g, 60) ? 16384 : PICK(g, sizes);
}

static enum fd_sort make_fd(struct maker *g)
{
	return chance(g, 96) ? ABSENT : NOT_OPEN + below(g, 2);
}

static void make_prog(struct prog_example *e, uint64_t seed, uint32_t number)
{
	static const uint32_t sizes[] = {
		0, 1, 8, 24, 48, 68, 72, 116, 128, 144, 147, 149, 152, 153, 200, 256, 4096, 4097,
		0x80000000,
	};
	static const uint32_t types[] = {
		BPF_PROG_TYPE_TRACEPOINT, BPF_PROG_TYPE_TRACEPOINT, BPF_PROG_TYPE_RAW_TRACEPOINT,
		BPF_PROG_TYPE_PERF_EVENT, BPF_PROG_TYPE_PERF_EVENT, BPF_PROG_TYPE_UNSPEC, 200,
		0xffffffff,
	};
	static const uint32_t attach_types[] = { 0, 0, BPF_TRACE_KPROBE_MULTI, KPROBE_SESSION };
	static const char *const names[] = {
		"", "probe", "a.b_c9", "123456789012345", "1234567890123456", "a b", "\xff",
		"a\x80", "-",
	};
	struct maker maker = { .state = mixed(seed ^ mixed(number + 1) ^ 7) }, *g = &maker;

	*e = (struct prog_example){
		.where = make_where(g, 3),
		.size = chance(g, 92) ? KERNEL_SIZE : PICK(g, sizes),
		.tail = chance(g, 95) ? 0 : KERNEL_SIZE + below(g, ATTR_SIZE - KERNEL_SIZE),
		.type = chance(g, 85) ? BPF_PROG_TYPE_KPROBE : PICK(g, types),
		.attach_type = chance(g, 85) ? PICK(g, attach_types) : chance(g, 80) ?
			       below(g, 70) : 0xffffffff,
		.flags = chance(g, 75) ? 0 : chance(g, 40) ? SLEEPABLE : 1u << below(g, 32),
		.name = chance(g, 80) ? "" : PICK(g, names),
		.btf_id = chance(g, 95) ? 0 : chance(g, 50) ? 1 : 0xffffffff,
		.ifindex = chance(g, 97) ? 0 : 1,
		.target = make_fd(g), .btf = make_fd(g), .token = make_fd(g),
	};
	make_code(g, e);
	make_log(g, e);
	make_attach(g, &e->attach, e->type);
}

void print_prog(uint64_t seed, uint32_t number)
{
	static const char *const sorts[] = { "none", "not open", "of another file" };
	static struct prog_example e;

	make_prog(&e, seed, number);
	printf("BPF_PROG_LOAD(%sattr, size %u, tail at %d): type %u for %u, %s%s, ",
	       name_of_where(e.where), e.size, e.tail, e.type, e.attach_type,
	       name_of_where(e.insns), code_names[e.code]);
	if (e.odd_cnt)
		printf("count %u, ", e.cnt);
	printf("%slicense of %zu \"%.4s\", flags %#x, name of %zu, btf id %u, ifindex %u, ",
	       name_of_where(e.license), strlen(e.license_text), e.license_text, e.flags,
	       strlen(e.name), e.btf_id, e.ifindex);
	printf("%slog of %u, level %u, %sfd_array %d, ", name_of_where(e.log), e.log_size,
	       e.level, name_of_where(e.fd_array), e.fds);
	printf("fds: target %s, btf %s, token %s\n", sorts[e.target], sorts[e.btf],
	       sorts[e.token]);
	print_attach(&e.attach);
}

/* The attributes. Old headers have fewer than the kernel, so some have their offset here. */

enum { TOKEN_OFFSET = 144 };

#define INSN(c, d, s, o, i) { .code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i) }
#define RETURN(i) INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, i)
#define EXIT INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)
#define READ(o) INSN(BPF_LDX | BPF_MEM | BPF_DW, 2, 1, o, 0)
#define CALL(f) INSN(BPF_JMP | BPF_CALL, 0, 0, 0, f)

/* Returns how many instructions. */
static uint32_t put_code(struct bpf_insn *to, enum code code)
{
	static const struct { uint32_t count; struct bpf_insn insns[4]; } codes[CODES] = {
		[ZERO] = { 2, { RETURN(0), EXIT } },
		[ONE] = { 2, { RETURN(1), EXIT } },
		[TWO] = { 2, { RETURN(2), EXIT } },
		[GPL_HELPER] = { 3, { CALL(BPF_FUNC_get_current_task), RETURN(1), EXIT } },
		[READ_CTX] = { 3, { READ(0), RETURN(1), EXIT } },
		[MAP_BY_INDEX] = { 4, { INSN(BPF_LD | BPF_IMM | BPF_DW, 2, 5, 0, 0), {},
					RETURN(1), EXIT } },
		[NO_EXIT] = { 1, { RETURN(0) } },
		[NO_RESULT] = { 1, { EXIT } },
		[NO_INSN] = { 3, { INSN(0xff, 0, 0, 0, 0), RETURN(0), EXIT } },
		[NO_HELPER] = { 3, { CALL(0x7fffff), RETURN(0), EXIT } },
		[READ_PAST_CTX] = { 3, { READ(0x7ff8), RETURN(0), EXIT } },
		[WRITE_CTX] = { 3, { INSN(BPF_ST | BPF_MEM | BPF_DW, 1, 0, 0, 0), RETURN(0),
				     EXIT } },
		[ENDLESS] = { 3, { RETURN(0), INSN(BPF_JMP | BPF_JA, 0, 0, -1, 0), EXIT } },
	};

	memcpy(to, codes[code].insns, codes[code].count * sizeof(*to));
	if (code != LONG)
		return codes[code].count;
	for (int i = 0; i < MAX_INSNS - 1; i++)
		to[i] = codes[ONE].insns[0];
	to[MAX_INSNS - 1] = codes[ONE].insns[1];
	return MAX_INSNS;
}

static int fd_of(enum fd_sort sort)
{
	return sort == ABSENT ? 0 : sort == NOT_OPEN ? NO_FD : STDERR_FILENO;
}

/* An array map that lives as long as the process. */
static int map_fd(void)
{
	static int fd;
	union bpf_attr attr = { .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8,
				.max_entries = 1 };

	if (!fd)
		fd = bpf_call(BPF_MAP_CREATE, &attr, sizeof(attr));
	if (fd < 0)
		printf(" no map: %s", strerrorname_np(-fd));
	return fd;
}

/* Put the memory that the attributes point to into place, and the attributes into @raw. */
static void put_attributes(const struct prog_example *e, char *raw)
{
	static struct bpf_insn insns[MAX_INSNS];
	static const char zeros[16384];
	uint32_t count = put_code(insns, e->code);
	int fds[] = { e->fds == MAP ? map_fd() : e->fds == NO_MAP ? STDERR_FILENO : NO_FD };
	int token = fd_of(e->token);
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = e->type;
	attr.expected_attach_type = e->attach_type;
	attr.insn_cnt = e->odd_cnt ? e->cnt : count;
	attr.insns = place(INSNS_SLOT, e->insns, insns, count * sizeof(*insns));
	attr.license = place(LICENSE_SLOT, e->license, e->license_text, strlen(e->license_text));
	attr.log_level = e->level;
	attr.log_size = e->log_size;
	attr.log_buf = place(LOG_SLOT, e->log, zeros, e->log == TO_TEXT ? sizeof(zeros) : 64);
	attr.prog_flags = e->flags;
	memcpy(attr.prog_name, e->name, strnlen(e->name, sizeof(attr.prog_name)));
	attr.prog_ifindex = e->ifindex;
	attr.attach_btf_id = e->btf_id;
	attr.attach_prog_fd = fd_of(e->target);
	attr.prog_btf_fd = fd_of(e->btf);
	attr.func_info_cnt = e->btf != ABSENT;
	attr.fd_array = place(FDS_SLOT, e->fd_array, fds, sizeof(fds));
	memset(raw, 0, ATTR_SIZE);
	memcpy(raw, &attr, sizeof(attr) < KERNEL_SIZE ? sizeof(attr) : KERNEL_SIZE);
	memcpy(raw + TOKEN_OFFSET, &token, sizeof(token));
	if (e->tail)
		raw[e->tail] = 1;
}

/* What is right. @a: the attributes as the kernel sees them, without what a short size cuts. */

static void code_verdict(struct verdict *v, const struct prog_example *e,
			 const union bpf_attr *a, uint32_t count)
{
	bool session = a->prog_type == BPF_PROG_TYPE_KPROBE &&
		       a->expected_attach_type == KPROBE_SESSION;

	if (!a->insn_cnt || a->insn_cnt > MOST_INSNS)
		must_fail(v, E2BIG, 0);
	if (e->insns > TO_UNTERMINATED)
		must_fail(v, EFAULT, 0);
	if (a->insn_cnt > MAX_INSNS || (e->insns == TO_UNTERMINATED && a->insn_cnt > count))
		must_fail(v, EFAULT, E2BIG, 0);
	/* Too few end without an exit, or are a program that returns nothing. */
	if (a->insn_cnt != count)
		must_fail(v, EINVAL, EACCES, 0);
	if (e->code == NO_EXIT || e->code == NO_INSN || e->code == NO_HELPER || e->code == ENDLESS)
		must_fail(v, EINVAL, 0);
	if (e->code == NO_RESULT || e->code == READ_PAST_CTX || e->code == WRITE_CTX)
		must_fail(v, EACCES, 0);
	if (e->code == READ_CTX && a->prog_type == BPF_PROG_TYPE_TRACEPOINT)
		must_fail(v, EACCES, 0);
	if (session && e->code == TWO)
		must_fail(v, EINVAL, 0);
	if (e->code == GPL_HELPER && strcmp(e->license_text, "GPL") &&
	    strcmp(e->license_text, "GPL v2"))
		must_fail(v, EINVAL, 0);
	if (e->code != MAP_BY_INDEX)
		return;
	if (!a->fd_array)
		must_fail(v, EPROTO, 0);
	else if (e->fd_array > TO_UNTERMINATED)
		must_fail(v, EFAULT, 0);
	else if (e->fds != MAP)
		must_fail(v, e->fds == NO_MAP ? EINVAL : EBADF, 0);
}

static void log_verdict(struct verdict *v, const struct prog_example *e, const union bpf_attr *a)
{
	if (!!a->log_buf != !!a->log_size || (a->log_buf && !a->log_level) ||
	    a->log_level & ~ALL_LEVELS || a->log_size > UINT32_MAX >> 2) {
		must_fail(v, EINVAL, 0);
		return;
	}
	if (!a->log_buf)
		return;
	if (e->log > TO_UNTERMINATED && a->log_level & LEVELS)
		must_fail(v, EFAULT, 0);
	else if (a->log_size < 32 && a->log_level & LEVELS)
		must_fail(v, ENOSPC, 0);
	/* Some logs fit into these, and with only BPF_LOG_FIXED there is one only for an error. */
	may_fail(v, EFAULT, ENOSPC, 0);
}

static void fd_verdict(struct verdict *v, const union bpf_attr *a)
{
	/* These types attach to no function by BTF, and to no program. */
	if (a->attach_btf_id || a->attach_prog_fd)
		must_fail(v, EINVAL, 0);
	if (a->prog_ifindex)
		must_fail(v, EINVAL, EOPNOTSUPP, 0);
	if (a->func_info_cnt)
		must_fail(v, EBADF, EINVAL, 0);
}

static void size_verdict(struct verdict *v, const struct prog_example *e)
{
	if (e->size > 4096)
		must_fail(v, E2BIG, 0);
	else if (e->where > TO_UNTERMINATED || (e->where != TO_TEXT && e->size > ATTR_SIZE))
		must_fail(v, EFAULT, 0);
	if (e->tail && (uint32_t)e->tail < e->size)
		must_fail(v, e->tail < UNION_SIZE ? EINVAL : E2BIG, 0);
}

static bool is_name(const char *s, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (!s[i])
			return true;
		/* The kernel's letters are those of Latin-1. */
		if (!isalnum((unsigned char)s[i]) && !strchr("._\xff", s[i]))
			return false;
	}
	return false;
}

static void verdict_of(struct verdict *v, const struct prog_example *e, const char *raw)
{
	static struct bpf_insn insns[MAX_INSNS];
	const char *license = e->license_text;
	union bpf_attr attr, *a = &attr;

	memset(a, 0, sizeof(*a));
	memcpy(a, raw, e->size < sizeof(*a) ? e->size : sizeof(*a));
	size_verdict(v, e);
	code_verdict(v, e, a, put_code(insns, e->code));
	log_verdict(v, e, a);
	fd_verdict(v, a);
	/* It reads 127 bytes, and has to find a zero before. */
	if (!a->license || e->license > TO_UNTERMINATED ||
	    (e->license == TO_UNTERMINATED && strlen(license) < 127))
		must_fail(v, EFAULT, 0);
	if (a->prog_type == BPF_PROG_TYPE_UNSPEC || a->prog_type >= 200)
		must_fail(v, EINVAL, 0);
	if (a->prog_flags & ~KNOWN_FLAGS)
		must_fail(v, EINVAL, 0);
	if (a->prog_flags & SLEEPABLE && a->prog_type != BPF_PROG_TYPE_KPROBE)
		must_fail(v, EINVAL, 0);
	if (a->prog_flags & TOKEN_FD)
		must_fail(v, EBADF, EINVAL, 0);
	if (!is_name(a->prog_name, sizeof(a->prog_name)))
		must_fail(v, EINVAL, 0);
}

/* Doing */

void fuzz_prog(uint64_t seed, uint32_t number)
{
	static struct prog_example e;
	char raw[ATTR_SIZE];
	struct verdict v = {};
	uint64_t at;
	long fd;

	make_prog(&e, seed, number);
	put_attributes(&e, raw);
	verdict_of(&v, &e, raw);
	at = place(ATTR_SLOT, e.where, raw, sizeof(raw));
	fd = bpf_call(BPF_PROG_LOAD, (void *)(uintptr_t)at, e.size);
	printf(fd < 0 ? " refused" : " hit");
	judge(&v, "BPF_PROG_LOAD", fd);
	if (fd >= 0) {
		struct loaded loaded = {
			.fd = fd, .type = e.type,
			/* Of what programs return, bit 0 counts. */
			.silent = e.code == ZERO || e.code == TWO,
			/* A short size cuts the flags. */
			.sleepable = e.size >= 48 && e.flags & SLEEPABLE,
		};

		do_attach(&e.attach, &loaded);
	}
	check_programs();
}
