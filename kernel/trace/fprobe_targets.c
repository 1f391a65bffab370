// SPDX-License-Identifier: GPL-2.0-only
/*
 * Function probes: the functions of an fprobe.
 *
 * Functions of the kernel and of each module are in separate structs, so that the struct of a
 * module can be freed with it.
 */
#include <linux/atomic.h>
#include <linux/cleanup.h>
#include <linux/err.h>
#include <linux/fprobe.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/overflow.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "fprobe_internal.h"
#include "rethook_internal.h"

#ifdef CONFIG_MODULES
/*
 * The module that @ip is in, or NULL for the kernel. An ERR_PTR() if the text is going or gone: a
 * module that is being unloaded was removed from all fprobes, and must not be added again. The same
 * is true for the init text of a live module, which is going to be freed. And for a module that is
 * coming and may go without notice.
 */
static struct module *text_owner(unsigned long ip)
{
	struct module *mod;

	if (core_kernel_text(ip))
		return NULL;
	guard(preempt)();
	mod = __module_text_address(ip);
	if (!mod || mod->state == MODULE_STATE_GOING ||
	    (mod->state == MODULE_STATE_COMING && !fprobe_module_announced(mod)) ||
	    (mod->state == MODULE_STATE_LIVE && within_module_init(ip, mod)))
		return ERR_PTR(-ENOENT);
	return mod;
}
#else
static struct module *text_owner(unsigned long ip)
{
	return core_kernel_text(ip) ? NULL : ERR_PTR(-ENOENT);
}
#endif

/**
 * fprobe_skip_going - leave out functions whose text is going
 * @ips: addresses of ftrace's calls
 * @nr: number of addresses
 *
 * Context: process. Without fprobe_mutex the result may be out of date.
 * Return: number of addresses that are left.
 */
unsigned int fprobe_skip_going(unsigned long *ips, unsigned int nr)
{
	unsigned int i, kept = 0;

	for (i = 0; i < nr; i++) {
		if (!IS_ERR(text_owner(ips[i])))
			ips[kept++] = ips[i];
	}
	return kept;
}

static struct fprobe_targets *make_some(struct fprobe *fp, const unsigned long *ips,
					unsigned int nr)
{
	struct fprobe_targets *t;
	unsigned int i;

	t = kvzalloc(struct_size(t, hook, nr), GFP_KERNEL);
	if (!t)
		return NULL;
	t->nr = nr;
	for (i = 0; i < nr; i++)
		fprobe_set_hook(&t->hook[i], fp, ips[i]);
	return t;
}

/**
 * fprobe_free_targets - free functions whose hooks no hit has seen
 * @targets: the functions, or NULL
 */
void fprobe_free_targets(struct fprobe_targets *targets)
{
	struct fprobe_targets *next;

	for (; targets; targets = next) {
		next = targets->next;
		kvfree(targets);
	}
}

/*
 * Number of hooks given to kvfree_rcu() since kvfree_rcu_barrier() was called last. If there are
 * more than MAX_LEFT, fprobe_throttle() waits. Atomic; it is set to 0 under one_waits.
 */
#define MAX_LEFT	SZ_64K
static atomic_t nr_left = ATOMIC_INIT(0);

static void leave_to_rcu(struct fprobe_targets *t)
{
	atomic_add(t->nr, &nr_left);
	kvfree_rcu(t, rcu);
}

/**
 * fprobe_throttle - wait if too much memory waits to be freed
 *
 * For callers that unregister fprobes without waiting, perhaps in a loop.
 *
 * Context: process, fprobe_mutex not held. If it waits, sleeps, perhaps for some grace periods.
 */
void fprobe_throttle(void)
{
	static DEFINE_MUTEX(one_waits);

	if (atomic_read(&nr_left) > MAX_LEFT) {
		guard(mutex)(&one_waits);
		if (atomic_read(&nr_left) > MAX_LEFT) {
			atomic_set(&nr_left, 0);
			kvfree_rcu_barrier();
		}
	}
	rethook_throttle();
}

