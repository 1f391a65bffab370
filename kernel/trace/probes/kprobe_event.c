// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Kprobe events: functions for BPF.
 */
#include <linux/cleanup.h>
#include <linux/error-injection.h>
#include <linux/probe_errors.h>

#include "kprobe.h"

/* Add to probe_errors why a program cannot override results for an event. Returns false. */
static bool refuse(const struct kpoint *pt, const char *reason)
{
	const struct probe_refusal e = {
		.call	= "BPF program",
		.symbol	= pt->symbol,
		.addr	= pt->symbol ? 0 : pt->addr,
		.offset	= kpoint_kp(pt)->offset,
		.err	= -EINVAL,
	};

	probe_error(&e, reason, NULL);
	return false;
}

/**
 * trace_kprobe_on_func_entry - is an event at the first instruction of a function?
 * @call: a kprobe event
 *
 * BPF calls it before a program may override the function's result.
 *
 * Context: may sleep; event_mutex not held.
 * Return: true if so, and the symbol exists.
 */
bool trace_kprobe_on_func_entry(struct trace_event_call *call)
{
	const struct kpoint *pt;

	guard(mutex)(&event_mutex);
	pt = kpoint_of_call(call);
	if (!pt)
		return false;
	/* Functions of modules that are loaded later may not allow it. */
	if (pt->is_all)
		return refuse(pt, "several functions: only one can be made to fail");
	if (!kprobe_on_func_entry((kprobe_opcode_t *)pt->addr, pt->addr ? NULL : pt->symbol,
				  kpoint_kp(pt)->offset))
		return true;
	return refuse(pt, "not the entry of a function: it cannot be made to fail there");
}

/**
 * trace_kprobe_error_injectable - may the result of the probed function be overridden?
 * @call: a kprobe event
 *
 * Context: may sleep; event_mutex not held.
 * Return: true if the function is marked with ALLOW_ERROR_INJECTION().
 */
bool trace_kprobe_error_injectable(struct trace_event_call *call)
{
	const struct kpoint *pt;

	guard(mutex)(&event_mutex);
	pt = kpoint_of_call(call);
	if (!pt)
		return false;
	if (within_error_injection_list((unsigned long)kpoint_kp(pt)->addr))
		return true;
	return refuse(pt, "not marked with ALLOW_ERROR_INJECTION()");
}
