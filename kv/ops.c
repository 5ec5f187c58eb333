// SPDX-License-Identifier: BSD-3-Clause
#include "kv/ops.h"

#include <stdlib.h>
#include <string.h>

static size_t value_bytes(const struct kv_op *op)
{
	return op->action == KV_PUT ? op->len_bytes : 0;
}

struct kv_op *kv_ops_copy(const struct kv_op *ops, unsigned count)
{
	size_t size = count * sizeof(*ops);
	struct kv_op *copy;
	char *text;

	for (unsigned i = 0; i < count; i++)
		size += strlen(ops[i].key) + 1 + value_bytes(&ops[i]) + 1;
	copy = malloc(size ? size : 1);
	if (!copy)
		return NULL;
	text = (char *)(copy + count);
	for (unsigned i = 0; i < count; i++) {
		size_t len = strlen(ops[i].key) + 1;

		copy[i] = ops[i];
		copy[i].key = memcpy(text, ops[i].key, len);
		text += len;
		len = value_bytes(&ops[i]);
		copy[i].len_bytes = len;
		copy[i].value = text;
		if (len > 0)
			memcpy(text, ops[i].value, len);
		text[len] = '\0';
		text += len + 1;
	}
	return copy;
}
