// SPDX-License-Identifier: GPL-2.0-only
/*
 * Function probes: hits.
 *
 * What fprobe.c set up before the hooks joined stays until an RCU grace period after they left,
 * and preemption is off here. Nothing is traced or instrumented: see the Makefile.
 */
#include <linux/atomic.h>
#include <linux/entry_hook.h>
#include <linux/fprobe.h>
#include <linux/indirect_call_wrapper.h>
#include <linux/kconfig.h>
#include <linux/kprobe_context.h>
#include <linux/kprobes.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/ptrace.h>
#include <linux/rethook.h>
#include <linux/rethook_hit.h>

#include "fprobe_internal.h"

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
static DEFINE_PER_CPU(unsigned int, fprobe_context);

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

/* Misses come from all CPUs, and from interrupts on this one. */
static __always_inline void count_one(unsigned long *count)
{
	unsigned long old = READ_ONCE(*count);

	while (!try_cmpxchg(count, &old, old + 1))
		;
}

static __always_inline bool serves_kprobes(const struct fprobe *fp)
{
	/* Others of them change; this one does not. */
	return data_race(fp->flags) & FPROBE_FL_KPROBE_SHARED;
}

/* Does a handler run that those of @fp must not nest in? @outer is fprobe_context. */
static __always_inline bool would_nest(const struct fprobe *fp, unsigned int outer)
{
	if (outer && !((outer ^ preempt_count()) & PROBE_CONTEXT_MASK))
		return true;
	return serves_kprobes(fp) && kprobe_running();
}

/*
 * A handler is going to run, unless it is off or, which is a miss, would nest. Returns
 * false in these cases; else @outer is for handlers_end().
 */
static __always_inline bool handlers_begin(struct fprobe *fp, unsigned int *outer)
{
	if (fprobe_is_off(fp))
		return false;
	*outer = __this_cpu_read(fprobe_context);
	if (would_nest(fp, *outer)) {
		count_one(&fp->nmissed);
		return false;
	}
	if (serves_kprobes(fp))
		kprobe_busy_begin();
	fprobe_handler_begin();
	return true;
}

static __always_inline void handlers_end(const struct fprobe *fp, unsigned int outer)
{
	fprobe_handler_end(outer);
	if (serves_kprobes(fp))
		kprobe_busy_end();
}

static __always_inline void *entry_data(struct fprobe *fp, struct fprobe_call *call)
{
	return fp->entry_data_size ? call->data : NULL;
}

/*
 * Where a call returns to; @caller is what its return address looks like. Something may
 * have hooked the return before: a function that was hooked and ended in this one by a
 * tail call, or a user with an ftrace_ops of its own.
 */
static __always_inline unsigned long true_caller(unsigned long caller, struct pt_regs *regs)
{
	struct llist_node *cur = NULL;

	if (likely(!is_rethook_trampoline(caller)))
		return caller;
	return rethook_find_ret_addr(current, arch_rethook_frame(regs), &cur);
}

/* The handler at the exit, whatever the fprobe and whatever runs on this CPU. */
static void any_returned(struct rethook_node *node, void *data, unsigned long to,
			 struct pt_regs *regs)
{
	struct fprobe_call *call = container_of(node, struct fprobe_call, node);
	struct fprobe *fp = data;
	unsigned int outer;

	if (!handlers_begin(fp, &outer))
		return;
	fp->exit_handler(fp, call->entry_ip, to, regs, entry_data(fp, call));
	handlers_end(fp, outer);
}

NOKPROBE_SYMBOL(any_returned);

/* The same for an fprobe that does not serve kprobes. */
static void fprobe_returned(struct rethook_node *node, void *data, unsigned long to,
			    struct pt_regs *regs)
{
	struct fprobe_call *call = container_of(node, struct fprobe_call, node);
	struct fprobe *fp = data;

	if (!fprobe_no_handler_runs()) {
		any_returned(node, data, to, regs);
		return;
	}
	if (fprobe_is_off(fp))
		return;
	fprobe_handler_begin();
	fp->exit_handler(fp, call->entry_ip, to, regs, entry_data(fp, call));
	fprobe_handler_end(0);
}

NOKPROBE_SYMBOL(fprobe_returned);

/* The handler at the entry; with its consent, the call will return to us. */
static __always_inline void enter_call(struct fprobe *fp, struct rethook_node *node,
				       unsigned long ip, unsigned long caller,
				       struct pt_regs *regs, struct task_struct *task)
{
	struct fprobe_call *call = container_of(node, struct fprobe_call, node);

