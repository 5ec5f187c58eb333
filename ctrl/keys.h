// SPDX-License-Identifier: BSD-3-Clause
// CURVE keys in files: Z85 text of 40 characters, one a line; '#' begins a comment line.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define CTRL_KEY_BYTES 41 // with its zero

struct ctrl_keys {
	char (*key)[CTRL_KEY_BYTES];
	size_t count;
};

// Reads a file of keys. A `secret` file holds one key and may not be readable by others.
int ctrl_keys_read(const char *path, bool secret, struct ctrl_keys *ret_keys, struct err *err);
void ctrl_keys_fini(struct ctrl_keys *keys);
bool ctrl_keys_have(const struct ctrl_keys *keys, const char *key);

// Makes a new pair: the secret in `path` (mode 0600), the public key in `path`.pub. Refuses to
// overwrite either.
int ctrl_keys_generate(const char *path, struct err *err);
