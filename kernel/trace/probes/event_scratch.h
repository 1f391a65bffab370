/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _TRACE_PROBES_EVENT_SCRATCH_H
#define _TRACE_PROBES_EVENT_SCRATCH_H
/*
 * Memory that records of probe events are made in, see event_hit.h: some for each CPU and each
 * context that a hit can be in while another one is in progress there.
 */
#include <linux/kprobes.h>
#include <linux/percpu.h>
#include <linux/sizes.h>

/* More than any instance or perf takes for one record. */
#define PROBE_SCRATCH_SIZE	SZ_8K

/* Task, softirq, hardirq, NMI, and in each what triggers of the record make of it. */
#define PROBE_SCRATCH_LEVELS	8

/**
 * struct probe_scratch - memory of a CPU
 * @memory:	PROBE_SCRATCH_LEVELS times PROBE_SCRATCH_SIZE bytes; set once, before there are
 *		events
 * @used:	how many hits use some. Only that CPU writes it, and what interrupts it puts it back
 */
struct probe_scratch {
	void	*memory;
	int	used;
};

DECLARE_PER_CPU(struct probe_scratch, probe_scratch);

int probe_scratch_get_ready(void);

/**
 * probe_scratch_get - take memory for a record
 *
 * Context: any, with preemption disabled until probe_scratch_put().
 * Return: PROBE_SCRATCH_SIZE bytes; NULL if all is in use.
 */
static nokprobe_inline void *probe_scratch_get(void)
{
	struct probe_scratch *scratch = this_cpu_ptr(&probe_scratch);
	int level = scratch->used;

	/* Who interrupts us here takes what we are about to take, and is done with it before. */
	if (unlikely(level >= PROBE_SCRATCH_LEVELS || !scratch->memory))
		return NULL;
	WRITE_ONCE(scratch->used, level + 1);
	/* What interrupts us now does not write there. */
	barrier();
	return scratch->memory + level * PROBE_SCRATCH_SIZE;
}

/**
 * probe_scratch_put - give back what probe_scratch_get() returned last
 */
static nokprobe_inline void probe_scratch_put(void)
{
	struct probe_scratch *scratch = this_cpu_ptr(&probe_scratch);

	/* It has been read by now. */
	barrier();
	WRITE_ONCE(scratch->used, scratch->used - 1);
}

#endif /* _TRACE_PROBES_EVENT_SCRATCH_H */
