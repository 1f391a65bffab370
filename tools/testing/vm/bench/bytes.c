// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keep probes registered while bytes_bench.c measures how much memory is in
 * use.
 *
 * Memory of the caller, such as struct kprobe, is allocated at first for the
 * largest number of probes, so that it does not count.
 */
#include <linux/errno.h>
#include <linux/fprobe.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "probe_bench.h"

static struct kretprobe *held_rp;
static unsigned int nr_held_rp;
static struct fprobe held_fp;
static bool fp_held;

static int hold_kprobes(unsigned int n, void *(*where)(unsigned int i))
{
	unsigned int i;
	int ret;

	ret = alloc_many(FIELD_INSNS);
	if (ret)
		return ret;
	for (i = 0; i < n; i++)
		add_many(where(i));
	ret = register_kprobes(many, nr_many);
	if (ret)
		free_many();
	return ret;
}

static void *entry(unsigned int i)
{
	return (void *)places[i];
}

static void *first_insn(unsigned int i)
{
	return field_insn(0);
}

static int hold_entries(unsigned int n)
{
	return hold_kprobes(n, entry);
}

static int hold_inside(unsigned int n)
{
	return hold_kprobes(n, field_insn);
}

static int hold_listeners(unsigned int n)
{
	return hold_kprobes(n, first_insn);
}

static int hold_jumps(unsigned int n)
{
	unsigned int i;
	int ret;

	ret = hold_inside(n);
	for (i = 0; !ret && i < n; i++)
		ret = wait_for_jump(field_insn(i));
	return ret;
}

static int hold_kretprobes(unsigned int n)
{
	int ret;

	held_rp = kvcalloc(FIELD_INSNS, sizeof(*held_rp), GFP_KERNEL);
	if (!held_rp)
		return -ENOMEM;
	for (; nr_held_rp < n; nr_held_rp++) {
		held_rp[nr_held_rp].handler = bench_return;
		held_rp[nr_held_rp].kp.addr = entry(nr_held_rp);
		ret = register_kretprobe(&held_rp[nr_held_rp]);
		if (ret)
			return ret;
	}
	return 0;
}

static int bench_fprobe_entry(struct fprobe *fp, unsigned long entry_ip, unsigned long ret_ip,
			      struct pt_regs *regs, void *data)
{
	return 0;
}

static int hold_fprobe(unsigned int n)
{
	int ret;

	memset(&held_fp, 0, sizeof(held_fp));
	held_fp.entry_handler = bench_fprobe_entry;
	ret = register_fprobe_ips(&held_fp, places, n);
	fp_held = !ret;
	return ret;
}

static int hold_nothing(unsigned int n)
{
	return 0;
}

static const struct {
	const char *kind;
	int (*hold)(unsigned int n);
} kinds[] = {
	{ "none", hold_nothing },
	{ "kprobe-entry", hold_entries },
	{ "kprobe-inside", hold_inside },
	{ "kprobe-jump", hold_jumps },
	{ "listener", hold_listeners },
	{ "kretprobe", hold_kretprobes },
	{ "fprobe", hold_fprobe },
};

/**
 * settle_memory - wait until deferred memory is freed
 */
void settle_memory(void)
{
	synchronize_rcu_tasks();
	rcu_barrier();
	kvfree_rcu_barrier();
}

/**
 * hold_probes - register probes
 * @kind: kind of probes, see above
 * @n: number of probes
 *
 * Return: 0, -EINVAL for an unknown kind or number, or an errno of the
 * registration; some of them may be registered then.
 */
int hold_probes(const char *kind, unsigned int n)
{
	unsigned int i;
	int ret = -EINVAL;

	if (n > FIELD_INSNS || n > nr_places)
		return -EINVAL;
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!strcmp(kind, kinds[i].kind))
			ret = kinds[i].hold(n);
	}
	return ret;
}

/**
 * release_probes - unregister all held probes
 */
void release_probes(void)
{
	clear_many();
	if (fp_held)
		unregister_fprobe(&held_fp);
	fp_held = false;
	while (nr_held_rp)
		unregister_kretprobe(&held_rp[--nr_held_rp]);
	kvfree(held_rp);
	held_rp = NULL;
}
