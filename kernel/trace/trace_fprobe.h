/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _TRACE_FPROBE_H
#define _TRACE_FPROBE_H
/*
 * Trace events on functions and on tracepoints: what their files share. What they have
 * in common with kprobe events is in trace_probe_point.h.
 *
 *	trace_fprobe.c		commands
 *	trace_fprobe_point.c	making, planting and arming points
 *	trace_fprobe_module.c	modules come and go
 *	trace_fprobe_hit.c	what runs when a point is hit
 *
 * A tracepoint has a function of its own, its probestub, that does nothing and can be
 * made to be called with the arguments of the tracepoint. So a point on a tracepoint is
 * an fprobe on that, and the tracepoint calls it while the event is enabled.
 */
#include <linux/fprobe.h>

#include "trace_probe_point.h"

struct module;
struct tracepoint;

/**
 * struct fpoint - one function (or all that match a pattern), or one tracepoint
 * @fp:		the probe
 * @hits:	per-CPU count, written by that CPU only
 * @symbol:	pattern of functions, or name of the tracepoint
 * @maxactive:	as the user asked for; returns are followed however many there are
 * @planted:	@fp is registered; event_mutex
 * @listening:	among those for which their @tracepoint calls its probestub; event_mutex
 * @tracepoint:	the tracepoint, NULL as long as it is not there; event_mutex
 * @owner:	the module that has @tracepoint, NULL: the kernel; event_mutex
 * @unhooked:	grace period after which @fp can be registered again; event_mutex
 * @point:	what all points have; ends in an array
 */
struct fpoint {
	struct fprobe		fp;
	unsigned long __percpu	*hits;
	char			*symbol;
	unsigned int		maxactive;
	bool			planted;
	struct list_head	listening;
	struct tracepoint	*tracepoint;
	const struct module	*owner;
	unsigned long		unhooked;
	struct probe_point	point;
};

enum fprobe_letter { FPROBE_ENTRY, FPROBE_RETURN, FPROBE_TRACEPOINT };

extern const struct point_kind fprobe_kinds[];

static inline struct fpoint *fpoint_of(const struct probe_point *pp)
{
	return container_of(pp, struct fpoint, point);
}

static inline bool fpoint_is_tracepoint(const struct fpoint *pt)
{
	return pt->point.kind == &fprobe_kinds[FPROBE_TRACEPOINT];
}

/* trace_fprobe.c */
void fpoint_show_place(struct seq_file *m, const struct probe_point *pp);
extern struct dyn_event_operations fprobe_event_ops;
int fprobe_spec_parse(struct probe_spec *spec, int argc, const char **argv);

/* Those of other kinds of events come along: ask is_fpoint() first. event_mutex. */
#define for_each_dyn_fpoint(pt) \
	list_for_each_entry(pt, &dyn_event_list, point.dyn.list)

static inline bool is_fpoint(const struct fpoint *pt)
{
	return pt->point.dyn.ops == &fprobe_event_ops;
}

/* trace_fprobe_point.c */
extern const struct point_class fprobe_class;
int fpoint_plant(struct fpoint *pt, bool armed);
void fpoints_unplant(struct list_head *points);

/* trace_fprobe_module.c */
#ifdef CONFIG_MODULES
void fpoint_look_into_modules(struct fpoint *pt);
#else
static inline void fpoint_look_into_modules(struct fpoint *pt)
{
}
#endif

/* trace_fprobe_hit.c */
void fpoint_set_handlers(struct fpoint *pt);

#endif /* _TRACE_FPROBE_H */
