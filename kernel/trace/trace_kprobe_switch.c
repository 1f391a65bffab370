// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Kprobe events: switching their probes on and off, those of one event or of many.
 *
 * When the event core is about to switch many events, then what will be needed is armed
 * before the first of them is enabled, and what is no longer needed is disarmed after the
 * last, each at once for all. In between, enabling an event finds its probes armed, and
 * disabling it leaves them so. If arming all fails, then the probes to blame are left to
 * their events, which try again, fail, and tell why, while the others are enabled.
 */
#include <linux/list.h>
#include <linux/slab.h>

#include "trace_kprobe.h"

/* Points to be looked at when the batch ends. Guarded by event_mutex. */
static LIST_HEAD(batch);

static int switch_each(struct list_head *points, bool on)
{
	struct kprobe *kp;
	struct kpoint *pt;
	int err = 0, ret;

	list_for_each_entry(pt, points, point.batch) {
		kp = kpoint_kp(pt);
		ret = on ? enable_kprobe(kp) : disable_kprobe(kp);
		err = err ?: ret;
	}
	return err;
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

static struct kprobe **collect(struct list_head *points, int *n)
{
	struct kprobe **kps;
	struct kpoint *pt;

	*n = 0;
	kps = kvmalloc_array(list_count_nodes(points), sizeof(*kps), GFP_KERNEL);
	if (!kps)
		return NULL;
	list_for_each_entry(pt, points, point.batch)
		kps[(*n)++] = kpoint_kp(pt);
	return kps;
}

/*
 * All or none when arming. A module that just went takes its probes off, and then
 * disarming has to do with the others.
 */
static int switch_all(struct list_head *points, bool on)
{
	struct kprobe **kps;
	int err, n;

	if (list_empty(points))
		return 0;
	kps = collect(points, &n);
	if (!kps)
		return switch_each(points, on);
	err = on ? enable_kprobes(kps, n) : disable_kprobes(kps, n);
	kvfree(kps);
	return err && !on ? switch_each(points, false) : err;
}

/*
 * Arm what can be, and leave out the rest. Half by half it takes few attempts to find the
 * odd ones.
 */
static void arm_most(struct list_head *points)
{
	LIST_HEAD(half);

	if (!switch_all(points, true))
		return;
	if (list_is_singular(points)) {
		points_forget(points);
		return;
	}
	split(points, &half);
	arm_most(&half);
	arm_most(points);
	list_splice(&half, points);
}

/* Its module is not here, or went: nothing to switch. Or it is as it should be. */
static bool is_to_turn(const struct kpoint *pt, bool on)
{
	unsigned int flags = kpoint_kp(pt)->flags;

	return pt->planted && !(flags & KPROBE_FLAG_GONE) &&
	       !(flags & KPROBE_FLAG_DISABLED) == !on;
}

static void add_point(struct kpoint *pt, bool on, struct list_head *points)
{
	if (is_to_turn(pt, on) && list_empty(&pt->point.batch))
		list_add_tail(&pt->point.batch, points);
}

static void add_points(struct trace_probe_event *ev, bool on, struct list_head *points)
{
	struct kpoint *pt;

	for_each_kpoint(pt, ev)
		add_point(pt, on, points);
}

/**
 * kpoints_turn - arm or disarm what an event has planted
 * @ev: the event
 * @on: arm it
 *
 * In a batch, disarming is left to its end.
 *
 * Context: may sleep; event_mutex held.
 * Return: 0, or why not everything was armed.
 */
int kpoints_turn(struct trace_probe_event *ev, bool on)
{
	LIST_HEAD(points);
	int err;

	if (!on && trace_probes_are_many()) {
		add_points(ev, false, &batch);
		return 0;
	}
	add_points(ev, on, &points);
	err = switch_all(&points, on);
	points_forget(&points);
	return err;
}

/**
 * kpoint_expect - a point's event is about to be enabled, in a batch
 * @pp: the point, perhaps armed
 *
 * Context: event_mutex held.
 */
void kpoint_expect(struct probe_point *pp)
{
	add_point(kpoint_of(pp), true, &batch);
}

/**
 * kpoints_arm - arm what is expected to be needed in a batch
 *
 * Context: may sleep; event_mutex held.
 */
void kpoints_arm(void)
{
	arm_most(&batch);
}

/**
 * kpoints_settle - disarm what no enabled event needs at the end of a batch
 *
 * Context: may sleep; event_mutex held.
 */
void kpoints_settle(void)
{
	struct kpoint *pt, *next;

	list_for_each_entry_safe(pt, next, &batch, point.batch) {
		if (trace_probe_is_enabled(&pt->point.tp) || !is_to_turn(pt, false))
			list_del_init(&pt->point.batch);
	}
	switch_all(&batch, false);
	points_forget(&batch);
}
