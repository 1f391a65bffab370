// SPDX-License-Identifier: GPL-2.0-only
/*
 * Function probes.
 *
 * An fprobe is a hook at each of its functions' entries (entry_hook.c), and for
 * those whose return it wants to see, a pool of return hooks (rethook.c). What hits run
 * is in fprobe_hit.c.
 *
 * Everything that hits use is set up before the hooks join, and stays until an RCU grace
 * period after they left. Handlers run with preemption off, which is what that waits for.
 */
#include <linux/atomic.h>
#include <linux/cleanup.h>
#include <linux/entry_hook.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/fprobe.h>
#include <linux/ftrace.h>
#include <linux/kprobes.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/overflow.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/probe_errors.h>
#include <linux/rcupdate.h>
#include <linux/rethook.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>

#include "fprobe_internal.h"
#include "trace.h"

/* What the handlers may share for each call is part of its node: rethook's limit. */
#define FPROBE_MAX_DATA_SIZE	(RETHOOK_MAX_NODE_SIZE - sizeof(struct fprobe_call))

/* Guards @fprobes and what is private in a struct fprobe. Comes before entry_mutex. */
static DEFINE_MUTEX(fprobe_mutex);

/* The registered ones. */
static LIST_HEAD(fprobes);

/*
 * How many calls an fprobe may see at a time before its pool has to grow: the more
 * functions, the more of them will be under way on each CPU at a time.
 */
static unsigned int calls_expected(unsigned int nr_functions)
{
	return num_possible_cpus() * clamp(nr_functions, 4U, 64U);
}

/* A hit from before it was unregistered may still be using the pool that it had then. */
static int make_pool(struct fprobe *fp, unsigned int nr_functions)
{
	struct rethook *pool;

	if (!fp->exit_handler) {
		WRITE_ONCE(fp->rethook, NULL);
		return 0;
	}
	pool = rethook_alloc_bounded(fp, fprobe_return_handler(fp),
				     struct_size_t(struct fprobe_call, data,
						   fp->entry_data_size),
				     calls_expected(nr_functions), fp->nr_maxactive);
	if (IS_ERR(pool))
		return PTR_ERR(pool);
	/* Hits of earlier hooks may read it at once, and look at it by address: fprobe_hit.c. */
	smp_store_release(&fp->rethook, pool);
	return 0;
}

/**
 * fprobe_check - could this fprobe be registered, if for something?
 * @fp: the fprobe, set up
 *
 * Return: 0; -ENOMEM if the handlers share too much, -ENODEV if ftrace has shut itself down.
 */
int fprobe_check(const struct fprobe *fp)
{
	if (fp->exit_handler && fp->entry_data_size > FPROBE_MAX_DATA_SIZE)
		return -ENOMEM;
	return ftrace_is_dead() ? -ENODEV : 0;
}

/* fprobe_mutex held. */
static bool is_registered(const struct fprobe *fp)
{
	const struct fprobe *each;

	list_for_each_entry(each, &fprobes, registered) {
		if (each == fp)
			return true;
	}
	return false;
}

static int get_ready(struct fprobe_ips *f, bool strict)
{
	int ret;

	f->targets = fprobe_make_targets(f->fp, f->ips, f->nr, strict);
	if (IS_ERR(f->targets))
		return PTR_ERR(f->targets);
	if (f->more)
		return 0;
	ret = fprobe_check(f->fp) ?: make_pool(f->fp, f->nr);
	if (ret)
		fprobe_free_targets(f->targets);
	return ret;
}

static void give_back(struct fprobe_ips *f, bool seen)
{
	if (!f->more && f->fp->rethook)
		rethook_free(f->fp->rethook);
	if (seen)
		fprobe_free_targets_later(f->targets);
	else
		fprobe_free_targets(f->targets);
}

static void take_in(struct fprobe_ips *f)
{
	fprobe_add_targets(f->fp, f->targets);
	if (!f->more)
		list_add_tail(&f->fp->registered, &fprobes);
}

