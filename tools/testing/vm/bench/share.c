// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which share of instructions can be probed by a jump.
 *
 * Every so many bytes it is tried whether a kprobe may go there: if it may, an instruction
 * begins there, and each instruction is as likely as any other to be chosen. Entries of
 * functions that ftrace plants do not count, nor does padding.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/sched.h>
#include <linux/uaccess.h>

#include "probe_bench.h"

#define CHUNK	500	/* probes at a time */

/* The first and the last of a chunk, of which is known that they become jumps. */
static struct kprobe first, last;

static int add_known(struct kprobe *kp, unsigned int i)
{
	*kp = (struct kprobe) { .addr = field_insn(i), .pre_handler = bench_pre };
	return register_kprobe(kp);
}

static bool is_padding(unsigned long addr)
{
	u8 insn;

	if (copy_from_kernel_nofault(&insn, (void *)addr, sizeof(insn)))
		return true;
	return IS_ENABLED(CONFIG_X86) && (insn == 0x90 || insn == 0xcc);
}

/* Register probes from *addr on; not those that are not planted by a breakpoint. */
static void fill_chunk(unsigned long *addr, unsigned long end, unsigned int step)
{
	struct kprobe *kp;

	for (; *addr < end && nr_many < CHUNK; *addr += step) {
		cond_resched();
		if (is_padding(*addr))
			continue;
		add_many((void *)*addr);
		kp = many[nr_many - 1];
		if (register_kprobe(kp)) {
			nr_many--;
		} else if (planted_at(kp->addr) == PLANTED_NOTHING) {
			unregister_kprobe(kp);
			nr_many--;
		}
	}
}

/*
 * Wait until what can be a jump is one. In whatever order that is done, one of the known
 * ones comes last.
 */
static int wait_for_chunk(void)
{
	int ret = wait_for_jump(first.addr);

	return ret ?: wait_for_jump(last.addr);
}

static unsigned int count_jumps(void)
{
	unsigned int i, n = 0;

	for (i = 0; i < nr_many; i++)
		n += planted_at(many[i]->addr) == PLANTED_JUMP;
	return n;
}

static int measure_chunk(unsigned long *addr, unsigned long end, unsigned int step,
			 unsigned int *jumps, unsigned int *probed)
{
	int ret;

	ret = alloc_many(CHUNK);
	if (ret)
		return ret;
	ret = add_known(&first, 0);
	if (ret)
		goto out;
	fill_chunk(addr, end, step);
	ret = add_known(&last, FIELD_INSNS - 1);
	if (!ret) {
		ret = wait_for_chunk();
		/* That the text is written has ended when this can have been done. */
		unregister_kprobe(&last);
		*jumps += count_jumps();
		*probed += nr_many;
	}
	unregister_kprobe(&first);
out:
	clear_many();
	return ret;
}

/**
 * measure_share - how many of the instructions become jumps
 * @start: of the text to look at
 * @end: the byte after it
 * @step: every so many bytes
 * @result: receives the line to read
 * @size: room there
 *
 * Return: 0, -EINVAL without text, -ETIME if a jump does not come that must, -ENOMEM.
 */
int measure_share(unsigned long start, unsigned long end, unsigned int step, char *result,
		  size_t size)
{
	unsigned int jumps = 0, probed = 0;
	unsigned long addr = start;
	int ret;

	/* Where instructions are of one length, all bytes but the first would be a waste. */
	if (IS_ENABLED(CONFIG_ARM64))
		step *= sizeof(u32);
	if (start >= end || !step)
		return -EINVAL;
	while (addr < end) {
		ret = measure_chunk(&addr, end, step, &jumps, &probed);
		if (ret)
			return ret;
	}
	scnprintf(result, size, "row share-jump %u %u 0", jumps, probed);
	return 0;
}
