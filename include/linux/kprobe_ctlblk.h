/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The state of a CPU's hit. For the asm/kprobes.h of architectures that have said what a struct
 * kprobe_saved is; others have a struct kprobe_ctlblk of their own.
 */
#ifndef _LINUX_KPROBE_CTLBLK_H
#define _LINUX_KPROBE_CTLBLK_H

struct kprobe;

/* Task, interrupt, NMI and machine check or SError can each be in a hit inside a hit. */
#define KPROBE_MAX_NESTING	8

/* Handlers run in no more: task, soft interrupt, interrupt, NMI, and an exception in that. */
#define KPROBE_MAX_CONTEXTS	5

/**
 * struct prev_kprobe - what a hit inside a hit puts aside
 * @saved:	kprobe_ctlblk::saved, of the outer hit
 * @status:	what this CPU was doing about it
 * @kp:		the probe that was running
 * @context:	kprobe_context, of the outer hit
 */
struct prev_kprobe {
	struct kprobe_saved saved;
	unsigned long status;
	struct kprobe *kp;
	unsigned int context;
};

/**
 * struct kprobe_ctlblk - what this CPU is doing about current_kprobe
 * @running:		what this CPU is in a handler of, or steps a copy for: current_kprobe
 * @context:		kprobe_context
 * @kprobe_status:	KPROBE_HIT_*, KPROBE_REENTER; valid while @running is set
 * @saved:		what is changed in the registers while the copy is stepped
 * @nesting:		number of entries in @prev_kprobe
 * @prev_kprobe:	the hits that the current one is inside of
 *
 * Per CPU, touched with preemption off only. Interrupts and NMIs leave it as they found it, so no
 * lock is needed. All that a hit touches is in one struct, because computing the address of a
 * per-CPU variable takes arm64 four instructions.
 */
struct kprobe_ctlblk {
	struct kprobe *running;
	unsigned int context;
	unsigned long kprobe_status;
	struct kprobe_saved saved;
	unsigned int nesting;
	struct prev_kprobe prev_kprobe[KPROBE_MAX_NESTING];
};

#endif /* _LINUX_KPROBE_CTLBLK_H */