/* Hooking a return takes the stack pointer only. */
static bool takes_args(const struct fprobe *fp)
{
	return ARCH_ENTRY_ARGS && (fp->flags & FPROBE_FL_ARGS || !fp->entry_handler);
}

/*
 * All or none, by one update of the filters; with @strict, functions that are going are an
 * error. On error @seen is whether a hit may have seen an fprobe: at an entry that others have
 * hooked, too, or had until now.
 */
static int hook_each(struct fprobe_ips *each, int num, bool strict, bool *seen)
{
	struct entry_hook *all = NULL, *args = NULL, **batch;
	int i, nr_ready, ret = 0;

	for (nr_ready = 0; nr_ready < num; nr_ready++) {
		ret = get_ready(&each[nr_ready], strict);
		if (ret)
			break;
		batch = takes_args(each[nr_ready].fp) ? &args : &all;
		*batch = fprobe_add_hooks(each[nr_ready].targets, *batch);
	}
	*seen = !ret && (all || args);
	if (*seen)
		ret = entry_hooks_join(all, args, ENTRY_FIRST);
	for (i = 0; i < nr_ready; i++) {
		if (ret)
			give_back(&each[i], *seen);
		else
			take_in(&each[i]);
	}
	return ret;
}

/**
 * fprobes_hook - have functions call fprobes
 * @each: which functions call which fprobe; one that is not registered gets it
 * @num: how many
 *
 * For callers whose handlers are built in, and whose fprobes stay until an RCU grace period
 * has passed. One that was unregistered may be registered again by this at once, if neither
 * its handlers nor their data have changed. What it has missed then adds up.
 *
 * Functions of modules that are being unloaded are left out.
 *
 * Context: process. Sleeps on locks, in ftrace and for memory.
 * Return: 0; -ENOMEM; -EINVAL if ftrace does not know a function, -ENODEV if it has shut itself
 * down. No function calls an fprobe then which did not before.
 */
int fprobes_hook(struct fprobe_ips *each, int num)
{
	bool seen;

	guard(mutex)(&fprobe_mutex);
	return hook_each(each, num, false, &seen);
}

/**
 * fprobe_widen - have the entry handler of an fprobe get all registers from now on
 * @fp: the fprobe, perhaps registered with FPROBE_FL_ARGS; loses the flag
 *
 * Calls under way may still bring only what FPROBE_FL_ARGS promises.
 *
 * Context: process. Sleeps, for a grace period.
 * Return: 0; -ENOMEM; -ENODEV if ftrace has shut itself down. Nothing has changed then.
 */
int fprobe_widen(struct fprobe *fp)
{
	int ret = 0;

	guard(mutex)(&fprobe_mutex);
	if (is_registered(fp))
		ret = entry_hooks_widen(fprobe_add_hooks(fp->targets, NULL));
	if (!ret)
		WRITE_ONCE(fp->flags, fp->flags & ~FPROBE_FL_ARGS);
	return ret;
}

/* Tell users why; returns @err. @symbol is a name or a pattern, or NULL, and @addr counts. */
static int refuse(const char *call, const char *symbol, unsigned long addr, int err,
		  const char *reason)
{
	const struct probe_refusal e = { .call = call, .symbol = symbol, .addr = addr, .err = err };

	probe_error(&e, reason, NULL);
	return err;
}

static const char *reason_of(const struct fprobe *fp, int err)
{
	switch (err) {
	case -EBUSY:
		return "this struct fprobe is registered already";
	case -ENOENT:
		return "its module is being unloaded, or its init text has run";
	case -ENODEV:
		return "ftrace has shut itself down";
	case -ENOMEM:
		if (fp->exit_handler && fp->entry_data_size > FPROBE_MAX_DATA_SIZE)
			return "entry_data_size is too large";
		return "no memory";
	case -EINVAL:
		if (fp->exit_handler && fp->nr_maxactive < 0)
			return "nr_maxactive is negative";
		fallthrough;
	default:
		return "ftrace does not know this function";
	}
}

