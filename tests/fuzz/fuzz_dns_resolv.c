// SPDX-License-Identifier: BSD-3-Clause
// Any bytes as a resolv.conf: what is understood of it stays as it is when it is written and read
// again.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "netd/dns/resolv.h"

static void require(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len_bytes)
{
	struct resolv first, second;
	char *text, reason[320];

	resolv_parse((const char *)data, len_bytes, &first);
	require(first.nb_servers <= DNS_SERVERS_MAX && first.nb_search <= DNS_SEARCH_MAX);
	for (unsigned i = 0; i < first.nb_search; i++)
		require(first.search[i][0] != '\0');
	require(first.nb_problems <= RESOLV_PROBLEMS_MAX);
	for (unsigned i = 0; i < first.nb_problems; i++)
		require(*resolv_problem_text(&first.problems[i], reason, sizeof(reason)));
	text = resolv_print(&first);
	require(text != NULL);
	resolv_parse(text, strlen(text), &second);
	free(text);
	require(second.nb_problems == 0);
	require(second.nb_servers == first.nb_servers && second.nb_search == first.nb_search);
	for (unsigned i = 0; i < first.nb_servers; i++)
		require(dns_server_equal(&second.servers[i], &first.servers[i]));
	for (unsigned i = 0; i < first.nb_search; i++)
		require(!strcmp(second.search[i], first.search[i]));
	require(second.ndots == first.ndots);
	return 0;
}
