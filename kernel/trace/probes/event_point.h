/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _TRACE_PROBE_POINT_H
#define _TRACE_PROBE_POINT_H
/*
 * Trace events on probes in the kernel: declarations for events on kprobes, on function
 * probes and on tracepoints. A point is a probed place of an event.
 *
 *	event_spec.c	a command -> struct probe_spec -> a point with arguments
 *	event_point.c	creates, publishes, retires and frees points
 *	event_class.c	the event class: enable, fields, printing
 *	event_batch.c	many events at once
 *	event_profile.c	counts: kprobe_profile and probe_profile
 *	event_hit.h	hits of a point
 */
#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/seq_file.h>

#include "../trace_dynevent.h"
#include "../trace_probe.h"

/* The words of a command: type and name, place, first argument. */
enum { WORD_HEAD, WORD_PLACE, WORD_ARGS };

/* Suffix of a place that stands for the function's return. */
#define PROBE_RETURN_SUFFIX	"%return"

/**
 * struct probe_spec - the name and the place of a probe, from a command
 * @group:	group of the event
 * @event:	name of the event
 * @symbol:	the symbol in the command, allocated; NULL if @addr is the place
 * @function:	the function, for BTF, allocated; NULL if there is none or it is @symbol
 * @addr:	the address, without @symbol
 * @base:	address of @symbol, if it does not change; 0: look it up when it is needed
 * @offset:	bytes from @symbol
 * @maxactive:	maxactive of a return probe, 0 for the default
 * @scope:	TPARG_FL_* that say what the arguments may refer to
 * @is_return:	probe the return
 * @all:	@symbol stands for all functions of a name
 * @colon:	entry or return are given behind a colon
 * @group_buf:	memory for @group
 * @event_buf:	memory for a generated @event
 */
struct probe_spec {
	const char	*group;
	const char	*event;
	char		*symbol;
	char		*function;
	unsigned long	addr;
	unsigned long	base;
	unsigned long	offset;
	unsigned int	maxactive;
	unsigned int	scope;
	bool		is_return;
	bool		all;
	bool		colon;
	char		group_buf[MAX_EVENT_NAME_LEN];
	char		event_buf[MAX_EVENT_NAME_LEN];
};

/* An error in a word, and its position. */
struct probe_flaw {
	int code;
	int at;
};

/**
 * struct point_counts - counts of a point's hits
 * @hits:	hits while the event was enabled
 * @recursion:	hits and returns that were missed because they came from a handler
 * @exhausted:	calls whose return was not hooked, because no node was free
 */
struct point_counts {
	unsigned long hits;
	unsigned long recursion;
	unsigned long exhausted;
};

struct probe_point;

/**
 * struct point_class - operations of a kind of probes
 * @dyn:	its dynamic events
 * @event_flags: TRACE_EVENT_FL_* of its events
 * @parse:	parse the first two words of a command; calls trace_probe_log_init() first.
 *		Returns -ECANCELED if the command is not for this class
 * @create:	create a point; takes ownership of &probe_spec.symbol
 * @plant:	check whether a point can be probed and prepare for it, or wait for the module;
 *		write errors to error_log
 * @unplant:	undo @plant for points, linked by their batch member, if it was done; do not wait
 *		for handlers
 * @is_to_turn:	must the point be armed, or disarmed?
 * @turn:	arm or disarm points, linked by their batch member, for which @is_to_turn is true.
 *		If arming fails, some may be armed
 * @same_place:	are two points of one kind at the same place?
 * @is_at:	does the second word of a command name the place of the point?
 * @show_place:	print the second word of its command; without addresses if the reader may not
 *		see them
 * @count:	count its hits since it was created, and its misses; those of a kprobe since it was
 *		planted
 * @may_have_moved: did the compiler make one of its functions from another one, so that parameters
 *		may be in other places? &probe_spec.function is checked elsewhere. NULL: no
 * @release:	free the point, which is not used any more
 *
 * Context: all may sleep. event_mutex is held, except for @parse, @create, @release and an
 * @unplant of a point that never was on the list of dynamic events.
 */
struct point_class {
	struct dyn_event_operations	*dyn;
	unsigned int			event_flags;
	int (*parse)(struct probe_spec *spec, int argc, const char **argv);
	struct probe_point *(*create)(struct probe_spec *spec, int nargs);
	int (*plant)(struct probe_point *pp, bool armed);
	void (*unplant)(struct list_head *points);
	bool (*is_to_turn)(const struct probe_point *pp, bool on);
	int (*turn)(struct list_head *points, bool on);
	bool (*same_place)(const struct probe_point *a, const struct probe_point *b);
	bool (*is_at)(const struct probe_point *pp, const char *text);
	void (*show_place)(struct seq_file *m, const struct probe_point *pp);
	void (*count)(const struct probe_point *pp, struct point_counts *counts);
	bool (*may_have_moved)(const struct probe_point *pp);
	void (*release)(struct probe_point *pp);
};

