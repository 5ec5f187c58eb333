// SPDX-License-Identifier: BSD-3-Clause
// The options of every verb, and those that several verbs have in common.
#include "cli/globals.h"

#include <stddef.h>

const struct cli_option cli_run_dir = {"--run-dir", "DIR",
	"run directory of the switch; default: $CAUSEWAY_RUN_DIR or /run/causeway"};
const struct cli_option cli_json = {"--json", NULL, "print JSON, for programs"};
const struct cli_option cli_timeout = {"--timeout", "SECONDS",
	"how long to wait for an answer; default: 10; to connect containers: 60"};
const struct cli_option cli_connect_to = {"--connect", "tcp://HOST:PORT",
	"a switch elsewhere; needs both keys; default: $CAUSEWAY_CONNECT", .words = "ADDRESS"};
const struct cli_option cli_connect_events = {"--connect-events", "tcp://HOST:PORT",
	"its events, for monitor; default: $CAUSEWAY_CONNECT_EVENTS", .words = "ADDRESS"};
const struct cli_option cli_key = {"--key", "FILE", "your secret key; default: $CAUSEWAY_KEY"};
const struct cli_option cli_server_key = {
	"--server-key", "FILE", "public key of the switch; default: $CAUSEWAY_SERVER_KEY"};
const struct cli_option cli_version = {"--version", NULL, "print the version"};
const struct cli_option cli_help = {
	"--help", NULL, "print help, or that of the verb", .letter = 'h'};

const struct cli_option *const cli_globals[] = {&cli_run_dir, &cli_json, &cli_timeout,
	&cli_connect_to, &cli_connect_events, &cli_key, &cli_server_key, &cli_version, &cli_help,
	NULL};

const struct cli_option cli_may_exist = {
	"--may-exist", NULL, "succeed if it already exists; leave it unchanged"};
const struct cli_option cli_if_exists = {"--if-exists", NULL, "succeed if it does not exist"};
const struct cli_option cli_force = {
	"--force", NULL, "also change what another program manages (managed-by)"};
