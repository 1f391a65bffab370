// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Kprobe events: points at all functions of a name, SYM@*.
 *
 * Such a point has a probe for each function. The functions share the point's arguments, counts
 * and event. Functions are added and removed with modules. If there are several, those that
 * cannot be probed are left out.
 */
#define pr_fmt(fmt)	"trace_kprobe: " fmt

#include <linux/kallsyms.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "kprobe.h"

/**
 * kplaces_create - prepare a point at all functions of a name
 * @pt: the point
 *
 * Return: 0 or -ENOMEM.
 */
int kplaces_create(struct kpoint *pt)
{
	struct kplaces *all = kzalloc(sizeof(*all), GFP_KERNEL);

	if (!all)
		return -ENOMEM;
	INIT_LIST_HEAD(&all->list);
	pt->places = all;
	pt->is_all = true;
	return 0;
}

/**
 * kplaces_free - free the functions of a point
 * @pt: the point, of any kind, which no hit uses any more
 */
void kplaces_free(struct kpoint *pt)
{
	struct kplace *place, *next;

	if (!pt->is_all)
		return;
	list_for_each_entry_safe(place, next, &pt->places->list, list)
		kfree(place);
	kfree(pt->places);
}

static struct kplace *place_create(struct kpoint *pt, unsigned long addr, bool armed)
{
	struct kplace *place = kzalloc(sizeof(*place), GFP_KERNEL);

	if (!place)
		return NULL;
	place->pt = pt;
	place->addr = addr;
	INIT_LIST_HEAD(&place->list);
	if (kpoint_is_return(pt))
		kpoint_prepare_return(pt, &place->rp);
	place->kp.addr = (kprobe_opcode_t *)addr;
	place->kp.flags = KPROBE_FLAG_REENTRANT | (armed ? 0 : KPROBE_FLAG_DISABLED);
	INIT_LIST_HEAD(&place->kp.list);
	kplace_set_handlers(place);
	return place;
}

static void unregister(struct kprobe **kps, int nr, bool is_return)
{
	/* The kprobe is the first member of its kretprobe. */
	if (is_return)
		unregister_kretprobes_nowait((struct kretprobe **)kps, nr);
	else
		unregister_kprobes_nowait(kps, nr);
}

static int register_all(struct kprobe **kps, int nr, bool is_return)
{
	return is_return ? register_kretprobes((struct kretprobe **)kps, nr) :
			   register_kprobes(kps, nr);
}

/**
 * struct planting - functions that are being added to a point
 * @pt:		the point
 * @kps:	their probes
 * @nr:		number of @kps
 * @err:	error of the first one that cannot be registered; 0 if all can
 * @bad:	address of that one
 */
struct planting {
	struct kpoint	*pt;
	struct kprobe	**kps;
	unsigned int	nr;
	int		err;
	unsigned long	bad;
};

static void note(struct planting *p, unsigned long addr, int err)
{
	if (p->err)
		return;
	p->err = err;
	p->bad = addr;
}

static struct kplace *place_of(struct kprobe *kp)
{
	return container_of(kp, struct kplace, kp);
}

/*
 * Register all at once, which changes the text once. If some cannot be registered, bisect, which
 * takes few attempts to find them.
 */
static int register_most(struct planting *p, struct kprobe **kps, unsigned int nr)
{
	struct kpoint *pt = p->pt;
	unsigned int i, half = nr / 2;
	int err;

	err = register_all(kps, nr, kpoint_is_return(pt));
	if (err && nr > 1 && err != -ENOMEM)
		return register_most(p, kps, half) ?:
		       register_most(p, kps + half, nr - half);
	for (i = 0; !err && i < nr; i++) {
		list_add_tail(&place_of(kps[i])->list, &pt->places->list);
		pt->places->nr++;
	}
	if (err)
		note(p, place_of(kps[0])->addr, err);
	return err == -ENOMEM ? err : 0;
}

static bool has_place(const struct kpoint *pt, unsigned long addr)
{
	struct kplace *place;

	list_for_each_entry(place, &pt->places->list, list) {
		if (place->addr == addr)
			return true;
	}
	return false;
}

static int create_places(struct planting *p, const struct kprobe_found *found, bool armed)
{
	struct kplace *place;
	unsigned int i;

	for (i = 0; i < found->nr; i++) {
		if (has_place(p->pt, found->addr[i]))
			continue;
		if (kprobe_is_out_of_bounds(found->addr[i])) {
			note(p, found->addr[i], -EINVAL);
			continue;
		}
		if (p->pt->places->nr + p->nr >= KPLACES_MAX)
			return -E2BIG;
		place = place_create(p->pt, found->addr[i], armed);
		if (!place)
			return -ENOMEM;
		p->kps[p->nr++] = &place->kp;
	}
	return 0;
}

/* No hit uses functions without a probe: registration that fails waits for hits. */
static void free_unplanted(const struct planting *p)
{
	struct kplace *place;
	unsigned int i;

	for (i = 0; i < p->nr; i++) {
		place = place_of(p->kps[i]);
		if (list_empty(&place->list))
			kfree(place);
	}
}

