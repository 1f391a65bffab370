// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hooks on the entries of functions.
 *
 * Fprobes, kretprobes and kprobes share two ftrace_ops. Ftrace saves all registers for one, and
 * only the arguments for the other. A function is in the filter of the latter if no hook there
 * needs more, and otherwise in that of the former. While it moves, it is in both, see widen(). If
 * a function has no other ftrace_ops, ftrace calls that one directly. One lookup finds all hooks at
 * the entry. Any number of hooks joins or leaves with one update of each filter, which
 * entry_filter.c makes.
 *
 * Users decide whether their handlers may nest. The code here calls nothing that can be hooked.
 *
 * A kprobe that must be the only one to change the instruction pointer uses an ftrace_ops with
 * FTRACE_OPS_FL_IPMODIFY instead. Ftrace allows one such ftrace_ops for each function, and live
 * patches are such, too.
 */
#include <linux/addr_table.h>
#include <linux/cleanup.h>
#include <linux/entry_hook.h>
#include <linux/ftrace.h>
#include <linux/kprobe_delay.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/probe_hit.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "trace.h"

/*
 * Guards the hooks, entry_table, the filters, moves_wait, more_moves_wait and all_left. Taken after
 * kprobe_mutex and fprobe_mutex, and before ftrace's locks.
 */
static DEFINE_MUTEX(entry_mutex);

static void nobody_hit(struct entry_hook *hook, unsigned long ip, unsigned long caller,
		       struct pt_regs *regs)
{
}

NOKPROBE_SYMBOL(nobody_hit);

/* A hit that comes when all hooks at its entry have left may find this one. */
static struct entry_hook nobody = {
	.next	= ENTRY_TAKES_ARGS | ENTRY_ON_ARGS,
	.first	= nobody_hit,
	.hit	= nobody_hit,
};

/* From the address of ftrace's call to the first hook there. Changed under entry_mutex. */
DEFINE_ADDR_SLOTS(boot_slots);
static struct addr_table entry_table = ADDR_TABLE_INIT(boot_slots, entry_mutex, &nobody);

static void entry_hit(unsigned long ip, unsigned long caller, struct ftrace_ops *ops,
		      struct ftrace_regs *fregs);
static void entry_args_hit(unsigned long ip, unsigned long caller, struct ftrace_ops *ops,
			   struct ftrace_regs *fregs);

/* Both guarded by entry_mutex. */
static struct entry_filter all_filter = ENTRY_FILTER_INIT(entry_hit, ENTRY_OPS_FLAGS);
static struct entry_filter args_filter = ENTRY_FILTER_INIT(entry_args_hit, 0);

/* Flags of a function. They are in the first hook at its entry. */
#define FUNCTION_BITS	(ENTRY_ON_ARGS | ENTRY_MOVES)

static __always_inline struct entry_hook *next_of(const struct entry_hook *hook)
{
	return (struct entry_hook *)(READ_ONCE(hook->next) & ~ENTRY_BITS);
}

static __always_inline bool is_on_args(const struct entry_hook *hook)
{
	return READ_ONCE(hook->next) & ENTRY_ON_ARGS;
}

/*
 * Hits read hooks without a lock. The table and set_next() publish a hook when it is set up, with
 * smp_store_release(); the hit has an address dependency. A hook that was removed, and its pointer
 * to the next one, stay for a grace period.
 */
static void many_hit(struct entry_hook *hook, unsigned long ip, unsigned long caller,
		     struct pt_regs *regs)
{
	entry_hit_t hit;

	for (; hook; hook = next_of(hook)) {
		kprobe_delay_point(DELAY_ENTRY_NEXT_READ);
		hit = READ_ONCE(hook->hit);
		hit(hook, ip, caller, regs);
	}
}

NOKPROBE_SYMBOL(many_hit);

/*
 * Hit of a function that moves, see widen(). When it is in both filters, ftrace may call both ops
 * for one call of the function. Both get the same struct pt_regs, with all registers, and the first
 * one runs the handlers. If only arguments were saved, ftrace calls only one ops.
 */
static void moving_hit(struct entry_hook *hook, unsigned long ip, unsigned long caller,
		       struct pt_regs *regs)
{
	/* There is no place for a claim then. */
	if (arch_entry_regs_are_args(regs)) {
		many_hit(hook, ip, caller, regs);
		return;
	}
	if (arch_entry_claimed(regs))
		return;
	many_hit(hook, ip, caller, regs);
	arch_entry_claim(regs);
}

