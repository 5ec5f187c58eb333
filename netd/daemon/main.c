// SPDX-License-Identifier: BSD-3-Clause
// vsnetd: puts the parts together. Configuration, state, store, switch, names, agent, control
// channel; then the event loop until a signal; then the same in reverse.
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/notify.h"
#include "config/conf.h"
#include "netd/agent/advertise.h"
#include "netd/conf/netd_schema.h"
#include "netd/ctl/handle.h"
#include "netd/dns/dns.h"

#define SWITCH_DIR_DEFAULT "/run/causeway"
#define STATE_DIR_DEFAULT  "/var/lib/causeway/net"
#define RUN_US		   100000 // agent_run()

struct options {
	const char *config, *state_dir, *switch_dir;
	char run_dir[PATH_MAX];
	bool check;
};

struct daemon {
	struct options opts;
	int run_lock, state_lock, signal_fd;
	struct netd_conf conf;
	struct loop *loop;
	struct ip_addr vtep;
	struct advertise *advertise;
	struct local *local;
	struct kv *kv;
	struct switch_conn *sw;
	struct names *names;
	struct dns *dns; // NULL: off
	struct agent *agent;
	struct netd_handle handle;
};

static const char usage[] =
	"usage: vsnetd [OPTION...]\n"
	"\n"
	"  -c, --config FILE    configuration (YAML)\n"
	"      --run-dir DIR    sockets; default $CAUSEWAY_RUN_DIR/net or " SWITCH_DIR_DEFAULT
	"/net\n"
	"      --state-dir DIR  what is kept over restarts; default " STATE_DIR_DEFAULT "\n"
	"      --switch DIR     the run directory of this host's vswitchd; default\n"
	"                       $CAUSEWAY_RUN_DIR or " SWITCH_DIR_DEFAULT "\n"
	"      --log-level L    error, warn, info (default) or debug\n"
	"      --check          check the configuration and exit\n"
	"      --reference control|config\n"
	"                       print a reference page (Markdown) and exit\n"
	"      --version        print the version and exit\n"
	"  -h, --help           print this and exit\n";

enum { RUN_DIR = 256, STATE_DIR, SWITCH, LOG_LEVEL, CHECK, REFERENCE, VERSION };

static int print_reference(const char *page)
{
	if (!strcmp(page, "control")) {
		ctrl_reference_print(stdout, &netd_reference);
		return 0;
	}
	if (!strcmp(page, "config")) {
		netd_schema_print_reference(stdout);
		return 0;
	}
	fprintf(stderr, "vsnetd: --reference takes control or config, not '%s'\n", page);
	return 2;
}

// Returns -1 to go on, else the exit status.
static int take_option(struct options *opts, int c)
{
	switch (c) {
	case 'c':
		opts->config = optarg;
		return -1;
	case RUN_DIR:
		snprintf(opts->run_dir, sizeof(opts->run_dir), "%s", optarg);
		return -1;
	case STATE_DIR:
		opts->state_dir = optarg;
		return -1;
	case SWITCH:
		opts->switch_dir = optarg;
		return -1;
	case LOG_LEVEL:
		return log_take_option("vsnetd", optarg) < 0 ? 2 : -1;
	case CHECK:
		opts->check = true;
		return -1;
	case REFERENCE:
		return print_reference(optarg);
	case VERSION:
		puts("vsnetd (causeway) " CAUSEWAY_VERSION);
		return 0;
	case 'h':
		fputs(usage, stdout);
		return 0;
	default:
		fputs(usage, stderr);
		return 2;
	}
}

