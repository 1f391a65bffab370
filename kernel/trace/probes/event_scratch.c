// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Probe events: memory that records are made in. It is there from the first event on, and stays.
 */
#include <linux/cpumask.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/topology.h>

#include "event_scratch.h"

DEFINE_PER_CPU(struct probe_scratch, probe_scratch);

/* Held while memory is being allocated. */
static DEFINE_MUTEX(scratch_mutex);

/**
 * probe_scratch_get_ready - have memory for records on all CPUs, those that are not online, too
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
		scratch->memory = kmalloc_node(PROBE_SCRATCH_LEVELS * PROBE_SCRATCH_SIZE,
					       GFP_KERNEL, cpu_to_node(cpu));
		if (!scratch->memory)
			return -ENOMEM;
	}
	return 0;
}
