// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Kprobe events: create and plant points.
 *
 * created -> planted (or waiting for its module) -> published -> retired -> freed
 *
 * A point on the list of dynamic events changes under event_mutex. The points of perf
 * are not on that list, and only their perf event uses them.
 *
 * This does not wait for handlers, unless a module is loaded again or too much memory waits
 * to be freed. point_free_later() frees what handlers may use.
 */
#define pr_fmt(fmt)	"trace_kprobe: " fmt

#include <linux/ftrace.h>
#include <linux/kallsyms.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/probe_errors.h>
#include <linux/rcupdate.h>
#include <linux/security.h>
#include <linux/slab.h>

#include "kprobe.h"

const struct point_kind kprobe_kinds[2] = {
	[false]	= { .class = &kprobe_class, .letter = 'p' },
	[true]	= { .class = &kprobe_class, .letter = 'r', .is_return = true },
};

static void kpoint_release(struct probe_point *pp)
{
	struct kpoint *pt = kpoint_of(pp);

	kplaces_free(pt);
	free_percpu(pt->hits);
	kfree(pt->symbol);
	kfree(kpoint_kp(pt));
}

/* A point at an instruction has no memory for a return probe. */
static struct kpoint *kpoint_alloc(const struct point_kind *kind, int nargs)
{
	struct return_kpoint *at_return;
	struct insn_kpoint *at_insn;
	struct kpoint *pt;

	if (kind->is_return) {
		at_return = kzalloc(struct_size(at_return, pt.point.tp.args, nargs), GFP_KERNEL);
		pt = at_return ? &at_return->pt : NULL;
	} else {
		at_insn = kzalloc(struct_size(at_insn, pt.point.tp.args, nargs), GFP_KERNEL);
		pt = at_insn ? &at_insn->pt : NULL;
	}
	if (pt)
		pt->point.kind = kind;
	return pt;
}

/**
 * kpoint_create - create a point for a command
 * @spec: the parsed command; the point takes ownership of its symbol
 * @nargs: number of arguments
 *
 * Return: the point, to be freed with point_free_later(), or an ERR_PTR() of -ENOMEM or
 * of the error of trace_probe_init().
 */
struct kpoint *kpoint_create(struct probe_spec *spec, int nargs)
{
	const struct point_kind *kind = &kprobe_kinds[spec->is_return];
	struct kpoint *pt = kpoint_alloc(kind, nargs);
	int err;

	if (!pt)
		return ERR_PTR(-ENOMEM);

	pt->hits = alloc_percpu(unsigned long);
	err = pt->hits ? 0 : -ENOMEM;
	if (!err && spec->all)
		err = kplaces_create(pt);
	/* The last step, because kpoint_release() does not free the event. */
	err = err ?: point_init(&pt->point, kind, spec, nargs);
	if (err) {
		kpoint_release(&pt->point);
		return ERR_PTR(err);
	}

	swap(pt->symbol, spec->symbol);
	if (pt->symbol && strchr(pt->symbol, ':'))
		pt->mod_len = strcspn(pt->symbol, ":");
	if (!pt->is_all)
		pt->addr = pt->symbol ? spec->base : spec->addr;
	kpoint_kp(pt)->offset = spec->offset;
	pt->maxactive = spec->maxactive;
	return pt;
}

static struct probe_point *kpoint_create_point(struct probe_spec *spec, int nargs)
{
	struct kpoint *pt = kpoint_create(spec, nargs);

	return IS_ERR(pt) ? ERR_CAST(pt) : &pt->point;
}

static void kpoint_unplant(struct kpoint *pt)
{
	struct kretprobe *rp = kpoint_rp(pt);
	struct kprobe *kp = kpoint_kp(pt);

	if (pt->is_all)
		kplaces_unplant(pt);
	if (!pt->planted)
		return;
	if (kpoint_is_return(pt))
		unregister_kretprobes_nowait(&rp, 1);
	else
		unregister_kprobes_nowait(&kp, 1);
	pt->planted = false;
}

/* Most are disarmed, so a batch would save little. */
static void kpoints_unplant(struct list_head *points)
{
	struct kpoint *pt;

	list_for_each_entry(pt, points, point.batch)
		kpoint_unplant(pt);
}

/* The address of a point, planted or not; 0 if its symbol does not exist. */
static unsigned long kpoint_address(const struct kpoint *pt)
{
	unsigned long addr;

	if (!pt->symbol)
		return pt->addr;
	addr = pt->addr ?: kallsyms_lookup_name(pt->symbol);
	return addr ? addr + kpoint_kp(pt)->offset : 0;
}

