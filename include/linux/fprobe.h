/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Function probes: handlers at the entry and the return of many functions at a time.
 *
 * See Documentation/trace/fprobe.rst for how to use them, kernel/trace/fprobe.c for how
 * they work.
 */
#ifndef _LINUX_FPROBE_H
#define _LINUX_FPROBE_H

#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/ftrace.h>
#include <linux/list.h>
#include <linux/types.h>

struct pt_regs;
struct rethook;

struct fprobe;
struct fprobe_targets;

/**
 * typedef fprobe_entry_t - what runs when a function is entered
 * @fp: the fprobe
 * @entry_ip: where ftrace calls from in the function
 * @ret_ip: where the function is going to return to
 * @regs: the registers, all of them; see FPROBE_FL_ARGS
 * @entry_data: for the handler at the exit, of &fprobe.entry_data_size bytes as the last
 *	call left them; NULL if that is 0 or there is no such handler
 *
 * Context: any, NMI included; preemption is off.
 * Return: 0, or else the handler at the exit is not called for this call.
 */
typedef int (*fprobe_entry_t)(struct fprobe *fp, unsigned long entry_ip,
			      unsigned long ret_ip, struct pt_regs *regs, void *entry_data);

/**
 * typedef fprobe_exit_t - what runs when a function has returned
 * @fp: the fprobe
 * @entry_ip: as at the entry
 * @ret_ip: where it returned to; so does the instruction pointer in @regs
 * @regs: the registers, all of them; what is written to them takes effect
 * @entry_data: as at the entry
 *
 * Context: as the call's; preemption is off.
 */
typedef void (*fprobe_exit_t)(struct fprobe *fp, unsigned long entry_ip,
			      unsigned long ret_ip, struct pt_regs *regs, void *entry_data);

/* Flags of struct fprobe: do not call the handlers for the time being, */
#define FPROBE_FL_DISABLED	BIT(0)
/* and: the handlers also serve kprobes, so never nest the ones in the others. */
#define FPROBE_FL_KPROBE_SHARED	BIT(1)
/*
 * and: of @regs, the handler at the entry uses only parameters of the function, the stack, frame
 * and instruction pointers. The other registers may have any value then.
 */
#define FPROBE_FL_ARGS		BIT(2)

/**
 * struct fprobe - handlers for the functions that it is registered for
 * @nmissed: calls that a handler should have seen and did not: one that came from a
 *	handler (neither of the two was called), or whose return could not be hooked for
 *	want of memory or because of @nr_maxactive (neither was called), or that returned
 *	while a handler was running (@exit_handler was not called)
 * @flags: FPROBE_FL_*; set FPROBE_FL_KPROBE_SHARED and FPROBE_FL_ARGS before registering, change
 *	FPROBE_FL_DISABLED with disable_fprobe() and enable_fprobe()
 * @entry_data_size: bytes that the two handlers share for each call, in @entry_data
 * @nr_maxactive: calls whose return is hooked at a time, at most; 0 for as many as there
 *	are. More are missed
 * @entry_handler: called when a function is entered, or NULL. If it returns other than 0,
 *	@exit_handler is not called for this call
 * @exit_handler: called when the call returns, or NULL
 * @nexhausted: private, those of @nmissed whose return could not be hooked
 * @rethook: private, the pool of hooked calls; NULL without @exit_handler
 * @targets: private, the functions
 * @registered: private, in the list of registered fprobes
 *
 * Set what is not private before registering; what is not set has to be 0. The memory
 * must stay until unregister_fprobe() has returned.
 *
 * Functions that a handler calls are not reported to other handlers.
 */
struct fprobe {
	unsigned long		nmissed;
	unsigned int		flags;
	size_t			entry_data_size;
	int			nr_maxactive;

	fprobe_entry_t		entry_handler;
	fprobe_exit_t		exit_handler;

	unsigned long		nexhausted;
	struct rethook		*rethook;	/* set before its hooks join, read by hits */
	struct fprobe_targets	*targets;
	struct list_head	registered;
};

/**
 * fprobe_disabled() - are the handlers of an fprobe off?
 * @fp: the fprobe
 *
 * Context: any.
 * Return: true if so.
 */
static inline bool fprobe_disabled(struct fprobe *fp)
{
	return fp && READ_ONCE(fp->flags) & FPROBE_FL_DISABLED;
}

/**
 * fprobe_shared_with_kprobes() - do the handlers of an fprobe serve kprobes, too?
 * @fp: the fprobe
 *
 * Context: any.
 * Return: true if so.
 */
static inline bool fprobe_shared_with_kprobes(struct fprobe *fp)
{
	return fp && fp->flags & FPROBE_FL_KPROBE_SHARED;
}

/**
 * disable_fprobe() - have an fprobe's handlers not called for the time being
 * @fp: the fprobe, registered or not
 *
 * The functions stay hooked; a call in flight when this is called may still be reported.
 *
 * Context: any; calls for one @fp must not run at the same time.
 */
static inline void disable_fprobe(struct fprobe *fp)
{
	if (fp)
		WRITE_ONCE(fp->flags, fp->flags | FPROBE_FL_DISABLED);
}

/**
 * enable_fprobe() - undo disable_fprobe()
 * @fp: the fprobe
 *
 * Context: as disable_fprobe().
 */
static inline void enable_fprobe(struct fprobe *fp)
{
	if (fp)
		WRITE_ONCE(fp->flags, fp->flags & ~FPROBE_FL_DISABLED);
}

#ifdef CONFIG_FPROBE

bool fprobe_is_registered(struct fprobe *fp);
int unregister_fprobe(struct fprobe *fp);
void unregister_fprobe_nowait(struct fprobe *fp);
void unregister_fprobes_nowait(struct fprobe **fps, int num);
int register_fprobe_ips(struct fprobe *fp, unsigned long *addrs, int num);
int register_fprobe_syms(struct fprobe *fp, const char **syms, int num);
int register_fprobe(struct fprobe *fp, const char *filter, const char *notfilter);

#else /* !CONFIG_FPROBE */

static inline bool fprobe_is_registered(struct fprobe *fp)
{
	return false;
}

static inline int unregister_fprobe(struct fprobe *fp)
{
	return -EOPNOTSUPP;
}

static inline void unregister_fprobe_nowait(struct fprobe *fp)
{
}

static inline void unregister_fprobes_nowait(struct fprobe **fps, int num)
{
}

static inline int register_fprobe_ips(struct fprobe *fp, unsigned long *addrs, int num)
{
	return -EOPNOTSUPP;
}

static inline int register_fprobe_syms(struct fprobe *fp, const char **syms, int num)
{
	return -EOPNOTSUPP;
}

static inline int register_fprobe(struct fprobe *fp, const char *filter,
				  const char *notfilter)
{
	return -EOPNOTSUPP;
}

#endif /* CONFIG_FPROBE */

#endif /* _LINUX_FPROBE_H */
