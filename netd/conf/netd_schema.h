// SPDX-License-Identifier: BSD-3-Clause
// The schema of vsnetd's configuration: one row a key, as config/schema.h has it.
#pragma once

#include "config/schema.h"
#include "netd/conf/netd_conf.h"

#define NETD_POOL_SIZE_DEFAULT 20 // prefix length

// What the file says that `struct netd_conf` has in another form. `conf` is first: a field of the
// one lies where it does in the other.
struct netd_file {
	struct netd_conf conf;
	char vni_range[32];
};

extern const struct schema_table netd_schema;	      // struct netd_file
extern const struct schema_table netd_schema_store;   // cluster-store-opts, struct netd_file
extern const struct schema_table netd_schema_pool;    // struct pool
extern const struct schema_table netd_schema_dns;     // struct dns_conf
extern const struct schema_table netd_schema_network; // struct network_record
extern const struct schema_table netd_schema_subnet;  // struct subnet

// "4096-1048575". -EINVAL.
int netd_vni_range_parse(const char *text, uint32_t *ret_first, uint32_t *ret_last);

// Writes the reference page (Markdown).
void netd_schema_print_reference(FILE *file);
