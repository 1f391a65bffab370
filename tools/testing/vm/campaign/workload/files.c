// SPDX-License-Identifier: GPL-2.0-only
/* The workload: files, directories, procfs and sysfs. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "workload.h"

#define SIZE	(64 * 1024)

static char buf[SIZE], back[SIZE];

static void contents(void)
{
	struct iovec parts[2] = { { back, 1000 }, { back + 5000, 3000 } };
	int fd = open("contents", O_RDWR | O_CREAT | O_TRUNC, 0644);

	fill(buf, SIZE, 1);
	must(fd >= 0);
	must(write(fd, buf, SIZE) == SIZE);
	must(pread(fd, back, 10000, 777) == 10000);
	add(back, 10000);
	must(lseek(fd, -5000, SEEK_END) == SIZE - 5000);
	must(readv(fd, parts, 2) == 4000);
	add(back, 8000);
	must(!ftruncate(fd, 12345));
	must(!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4096, 4096));
	must(pread(fd, back, SIZE, 0) == 12345);
	add(back, 12345);
	must(pwritev(fd, parts, 2, 20000) == 4000);
	must(lseek(fd, 0, SEEK_HOLE) == 4096);
	add_result(lseek(fd, 4096, SEEK_DATA));
	must(!fsync(fd));
	close(fd);
	unlink("contents");
}

static void copies(void)
{
	int from = open("from", O_RDWR | O_CREAT | O_TRUNC, 0644);
	int to = open("to", O_RDWR | O_CREAT | O_TRUNC, 0644);
	loff_t zero = 0, at = 30000;
	int pipe_fds[2];

	fill(buf, SIZE, 2);
	must(write(from, buf, SIZE) == SIZE);
	must(sendfile(to, from, &zero, 20000) == 20000);
	zero = 100;
	must(copy_file_range(from, &zero, to, &at, 5000, 0) == 5000);
	must(!pipe(pipe_fds));
	zero = 500;
	must(splice(from, &zero, pipe_fds[1], NULL, 4096, 0) > 0);
	add_result(splice(pipe_fds[0], NULL, to, NULL, 3596, 0));
	must(pread(to, back, SIZE, 0) == 35000);
	add(back, 35000);
	unlink("from");
	unlink("to");
}

static void mapped(void)
{
	int fd = open("mapped", O_RDWR | O_CREAT | O_TRUNC, 0644);
	char *map;

	must(!ftruncate(fd, SIZE));
	map = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	must(map != MAP_FAILED);
	fill(map + 1000, 30000, 3);
	must(!msync(map, SIZE, MS_SYNC));
	must(pread(fd, back, SIZE, 0) == SIZE);
	add(back, SIZE);
	must(!munmap(map, SIZE));
	map = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	memset(map, 1, 4096);
	must(pread(fd, back, 4096, 0) == 4096);
	add(back, 4096);
	unlink("mapped");
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void add_names(const char *path)
{
	struct dirent **names;
	int i, n = scandir(path, &names, NULL, by_name);

	add_number(n);
	for (i = 0; i < n; i++)
		add_text(names[i]->d_name);
}

static void directories(void)
{
	struct stat st;
	char name[64];
	int i;

	must(!mkdir("dir", 0755));
	must(!chdir("dir"));
	for (i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "file%d", i);
		close(open(name, O_CREAT | O_WRONLY, 0600));
	}
	must(!rename("file1", "renamed"));
	must(!renameat2(AT_FDCWD, "file2", AT_FDCWD, "file3", RENAME_EXCHANGE));
	must(!link("file4", "linked"));
	must(!symlink("file5", "symlink"));
	must(!stat("linked", &st) && st.st_nlink == 2);
	must(readlink("symlink", name, sizeof(name)) == 5);
	must(!chmod("file6", 04711));
	must(!stat("file6", &st));
	add_number(st.st_mode);
	must(!access("file7", W_OK));
	add_result(open("file1", O_RDONLY));
	add_result(mkdir("file8/x", 0755));
	add_result(rmdir("../dir"));
	add_names(".");
	must(!chdir(".."));
	must(!system("rm -r dir"));
}

static void attributes(void)
{
	int fd = open("attributes", O_RDWR | O_CREAT, 0644);
	struct statx stx;
	struct statfs sfs;

	add_result(setxattr("attributes", "trusted.one", "value", 5, 0));
	add_result(getxattr("attributes", "trusted.one", back, 100));
	add_result(listxattr("attributes", back, 100));
	add_result(removexattr("attributes", "trusted.one"));
	must(!statx(AT_FDCWD, "attributes", 0, STATX_BASIC_STATS, &stx));
	add_number(stx.stx_mode);
	must(!fchown(fd, 1, 2));
	must(!fstatfs(fd, &sfs));
	add_number(sfs.f_type);
	unlink("attributes");
}

static void locks(void)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open("locked", O_RDWR | O_CREAT, 0644), pid;

	must(!fcntl(fd, F_SETLK, &whole));
	pid = fork();
	if (!pid)
		_exit(fcntl(fd, F_SETLK, &whole) < 0 && errno == EAGAIN);
	must(wait_for(pid) == 1);
	whole.l_type = F_UNLCK;
	must(!fcntl(fd, F_SETLK, &whole));
	must(!fcntl(fd, F_OFD_SETLK, &whole) || errno == EINVAL);
	unlink("locked");
}

static void notified(void)
{
	int fd = inotify_init1(IN_NONBLOCK);
	const struct inotify_event *event;
	long got, at;

	must(inotify_add_watch(fd, ".", IN_CREATE | IN_DELETE | IN_MODIFY) >= 0);
	close(open("noted", O_CREAT | O_WRONLY, 0600));
	must(write_file("noted", "x"));
	unlink("noted");
	got = read(fd, back, SIZE);
	for (at = 0; at < got; at += sizeof(*event) + event->len) {
		event = (void *)(back + at);
		add_number(event->mask);
		add_text(event->name);
	}
}

static void mounts(void)
{
	must(!unshare(CLONE_NEWNS));
	must(!mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL));
	mkdir("lower", 0755);
	mkdir("over", 0755);
	must(!mount("tmp", "lower", "tmpfs", 0, "size=1m"));
	mkdir("lower/low", 0755);
	mkdir("lower/up", 0755);
	mkdir("lower/work", 0755);
	close(open("lower/low/file", O_CREAT | O_WRONLY, 0644));
	must(write_file("lower/low/file", "below"));
	must(!mount("over", "over", "overlay", 0,
		    "lowerdir=lower/low,upperdir=lower/up,workdir=lower/work"));
	must(write_file("over/file", "above"));
	add_result(read_file("lower/low/file", back, 100));
	add_text(back);
	add_result(read_file("over/file", back, 100));
	add_text(back);
	must(!umount("over"));
	must(!umount("lower"));
	rmdir("over");
	rmdir("lower");
}

/* Files of procfs and sysfs. The contents of most change, so only check that there are any. */
static void made_up(void)
{
	static const char *const paths[] = {
		"/proc/self/status", "/proc/self/maps", "/proc/self/smaps_rollup",
		"/proc/self/stat", "/proc/self/limits", "/proc/self/mountinfo",
		"/proc/meminfo", "/proc/vmstat", "/proc/stat", "/proc/interrupts",
		"/proc/softirqs", "/proc/loadavg", "/proc/uptime", "/proc/zoneinfo",
		"/proc/slabinfo", "/proc/cpuinfo", "/proc/modules", "/proc/net/tcp",
		"/proc/net/unix", "/proc/net/dev", "/proc/1/stack", "/proc/self/pagemap",
		"/proc/self/wchan", "/proc/buddyinfo", "/proc/kallsyms",
		"/proc/timer_list", "/sys/kernel/debug/sched/debug",
		"/sys/devices/system/cpu/online",
		"/sys/kernel/mm/transparent_hugepage/enabled",
	};
	size_t i;

	for (i = 0; i < sizeof(paths) / sizeof(*paths); i++)
		add_number(read_file(paths[i], back, SIZE) > 0);
	add_names("/proc/self");
	add_names("/proc/sys/kernel");
	add_names("/sys/kernel");
	must(read_file("/proc/version", back, SIZE) > 0);
	add_text(back);
	must(write_file("/proc/sys/kernel/hostname", "workload"));
}

const struct item file_items[] = {
	{ "contents", contents },
	{ "copies", copies },
	{ "mapped", mapped },
	{ "directories", directories },
	{ "attributes", attributes },
	{ "locks", locks },
	{ "notified", notified },
	{ "mounts", mounts },
	{ "made_up", made_up },
	{ }
};
