// SPDX-License-Identifier: BSD-3-Clause
// What both daemons offer of their log: methods log.show and log.set.
#pragma once

#include "ctrl/method.h"

extern const struct ctrl_param ctrl_log_set_params[];
extern const struct ctrl_member ctrl_log_members[]; // of both results

int ctrl_log_show(json_t **ret_result, struct err *err);
int ctrl_log_set(const json_t *params, json_t **ret_result, struct err *err);
