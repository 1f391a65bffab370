// SPDX-License-Identifier: GPL-2.0-only
/*
 * Function probes.
 *
 * An fprobe has a hook at the entry of each of its functions (entry_hook.c). If it has an exit
 * handler, it also has a pool of return hooks (rethook.c). fprobe_hit.c runs the handlers.
 *
 * Everything that hits use is set up before the hooks join, and stays until an RCU grace period
 * after they left. Handlers run with preemption off, so the grace period waits for them.
 */
#include <linux/atomic.h>
#include <linux/cleanup.h>
#include <linux/entry_hook.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/fprobe.h>
#include <linux/ftrace.h>
#include <linux/kprobe_delay.h>
#include <linux/kprobes.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/overflow.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/probe_errors.h>
#include <linux/rcupdate.h>
#include <linux/rethook.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>
#include <linux/xarray.h>

#include "fprobe_internal.h"
#include "trace.h"

/* Maximum of entry_data_size: the data are part of a node, whose size rethook limits. */
#define FPROBE_MAX_DATA_SIZE	(RETHOOK_MAX_NODE_SIZE - sizeof(struct fprobe_call))

/*
 * Guards @fprobes and the private members of struct fprobe, except that hits read @rethook and
 * count in @nexhausted. Taken before entry_mutex.
 */
static DEFINE_MUTEX(fprobe_mutex);

/* The registered fprobes. Guarded by fprobe_mutex. */
static LIST_HEAD(fprobes);

/*
 * Number of calls that may be in progress before the pool of an fprobe has to grow. The more
 * functions the fprobe has, the more calls are in progress on each CPU at a time.
 */
static unsigned int calls_expected(unsigned int nr_functions)
{
	return num_possible_cpus() * clamp(nr_functions, 4U, 64U);
}

/* A hit from before @fp was unregistered may still use the pool that @fp had then. */
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
	kprobe_delay_point(DELAY_FPROBE_POOL_READY);
	/* Publishes the pool to hits. Pairs with the address dependency in fprobe_hit.c. */
	smp_store_release(&fp->rethook, pool);
	return 0;
}

/**
 * fprobe_check - check whether an fprobe can be registered
 * @fp: the fprobe, set up
 *
 * Return: 0; -ENOMEM if entry_data_size is too large; -ENODEV if ftrace has shut itself down.
 */
int fprobe_check(const struct fprobe *fp)
{
	if (fp->exit_handler && fp->entry_data_size > FPROBE_MAX_DATA_SIZE)
		return -ENOMEM;
	return ftrace_is_dead() ? -ENODEV : 0;
}

/* Context: fprobe_mutex held. */
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

/* To hook a return, only the stack pointer is needed. */
static bool takes_args(const struct fprobe *fp)
{
	return ARCH_ENTRY_ARGS && (fp->flags & FPROBE_FL_ARGS || !fp->entry_handler);
}

/*
 * Hook the functions of all fprobes, or none, with one update of the filters. With @strict,
 * functions whose text is going are an error. On error, @seen is whether a hit may have seen an
 * fprobe, because its hooks were published before the error.
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
 * fprobes_hook - register fprobes, or add functions to registered ones
 * @each: fprobes and functions that are to call them
 * @num: length of @each
 *
 * For callers whose handlers are built in, and whose fprobes stay until an RCU grace period has
 * passed. This function may register an fprobe again as soon as it was unregistered, if neither
 * its handlers nor their data have changed. It does not reset the counts of misses.
 *
 * Functions of modules that are being unloaded are left out, as is module init text that has run,
 * and functions of modules that are being loaded and were not announced yet.
 *
 * Context: process. Sleeps on locks, in ftrace, for memory, and perhaps for a grace period, as
 * entry_hooks_join() does.
 * Return: 0; -ENOMEM; -EINVAL if ftrace does not know a function, or nr_maxactive is negative;
 * -ENODEV if ftrace has shut itself down. On error the same functions call the fprobes as before.
 */
int fprobes_hook(struct fprobe_ips *each, int num)
{
	bool seen;

	guard(mutex)(&fprobe_mutex);
	return hook_each(each, num, false, &seen);
}

