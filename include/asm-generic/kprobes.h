/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How code keeps probes out of itself. Kept apart from linux/kprobes.h so that
 * low-level headers can use it.
 */
#ifndef _ASM_GENERIC_KPROBES_H
#define _ASM_GENERIC_KPROBES_H

#ifndef __ASSEMBLY__
#ifdef CONFIG_KPROBES
/* An inline function must not leave an out-of-line copy that can be probed. */
#define nokprobe_inline		__always_inline

/* A whole function in the text section that is out of bounds. */
#define __kprobes		__section(".kprobes.text")

/*
 * Name a function that no probe may be placed in. The linker gathers the
 * addresses in one section; kernel/kprobes/blacklist.c reads it at boot and at
 * every module load. Its own semicolon, since many users have none.
 */
#define NOKPROBE_SYMBOL(fname)						\
	static const unsigned long __PASTE(_kbl_addr_, fname)		\
	__used __section("_kprobe_blacklist") = (unsigned long)(fname);
#else
#define nokprobe_inline		inline
#define __kprobes
#define NOKPROBE_SYMBOL(fname)
#endif
#endif /* __ASSEMBLY__ */

#endif /* _ASM_GENERIC_KPROBES_H */
