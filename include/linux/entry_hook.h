/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hooks on the entries of functions. kernel/trace/entry_hook.c implements them. It does not depend
 * on its users.
 */
#ifndef _LINUX_ENTRY_HOOK_H
#define _LINUX_ENTRY_HOOK_H

#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/ftrace.h>
#include <linux/indirect_call_wrapper.h>
#include <linux/kconfig.h>
#include <linux/rcupdate.h>
#include <linux/types.h>

/* Without dynamic ftrace no entry can be hooked, and struct ftrace_regs is not defined. */
#ifdef CONFIG_DYNAMIC_FTRACE
#include <asm/entry_hook.h>
#endif

struct entry_hook;
struct pt_regs;

/**
 * typedef entry_hit_t - called when a function is entered
 * @hook: the hook at its entry
 * @ip: address of ftrace's call
 * @caller: the return address of the function
 * @regs: all registers. A hook with ENTRY_TAKES_ARGS may get only the arguments of the function
 *	and the stack, frame and instruction pointers, see arch_entry_regs_are_args()
 *
 * Context: any, NMI included; preemption is off. Must be neither traced nor probed.
 */
typedef void (*entry_hit_t)(struct entry_hook *hook, unsigned long ip, unsigned long caller,
			    struct pt_regs *regs);

/**
 * struct entry_hook - hook of one user at the entry of one function
 * @next: the next hook at the same entry, with ENTRY_* in the low bits. Written under entry_mutex,
 *	read by hits
 * @first: called by hits if this is the first hook: @hit if it is the only one and the function
 *	does not move, otherwise a function that calls @hit of all. Written under entry_mutex,
 *	read by hits
 * @hit: called for this hook. The user sets it before the hook joins. Read by hits
 * @owner: for @hit. The user decides how it changes
 * @ip: address of ftrace's call; 0 after the hook has left. The user sets it before the hook
 *	joins; then entry_hooks_join() and entry_hooks_leave() write it under entry_mutex
 * @batch: the next hook in a batch that joins or leaves. Guarded by the user's lock
 */
struct entry_hook {
	unsigned long		next;
	entry_hit_t		first;
	entry_hit_t		hit;
	void			*owner;
	unsigned long		ip;
	struct entry_hook	*batch;
} __aligned(8);

/* In &entry_hook.next: @hit needs only arguments. */
#define ENTRY_TAKES_ARGS	BIT(0)
/* In &entry_hook.next of the first hook at an entry: ftrace saves only arguments there. */
#define ENTRY_ON_ARGS		BIT(1)
/* The same: the function moves to the ftrace_ops that saves all registers, see widen(). */
#define ENTRY_MOVES		BIT(2)
#define ENTRY_BITS		(ENTRY_TAKES_ARGS | ENTRY_ON_ARGS | ENTRY_MOVES)
static_assert(__alignof__(struct entry_hook) > ENTRY_BITS);

/**
 * entry_batch_add - add a hook to a batch
 * @hook: the hook
 * @batch: the batch, NULL if it is empty
 *
 * Context: the user's lock held.
 * Return: the batch with the hook.
 */
static inline struct entry_hook *entry_batch_add(struct entry_hook *hook, struct entry_hook *batch)
{
	hook->batch = batch;
	return hook;
}

/*
 * ENTRY_FIRST adds a hook before all others at its entry, ENTRY_LAST behind them. At most one hook
 * at an entry joins with ENTRY_LAST.
 */
enum entry_place { ENTRY_FIRST, ENTRY_LAST };

int entry_hooks_join(struct entry_hook *all, struct entry_hook *args, enum entry_place place);
int entry_hooks_widen(struct entry_hook *batch);
void entry_hooks_leave(struct entry_hook *batch);

/* The architecture saves the same registers for each ftrace_ops. */
#ifndef ARCH_ENTRY_ARGS
#define ARCH_ENTRY_ARGS		false

static __always_inline bool arch_entry_regs_are_args(const struct pt_regs *regs)
{
	return false;
}

static __always_inline bool arch_entry_claimed(struct pt_regs *regs)
{
	return false;
}

static __always_inline void arch_entry_claim(struct pt_regs *regs)
{
}

static __always_inline void arch_entry_zero_rest(struct pt_regs *regs)
{
}
#endif

/* Fprobes hook the most entries, so they get a direct call: retpolines slow indirect ones down. */
#ifdef CONFIG_FPROBE
INDIRECT_CALLABLE_DECLARE(void fprobe_entry_hit(struct entry_hook *hook, unsigned long ip,
						unsigned long caller, struct pt_regs *regs));

static __always_inline void entry_hit_call(entry_hit_t hit, struct entry_hook *hook,
					   unsigned long ip, unsigned long caller,
					   struct pt_regs *regs)
{
	INDIRECT_CALL_1(hit, fprobe_entry_hit, hook, ip, caller, regs);
}
#else
static __always_inline void entry_hit_call(entry_hit_t hit, struct entry_hook *hook,
					   unsigned long ip, unsigned long caller,
					   struct pt_regs *regs)
{
	hit(hook, ip, caller, regs);
}
#endif

/* Flags of an ftrace_ops that gets all registers, if ftrace can save them. */
#ifdef CONFIG_DYNAMIC_FTRACE_WITH_REGS
#define ENTRY_OPS_FLAGS		FTRACE_OPS_FL_SAVE_REGS
#else
#define ENTRY_OPS_FLAGS		0
#endif

#ifdef CONFIG_DYNAMIC_FTRACE
/**
 * struct entry_filter - an ftrace_ops and the number of functions in its filter
 * @ops: the ops. It is registered while @nr is not 0, because an empty filter means every
 *	function. Guarded by the user's lock
 * @nr: number of addresses in the filter. Guarded by the user's lock
 */
struct entry_filter {
	struct ftrace_ops	ops;
	unsigned int		nr;
};

#define ENTRY_FILTER_INIT(_func, _flags) {				\
	.ops = { .func = (_func), .flags = (_flags), },			\
}

int entry_filter_add(struct entry_filter *filter, unsigned long *ips, unsigned int nr);
void entry_filter_del(struct entry_filter *filter, unsigned long *ips, unsigned int nr);
#endif

#endif /* _LINUX_ENTRY_HOOK_H */
