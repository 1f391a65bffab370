// SPDX-License-Identifier: GPL-2.0-only
/*
 * Measure what hits cost, with empty handlers.
 */
#include <linux/compiler.h>
#include <linux/fprobe.h>
#include <linux/fs.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/moduleparam.h>
#include <linux/objtool.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "probe_bench.h"

static unsigned int hits = 2000;
module_param(hits, uint, 0644);
MODULE_PARM_DESC(hits, "calls that are measured");

static unsigned int warmup = 200;
module_param(warmup, uint, 0644);
MODULE_PARM_DESC(warmup, "calls before those");

/* The functions that are probed. */

static noinline __noclone unsigned long
probe_bench_target(unsigned long a, unsigned long b, unsigned long c, unsigned long d)
{
	unsigned long x = a + b;

	OPTIMIZER_HIDE_VAR(x);
	return x + (c ^ d);
}

/* Defined below, in the data section: where PROBED_INSN is. */
extern unsigned long probe_bench_insn;

static noinline __noclone unsigned long
probe_bench_inside(unsigned long a, unsigned long b, unsigned long c, unsigned long d)
{
	unsigned long x;

	asm volatile(ANNOTATE_NOENDBR "\n"
		     "1:	" PROBED_INSN("%0", "%1") "\n"
		     "	.pushsection .data, \"aw\"\n"
		     "	.balign 8\n"
		     "probe_bench_insn:\n"
		     "	.quad 1b\n"
		     "	.popsection"
		     : "=r" (x) : "r" (a));
	return x + b + (c ^ d);
}

#define NO_SUCH_FILE	"/tmp/trace_bench/no_such_file"

/* A debugger follows this, to find what events on do_filp_open() add. */
static noinline __noclone unsigned long
probe_bench_open(unsigned long a, unsigned long b, unsigned long c, unsigned long d)
{
	return (unsigned long)filp_open(NO_SUCH_FILE, O_RDONLY, 0);
}

/* The handlers, which are empty. */

static int bench_entry(struct fprobe *fp, unsigned long entry_ip, unsigned long ret_ip,
		       struct pt_regs *regs, void *data)
{
	return 0;
}

static void bench_exit(struct fprobe *fp, unsigned long entry_ip, unsigned long ret_ip,
		       struct pt_regs *regs, void *data)
{
}

int bench_pre(struct kprobe *kp, struct pt_regs *regs)
{
	return 0;
}

static void bench_post(struct kprobe *kp, struct pt_regs *regs, unsigned long flags)
{
}

int bench_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	return 0;
}

/* The probes. */

static struct fprobe bench_fp[2];
static struct kretprobe bench_rp;
static struct kprobe bench_kp;

static const char bench_symbol[] = "probe_bench_target";

static void init_fprobe(struct fprobe *fp, bool exit)
{
	memset(fp, 0, sizeof(*fp));
	fp->entry_handler = bench_entry;
	fp->exit_handler = exit ? bench_exit : NULL;
}

static int set_fprobe(struct fprobe *fp, bool exit)
{
	const char *sym = bench_symbol;

	init_fprobe(fp, exit);
	return register_fprobe_syms(fp, &sym, 1);
}

static int set_entry(void)
{
	return set_fprobe(&bench_fp[0], false);
}

static int set_exit(void)
{
	return set_fprobe(&bench_fp[0], true);
}

/* Stock fprobes cannot ask for arguments only. */
#ifndef FPROBE_FL_ARGS
#define FPROBE_FL_ARGS	0
#endif

static int set_args(bool exit)
{
	const char *sym = bench_symbol;

	init_fprobe(&bench_fp[0], exit);
	bench_fp[0].flags = FPROBE_FL_ARGS;
	return register_fprobe_syms(&bench_fp[0], &sym, 1);
}

static int set_entry_args(void)
{
	return set_args(false);
}

static int set_exit_args(void)
{
	return set_args(true);
}

/* Register an fprobe on two thousand functions, our target among them. */
static int set_many(void)
{
	init_fprobe(&bench_fp[0], false);
	return register_fprobe(&bench_fp[0], "p*", NULL);
}

static unsigned long clear_fprobe(void)
{
	unregister_fprobe(&bench_fp[0]);
	return bench_fp[0].nmissed;
}

