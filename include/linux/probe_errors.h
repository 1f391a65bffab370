/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Why a probe was refused, for whoever cannot be told but an errno: callers in the kernel, of
 * perf_event_open() and of bpf(). Users read it in tracefs, in the file probe_errors.
 */
#ifndef _LINUX_PROBE_ERRORS_H
#define _LINUX_PROBE_ERRORS_H

#include <linux/errno.h>
#include <linux/stddef.h>

/**
 * struct probe_refusal - a probe that is refused
 * @call:	the function that refuses it; a string that stays
 * @symbol:	"[MOD:]SYM" or a pattern, as the caller named it, or NULL
 * @addr:	without @symbol: address, 0 if none was given
 * @offset:	bytes from there
 * @err:	negative errno that the caller gets
 */
struct probe_refusal {
	const char	*call;
	const char	*symbol;
	unsigned long	addr;
	unsigned long	offset;
	int		err;
};

/* A function, by name or by address, whose result may not be overridden. */
#define probe_error_override(caller, name, address)				\
	probe_error(&(struct probe_refusal) { .call = (caller), .symbol = (name),	\
					      .addr = (address), .err = -EINVAL },	\
		    "not marked with ALLOW_ERROR_INJECTION()", NULL)

#ifdef CONFIG_PROBE_ERRORS
void probe_error(const struct probe_refusal *e, const char *reason, const char *hint);
void probe_error_no_symbol(const struct probe_refusal *e);
void probe_error_names(const char *call, const char * const *names, const unsigned long *addrs,
		       unsigned int nr, int err);
#else
static inline void probe_error(const struct probe_refusal *e, const char *reason, const char *hint)
{
}

static inline void probe_error_no_symbol(const struct probe_refusal *e) { }

static inline void probe_error_names(const char *call, const char * const *names,
				     const unsigned long *addrs, unsigned int nr, int err)
{
}
#endif

#endif /* _LINUX_PROBE_ERRORS_H */
