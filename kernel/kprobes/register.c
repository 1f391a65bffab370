// SPDX-License-Identifier: GPL-2.0-only
/*
 * The API for users of probes.
 *
 * Each call is a batch, also one for a single probe. It changes the text with one
 * site_batch_commit(). If it guarantees that no handler runs after its return, it waits for
 * one grace period, for any number of probes.
 */
#include <linux/export.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>

#include "internal.h"

/* Set when kprobes_init() is done; registration fails before that. */
bool kprobes_ready __ro_after_init;

/*
 * The batch of the call in progress, and the task that makes the call. Changed under
 * kprobe_mutex. Any task may read open_for, to compare it with itself.
 */
static struct site_batch *open_batch;
static struct task_struct *open_for;

/* The name of the call in progress, for probe_errors. Guarded by kprobe_mutex. */
static const char *open_call;

static const char *call_of(const struct kprobe_set *set)
{
	if (set->of_kretprobes)
		return set->is_array ? "register_kretprobes" : "register_kretprobe";
	return set->is_array ? "register_kprobes" : "register_kprobe";
}

static struct kprobe *nth(const struct kprobe_set *set, int i)
{
	return set->of_kretprobes ? &set->rps[i]->kp : set->kps[i];
}

static void release_nth(const struct kprobe_set *set, int i)
{
	if (set->of_kretprobes)
		kretprobe_release(set->rps[i]);
}

/*
 * Register arrays by the functions for one probe, and kretprobes by register_kprobe(), so that
 * tracers of register_kprobe() see every probe.
 */
static int attach_nth(const struct kprobe_set *set, int i)
{
	if (set->of_kretprobes)
		return set->is_array ? register_kretprobe(set->rps[i]) :
				       kretprobe_attach(set->rps[i]);
	return set->is_array ? register_kprobe(set->kps[i]) : kprobe_attach(set->kps[i]);
}

/**
 * kprobe_set_is_open - is this task in kprobe_set_attach()?
 *
 * Context: process.
 * Return: true if so; then kprobe_mutex is held.
 */
bool kprobe_set_is_open(void)
{
	return READ_ONCE(open_for) == current;
}

/**
 * kprobe_attach_fails - report why this kprobe_set_attach() fails
 * @kp: the kprobe that is refused and that kprobe_attach() has not reported
 * @err: the errno
 *
 * Context: kprobe_set_is_open().
 * Return: @err.
 */
int kprobe_attach_fails(const struct kprobe *kp, int err)
{
	kprobe_tell_refusal(open_call, kp, err);
	return err;
}

static int attach(struct kprobe *kp)
{
	struct kprobe_place place = {};
	struct kprobe_site *site;
	int ret;

	if (!kprobes_ready)
		return -EAGAIN;
	if (site_of_listener(kp))
		return kprobe_refuse(-EINVAL, "this struct kprobe is registered already");
	/* A hit inside a hit is not single-stepped, so it cannot run a post handler. */
	if (kp->post_handler && kp->flags & KPROBE_FLAG_REENTRANT)
		return kprobe_refuse(-EINVAL, "KPROBE_FLAG_REENTRANT and a post handler");
	ret = kprobe_locate(kp, &place);
	ret = ret ?: kprobe_check_place(&place);
	if (ret)
		return ret;
	site = site_get(&place, open_batch);
	if (IS_ERR(site))
		return PTR_ERR(site);

	/* The core sets the other flags. */
	kp->flags &= KPROBE_FLAG_DISABLED | KPROBE_FLAG_REENTRANT;
	kp->nmissed = 0;
	site_add_listener(site, kp, open_batch);
	return 0;
}

/**
 * kprobe_attach - attach a kprobe as part of this kprobe_set_attach()
 * @kp: the kprobe
 *
 * Context: kprobe_set_is_open().
 * Return: as register_kprobes().
 */
int kprobe_attach(struct kprobe *kp)
{
	int ret;

	lockdep_assert_held(&kprobe_mutex);
	kprobe_refuse(0, NULL);
	ret = attach(kp);
	return ret ? kprobe_attach_fails(kp, ret) : 0;
}

static bool detach_one(struct kprobe *kp, struct site_batch *batch)
{
	struct kprobe_site *site;

	site = site_of_listener(kp);
	if (site)
		site_del_listener(site, kp, batch);
	else
		kp->addr = NULL;
	return site;
}

/* Detach the first @num probes of a set that failed. Hits in progress may still use them. */
static void attach_undo(const struct kprobe_set *set, int num,
			struct site_batch *batch)
{
	int i;

	for (i = 0; i < num; i++) {
		detach_one(nth(set, i), batch);
		release_nth(set, i);
	}
	site_batch_commit(batch);
}

/*
 * Reset what registration has set in the probes that attach_undo() detached, so that the caller
 * can register them again. No hit sees them any more.
 */
static void attach_forget(const struct kprobe_set *set, int num)
{
	struct kprobe *kp;
	int i;

	for (i = 0; i < num; i++) {
		kp = nth(set, i);
		kp->flags &= KPROBE_FLAG_DISABLED | KPROBE_FLAG_REENTRANT;
		if (kp->symbol_name)
			kp->addr = NULL;
	}
}

