/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Declarations for the parts of the workload.
 *
 * An item uses some part of the kernel, in a process of its own, and adds the results
 * to a digest, which must be the same each time. So it adds data, numbers and errors
 * that do not depend on time or on other processes.
 */
#ifndef WORKLOAD_H
#define WORKLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct item {
	const char *name;
	void (*run)(void);
};

extern const struct item file_items[], process_items[], memory_items[], net_items[];
extern const struct item ipc_items[], time_items[], trace_items[], system_items[];

/* main.c; digest */
void add(const void *data, size_t len);
void add_number(long number);
void add_text(const char *text);
long add_result(long result);		/* of a system call; adds -errno if it failed */
void note_failure(const char *file, int line);

#define must(condition) \
	((condition) ? true : (note_failure(__FILE__, __LINE__), false))

/* main.c; helpers */
long read_file(const char *path, char *buf, size_t size);
bool write_file(const char *path, const char *text);
void fill(void *data, size_t len, unsigned int seed);
int wait_for(int pid);			/* returns the exit status, or 256 + the signal */

#endif
