// SPDX-License-Identifier: GPL-2.0-only
/*
 * Measure how much memory probes take, without that of their callers.
 *
 * bytes_bench FUNCTIONS ROW...
 *
 * prints for each row how many more bytes are in use with N more probes, which
 * are held by the module probe_bench, or are events of tracefs. FUNCTIONS is a
 * file with names of functions that are not called, one a line.
 *
 * Memory is counted exactly: objects of all slab caches, after per-CPU slabs
 * have been flushed, and pages of large allocations, of vmalloc, which includes
 * memory for code, and of per-CPU memory.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tool.h"

#define CACHES		"/sys/kernel/slab"
#define HOLD		"/sys/module/probe_bench/parameters/hold"
#define OPTIMIZATION	"/proc/sys/debug/kprobes-optimization"
#define GROUP		"bytes_bench"
#define EVENTS		300
#define TRIES		20	/* until two sums in a row are equal */

static struct names functions;

/* Flush per-CPU slabs and update all counters. */
static void settle(void)
{
	char path[2 * NAME_SIZE];
	struct dirent *entry;
	DIR *dir;

	write_file(HOLD, 0, "settle");
	dir = opendir(CACHES);
	if (!dir)
		die("cannot read " CACHES);
	while ((entry = readdir(dir))) {
		snprintf(path, sizeof(path), CACHES "/%.100s/shrink", entry->d_name);
		if (entry->d_name[0] != '.')
			write_file(path, 0, "1");
	}
	closedir(dir);
	write_file("/proc/sys/vm/stat_refresh", 0, "1");
}

/* Bytes in slab objects. The slabs' pages are subtracted from *pages. */
static long long slab_objects(long long *pages)
{
	unsigned long objects, size, pages_per_slab, slabs;
	long long bytes = 0;
	char line[512];
	FILE *f;

	f = fopen("/proc/slabinfo", "r");
	if (!f)
		die("cannot read /proc/slabinfo");
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%*s %lu %*u %lu %*u %lu : %*s %*u %*u %*u : %*s %*u %lu",
			   &objects, &size, &pages_per_slab, &slabs) != 4)
			continue;
		bytes += (long long)objects * size;
		*pages -= (long long)slabs * pages_per_slab * getpagesize();
	}
	fclose(f);
	return bytes;
}

static long long whole_pages(void)
{
	static const char *const names[] = { "Slab:", "VmallocUsed:", "Percpu:" };
	char line[NAME_SIZE], name[NAME_SIZE];
	long long bytes = 0, kib;
	unsigned int i;
	FILE *f;

	f = fopen("/proc/meminfo", "r");
	if (!f)
		die("cannot read /proc/meminfo");
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%127s %lld", name, &kib) != 2)
			continue;
		for (i = 0; i < ARRAY_SIZE(names); i++) {
			if (!strcmp(name, names[i]))
				bytes += kib * 1024;
		}
	}
	fclose(f);
	return bytes;
}

static long long in_use_now(void)
{
	long long pages;

	settle();
	pages = whole_pages();
	return slab_objects(&pages) + pages;
}

/* If two sums in a row are equal, deferred frees are over. */
static long long in_use(void)
{
	long long last = in_use_now(), now;
	unsigned int i;

	for (i = 0; i < TRIES; i++) {
		now = in_use_now();
		if (now == last)
			return now;
		last = now;
	}
	fprintf(stderr, "bytes_bench: memory in use keeps changing\n");
	return last;
}

/* Probes of the module */

struct held_row {
	const char *name;
	const char *kind;
	unsigned int number;	/* smaller where registering takes longer */
	bool jumps;
};

static const struct held_row held_rows[] = {
	{ "bytes-kprobe-entry", "kprobe-entry", 256, false },
	{ "bytes-kprobe-inside", "kprobe-inside", 512, false },
	{ "bytes-kprobe-jump", "kprobe-jump", 512, true },
	{ "bytes-listener", "listener", 512, false },
	{ "bytes-kretprobe", "kretprobe", 64, false },
	{ "bytes-fprobe", "fprobe", 512, false },
};

/* Returns an errno. */
static int try_hold(const char *kind, unsigned int n)
{
	int fd = open_file(HOLD, O_WRONLY), err;
	char text[NAME_SIZE];

	snprintf(text, sizeof(text), "%s %u", kind, n);
	err = put(fd, text);
	close(fd);
	return err;
}

static void hold(const char *kind, unsigned int n)
{
	errno = try_hold(kind, n);
	if (errno)
		die("cannot hold %u of %s", n, kind);
}

/* Can this kernel have such probes? */
static bool can_hold(const struct held_row *row)
{
	bool jumps = !access(OPTIMIZATION, W_OK);

	if (jumps)
		write_file(OPTIMIZATION, 0, row->jumps ? "1" : "0");
	return row->jumps <= jumps && !try_hold(row->kind, 1);
}

/* Start with one probe: the first one may allocate memory that all share. */
static void measure_held(const struct held_row *row)
{
	long long before, after;

	if (!can_hold(row)) {
		printf("refused %s none of them here\n", row->name);
		fflush(stdout);
		return;
	}
	/* These allocate memory that is never freed. */
	hold(row->kind, row->number + 1);
	hold(row->kind, 1);
	before = in_use();
	hold(row->kind, row->number + 1);
	after = in_use();
	hold("none", 0);
	result(row->name, after > before ? after - before : 0, row->number, 0);
}

/* Events */

static void enable_events(const char *how)
{
	write_file(TRACEFS "events/" GROUP "/enable", 0, how);
}

static void measure_events(void)
{
	long long before, created, enabled;

	/* The first event creates the group. */
	create_events(KPROBE_EVENTS, 'p', GROUP, &functions, 0, 1);
	enable_events("1");
	enable_events("0");
	before = in_use();
	create_events(KPROBE_EVENTS, 'p', GROUP, &functions, 1, EVENTS + 1);
	created = in_use();
	enable_events("1");
	enabled = in_use();
	enable_events("0");
	clear_events(KPROBE_EVENTS);
	result("bytes-event", created - before, EVENTS, 0);
	result("bytes-event-enabled", enabled - before, EVENTS, 0);
}

static void measure(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(held_rows); i++) {
		if (!strcmp(name, held_rows[i].name)) {
			measure_held(&held_rows[i]);
			return;
		}
	}
	if (strcmp(name, "events")) {
		errno = EINVAL;
		die("no row %s", name);
	}
	measure_events();
}

int main(int argc, char **argv)
{
	int i;

	if (argc < 3) {
		fputs("usage: bytes_bench FUNCTIONS ROW...\n", stderr);
		return 2;
	}
	read_names(argv[1], &functions, EVENTS + 1);
	for (i = 2; i < argc; i++)
		measure(argv[i]);
	return 0;
}