/* The one of these functions that is why -ENOENT was returned, else the first. */
static unsigned long going(unsigned long *ips, unsigned int nr, int err)
{
	unsigned int i;
	unsigned long ip;

	for (i = 0; err == -ENOENT && i < nr; i++) {
		ip = ips[i];
		if (!fprobe_skip_going(&ip, 1))
			return ips[i];
	}
	return nr ? ips[0] : 0;
}

/*
 * @ips are where ftrace calls from; they get sorted. With @strict, functions that are going are
 * an error; else it is one if there are no others.
 */
static int attach_ips(struct fprobe *fp, unsigned long *ips, unsigned int nr, bool strict,
		      const char *call)
{
	struct fprobe_ips f = { .fp = fp, .ips = ips };
	bool seen;
	int ret;

	f.nr = fprobe_sort_ips(ips, nr);
	scoped_guard(mutex, &fprobe_mutex) {
		if (is_registered(fp))
			return refuse(call, NULL, f.nr ? ips[0] : 0, -EBUSY,
				      reason_of(fp, -EBUSY));
		if (!strict && f.nr) {
			f.nr = fprobe_skip_going(ips, f.nr);
			if (!f.nr)
				return refuse(call, NULL, ips[0], -ENOENT,
					      reason_of(fp, -ENOENT));
		}
		fp->nmissed = 0;
		fp->nexhausted = 0;
		fp->rethook = NULL;
		fp->targets = NULL;
		ret = hook_each(&f, 1, strict, &seen);
	}
	if (ret && seen)
		synchronize_rcu();
	return ret ? refuse(call, NULL, going(ips, f.nr, ret), ret, reason_of(fp, ret)) : 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Where ftrace calls from in these functions; -EINVAL if it does not in one of them. */
static int locate_calls(const char *call, unsigned long *addrs, unsigned int nr)
{
	unsigned long ip;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		ip = ftrace_location(addrs[i]);
		if (!ip)
			return refuse(call, NULL, addrs[i], -EINVAL,
				      "notrace function, or not the entry of one");
		addrs[i] = ip;
	}
	return 0;
}

static int register_ips(struct fprobe *fp, const unsigned long *addrs, int num, const char *call)
{
	unsigned long *ips;
	int ret;

	ips = kvmalloc_array(num, sizeof(*ips), GFP_KERNEL);
	if (!ips)
		return refuse(call, NULL, addrs[0], -ENOMEM, reason_of(fp, -ENOMEM));
	memcpy(ips, addrs, array_size(num, sizeof(*ips)));
	ret = locate_calls(call, ips, num) ?: attach_ips(fp, ips, num, true, call);
	kvfree(ips);
	return ret;
}

/**
 * register_fprobe_ips() - call an fprobe's handlers for functions given by address
 * @fp: the fprobe
 * @addrs: addresses of functions, or of where ftrace calls from in them
 * @num: how many
 *
 * An address that is given twice counts once. The functions of a module that goes are
 * taken out with it; for the others, @fp stays registered.
 *
 * Context: process. Sleeps.
 * Return: 0; -EINVAL without @fp or @addrs, if @num is not positive, an address is not one
 * that ftrace calls from, or nr_maxactive is negative and there is an exit handler; -EBUSY
 * if @fp is registered; -ENOENT if a function's module is being unloaded; -ENOMEM without
 * memory, or if entry_data_size is too large; -ENODEV if ftrace has shut itself down.
 * Nothing is registered then.
 */
int register_fprobe_ips(struct fprobe *fp, unsigned long *addrs, int num)
{
	static const char call[] = "register_fprobe_ips";

	if (!fp || !addrs || num <= 0)
		return refuse(call, NULL, 0, -EINVAL, "no functions were given");
	return register_ips(fp, addrs, num, call);
}
EXPORT_SYMBOL_GPL(register_fprobe_ips);

