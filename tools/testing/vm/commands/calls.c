// SPDX-License-Identifier: GPL-2.0
/*
 * Arguments of system calls for the fuzzers: names, addresses and pointers, many of which are
 * bad, and what the kernel has to say about them. Addresses of functions differ between boots, so
 * an example has names, and becomes addresses only when it runs.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "calls.h"
#include "files.h"

#define SLOTS		32
#define SLOT_SIZE	16384
#define PAGE		4096

static const char *const fine[] = {
	"vfs_read", "vfs_write", "vfs_open", "do_filp_open", "do_sys_openat2", "vfs_statx",
	"kernel_clone", "vfs_fsync_range",
};

static const char *const missing[] = {
	"nosuch", "VFS_READ", "vfs_read ", " vfs_read", "vfs-read", "vfs_read+1", "vfs_read\n",
	"vfs_rea", "1", "0x1000", "*", "vfs_*", "nosuchmod:vfs_read", ":", ":vfs_read", "vfs_read:",
	"a:b:c", "%s%n", "\xff\xfe", "$arg1", "/", "vfs_read,vfs_write", "-", "+0",
};

/* Data, a name that several functions have, and functions that a hit runs. */
static const char *const refused[] = { "jiffies", "init_task", "c_start", "get_kprobe" };

/* Verdicts */

static void add_errnos(struct verdict *v, va_list list)
{
	for (int e; (e = va_arg(list, int)); )
		if (v->count < MAX_ERRNOS)
			v->errnos[v->count++] = e;
}

void must_fail(struct verdict *v, ...)
{
	va_list list;

	va_start(list, v);
	v->must_fail = true;
	add_errnos(v, list);
	va_end(list);
}

void may_fail(struct verdict *v, ...)
{
	va_list list;

	va_start(list, v);
	add_errnos(v, list);
	va_end(list);
}

void judge(const struct verdict *v, const char *what, long ret)
{
	if (ret >= 0) {
		if (v->must_fail)
			printf(" %s is accepted", what);
		return;
	}
	for (int i = 0; i < v->count; i++)
		if (v->errnos[i] == -ret)
			return;
	printf(" %s fails: %s", what, strerrorname_np(-ret) ?: "?");
	if (!v->must_fail && !v->count)
		printf(", and nothing is wrong with it");
}

void expect_errno(const char *what, long ret, int err)
{
	if (ret >= 0 ? !!err : -ret != err)
		printf(" %s returns %ld, not %d", what, ret, -err);
}

long call_result(long ret)
{
	return ret < 0 ? -errno : ret;
}

/* Pointers */

static const char *const wheres[] = {
	[TO_TEXT] = "", [TO_UNTERMINATED] = "unterminated ", [TO_NOTHING] = "unmapped ",
	[TO_LOW] = "8 ", [TO_KERNEL] = "kernel ", [TO_HOLE] = "noncanonical ", [TO_END] = "-1 ",
	[IS_NULL] = "NULL ",
};

const char *name_of_where(enum where where)
{
	return wheres[where];
}

enum where make_where(struct maker *g, int percent_bad)
{
	return chance(g, percent_bad) ? TO_UNTERMINATED + below(g, COUNT(wheres) - 1) : TO_TEXT;
}

void pointer_verdict(struct verdict *v, enum where where)
{
	if (where != TO_TEXT && where != IS_NULL)
		must_fail(v, EFAULT, 0);
}