#if defined(CONFIG_DYNAMIC_FTRACE) && !defined(CONFIG_KPROBE_EVENTS_ON_NOTRACE)
/* Can ftrace trace the function around @addr? True if there is no symbol. */
static bool traceable(unsigned long addr)
{
	unsigned long size, into;

	if (!kallsyms_lookup_size_offset(addr, &size, &into))
		return true;
	return ftrace_location_range(addr - into, addr - into + size - 1);
}

/**
 * kprobe_is_out_of_bounds - is this address closed for events?
 * @addr: the address, 0 if it is not known
 *
 * Event handlers call functions that are notrace for that reason. A part that the
 * compiler has split off (foo.cold, foo.part.0) has no call of ftrace, so the function
 * that it was split from is checked.
 *
 * Return: true if so.
 */
bool kprobe_is_out_of_bounds(unsigned long addr)
{
	char name[KSYM_NAME_LEN];
	char *dot;

	if (!addr || traceable(addr))
		return false;
	if (lookup_symbol_name(addr, name))
		return true;
	dot = strchr(name, '.');
	if (!dot)
		return true;
	*dot = '\0';
	addr = kallsyms_lookup_name(name);
	return !addr || !traceable(addr);
}
#else
bool kprobe_is_out_of_bounds(unsigned long addr)
{
	return false;
}
#endif

#ifdef CONFIG_MODULES
/* Is a point's text going or gone? Ftrace drops it before kallsyms does. */
static bool text_leaves(const struct kpoint *pt)
{
	unsigned long addr = kpoint_address(pt);
	struct module *mod;

	if (!addr)
		return true;
	guard(preempt)();
	mod = __module_text_address(addr);
	return mod && mod->state == MODULE_STATE_GOING;
}
#else
static bool text_leaves(const struct kpoint *pt)
{
	return false;
}
#endif

/* Prints the symbol, not the address. */
static void warn_of_notrace(struct kpoint *pt)
{
	char name[KSYM_NAME_LEN];

	if (lookup_symbol_name(kpoint_address(pt), name))
		strscpy(name, pt->symbol ?: trace_probe_name(&pt->point.tp), sizeof(name));
	pr_warn("Could not probe notrace function %s\n", name);
}

static int refuse(const struct kpoint *pt, int err, const char *reason)
{
	const struct probe_refusal e = {
		.call	= pt->point.kind->letter == 'r' ? "event at a return" : "event",
		.symbol	= pt->symbol,
		.addr	= pt->symbol ? 0 : pt->addr,
		.offset	= kpoint_kp(pt)->offset,
		.err	= err,
	};

	probe_error(&e, reason, NULL);
	return err;
}

/**
 * kpoint_prepare_return - initialize a return probe of a point
 * @pt: the point
 * @rp: the probe
 */
void kpoint_prepare_return(const struct kpoint *pt, struct kretprobe *rp)
{
	memset(rp, 0, sizeof(*rp));
	rp->maxactive = pt->maxactive;
	if (pt->point.tp.entry_arg)
		rp->data_size = args_kept_size(&pt->point.tp);
}

/* A struct kprobe must be initialized before it is registered again. */
static void kpoint_reset_probe(struct kpoint *pt, bool armed)
{
	struct kprobe *kp = kpoint_kp(pt);
	struct kprobe fresh = {
		.symbol_name	= pt->addr ? NULL : pt->symbol,
		.addr		= (kprobe_opcode_t *)pt->addr,
		.offset		= kp->offset,
		/* Handlers use memory of their own for each context. */
		.flags		= KPROBE_FLAG_REENTRANT | (armed ? 0 : KPROBE_FLAG_DISABLED),
	};

	if (kpoint_is_return(pt))
		kpoint_prepare_return(pt, kpoint_rp(pt));
	*kp = fresh;
	INIT_LIST_HEAD(&kp->list);
	kpoint_set_handlers(pt);
}

/**
 * kpoint_check_lockdown - may a new point be planted?
 * @pt: the point
 *
 * Points that were created before the kernel was locked down stay, also in modules that are loaded
 * later.
 *
 * Return: 0, or -EPERM if the kernel is locked down.
 */
int kpoint_check_lockdown(const struct kpoint *pt)
{
	int err = security_locked_down(LOCKDOWN_KPROBES);

	return err ? refuse(pt, err, "the kernel is locked down against kprobes") : 0;
}

