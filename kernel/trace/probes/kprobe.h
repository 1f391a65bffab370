/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _TRACE_KPROBE_H
#define _TRACE_KPROBE_H
/*
 * Trace events on kernel probes: declarations that their files share. event_point.h has
 * the part that they share with events on function probes.
 *
 *	trace_kprobe.c		commands and files in tracefs, boot parameter
 *	kprobe_parse.c	the first words of a command -> struct probe_spec
 *	kprobe_names.c	names -> functions
 *	kprobe_point.c	creates and plants points
 *	kprobe_places.c	points at all functions of a name
 *	kprobe_switch.c	arms and disarms the probes
 *	kprobe_event.c	functions for BPF
 *	kprobe_hit.c	hits of a point
 *	kprobe_gen.c	commands built by other kernel code
 *	kprobe_perf.c	points that belong to one perf event
 *	kprobe_check.c	the startup test
 */
#include <linux/kprobes.h>

#include "event_point.h"

struct module;

#define KPROBE_EVENT_GROUP	"kprobes"

int kprobe_spec_parse(struct probe_spec *spec, int argc, const char **argv);
int kprobe_spec_place(struct probe_spec *spec, const char *text);
int kprobe_spec_resolve(const char *symbol, unsigned long *base);

/* Suffix of a name that stands for all functions of that name and their clones. */
#define KPROBE_ALL_SUFFIX	"@*"

/* Maximum number of functions of an event. */
#define KPLACES_MAX		1024

/**
 * struct kprobe_found - functions of a name
 * @nr:		number of functions
 * @more:	there are more than fit in @addr
 * @moved:	parameters of some may be in other places, see symbol_may_have_moved()
 * @addr:	addresses of the functions, each once
 */
struct kprobe_found {
	unsigned int	nr;
	bool		more;
	bool		moved;
	unsigned long	addr[KPLACES_MAX];
};

/* kprobe_names.c */
int kprobe_names_look(const char *symbol, char **function);
int kprobe_names_find(const char *symbol, const char *module, struct kprobe_found *found);
char *kprobe_names_list(const char *symbol, unsigned long offset);
void kprobe_names_tell(const char *symbol, unsigned long offset);

extern const struct point_kind kprobe_kinds[2];

struct kplaces;

/**
 * struct kpoint - one probed place of a kprobe event
 * @symbol:	"[MOD:]SYM" or NULL; the probe's symbol_name points here
 * @addr:	without @symbol, the address in the command; else the symbol's address if it does
 *		not change, or 0 if it has to be looked up. The probe's addr may be behind it,
 *		past an ENDBR
 * @places:	with @is_all, instead of @addr: the functions, each with a probe. The point's own
 *		probe is not used then
 * @maxactive:	maxactive in the command
 * @mod_len:	length of MOD in @symbol, 0 if there is none
 * @planted:	the probe is registered. Guarded by event_mutex; for points of perf, by their
 *		owner
 * @is_all:	@symbol stands for all functions of a name
 * @hits:	count for each CPU, changed by that CPU only
 * @point:	the part that all points have; ends in an array
 *
 * The probe is in the memory before it, see kpoint_kp().
 */
struct kpoint {
	char				*symbol;
	union {
		unsigned long		addr;
		struct kplaces		*places;
	};
	unsigned int			maxactive;
	u16				mod_len;
	bool				planted;
	bool				is_all;
	unsigned long __percpu		*hits;
	struct probe_point		point;
};

/* A point at an instruction. */
struct insn_kpoint {
	struct kprobe			kp;
	struct kpoint			pt;
};

/* A point at the return of a function. */
struct return_kpoint {
	struct kretprobe		rp;
	struct kpoint			pt;
};

/**
 * struct kplace - one of several functions of a point
 * @kp:		the probe, at an entry
 * @rp:		the probe, at a return
 * @pt:		the point
 * @list:	links it in the point's places. Guarded by event_mutex
 * @addr:	address of the function
 * @rcu:	frees it
 */
struct kplace {
	union {
		struct kprobe		kp;
		struct kretprobe	rp;
	};
	struct kpoint			*pt;
	struct list_head		list;
	unsigned long			addr;
	struct rcu_head			rcu;
};

/**
 * struct kplaces - the functions of a point with several. Guarded by event_mutex
 * @list:	its struct kplace, each with its probe registered
 * @nr:		number of functions
 * @moved:	parameters of some may be in other places
 * @gone:	misses of functions that have gone
 */
struct kplaces {
	struct list_head	list;
	unsigned int		nr;
	bool			moved;
	struct point_counts	gone;
};

static nokprobe_inline bool kpoint_is_return(const struct kpoint *pt)
{
	return point_is_return(&pt->point);
}

/* The probe of a point at a return. */
static inline struct kretprobe *kpoint_rp(const struct kpoint *pt)
{
	return &container_of(pt, struct return_kpoint, pt)->rp;
}

/* The probe of a point, which is at the start of its memory. */
static inline struct kprobe *kpoint_kp(const struct kpoint *pt)
{
	if (kpoint_is_return(pt))
		return &kpoint_rp(pt)->kp;
	return &container_of(pt, struct insn_kpoint, pt)->kp;
}

static inline struct kpoint *kpoint_of(const struct probe_point *pp)
{
	return container_of(pp, struct kpoint, point);
}

static inline struct kpoint *kpoint_of_dyn(struct dyn_event *ev)
{
	return kpoint_of(point_of_dyn(ev));
}

static inline struct kpoint *kpoint_of_call(struct trace_event_call *call)
{
	struct probe_point *pp = point_of_call(call);

	return pp ? kpoint_of(pp) : NULL;
}

/* kprobe_point.c */
extern const struct point_class kprobe_class;
struct kpoint *kpoint_create(struct probe_spec *spec, int nargs);
int kpoint_check_lockdown(const struct kpoint *pt);
int kpoint_plant(struct kpoint *pt, bool armed);
void kpoint_prepare_return(const struct kpoint *pt, struct kretprobe *rp);
bool kprobe_is_out_of_bounds(unsigned long addr);
bool kpoint_is_at(const struct kpoint *pt, const struct probe_spec *spec);
void kpoint_count(const struct probe_point *pp, struct point_counts *counts);
unsigned long kpoint_missed(const struct kpoint *pt);

/* kprobe_places.c */
int kplaces_create(struct kpoint *pt);
void kplaces_free(struct kpoint *pt);
int kplaces_plant(struct kpoint *pt, bool armed);
void kplaces_unplant(struct kpoint *pt);
void kplaces_count(const struct kpoint *pt, struct point_counts *counts);
int kplaces_module_comes(struct kpoint *pt, const char *module);
void kplaces_text_goes(struct kpoint *pt, const struct module *mod, bool init_only);

/* kprobe_switch.c */
bool kpoint_is_to_turn(const struct probe_point *pp, bool on);
int kpoints_turn(struct list_head *points, bool on);

/* kprobe_hit.c */
void kpoint_set_handlers(struct kpoint *pt);
void kplace_set_handlers(struct kplace *place);

/* trace_kprobe.c */
void kpoint_show_place(struct seq_file *m, const struct probe_point *pp);
extern struct dyn_event_operations kprobe_event_ops;
int kprobe_event_command(const char *text);

#endif /* _TRACE_KPROBE_H */
