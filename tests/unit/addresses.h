// SPDX-License-Identifier: BSD-3-Clause
// Addresses as tests write them.
#pragma once

#include "netd/record/record.h"

struct cidr cidr(const char *text);

// None, of no family, for NULL.
struct ip_addr ip(const char *text);
