// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reasons why probes were refused: the file probe_errors of tracefs.
 *
 * Callers of perf_event_open() and bpf(), and modules, get only an errno. So code that refuses a
 * probe adds a line to this file: the task, the function that it called, the place of the probe,
 * the errno, the reason, and a hint.
 *
 * This depends on no other file of probes. All code that hooks or probes functions may call it.
 */
#include <linux/err.h>
#include <linux/init.h>
#include <linux/kallsyms.h>
#include <linux/list.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/overflow.h>
#include <linux/probe_errors.h>
#include <linux/sched.h>
#include <linux/sched/clock.h>
#include <linux/security.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/string_helpers.h>
#include <asm/probe_args.h>

#include "trace.h"

/* Only the latest lines are kept, so that a caller that repeats a call uses no more memory. */
#define MAX_ERRORS	64
#define MAX_REASON	512

/**
 * struct kept_error - a line of the file
 * @list:	links it in kept_errors, the newest last
 * @time:	local_clock() of the last refusal
 * @times:	number of equal refusals in a row
 * @call:	as in struct probe_refusal
 * @addr:	the address that the caller gave, 0 if it gave a symbol
 * @err:	errno
 * @pid:	pid of the caller, in the initial namespace
 * @comm:	name of the caller
 * @where:	symbol and offset
 * @reason:	reason and hint
 */
struct kept_error {
	struct list_head	list;
	u64			time;
	unsigned int		times;
	const char		*call;
	unsigned long		addr;
	int			err;
	pid_t			pid;
	char			comm[TASK_COMM_LEN];
	char			where[KSYM_SYMBOL_LEN];
	char			reason[MAX_REASON];
};

/* Guards kept_errors, its entries and nr_kept. No other lock is taken under it. */
static DEFINE_MUTEX(errors_mutex);
static LIST_HEAD(kept_errors);
static unsigned int nr_kept;

static void describe_place(struct kept_error *kept, const struct probe_refusal *e)
{
	if (e->symbol && e->offset)
		snprintf(kept->where, sizeof(kept->where), "%s+0x%lx", e->symbol, e->offset);
	else if (e->symbol)
		strscpy(kept->where, e->symbol);
	else if (e->addr)
		snprintf(kept->where, sizeof(kept->where), "%pS", (void *)(e->addr + e->offset));
	else
		strscpy(kept->where, "(no place)");
	kept->addr = e->symbol || !e->addr ? 0 : e->addr + e->offset;
	/* Without a symbol, %pS prints the address, which not all readers may see. */
	if (kept->addr && str_has_prefix(kept->where, "0x"))
		strscpy(kept->where, "(no symbol)");
}

/* Callers that try again, or bisect an array of probes, cause equal lines. */
static bool is_same(const struct kept_error *a, const struct kept_error *b)
{
	return a->pid == b->pid && a->err == b->err && a->addr == b->addr &&
	       !strcmp(a->where, b->where) && !strcmp(a->reason, b->reason);
}

/* Add a line. Returns a line to be freed, or NULL. */
static struct kept_error *take_in(struct kept_error *kept)
{
	struct kept_error *old;

	lockdep_assert_held(&errors_mutex);
	if (nr_kept) {
		old = list_last_entry(&kept_errors, struct kept_error, list);
		if (is_same(old, kept)) {
			kept->times += old->times;
			list_replace(&old->list, &kept->list);
			return old;
		}
	}
	list_add_tail(&kept->list, &kept_errors);
	if (nr_kept < MAX_ERRORS) {
		nr_kept++;
		return NULL;
	}
	old = list_first_entry(&kept_errors, struct kept_error, list);
	list_del(&old->list);
	return old;
}

static void keep(struct kept_error *kept)
{
	struct kept_error *old;

	mutex_lock(&errors_mutex);
	old = take_in(kept);
	mutex_unlock(&errors_mutex);
	kfree(old);
}

