// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Trace events on probes: create, publish, retire and free points.
 *
 * created -> planted (or waiting for its module) -> published -> retired -> freed
 *
 * A point on the list of dynamic events changes under event_mutex. The points of perf
 * are not on that list, and only their perf event uses them.
 *
 * This does not wait for handlers, unless very many points wait to be freed.
 * point_free_later() frees what handlers may use.
 */
#include <linux/atomic.h>
#include <linux/cleanup.h>
#include <linux/kallsyms.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "../rethook_internal.h"
#include "event_point.h"

/* Points that no handler uses any more. Lockless. */
static LLIST_HEAD(reaped);

/* Number of points that were removed and are not freed yet. */
atomic_t points_leaving = ATOMIC_INIT(0);

#ifdef CONFIG_PERF_EVENTS
/* Perf does not free them, because handlers may read them after the perf event is closed. */
static void free_perf_lists(struct trace_probe_event *ev)
{
	free_percpu(ev->call.perf_events);
}
#else
static void free_perf_lists(struct trace_probe_event *ev) { }
#endif

/* Also frees the event if the point is its last one. */
static void point_free(struct probe_point *pp)
{
	if (pp->tp.event)
		free_perf_lists(pp->tp.event);
	trace_probe_cleanup(&pp->tp);
	pp->kind->class->release(pp);
	atomic_dec(&points_leaving);
}

static void reap_points(struct work_struct *work)
{
	struct probe_point *pp, *next;

	llist_for_each_entry_safe(pp, next, llist_del_all(&reaped), reaped)
		point_free(pp);
}

static DECLARE_WORK(reap_work, reap_points);

static void point_reap(struct rcu_head *rcu)
{
	struct probe_point *pp = container_of(rcu, struct probe_point, rcu);

	if (llist_add(&pp->reaped, &reaped))
		schedule_work(&reap_work);
}

/**
 * point_init - initialize a point
 * @pp: the point, zeroed, with room for its arguments
 * @kind: its kind
 * @spec: the name of the event
 * @nargs: number of arguments
 *
 * Return: 0, then free it with point_free_later(); -ENOMEM, or the error of trace_probe_init().
 */
int point_init(struct probe_point *pp, const struct point_kind *kind,
	       const struct probe_spec *spec, int nargs)
{
	int err = trace_probe_init(&pp->tp, spec->event, spec->group, false, nargs);

	if (err)
		return err;
	pp->kind = kind;
	pp->event = pp->tp.event;
	INIT_LIST_HEAD(&pp->batch);
	dyn_event_init(&pp->dyn, kind->class->dyn);
	point_init_event(pp);
	return 0;
}

/* The points are of one class. */
static void free_alike_later(struct list_head *points, const struct point_class *class)
{
	struct probe_point *pp, *next;

	class->unplant(points);
	list_for_each_entry_safe(pp, next, points, batch) {
		list_del(&pp->batch);
		atomic_inc(&points_leaving);
		call_rcu(&pp->rcu, point_reap);
	}
}

/*
 * Points that are created and removed in a loop would fill memory with points that wait for a grace
 * period.
 */
static void throttle(void)
{
	if (atomic_read(&points_leaving) > POINTS_MAX_LEAVING) {
		rcu_barrier();
		flush_work(&reap_work);
	}
	/* Kretprobes are freed without waiting, too. */
	rethook_throttle();
}

/**
 * points_free_later - remove points and free them when no handler uses them
 * @points: the points, linked by their batch member, of any classes; the caller must not use them
 *	any more
 *
 * Does not wait, unless POINTS_MAX_LEAVING wait to be freed. If a point has an event of its own,
 * that is freed, too.
 *
 * Context: may sleep; event_mutex held unless they never were on the list of dynamic events.
 */
void points_free_later(struct list_head *points)
{
	const struct point_class *class;
	LIST_HEAD(alike);

	while (!list_empty(points)) {
		class = points_take_alike(points, &alike);
		free_alike_later(&alike, class);
	}
	throttle();
}

/**
 * point_free_later - remove a point and free it when no handler uses it
 * @pp: the point, in no batch; the caller must not use it any more
 *
 * Context: as points_free_later().
 */
void point_free_later(struct probe_point *pp)
{
	LIST_HEAD(one);

	list_add(&pp->batch, &one);
	points_free_later(&one);
}

