// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Kprobe events: find the functions of a name.
 *
 *	SYM@*		all functions of that name, and their clones
 *	SYM		one; if there are several, error_log lists a unique place for each
 */
#include <kunit/static_stub.h>
#include <linux/cleanup.h>
#include <linux/kallsyms.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/preempt.h>
#include <linux/seq_buf.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <asm/probe_args.h>
#include <asm/sections.h>

#include "../trace.h"
#include "kprobe.h"

#define SYSCALL_PREFIX	"sys_"

static const char * const syscall_prefixes[] = { ARCH_SYSCALL_PREFIXES NULL };

/* All functions of a name */

/**
 * struct name_wanted - "[MOD:]SYM@*"
 * @module:	MOD, empty if there is none
 * @name:	SYM, with the text behind it
 * @len:	length of SYM
 */
struct name_wanted {
	char		module[MODULE_NAME_LEN];
	const char	*name;
	size_t		len;
};

/* Returns false if MOD cannot be the name of a module. */
static bool read_wanted(const char *symbol, struct name_wanted *wanted)
{
	const char *colon = strchr(symbol, ':');

	wanted->module[0] = '\0';
	wanted->name = symbol;
	if (colon) {
		if (colon == symbol || colon - symbol >= sizeof(wanted->module))
			return false;
		strscpy(wanted->module, symbol, colon - symbol + 1);
		wanted->name = colon + 1;
	}
	wanted->len = strcspn(wanted->name, "@");
	return wanted->len;
}

/* Skip a suffix that compilers add to the name of a clone, with its number. */
static const char *skip_clone(const char *suffix)
{
	static const char * const clones[] = {
		".isra.", ".constprop.", ".part.", ".llvm.", ".lto_priv.",
	};
	size_t i, len, digits;

	for (i = 0; i < ARRAY_SIZE(clones); i++) {
		len = strlen(clones[i]);
		if (strncmp(suffix, clones[i], len))
			continue;
		digits = strspn(suffix + len, "0123456789");
		return digits ? suffix + len + digits : NULL;
	}
	return NULL;
}

/* Is @symbol that name, or a clone of it? Not for ".cold", which is not a function by itself. */
static bool is_or_comes_of(const char *symbol, const char *name, size_t len)
{
	const char *rest = symbol + len;

	if (strncmp(symbol, name, len))
		return false;
	while (rest && *rest)
		rest = skip_clone(rest);
	return rest;
}

static bool is_wanted(const struct name_wanted *wanted, const char *symbol)
{
	const size_t cut = strlen(SYSCALL_PREFIX);
	const char * const *prefix = syscall_prefixes;
	size_t len;

	if (is_or_comes_of(symbol, wanted->name, wanted->len))
		return true;
	if (!str_has_prefix(wanted->name, SYSCALL_PREFIX))
		return false;
	for (; *prefix; prefix++) {
		len = str_has_prefix(symbol, *prefix);
		if (len && is_or_comes_of(symbol + len, wanted->name + cut, wanted->len - cut))
			return true;
	}
	return false;
}

static bool is_text(unsigned long addr)
{
	return core_kernel_text(addr) || is_module_text_address(addr);
}

struct name_search {
	struct name_wanted	wanted;
	struct kprobe_found	*found;
};

/* One function may have several names. */
static bool has_address(const struct kprobe_found *found, unsigned long addr)
{
	unsigned int i;

	for (i = 0; i < found->nr; i++) {
		if (found->addr[i] == addr)
			return true;
	}
	return false;
}

static int add_wanted(void *data, const char *symbol, unsigned long addr)
{
	struct name_search *search = data;
	struct kprobe_found *found = search->found;

	if (!is_wanted(&search->wanted, symbol) || !is_text(addr))
		return 0;
	found->moved |= symbol_may_have_moved(symbol);
	if (has_address(found, addr))
		return 0;
	found->more = found->nr == ARRAY_SIZE(found->addr);
	if (!found->more)
		found->addr[found->nr++] = addr;
	return found->more;
}

static int stop_if_wanted(void *data, const char *symbol, unsigned long addr)
{
	struct name_search *search = data;

	return is_wanted(&search->wanted, symbol) && is_text(addr);
}

static int walk(struct name_search *search, const char *module,
		int (*visit)(void *data, const char *symbol, unsigned long addr))
{
	const char *named = search->wanted.module;
	int ret = 0;

	if (!*named && !module)
		ret = kallsyms_on_each_symbol(visit, search);
	if (!ret)
		ret = module_kallsyms_on_each_symbol(module ?: *named ? named : NULL, visit,
						     search);
	return ret;
}

