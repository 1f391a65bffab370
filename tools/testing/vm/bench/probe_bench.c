// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a hit costs, in ticks of the cycle counter.
 *
 * Write the name of a row to the parameter "measure", read from there
 *
 *	row NAME TICKS HITS MISSED
 *
 * where TICKS is how much longer HITS calls of a function take with the row's probes than
 * without, interrupts off. Under QEMU's -icount shift=0 a tick is an instruction.
 *
 * The rows "batch" and "single" place probes at the entries of many functions, as one array or
 * one by one, and take them out again. They have two results, for register-ROW and unregister-ROW,
 * where HITS is the number of probes, and TICKS how long it took, waiting included.
 *
 * Rows with many probes need places for them: write to "places", as often as it takes, the
 * addresses that ftrace knows for functions (available_filter_functions_addrs).
 *
 * Write the name of a row to "once" for a single call between two of probe_bench_mark(),
 * for a debugger that follows it.
 *
 * Uses nothing but what 6.12 exports, so that it builds for any 6.12.
 */
#include <linux/compiler.h>
#include <linux/delay.h>
#include <linux/fprobe.h>
#include <linux/ftrace.h>
#include <linux/init.h>
#include <linux/irqflags.h>
#include <linux/kprobes.h>
#include <linux/kstrtox.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/timex.h>
#include <linux/uaccess.h>

/* An instruction that has to be run from a copy, and is no branch. */
#if defined(CONFIG_X86)
#define PROBED_INSN	"lea 3(%1), %0"
#elif defined(CONFIG_ARM64)
#define PROBED_INSN	"add %0, %1, #3"
#else
#error "name an instruction of this architecture"
#endif

static unsigned int hits = 2000;
module_param(hits, uint, 0644);
MODULE_PARM_DESC(hits, "calls that are measured");

static unsigned int warmup = 200;
module_param(warmup, uint, 0644);
MODULE_PARM_DESC(warmup, "calls before those");

/* One at a time. Guards the places, the probes below, and what was measured last. */
static DEFINE_MUTEX(bench_mutex);

#define MAX_PLACES	32768

static unsigned long places[MAX_PLACES];
static unsigned int nr_places;

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

	asm volatile("1:	" PROBED_INSN "\n"
		     "	.pushsection .data, \"aw\"\n"
		     "	.balign 8\n"
		     "probe_bench_insn:\n"
		     "	.quad 1b\n"
		     "	.popsection"
		     : "=r" (x) : "r" (a));
	return x + b + (c ^ d);
}

/* The handlers: empty. */

static int bench_entry(struct fprobe *fp, unsigned long entry_ip, unsigned long ret_ip,
		       struct pt_regs *regs, void *data)
{
	return 0;
}

static void bench_exit(struct fprobe *fp, unsigned long entry_ip, unsigned long ret_ip,
		       struct pt_regs *regs, void *data)
{
}

static int bench_pre(struct kprobe *kp, struct pt_regs *regs)
{
	return 0;
}

static int bench_return(struct kretprobe_instance *ri, struct pt_regs *regs)
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

/* On two thousand functions, ours among them. */
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

