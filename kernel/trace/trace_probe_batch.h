/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _TRACE_PROBE_BATCH_H
#define _TRACE_PROBE_BATCH_H
/*
 * What the event core says when it switches many events, so that their probes are planted
 * and taken out together:
 *
 *	trace_probes_begin()
 *	trace_probes_expect()	for each event that is going to be enabled
 *	trace_probes_arm()
 *	...			events are enabled and disabled one by one, as ever
 *	trace_probes_end()
 *
 * event_mutex is held from the first to the last. Batches may be nested.
 */
struct trace_event_call;

#ifdef CONFIG_KPROBE_EVENTS
void trace_probes_begin(void);
void trace_probes_expect(struct trace_event_call *call);
void trace_probes_arm(void);
void trace_probes_end(void);
#else
static inline void trace_probes_begin(void) { }
static inline void trace_probes_expect(struct trace_event_call *call) { }
static inline void trace_probes_arm(void) { }
static inline void trace_probes_end(void) { }
#endif

#endif /* _TRACE_PROBE_BATCH_H */
