// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Trace events on probes: many events at once.
 *
 * What one command of a user does to many events is done to their probes together: in a
 * batch, points are armed before the first event is enabled, and those that are not
 * needed any more are disarmed, or taken out, when the last one has been seen to. See
 * trace_probe_batch.h for what the event core says, and trace_kprobe_switch.c for
 * arming. Function probes are armed by a flag, of which no batch would make less.
 */
#include <linux/list.h>
#include <linux/string.h>

#include "trace_probe_batch.h"
#include "trace_probe_point.h"

/* Batches that have begun and not ended. Guarded by event_mutex. */
static unsigned int depth;

/* Points without an event, to be taken out when the batch ends. Guarded by event_mutex. */
static LIST_HEAD(leaving);

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
		if (pp->kind->class->expect && is_named(pp, match, group, name))
			pp->kind->class->expect(pp);
	}
	kpoints_arm();
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
	kpoints_settle();
	points_free_later(&leaving);
}

/**
 * trace_probes_are_many - is this one of many events?
 *
 * Context: event_mutex held.
 * Return: true in a batch.
 */
bool trace_probes_are_many(void)
{
	return depth;
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