/*
 * The kprobe to name in probe_errors when a commit fails. Ftrace does not tell for which function
 * it failed, but live patches can be looked up.
 */
static const struct kprobe *blamed(const struct kprobe_set *set, int err)
{
	const struct kprobe *first = NULL, *kp;
	int i, nr = 0;

	for (i = 0; err == -EBUSY && i < set->num; i++) {
		kp = nth(set, i);
		if (!kp->post_handler || !(kp->flags & KPROBE_FLAG_FTRACE))
			continue;
		if (kprobe_is_live_patched(kp))
			return kp;
		first = first ?: kp;
		nr++;
	}
	if (nr > 1)
		kprobe_refuse(err, "another user of ftrace redirects one of the functions");
	return first ?: nth(set, 0);
}

/* Sets @nr to the number of probes that were attached, also on error. */
static int attach_all(const struct kprobe_set *set, struct site_batch *batch, int *nr)
{
	int i, ret = 0;

	for (i = 0; i < set->num; i++) {
		ret = attach_nth(set, i);
		if (ret)
			break;
		cond_resched();
	}
	if (!ret) {
		/* If this fails, some sites may have been planted for a short time. */
		batch->was_live = true;
		kprobe_refuse(0, NULL);
		ret = site_batch_commit(batch);
		if (ret)
			kprobe_attach_fails(blamed(set, ret), ret);
	}
	if (ret)
		attach_undo(set, i, batch);
	*nr = i;
	return ret;
}

/**
 * kprobe_set_attach - attach all probes of a set, or none
 * @set: the probes
 *
 * Context: process, kprobe_mutex not held. Sleeps.
 * Return: as register_kprobes().
 */
int kprobe_set_attach(const struct kprobe_set *set)
{
	DEFINE_SITE_BATCH(batch);
	int ret, nr;

	if (set->num <= 0) {
		kprobe_tell_none(call_of(set));
		return -EINVAL;
	}
	kprobe_reclaim_throttle();
	mutex_lock(&kprobe_mutex);
	open_batch = &batch;
	open_call = call_of(set);
	WRITE_ONCE(open_for, current);
	ret = attach_all(set, &batch, &nr);
	WRITE_ONCE(open_for, NULL);
	mutex_unlock(&kprobe_mutex);
	/* Hits may have seen some of them. */
	if (ret && batch.was_live)
		synchronize_rcu();
	if (ret)
		attach_forget(set, nr);
	return ret;
}

/**
 * kprobe_set_detach - detach the probes of a set
 * @set: the probes; if one is not registered, its address is cleared
 *
 * Hits that begin after the return do not run the handlers. Hits in progress may.
 *
 * Context: process, kprobe_mutex not held. Sleeps, but waits for no grace period.
 */
void kprobe_set_detach(const struct kprobe_set *set)
{
	DEFINE_SITE_BATCH(batch);
	int i;

	guard(mutex)(&kprobe_mutex);
	for (i = 0; i < set->num; i++) {
		if (detach_one(nth(set, i), &batch))
			release_nth(set, i);
	}
	site_batch_commit(&batch);
}

/**
 * kprobe_set_remove - detach the probes of a set and wait until no handler runs
 * @set: the probes; if one is not registered, its address is cleared
 *
 * Context: process, kprobe_mutex not held. Sleeps for one grace period.
 */
void kprobe_set_remove(const struct kprobe_set *set)
{
	if (set->num <= 0)
		return;
	kprobe_set_detach(set);
	synchronize_rcu();
}

/**
 * register_kprobes - register kprobes, all or none
 * @kps: the kprobes; struct kprobe says which members to set
 * @num: number of kprobes
 *
 * Context: process. Sleeps.
 * Return: 0, or the error of the first kprobe that fails: -EINVAL if it names both or neither
 * of address and symbol, is registered already, has a post handler and KPROBE_FLAG_REENTRANT,
 * or names a place where no probe may be; -ENOENT if there is no such symbol, or the text is
 * about to be freed; -EILSEQ if the address is not the start of an instruction; -EOPNOTSUPP if
 * the instruction can be neither run elsewhere nor emulated; -EBUSY if another user redirects
 * that function; -ENODEV if ftrace has shut itself down; -ENOMEM; -EAGAIN if it is too early
 * in boot. -EINVAL also if @num is not positive. On error none is registered.
 */
int register_kprobes(struct kprobe **kps, int num)
{
	const struct kprobe_set set = { .kps = kps, .num = num, .is_array = true };

	return kprobe_set_attach(&set);
}
EXPORT_SYMBOL_GPL(register_kprobes);

/**
 * register_kprobe - register a kprobe
 * @p: the kprobe; struct kprobe says which members to set
 *
 * The other functions that register probes call this for each.
 *
 * Context: process. Sleeps.
 * Return: as register_kprobes().
 */
