/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of x86 kernel probes share. */
#ifndef _ARCH_X86_KPROBES_PRIVATE_H
#define _ARCH_X86_KPROBES_PRIVATE_H

#include <linux/kprobes.h>
#include <linux/percpu.h>

#include <asm/insn.h>

/* EFLAGS that would let something in between the stepped copy and its trap. */
#define KPROBE_STEP_FLAGS	(X86_EFLAGS_IF | X86_EFLAGS_TF)

/* insn.c */
int kprobe_insn_prepare(struct kprobe *p);
void kprobe_insn_release(struct kprobe *p);
void kprobe_insn_finish(const struct arch_specific_insn *ainsn,
			struct pt_regs *regs);
unsigned long kprobe_slot_origin(unsigned long ip);

/**
 * struct probed_text - an instruction as it is without any probe
 * @buf:	its bytes, with planted breakpoints and jumps undone
 * @len:	bytes in @buf, more than the instruction has
 * @insn:	@buf decoded
 */
struct probed_text {
	u8 buf[MAX_INSN_SIZE];
	int len;
	struct insn insn;
};

int kprobe_insn_read(struct probed_text *text, unsigned long addr, unsigned long end);
int kprobe_insn_check(const struct probed_text *text, unsigned long addr);
int kprobe_insn_copy(u8 *buf, const struct probed_text *text, unsigned long from,
		     unsigned long to);
unsigned int kprobe_insn_opcode(const struct insn *insn);
bool kprobe_insn_is_relative(const struct insn *insn);
bool kprobe_insn_is_endbr(const struct insn *insn);
bool kprobe_insn_uses_stack_pointer(const struct insn *insn);

/**
 * struct kprobe_region - what a jump displaces
 * @start:	the probed instruction
 * @end:	behind the last displaced instruction; there may be padding behind it that
 *		the jump takes as well
 * @runs_on:	execution goes on at @end
 */
struct kprobe_region {
	unsigned long start;
	unsigned long end;
	bool runs_on;
};

/* The linker's bounds of the kernel's own. */
extern struct exception_table_entry __start___ex_table[], __stop___ex_table[];

/* region.c */
int kprobe_region_find(unsigned long addr, struct kprobe_region *region);

/* detour.c */
#if defined(CONFIG_OPTPROBES) && defined(CONFIG_X86_64)
void kprobe_detour(void);
unsigned long kprobe_detour_copies(const struct kprobe *p);
void kprobe_detour_undo(u8 *buf, unsigned long addr, int len);
#else
static inline unsigned long kprobe_detour_copies(const struct kprobe *p)
{
	return 0;
}

static inline void kprobe_detour_undo(u8 *buf, unsigned long addr, int len)
{
}
#endif

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
