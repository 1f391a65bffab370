// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hooks on the entries of functions.
 *
 * However many fprobes, kretprobes and kprobes want to know of calls, and whichever
 * functions they want, there is one ftrace_ops. Ftrace calls it directly where it is
 * the only one at a function. Then one lookup leads to all who hooked that entry, and
 * any number of hooks comes or goes with one update of one filter.
 *
 * Calls that a user's own handlers make are up to the user, who knows what may nest in
 * what. Nothing here calls what could be hooked.
 *
 * A kprobe that insists on being the one to redirect its function does not belong here:
 * ftrace grants that to one ops per function, and live patches want it, too.
 */
#include <linux/addr_table.h>
#include <linux/entry_hook.h>
#include <linux/ftrace.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/probe_hit.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

/*
 * Guards the hooks, the table and the filter. Comes after kprobe_mutex and the fprobes'
 * own, and before those of ftrace.
 */
static DEFINE_MUTEX(entry_mutex);

static void nobody_hit(struct entry_hook *hook, unsigned long ip, unsigned long caller,
		       struct pt_regs *regs)
{
}

NOKPROBE_SYMBOL(nobody_hit);

/* What a hit finds that comes when all hooks at its entry have gone. */
static struct entry_hook nobody = {
	.first	= nobody_hit,
};

/* From where ftrace calls to the first hook there. */
DEFINE_ADDR_SLOTS(boot_slots);
static struct addr_table entry_table = ADDR_TABLE_INIT(boot_slots, entry_mutex, &nobody);

static void entry_hit(unsigned long ip, unsigned long caller, struct ftrace_ops *ops,
		      struct ftrace_regs *fregs);

/* Registered while @nr_entries is not 0: an empty filter would mean every function. */
static struct ftrace_ops entry_ops = {
	.func	= entry_hit,
	.flags	= ENTRY_OPS_FLAGS,
};

/* Addresses in the filter. Guarded by entry_mutex. */
static unsigned int nr_entries;

/*
 * Hooks are read as they stand: who follows a pointer to one, in the table or in another
 * hook, sees it set up (smp_store_release(), and the dependency here), and it stays until
 * a grace period after it was taken out, as does its pointer to the next one.
 */
static void many_hit(struct entry_hook *hook, unsigned long ip, unsigned long caller,
		     struct pt_regs *regs)
{
	for (; hook; hook = READ_ONCE(hook->next))
		hook->hit(hook, ip, caller, regs);
}

NOKPROBE_SYMBOL(many_hit);

static __always_inline void one_hit(struct entry_hook *hook, unsigned long ip,
				    unsigned long caller, struct pt_regs *regs)
{
	entry_hit_t hit = READ_ONCE(hook->first);

	entry_hit_call(hit, hook, ip, caller, regs);
}

static noinline void far_hit(unsigned long ip, unsigned long caller, struct pt_regs *regs)
{
	struct entry_hook *hook = addr_table_find(&entry_table, ip);

	if (hook)
		one_hit(hook, ip, caller, regs);
}

NOKPROBE_SYMBOL(far_hit);

static void entry_hit(unsigned long ip, unsigned long caller, struct ftrace_ops *ops,
		      struct ftrace_regs *fregs)
{
	struct arch_entry_room room __maybe_unused __uninitialized;
	struct pt_regs *regs;
	void *hook;

	preempt_disable_notrace();
	if (probe_hit_is_watched()) {
		regs = arch_entry_regs(fregs, &room);
		if (likely(addr_table_near(&entry_table, ip, &hook)))
			one_hit(hook, ip, caller, regs);
		else
			far_hit(ip, caller, regs);
		arch_entry_regs_back(fregs, regs);
	}
	preempt_enable_notrace();
}

NOKPROBE_SYMBOL(entry_hit);

/* @first is the first at its entry. */
static void update_first(struct entry_hook *first)
{
	WRITE_ONCE(first->first, first->next ? many_hit : first->hit);
}

static void add_first(struct entry_hook *hook, struct entry_hook *next)
{
	/* With ENTRY_LAST, a hit may have seen it before it left. */
	WRITE_ONCE(hook->next, next);
	update_first(hook);
	kprobe_test_step();
	if (next)
		addr_table_replace(&entry_table, hook->ip, hook);
	else
		addr_table_insert(&entry_table, hook->ip, hook);
}

static void add_last(struct entry_hook *hook, struct entry_hook *first)
{
	struct entry_hook *at = first;

	/* A hit may have seen it before it left, and finds the same. */
	WRITE_ONCE(hook->next, NULL);
	while (at->next)
		at = at->next;
	/* Who sees the hook sees what is in it. */
	smp_store_release(&at->next, hook);
	kprobe_test_step();
	update_first(first);
}

/* Returns true if it is the only one at its entry. */
static bool add_hook(struct entry_hook *hook, enum entry_place place)
{
	struct entry_hook *first = addr_table_find(&entry_table, hook->ip);

	if (place == ENTRY_LAST && first)
		add_last(hook, first);
	else
		add_first(hook, first);
	return !first;
}

