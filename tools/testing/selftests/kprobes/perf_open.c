// SPDX-License-Identifier: GPL-2.0
/*
 * perf_open [-r] SYMBOL FILE TEXT: print how often SYMBOL is hit while TEXT is written to FILE, by
 * a probe of the kprobe PMU, which only this process uses. -r: a return probe
 *
 * perf_open -e ID FILE TEXT: the same for the trace event ID.
 *
 * perf_open -k: keep an event of this process open until standard input ends; "open" tells that it
 * is. While there is one, static branches of perf do not change.
 */
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int pmu_type(void)
{
	FILE *f = fopen("/sys/bus/event_source/devices/kprobe/type", "r");
	int type = -1;

	if (f) {
		if (fscanf(f, "%d", &type) != 1)
			type = -1;
		fclose(f);
	}
	return type;
}

static int write_text(const char *file, const char *text)
{
	int fd = open(file, O_WRONLY);
	ssize_t len = strlen(text);

	if (fd < 0 || write(fd, text, len) != len) {
		perror(file);
		return 1;
	}
	close(fd);
	return 0;
}

static int count(struct perf_event_attr *attr, const char *file, const char *text)
{
	uint64_t count;
	int fd;

	fd = syscall(__NR_perf_event_open, attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0) {
		perror("perf_event_open");
		return 1;
	}
	ioctl(fd, PERF_EVENT_IOC_ENABLE, 0);
	if (write_text(file, text))
		return 1;
	ioctl(fd, PERF_EVENT_IOC_DISABLE, 0);
	if (read(fd, &count, sizeof(count)) != sizeof(count)) {
		perror("read");
		return 1;
	}
	printf("%llu\n", (unsigned long long)count);
	return 0;
}

static int keep_open(void)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_DUMMY,
	};
	char c;

	if (syscall(__NR_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC) < 0) {
		perror("perf_event_open");
		return 1;
	}
	puts("open");
	fflush(stdout);
	while (read(0, &c, 1) > 0)
		;
	return 0;
}

int main(int argc, char **argv)
{
	int event = argc > 1 && !strcmp(argv[1], "-e");
	int ret = argc > 1 && !strcmp(argv[1], "-r");
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = event ? PERF_TYPE_TRACEPOINT : pmu_type(),
		.config = ret,
		.sample_period = 1,
		.disabled = 1,
	};

	if (argc == 2 && !strcmp(argv[1], "-k"))
		return keep_open();
	argv += ret + event;
	argc -= ret + event;
	if (argc != 4) {
		fprintf(stderr, "usage: perf_open [-r] SYMBOL FILE TEXT\n"
			"       perf_open -e ID FILE TEXT\n"
			"       perf_open -k\n");
		return 2;
	}
	if (event)
		attr.config = strtoull(argv[1], NULL, 0);
	else
		attr.kprobe_func = (uintptr_t)argv[1];
	return count(&attr, argv[2], argv[3]);
}
