/* SPDX-License-Identifier: GPL-2.0-only */
/* A check that kprobes, entry hooks and return hooks make in a hit. */
#ifndef _LINUX_PROBE_HIT_H
#define _LINUX_PROBE_HIT_H

#include <linux/compiler.h>
#include <linux/context_tracking.h>
#include <linux/kconfig.h>
#include <linux/types.h>

/**
 * probe_hit_is_watched - is RCU watching?
 *
 * With noinstr validation, the build proves that no code that can be probed or traced runs while
 * RCU is not watching. Without it, such code may run on the way into an idle state.
 *
 * Context: a hit, preemption off.
 * Return: true if so.
 */
static __always_inline bool probe_hit_is_watched(void)
{
#ifdef CONFIG_CONTEXT_TRACKING_IDLE
	return IS_ENABLED(CONFIG_HAVE_NOINSTR_VALIDATION) || rcu_is_watching_curr_cpu();
#else
	return true;
#endif
}

#endif /* _LINUX_PROBE_HIT_H */
