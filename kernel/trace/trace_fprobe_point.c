// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Function probe and tracepoint probe events: making, planting and arming points.
 *
 * Functions are hooked when the event is defined, which shows whether they can be, and
 * arming is a flag. A tracepoint costs more than nothing once it has somebody to call,
 * so that has to wait until the event is enabled.
 */
#define pr_fmt(fmt)	"trace_fprobe: " fmt

#include <linux/list.h>
#include <linux/printk.h>
#include <linux/rcupdate.h>
#include <linux/security.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/tracepoint.h>

#include "trace_fprobe.h"

/* Points on tracepoints that call their probestub for them. Guarded by event_mutex. */
static LIST_HEAD(listeners);

const struct point_kind fprobe_kinds[] = {
	[FPROBE_ENTRY]		= { .class = &fprobe_class, .letter = 'f' },
	[FPROBE_RETURN]		= { .class = &fprobe_class, .letter = 'f',
				    .is_return = true },
	[FPROBE_TRACEPOINT]	= { .class = &fprobe_class, .letter = 't' },
};

static void release(struct probe_point *pp)
{
	struct fpoint *pt = fpoint_of(pp);

	free_percpu(pt->hits);
	kfree(pt->symbol);
	kfree(pt);
}

static const struct point_kind *kind_of(const struct probe_spec *spec)
{
	if (spec->scope & TPARG_FL_TPOINT)
		return &fprobe_kinds[FPROBE_TRACEPOINT];
	return &fprobe_kinds[spec->is_return ? FPROBE_RETURN : FPROBE_ENTRY];
}

static struct probe_point *create(struct probe_spec *spec, int nargs)
{
	struct fpoint *pt;
	int err = -ENOMEM;

	pt = kzalloc(struct_size(pt, point.tp.args, nargs), GFP_KERNEL);
	if (!pt)
		return ERR_PTR(-ENOMEM);

	pt->hits = alloc_percpu(unsigned long);
	if (pt->hits)
		err = point_init(&pt->point, kind_of(spec), spec, nargs);
	if (err) {
		release(&pt->point);
		return ERR_PTR(err);
	}
	INIT_LIST_HEAD(&pt->listening);
	swap(pt->symbol, spec->symbol);
	pt->maxactive = spec->maxactive;
	pt->unhooked = get_completed_synchronize_rcu();
	return &pt->point;
}

/* Tracepoints */

static void match_tracepoint(struct tracepoint *tracepoint, void *data)
{
	struct fpoint *pt = data;

	if (!pt->tracepoint && !strcmp(tracepoint->name, pt->symbol))
		pt->tracepoint = tracepoint;
}

static void find_tracepoint(struct fpoint *pt)
{
	for_each_kernel_tracepoint(match_tracepoint, pt);
	if (!pt->tracepoint)
		fpoint_look_into_modules(pt);
}

/* One call to the probestub does for all points on a tracepoint. */
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

	if (!list_empty(&pt->listening))
		return 0;
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

/* Planting */

static int arm(struct fpoint *pt)
{
	enable_fprobe(&pt->fp);
	return pt->tracepoint ? listen(pt) : 0;
}

static void disarm(struct fpoint *pt)
{
	if (pt->tracepoint)
		unlisten(pt);
	disable_fprobe(&pt->fp);
}

/* An fprobe that was registered before is not fit for it again as it is. */
static void reset_probe(struct fpoint *pt)
{
	struct trace_probe *tp = &pt->point.tp;

	cond_synchronize_rcu(pt->unhooked);
	pt->fp = (struct fprobe) { .flags = FPROBE_FL_DISABLED };
	if (tp->entry_arg)
		pt->fp.entry_data_size = traceprobe_get_entry_data_size(tp);
	fpoint_set_handlers(pt);
}

static int hook_functions(struct fpoint *pt)
{
	unsigned long stub;

	if (!fpoint_is_tracepoint(pt))
		return register_fprobe(&pt->fp, pt->symbol, NULL);
	stub = (unsigned long)pt->tracepoint->probestub;
	return register_fprobe_ips(&pt->fp, &stub, 1);
}

static void unhook_each(struct list_head *points)
{
	struct fpoint *pt;

	list_for_each_entry(pt, points, point.batch) {
		if (pt->planted)
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
		if (pt->planted)
			fps[n++] = &pt->fp;
	}
	unregister_fprobes_nowait(fps, n);
	kvfree(fps);
}

