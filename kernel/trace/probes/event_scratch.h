/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _TRACE_PROBES_EVENT_SCRATCH_H
#define _TRACE_PROBES_EVENT_SCRATCH_H
/*
 * Memory in which records of probe events are written first, see event_hit.h. Each CPU has some for
 * each context in which a hit can be.
 */
#include <linux/kprobes.h>
#include <linux/percpu.h>
#include <linux/sizes.h>

/* Larger than any record of an instance or perf. */
#define PROBE_SCRATCH_SIZE	SZ_8K

/* Task, softirq, hardirq, NMI, and in each of them the records of synthetic events of a trigger. */
#define PROBE_SCRATCH_LEVELS	8

/**
 * struct probe_scratch - memory of a CPU
 * @memory:	PROBE_SCRATCH_LEVELS times PROBE_SCRATCH_SIZE bytes; set once, before there are
 *		events
 * @used:	number of hits that use some. Changed only by that CPU; interrupts restore it
 */
struct probe_scratch {
	void	*memory;
	int	used;
};

DECLARE_PER_CPU(struct probe_scratch, probe_scratch);

int probe_scratch_get_ready(void);

/**
 * probe_scratch_get - get memory for a record
 *
 * Context: any, with preemption disabled until probe_scratch_put().
 * Return: PROBE_SCRATCH_SIZE bytes; NULL if all is in use.
 */
static nokprobe_inline void *probe_scratch_get(void)
{
	struct probe_scratch *scratch = this_cpu_ptr(&probe_scratch);
	int level = scratch->used;

	/* An interrupt here uses the same memory, and is done with it when it returns. */
	if (unlikely(level >= PROBE_SCRATCH_LEVELS || !scratch->memory))
		return NULL;
	WRITE_ONCE(scratch->used, level + 1);
	/* From here on interrupts use other memory. */
	barrier();
	return scratch->memory + level * PROBE_SCRATCH_SIZE;
}

/**
 * probe_scratch_put - free what probe_scratch_get() returned last
 */
static nokprobe_inline void probe_scratch_put(void)
{
	struct probe_scratch *scratch = this_cpu_ptr(&probe_scratch);

	/* The memory has been read by now. */
	barrier();
	WRITE_ONCE(scratch->used, scratch->used - 1);
}

#endif /* _TRACE_PROBES_EVENT_SCRATCH_H */
