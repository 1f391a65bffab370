// SPDX-License-Identifier: GPL-2.0-only
/* The workload: memory. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "workload.h"

#define PAGE	4096
#define BIG	(4 << 20)

static char *map(size_t len)
{
	return mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void copied_on_write(void)
{
	char *m = map(64 * PAGE);
	int i, pid;

	fill(m, 64 * PAGE, 4);
	for (i = 0; i < 4; i++) {
		pid = fork();
		if (!pid) {
			memset(m + i * PAGE, i, 8 * PAGE);
			_exit(m[i * PAGE + 5]);
		}
		add_number(wait_for(pid));
	}
	add(m, 64 * PAGE);
}

static sigjmp_buf past_fault;

static void on_fault(int sig, siginfo_t *info, void *context)
{
	siglongjmp(past_fault, 1);
}

static bool can_write(char *at)
{
	if (sigsetjmp(past_fault, 1))
		return false;
	*(volatile char *)at = 1;
	return true;
}

static void protections(void)
{
	struct sigaction act = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
	char *m = map(16 * PAGE);
	int i;

	sigaction(SIGSEGV, &act, NULL);
	for (i = 0; i < 16; i += 3)
		must(!mprotect(m + i * PAGE, PAGE, i % 2 ? PROT_READ : PROT_NONE));
	for (i = 0; i < 16; i++)
		add_number(can_write(m + i * PAGE));
	must(!munmap(m + 4 * PAGE, 5 * PAGE));
	for (i = 0; i < 16; i++)
		add_number(can_write(m + i * PAGE));
}

static void moved(void)
{
	char *m = map(8 * PAGE), *bigger;
	unsigned char present[8];

	fill(m, 8 * PAGE, 5);
	bigger = mremap(m, 8 * PAGE, 40 * PAGE, MREMAP_MAYMOVE);
	must(bigger != MAP_FAILED);
	add(bigger, 10 * PAGE);
	must(!madvise(bigger, 4 * PAGE, MADV_DONTNEED));
	must(!mincore(bigger, 8 * PAGE, present));
	add(present, 8);
	must(!mlock(bigger + 8 * PAGE, 8 * PAGE));
	must(!munlock(bigger + 8 * PAGE, 8 * PAGE));
	add_result(madvise(bigger, 40 * PAGE, MADV_COLD));
	add_result(madvise(bigger, 40 * PAGE, MADV_PAGEOUT));
	add_result(madvise(bigger, 40 * PAGE, MADV_MERGEABLE));
	add(bigger, 40 * PAGE);
}

static void huge(void)
{
	char *m = map(BIG);
	size_t at;

	add_result(madvise(m, BIG, MADV_HUGEPAGE));
	for (at = 0; at < BIG; at += 16 * PAGE)
		m[at] = at / PAGE;
	must(!mprotect(m + BIG / 2, PAGE, PROT_READ));
	add_result(madvise(m, BIG / 4, MADV_FREE));
	must(!munmap(m + BIG / 4, BIG / 4));
	for (at = BIG / 2; at < BIG; at += 16 * PAGE)
		add_number(m[at]);
}

static void sealed(void)
{
	int fd = memfd_create("sealed", MFD_ALLOW_SEALING);
	char *m;

	must(!ftruncate(fd, 4 * PAGE));
	m = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	fill(m, 4 * PAGE, 6);
	add_result(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	munmap(m, 4 * PAGE);
	must(!fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW));
	add_result(write(fd, "x", 1));
	add_result(ftruncate(fd, 5 * PAGE));
	add_number(fcntl(fd, F_GET_SEALS));
}

static void others_memory(void)
{
	char *m = map(2 * PAGE), back[PAGE];
	struct iovec here = { back, PAGE }, there = { m, PAGE };
	int pid, go[2];

	must(!pipe(go));
	pid = fork();
	if (!pid) {
		close(go[1]);
		/* Wait until the parent closes the other end. */
		_exit(read(go[0], back, 1) != 0);
	}
	here.iov_len = 10;
	memset(back, 'x', 10);
	must(process_vm_writev(pid, &here, 1, &there, 1, 0) == 10);
	here.iov_len = PAGE;
	must(process_vm_readv(pid, &here, 1, &there, 1, 0) == PAGE);
	close(go[1]);
	add_number(wait_for(pid));
	add(back, PAGE);
}

/*
 * A process uses more memory than its cgroup has, so the kernel reclaims. Without
 * swap it cannot reclaim pages of tmpfs.
 */
static void reclaimed(void)
{
	static const char group[] = "/sys/fs/cgroup/workload";
	char text[64];
	char *m;
	int pid;

	write_file("/sys/fs/cgroup/cgroup.subtree_control", "+memory +pids");
	must(!mkdir(group, 0755) || errno == EEXIST);
	add_number(write_file("/sys/fs/cgroup/workload/memory.high", "8M"));
	pid = fork();
	if (!pid) {
		snprintf(text, sizeof(text), "%d", getpid());
		must(write_file("/sys/fs/cgroup/workload/cgroup.procs", text));
		m = map(BIG);
		fill(m, BIG / 4, 8);
		write_file("/sys/fs/cgroup/workload/memory.reclaim", "1M");
		read_file("/sys/fs/cgroup/workload/memory.stat", m, BIG / 8);
		_exit(0);
	}
	add_number(wait_for(pid));
	must(!rmdir(group));
	must(write_file("/proc/sys/vm/drop_caches", "2"));
	must(write_file("/proc/sys/vm/compact_memory", "1"));
}

const struct item memory_items[] = {
	{ "copied_on_write", copied_on_write },
	{ "protections", protections },
	{ "moved", moved },
	{ "huge", huge },
	{ "sealed", sealed },
	{ "others_memory", others_memory },
	{ "reclaimed", reclaimed },
	{ }
};