NOKPROBE_SYMBOL(moving_hit);

static __always_inline void one_hit(struct entry_hook *hook, unsigned long ip,
				    unsigned long caller, struct pt_regs *regs)
{
	entry_hit_t hit = READ_ONCE(hook->first);

	kprobe_delay_point(DELAY_ENTRY_FIRST_READ);
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

/*
 * Slow path: the hook is not in the first slot, or its function moves or has moved. In a call that
 * brings only arguments, run only the hooks that need no more. The call began before the function
 * moved, and the other hooks joined after that.
 */
static noinline void late_args_hit(unsigned long ip, unsigned long caller, struct pt_regs *regs)
{
	struct entry_hook *hook = addr_table_find(&entry_table, ip);
	entry_hit_t hit;

	if (!hook)
		return;
	if (!arch_entry_regs_are_args(regs)) {
		/* Without these flags, ftrace calls the ops of all_filter for this call, too. */
		if (READ_ONCE(hook->next) & FUNCTION_BITS)
			one_hit(hook, ip, caller, regs);
		return;
	}
	for (; hook; hook = next_of(hook)) {
		/* Pairs with set_next(): if the flag is set, @hit is not older. */
		if (!(smp_load_acquire(&hook->next) & ENTRY_TAKES_ARGS))
			continue;
		hit = READ_ONCE(hook->hit);
		hit(hook, ip, caller, regs);
	}
}

NOKPROBE_SYMBOL(late_args_hit);

/* As entry_hit(). @fregs may have all registers, if another ftrace_ops asked for them. */
static void entry_args_hit(unsigned long ip, unsigned long caller, struct ftrace_ops *ops,
			   struct ftrace_regs *fregs)
{
	struct arch_entry_room room __maybe_unused __uninitialized;
	struct pt_regs *regs;
	void *hook;

	preempt_disable_notrace();
	if (probe_hit_is_watched()) {
		regs = arch_entry_regs(fregs, &room);
		if (likely(addr_table_near(&entry_table, ip, &hook) && is_on_args(hook)))
			one_hit(hook, ip, caller, regs);
		else
			late_args_hit(ip, caller, regs);
		arch_entry_regs_back(fregs, regs);
	}
	preempt_enable_notrace();
}

NOKPROBE_SYMBOL(entry_args_hit);

/* Publishes @next, and what was stored in @hook, to hits that may be reading @hook. */
static void set_next(struct entry_hook *hook, const struct entry_hook *next, unsigned long bits)
{
	/* Pairs with the address dependency in next_of() and with late_args_hit(). */
	smp_store_release(&hook->next, (unsigned long)next | bits);
}

static unsigned long bits_of(const struct entry_hook *hook)
{
	return hook->next & ENTRY_BITS;
}

static void set_function(struct entry_hook *first, unsigned long bits)
{
	set_next(first, next_of(first), (bits_of(first) & ~FUNCTION_BITS) | bits);
}

/* @first is the first hook at its entry. */
static void update_first(struct entry_hook *first)
{
	entry_hit_t hit = next_of(first) ? many_hit : first->hit;

	WRITE_ONCE(first->first, bits_of(first) & ENTRY_MOVES ? moving_hit : hit);
}

static void add_first(struct entry_hook *hook, struct entry_hook *next, bool args)
{
	unsigned long bits = args ? ENTRY_ON_ARGS : 0;

	if (next)
		bits = bits_of(next) & FUNCTION_BITS;
	/* A hit may still read a hook with ENTRY_LAST that has left and joins again. */
	set_next(hook, next, bits | (args ? ENTRY_TAKES_ARGS : 0));
	update_first(hook);
	kprobe_delay_point(DELAY_ENTRY_READY);
	kprobe_test_step();
	if (next)
		addr_table_replace(&entry_table, hook->ip, hook);
	else
		addr_table_insert(&entry_table, hook->ip, hook);
}

static void add_last(struct entry_hook *hook, struct entry_hook *first, bool args)
{
	struct entry_hook *at = first;

	/* A hit from before the hook left may be reading it. Its next hook was NULL then, too. */
	set_next(hook, NULL, args ? ENTRY_TAKES_ARGS : 0);
	while (next_of(at))
		at = next_of(at);
	set_next(at, hook, bits_of(at));
	kprobe_delay_point(DELAY_ENTRY_LINKED);
	kprobe_test_step();
	update_first(first);
}

/* Returns true if it is the only one at its entry. */
static bool add_hook(struct entry_hook *hook, enum entry_place place, bool args)
{
	struct entry_hook *first = addr_table_find(&entry_table, hook->ip);

	if (place == ENTRY_LAST && first)
		add_last(hook, first, args);
	else
		add_first(hook, first, args);
	return !first;
}

/* Returns true if no hook is left at its entry. */
static bool del_hook(struct entry_hook *hook)
{
	struct entry_hook *first = addr_table_find(&entry_table, hook->ip);
	struct entry_hook *at = first, *next = next_of(hook);

	kprobe_test_step();
	if (first != hook) {
		while (next_of(at) != hook)
			at = next_of(at);
		set_next(at, next, bits_of(at));
		kprobe_delay_point(DELAY_ENTRY_UNLINKED);
		kprobe_test_step();
		update_first(first);
		return false;
	}
	if (next) {
		set_function(next, bits_of(hook) & FUNCTION_BITS);
		update_first(next);
		kprobe_delay_point(DELAY_ENTRY_SECOND_READY);
		kprobe_test_step();
		addr_table_replace(&entry_table, hook->ip, next);
		return false;
	}
	addr_table_remove(&entry_table, hook->ip);
	return true;
}

static unsigned int batch_count(struct entry_hook *batch)
{
	struct entry_hook *hook;
	unsigned int nr = 0;

	for (hook = batch; hook; hook = hook->batch)
		nr++;
	return nr;
}

/*
 * Begin to move the functions of these hooks from args_filter to all_filter. Returns how many
 * functions these are, with their addresses in @ips.
 */
static unsigned int begin_to_move(struct entry_hook *batch, unsigned long *ips)
{
	struct entry_hook *hook, *first;
	unsigned int nr = 0;

	for (hook = batch; hook; hook = hook->batch) {
		first = addr_table_find(&entry_table, hook->ip);
		/* Ftrace has forgotten init text, and would refuse all. */
		if (!first || !is_on_args(first) || !ftrace_location(hook->ip))
			continue;
		set_function(first, ENTRY_MOVES);
		update_first(first);
		ips[nr++] = hook->ip;
	}
	return nr;
}

static void do_not_move(const unsigned long *ips, unsigned int nr)
{
	struct entry_hook *first;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		first = addr_table_find(&entry_table, ips[i]);
		set_function(first, ENTRY_ON_ARGS);
		update_first(first);
	}
}