/**
 * struct point_kind - properties that all points of an event have in common
 * @class:	their class
 * @letter:	letter of the command
 * @is_return:	they are at the return of a function
 */
struct point_kind {
	const struct point_class	*class;
	char				letter;
	bool				is_return;
};

/**
 * struct probe_point - one probed place of an event
 * @dyn:	links it in the list of dynamic events. Guarded by event_mutex
 * @kind:	set once
 * @event:	the event of its hits: @tp.event, but valid for handlers until an RCU grace
 *		period after the point left the event
 * @fixed:	size of a record without the bytes of strings; set before the point is planted
 * @head:	size of the fields before the arguments in a record; set once
 * @unrecorded:	number of records that were too large for the buffer of an instance, modulo
 *		2^32. Incremented by hits
 * @unsampled:	number of records that perf did not take, modulo 2^32. Incremented by hits
 * @batch:	links points that are armed, disarmed or removed together. Guarded by
 *		event_mutex, or by the owner of a point that is on no list
 * @rcu:	after removal, puts it on the list of @reaped after a grace period
 * @reaped:	links points that no handler can use any more
 * @tp:		the arguments and the link to the event. Guarded by event_mutex; ends in an
 *		array
 */
struct probe_point {
	struct dyn_event		dyn;
	const struct point_kind		*kind;
	struct trace_probe_event	*event;
	u16				fixed;
	u16				head;
	atomic_t			unrecorded;
	atomic_t			unsampled;
	union {
		struct list_head	batch;
		struct rcu_head		rcu;
		struct llist_node	reaped;
	};
	struct trace_probe		tp;
};

static inline struct probe_point *point_of_dyn(struct dyn_event *ev)
{
	return container_of(ev, struct probe_point, dyn);
}

static inline struct probe_point *point_of_call(struct trace_event_call *call)
{
	struct trace_probe *tp = trace_probe_primary_from_call(call);

	return WARN_ON_ONCE(!tp) ? NULL : container_of(tp, struct probe_point, tp);
}

static nokprobe_inline bool point_is_return(const struct probe_point *pp)
{
	return pp->kind->is_return;
}

/* event_spec.c */
int probe_flawed(struct probe_flaw *flaw, int code, int at);
int probe_report(int word, const struct probe_flaw *flaw);
int probe_spec_cut_return(struct probe_spec *spec, struct probe_flaw *flaw);
int probe_spec_maxactive(struct probe_spec *spec, const char *head,
			 struct probe_flaw *flaw);
int probe_spec_names(struct probe_spec *spec, const char *head, const char *group);
int probe_spec_run(const struct point_class *class, int argc, const char **argv);
void probe_spec_release(struct probe_spec *spec);
bool symbol_may_have_moved(const char *symbol);

#ifdef CONFIG_MODULES
bool symbol_module_present(const char *symbol, size_t mod_len);
bool symbol_module_comes(const char *symbol, size_t mod_len);
#else
static inline bool symbol_module_comes(const char *symbol, size_t mod_len)
{
	return false;
}

static inline bool symbol_module_present(const char *symbol, size_t mod_len)
{
	return false;
}
#endif

/* event_point.c */

/* If more points wait to be freed, of some kilobytes each, removal of points waits. */
#define POINTS_MAX_LEAVING	4096
extern atomic_t points_leaving;

int point_init(struct probe_point *pp, const struct point_kind *kind,
	       const struct probe_spec *spec, int nargs);
void point_free_later(struct probe_point *pp);
void points_free_later(struct list_head *points);
int point_update_args(struct probe_point *pp);
void point_prepare_hits(struct probe_point *pp);
int point_publish(struct probe_point *pp);
int point_retire(struct dyn_event *ev);
bool point_stops_removal(struct dyn_event *ev);
bool point_matches(const char *group, const char *name, int words,
		   const char **word, struct dyn_event *ev);
void point_show_name(struct seq_file *m, const struct probe_point *pp,
		     unsigned int maxactive);
void point_show_args(struct seq_file *m, const struct probe_point *pp);

/* event_class.c */
void point_init_event(struct probe_point *pp);
int point_set_print_fmt(struct probe_point *pp);

/* Remove points from a batch. */
static inline void points_forget(struct list_head *points)
{
	while (!list_empty(points))
		list_del_init(points->next);
}

/* event_profile.c */
unsigned long point_sum_hits(const unsigned long __percpu *hits);

/* event_batch.c */
const struct point_class *points_take_alike(struct list_head *points, struct list_head *alike);
int points_turn(struct trace_probe_event *ev, bool on);
void points_arm_most(struct list_head *points);
void point_leave(struct probe_point *pp);

#endif /* _TRACE_PROBE_POINT_H */
