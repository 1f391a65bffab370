// SPDX-License-Identifier: GPL-2.0-only
/*
 * Run the handlers of a hit, on all architectures and with all methods.
 *
 * All of this runs with preemption off, possibly in NMI context, and cannot be probed or
 * traced. Listeners are walked under RCU: site_add_listener() publishes a listener when it is
 * complete, and its memory is freed one grace period after its removal.
 */
#include <linux/atomic.h>
#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/kprobe_delay.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/rculist.h>

#include "internal.h"

#ifdef KPROBE_MAX_NESTING
/* See linux/kprobe_ctlblk.h. */
DEFINE_PER_CPU(struct kprobe_ctlblk, kprobe_ctlblk) = { .context = KPROBE_NO_CONTEXT };
#else
/* See linux/kprobe_context.h. */
DEFINE_PER_CPU(unsigned int, kprobe_context) = KPROBE_NO_CONTEXT;
#endif

/* current_kprobe between kprobe_busy_begin() and kprobe_busy_end(). */
static struct kprobe busy_kprobe = {
	.addr = (kprobe_opcode_t *)get_kprobe,
};

/**
 * kprobe_busy_begin - let hits from now on count as hits inside a hit
 *
 * Context: any. Disables preemption until kprobe_busy_end().
 */
void kprobe_busy_begin(void)
{
	preempt_disable();
	__this_cpu_write(current_kprobe, &busy_kprobe);
	kprobe_context_begin();
	get_kprobe_ctlblk()->kprobe_status = KPROBE_HIT_ACTIVE;
}

NOKPROBE_SYMBOL(kprobe_busy_begin);

/**
 * kprobe_busy_end - undo kprobe_busy_begin()
 */
void kprobe_busy_end(void)
{
	kprobe_context_end();
	reset_current_kprobe();
	preempt_enable();
}

NOKPROBE_SYMBOL(kprobe_busy_end);

#define for_each_listener(kp, site)					\
	list_for_each_entry_lockless(kp, &(site)->listeners, list)

static nokprobe_inline bool may_nest(const struct kprobe *kp)
{
	return READ_ONCE(kp->flags) & KPROBE_FLAG_REENTRANT;
}

/*
 * Hits by a jump that cannot run post handlers skip listeners with one. Such a listener is
 * joining now, and a breakpoint replaces the jump before that is done.
 */
static nokprobe_inline bool is_to_run(struct kprobe *kp, unsigned int how)
{
	if (!kp->pre_handler || kprobe_disabled(kp))
		return false;
	if (how & HIT_NESTED && !may_nest(kp))
		return false;
	return !(how & HIT_WITHOUT_POST && kp->post_handler);
}

/* Atomic: other CPUs, and NMIs on this CPU, count, too. */
static nokprobe_inline void count_miss(struct kprobe *p)
{
	unsigned long old = READ_ONCE(p->nmissed);

	while (!try_cmpxchg(&p->nmissed, &old, old + 1))
		;
}

#ifdef arch_kprobe_return_address
static nokprobe_inline bool can_run_after_move(struct kprobe *kp)
{
	return true;
}

/* The return address if the site is at a function's entry, else 0. */
static nokprobe_inline unsigned long entry_return_address(struct kprobe_site *site,
							  const struct pt_regs *regs)
{
	return site->kp.flags & KPROBE_FLAG_ON_FUNC_ENTRY ?
	       arch_kprobe_return_address(regs) : 0;
}

static nokprobe_inline void put_back(struct pt_regs *regs, unsigned long ip, unsigned long sp)
{
	instruction_pointer_set(regs, ip);
	arch_kprobe_stack_pointer_set(regs, sp);
}
#else
/* The function is skipped. A kretprobe's change of the registers would be lost. */
static nokprobe_inline bool can_run_after_move(struct kprobe *kp)
{
	return !is_kretprobe(kp);
}

static nokprobe_inline unsigned long entry_return_address(struct kprobe_site *site,
							  const struct pt_regs *regs)
{
	return 0;
}

static nokprobe_inline void put_back(struct pt_regs *regs, unsigned long ip, unsigned long sp)
{
	instruction_pointer_set(regs, ip);
}
#endif /* arch_kprobe_return_address */