static int set_kretprobe(void)
{
	memset(&bench_rp, 0, sizeof(bench_rp));
	bench_rp.handler = bench_return;
	bench_rp.kp.symbol_name = bench_symbol;
	return register_kretprobe(&bench_rp);
}

static unsigned long clear_kretprobe(void)
{
	unregister_kretprobe(&bench_rp);
	return bench_rp.nmissed + bench_rp.kp.nmissed;
}

static int set_kprobe(void)
{
	memset(&bench_kp, 0, sizeof(bench_kp));
	bench_kp.pre_handler = bench_pre;
	bench_kp.symbol_name = bench_symbol;
	return register_kprobe(&bench_kp);
}

static int set_handlers_inside(kprobe_post_handler_t post)
{
	memset(&bench_kp, 0, sizeof(bench_kp));
	bench_kp.pre_handler = bench_pre;
	bench_kp.post_handler = post;
	bench_kp.addr = (kprobe_opcode_t *)probe_bench_insn;
	return register_kprobe(&bench_kp);
}

static int set_inside(void)
{
	return set_handlers_inside(NULL);
}

static int set_post(void)
{
	return set_handlers_inside(bench_post);
}

static unsigned long clear_kprobe(void)
{
	unregister_kprobe(&bench_kp);
	return bench_kp.nmissed;
}

static int set_shared(void)
{
	int ret;

	ret = set_fprobe(&bench_fp[0], true);
	if (ret)
		return ret;
	ret = set_fprobe(&bench_fp[1], true);
	if (ret)
		goto first;
	ret = set_kretprobe();
	if (ret)
		goto second;
	return 0;

second:
	unregister_fprobe(&bench_fp[1]);
first:
	unregister_fprobe(&bench_fp[0]);
	return ret;
}

static unsigned long clear_shared(void)
{
	unsigned long missed = clear_kretprobe();

	unregister_fprobe(&bench_fp[1]);
	return missed + bench_fp[1].nmissed + clear_fprobe();
}

static int set_inside_among(unsigned int n)
{
	int ret;

	ret = set_many_inside(n);
	if (ret)
		return ret;
	ret = set_inside();
	if (ret)
		clear_many();
	return ret;
}

static int set_inside_512(void)
{
	return set_inside_among(512);
}

static int set_inside_4000(void)
{
	return set_inside_among(4000);
}

static int set_inside_50000(void)
{
	return set_inside_among(50000);
}

static unsigned long clear_inside_among(void)
{
	unsigned long missed = clear_kprobe();

	clear_many();
	return missed;
}

static int and_wait_for_jump(int ret)
{
	if (ret)
		return ret;
	ret = wait_for_jump(bench_kp.addr);
	if (ret)
		clear_kprobe();
	return ret;
}

static int set_jump(void)
{
	return and_wait_for_jump(set_inside());
}

static int set_post_jump(void)
{
	return and_wait_for_jump(set_post());
}

static int set_nothing(void)
{
	return 0;
}

static unsigned long clear_nothing(void)
{
	return 0;
}

/**
 * struct bench_row - a row
 * @name: its name
 * @target: the function that is called
 * @setup: register the probes; returns 0 or an errno
 * @teardown: unregister them; returns the number of missed hits
 * @planted: expected instruction at the address of the probe, if that matters
 * @sleeps: the function may sleep
 */
struct bench_row {
	const char *name;
	unsigned long (*target)(unsigned long a, unsigned long b, unsigned long c,
				unsigned long d);
	int (*setup)(void);
	unsigned long (*teardown)(void);
	enum bench_planted planted;
	bool sleeps;
};

#define ON_ENTRY(_name, _setup, _teardown)					\
	{ .name = (_name), .target = probe_bench_target,			\
	  .setup = (_setup), .teardown = (_teardown) }
#define INSIDE(_name, _setup, _teardown, _planted)				\
	{ .name = (_name), .target = probe_bench_inside,			\
	  .setup = (_setup), .teardown = (_teardown), .planted = (_planted) }

