// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Kprobe events: arm and disarm their probes. event_batch.c decides which points, and
 * when.
 */
#include <linux/list.h>
#include <linux/slab.h>

#include "kprobe.h"

/* The probe may become gone at any time, under kprobe_mutex. */
static bool is_to_turn(const struct kprobe *kp, bool on)
{
	unsigned int flags = READ_ONCE(kp->flags);

	return !(flags & KPROBE_FLAG_GONE) && !(flags & KPROBE_FLAG_DISABLED) == !on;
}

static int switch_one(struct kprobe *kp, bool on)
{
	return on ? enable_kprobe(kp) : disable_kprobe(kp);
}

static int switch_places(struct kpoint *pt, bool on)
{
	struct kplace *place;
	int err = 0, ret;

	list_for_each_entry(place, &pt->places->list, list) {
		ret = is_to_turn(&place->kp, on) ? switch_one(&place->kp, on) : 0;
		err = err ?: ret;
	}
	return err;
}

static int switch_each(struct list_head *points, bool on)
{
	struct kpoint *pt;
	int err = 0, ret;

	list_for_each_entry(pt, points, point.batch) {
		ret = pt->is_all ? switch_places(pt, on) : switch_one(kpoint_kp(pt), on);
		err = err ?: ret;
	}
	return err;
}

static size_t count_probes(struct list_head *points)
{
	struct kpoint *pt;
	size_t n = 0;

	list_for_each_entry(pt, points, point.batch)
		n += pt->is_all ? pt->places->nr : 1;
	return n;
}

static int collect_places(struct kpoint *pt, bool on, struct kprobe **kps)
{
	struct kplace *place;
	int n = 0;

	list_for_each_entry(place, &pt->places->list, list) {
		if (is_to_turn(&place->kp, on))
			kps[n++] = &place->kp;
	}
	return n;
}

static struct kprobe **collect(struct list_head *points, bool on, int *n)
{
	struct kprobe **kps;
	struct kpoint *pt;

	*n = 0;
	kps = kvmalloc_array(count_probes(points), sizeof(*kps), GFP_KERNEL);
	if (!kps)
		return NULL;
	list_for_each_entry(pt, points, point.batch) {
		if (pt->is_all)
			*n += collect_places(pt, on, kps + *n);
		else
			kps[(*n)++] = kpoint_kp(pt);
	}
	return kps;
}

/**
 * kpoints_turn - arm or disarm points
 * @points: the points, linked by their batch member; kpoint_is_to_turn() is true for all
 * @on: arm them, all or none
 *
 * Probes of a module that has just gone cannot be disarmed; then the others are.
 *
 * Context: may sleep; event_mutex held.
 * Return: 0, or an error if they were not armed.
 */
int kpoints_turn(struct list_head *points, bool on)
{
	struct kprobe **kps;
	int err, n;

	kps = collect(points, on, &n);
	if (!kps)
		return switch_each(points, on);
	err = on ? enable_kprobes(kps, n) : disable_kprobes(kps, n);
	kvfree(kps);
	return err && !on ? switch_each(points, false) : err;
}

/**
 * kpoint_is_to_turn - must a point be armed, or disarmed?
 * @pp: the point
 * @on: to be armed
 *
 * Context: event_mutex held.
 * Return: true unless its module is not loaded, or it is armed, or disarmed, already.
 */
bool kpoint_is_to_turn(const struct probe_point *pp, bool on)
{
	const struct kpoint *pt = kpoint_of(pp);
	struct kplace *place;

	if (!pt->is_all)
		return pt->planted && is_to_turn(kpoint_kp(pt), on);
	list_for_each_entry(place, &pt->places->list, list) {
		if (is_to_turn(&place->kp, on))
			return true;
	}
	return false;
}
