// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Kprobe events: the life of a point.
 *
 * created -> planted (or waiting for its module) -> published -> retired -> freed
 *
 * A point on the list of dynamic events changes under event_mutex. The points of
 * perf never get on that list; their perf event is their only user.
 *
 * Nothing here waits for handlers to leave, with one exception (a module that
 * comes back). What a handler may still look at is freed by kpoint_free_later().
 */
#define pr_fmt(fmt)	"trace_kprobe: " fmt

#include <linux/ftrace.h>
#include <linux/kallsyms.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/security.h>
#include <linux/slab.h>

#include "trace_kprobe.h"

/* No handler can be using it now. An event that has no other point goes too. */
static void kpoint_reap(struct work_struct *work)
{
	struct kpoint *pt = container_of(to_rcu_work(work), struct kpoint, reaper);

	trace_probe_cleanup(&pt->tp);
	free_percpu(pt->hits);
	kfree(pt->symbol);
	kfree(pt);
}

/**
 * kpoint_create - make a point that a command describes
 * @spec: the description; its symbol moves to the point
 * @nargs: how many arguments there will be
 *
 * Return: the point, to be given back with kpoint_free_later(), or an ERR_PTR() of
 * -ENOMEM or of what trace_probe_init() says.
 */
struct kpoint *kpoint_create(struct kprobe_spec *spec, int nargs)
{
	struct kpoint *pt;
	int err = -ENOMEM;

	pt = kzalloc(struct_size(pt, tp.args, nargs), GFP_KERNEL);
	if (!pt)
		return ERR_PTR(-ENOMEM);

	pt->hits = alloc_percpu(unsigned long);
	if (pt->hits)
		err = trace_probe_init(&pt->tp, spec->event, spec->group, false,
				       nargs);
	if (err) {
		free_percpu(pt->hits);
		kfree(pt);
		return ERR_PTR(err);
	}

	swap(pt->symbol, spec->symbol);
	if (pt->symbol && strchr(pt->symbol, ':'))
		pt->mod_len = strcspn(pt->symbol, ":");
	pt->addr = spec->addr;
	pt->rp.kp.offset = spec->offset;
	pt->kind = &kpoint_kinds[spec->is_return];
	pt->maxactive = spec->maxactive;
	pt->event = pt->tp.event;
	pt->detached = get_completed_synchronize_rcu();
	INIT_RCU_WORK(&pt->reaper, kpoint_reap);
	dyn_event_init(&pt->dyn, &kprobe_event_ops);
	kpoint_init_event(pt);
	return pt;
}

static void kpoint_unplant(struct kpoint *pt)
{
	struct kretprobe *rp = &pt->rp;
	struct kprobe *kp = &rp->kp;

	if (!pt->planted)
		return;
	if (kpoint_is_return(pt))
		unregister_kretprobes_nowait(&rp, 1);
	else
		unregister_kprobes_nowait(&kp, 1);
	pt->planted = false;
}

/**
 * kpoint_free_later - take a point out and free it when its handlers are done
 * @pt: the point; the caller's no more
 *
 * Does not wait. If the point has an event of its own, that is freed with it.
 */
void kpoint_free_later(struct kpoint *pt)
{
	kpoint_unplant(pt);
	queue_rcu_work(system_wq, &pt->reaper);
}

/* The address that a point is at, or will be at; 0: its symbol is not there. */
static unsigned long kpoint_address(const struct kpoint *pt)
{
	unsigned long addr;

	if (!pt->symbol)
		return pt->addr;
	addr = kallsyms_lookup_name(pt->symbol);
	return addr ? addr + pt->rp.kp.offset : 0;
}

#if defined(CONFIG_DYNAMIC_FTRACE) && !defined(CONFIG_KPROBE_EVENTS_ON_NOTRACE)
/* Does ftrace own a call in the function around @addr? Unknown ones count. */
static bool traceable(unsigned long addr)
{
	unsigned long size, into;

	if (!kallsyms_lookup_size_offset(addr, &size, &into))
		return true;
	return ftrace_location_range(addr - into, addr - into + size - 1);
}

/*
 * Event handlers themselves call functions that are notrace for that very
 * reason. A part that the compiler split off (foo.cold, foo.part.0) has no call
 * to ftrace in any case: what counts is the function that it was split from.
 */
