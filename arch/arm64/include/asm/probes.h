/* SPDX-License-Identifier: GPL-2.0-only */
/* Instructions that are probed, in the kernel and in user space. */
#ifndef _ASM_ARM64_PROBES_H
#define _ASM_ARM64_PROBES_H

#include <linux/types.h>

struct pt_regs;

/* An instruction in the byte order of the CPU. */
typedef u32 probe_opcode_t;

/**
 * typedef probes_handler_t - do to the registers what an instruction does
 * @insn: the instruction
 * @addr: where it is
 * @regs: the registers before it, and then after it
 *
 * Context: any. Must not be traced nor probed.
 */
typedef void (probes_handler_t)(u32 insn, long addr, struct pt_regs *regs);

/**
 * struct arch_probe_insn - how a probed instruction is done
 * @handler: does it; NULL if it is executed from elsewhere
 */
struct arch_probe_insn {
	probes_handler_t *handler;
};

#endif /* _ASM_ARM64_PROBES_H */
