// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kretprobes: a kprobe at a function's entry that hooks the return of that call.
 *
 * How a return is hooked and where instances come from is up to retprobe_rethook.c, or
 * retprobe_classic.c on architectures without rethook.
 */
#include <linux/cpumask.h>
#include <linux/export.h>
#include <linux/kallsyms.h>
#include <linux/minmax.h>
#include <linux/rcupdate.h>

#include "internal.h"

/* Look the names up once, so that registration compares addresses. */
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

/* Compare functions, not addresses: the probe itself may be behind a landing pad. */
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

/* Everything that hits need, but for the kprobe. */
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
 * kretprobe_attach - let a kretprobe listen, by the end of this kprobe_set_attach()
 * @rp: the kretprobe
 *
 * Context: kprobe_set_is_open().
 * Return: as register_kretprobes().
 */
int kretprobe_attach(struct kretprobe *rp)
{
	int ret;

	/* One that is registered is in use. */
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
 * kretprobe_release - a kretprobe listens no more
 * @rp: the kretprobe
 *
 * Calls in flight keep their instances; no handler runs for them once a grace period
 * has passed.
 *
 * Context: process, kprobe_mutex held.
 */
void kretprobe_release(struct kretprobe *rp)
{
	kretprobe_pool_free(rp);
}

/**
 * register_kretprobes - place return probes, all or none
 * @rps: the kretprobes, see struct kretprobe for which members to set
 * @num: how many
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
 * register_kretprobe - place a return probe
 * @rp: the kretprobe, see struct kretprobe for which members to set
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
 * unregister_kretprobes - take return probes away
 * @rps: the kretprobes; of one that is not registered, the address is cleared
 * @num: how many
 *
 * When this returns no handler of theirs is running, and none will, not for calls that
 * have yet to return either.
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
 * unregister_kretprobe - take a return probe away
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
 * unregister_kretprobes_nowait - take return probes away, without waiting
 * @rps: the kretprobes; of one that is not registered, the address is cleared
 * @num: how many
 *
 * For callers whose handlers are built in: hits and returns under way may still be
 * running them, and the memory of @rps has to stay until an RCU grace period has passed.
 *
 * Context: process. Sleeps on locks only.
 */
void unregister_kretprobes_nowait(struct kretprobe **rps, int num)
{
	const struct kprobe_set set = { .rps = rps, .of_kretprobes = true, .num = num };

	kprobe_set_detach(&set);
}
