/* SPDX-License-Identifier: GPL-2.0-only */
/* arm64: declarations that the files of kernel probes share. */
#ifndef _ARM64_KERNEL_PROBES_PRIVATE_H
#define _ARM64_KERNEL_PROBES_PRIVATE_H

#include <linux/kprobes.h>

#include <asm/insn.h>

/* The reach of a B, minus the length of slots and of instructions at both ends. */
#define BRANCH_REACH	(SZ_128M - PAGE_SIZE)

/* Layout of a slot, in instructions. See detour.c. */
enum {
	SLOT_DETOUR = 0,	/* the target of the jump */
	SLOT_BACK = 4,		/* kprobe_detour() returns to here */
	SLOT_COPIES = 6,	/* replaces the probed instruction, and continues behind it */
	SLOT_STEP = 8,		/* the copy to be stepped, and a breakpoint */
	SLOT_KPROBE = 12,	/* the site's kprobe, 64 bits */
	SLOT_VALUE = 14,	/* an address that the instruction refers to, 64 bits */
	SLOT_LEN = 16,
};

/* Layout of a post slot, in instructions. See detour.c. */
enum {
	POST_ENTRY = 0,		/* kprobe_detour() returns to here */
	POST_COPY = 2,		/* the probed instruction, after the detour's frame is removed */
	POST_GO_ON = 9,		/* the branch to the next instruction */
	POST_KPROBE = 12,	/* the site's kprobe, 64 bits */
};

/* Address of the copy to be stepped. */
static __always_inline unsigned long kprobe_step_start(const struct arch_specific_insn *ainsn)
{
	return (unsigned long)(ainsn->insn + SLOT_STEP);
}

/* Address of the breakpoint behind it. */
static __always_inline unsigned long kprobe_step_end(const struct arch_specific_insn *ainsn)
{
	return (unsigned long)(ainsn->insn + SLOT_STEP + 1);
}

/* detour.c */
int kprobe_slot_make(struct kprobe *p);

/* detour_entry.S */
extern const __le32 kprobe_slot_template[SLOT_LEN];
extern const __le32 kprobe_post_slot_template[SLOT_LEN];

/* text.c */

/*
 * Number of instructions that are written while the machine is stopped. All CPUs wait meanwhile,
 * with interrupts off. Each instruction is mapped, written and unmapped, which takes a microsecond
 * or so. That many take about as long as it takes to stop the machine: more would save little, and
 * delay interrupts.
 */
#define KPROBE_MAX_PER_STOP	128

/**
 * struct text_writes - instructions to be written
 * @addrs: their addresses
 * @insns: the instructions
 * @nr:	number of instructions
 * @room: length of the arrays
 * @live: all can be exchanged while CPUs execute them
 * @few_addrs: @addrs, if there are few or if there is no memory
 * @few_insns: @insns, likewise
 *
 * Local to a task that holds text_mutex.
 */
struct text_writes {
	void **addrs;
	u32 *insns;
	unsigned int nr;
	unsigned int room;
	bool live;
	void *few_addrs[16];
	u32 few_insns[16];
};

void kprobe_text_begin(struct text_writes *w, unsigned int nr);
void kprobe_text_write(struct text_writes *w, void *addr, u32 insn);
void kprobe_text_end(struct text_writes *w);

#endif /* _ARM64_KERNEL_PROBES_PRIVATE_H */
