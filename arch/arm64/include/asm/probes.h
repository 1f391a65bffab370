/* SPDX-License-Identifier: GPL-2.0-only */
/* Simulation of probed instructions, for kprobes and uprobes. */
#ifndef _ASM_ARM64_PROBES_H
#define _ASM_ARM64_PROBES_H

#include <linux/types.h>

struct pt_regs;

/* An instruction in the byte order of the CPU. */
typedef u32 probe_opcode_t;

/**
 * typedef probes_handler_t - simulate an instruction
 * @insn: the instruction
 * @addr: its address
 * @regs: the registers before it; set to the registers after it
 *
 * Context: any. Must not be traced nor probed.
 */
typedef void (probes_handler_t)(u32 insn, long addr, struct pt_regs *regs);

/**
 * struct arch_probe_insn - how a probed instruction runs
 * @handler: simulates it; NULL if a copy is executed
 */
struct arch_probe_insn {
	probes_handler_t *handler;
};

#endif /* _ASM_ARM64_PROBES_H */