/**
 * point_update_args - look up the symbols in the arguments again
 * @pp: the point, which may be hit meanwhile
 *
 * Arguments whose symbol does not exist cannot be read until they are looked up again.
 *
 * Return: 0, or the first error: -ENOENT if a symbol does not exist, -ENOMEM.
 */
int point_update_args(struct probe_point *pp)
{
	unsigned int i;
	int err = 0, ret;

	for (i = 0; i < pp->tp.nr_args; i++) {
		ret = traceprobe_update_arg(&pp->tp.args[i]);
		err = err ?: ret;
	}
	return err;
}

/**
 * point_prepare_hits - compute values that are the same for all hits
 * @pp: the point, not planted, with all its arguments
 */
void point_prepare_hits(struct probe_point *pp)
{
	pp->fixed = pp->head + pp->tp.size;
}

/* Are place and expressions the same? Names and types of the arguments agree. */
static bool point_repeats(const struct probe_point *pp,
			  const struct probe_point *other)
{
	unsigned int i;

	if (!pp->kind->class->same_place(pp, other))
		return false;
	for (i = 0; i < pp->tp.nr_args; i++)
		if (strcmp(pp->tp.args[i].comm, other->tp.args[i].comm))
			return false;
	return true;
}

static int refuse_arg(int arg, int code)
{
	trace_probe_log_set_arg(arg);
	__trace_probe_log_err(0, code);
	return -EEXIST;
}

static int refuse(int word, int code)
{
	trace_probe_log_set_index(word);
	__trace_probe_log_err(0, code);
	return -EEXIST;
}

/* Add a point to an event that has points. */
static int point_join(struct probe_point *pp, struct probe_point *host)
{
	struct probe_point *other;
	int err;

	if (pp->kind != host->kind)
		return refuse(WORD_HEAD, TP_ERR_DIFF_PROBE_TYPE);

	/* Returns the number of an argument from 1. */
	err = trace_probe_compare_arg_type(&pp->tp, &host->tp);
	if (err)
		return refuse_arg(err - 1, TP_ERR_DIFF_ARG_TYPE);

	list_for_each_entry(other, &host->tp.event->probes, tp.list)
		if (point_repeats(pp, other))
			return refuse(WORD_HEAD, TP_ERR_SAME_PROBE);

	err = trace_probe_append(&pp->tp, &host->tp);
	if (err)
		return err;
	pp->event = pp->tp.event;

	err = pp->kind->class->plant(pp, trace_probe_is_enabled(&host->tp));
	if (err) {
		down_write(&trace_event_sem);
		trace_probe_unlink(&pp->tp);
		up_write(&trace_event_sem);
		return err;
	}
	return dyn_event_add(&pp->dyn, trace_probe_event_call(&pp->tp));
}

/* The event with the same name as @pp's, if its points are of the same class. */
static struct probe_point *find_host(struct probe_point *pp)
{
	const char *group = trace_probe_group_name(&pp->tp);
	const char *name = trace_probe_name(&pp->tp);
	struct trace_event_call *call = trace_probe_find_call(group, name);
	struct probe_point *host;

	if (!call || !(call->flags & (TRACE_EVENT_FL_KPROBE | TRACE_EVENT_FL_FPROBE)))
		return NULL;
	host = point_of_call(call);
	return host && host->dyn.ops == pp->dyn.ops ? host : NULL;
}

/**
 * point_publish - plant a point and register its event
 * @pp: the point
 *
 * If there is an event of this name, the point is added to it. On failure the event is
 * not registered, and the caller frees the point with point_free_later().
 *
 * Context: may sleep; event_mutex held.
 * Return: 0; -EEXIST if the event cannot have this point or is of another class; the
 * error of &point_class.plant or of the registration of the event.
 */
int point_publish(struct probe_point *pp)
{
	struct trace_event_call *call = trace_probe_event_call(&pp->tp);
	struct probe_point *host;
	int err;

	lockdep_assert_held(&event_mutex);

	point_prepare_hits(pp);
	host = find_host(pp);
	if (host)
		return point_join(pp, host);

	err = pp->kind->class->plant(pp, false);
	if (err)
		return err;

	err = trace_probe_register_event_call(&pp->tp);
	if (!err)
		return dyn_event_add(&pp->dyn, call);

	return err == -EEXIST ? refuse(WORD_HEAD, TP_ERR_EVENT_EXIST) : err;
}

