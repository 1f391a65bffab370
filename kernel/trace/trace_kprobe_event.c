// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Kprobe events: switching an event's probes on and off, and what BPF asks about them.
 */
#include <linux/error-injection.h>

#include "trace_kprobe.h"

/* How many probes are handed to the core at once; most events have one. */
#define SWITCH_BATCH	16

static int switch_batch(struct kprobe **batch, int n, bool on)
{
	int err = on ? enable_kprobes(batch, n) : disable_kprobes(batch, n);

	/* A module that just went takes its probes off; the others are still on. */
	while (err && !on && n--)
		disable_kprobe(batch[n]);
	return err;
}

/**
 * kpoints_turn - arm or disarm what an event has planted
 * @ev: the event
 * @on: arm it
 *
 * The one place where events do this, hence where a batch of events would be collected.
 *
 * Context: may sleep; event_mutex held.
 * Return: 0, or why something was not armed; what was armed before it still is.
 */
int kpoints_turn(struct trace_probe_event *ev, bool on)
{
	struct kprobe *batch[SWITCH_BATCH];
	struct kpoint *pt;
	int err = 0, n = 0;

	for_each_kpoint(pt, ev) {
		/* Its module is not here, or went: nothing to switch. */
		if (!pt->planted || (pt->rp.kp.flags & KPROBE_FLAG_GONE))
			continue;
		batch[n++] = &pt->rp.kp;
		if (n < SWITCH_BATCH)
			continue;
		err = switch_batch(batch, n, on);
		n = 0;
		if (err && on)
			return err;
	}
	return n ? switch_batch(batch, n, on) : err;
}

/**
 * trace_kprobe_on_func_entry - is an event at the first instruction of a function?
 * @call: the event, one of ours
 *
 * BPF asks before it lets a program override the function's return.
 *
 * Return: true if it is, and the symbol is there.
 */
bool trace_kprobe_on_func_entry(struct trace_event_call *call)
{
	struct kpoint *pt = kpoint_of_call(call);

	return pt &&
	       !kprobe_on_func_entry((kprobe_opcode_t *)pt->addr, pt->symbol,
				     pt->rp.kp.offset);
}

/**
 * trace_kprobe_error_injectable - may the probed function be made to fail?
 * @call: the event, one of ours
 *
 * Return: true if its authors allow it, see ALLOW_ERROR_INJECTION().
 */
bool trace_kprobe_error_injectable(struct trace_event_call *call)
{
	struct kpoint *pt = kpoint_of_call(call);

	return pt && within_error_injection_list((unsigned long)pt->rp.kp.addr);
}
