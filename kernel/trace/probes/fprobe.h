/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _TRACE_FPROBE_H
#define _TRACE_FPROBE_H
/*
 * Trace events on functions and on tracepoints: declarations that their files share.
 * event_point.h has the part that they share with kprobe events.
 *
 *	trace_fprobe.c		commands
 *	fprobe_list.c	lists of functions
 *	fprobe_point.c	creates points and finds their functions
 *	fprobe_switch.c	hooks and unhooks the functions
 *	fprobe_module.c	functions in modules
 *	fprobe_hit.c	hits of a point
 *
 * Each tracepoint has an empty function, its probestub, that can be registered with the
 * tracepoint. A point on a tracepoint is an fprobe on the probestub, which is registered
 * with the tracepoint while the event is enabled.
 *
 * Functions are hooked only while the event is enabled.
 */
#include <linux/fprobe.h>

#include "event_point.h"

struct module;
struct tracepoint;

/* Suffixes of lists of functions. */
#define FPROBE_ENTRY_SUFFIX	":entry"
#define FPROBE_EXIT_SUFFIX	":exit"

/* Maximum number of names in a list. */
#define FPROBE_LIST_MAX	256

/**
 * struct fprobe_item - one item of a list of functions
 * @module:	the module of the functions, NULL for the kernel and all modules
 * @name:	the name of the functions, or a pattern
 * @at:		position in the list
 * @plain:	@name is a name, not a pattern
 * @but:	the item is an exception
 */
struct fprobe_item {
	const char	*module;
	const char	*name;
	unsigned int	at;
	bool		plain;
	bool		but;
};

/**
 * struct fprobe_list - the list of an event's functions
 * @text:	the text that items point into
 * @nr:		number of items
 * @item:	the items, in the order of the list
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
 * struct fpoint - a point on functions or on a tracepoint
 * @fp:		the probe
 * @hits:	count for each CPU, changed by that CPU only
 * @symbol:	list of functions, or name of the tracepoint
 * @list:	@symbol parsed, for functions
 * @colon:	entry or return were given behind a colon
 * @maxactive:	maxactive in the command; only shown, all returns are hooked
 * @hooked:	@fp is registered. Guarded by event_mutex
 * @nr_hooked:	the number of @ips, from the first one, that are hooked. Guarded by event_mutex
 * @nr_ips:	number of @ips. Guarded by event_mutex
 * @ips:	addresses of ftrace's calls in the functions or in the probestub. Guarded by
 *		event_mutex
 * @listening:	links it in the list of points whose probestub is registered with the
 *		tracepoint. Guarded by event_mutex
 * @tracepoint:	the tracepoint, NULL if its module is not loaded. Guarded by event_mutex
 * @owner:	the module that has @tracepoint, NULL for the kernel. Guarded by event_mutex
 * @point:	the part that all points have; ends in an array
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

/* Includes other kinds of events: check is_fpoint() first. Context: event_mutex held. */
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
