// SPDX-License-Identifier: GPL-2.0-only
/* x86: the NMI that KUnit tests send to the CPU that they run on. */
#include <linux/cpumask.h>
#include <linux/kprobes.h>
#include <linux/nmi.h>
#include <asm/apic.h>
#include <asm/nmi.h>

#include "../../../../kernel/kprobes/tests/tests.h"

/* NMIs are masked while one is handled, but not in traps. */
const bool arch_test_traps_mask_nmis;

static int take_nmi(unsigned int val, struct pt_regs *regs)
{
	return test_nmi_take() ? NMI_HANDLED : NMI_DONE;
}

NOKPROBE_SYMBOL(take_nmi);

void arch_test_nmi_send(void)
{
	__apic_send_IPI_mask(cpumask_of(smp_processor_id()), NMI_VECTOR);
}

NOKPROBE_SYMBOL(arch_test_nmi_send);

bool arch_test_nmis_masked(void)
{
	return false;
}

NOKPROBE_SYMBOL(arch_test_nmis_masked);

int arch_test_nmi_begin(void)
{
	return register_nmi_handler(NMI_LOCAL, take_nmi, NMI_FLAG_FIRST, "kprobes_test");
}

void arch_test_nmi_end(void)
{
	unregister_nmi_handler(NMI_LOCAL, "kprobes_test");
}