static int parse_options(int argc, char **argv, struct options *opts)
{
	static const struct option longs[] = {
		{"config", required_argument, NULL, 'c'},
		{"run-dir", required_argument, NULL, RUN_DIR},
		{"state-dir", required_argument, NULL, STATE_DIR},
		{"switch", required_argument, NULL, SWITCH},
		{"log-level", required_argument, NULL, LOG_LEVEL},
		{"check", no_argument, NULL, CHECK},
		{"reference", required_argument, NULL, REFERENCE},
		{"version", no_argument, NULL, VERSION},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	const char *env = getenv("CAUSEWAY_RUN_DIR");
	int c, rc;

	opts->state_dir = STATE_DIR_DEFAULT;
	opts->switch_dir = env && *env ? env : SWITCH_DIR_DEFAULT;
	snprintf(opts->run_dir, sizeof(opts->run_dir), "%s/net", opts->switch_dir);
	while ((c = getopt_long(argc, argv, "c:h", longs, NULL)) != -1) {
		rc = take_option(opts, c);
		if (rc >= 0)
			return rc;
	}
	if (optind < argc) {
		fprintf(stderr, "vsnetd: unexpected argument '%s'\n%s", argv[optind], usage);
		return 2;
	}
	if (opts->check && !opts->config) {
		fprintf(stderr, "vsnetd: --check needs a configuration: --config FILE\n");
		return 2;
	}
	return -1;
}

// ---- the configuration ----

static int read_conf(const char *path, struct netd_conf *ret_conf, struct err *err)
{
	struct conf_mistakes mistakes = {0};
	size_t len;
	char *text;
	int rc;

	rc = file_read(path, CONF_FILE_MAX_BYTES, &text, &len, err);
	if (rc < 0)
		return rc;
	rc = netd_conf_parse(text, len, ret_conf, &mistakes);
	free(text);
	for (unsigned i = 0; i < mistakes.count; i++) {
		const struct conf_mistake *m = &mistakes.list[i];

		log_error("%s:%u: %s%s%s", path, m->line, m->err.path, m->err.path[0] ? ": " : "",
			m->err.reason);
	}
	if (rc < 0)
		err_set(err, rc, path, "%u mistake%s in the configuration", mistakes.count,
			mistakes.count == 1 ? "" : "s");
	conf_mistakes_fini(&mistakes);
	return rc;
}

static int load_conf(struct daemon *d, struct err *err)
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
			"the host name cannot name this host in the cluster; give another one in "
			"the "
			"configuration (host: NAME)");
	return 0;
}

// ---- the parts ----

static void on_signal(void *arg)
{
	struct daemon *d = arg;
	struct signalfd_siginfo info;

	if (read(d->signal_fd, &info, sizeof(info)) != sizeof(info))
		return;
	log_info("%s: leaving; containers keep their networks", strsignal(info.ssi_signo));
	loop_stop(d->loop);
}

static void on_store_state(void *arg, bool up, const char *reason)
{
	struct daemon *d = arg;

	if (d->agent)
		agent_store_state(d->agent, up, reason);
}

static void on_event(void *arg, const char *name, const json_t *data)
{
	struct daemon *d = arg;

	if (d->handle.server)
		ctrl_server_event(d->handle.server, name, data);
}

static void on_run(void *arg)
{
	struct daemon *d = arg;

	agent_run(d->agent);
}

static void on_address(void *arg, const struct ip_addr *ip)
{
	struct daemon *d = arg;

	agent_set_vtep(d->agent, ip);
}

static uint64_t now_us(void *arg)
{
	return monotonic_us();
}

static int open_dirs(struct daemon *d, struct err *err)
{
	static const struct ctrl_tcp no_tcp;
	const struct options *opts = &d->opts;
	int rc;

	if ((rc = ctrl_server_check(opts->run_dir, &no_tcp, err)) < 0 ||
		(rc = dir_make(opts->run_dir, 0755, err)) < 0 ||
		(rc = dir_lock(opts->run_dir, "vsnetd", "--run-dir", &d->run_lock, err)) < 0 ||
		(rc = dir_make(opts->state_dir, 0750, err)) < 0)
		return rc;
	return dir_lock(opts->state_dir, "vsnetd", "--state-dir", &d->state_lock, err);
}

static int open_loop(struct daemon *d, struct err *err)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	// Before any thread is made, so that all of them inherit it.
	sigprocmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	d->loop = loop_new();
	d->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (!d->loop || d->signal_fd < 0 || !loop_add_fd(d->loop, d->signal_fd, on_signal, d))
		return err_set(err, -ENOMEM, "event loop", "cannot be made");
	return 0;
}

static const char *given(const char *text)
{
	return text[0] ? text : NULL;
}