/* Each slot ends where memory that cannot be read begins. */
static char *slot_of(int slot)
{
	static char *memory;
	size_t stride = SLOT_SIZE + PAGE;

	if (!memory) {
		memory = mmap(NULL, SLOTS * stride, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (memory == MAP_FAILED)
			err(1, "mmap");
		for (int i = 0; i < SLOTS; i++)
			mprotect(memory + i * stride, SLOT_SIZE, PROT_READ | PROT_WRITE);
	}
	return memory + slot % SLOTS * stride;
}

uint64_t place(int slot, enum where where, const void *data, size_t len)
{
	char *start = slot_of(slot), *end = start + SLOT_SIZE;

	switch (where) {
	case TO_TEXT:
		memset(start, 0, SLOT_SIZE);
		memcpy(start, data, len);
		return (uintptr_t)start;
	case TO_UNTERMINATED:
		memcpy(end - len, data, len);
		return (uintptr_t)end - len;
	case TO_NOTHING:
		return (uintptr_t)end;
	case TO_LOW:
		return 8;
	case TO_KERNEL:
		return 0xffff888000001000;
	case TO_HOLE:
		return 0x8000000000000008;
	case TO_END:
		return UINT64_MAX;
	default:
		return 0;
	}
}

/* Names and addresses */

static void spoil_name(struct maker *g, struct name *n)
{
	size_t len = strlen(n->s);

	for (int i = 1 + below(g, 4); i; i--)
		n->s[below(g, len)] = 1 + below(g, 255);
	if (chance(g, 20))
		memcpy(n->s + len, ":x+8", 5);
	n->sort = CHANGED;
}

void make_name(struct maker *g, struct name *n)
{
	unsigned int way = below(g, 100);
	const char *s = PICK(g, fine);

	*n = (struct name){ .where = make_where(g, 12), .sort = FINE };
	if (way >= 55 && way < 60) {
		n->sort = EMPTY;
		s = "";
	} else if (way >= 60 && way < 75) {
		n->sort = MISSING;
		s = PICK(g, missing);
	} else if (way >= 75 && way < 85) {
		n->sort = REFUSED;
		s = PICK(g, refused);
	}
	snprintf(n->s, sizeof(n->s), "%s", s);
	if (way >= 85 && way < 90) {
		/* With the zero, 512 bytes are the longest name. */
		size_t len = 505 + below(g, 14);

		n->sort = len > 511 ? TOO_LONG : MISSING;
		memset(n->s, 'a', len);
		if (chance(g, 30))
			memcpy(n->s, "mod:", 4);
	} else if (way >= 90) {
		spoil_name(g, n);
	}
	/* Text without an end has to be shorter than what is copied of it. */
	if (n->where == TO_UNTERMINATED && n->sort == TOO_LONG)
		n->where = TO_TEXT;
}

const char *next_fine(const char *name)
{
	for (size_t i = 0; i < COUNT(fine) - 1; i++)
		if (!strcmp(fine[i], name))
			return fine[i + 1];
	return fine[0];
}

uint64_t place_name(int slot, const struct name *n)
{
	return place(slot, n->where, n->s, strlen(n->s));
}

void make_address(struct maker *g, struct address *a)
{
	static const uint64_t odd[] = {
		0, 1, 8, 0x1000, 0x400000, 0x7fffffffffff, 0x8000000000000000, 0xffff888000001000,
		0xfffffffffffff000, UINT64_MAX,
	};
	unsigned int way = below(g, 100);

	*a = (struct address){ .symbol = PICK(g, fine), .sort = FINE };
	if (way >= 60 && way < 75) {
		/* In the first instruction. */
		a->offset = 1 + below(g, 3);
		a->sort = REFUSED;
	} else if (way >= 75 && way < 85) {
		a->symbol = chance(g, 50) ? "init_task" : "jiffies";
		a->sort = REFUSED;
	} else if (way >= 85) {
		a->symbol = NULL;
		a->offset = PICK(g, odd);
		a->sort = REFUSED;
	}
}

static uint64_t address_of(const char *symbol)
{
	static struct { const char *symbol; uint64_t at; } known[16];
	char line[1024], name[512];
	unsigned long long at;
	size_t i;
	FILE *f;

	for (i = 0; i < COUNT(known) - 1 && known[i].symbol; i++)
		if (!strcmp(known[i].symbol, symbol))
			return known[i].at;
	f = fopen("/proc/kallsyms", "r");
	while (f && fgets(line, sizeof(line), f) && !known[i].symbol) {
		if (sscanf(line, "%llx %*c %511s", &at, name) != 2 || strcmp(name, symbol))
			continue;
		known[i].symbol = symbol;
		known[i].at = at;
	}
	if (f)
		fclose(f);
	if (!known[i].at)
		errx(1, "/proc/kallsyms does not have %s", symbol);
	return known[i].at;
}

uint64_t value_of(const struct address *a)
{
	return (a->symbol ? address_of(a->symbol) : 0) + a->offset;
}

void print_name(const struct name *n)
{
	printf("%s", wheres[n->where]);
	if (n->where > TO_UNTERMINATED)
		return;
	putchar('"');
	for (const unsigned char *s = (const void *)n->s; *s; s++) {
		if (*s < ' ' || *s > '~')
			printf("\\x%02x", *s);
		else
			putchar(*s);
	}
	putchar('"');
}

void print_address(const struct address *a)
{
	printf("%s+%#llx", a->symbol ?: "", (unsigned long long)a->offset);
}

/* BPF */

static int programs[PROGRAMS];

long bpf_call(int cmd, const void *attr, size_t size)
{
	return call_result(syscall(__NR_bpf, cmd, attr, size));
}

#define INSN(c, d, s, i) { .code = (c), .dst_reg = (d), .src_reg = (s), .imm = (i) }

static int load_program(enum program p)
{
	/* Hosts with old headers do not have BPF_TRACE_KPROBE_SESSION. */
	static const int attach[PROGRAMS] = { [OF_MULTI] = BPF_TRACE_KPROBE_MULTI,
					      [OF_OVERRIDE_MULTI] = BPF_TRACE_KPROBE_MULTI,
					      [OF_SESSION] = 56 };
	struct bpf_insn insns[] = {
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 2, 0, -1),
		INSN(BPF_JMP | BPF_CALL, 0, 0, BPF_FUNC_override_return),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, p == OF_PERF),
		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0),
	};
	int skip = p == OF_OVERRIDE || p == OF_OVERRIDE_MULTI ? 0 : 2;
	union bpf_attr attr = {
		.prog_type = p == OF_TRACEPOINT ? BPF_PROG_TYPE_TRACEPOINT : BPF_PROG_TYPE_KPROBE,
		.expected_attach_type = attach[p],
		.insns = (uintptr_t)(insns + skip),
		.insn_cnt = COUNT(insns) - skip,
		.license = (uintptr_t)"GPL",
	};

	return bpf_call(BPF_PROG_LOAD, &attr, sizeof(attr));
}

/* Without CONFIG_BPF_KPROBE_OVERRIDE it is negative for programs that override. */
int program_fd(enum program p)
{
	return programs[p];
}

void prepare_calls(void)
{
	for (int p = 0; p < PROGRAMS; p++) {
		programs[p] = load_program(p);
		if (programs[p] < 0 && p != OF_OVERRIDE && p != OF_OVERRIDE_MULTI)
			errx(1, "program %d is not loaded: %s", p, strerror(-programs[p]));
	}
}
