/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of arm64 kernel probes share. */
#ifndef _ARM64_KERNEL_PROBES_PRIVATE_H
#define _ARM64_KERNEL_PROBES_PRIVATE_H

#include <linux/kprobes.h>

#include <asm/insn.h>

/* What a B can reach, less than it by what may lie between the ends of slots and functions. */
#define BRANCH_REACH	(SZ_128M - PAGE_SIZE)

/* Where what is in a slot, in instructions. See detour.c. */
enum {
	SLOT_DETOUR = 0,	/* where a jump leads to */
	SLOT_BACK = 4,		/* what kprobe_detour() returns to */
	SLOT_COPIES = 6,	/* what stands for the probed instruction, and goes on behind it */
	SLOT_STEP = 8,		/* the copy to be stepped; the breakpoint that ends it */
	SLOT_KPROBE = 12,	/* the site's kprobe, 64 bits */
	SLOT_VALUE = 14,	/* an address that the instruction refers to, 64 bits */
	SLOT_LEN = 16,
};

/* The same of a slot with the way by post handlers. */
enum {
	POST_ENTRY = 0,		/* where kprobe_detour() returns to */
	POST_COPY = 2,		/* the probed instruction, when the detour's frame is gone */
	POST_GO_ON = 9,		/* the branch to what is behind the probed instruction */
	POST_KPROBE = 12,	/* the site's kprobe, 64 bits */
};

/* Where the copy is that is to be stepped. */
static __always_inline unsigned long kprobe_step_start(const struct arch_specific_insn *ainsn)
{
	return (unsigned long)(ainsn->insn + SLOT_STEP);
}

/* Where the breakpoint is that ends it. */
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

/**
 * struct text_writes - instructions to be written
 * @addrs: where
 * @insns: what
 * @nr:	how many there are
 * @room: how many may be
 * @live: all may be exchanged while they are being executed
 * @few_addrs: @addrs if there are few, or no memory
 * @few_insns: @insns
 *
 * Whoever has one holds text_mutex.
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
