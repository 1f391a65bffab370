// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Function probe and tracepoint probe events: modules.
 *
 * An event does not keep a module loaded. Functions and tracepoints of a module that goes are
 * removed from the point, and added again when a module with them is loaded. Others do not
 * change.
 */
#define pr_fmt(fmt)	"trace_fprobe: " fmt

#include <linux/err.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/string.h>
#include <linux/tracepoint.h>

#include "../fprobe_internal.h"
#include "fprobe.h"

/* If the module is going, its notifier has run or waits for event_mutex. */
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
 * fpoint_look_into_modules - find a point's tracepoint in loaded modules
 * @pt: the point; its tracepoint and owner are set if found
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

	/* Tracepoints of such a module are not supported. */
	if (trace_module_has_bad_taint(mod))
		return NULL;
	for (i = 0; i < mod->num_tracepoints; i++) {
		struct tracepoint *tp = tracepoint_ptr_deref(&mod->tracepoints_ptrs[i]);

		if (!strcmp(tp->name, name))
			return tp;
	}
	return NULL;
}

/* Was the point created when the module's functions were visible already? */
static bool has_some_of(const struct fpoint *pt, const struct module *mod)
{
	unsigned int i;

	for (i = 0; i < pt->nr_ips; i++) {
		if (within_module(pt->ips[i], mod))
			return true;
	}
	return false;
}

/* Remove functions from @ips that the point has: it may have been created meanwhile. */
static unsigned int drop_known(const struct fpoint *pt, unsigned long *ips, unsigned int nr)
{
	unsigned int i, j, kept = 0;

	for (i = 0; i < nr; i++) {
		for (j = 0; j < pt->nr_ips && pt->ips[j] != ips[i]; j++)
			;
		if (j == pt->nr_ips)
			ips[kept++] = ips[i];
	}
	return kept;
}

static int add_functions(struct fpoint *pt, const struct module *mod)
{
	unsigned long *ips;
	unsigned int nr;
	int err;

	ips = fprobe_list_find_in(pt->list, mod->name, &nr);
	if (IS_ERR_OR_NULL(ips))
		return PTR_ERR_OR_ZERO(ips);
	if (has_some_of(pt, mod))
		nr = drop_known(pt, ips, nr);
	err = nr ? fpoint_add_ips(pt, ips, nr) : 0;
	kvfree(ips);
	/* Arguments may have symbols of the module. */
	if (!err)
		point_update_args(&pt->point);
	return err;
}

static int add_tracepoint(struct fpoint *pt, struct module *mod)
{
	unsigned int at;
	int err;

	if (pt->tracepoint)
		return 0;
	pt->tracepoint = find_in(mod, pt->symbol);
	if (!pt->tracepoint)
		return 0;
	pt->owner = mod;
	err = fpoint_get_ready(pt, &at);
	if (!err)
		return 0;
	pt->tracepoint = NULL;
	pt->owner = NULL;
	return err;
}

static void warn(const struct fpoint *pt, const struct module *mod, int err)
{
	pr_warn("%s: not planted as module %s came: %d\n", pt->symbol, mod->name, err);
}

static void look_into(struct fpoint *pt, struct module *mod)
{
	int err;

	err = fpoint_is_tracepoint(pt) ? add_tracepoint(pt, mod) : add_functions(pt, mod);
	if (err)
		warn(pt, mod, err);
}

/* Functions that are hooked already stay hooked. */
static void module_comes(struct module *mod)
{
	LIST_HEAD(wanting);
	struct fpoint *pt;
	int err;

	guard(mutex)(&event_mutex);
	for_each_dyn_fpoint(pt) {
		if (!is_fpoint(pt))
			continue;
		look_into(pt, mod);
		if (trace_probe_is_enabled(&pt->point.tp) && fpoint_is_to_turn(&pt->point, true))
			list_add_tail(&pt->point.batch, &wanting);
	}
	points_arm_most(&wanting);
	points_forget(&wanting);
	for_each_dyn_fpoint(pt) {
		if (!is_fpoint(pt) || !trace_probe_is_enabled(&pt->point.tp))
			continue;
		err = points_turn(pt->point.tp.event, true);
		if (err)
			warn(pt, mod, err);
	}
}

/* The fprobe core unhooks the functions. */
static void forget_text(struct fpoint *pt, const struct module *mod, enum mod_mem_type type)
{
	unsigned int i, kept = 0, hooked = 0;

	for (i = 0; i < pt->nr_ips; i++) {
		if (within_module_mem_type(pt->ips[i], mod, type))
			continue;
		hooked += i < pt->nr_hooked;
		pt->ips[kept++] = pt->ips[i];
	}
	pt->nr_ips = kept;
	pt->nr_hooked = hooked;
}

static void text_goes(const struct module *mod, enum mod_mem_type type)
{
	struct fpoint *pt;

	guard(mutex)(&event_mutex);
	for_each_dyn_fpoint(pt) {
		if (is_fpoint(pt))
			forget_text(pt, mod, type);
	}
}

static void tracepoints_go(const struct module *mod)
{
	LIST_HEAD(owned);
	struct fpoint *pt;

	guard(mutex)(&event_mutex);
	for_each_dyn_fpoint(pt) {
		if (is_fpoint(pt) && pt->tracepoint && pt->owner == mod)
			list_add_tail(&pt->point.batch, &owned);
	}
	fpoints_unhook(&owned);
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
	if (state == MODULE_STATE_GOING) {
		tracepoints_go(data);
		text_goes(data, MOD_TEXT);
	}
	if (state == MODULE_STATE_GOING || state == MODULE_STATE_LIVE)
		text_goes(data, MOD_INIT_TEXT);
	return NOTIFY_DONE;
}

/* Runs after the notifiers of jump labels, static calls and tracepoints. */
static struct notifier_block coming_nb = {
	.notifier_call	= on_coming,
	.priority	= -1,
};

/* Runs before their notifiers and that of fprobe. */
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
