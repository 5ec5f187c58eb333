// SPDX-License-Identifier: BSD-3-Clause
// flood SERVER SECONDS NAME [LABEL]: questions of type A over UDP as fast as it can, and does not
// listen: for NAME, or with LABEL for a name below NAME that is another each time. Prints how many.
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

// Returns the length. `name` has labels of up to 63 bytes, 200 in all.
static size_t question(unsigned number, const char *label, const char *name, uint8_t out[512])
{
	char text[256];
	size_t n = 12;

	if (label)
		snprintf(text, sizeof(text), "%s%u.%s", label, number, name);
	else
		snprintf(text, sizeof(text), "%s", name);
	memcpy(out, (const uint8_t[12]){number >> 8, number, 1, 0, 0, 1}, 12);
	for (char *at = strtok(text, "."); at; at = strtok(NULL, ".")) {
		out[n++] = (uint8_t)strlen(at);
		memcpy(out + n, at, strlen(at));
		n += strlen(at);
	}
	memcpy(out + n, (const uint8_t[5]){0, 0, 1, 0, 1}, 5);
	return n + 5;
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(53)};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	unsigned sent = 0;
	double end;

	if (argc < 4 || strlen(argv[3]) > 200 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1 ||
		connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		return 2;
	end = now_s() + atof(argv[2]);
	for (unsigned i = 0; i % 256 || now_s() < end; i++) {
		uint8_t wire[512];
		size_t len = question(i, argc > 4 ? argv[4] : NULL, argv[3], wire);

		sent += send(fd, wire, len, 0) == (ssize_t)len;
	}
	printf("%u\n", sent);
	return 0;
}
