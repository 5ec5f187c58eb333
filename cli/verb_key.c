// SPDX-License-Identifier: BSD-3-Clause
#include <stdio.h>

#include "cli/cli.h"
#include "ctrl/keys.h"

static int create(struct cli *cli, int argc, char **argv)
{
	struct err err = {0};
	json_t *result;

	if (ctrl_keys_generate(argv[0], &err) < 0)
		return cli_fail(cli, &err);
	if (cli->json) {
		result = json_pack("{s:s, s:o}", "secret_key_file", argv[0], "public_key_file",
			json_sprintf("%s.pub", argv[0]));
		cli_print_json(result);
		json_decref(result);
	}
	return EXIT_DONE;
}

static const struct verb verbs[] = {
	{"key create", "FILE", "create keys for the control channel over TCP",
		.detail = "Writes a new secret key to FILE and its public key to FILE.pub.",
		.min_args = 1, .max_args = 1, .run = create},
	{},
};
const struct verb_group verb_group_key = {"Keys", "vsctl key create ~/causeway.key", verbs};
