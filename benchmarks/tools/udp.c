// SPDX-License-Identifier: BSD-3-Clause
// Numbered UDP datagrams, sent and counted until SIGTERM.
//   udp send ADDRESS PORT BYTES PER_SECOND     PER_SECOND 0: as many as there can be
//   udp receive PORT
// Both print JSON: the sender sent and seconds; the receiver received, seconds (from the first to
// the last) and gap_us, the longest time without any.
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "benchmarks/tools/common.h"

#define BURST	     64
#define PAYLOAD_MAX  1472
#define BUFFER_BYTES (64 << 20)

static volatile sig_atomic_t stopped;

static void stop(int number)
{
	stopped = 1;
}

static void sleep_until(uint64_t ns)
{
	struct timespec ts = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

// A burst of datagrams that carry the numbers from first on. Returns how many went.
static int send_burst(int fd, uint64_t first, size_t len_bytes, int n)
{
	static unsigned char payload[BURST][PAYLOAD_MAX];
	struct iovec iov[BURST];
	struct mmsghdr msgs[BURST] = {0};
	int sent;

	for (int i = 0; i < n; i++) {
		uint64_t number = first + i;

		memcpy(payload[i], &number, sizeof(number));
		iov[i] = (struct iovec){payload[i], len_bytes};
		msgs[i].msg_hdr.msg_iov = &iov[i];
		msgs[i].msg_hdr.msg_iovlen = 1;
	}
	sent = sendmmsg(fd, msgs, n, 0);
	// A full queue, or a switch that is away: what a wire would lose.
	return sent > 0 ? sent : 0;
}

static int do_send(const char *address, int port, size_t len_bytes, unsigned per_second)
{
	struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	uint64_t number = 0, sent = 0, start = now_ns();

	if (inet_pton(AF_INET, address, &addr.sin_addr) != 1)
		die("udp: address");
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		die("udp: connect");
	prctl(PR_SET_TIMERSLACK, 1);
	while (!stopped) {
		int n = per_second ? 1 : BURST;

		if (per_second)
			sleep_until(start + number * 1000000000ull / per_second);
		sent += send_burst(fd, number, len_bytes, n);
		number += n;
	}
	printf("{\"sent\": %llu, \"seconds\": %.6f}\n", (unsigned long long)sent,
		(now_ns() - start) / 1e9);
	return 0;
}

static int do_receive(int port)
{
	static unsigned char payload[BURST][PAYLOAD_MAX];
	struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_DGRAM, 0), bytes = BUFFER_BYTES;
	uint64_t received = 0, first = 0, last = 0, gap = 0;
	struct mmsghdr msgs[BURST] = {0};
	struct timeval wake = {.tv_usec = 200000}; // a signal may come just before the call
	struct iovec iov[BURST];

	for (int i = 0; i < BURST; i++) {
		iov[i] = (struct iovec){payload[i], PAYLOAD_MAX};
		msgs[i].msg_hdr.msg_iov = &iov[i];
		msgs[i].msg_hdr.msg_iovlen = 1;
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wake, sizeof(wake));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes));
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		die("udp: bind");
	while (!stopped) {
		int n = recvmmsg(fd, msgs, BURST, MSG_WAITFORONE, NULL);
		uint64_t now = now_ns();

		if (n <= 0)
			continue;
		if (!first)
			first = now;
		else if (now - last > gap)
			gap = now - last;
		last = now;
		received += n;
	}
	printf("{\"received\": %llu, \"seconds\": %.6f, \"gap_us\": %.1f}\n",
		(unsigned long long)received, (last - first) / 1e9, gap / 1e3);
	return 0;
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = stop}; // no SA_RESTART: it ends a blocking call

	sigaction(SIGTERM, &action, NULL);
	if (argc == 6 && !strcmp(argv[1], "send")) {
		size_t len_bytes = atoi(argv[4]);

		if (len_bytes >= sizeof(uint64_t) && len_bytes <= PAYLOAD_MAX)
			return do_send(argv[2], atoi(argv[3]), len_bytes, atoi(argv[5]));
	} else if (argc == 3 && !strcmp(argv[1], "receive")) {
		return do_receive(atoi(argv[2]));
	}
	fprintf(stderr, "usage: udp send ADDRESS PORT BYTES PER_SECOND | udp receive PORT\n");
	return 2;
}
