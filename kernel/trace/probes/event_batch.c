// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Trace events on probes: many points at once.
 *
 * One command of a user may enable, disable or remove many events. Their probes are armed, disarmed
 * or removed together, once for all of a class. The event core calls trace_probes_begin(), then
 * trace_probes_arm() before it enables events, and trace_probes_end() in the end, which disarms and
 * removes. In between, events that are enabled find their probes armed, and events that are
 * disabled leave them armed. If the probes cannot be armed together, those that cause it are left
 * out; their events try again, fail, and report why, and the others are enabled.
 */
#include <linux/list.h>
#include <linux/string.h>

#include "event_batch.h"
#include "event_point.h"

/* Depth of nested batches. Guarded by event_mutex. */
static unsigned int depth;

/* Points that may have to be disarmed when the batch ends. Guarded by event_mutex. */
static LIST_HEAD(switched);

/* Points without an event, to be removed when the batch ends. Guarded by event_mutex. */
static LIST_HEAD(leaving);

/**
 * points_take_alike - move the points of one class to another list
 * @points: the list, linked by their batch member, not empty
 * @alike: an empty list; receives all points of the class of the first point
 *
 * Return: the class.
 */
const struct point_class *points_take_alike(struct list_head *points, struct list_head *alike)
{
	const struct point_class *class;
	struct probe_point *pp, *next;

	class = list_first_entry(points, struct probe_point, batch)->kind->class;
	list_for_each_entry_safe(pp, next, points, batch) {
		if (pp->kind->class == class)
			list_move_tail(&pp->batch, alike);
	}
	return class;
}

/* Move the first half of @points to @half. */
static void split(struct list_head *points, struct list_head *half)
{
	struct list_head *at = points;
	size_t n = list_count_nodes(points) / 2;

	while (n--)
		at = at->next;
	list_cut_position(half, points, at);
}

/*
 * Arm the points that can be armed. Bisects, so that it takes few attempts to find those that
 * cannot.
 */
static void arm_most(struct list_head *points, const struct point_class *class)
{
	LIST_HEAD(half);

	if (!class->turn(points, true))
		return;
	if (list_is_singular(points)) {
		points_forget(points);
		return;
	}
	split(points, &half);
	arm_most(&half, class);
	arm_most(points, class);
	list_splice(&half, points);
}

/**
 * points_arm_most - arm all points that can be armed, at once for each class
 * @points: the points, linked by their batch member; those that cannot be armed are removed
 *
 * Context: may sleep; event_mutex held.
 */
void points_arm_most(struct list_head *points)
{
	const struct point_class *class;
	LIST_HEAD(armed);
	LIST_HEAD(alike);

	while (!list_empty(points)) {
		class = points_take_alike(points, &alike);
		arm_most(&alike, class);
		list_splice_tail_init(&alike, &armed);
	}
	list_splice(&armed, points);
}

static void add_point(struct probe_point *pp, bool on, struct list_head *points)
{
	if (list_empty(&pp->batch) && pp->kind->class->is_to_turn(pp, on))
		list_add_tail(&pp->batch, points);
}

static void add_points(struct trace_probe_event *ev, bool on, struct list_head *points)
{
	struct probe_point *pp;

	list_for_each_entry(pp, &ev->probes, tp.list)
		add_point(pp, on, points);
}

/**
 * points_turn - arm or disarm the points of an event
 * @ev: the event
 * @on: arm them
 *
 * In a batch, they are disarmed at its end.
 *
 * Context: may sleep; event_mutex held.
 * Return: 0, or an error if not all could be armed.
 */
int points_turn(struct trace_probe_event *ev, bool on)
{
	const struct point_class *class;
	LIST_HEAD(points);
	int err;

	if (!on && depth) {
		add_points(ev, false, &switched);
		return 0;
	}
	add_points(ev, on, &points);
	if (list_empty(&points))
		return 0;
	class = list_first_entry(&points, struct probe_point, batch)->kind->class;
	err = class->turn(&points, on);
	points_forget(&points);
	return err;
}

