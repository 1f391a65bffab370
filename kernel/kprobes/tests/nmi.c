// SPDX-License-Identifier: GPL-2.0-only
/* Calls in an NMI, which this CPU sends to itself. x86 only. */
#include <linux/cpumask.h>
#include <linux/kprobes.h>
#include <linux/nmi.h>
#include <asm/apic.h>
#include <asm/nmi.h>

#include "tests.h"

/* Guarded by there being one NMI at a time, of one test. */
static struct {
	target_fn fn;
	unsigned long x;
	unsigned long result;
	int cpu;
	atomic_t taken;
} nmi_call = {
	.cpu = -1,
};

static int call_in_nmi(unsigned int val, struct pt_regs *regs)
{
	if (smp_processor_id() != nmi_call.cpu)
		return NMI_DONE;
	nmi_call.cpu = -1;
	nmi_call.result = nmi_call.fn(nmi_call.x);
	atomic_inc(&nmi_call.taken);
	return NMI_HANDLED;
}

NOKPROBE_SYMBOL(call_in_nmi);

/* More than an NMI takes to come, on any machine. */
#define NMI_PATIENCE	100000000

/* fn(x), in an NMI on this CPU; other than x + 1 if none came. Preemption is off. */
unsigned long test_call_in_nmi(target_fn fn, unsigned long x)
{
	int before = atomic_read(&nmi_call.taken), spin = 0;

	nmi_call.fn = fn;
	nmi_call.x = x;
	nmi_call.result = x;
	nmi_call.cpu = smp_processor_id();
	barrier();
	__apic_send_IPI_mask(cpumask_of(smp_processor_id()), NMI_VECTOR);
	while (atomic_read(&nmi_call.taken) == before && spin++ < NMI_PATIENCE)
		cpu_relax();
	return nmi_call.result;
}

NOKPROBE_SYMBOL(test_call_in_nmi);

/* How many NMIs were taken since test_nmi_begin(). */
int test_nmis_taken(void)
{
	return atomic_read(&nmi_call.taken);
}

int test_nmi_begin(void)
{
	atomic_set(&nmi_call.taken, 0);
	return register_nmi_handler(NMI_LOCAL, call_in_nmi, NMI_FLAG_FIRST,
				    "kprobes_test");
}

void test_nmi_end(void)
{
	unregister_nmi_handler(NMI_LOCAL, "kprobes_test");
}