static const struct bench_row rows[] = {
	ON_ENTRY("none", set_nothing, clear_nothing),
	INSIDE("none-inside", set_nothing, clear_nothing, PLANTED_NOTHING),
	ON_ENTRY("fprobe-entry", set_entry, clear_fprobe),
	ON_ENTRY("fprobe-entry-args", set_entry_args, clear_fprobe),
	ON_ENTRY("fprobe-exit-args", set_exit_args, clear_fprobe),
	ON_ENTRY("fprobe-many", set_many, clear_fprobe),
	ON_ENTRY("fprobe-entry-exit", set_exit, clear_fprobe),
	ON_ENTRY("kretprobe", set_kretprobe, clear_kretprobe),
	ON_ENTRY("shared", set_shared, clear_shared),
	ON_ENTRY("kprobe-entry", set_kprobe, clear_kprobe),
	INSIDE("kprobe-jump", set_jump, clear_kprobe, PLANTED_JUMP),
	INSIDE("kprobe-post-jump", set_post_jump, clear_kprobe, PLANTED_JUMP),
	INSIDE("kprobe-inside", set_inside, clear_kprobe, PLANTED_BREAKPOINT),
	INSIDE("kprobe-post", set_post, clear_kprobe, PLANTED_BREAKPOINT),
	INSIDE("kprobe-among-512", set_inside_512, clear_inside_among, PLANTED_BREAKPOINT),
	INSIDE("kprobe-among-4000", set_inside_4000, clear_inside_among, PLANTED_BREAKPOINT),
	INSIDE("kprobe-among-50000", set_inside_50000, clear_inside_among, PLANTED_BREAKPOINT),
	{ .name = "none-open", .target = probe_bench_open, .setup = set_nothing,
	  .teardown = clear_nothing, .sleeps = true },
};

/**
 * find_row - find a row by name
 * @name: the name
 *
 * Return: the row, or NULL.
 */
const struct bench_row *find_row(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!strcmp(name, rows[i].name))
			return &rows[i];
	}
	return NULL;
}

/*
 * The time of n calls. Runs the same instructions each time, except for those
 * of probes.
 */
static noinline u64 time_calls(const struct bench_row *row, unsigned int n)
{
	unsigned long flags;
	unsigned int i;
	u64 start, end;

	local_irq_save(flags);
	start = bench_ticks();
	for (i = 0; i < n; i++)
		row->target(i, 1, 2, 3);
	end = bench_ticks();
	local_irq_restore(flags);
	return end - start;
}

/* Is the probe planted as the row expects? */
static bool as_planned(const struct bench_row *row)
{
	return row->planted == PLANTED_NOTHING || planted_at(bench_kp.addr) == row->planted;
}

/**
 * measure_row - measure what a hit costs, in ticks
 * @row: the row
 * @result: receives the line of the result
 * @size: size of @result
 *
 * Return: 0, -ETIME if the probe does not become a jump, -EBADE if it is
 * planted in another way than the row expects, or an errno from registration.
 */
int measure_row(const struct bench_row *row, char *result, size_t size)
{
	unsigned long missed;
	u64 without, with;
	bool good;
	int ret;

	if (row->sleeps)
		return -EINVAL;
	without = time_calls(row, hits);
	ret = row->setup();
	if (ret)
		return ret;
	good = as_planned(row);
	time_calls(row, warmup);
	with = time_calls(row, hits);
	good = good && as_planned(row);
	missed = row->teardown();
	scnprintf(result, size, "row %s %lld %u %lu", row->name, (long long)(with - without),
		  hits, missed);
	return good ? 0 : -EBADE;
}

/* A debugger stops here. */
static noinline __noclone notrace void probe_bench_mark(void)
{
	barrier();
}

static void marked_call(const struct bench_row *row)
{
	probe_bench_mark();
	row->target(4, 3, 2, 1);
	probe_bench_mark();
}

/**
 * call_once - call once with probes, between two calls of probe_bench_mark()
 * @row: the row
 *
 * Return: as measure_row().
 */
int call_once(const struct bench_row *row)
{
	unsigned long flags;
	unsigned int i;
	int ret;

	ret = row->setup();
	if (ret)
		return ret;
	if (!as_planned(row))
		ret = -EBADE;
	if (row->sleeps) {
		for (i = 0; i < warmup; i++)
			row->target(4, 3, 2, 1);
		marked_call(row);
	} else if (!ret) {
		time_calls(row, warmup);
		local_irq_save(flags);
		marked_call(row);
		local_irq_restore(flags);
	}
	row->teardown();
	return ret;
}

/**
 * list_rows - list the names of all rows of hits, one a line
 * @buf: a page for sysfs
 */
int list_rows(char *buf)
{
	unsigned int i;
	int len = 0;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		len += sysfs_emit_at(buf, len, "%s\n", rows[i].name);
	return len;
}
