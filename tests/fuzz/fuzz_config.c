// SPDX-License-Identifier: BSD-3-Clause
// Any bytes as a configuration file: refused with a reason, or taken, and then what is printed is
// taken again and printed the same.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config/conf.h"

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void check_mistakes(const struct conf_mistakes *mistakes, size_t len_bytes)
{
	require(mistakes->count > 0);
	for (unsigned i = 0; i < mistakes->count; i++) {
		const struct conf_mistake *mistake = &mistakes->list[i];

		require(mistake->err.reason[0] != '\0');
		require(mistake->line <= len_bytes + 1);
		require(i == 0 || mistake->line >= mistakes->list[i - 1].line);
	}
}

static void check_printed(const struct conf *conf)
{
	struct conf_mistakes mistakes;
	char *text = conf_print(conf), *again;
	struct conf back;

	require(text);
	require(conf_parse(text, strlen(text), &back, &mistakes) == 0);
	again = conf_print(&back);
	require(again && !strcmp(text, again));
	free(again);
	free(text);
	conf_fini(&back);
	conf_mistakes_fini(&mistakes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len_bytes)
{
	struct conf_mistakes mistakes;
	struct conf conf;

	if (conf_parse((const char *)data, len_bytes, &conf, &mistakes) < 0) {
		check_mistakes(&mistakes, len_bytes);
	} else {
		check_printed(&conf);
		conf_fini(&conf);
	}
	conf_mistakes_fini(&mistakes);
	return 0;
}
