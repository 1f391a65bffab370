/* SPDX-License-Identifier: GPL-2.0-only */
/* Hooks on the entries of functions, for kprobes and fprobes; entry.c explains them. */
#ifndef _KERNEL_KPROBES_ENTRY_H
#define _KERNEL_KPROBES_ENTRY_H

#include <linux/fprobe.h>

int entry_hooks_join(struct entry_hook *batch);
void entry_hooks_leave(struct entry_hook *batch);

#endif /* _KERNEL_KPROBES_ENTRY_H */