/**
 * kprobe_names_find - find all functions of a name
 * @symbol: "[MOD:]SYM@*"
 * @module: search in this module only; NULL for MOD, or the kernel and all modules
 * @found: receives the functions
 *
 * Context: may sleep.
 * Return: 0, -E2BIG if there are too many, -ENOENT if there is none.
 */
int kprobe_names_find(const char *symbol, const char *module, struct kprobe_found *found)
{
	struct name_search search = { .found = found };

	KUNIT_STATIC_STUB_REDIRECT(kprobe_names_find, symbol, module, found);

	found->nr = 0;
	found->more = false;
	found->moved = false;
	if (!read_wanted(symbol, &search.wanted))
		return -ENOENT;
	walk(&search, module, add_wanted);
	if (found->more)
		return -E2BIG;
	return found->nr ? 0 : -ENOENT;
}

static int stop_at_text(void *unused, unsigned long addr)
{
	return is_text(addr);
}

/* Is there a function of exactly this name in the kernel, without modules? */
static bool is_function(const char *name)
{
	return kallsyms_on_each_match_symbol(stop_at_text, name, NULL);
}

/* The first function that exists for a system call; NULL if there is none, or no memory. */
static char *find_wrapper(const struct name_wanted *wanted)
{
	const size_t cut = strlen(SYSCALL_PREFIX);
	const char * const *prefix = syscall_prefixes;
	char *name;

	if (!str_has_prefix(wanted->name, SYSCALL_PREFIX))
		return NULL;
	for (; *prefix; prefix++) {
		name = kasprintf(GFP_KERNEL, "%s%.*s", *prefix, (int)(wanted->len - cut),
				 wanted->name + cut);
		if (!name || is_function(name))
			return name;
		kfree(name);
	}
	return NULL;
}

/**
 * kprobe_names_look - are there functions of a name?
 * @symbol: "[MOD:]SYM@*"
 * @function: set to their name in BTF, allocated
 *
 * Faster than kprobe_names_find() in most cases.
 *
 * Context: may sleep.
 * Return: 0 if there is one, or if MOD is not loaded; -ENOENT, -ENOMEM.
 */
int kprobe_names_look(const char *symbol, char **function)
{
	struct name_search search = { };
	struct name_wanted *wanted = &search.wanted;
	char *wrapper;

	if (!read_wanted(symbol, wanted))
		return -ENOENT;
	*function = kmemdup_nul(symbol, wanted->name + wanted->len - symbol, GFP_KERNEL);
	if (!*function)
		return -ENOMEM;
	if (*wanted->module && !symbol_module_present(symbol, strlen(wanted->module)))
		return 0;
	if (!*wanted->module && is_function(*function))
		return 0;
	wrapper = *wanted->module ? NULL : find_wrapper(wanted);
	if (wrapper) {
		kfree(*function);
		*function = wrapper;
		return 0;
	}
	return walk(&search, NULL, stop_if_wanted) ? 0 : -ENOENT;
}

/* Names that are not unique */

/* Maximum number of functions that are listed. */
#define NAMESAKES_TOLD	8

/* Maximum number of functions before @addr that are checked for a unique name. */
#define MAX_STEPS	64

#define MAX_TOLD	1024

struct namesakes {
	const char	*name;
	unsigned int	nr;
	unsigned long	addr[NAMESAKES_TOLD];
};

static int add_namesake(void *data, unsigned long addr)
{
	struct namesakes *all = data;

	if (!is_text(addr))
		return 0;
	if (all->nr < ARRAY_SIZE(all->addr))
		all->addr[all->nr] = addr;
	all->nr++;
	return 0;
}

static int add_module_namesake(void *data, const char *symbol, unsigned long addr)
{
	struct namesakes *all = data;

	return strcmp(symbol, all->name) ? 0 : add_namesake(all, addr);
}

/* Is @addr the only address of this name? */
static bool selects(const char *symbol, unsigned long addr)
{
	unsigned long base;

	return !kprobe_spec_resolve(symbol, &base) && kallsyms_lookup_name(symbol) == addr;
}

/* Symbols of padding cannot be the base of a place. */
static bool is_padding(const char *name)
{
	return str_has_prefix(name, "__pfx_") || str_has_prefix(name, "__cfi_");
}

/**
 * struct selector - a unique place for one of several functions
 * @module:	the function's module, empty if it is in the kernel
 * @name:	memory for names
 * @symbol:	a unique "[MOD:]SYM"
 */
struct selector {
	char	module[MODULE_NAME_LEN];
	char	name[KSYM_NAME_LEN];
	char	symbol[MODULE_NAME_LEN + 1 + KSYM_NAME_LEN];
};

