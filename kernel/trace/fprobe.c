// SPDX-License-Identifier: GPL-2.0-only
/*
 * Function probes.
 *
 * An fprobe is a hook at each of its functions' entries (kernel/kprobes/entry.c), and for
 * those whose return it wants to see, a pool of return hooks (rethook.c).
 *
 * Everything that hits use is set up before the hooks join, and stays until an RCU grace
 * period after they left. Handlers run with preemption off, which is what that waits for.
 */
#include <linux/atomic.h>
#include <linux/cleanup.h>
#include <linux/ctype.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/fprobe.h>
#include <linux/ftrace.h>
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/overflow.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/rethook.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>

#include "../kprobes/entry.h"
#include "fprobe_hit.h"
#include "rethook_hit.h"
#include "trace.h"

/**
 * struct fprobe_call - a call that is going to return to us
 * @node: in the list of its task
 * @entry_ip: where ftrace called from
 * @data: what the two handlers share
 */
struct fprobe_call {
	struct rethook_node	node;
	unsigned long		entry_ip;
	char			data[] __aligned(sizeof(long));
};

/**
 * struct fprobe_targets - the functions of an fprobe
 * @rcu: frees this
 * @nr: how many
 * @hook: one for each, by address
 */
struct fprobe_targets {
	struct rcu_head		rcu;
	unsigned int		nr;
	struct entry_hook	hook[] __counted_by(nr);
};

/* What the handlers may share for each call is part of its node: rethook's limit. */
#define FPROBE_MAX_DATA_SIZE	(RETHOOK_MAX_NODE_SIZE - sizeof(struct fprobe_call))

/* Guards @fprobes and what is private in a struct fprobe. Comes before entry_mutex. */
static DEFINE_MUTEX(fprobe_mutex);

/* The registered ones. */
static LIST_HEAD(fprobes);

/* Hits */

DEFINE_PER_CPU(unsigned int, fprobe_context);

#define CONTEXT_MASK	(NMI_MASK | HARDIRQ_MASK | SOFTIRQ_OFFSET)

/* Misses come from all CPUs, and from interrupts on this one. */
static __always_inline void count_one(unsigned long *count)
{
	unsigned long old = READ_ONCE(*count);

	while (!try_cmpxchg(count, &old, old + 1))
		;
}

static __always_inline bool serves_kprobes(const struct fprobe *fp)
{
	return fp->flags & FPROBE_FL_KPROBE_SHARED;
}

/* Does a handler run that those of @fp must not nest in? @outer is fprobe_context. */
static __always_inline bool would_nest(const struct fprobe *fp, unsigned int outer)
{
	if (outer && !((outer ^ preempt_count()) & CONTEXT_MASK))
		return true;
	return serves_kprobes(fp) && kprobe_running();
}

/*
 * A handler is going to run, unless it is off or, which is a miss, would nest. Returns
 * false in these cases; else @outer is for handlers_end().
 */
static __always_inline bool handlers_begin(struct fprobe *fp, unsigned int *outer)
{
	if (fprobe_is_off(fp))
		return false;
	*outer = __this_cpu_read(fprobe_context);
	if (would_nest(fp, *outer)) {
		count_one(&fp->nmissed);
		return false;
	}
	if (serves_kprobes(fp))
		kprobe_busy_begin();
	fprobe_handler_begin();
	return true;
}

static __always_inline void handlers_end(const struct fprobe *fp, unsigned int outer)
{
	fprobe_handler_end(outer);
	if (serves_kprobes(fp))
		kprobe_busy_end();
}

static __always_inline void *entry_data(struct fprobe *fp, struct fprobe_call *call)
{
	return fp->entry_data_size ? call->data : NULL;
}

/*
 * Where a call returns to; @caller is what its return address looks like. Something may
 * have hooked the return before: a function that was hooked and ended in this one by a
 * tail call, or a user with an ftrace_ops of its own.
 */
static __always_inline unsigned long true_caller(unsigned long caller, struct pt_regs *regs)
{
	struct llist_node *cur = NULL;

	if (likely(!is_rethook_trampoline(caller)))
		return caller;
	return rethook_find_ret_addr(current, kernel_stack_pointer(regs), &cur);
}

/* The handler at the exit, whatever the fprobe and whatever runs on this CPU. */
static void any_returned(struct rethook_node *node, void *data, unsigned long to,
			 struct pt_regs *regs)
{
	struct fprobe_call *call = container_of(node, struct fprobe_call, node);
	struct fprobe *fp = data;
	unsigned int outer;

