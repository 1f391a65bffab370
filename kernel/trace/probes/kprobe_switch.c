// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Kprobe events: switching their probes on and off. See event_batch.c for which, and
 * when.
 */
#include <linux/list.h>
#include <linux/slab.h>

#include "kprobe.h"

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

/**
 * kpoints_turn - arm or disarm points
 * @points: the points by their batch member, for which kpoint_is_to_turn()
 * @on: arm them, all or none
 *
 * A module that just went takes its probes off, and then disarming has to do with the others.
 *
 * Context: may sleep; event_mutex held.
 * Return: 0, or why they were not armed.
 */
int kpoints_turn(struct list_head *points, bool on)
{
	struct kprobe **kps;
	int err, n;

	kps = collect(points, &n);
	if (!kps)
		return switch_each(points, on);
	err = on ? enable_kprobes(kps, n) : disable_kprobes(kps, n);
	kvfree(kps);
	return err && !on ? switch_each(points, false) : err;
}

/**
 * kpoint_is_to_turn - is there something to arm, or disarm, for a point?
 * @pp: the point
 * @on: to arm
 *
 * Context: event_mutex held.
 * Return: true unless its module is not here, or it is as it should be.
 */
bool kpoint_is_to_turn(const struct probe_point *pp, bool on)
{
	const struct kpoint *pt = kpoint_of(pp);
	/* A module that goes marks it under kprobe_mutex. */
	unsigned int flags = READ_ONCE(kpoint_kp(pt)->flags);

	return pt->planted && !(flags & KPROBE_FLAG_GONE) &&
	       !(flags & KPROBE_FLAG_DISABLED) == !on;
}
