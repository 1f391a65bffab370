// SPDX-License-Identifier: GPL-2.0-only
/*
 * Delays at the points of linux/kprobe_delay.h.
 *
 * Whether a CPU is delayed when it passes a point, and for how long, follows from the seed, the
 * CPU, the point and the number of points that the CPU has passed. The boot parameter
 * kprobes_delay.seed is the seed; with 0 there are no delays.
 *
 * Hits pass points in any context, NMI included. So this takes no lock and calls nothing, and the
 * Makefile disables tracing and instrumentation of this file. The counters are not atomic, because
 * an atomic access would order what the points are to leave unordered.
 */
#include <linux/init.h>
#include <linux/kprobe_delay.h>
#include <linux/kprobes.h>
#include <linux/moduleparam.h>
#include <linux/percpu.h>
#include <linux/printk.h>
#include <linux/processor.h>
#include <linux/smp.h>
#include <linux/string.h>

#include "delays.h"

#undef MODULE_PARAM_PREFIX
#define MODULE_PARAM_PREFIX "kprobes_delay."

/* Read without a lock. */
static unsigned int seed;
module_param(seed, uint, 0600);

/**
 * struct delays - how often a CPU has passed points, and was delayed
 * @nr:		number of points passed
 * @passed:	the same of each point
 * @delayed:	number of delays at each point
 *
 * Written by this CPU. If the task is preempted in between, a count may be lost.
 */
struct delays {
	u32 nr;
	u32 passed[NR_KPROBE_DELAYS];
	u32 delayed[NR_KPROBE_DELAYS];
};

static DEFINE_PER_CPU(struct delays, delays);

/* Each bit of the result depends on all bits of @x. */
static nokprobe_inline u32 scramble(u32 x)
{
	x ^= x >> 16;
	x *= 0x7feb352d;
	x ^= x >> 15;
	x *= 0x846ca68b;
	return x ^ x >> 16;
}

/* One of 16 delays, and most of those are short. */
#define ONE_OF		16
#define MAX_LOOPS	2048

/* A delay in which other CPUs can make whole changes. */
#define ONE_LONG_OF	8192
#define LONG_LOOPS	20000

/*
 * At cpu_relax() an emulated CPU may give its turn to another one, for a tenth of a second. So each
 * delay has one, but not many.
 */
#define RELAX_EVERY	1024

/* Number of loops for a random number. */
static nokprobe_inline u32 loops_of(u32 random, bool first)
{
	u32 loops = random / ONE_LONG_OF % MAX_LOOPS;

	if (random % ONE_LONG_OF == 0)
		return LONG_LOOPS;
	if (random % ONE_OF && !first)
		return 0;
	return (loops >> random / ONE_OF % 8) + 1;
}

/**
 * kprobe_delay_point - perhaps delay this CPU
 * @point: where it is
 *
 * The first time that a CPU passes a point, it is delayed.
 *
 * Context: any.
 */
notrace void kprobe_delay_point(enum kprobe_delay point)
{
	u32 start = READ_ONCE(seed), loops, nr;

	if (likely(!start))
		return;
	raw_cpu_inc(delays.nr);
	raw_cpu_inc(delays.passed[point]);
	nr = scramble(raw_cpu_read(delays.nr) ^ raw_smp_processor_id() << 24);
	loops = loops_of(scramble(start + nr + point), raw_cpu_read(delays.passed[point]) == 1);
	if (!loops)
		return;
	raw_cpu_inc(delays.delayed[point]);
	while (loops--) {
		if (loops % RELAX_EVERY)
			barrier();
		else
			cpu_relax();
	}
}

NOKPROBE_SYMBOL(kprobe_delay_point);

/**
 * test_delays_seed - change the seed
 * @to: the seed; 0 for no delays
 *
 * Return: the seed that it was.
 */
unsigned int test_delays_seed(unsigned int to)
{
	unsigned int from = seed;

	WRITE_ONCE(seed, to);
	return from;
}

/* Forget all counts. CPUs that pass points meanwhile may keep some. */
void test_delays_reset(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		memset(per_cpu_ptr(&delays, cpu), 0, sizeof(delays));
}

/**
 * test_delays_at - get the counts of a point
 * @point: the point
 * @delayed: receives the number of delays there
 *
 * Return: how often it was passed.
 */
unsigned int test_delays_at(enum kprobe_delay point, unsigned int *delayed)
{
	unsigned int passed = 0;
	int cpu;

	*delayed = 0;
	for_each_possible_cpu(cpu) {
		passed += READ_ONCE(per_cpu_ptr(&delays, cpu)->passed[point]);
		*delayed += READ_ONCE(per_cpu_ptr(&delays, cpu)->delayed[point]);
	}
	return passed;
}

static int __init delays_init(void)
{
	if (seed)
		pr_info("kprobes: delays at %d points; again with: kprobes_delay.seed=%u\n",
			NR_KPROBE_DELAYS, seed);
	return 0;
}
subsys_initcall(delays_init);
