/* SPDX-License-Identifier: GPL-2.0-only */
/* x86: the layout of a detour, see detour.c. */
#ifndef _ARCH_X86_KPROBES_DETOUR_H
#define _ARCH_X86_KPROBES_DETOUR_H

/* Offsets in the slot. The call returns to DETOUR_BACK. Assembly uses them, too. */
#define DETOUR_KPROBE	0
#define DETOUR_START	8
#define DETOUR_IP	(DETOUR_START + 7)
#define DETOUR_CALL	(DETOUR_START + 11)
#define DETOUR_BACK	24
#define DETOUR_COPIES	(DETOUR_BACK + 7)

/*
 * Offsets in a post slot. The copy of the instruction ends at POST_FRAME. In front of it are the
 * instructions that are at DETOUR_BACK in a detour; kprobe_detour() returns to them.
 */
#define POST_KPROBE	0
#define POST_IP		8
#define POST_FRAME	36
#define POST_CALL	(POST_FRAME + DETOUR_CALL - DETOUR_START)
#define POST_BACK	(POST_CALL + 5)
#define POST_GO_ON	(POST_BACK + DETOUR_COPIES - DETOUR_BACK)

/* Offset in a post slot of the copy of an instruction of @size bytes. */
#define POST_COPY(size)		(POST_FRAME - (size))

/* Offset from there of the address that kprobe_detour() returns to. */
#define POST_ENTRY		(DETOUR_BACK - DETOUR_COPIES)

/* Enough for all instructions that a jump can displace, with copies that are longer than them. */
#define MAX_DETOUR_SLOTS	(MAX_OPTINSN_SIZE / KPROBE_OPTINSN_SLOT_SIZE)

#endif /* _ARCH_X86_KPROBES_DETOUR_H */