static bool out_of_bounds(const struct kpoint *pt)
{
	unsigned long addr = kpoint_address(pt);
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
static bool out_of_bounds(const struct kpoint *pt)
{
	return false;
}
#endif

/* A struct kprobe that was registered before is not fit for it again as it is. */
static void kpoint_reset_probe(struct kpoint *pt, bool armed)
{
	struct kretprobe *rp = &pt->rp;
	struct kprobe fresh = {
		.symbol_name	= pt->symbol,
		.addr		= (kprobe_opcode_t *)pt->addr,
		.offset		= rp->kp.offset,
		.flags		= armed ? 0 : KPROBE_FLAG_DISABLED,
	};

	memset(rp, 0, sizeof(*rp));
	rp->kp = fresh;
	INIT_LIST_HEAD(&rp->kp.list);
	if (kpoint_is_return(pt)) {
		rp->maxactive = pt->maxactive;
		if (pt->tp.entry_arg)
			rp->data_size = traceprobe_get_entry_data_size(&pt->tp);
	}
	kpoint_set_handlers(pt);
}

/**
 * kpoint_plant - register a point's probe
 * @pt: the point, with all its arguments
 * @armed: let it fire at once
 *
 * Context: may sleep. event_mutex held, unless the point is perf's.
 * Return: 0; -EPERM if the kernel is locked down; -EINVAL for a function that is
 * out of bounds; what registration says otherwise, e.g. -ENOENT for a symbol that
 * is not there or -EILSEQ for an address amid an instruction.
 */
int kpoint_plant(struct kpoint *pt, bool armed)
{
	unsigned int i;
	int err;

	err = security_locked_down(LOCKDOWN_KPROBES);
	if (err)
		return err;

	if (out_of_bounds(pt)) {
		pr_warn("%s: in a notrace function\n",
			pt->symbol ?: trace_probe_name(&pt->tp));
		return -EINVAL;
	}

	for (i = 0; i < pt->tp.nr_args; i++) {
		err = traceprobe_update_arg(&pt->tp.args[i]);
		if (err)
			return err;
	}

	kpoint_reset_probe(pt, armed);
	if (kpoint_is_return(pt))
		err = register_kretprobe(&pt->rp);
	else
		err = register_kprobe(&pt->rp.kp);
	pt->planted = !err;
	return err;
}

/* Plant for a command: say what is wrong, and wait for a module if need be. */
static int kpoint_plant_or_wait(struct kpoint *pt, bool armed)
{
	int err = kpoint_plant(pt, armed);

	if (!err)
		return 0;
	if (err == -ENOENT && pt->mod_len &&
	    !kprobe_module_present(pt->symbol, pt->mod_len)) {
		pr_info("%s: waits for its module\n", pt->symbol);
		return 0;
	}

	trace_probe_log_set_index(1);
	switch (err) {
	case -EILSEQ:
		trace_probe_log_err(0, BAD_INSN_BNDRY);
		break;
	case -ENOENT:
		trace_probe_log_err(0, BAD_PROBE_ADDR);
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
 * kpoint_is_at - is this point where a spec says?
 * @pt: the point
 * @spec: the place, see kprobe_spec_place()
 *
 * Return: true if symbol and offset, or the addresses, agree.
 */
bool kpoint_is_at(const struct kpoint *pt, const struct kprobe_spec *spec)
{
	if (!pt->symbol || !spec->symbol)
		return !pt->symbol && !spec->symbol &&
		       spec->addr == pt->addr;
	return spec->offset == pt->rp.kp.offset &&
	       !strcmp(spec->symbol, pt->symbol);
}

/* Same place, same expressions? Names and types are known to agree. */
static bool kpoint_repeats(const struct kpoint *pt, const struct kpoint *other)
{
	const struct kprobe_spec place = {
		.symbol	= other->symbol,
		.addr	= other->addr,
		.offset	= other->rp.kp.offset,
	};
	unsigned int i;

	if (!kpoint_is_at(pt, &place))
		return false;
	for (i = 0; i < pt->tp.nr_args; i++)
		if (strcmp(pt->tp.args[i].comm, other->tp.args[i].comm))
			return false;
	return true;
}

static int refuse(int word, int code)
{
	trace_probe_log_set_index(word);
	__trace_probe_log_err(0, code);
	return -EEXIST;
}

/* Make a point one more of those that an event has. */
static int kpoint_join(struct kpoint *pt, struct kpoint *host)
{
	struct kpoint *other;
	int err;

	if (pt->kind != host->kind)
		return refuse(0, TP_ERR_DIFF_PROBE_TYPE);

	/* Counts from 1, and the arguments follow two other words. */
	err = trace_probe_compare_arg_type(&pt->tp, &host->tp);
	if (err)
		return refuse(err + 1, TP_ERR_DIFF_ARG_TYPE);

	for_each_kpoint(other, host->tp.event)
		if (kpoint_repeats(pt, other))
			return refuse(0, TP_ERR_SAME_PROBE);

	err = trace_probe_append(&pt->tp, &host->tp);
	if (err)
		return err;
	pt->event = pt->tp.event;
	pt->detached = host->detached;

	err = kpoint_plant_or_wait(pt, trace_probe_is_enabled(&host->tp));
	if (err) {
		down_write(&trace_event_sem);
		trace_probe_unlink(&pt->tp);
		up_write(&trace_event_sem);
		return err;
	}
	return dyn_event_add(&pt->dyn, trace_probe_event_call(&pt->tp));
}

static struct kpoint *find_host(struct kpoint *pt)
{
	const char *group = trace_probe_group_name(&pt->tp);
	const char *name = trace_probe_name(&pt->tp);
	struct dyn_event *ev;

	for_each_dyn_event(ev) {
		if (ev->ops == &kprobe_event_ops &&
		    ev->ops->match(group, name, 0, NULL, ev))
			return kpoint_of_dyn(ev);
	}
	return NULL;
}

/**
 * kpoint_publish - plant a point and make its event visible
 * @pt: the point
 *
 * The event is a new one, or one of this name that gets one more point. On failure
 * no event is left behind, and the caller disposes of the point with
 * kpoint_free_later().
 *
 * Context: may sleep; event_mutex held.
 * Return: 0; -EEXIST if the event cannot have this point or is no kprobe event;
 * what kpoint_plant() or the registration of an event says.
 */
int kpoint_publish(struct kpoint *pt)
{
	struct trace_event_call *call = trace_probe_event_call(&pt->tp);
	struct kpoint *host;
	int err;

	lockdep_assert_held(&event_mutex);

	host = find_host(pt);
	if (host)
		return kpoint_join(pt, host);

	err = kpoint_plant_or_wait(pt, false);
	if (err)
		return err;

	err = trace_probe_register_event_call(&pt->tp);
	if (!err)
		return dyn_event_add(&pt->dyn, call);

	return err == -EEXIST ? refuse(0, TP_ERR_EVENT_EXIST) : err;
}

/**
 * kpoint_retire - take a point out of its event, the last one with the event
 * @pt: the point; freed if 0 is returned
 *
 * Context: may sleep; event_mutex held. Waits for the rest of a grace period if the
 * event was detached from a tracing instance just before.
 * Return: 0, or -EBUSY if the point is its event's last and that is in use.
 */
int kpoint_retire(struct kpoint *pt)
{
	struct trace_probe *tp = &pt->tp;

	lockdep_assert_held(&event_mutex);

	if (trace_probe_has_sibling(tp)) {
		/* Printing looks at the first point of an event. */
		down_write(&trace_event_sem);
		trace_probe_unlink(tp);
		up_write(&trace_event_sem);
	} else {
		if (trace_probe_is_enabled(tp) ||
		    trace_event_dyn_busy(trace_probe_event_call(tp)))
			return -EBUSY;
		/* The event's files are freed at once. */
		cond_synchronize_rcu(pt->detached);
		if (trace_probe_unregister_event_call(tp))
			return -EBUSY;
	}

	dyn_event_remove(&pt->dyn);
	kpoint_free_later(pt);
	return 0;
}

/**
 * kpoint_hits - how often was this point hit while its event was enabled?
 * @pt: the point
 *
 * Return: the sum over all CPUs.
 */
unsigned long kpoint_hits(const struct kpoint *pt)
{
	unsigned long sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += *per_cpu_ptr(pt->hits, cpu);
	return sum;
}

/**
 * kpoint_missed - how many hits and returns of it were lost?
 * @pt: the point
 *
 * Return: their number since the probe was planted.
 */
unsigned long kpoint_missed(const struct kpoint *pt)
{
	unsigned long sum = pt->rp.kp.nmissed;

	if (kpoint_is_return(pt))
		sum += pt->rp.nmissed;
	return sum;
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
	err = kpoint_plant(pt, trace_probe_is_enabled(&pt->tp));
	if (err)
		pr_warn("%s: not planted as its module came: %d\n", pt->symbol,
			err);
}

/*
 * What pointed into an earlier incarnation of the module is gone, but still
 * registered. Take all those out first, so that one grace period does for them.
 */
static int kpoint_module_event(struct notifier_block *nb, unsigned long what,
			       void *data)
{
	struct module *mod = data;
	struct dyn_event *ev;
	bool wait = false;

	if (what != MODULE_STATE_COMING)
		return NOTIFY_DONE;

	mutex_lock(&event_mutex);
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
		if (ev->ops == &kprobe_event_ops &&
		    kpoint_is_in(kpoint_of_dyn(ev), mod))
			revive(kpoint_of_dyn(ev));
	}
	mutex_unlock(&event_mutex);
	return NOTIFY_DONE;
}

/* After the probe core, ftrace and jump labels have got to know the module. */
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
