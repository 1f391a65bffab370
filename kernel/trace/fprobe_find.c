// SPDX-License-Identifier: GPL-2.0-only
/*
 * Function probes: find functions by name or by pattern.
 *
 * The results are addresses of ftrace's calls, in ascending order, each once.
 */
#include <linux/cleanup.h>
#include <linux/ctype.h>
#include <linux/err.h>
#include <linux/ftrace.h>
#include <linux/kallsyms.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>

#include "fprobe_internal.h"
#include "trace.h"

static int compare_ips(const void *a, const void *b)
{
	unsigned long x = *(const unsigned long *)a, y = *(const unsigned long *)b;

	return x < y ? -1 : x > y;
}

/**
 * fprobe_sort_ips - sort addresses and remove duplicates
 * @ips: the addresses
 * @nr: number of addresses
 *
 * Return: number of addresses that are left.
 */
unsigned int fprobe_sort_ips(unsigned long *ips, unsigned int nr)
{
	unsigned int i, kept = 0;

	sort(ips, nr, sizeof(*ips), compare_ips, NULL);
	for (i = 0; i < nr; i++) {
		if (!kept || ips[kept - 1] != ips[i])
			ips[kept++] = ips[i];
	}
	return kept;
}

/**
 * struct namesakes - functions of one name
 * @name: the name
 * @nr: number of functions
 * @ip: addresses of ftrace's calls in them
 * @unsure: @ip may lack functions, so ftrace has to search for them
 */
struct namesakes {
	const char	*name;
	unsigned int	nr;
	unsigned long	ip[8];
	bool		unsure;
};

/*
 * Skips a function for which kallsyms prefers another name. If ftrace's call is more than
 * ARCH_ENTRY_REACH behind the address, it may belong to another function, which has no name because
 * the linker dropped it.
 */
static int add_namesake(void *data, unsigned long addr)
{
	unsigned long ip = ftrace_location(addr);
	struct namesakes *found = data;
	char name[KSYM_NAME_LEN];

	if (!ip || lookup_symbol_name(addr, name) || strcmp(name, found->name))
		return 0;
	found->unsure = ip - addr > ARCH_ENTRY_REACH || found->nr == ARRAY_SIZE(found->ip);
	if (!found->unsure)
		found->ip[found->nr++] = ip;
	return found->unsure;
}

static int add_module_namesake(void *data, const char *name, unsigned long addr)
{
	struct namesakes *found = data;

	return strcmp(name, found->name) ? 0 : add_namesake(found, addr);
}

/**
 * fprobe_is_name - is a filter a name, not a pattern?
 * @filter: the filter
 *
 * Return: true if it is a name.
 */
bool fprobe_is_name(const char *filter)
{
	const char *c;

	for (c = filter; *c; c++) {
		if (!isalnum(*c) && *c != '_' && *c != '.')
			return false;
	}
	return *filter && !isdigit(*filter);
}

static unsigned long *copy_sorted(const unsigned long *ips, unsigned int *nr)
{
	unsigned long *copy = kvmalloc_array(*nr, sizeof(*copy), GFP_KERNEL);

	if (!copy)
		return ERR_PTR(-ENOMEM);
	memcpy(copy, ips, array_size(*nr, sizeof(*copy)));
	*nr = fprobe_sort_ips(copy, *nr);
	return copy;
}

/*
 * Find the functions of a name without a comparison to each function that ftrace knows. Returns
 * NULL if @name is a pattern, or if the result is not sure; -EINVAL as an ERR_PTR() if there is
 * no such function.
 */
static unsigned long *find_name(const char *name, unsigned int *nr)
{
	struct namesakes found = { .name = name };

	if (!fprobe_is_name(name))
		return NULL;
	kallsyms_on_each_match_symbol(add_namesake, name, &found);
	if (!found.unsure)
		module_kallsyms_on_each_symbol(NULL, add_module_namesake, &found);
	if (found.unsure)
		return NULL;
	if (!found.nr)
		return ERR_PTR(-EINVAL);
	*nr = found.nr;
	return copy_sorted(found.ip, nr);
}

