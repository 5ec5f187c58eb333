// SPDX-License-Identifier: BSD-3-Clause
// What etcd answers: JSON of its gateway (etcd 3.4, api/v3/rpc.proto) to structures. Pure functions
// over bytes that may be anybody's. They return 0, -EIO for what is no answer of etcd, -ENOMEM.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kv/pairs.h"

struct etcd_header {
	uint64_t cluster, revision;
};

// `prefix` is cut off the keys; those without it are left out.
int etcd_parse_range(const char *text, size_t len_bytes, const char *prefix, struct pairs *pairs,
	struct etcd_header *ret_header, bool *ret_more);
int etcd_parse_txn(
	const char *text, size_t len_bytes, struct etcd_header *ret_header, bool *ret_succeeded);
// Of a grant or a keepalive; `ret_ttl_s` is 0 when the lease is gone.
int etcd_parse_lease(const char *text, size_t len_bytes, struct etcd_header *ret_header,
	uint64_t *ret_id, uint64_t *ret_ttl_s);
int etcd_parse_token(const char *text, size_t len_bytes, char *ret_token, size_t token_bytes);

struct etcd_message {
	struct etcd_header header;
	bool created, canceled;
	bool compacted;
	char reason[128]; // of `canceled`, or of an error
	struct pairs pairs;
	bool *deleted; // of each pair
};
// One line of a watch.
int etcd_parse_message(
	const char *text, size_t len_bytes, const char *prefix, struct etcd_message *ret_msg);
void etcd_message_fini(struct etcd_message *msg);

// The errno of an answer whose status is not 200, and its words. `text` ends with a zero that is
// not counted. -EAGAIN: the user must be authenticated anew; -ERANGE: the revision has been
// compacted.
int etcd_parse_error(
	int status, const char *text, size_t len_bytes, char *ret_words, size_t words_bytes);
