// SPDX-License-Identifier: GPL-2.0-only
/* Hits of sites that are planted as jumps. */
#include <linux/context_tracking_irq.h>
#include <linux/kprobe_delay.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/probe_hit.h>

#include "internal.h"

/**
 * opt_pre_handler - run the pre handlers of a site that is planted as a jump
 * @p: the site's kprobe
 * @regs: the state at the hit
 *
 * For architectures whose detours always continue with the displaced instructions. The caller
 * has checked that no handler runs on this CPU, and has set current_kprobe to @p.
 *
 * Context: a hit, preemption off.
 */
void opt_pre_handler(struct kprobe *p, struct pt_regs *regs)
{
	site_run(to_site(p), regs, HIT_WITHOUT_POST);
}

NOKPROBE_SYMBOL(opt_pre_handler);

/*
 * Grace periods wait for handlers only if RCU is watching. The trap of a breakpoint makes it
 * watch, a jump does not. Where RCU is not watching, interrupts are off.
 */
static nokprobe_inline bool rcu_starts_watching(void)
{
	if (likely(probe_hit_is_watched()))
		return false;
	ct_nmi_enter();
	return true;
}

/* For architectures that use linux/kprobe_ctlblk.h. */
#ifdef KPROBE_MAX_NESTING
#include <linux/kprobe_hit.h>

/* For architectures whose jumps never run post handlers. */

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

/* @kp is enabled and has a post handler, so the list is not read again after the instruction. */
static nokprobe_inline void jump_with_sole_post(struct kprobe *p, struct kprobe *kp,
						struct pt_regs *regs)
{
	if (!arch_kprobe_jump_run(p, regs) || kprobe_disabled(kp))
		return;
	hit_begin_post(get_kprobe_ctlblk());
	kp->post_handler(kp, regs, 0);
}

/*
 * The site has several enabled listeners, or one with a post handler or without a pre handler. To
 * run post handlers, a copy of the probed instruction is run by itself, with interrupts off from
 * arch_kprobe_jump_run() on. The instruction may read or write preempt_count(), so preempt_count()
 * is as in the probed code then.
 */
static noinline int jump_with_post(struct kprobe *p, struct pt_regs *regs)
{
	struct kprobe_site *site = to_site(p);
	struct kprobe *kp;
	bool runs_post;
	int moved;

	/* Pairs with the release in publish_post(). */
	runs_post = smp_load_acquire(&site->jump_runs_post);
	kprobe_delay_point(DELAY_RUNS_POST_READ);
	kp = single_listener(site);
	if (likely(runs_post && kp && kp->post_handler && !kprobe_disabled(kp))) {
		moved = kp->pre_handler ? kp->pre_handler(kp, regs) : 0;
		if (!moved)
			jump_with_sole_post(p, kp, regs);
		return moved ?: 1;
	}
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
	/* Address dependency, as in site_run(). */
	struct kprobe *kp = READ_ONCE(to_site(p)->sole);

	kprobe_delay_point(DELAY_SOLE_READ);
	if (likely(kp))
		return kp->pre_handler(kp, regs);
	return jump_with_post(p, regs);
}

/**
 * kprobe_jump_hit - handle a hit of a site that is planted as a jump
 * @p: the site's kprobe
 * @regs: the state at the hit
 *
 * For architectures whose detours let handlers change where execution continues. If there are
 * post handlers, arch_kprobe_jump_run() may make execution continue at a copy of the probed
 * instruction, and kprobe_jump_post() runs them afterwards.
 *
 * Context: that of the probed code.
 * Return: 0 to continue with the displaced instructions; else continue as @regs say.
 */
int kprobe_jump_hit(struct kprobe *p, struct pt_regs *regs)
{
	bool rcu_started;
	struct kprobe_ctlblk *cpu;
	int moved;

	preempt_disable_notrace();
	rcu_started = rcu_starts_watching();
	kprobe_delay_point(DELAY_JUMP_HIT);
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
 * kprobe_jump_steps - prepare to run a copy of the probed instruction
 * @p: the site's kprobe
 *
 * The state is as while an instruction is stepped: a hit in an NMI is a hit inside this hit, and
 * kprobe_ctlblk::saved belongs to this hit until kprobe_jump_post().
 *
 * Context: that of the probed code, but with interrupts off.
 * Return: where to save the registers that are changed for the copy.
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
 * @regs: the state after the copy, in which arch_kprobe_jump_ran() restores what was changed
 *
 * Context: interrupts are off since before kprobe_jump_steps(). They are enabled here if they were
 * enabled at the hit.
 * Return: 0 to continue behind the instruction; else continue as @regs say.
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
	/* Not in a hit, so that pending interrupts do not miss the probes that they hit. */
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