/*
 * Ftrace matches patterns when it sets the filter of an ftrace_ops. @scratch is never registered.
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

/* Copy the functions of the filter to @ips; returns their number. */
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
	return fprobe_sort_ips(ips, nr);
}

static unsigned long *find_selected(struct ftrace_ops *scratch, unsigned int *nr)
{
	struct ftrace_hash *set = rcu_dereference_raw(scratch->func_hash->filter_hash);
	unsigned long *ips;

	/* "!pattern" is valid, but selects no function. */
	if (ftrace_hash_empty(set))
		return ERR_PTR(-EINVAL);
	ips = kvmalloc_array(set->count, sizeof(*ips), GFP_KERNEL);
	if (!ips)
		return ERR_PTR(-ENOMEM);
	*nr = selected(scratch, ips);
	return ips;
}

static unsigned long *find_matching(const char *filter, const char *notfilter, unsigned int *nr)
{
	struct ftrace_ops *scratch = kzalloc(sizeof(*scratch), GFP_KERNEL);
	unsigned long *ips;
	int ret;

	if (!scratch)
		return ERR_PTR(-ENOMEM);
	ret = set_patterns(scratch, filter, notfilter);
	ips = ret ? ERR_PTR(ret) : find_selected(scratch, nr);
	ftrace_free_filter(scratch);
	kfree(scratch);
	return ips;
}

/**
 * fprobe_find - find functions by a pattern
 * @filter: pattern as in set_ftrace_filter
 * @notfilter: pattern for names to exclude from what @filter matches, or NULL
 * @nr: receives the number of functions, which may be 0 with @notfilter
 *
 * Context: process. Sleeps.
 * Return: addresses of ftrace's calls in the functions, to be freed by kvfree(); or an ERR_PTR():
 * -EINVAL if one of the two matches no function that can be traced; -ENOMEM; or the error of
 * ftrace if it does not take a pattern.
 */
unsigned long *fprobe_find(const char *filter, const char *notfilter, unsigned int *nr)
{
	unsigned long *ips = notfilter ? NULL : find_name(filter, nr);

	return ips ?: find_matching(filter, notfilter, nr);
}

#ifdef CONFIG_MODULES
/* A search among the functions of a module. @nr may exceed @room; then @ips lacks some. */
struct module_search {
	bool		(*match)(const void *data, const char *name);
	const void	*data;
	unsigned long	*ips;
	unsigned int	room;
	unsigned int	nr;
};

static int add_matching(void *data, const char *name, unsigned long addr)
{
	struct module_search *search = data;
	char mostly[KSYM_NAME_LEN];
	unsigned long ip;

	if (!search->match(search->data, name))
		return 0;
	ip = ftrace_location(addr);
	if (!ip || lookup_symbol_name(addr, mostly) || strcmp(mostly, name))
		return 0;
	if (search->nr < search->room)
		search->ips[search->nr] = ip;
	search->nr++;
	return 0;
}

/**
 * fprobe_find_in - find functions of a module by name
 * @module: name of the module
 * @match: returns true for the names to find
 * @data: argument of @match
 * @nr: receives the number of functions
 *
 * Context: process. Sleeps.
 * Return: as fprobe_find(), but NULL if no function matches.
 */
unsigned long *fprobe_find_in(const char *module,
			      bool (*match)(const void *data, const char *name),
			      const void *data, unsigned int *nr)
{
	struct module_search search = { .match = match, .data = data };

	module_kallsyms_on_each_symbol(module, add_matching, &search);
	*nr = 0;
	if (!search.nr)
		return NULL;
	search.ips = kvmalloc_array(search.nr, sizeof(*search.ips), GFP_KERNEL);
	if (!search.ips)
		return ERR_PTR(-ENOMEM);
	search.room = search.nr;
	search.nr = 0;
	module_kallsyms_on_each_symbol(module, add_matching, &search);
	*nr = fprobe_sort_ips(search.ips, min(search.nr, search.room));
	return search.ips;
}
#endif /* CONFIG_MODULES */
