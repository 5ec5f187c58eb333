// SPDX-License-Identifier: BSD-3-Clause
// vsnetd: puts the parts together. Configuration, state, store, switch, names, agent, control
// channel; then the event loop until a signal; then the same in reverse.
#include <errno.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/capability.h"
#include "base/daemon.h"
#include "base/file.h"
#include "base/log.h"
#include "config/mistakes.h"
#include "netd/agent/advertise.h"
#include "netd/agent/host_routes.h"
#include "netd/conf/netd_schema.h"
#include "netd/conf/netd_secret.h"
#include "netd/ctl/handle.h"
#include "netd/dns/dns.h"

#define SWITCH_DIR_DEFAULT "/run/causeway"
#define STATE_DIR_DEFAULT  "/var/lib/causeway/net"
#define CONFIG_DEFAULT	   CAUSEWAY_CONFDIR "/vsnetd.yaml"
#define MACHINE_ID	   "/etc/machine-id"
#define MACHINE_MAX_BYTES  64
#define STORE_URL_BYTES	   (PATH_MAX + 16)
#define RUN_US		   100000 // agent_run()

struct options {
	const char *config, *run_dir, *state_dir, *switch_dir;
	bool check;
	char run_dir_default[PATH_MAX];
};

struct vsnetd {
	struct options opts;
	struct daemon daemon;
	struct netd_conf conf;
	struct ip_addr vtep;
	char *machine; // NULL: not known
	struct advertise *advertise;
	struct local *local;
	struct kv *kv;
	struct switch_conn *sw;
	struct names *names;
	struct dns *dns; // NULL: off
	struct agent *agent;
	struct netd_handle handle;
};

static void print_methods(FILE *out)
{
	ctrl_reference_print(out, &netd_reference);
}

static const struct daemon_page pages[] = {
	{"control", print_methods}, {"config", netd_schema_print_reference}, {}};

static const struct daemon_program program = {
	.name = "vsnetd", .leaves = "containers keep their networks", .pages = pages};

static const struct capability_use capabilities[] = {
	{CAP_NET_ADMIN, "CAP_NET_ADMIN", "interfaces of containers and gateways cannot be set up"},
	{CAP_SYS_ADMIN, "CAP_SYS_ADMIN",
		"network namespaces of containers cannot be entered: no connections, no names"},
	{CAP_NET_BIND_SERVICE, "CAP_NET_BIND_SERVICE", "names are not answered at port 53"}, {}};

// Returns -1 to go on, else the exit status.
static int parse_options(int argc, char **argv, struct options *opts)
{
	const struct daemon_option options[] = {
		{"config", "FILE",
			"configuration (YAML); default " CONFIG_DEFAULT ", if it is there",
			&opts->config, .letter = 'c'},
		{"run-dir", "DIR",
			"sockets; default $CAUSEWAY_RUN_DIR/net or " SWITCH_DIR_DEFAULT "/net",
			&opts->run_dir},
		{"state-dir", "DIR", "state kept over restarts; default " STATE_DIR_DEFAULT,
			&opts->state_dir},
		{"switch", "DIR",
			"run directory of this host's vswitchd; default $CAUSEWAY_RUN_DIR "
			"or " SWITCH_DIR_DEFAULT,
			&opts->switch_dir},
		{"check", NULL, "check the configuration and exit", .flag = &opts->check}, {}};
	int status;

	opts->state_dir = STATE_DIR_DEFAULT;
	opts->switch_dir = daemon_env("CAUSEWAY_RUN_DIR", SWITCH_DIR_DEFAULT);
	snprintf(opts->run_dir_default, sizeof(opts->run_dir_default), "%s/net", opts->switch_dir);
	opts->run_dir = opts->run_dir_default;
	status = daemon_options(&program, options, argc, argv);
	opts->config = daemon_config(opts->config, CONFIG_DEFAULT);
	return status;
}

// ---- the configuration ----