/**
 * fprobe_widen - make the entry handler of an fprobe get all registers from now on
 * @fp: the fprobe, registered or not; FPROBE_FL_ARGS is cleared
 *
 * Calls in progress may still bring only what FPROBE_FL_ARGS promises.
 *
 * Context: process. Sleeps, perhaps for a grace period, as entry_hooks_widen() does.
 * Return: 0; -ENOMEM; -ENODEV if ftrace has shut itself down. On error nothing has changed.
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

/*
 * Report an error to users; returns @err. @symbol is a name or a pattern. If it is NULL, @addr is
 * reported.
 */
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
		return "its module is being loaded or unloaded, or its init text has run";
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

/* Find the function whose text is going if @err is -ENOENT, otherwise the first function. */
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
 * @ips are addresses of ftrace's calls, and get sorted. With @strict, functions whose text is
 * going are an error. Otherwise they are left out, and it is an error if no function is left.
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

/*
 * Replace addresses of functions by those of ftrace's calls. Returns -EINVAL if there is no such
 * call in one of them.
 */
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
 * register_fprobe_ips() - register an fprobe for functions given by address
 * @fp: the fprobe
 * @addrs: addresses of functions, or of ftrace's calls in them
 * @num: number of addresses
 *
 * Duplicate addresses count once. When a module is unloaded, its functions are removed from the
 * fprobe. @fp stays registered for the others.
 *
 * Context: process. Sleeps.
 * Return: 0; -EINVAL if @fp or @addrs is NULL, @num is not positive, ftrace has no call at an
 * address, or nr_maxactive is negative and there is an exit handler; -EBUSY if @fp is registered;
 * -ENOENT if a function's module is being unloaded, or its init text has run, or notifiers were not
 * told yet that it is coming; -ENOMEM without memory, or if entry_data_size is too large and there
 * is an exit handler; -ENODEV if ftrace has shut itself down. On error nothing is registered.
 */
int register_fprobe_ips(struct fprobe *fp, unsigned long *addrs, int num)
{
	static const char call[] = "register_fprobe_ips";

	if (!fp || !addrs || num <= 0)
		return refuse(call, NULL, 0, -EINVAL, "no functions were given");
	return register_ips(fp, addrs, num, call);
}
EXPORT_SYMBOL_GPL(register_fprobe_ips);

/* Find functions by name. Sorts @names. @addrs are 0 before. */
static int find_functions(const char *call, const char **names, unsigned long *addrs, int num)
{
	int i, ret;

	sort(names, num, sizeof(*names), compare_names, NULL);
	ret = ftrace_lookup_symbols(names, num, addrs);
	/* Without CONFIG_MODULES, ftrace_lookup_symbols() returns 0 even if it did not find all. */
	for (i = 0; !ret && i < num; i++)
		ret = addrs[i] ? 0 : -ENOENT;
	if (!ret)
		return 0;
	probe_error_names(call, names, addrs, num, -ENOENT);
	return -ENOENT;
}

/**
 * register_fprobe_syms() - register an fprobe for functions given by name
 * @fp: the fprobe
 * @syms: names of functions
 * @num: number of names
 *
 * Context: process. Sleeps.
 * Return: as register_fprobe_ips(); -ENOENT also if a name is that of no function that can be
 * traced.
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

/* Report an error of fprobe_find(), with the pattern that matches nothing. */
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
 * register_fprobe() - register an fprobe for functions given by a pattern
 * @fp: the fprobe
 * @filter: pattern as in set_ftrace_filter, for the names of functions
 * @notfilter: pattern for names to exclude from what @filter matches, or NULL
 *
 * The functions of modules that are loaded later are not added. Functions of a module that is being
 * unloaded and init text that has run are left out. Each of the two patterns must match a
 * function, but it is not an error if @notfilter excludes all that @filter matches.
 *
 * Context: process. Sleeps.
 * Return: as register_fprobe_ips(), but -ENOENT only if all functions that match are left out;
 * -EINVAL also without @filter, or if one of the two matches no function that can be traced.
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

