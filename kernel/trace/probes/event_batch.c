// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Trace events on probes: many points at once.
 *
 * What one command of a user does to many events is done to their probes together. When the
 * event core is about to switch many events, see event_batch.h, then what will be
 * needed is armed before the first of them is enabled, and what is no longer needed is
 * disarmed, or taken out, after the last, each at once for all of a class. In between,
 * enabling an event finds its probes armed, and disabling it leaves them so. If arming all
 * fails, then the probes to blame are left to their events, which try again, fail, and tell
 * why, while the others are enabled.
 */
#include <linux/list.h>
#include <linux/string.h>

#include "event_batch.h"
#include "event_point.h"

/* Batches that have begun and not ended. Guarded by event_mutex. */
static unsigned int depth;

/* Points to be looked at when the batch ends. Guarded by event_mutex. */
static LIST_HEAD(switched);

/* Points without an event, to be taken out when the batch ends. Guarded by event_mutex. */
static LIST_HEAD(leaving);

/**
 * points_take_alike - take those points of a list that are of the same class as its first
 * @points: the list, by their batch member, not empty
 * @alike: an empty list that gets them
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

/* The first half of those in @points. */
static void split(struct list_head *points, struct list_head *half)
{
	struct list_head *at = points;
	size_t n = list_count_nodes(points) / 2;

	while (n--)
		at = at->next;
	list_cut_position(half, points, at);
}

/*
 * Arm what can be, and leave out the rest. Half by half it takes few attempts to find the
 * odd ones.
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
 * points_arm_most - arm what can be armed, each at once for all of a class
 * @points: the points by their batch member; those that cannot be armed are taken off
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
 * points_turn - arm or disarm what an event has planted
 * @ev: the event
 * @on: arm it
 *
 * In a batch, disarming is left to its end.
 *
 * Context: may sleep; event_mutex held.
 * Return: 0, or why not everything was armed.
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

/* Disarm what no enabled event needs at the end of a batch. */
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

/**
 * trace_probes_begin - many events are about to be switched, or removed
 *
 * Context: event_mutex held until trace_probes_end().
 */
void trace_probes_begin(void)
{
	depth++;
}

/* As the event core finds those that it enables. */
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
 * trace_probes_arm - arm what is about to be enabled
 * @match: the group of the events, or the name of each; NULL: whatever it is
 * @group: their group; NULL: any
 * @name: the name of each; NULL: any
 *
 * Their hits report nothing before their events are enabled. What is armed and not
 * enabled then is disarmed again in the end.
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
 * trace_probes_end - the events have been switched, or removed
 *
 * Disarms what no enabled event needs, and takes out what has no event.
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
 * point_leave - free a point that has left its event, in a batch with others
 * @pp: the point; the caller's no more
 *
 * Context: may sleep; event_mutex held.
 */
void point_leave(struct probe_point *pp)
{
	list_move_tail(&pp->batch, &leaving);
	if (!depth)
		points_free_later(&leaving);
}
