// SPDX-License-Identifier: BSD-3-Clause
// The bare TAP forwarder: two TAPs with virtio-net headers and offloads, read() and write() and
// nothing else. What a switch over TAPs can reach at best this way.
//
// usage: tapfwd TAP_A TAP_B     (makes both in its network namespace and prints "ready")
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define BURST 64

static int tap_open(const char *name)
{
	struct ifreq ifr = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &ifr) < 0 ||
		ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN) < 0) {
		perror(name);
		return -1;
	}
	return fd;
}

static void forward(int from, int to)
{
	static char packet[70000];

	for (unsigned i = 0; i < BURST; i++) {
		ssize_t len = read(from, packet, sizeof(packet));

		if (len <= 0)
			return;
		// A TAP that is down yet refuses packets; a peer of a benchmark need not care.
		if (write(to, packet, len) < 0)
			return;
	}
}

int main(int argc, char **argv)
{
	struct pollfd fds[2];

	if (argc != 3) {
		fprintf(stderr, "usage: tapfwd TAP_A TAP_B\n");
		return 2;
	}
	for (unsigned i = 0; i < 2; i++) {
		fds[i] = (struct pollfd){tap_open(argv[1 + i]), POLLIN, 0};
		if (fds[i].fd < 0)
			return 1;
	}
	puts("ready");
	fflush(stdout);
	while (poll(fds, 2, -1) >= 0) {
		if (fds[0].revents)
			forward(fds[0].fd, fds[1].fd);
		if (fds[1].revents)
			forward(fds[1].fd, fds[0].fd);
	}
	return 1;
}
