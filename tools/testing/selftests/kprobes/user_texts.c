// SPDX-License-Identifier: GPL-2.0
/*
 * user_texts WHAT [ARGUMENT]...: system calls that read strings of a process
 *
 *   open PATH		the path is in a page that is not present when the system call begins
 *   reopen PATH	the same, but the page has been present before
 *   read OLD NEW	read into a buffer with a string, which the call replaces by another one
 *   unmap TEXT		the call unmaps the string
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ROOM	4096

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* A mapping of a file that begins with a string. */
static char *map_text(const char *text)
{
	char name[] = "/tmp/user_texts.XXXXXX";
	int fd = mkstemp(name);
	char *map;

	if (fd < 0 || unlink(name) || pwrite(fd, text, strlen(text) + 1, 0) < 0 ||
	    ftruncate(fd, ROOM))
		die(name);
	map = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		die("mmap");
	return map;
}

static int reopen(const char *path)
{
	char *map = map_text(path);

	if (strcmp(map, path))
		return 1;
	if (madvise(map, ROOM, MADV_DONTNEED))
		die("madvise");
	return open(map, O_RDONLY) < 0;
}

static int replace(const char *old, const char *new)
{
	static char room[ROOM];
	int ends[2];

	snprintf(room, sizeof(room), "%s", old);
	if (pipe(ends) || write(ends[1], new, strlen(new) + 1) < 0)
		die("pipe");
	return read(ends[0], room, ROOM) < 0;
}

static int unmap(const char *text)
{
	char *map = map_text(text);

	return strcmp(map, text) || munmap(map, ROOM);
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[1] : "";

	if (!strcmp(what, "open"))
		return open(map_text(argv[2]), O_RDONLY) < 0;
	if (!strcmp(what, "reopen"))
		return reopen(argv[2]);
	if (!strcmp(what, "unmap"))
		return unmap(argv[2]);
	if (!strcmp(what, "read") && argc > 3)
		return replace(argv[2], argv[3]);
	fprintf(stderr, "usage: user_texts open|reopen|unmap TEXT, read OLD NEW\n");
	return 2;
}