/* Set the module to the one of @addr. Returns false if there is no symbol. */
static bool find_module_of(unsigned long addr, struct selector *sel)
{
	unsigned long into;
	char *module;

	/* The name is memory of the module, which cannot be freed while preemption is off. */
	guard(preempt)();
	if (!kallsyms_lookup(addr, NULL, &into, &module, sel->name))
		return false;
	strscpy(sel->module, module ?: "");
	return true;
}

/*
 * Set the name to the symbol before *@start, and *@start to its address. Returns false if there is
 * none in the kernel, or in the module.
 */
static bool symbol_before(unsigned long *start, struct selector *sel)
{
	unsigned long addr = *start - 1, into;
	char *module;

	/* As in find_module_of(). */
	guard(preempt)();
	if (!kallsyms_lookup(addr, NULL, &into, &module, sel->name))
		return false;
	*start = addr - into;
	return !strcmp(module ?: "", sel->module);
}

static bool name_selects(const char *name, unsigned long addr, struct selector *sel)
{
	snprintf(sel->symbol, sizeof(sel->symbol), "%s%s%s", sel->module,
		 *sel->module ? ":" : "", name);
	return selects(sel->symbol, addr);
}

/* Find a unique symbol. Returns the offset of @addr from it, or -ENOENT. */
static long find_selector(unsigned long addr, const char *own, struct selector *sel)
{
	unsigned long start = addr;
	int i;

	if (!find_module_of(addr, sel))
		return -ENOENT;
	if (*sel->module && name_selects(own, addr, sel))
		return 0;
	for (i = 0; i < MAX_STEPS && symbol_before(&start, sel); i++) {
		if (!is_padding(sel->name) && name_selects(sel->name, start, sel))
			return addr - start;
	}
	return -ENOENT;
}

static bool tell_one(struct seq_buf *text, unsigned long addr, const char *own,
		     unsigned long offset, struct selector *sel)
{
	size_t had = text->len;
	long more = find_selector(addr, own, sel);

	if (more < 0)
		return false;
	seq_buf_printf(text, " %s", sel->symbol);
	if (more + offset)
		seq_buf_printf(text, "+0x%lx", more + offset);
	if (!seq_buf_has_overflowed(text))
		return true;
	text->len = had;
	return false;
}

static void tell_all(struct seq_buf *text, const struct namesakes *all, unsigned long offset,
		     struct selector *sel)
{
	unsigned int i, told = 0;

	seq_buf_printf(text, "%s:", all->name);
	for (i = 0; i < min(all->nr, NAMESAKES_TOLD); i++)
		told += tell_one(text, all->addr[i], all->name, offset, sel);
	if (told < all->nr)
		seq_buf_printf(text, " and %u more", all->nr - told);
}

/**
 * kprobe_names_list - list a unique place for each of several functions of a name
 * @symbol: "[MOD:]SYM"
 * @offset: offset from there
 *
 * Context: may sleep.
 * Return: "SYM: SELECTOR...", to be freed by kfree(); NULL if there is nothing to list, or no
 * memory.
 */
char *kprobe_names_list(const char *symbol, unsigned long offset)
{
	struct selector *sel __free(kfree) = kmalloc(sizeof(*sel), GFP_KERNEL);
	char *room __free(kfree) = kzalloc(MAX_TOLD, GFP_KERNEL);
	struct name_wanted wanted;
	struct namesakes all = { };
	struct seq_buf text;

	if (!sel || !room || !read_wanted(symbol, &wanted))
		return NULL;
	all.name = wanted.name;
	if (!*wanted.module)
		kallsyms_on_each_match_symbol(add_namesake, all.name, &all);
	module_kallsyms_on_each_symbol(*wanted.module ? wanted.module : NULL,
				       add_module_namesake, &all);
	if (!all.nr)
		return NULL;
	/* Leave some bytes for the number of other functions. */
	seq_buf_init(&text, room, MAX_TOLD - 32);
	tell_all(&text, &all, offset, sel);
	return_ptr(room);
}

/**
 * kprobe_names_tell - write to error_log a unique place for each of several functions of a name
 * @symbol: "[MOD:]SYM"
 * @offset: offset from there
 *
 * This is an entry of its own. The entry for the error in the command follows it.
 *
 * Context: may sleep.
 */
void kprobe_names_tell(const char *symbol, unsigned long offset)
{
	char *list __free(kfree) = kprobe_names_list(symbol, offset);
	static const char *text_of_entry = "Each of these is one place";

	if (list)
		tracing_log_err(NULL, "trace_kprobe", list, &text_of_entry, 0, 0);
}