/* memcpy() may be probed. */
static nokprobe_inline void copy_regs(struct pt_regs *to, const struct pt_regs *from)
{
	const unsigned long *word = (const unsigned long *)from;
	unsigned int i;

	static_assert(sizeof(*from) % sizeof(*word) == 0);
	for (i = 0; i < sizeof(*from) / sizeof(*word); i++)
		WRITE_ONCE(((unsigned long *)to)[i], word[i]);
}

/*
 * Listener @kp has changed where execution continues. Run the listeners behind it, with the
 * instruction and stack pointers that the hit had. The registers of the first listener that
 * changes the execution path are used in the end.
 *
 * If @kp skips the function, execution continues at the return address. If a kretprobe behind
 * @kp hooks that return, execution continues at the trampoline that it stored as the return
 * address.
 */
static noinline void run_others(struct kprobe *kp, struct kprobe_site *site,
				struct pt_regs *regs, unsigned long ip, unsigned long sp,
				unsigned int how)
{
	struct pt_regs chosen __uninitialized;
	unsigned long ret;

	copy_regs(&chosen, regs);
	put_back(regs, ip, sp);
	ret = entry_return_address(site, regs);
	list_for_each_entry_continue_rcu(kp, &site->listeners, list) {
		if (!is_to_run(kp, how))
			continue;
		if (!can_run_after_move(kp))
			count_miss(kp);
		else if (kp->pre_handler(kp, regs))
			put_back(regs, ip, sp);
	}
	if (ret && instruction_pointer(&chosen) == ret)
		instruction_pointer_set(&chosen, entry_return_address(site, regs));
	copy_regs(regs, &chosen);
}

NOKPROBE_SYMBOL(run_others);

static noinline int several_pre_handlers(struct kprobe_site *site, struct pt_regs *regs,
					 unsigned int how)
{
	unsigned long ip = instruction_pointer(regs), sp = kernel_stack_pointer(regs);
	struct kprobe *kp;
	int moved;

	for_each_listener(kp, site) {
		if (!is_to_run(kp, how))
			continue;
		moved = kp->pre_handler(kp, regs);
		if (unlikely(moved)) {
			run_others(kp, site, regs, ip, sp, how);
			return moved;
		}
	}
	return 0;
}

NOKPROBE_SYMBOL(several_pre_handlers);

/**
 * site_pre_handlers - run the pre handlers of all listeners, in the order of registration
 * @site: the site that is hit
 * @regs: the state at the hit
 * @how: HIT_*
 *
 * Return: as site_pre_handler().
 */
int site_pre_handlers(struct kprobe_site *site, struct pt_regs *regs, unsigned int how)
{
	struct kprobe *kp = single_listener(site);
	int moved;

	if (unlikely(!kp))
		moved = several_pre_handlers(site, regs, how);
	else
		moved = is_to_run(kp, how) ? kp->pre_handler(kp, regs) : 0;
	kprobe_delay_point(DELAY_LISTENERS_READ);
	/* The caller reads kp.post_handler later, and sees it if this has seen its listener. */
	smp_rmb(); /* pairs with announce_post_handler() */
	return moved;
}

NOKPROBE_SYMBOL(site_pre_handlers);

/**
 * site_run_plain_kretprobes - run only kretprobes without entry handler
 * @site: the site that is hit
 * @regs: the state at the entry of the function, as far as ftrace saves it for arguments
 *
 * Such a kretprobe calls no code of its user here, so this does not set current_kprobe. If another
 * handler runs on this CPU, the same kretprobes count a miss as in a hit inside a hit.
 *
 * Context: a hit, preemption off.
 */
void site_run_plain_kretprobes(struct kprobe_site *site, struct pt_regs *regs)
{
	bool inside = kprobe_running();
	bool recursion = inside && kprobe_context_is(preempt_count());
	struct kprobe *kp;

	for_each_listener(kp, site) {
		if (kprobe_disabled(kp) || !kretprobe_if_plain(kp))
			continue;
		if (recursion || (inside && !may_nest(kp)))
			count_miss(kp);
		else
			kp->pre_handler(kp, regs);
	}
}

NOKPROBE_SYMBOL(site_run_plain_kretprobes);