	if (!handlers_begin(fp, &outer))
		return;
	fp->exit_handler(fp, call->entry_ip, to, regs, entry_data(fp, call));
	handlers_end(fp, outer);
}

NOKPROBE_SYMBOL(any_returned);

/* The same for an fprobe that does not serve kprobes. */
static void fprobe_returned(struct rethook_node *node, void *data, unsigned long to,
			    struct pt_regs *regs)
{
	struct fprobe_call *call = container_of(node, struct fprobe_call, node);
	struct fprobe *fp = data;

	if (!fprobe_no_handler_runs()) {
		any_returned(node, data, to, regs);
		return;
	}
	if (fprobe_is_off(fp))
		return;
	fprobe_handler_begin();
	fp->exit_handler(fp, call->entry_ip, to, regs, entry_data(fp, call));
	fprobe_handler_end(0);
}

NOKPROBE_SYMBOL(fprobe_returned);

/* The handler at the entry; with its consent, the call will return to us. */
static __always_inline void enter_call(struct fprobe *fp, struct rethook_node *node,
				       unsigned long ip, unsigned long caller,
				       struct pt_regs *regs, struct task_struct *task)
{
	struct fprobe_call *call = container_of(node, struct fprobe_call, node);

	call->entry_ip = ip;
	if (fp->entry_handler &&
	    fp->entry_handler(fp, ip, caller, regs, entry_data(fp, call)))
		rethook_recycle(node);
	else
		rethook_plant(node, regs, true, task);
}

static __always_inline void enter(struct fprobe *fp, unsigned long ip, unsigned long caller,
				  struct pt_regs *regs, struct task_struct *task)
{
	struct rethook_node *node;

	caller = true_caller(caller, regs);
	if (!fp->exit_handler) {
		if (fp->entry_handler)
			fp->entry_handler(fp, ip, caller, regs, NULL);
		return;
	}
	node = rethook_try_get(fp->rethook);
	if (node) {
		enter_call(fp, node, ip, caller, regs, task);
		return;
	}
	count_one(&fp->nmissed);
	count_one(&fp->nexhausted);
}

/* Whatever the fprobe and whatever runs on this CPU. */
static noinline void any_entered(struct fprobe *fp, unsigned long ip, unsigned long caller,
				 struct pt_regs *regs, struct task_struct *task)
{
	unsigned int outer;

	if (!handlers_begin(fp, &outer))
		return;
	enter(fp, ip, caller, regs, task);
	handlers_end(fp, outer);
}

NOKPROBE_SYMBOL(any_entered);

static void fprobe_any_hit(struct entry_hook *hook, unsigned long ip,
			   unsigned long caller, struct pt_regs *regs)
{
	any_entered(hook->owner, ip, caller, regs, current);
}

NOKPROBE_SYMBOL(fprobe_any_hit);

/* Entered on the stack of the task that it makes current, and returning on it. */
static void fprobe_switch_hit(struct entry_hook *hook, unsigned long ip,
			      unsigned long caller, struct pt_regs *regs)
{
	any_entered(hook->owner, ip, caller, regs, arch_rethook_switch_to(regs));
}

NOKPROBE_SYMBOL(fprobe_switch_hit);

/* An entry handler only, and it does not serve kprobes: entry.c knows a shorter way. */
void fprobe_entry_hit(struct entry_hook *hook, unsigned long ip, unsigned long caller,
		      struct pt_regs *regs)
{
	any_entered(hook->owner, ip, caller, regs, current);
}

NOKPROBE_SYMBOL(fprobe_entry_hit);

/* An exit handler, and it does not serve kprobes. */
static void fprobe_call_hit(struct entry_hook *hook, unsigned long ip,
			    unsigned long caller, struct pt_regs *regs)
{
	struct fprobe *fp = hook->owner;
	struct rethook_node *node;

	if (fprobe_is_off(fp))
		return;
	node = fprobe_no_handler_runs() && !is_rethook_trampoline(caller) ?
		rethook_take_home(fp->rethook) : NULL;
	if (unlikely(!node)) {
		any_entered(fp, ip, caller, regs, current);
		return;
	}
	fprobe_handler_begin();
	enter_call(fp, node, ip, caller, regs, current);
	fprobe_handler_end(0);
}

NOKPROBE_SYMBOL(fprobe_call_hit);

/* Targets */

static int compare_ips(const void *a, const void *b)
{
	unsigned long x = *(const unsigned long *)a, y = *(const unsigned long *)b;

	return x < y ? -1 : x > y;
}

