/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the user programs share. They print results as
 *
 *	row NAME COST N MISSED
 */
#ifndef TOOL_H
#define TOOL_H

#include <stdint.h>

#define TRACEFS		"/sys/kernel/tracing/"
#define KPROBE_EVENTS	TRACEFS "kprobe_events"
#define DYNAMIC_EVENTS	TRACEFS "dynamic_events"
#define NAME_SIZE	128
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* From a file that has one a line. */
extern char (*functions)[NAME_SIZE];
extern unsigned int nr_functions;

void die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void result(const char *name, uint64_t cost, unsigned int n, unsigned long missed);
int open_file(const char *path, int flags);
int put(int fd, const char *text);
void write_file(const char *path, int flags, const char *text);
void clear_events(const char *file);
void create_events(const char *file, char type, const char *group, unsigned int first,
		   unsigned int last);
void read_functions(const char *path, unsigned int least);

#endif /* TOOL_H */
