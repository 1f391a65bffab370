// SPDX-License-Identifier: GPL-2.0
/*
 * perf_records ID LEN [OFFSET[xCOUNT]]...: write LEN bytes to /dev/null, a string of 'A's with its
 * end, and read records of the trace event ID from perf. COUNT locations of strings are at each
 * OFFSET of a record.
 *
 * Prints the size of each record, and the length of each string. Fails if a string is not in the
 * record, or has no end there.
 */
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGES		64
#define LONGEST		65536

static int bad;

static void show_text(const unsigned char *raw, uint32_t size, uint32_t loc)
{
	uint32_t off = loc & 0xffff, len = loc >> 16;

	if (off + len > size || (len && !memchr(raw + off, 0, len))) {
		printf(" bad:%u+%u", off, len);
		bad = 1;
		return;
	}
	printf(" %zu", len ? strlen((const char *)raw + off) : 0);
}

static void show_record(const unsigned char *raw, uint32_t size, char **fields)
{
	unsigned long off, count;
	char *end;

	printf("%u:", size);
	for (; *fields; fields++) {
		off = strtoul(*fields, &end, 0);
		count = *end == 'x' ? strtoul(end + 1, NULL, 0) : 1;
		for (; count--; off += sizeof(uint32_t)) {
			uint32_t loc;

			memcpy(&loc, raw + off, sizeof(loc));
			show_text(raw, size, loc);
		}
	}
	printf("\n");
}

static void show_records(const char *map, char **fields)
{
	const struct perf_event_mmap_page *page = (const void *)map;
	const char *data = map + getpagesize();
	uint64_t at = 0, head = page->data_head;

	__sync_synchronize();
	while (at < head) {
		const struct perf_event_header *record = (const void *)(data + at);
		uint32_t size;

		/* With PERF_SAMPLE_RAW alone, the size of the record and the record follow. */
		memcpy(&size, record + 1, sizeof(size));
		if (record->type == PERF_RECORD_SAMPLE)
			show_record((const unsigned char *)(record + 1) + sizeof(size), size,
				    fields);
		else
			printf("type %u\n", record->type);
		at += record->size;
	}
}

int main(int argc, char **argv)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = PERF_TYPE_TRACEPOINT,
		.sample_type = PERF_SAMPLE_RAW,
		.sample_period = 1,
		.disabled = 1,
	};
	static char text[LONGEST];
	size_t len;
	char *map;
	int fd, null;

	len = argc > 2 ? strtoul(argv[2], NULL, 0) : 0;
	if (!len || len > LONGEST) {
		fprintf(stderr, "usage: perf_records ID LEN [OFFSET[xCOUNT]]...\n");
		return 2;
	}
	memset(text, 'A', len - 1);
	attr.config = strtoull(argv[1], NULL, 0);
	fd = syscall(__NR_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	null = open("/dev/null", O_WRONLY);
	map = mmap(NULL, (1 + PAGES) * getpagesize(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (fd < 0 || null < 0 || map == MAP_FAILED) {
		perror("perf_records");
		return 1;
	}
	ioctl(fd, PERF_EVENT_IOC_ENABLE, 0);
	if (write(null, text, len) != (ssize_t)len)
		bad = 1;
	ioctl(fd, PERF_EVENT_IOC_DISABLE, 0);
	show_records(map, argv + 3);
	return bad;
}
