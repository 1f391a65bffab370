// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kretprobes: a kprobe at a function's entry that hooks the return of that call.
 *
 * retprobe_rethook.c hooks returns and allocates instances; on architectures without rethook,
 * retprobe_classic.c does.
 */
#include <linux/cpumask.h>
#include <linux/export.h>
#include <linux/kallsyms.h>
#include <linux/minmax.h>
#include <linux/rcupdate.h>

#include "internal.h"

/* Look up the names once, so that registration compares addresses. */
void __init kretprobe_blacklist_init(void)
{
	struct kretprobe_blackpoint *b;

	if (!kretprobe_blacklist_size)
		return;
	for (b = kretprobe_blacklist; b->name; b++) {
		b->addr = kprobe_lookup_name(b->name, 0);
		if (!b->addr)
			pr_warn("kprobes: no %s to keep kretprobes out of\n",
				b->name);
	}
}

/* Compare the start of the function, because the probe may be behind a landing pad. */
static bool return_is_off_limits(unsigned long addr)
{
	const struct kretprobe_blackpoint *b;
	unsigned long offset;

	if (!kretprobe_blacklist_size ||
	    !kallsyms_lookup_size_offset(addr, NULL, &offset))
		return false;
	for (b = kretprobe_blacklist; b->name; b++) {
		if (b->addr == (void *)(addr - offset))
			return true;
	}
	return false;
}

/* Check the kretprobe and set up all but its kprobe. */
static int prepare(struct kretprobe *rp)
{
	struct kprobe_place place;
	int ret;

	ret = kprobe_locate(&rp->kp, &place);
	if (ret)
		return ret;
	if (!place.on_entry)
		return kprobe_refuse(-EINVAL, "not the entry of a function");
	if (return_is_off_limits(place.addr))
		return kprobe_refuse(-EINVAL, "the return of this function must not be hooked");
	if (rp->data_size > KRETPROBE_MAX_DATA_SIZE)
		return kprobe_refuse(-E2BIG, "data_size is larger than KRETPROBE_MAX_DATA_SIZE");

	if (rp->maxactive <= 0)
		rp->maxactive = max(10U, 2 * num_possible_cpus());
	rp->kp.pre_handler = kretprobe_pre_handler;
	rp->kp.post_handler = NULL;
	rp->nmissed = 0;
	ret = kretprobe_pool_alloc(rp);
	return ret == -EINVAL ? kprobe_refuse(ret, "maxactive exceeds the bound of the pool") : ret;
}

/**
 * kretprobe_attach - attach a kretprobe as part of this kprobe_set_attach()
 * @rp: the kretprobe
 *
 * Context: kprobe_set_is_open().
 * Return: as register_kretprobes().
 */
int kretprobe_attach(struct kretprobe *rp)
{
	int ret;

	kprobe_refuse(0, NULL);
	if (site_of_listener(&rp->kp))
		ret = kprobe_refuse(-EINVAL, "this struct kretprobe is registered already");
	else
		ret = prepare(rp);
	if (ret)
		return kprobe_attach_fails(&rp->kp, ret);
	ret = register_kprobe(&rp->kp);
	if (ret)
		kretprobe_release(rp);
	return ret;
}

/**
 * kretprobe_release - free the instances of a kretprobe
 * @rp: the kretprobe, detached
 *
 * Calls in flight keep their instances. Their handlers do not run after a grace period has
 * passed.
 *
 * Context: process, kprobe_mutex held.
 */
void kretprobe_release(struct kretprobe *rp)
{
	kretprobe_pool_free(rp);
}

/**
 * register_kretprobes - register kretprobes, all or none
 * @rps: the kretprobes; struct kretprobe says which members to set
 * @num: number of kretprobes
 *
 * Context: process. Sleeps.
 * Return: as register_kprobes(); -EINVAL also if one is not at a function's entry or
 * the return of that function must not be hooked; -E2BIG if a data_size is too large.
 */
int register_kretprobes(struct kretprobe **rps, int num)
{
	const struct kprobe_set set = {
		.rps = rps, .of_kretprobes = true, .num = num, .is_array = true,
	};

	return kprobe_set_attach(&set);
}
EXPORT_SYMBOL_GPL(register_kretprobes);

/**
 * register_kretprobe - register a kretprobe
 * @rp: the kretprobe; struct kretprobe says which members to set
 *
 * Context: process. Sleeps.
 * Return: as register_kretprobes().
 */
noinline __noclone int register_kretprobe(struct kretprobe *rp)
{
	const struct kprobe_set set = { .rps = &rp, .of_kretprobes = true, .num = 1 };

	return kprobe_set_is_open() ? kretprobe_attach(rp) : kprobe_set_attach(&set);
}
EXPORT_SYMBOL_GPL(register_kretprobe);

/**
 * unregister_kretprobes - unregister kretprobes
 * @rps: the kretprobes; if one is not registered, its address is cleared
 * @num: number of kretprobes
 *
 * After the return no handler of these kretprobes runs, also not for calls in flight.
 *
 * Context: process. Sleeps for one grace period.
 */
void unregister_kretprobes(struct kretprobe **rps, int num)
{
	const struct kprobe_set set = { .rps = rps, .of_kretprobes = true, .num = num };

	kprobe_set_remove(&set);
}
EXPORT_SYMBOL_GPL(unregister_kretprobes);

/**
 * unregister_kretprobe - unregister a kretprobe
 * @rp: the kretprobe
 *
 * Context: as unregister_kretprobes().
 */
void unregister_kretprobe(struct kretprobe *rp)
{
	const struct kprobe_set one = { .rps = &rp, .of_kretprobes = true, .num = 1 };

	kprobe_set_remove(&one);
}
EXPORT_SYMBOL_GPL(unregister_kretprobe);

/**
 * unregister_kretprobes_nowait - unregister kretprobes without waiting
 * @rps: the kretprobes; if one is not registered, its address is cleared
 * @num: number of kretprobes
 *
 * For callers whose handlers are built in: hits and returns in progress may run the handlers
 * after the return. The memory of @rps must stay until an RCU grace period has passed.
 *
 * Context: process. Sleeps on locks only.
 */
void unregister_kretprobes_nowait(struct kretprobe **rps, int num)
{
	const struct kprobe_set set = { .rps = rps, .of_kretprobes = true, .num = num };

	kprobe_set_detach(&set);
}
