// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Function probe and tracepoint probe events: create points and find their functions.
 *
 * Functions are searched when the event is defined, and in each module that is loaded later.
 * They are hooked while the event is enabled.
 */
#define pr_fmt(fmt)	"trace_fprobe: " fmt

#include <linux/ftrace.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/printk.h>
#include <linux/security.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/tracepoint.h>

#include "../fprobe_internal.h"
#include "fprobe.h"

const struct point_kind fprobe_kinds[] = {
	[FPROBE_ENTRY]		= { .class = &fprobe_class, .letter = 'f' },
	[FPROBE_RETURN]		= { .class = &fprobe_class, .letter = 'f',
				    .is_return = true },
	[FPROBE_TRACEPOINT]	= { .class = &fprobe_class, .letter = 't' },
};

static void release(struct probe_point *pp)
{
	struct fpoint *pt = fpoint_of(pp);

	fprobe_list_free(pt->list);
	free_percpu(pt->hits);
	kvfree(pt->ips);
	kfree(pt->symbol);
	kfree(pt);
}

static const struct point_kind *kind_of(const struct probe_spec *spec)
{
	if (spec->scope & TPARG_FL_TPOINT)
		return &fprobe_kinds[FPROBE_TRACEPOINT];
	return &fprobe_kinds[spec->is_return ? FPROBE_RETURN : FPROBE_ENTRY];
}

/* Parse the list again. The parser of the command has found no error in it. */
static int take_list(struct fpoint *pt, const char *symbol)
{
	struct probe_flaw flaw;
	struct fprobe_list *list = fprobe_list_read(symbol, &flaw);

	if (IS_ERR(list))
		return PTR_ERR(list);
	pt->list = list;
	return 0;
}

static struct probe_point *create(struct probe_spec *spec, int nargs)
{
	struct fpoint *pt;
	int err;

	pt = kzalloc(struct_size(pt, point.tp.args, nargs), GFP_KERNEL);
	if (!pt)
		return ERR_PTR(-ENOMEM);

	pt->point.kind = kind_of(spec);
	pt->hits = alloc_percpu(unsigned long);
	err = pt->hits ? 0 : -ENOMEM;
	if (!err && !fpoint_is_tracepoint(pt))
		err = take_list(pt, spec->symbol);
	/* The last step, because release() does not free the event. */
	err = err ?: point_init(&pt->point, pt->point.kind, spec, nargs);
	if (err) {
		release(&pt->point);
		return ERR_PTR(err);
	}
	INIT_LIST_HEAD(&pt->listening);
	swap(pt->symbol, spec->symbol);
	pt->maxactive = spec->maxactive;
	pt->colon = spec->colon;
	return &pt->point;
}

/* Functions of a point */

/**
 * fpoint_add_ips - add functions to a point
 * @pt: the point
 * @ips: addresses of ftrace's calls in the functions, none of which the point has
 * @nr: number of @ips
 *
 * Context: may sleep; event_mutex held.
 * Return: 0 or -ENOMEM.
 */
int fpoint_add_ips(struct fpoint *pt, const unsigned long *ips, unsigned int nr)
{
	unsigned int had = pt->nr_ips;
	unsigned long *all;

	all = kvmalloc_array(size_add(had, nr), sizeof(*all), GFP_KERNEL);
	if (!all)
		return -ENOMEM;
	memcpy(all, pt->ips, array_size(had, sizeof(*all)));
	memcpy(all + had, ips, array_size(nr, sizeof(*all)));
	kvfree(pt->ips);
	pt->ips = all;
	pt->nr_ips = had + nr;
	return 0;
}

static int find_stub(struct fpoint *pt)
{
	unsigned long ip = ftrace_location((unsigned long)pt->tracepoint->probestub);

	return ip ? fpoint_add_ips(pt, &ip, 1) : -EINVAL;
}

static int find_functions(struct fpoint *pt, unsigned int *at)
{
	unsigned long *ips;
	unsigned int nr;

	ips = fprobe_list_find(pt->list, &nr, at);
	if (IS_ERR(ips))
		return PTR_ERR(ips);
	pt->ips = ips;
	pt->nr_ips = nr;
	if (!nr)
		pr_info("%s: waits for a module with these functions\n", pt->symbol);
	return 0;
}

