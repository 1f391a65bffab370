// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Function probe and tracepoint probe events: hook functions while events are enabled.
 * event_batch.c decides which points to hook, and when.
 *
 * A point's fprobe is registered again without waiting for earlier hits, see fprobes_hook().
 * Its handlers and their data do not change as long as the point exists.
 */
#include <linux/fprobe.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/tracepoint.h>

#include "../fprobe_internal.h"
#include "fprobe.h"

/* Points whose probestub is registered with the tracepoint. Guarded by event_mutex. */
static LIST_HEAD(listeners);

/* Does another point use the probestub's registration with the tracepoint? */
static bool is_shared(const struct fpoint *pt)
{
	const struct fpoint *other;

	list_for_each_entry(other, &listeners, listening) {
		if (other != pt && other->tracepoint == pt->tracepoint)
			return true;
	}
	return false;
}

static int listen(struct fpoint *pt)
{
	int err = 0;

	if (!is_shared(pt))
		err = tracepoint_probe_register(pt->tracepoint,
						pt->tracepoint->probestub, NULL);
	if (!err)
		list_add(&pt->listening, &listeners);
	return err;
}

static void unlisten(struct fpoint *pt)
{
	if (list_empty(&pt->listening))
		return;
	if (!is_shared(pt))
		tracepoint_probe_unregister(pt->tracepoint,
					    pt->tracepoint->probestub, NULL);
	list_del_init(&pt->listening);
}

static void unhook_each(struct list_head *points)
{
	struct fpoint *pt;

	list_for_each_entry(pt, points, point.batch) {
		if (pt->hooked)
			unregister_fprobe_nowait(&pt->fp);
	}
}

static void unhook_all(struct list_head *points)
{
	struct fprobe **fps;
	struct fpoint *pt;
	int n = 0;

	fps = kvmalloc_array(list_count_nodes(points), sizeof(*fps), GFP_KERNEL);
	if (!fps) {
		unhook_each(points);
		return;
	}
	list_for_each_entry(pt, points, point.batch) {
		if (pt->hooked)
			fps[n++] = &pt->fp;
	}
	unregister_fprobes_nowait(fps, n);
	kvfree(fps);
}

/**
 * fpoints_unhook - unhook the functions of points
 * @points: the points, linked by their batch member; they need not be hooked
 *
 * Does not wait for their handlers.
 *
 * Context: may sleep; event_mutex held, unless the points never were on the list of dynamic
 * events.
 */
void fpoints_unhook(struct list_head *points)
{
	struct fpoint *pt;

	list_for_each_entry(pt, points, point.batch)
		unlisten(pt);
	unhook_all(points);
	list_for_each_entry(pt, points, point.batch) {
		pt->hooked = false;
		pt->nr_hooked = 0;
	}
}

/*
 * Commands for these events name no registers, but perf may sample any. Returns save all
 * registers.
 */
static bool takes_args(struct fpoint *pt)
{
	return point_is_return(&pt->point) ||
	       !trace_probe_test_flag(&pt->point.tp, TP_FLAG_PROFILE);
}

static bool is_to_widen(struct fpoint *pt)
{
	return pt->hooked && pt->fp.flags & FPROBE_FL_ARGS && !takes_args(pt);
}

static int widen_all(struct list_head *points)
{
	struct fpoint *pt;
	int err;

	list_for_each_entry(pt, points, point.batch) {
		err = is_to_widen(pt) ? fprobe_widen(&pt->fp) : 0;
		if (err)
			return err;
	}
	return 0;
}

/* Hook all points, or none. */
static int hook_all(struct list_head *points)
{
	struct fprobe_ips *each;
	struct fpoint *pt;
	int n = 0, err;

	err = widen_all(points);
	if (err)
		return err;
	each = kvcalloc(list_count_nodes(points), sizeof(*each), GFP_KERNEL);
	if (!each)
		return -ENOMEM;
	list_for_each_entry(pt, points, point.batch) {
		if (!fpoint_is_to_turn(&pt->point, true))
			continue;
		if (!pt->hooked)
			pt->fp.flags = takes_args(pt) ? FPROBE_FL_ARGS : 0;
		each[n].fp = &pt->fp;
		each[n].ips = pt->ips + pt->nr_hooked;
		each[n].nr = pt->nr_ips - pt->nr_hooked;
		each[n++].more = pt->hooked;
	}
	err = fprobes_hook(each, n);
	kvfree(each);
	if (err)
		return err;
	list_for_each_entry(pt, points, point.batch) {
		if (!fpoint_is_to_turn(&pt->point, true))
			continue;
		pt->hooked = true;
		pt->nr_hooked = pt->nr_ips;
	}
	return 0;
}

static void unhook_one(struct fpoint *pt)
{
	pt->hooked = false;
	pt->nr_hooked = 0;
	unregister_fprobe_nowait(&pt->fp);
}

/* Register the probestubs with the tracepoints, after they are hooked. */
static int listen_all(struct list_head *points)
{
	struct fpoint *pt;
	int err = 0, ret;

	list_for_each_entry(pt, points, point.batch) {
		if (!pt->tracepoint || !list_empty(&pt->listening))
			continue;
		ret = listen(pt);
		if (ret)
			unhook_one(pt);
		err = err ?: ret;
	}
	return err;
}

/**
 * fpoints_turn - hook or unhook points
 * @points: the points, linked by their batch member; those that are hooked, or unhooked, already
 *	are skipped
 * @on: hook them
 *
 * Context: may sleep; event_mutex held.
 * Return: 0, or an error if not all were hooked.
 */
int fpoints_turn(struct list_head *points, bool on)
{
	if (on)
		return hook_all(points) ?: listen_all(points);
	fpoints_unhook(points);
	return 0;
}

/**
 * fpoint_is_to_turn - must a point be hooked, or unhooked?
 * @pp: the point
 * @on: to be hooked
 *
 * Context: event_mutex held.
 * Return: true if so.
 */
bool fpoint_is_to_turn(const struct probe_point *pp, bool on)
{
	struct fpoint *pt = fpoint_of(pp);

	if (!on)
		return pt->hooked;
	return pt->nr_hooked < pt->nr_ips || is_to_widen(pt);
}