/*
 * moves_wait: functions that moved wait for an RCU-tasks grace period. more_moves_wait: more
 * functions have moved since it began. Both guarded by entry_mutex.
 */
static bool moves_wait, more_moves_wait;

static void calls_are_over(struct rcu_head *unused);
static struct rcu_head move_rcu;

static void wait_for_calls(void)
{
	if (moves_wait) {
		more_moves_wait = true;
		return;
	}
	moves_wait = true;
	call_rcu_tasks(&move_rcu, calls_are_over);
}

/*
 * Make ftrace save all registers at functions where it saved only arguments. Each call is seen
 * once, also in the meantime.
 *
 * First, set ENTRY_MOVES, with which hits call moving_hit(). A grace period later, add the
 * functions to all_filter. From then on ftrace calls one ops or both, and moving_hit() runs the
 * handlers once. A call that was preempted in ftrace's trampoline that saves arguments calls only
 * the ops of args_filter, directly or through ftrace's list function. So the functions stay in
 * args_filter until an RCU-tasks grace period has passed.
 */
static int widen(struct entry_hook *batch, unsigned long *ips)
{
	unsigned int nr = begin_to_move(batch, ips);
	int ret;

	if (!nr)
		return 0;
	kprobe_delay_point(DELAY_ENTRY_MOVES);
	kprobe_test_step();
	synchronize_rcu_expedited();
	ret = entry_filter_add(&all_filter, ips, nr);
	if (ret)
		do_not_move(ips, nr);
	else
		wait_for_calls();
	return ret;
}

static bool moves(const struct entry_hook *first)
{
	return bits_of(first) & ENTRY_MOVES;
}

