/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_X86_KPROBES_H
#define _ASM_X86_KPROBES_H
/*
 * x86 kernel probes: the interface to kernel/kprobes/ and to the trap handlers. The
 * implementation is in arch/x86/kernel/kprobes/.
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
 * jumps back, see insn.c. A power of two, so that slots do not cross pages.
 */
#define KPROBE_INSN_SLOT_SIZE	32

/* Instructions are written through text_poke(), which leaves caches coherent. */
#define flush_insn_slot(p)	do { } while (0)

/**
 * enum kprobe_after_step - what to do after the copy has been stepped
 * @KPROBE_STEP_NEXT:	continue behind the probed instruction
 * @KPROBE_STEP_CALL:	the copy has pushed the address to call
 * @KPROBE_STEP_JUMP:	the copy has pushed the address to jump to
 */
enum kprobe_after_step {
	KPROBE_STEP_NEXT,
	KPROBE_STEP_CALL,
	KPROBE_STEP_JUMP,
};

/**
 * struct arch_specific_insn - a decoded probed instruction
 * @insn:	its slot, at the copy to be stepped. NULL if it is always emulated
 * @emulate:	emulates the instruction on the registers and the stack. With @insn it is for
 *		hits with post handlers, or NULL. Both are NULL if ftrace plants the probe
 * @next:	address behind the probed instruction
 * @size:	length of the probed instruction
 * @boosted:	offset from @insn of the copy that jumps back; 0 if the instruction must not run
 *		that way
 * @after:	an enum kprobe_after_step, with @insn
 * @cond:	with @emulate: condition code of a jcc, low opcode bits of a loop or jcxz
 * @width:	bytes of the operand, or of the counter of a loop or jcxz
 * @reg:	offset of the operand in struct pt_regs; of the one that is written, if there are
 *		two
 * @from:	offset of the other operand or of the base of an address, or none, see
 *		emulate_regs.c
 * @index:	offset of the index of an address, or none
 * @scale:	number of bits by which the index is shifted
 * @moves_stack: with @emulate: in a hit by a jump a copy runs instead, because unwinders expect
 *		the stack pointer there to be as at the hit
 * @disp:	displacement of a relative branch, from the next instruction; or the number
 *		of bytes that a ret drops from the stack; or an immediate value; or the
 *		displacement of an address
 *
 * Filled by arch_prepare_kprobe() and constant from then on, so hits read it without
 * a lock.
 */
struct arch_specific_insn {
	kprobe_opcode_t *insn;
	void (*emulate)(const struct arch_specific_insn *ainsn,
			struct pt_regs *regs);
	unsigned long next;
	u8 size;
	u8 boosted;
	union {
		u8 after;
		u8 cond;
	};
	u8 width;
	u8 reg;
	u8 from;
	u8 index;
	u8 scale;
	bool moves_stack;
	s32 disp;
};

/*
 * Upper bounds. A jump displaces the probed instruction and all instructions that its
 * four bytes of displacement overlap.
 */
#define MAX_OPTIMIZED_LENGTH	(MAX_INSN_SIZE + DISP32_SIZE)
#define MAX_OPTINSN_SIZE	128

/* Nearly all detours fit in one slot, a cache line. The others take two. */
#define KPROBE_OPTINSN_SLOT_SIZE	64

/* Four instructions of one byte, one more, and the end of the last one. */
#define KPROBE_MAX_COPIES	(DISP32_SIZE + 2)

/**
 * struct kprobe_copy - a displaced instruction
 * @at:		offset of its copy in the slot
 * @of:		offset of the instruction from the probed one
 * @call:	it is a call, whose copy pushes an address and jumps
 */
struct kprobe_copy {
	u8 at;
	u8 of : 7;
	u8 call : 1;
};

/**
 * struct kprobe_copies - the displaced instructions
 * @copy:	one for each, in their order, and one for the address behind them
 * @nr:		number of entries
 */
struct kprobe_copies {
	struct kprobe_copy copy[KPROBE_MAX_COPIES];
	u8 nr;
};

/**
 * struct arch_optimized_insn - the detour of a jump
 * @insn:	the slot with the detour
 * @size:	length of the jump or of the displaced instructions, whichever is larger;
 *		0 if there is no detour
 * @nr_slots:	number of slots of the detour
 * @copied_insn: the bytes behind the breakpoint, as they are without probes
 * @relay:	a jump to the detour that the site's jump of two bytes leads to; NULL if the site's
 *		jump has five bytes and leads to the detour
 * @copies:	the copies in the detour, for unwinders
 * @post:	offset from @insn to the copy of the instruction, in another slot, that runs
 *		before post handlers; 0 if there is none. Set once, under kprobe_mutex; read by
 *		unwinders, and by hits that have seen &kprobe_site.jump_runs_post
 *
 * All but @post is constant after arch_prepare_optimized_kprobe().
 */
struct arch_optimized_insn {
	kprobe_opcode_t *insn;
	u8 size;
	u8 nr_slots;
	kprobe_opcode_t copied_insn[DISP32_SIZE];
	kprobe_opcode_t *relay;
	struct kprobe_copies copies;
	s32 post;
};

/**
 * struct kprobe_saved - registers that are changed while a copy is stepped
 * @flags: bits of EFLAGS that are cleared meanwhile
 */
struct kprobe_saved {
	unsigned long flags;
};

#include <linux/kprobe_ctlblk.h>

/* A per-CPU variable is accessed in one instruction, by the segment register. */
#define ARCH_KPROBE_CPU_DIRECT

/* The trap of a breakpoint is entered like an NMI. */
#define ARCH_KPROBE_TRAP_COUNT	(NMI_OFFSET + HARDIRQ_OFFSET)

/* Defined: kprobes and fprobes share an ftrace_ops. */
#define arch_kprobe_entry_hit arch_kprobe_entry_hit
void arch_kprobe_entry_hit(struct kprobe *p, unsigned long at, struct pt_regs *regs);
void arch_kprobe_entry_moved(struct pt_regs *regs);

/* The return address of a call, at a function's entry. */
#define arch_kprobe_return_address arch_kprobe_return_address
static __always_inline unsigned long arch_kprobe_return_address(const struct pt_regs *regs)
{
	return *(unsigned long *)regs->sp;
}

static __always_inline void arch_kprobe_stack_pointer_set(struct pt_regs *regs, unsigned long sp)
{
	regs->sp = sp;
}

/* The instruction pointer that pre handlers see at an entry, the same as at a breakpoint. */
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
