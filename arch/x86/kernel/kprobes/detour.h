/* SPDX-License-Identifier: GPL-2.0-only */
/* x86: the layout of a detour, see detour.c. */
#ifndef _ARCH_X86_KPROBES_DETOUR_H
#define _ARCH_X86_KPROBES_DETOUR_H

/* Offsets in the slot; the call in it returns to DETOUR_BACK. Assembly has them, too. */
#define DETOUR_KPROBE	0
#define DETOUR_START	8
#define DETOUR_IP	(DETOUR_START + 7)
#define DETOUR_CALL	(DETOUR_START + 11)
#define DETOUR_BACK	24
#define DETOUR_COPIES	(DETOUR_BACK + 7)

/* More than a jump can displace takes, with all that grows in the copy. */
#define MAX_DETOUR_SLOTS	(MAX_OPTINSN_SIZE / KPROBE_OPTINSN_SLOT_SIZE)

#endif /* _ARCH_X86_KPROBES_DETOUR_H */
