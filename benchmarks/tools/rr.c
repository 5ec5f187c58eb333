// SPDX-License-Identifier: BSD-3-Clause
// Request and response over TCP, one byte each, one at a time: how long an answer takes.
//   rr server PORT
//   rr client ADDRESS PORT SECONDS [PAUSE_US]     a pause before each request
// The client prints JSON: count, per_second, p50_us, p99_us, p999_us, max_us.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "benchmarks/tools/common.h"

#define SAMPLES_MAX (16u << 20)

static uint32_t *ns_of;

static int no_delay(int fd)
{
	int on = 1;

	return setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static void serve(int port)
{
	struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1, peer;
	char byte;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 || listen(fd, 1) < 0)
		die("rr: listen");
	while ((peer = accept(fd, NULL, NULL)) >= 0) {
		no_delay(peer);
		while (read(peer, &byte, 1) == 1 && write(peer, &byte, 1) == 1)
			;
		close(peer);
	}
	die("rr: accept");
}

static int by_size(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static double us_at(uint32_t count, double share)
{
	uint32_t i = count * share;

	return ns_of[i < count ? i : count - 1] / 1e3;
}

static uint32_t ask(int fd, uint64_t end_ns, unsigned pause_us)
{
	struct timespec pause = {
		.tv_sec = pause_us / 1000000, .tv_nsec = pause_us % 1000000 * 1000};
	uint32_t count = 0;
	char byte = 'c';

	while (now_ns() < end_ns && count < SAMPLES_MAX) {
		uint64_t start;

		if (pause_us)
			nanosleep(&pause, NULL);
		start = now_ns();
		if (write(fd, &byte, 1) != 1 || read(fd, &byte, 1) != 1)
			die("rr: lost the connection");
		ns_of[count++] = now_ns() - start;
	}
	return count;
}

static void request(const char *address, int port, double seconds, unsigned pause_us)
{
	struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	uint64_t start = now_ns();
	uint32_t count;

	ns_of = malloc(SAMPLES_MAX * sizeof(*ns_of));
	if (!ns_of || inet_pton(AF_INET, address, &addr.sin_addr) != 1)
		die("rr: address");
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 || no_delay(fd) < 0)
		die("rr: connect");
	prctl(PR_SET_TIMERSLACK, 1);
	start = now_ns();
	count = ask(fd, start + (uint64_t)(seconds * 1e9), pause_us);
	seconds = (now_ns() - start) / 1e9;
	if (count == 0)
		die("rr: no answer");
	qsort(ns_of, count, sizeof(*ns_of), by_size);
	printf("{\"count\": %u, \"per_second\": %.1f, \"p50_us\": %.2f, \"p99_us\": %.2f, "
	       "\"p999_us\": %.2f, \"max_us\": %.2f}\n",
		count, count / seconds, us_at(count, 0.5), us_at(count, 0.99), us_at(count, 0.999),
		us_at(count, 1));
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "server")) {
		serve(atoi(argv[2]));
	} else if ((argc == 5 || argc == 6) && !strcmp(argv[1], "client")) {
		request(argv[2], atoi(argv[3]), atof(argv[4]), argc == 6 ? atoi(argv[5]) : 0);
	} else {
		fprintf(stderr, "usage: rr server PORT | "
				"rr client ADDRESS PORT SECONDS [PAUSE_US]\n");
		return 2;
	}
	return 0;
}