static int open_store(struct daemon *d, struct err *err)
{
	const struct netd_conf *conf = &d->conf;
	char own[PATH_MAX + 16];
	struct kv_opts opts = {
		.loop = d->loop,
		.url = conf->cluster_store,
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

	if (!conf->cluster_store[0]) {
		snprintf(own, sizeof(own), "lmdb:%s/store", d->opts.state_dir);
		opts.url = own;
	}
	return kv_open(&opts, &d->kv, err);
}

static int find_vtep(struct daemon *d, struct err *err)
{
	char where[ADVERTISE_WHERE_BYTES], text[IP_TEXT_BYTES];
	int rc = advertise_find(d->conf.cluster_advertise, &d->vtep, where, err);

	if (rc < 0)
		return rc;
	log_info("tunnels end at %s (%s)", ip_format(&d->vtep, text), where);
	return 0;
}

static int open_dns(struct daemon *d, struct err *err)
{
	struct dns_opts opts = {.loop = d->loop, .conf = &d->conf.dns};

	opts.names = d->names = names_new();
	if (!d->names)
		return err_set(err, -ENOMEM, NULL, "out of memory");
	return d->conf.dns.off ? 0 : dns_new(&opts, &d->dns, err);
}

static int open_agent(struct daemon *d, struct err *err)
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
		.event = on_event,
		.event_arg = d,
	};
	int rc = agent_new(&opts, &d->agent, err);

	if (rc < 0)
		return rc;
	if (!loop_add_timer(d->loop, RUN_US, on_run, d))
		return err_set(err, -ENOMEM, NULL, "out of memory");
	return advertise_watch(
		d->loop, d->conf.cluster_advertise, &d->vtep, on_address, d, &d->advertise, err);
}

static int open_control(struct daemon *d, struct err *err)
{
	struct ctrl_server_opts opts = {
		.loop = d->loop,
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

static int daemon_open(struct daemon *d, struct err *err)
{
	char path[PATH_MAX + 16];
	int rc;

	snprintf(path, sizeof(path), "%s/local", d->opts.state_dir);
	if ((rc = open_dirs(d, err)) < 0 || (rc = open_loop(d, err)) < 0 ||
		(rc = find_vtep(d, err)) < 0 || (rc = local_open(path, &d->local, err)) < 0 ||
		(rc = open_store(d, err)) < 0 ||
		(rc = switch_conn_new(d->loop, d->opts.switch_dir, &d->sw, err)) < 0 ||
		(rc = open_dns(d, err)) < 0 || (rc = open_agent(d, err)) < 0)
		return rc;
	return open_control(d, err);
}

static void daemon_close(struct daemon *d)
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
	loop_free(d->loop);
	netd_conf_fini(&d->conf);
	for (unsigned i = 0; i < 3; i++) {
		int fd = (int[]){d->signal_fd, d->run_lock, d->state_lock}[i];

		if (fd >= 0)
			close(fd);
	}
}

static int fail(struct daemon *d, const struct err *err)
{
	char text[700];

	log_error("%s", err_text(err, text, sizeof(text)));
	daemon_close(d);
	return 1;
}

int main(int argc, char **argv)
{
	struct daemon d = {.run_lock = -1, .state_lock = -1, .signal_fd = -1};
	struct err err = {0};
	int rc;

	rc = parse_options(argc, argv, &d.opts);
	if (rc >= 0)
		return rc;
	netd_conf_init(&d.conf);
	rc = load_conf(&d, &err);
	if (rc == 0 && !d.opts.check)
		rc = daemon_open(&d, &err);
	if (rc < 0)
		return fail(&d, &err);
	if (d.opts.check) {
		daemon_close(&d);
		return 0;
	}
	log_info("vsnetd " CAUSEWAY_VERSION " is ready: host %s, store %s, socket %s/ctl.sock",
		d.conf.host, kv_scheme(d.kv), d.opts.run_dir);
	notify_systemd("READY=1");
	rc = loop_run(d.loop);
	notify_systemd("STOPPING=1");
	daemon_close(&d);
	return rc < 0 ? 1 : 0;
}
