// SPDX-License-Identifier: BSD-3-Clause
// The least that can be done between two TAP devices: what is read from one is written to the
// other, with its virtio-net header, and nothing is looked at. The practical limit of a switch
// over TAP. Usage: tapfwd [--busy] IFNAME IFNAME; the devices are made and go with the process.
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define FRAME_MAX_BYTES (65535 + 14 + 12)
#define BURST		64

#ifndef TUN_F_USO4 // linux/if_tun.h since Linux 6.2
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

static int tap_open(const char *name)
{
	struct ifreq req = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
	unsigned offloads = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	snprintf(req.ifr_name, sizeof(req.ifr_name), "%s", name);
	if (ioctl(fd, TUNSETIFF, &req) < 0 ||
		(ioctl(fd, TUNSETOFFLOAD, offloads | TUN_F_USO4 | TUN_F_USO6) < 0 &&
			ioctl(fd, TUNSETOFFLOAD, offloads) < 0)) {
		int rc = -errno;

		close(fd);
		return rc;
	}
	return fd;
}

// Moves what is there, up to a burst. Returns how many packets that was; -1 on an error.
static int move(int from, int to)
{
	static char frame[FRAME_MAX_BYTES];
	int n;

	for (n = 0; n < BURST; n++) {
		ssize_t len = read(from, frame, sizeof(frame));

		if (len < 0 && errno == EAGAIN)
			break;
		// A device that is down (EIO) loses packets, as a wire would.
		if (len < 0 || (write(to, frame, len) < 0 && errno != EAGAIN && errno != EIO))
			return -1;
	}
	return n;
}

static int forward(int a, int b, bool busy)
{
	struct pollfd fds[] = {{.fd = a, .events = POLLIN}, {.fd = b, .events = POLLIN}};

	for (;;) {
		int there = move(a, b), back = move(b, a);

		if (there < 0 || back < 0)
			return -errno;
		if (there + back == 0 && !busy)
			poll(fds, 2, -1);
	}
}

int main(int argc, char **argv)
{
	bool busy = argc > 1 && !strcmp(argv[1], "--busy");
	int fd[2], rc;

	if (argc - busy != 3) {
		fprintf(stderr, "usage: tapfwd [--busy] IFNAME IFNAME\n");
		return 2;
	}
	for (int i = 0; i < 2; i++) {
		fd[i] = tap_open(argv[1 + busy + i]);
		if (fd[i] < 0) {
			fprintf(stderr, "tapfwd: %s: %s\n", argv[1 + busy + i], strerror(-fd[i]));
			return 1;
		}
	}
	rc = forward(fd[0], fd[1], busy);
	fprintf(stderr, "tapfwd: %s\n", strerror(-rc));
	return 1;
}
