// SPDX-License-Identifier: BSD-3-Clause
// What the tests of configuration share.
#pragma once

#include "config/conf.h"
#include "config/schema.h"

json_t *json(const char *text);

int bind_port(struct conf_port *port, const char *text, struct err *err);

void bind_ok(struct conf_port *port, const char *text);

// `text` is refused in words that hold `say`, and the port stays as it was.
void bind_refused(struct conf_port *port, const char *text, const char *say);

void fresh(struct conf_port *port);

void show(const struct conf_mistakes *mistakes);

void parse_ok(const char *text, struct conf *ret_conf);

void round_trip(const struct conf *conf);

int bind_vtep(struct conf_vtep *vtep, const char *text, struct err *err);