/* Sort them, each once; returns how many are left. */
static unsigned int sort_ips(unsigned long *ips, unsigned int nr)
{
	unsigned int i, kept = 0;

	sort(ips, nr, sizeof(*ips), compare_ips, NULL);
	for (i = 0; i < nr; i++) {
		if (!kept || ips[kept - 1] != ips[i])
			ips[kept++] = ips[i];
	}
	return kept;
}

#ifdef CONFIG_MODULES
/* A module that is on its way out was taken off all fprobes, and must not come back. */
static bool text_is_going(unsigned long ip)
{
	struct module *mod;

	if (core_kernel_text(ip))
		return false;
	guard(preempt)();
	mod = __module_text_address(ip);
	return !mod || mod->state == MODULE_STATE_GOING;
}
#else
static bool text_is_going(unsigned long ip)
{
	return false;
}
#endif

static entry_hit_t hit_of(const struct fprobe *fp)
{
	if (serves_kprobes(fp))
		return fprobe_any_hit;
	if (fp->exit_handler)
		return fprobe_call_hit;
	return fp->entry_handler ? fprobe_entry_hit : fprobe_any_hit;
}

/* @ips are where ftrace calls from. fprobe_mutex held. */
static struct fprobe_targets *make_targets(struct fprobe *fp, unsigned long *ips,
					   unsigned int nr)
{
	unsigned long switch_ip = arch_rethook_switch_ip();
	struct fprobe_targets *t;
	unsigned int i;

	nr = sort_ips(ips, nr);
	t = kvzalloc(struct_size(t, hook, nr), GFP_KERNEL);
	if (!t)
		return ERR_PTR(-ENOMEM);
	t->nr = nr;
	for (i = 0; i < nr; i++) {
		if (text_is_going(ips[i])) {
			kvfree(t);
			return ERR_PTR(-ENOENT);
		}
		t->hook[i].ip = ips[i];
		t->hook[i].owner = fp;
		t->hook[i].hit = ips[i] == switch_ip ? fprobe_switch_hit : hit_of(fp);
	}
	return t;
}

/* Those in [start, end), and the ones that are in @batch, as a batch. */
static struct entry_hook *targets_within(struct fprobe_targets *t, unsigned long start,
					 unsigned long end, struct entry_hook *batch)
{
	unsigned int i;

	for (i = 0; i < t->nr; i++) {
		if (t->hook[i].ip < start || t->hook[i].ip >= end)
			continue;
		t->hook[i].batch = batch;
		batch = &t->hook[i];
	}
	return batch;
}

static struct entry_hook *all_targets(struct fprobe_targets *t, struct entry_hook *batch)
{
	return targets_within(t, 1, ULONG_MAX, batch);
}

/* Registration */

/*
 * How many calls an fprobe may see at a time before its pool has to grow: the more
 * functions, the more of them will be under way on each CPU at a time.
 */
static unsigned int calls_expected(const struct fprobe_targets *t)
{
	return num_possible_cpus() * clamp(t->nr, 4U, 64U);
}

