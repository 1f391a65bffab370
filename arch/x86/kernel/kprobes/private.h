/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of x86 kernel probes share. */
#ifndef _ARCH_X86_KPROBES_PRIVATE_H
#define _ARCH_X86_KPROBES_PRIVATE_H

#include <linux/kprobes.h>
#include <linux/percpu.h>

/* EFLAGS that would let something in between the stepped copy and its trap. */
#define KPROBE_STEP_FLAGS	(X86_EFLAGS_IF | X86_EFLAGS_TF)

/* insn.c */
int kprobe_insn_prepare(struct kprobe *p);
void kprobe_insn_release(struct kprobe *p);
void kprobe_insn_finish(const struct arch_specific_insn *ainsn,
			struct pt_regs *regs);
unsigned long kprobe_slot_origin(unsigned long ip);

/* Where the breakpoint is that ends the copy to be stepped. */
static __always_inline unsigned long
kprobe_step_end(const struct arch_specific_insn *ainsn)
{
	return (unsigned long)ainsn->insn + ainsn->size;
}

/*
 * The steps of a hit that all ways to plant a probe have in common. @cpu is this
 * CPU's; current_kprobe is what makes it a hit, so that is set first and reset last.
 */
static __always_inline void hit_begin(struct kprobe_ctlblk *cpu,
				      struct kprobe *p)
{
	__this_cpu_write(current_kprobe, p);
	cpu->kprobe_status = KPROBE_HIT_ACTIVE;
}

/* Comes and goes with the listeners; either answer is right just now. */
static __always_inline bool hit_has_post(struct kprobe *p)
{
	return READ_ONCE(p->post_handler);
}

static __always_inline void hit_post(struct kprobe_ctlblk *cpu,
				     struct kprobe *p, struct pt_regs *regs)
{
	kprobe_post_handler_t post = READ_ONCE(p->post_handler);

	if (!post)
		return;

	cpu->kprobe_status = KPROBE_HIT_SSDONE;
	post(p, regs, 0);
}

static __always_inline void hit_end(void)
{
	reset_current_kprobe();
}

#endif /* _ARCH_X86_KPROBES_PRIVATE_H */
