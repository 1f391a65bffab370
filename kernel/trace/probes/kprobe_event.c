// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Kprobe events: functions for BPF.
 *
 * BPF may call them with the mutex of a perf context held. CPU hotplug takes it, too, and a probe
 * that is planted under event_mutex waits for CPU hotplug. So they do not take event_mutex. They
 * copy what they need of a point, which is freed an RCU grace period after it left its event.
 */
#include <linux/cleanup.h>
#include <linux/error-injection.h>
#include <linux/probe_errors.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "kprobe.h"

/**
 * struct bpf_place - the place of an event's first point
 * @symbol:	a copy of its symbol, or NULL
 * @addr:	the address of the symbol or in the command, or 0, see struct kpoint
 * @probed:	the address of its probe
 * @offset:	bytes from there
 * @is_all:	@symbol stands for all functions of a name
 */
struct bpf_place {
	char		*symbol;
	unsigned long	addr;
	unsigned long	probed;
	unsigned long	offset;
	bool		is_all;
};

/* Returns false if the event has no point any more, or if there is no memory. */
static bool get_place(struct trace_event_call *call, struct bpf_place *place)
{
	const struct kpoint *pt;

	guard(rcu)();
	pt = kpoint_of_call(call);
	if (!pt)
		return false;
	place->symbol = kstrdup(pt->symbol, GFP_ATOMIC);
	place->addr = pt->is_all ? 0 : pt->addr;
	place->probed = (unsigned long)kpoint_kp(pt)->addr;
	place->offset = kpoint_kp(pt)->offset;
	place->is_all = pt->is_all;
	return place->symbol || !pt->symbol;
}

/* Add to probe_errors why a program cannot override results for an event. Returns false. */
static bool refuse(const struct bpf_place *place, const char *reason)
{
	const struct probe_refusal e = {
		.call	= "BPF program",
		.symbol	= place->symbol,
		.addr	= place->symbol ? 0 : place->addr,
		.offset	= place->offset,
		.err	= -EINVAL,
	};

	probe_error(&e, reason, NULL);
	return false;
}

static bool check_entry(const struct bpf_place *place)
{
	/* Functions of modules that are loaded later may not allow it. */
	if (place->is_all)
		return refuse(place, "several functions: only one can be made to fail");
	if (!kprobe_on_func_entry((kprobe_opcode_t *)place->addr,
				  place->addr ? NULL : place->symbol, place->offset))
		return true;
	return refuse(place, "not the entry of a function: it cannot be made to fail there");
}

/**
 * trace_kprobe_on_func_entry - is an event at the first instruction of a function?
 * @call: a kprobe event
 *
 * BPF calls it before a program may override the function's result.
 *
 * Context: may sleep.
 * Return: true if so, and the symbol exists.
 */
bool trace_kprobe_on_func_entry(struct trace_event_call *call)
{
	struct bpf_place place;
	bool good;

	if (!get_place(call, &place))
		return false;
	good = check_entry(&place);
	kfree(place.symbol);
	return good;
}

/**
 * trace_kprobe_error_injectable - may the result of the probed function be overridden?
 * @call: a kprobe event
 *
 * Context: may sleep.
 * Return: true if the function is marked with ALLOW_ERROR_INJECTION().
 */
bool trace_kprobe_error_injectable(struct trace_event_call *call)
{
	struct bpf_place place;
	bool good;

	if (!get_place(call, &place))
		return false;
	good = within_error_injection_list(place.probed) ||
	       refuse(&place, "not marked with ALLOW_ERROR_INJECTION()");
	kfree(place.symbol);
	return good;
}
