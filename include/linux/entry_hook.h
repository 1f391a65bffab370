/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hooks on the entries of functions: kernel/trace/entry_hook.c has them, and knows nobody of
 * those who use them.
 */
#ifndef _LINUX_ENTRY_HOOK_H
#define _LINUX_ENTRY_HOOK_H

#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/ftrace.h>
#include <linux/indirect_call_wrapper.h>
#include <linux/kconfig.h>
#include <linux/rcupdate.h>
#include <linux/types.h>

/* Without it there are no entries to hook, and no struct ftrace_regs to speak of. */
#ifdef CONFIG_DYNAMIC_FTRACE
#include <asm/entry_hook.h>
#endif

struct entry_hook;
struct pt_regs;

/**
 * typedef entry_hit_t - a function was entered
 * @hook: the hook at its entry
 * @ip: where ftrace calls from
 * @caller: where the function returns to
 * @regs: the registers, all of them; for a hook with ENTRY_TAKES_ARGS perhaps only the
 *	parameters of the function, and the stack, frame and instruction pointers: see
 *	arch_entry_regs_are_args()
 *
 * Context: any, NMI included; preemption is off. Must not be traced nor probed.
 */
typedef void (*entry_hit_t)(struct entry_hook *hook, unsigned long ip, unsigned long caller,
			    struct pt_regs *regs);

/**
 * struct entry_hook - one user at the entry of one function, see kernel/trace/entry_hook.c
 * @next: the next hook at the same entry, with ENTRY_* in the low bits. Written under entry_mutex,
 *	read by hits
 * @first: function to call if this is the first hook: @hit if it is the only one, and otherwise
 *	one that calls all. Written under entry_mutex, read by hits
 * @hit: function to call for this hook. Set before joining, read by hits
 * @owner: for @hit, which says how it changes
 * @ip: address of ftrace's call; 0 while the hook is at no entry. Guarded by entry_mutex
 * @batch: the next hook in a batch that joins or leaves. Guarded by the user's lock
 */
struct entry_hook {
	unsigned long		next;
	entry_hit_t		first;
	entry_hit_t		hit;
	void			*owner;
	unsigned long		ip;
	struct entry_hook	*batch;
};

/* In &entry_hook.next: @hit needs only arguments. */
#define ENTRY_TAKES_ARGS	BIT(0)
/* In that of the first hook at an entry: ftrace saves only arguments there, */
#define ENTRY_ON_ARGS		BIT(1)
/* or the function moves to the ftrace_ops with all registers, and is at both. */
#define ENTRY_MOVES		BIT(2)
#define ENTRY_BITS		(ENTRY_TAKES_ARGS | ENTRY_ON_ARGS | ENTRY_MOVES)

/**
 * entry_batch_add - add a hook to a batch
 * @hook: the hook
 * @batch: the batch, NULL if it is empty
 *
 * Context: the user's lock held.
 * Return: the batch with it.
 */
static inline struct entry_hook *entry_batch_add(struct entry_hook *hook, struct entry_hook *batch)
{
	hook->batch = batch;
	return hook;
}

/* Of hooks with ENTRY_FIRST the latest is hit first; there is one with ENTRY_LAST at most. */
enum entry_place { ENTRY_FIRST, ENTRY_LAST };

int entry_hooks_join(struct entry_hook *all, struct entry_hook *args, enum entry_place place);
int entry_hooks_widen(struct entry_hook *batch);
void entry_hooks_leave(struct entry_hook *batch);

/* Where ftrace saves the same registers for everyone. */
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

/* What sits on most entries is called directly: retpolines make indirect calls slow. */
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

/* Ask for all registers, where ftrace can save them. */
#ifdef CONFIG_DYNAMIC_FTRACE_WITH_REGS
#define ENTRY_OPS_FLAGS		FTRACE_OPS_FL_SAVE_REGS
#else
#define ENTRY_OPS_FLAGS		0
#endif

#endif /* _LINUX_ENTRY_HOOK_H */