static int read_conf(const char *path, struct netd_conf *ret_conf, struct err *err)
{
	struct conf_mistakes mistakes = {0};
	size_t len;
	char *text;
	int rc = file_read(path, CONF_FILE_MAX_BYTES, &text, &len, err);

	if (rc < 0)
		return rc;
	rc = netd_conf_parse(text, len, ret_conf, &mistakes);
	free(text);
	return conf_mistakes_tell(&mistakes, path, rc, "", err);
}

static int load_conf(struct vsnetd *d, struct err *err)
{
	struct netd_conf conf;
	int rc;

	if (d->opts.config) {
		rc = read_conf(d->opts.config, &conf, err);
		if (rc < 0)
			return rc;
		netd_conf_fini(&d->conf);
		d->conf = conf;
	}
	if (!d->conf.host[0])
		return err_set(err, -EINVAL, "host",
			"this host's own name is not allowed in the cluster; give another one in "
			"the configuration (host: NAME)");
	rc = netd_secrets_read(&d->conf, err);
	if (rc == 0)
		netd_secrets_warn(&d->conf, d->opts.config);
	return rc;
}

// ---- the parts ----

static void on_store_state(void *arg, bool up, const char *reason)
{
	struct vsnetd *d = arg;

	if (d->agent)
		agent_store_state(d->agent, up, reason);
}

static void on_event(void *arg, const char *name, const json_t *data)
{
	struct vsnetd *d = arg;

	if (d->handle.server)
		ctrl_server_event(d->handle.server, name, data);
}

static void on_run(void *arg)
{
	struct vsnetd *d = arg;

	agent_run(d->agent);
}

static void on_address(void *arg, const struct ip_addr *ip)
{
	struct vsnetd *d = arg;

	agent_set_vtep(d->agent, ip);
}

static uint64_t now_us(void *arg)
{
	return monotonic_us();
}

static const char *given(const char *text)
{
	return text[0] ? text : NULL;
}

// The default is in the state folder; its URL is made in `own`.
static struct kv_opts store_opts(struct vsnetd *d, char own[STORE_URL_BYTES])
{
	const struct netd_conf *conf = &d->conf;

	snprintf(own, STORE_URL_BYTES, "lmdb:%s/store", d->opts.state_dir);
	return (struct kv_opts){
		.loop = d->daemon.loop,
		.url = conf->cluster_store[0] ? conf->cluster_store : own,
		.ca_file = given(conf->ca_file),
		.cert_file = given(conf->cert_file),
		.key_file = given(conf->key_file),
		.user = given(conf->user),
		.password = given(conf->password),
		.token = given(conf->token),
		.timeout_ms = conf->timeout_ms,
		.on_state = on_store_state,
		.arg = d,
	};
}

static int open_store(struct vsnetd *d, struct err *err)
{
	char own[STORE_URL_BYTES];
	struct kv_opts opts = store_opts(d, own);

	return kv_open(&opts, &d->kv, err);
}

static int find_vtep(struct vsnetd *d, struct err *err)
{
	char where[ADVERTISE_WHERE_BYTES], text[IP_TEXT_BYTES];
	int rc = advertise_find(d->conf.cluster_advertise, &d->vtep, where, err);

	if (rc < 0)
		return rc;
	log_info("tunnels end at %s (%s)", ip_format(&d->vtep, text), where);
	return 0;
}

// What a start can be refused for before anything is made: --check ends here.
static int check_start(struct vsnetd *d, struct err *err)
{
	static const struct ctrl_tcp no_tcp;
	char own[STORE_URL_BYTES];
	struct kv_opts opts;
	int rc;

	if ((rc = load_conf(d, err)) < 0 ||
		(rc = ctrl_server_check(d->opts.run_dir, &no_tcp, err)) < 0 ||
		(rc = find_vtep(d, err)) < 0)
		return rc;
	opts = store_opts(d, own);
	return kv_check(&opts, err);
}

static int open_dns(struct vsnetd *d, struct err *err)
{
	struct dns_opts opts = {.loop = d->daemon.loop, .conf = &d->conf.dns};

	opts.names = d->names = names_new();
	if (!d->names)
		return err_set(err, -ENOMEM, NULL, "out of memory");
	return d->conf.dns.off ? 0 : dns_new(&opts, &d->dns, err);
}

