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

/*
 * Offsets in a slot with the way by post handlers. The copy of the instruction ends where the frame
 * begins, and in front of the copy is what is at DETOUR_BACK, to which kprobe_detour() returns.
 */
#define POST_KPROBE	0
#define POST_IP		8
#define POST_FRAME	36
#define POST_CALL	(POST_FRAME + DETOUR_CALL - DETOUR_START)
#define POST_BACK	(POST_CALL + 5)
#define POST_GO_ON	(POST_BACK + DETOUR_COPIES - DETOUR_BACK)

/* Where in such a slot the copy is of an instruction of @size bytes. */
#define POST_COPY(size)		(POST_FRAME - (size))

/* And, from there, where kprobe_detour() returns to. */
#define POST_ENTRY		(DETOUR_BACK - DETOUR_COPIES)

/* More than a jump can displace takes, with all that grows in the copy. */
#define MAX_DETOUR_SLOTS	(MAX_OPTINSN_SIZE / KPROBE_OPTINSN_SLOT_SIZE)

#endif /* _ARCH_X86_KPROBES_DETOUR_H */
