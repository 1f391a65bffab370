// SPDX-License-Identifier: GPL-2.0-only
/*
 * Text where no probe may go: code that runs in a hit, and code in which the CPU cannot take a
 * trap.
 *
 * All ranges are in one array sorted by start. An array does not change after it is published.
 * A module with ranges of its own causes a new array to be published. Debuggers call
 * within_kprobe_blacklist() in any context, so it takes no lock.
 */
#include <linux/array_size.h>
#include <linux/kallsyms.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <asm/sections.h>

#include "internal.h"

/**
 * struct black_range - a range of text without probes
 * @start: first byte
 * @end: one past the last byte
 * @reach: the greatest @end of this and all entries before it, so that a search finds
 *	a range that covers an address even where ranges overlap
 * @why: why there are no probes
 */
struct black_range {
	unsigned long start;
	unsigned long end;
	unsigned long reach;
	const char *why;
};

/**
 * struct black_ranges - an array of ranges
 * @rcu: frees the array
 * @nr: number of ranges
 * @max: number of ranges that fit
 * @range: sorted by start when published
 */
struct black_ranges {
	struct rcu_head rcu;
	unsigned int nr;
	unsigned int max;
	struct black_range range[] __counted_by(max);
};

/* The published array. Replaced under kprobe_mutex, read under RCU. */
static struct black_ranges __rcu *blacklist;

/* The array to be published next. Guarded by kprobe_mutex. */
static struct black_ranges *draft;

/* black_range::why of ranges that are added now. Guarded by kprobe_mutex. */
static const char by_arch[] = "kept free of probes by the architecture";
static const char *draft_why = by_arch;

static struct black_ranges *blacklist_locked(void)
{
	return rcu_dereference_protected(blacklist,
					 lockdep_is_held(&kprobe_mutex));
}

static struct black_ranges *ranges_alloc(const struct black_ranges *from,
					 unsigned int max)
{
	struct black_ranges *new;

	new = kvzalloc(struct_size(new, range, max), GFP_KERNEL);
	if (!new)
		return NULL;
	new->max = max;
	if (from) {
		new->nr = from->nr;
		memcpy(new->range, from->range,
		       from->nr * sizeof(from->range[0]));
	}
	return new;
}

static int draft_add(unsigned long start, unsigned long end)
{
	struct black_ranges *bigger;

	if (!draft || draft->nr == draft->max) {
		bigger = ranges_alloc(draft, draft ? 2 * draft->max : 256);
		if (!bigger)
			return -ENOMEM;
		kvfree(draft);
		draft = bigger;
	}
	draft->range[draft->nr++] = (struct black_range){
		.start = start,
		.end = end,
		.why = draft_why,
	};
	return 0;
}

static int by_start(const void *a, const void *b)
{
	const struct black_range *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return 0;
}

static void draft_publish(void)
{
	struct black_ranges *old = blacklist_locked();
	unsigned long reach = 0;
	unsigned int i;

	sort(draft->range, draft->nr, sizeof(draft->range[0]), by_start, NULL);
	for (i = 0; i < draft->nr; i++) {
		reach = max(reach, draft->range[i].end);
		draft->range[i].reach = reach;
	}
	rcu_assign_pointer(blacklist, draft);
	draft = NULL;
	if (old)
		kvfree_rcu(old, rcu);
}

/**
 * kprobe_add_ksym_blacklist - keep probes out of a function
 * @entry: the address of a symbol
 *
 * Context: arch_populate_kprobe_blacklist(), or a module coming up.
 * Return: the size of the symbol in bytes; -EINVAL if no symbol is at @entry; -ENOMEM.
 */
int kprobe_add_ksym_blacklist(unsigned long entry)
{
	unsigned long size, offset;
	int ret;

	if (!kernel_text_address(entry) ||
	    !kallsyms_lookup_size_offset(entry, &size, &offset) || offset)
		return -EINVAL;
	ret = draft_add(entry, entry + size);
	return ret ?: (int)size;
}

/**
 * kprobe_add_area_blacklist - keep probes out of all functions in a range of text
 * @start: first byte
 * @end: one past the last byte
 *
 * Adds one entry for each symbol, so that users see names in debugfs kprobes/blacklist. If no
 * symbol starts at an address, the rest of the range becomes one entry.
 *
 * Context: arch_populate_kprobe_blacklist(), or a module coming up.
 * Return: 0 or -ENOMEM.
 */
int kprobe_add_area_blacklist(unsigned long start, unsigned long end)
{
	int ret;

	while (start < end) {
		ret = kprobe_add_ksym_blacklist(start);
		if (ret == -EINVAL)
			return draft_add(start, end);
		if (ret < 0)
			return ret;
		/* A symbol may have no size. */
		start += max(ret, 1);
	}
	return 0;
}

