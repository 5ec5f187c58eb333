// SPDX-License-Identifier: BSD-3-Clause
// Secrets of the store: read from files, and told when others could read them.
#pragma once

#include "netd/conf/netd_conf.h"

// Reads `password_file` and `token_file` into `password` and `token`, without the end of the line.
// A file without a '/' is a credential that systemd gives the service ($CREDENTIALS_DIRECTORY).
// `err` names the option: -EINVAL, -ENOENT and the like.
int netd_secrets_read(struct netd_conf *conf, struct err *err);

// Warns of secrets that others may read: in the configuration file `path` (NULL: none) or in files
// of their own, by their permissions; and of those that are sent to the store without TLS. A secret
// itself is never printed.
void netd_secrets_warn(const struct netd_conf *conf, const char *path);