/* Remove the functions that have moved from args_filter. */
static void leave_args(void)
{
	unsigned long few[8], *many;
	unsigned int pos, room, nr = 0;
	struct entry_hook *first;

	room = addr_table_count(&entry_table);
	many = kvmalloc_array(room, sizeof(*many), GFP_KERNEL);
	if (!many)
		room = ARRAY_SIZE(few);
	for (pos = 0; (first = addr_table_next(&entry_table, &pos)); ) {
		if (!moves(first))
			continue;
		(many ?: few)[nr++] = first->ip;
		if (nr == room) {
			entry_filter_del(&args_filter, many ?: few, nr);
			nr = 0;
		}
	}
	entry_filter_del(&args_filter, many ?: few, nr);
	kvfree(many);
}

/* After the RCU-tasks grace period no call reaches only the ops of args_filter. */
static void finish_moves(struct work_struct *unused)
{
	struct entry_hook *first;
	unsigned int pos;

	guard(mutex)(&entry_mutex);
	moves_wait = false;
	if (more_moves_wait) {
		more_moves_wait = false;
		wait_for_calls();
		return;
	}
	/* It calls both for good then. */
	if (ftrace_is_dead())
		return;
	leave_args();
	kprobe_test_step();
	/* For one call, ftrace may have called the ops of args_filter, and call the other now. */
	synchronize_rcu_expedited();
	for (pos = 0; (first = addr_table_next(&entry_table, &pos)); ) {
		if (!moves(first))
			continue;
		set_function(first, 0);
		update_first(first);
	}
}

static DECLARE_WORK(finish_work, finish_moves);

static void calls_are_over(struct rcu_head *unused)
{
	schedule_work(&finish_work);
}

/*
 * Addresses to add to the two filters or to remove: those for all_filter from the start of @ip on,
 * those for args_filter from the end of @ip backwards. Local to its caller.
 */
struct entry_ips {
	unsigned long	*ip;
	unsigned int	room;
	unsigned int	nr_all;
	unsigned int	nr_args;
};

/* @hook is the only one at its entry, or was. A function that moves is in both filters. */
static void ips_add(struct entry_ips *ips, const struct entry_hook *hook)
{
	if (bits_of(hook) & (ENTRY_ON_ARGS | ENTRY_MOVES))
		ips->ip[ips->room - ++ips->nr_args] = hook->ip;
	if (!is_on_args(hook))
		ips->ip[ips->nr_all++] = hook->ip;
}

static unsigned long *ips_on_args(const struct entry_ips *ips)
{
	return ips->ip + ips->room - ips->nr_args;
}

static int ips_join(const struct entry_ips *ips)
{
	int ret;

	ret = entry_filter_add(&all_filter, ips->ip, ips->nr_all);
	if (ret)
		return ret;
	ret = entry_filter_add(&args_filter, ips_on_args(ips), ips->nr_args);
	if (ret)
		entry_filter_del(&all_filter, ips->ip, ips->nr_all);
	return ret;
}

/* State of RCU when functions last left all_filter. Guarded by entry_mutex. */
static unsigned long all_left;

static void ips_leave(struct entry_ips *ips)
{
	entry_filter_del(&all_filter, ips->ip, ips->nr_all);
	if (ips->nr_all)
		all_left = get_state_synchronize_rcu();
	entry_filter_del(&args_filter, ips_on_args(ips), ips->nr_args);
	ips->nr_all = 0;
	ips->nr_args = 0;
}

static void add_hooks(struct entry_hook *batch, enum entry_place place, bool args,
		      struct entry_ips *ips)
{
	struct entry_hook *hook;

	for (hook = batch; hook; hook = hook->batch) {
		if (add_hook(hook, place, args))
			ips_add(ips, hook);
	}
}

static void del_hooks(struct entry_hook *batch)
{
	struct entry_hook *hook;

	for (hook = batch; hook; hook = hook->batch) {
		del_hook(hook);
		hook->ip = 0;
	}
}

static int join_locked(struct entry_hook *all, struct entry_hook *args, enum entry_place place,
		       struct entry_ips *ips)
{
	int ret;

