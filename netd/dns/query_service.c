// SPDX-License-Identifier: BSD-3-Clause
// Services by name: services(5), read once. It is a file that does not change, and a flood of
// questions must not read it each time.
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include <uthash.h>

#include "netd/dns/query_priv.h"

#define SERVICE_BYTES 80 // SERVICE/PROTO; no label is longer

struct service {
	char name[SERVICE_BYTES];
	uint16_t port;
	UT_hash_handle hh;
};

static struct service *services;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void lower(char *text)
{
	for (; *text; text++) {
		if (*text >= 'A' && *text <= 'Z')
			*text += 'a' - 'A';
	}
}

static void add(const char *name, const char *proto, uint16_t port)
{
	struct service *service = calloc(1, sizeof(*service)), *there;

	if (!service)
		return;
	snprintf(service->name, sizeof(service->name), "%s/%s", name, proto);
	lower(service->name);
	service->port = port;
	HASH_FIND_STR(services, service->name, there);
	if (there)
		free(service);
	else
		HASH_ADD_STR(services, name, service);
}

static void load(void)
{
	struct servent entry, *found;
	char buf[4096];

	setservent(1);
	while (getservent_r(&entry, buf, sizeof(buf), &found) == 0) {
		add(entry.s_name, entry.s_proto, ntohs(entry.s_port));
		for (char **alias = entry.s_aliases; *alias; alias++)
			add(*alias, entry.s_proto, ntohs(entry.s_port));
	}
	endservent();
}

static bool is_proto(const char *proto)
{
	return strcmp(proto, "tcp") == 0 || strcmp(proto, "udp") == 0 || strcmp(proto, "sctp") == 0;
}

// Of digits only; a number has one spelling.
static uint16_t number(const char *text)
{
	size_t len = strspn(text, "0123456789");
	unsigned long port;

	if (len == 0 || len > 5 || text[len] || text[0] == '0')
		return 0;
	port = strtoul(text, NULL, 10);
	return port <= UINT16_MAX ? port : 0;
}

uint16_t query_service_port(
	const char *service, size_t service_bytes, const char *proto, size_t proto_bytes)
{
	char name[SERVICE_BYTES], *slash;
	struct service *there;
	uint16_t port;

	if (service_bytes + proto_bytes + 2 > sizeof(name))
		return 0;
	snprintf(name, sizeof(name), "%.*s/%.*s", (int)service_bytes, service, (int)proto_bytes,
		proto);
	lower(name);
	slash = strchr(name, '/');
	if (!is_proto(slash + 1))
		return 0;
	*slash = '\0';
	port = number(name);
	*slash = '/';
	if (port)
		return port;
	pthread_once(&once, load);
	HASH_FIND_STR(services, name, there);
	return there ? there->port : 0;
}
