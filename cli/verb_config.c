// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "cli/cli.h"
#include "config/conf.h"

static void print_yaml(const struct cli *cli, const json_t *result)
{
	fputs(member_text(result, "yaml"), stdout);
}

static int config_show(struct cli *cli, int argc, char **argv)
{
	return cli_show(cli, "config.show", NULL, print_yaml);
}

static void print_mistakes(struct cli *cli, const char *file, const struct conf_mistakes *mistakes)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < mistakes->count; i++) {
		const struct conf_mistake *m = &mistakes->list[i];
		char text[sizeof(m->err.path) + sizeof(m->err.reason) + 4];

		fprintf(stderr, "%s:%u: %s\n", file, m->line,
			err_text(&m->err, text, sizeof(text)));
		json_array_append_new(list, json_pack("{s:i, s:s, s:s}", "line", (int)m->line,
						    "key", m->err.path, "reason", m->err.reason));
	}
	if (cli->json) {
		json_t *all = json_pack("{s:s, s:O}", "file", file, "mistakes", list);

		cli_print_json(all);
		json_decref(all);
	}
	json_decref(list);
}

static int config_check(struct cli *cli, int argc, char **argv)
{
	struct conf_mistakes mistakes = {0};
	struct err err = {0};
	struct conf conf;
	char *text;
	size_t len;
	int rc;

	if (file_read(argv[0], CONF_FILE_MAX_BYTES, &text, &len, &err) < 0)
		return cli_fail(cli, &err);
	rc = conf_parse(text, len, &conf, &mistakes);
	free(text);
	if (rc == 0) {
		rc = conf_workers_check(&conf, &err);
		conf_fini(&conf);
		if (rc < 0)
			return cli_fail(cli, &err);
	}
	if (rc < 0 && !mistakes.count) {
		err_set_errno(&err, rc, argv[0], "is not a configuration that can be read");
		return cli_fail(cli, &err);
	}
	print_mistakes(cli, argv[0], &mistakes);
	conf_mistakes_fini(&mistakes);
	return rc < 0 ? EXIT_REFUSED : EXIT_DONE;
}

static const struct verb verbs[] = {
	{"config show", "", "print the running configuration as YAML", .run = config_show},
	{"config check", "FILE", "check a configuration file as vswitchd would",
		.detail = "Prints each mistake as FILE:LINE: KEY: REASON. The switch need not run.",
		.min_args = 1, .max_args = 1, .run = config_check},
	{},
};
const struct verb_group verb_group_config = {
	"Configuration", "vsctl config check /etc/causeway/vswitchd.yaml", verbs};
