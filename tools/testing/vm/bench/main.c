// SPDX-License-Identifier: GPL-2.0-only
/*
 * Measure what probes cost, in instructions: with QEMU's -icount shift=0,
 * bench_ticks() counts these.
 *
 * Write the name of a row to the parameter "measure", and read one or more
 * lines from it:
 *
 *	row NAME COST N MISSED
 *
 * For rows of hits.c, COST is the additional cost of N calls with the row's
 * probes. Rows "batch" and "single", also with "-inside" (many.c), have two
 * results, register-ROW and unregister-ROW, and COST is the cost for N probes,
 * waiting included. For row "share-jump" (share.c), COST of N probes became
 * jumps.
 *
 * Rows with many probes need addresses: write those of
 * available_filter_functions_addrs to "places", in one or more parts. Row
 * "share-jump" needs "text_start" and "text_end".
 *
 * Write the name of a row of hits to "once" for a single call between two calls
 * of probe_bench_mark(), which a debugger can follow.
 *
 * Write "KIND N" to "hold" to keep N probes registered until the next write,
 * e.g. "none 0". Write to "settle" to wait until deferred memory is freed
 * (bytes.c).
 */
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/objtool.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "probe_bench.h"

#define MAX_PLACES	32768
#define JUMP_LIMIT	(60 * HZ)	/* long enough for any jump to be written */
#define JUMP_POLL_MS	10

/* Serializes writers, and guards all data of the module. */
static DEFINE_MUTEX(bench_mutex);

unsigned long places[MAX_PLACES];
unsigned int nr_places;

static unsigned long text_start;
module_param(text_start, ulong, 0644);
MODULE_PARM_DESC(text_start, "the first byte of the text that share-jump looks at");

static unsigned long text_end;
module_param(text_end, ulong, 0644);
MODULE_PARM_DESC(text_end, "the byte after it");

static unsigned int step = 997;
module_param(step, uint, 0644);
MODULE_PARM_DESC(step, "which bytes of it; a prime, as functions are aligned");

static char result[256];

/* Defined below, in the data section: where the field begins. */
extern unsigned long probe_bench_field;

/* Nothing calls it. */
static noinline __noclone __used void bench_field(void)
{
	asm volatile(ANNOTATE_NOENDBR "\n"
		     "1:	.rept " __stringify(FIELD_INSNS) "\n"
#if defined(CONFIG_X86)
		     PROBED_INSN("%%rax", "%%rdi") "\n"
#else
		     PROBED_INSN("x0", "x1") "\n"
#endif
		     "	.endr\n"
		     "	.pushsection .data, \"aw\"\n"
		     "	.balign 8\n"
		     "probe_bench_field:\n"
		     "	.quad 1b\n"
		     "	.popsection"
		     : : :
#if defined(CONFIG_X86)
		     "rax"
#else
		     "x0"
#endif
		    );
}

/**
 * field_insn - an instruction to probe that is not run
 * @i: its number, less than FIELD_INSNS
 */
void *field_insn(unsigned int i)
{
	return (void *)(probe_bench_field + i * PROBED_LENGTH);
}

/**
 * planted_at - how a probe is planted
 * @addr: the address
 */
enum bench_planted planted_at(const void *addr)
{
	u32 insn;

	if (copy_from_kernel_nofault(&insn, addr, sizeof(insn)))
		return PLANTED_NOTHING;
#if defined(CONFIG_X86)
	switch (insn & 0xff) {
	case 0xcc:
		return PLANTED_BREAKPOINT;
	case 0xe9:
	case 0xeb:
		return PLANTED_JUMP;
	}
#elif defined(CONFIG_ARM64)
	if ((insn & 0xffe0001f) == 0xd4200000)
		return PLANTED_BREAKPOINT;
	if ((insn & 0xfc000000) == 0x14000000)
		return PLANTED_JUMP;
#endif
	return PLANTED_NOTHING;
}

/**
 * wait_for_jump - wait until a jump has replaced a breakpoint
 * @addr: address of the probe
 *
 * Return: 0, or -ETIME if it does not.
 */
int wait_for_jump(const void *addr)
{
	unsigned long limit = jiffies + JUMP_LIMIT;

	while (planted_at(addr) != PLANTED_JUMP) {
		if (time_after(jiffies, limit))
			return -ETIME;
		msleep(JUMP_POLL_MS);
	}
	return 0;
}

static int measure(char *name)
{
	const struct bench_row *row = find_row(name);

	if (row)
		return measure_row(row, result, sizeof(result));
	if (!strcmp(name, "share-jump"))
		return measure_share(text_start, text_end, step, result, sizeof(result));
	return measure_attach(name, result, sizeof(result));
}

static int once(char *name)
{
	const struct bench_row *row = find_row(name);

	return row ? call_once(row) : -ENOENT;
}

static int hold(char *what)
{
	char kind[32];
	unsigned int n;

	if (!strcmp(what, "settle")) {
		settle_memory();
		return 0;
	}
	if (sscanf(what, "%31s %u", kind, &n) != 2)
		return -EINVAL;
	release_probes();
	return hold_probes(kind, n);
}

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

/* Call one of the above with a copy of the written text. */
static int run(const char *val, int (*how)(char *text))
{
	char *text = kstrdup(val, GFP_KERNEL);
	int ret;

	if (!text)
		return -ENOMEM;
	mutex_lock(&bench_mutex);
	ret = how(strim(text));
	mutex_unlock(&bench_mutex);
	kfree(text);
	return ret;
}

static int measure_set(const char *val, const struct kernel_param *kp)
{
	return run(val, measure);
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

static int once_set(const char *val, const struct kernel_param *kp)
{
	return run(val, once);
}

static int once_get(char *buf, const struct kernel_param *kp)
{
	return list_rows(buf);
}

static const struct kernel_param_ops once_ops = {
	.set = once_set,
	.get = once_get,
};
module_param_cb(once, &once_ops, NULL, 0644);
MODULE_PARM_DESC(once, "write a row's name for one call with its probes; the names of all rows");

static int hold_set(const char *val, const struct kernel_param *kp)
{
	return run(val, hold);
}

static const struct kernel_param_ops hold_ops = {
	.set = hold_set,
};
module_param_cb(hold, &hold_ops, NULL, 0200);
MODULE_PARM_DESC(hold, "keep probes: what kind of them, how many");

static int places_set(const char *val, const struct kernel_param *kp)
{
	return run(val, add_places);
}

static const struct kernel_param_ops places_ops = {
	.set = places_set,
};
module_param_cb(places, &places_ops, NULL, 0200);
MODULE_PARM_DESC(places, "more addresses of functions, as ftrace knows them");

static int __init probe_bench_init(void)
{
	return 0;
}

static void __exit probe_bench_exit(void)
{
	release_probes();
}

module_init(probe_bench_init);
module_exit(probe_bench_exit);

MODULE_DESCRIPTION("Measures what probes cost");
MODULE_LICENSE("GPL");