/**
 * site_pre_handler - the pre handler of every site
 * @p: the site's kprobe
 * @regs: the state at the hit
 *
 * Return: 0 to continue with the probed instruction; else the return value of the first listener
 * that has changed where execution continues.
 */
int site_pre_handler(struct kprobe *p, struct pt_regs *regs)
{
	return site_run(to_site(p), regs, 0);
}

NOKPROBE_SYMBOL(site_pre_handler);

static nokprobe_inline void run_post_handler(struct kprobe *kp, struct pt_regs *regs,
					     unsigned long flags)
{
	kprobe_post_handler_t post = kp->post_handler;

	if (post && !kprobe_disabled(kp))
		post(kp, regs, flags);
}

static noinline void several_post_handlers(struct kprobe_site *site, struct pt_regs *regs,
					   unsigned long flags)
{
	struct kprobe *kp;

	for_each_listener(kp, site)
		run_post_handler(kp, regs, flags);
}

NOKPROBE_SYMBOL(several_post_handlers);

/**
 * site_post_handler - the post handler of a site where an enabled listener has one
 * @p: the site's kprobe
 * @regs: the state after the instruction
 * @flags: passed on to the listeners
 */
void site_post_handler(struct kprobe *p, struct pt_regs *regs,
		       unsigned long flags)
{
	struct kprobe_site *site = to_site(p);
	struct kprobe *kp = single_listener(site);

	if (likely(kp))
		run_post_handler(kp, regs, flags);
	else
		several_post_handlers(site, regs, flags);
}

NOKPROBE_SYMBOL(site_post_handler);

/**
 * kprobes_inc_nmissed_count - count a hit that runs no handlers
 * @p: from get_kprobe()
 *
 * Context: any, preemption off.
 */
void kprobes_inc_nmissed_count(struct kprobe *p)
{
	struct kprobe_site *site;
	struct kprobe *kp;

	count_miss(p);
	/* Architectures also pass kprobes that are not a site's. */
	if (p->pre_handler != site_pre_handler)
		return;
	site = to_site(p);
	for_each_listener(kp, site) {
		if (!kprobe_disabled(kp))
			count_miss(kp);
	}
}

NOKPROBE_SYMBOL(kprobes_inc_nmissed_count);

/**
 * kprobe_nested_hit - run handlers of a hit inside a hit of another context
 * @p: the site's kprobe
 * @regs: the state at the hit
 * @by_jump: the site is planted as a jump
 *
 * An interrupt or an NMI came while a handler ran, and hits a probe. Most handlers do not expect
 * that, so the hit counts as missed for their kprobes. Handlers of kprobes with
 * KPROBE_FLAG_REENTRANT, which have no post handler, run. They run at most once in each context:
 * callers do not call this for a hit in the context of the innermost handler.
 *
 * Context: a hit, preemption off; the caller has called kprobe_context_begin().
 * Return: as site_pre_handler().
 */
int kprobe_nested_hit(struct kprobe *p, struct pt_regs *regs, bool by_jump)
{
	struct kprobe_site *site = to_site(p);
	struct kprobe *kp;

	for_each_listener(kp, site) {
		if (!kprobe_disabled(kp) && !may_nest(kp))
			count_miss(kp);
	}
	return site_pre_handlers(site, regs, HIT_NESTED | (by_jump ? HIT_WITHOUT_POST : 0));
}

NOKPROBE_SYMBOL(kprobe_nested_hit);

/**
 * kprobe_exceptions_notify - handle a trap from the die chain
 * @self: the core's notifier
 * @val: DIE_*
 * @data: struct die_args
 *
 * Architectures override it if their traps do not call the probe code directly.
 *
 * Return: NOTIFY_DONE.
 */
int __weak __kprobes
kprobe_exceptions_notify(struct notifier_block *self, unsigned long val,
			 void *data)
{
	return NOTIFY_DONE;
}

/**
 * dump_kprobe - print a kprobe
 * @kp: the kprobe
 *
 * Architectures call it before BUG() when they cannot recover from a hit.
 */
void dump_kprobe(struct kprobe *kp)
{
	pr_err("kprobes: at %pS, %s+%#x, flags %#x, missed %lu\n", kp->addr,
	       kp->symbol_name ?: "(by address)", kp->offset, kp->flags,
	       kp->nmissed);
}

NOKPROBE_SYMBOL(dump_kprobe);
