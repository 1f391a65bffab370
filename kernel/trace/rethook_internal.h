/* SPDX-License-Identifier: GPL-2.0 */
/* Return hooks: functions for callers that free return hooks without waiting, and for tests. */
#ifndef _KERNEL_TRACE_RETHOOK_INTERNAL_H
#define _KERNEL_TRACE_RETHOOK_INTERNAL_H

#ifdef CONFIG_RETHOOK
void rethook_throttle(void);
unsigned int rethook_retiring(void);
#else
static inline void rethook_throttle(void) { }
#endif

#endif /* _KERNEL_TRACE_RETHOOK_INTERNAL_H */