/**
 * kpoint_plant - register a point's probe
 * @pt: the point, with all its arguments
 * @armed: arm the probe
 *
 * Context: may sleep. event_mutex held, unless the point is one of perf.
 * Return: 0; -EINVAL for a function that is closed for
 * events; -E2BIG if too many functions have the name; or the error of the registration, e.g.
 * -ENOENT for a symbol that does not exist or whose module is going, or -EILSEQ for an address
 * inside an instruction.
 */
int kpoint_plant(struct kpoint *pt, bool armed)
{
	int err;

	if (pt->is_all)
		return kplaces_plant(pt, armed);

	if (kprobe_is_out_of_bounds(kpoint_address(pt))) {
		if (text_leaves(pt))
			return refuse(pt, -ENOENT, "its module is being unloaded");
		warn_of_notrace(pt);
		return refuse(pt, -EINVAL, kprobe_reason_at(kpoint_address(pt)) ?:
			      "notrace function, in which events are refused");
	}

	err = point_update_args(&pt->point);
	if (err)
		return err;

	/* The module may be loaded later, so this is not an error. */
	if (pt->mod_len && !symbol_module_present(pt->symbol, pt->mod_len))
		return -ENOENT;

	kpoint_reset_probe(pt, armed);
	if (kpoint_is_return(pt))
		err = register_kretprobe(kpoint_rp(pt));
	else
		err = register_kprobe(kpoint_kp(pt));
	pt->planted = !err;
	return err;
}

/* Plant for a command: write errors to error_log, or wait for a module. */
static int kpoint_plant_or_wait(struct probe_point *pp, bool armed)
{
	struct kpoint *pt = kpoint_of(pp);
	int err = kpoint_check_lockdown(pt) ?: kpoint_plant(pt, armed);

	if (!err)
		return 0;
	if (err == -ENOENT && pt->mod_len &&
	    (!symbol_module_present(pt->symbol, pt->mod_len) ||
	     symbol_module_comes(pt->symbol, pt->mod_len))) {
		pr_warn("This probe might be able to register after target module is loaded. Continue.\n");
		return 0;
	}

	trace_probe_log_set_index(WORD_PLACE);
	switch (err) {
	case -EILSEQ:
		trace_probe_log_err(0, BAD_INSN_BNDRY);
		break;
	case -ENOENT:
		trace_probe_log_err(0, BAD_PROBE_ADDR);
		break;
	case -E2BIG:
		trace_probe_log_err(0, TOO_MANY_FUNCS);
		break;
	case -ENOMEM:
	case -EEXIST:
		break;
	default:
		trace_probe_log_err(0, FAIL_REG_PROBE);
	}
	return err;
}

/**
 * kpoint_is_at - is a point at a place?
 * @pt: the point
 * @spec: the place, see kprobe_spec_place()
 *
 * Return: true if symbol and offset, or the addresses, are equal.
 */
bool kpoint_is_at(const struct kpoint *pt, const struct probe_spec *spec)
{
	if (!pt->symbol || !spec->symbol)
		return !pt->symbol && !spec->symbol &&
		       spec->addr == pt->addr;
	return spec->offset == kpoint_kp(pt)->offset &&
	       !strcmp(spec->symbol, pt->symbol);
}

static bool kpoint_same_place(const struct probe_point *a, const struct probe_point *b)
{
	const struct kpoint *other = kpoint_of(b);
	const struct probe_spec place = {
		.symbol	= other->symbol,
		.addr	= other->addr,
		.offset	= kpoint_kp(other)->offset,
	};

	return kpoint_is_at(kpoint_of(a), &place);
}

/* Does the word PLACE name the place of the point? The spelling may differ. */
static bool kpoint_is_named(const struct probe_point *pp, const char *text)
{
	struct probe_spec place = { };
	bool same;

	same = !kprobe_spec_place(&place, text) && kpoint_is_at(kpoint_of(pp), &place) &&
	       (!place.is_return || point_is_return(pp));
	probe_spec_release(&place);
	return same;
}

/**
 * kpoint_count - count the hits and misses of a point
 * @pp: the point
 * @counts: receives the hits since it was created, and the misses since its probe was planted
 *
 * Context: event_mutex held, unless only the caller uses the point.
 */
void kpoint_count(const struct probe_point *pp, struct point_counts *counts)
{
	const struct kpoint *pt = kpoint_of(pp);

	counts->hits = point_sum_hits(pt->hits);
	if (pt->is_all) {
		kplaces_count(pt, counts);
		return;
	}
	counts->recursion = READ_ONCE(kpoint_kp(pt)->nmissed);
	counts->exhausted = 0;
	/* Calls for which no node was free. Recursion is counted by the kprobe. */
	if (kpoint_is_return(pt))
		counts->exhausted = READ_ONCE(kpoint_rp(pt)->nmissed);
}

