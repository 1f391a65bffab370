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
 * @next: the next one at the same entry. Written under entry_mutex, read by hits
 * @first: what to call if this is the first one: @hit if it is alone, and else what calls
 *	all. Written under entry_mutex, read by hits
 * @hit: what to call for this one. Set before joining
 * @owner: for @hit, who says how it changes
 * @ip: where ftrace calls from; 0 when the hook is at no entry. Guarded by entry_mutex
 * @link: the next one in a batch that is to join or leave, guarded by the user's lock, with
 *	ENTRY_* in its low bits, written under entry_mutex, read by hits
 */
struct entry_hook {
	struct entry_hook	*next;
	entry_hit_t		first;
	entry_hit_t		hit;
	void			*owner;
	unsigned long		ip;
	unsigned long		link;
};

/* In &entry_hook.link: @hit needs arguments only, */
#define ENTRY_TAKES_ARGS	BIT(0)
/* and of the first hook at an entry: ftrace saves only these there. */
#define ENTRY_ON_ARGS		BIT(1)
#define ENTRY_BITS		(ENTRY_TAKES_ARGS | ENTRY_ON_ARGS)

static inline struct entry_hook *entry_batch_next(const struct entry_hook *hook)
{
	return (struct entry_hook *)(READ_ONCE(hook->link) & ~ENTRY_BITS);
}

/**
 * entry_batch_add - add a hook to a batch
 * @hook: the hook
 * @batch: the batch, NULL if it is empty
 *
 * Return: the batch with it.
 */
static inline struct entry_hook *entry_batch_add(struct entry_hook *hook, struct entry_hook *batch)
{
	/* Hits read the low bits, which stay. */
	WRITE_ONCE(hook->link, (hook->link & ENTRY_BITS) | (unsigned long)batch);
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

static __always_inline bool arch_entry_claim(struct pt_regs *regs)
{
	return true;
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