/**
 * probe_error - add a line to probe_errors
 * @e: the probe that is refused
 * @reason: the reason, without a capital letter and a full stop
 * @hint: a hint, or NULL
 *
 * Does nothing if there is no memory.
 *
 * Context: process, any locks but that of tracefs. May sleep.
 */
void probe_error(const struct probe_refusal *e, const char *reason, const char *hint)
{
	struct kept_error *kept = kzalloc(sizeof(*kept), GFP_KERNEL | __GFP_NOWARN);

	if (!kept)
		return;
	kept->time = local_clock();
	kept->times = 1;
	kept->call = e->call;
	kept->err = e->err;
	kept->pid = current->pid;
	get_task_comm(kept->comm, current);
	describe_place(kept, e);
	snprintf(kept->reason, sizeof(kept->reason), hint ? "%s; %s" : "%s", reason, hint);
	keep(kept);
}

/* Does the kernel itself have a symbol of this name? */
static int note_match(void *data, unsigned long addr)
{
	*(bool *)data = true;
	return 1;
}

static bool is_symbol(const char *name)
{
	bool found = false;

	kallsyms_on_each_match_symbol(note_match, name, &found);
	return found;
}

#define SYSCALL_PREFIX	"sys_"

/* Find the function that a system call enters on this architecture. */
static bool find_wrapper(char *name, size_t room, const char *symbol)
{
	static const char * const prefixes[] = { ARCH_SYSCALL_PREFIXES NULL };
	size_t cut = str_has_prefix(symbol, SYSCALL_PREFIX);
	unsigned int i;

	for (i = 0; cut && prefixes[i]; i++) {
		snprintf(name, room, "%s%s", prefixes[i], symbol + cut);
		if (is_symbol(name))
			return true;
	}
	return false;
}

/* Names that the compiler, or authors, derive from a name. */
static const char * const other_names[] = {
	"%s.isra.0", "%s.constprop.0", "%s.part.0", "%s.isra.0.constprop.0",
	"__se_%s", "__do_%s", "__%s", "do_%s",
};

static bool find_other_name(char *name, size_t room, const char *symbol)
{
	unsigned int i;

	if (find_wrapper(name, room, symbol))
		return true;
	for (i = 0; i < ARRAY_SIZE(other_names); i++) {
		snprintf(name, room, other_names[i], symbol);
		if (is_symbol(name))
			return true;
	}
	return false;
}

#ifdef CONFIG_MODULES
/* "MOD:SYM": is MOD loaded? */
static bool module_is_there(const char *symbol, size_t len)
{
	char name[MODULE_NAME_LEN];

	if (len >= sizeof(name))
		return false;
	strscpy(name, symbol, len + 1);
	guard(preempt)();
	return find_module(name);
}
#else
static bool module_is_there(const char *symbol, size_t len)
{
	return false;
}
#endif

/**
 * probe_error_no_symbol - add a line for a symbol that does not exist, with a similar one
 * @e: the probe, with a symbol
 *
 * Context: as probe_error().
 */
void probe_error_no_symbol(const struct probe_refusal *e)
{
	const char *colon = strchr(e->symbol, ':');
	char hint[KSYM_NAME_LEN + 16] = "there is ";
	size_t used = strlen(hint);

	if (colon && !module_is_there(e->symbol, colon - e->symbol))
		probe_error(e, "this module is not loaded", NULL);
	else if (colon)
		probe_error(e, "no such symbol in this module", NULL);
	else if (find_other_name(hint + used, sizeof(hint) - used, e->symbol))
		probe_error(e, "no such symbol", hint);
	else
		probe_error(e, "no such symbol, in the kernel or in a module that is loaded", NULL);
}

/**
 * probe_error_names - add a line for one of several functions that cannot be hooked
 * @call: the function that refuses them
 * @names: their names, sorted
 * @addrs: their addresses, 0 for those that ftrace_lookup_symbols() has not found
 * @nr: number of names
 * @err: negative errno that the caller gets
 *
 * Does nothing if all have been found.
 *
 * Context: as probe_error().
 */
