// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Function probe and tracepoint probe events: hits of a point. event_hit.h says what the
 * handlers rely on.
 */
#include <linux/entry_hook.h>

#include "fprobe.h"
#include "event_hit.h"

/* @to and @kept are for returns. */
static nokprobe_inline void deliver(struct fprobe *fp, unsigned long func,
				    unsigned long to, struct pt_regs *regs, void *kept)
{
	struct fpoint *pt = container_of(fp, struct fpoint, fp);
	struct point_hit hit __uninitialized;
	/* Pairs with the release in trace_probe_set_flag(). */
	unsigned int who = smp_load_acquire(&pt->point.event->flags);

	/* The event is not enabled yet, or not any more: points of a batch are hooked together. */
	if (unlikely(!who))
		return;
	this_cpu_inc(*pt->hits);
	hit.pp = &pt->point;
	hit.from.regs = regs;
	hit.from.kept = kept;
	hit.ip = func;
	hit.ret_ip = to;
	hit_begin(&hit);
	if (who & TP_FLAG_TRACE)
		hit_trace(&hit);
	/* With arguments only, the call began before perf came: see fprobe_switch.c. */
	if (who & TP_FLAG_PROFILE && !arch_entry_regs_are_args(regs))
		hit_perf_record(&hit);
	hit_end(&hit);
}

static int fpoint_entered(struct fprobe *fp, unsigned long func, unsigned long to,
			  struct pt_regs *regs, void *unused)
{
	deliver(fp, func, to, regs, NULL);
	return 0;
}

NOKPROBE_SYMBOL(fpoint_entered);

/* The entry handler of return probes that keep values. */
static int fpoint_keep(struct fprobe *fp, unsigned long func, unsigned long to,
		       struct pt_regs *regs, void *kept)
{
	struct fpoint *pt = container_of(fp, struct fpoint, fp);

	args_keep(&pt->point.tp, regs, kept);
	return 0;
}

NOKPROBE_SYMBOL(fpoint_keep);

/* The same if not only parameters are kept. */
static int fpoint_keep_mixed(struct fprobe *fp, unsigned long func, unsigned long to,
			     struct pt_regs *regs, void *kept)
{
	struct fpoint *pt = container_of(fp, struct fpoint, fp);

	args_keep_mixed(&pt->point.tp, regs, kept);
	return 0;
}

NOKPROBE_SYMBOL(fpoint_keep_mixed);

static void fpoint_returned(struct fprobe *fp, unsigned long func, unsigned long to,
			    struct pt_regs *regs, void *kept)
{
	deliver(fp, func, to, regs, kept);
}

NOKPROBE_SYMBOL(fpoint_returned);

static void fpoint_returned_timed(struct fprobe *fp, unsigned long func, unsigned long to,
				  struct pt_regs *regs, void *kept)
{
	args_stop_time(&container_of(fp, struct fpoint, fp)->point.tp, kept);
	deliver(fp, func, to, regs, kept);
}

NOKPROBE_SYMBOL(fpoint_returned_timed);

/**
 * fpoint_set_handlers - set the handlers of a point
 * @pt: the point, not planted
 */
void fpoint_set_handlers(struct fpoint *pt)
{
	const struct trace_probe *tp = &pt->point.tp;

	if (!point_is_return(&pt->point)) {
		pt->fp.entry_handler = fpoint_entered;
		return;
	}
	pt->fp.exit_handler = args_keep_is_timed(tp) ? fpoint_returned_timed : fpoint_returned;
	if (tp->entry_arg)
		pt->fp.entry_handler = args_keep_is_mixed(tp) ? fpoint_keep_mixed : fpoint_keep;
}