noinline __noclone int register_kprobe(struct kprobe *p)
{
	const struct kprobe_set set = { .kps = &p, .num = 1 };

	return kprobe_set_is_open() ? kprobe_attach(p) : kprobe_set_attach(&set);
}
EXPORT_SYMBOL_GPL(register_kprobe);

/**
 * unregister_kprobes - unregister kprobes
 * @kps: the kprobes; if one is not registered, its address is cleared
 * @num: number of kprobes
 *
 * After the return no handler of these kprobes runs.
 *
 * Context: process. Sleeps for one grace period.
 */
void unregister_kprobes(struct kprobe **kps, int num)
{
	const struct kprobe_set set = { .kps = kps, .num = num };

	kprobe_set_remove(&set);
}
EXPORT_SYMBOL_GPL(unregister_kprobes);

/**
 * unregister_kprobe - unregister a kprobe
 * @p: the kprobe
 *
 * Context: as unregister_kprobes().
 */
void unregister_kprobe(struct kprobe *p)
{
	const struct kprobe_set one = { .kps = &p, .num = 1 };

	kprobe_set_remove(&one);
}
EXPORT_SYMBOL_GPL(unregister_kprobe);

/**
 * unregister_kprobes_nowait - unregister kprobes without waiting
 * @kps: the kprobes; if one is not registered, its address is cleared
 * @num: number of kprobes
 *
 * For callers whose handlers are built in: hits in progress may run the handlers after the
 * return. The memory of @kps must stay until an RCU grace period has passed.
 *
 * Context: process. Sleeps on locks only.
 */
void unregister_kprobes_nowait(struct kprobe **kps, int num)
{
	const struct kprobe_set set = { .kps = kps, .num = num };

	kprobe_set_detach(&set);
}

static int set_disabled(struct kprobe **kps, int num, bool off)
{
	DEFINE_SITE_BATCH(batch);
	int i;

	for (i = 0; i < num; i++) {
		site_switch_listener(site_of_listener(kps[i]), kps[i], !off, &batch);
		cond_resched();
	}
	return site_batch_commit(&batch);
}

/* The first kprobe that cannot be enabled or disabled; NULL if all can. */
static const struct kprobe *cannot_run(struct kprobe **kps, int num)
{
	int i;

	for (i = 0; i < num; i++) {
		if (!site_of_listener(kps[i]) || kprobe_gone(kps[i]))
			return kps[i];
	}
	return NULL;
}

/* Returns 0 if all can be enabled or disabled, else -EINVAL, with an entry in probe_errors. */
static int check_switch(const char *call, struct kprobe **kps, int num)
{
	const struct kprobe *bad;

	if (num <= 0) {
		kprobe_tell_none(call);
		return -EINVAL;
	}
	bad = cannot_run(kps, num);
	if (!bad)
		return 0;
	kprobe_refuse(-EINVAL, "not registered, or its text has gone");
	kprobe_tell_refusal(call, bad, -EINVAL);
	return -EINVAL;
}

/**
 * disable_kprobes - disable kprobes that stay registered
 * @kps: the kprobes
 * @num: number of kprobes
 *
 * Context: process. Sleeps on locks only; handlers may still be running on return.
 * Return: 0; -EINVAL if one is not registered or its text has gone, or @num is not
 * positive. On error nothing is changed.
 */
int disable_kprobes(struct kprobe **kps, int num)
{
	guard(mutex)(&kprobe_mutex);
	return check_switch("disable_kprobe", kps, num) ?: set_disabled(kps, num, true);
}

/**
 * enable_kprobes - enable kprobes, all or none
 * @kps: the kprobes; some may be enabled already
 * @num: number of kprobes
 *
 * Context: process. Sleeps.
 * Return: 0; -EINVAL if one is not registered or its text has gone, or @num is not
 * positive; -EBUSY or -ENOMEM as for register_kprobes(). On error all are disabled.
 */
int enable_kprobes(struct kprobe **kps, int num)
{
	const struct kprobe_set set = { .kps = kps, .num = num };
	int ret;

	guard(mutex)(&kprobe_mutex);
	ret = check_switch("enable_kprobe", kps, num);
	if (ret)
		return ret;
	ret = set_disabled(kps, num, false);
	if (!ret)
		return 0;
	set_disabled(kps, num, true);
	kprobe_refuse(0, NULL);
	kprobe_tell_refusal("enable_kprobe", blamed(&set, ret), ret);
	return ret;
}

/**
 * disable_kprobe - disable a kprobe that stays registered
 * @kp: the kprobe
 *
 * Context: as disable_kprobes().
 * Return: as disable_kprobes().
 */
int disable_kprobe(struct kprobe *kp)
{
	return disable_kprobes(&kp, 1);
}
EXPORT_SYMBOL_GPL(disable_kprobe);

/**
 * enable_kprobe - enable a kprobe
 * @kp: the kprobe
 *
 * Context: as enable_kprobes().
 * Return: as enable_kprobes().
 */
int enable_kprobe(struct kprobe *kp)
{
	return enable_kprobes(&kp, 1);
}
EXPORT_SYMBOL_GPL(enable_kprobe);
