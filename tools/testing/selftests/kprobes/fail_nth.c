// SPDX-License-Identifier: GPL-2.0
/*
 * fail_nth WHAT ARGUMENT...: repeat an operation, and let its first allocation of memory fail, then
 * its second one, and so on until none fails. If the operation fails, it must return an errno and
 * leave nothing behind, and must succeed when it is repeated. WHAT is
 *
 *   write FILE TEXT UNDO-TEXT
 *   mkdir DIRECTORY
 *   perf SYMBOL OFFSET CONFIG		a probe of the kprobe PMU
 *   perf-event ID
 *   insmod FILE PARAMETERS
 *
 * $STATE has names of files that must not differ afterwards. It prints how often the operation
 * failed, and how often it succeeded although an allocation failed.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MOST		20000		/* allocations of an operation; more are an endless loop */
#define PATIENCE	200		/* reads of the state, to wait for deferred work */
#define STATE_SIZE	0x100000

static char **args;
static int undo_fd = -1;
static long injected;

static void die(const char *what, const char *why)
{
	fprintf(stderr, "%s: %s\n", what, why);
	exit(1);
}

/* Let the @n-th allocation of this task fail; 0: none. Returns how many were left before it. */
static long fail_nth(long n)
{
	static int fd = -1;
	char text[32] = "";

	if (fd < 0)
		fd = open("/proc/thread-self/fail-nth", O_RDWR);
	if (fd < 0)
		die("/proc/thread-self/fail-nth", strerror(errno));
	if (pread(fd, text, sizeof(text) - 1, 0) < 0)
		die("read fail-nth", strerror(errno));
	snprintf(text + 16, 16, "%ld", n);
	if (pwrite(fd, text + 16, strlen(text + 16), 0) < 0)
		die("write fail-nth", strerror(errno));
	return strtol(text, NULL, 10);
}

/* Operations, and how to undo them. Each returns 0 or a negative errno. */

static int write_text(const char *file, const char *text)
{
	int fd = open(file, O_WRONLY | O_APPEND), err;
	ssize_t len = strlen(text);

	if (fd < 0)
		return -errno;
	err = write(fd, text, len) == len ? 0 : -errno;
	close(fd);
	return err;
}

static int do_write(void)
{
	return write_text(args[0], args[1]);
}

static int undo_write(void)
{
	return write_text(args[0], args[2]);
}

static int do_mkdir(void)
{
	return mkdir(args[0], 0755) ? -errno : 0;
}

static int undo_mkdir(void)
{
	return rmdir(args[0]) ? -errno : 0;
}

static int open_perf(struct perf_event_attr *attr)
{
	attr->size = sizeof(*attr);
	attr->sample_period = 1;
	undo_fd = syscall(__NR_perf_event_open, attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	return undo_fd < 0 ? -errno : 0;
}

static int pmu_type(void)
{
	static int type;
	FILE *f;

	if (type)
		return type;
	f = fopen("/sys/bus/event_source/devices/kprobe/type", "r");
	if (!f || fscanf(f, "%d", &type) != 1)
		die("kprobe PMU", "there is none");
	fclose(f);
	return type;
}

static int do_perf(void)
{
	struct perf_event_attr attr = {
		.type = pmu_type(),
		.config = strtoull(args[2], NULL, 0),
		.kprobe_func = (uintptr_t)args[0],
		.probe_offset = strtoull(args[1], NULL, 0),
	};

	return open_perf(&attr);
}

static int do_perf_event(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.config = strtoull(args[0], NULL, 0),
	};

	return open_perf(&attr);
}

static int undo_perf(void)
{
	return close(undo_fd) ? -errno : 0;
}

static int do_insmod(void)
{
	int fd = open(args[0], O_RDONLY | O_CLOEXEC), err;

	if (fd < 0)
		return -errno;
	err = syscall(__NR_finit_module, fd, args[1], 0) ? -errno : 0;
	close(fd);
	return err;
}

static int undo_insmod(void)
{
	char name[64];

	snprintf(name, sizeof(name), "%s", strrchr(args[0], '/') + 1);
	*strchr(name, '.') = '\0';
	return syscall(__NR_delete_module, name, O_NONBLOCK) ? -errno : 0;
}

