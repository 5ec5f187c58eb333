// SPDX-License-Identifier: BSD-3-Clause
// A copy of the operations of a transaction, for stores that carry them out later.
#pragma once

#include "kv/kv.h"

// One piece of memory for free(); NULL when there is none. Values end with a zero that is not
// counted.
struct kv_op *kv_ops_copy(const struct kv_op *ops, unsigned count);