/**
 * fprobe_free_targets_later - free functions after a grace period
 * @targets: the functions, or NULL; their hooks have left
 */
void fprobe_free_targets_later(struct fprobe_targets *targets)
{
	struct fprobe_targets *next;

	for (; targets; targets = next) {
		next = targets->next;
		leave_to_rcu(targets);
	}
}

/**
 * fprobe_make_targets - make hooks for functions of an fprobe
 * @fp: the fprobe
 * @ips: addresses of ftrace's calls, each once
 * @nr: number of addresses
 * @strict: functions whose text is going are an error; otherwise they are left out
 *
 * Context: process, fprobe_mutex held, so that a module whose text is going waits. Sleeps.
 * Return: the functions, or NULL if there are none; or an ERR_PTR(): -ENOENT if a function's text
 * is going; -ENOMEM.
 */
struct fprobe_targets *fprobe_make_targets(struct fprobe *fp, const unsigned long *ips,
					   unsigned int nr, bool strict)
{
	struct fprobe_targets *all = NULL, *some;
	struct module *owner;
	unsigned int i, n;

	for (i = 0; i < nr; i += n) {
		owner = text_owner(ips[i]);
		for (n = 1; i + n < nr && text_owner(ips[i + n]) == owner; n++)
			;
		if (IS_ERR(owner) && !strict)
			continue;
		some = IS_ERR(owner) ? ERR_CAST(owner) : make_some(fp, ips + i, n);
		if (IS_ERR_OR_NULL(some)) {
			fprobe_free_targets(all);
			return some ?: ERR_PTR(-ENOMEM);
		}
		some->next = all;
		all = some;
	}
	return all;
}

/**
 * fprobe_add_targets - add functions to an fprobe
 * @fp: the fprobe
 * @targets: the functions
 *
 * Context: fprobe_mutex held.
 */
void fprobe_add_targets(struct fprobe *fp, struct fprobe_targets *targets)
{
	struct fprobe_targets **end = &fp->targets;

	while (*end)
		end = &(*end)->next;
	*end = targets;
}

/**
 * fprobe_add_hooks - add the hooks of functions to a batch
 * @targets: the functions
 * @batch: the batch
 *
 * Context: fprobe_mutex held.
 * Return: the batch with the hooks.
 */
struct entry_hook *fprobe_add_hooks(struct fprobe_targets *targets, struct entry_hook *batch)
{
	unsigned int i;

	for (; targets; targets = targets->next) {
		for (i = 0; i < targets->nr; i++)
			batch = entry_batch_add(&targets->hook[i], batch);
	}
	return batch;
}

/**
 * fprobe_text_hooks - add the hooks of an fprobe in a range of text to a batch that is to leave
 * @fp: the fprobe
 * @start: start of the range
 * @end: end of the range, exclusive
 * @batch: the batch
 *
 * Context: fprobe_mutex held.
 * Return: the batch with the hooks.
 */
struct entry_hook *fprobe_text_hooks(struct fprobe *fp, unsigned long start,
				     unsigned long end, struct entry_hook *batch)
{
	struct fprobe_targets *t;
	unsigned int i;

	for (t = fp->targets; t; t = t->next) {
		for (i = 0; i < t->nr; i++) {
			if (t->hook[i].ip < start || t->hook[i].ip >= end)
				continue;
			t->nr_left++;
			batch = entry_batch_add(&t->hook[i], batch);
		}
	}
	return batch;
}

/**
 * fprobe_drop_left - remove functions from an fprobe if all hooks of a struct have left
 * @fp: the fprobe
 *
 * Context: fprobe_mutex held.
 */
void fprobe_drop_left(struct fprobe *fp)
{
	struct fprobe_targets **at = &fp->targets, *t;

	while ((t = *at)) {
		if (t->nr_left < t->nr) {
			at = &t->next;
			continue;
		}
		*at = t->next;
		leave_to_rcu(t);
	}
}