static int set_inside(void)
{
	memset(&bench_kp, 0, sizeof(bench_kp));
	bench_kp.pre_handler = bench_pre;
	bench_kp.addr = (kprobe_opcode_t *)probe_bench_insn;
	return register_kprobe(&bench_kp);
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

/* Many probes, which are not hit while calls are timed. */

static struct kprobe *many_kp;
static struct kprobe **many;		/* those of them that are registered, or will be */
static unsigned int nr_many;

static void free_many(void)
{
	kvfree(many_kp);
	kvfree(many);
	many_kp = NULL;
	many = NULL;
	nr_many = 0;
}

static int alloc_many(unsigned int n)
{
	if (n > nr_places)
		return -ENOSPC;
	many_kp = kvcalloc(n, sizeof(*many_kp), GFP_KERNEL);
	many = kvcalloc(n, sizeof(*many), GFP_KERNEL);
	if (many_kp && many)
		return 0;
	free_many();
	return -ENOMEM;
}

static void clear_many(void)
{
	if (nr_many)
		unregister_kprobes(many, nr_many);
	free_many();
}

/* Breakpoints in n functions, behind the instruction that is ftrace's. */
static int set_many_inside(unsigned int n)
{
	unsigned int i;
	int ret;

	ret = alloc_many(n);
	if (ret)
		return ret;
	for (i = 0; i < nr_places && nr_many < n; i++) {
		struct kprobe *kp = &many_kp[nr_many];

		memset(kp, 0, sizeof(*kp));
		kp->addr = (kprobe_opcode_t *)(places[i] + MCOUNT_INSN_SIZE);
		kp->pre_handler = bench_pre;
		/* Not every instruction may be probed. */
		if (!register_kprobe(kp))
			many[nr_many++] = kp;
		cond_resched();
	}
	if (nr_many == n)
		return 0;
	clear_many();
	return -ENOSPC;
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

static unsigned long clear_inside_among(void)
{
	unsigned long missed = clear_kprobe();

	clear_many();
	return missed;
}

/* A jump takes the place of the breakpoint when the kernel gets to it. */
#define JUMP_POLLS	200
#define JUMP_POLL_MS	10

static int set_jump(void)
{
	u32 planted, now;
	unsigned int i;
	int ret;

	ret = set_inside();
	if (ret)
		return ret;
	if (copy_from_kernel_nofault(&planted, bench_kp.addr, sizeof(planted)))
		return 0;
	/* Until the text changes again. If it never does it is the breakpoint that is measured. */
	for (i = 0; i < JUMP_POLLS; i++) {
		if (copy_from_kernel_nofault(&now, bench_kp.addr, sizeof(now)) || now != planted)
			break;
		msleep(JUMP_POLL_MS);
	}
	return 0;
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
 * struct bench_row - one thing to measure
 * @name: what it is called
 * @target: the function that is called
 * @setup: place the probes; 0 or an errno
 * @teardown: take them out again; how many hits were missed
 */
struct bench_row {
	const char *name;
	unsigned long (*target)(unsigned long a, unsigned long b, unsigned long c,
				unsigned long d);
	int (*setup)(void);
	unsigned long (*teardown)(void);
};

static const struct bench_row rows[] = {
	{ "none", probe_bench_target, set_nothing, clear_nothing },
	{ "none-inside", probe_bench_inside, set_nothing, clear_nothing },
	{ "fprobe-entry", probe_bench_target, set_entry, clear_fprobe },
	{ "fprobe-many", probe_bench_target, set_many, clear_fprobe },
	{ "fprobe-entry-exit", probe_bench_target, set_exit, clear_fprobe },
	{ "kretprobe", probe_bench_target, set_kretprobe, clear_kretprobe },
	{ "shared", probe_bench_target, set_shared, clear_shared },
	{ "kprobe-entry", probe_bench_target, set_kprobe, clear_kprobe },
	{ "kprobe-inside", probe_bench_inside, set_inside, clear_kprobe },
	{ "kprobe-among-512", probe_bench_inside, set_inside_512, clear_inside_among },
	{ "kprobe-among-4000", probe_bench_inside, set_inside_4000, clear_inside_among },
	{ "kprobe-jump", probe_bench_inside, set_jump, clear_kprobe },
};

static const struct bench_row *find_row(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		if (sysfs_streq(name, rows[i].name))
			return &rows[i];
	}
	return NULL;
}

/* How long n calls take. Always runs the same instructions, but for the probes'. */
static noinline u64 time_calls(const struct bench_row *row, unsigned int n)
{
	unsigned long flags;
	unsigned int i;
	u64 start, end;

	local_irq_save(flags);
	start = get_cycles();
	for (i = 0; i < n; i++)
		row->target(i, 1, 2, 3);
	end = get_cycles();
	local_irq_restore(flags);
	return end - start;
}

static char result[256];

static int measure(const struct bench_row *row)
{
	unsigned long missed;
	u64 without, with;
	int ret;

	without = time_calls(row, hits);
	ret = row->setup();
	if (ret)
		return ret;
	time_calls(row, warmup);
	with = time_calls(row, hits);
	missed = row->teardown();
	scnprintf(result, sizeof(result), "row %s %lld %u %lu", row->name,
		  (long long)(with - without), hits, missed);
	return 0;
}

/* A debugger stops here. */
static noinline __noclone notrace void probe_bench_mark(void)
{
	barrier();
}

static int once(const struct bench_row *row)
{
	unsigned long flags;
	int ret;

	ret = row->setup();
	if (ret)
		return ret;
	time_calls(row, warmup);
	local_irq_save(flags);
	probe_bench_mark();
	row->target(4, 3, 2, 1);
	probe_bench_mark();
	local_irq_restore(flags);
	row->teardown();
	return 0;
}

/* Probes at the entries of n functions, not yet registered. */
static int prepare_entries(unsigned int n)
{
	int ret;

	ret = alloc_many(n);
	if (ret)
		return ret;
	for (; nr_many < n; nr_many++) {
		struct kprobe *kp = &many_kp[nr_many];

		kp->addr = (kprobe_opcode_t *)places[nr_many];
		kp->pre_handler = bench_pre;
		many[nr_many] = kp;
	}
	return 0;
}

static int attach_batch(void)
{
	return register_kprobes(many, nr_many);
}

static void detach_batch(void)
{
	unregister_kprobes(many, nr_many);
}

static void detach_single(void)
{
	unsigned int i;

	for (i = 0; i < nr_many; i++)
		unregister_kprobe(many[i]);
}

static int attach_single(void)
{
	unsigned int i;
	int ret;

	for (i = 0; i < nr_many; i++) {
		ret = register_kprobe(many[i]);
		if (ret) {
			nr_many = i;
			detach_single();
			return ret;
		}
	}
	return 0;
}

/**
 * struct bench_attach - a way to attach many probes, and to detach them
 * @name: what it is called
 * @number: how many; the fewer the longer one takes
 * @attach: register the probes in many[]; 0, or an errno and none is registered
 * @detach: unregister them
 */
struct bench_attach {
	const char *name;
	unsigned int number;
	int (*attach)(void);
	void (*detach)(void);
};

static const struct bench_attach attaches[] = {
	{ "batch", 512, attach_batch, detach_batch },
	{ "single", 64, attach_single, detach_single },
};

static int measure_attach(const struct bench_attach *how)
{
	u64 start, between, end;
	int ret;

	ret = prepare_entries(how->number);
	if (ret)
		return ret;
	start = get_cycles();
	ret = how->attach();
	between = get_cycles();
	if (!ret) {
		how->detach();
		end = get_cycles();
		scnprintf(result, sizeof(result),
			  "row register-%s %llu %u 0\nrow unregister-%s %llu %u 0",
			  how->name, between - start, nr_many,
			  how->name, end - between, nr_many);
	}
	free_many();
	return ret;
}

static int run_row(const char *val, int (*how)(const struct bench_row *row))
{
	const struct bench_row *row = find_row(val);
	int ret;

	if (!row)
		return -ENOENT;
	mutex_lock(&bench_mutex);
	ret = how(row);
	mutex_unlock(&bench_mutex);
	return ret;
}

static int measure_set(const char *val, const struct kernel_param *kp)
{
	unsigned int i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(attaches); i++) {
		if (!sysfs_streq(val, attaches[i].name))
			continue;
		mutex_lock(&bench_mutex);
		ret = measure_attach(&attaches[i]);
		mutex_unlock(&bench_mutex);
		return ret;
	}
	return run_row(val, measure);
}

static int measure_get(char *buf, const struct kernel_param *kp)
{
	int len;

	mutex_lock(&bench_mutex);
	len = sysfs_emit(buf, "%s\n", result);
	mutex_unlock(&bench_mutex);
	return len;
}

static const struct kernel_param_ops measure_ops = {
	.set = measure_set,
	.get = measure_get,
};
module_param_cb(measure, &measure_ops, NULL, 0644);
MODULE_PARM_DESC(measure, "write a row's name to measure it; the result of the last one");

static int add_places(char *text)
{
	char *word;
	int ret;

	while ((word = strsep(&text, "\n "))) {
		if (!*word)
			continue;
		if (nr_places == MAX_PLACES)
			return -ENOSPC;
		ret = kstrtoul(word, 16, &places[nr_places]);
		if (ret)
			return ret;
		nr_places++;
	}
	return 0;
}

static int places_set(const char *val, const struct kernel_param *kp)
{
	char *text;
	int ret;

	text = kstrdup(val, GFP_KERNEL);
	if (!text)
		return -ENOMEM;
	mutex_lock(&bench_mutex);
	ret = add_places(text);
	mutex_unlock(&bench_mutex);
	kfree(text);
	return ret;
}

static const struct kernel_param_ops places_ops = {
	.set = places_set,
};
module_param_cb(places, &places_ops, NULL, 0200);
MODULE_PARM_DESC(places, "more addresses of functions, as ftrace knows them");

static int once_set(const char *val, const struct kernel_param *kp)
{
	return run_row(val, once);
}

static int rows_get(char *buf, const struct kernel_param *kp)
{
	unsigned int i;
	int len = 0;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		len += sysfs_emit_at(buf, len, "%s\n", rows[i].name);
	return len;
}

static const struct kernel_param_ops once_ops = {
	.set = once_set,
	.get = rows_get,
};
module_param_cb(once, &once_ops, NULL, 0644);
MODULE_PARM_DESC(once, "write a row's name for one call with its probes; the names of all rows");

static int __init probe_bench_init(void)
{
	return 0;
}

static void __exit probe_bench_exit(void)
{
}

module_init(probe_bench_init);
module_exit(probe_bench_exit);

MODULE_DESCRIPTION("Measures what a hit of a probe costs");
MODULE_LICENSE("GPL");
