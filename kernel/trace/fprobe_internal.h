/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Function probes: declarations for their files and for events on functions.
 *
 *	fprobe.c		registers and unregisters fprobes
 *	fprobe_hit.c		runs handlers
 *	fprobe_find.c		finds functions by names and patterns
 *	fprobe_targets.c	manages the functions of an fprobe
 */
#ifndef _KERNEL_TRACE_FPROBE_INTERNAL_H
#define _KERNEL_TRACE_FPROBE_INTERNAL_H

#include <linux/entry_hook.h>
#include <linux/fprobe.h>
#include <linux/rcupdate.h>
#include <linux/rethook.h>
#include <linux/types.h>

struct module;

/**
 * struct fprobe_targets - functions of an fprobe that are all in the kernel or all in one module
 * @next: the next functions of the same fprobe
 * @rcu: frees the struct
 * @nr_left: number of hooks that have left because their module's text is freed
 * @nr: number of hooks; set once
 * @hook: a hook for each function, sorted by address; &struct entry_hook says what guards it
 *
 * @next and @nr_left are guarded by fprobe_mutex.
 */
struct fprobe_targets {
	struct fprobe_targets	*next;
	struct rcu_head		rcu;
	unsigned int		nr_left;
	unsigned int		nr;
	struct entry_hook	hook[] __counted_by(nr);
};

/**
 * struct fprobe_ips - functions that are to call an fprobe
 * @fp: the fprobe
 * @ips: addresses of ftrace's calls in them, each once
 * @nr: number of addresses
 * @more: @fp is registered already, for other functions
 * @targets: private, the functions of @ips, until @fp gets them
 */
struct fprobe_ips {
	struct fprobe		*fp;
	const unsigned long	*ips;
	unsigned int		nr;
	bool			more;
	struct fprobe_targets	*targets;
};

/**
 * struct fprobe_call - a call whose return is hooked
 * @node: the node of the return hook
 * @entry_ip: address of ftrace's call
 * @data: shared by the two handlers
 */
struct fprobe_call {
	struct rethook_node	node;
	unsigned long		entry_ip;
	char			data[] __aligned(sizeof(long));
};

/* fprobe.c */
int fprobe_check(const struct fprobe *fp);
int fprobes_hook(struct fprobe_ips *each, int num);
int fprobe_widen(struct fprobe *fp);
bool fprobe_module_announced(const struct module *mod);

/* fprobe_hit.c */
rethook_handler_t fprobe_return_handler(const struct fprobe *fp);
void fprobe_set_hook(struct entry_hook *hook, struct fprobe *fp, unsigned long ip);

/* fprobe_targets.c */
struct fprobe_targets *fprobe_make_targets(struct fprobe *fp, const unsigned long *ips,
					   unsigned int nr, bool strict);
unsigned int fprobe_skip_going(unsigned long *ips, unsigned int nr);
void fprobe_free_targets(struct fprobe_targets *targets);
void fprobe_free_targets_later(struct fprobe_targets *targets);
void fprobe_throttle(void);
void fprobe_add_targets(struct fprobe *fp, struct fprobe_targets *targets);
struct entry_hook *fprobe_add_hooks(struct fprobe_targets *targets, struct entry_hook *batch);
struct entry_hook *fprobe_text_hooks(struct fprobe *fp, unsigned long start,
				     unsigned long end, struct entry_hook *batch);
void fprobe_drop_left(struct fprobe *fp);

/* fprobe_find.c */
unsigned int fprobe_sort_ips(unsigned long *ips, unsigned int nr);
bool fprobe_is_name(const char *filter);
unsigned long *fprobe_find(const char *filter, const char *notfilter, unsigned int *nr);
#ifdef CONFIG_MODULES
unsigned long *fprobe_find_in(const char *module,
			      bool (*match)(const void *data, const char *name),
			      const void *data, unsigned int *nr);
#else
static inline unsigned long *fprobe_find_in(const char *module,
					    bool (*match)(const void *data, const char *name),
					    const void *data, unsigned int *nr)
{
	return NULL;
}
#endif

#endif /* _KERNEL_TRACE_FPROBE_INTERNAL_H */
