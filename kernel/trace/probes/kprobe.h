/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _TRACE_KPROBE_H
#define _TRACE_KPROBE_H
/*
 * Trace events on kernel probes: what their files share. event_point.h tells what
 * they have in common with those on function probes.
 *
 *	trace_kprobe.c		commands and files in tracefs, boot parameter
 *	kprobe_parse.c	the head of a command -> struct probe_spec
 *	kprobe_point.c	the life of a point: made, planted, published, retired
 *	kprobe_switch.c	switching the probes on and off
 *	kprobe_event.c	what BPF asks about an event
 *	kprobe_hit.c	what runs when a point is hit
 *	kprobe_gen.c	commands built by other kernel code
 *	kprobe_perf.c	points that belong to one perf event
 *	kprobe_check.c	the startup test
 */
#include <linux/kprobes.h>

#include "event_point.h"

#define KPROBE_EVENT_GROUP	"kprobes"

int kprobe_spec_parse(struct probe_spec *spec, int argc, const char **argv);
int kprobe_spec_place(struct probe_spec *spec, const char *text);
int kprobe_spec_resolve(const char *symbol, unsigned long *base);

#ifdef CONFIG_MODULES
bool kprobe_module_present(const char *symbol, size_t mod_len);
#else
static inline bool kprobe_module_present(const char *symbol, size_t mod_len)
{
	return false;
}
#endif

extern const struct point_kind kprobe_kinds[2];

/**
 * struct kpoint - one probed place of a kprobe event
 * @symbol:	"[MOD:]SYM" or NULL; the probe's symbol_name points here
 * @addr:	without @symbol, the address that was asked for; else the symbol's, if that stays
 *		as it is, and 0 if it is to be looked up when it is needed. The probe's addr
 *		is where it sits, which may be past an ENDBR
 * @maxactive:	as the user asked for
 * @mod_len:	length of MOD in @symbol, 0: none was named
 * @planted:	the probe is registered; event_mutex (points of perf: their owner)
 * @hits:	per-CPU count, written by that CPU only
 * @point:	what all points have; ends in an array
 *
 * The probe is in front, see kpoint_kp().
 */
struct kpoint {
	char				*symbol;
	unsigned long			addr;
	unsigned int			maxactive;
	u16				mod_len;
	bool				planted;
	unsigned long __percpu		*hits;
	struct probe_point		point;
};

/* At an instruction. */
struct insn_kpoint {
	struct kprobe			kp;
	struct kpoint			pt;
};

/* At the return of a function. */
struct return_kpoint {
	struct kretprobe		rp;
	struct kpoint			pt;
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

/* The probe of a point, which is where its memory starts. */
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
int kpoint_plant(struct kpoint *pt, bool armed);
bool kpoint_is_at(const struct kpoint *pt, const struct probe_spec *spec);
void kpoint_count(const struct probe_point *pp, struct point_counts *counts);
unsigned long kpoint_missed(const struct kpoint *pt);

/* kprobe_switch.c */
bool kpoint_is_to_turn(const struct probe_point *pp, bool on);
int kpoints_turn(struct list_head *points, bool on);

/* kprobe_hit.c */
void kpoint_set_handlers(struct kpoint *pt);

/* trace_kprobe.c */
void kpoint_show_place(struct seq_file *m, const struct probe_point *pp);
extern struct dyn_event_operations kprobe_event_ops;
int kprobe_event_command(const char *text);

#endif /* _TRACE_KPROBE_H */