static void read_machine(struct vsnetd *d)
{
	size_t len;

	if (file_read(MACHINE_ID, MACHINE_MAX_BYTES, &d->machine, &len, NULL) == 0)
		d->machine[strcspn(d->machine, " \n")] = '\0';
}

static int open_agent(struct vsnetd *d, struct err *err)
{
	struct agent_opts opts = {
		.conf = &d->conf,
		.vtep = d->vtep,
		.kv = d->kv,
		.local = d->local,
		.sw = d->sw,
		.sandbox = &sandbox_kernel,
		.names = d->names,
		.dns = d->dns,
		.now_us = now_us,
		.routes = host_routes,
		.event = on_event,
		.event_arg = d,
	};
	int rc;

	read_machine(d);
	opts.machine = d->machine;
	rc = agent_new(&opts, &d->agent, err);
	if (rc < 0)
		return rc;
	if (!loop_add_timer(d->daemon.loop, RUN_US, on_run, d))
		return err_set(err, -ENOMEM, NULL, "out of memory");
	return advertise_watch(d->daemon.loop, d->conf.cluster_advertise, &d->vtep, on_address, d,
		&d->advertise, err);
}

static int open_control(struct vsnetd *d, struct err *err)
{
	struct ctrl_server_opts opts = {
		.loop = d->daemon.loop,
		.run_dir = d->opts.run_dir,
		.program = "vsnetd",
		.methods = netd_methods,
		.handlers = netd_handlers,
		.nb_methods = NB_NETD_METHODS,
		.arg = &d->handle,
	};

	d->handle.agent = d->agent;
	d->handle.run_dir = d->opts.run_dir;
	d->handle.started_us = monotonic_us();
	return ctrl_server_new(&opts, &d->handle.server, err);
}

static int open_local(struct vsnetd *d, struct err *err)
{
	char path[PATH_MAX + 16];

	snprintf(path, sizeof(path), "%s/local", d->opts.state_dir);
	return local_open(path, &d->local, err);
}

static int open_parts(struct vsnetd *d, struct err *err)
{
	int rc;

	capability_tell(capabilities, program.name);
	if ((rc = daemon_dirs(&d->daemon, d->opts.run_dir, d->opts.state_dir, err)) < 0 ||
		(rc = daemon_loop(&d->daemon, err)) < 0 || (rc = open_local(d, err)) < 0 ||
		(rc = open_store(d, err)) < 0 ||
		(rc = switch_conn_new(d->daemon.loop, d->opts.switch_dir, &d->sw, err)) < 0 ||
		(rc = open_dns(d, err)) < 0 || (rc = open_agent(d, err)) < 0)
		return rc;
	return open_control(d, err);
}

static void close_parts(struct vsnetd *d)
{
	advertise_free(d->advertise);
	// First the agent, which may answer what waits; the rest is told that vsnetd stops.
	agent_free(d->agent);
	d->agent = NULL;
	// It answers what it was asked, too.
	dns_free(d->dns);
	names_free(d->names);
	ctrl_server_free(d->handle.server);
	switch_conn_free(d->sw);
	kv_free(d->kv);
	local_close(d->local);
	daemon_close(&d->daemon);
	netd_conf_fini(&d->conf);
	free(d->machine);
}

int main(int argc, char **argv)
{
	struct vsnetd d = {.daemon = DAEMON_INIT(&program)};
	struct err err = {0};
	int rc, status = parse_options(argc, argv, &d.opts);

	if (status >= 0)
		return status;
	netd_conf_init(&d.conf);
	rc = check_start(&d, &err);
	if (rc == 0 && !d.opts.check)
		rc = open_parts(&d, &err);
	if (rc < 0) {
		status = daemon_fail(&err);
	} else if (d.opts.check) {
		status = 0;
	} else {
		log_info("vsnetd " CAUSEWAY_VERSION
			 " is ready: host %s, store %s, socket %s/ctl.sock",
			d.conf.host, kv_scheme(d.kv), d.opts.run_dir);
		status = daemon_run(&d.daemon);
	}
	close_parts(&d);
	return status;
}
