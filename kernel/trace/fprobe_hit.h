/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The shortest way from a function's entry to an fprobe's handler, for kernel/kprobes/entry.c
 * to inline; fprobe_hit.c has the others.
 */
#ifndef _KERNEL_TRACE_FPROBE_HIT_H
#define _KERNEL_TRACE_FPROBE_HIT_H

#include <linux/atomic.h>
#include <linux/fprobe.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/rethook.h>

#ifdef CONFIG_FPROBE
/*
 * The preempt_count() of the context that this CPU runs an fprobe's handler in, 0 if it
 * runs none; only this CPU reads or writes it.
 *
 * Handlers may be interrupted, and what interrupts them may have fprobes as well, but what
 * a handler calls is not reported. An interrupt puts this back to what it was, so if it is
 * not of the present context, no handler runs in the present context. What is called in an
 * interrupt before preempt_count() shows it looks like a call from the handler; entry code
 * takes care that this is next to nothing.
 *
 * ftrace_test_recursion_trylock() is for this as well. It takes three times as many
 * instructions, as it also serves callbacks that can be preempted, and it lets the first
 * call from a handler through.
 */
DECLARE_PER_CPU(unsigned int, fprobe_context);

static __always_inline bool fprobe_no_handler_runs(void)
{
	return likely(!__this_cpu_read(fprobe_context));
}

/* To be called, and fprobe_handler_end(), on the same CPU. @outer is what it was before. */
static __always_inline void fprobe_handler_begin(void)
{
	unsigned int now = preempt_count();

	/* Not 0, as preemption is off, unless nobody counts that. */
	if (!IS_ENABLED(CONFIG_PREEMPT_COUNT))
		now |= 1;
	__this_cpu_write(fprobe_context, now);
	/* Nothing of the handler moves out of the region. */
	barrier();
}

static __always_inline void fprobe_handler_end(unsigned int outer)
{
	barrier();
	__this_cpu_write(fprobe_context, outer);
}

/* fprobe_disabled() without the test for NULL. */
static __always_inline bool fprobe_is_off(const struct fprobe *fp)
{
	/* Either answer is right while it changes; READ_ONCE() takes a register. */
	return unlikely(data_race(fp->flags) & FPROBE_FL_DISABLED);
}

void fprobe_entry_hit(struct entry_hook *hook, unsigned long ip, unsigned long caller,
		      struct pt_regs *regs);

/* The hit of an fprobe with an entry handler only? */
static __always_inline bool is_fprobe_entry_hit(entry_hit_t hit)
{
	return hit == fprobe_entry_hit;
}

/* fprobe_entry_hit() */
static __always_inline void fprobe_entered(struct entry_hook *hook, unsigned long ip,
					   unsigned long caller, struct pt_regs *regs)
{
	struct fprobe *fp = hook->owner;

	if (!fprobe_no_handler_runs() || unlikely(is_rethook_trampoline(caller))) {
		fprobe_entry_hit(hook, ip, caller, regs);
		return;
	}
	if (fprobe_is_off(fp))
		return;
	fprobe_handler_begin();
	fp->entry_handler(fp, ip, caller, regs, NULL);
	fprobe_handler_end(0);
}

#else /* !CONFIG_FPROBE */

static inline bool is_fprobe_entry_hit(entry_hit_t hit)
{
	return false;
}

static inline void fprobe_entered(struct entry_hook *hook, unsigned long ip,
				  unsigned long caller, struct pt_regs *regs)
{
}

#endif /* CONFIG_FPROBE */

#endif /* _KERNEL_TRACE_FPROBE_HIT_H */
