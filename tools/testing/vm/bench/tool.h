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

/**
 * struct names - of functions or of tracepoints, from a file that has one a line
 * @name: the names
 * @nr: how many
 */
struct names {
	char (*name)[NAME_SIZE];
	unsigned int nr;
};

void die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void result(const char *name, uint64_t cost, unsigned int n, unsigned long missed);
int open_file(const char *path, int flags);
int put(int fd, const char *text);
void write_file(const char *path, int flags, const char *text);
void clear_events(const char *file);
void create_events(const char *file, char type, const char *group, const struct names *on,
		   unsigned int first, unsigned int last);
void read_names(const char *path, struct names *names, unsigned int least);

#endif /* TOOL_H */