/**
 * fpoints_unplant - take the probes of points out
 * @points: the points by their batch member, perhaps not planted
 *
 * Does not wait for their handlers.
 *
 * Context: may sleep; event_mutex held, unless the points never were on the list of dynamic
 * events.
 */
void fpoints_unplant(struct list_head *points)
{
	struct fpoint *pt;

	list_for_each_entry(pt, points, point.batch)
		disarm(pt);
	unhook_all(points);
	list_for_each_entry(pt, points, point.batch) {
		if (pt->planted)
			pt->unhooked = get_state_synchronize_rcu();
		pt->planted = false;
	}
}

static void unplant_one(struct fpoint *pt)
{
	LIST_HEAD(one);

	list_add(&pt->point.batch, &one);
	fpoints_unplant(&one);
	points_forget(&one);
}

/**
 * fpoint_plant - register a point's probe
 * @pt: the point, with all its arguments; not planted. If it is on a tracepoint, that is
 *	there
 * @armed: let it fire at once
 *
 * Context: may sleep; event_mutex held.
 * Return: 0; -EPERM if the kernel is locked down; what registration says otherwise, e.g.
 * -EINVAL for a pattern that no function matches.
 */
int fpoint_plant(struct fpoint *pt, bool armed)
{
	int err;

	err = security_locked_down(LOCKDOWN_KPROBES) ?: point_update_args(&pt->point);
	if (err)
		return err;

	reset_probe(pt);
	err = hook_functions(pt);
	if (err)
		return err;
	pt->planted = true;
	if (armed)
		err = arm(pt);
	if (err)
		unplant_one(pt);
	return err;
}

/* Plant for a command: say what is wrong, and wait for a module if need be. */
static int plant_or_wait(struct probe_point *pp, bool armed)
{
	struct fpoint *pt = fpoint_of(pp);
	int err;

	if (fpoint_is_tracepoint(pt)) {
		find_tracepoint(pt);
		if (!pt->tracepoint) {
			pr_info("%s: waits for a module with this tracepoint\n",
				pt->symbol);
			return 0;
		}
	}

	err = fpoint_plant(pt, armed);
	if (!err || err == -ENOMEM)
		return err;
	trace_probe_log_set_index(WORD_PLACE);
	trace_probe_log_err(0, FAIL_REG_PROBE);
	return err;
}

static int turn(struct trace_probe_event *ev, bool on)
{
	struct fpoint *pt;
	int err;

	list_for_each_entry(pt, &ev->probes, point.tp.list) {
		if (!pt->planted)
			continue;
		if (!on) {
			disarm(pt);
			continue;
		}
		err = arm(pt);
		if (err)
			return err;
	}
	return 0;
}

static bool same_place(const struct probe_point *a, const struct probe_point *b)
{
	return !strcmp(fpoint_of(a)->symbol, fpoint_of(b)->symbol);
}

/* "SYM" is a point at the return of SYM, too. */
static bool is_at(const struct probe_point *pp, const char *text)
{
	const char *symbol = fpoint_of(pp)->symbol;
	size_t len = strlen(symbol);

	if (strncmp(text, symbol, len))
		return false;
	return !text[len] ||
	       (point_is_return(pp) && !strcmp(text + len, PROBE_RETURN_SUFFIX));
}

static void count(const struct probe_point *pp, struct point_counts *counts)
{
	const struct fpoint *pt = fpoint_of(pp);
	unsigned long missed = READ_ONCE(pt->fp.nmissed);

	counts->hits = point_sum_hits(pt->hits);
	counts->exhausted = min(READ_ONCE(pt->fp.nexhausted), missed);
	counts->recursion = missed - counts->exhausted;
}

const struct point_class fprobe_class = {
	.dyn		= &fprobe_event_ops,
	.event_flags	= TRACE_EVENT_FL_FPROBE,
	.parse		= fprobe_spec_parse,
	.create		= create,
	.plant		= plant_or_wait,
	.unplant	= fpoints_unplant,
	.turn		= turn,
	.same_place	= same_place,
	.is_at		= is_at,
	.show_place	= fpoint_show_place,
	.count		= count,
	.release	= release,
};
