/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _TRACE_KPROBE_H
#define _TRACE_KPROBE_H
/*
 * Trace events on kernel probes: what their files share.
 *
 *	trace_kprobe.c		commands and files in tracefs, boot parameter
 *	trace_kprobe_parse.c	the head of a command -> struct kprobe_spec
 *	trace_kprobe_point.c	the life of a point: made, planted, published, retired
 *	trace_kprobe_event.c	its event class: enable, fields, printing
 *	trace_kprobe_hit.c	what runs when a point is hit
 *	trace_kprobe_gen.c	commands built by other kernel code
 *	trace_kprobe_perf.c	points that belong to one perf event
 *	trace_kprobe_check.c	the startup test
 */
#include <linux/kprobes.h>
#include <linux/workqueue.h>

#include "trace_dynevent.h"
#include "trace_probe.h"

#define KPROBE_EVENT_GROUP	"kprobes"

/**
 * struct kprobe_spec - where a command wants a probe, and under which name
 * @group:	group of the event
 * @event:	name of the event
 * @symbol:	"[MOD:]SYM", allocated; NULL when @addr says where
 * @addr:	address to probe, without @symbol
 * @offset:	bytes from @symbol
 * @maxactive:	calls in flight that a return probe asked for, 0: default
 * @scope:	TPARG_FL_* that say what its arguments may refer to
 * @is_return:	probe the return
 * @group_buf:	room for @group
 * @event_buf:	room for a name made up for @event
 */
struct kprobe_spec {
	const char	*group;
	const char	*event;
	char		*symbol;
	unsigned long	addr;
	unsigned long	offset;
	unsigned int	maxactive;
	unsigned int	scope;
	bool		is_return;
	char		group_buf[MAX_EVENT_NAME_LEN];
	char		event_buf[MAX_EVENT_NAME_LEN];
};

int kprobe_spec_parse(struct kprobe_spec *spec, int argc, const char **argv);
int kprobe_spec_place(struct kprobe_spec *spec, const char *text);
int kprobe_spec_resolve(const char *symbol);
void kprobe_spec_release(struct kprobe_spec *spec);

#ifdef CONFIG_MODULES
bool kprobe_module_present(const char *symbol, size_t mod_len);
#else
static inline bool kprobe_module_present(const char *symbol, size_t mod_len)
{
	return false;
}
#endif

struct kpoint;

/**
 * struct kpoint_kind - how entry and return points differ
 * @letter:	of the command
 * @head:	size of what precedes the arguments in a record
 * @print_fmt:	which format string the event shows
 * @funcs:	the event's printing
 * @fields:	the event's fields
 */
struct kpoint_kind {
	char				letter;
	size_t				head;
	enum probe_print_type		print_fmt;
	struct trace_event_functions	funcs;
	struct trace_event_fields	fields[2];
};

extern struct kpoint_kind kpoint_kinds[2];

/**
 * struct kpoint - one probed place of a kprobe event
 * @dyn:	in the list of dynamic events; event_mutex
 * @rp:		the probe; a point at an instruction uses @rp.kp alone
 * @kind:	entry or return
 * @symbol:	"[MOD:]SYM" or NULL; @rp.kp.symbol_name points here
 * @addr:	without @symbol, the address that was asked for. @rp.kp.addr is where the
 *		probe sits, which may be past an ENDBR
 * @mod_len:	length of MOD in @symbol, 0: none was named
 * @maxactive:	as the user asked for
 * @planted:	@rp is registered; event_mutex (points of perf: their owner)
 * @event:	the event that a hit belongs to. Same as @tp.event, but usable by
 *		handlers until an RCU grace period after the point left the event
 * @hits:	per-CPU count, written by that CPU only
 * @detached:	grace period after which nobody uses a trace_event_file that the
 *		event was detached from; event_mutex
 * @reaper:	frees the point when no handler can use it any more
 * @tp:		arguments and the link to the event, event_mutex; ends in an array
 */
struct kpoint {
	struct dyn_event		dyn;
	struct kretprobe		rp;
	const struct kpoint_kind	*kind;
	char				*symbol;
	unsigned long			addr;
	size_t				mod_len;
	unsigned int			maxactive;
	bool				planted;
	struct trace_probe_event	*event;
	unsigned long __percpu		*hits;
	unsigned long			detached;
	struct rcu_work			reaper;
	struct trace_probe		tp;
};

static nokprobe_inline bool kpoint_is_return(const struct kpoint *pt)
{
	return pt->kind == &kpoint_kinds[1];
}

static inline struct kpoint *kpoint_of_dyn(struct dyn_event *ev)
{
	return container_of(ev, struct kpoint, dyn);
}

static inline struct kpoint *kpoint_of_call(struct trace_event_call *call)
{
	struct trace_probe *tp = trace_probe_primary_from_call(call);

	return WARN_ON_ONCE(!tp) ? NULL : container_of(tp, struct kpoint, tp);
}

/* All points of an event; event_mutex. */
#define for_each_kpoint(pt, ev) \
	list_for_each_entry(pt, &(ev)->probes, tp.list)

/* trace_kprobe_point.c */
struct kpoint *kpoint_create(struct kprobe_spec *spec, int nargs);
void kpoint_free_later(struct kpoint *pt);
int kpoint_plant(struct kpoint *pt, bool armed);
int kpoint_publish(struct kpoint *pt);
int kpoint_retire(struct kpoint *pt);
bool kpoint_is_at(const struct kpoint *pt, const struct kprobe_spec *spec);
unsigned long kpoint_hits(const struct kpoint *pt);
unsigned long kpoint_missed(const struct kpoint *pt);

/* trace_kprobe_event.c */
void kpoint_init_event(struct kpoint *pt);

/* trace_kprobe_hit.c */
void kpoint_set_handlers(struct kpoint *pt);

/* trace_kprobe.c */
extern struct dyn_event_operations kprobe_event_ops;
int kprobe_event_command(const char *text);

#endif /* _TRACE_KPROBE_H */
