// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Kprobe events: hits of a point. event_hit.h says what the handlers rely on.
 */
#include <linux/filter.h>

#include "kprobe.h"
#include "event_hit.h"

#ifdef CONFIG_PERF_EVENTS
/*
 * BPF programs run first and decide whether there is a record. At an entry they may skip
 * the function by bpf_override_return(). Returns true then: the probed instruction must
 * not run.
 */
static nokprobe_inline bool hit_perf(struct point_hit *hit)
{
	struct trace_event_call *call = &hit->pp->event->call;
	unsigned long ip = instruction_pointer(hit->from.regs);

	if (bpf_prog_array_valid(call)) {
		unsigned int keep = trace_call_bpf(call, hit->from.regs);

		if (instruction_pointer(hit->from.regs) != ip)
			return true;
		if (!keep)
			return false;
	}
	hit_perf_record(hit);
	return false;
}
#else
static nokprobe_inline bool hit_perf(struct point_hit *hit)
{
	return false;
}
#endif /* CONFIG_PERF_EVENTS */

static nokprobe_inline bool deliver(struct kpoint *pt, struct point_hit *hit)
{
	/* Pairs with the release in trace_probe_set_flag(). */
	unsigned int who = smp_load_acquire(&hit->pp->event->flags);
	bool elsewhere = false;

	/* The event is not enabled yet, or not any more: points of a batch are armed together. */
	if (unlikely(!who))
		return false;
	this_cpu_inc(*pt->hits);
	hit_begin(hit);
	if (who & TP_FLAG_TRACE)
		hit_trace(hit);
	if (who & TP_FLAG_PROFILE)
		elsewhere = hit_perf(hit);
	hit_end(hit);
	return elsewhere;
}

/* @kp is that of the point, or of one of its functions. */
static nokprobe_inline int entered(struct kpoint *pt, struct kprobe *kp, struct pt_regs *regs)
{
	/* Entries do not use the members that are not set. */
	struct point_hit hit __uninitialized;

	hit.pp = &pt->point;
	hit.from.regs = regs;
	hit.ip = (unsigned long)kp->addr;
	return deliver(pt, &hit);
}

static int kpoint_entry(struct kprobe *kp, struct pt_regs *regs)
{
	return entered(&container_of(kp, struct insn_kpoint, kp)->pt, kp, regs);
}

NOKPROBE_SYMBOL(kpoint_entry);

/* The entry of one of several functions of a point. */
static int kplace_entry(struct kprobe *kp, struct pt_regs *regs)
{
	return entered(container_of(kp, struct kplace, kp)->pt, kp, regs);
}

NOKPROBE_SYMBOL(kplace_entry);

#ifdef CONFIG_KRETPROBES
/*
 * The kretprobe of a call is NULL if it was unregistered after the function's entry. That may
 * happen at any time, so each handler reads it once.
 */
static nokprobe_inline struct kpoint *kpoint_of_rp(struct kretprobe *rp)
{
	return &container_of(rp, struct return_kpoint, rp)->pt;
}

static nokprobe_inline struct kpoint *kplace_of_rp(struct kretprobe *rp)
{
	return container_of(rp, struct kplace, rp)->pt;
}

/* The entry handler of return probes that keep values. */
static nokprobe_inline int keep(struct kpoint *pt, struct kretprobe_instance *call,
				struct pt_regs *regs)
{
	args_keep(&pt->point.tp, regs, (unsigned long *)call->data);
	return 0;
}

/* The same if not only parameters are kept. */
static nokprobe_inline int keep_mixed(struct kpoint *pt, struct kretprobe_instance *call,
				      struct pt_regs *regs)
{
	args_keep_mixed(&pt->point.tp, regs, (unsigned long *)call->data);
	return 0;
}

static nokprobe_inline int returned(struct kpoint *pt, struct kretprobe *rp,
				    struct kretprobe_instance *call, struct pt_regs *regs)
{
	struct point_hit hit __uninitialized;

	hit.pp = &pt->point;
	hit.from.regs = regs;
	hit.from.kept = (unsigned long *)call->data;
	hit.ip = (unsigned long)rp->kp.addr;
	hit.ret_ip = get_kretprobe_retaddr(call);
	deliver(pt, &hit);
	return 0;
}