/* Returns true if nobody is left at its entry. */
static bool del_hook(struct entry_hook *hook)
{
	struct entry_hook *first = addr_table_find(&entry_table, hook->ip);
	struct entry_hook *at = first;

	kprobe_test_step();
	if (first != hook) {
		while (at->next != hook)
			at = at->next;
		WRITE_ONCE(at->next, hook->next);
		kprobe_test_step();
		update_first(first);
		return false;
	}
	if (hook->next) {
		update_first(hook->next);
		kprobe_test_step();
		addr_table_replace(&entry_table, hook->ip, hook->next);
		return false;
	}
	addr_table_remove(&entry_table, hook->ip);
	return true;
}

static int filter_add(unsigned long *ips, unsigned int nr)
{
	int ret;

	if (!nr)
		return 0;
	ret = ftrace_set_filter_ips(&entry_ops, ips, nr, 0, 0);
	if (ret)
		return ret;
	if (!nr_entries) {
		ret = register_ftrace_function(&entry_ops);
		if (ret) {
			ftrace_set_filter_ips(&entry_ops, ips, nr, 1, 0);
			return ret;
		}
	}
	nr_entries += nr;
	return 0;
}

/*
 * Ftrace refuses the whole when it has forgotten about one of them, which happens to the
 * kernel's init text. Nothing will be called from there, so what stays is harmless.
 */
static void filter_del(unsigned long *ips, unsigned int nr)
{
	unsigned int i;

	if (!nr)
		return;
	nr_entries -= nr;
	if (!nr_entries)
		unregister_ftrace_function(&entry_ops);
	if (!ftrace_set_filter_ips(&entry_ops, ips, nr, 1, 0))
		return;
	for (i = 0; i < nr; i++)
		ftrace_set_filter_ip(&entry_ops, ips[i], 1, 0);
}

static unsigned int batch_count(struct entry_hook *batch)
{
	struct entry_hook *hook;
	unsigned int nr = 0;

	for (hook = batch; hook; hook = hook->batch)
		nr++;
	return nr;
}

static int join_locked(struct entry_hook *batch, enum entry_place place, unsigned int nr,
		       unsigned long *ips)
{
	struct entry_hook *hook;
	unsigned int nr_new = 0;
	int ret;

	ret = addr_table_reserve(&entry_table, nr);
	if (ret)
		return ret;
	for (hook = batch; hook; hook = hook->batch) {
		if (add_hook(hook, place))
			ips[nr_new++] = hook->ip;
	}
	ret = filter_add(ips, nr_new);
	if (!ret)
		return 0;
	for (hook = batch; hook; hook = hook->batch) {
		del_hook(hook);
		hook->ip = 0;
	}
	return ret;
}

/**
 * entry_hooks_join - hook the entries of functions, all or none
 * @batch: the hooks by their batch member, with hit, owner and ip set; of those with the same
 *	ip, the first one of the batch joins first
 * @place: ENTRY_FIRST; or ENTRY_LAST, for the one user whose hooks may join again before a
 *	grace period has passed since they left
 *
 * On error, too, a hit may have seen a hook at an entry that others hook as well: free
 * them after a grace period.
 *
 * A hit that is at a hook goes on to the next one. If the hook leaves and joins again in the
 * meantime, then the next one is that of its new place: with ENTRY_LAST there is none, and
 * there was none. In another place hooks would be hit twice, or not at all.
 *
 * Context: process. Sleeps.
 * Return: 0; -EINVAL if an ip is not one that ftrace calls from; -ENOMEM; -ENODEV if
 * ftrace has shut itself down.
 */
int entry_hooks_join(struct entry_hook *batch, enum entry_place place)
{
	unsigned int nr = batch_count(batch);
	unsigned long *ips;
	int ret;

	ips = kvmalloc_array(nr, sizeof(*ips), GFP_KERNEL);
	if (!ips)
		return -ENOMEM;
	mutex_lock(&entry_mutex);
	ret = join_locked(batch, place, nr, ips);
	mutex_unlock(&entry_mutex);
	kvfree(ips);
	return ret;
}

static void leave_locked(struct entry_hook *batch, unsigned long *ips, unsigned int room)
{
	struct entry_hook *hook;
	unsigned int nr_gone = 0;

	for (hook = batch; hook; hook = hook->batch) {
		if (!hook->ip)
			continue;
		if (del_hook(hook))
			ips[nr_gone++] = hook->ip;
		hook->ip = 0;
		if (nr_gone == room) {
			filter_del(ips, nr_gone);
			nr_gone = 0;
		}
	}
	filter_del(ips, nr_gone);
}

/**
 * entry_hooks_leave - unhook the entries of functions
 * @batch: the hooks by their batch member; those that are at no entry are passed over
 *
 * Hits under way may still be using the hooks: free them after a grace period, and do not
 * join again before, but with ENTRY_LAST.
 *
 * Context: process. Sleeps on locks and in ftrace only.
 */
void entry_hooks_leave(struct entry_hook *batch)
{
	unsigned int nr = batch_count(batch);
	unsigned long few[8], *ips;

	if (!nr)
		return;
	ips = kvmalloc_array(nr, sizeof(*ips), GFP_KERNEL);
	mutex_lock(&entry_mutex);
	/* Without memory, as many at a time as fit on the stack. */
	leave_locked(batch, ips ?: few, ips ? nr : ARRAY_SIZE(few));
	mutex_unlock(&entry_mutex);
	kvfree(ips);
}
