// SPDX-License-Identifier: GPL-2.0-only
/* The workload: modules, cgroups, keys, CPU hotplug. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "workload.h"

#define GROUP	"/sys/fs/cgroup/frozen"

static void modules(void)
{
	int i;

	for (i = 0; i < 2; i++) {
		add_number(system("modprobe kprobe_test_target"));
		add_number(write_file("/sys/module/kprobe_test_target/parameters/call", "10"));
		add_number(system("rmmod kprobe_test_target"));
	}
	add_number(system("modprobe no_such_module 2> /dev/null"));
}

static void frozen(void)
{
	char text[32];
	int pid;

	must(!mkdir(GROUP, 0755) || errno == EEXIST);
	pid = fork();
	if (!pid) {
		for (;;)
			pause();
	}
	snprintf(text, sizeof(text), "%d", pid);
	must(write_file(GROUP "/cgroup.procs", text));
	must(write_file(GROUP "/cgroup.freeze", "1"));
	must(write_file(GROUP "/cgroup.freeze", "0"));
	kill(pid, SIGKILL);
	add_number(wait_for(pid));
	/* A process leaves its cgroup a little after its parent's wait has returned. */
	while (rmdir(GROUP) && errno == EBUSY)
		usleep(1000);
	must(access(GROUP, F_OK));
}

static void keys(void)
{
	char back[32] = "";
	long key = syscall(SYS_add_key, "user", "workload", "secret", 6, -2);

	must(key > 0);
	must(syscall(SYS_keyctl, 11, key, back, sizeof(back)) == 6);
	add_text(back);
	must(!syscall(SYS_keyctl, 3, key));
	add_result(syscall(SYS_keyctl, 11, key, back, sizeof(back)));
}

static void odds_and_ends(void)
{
	struct utsname name;
	struct sysinfo info;
	char data[64];

	must(!uname(&name));
	add_text(name.release);
	must(!sysinfo(&info));
	must(syscall(SYS_getrandom, data, sizeof(data), 0) == sizeof(data));
	must(syscall(SYS_membarrier, 0, 0, 0) >= 0);
	must(!syscall(SYS_membarrier, 1, 0, 0));
	add_result(syscall(SYS_kcmp, getpid(), getpid(), 0, 0, 0));
	add_result(syscall(999999));
	must(write_file("/dev/kmsg", "<7>workload\n"));
	must(open("/dev/null", O_RDWR) >= 0);
	must(read_file("/dev/zero", data, sizeof(data)) == sizeof(data) - 1);
	must(write_file("/dev/full", "x") == false);
}

/* Take a CPU offline and online again, if the machine has a second one. */
static void processors(void)
{
	static const char cpu[] = "/sys/devices/system/cpu/cpu1/online";

	if (access(cpu, W_OK))
		return;
	must(write_file(cpu, "0"));
	must(write_file(cpu, "1"));
}

const struct item system_items[] = {
	{ "modules", modules },
	{ "frozen", frozen },
	{ "keys", keys },
	{ "odds_and_ends", odds_and_ends },
	{ "processors", processors },
	{ }
};
