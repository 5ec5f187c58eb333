// SPDX-License-Identifier: BSD-3-Clause
// Names of hosts, networks, endpoints and aliases: which are valid, and which are the same. A name
// is also a DNS name, so "web" and "Web" are one name (RFC 4343). Pure functions; any thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define RECORD_NAME_ALLOWED                                                                        \
	"1 to 63 letters, digits, '.', '_' or '-', beginning with a letter, a digit or '_', with " \
	"no '.' at the end or after another"

bool record_name_is_valid(const char *name);
// -EINVAL: the name is not valid; the error calls it a name of `what` ("network").
int record_name_check(const char *name, const char *what, struct err *err);

bool record_name_same(const char *a, const char *b);
bool record_name_same_bytes(const char *a, const char *b, size_t len_bytes);
// The same names have the same hash. `hash` is HASH_INIT, or the hash of what comes before.
uint64_t record_name_hash(uint64_t hash, const char *name, size_t len_bytes);
