// SPDX-License-Identifier: BSD-3-Clause
// Checks across fields: what no row of the schema says alone.
#pragma once

#include "config/conf.h"
#include "config/report.h"

// Checks a port or a VTEP whose fields are in bounds each. `at` is its node, `obj` what
// it was bound from.
void check_port(struct report *report, const struct conf_port *port, const json_t *obj,
	const char *path, const void *at);
void check_vtep(struct report *report, const struct conf_vtep *vtep, const json_t *obj,
	const char *path, const void *at);
