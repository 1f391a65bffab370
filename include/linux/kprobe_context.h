/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * In which context does this CPU run a kprobe's handler?
 *
 * A hit in an interrupt or an NMI that came while a handler ran is no recursion, and handlers that
 * ask for it, KPROBE_FLAG_REENTRANT, run there. A hit in the context of the handler is.
 */
#ifndef _LINUX_KPROBE_CONTEXT_H
#define _LINUX_KPROBE_CONTEXT_H

#include <linux/compiler.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/types.h>

/*
 * What of preempt_count() tells contexts apart. That bottom halves are disabled does not make a
 * context.
 */
#define PROBE_CONTEXT_MASK	(NMI_MASK | HARDIRQ_MASK | SOFTIRQ_OFFSET)

/*
 * The preempt_count() of the latest handler, or of the copy that is stepped behind it;
 * KPROBE_NO_CONTEXT if there is none. Only this CPU reads or writes it, with preemption off. What
 * interrupts a hit once current_kprobe is set leaves it as it was, and what does before that, too,
 * as there is none then.
 */
DECLARE_PER_CPU(unsigned int, kprobe_context);

/* Of no context, as no CPU is in as many interrupts at a time. */
#define KPROBE_NO_CONTEXT	(~0U)

/* A handler is about to run here, and current_kprobe is set. */
static __always_inline void kprobe_context_begin(void)
{
	/* Or an NMI would take itself for the first one to hit, and leave that there. */
	barrier();
	__this_cpu_write(kprobe_context, preempt_count());
}

/* And no more, before or behind the reset of current_kprobe. */
static __always_inline void kprobe_context_end(void)
{
	__this_cpu_write(kprobe_context, KPROBE_NO_CONTEXT);
}

/*
 * Is this what preempt_count() is where a handler runs, for all that tells contexts apart? Contexts
 * only nest in ones that have more in it, so that none further out has to be compared with.
 */
static __always_inline bool kprobe_context_is(unsigned int count)
{
	return !((__this_cpu_read(kprobe_context) ^ count) & PROBE_CONTEXT_MASK);
}

#endif /* _LINUX_KPROBE_CONTEXT_H */
