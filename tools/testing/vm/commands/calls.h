/* SPDX-License-Identifier: GPL-2.0 */
#ifndef COMMANDS_CALLS_H
#define COMMANDS_CALLS_H

#include "grammar.h"

/*
 * What fuzz_perf.c, fuzz_bpf.c and fuzz_prog.c share: arguments of system calls, and their right
 * results.
 */

#define MAX_NAME	700

/* Where a pointer of user space points to. */
enum where {
	TO_TEXT,
	TO_UNTERMINATED,	/* text whose last byte is the last one that is mapped */
	TO_NOTHING,		/* a page that cannot be read */
	TO_LOW,
	TO_KERNEL,
	TO_HOLE,		/* between user space and the kernel */
	TO_END,			/* of the address space */
	IS_NULL,
};

enum sort {
	FINE,			/* can be probed */
	EMPTY,
	MISSING,
	REFUSED,		/* exists and cannot be probed */
	TOO_LONG,
	CHANGED,		/* some bytes are random */
};

/* The name of a symbol, and a pointer to it. */
struct name {
	enum where where;
	enum sort sort;
	char s[MAX_NAME];
};

/* A symbol's address plus offset; without a symbol, the offset. */
struct address {
	const char *symbol;
	uint64_t offset;
	enum sort sort;
};

#define MAX_ERRNOS	24

/* What a system call may return. */
struct verdict {
	bool must_fail;
	int count;
	int errnos[MAX_ERRNOS];
};

/* Add errnos, which end with 0. Without any the call must succeed. */
void must_fail(struct verdict *v, ...);
void may_fail(struct verdict *v, ...);

/* Print what is wrong if @ret does not fit; @what names the call. */
void judge(const struct verdict *v, const char *what, long ret);

/* The same if there is one right answer: success, or the errno @err. */
void expect_errno(const char *what, long ret, int err);

/* The result of a system call as a file descriptor, number or negative errno. */
long call_result(long ret);

void make_name(struct maker *g, struct name *n);
void make_address(struct maker *g, struct address *a);

/* The name of a function other than @name. */
const char *next_fine(const char *name);

void print_name(const struct name *n);
void print_address(const struct address *a);

/* Add to @v what a call does with such a pointer. */
void pointer_verdict(struct verdict *v, enum where where);

enum where make_where(struct maker *g, int percent_bad);
const char *name_of_where(enum where where);

/* Put @len bytes into the memory of @slot. Returns the pointer to give to the kernel. */
uint64_t place(int slot, enum where where, const void *data, size_t len);
uint64_t place_name(int slot, const struct name *n);
uint64_t value_of(const struct address *a);

/* Programs for BPF; see calls.c. */
enum program {
	OF_PERF, OF_MULTI, OF_SESSION, OF_OVERRIDE, OF_OVERRIDE_MULTI, OF_TRACEPOINT, PROGRAMS
};

int program_fd(enum program p);
long bpf_call(int cmd, const void *attr, size_t size);

/* Open files, load programs, and look up addresses. */
void prepare_calls(void);

/* Make system calls that hit some of the functions; see fuzz.c. */
void do_something(void);

/* Examples of calls. Each prints its result word, and what is wrong. */
void fuzz_perf(uint64_t seed, uint32_t number);
void fuzz_bpf(uint64_t seed, uint32_t number);
void fuzz_prog(uint64_t seed, uint32_t number);
void print_perf(uint64_t seed, uint32_t number);
void print_bpf(uint64_t seed, uint32_t number);
void print_prog(uint64_t seed, uint32_t number);

#endif
