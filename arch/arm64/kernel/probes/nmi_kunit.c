// SPDX-License-Identifier: GPL-2.0-only
/*
 * The NMI that KUnit tests send to the CPU that they run on. It is an unused per-CPU interrupt with
 * the priority of pseudo-NMIs, which need irqchip.gicv3_pseudo_nmi=1.
 */
#include <linux/errno.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/kprobes.h>
#include <linux/of.h>
#include <linux/of_irq.h>
#include <linux/percpu.h>
#include <linux/smp.h>

#include <dt-bindings/interrupt-controller/arm-gic.h>

#include <asm/cpufeature.h>
#include <asm/ptrace.h>
#include <asm/sysreg.h>

#include "../../../../kernel/kprobes/tests/tests.h"

/* A per-CPU interrupt. Timers and counters of the architecture use others. */
#define UNUSED_PPI	0

/* A trap masks all interrupts, NMIs included. */
const bool arch_test_traps_mask_nmis = true;

static unsigned int nmi_irq;
static struct irq_data *nmi_irq_data;

/* The cookie of request_percpu_nmi(). */
static DEFINE_PER_CPU(int, nmi_request);

static irqreturn_t take_nmi(int irq, void *request)
{
	return test_nmi_take() ? IRQ_HANDLED : IRQ_NONE;
}

NOKPROBE_SYMBOL(take_nmi);

/* Call the irqchip directly, because a hit must not take the lock of the interrupt. */
void arch_test_nmi_send(void)
{
	struct irq_chip *chip = irq_data_get_irq_chip(nmi_irq_data);

	chip->irq_set_irqchip_state(nmi_irq_data, IRQCHIP_STATE_PENDING, true);
}

NOKPROBE_SYMBOL(arch_test_nmi_send);

bool arch_test_nmis_masked(void)
{
	return read_sysreg(daif) & PSR_I_BIT;
}

NOKPROBE_SYMBOL(arch_test_nmis_masked);

static unsigned int map_interrupt(void)
{
	struct of_phandle_args spec = {
		.np = of_find_compatible_node(NULL, NULL, "arm,gic-v3"),
		.args = { GIC_PPI, UNUSED_PPI, IRQ_TYPE_LEVEL_HIGH },
		.args_count = 3,
	};
	unsigned int irq = spec.np ? irq_create_of_mapping(&spec) : 0;

	of_node_put(spec.np);
	return irq;
}

static void let_in(void *err)
{
	int ret = prepare_percpu_nmi(nmi_irq);

	if (ret)
		WRITE_ONCE(*(int *)err, ret);
	else
		enable_percpu_nmi(nmi_irq, IRQ_TYPE_NONE);
}

static void shut_out(void *unused)
{
	disable_percpu_nmi(nmi_irq);
	teardown_percpu_nmi(nmi_irq);
}

int arch_test_nmi_begin(void)
{
	int err;

	if (!system_uses_irq_prio_masking())
		return -EOPNOTSUPP;
	nmi_irq = map_interrupt();
	if (!nmi_irq)
		return -ENODEV;
	nmi_irq_data = irq_get_irq_data(nmi_irq);
	err = request_percpu_nmi(nmi_irq, take_nmi, "kprobes_test", &nmi_request);
	if (err)
		return err;
	on_each_cpu(let_in, &err, 1);
	if (err)
		free_percpu_nmi(nmi_irq, &nmi_request);
	return err;
}

void arch_test_nmi_end(void)
{
	on_each_cpu(shut_out, NULL, 1);
	free_percpu_nmi(nmi_irq, &nmi_request);
}
