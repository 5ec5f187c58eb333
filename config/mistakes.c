// SPDX-License-Identifier: BSD-3-Clause
#include "config/mistakes.h"

#include "base/log.h"

int conf_mistakes_tell(struct conf_mistakes *mistakes, const char *path, int rc,
	const char *consequence, struct err *err)
{
	for (unsigned i = 0; i < mistakes->count; i++) {
		const struct conf_mistake *m = &mistakes->list[i];

		log_error("%s:%u: %s%s%s", path, m->line, m->err.path, m->err.path[0] ? ": " : "",
			m->err.reason);
	}
	if (rc < 0)
		err_set(err, rc, path, "%u mistake%s in the configuration%s", mistakes->count,
			mistakes->count == 1 ? "" : "s", consequence);
	conf_mistakes_fini(mistakes);
	return rc;
}