void probe_error_names(const char *call, const char * const *names, const unsigned long *addrs,
		       unsigned int nr, int err)
{
	struct probe_refusal e = { .call = call, .err = err };
	unsigned int i = 0;

	while (i < nr && addrs[i])
		i++;
	if (i == nr)
		return;
	e.symbol = names[i];
	if ((i && !strcmp(names[i - 1], e.symbol)) ||
	    (i + 1 < nr && !strcmp(names[i + 1], e.symbol)))
		probe_error(&e, "given twice", NULL);
	else if (kallsyms_lookup_name(e.symbol))
		probe_error(&e, "notrace function, or no function", NULL);
	else
		probe_error_no_symbol(&e);
}

/**
 * probe_error_override - add a line for a function whose result may not be overridden
 * @call: the function that refuses it
 * @addr: the function's address
 *
 * Context: as probe_error().
 */
void probe_error_override(const char *call, unsigned long addr)
{
	const struct probe_refusal e = { .call = call, .addr = addr, .err = -EINVAL };

	probe_error(&e, "not marked with ALLOW_ERROR_INJECTION()", NULL);
}

/* tracefs */

static void *errors_start(struct seq_file *m, loff_t *pos)
{
	mutex_lock(&errors_mutex);
	return seq_list_start(&kept_errors, *pos);
}

static void *errors_next(struct seq_file *m, void *v, loff_t *pos)
{
	return seq_list_next(v, &kept_errors, pos);
}

static void errors_stop(struct seq_file *m, void *v)
{
	mutex_unlock(&errors_mutex);
}

/* Users choose names of tasks and symbols. Escape them, so that they cannot fake a line. */
static void show_text(struct seq_file *m, const char *text)
{
	seq_escape_str(m, text, ESCAPE_NP | ESCAPE_OCTAL, NULL);
}

static int errors_show(struct seq_file *m, void *v)
{
	const struct kept_error *kept = list_entry(v, struct kept_error, list);
	u64 sec = kept->time;
	u32 nsec = do_div(sec, NSEC_PER_SEC);

	seq_printf(m, "[%5llu.%06u] ", sec, nsec / 1000);
	show_text(m, kept->comm);
	seq_printf(m, "-%d: %s: ", kept->pid, kept->call);
	if (kept->addr && kallsyms_show_value(m->file->f_cred))
		seq_printf(m, "0x%lx ", kept->addr);
	show_text(m, kept->where);
	seq_printf(m, ": %pe: ", ERR_PTR(kept->err));
	show_text(m, kept->reason);
	if (kept->times > 1)
		seq_printf(m, " (%u times)", kept->times);
	seq_putc(m, '\n');
	return 0;
}

static const struct seq_operations errors_seq = {
	.start	= errors_start,
	.next	= errors_next,
	.stop	= errors_stop,
	.show	= errors_show,
};

static void forget_all(void)
{
	struct kept_error *kept, *next;
	LIST_HEAD(all);

	mutex_lock(&errors_mutex);
	list_splice_init(&kept_errors, &all);
	nr_kept = 0;
	mutex_unlock(&errors_mutex);
	list_for_each_entry_safe(kept, next, &all, list)
		kfree(kept);
}

/* As with error_log, truncation clears it. */
static int errors_open(struct inode *inode, struct file *file)
{
	int err = security_locked_down(LOCKDOWN_TRACEFS);

	if (err)
		return err;
	if (file->f_mode & FMODE_WRITE && file->f_flags & O_TRUNC)
		forget_all();
	return seq_open(file, &errors_seq);
}

static ssize_t errors_write(struct file *file, const char __user *text, size_t len, loff_t *pos)
{
	return len;
}

static const struct file_operations errors_fops = {
	.open		= errors_open,
	.release	= seq_release,
	.read		= seq_read,
	.write		= errors_write,
	.llseek		= seq_lseek,
};

static int __init probe_errors_init(void)
{
	if (tracing_init_dentry())
		return 0;
	trace_create_file("probe_errors", TRACE_MODE_WRITE, NULL, NULL, &errors_fops);
	return 0;
}
fs_initcall(probe_errors_init);
