// SPDX-License-Identifier: GPL-2.0-only
/* What runs on a hit of a site that is planted as a jump. */
#include <linux/context_tracking_irq.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/probe_hit.h>

#include "internal.h"

/**
 * opt_pre_handler - run the handlers of a site that is planted as a jump
 * @p: the site's kprobe
 * @regs: the state at the hit
 *
 * For architectures whose detours go on with the displaced instructions whatever the handlers
 * say. They have found that no handler runs on this CPU, and made @p the one that does.
 *
 * Context: a hit, preemption off.
 */
void opt_pre_handler(struct kprobe *p, struct pt_regs *regs)
{
	site_run(to_site(p), regs, HIT_WITHOUT_POST);
}

NOKPROBE_SYMBOL(opt_pre_handler);

/*
 * A breakpoint's trap makes RCU watch. Without that, grace periods would not wait for handlers.
 * Where it is not watching, interrupts are off.
 */
static nokprobe_inline bool rcu_starts_watching(void)
{
	if (likely(probe_hit_is_watched()))
		return false;
	ct_nmi_enter();
	return true;
}

/* For architectures that have linux/kprobe_ctlblk.h. */
#ifdef KPROBE_MAX_NESTING
#include <linux/kprobe_hit.h>

/* Architectures that never say that a jump has post handlers run leave these. */

bool __weak __kprobes arch_kprobe_jump_run(struct kprobe *p, struct pt_regs *regs)
{
	return true;
}

void __weak __kprobes arch_kprobe_jump_ran(const struct kprobe_saved *saved, struct pt_regs *regs)
{
}

void __weak __kprobes arch_kprobe_jump_irqs_restore(const struct pt_regs *regs)
{
}

static noinline int jump_inside(struct kprobe *p, struct pt_regs *regs)
{
	struct kprobe_ctlblk *cpu = get_kprobe_ctlblk();
	int moved;

	enter_nested(cpu, p);
	moved = run_nested(cpu, p, regs, 0, true);
	leave_nested(cpu);
	return moved;
}

NOKPROBE_SYMBOL(jump_inside);

/*
 * Of a site with several listeners, or with one that has a post handler. If a copy of the
 * instruction is to be run, interrupts are off from arch_kprobe_jump_run() on. As the instruction
 * may be one that reads or writes preempt_count(), that is what it is in the probed code.
 */
static noinline int jump_with_post(struct kprobe *p, struct pt_regs *regs)
{
	struct kprobe_site *site = to_site(p);
	bool runs_post;
	int moved;

	/* With what was prepared for that: pairs with jump_prepare_post(). */
	runs_post = smp_load_acquire(&site->jump_runs_post);
	moved = site_pre_handlers(site, regs, runs_post ? 0 : HIT_WITHOUT_POST);
	if (moved || !runs_post || !hit_has_post(p))
		return moved;
	if (arch_kprobe_jump_run(p, regs))
		hit_post(get_kprobe_ctlblk(), p, regs);
	return 1;
}

NOKPROBE_SYMBOL(jump_with_post);

static nokprobe_inline int jump_outside(struct kprobe *p, struct pt_regs *regs)
{
	/* As site_run() does. */
	struct kprobe *kp = READ_ONCE(to_site(p)->sole);

	if (likely(kp))
		return kp->pre_handler(kp, regs);
	return jump_with_post(p, regs);
}

/**
 * kprobe_jump_hit - run the handlers of a site that is planted as a jump
 * @p: the site's kprobe
 * @regs: the state at the hit
 *
 * For architectures whose detours let handlers choose where to go on. That may be where
 * arch_kprobe_jump_run() says, on the way to kprobe_jump_post().
 *
 * Context: the probed code's.
 * Return: 0 to go on with the displaced instructions, else go on where @regs say.
 */
int kprobe_jump_hit(struct kprobe *p, struct pt_regs *regs)
{
	bool rcu_started;
	struct kprobe_ctlblk *cpu;
	int moved;

	preempt_disable_notrace();
	rcu_started = rcu_starts_watching();
	cpu = get_kprobe_ctlblk();
	if (unlikely(hit_running(cpu))) {
		moved = jump_inside(p, regs);
	} else {
		hit_begin(cpu, p);
		moved = jump_outside(p, regs);
		hit_end(cpu);
	}
	if (unlikely(rcu_started))
		ct_nmi_exit();
	preempt_enable_notrace();
	return moved;
}

NOKPROBE_SYMBOL(kprobe_jump_hit);

/**
 * kprobe_jump_steps - a copy of the probed instruction is about to be run
 * @p: the site's kprobe
 *
 * As while a copy is stepped: a hit in an NMI is one inside of this hit, and kprobe_ctlblk::saved
 * is this hit's until kprobe_jump_post().
 *
 * Context: the probed code's, but for interrupts, which are off.
 * Return: where to save what is changed in the registers meanwhile.
 */
struct kprobe_saved *kprobe_jump_steps(struct kprobe *p)
{
	struct kprobe_ctlblk *cpu = get_kprobe_ctlblk();

	hit_set_status(cpu, KPROBE_HIT_SS);
	barrier();
	hit_begin_with(cpu, p, KPROBE_HIT_SS);
	return &cpu->saved;
}

NOKPROBE_SYMBOL(kprobe_jump_steps);

/**
 * kprobe_jump_post - run the post handlers of a hit by a jump
 * @p: the site's kprobe
 * @regs: the state behind the instruction, but for what was changed for it
 *
 * Context: interrupts off since before kprobe_jump_steps(); on again if they were on.
 * Return: 0 to go on behind the instruction, else go on where @regs say.
 */
int kprobe_jump_post(struct kprobe *p, struct pt_regs *regs)
{
	unsigned long behind = instruction_pointer(regs);
	struct kprobe_ctlblk *cpu;
	bool rcu_started;

	preempt_disable_notrace();
	rcu_started = rcu_starts_watching();
	cpu = get_kprobe_ctlblk();
	arch_kprobe_jump_ran(&cpu->saved, regs);
	hit_set_status(cpu, KPROBE_HIT_SSDONE);
	/* Interrupts that had to wait hit no probe inside of this hit. */
	hit_end(cpu);
	arch_kprobe_jump_irqs_restore(regs);
	hit_set_status(cpu, KPROBE_HIT_SSDONE);
	barrier();
	hit_begin_with(cpu, p, KPROBE_HIT_SSDONE);
	hit_post(cpu, p, regs);
	hit_end(cpu);
	if (unlikely(rcu_started))
		ct_nmi_exit();
	preempt_enable_notrace();
	return instruction_pointer(regs) != behind;
}

NOKPROBE_SYMBOL(kprobe_jump_post);
#endif /* KPROBE_MAX_NESTING */