static const struct action {
	const char *name;
	int nr_args;
	int (*act)(void);
	int (*undo)(void);
} actions[] = {
	{ "write", 3, do_write, undo_write },
	{ "mkdir", 1, do_mkdir, undo_mkdir },
	{ "perf", 3, do_perf, undo_perf },
	{ "perf-event", 1, do_perf_event, undo_perf },
	{ "insmod", 2, do_insmod, undo_insmod },
	{ }
};

/* The state that must not change: contents of files, names in directories. */

static size_t add_file(char *to, size_t room, const char *name)
{
	int fd = open(name, O_RDONLY);
	size_t len = 0;
	ssize_t got;

	if (fd < 0)
		die(name, strerror(errno));
	while (len < room && (got = read(fd, to + len, room - len)) > 0)
		len += got;
	close(fd);
	return len;
}

static size_t add_directory(char *to, size_t room, const char *name)
{
	DIR *dir = opendir(name);
	struct dirent *entry;
	size_t len = 0;

	if (!dir)
		die(name, strerror(errno));
	while ((entry = readdir(dir)) && len < room)
		len += snprintf(to + len, room - len, "%s/%s\n", name, entry->d_name);
	closedir(dir);
	return len < room ? len : room;
}

static void look(char *to)
{
	char *names = strdup(getenv("STATE") ?: ""), *name, *rest = names;
	size_t len = 0, room = STATE_SIZE - 1;
	struct stat st;

	while ((name = strsep(&rest, " "))) {
		if (!*name)
			continue;
		if (stat(name, &st))
			len += snprintf(to + len, room - len, "no %s\n", name);
		else if (S_ISDIR(st.st_mode))
			len += add_directory(to + len, room - len, name);
		else
			len += add_file(to + len, room - len, name);
	}
	to[len] = '\0';
	free(names);
}

static void expect_state(const char *before, const char *when)
{
	static char now[STATE_SIZE];
	int i;

	for (i = 0; i < PATIENCE; i++) {
		look(now);
		if (!strcmp(before, now))
			return;
		usleep(10000);
	}
	fprintf(stderr, "%s the state is, with allocation %ld:\n%s\n--- and was:\n%s\n", when,
		injected, now, before);
	exit(1);
}

static void undo(const struct action *a, const char *before)
{
	int err = a->undo();

	if (err)
		die("it cannot be undone", strerror(-err));
	expect_state(before, "undone,");
}

static bool is_of_memory(int err)
{
	return err == -ENOMEM;
}

/* Run once with the n-th allocation failing. False if there are fewer. */
static bool once(const struct action *a, const char *before, long *failed, long *succeeded)
{
	long left;
	int err;

	fail_nth(injected);
	err = a->act();
	left = fail_nth(0);
	if (left) {
		if (err)
			die("it fails though no allocation does", strerror(-err));
		undo(a, before);
		return false;
	}
	if (!err) {
		++*succeeded;
		undo(a, before);
		return true;
	}
	++*failed;
	if (!is_of_memory(err)) {
		fprintf(stderr, "allocation %ld: %s\n", injected, strerror(-err));
		exit(1);
	}
	expect_state(before, "failed,");
	err = a->act();
	if (err)
		die("it does not work afterwards", strerror(-err));
	undo(a, before);
	return true;
}

int main(int argc, char **argv)
{
	static char before[STATE_SIZE];
	long failed = 0, succeeded = 0;
	const struct action *a;

	for (a = actions; a->name && argc > 1; a++) {
		if (!strcmp(a->name, argv[1]))
			break;
	}
	if (argc < 2 || !a->name || argc != 2 + a->nr_args)
		die("usage", "see the source");
	args = argv + 2;
	look(before);
	for (injected = 1; once(a, before, &failed, &succeeded); injected++) {
		if (injected > MOST)
			die("allocations", "there is no end of them");
	}
	printf("%ld failed, %ld succeeded nevertheless\n", failed, succeeded);
	if (!failed && !succeeded)
		die("allocations", "there are none");
	return 0;
}