static int make_pool(struct fprobe *fp, const struct fprobe_targets *t)
{
	struct rethook *pool;

	fp->rethook = NULL;
	if (!fp->exit_handler)
		return 0;
	if (fp->entry_data_size > FPROBE_MAX_DATA_SIZE)
		return -ENOMEM;
	pool = rethook_alloc_bounded(fp, serves_kprobes(fp) ? any_returned : fprobe_returned,
				     struct_size_t(struct fprobe_call, data,
						   fp->entry_data_size),
				     calls_expected(t), fp->nr_maxactive);
	if (IS_ERR(pool))
		return PTR_ERR(pool);
	fp->rethook = pool;
	return 0;
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

/* The targets are set and nothing else is; they are freed on error. */
static int attach(struct fprobe *fp, struct fprobe_targets *t)
{
	int ret;

	fp->nmissed = 0;
	fp->nexhausted = 0;
	ret = make_pool(fp, t);
	if (!ret) {
		ret = entry_hooks_join(all_targets(t, NULL));
		if (!ret) {
			fp->targets = t;
			list_add_tail(&fp->registered, &fprobes);
			return 0;
		}
		/* A function that was hooked already may have called us. */
		if (fp->rethook)
			rethook_free(fp->rethook);
		synchronize_rcu();
		fp->rethook = NULL;
	}
	kvfree(t);
	return ret;
}

/* @ips are where ftrace calls from; they get sorted. */
static int attach_ips(struct fprobe *fp, unsigned long *ips, unsigned int nr)
{
	struct fprobe_targets *t;

	guard(mutex)(&fprobe_mutex);
	if (is_registered(fp))
		return -EBUSY;
	t = make_targets(fp, ips, nr);
	return IS_ERR(t) ? PTR_ERR(t) : attach(fp, t);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Where ftrace calls from in these functions; -EINVAL if it does not in one of them. */
static int locate_calls(unsigned long *addrs, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		addrs[i] = ftrace_location(addrs[i]);
		if (!addrs[i])
			return -EINVAL;
	}
	return 0;
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
	unsigned long *ips;
	int ret;

	if (!fp || !addrs || num <= 0)
		return -EINVAL;
	ips = kvmalloc_array(num, sizeof(*ips), GFP_KERNEL);
	if (!ips)
		return -ENOMEM;
	memcpy(ips, addrs, array_size(num, sizeof(*ips)));
	ret = locate_calls(ips, num);
	if (!ret)
		ret = attach_ips(fp, ips, num);
	kvfree(ips);
	return ret;
}
EXPORT_SYMBOL_GPL(register_fprobe_ips);

/* Addresses of functions by name; @names get sorted. */
static int find_functions(const char **names, unsigned long *addrs, int num)
{
	int ret;

	sort(names, num, sizeof(*names), compare_names, NULL);
	ret = ftrace_lookup_symbols(names, num, addrs);
	return ret == -ESRCH ? -ENOENT : ret;
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
	unsigned long *addrs;
	const char **names;
	int ret = -ENOMEM;

	if (!fp || !syms || num <= 0)
		return -EINVAL;
	addrs = kvmalloc_array(num, sizeof(*addrs), GFP_KERNEL);
	names = kvmalloc_array(num, sizeof(*names), GFP_KERNEL);
	if (addrs && names) {
		memcpy(names, syms, array_size(num, sizeof(*names)));
		ret = find_functions(names, addrs, num);
		if (!ret)
			ret = register_fprobe_ips(fp, addrs, num);
	}
	kvfree(names);
	kvfree(addrs);
	return ret;
}
EXPORT_SYMBOL_GPL(register_fprobe_syms);

/**
 * struct namesakes - the functions of one name
 * @name: the name
 * @nr: how many there are
 * @ip: where ftrace calls from in them
 * @unsure: there may be more
 */
struct namesakes {
	const char	*name;
	unsigned int	nr;
	unsigned long	ip[8];
	bool		unsure;
};

/*
 * Not those that go by another name mostly. What is farther behind the address may belong
 * to a function that the linker dropped, without a name.
 */
static int add_namesake(void *data, unsigned long addr)
{
	unsigned long ip = ftrace_location(addr);
	struct namesakes *found = data;
	char name[KSYM_NAME_LEN];

	if (!ip || lookup_symbol_name(addr, name) || strcmp(name, found->name))
		return 0;
	found->unsure = ip - addr > 2 * MCOUNT_INSN_SIZE || found->nr == ARRAY_SIZE(found->ip);
	if (!found->unsure)
		found->ip[found->nr++] = ip;
	return found->unsure;
}

static int add_module_namesake(void *data, const char *name, unsigned long addr)
{
	struct namesakes *found = data;

	return strcmp(name, found->name) ? 0 : add_namesake(found, addr);
}

/* Is it a name, and no pattern? */
static bool is_name(const char *filter)
{
	const char *c;

	for (c = filter; *c; c++) {
		if (!isalnum(*c) && *c != '_' && *c != '.')
			return false;
	}
	return *filter && !isdigit(*filter);
}

/*
 * A pattern has to be compared to the name of each function that ftrace knows; for a name,
 * the few that have it are found at once. Returns -ENOENT if this way leads nowhere.
 */
static int attach_name(struct fprobe *fp, const char *name)
{
	struct namesakes found = { .name = name };

	if (!is_name(name))
		return -ENOENT;
	kallsyms_on_each_match_symbol(add_namesake, name, &found);
	if (!found.unsure)
		module_kallsyms_on_each_symbol(NULL, add_module_namesake, &found);
	if (found.unsure || !found.nr)
		return -ENOENT;
	return attach_ips(fp, found.ip, found.nr);
}

/*
 * Patterns are ftrace's matter. An ftrace_ops that is never registered takes them and
 * holds the functions that match.
 */
static int set_patterns(struct ftrace_ops *scratch, const char *filter, const char *notfilter)
{
	char *pattern __free(kfree) = kstrdup(filter, GFP_KERNEL);
	char *but __free(kfree) = notfilter ? kstrdup(notfilter, GFP_KERNEL) : NULL;
	int ret;

	if (!pattern || (notfilter && !but))
		return -ENOMEM;
	ret = ftrace_set_filter(scratch, pattern, strlen(pattern), 0);
	if (!ret && but)
		ret = ftrace_set_notrace(scratch, but, strlen(but), 0);
	return ret;
}

/* What matched, into @ips; returns how many. */
static unsigned int selected(struct ftrace_ops *scratch, unsigned long *ips)
{
	struct ftrace_hash *set = rcu_dereference_raw(scratch->func_hash->filter_hash);
	struct ftrace_hash *but = rcu_dereference_raw(scratch->func_hash->notrace_hash);
	struct ftrace_func_entry *entry;
	unsigned int i, nr = 0;

	for (i = 0; i < 1U << set->size_bits; i++) {
		hlist_for_each_entry(entry, &set->buckets[i], hlist) {
			if (!ftrace_lookup_ip(but, entry->ip))
				ips[nr++] = entry->ip;
		}
	}
	return nr;
}

static int attach_set(struct fprobe *fp, struct ftrace_ops *scratch)
{
	struct ftrace_hash *set = rcu_dereference_raw(scratch->func_hash->filter_hash);
	unsigned int nr;
	unsigned long *ips;
	int ret;

	/* "!pattern" is a match, and selects nothing. */
	if (ftrace_hash_empty(set))
		return -EINVAL;
	ips = kvmalloc_array(set->count, sizeof(*ips), GFP_KERNEL);
	if (!ips)
		return -ENOMEM;
	nr = selected(scratch, ips);
	ret = attach_ips(fp, ips, nr);
	kvfree(ips);
	return ret;
}

/**
 * register_fprobe() - call an fprobe's handlers for functions given by a pattern
 * @fp: the fprobe
 * @filter: pattern as in set_ftrace_filter, for the names of functions
 * @notfilter: pattern for names that @filter matches and are not meant, or NULL
 *
 * Functions of modules that are loaded later are not looked at. It is no error if
 * @notfilter leaves nothing; each of the two has to match something, though.
 *
 * Context: process. Sleeps.
 * Return: as register_fprobe_ips(); -EINVAL also without @filter, and if one of the two
 * matches no function that can be traced.
 */
int register_fprobe(struct fprobe *fp, const char *filter, const char *notfilter)
{
	struct ftrace_ops *scratch;
	int ret;

	if (!fp || !filter)
		return -EINVAL;
	ret = notfilter ? -ENOENT : attach_name(fp, filter);
	if (ret != -ENOENT)
		return ret;
	scratch = kzalloc(sizeof(*scratch), GFP_KERNEL);
	if (!scratch)
		return -ENOMEM;
	ret = set_patterns(scratch, filter, notfilter);
	if (!ret)
		ret = attach_set(fp, scratch);
	ftrace_free_filter(scratch);
	kfree(scratch);
	return ret;
}
EXPORT_SYMBOL_GPL(register_fprobe);

/* Its hooks have left. */
static void forget_fprobe(struct fprobe *fp)
{
	if (fp->rethook)
		rethook_free(fp->rethook);
	list_del(&fp->registered);
	kvfree_rcu(fp->targets, rcu);
}

/*
 * All or none: -EINVAL if one of them is not registered. Handlers may still be running when
 * this returns.
 */
static int detach(struct fprobe **fps, int num)
{
	struct entry_hook *batch = NULL;
	int i;

	guard(mutex)(&fprobe_mutex);
	for (i = 0; i < num; i++) {
		if (!is_registered(fps[i]))
			return -EINVAL;
	}
	for (i = 0; i < num; i++)
		batch = all_targets(fps[i]->targets, batch);
	entry_hooks_leave(batch);
	for (i = 0; i < num; i++)
		forget_fprobe(fps[i]);
	return 0;
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
	int ret;

	if (!fp)
		return -EINVAL;
	ret = detach(&fp, 1);
	if (!ret)
		synchronize_rcu();
	return ret;
}
EXPORT_SYMBOL_GPL(unregister_fprobe);

/**
 * unregister_fprobes_nowait() - call the handlers of fprobes no more, without waiting
 * @fps: the fprobes, each registered, and each once
 * @num: how many
 *
 * For callers whose handlers are built in: calls and returns under way may still be
 * running them. The fprobes have to stay, and not be registered again, until an RCU grace
 * period has passed.
 *
 * Context: process. Sleeps on locks only.
 */
void unregister_fprobes_nowait(struct fprobe **fps, int num)
{
	WARN_ON_ONCE(detach(fps, num));
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
		batch = targets_within(fp->targets, start, end, batch);
	entry_hooks_leave(batch);
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
