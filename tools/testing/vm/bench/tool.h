/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Functions for the user programs. They print results as
 *
 *	row NAME COST N MISSED
 */
#ifndef TOOL_H
#define TOOL_H

#include <stdint.h>

struct bpf_insn;

#define TRACEFS		"/sys/kernel/tracing/"
#define KPROBE_EVENTS	TRACEFS "kprobe_events"
#define DYNAMIC_EVENTS	TRACEFS "dynamic_events"
#define NAME_SIZE	128
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define noinline	__attribute__((__noinline__))

/**
 * struct names - names of functions or tracepoints, from a file with one a line
 * @name: the names
 * @nr: number of names
 */
struct names {
	char (*name)[NAME_SIZE];
	unsigned int nr;
};

/* The cycle counter. With QEMU's -icount shift=0 it counts instructions. */
static inline uint64_t ticks(void)
{
#if defined(__x86_64__)
	return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
	uint64_t now, hz;

	asm volatile("isb; mrs %0, cntvct_el0; mrs %1, cntfrq_el0"
		     : "=r" (now), "=r" (hz) : : "memory");
	return now * (1000000000 / hz);
#else
#error "name the cycle counter of this architecture"
#endif
}

void die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void result(const char *name, uint64_t cost, unsigned int n, unsigned long missed);
int open_file(const char *path, int flags);
int put(int fd, const char *text);
void write_file(const char *path, int flags, const char *text);
void clear_events(const char *file);
void create_events(const char *file, char type, const char *group, const struct names *on,
		   unsigned int first, unsigned int last);
void read_names(const char *path, struct names *names, unsigned int least);
int load_program(unsigned int type, const struct bpf_insn *insns, unsigned int nr);

#endif /* TOOL_H */