/* The hooks of @fp have left. */
static void forget_fprobe(struct fprobe *fp)
{
	kprobe_delay_point(DELAY_FPROBE_LEFT);
	if (fp->rethook)
		rethook_free(fp->rethook);
	list_del(&fp->registered);
	fprobe_free_targets_later(fp->targets);
	fp->targets = NULL;
}

/* Unregister fprobes, which are registered. Handlers may still be running when this returns. */
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
 * unregister_fprobe() - unregister an fprobe
 * @fp: the fprobe
 *
 * When this returns, no handler is running, and none will run when calls in progress return. @fp
 * can be registered again, or freed.
 *
 * Context: process. Sleeps; for one grace period if @fp is registered.
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
 * unregister_fprobes_nowait() - unregister fprobes without waiting for handlers
 * @fps: the fprobes, each registered, and each once
 * @num: number of fprobes
 *
 * For callers whose handlers are built in: entries and returns in progress may still run them.
 * Until an RCU grace period has passed, the fprobes must stay, and only fprobes_hook() may register
 * them again.
 *
 * Context: process. Sleeps on locks, in ftrace and for memory; for grace periods if too much
 * memory waits to be freed, see fprobe_throttle().
 */
void unregister_fprobes_nowait(struct fprobe **fps, int num)
{
	scoped_guard(mutex, &fprobe_mutex)
		detach(fps, num);
	fprobe_throttle();
}

/**
 * unregister_fprobe_nowait() - unregister an fprobe without waiting for handlers
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
 * @fp: the fprobe; any pointer is allowed
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
/*
 * Module text is going to be freed. Remove hooks in it while ftrace still has its addresses:
 * otherwise they would stay in the filters. Context: fprobe_mutex held.
 */
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

/*
 * Modules that are coming and that fprobe_module_event() was told of, by their address. Changed
 * under fprobe_mutex, read under RCU.
 */
static DEFINE_XARRAY(coming);

/**
 * fprobe_module_announced - was the notifier told of a module that is coming?
 * @mod: the module, in state MODULE_STATE_COMING
 *
 * A module may fail to load before notifiers are told that it is coming, and then they are not told
 * that it is going.
 *
 * Context: process. Without fprobe_mutex the result may be out of date.
 * Return: true if so. Then it will be told when the module is live or going.
 */
bool fprobe_module_announced(const struct module *mod)
{
	return xa_load(&coming, (unsigned long)mod);
}

static int fprobe_module_event(struct notifier_block *nb, unsigned long state, void *data)
{
	struct module *mod = data;

	guard(mutex)(&fprobe_mutex);
	/* If there is no memory, the module is not loaded. */
	if (state == MODULE_STATE_COMING)
		return notifier_from_errno(xa_err(xa_store(&coming, (unsigned long)mod, mod,
							   GFP_KERNEL)));
	xa_erase(&coming, (unsigned long)mod);
	if (state == MODULE_STATE_LIVE || state == MODULE_STATE_GOING)
		module_text_goes(mod, MOD_INIT_TEXT);
	if (state == MODULE_STATE_GOING)
		module_text_goes(mod, MOD_TEXT);
	return NOTIFY_DONE;
}

/*
 * Of the default priority, because it runs after a notifier of events if a module is going. So
 * notifiers that run before this one cannot register fprobes in a module that is coming.
 */
static struct notifier_block fprobe_module_nb = {
	.notifier_call = fprobe_module_event,
};

static int fprobe_module_stops(struct notifier_block *nb, unsigned long state, void *data)
{
	if (state != MODULE_STATE_GOING)
		return NOTIFY_DONE;
	guard(mutex)(&fprobe_mutex);
	xa_erase(&coming, (unsigned long)data);
	return NOTIFY_DONE;
}

/*
 * If another notifier fails, a coming module goes in state MODULE_STATE_COMING. The notifier of
 * events then forgets its functions, and no event may add them again. So this one runs before that.
 */
static struct notifier_block fprobe_module_stops_nb = {
	.notifier_call = fprobe_module_stops,
	.priority = 3,
};

static int __init fprobe_watch_modules(void)
{
	return register_module_notifier(&fprobe_module_nb) ?:
	       register_module_notifier(&fprobe_module_stops_nb);
}
core_initcall(fprobe_watch_modules);
#endif /* CONFIG_MODULES */