/* How many of these ranges start at or before @addr? */
static unsigned int ranges_before(const struct black_ranges *list, unsigned long addr)
{
	unsigned int lo = 0, hi = list->nr, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (list->range[mid].start <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static bool in_blacklist(unsigned long addr)
{
	const struct black_ranges *list;
	unsigned int before;

	guard(preempt)();
	list = rcu_dereference_sched(blacklist);
	if (!list)
		return false;
	before = ranges_before(list, addr);
	return before && addr < list->range[before - 1].reach;
}

/**
 * arch_within_kprobe_blacklist - does the architecture keep probes out of this text?
 * @addr: an address
 *
 * Return: true if there may be no probe at @addr.
 */
bool __weak arch_within_kprobe_blacklist(unsigned long addr)
{
	return memory_contains(__kprobes_text_start, __kprobes_text_end,
			       (void *)addr, 1);
}

/**
 * arch_populate_kprobe_blacklist - add ranges that the architecture keeps probes out of
 *
 * Called once in boot. Calls kprobe_add_ksym_blacklist() and kprobe_add_area_blacklist().
 *
 * Return: 0 or a negative errno.
 */
int __weak arch_populate_kprobe_blacklist(void)
{
	return 0;
}

static bool black_address(unsigned long addr)
{
	return arch_within_kprobe_blacklist(addr) || in_blacklist(addr);
}

/*
 * The compiler may split or clone a function: foo.cold, foo.constprop.0. If foo is blacklisted,
 * so are these, but only the address of foo is in the list.
 */
static bool clone_of_black(unsigned long addr)
{
	char name[KSYM_NAME_LEN];
	unsigned long whole;
	char *dot;

	if (lookup_symbol_name(addr, name))
		return false;
	dot = strchr(name, '.');
	if (!dot)
		return false;
	*dot = '\0';
	whole = (unsigned long)kprobe_lookup_name(name, 0);
	return whole && black_address(whole);
}

/**
 * within_kprobe_blacklist - is this address blacklisted?
 * @addr: an address in kernel text
 *
 * Context: any.
 * Return: true if a probe at @addr is refused.
 */
bool within_kprobe_blacklist(unsigned long addr)
{
	return black_address(addr) || clone_of_black(addr);
}

/**
 * kprobe_place_is_black - is this place blacklisted?
 * @place: a place in kernel text, from kprobe_locate() or kprobe_place_at()
 *
 * As within_kprobe_blacklist(), but looks up the symbol only if its name has a dot.
 *
 * Context: any.
 * Return: true if a probe there is refused.
 */
bool kprobe_place_is_black(const struct kprobe_place *place)
{
	return black_address(place->addr) || (place->is_clone && clone_of_black(place->addr));
}

static const char *reason_at(unsigned long addr)
{
	const struct black_ranges *list = blacklist_locked();
	unsigned int i;

	for (i = list ? ranges_before(list, addr) : 0; i; i--) {
		if (addr < list->range[i - 1].end)
			return list->range[i - 1].why;
		if (addr >= list->range[i - 1].reach)
			break;
	}
	return arch_within_kprobe_blacklist(addr) ? by_arch : NULL;
}

/**
 * kprobe_blacklist_reason - why is an address blacklisted?
 * @addr: an address for which within_kprobe_blacklist() is true
 *
 * Context: process, kprobe_mutex held.
 * Return: the reason, a string constant.
 */
const char *kprobe_blacklist_reason(unsigned long addr)
{
	return reason_at(addr) ?: "part of a function that is kept free of probes";
}

static int add_section(const void *start, const void *end, const char *why)
{
	int ret;

	draft_why = why;
	ret = kprobe_add_area_blacklist((unsigned long)start, (unsigned long)end);
	draft_why = by_arch;
	return ret;
}

static const char by_mark[] = "on the hit path of probes: NOKPROBE_SYMBOL()";
static const char by_section[] = "on the hit path of probes: __kprobes";
static const char by_noinstr[] = "noinstr: runs where a trap cannot be taken";
static const char by_entry[] = "entry of an interrupt or exception";
static const char by_name[] = "on the hit path of probes: called by it";

static int add_function(unsigned long entry)
{
	int ret = kprobe_add_ksym_blacklist(entry);

	if (ret == -EINVAL)
		pr_warn("kprobes: no symbol at blacklisted %pS\n", (void *)entry);
	return ret == -ENOMEM ? ret : 0;
}

static int add_functions(const unsigned long *fn, const unsigned long *end)
{
	int ret = 0;

	draft_why = by_mark;
	for (; !ret && fn < end; fn++)
		ret = add_function((unsigned long)dereference_symbol_descriptor((void *)*fn));
	draft_why = by_arch;
	return ret;
}

/*
 * Functions of the hit path that have no NOKPROBE_SYMBOL(). preempt_schedule_notrace() is called
 * when preemption is enabled at the end of a hit. A hit in it, before it disables preemption,
 * would call it again. Some architectures do not mark their trampoline.
 *
 * Breakpoints enter the kernel like NMIs: irqentry_nmi_enter() calls the others before the handler
 * can notice a hit inside a hit. Clang does not inline ftrace_nmi_enter(). Two tracers count and
 * time NMIs there. On arm64 ct_nmi_exit() calls the last two, which clang does not inline, either.
 */
static const char * const hit_path_functions[] __initconst = {
	"arch_rethook_trampoline",
	"preempt_schedule_notrace",
	"ftrace_nmi_enter",
	"ftrace_nmi_exit",
	"trace_hwlat_callback",
	"trace_osnoise_callback",
	"trace_clock_local",
	"sched_clock",
	"__kern_my_cpu_offset",
	"preempt_count",
};

static int __init add_match(void *unused, unsigned long addr)
{
	return add_function(addr);
}

/* Several files may have a copy of an inline function. */
static int __init add_hit_path(void)
{
	unsigned int i;
	int ret = 0;

	draft_why = by_name;
	for (i = 0; !ret && i < ARRAY_SIZE(hit_path_functions); i++)
		ret = kallsyms_on_each_match_symbol(add_match, hit_path_functions[i], NULL);
	draft_why = by_arch;
	return ret;
}

/* Publish the blacklist of the kernel without modules. */
int __init kprobe_blacklist_init(void)
{
	int ret;

	guard(mutex)(&kprobe_mutex);
	ret = add_functions(__start_kprobe_blacklist,
			    __stop_kprobe_blacklist);
	ret = ret ?: add_section(__kprobes_text_start, __kprobes_text_end, by_section);
	ret = ret ?: add_section(__noinstr_text_start, __noinstr_text_end, by_noinstr);
	ret = ret ?: add_section(__irqentry_text_start, __irqentry_text_end, by_entry);
	ret = ret ?: add_hit_path();
	ret = ret ?: arch_populate_kprobe_blacklist();
	if (draft)
		draft_publish();
	return ret;
}

#ifdef CONFIG_MODULES
static void draft_drop_module(const struct module *mod)
{
	unsigned int from, to = 0;

	for (from = 0; from < draft->nr; from++) {
		if (!within_module(draft->range[from].start, mod))
			draft->range[to++] = draft->range[from];
	}
	draft->nr = to;
}

static void draft_add_module(const struct module *mod)
{
	int ret = 0;

	if (mod->kprobe_blacklist)
		ret = add_functions(mod->kprobe_blacklist,
				    mod->kprobe_blacklist +
				    mod->num_kprobe_blacklist);
	if (!ret && mod->kprobes_text_size)
		ret = add_section(mod->kprobes_text_start,
				  mod->kprobes_text_start +
				  mod->kprobes_text_size, by_section);
	if (!ret && mod->noinstr_text_size)
		ret = add_section(mod->noinstr_text_start,
				  mod->noinstr_text_start +
				  mod->noinstr_text_size, by_noinstr);
	if (ret)
		pr_warn("kprobes: %s: not all functions closed to probes: %d\n",
			mod->name, ret);
}

/**
 * kprobe_blacklist_module - add or remove the ranges of a module
 * @mod: the module
 * @coming: it is coming; else it is going
 *
 * Context: process, kprobe_mutex held.
 */
void kprobe_blacklist_module(struct module *mod, bool coming)
{
	struct black_ranges *now = blacklist_locked();

	if (!mod->num_kprobe_blacklist && !mod->kprobes_text_size &&
	    !mod->noinstr_text_size)
		return;
	draft = ranges_alloc(now, (now ? now->nr : 0) + 16);
	if (!draft) {
		/*
		 * A going module leaves ranges behind, which only keep out probes. The functions of
		 * a coming one can be probed.
		 */
		pr_warn("kprobes: %s: no memory for its blacklist\n", mod->name);
		return;
	}
	if (coming)
		draft_add_module(mod);
	else
		draft_drop_module(mod);
	draft_publish();
}

#endif /* CONFIG_MODULES */

/**
 * kprobe_blacklist_show - print the blacklist to a file of debugfs
 * @m: the file
 * @with_reasons: print why there are no probes in each range
 *
 * Return: 0.
 */
int kprobe_blacklist_show(struct seq_file *m, bool with_reasons)
{
	bool raw = kallsyms_show_value(m->file->f_cred);
	const struct black_ranges *list;
	const struct black_range *r;
	unsigned int i;

	guard(mutex)(&kprobe_mutex);
	list = blacklist_locked();
	for (i = 0; list && i < list->nr; i++) {
		r = &list->range[i];
		seq_printf(m, "0x%0*lx-0x%0*lx\t%ps", ADDR_DIGITS, raw ? r->start : 0,
			   ADDR_DIGITS, raw ? r->end : 0, (void *)r->start);
		if (with_reasons)
			seq_printf(m, "\t%s", r->why);
		seq_putc(m, '\n');
	}
	return 0;
}
