// SPDX-License-Identifier: GPL-2.0-only
/*
 * Measure which share of instructions can be probed by a jump.
 *
 * Try to register a kprobe every so many bytes. If it is accepted, an
 * instruction begins there, and each instruction is equally likely to be
 * chosen. Entries that ftrace patches and padding do not count.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/sched.h>
#include <linux/uaccess.h>

#include "probe_bench.h"

#define CHUNK	500	/* probes at a time */

/* The first and the last probe of a chunk, which are known to become jumps. */
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

/* Register probes from *addr on. Skip those that are not breakpoints. */
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
 * Wait until all probes that can be jumps are jumps. They are written in the
 * order of registration or in the opposite one, so one of the known ones is the
 * last.
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
		/* After this no text is being written. */
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
 * measure_share - measure how many instructions become jumps
 * @start: start of the text
 * @end: end of the text
 * @step: distance of two tries in bytes
 * @result: receives the line of the result
 * @size: size of @result
 *
 * Return: 0, -EINVAL without text, -ETIME if a known jump is not written, or
 * -ENOMEM.
 */
int measure_share(unsigned long start, unsigned long end, unsigned int step, char *result,
		  size_t size)
{
	unsigned int jumps = 0, probed = 0;
	unsigned long addr = start;
	int ret;

	/* If all instructions have one length, try only their first bytes. */
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