static bool kpoint_may_have_moved(const struct probe_point *pp)
{
	const struct kpoint *pt = kpoint_of(pp);

	return pt->is_all && pt->places->moved;
}

const struct point_class kprobe_class = {
	.dyn		= &kprobe_event_ops,
	.event_flags	= TRACE_EVENT_FL_KPROBE,
	.parse		= kprobe_spec_parse,
	.create		= kpoint_create_point,
	.plant		= kpoint_plant_or_wait,
	.unplant	= kpoints_unplant,
	.is_to_turn	= kpoint_is_to_turn,
	.turn		= kpoints_turn,
	.same_place	= kpoint_same_place,
	.is_at		= kpoint_is_named,
	.show_place	= kpoint_show_place,
	.count		= kpoint_count,
	.may_have_moved	= kpoint_may_have_moved,
	.release	= kpoint_release,
};

/**
 * kpoint_missed - count the missed hits and returns of a point
 * @pt: the point
 *
 * Context: as kpoint_count().
 * Return: their number since the probe was planted.
 */
unsigned long kpoint_missed(const struct kpoint *pt)
{
	struct point_counts counts;

	kpoint_count(&pt->point, &counts);
	return counts.recursion + counts.exhausted;
}

#ifdef CONFIG_MODULES
static bool kpoint_is_in(const struct kpoint *pt, const struct module *mod)
{
	return pt->mod_len && strlen(mod->name) == pt->mod_len &&
	       !memcmp(pt->symbol, mod->name, pt->mod_len);
}

static void revive(struct kpoint *pt)
{
	int err;

	if (pt->planted)
		return;
	err = kpoint_plant(pt, trace_probe_is_enabled(&pt->point.tp));
	if (err)
		pr_warn("%s: not planted as its module came: %d\n", pt->symbol,
			err);
}

/* Remove functions of a module that goes from points, or add those of one that comes. */
static void kpoints_all_follow(struct module *mod, unsigned long what)
{
	struct dyn_event *ev;
	struct kpoint *pt;
	int err;

	for_each_dyn_event(ev) {
		pt = kpoint_of_dyn(ev);
		if (ev->ops != &kprobe_event_ops || !pt->is_all ||
		    (pt->mod_len && !kpoint_is_in(pt, mod)))
			continue;
		if (what != MODULE_STATE_COMING) {
			kplaces_text_goes(pt, mod, what == MODULE_STATE_LIVE);
			continue;
		}
		err = kplaces_module_comes(pt, mod->name);
		if (err)
			pr_warn("%s: not planted as module %s came: %d\n", pt->symbol, mod->name,
				err);
	}
}

/*
 * Probes in an earlier load of the module are gone, but registered. Unregister all of them first,
 * with one grace period.
 */
static int kpoint_module_event(struct notifier_block *nb, unsigned long what,
			       void *data)
{
	struct module *mod = data;
	struct dyn_event *ev;
	bool wait = false;

	mutex_lock(&event_mutex);
	kpoints_all_follow(mod, what);
	if (what != MODULE_STATE_COMING) {
		mutex_unlock(&event_mutex);
		return NOTIFY_DONE;
	}
	for_each_dyn_event(ev) {
		struct kpoint *pt = kpoint_of_dyn(ev);

		if (ev->ops != &kprobe_event_ops || !kpoint_is_in(pt, mod) ||
		    !pt->planted)
			continue;
		kpoint_unplant(pt);
		wait = true;
	}
	if (wait)
		synchronize_rcu();
	for_each_dyn_event(ev) {
		if (ev->ops == &kprobe_event_ops && !kpoint_of_dyn(ev)->is_all &&
		    kpoint_is_in(kpoint_of_dyn(ev), mod))
			revive(kpoint_of_dyn(ev));
	}
	mutex_unlock(&event_mutex);
	return NOTIFY_DONE;
}

/* Runs after the notifiers of the probe core, ftrace and jump labels. */
static struct notifier_block kpoint_module_nb = {
	.notifier_call	= kpoint_module_event,
	.priority	= -1,
};

static int __init kpoint_watch_modules(void)
{
	return register_module_notifier(&kpoint_module_nb);
}
core_initcall(kpoint_watch_modules);
#endif /* CONFIG_MODULES */