/* Addresses of functions by name; @names get sorted, @addrs are 0. */
static int find_functions(const char *call, const char **names, unsigned long *addrs, int num)
{
	int i, ret;

	sort(names, num, sizeof(*names), compare_names, NULL);
	ret = ftrace_lookup_symbols(names, num, addrs);
	/* In a kernel without modules 0 says nothing of those that were not found. */
	for (i = 0; !ret && i < num; i++)
		ret = addrs[i] ? 0 : -ENOENT;
	if (!ret)
		return 0;
	probe_error_names(call, names, addrs, num, -ENOENT);
	return -ENOENT;
}

/**
 * register_fprobe_syms() - call an fprobe's handlers for functions given by name
 * @fp: the fprobe
 * @syms: names of functions
 * @num: how many
 *
 * Context: process. Sleeps.
 * Return: as register_fprobe_ips(); -ENOENT if there is no such function, or none that
 * can be traced.
 */
int register_fprobe_syms(struct fprobe *fp, const char **syms, int num)
{
	static const char call[] = "register_fprobe_syms";
	unsigned long *addrs;
	const char **names;
	int ret = -ENOMEM;

	if (!fp || !syms || num <= 0)
		return refuse(call, NULL, 0, -EINVAL, "no functions were given");
	addrs = kvcalloc(num, sizeof(*addrs), GFP_KERNEL);
	names = kvmalloc_array(num, sizeof(*names), GFP_KERNEL);
	if (addrs && names) {
		memcpy(names, syms, array_size(num, sizeof(*names)));
		ret = find_functions(call, names, addrs, num) ?:
		      register_ips(fp, addrs, num, call);
	}
	kvfree(names);
	kvfree(addrs);
	return ret;
}
EXPORT_SYMBOL_GPL(register_fprobe_syms);

/* Which of the two patterns matches nothing? */
static int refuse_pattern(const char *call, const char *filter, const char *notfilter, int err)
{
	unsigned long *ips;
	unsigned int nr;

	if (err != -EINVAL)
		return refuse(call, filter, 0, err, err == -ENOMEM ? "no memory" :
			      "ftrace does not take this pattern");
	ips = notfilter ? fprobe_find(filter, NULL, &nr) : ERR_PTR(err);
	if (!IS_ERR(ips)) {
		kvfree(ips);
		filter = notfilter;
	}
	return refuse(call, filter, 0, err, "no function that can be traced matches");
}

/**
 * register_fprobe() - call an fprobe's handlers for functions given by a pattern
 * @fp: the fprobe
 * @filter: pattern as in set_ftrace_filter, for the names of functions
 * @notfilter: pattern for names that @filter matches and are not meant, or NULL
 *
 * Functions of modules that are loaded later are not looked at, and those of a module that
 * goes are left out, as is init text that has run. It is no error if @notfilter leaves nothing;
 * each of the two has to match something, though.
 *
 * Context: process. Sleeps.
 * Return: as register_fprobe_ips(), but -ENOENT only if nothing but what is left out matches;
 * -EINVAL also without @filter, and if one of the two matches no function that can be traced.
 */
int register_fprobe(struct fprobe *fp, const char *filter, const char *notfilter)
{
	static const char call[] = "register_fprobe";
	unsigned long *ips;
	unsigned int nr;
	int ret;

	if (!fp || !filter)
		return refuse(call, NULL, 0, -EINVAL, "no functions were given");
	ips = fprobe_find(filter, notfilter, &nr);
	if (IS_ERR(ips))
		return refuse_pattern(call, filter, notfilter, PTR_ERR(ips));
	ret = attach_ips(fp, ips, nr, false, call);
	kvfree(ips);
	return ret;
}
EXPORT_SYMBOL_GPL(register_fprobe);

/* Its hooks have left. */
static void forget_fprobe(struct fprobe *fp)
{
	if (fp->rethook)
		rethook_free(fp->rethook);
	list_del(&fp->registered);
	fprobe_free_targets_later(fp->targets);
	fp->targets = NULL;
}

