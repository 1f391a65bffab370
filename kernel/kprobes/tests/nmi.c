// SPDX-License-Identifier: GPL-2.0-only
/* Calls in an NMI that this CPU sends to itself by a function of the architecture. */
#include <linux/errno.h>
#include <linux/kprobes.h>
#include <linux/smp.h>

#include "tests.h"

/* Not locked: there is one NMI at a time, of one test. */
static struct {
	target_fn fn;
	unsigned long x;
	unsigned long result;
	int cpu;
	atomic_t taken;
	bool there;
} nmi_call = {
	.cpu = -1,
};

/* For the architecture, in an NMI. Returns whether it is one that was sent from here. */
bool test_nmi_take(void)
{
	if (smp_processor_id() != nmi_call.cpu)
		return false;
	nmi_call.cpu = -1;
	nmi_call.result = nmi_call.fn(nmi_call.x);
	atomic_inc(&nmi_call.taken);
	return true;
}

NOKPROBE_SYMBOL(test_nmi_take);

/* An NMI is taken in less time on all machines. */
#define NMI_PATIENCE	100000000

/*
 * Call fn(x) in an NMI on this CPU, and return its result. If NMIs are masked, the NMI comes later,
 * and this returns something else than x + 1. If this boot has no NMIs, call it in the context of
 * the caller. Preemption is off.
 */
unsigned long test_call_in_nmi(target_fn fn, unsigned long x)
{
	int before = atomic_read(&nmi_call.taken), spin = 0;

	if (!nmi_call.there)
		return fn(x);
	nmi_call.fn = fn;
	nmi_call.x = x;
	nmi_call.result = x;
	nmi_call.cpu = smp_processor_id();
	barrier();
	arch_test_nmi_send();
	if (arch_test_nmis_masked())
		return x;
	while (atomic_read(&nmi_call.taken) == before && spin++ < NMI_PATIENCE)
		cpu_relax();
	return nmi_call.result;
}

NOKPROBE_SYMBOL(test_call_in_nmi);

/* What the latest call in an NMI returned. */
unsigned long test_nmi_result(void)
{
	return READ_ONCE(nmi_call.result);
}

/* How many NMIs were taken since test_nmi_begin(). */
int test_nmis_taken(void)
{
	return atomic_read(&nmi_call.taken);
}

NOKPROBE_SYMBOL(test_nmis_taken);

/* Whether this boot has NMIs; between the next two. */
bool test_nmis_are_there(void)
{
	return nmi_call.there;
}

int test_nmi_begin(void)
{
	int err = arch_test_nmi_begin();

	atomic_set(&nmi_call.taken, 0);
	nmi_call.there = !err;
	return err == -EOPNOTSUPP ? 0 : err;
}

void test_nmi_end(void)
{
	if (nmi_call.there)
		arch_test_nmi_end();
	nmi_call.there = false;
}
