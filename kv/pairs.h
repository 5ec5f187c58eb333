// SPDX-License-Identifier: BSD-3-Clause
// An array of keys with their values that grows and owns them.
#pragma once

#include "kv/kv.h"

struct pairs {
	struct kv_pair *list;
	size_t count, capacity;
};

// Key and value are copied from, or with `is_base64` decoded. -ENOMEM; -EINVAL for what is no
// base64, or a key with a zero in it.
int pairs_add(
	struct pairs *p, const char *key, const char *value, size_t len_bytes, uint64_t revision);
int pairs_add_base64(
	struct pairs *p, const char *key, bool key_is_base64, const char *value, uint64_t revision);
void pairs_free(struct pairs *p);
