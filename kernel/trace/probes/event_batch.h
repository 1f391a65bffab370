/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _TRACE_PROBE_BATCH_H
#define _TRACE_PROBE_BATCH_H
/*
 * What the event core says when it has to do with many events, so that their probes are
 * planted and taken out together:
 *
 *	trace_probes_busy()	if events are going to be removed: is one in use?
 *	trace_probes_begin()
 *	trace_probes_arm()	if events are going to be enabled
 *	...			events are enabled, disabled or removed one by one, as ever
 *	trace_probes_end()
 *
 * event_mutex is held from the first to the last. Batches may be nested.
 */
#include <linux/kconfig.h>
#include <linux/types.h>

struct dyn_event_operations;

#if IS_ENABLED(CONFIG_KPROBE_EVENTS) || IS_ENABLED(CONFIG_FPROBE_EVENTS)
bool trace_probes_busy(const struct dyn_event_operations *ops, const char *group,
		       const char *name, int words, const char **word);
void trace_probes_begin(void);
void trace_probes_arm(const char *match, const char *group, const char *name);
void trace_probes_end(void);
#else
static inline bool trace_probes_busy(const struct dyn_event_operations *ops, const char *group,
				     const char *name, int words, const char **word)
{
	return false;
}

static inline void trace_probes_begin(void) { }
static inline void trace_probes_arm(const char *match, const char *group,
				    const char *name) { }
static inline void trace_probes_end(void) { }
#endif

#endif /* _TRACE_PROBE_BATCH_H */
