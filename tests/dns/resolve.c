// SPDX-License-Identifier: BSD-3-Clause
// resolve NAME…: what getaddrinfo() of the C library that this is built with says, each name on a
// line: "NAME ADDRESS…" or "NAME error: REASON". Status 1 when a name is not found.
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

static int resolve(const char *name)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list;
	int rc = getaddrinfo(name, NULL, &hints, &list);

	printf("%s", name);
	if (rc) {
		printf(" error: %s\n", gai_strerror(rc));
		return 1;
	}
	for (const struct addrinfo *a = list; a; a = a->ai_next) {
		char text[INET6_ADDRSTRLEN];
		const void *ip =
			a->ai_family == AF_INET
				? (const void *)&((struct sockaddr_in *)a->ai_addr)->sin_addr
				: (const void *)&((struct sockaddr_in6 *)a->ai_addr)->sin6_addr;

		printf(" %s", inet_ntop(a->ai_family, ip, text, sizeof(text)));
	}
	printf("\n");
	freeaddrinfo(list);
	return 0;
}

int main(int argc, char **argv)
{
	int failed = 0;

	for (int i = 1; i < argc; i++)
		failed |= resolve(argv[i]);
	return failed;
}
