/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _TRACE_PROBE_H
#define _TRACE_PROBE_H
/*
 * Probe events, for the rest of tracing.
 */
#include "probes/event.h"

struct trace_uprobe;

/* The current task's, in uprobe_task.vaddr, while its uprobe events are hit. */
struct uprobe_dispatch_data {
	struct trace_uprobe	*tu;
	unsigned long		bp_addr;
};

#ifdef CONFIG_KPROBE_EVENTS
bool trace_kprobe_on_func_entry(struct trace_event_call *call);
bool trace_kprobe_error_injectable(struct trace_event_call *call);
#else
static inline bool trace_kprobe_on_func_entry(struct trace_event_call *call)
{
	return false;
}

static inline bool trace_kprobe_error_injectable(struct trace_event_call *call)
{
	return false;
}
#endif

#ifdef CONFIG_PERF_EVENTS
struct trace_event_call *create_local_trace_kprobe(char *symbol, void *addr,
						   unsigned long offset, bool is_return);
void destroy_local_trace_kprobe(struct trace_event_call *call);
struct trace_event_call *create_local_trace_uprobe(char *name, unsigned long offset,
						   unsigned long ref_ctr_offset,
						   bool is_return);
void destroy_local_trace_uprobe(struct trace_event_call *call);
#endif

#endif /* _TRACE_PROBE_H */
