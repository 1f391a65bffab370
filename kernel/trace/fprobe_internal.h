/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Function probes: what their files share, and what events on functions use.
 *
 *	fprobe.c		registering and unregistering
 *	fprobe_hit.c		hits
 *	fprobe_find.c		names and patterns -> where ftrace calls from
 *	fprobe_targets.c	the functions of an fprobe
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
 * struct fprobe_targets - functions of an fprobe, of the kernel or of one module
 * @next: those of others
 * @rcu: frees this
 * @nr_left: how many hooks have left with their module's text
 * @nr: how many there are
 * @hook: one for each, by address
 *
 * Guarded by fprobe_mutex, but for the hooks.
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
 * @ips: where ftrace calls from in them, each once
 * @nr: how many
 * @more: @fp is registered, for other functions
 * @targets: private, what is made of them
 */
struct fprobe_ips {
	struct fprobe		*fp;
	const unsigned long	*ips;
	unsigned int		nr;
	bool			more;
	struct fprobe_targets	*targets;
};

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

/* fprobe.c */
int fprobe_check(const struct fprobe *fp);
int fprobes_hook(struct fprobe_ips *each, int num);
int fprobe_widen(struct fprobe *fp);

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
