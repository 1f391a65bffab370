// SPDX-License-Identifier: GPL-2.0-only
/*
 * Make the kernel do many things whose results are always the same.
 *
 * workload		run all items once, and print a line of results for each
 * workload EXPECTED	run all items repeatedly, and compare the lines with those
 *			in the file EXPECTED. After SIGUSR1 make one more full pass
 *			and exit: 0 if all lines were as expected
 *
 * Start it as root in an empty directory of a tmpfs.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "workload.h"

#define MAX_ITEMS	128
#define LINE		128
#define TIME_LIMIT	120	/* seconds for an item: many probes make it slow */

struct outcome {
	uint64_t digest;
	char failed[64];	/* the first must() that failed */
};

static struct outcome *outcome;		/* shared with the item's process */
static volatile sig_atomic_t last_pass;

void add(const void *data, size_t len)
{
	const unsigned char *byte = data;

	while (len--)
		outcome->digest = (outcome->digest ^ *byte++) * 0x100000001b3;
}

void add_number(long number)
{
	add(&number, sizeof(number));
}

void add_text(const char *text)
{
	add(text, strlen(text) + 1);
}

long add_result(long result)
{
	add_number(result < 0 ? -errno : result);
	return result;
}

void note_failure(const char *file, int line)
{
	if (!outcome->failed[0])
		snprintf(outcome->failed, sizeof(outcome->failed), "%s:%d,errno=%d",
			 strrchr(file, '/') ? strrchr(file, '/') + 1 : file, line, errno);
	add_number(line);
}

long read_file(const char *path, char *buf, size_t size)
{
	size_t len = 0;
	long got = 0;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	while (len < size - 1) {
		got = read(fd, buf + len, size - 1 - len);
		if (got <= 0)
			break;
		len += got;
	}
	close(fd);
	buf[len] = 0;
	return got < 0 ? -1 : (long)len;
}

bool write_file(const char *path, const char *text)
{
	size_t left = strlen(text);
	long put;
	int fd;

	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	do {
		put = write(fd, text, left);
		if (put <= 0)
			break;
		text += put;
		left -= put;
	} while (left);
	close(fd);
	return put > 0;
}

void fill(void *data, size_t len, unsigned int seed)
{
	unsigned char *byte = data;

	while (len--) {
		seed = seed * 1664525 + 1013904223;
		*byte++ = seed >> 24;
	}
}

int wait_for(int pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -1;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
}

static const struct item *const all_items[] = {
	file_items, process_items, memory_items, net_items,
	ipc_items, time_items, trace_items, system_items,
};

static void run_item(const struct item *item, char *line)
{
	int pid, status;

	memset(outcome, 0, sizeof(*outcome));
	outcome->digest = 0xcbf29ce484222325;
	fflush(NULL);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGUSR1, SIG_IGN);
		alarm(TIME_LIMIT);
		item->run();
		_exit(0);
	}
	status = pid < 0 ? -1 : wait_for(pid);
	/* After a failure, e.g. of a feature this kernel lacks, results are random. */
	if (*outcome->failed)
		outcome->digest = 0;
	snprintf(line, LINE, "%s %016llx %d %s\n", item->name,
		 (unsigned long long)outcome->digest, status, outcome->failed);
}

/* Run all items. Print their lines or, if expected is set, those that differ from it. */
static int pass(char (*expected)[LINE])
{
	const struct item *item;
	char line[LINE];
	int i, n = 0, wrong = 0;

	for (i = 0; i < (int)(sizeof(all_items) / sizeof(*all_items)); i++) {
		for (item = all_items[i]; item->name; item++, n++) {
			run_item(item, line);
			if (!expected) {
				fputs(line, stdout);
			} else if (strcmp(line, expected[n])) {
				printf("expected: %sgot: %s", expected[n], line);
				wrong++;
			}
		}
	}
	fflush(stdout);
	return wrong;
}

static void on_last_pass(int sig)
{
	last_pass = 1;
}

static int repeat(const char *path)
{
	static char expected[MAX_ITEMS][LINE];
	int n = 0, passes = 0, wrong = 0;
	bool last;
	FILE *f;

	f = fopen(path, "r");
	if (!f) {
		perror(path);
		return 2;
	}
	while (n < MAX_ITEMS && fgets(expected[n], LINE, f))
		n++;
	fclose(f);
	do {
		last = last_pass;
		wrong += pass(expected);
		passes++;
	} while (!last && !wrong);
	printf("passes %d wrong %d\n", passes, wrong);
	return !!wrong;
}

int main(int argc, char **argv)
{
	signal(SIGUSR1, on_last_pass);
	outcome = mmap(NULL, sizeof(*outcome), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (outcome == MAP_FAILED) {
		perror("mmap");
		return 2;
	}
	if (argc > 1)
		return repeat(argv[1]);
	pass(NULL);
	return 0;
}
