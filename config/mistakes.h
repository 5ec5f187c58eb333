// SPDX-License-Identifier: BSD-3-Clause
// What both daemons say of a configuration file.
#pragma once

#include "config/conf.h"

// Logs each mistake as FILE:LINE: KEY: REASON and frees the list. When `rc`, which the parser has
// returned, is negative, says in `err` how many there are and `consequence`. Returns `rc`.
int conf_mistakes_tell(struct conf_mistakes *mistakes, const char *path, int rc,
	const char *consequence, struct err *err);
