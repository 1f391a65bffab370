// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Probe events: an event and its probes, and the instances that record it.
 */
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "event.h"

static void event_free(struct trace_probe_event *event)
{
	kfree(event->class.system);
	kfree(event->call.name);
	kfree(event->call.print_fmt);
	kfree(event);
}

static struct trace_probe_event *event_alloc(const char *name, const char *group,
					     bool with_filter)
{
	struct trace_probe_event *event;

	event = kzalloc(struct_size(event, filter, with_filter), GFP_KERNEL);
	if (!event)
		return NULL;
	INIT_LIST_HEAD(&event->class.fields);
	INIT_LIST_HEAD(&event->files);
	INIT_LIST_HEAD(&event->probes);
	event->call.class = &event->class;
	event->call.name = kstrdup(name, GFP_KERNEL);
	event->class.system = kstrdup(group, GFP_KERNEL);
	if (event->call.name && event->class.system)
		return event;
	event_free(event);
	return NULL;
}

/**
 * trace_probe_init - initialize a probe, with an event of its own
 * @probe: the probe, zeroed, with room for its arguments
 * @name: name of the event
 * @group: group of the event
 * @with_filter: allocate a struct trace_uprobe_filter behind the event
 * @nr: number of arguments
 *
 * Context: may sleep.
 * Return: 0, then call trace_probe_cleanup() in the end; -EINVAL without a name or group; -ENOMEM.
 */
int trace_probe_init(struct trace_probe *probe, const char *name, const char *group,
		     bool with_filter, int nr)
{
	if (!name || !group)
		return -EINVAL;
	probe->event = event_alloc(name, group, with_filter);
	if (!probe->event)
		return -ENOMEM;
	list_add(&probe->list, &probe->event->probes);
	probe->nr_args = nr;
	return 0;
}

/*
 * Fields of an event use the names and formats of its first probe's arguments. When this probe
 * goes, let the next one own them. Those of the next one are equal, and are freed with this probe.
 * Filters and the format file read fields with event_mutex held.
 */
static void hand_over_strings(struct trace_probe *probe)
{
	struct list_head *probes = &probe->event->probes;
	struct trace_probe *next = list_next_entry(probe, list);
	unsigned int i;

	if (!list_is_first(&probe->list, probes) || list_is_singular(probes))
		return;
	for (i = 0; i < probe->nr_args; i++) {
		swap(probe->args[i].name, next->args[i].name);
		swap(probe->args[i].format, next->args[i].format);
	}
}

/**
 * trace_probe_unlink - remove a probe from its event
 * @probe: the probe. If it was the last one, the event is freed
 *
 * Context: event_mutex held; trace_event_sem, too, if the event has other probes.
 */
void trace_probe_unlink(struct trace_probe *probe)
{
	hand_over_strings(probe);
	list_del_init(&probe->list);
	if (list_empty(&probe->event->probes))
		event_free(probe->event);
	probe->event = NULL;
}

/**
 * trace_probe_cleanup - free what a probe owns
 * @probe: the probe, which no hit can use any more
 *
 * Context: may sleep.
 */
void trace_probe_cleanup(struct trace_probe *probe)
{
	unsigned int i;

	for (i = 0; i < probe->nr_args; i++)
		probe_arg_free(&probe->args[i]);
	kfree(probe->entry_arg);
	probe->entry_arg = NULL;
	if (probe->event)
		trace_probe_unlink(probe);
}

/**
 * trace_probe_append - move a probe to the event of another one
 * @probe: the probe; its own event is freed
 * @to: one of the event's probes
 *
 * Context: event_mutex held.
 * Return: 0, or -EBUSY if @probe's event has more probes.
 */
int trace_probe_append(struct trace_probe *probe, struct trace_probe *to)
{
	if (trace_probe_has_sibling(probe))
		return -EBUSY;
	trace_probe_unlink(probe);
	probe->event = to->event;
	list_add_tail(&probe->list, &probe->event->probes);
	return 0;
}

/**
 * trace_probe_get_file_link - find the link to an instance
 * @probe: a probe of the event
 * @instance: the instance's file of the event
 *
 * Context: event_mutex held.
 * Return: the link, NULL if the instance does not record the event.
 */
struct event_file_link *trace_probe_get_file_link(struct trace_probe *probe,
						  struct trace_event_file *instance)
{
	struct event_file_link *link;

	trace_probe_for_each_link(link, probe) {
		if (link->file == instance)
			return link;
	}
	return NULL;
}

/**
 * trace_probe_add_file - let an instance record an event
 * @probe: a probe of the event
 * @instance: the instance's file of the event
 *
 * Context: may sleep; event_mutex held.
 * Return: 0 or -ENOMEM.
 */
int trace_probe_add_file(struct trace_probe *probe, struct trace_event_file *instance)
{
	struct event_file_link *new = kmalloc(sizeof(*new), GFP_KERNEL);

	if (!new)
		return -ENOMEM;
	new->file = instance;
	list_add_tail_rcu(&new->list, &probe->event->files);
	trace_probe_set_flag(probe, TP_FLAG_TRACE);
	return 0;
}

/**
 * trace_probe_remove_file - let an instance stop to record an event
 * @probe: a probe of the event
 * @instance: the instance's file of the event
 *
 * Waits until no hit writes to the instance for this event.
 *
 * Context: may sleep; event_mutex held.
 * Return: 0, or -ENOENT if the instance does not record the event.
 */
int trace_probe_remove_file(struct trace_probe *probe, struct trace_event_file *instance)
{
	struct event_file_link *link = trace_probe_get_file_link(probe, instance);

	if (!link)
		return -ENOENT;
	if (trace_probe_has_single_file(probe))
		trace_probe_clear_flag(probe, TP_FLAG_TRACE);
	list_del_rcu(&link->list);
	synchronize_rcu();
	kfree(link);
	return 0;
}
