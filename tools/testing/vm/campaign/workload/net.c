// SPDX-License-Identifier: GPL-2.0-only
/* The workload: sockets of the loopback device, and Unix sockets. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "workload.h"

#define SIZE	(256 * 1024)

static char buf[SIZE], back[SIZE];

/* Bind a socket to the loopback address. Returns it, and the address in *addr. */
static int local(int type, struct sockaddr_in *addr)
{
	socklen_t len = sizeof(*addr);
	int fd = socket(AF_INET, type, 0);

	memset(addr, 0, sizeof(*addr));
	addr->sin_family = AF_INET;
	addr->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	must(!bind(fd, (struct sockaddr *)addr, sizeof(*addr)));
	must(!getsockname(fd, (struct sockaddr *)addr, &len));
	return fd;
}

static void send_all(int fd)
{
	long put, at = 0;

	while (at < SIZE) {
		put = send(fd, buf + at, SIZE - at > 30000 ? 30000 : SIZE - at, MSG_NOSIGNAL);
		if (put <= 0)
			_exit(1);
		at += put;
	}
	shutdown(fd, SHUT_WR);
	_exit(recv(fd, back, 10, 0) == 3 ? 0 : 2);
}

/* Receive what another process sends, waiting by epoll. */
static void receive_all(int fd)
{
	struct epoll_event event = { .events = EPOLLIN };
	int ep = epoll_create1(0);
	long got, at = 0;

	/* Without an event epoll_wait() would not return. */
	if (!must(!epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event)))
		return;
	fcntl(fd, F_SETFL, O_NONBLOCK);
	while (epoll_wait(ep, &event, 1, -1) == 1) {
		got = recv(fd, back + at, SIZE - at, 0);
		if (got <= 0)
			break;
		at += got;
		if (at == SIZE)
			break;
	}
	add(back, SIZE);
	must(send(fd, "ack", 3, 0) == 3);
	close(ep);
}

static void tcp(void)
{
	struct sockaddr_in addr;
	int server = local(SOCK_STREAM, &addr), fd, pid, one = 1;
	struct tcp_info info;
	socklen_t len = sizeof(info);

	fill(buf, SIZE, 9);
	must(!listen(server, 5));
	pid = fork();
	if (!pid) {
		fd = socket(AF_INET, SOCK_STREAM, 0);
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
			_exit(3);
		send_all(fd);
	}
	fd = accept4(server, NULL, NULL, SOCK_CLOEXEC);
	must(fd >= 0);
	receive_all(fd);
	must(!getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len));
	close(fd);
	add_number(wait_for(pid));
	close(server);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	add_result(connect(fd, (struct sockaddr *)&addr, sizeof(addr)));
}

static void udp(void)
{
	struct sockaddr_in a, b, from;
	int one = local(SOCK_DGRAM, &a), two = local(SOCK_DGRAM, &b), i;
	socklen_t len = sizeof(from);

	fill(buf, 60000, 10);
	for (i = 0; i < 10; i++) {
		must(sendto(one, buf + i, i * 1000, 0, (struct sockaddr *)&b, sizeof(b)) ==
		     i * 1000);
		must(recvfrom(two, back, SIZE, 0, (struct sockaddr *)&from, &len) == i * 1000);
		add(back, i * 1000);
		must(from.sin_port == a.sin_port);
	}
	/* Large datagrams; the second one is too large. */
	must(sendto(two, buf, 60000, 0, (struct sockaddr *)&a, sizeof(a)) == 60000);
	must(recv(one, back, SIZE, 0) == 60000);
	add(back, 60000);
	add_result(sendto(two, buf, 70000, 0, (struct sockaddr *)&a, sizeof(a)));
	add_result(recv(one, back, SIZE, MSG_DONTWAIT));
	close(one);
	must(!connect(two, (struct sockaddr *)&a, sizeof(a)));
	must(send(two, "x", 1, 0) == 1);
	add_result(recv(two, back, 10, 0));
}

static void pass_descriptor(int fd, int what)
{
	char space[CMSG_SPACE(sizeof(int))] = "";
	struct iovec data = { "fd", 2 };
	struct msghdr msg = {
		.msg_iov = &data, .msg_iovlen = 1,
		.msg_control = space, .msg_controllen = sizeof(space),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &what, sizeof(what));
	must(sendmsg(fd, &msg, 0) == 2);
}

