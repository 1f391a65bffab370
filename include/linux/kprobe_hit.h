/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The steps of a hit that are the same for all methods. For architectures that use
 * linux/kprobe_ctlblk.h.
 *
 * @cpu is the struct kprobe_ctlblk of this CPU. A CPU is in a hit while @cpu->running is set, so
 * that is set first and reset last.
 */
#ifndef _LINUX_KPROBE_HIT_H
#define _LINUX_KPROBE_HIT_H

#include <linux/bug.h>
#include <linux/compiler.h>
#include <linux/kprobe_context.h>
#include <linux/kprobes.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/printk.h>

/* What the trap of a breakpoint has added to preempt_count() while handlers run. */
#ifndef ARCH_KPROBE_TRAP_COUNT
#define ARCH_KPROBE_TRAP_COUNT 0
#endif

/*
 * Accessors for this CPU's struct. x86 accesses a per-CPU member in one instruction and needs no
 * pointer to the struct. Other architectures compute the pointer once.
 */
#ifdef ARCH_KPROBE_CPU_DIRECT
static nokprobe_inline struct kprobe *hit_running(const struct kprobe_ctlblk *cpu)
{
	return __this_cpu_read(kprobe_ctlblk.running);
}

static nokprobe_inline void hit_set_running(struct kprobe_ctlblk *cpu, struct kprobe *p)
{
	__this_cpu_write(kprobe_ctlblk.running, p);
}

static nokprobe_inline void hit_set_status(struct kprobe_ctlblk *cpu, unsigned long status)
{
	__this_cpu_write(kprobe_ctlblk.kprobe_status, status);
}

static nokprobe_inline unsigned int hit_context(const struct kprobe_ctlblk *cpu)
{
	return __this_cpu_read(kprobe_ctlblk.context);
}

static nokprobe_inline void hit_set_context(struct kprobe_ctlblk *cpu, unsigned int count)
{
	__this_cpu_write(kprobe_ctlblk.context, count);
}
#else
static nokprobe_inline struct kprobe *hit_running(const struct kprobe_ctlblk *cpu)
{
	return READ_ONCE(cpu->running);
}

static nokprobe_inline void hit_set_running(struct kprobe_ctlblk *cpu, struct kprobe *p)
{
	WRITE_ONCE(cpu->running, p);
}

static nokprobe_inline void hit_set_status(struct kprobe_ctlblk *cpu, unsigned long status)
{
	WRITE_ONCE(cpu->kprobe_status, status);
}

static nokprobe_inline unsigned int hit_context(const struct kprobe_ctlblk *cpu)
{
	return READ_ONCE(cpu->context);
}

static nokprobe_inline void hit_set_context(struct kprobe_ctlblk *cpu, unsigned int count)
{
	WRITE_ONCE(cpu->context, count);
}
#endif

static nokprobe_inline void hit_begin_with(struct kprobe_ctlblk *cpu, struct kprobe *p,
					   unsigned long status)
{
	hit_set_running(cpu, p);
	/* An NMI may hit here. It restores the status only if @running is set. */
	barrier();
	hit_set_status(cpu, status);
	/* As in kprobe_context_begin(). */
	barrier();
	hit_set_context(cpu, preempt_count());
}

static nokprobe_inline void hit_begin(struct kprobe_ctlblk *cpu, struct kprobe *p)
{
	hit_begin_with(cpu, p, KPROBE_HIT_ACTIVE);
}

/* The copy is stepped after the trap has returned, so in the context of the probed code. */
static nokprobe_inline void hit_steps(struct kprobe_ctlblk *cpu)
{
	hit_set_context(cpu, preempt_count() - ARCH_KPROBE_TRAP_COUNT);
}

/* Call it after the pre handlers. The barrier is in site_pre_handlers(). */
static nokprobe_inline bool hit_has_post(struct kprobe *p)
{
	return READ_ONCE(p->post_handler);
}

static nokprobe_inline void hit_begin_post(struct kprobe_ctlblk *cpu)
{
	hit_set_status(cpu, KPROBE_HIT_SSDONE);
	hit_set_context(cpu, preempt_count());
}

static nokprobe_inline void hit_post(struct kprobe_ctlblk *cpu, struct kprobe *p,
				     struct pt_regs *regs)
{
	kprobe_post_handler_t post = READ_ONCE(p->post_handler);

	if (!post)
		return;
	hit_begin_post(cpu);
	post(p, regs, 0);
}

static nokprobe_inline void hit_end(struct kprobe_ctlblk *cpu)
{
	hit_set_context(cpu, KPROBE_NO_CONTEXT);
	/* An NMI that hits here restores the context, because @running is set. */
	barrier();
	hit_set_running(cpu, NULL);
}

/* Save the state of the outer hit, and begin a hit of @p. Undone by leave_nested(). */
static nokprobe_inline void enter_nested(struct kprobe_ctlblk *cpu, struct kprobe *p)
{
	struct prev_kprobe *prev = &cpu->prev_kprobe[cpu->nesting];

	/* Handlers run once in each context, so at this depth the hit path itself is hit. */
	if (unlikely(cpu->nesting >= KPROBE_MAX_NESTING)) {
		pr_err("kprobes: hits nest without end\n");
		dump_kprobe(p);
		BUG();
	}
	/*
	 * An NMI that hits before nesting is incremented uses the same entry. It saves the same
	 * state there, so the entry is right when it returns.
	 */
	prev->saved = cpu->saved;
	prev->status = cpu->kprobe_status;
	prev->kp = hit_running(cpu);
	prev->context = hit_context(cpu);
	barrier();
	cpu->nesting++;
	barrier();

	hit_set_running(cpu, p);
	cpu->kprobe_status = KPROBE_REENTER;
}

/*
 * Run the handlers that may run inside of a hit; the hit is missed for the others. Call it after
 * enter_nested(). @trap_count is ARCH_KPROBE_TRAP_COUNT for a breakpoint, else 0. Returns the same
 * as a pre handler.
 *
 * A handler may cause exceptions that look like NMIs, with hits in them that run it again.
 * KPROBE_MAX_CONTEXTS ends such a recursion.
 */
static nokprobe_inline int run_nested(struct kprobe_ctlblk *cpu, struct kprobe *p,
				      struct pt_regs *regs, unsigned int trap_count, bool by_jump)
{
	unsigned int probed = preempt_count() - trap_count;
	int moved;

	if (kprobe_context_is(probed) || cpu->nesting >= KPROBE_MAX_CONTEXTS) {
		kprobes_inc_nmissed_count(p);
		return 0;
	}
	cpu->kprobe_status = KPROBE_HIT_ACTIVE;
	kprobe_context_begin();
	moved = kprobe_nested_hit(p, regs, by_jump);
	cpu->kprobe_status = KPROBE_REENTER;
	hit_set_context(cpu, probed);
	return moved;
}

static nokprobe_inline void leave_nested(struct kprobe_ctlblk *cpu)
{
	const struct prev_kprobe *prev = &cpu->prev_kprobe[cpu->nesting - 1];

	cpu->saved = prev->saved;
	cpu->kprobe_status = prev->status;
	hit_set_running(cpu, prev->kp);
	hit_set_context(cpu, prev->context);
	barrier();
	cpu->nesting--;
}

#endif /* _LINUX_KPROBE_HIT_H */
