// SPDX-License-Identifier: GPL-2.0-only
/* arm64: when handlers choose where to go on from a jump; see detour_entry.S. */
#include <linux/build_bug.h>
#include <linux/kprobes.h>
#include <linux/ptrace.h>
#include <linux/stddef.h>

#include <asm/cpufeature.h>
#include <asm/sysreg.h>

#include "private.h"

/* detour_entry.S reads it. */
static_assert(offsetof(struct kprobe, addr) == 0);

asmlinkage void kprobe_detour_leave(struct kprobe *p, struct pt_regs *regs, bool moved);

/* Bits of PSTATE that can be read by themselves. */
#define PSTATE_SSBS_REG	sys_reg(3, 3, 4, 2, 6)
#define PSTATE_DIT_REG	sys_reg(3, 3, 4, 2, 5)
#define PSTATE_TCO_REG	sys_reg(3, 3, 4, 2, 7)

/* What the return from an exception sets, and no handler has changed meanwhile. */
static nokprobe_inline unsigned long current_pstate_bits(void)
{
	unsigned long bits = 0;

	if (cpus_have_final_cap(ARM64_SSBS))
		bits |= read_sysreg_s(PSTATE_SSBS_REG) & PSR_SSBS_BIT;
	if (cpus_have_final_cap(ARM64_HAS_DIT))
		bits |= read_sysreg_s(PSTATE_DIT_REG) & PSR_DIT_BIT;
	if (system_supports_mte())
		bits |= read_sysreg_s(PSTATE_TCO_REG) & PSR_TCO_BIT;
	return bits;
}

/**
 * kprobe_detour_leave - get ready to go on elsewhere, or in another state
 * @p: the site
 * @regs: what handlers want
 * @moved: they have chosen where to go on
 *
 * Context: a hit.
 */
asmlinkage void kprobe_detour_leave(struct kprobe *p, struct pt_regs *regs, bool moved)
{
	if (!moved)
		regs->pc = (unsigned long)(p->ainsn.insn + SLOT_COPIES);
	regs->pstate |= current_pstate_bits();
}

NOKPROBE_SYMBOL(kprobe_detour_leave);
