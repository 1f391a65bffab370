/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The state of a CPU's hit. An architecture's asm/kprobes.h defines struct kprobe_saved and then
 * includes this. Other architectures define a struct kprobe_ctlblk of their own.
 */
#ifndef _LINUX_KPROBE_CTLBLK_H
#define _LINUX_KPROBE_CTLBLK_H

struct kprobe;

/* A task, an interrupt, an NMI, and a machine check or SError, can each hit inside a hit. */
#define KPROBE_MAX_NESTING	8

/* Handlers run in at most: task, soft interrupt, interrupt, NMI, and an exception in an NMI. */
#define KPROBE_MAX_CONTEXTS	5

/**
 * struct prev_kprobe - the state of an outer hit
 * @saved:	kprobe_ctlblk::saved
 * @status:	kprobe_ctlblk::kprobe_status
 * @kp:		kprobe_ctlblk::running
 * @context:	kprobe_ctlblk::context
 */
struct prev_kprobe {
	struct kprobe_saved saved;
	unsigned long status;
	struct kprobe *kp;
	unsigned int context;
};

/**
 * struct kprobe_ctlblk - the state of this CPU's hit
 * @running:		current_kprobe: the kprobe whose handler runs, or whose copy is stepped
 * @context:		kprobe_context
 * @kprobe_status:	KPROBE_HIT_*, KPROBE_REENTER; valid while @running is set
 * @saved:		registers that are changed while the copy is stepped
 * @nesting:		number of entries in @prev_kprobe
 * @prev_kprobe:	the outer hits
 *
 * Only this CPU accesses it, with preemption off. Interrupts and NMIs restore it, so no lock is
 * needed. One struct has all, because arm64 needs four instructions to compute the address of a
 * per-CPU variable.
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
