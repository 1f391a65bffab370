/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _TRACE_FPROBE_H
#define _TRACE_FPROBE_H
/*
 * Trace events on functions and on tracepoints: what their files share. What they have
 * in common with kprobe events is in event_point.h.
 *
 *	trace_fprobe.c		commands
 *	fprobe_list.c	lists of functions
 *	fprobe_point.c	making points, and finding what they are for
 *	fprobe_switch.c	hooking it and letting go of it
 *	fprobe_module.c	modules come and go
 *	fprobe_hit.c	what runs when a point is hit
 *
 * A tracepoint has a function of its own, its probestub, that does nothing and can be
 * made to be called with the arguments of the tracepoint. So a point on a tracepoint is
 * an fprobe on that, and the tracepoint calls it while the event is enabled.
 *
 * Nothing is hooked while the event is off.
 */
#include <linux/fprobe.h>

#include "event_point.h"

struct module;
struct tracepoint;

/* Behind functions: where in them. */
#define FPROBE_ENTRY_SUFFIX	":entry"
#define FPROBE_EXIT_SUFFIX	":exit"

/* So many names a list has at most. */
#define FPROBE_LIST_MAX	256

/**
 * struct fprobe_item - one item of a list of functions
 * @module:	the module that they are of, NULL: any, or the kernel
 * @name:	their name, or a pattern
 * @at:		where it begins in the list
 * @plain:	@name is a name
 * @but:	an exception
 */
struct fprobe_item {
	const char	*module;
	const char	*name;
	unsigned int	at;
	bool		plain;
	bool		but;
};

/**
 * struct fprobe_list - which functions an event is for
 * @text:	what the items point into
 * @nr:		how many there are
 * @item:	in the order of the list
 */
struct fprobe_list {
	char			*text;
	unsigned int		nr;
	struct fprobe_item	item[];
};

/* fprobe_list.c */
struct fprobe_list *fprobe_list_read(const char *text, struct probe_flaw *flaw);
void fprobe_list_free(struct fprobe_list *list);
unsigned long *fprobe_list_find(const struct fprobe_list *list, unsigned int *nr,
				unsigned int *at);
#ifdef CONFIG_MODULES
unsigned long *fprobe_list_find_in(const struct fprobe_list *list, const char *module,
				   unsigned int *nr);
#endif

/**
 * struct fpoint - functions, or one tracepoint
 * @fp:		the probe
 * @hits:	per-CPU count, written by that CPU only
 * @symbol:	list of functions, or name of the tracepoint
 * @list:	@symbol, for functions
 * @colon:	entry or return were asked for by what is behind a colon
 * @maxactive:	as the user asked for; returns are followed however many there are
 * @hooked:	@fp is registered; event_mutex
 * @nr_hooked:	for how many of @ips, the first ones; event_mutex
 * @nr_ips:	how many @ips there are; event_mutex
 * @ips:	where ftrace calls from in the functions, or in the probestub; event_mutex
 * @listening:	among those for which their @tracepoint calls its probestub; event_mutex
 * @tracepoint:	the tracepoint, NULL as long as it is not there; event_mutex
 * @owner:	the module that has @tracepoint, NULL: the kernel; event_mutex
 * @point:	what all points have; ends in an array
 */
struct fpoint {
	struct fprobe		fp;
	unsigned long __percpu	*hits;
	char			*symbol;
	struct fprobe_list	*list;
	unsigned int		maxactive;
	bool			colon;
	bool			hooked;
	unsigned int		nr_hooked;
	unsigned int		nr_ips;
	unsigned long		*ips;
	struct list_head	listening;
	struct tracepoint	*tracepoint;
	const struct module	*owner;
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

/* fprobe_point.c */
extern const struct point_class fprobe_class;
int fpoint_add_ips(struct fpoint *pt, const unsigned long *ips, unsigned int nr);
int fpoint_get_ready(struct fpoint *pt, unsigned int *at);

/* fprobe_switch.c */
bool fpoint_is_to_turn(const struct probe_point *pp, bool on);
int fpoints_turn(struct list_head *points, bool on);
void fpoints_unhook(struct list_head *points);

/* fprobe_module.c */
#ifdef CONFIG_MODULES
void fpoint_look_into_modules(struct fpoint *pt);
#else
static inline void fpoint_look_into_modules(struct fpoint *pt)
{
}
#endif

/* fprobe_hit.c */
void fpoint_set_handlers(struct fpoint *pt);

#endif /* _TRACE_FPROBE_H */