/* At the end of a batch, disarm the points of events that are not enabled. */
static void settle(void)
{
	const struct point_class *class;
	struct probe_point *pp, *next;
	LIST_HEAD(alike);

	list_for_each_entry_safe(pp, next, &switched, batch) {
		if (trace_probe_is_enabled(&pp->tp) || !pp->kind->class->is_to_turn(pp, false))
			list_del_init(&pp->batch);
	}
	while (!list_empty(&switched)) {
		class = points_take_alike(&switched, &alike);
		class->turn(&alike, false);
		points_forget(&alike);
	}
}

/* Would a command remove all points of the event of @pp, and fail at the last one? */
static bool would_remove_busy(struct probe_point *pp, const char *group, const char *name,
			      int words, const char **word)
{
	struct probe_point *other;

	if (!point_stops_removal(&pp->dyn))
		return false;
	list_for_each_entry(other, &pp->tp.event->probes, tp.list) {
		if (!point_matches(group, name, words, word, &other->dyn))
			return false;
	}
	return true;
}

/**
 * trace_probes_busy - would a command fail to remove an event that is in use?
 * @ops: the kind of events, NULL for all
 * @group: as for point_matches()
 * @name: as for point_matches()
 * @words: as for point_matches()
 * @word: as for point_matches()
 *
 * The event core removes matching points one by one, and stops at the first one that it cannot
 * remove. It asks this before it begins, so that a command that is refused changes nothing.
 *
 * Context: may sleep; event_mutex held.
 * Return: true if so. False if a point of each such event would stay, or if an event of another
 * kind may be removed first that refers to it.
 */
bool trace_probes_busy(const struct dyn_event_operations *ops, const char *group,
		       const char *name, int words, const char **word)
{
	struct dyn_event *ev;

	for_each_dyn_event(ev) {
		if (ev->ops->match != point_matches || (ops && ops != ev->ops))
			continue;
		if (would_remove_busy(point_of_dyn(ev), group, name, words, word))
			return true;
	}
	return false;
}

/**
 * trace_probes_begin - begin to enable, disable or remove many events
 *
 * Context: event_mutex held until trace_probes_end().
 */
void trace_probes_begin(void)
{
	depth++;
}

/* Matches in the same way as the event core when it enables events. */
static bool is_named(const struct probe_point *pp, const char *match, const char *group,
		     const char *name)
{
	const char *its_group = pp->tp.event->class.system;
	const char *its_name = trace_event_name(&pp->tp.event->call);

	if (match && strcmp(match, its_name) && strcmp(match, its_group))
		return false;
	if (group && strcmp(group, its_group))
		return false;
	return !name || !strcmp(name, its_name);
}

/**
 * trace_probes_arm - arm the points of events that are about to be enabled
 * @match: the group or the name of the events; NULL for any
 * @group: the group of the events; NULL for any
 * @name: the name of the events; NULL for any
 *
 * Hits record nothing before the events are enabled. Points whose event is not enabled are
 * disarmed at the end of the batch.
 *
 * Context: may sleep; in a batch.
 */
void trace_probes_arm(const char *match, const char *group, const char *name)
{
	struct probe_point *pp;
	struct dyn_event *ev;

	for_each_dyn_event(ev) {
		if (ev->ops->match != point_matches)
			continue;
		pp = point_of_dyn(ev);
		if (is_named(pp, match, group, name))
			add_point(pp, true, &switched);
	}
	points_arm_most(&switched);
}

/**
 * trace_probes_end - end to enable, disable or remove many events
 *
 * Disarms the points of events that are not enabled, and removes points without an event.
 *
 * Context: may sleep; in a batch.
 */
void trace_probes_end(void)
{
	if (--depth)
		return;
	settle();
	points_free_later(&leaving);
}

/**
 * point_leave - free a point that has left its event, together with others in a batch
 * @pp: the point; the caller must not use it any more
 *
 * Context: may sleep; event_mutex held.
 */
void point_leave(struct probe_point *pp)
{
	list_move_tail(&pp->batch, &leaving);
	if (!depth)
		points_free_later(&leaving);
}
