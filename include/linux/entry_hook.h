/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hooks on the entries of functions: kernel/trace/entry_hook.c has them, and knows nobody of
 * those who use them.
 */
#ifndef _LINUX_ENTRY_HOOK_H
#define _LINUX_ENTRY_HOOK_H

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
 * @regs: the registers, all of them
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
 * @batch: the next one in a batch that is to join or leave. Guarded by the user's lock
 */
struct entry_hook {
	struct entry_hook	*next;
	entry_hit_t		first;
	entry_hit_t		hit;
	void			*owner;
	unsigned long		ip;
	struct entry_hook	*batch;
};

/* Of hooks with ENTRY_FIRST the latest is hit first; there is one with ENTRY_LAST at most. */
enum entry_place { ENTRY_FIRST, ENTRY_LAST };

int entry_hooks_join(struct entry_hook *batch, enum entry_place place);
void entry_hooks_leave(struct entry_hook *batch);

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
