// SPDX-License-Identifier: GPL-2.0-only
/*
 * Functions for the user programs.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tool.h"

void die(const char *fmt, ...)
{
	int err = errno;
	va_list args;

	va_start(args, fmt);
	fputs("bench: ", stdout);
	vfprintf(stdout, fmt, args);
	va_end(args);
	printf(" (%s)\n", strerror(err));
	exit(1);
}

void result(const char *name, uint64_t cost, unsigned int n, unsigned long missed)
{
	printf("row %s %llu %u %lu\n", name, (unsigned long long)cost, n, missed);
	fflush(stdout);
}

int open_file(const char *path, int flags)
{
	int fd = open(path, flags);

	if (fd < 0)
		die("cannot open %s", path);
	return fd;
}

/* Write text to an open file: 0, or an errno. */
int put(int fd, const char *text)
{
	size_t len = strlen(text);

	return write(fd, text, len) == (ssize_t)len ? 0 : errno;
}

void write_file(const char *path, int flags, const char *text)
{
	int fd = open_file(path, O_WRONLY | flags);

	errno = put(fd, text);
	if (errno)
		die("cannot write %s to %s", text, path);
	close(fd);
}

/* Remove all events of a file of tracefs. */
void clear_events(const char *file)
{
	close(open_file(file, O_WRONLY | O_TRUNC));
}

/* Read names from a file, at least so many. */
void read_names(const char *path, struct names *names, unsigned int least)
{
	char name[NAME_SIZE];
	FILE *f = fopen(path, "r");

	if (!f)
		die("cannot open %s", path);
	while (fscanf(f, "%127s", name) == 1) {
		names->name = realloc(names->name, (names->nr + 1) * sizeof(name));
		if (!names->name)
			die("no memory");
		memcpy(names->name[names->nr++], name, sizeof(name));
	}
	fclose(f);
	if (names->nr < least)
		die("%s has fewer than %u names", path, least);
}

/*
 * Define events "e0", "e1", ... on the names from first to last - 1: kprobes
 * ('p'), fprobes ('f') or tracepoint probes ('t').
 */
void create_events(const char *file, char type, const char *group, const struct names *on,
		   unsigned int first, unsigned int last)
{
	int fd = open_file(file, O_WRONLY | O_APPEND);
	char line[2 * NAME_SIZE];
	unsigned int i;

	for (i = first; i < last; i++) {
		snprintf(line, sizeof(line), "%c:%s/e%u %s\n", type, group, i, on->name[i]);
		errno = put(fd, line);
		if (errno)
			die("no event on %s", on->name[i]);
	}
	close(fd);
}

/* Load a BPF program of this type. Returns its file descriptor. */
int load_program(unsigned int type, const struct bpf_insn *insns, unsigned int nr)
{
	static const char license[] = "GPL";
	union bpf_attr load = {
		.prog_type = type,
		.insns = (uintptr_t)insns,
		.insn_cnt = nr,
		.license = (uintptr_t)license,
	};
	int fd = syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof(load));

	if (fd < 0)
		die("loading a BPF program");
	return fd;
}