static int take_descriptor(int fd)
{
	char space[CMSG_SPACE(sizeof(int))] = "", text[4];
	struct iovec data = { text, 2 };
	struct msghdr msg = {
		.msg_iov = &data, .msg_iovlen = 1,
		.msg_control = space, .msg_controllen = sizeof(space),
	};
	int what;

	must(recvmsg(fd, &msg, 0) == 2);
	memcpy(&what, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(what));
	return what;
}

static void within(void)
{
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };
	int pair[2], i, fd;

	for (i = 0; i < 3; i++) {
		must(!socketpair(AF_UNIX, types[i], 0, pair));
		fill(buf, 20000, i);
		must(send(pair[0], buf, 20000, 0) == 20000);
		must(recv(pair[1], back, 20000, MSG_PEEK) == 20000);
		must(recv(pair[1], back, 20000, 0) == 20000);
		add(back, 20000);
		pass_descriptor(pair[0], open("/proc/version", O_RDONLY));
		fd = take_descriptor(pair[1]);
		must(read(fd, back, 5) == 5);
		add(back, 5);
		/* A socket is in flight when both sockets are closed. */
		pass_descriptor(pair[1], pair[0]);
		close(pair[0]);
		close(pair[1]);
	}
}

static void named(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX, .sun_path = "socket" };
	int server = socket(AF_UNIX, SOCK_STREAM, 0), client, fd;
	struct ucred cred;
	socklen_t len = sizeof(cred);

	must(!bind(server, (struct sockaddr *)&addr, sizeof(addr)));
	must(!listen(server, 2));
	client = socket(AF_UNIX, SOCK_STREAM, 0);
	must(!connect(client, (struct sockaddr *)&addr, sizeof(addr)));
	fd = accept(server, NULL, NULL);
	must(!getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len));
	must(cred.pid == getpid());
	must(write(client, "hello", 5) == 5);
	must(read(fd, back, 10) == 5);
	unlink("socket");
	add_result(connect(client, (struct sockaddr *)&addr, sizeof(addr)));
}

static void links(void)
{
	struct {
		struct nlmsghdr h;
		struct ifinfomsg i;
	} ask = {
		.h = { .nlmsg_len = sizeof(ask), .nlmsg_type = RTM_GETLINK,
		       .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
	};
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	struct nlmsghdr *h = (void *)back;
	unsigned int left;
	int n = 0;

	must(send(fd, &ask, sizeof(ask), 0) == sizeof(ask));
	left = recv(fd, back, SIZE, 0);
	for (; NLMSG_OK(h, left) && h->nlmsg_type == RTM_NEWLINK; h = NLMSG_NEXT(h, left))
		n++;
	must(n > 0);
}

/* Set the loopback device of a new network namespace up and down. */
static void devices(void)
{
	struct ifreq req = { .ifr_name = "lo" };
	struct sockaddr_ll ll = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	struct sockaddr_in a, b;
	int raw, fd, other;

	must(!unshare(CLONE_NEWNET));
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	must(!ioctl(fd, SIOCGIFFLAGS, &req));
	add_number(req.ifr_flags);
	req.ifr_flags |= IFF_UP;
	must(!ioctl(fd, SIOCSIFFLAGS, &req));
	close(fd);
	raw = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
	ll.sll_ifindex = if_nametoindex("lo");
	must(!bind(raw, (struct sockaddr *)&ll, sizeof(ll)));
	fd = local(SOCK_DGRAM, &a);
	other = local(SOCK_DGRAM, &b);
	must(sendto(fd, "packet", 6, 0, (struct sockaddr *)&b, sizeof(b)) == 6);
	must(recv(other, back, 10, 0) == 6);
	add_result(recv(raw, back, SIZE, 0));
	add_number(system("ping -c 2 -i 0.01 -W 5 127.0.0.1 > ping"));
	add_number(system("ip addr add 10.1.2.3/24 dev lo"));
	add_number(system("ip route add 10.9.0.0/16 dev lo"));
	add_number(system("ip route get 10.9.1.1 > route"));
	add_number(system("ip link set lo down"));
	unlink("ping");
	unlink("route");
}

const struct item net_items[] = {
	{ "tcp", tcp },
	{ "udp", udp },
	{ "within", within },
	{ "named", named },
	{ "links", links },
	{ "devices", devices },
	{ }
};
