/* SPDX-License-Identifier: GPL-2.0-only */
/* Hooks on the entries of functions, for kprobes and fprobes; entry.c explains them. */
#ifndef _KERNEL_KPROBES_ENTRY_H
#define _KERNEL_KPROBES_ENTRY_H

#include <linux/fprobe.h>
#include <linux/ftrace.h>
#include <linux/kconfig.h>
#include <linux/kprobes.h>
#include <linux/rcupdate.h>

/* The registers at the entry, all of them, which FTRACE_OPS_FL_SAVE_REGS asks for. */
#ifndef arch_ftrace_saved_regs
#define arch_ftrace_saved_regs(fregs)	ftrace_get_regs(fregs)
#endif

/* May what RCU guards be looked at? */
static __always_inline bool entry_is_watched(void)
{
	/* There, nothing that ftrace calls from runs without RCU. */
	return IS_ENABLED(CONFIG_ARCH_WANTS_NO_INSTR) || rcu_is_watching();
}

/* Of hooks with ENTRY_FIRST the latest is hit first; there is one with ENTRY_LAST at most. */
enum entry_place { ENTRY_FIRST, ENTRY_LAST };

int entry_hooks_join(struct entry_hook *batch, enum entry_place place);
void entry_hooks_leave(struct entry_hook *batch);

#endif /* _KERNEL_KPROBES_ENTRY_H */
