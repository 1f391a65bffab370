// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Kprobe events: the startup test of CONFIG_FTRACE_STARTUP_TEST. An entry and a
 * return event on a test function must record each of its calls while they are
 * enabled, none while they are disabled, and not change its result.
 */
#define pr_fmt(fmt)	"trace_kprobe: " fmt

#include <linux/init.h>
#include <linux/trace_events.h>

#include "kprobe.h"
#include "../trace_kprobe_selftest.h"

#define CHECK_GROUP	"kprobe_check"
#define CALLS_ON	3
#define CALLS_OFF	2

#define CHECK_TARGET	"kprobe_trace_selftest_target"

struct event_check {
	const char *name;
	const char *command;
};

static const struct event_check checks[] = {
	{ "entry", "p:" CHECK_GROUP "/entry " CHECK_TARGET " $stack +0($stack)" },
	{ "return", "r:" CHECK_GROUP "/return " CHECK_TARGET " $retval" },
};

static bool __init call_target(int times)
{
	typeof(kprobe_trace_selftest_target) *target;
	bool right = true;

	/* Keep the compiler from inlining it. */
	target = kprobe_trace_selftest_target;
	OPTIMIZER_HIDE_VAR(target);
	while (times--)
		right &= target(11, 7, 5, 3, 2, times) == 28 + times;
	return right;
}

/* Hits of an event of this test, or -1 if there is no such event. */
static long __init hits_of(const char *name)
{
	struct point_counts counts;
	struct dyn_event *ev;

	guard(mutex)(&event_mutex);
	for_each_dyn_event(ev) {
		if (ev->ops != &kprobe_event_ops ||
		    !ev->ops->match(CHECK_GROUP, name, 0, NULL, ev))
			continue;
		kpoint_count(point_of_dyn(ev), &counts);
		return counts.hits;
	}
	return -1;
}

static bool __init hits_are(long expected)
{
	const struct event_check *check;
	bool right = true;
	long hits;

	for (check = checks; check < checks + ARRAY_SIZE(checks); check++) {
		hits = hits_of(check->name);
		if (hits == expected)
			continue;
		pr_err("event %s: %ld hits, not %ld\n", check->name, hits,
		       expected);
		right = false;
	}
	return right;
}

static bool __init run_checks(void)
{
	const struct event_check *check;
	bool right;
	int err;

	for (check = checks; check < checks + ARRAY_SIZE(checks); check++) {
		err = kprobe_event_command(check->command);
		if (err) {
			pr_err("event %s: error %d\n", check->name, err);
			return false;
		}
	}

	right = call_target(CALLS_OFF) && hits_are(0);
	if (trace_set_clr_event(CHECK_GROUP, NULL, 1))
		return false;
	right &= call_target(CALLS_ON) && hits_are(CALLS_ON);
	if (trace_set_clr_event(CHECK_GROUP, NULL, 0))
		return false;
	right &= call_target(CALLS_OFF) && hits_are(CALLS_ON);
	return right;
}

static int __init kprobe_events_check(void)
{
	bool right;

	if (tracing_selftest_disabled || tracing_is_disabled())
		return 0;

	right = run_checks();
	if (trace_set_clr_event(CHECK_GROUP, NULL, 0) ||
	    kprobe_event_command("-:" CHECK_GROUP "/")) {
		pr_err("events of the startup test do not go away\n");
		right = false;
	}
	pr_info("startup test: %s\n", right ? "OK" : "FAILED");
	WARN_ON(!right);
	return 0;
}
late_initcall(kprobe_events_check);
