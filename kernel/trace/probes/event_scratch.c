// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Probe events: memory for records. It is allocated with the first event and not freed.
 */
#include <linux/cpumask.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/topology.h>

#include "event_scratch.h"

DEFINE_PER_CPU(struct probe_scratch, probe_scratch);

/* Guards probe_scratch::memory. Hits read that without it: it is set before there are events. */
static DEFINE_MUTEX(scratch_mutex);

/**
 * probe_scratch_get_ready - allocate memory for records on all possible CPUs
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int probe_scratch_get_ready(void)
{
	struct probe_scratch *scratch;
	int cpu;

	guard(mutex)(&scratch_mutex);
	for_each_possible_cpu(cpu) {
		scratch = per_cpu_ptr(&probe_scratch, cpu);
		if (scratch->memory)
			continue;
		/* Need not be contiguous: NMIs may access vmalloc() memory. */
		scratch->memory = kvmalloc_node(PROBE_SCRATCH_LEVELS * PROBE_SCRATCH_SIZE,
						GFP_KERNEL, cpu_to_node(cpu));
		if (!scratch->memory)
			return -ENOMEM;
	}
	return 0;
}
