// SPDX-License-Identifier: BSD-3-Clause
#include "netd/agent/host_routes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/netlink.h"
#include "base/util.h"

#define TRIES	     5
#define DEFAULT_BITS 1 // 0.0.0.0/1 and 128.0.0.0/1 are a default route, too, as VPNs have it
#define ROOM_MIN     64

struct routes {
	struct cidr *cidr;
	unsigned count, room;
	int rc;
};

static bool is_taken(const struct cidr *cidr)
{
	bool is_local = cidr->ip.family == 6 && cidr->ip.byte[0] == 0xfe &&
			(cidr->ip.byte[1] & 0xc0) == 0x80;

	return cidr->prefix > DEFAULT_BITS && !is_local;
}

static void add_route(void *arg, const struct nl_route *route)
{
	struct routes *routes = arg;
	struct cidr cidr = {
		.ip.family = route->to.family == AF_INET6 ? 6 : 4, .prefix = route->to.prefix_bits};

	memcpy(cidr.ip.byte, route->to.byte, route->to.bytes);
	if (!is_taken(&cidr) || routes->rc < 0)
		return;
	if (routes->count == routes->room) {
		unsigned room = MAX_OF(2 * routes->room, ROOM_MIN);
		struct cidr *more = realloc(routes->cidr, room * sizeof(*more));

		if (!more) {
			routes->rc = -ENOMEM;
			return;
		}
		routes->cidr = more;
		routes->room = room;
	}
	routes->cidr[routes->count++] = cidr;
}

static int read_all(struct nl *nl, struct routes *routes)
{
	static const unsigned families[] = {AF_INET, AF_INET6};
	int rc = 0;

	routes->count = 0;
	for (unsigned i = 0; i < ARRAY_SIZE(families) && rc == 0; i++)
		rc = nl_route_each_table(nl, families[i], add_route, routes);
	return rc < 0 ? rc : routes->rc;
}

int host_routes(void *arg, struct cidr **ret_routes, unsigned *ret_count)
{
	struct routes routes = {0};
	struct nl *nl;
	int rc = nl_open(-1, &nl);

	if (rc < 0)
		return rc;
	rc = -EINTR;
	for (unsigned i = 0; i < TRIES && rc == -EINTR; i++)
		rc = read_all(nl, &routes);
	nl_close(nl);
	if (rc < 0 && rc != -EINTR) {
		free(routes.cidr);
		return rc;
	}
	*ret_routes = routes.cidr;
	*ret_count = routes.count;
	return 0;
}