/* Is the event enabled somewhere, or does perf, a trigger or another event refer to it? */
static bool is_in_use(struct trace_probe *tp)
{
	return trace_probe_is_enabled(tp) || trace_event_dyn_busy(trace_probe_event_call(tp));
}

/*
 * May what refers to an event be removed before its last point, by a command that removes all? It
 * may be an event of another kind, e.g. an event probe, which gives its reference back.
 */
static bool reference_may_go_first(const struct trace_probe_event *event)
{
	bool other_kind = false, may = false;
	struct dyn_event *ev;

	for_each_dyn_event(ev) {
		if (ev->ops->match != point_matches)
			other_kind = true;
		else if (point_of_dyn(ev)->tp.event == event)
			may = other_kind;
	}
	return may;
}

/**
 * point_stops_removal - would the removal of all events fail at this point's event?
 * @ev: the point's dyn_event
 *
 * Context: event_mutex held.
 * Return: true if so; false also if that depends on what is removed before.
 */
bool point_stops_removal(struct dyn_event *ev)
{
	struct trace_probe *tp = &point_of_dyn(ev)->tp;

	if (trace_probe_is_enabled(tp))
		return true;
	return trace_event_dyn_busy(trace_probe_event_call(tp)) &&
	       !reference_may_go_first(tp->event);
}

/**
 * point_retire - remove a point from its event, and the event with its last point
 * @ev: the point's dyn_event; freed if 0 is returned
 *
 * Context: may sleep; event_mutex held.
 * Return: 0, or -EBUSY if it is the last point of an event that is in use.
 */
int point_retire(struct dyn_event *ev)
{
	struct probe_point *pp = point_of_dyn(ev);
	struct trace_probe *tp = &pp->tp;

	lockdep_assert_held(&event_mutex);

	if (trace_probe_has_sibling(tp)) {
		/* Printing reads the first point of an event. */
		down_write(&trace_event_sem);
		trace_probe_unlink(tp);
		up_write(&trace_event_sem);
	} else {
		if (is_in_use(tp))
			return -EBUSY;
		if (trace_probe_unregister_event_call(tp))
			return -EBUSY;
	}

	dyn_event_remove(&pp->dyn);
	point_leave(pp);
	return 0;
}

/* Do the words "PLACE ARGS" define the same point? The spelling may differ. */
static bool matches_definition(struct probe_point *pp, int words, const char **word)
{
	return pp->kind->class->is_at(pp, word[0]) &&
	       trace_probe_match_command_args(&pp->tp, words - 1, word + 1);
}

/**
 * point_matches - does a command that removes events match a point?
 * @group: group of the event, NULL for any
 * @name: name of the event, "" for all of the group
 * @words: number of words behind the name, 0 for all points of the event
 * @word: the words, PLACE and arguments
 * @ev: the point's dyn_event
 *
 * Context: event_mutex held.
 * Return: true if so.
 */
bool point_matches(const char *group, const char *name, int words,
		   const char **word, struct dyn_event *ev)
{
	struct probe_point *pp = point_of_dyn(ev);

	if (group && strcmp(group, trace_probe_group_name(&pp->tp)))
		return false;
	if (*name && strcmp(name, trace_probe_name(&pp->tp)))
		return false;
	return !words || matches_definition(pp, words, word);
}

/**
 * point_show_name - print the first word of the command that creates a point
 * @m: the output
 * @pp: the point
 * @maxactive: the number behind the letter, 0 if there is none
 */
void point_show_name(struct seq_file *m, const struct probe_point *pp,
		     unsigned int maxactive)
{
	struct trace_event_call *call = &pp->tp.event->call;

	seq_putc(m, pp->kind->letter);
	if (maxactive)
		seq_printf(m, "%u", maxactive);
	seq_printf(m, ":%s/%s ", call->class->system, trace_event_name(call));
}

/**
 * point_show_args - print the arguments, and end the line
 * @m: the output
 * @pp: the point
 */
void point_show_args(struct seq_file *m, const struct probe_point *pp)
{
	const struct probe_arg *arg = pp->tp.args;
	const struct probe_arg *end = arg + pp->tp.nr_args;

	for (; arg < end; arg++)
		seq_printf(m, " %s=%s", arg->name, arg->comm);
	seq_putc(m, '\n');
}
