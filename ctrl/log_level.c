// SPDX-License-Identifier: BSD-3-Clause
#include "ctrl/log_level.h"

#include <errno.h>

#include "base/log.h"
#include "base/member.h"

const struct ctrl_param ctrl_log_set_params[] = {{.name = "level",
							 .type = CTRL_STRING,
							 .required = true,
							 .min = 1,
							 .max = 16,
							 .help = LOG_LEVELS},
	{}};

const struct ctrl_member ctrl_log_members[] = {
	{"level", CTRL_STRING, "lines above it are dropped: " LOG_LEVELS}, {}};

int ctrl_log_show(json_t **ret_result, struct err *err)
{
	*ret_result = json_pack("{s:s}", "level", log_level_name(log_get_level()));
	return *ret_result ? 0 : err_set(err, -ENOMEM, NULL, "out of memory");
}

int ctrl_log_set(const json_t *params, json_t **ret_result, struct err *err)
{
	const char *text = member_text(params, "level");
	enum log_level level;

	if (log_level_parse(text, &level) < 0)
		return err_set(
			err, -EINVAL, NULL, "'%.16s' is not a log level: use " LOG_LEVELS, text);
	log_set_level(level);
	return ctrl_log_show(ret_result, err);
}
