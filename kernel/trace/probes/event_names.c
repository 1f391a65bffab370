// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Probe events: the names that are in use.
 */
#include <linux/jhash.h>
#include <linux/rhashtable.h>
#include <linux/string.h>

#include "event.h"

/* Flags of events that are in the table of names. */
#define OF_PROBES (TRACE_EVENT_FL_KPROBE | TRACE_EVENT_FL_UPROBE | TRACE_EVENT_FL_EPROBE | \
		   TRACE_EVENT_FL_FPROBE)

struct event_name {
	const char	*group;
	const char	*name;
};

static u32 hash_strings(const char *group, const char *name, u32 seed)
{
	return jhash(name, strlen(name), jhash(group, strlen(group), seed));
}

static u32 hash_name(const void *data, u32 len, u32 seed)
{
	const struct event_name *key = data;

	return hash_strings(key->group, key->name, seed);
}

static u32 hash_event(const void *data, u32 len, u32 seed)
{
	const struct trace_probe_event *event = data;

	return hash_strings(event->class.system, event->call.name, seed);
}

static int compare_name(struct rhashtable_compare_arg *arg, const void *obj)
{
	const struct trace_probe_event *event = obj;
	const struct event_name *key = arg->key;

	return strcmp(key->name, event->call.name) ?: strcmp(key->group, event->class.system);
}

static const struct rhashtable_params by_name = {
	.head_offset	= offsetof(struct trace_probe_event, named),
	.hashfn		= hash_name,
	.obj_hashfn	= hash_event,
	.obj_cmpfn	= compare_name,
	.automatic_shrinking = true,
};

/* The events of probes, by name. Guarded by event_mutex; initialized with the first event. */
static struct rhashtable names;
static bool names_ready;

static struct trace_probe_event *find_event(const char *group, const char *name)
{
	struct event_name key = { group, name };

	lockdep_assert_held(&event_mutex);
	return names_ready ? rhashtable_lookup_fast(&names, &key, by_name) : NULL;
}

/**
 * trace_probe_find_call - find a registered event of probes by its name
 * @group: the group of the event
 * @name: its name
 *
 * Context: event_mutex held.
 * Return: the event's call, of whatever kind its probes are, or NULL.
 */
struct trace_event_call *trace_probe_find_call(const char *group, const char *name)
{
	struct trace_probe_event *event = find_event(group, name);

	return event ? &event->call : NULL;
}

/*
 * The group of the last event, if others have no event in it; guarded by event_mutex. ftrace counts
 * the events of each group. While its count is @nr, nobody else has registered an event there. This
 * saves a walk over all events for each definition.
 */
static struct {
	struct trace_subsystem_dir	*dir;
	int				nr;
} own_group;

/* The directory of a group, NULL if there is none, e.g. early at boot. */
static struct trace_subsystem_dir *dir_of(const char *group)
{
	struct trace_array *tr = top_trace_array();
	struct trace_subsystem_dir *dir;

	if (!tr)
		return NULL;
	list_for_each_entry(dir, &tr->systems, list) {
		if (!strcmp(dir->subsystem->name, group))
			return dir;
	}
	return NULL;
}

static bool is_own_group(const char *group)
{
	struct trace_subsystem_dir *dir = dir_of(group);

	return dir && dir == own_group.dir && dir->nr_events == own_group.nr;
}

/* An event of @group was registered. Are there some @of_others? */
static void own_group_joined(const char *group, bool of_others)
{
	own_group.dir = of_others ? NULL : dir_of(group);
	if (own_group.dir)
		own_group.nr = own_group.dir->nr_events;
}

/* An event of the group with this directory was unregistered, and the directory may be freed. */
static void own_group_left(struct trace_subsystem_dir *dir)
{
	if (dir == own_group.dir && !--own_group.nr)
		own_group.dir = NULL;
}

/* Are events that are not in the table in the group of @call? Sets *@taken if one has its name. */
static bool beside_others(struct trace_event_call *call, bool *taken)
{
	const char *unequal = NULL;
	struct trace_event_call *other;
	bool found = false;

	if (is_own_group(call->class->system))
		return false;
	list_for_each_entry(other, &ftrace_events, list) {
		if (other->class->system == unequal || other->flags & OF_PROBES)
			continue;
		if (strcmp(call->class->system, other->class->system)) {
			unequal = other->class->system;
			continue;
		}
		found = true;
		if (!strcmp(trace_event_name(call), trace_event_name(other)))
			*taken = true;
	}
	return found;
}

static int names_add(struct trace_probe_event *event)
{
	int err;

	if (!names_ready) {
		err = rhashtable_init(&names, &by_name);
		if (err)
			return err;
		names_ready = true;
	}
	/* Its other errors are about the table, and would be taken for errors of the event. */
	return rhashtable_insert_fast(&names, &event->named, by_name) ? -ENOMEM : 0;
}

/**
 * trace_probe_register_event_call - register a probe's event
 * @probe: the probe, with its arguments; the event's class and functions are set
 *
 * Context: may sleep; event_mutex held.
 * Return: 0; -EEXIST if there is an event of this name in this group; -ENODEV if there are no
 * more numbers for events; -ENOMEM; the error of trace_add_event_call().
 */
int trace_probe_register_event_call(struct trace_probe *probe)
{
	struct trace_event_call *call = trace_probe_event_call(probe);
	const char *group = call->class->system;
	bool taken = false, of_others;
	int err;

	lockdep_assert_held(&event_mutex);

	if (find_event(group, call->name))
		return -EEXIST;
	of_others = beside_others(call, &taken);
	if (taken)
		return -EEXIST;
	err = names_add(probe->event);
	if (err)
		return err;
	err = -ENODEV;
	if (register_trace_event(&call->event)) {
		err = trace_add_event_call(call);
		if (!err) {
			own_group_joined(group, of_others);
			return 0;
		}
		unregister_trace_event(&call->event);
	}
	rhashtable_remove_fast(&names, &probe->event->named, by_name);
	return err;
}

/**
 * trace_probe_unregister_event_call - unregister a probe's event
 * @probe: the probe
 *
 * Context: may sleep; event_mutex held.
 * Return: 0, or -EBUSY if the event is in use.
 */
int trace_probe_unregister_event_call(struct trace_probe *probe)
{
	struct trace_subsystem_dir *dir = dir_of(probe->event->class.system);
	int err = trace_remove_event_call(&probe->event->call);

	if (err)
		return err;
	own_group_left(dir);
	rhashtable_remove_fast(&names, &probe->event->named, by_name);
	return 0;
}
