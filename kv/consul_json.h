// SPDX-License-Identifier: BSD-3-Clause
// What Consul's agent answers (HTTP API v1): JSON to structures. Pure functions over bytes that may
// be anybody's. They return 0, -EIO for what is no answer of Consul, -ENOMEM.
#pragma once

#include "kv/pairs.h"

#define CONSUL_ID_BYTES 64

// Sorted by key; `prefix` is cut off, keys without it and folders that somebody made are left out.
int consul_parse_pairs(const char *text, size_t len_bytes, const char *prefix, struct pairs *pairs);
// The greatest ModifyIndex of what a transaction has written; 0: nothing.
int consul_parse_txn(const char *text, size_t len_bytes, uint64_t *ret_revision);
int consul_parse_session(const char *text, size_t len_bytes, char ret_id[CONSUL_ID_BYTES]);

// The errno of an answer whose status is not 200, and its words. `text` ends with a zero that is
// not counted.
int consul_parse_error(
	int status, const char *text, size_t len_bytes, char *ret_words, size_t words_bytes);
