// SPDX-License-Identifier: GPL-2.0-only
/*
 * Function probes: hits.
 *
 * Preemption is off in all of this. So everything that fprobe.c set up before the hooks joined
 * stays, until an RCU grace period after they left. The Makefile disables tracing and
 * instrumentation of this file.
 */
#include <linux/atomic.h>
#include <linux/entry_hook.h>
#include <linux/fprobe.h>
#include <linux/indirect_call_wrapper.h>
#include <linux/kconfig.h>
#include <linux/kprobe_context.h>
#include <linux/kprobe_delay.h>
#include <linux/kprobes.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/ptrace.h>
#include <linux/rethook.h>
#include <linux/rethook_hit.h>

#include "fprobe_internal.h"

/*
 * The preempt_count() of the context in which this CPU runs a handler of an fprobe, or 0 if it runs
 * none. Only this CPU reads and writes it.
 *
 * An interrupt that comes while a handler runs may run handlers, but functions that a handler
 * calls do not. An interrupt restores the value before it returns. So if the value is not that of
 * the present context, no handler runs in the present context. A function that an interrupt calls
 * before preempt_count() shows it looks like a call from the handler. Entry code calls next to
 * nothing there.
 *
 * ftrace_test_recursion_trylock() has the same purpose. It takes three times as many instructions,
 * because it also serves callbacks that can be preempted, and it does not stop the first call
 * from a handler.
 */
static DEFINE_PER_CPU(unsigned int, fprobe_context);

static __always_inline bool fprobe_no_handler_runs(void)
{
	return likely(!__this_cpu_read(fprobe_context));
}

/* Begin and end run on the same CPU. @outer is the value of fprobe_context before the begin. */
static __always_inline void fprobe_handler_begin(void)
{
	unsigned int now = preempt_count();

	/* Not 0, because preemption is off, unless the kernel does not count that. */
	if (!IS_ENABLED(CONFIG_PREEMPT_COUNT))
		now |= 1;
	__this_cpu_write(fprobe_context, now);
	/* The compiler must not move the handler before the store. */
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
	/* While the flag changes, both values are right. READ_ONCE() would take a register. */
	return unlikely(data_race(fp->flags) & FPROBE_FL_DISABLED);
}

/* Atomic: other CPUs, and interrupts on this CPU, count, too. */
static __always_inline void count_one(unsigned long *count)
{
	unsigned long old = READ_ONCE(*count);

	while (!try_cmpxchg(count, &old, old + 1))
		;
}

static __always_inline bool serves_kprobes(const struct fprobe *fp)
{
	/* Other flags change. This one does not. */
	return data_race(fp->flags) & FPROBE_FL_KPROBE_SHARED;
}

/* Would a handler of @fp run inside a handler? @outer is fprobe_context. */
static __always_inline bool would_nest(const struct fprobe *fp, unsigned int outer)
{
	if (outer && !((outer ^ preempt_count()) & PROBE_CONTEXT_MASK))
		return true;
	return serves_kprobes(fp) && kprobe_running();
}

/*
 * Call it before a handler. Returns false if @fp is disabled, or if the handler would nest, which
 * counts as a miss. Otherwise sets @outer for handlers_end().
 */
static __always_inline bool handlers_begin(struct fprobe *fp, unsigned int *outer)
{
	kprobe_delay_point(DELAY_FPROBE_HIT);
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
 * The real return address of a call. @caller is that on the stack or in the link register. It may
 * be the trampoline, if a function that was hooked ended in this one by a tail call, or if the user
 * of another ftrace_ops has hooked the return.
 */
static __always_inline unsigned long true_caller(unsigned long caller, struct pt_regs *regs)
{
	struct llist_node *cur = NULL;

	if (likely(!is_rethook_trampoline(caller)))
		return caller;
	return rethook_find_ret_addr(current, arch_rethook_frame(regs), &cur);
}

/* Run the exit handler of any fprobe, whether a handler runs on this CPU or not. */
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

/* Run the exit handler of an fprobe that does not serve kprobes. */
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

/* Run the entry handler, if any. If it returns 0, hook the return. */
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
	/* Address dependency; pairs with make_pool(). */
	node = rethook_try_get(READ_ONCE(fp->rethook));
	if (node) {
		enter_call(fp, node, ip, caller, regs, task);
		return;
	}
	count_one(&fp->nmissed);
	count_one(&fp->nexhausted);
}

/* Entry of a function of any fprobe, whether a handler runs on this CPU or not. */
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

/* For arch_rethook_switch_ip(): the call returns in the task that the function makes current. */
static void fprobe_switch_hit(struct entry_hook *hook, unsigned long ip,
			      unsigned long caller, struct pt_regs *regs)
{
	any_entered(hook->owner, ip, caller, regs, arch_rethook_switch_to(regs));
}

NOKPROBE_SYMBOL(fprobe_switch_hit);

/* For an entry handler alone, without FPROBE_FL_KPROBE_SHARED. See entry_hit_call(). */
INDIRECT_CALLABLE_SCOPE
void fprobe_entry_hit(struct entry_hook *hook, unsigned long ip, unsigned long caller,
		      struct pt_regs *regs)
{
	struct fprobe *fp = hook->owner;

	kprobe_delay_point(DELAY_FPROBE_HIT);
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

/* For an exit handler, without FPROBE_FL_KPROBE_SHARED. */
static void fprobe_call_hit(struct entry_hook *hook, unsigned long ip,
			    unsigned long caller, struct pt_regs *regs)
{
	struct fprobe *fp = hook->owner;
	struct rethook_node *node;

	kprobe_delay_point(DELAY_FPROBE_HIT);
	if (fprobe_is_off(fp))
		return;
	/* Address dependency; pairs with make_pool(). */
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
 * fprobe_return_handler - choose the handler for the return hooks of an fprobe
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
 * @ip: address of ftrace's call
 */
void fprobe_set_hook(struct entry_hook *hook, struct fprobe *fp, unsigned long ip)
{
	hook->ip = ip;
	hook->owner = fp;
	hook->hit = ip == arch_rethook_switch_ip() ? fprobe_switch_hit : hit_of(fp);
}
