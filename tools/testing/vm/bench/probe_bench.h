/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Declarations for the parts of the module. It only uses exports of 6.12, so
 * that it builds for any kernel of that version.
 */
#ifndef PROBE_BENCH_H
#define PROBE_BENCH_H

#include <linux/kprobes.h>
#include <linux/ktime.h>
#include <linux/timex.h>
#include <linux/types.h>

/* A non-branch that is as long as a jump, and that probes run from a copy. */
#if defined(CONFIG_X86)
#define PROBED_INSN(to, from)	"lea 0x1234567(" from "), " to
#define PROBED_LENGTH		7
#elif defined(CONFIG_ARM64)
#define PROBED_INSN(to, from)	"add " to ", " from ", #3"
#define PROBED_LENGTH		4
#else
#error "name an instruction of this architecture"
#endif

/*
 * With QEMU's -icount shift=0 an instruction takes a nanosecond, and x86-64's
 * TSC counts these.
 */
static inline u64 bench_ticks(void)
{
	return IS_ENABLED(CONFIG_X86) ? get_cycles() : ktime_get_ns();
}

/* How a probe is planted. */
enum bench_planted {
	PLANTED_NOTHING,	/* or by ftrace */
	PLANTED_BREAKPOINT,
	PLANTED_JUMP,		/* or the probed instruction is a jump */
};

/* main.c: there is one writer at a time. */

/* Addresses of functions that ftrace has, and their number. */
extern unsigned long places[];
extern unsigned int nr_places;

enum bench_planted planted_at(const void *addr);
int wait_for_jump(const void *addr);

/* Text that consists of PROBED_INSN and is not run. */
#define FIELD_INSNS	1024
void *field_insn(unsigned int i);

/* crowd.c */
#define CROWD	512	/* functions */

void *crowd_member(unsigned int i);

/* hits.c: the cost of hits. */
struct bench_row;

const struct bench_row *find_row(const char *name);
int measure_row(const struct bench_row *row, char *result, size_t size);
int call_once(const struct bench_row *row);
int list_rows(char *buf);

/* The handlers: empty. */
int bench_pre(struct kprobe *kp, struct pt_regs *regs);
int bench_return(struct kretprobe_instance *ri, struct pt_regs *regs);

/* many.c: many kprobes at a time, which are those of many[]. */
extern struct kprobe **many;
extern unsigned int nr_many;

int alloc_many(unsigned int n);
void free_many(void);
void clear_many(void);
void add_many(void *addr);
int set_many_inside(unsigned int n);
/* Measure a way to attach and detach them; -ENOENT if no way has this name. */
int measure_attach(const char *name, char *result, size_t size);

/* bytes.c: keep probes registered while the memory in use is measured. */
int hold_probes(const char *kind, unsigned int n);
void release_probes(void);
void settle_memory(void);

/* share.c: try each step'th byte from start to end. */
int measure_share(unsigned long start, unsigned long end, unsigned int step, char *result,
		  size_t size);

#endif /* PROBE_BENCH_H */