	ret = addr_table_reserve(&entry_table, ips->room);
	/* Before a hook is published that needs more than ftrace saves there. */
	ret = ret ?: widen(all, ips->ip);
	if (ret)
		return ret;
	/*
	 * A call for which ftrace is about to call the ops of all_filter, as it was there, must not
	 * find a hook of args_filter: ftrace may call that, too.
	 */
	if (args && ARCH_ENTRY_ARGS && !poll_state_synchronize_rcu(all_left))
		synchronize_rcu_expedited();
	add_hooks(all, place, false, ips);
	add_hooks(args, place, ARCH_ENTRY_ARGS, ips);
	ret = ips_join(ips);
	if (!ret)
		return 0;
	del_hooks(all);
	del_hooks(args);
	return ret;
}

/**
 * entry_hooks_join - hook the entries of functions, all or none
 * @all: batch of hooks, see entry_batch_add(), whose @hit needs all registers. Their @hit, @owner
 *	and @ip are set. Of those with the same @ip, the first one in the batch joins first
 * @args: the same, for hooks whose @hit needs only arguments, see entry_hit_t
 * @place: ENTRY_FIRST; or ENTRY_LAST, for the one user whose hooks may join again before a
 *	grace period has passed since they left
 *
 * On error, too, hits may have seen the hooks. Free them after a grace period.
 *
 * A hit continues with the hook behind the present one. If the present one leaves and joins again
 * in the meantime, the hit continues behind its new place. With ENTRY_LAST there is no hook behind
 * the new place nor was there one behind the old place. In other places the hit would miss hooks or
 * run them twice. A hook that was in @args and joins again within a grace period may be in @all
 * only if its @hit can do with only arguments.
 *
 * Context: process. Sleeps; for a grace period if ftrace saves only arguments at a function of
 * @all.
 * Return: 0; -EINVAL if ftrace has no call at an @ip; -ENOMEM; -ENODEV if ftrace has shut itself
 * down.
 */
int entry_hooks_join(struct entry_hook *all, struct entry_hook *args, enum entry_place place)
{
	struct entry_ips ips = { .room = batch_count(all) + batch_count(args) };
	int ret;

	ips.ip = kvmalloc_array(ips.room, sizeof(*ips.ip), GFP_KERNEL);
	if (!ips.ip)
		return -ENOMEM;
	mutex_lock(&entry_mutex);
	ret = join_locked(all, args, place, &ips);
	mutex_unlock(&entry_mutex);
	kvfree(ips.ip);
	return ret;
}

/**
 * entry_hooks_widen - make hooks get all registers from now on
 * @batch: hooks that were in the @args of entry_hooks_join(), and have not left
 *
 * Calls in progress may still bring only arguments.
 *
 * Context: process. Sleeps; for a grace period if ftrace saves only arguments at one of the
 * functions.
 * Return: as entry_hooks_join().
 */
int entry_hooks_widen(struct entry_hook *batch)
{
	unsigned long *ips;
	int ret;

	ips = kvmalloc_array(batch_count(batch), sizeof(*ips), GFP_KERNEL);
	if (!ips)
		return -ENOMEM;
	mutex_lock(&entry_mutex);
	ret = widen(batch, ips);
	mutex_unlock(&entry_mutex);
	kvfree(ips);
	return ret;
}

static void leave_locked(struct entry_hook *batch, struct entry_ips *ips)
{
	struct entry_hook *hook;

	for (hook = batch; hook; hook = hook->batch) {
		if (!hook->ip)
			continue;
		if (del_hook(hook))
			ips_add(ips, hook);
		hook->ip = 0;
		if (ips->nr_all + ips->nr_args + 2 > ips->room)
			ips_leave(ips);
	}
	ips_leave(ips);
}

/**
 * entry_hooks_leave - unhook the entries of functions
 * @batch: the hooks, see entry_batch_add(); those whose @ip is 0 are skipped
 *
 * Hits in progress may still use the hooks. Free them after a grace period. Only with ENTRY_LAST
 * may they join again before.
 *
 * Context: process. Sleeps on locks, in ftrace and for memory.
 */
void entry_hooks_leave(struct entry_hook *batch)
{
	struct entry_ips ips = { .room = 2 * batch_count(batch) };
	unsigned long few[8], *many;

	if (!ips.room)
		return;
	many = kvmalloc_array(ips.room, sizeof(*many), GFP_KERNEL);
	ips.ip = many ?: few;
	/* Without memory, remove as many at a time as fit on the stack. */
	if (!many)
		ips.room = ARRAY_SIZE(few);
	mutex_lock(&entry_mutex);
	leave_locked(batch, &ips);
	mutex_unlock(&entry_mutex);
	kvfree(many);
}