/* Handlers may still be running when this returns. They are registered. */
static void detach(struct fprobe **fps, int num)
{
	struct entry_hook *batch = NULL;
	int i;

	lockdep_assert_held(&fprobe_mutex);
	for (i = 0; i < num; i++)
		batch = fprobe_add_hooks(fps[i]->targets, batch);
	entry_hooks_leave(batch);
	for (i = 0; i < num; i++)
		forget_fprobe(fps[i]);
}

/**
 * unregister_fprobe() - call an fprobe's handlers no more
 * @fp: the fprobe
 *
 * When this returns none of the handlers is running, and none will, not for calls that
 * have yet to return either. @fp can be registered again, or freed.
 *
 * Context: process. Sleeps for one grace period.
 * Return: 0, or -EINVAL if @fp is not registered.
 */
int unregister_fprobe(struct fprobe *fp)
{
	scoped_guard(mutex, &fprobe_mutex) {
		if (!is_registered(fp))
			return -EINVAL;
		detach(&fp, 1);
	}
	synchronize_rcu();
	return 0;
}
EXPORT_SYMBOL_GPL(unregister_fprobe);

/**
 * unregister_fprobes_nowait() - call the handlers of fprobes no more, without waiting
 * @fps: the fprobes, each registered, and each once
 * @num: how many
 *
 * For callers whose handlers are built in: calls and returns under way may still be
 * running them. The fprobes have to stay, and not be registered again except by
 * fprobes_hook(), until an RCU grace period has passed.
 *
 * Context: process. Sleeps on locks, and for memory to be freed if very much is held back.
 */
void unregister_fprobes_nowait(struct fprobe **fps, int num)
{
	scoped_guard(mutex, &fprobe_mutex)
		detach(fps, num);
	fprobe_throttle();
}

/**
 * unregister_fprobe_nowait() - call an fprobe's handlers no more, without waiting
 * @fp: the fprobe, registered
 *
 * Context: as unregister_fprobes_nowait().
 */
void unregister_fprobe_nowait(struct fprobe *fp)
{
	unregister_fprobes_nowait(&fp, 1);
}

/**
 * fprobe_is_registered() - is this fprobe registered?
 * @fp: what may be an fprobe
 *
 * Context: process. Sleeps on locks only.
 * Return: true if so.
 */
bool fprobe_is_registered(struct fprobe *fp)
{
	guard(mutex)(&fprobe_mutex);
	return is_registered(fp);
}

/* Modules */

#ifdef CONFIG_MODULES
/* While it is still there for ftrace, which would keep the addresses otherwise. */
static void module_text_goes(const struct module *mod, enum mod_mem_type type)
{
	unsigned long start = (unsigned long)mod->mem[type].base;
	unsigned long end = start + mod->mem[type].size;
	struct entry_hook *batch = NULL;
	struct fprobe *fp;

	if (!mod->mem[type].size)
		return;
	list_for_each_entry(fp, &fprobes, registered)
		batch = fprobe_text_hooks(fp, start, end, batch);
	if (!batch)
		return;
	entry_hooks_leave(batch);
	list_for_each_entry(fp, &fprobes, registered)
		fprobe_drop_left(fp);
}

static int fprobe_module_event(struct notifier_block *nb, unsigned long state, void *data)
{
	struct module *mod = data;

	guard(mutex)(&fprobe_mutex);
	if (state == MODULE_STATE_LIVE || state == MODULE_STATE_GOING)
		module_text_goes(mod, MOD_INIT_TEXT);
	if (state == MODULE_STATE_GOING)
		module_text_goes(mod, MOD_TEXT);
	return NOTIFY_DONE;
}

static struct notifier_block fprobe_module_nb = {
	.notifier_call = fprobe_module_event,
};

static int __init fprobe_watch_modules(void)
{
	return register_module_notifier(&fprobe_module_nb);
}
core_initcall(fprobe_watch_modules);
#endif /* CONFIG_MODULES */
