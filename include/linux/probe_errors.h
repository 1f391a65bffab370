/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reasons why probes were refused. Callers in the kernel, of perf_event_open() and of bpf() get
 * only an errno. Users read the reason in the file probe_errors of tracefs.
 */
#ifndef _LINUX_PROBE_ERRORS_H
#define _LINUX_PROBE_ERRORS_H

/**
 * struct probe_refusal - a probe that is refused
 * @call:	name of the function that refuses it, a string constant
 * @symbol:	"[MOD:]SYM" or a pattern, as the caller named it, or NULL
 * @addr:	without @symbol: the address, 0 if the caller gave none
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

#ifdef CONFIG_PROBE_ERRORS
void probe_error(const struct probe_refusal *e, const char *reason, const char *hint);
void probe_error_no_symbol(const struct probe_refusal *e);
void probe_error_names(const char *call, const char * const *names, const unsigned long *addrs,
		       unsigned int nr, int err);
void probe_error_override(const char *call, unsigned long addr);
#else
static inline void probe_error(const struct probe_refusal *e, const char *reason, const char *hint)
{
}

static inline void probe_error_no_symbol(const struct probe_refusal *e) { }

static inline void probe_error_names(const char *call, const char * const *names,
				     const unsigned long *addrs, unsigned int nr, int err)
{
}

static inline void probe_error_override(const char *call, unsigned long addr) { }
#endif

#endif /* _LINUX_PROBE_ERRORS_H */
