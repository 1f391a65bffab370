// SPDX-License-Identifier: GPL-2.0-only
/* The workload: timers and clocks. Results are that timers expire, not when. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "workload.h"

#define MS	1000000

static volatile sig_atomic_t rang;

static void on_ring(int sig)
{
	rang++;
}

static void wait_for_rings(int n)
{
	sigset_t block, old;

	sigfillset(&block);
	sigprocmask(SIG_BLOCK, &block, &old);
	while (rang < n)
		sigsuspend(&old);
	sigprocmask(SIG_SETMASK, &old, NULL);
}

static void intervals(void)
{
	struct itimerval every = { { 0, 2000 }, { 0, 2000 } }, off = { };
	struct sigevent how = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM };
	struct itimerspec once = { .it_value = { 0, 3 * MS } };
	static const int clocks[] = { CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME };
	timer_t timer;
	int i;

	signal(SIGALRM, on_ring);
	must(!setitimer(ITIMER_REAL, &every, NULL));
	wait_for_rings(5);
	must(!setitimer(ITIMER_REAL, &off, NULL));
	for (i = 0; i < 3; i++) {
		rang = 0;
		must(!timer_create(clocks[i], &how, &timer));
		must(!timer_settime(timer, 0, &once, NULL));
		wait_for_rings(1);
		add_number(rang);
		must(!timer_delete(timer));
	}
}

static void descriptors(void)
{
	struct itimerspec every = { { 0, 2 * MS }, { 0, 2 * MS } };
	struct epoll_event event = { .events = EPOLLIN };
	int ep = epoll_create1(0), fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	uint64_t count, total = 0;

	must(!epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event));
	must(!timerfd_settime(fd, 0, &every, NULL));
	while (total < 5) {
		must(epoll_wait(ep, &event, 1, -1) == 1);
		if (read(fd, &count, 8) == 8)
			total += count;
	}
	memset(&every, 0, sizeof(every));
	must(!timerfd_settime(fd, 0, &every, NULL));
	add_result(read(fd, &count, 8));
}

static void clocks(void)
{
	static const int all[] = {
		CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_BOOTTIME,
		CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID, CLOCK_MONOTONIC_COARSE,
	};
	struct timespec then, now, short_time = { 0, MS / 2 };
	struct timex tx = { };
	size_t i;
	int n;

	for (i = 0; i < sizeof(all) / sizeof(*all); i++) {
		must(!clock_gettime(all[i], &then));
		for (n = 0; n < 20; n++) {
			must(!clock_gettime(all[i], &now));
			must(now.tv_sec > then.tv_sec ||
			     (now.tv_sec == then.tv_sec && now.tv_nsec >= then.tv_nsec));
			then = now;
		}
		must(!clock_getres(all[i], &now));
	}
	for (n = 0; n < 5; n++)
		must(!nanosleep(&short_time, NULL));
	must(!clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &then, NULL));
	must(adjtimex(&tx) >= 0);
}

static void cpu_time(void)
{
	struct itimerval soon = { .it_value = { 0, 4000 } };

	signal(SIGPROF, on_ring);
	must(!setitimer(ITIMER_PROF, &soon, NULL));
	while (!rang)
		;
	add_number(rang);
}

const struct item time_items[] = {
	{ "intervals", intervals },
	{ "descriptors", descriptors },
	{ "clocks", clocks },
	{ "cpu_time", cpu_time },
	{ }
};