static void match_tracepoint(struct tracepoint *tracepoint, void *data)
{
	struct fpoint *pt = data;

	if (!pt->tracepoint && !strcmp(tracepoint->name, pt->symbol))
		pt->tracepoint = tracepoint;
}

/* Returns true if the tracepoint was found. */
static bool find_tracepoint(struct fpoint *pt)
{
	for_each_kernel_tracepoint(match_tracepoint, pt);
	if (!pt->tracepoint)
		fpoint_look_into_modules(pt);
	return pt->tracepoint;
}

/* Planting */

/**
 * fpoint_get_ready - find the functions of a point and check whether they can be hooked
 * @pt: the point, with all its arguments. Its tracepoint, if any, is found
 * @at: set to the position of an error in its place
 *
 * Context: may sleep; event_mutex held.
 * Return: 0; -EINVAL for a name or pattern that no function
 * matches, -ENOENT if the functions are in a module that is going or if none is left, -ENODEV if
 * ftrace has shut itself down; -ENOMEM.
 */
int fpoint_get_ready(struct fpoint *pt, unsigned int *at)
{
	struct trace_probe *tp = &pt->point.tp;
	int err;

	*at = 0;
	err = point_update_args(&pt->point);
	if (err)
		return err;
	if (tp->entry_arg)
		pt->fp.entry_data_size = args_kept_size(tp);
	fpoint_set_handlers(pt);
	return fprobe_check(&pt->fp) ?: pt->tracepoint ? find_stub(pt) : find_functions(pt, at);
}

static int plant_one(struct fpoint *pt, bool armed, unsigned int *at)
{
	LIST_HEAD(one);
	int err;

	err = fpoint_get_ready(pt, at);
	if (err || !armed || !pt->nr_ips)
		return err;
	list_add(&pt->point.batch, &one);
	err = fpoints_turn(&one, true);
	points_forget(&one);
	return err;
}

/* Points that were created before the kernel was locked down stay, also in modules. */
static int plant_new(struct fpoint *pt, bool armed, unsigned int *at)
{
	int err = security_locked_down(LOCKDOWN_KPROBES);

	if (err)
		return err;
	if (!fpoint_is_tracepoint(pt) || find_tracepoint(pt))
		return plant_one(pt, armed, at);
	err = point_update_args(&pt->point);
	if (!err)
		pr_info("%s: waits for a module with this tracepoint\n", pt->symbol);
	return err;
}

/* Plant for a command: write errors to error_log, or wait for a module. */
static int plant_or_wait(struct probe_point *pp, bool armed)
{
	struct fpoint *pt = fpoint_of(pp);
	unsigned int at = 0;
	int err = plant_new(pt, armed, &at);

	if (!err || err == -ENOMEM)
		return err;

	trace_probe_log_set_index(WORD_PLACE);
	if (err == -ENOENT)
		trace_probe_log_err(at, BAD_PROBE_ADDR);
	else
		trace_probe_log_err(at, FAIL_REG_PROBE);
	return err;
}

static bool same_place(const struct probe_point *a, const struct probe_point *b)
{
	return !strcmp(fpoint_of(a)->symbol, fpoint_of(b)->symbol);
}

/* "SYM" also matches a point at the return of SYM, and all spellings of that match. */
static bool is_at(const struct probe_point *pp, const char *text)
{
	const char *symbol = fpoint_of(pp)->symbol;
	size_t len = strlen(symbol);

	if (strncmp(text, symbol, len))
		return false;
	text += len;
	if (!*text)
		return true;
	if (point_is_return(pp))
		return !strcmp(text, PROBE_RETURN_SUFFIX) || !strcmp(text, FPROBE_EXIT_SUFFIX);
	return !fpoint_is_tracepoint(fpoint_of(pp)) && !strcmp(text, FPROBE_ENTRY_SUFFIX);
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
	.unplant	= fpoints_unhook,
	.is_to_turn	= fpoint_is_to_turn,
	.turn		= fpoints_turn,
	.same_place	= same_place,
	.is_at		= is_at,
	.show_place	= fpoint_show_place,
	.count		= count,
	.release	= release,
};
