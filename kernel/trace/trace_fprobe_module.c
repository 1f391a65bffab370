// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Function probe and tracepoint probe events: modules come and go.
 *
 * An event keeps no module from going. What it has in one is taken out in time, and put
 * in again when a module comes that has it.
 */
#define pr_fmt(fmt)	"trace_fprobe: " fmt

#include <linux/ftrace.h>
#include <linux/glob.h>
#include <linux/kallsyms.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/string.h>
#include <linux/tracepoint.h>

#include "trace_fprobe.h"

/* One that goes has been looked after, or will be once we let go of event_mutex. */
static void match_in(struct tracepoint *tracepoint, struct module *mod, void *data)
{
	struct fpoint *pt = data;

	if (pt->tracepoint || READ_ONCE(mod->state) == MODULE_STATE_GOING ||
	    strcmp(tracepoint->name, pt->symbol))
		return;
	pt->tracepoint = tracepoint;
	pt->owner = mod;
}

/**
 * fpoint_look_into_modules - find a point's tracepoint in modules that are there
 * @pt: the point; gets tracepoint and owner if found
 *
 * Context: may sleep; event_mutex held.
 */
void fpoint_look_into_modules(struct fpoint *pt)
{
	for_each_module_tracepoint(match_in, pt);
}

static struct tracepoint *find_in(struct module *mod, const char *name)
{
	unsigned int i;

	/* A module that tracepoints do not trust. */
	if (trace_module_has_bad_taint(mod))
		return NULL;
	for (i = 0; i < mod->num_tracepoints; i++) {
		struct tracepoint *tp = tracepoint_ptr_deref(&mod->tracepoints_ptrs[i]);

		if (!strcmp(tp->name, name))
			return tp;
	}
	return NULL;
}

/* What to look for among a module's functions. */
struct function_search {
	const char *pattern;
	bool found;
};

static int check_symbol(void *data, const char *name, unsigned long addr)
{
	struct function_search *search = data;

	search->found = glob_match(search->pattern, name) && ftrace_location(addr);
	return search->found;
}

static bool has_function(const struct module *mod, const char *pattern)
{
	struct function_search search = { .pattern = pattern };

	module_kallsyms_on_each_symbol(mod->name, check_symbol, &search);
	return search.found;
}

/*
 * Functions that went with an earlier incarnation of the module have been forgotten, so
 * look for all of them once more. Calls of the others that are under way now are lost.
 */
static bool wants(struct fpoint *pt, struct module *mod)
{
	if (!fpoint_is_tracepoint(pt))
		return has_function(mod, pt->symbol);
	if (pt->planted)
		return false;
	pt->tracepoint = find_in(mod, pt->symbol);
	pt->owner = pt->tracepoint ? mod : NULL;
	return pt->tracepoint;
}

static bool lacks_probe(const struct fpoint *pt)
{
	return !pt->planted && (pt->tracepoint || !fpoint_is_tracepoint(pt));
}

/* All out first, so that one grace period does for them. */
static void module_comes(struct module *mod)
{
	LIST_HEAD(wanting);
	struct fpoint *pt;
	int err;

	guard(mutex)(&event_mutex);
	for_each_dyn_fpoint(pt) {
		if (is_fpoint(pt) && wants(pt, mod))
			list_add_tail(&pt->point.batch, &wanting);
	}
	fpoints_unplant(&wanting);
	points_forget(&wanting);
	for_each_dyn_fpoint(pt) {
		if (!is_fpoint(pt) || !lacks_probe(pt))
			continue;
		err = fpoint_plant(pt, trace_probe_is_enabled(&pt->point.tp));
		if (err)
			pr_warn("%s: not planted as module %s came: %d\n",
				pt->symbol, mod->name, err);
	}
}

/* Functions are fprobe's business, so that leaves the tracepoints. */
static void module_goes(struct module *mod)
{
	LIST_HEAD(owned);
	struct fpoint *pt;

	guard(mutex)(&event_mutex);
	for_each_dyn_fpoint(pt) {
		if (is_fpoint(pt) && pt->tracepoint && pt->owner == mod)
			list_add_tail(&pt->point.batch, &owned);
	}
	fpoints_unplant(&owned);
	list_for_each_entry(pt, &owned, point.batch) {
		pt->tracepoint = NULL;
		pt->owner = NULL;
	}
	points_forget(&owned);
}

static int on_coming(struct notifier_block *nb, unsigned long state, void *data)
{
	if (state == MODULE_STATE_COMING)
		module_comes(data);
	return NOTIFY_DONE;
}

static int on_going(struct notifier_block *nb, unsigned long state, void *data)
{
	if (state == MODULE_STATE_GOING)
		module_goes(data);
	return NOTIFY_DONE;
}

/* After jump labels, static calls and tracepoints have got to know the module, */
static struct notifier_block coming_nb = {
	.notifier_call	= on_coming,
	.priority	= -1,
};

/* and before they and fprobe take leave of it. */
static struct notifier_block going_nb = {
	.notifier_call	= on_going,
	.priority	= 2,
};

static int __init fprobe_events_watch_modules(void)
{
	return register_module_notifier(&coming_nb) ?:
	       register_module_notifier(&going_nb);
}
core_initcall(fprobe_events_watch_modules);
