// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/output.h"
#include "cli/ovs.h"
#include "ctrl/message.h"

// As the switch would have sent it, for what vsctl found out by itself.
static json_t *own_error(const struct err *err, const char *text)
{
	return json_pack("{s:s, s:o, s:{}}", "code",
		ctrl_error_info[ctrl_error_of_errno(err->code)].name, "message",
		ctrl_json_text(text), "data");
}

static void print_json_error(const struct cli *cli, const struct err *err, const char *text)
{
	const json_t *sent = cli->client ? ctrl_client_error(cli->client) : NULL;
	json_t *error = sent ? json_incref((json_t *)sent) : own_error(err, text);

	printf("%s\"error\": ", cli->error_begin ? cli->error_begin : "{");
	json_dumpf(error, stdout, 0);
	printf("}\n");
	json_decref(error);
}

int cli_fail(const struct cli *cli, const struct err *err)
{
	char text[sizeof(err->path) + sizeof(err->reason) + 4];

	err_text(err, text, sizeof(text));
	if (cli->json)
		print_json_error(cli, err, text);
	fprintf(stderr, "vsctl: %s\n", text);
	return EXIT_REFUSED;
}

int cli_usage(const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "vsctl: ");
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, " (see `vsctl help`)\n");
	return EXIT_USAGE;
}

void cli_print_json(const json_t *value)
{
	cli_output_json();
	json_dumpf(value, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY | JSON_REAL_PRECISION(9));
	putchar('\n');
}

void cli_print_line(const json_t *value)
{
	json_dumpf(value, stdout, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(9));
	putchar('\n');
	fflush(stdout);
}

int cli_connect(struct cli *cli)
{
	struct ctrl_client_opts opts = cli->connect;
	struct err err = {0};
	char net_dir[PATH_MAX];

	if (cli->client)
		return EXIT_DONE;
	if (cli->verb->of_agent && (opts.connect || opts.connect_events))
		return cli_usage(
			"the network agent can only be asked on its host, with --run-dir, not over "
			"TCP (--connect, $CAUSEWAY_CONNECT)");
	if (cli->verb->wait_s && !opts.timeout_ms)
		opts.timeout_ms = cli->verb->wait_s * 1000;
	if (cli->verb->of_agent) {
		snprintf(net_dir, sizeof(net_dir), "%s/net",
			opts.run_dir ? opts.run_dir : CTRL_RUN_DIR_DEFAULT);
		opts.run_dir = net_dir;
		opts.what = "network agent";
		opts.program = "vsnetd";
		opts.tells_timeout = cli->verb->wait_s;
	}
	if (ctrl_client_new(&opts, &cli->client, &err) < 0)
		return cli_fail(cli, &err);
	return EXIT_DONE;
}

int cli_call(struct cli *cli, const char *method, json_t *params, json_t **ret_result)
{
	struct err err = {0};
	int rc = cli_connect(cli);

	if (rc == EXIT_DONE && ctrl_client_call(cli->client, method, params, ret_result, &err) < 0)
		rc = cli_fail(cli, &err);
	if (rc == EXIT_DONE && *member_text(*ret_result, "warning"))
		fprintf(stderr, "vsctl: warning: %s\n", member_text(*ret_result, "warning"));
	json_decref(params);
	return rc;
}

int cli_show(struct cli *cli, const char *method, json_t *params, cli_print_fn *print)
{
	json_t *result;
	int rc = cli_call(cli, method, params, &result);

	if (rc != EXIT_DONE)
		return rc;
	if (cli->json)
		cli_print_json(result);
	else if (print)
		print(cli, result);
	json_decref(result);
	return EXIT_DONE;
}

int cli_change(struct cli *cli, const char *method, json_t *params)
{
	if (cli_flag(cli, &cli_force))
		json_object_set_new(params, "force", json_true());
	return cli_show(cli, method, params, NULL);
}

static int bind_options(struct cli *cli, json_t *obj, cli_option_fn *fn, int argc, char **argv)
{
	struct err err = {0};

	for (int i = 0; i < argc; i++) {
		char *value = strchr(argv[i], '=');
		char key[64];

		if (!value || value == argv[i] || value - argv[i] >= (int)sizeof(key))
			return cli_no_option(cli, argv[i]);
		snprintf(key, sizeof(key), "%.*s", (int)(value - argv[i]), argv[i]);
		if (fn(obj, key, value + 1, &err) < 0)
			return cli_fail(cli, &err);
	}
	return EXIT_DONE;
}

int cli_object(struct cli *cli, const char *name, cli_option_fn *fn, int argc, char **argv,
	json_t **ret_obj)
{
	json_t *obj = json_pack("{s:s*}", "name", name);
	int rc = bind_options(cli, obj, fn, argc, argv);

	if (rc == EXIT_DONE)
		*ret_obj = obj;
	else
		json_decref(obj);
	return rc;
}