	call->entry_ip = ip;
	if (fp->entry_handler &&
	    fp->entry_handler(fp, ip, caller, regs, entry_data(fp, call)))
		rethook_recycle(node);
	else
		rethook_plant(node, regs, true, task);
}

static __always_inline void enter(struct fprobe *fp, unsigned long ip, unsigned long caller,
				  struct pt_regs *regs, struct task_struct *task)
{
	struct rethook_node *node;

	caller = true_caller(caller, regs);
	if (!fp->exit_handler) {
		if (fp->entry_handler)
			fp->entry_handler(fp, ip, caller, regs, NULL);
		return;
	}
	/* By address, pairs with make_pool(). */
	node = rethook_try_get(READ_ONCE(fp->rethook));
	if (node) {
		enter_call(fp, node, ip, caller, regs, task);
		return;
	}
	count_one(&fp->nmissed);
	count_one(&fp->nexhausted);
}

/* Whatever the fprobe and whatever runs on this CPU. */
static noinline void any_entered(struct fprobe *fp, unsigned long ip, unsigned long caller,
				 struct pt_regs *regs, struct task_struct *task)
{
	unsigned int outer;

	if (!handlers_begin(fp, &outer))
		return;
	enter(fp, ip, caller, regs, task);
	handlers_end(fp, outer);
}

NOKPROBE_SYMBOL(any_entered);

static void fprobe_any_hit(struct entry_hook *hook, unsigned long ip,
			   unsigned long caller, struct pt_regs *regs)
{
	any_entered(hook->owner, ip, caller, regs, current);
}

NOKPROBE_SYMBOL(fprobe_any_hit);

/* Entered on the stack of the task that it makes current, and returning on it. */
static void fprobe_switch_hit(struct entry_hook *hook, unsigned long ip,
			      unsigned long caller, struct pt_regs *regs)
{
	any_entered(hook->owner, ip, caller, regs, arch_rethook_switch_to(regs));
}

NOKPROBE_SYMBOL(fprobe_switch_hit);

/* An entry handler only, and it does not serve kprobes. What entry_hook.c calls directly. */
INDIRECT_CALLABLE_SCOPE
void fprobe_entry_hit(struct entry_hook *hook, unsigned long ip, unsigned long caller,
		      struct pt_regs *regs)
{
	struct fprobe *fp = hook->owner;

	if (!fprobe_no_handler_runs() || unlikely(is_rethook_trampoline(caller))) {
		any_entered(fp, ip, caller, regs, current);
		return;
	}
	if (fprobe_is_off(fp))
		return;
	fprobe_handler_begin();
	fp->entry_handler(fp, ip, caller, regs, NULL);
	fprobe_handler_end(0);
}

NOKPROBE_SYMBOL(fprobe_entry_hit);

/* An exit handler, and it does not serve kprobes. */
static void fprobe_call_hit(struct entry_hook *hook, unsigned long ip,
			    unsigned long caller, struct pt_regs *regs)
{
	struct fprobe *fp = hook->owner;
	struct rethook_node *node;

	if (fprobe_is_off(fp))
		return;
	/* By address, pairs with make_pool(). */
	node = fprobe_no_handler_runs() && !is_rethook_trampoline(caller) ?
		rethook_take_home(READ_ONCE(fp->rethook)) : NULL;
	if (unlikely(!node)) {
		any_entered(fp, ip, caller, regs, current);
		return;
	}
	fprobe_handler_begin();
	enter_call(fp, node, ip, caller, regs, current);
	fprobe_handler_end(0);
}

NOKPROBE_SYMBOL(fprobe_call_hit);

/**
 * fprobe_return_handler - what an fprobe's pool of return hooks calls
 * @fp: the fprobe, which has an exit handler
 *
 * Return: the handler for rethook_alloc_bounded().
 */
rethook_handler_t fprobe_return_handler(const struct fprobe *fp)
{
	return serves_kprobes(fp) ? any_returned : fprobe_returned;
}

static entry_hit_t hit_of(const struct fprobe *fp)
{
	if (serves_kprobes(fp))
		return fprobe_any_hit;
	if (fp->exit_handler)
		return fprobe_call_hit;
	return fp->entry_handler ? fprobe_entry_hit : fprobe_any_hit;
}

/**
 * fprobe_set_hook - set up the hook for a function of an fprobe
 * @hook: the hook, zeroed
 * @fp: the fprobe
 * @ip: where ftrace calls from
 */
void fprobe_set_hook(struct entry_hook *hook, struct fprobe *fp, unsigned long ip)
{
	hook->ip = ip;
	hook->owner = fp;
	hook->hit = ip == arch_rethook_switch_ip() ? fprobe_switch_hit : hit_of(fp);
}