static int plant_found(struct planting *p, const struct kprobe_found *found, bool armed)
{
	int err;

	p->kps = kvmalloc_array(found->nr, sizeof(*p->kps), GFP_KERNEL);
	if (!p->kps)
		return -ENOMEM;
	err = create_places(p, found, armed);
	if (!err && p->nr)
		err = register_most(p, p->kps, p->nr);
	free_unplanted(p);
	kvfree(p->kps);
	if (!err)
		p->pt->places->moved |= found->moved;
	return err;
}

static int find_and_plant(struct planting *p, const char *module, bool armed)
{
	struct kprobe_found *found __free(kvfree) = kvmalloc(sizeof(*found), GFP_KERNEL);

	if (!found)
		return -ENOMEM;
	return kprobe_names_find(p->pt->symbol, module, found) ?: plant_found(p, found, armed);
}

/**
 * kplaces_plant - plant a point at all functions of its name
 * @pt: the point, with all its arguments, not planted
 * @armed: arm the probes
 *
 * Context: may sleep; event_mutex held.
 * Return: 0 if some functions can be probed; -ENOENT if there is no function; -E2BIG if there are
 * too many; -ENOMEM; else the error of the first function.
 */
int kplaces_plant(struct kpoint *pt, bool armed)
{
	struct planting p = { .pt = pt };
	char name[KSYM_NAME_LEN];
	int err;

	err = point_update_args(&pt->point) ?: find_and_plant(&p, NULL, armed);
	if (err)
		return err;
	if (pt->places->nr)
		return 0;
	if (kprobe_is_out_of_bounds(p.bad) && !lookup_symbol_name(p.bad, name))
		pr_warn("Could not probe notrace function %s\n", name);
	return p.err;
}

/**
 * kplaces_module_comes - plant a point also at functions of a module
 * @pt: the point
 * @module: the module's name
 *
 * Context: may sleep; event_mutex held.
 * Return: 0, or an error if the module has such functions and none can be probed.
 */
int kplaces_module_comes(struct kpoint *pt, const char *module)
{
	unsigned int before = pt->places->nr;
	struct planting p = { .pt = pt };
	int err;

	/* Arguments may have symbols of a module that is not loaded, and cannot be read then. */
	point_update_args(&pt->point);
	err = find_and_plant(&p, module, trace_probe_is_enabled(&pt->point.tp));
	if (err)
		return err == -ENOENT ? 0 : err;
	return pt->places->nr > before ? 0 : p.err;
}

static void add_missed(const struct kpoint *pt, const struct kplace *place,
		       struct point_counts *counts)
{
	counts->recursion += READ_ONCE(place->kp.nmissed);
	if (kpoint_is_return(pt))
		counts->exhausted += READ_ONCE(place->rp.nmissed);
}

/**
 * kplaces_text_goes - remove functions of a module from a point
 * @pt: the point
 * @mod: the module, whose text is going
 * @init_only: only its init text is going
 *
 * Context: may sleep; event_mutex held. Does not wait for handlers.
 */
void kplaces_text_goes(struct kpoint *pt, const struct module *mod, bool init_only)
{
	struct kplace *place, *next;
	struct kprobe *kp;

	list_for_each_entry_safe(place, next, &pt->places->list, list) {
		if (init_only ? !within_module_init(place->addr, mod) :
				!within_module(place->addr, mod))
			continue;
		kp = &place->kp;
		unregister(&kp, 1, kpoint_is_return(pt));
		add_missed(pt, place, &pt->places->gone);
		list_del(&place->list);
		pt->places->nr--;
		kfree_rcu(place, rcu);
	}
}

/**
 * kplaces_unplant - remove all functions of a point
 * @pt: the point, which is not planted again
 *
 * Context: may sleep; event_mutex held, unless the point never was on the list of dynamic
 * events. Does not wait for handlers.
 */
void kplaces_unplant(struct kpoint *pt)
{
	bool is_return = kpoint_is_return(pt);
	struct kprobe **kps, *kp;
	struct kplace *place;
	unsigned int n = 0;

	kps = kvmalloc_array(pt->places->nr, sizeof(*kps), GFP_KERNEL);
	list_for_each_entry(place, &pt->places->list, list) {
		kp = &place->kp;
		if (kps)
			kps[n++] = kp;
		else
			unregister(&kp, 1, is_return);
	}
	if (n)
		unregister(kps, n, is_return);
	kvfree(kps);
}

/**
 * kplaces_count - count the misses in the functions of a point
 * @pt: the point
 * @counts: receives the counts
 *
 * Context: event_mutex held.
 */
void kplaces_count(const struct kpoint *pt, struct point_counts *counts)
{
	struct kplace *place;

	lockdep_assert_held(&event_mutex);

	counts->recursion = pt->places->gone.recursion;
	counts->exhausted = pt->places->gone.exhausted;
	list_for_each_entry(place, &pt->places->list, list)
		add_missed(pt, place, counts);
}
