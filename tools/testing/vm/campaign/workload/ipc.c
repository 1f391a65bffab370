// SPDX-License-Identifier: GPL-2.0-only
/* The workload: communication between processes, and waiting. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/futex.h>
#include <mqueue.h>
#include <poll.h>
#include <pty.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "workload.h"

static char buf[65536], back[65536];

static void pipes(void)
{
	int there[2], again[2], pid, i;
	long got, total = 0;

	must(!pipe(there) && !pipe(again));
	fill(buf, sizeof(buf), 11);
	pid = fork();
	if (!pid) {
		close(there[1]);
		while ((got = read(there[0], back, 5000)) > 0) {
			if (write(again[1], back, got) != got)
				_exit(1);
		}
		_exit(0);
	}
	close(again[1]);
	close(there[0]);
	for (i = 0; i < 10; i++) {
		must(write(there[1], buf + i, 6000) == 6000);
		while (total < (i + 1) * 6000) {
			got = read(again[0], back + total, sizeof(back) - total);
			if (!must(got > 0))
				return;
			total += got;
		}
	}
	close(there[1]);
	add_number(wait_for(pid));
	add(back, total);
	signal(SIGPIPE, SIG_IGN);
	must(!pipe(there));
	close(there[0]);
	add_result(write(there[1], "x", 1));
}

static void spliced(void)
{
	struct iovec data = { buf, 8192 };
	int a[2], b[2];

	must(!pipe(a) && !pipe(b));
	fill(buf, sizeof(buf), 12);
	must(vmsplice(a[1], &data, 1, 0) == 8192);
	must(tee(a[0], b[1], 5000, 0) == 5000);
	must(read(b[0], back, 5000) == 5000);
	add(back, 5000);
	must(splice(a[0], NULL, b[1], NULL, 8192, SPLICE_F_MOVE) == 8192);
	must(read(b[0], back, 8192) == 8192);
	add(back, 8192);
}

static void polled(void)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET }, got[4];
	struct pollfd p[2];
	uint64_t count = 3;
	int ep = epoll_create1(0), ev = eventfd(0, EFD_NONBLOCK), sem = eventfd(5, EFD_SEMAPHORE);
	fd_set set;

	event.data.u32 = 1;
	must(!epoll_ctl(ep, EPOLL_CTL_ADD, ev, &event));
	event.data.u32 = 2;
	must(!epoll_ctl(ep, EPOLL_CTL_ADD, sem, &event));
	add_number(epoll_wait(ep, got, 4, 0));
	must(write(ev, &count, 8) == 8);
	add_number(epoll_wait(ep, got, 4, 1000));
	add_number(epoll_wait(ep, got, 4, 0));
	must(read(ev, &count, 8) == 8);
	add_number(count);
	must(read(sem, &count, 8) == 8);
	add_number(count);
	p[0] = (struct pollfd){ ev, POLLIN | POLLOUT, 0 };
	p[1] = (struct pollfd){ sem, POLLIN, 0 };
	add_number(poll(p, 2, 1000));
	add_number(p[0].revents | p[1].revents << 8);
	FD_ZERO(&set);
	FD_SET(sem, &set);
	add_number(select(sem + 1, &set, NULL, NULL, NULL));
}

static void signalled(void)
{
	struct signalfd_siginfo info;
	sigset_t set;
	int fd, i;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, 0);
	for (i = 0; i < 5; i++) {
		kill(getpid(), SIGUSR2);
		must(read(fd, &info, sizeof(info)) == sizeof(info));
		add_number(info.ssi_signo);
	}
	i = fork();
	if (!i)
		_exit(9);
	must(read(fd, &info, sizeof(info)) == sizeof(info));
	add_number(info.ssi_status);
	add_number(wait_for(i));
}

static pthread_mutex_t pi_lock;
static pthread_cond_t turn_changed = PTHREAD_COND_INITIALIZER;
static int turn;

static void *take_turns(void *arg)
{
	int me = (long)arg, i;

	for (i = 0; i < 20; i++) {
		pthread_mutex_lock(&pi_lock);
		while (turn % 4 != me)
			pthread_cond_wait(&turn_changed, &pi_lock);
		turn++;
		pthread_cond_broadcast(&turn_changed);
		pthread_mutex_unlock(&pi_lock);
	}
	return NULL;
}

static void futexes(void)
{
	pthread_mutexattr_t attr;
	pthread_t thread[4];
	int word = 1, i;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT);
	pthread_mutex_init(&pi_lock, &attr);
	for (i = 0; i < 4; i++)
		must(!pthread_create(&thread[i], NULL, take_turns, (void *)(long)i));
	for (i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	add_number(turn);
	add_result(syscall(SYS_futex, &word, FUTEX_WAIT, 0, NULL, NULL, 0));
	add_result(syscall(SYS_futex, &word, FUTEX_CMP_REQUEUE, 1, 1, &turn, 1));
	add_result(syscall(SYS_futex, &word, FUTEX_WAKE, 1, NULL, NULL, 0));
}

static void system_v(void)
{
	struct { long type; char text[100]; } msg = { 3, "a message" };
	struct sembuf up = { 0, 2, 0 }, down = { 0, -1, SEM_UNDO };
	int shm = shmget(IPC_PRIVATE, 8192, 0600), pid;
	int sem = semget(IPC_PRIVATE, 1, 0600), queue = msgget(IPC_PRIVATE, 0600);
	char *m = shmat(shm, NULL, 0);

	must(m != (void *)-1);
	pid = fork();
	if (!pid) {
		memcpy(m, "shared", sizeof("shared"));
		semop(sem, &up, 1);
		msgsnd(queue, &msg, sizeof(msg.text), 0);
		_exit(0);
	}
	must(!semop(sem, &down, 1));
	add_text(m);
	msg.text[0] = 0;
	must(msgrcv(queue, &msg, sizeof(msg.text), 3, 0) == sizeof(msg.text));
	add_text(msg.text);
	add_number(wait_for(pid));
	must(!shmdt(m) && !shmctl(shm, IPC_RMID, NULL));
	must(!semctl(sem, 0, IPC_RMID) && !msgctl(queue, IPC_RMID, NULL));
	add_result(semop(sem, &up, 1));
}

static void queues(void)
{
	struct mq_attr attr = { .mq_maxmsg = 5, .mq_msgsize = 64 };
	mqd_t q = mq_open("/workload", O_RDWR | O_CREAT | O_NONBLOCK, 0600, &attr);
	unsigned int prio;
	int i;

	must(q != (mqd_t)-1);
	for (i = 0; i < 6; i++)
		add_result(mq_send(q, "0123456789" + i, 4, i % 3));
	while (mq_receive(q, back, 64, &prio) == 4) {
		add(back, 4);
		add_number(prio);
	}
	must(!mq_unlink("/workload"));
}

static void asynchronous(void)
{
	aio_context_t ctx = 0;
	struct io_event event;
	struct iocb cb = { .aio_lio_opcode = IOCB_CMD_PWRITE, .aio_buf = (long)buf,
			   .aio_nbytes = 5000, .aio_offset = 100 }, *list[1] = { &cb };

	fill(buf, 5000, 13);
	cb.aio_fildes = open("async", O_RDWR | O_CREAT, 0600);
	must(!syscall(SYS_io_setup, 4, &ctx));
	must(syscall(SYS_io_submit, ctx, 1, list) == 1);
	must(syscall(SYS_io_getevents, ctx, 1, 1, &event, NULL) == 1);
	add_number(event.res);
	must(!syscall(SYS_io_destroy, ctx));
	must(pread(cb.aio_fildes, back, 6000, 0) == 5100);
	add(back, 5100);
	unlink("async");
}

static void terminals(void)
{
	struct termios t;
	int master, slave, pid;
	long got = 0, n;

	if (!must(!openpty(&master, &slave, NULL, NULL, NULL)))
		return;
	pid = fork();
	if (!pid) {
		/* A shell starts background processes with SIGINT ignored. */
		signal(SIGINT, SIG_DFL);
		setsid();
		ioctl(slave, TIOCSCTTY, 0);
		got = read(slave, back, 100);
		if (got > 0 && write(slave, back, got) != got)
			_exit(1);
		pause();
		_exit(0);
	}
	must(write(master, "helx\177lo\n", 8) == 8);
	while (got < 18) {
		n = read(master, back + got, 100);
		if (!must(n > 0))
			break;
		got += n;
	}
	add(back, got);
	must(!tcgetattr(slave, &t));
	must(write(master, "\003", 1) == 1);
	add_number(wait_for(pid));
}

const struct item ipc_items[] = {
	{ "pipes", pipes },
	{ "spliced", spliced },
	{ "polled", polled },
	{ "signalled", signalled },
	{ "futexes", futexes },
	{ "system_v", system_v },
	{ "queues", queues },
	{ "asynchronous", asynchronous },
	{ "terminals", terminals },
	{ }
};