static nokprobe_inline int returned_timed(struct kpoint *pt, struct kretprobe *rp,
					  struct kretprobe_instance *call, struct pt_regs *regs)
{
	args_stop_time(&pt->point.tp, (unsigned long *)call->data);
	return returned(pt, rp, call, regs);
}

static int kpoint_keep(struct kretprobe_instance *call, struct pt_regs *regs)
{
	struct kretprobe *rp = get_kretprobe(call);

	return rp ? keep(kpoint_of_rp(rp), call, regs) : -ENOENT;
}

NOKPROBE_SYMBOL(kpoint_keep);

static int kpoint_keep_mixed(struct kretprobe_instance *call, struct pt_regs *regs)
{
	struct kretprobe *rp = get_kretprobe(call);

	return rp ? keep_mixed(kpoint_of_rp(rp), call, regs) : -ENOENT;
}

NOKPROBE_SYMBOL(kpoint_keep_mixed);

static int kpoint_return(struct kretprobe_instance *call, struct pt_regs *regs)
{
	struct kretprobe *rp = get_kretprobe(call);

	return rp ? returned(kpoint_of_rp(rp), rp, call, regs) : 0;
}

NOKPROBE_SYMBOL(kpoint_return);

static int kpoint_return_timed(struct kretprobe_instance *call, struct pt_regs *regs)
{
	struct kretprobe *rp = get_kretprobe(call);

	return rp ? returned_timed(kpoint_of_rp(rp), rp, call, regs) : 0;
}

NOKPROBE_SYMBOL(kpoint_return_timed);

/* The same for one of several functions of a point. */
static int kplace_keep(struct kretprobe_instance *call, struct pt_regs *regs)
{
	struct kretprobe *rp = get_kretprobe(call);

	return rp ? keep(kplace_of_rp(rp), call, regs) : -ENOENT;
}

NOKPROBE_SYMBOL(kplace_keep);

static int kplace_keep_mixed(struct kretprobe_instance *call, struct pt_regs *regs)
{
	struct kretprobe *rp = get_kretprobe(call);

	return rp ? keep_mixed(kplace_of_rp(rp), call, regs) : -ENOENT;
}

NOKPROBE_SYMBOL(kplace_keep_mixed);

static int kplace_return(struct kretprobe_instance *call, struct pt_regs *regs)
{
	struct kretprobe *rp = get_kretprobe(call);

	return rp ? returned(kplace_of_rp(rp), rp, call, regs) : 0;
}

NOKPROBE_SYMBOL(kplace_return);

static int kplace_return_timed(struct kretprobe_instance *call, struct pt_regs *regs)
{
	struct kretprobe *rp = get_kretprobe(call);

	return rp ? returned_timed(kplace_of_rp(rp), rp, call, regs) : 0;
}

NOKPROBE_SYMBOL(kplace_return_timed);

static void set_return_handlers(struct kpoint *pt)
{
	const struct trace_probe *tp = &pt->point.tp;

	kpoint_rp(pt)->handler = args_keep_is_timed(tp) ? kpoint_return_timed : kpoint_return;
	if (tp->entry_arg)
		kpoint_rp(pt)->entry_handler = args_keep_is_mixed(tp) ? kpoint_keep_mixed :
									kpoint_keep;
}

static void set_place_return_handlers(struct kplace *place)
{
	const struct trace_probe *tp = &place->pt->point.tp;

	place->rp.handler = args_keep_is_timed(tp) ? kplace_return_timed : kplace_return;
	if (tp->entry_arg)
		place->rp.entry_handler = args_keep_is_mixed(tp) ? kplace_keep_mixed : kplace_keep;
}
#else
static void set_return_handlers(struct kpoint *pt)
{
}

static void set_place_return_handlers(struct kplace *place)
{
}
#endif /* CONFIG_KRETPROBES */

/**
 * kpoint_set_handlers - set the handlers of a point
 * @pt: the point, not planted
 */
void kpoint_set_handlers(struct kpoint *pt)
{
	if (kpoint_is_return(pt))
		set_return_handlers(pt);
	else
		kpoint_kp(pt)->pre_handler = kpoint_entry;
}

/**
 * kplace_set_handlers - set the handlers of one of several functions of a point
 * @place: the function, not planted
 */
void kplace_set_handlers(struct kplace *place)
{
	if (kpoint_is_return(place->pt))
		set_place_return_handlers(place);
	else
		place->kp.pre_handler = kplace_entry;
}
