/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_X86_KPROBES_H
#define _ASM_X86_KPROBES_H
/*
 * x86 kernel probes: what the core of kernel/kprobes/ and the trap handlers have to
 * know. The implementation is in arch/x86/kernel/kprobes/.
 */
#include <asm-generic/kprobes.h>

#ifdef CONFIG_KPROBES
#include <linux/types.h>
#include <asm/insn.h>
#include <asm/ptrace.h>
#include <asm/text-patching.h>

#define __ARCH_WANT_KPROBES_INSN_SLOT

struct arch_specific_insn;
struct kprobe;
struct pt_regs;

typedef u8 kprobe_opcode_t;

/*
 * A slot has room for two copies of an instruction, one to be stepped and one that
 * goes on by itself, see insn.c. A power of two: slots never cross a page.
 */
#define KPROBE_INSN_SLOT_SIZE	32

/* Instructions are written through text_poke(), which leaves caches coherent. */
#define flush_insn_slot(p)	do { } while (0)

/**
 * enum kprobe_after_step - what is left to do once the copy has been stepped
 * @KPROBE_STEP_NEXT:	go on behind the probed instruction
 * @KPROBE_STEP_CALL:	the copy has pushed the address to call
 * @KPROBE_STEP_JUMP:	the copy has pushed the address to jump to
 */
enum kprobe_after_step {
	KPROBE_STEP_NEXT,
	KPROBE_STEP_CALL,
	KPROBE_STEP_JUMP,
};

/**
 * struct arch_specific_insn - a probed instruction, taken apart
 * @insn:	its slot, at the copy to be stepped. NULL if there is @emulate
 * @boosted:	the copy in the slot that jumps back by itself, NULL if the
 *		instruction must not run that way
 * @emulate:	does to the registers and the stack what the instruction does. NULL
 *		if there is @insn. Both are NULL where ftrace plants the probe
 * @next:	address of what is behind the probed instruction
 * @size:	bytes of the probed instruction
 * @after:	an enum kprobe_after_step, with @insn
 * @cond:	with @emulate: condition code of a jcc, low opcode bits of a loop or jcxz
 * @width:	bytes of the operand, or of the counter of a loop or jcxz
 * @reg:	offset of the operand in struct pt_regs
 * @disp:	of a relative branch, counted from the next instruction; what a ret
 *		drops from the stack
 *
 * Filled by arch_prepare_kprobe() and constant from then on, so hits read it without
 * a lock.
 */
struct arch_specific_insn {
	kprobe_opcode_t *insn;
	kprobe_opcode_t *boosted;
	void (*emulate)(const struct arch_specific_insn *ainsn,
			struct pt_regs *regs);
	unsigned long next;
	u8 size;
	union {
		u8 after;
		u8 cond;
	};
	u8 width;
	u8 reg;
	s32 disp;
};

/*
 * Jump optimization, the most that it may need: a jump displaces the instruction
 * that it starts in and whatever its four bytes of displacement reach into.
 */
#define MAX_OPTIMIZED_LENGTH	(MAX_INSN_SIZE + DISP32_SIZE)
#define MAX_OPTINSN_SIZE	128

/* What nearly all need; the others take two. One is a line of most caches. */
#define KPROBE_OPTINSN_SLOT_SIZE	64

/* Those of one byte that are not enough for a jump, one more, and what is behind it. */
#define KPROBE_MAX_COPIES	(DISP32_SIZE + 2)

/**
 * struct kprobe_copy - a displaced instruction
 * @at:		offset of its copy, in the slot
 * @of:		offset of itself, from the probed instruction
 * @call:	it is a call, whose copy pushes an address and jumps
 */
struct kprobe_copy {
	u8 at;
	u8 of : 7;
	u8 call : 1;
};

/**
 * struct kprobe_copies - all of them, in their order; the last stands for what is behind
 * @copy:	one each
 * @nr:		how many
 */
struct kprobe_copies {
	struct kprobe_copy copy[KPROBE_MAX_COPIES];
	u8 nr;
};

/**
 * struct arch_optimized_insn - what a jump in place of a breakpoint leads to
 * @insn:	the slot with the detour
 * @size:	bytes from the probed instruction on that it takes, or that are of
 *		instructions which it displaces; 0 if there is no detour
 * @nr_slots:	that the detour takes
 * @copied_insn: what is behind the byte that the breakpoint takes
 * @copies:	what the detour has, for unwinders
 * @post:	from @insn to the copy of the instruction, in another slot, that post handlers
 *		follow; 0 if there is none. Set once, before hits are told that there is one
 */
struct arch_optimized_insn {
	kprobe_opcode_t *insn;
	u8 size;
	u8 nr_slots;
	kprobe_opcode_t copied_insn[DISP32_SIZE];
	struct kprobe_copies copies;
	s32 post;
};

/**
 * struct kprobe_saved - what is changed in the registers while a copy is stepped
 * @flags: the bits of EFLAGS that are off meanwhile
 */
struct kprobe_saved {
	unsigned long flags;
};

#include <linux/kprobe_ctlblk.h>

/* One instruction accesses a per-CPU variable, by the segment register. */
#define ARCH_KPROBE_CPU_DIRECT

/* The trap of a breakpoint is entered like an NMI. */
#define ARCH_KPROBE_TRAP_COUNT	(NMI_OFFSET + HARDIRQ_OFFSET)

/* Lets the core share function entries with fprobes. */
#define arch_kprobe_entry_hit arch_kprobe_entry_hit
void arch_kprobe_entry_hit(struct kprobe *p, unsigned long at, struct pt_regs *regs);
void arch_kprobe_entry_moved(struct pt_regs *regs);

/* Where a call returns to, at a function's entry. */
#define arch_kprobe_return_address arch_kprobe_return_address
static __always_inline unsigned long arch_kprobe_return_address(const struct pt_regs *regs)
{
	return *(unsigned long *)regs->sp;
}

static __always_inline void arch_kprobe_stack_pointer_set(struct pt_regs *regs, unsigned long sp)
{
	regs->sp = sp;
}

/* The instruction pointer that a pre handler sees there: as at a breakpoint. */
static __always_inline unsigned long arch_kprobe_entry_ip(unsigned long at)
{
	return at + INT3_INSN_SIZE;
}

int kprobe_int3_handler(struct pt_regs *regs);
int kprobe_fault_handler(struct pt_regs *regs, int trapnr);
void arch_remove_kprobe(struct kprobe *p);
unsigned long kprobe_trap_ip(unsigned long ip, const struct pt_regs *regs);
bool kprobe_slot_unwind(unsigned long *ip, unsigned int *pushed);
unsigned long kprobe_text_address(unsigned long ip);
extern const int kretprobe_blacklist_size;

#else /* !CONFIG_KPROBES */

#include <linux/kernel.h>

struct pt_regs;

static inline unsigned long kprobe_trap_ip(unsigned long ip, const struct pt_regs *regs)
{
	return ip;
}

static inline bool kprobe_slot_unwind(unsigned long *ip, unsigned int *pushed)
{
	return false;
}

static inline unsigned long kprobe_text_address(unsigned long ip)
{
	return __kernel_text_address(ip) ? ip : 0;
}

#endif /* CONFIG_KPROBES */
#endif /* _ASM_X86_KPROBES_H */
