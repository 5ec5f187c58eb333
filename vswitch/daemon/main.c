// SPDX-License-Identifier: BSD-3-Clause
// vswitchd: puts the parts together. Configuration, DPDK, data plane, object model, control
// channel; then the event loop until a signal; then the same in reverse.
#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/capability.h"
#include "base/daemon.h"
#include "base/hash.h"
#include "base/log.h"
#include "config/schema.h"
#include "vswitch/ctl/switch_ctl.h"
#include "vswitch/ctl/switch_method.h"
#include "vswitch/daemon/eal.h"
#include "vswitch/state.h"
#include "vswitch/vswitch.h"

#define RUN_DIR_DEFAULT	  "/run/causeway"
#define STATE_DIR_DEFAULT "/var/lib/causeway"
#define CONFIG_DEFAULT	  CAUSEWAY_CONFDIR "/vswitchd.yaml"

struct options {
	const char *config, *run_dir, *state_dir;
	bool check;
	struct ctrl_tcp tcp;
};

struct vswitchd {
	struct options opts;
	struct daemon daemon;
	char state_path[4096], switch_id[17];
	struct conf conf;
	unsigned workers_given; // 0: chosen here, and again at the next start
	struct state_digests digests;
	struct eal eal;
	int wake_fd;
	struct dp *dp;
	struct vswitch *vs;
	struct switch_ctl *ctrl;
};

static void print_methods(FILE *out)
{
	ctrl_reference_print(out, &switch_reference);
}

static const struct daemon_page pages[] = {
	{"control", print_methods}, {"config", schema_print_reference}, {}};

static const struct daemon_program program = {
	.name = "vswitchd", .leaves = "ports stay for the next start", .pages = pages};

// CAP_SYS_PTRACE is not among them: only netns=PID of other users' processes takes it.
static const struct capability_use capabilities[] = {
	{CAP_NET_ADMIN, "CAP_NET_ADMIN", "devices of tap and veth ports cannot be made or changed"},
	{CAP_SYS_ADMIN, "CAP_SYS_ADMIN",
		"ports and VTEPs in network namespaces (netns=) cannot be opened"},
	{CAP_NET_RAW, "CAP_NET_RAW", "veth ports cannot be opened"}, {}};

// Returns -1 to go on, else the exit status.
static int parse_options(int argc, char **argv, struct options *opts)
{
	const struct daemon_option options[] = {
		{"config", "FILE",
			"configuration to start from (YAML); default " CONFIG_DEFAULT
			", if it is there",
			&opts->config, .letter = 'c'},
		{"run-dir", "DIR", "sockets; default $CAUSEWAY_RUN_DIR or " RUN_DIR_DEFAULT,
			&opts->run_dir},
		{"state-dir", "DIR",
			"running configuration, kept over restarts; default " STATE_DIR_DEFAULT,
			&opts->state_dir},
		{"listen", "tcp://ADDRESS:PORT",
			"also answer requests over TCP; needs --key and --client-keys",
			&opts->tcp.listen},
		{"listen-events", "tcp://ADDRESS:PORT",
			"also send events over TCP; needs --key and --client-keys",
			&opts->tcp.listen_events},
		{"key", "FILE", "secret key of this switch (vsctl key create)",
			&opts->tcp.secret_key_file},
		{"client-keys", "FILE", "public keys of the clients that may connect over TCP",
			&opts->tcp.client_keys_file},
		{"check", NULL, "check the configuration and the other options and exit",
			.flag = &opts->check},
		{}};
	int status;

	opts->run_dir = daemon_env("CAUSEWAY_RUN_DIR", RUN_DIR_DEFAULT);
	opts->state_dir = STATE_DIR_DEFAULT;
	status = daemon_options(&program, options, argc, argv);
	opts->config = daemon_config(opts->config, CONFIG_DEFAULT);
	return status;
}

static void wake_main(void *arg)
{
	struct vswitchd *d = arg;
	uint64_t one = 1;

	// A full counter means that main is awake already.
	if (write(d->wake_fd, &one, sizeof(one)) < 0)
		return;
}

static void on_wake(void *arg)
{
	struct vswitchd *d = arg;
	uint64_t count;

	if (read(d->wake_fd, &count, sizeof(count)) > 0)
		vswitch_service(d->vs);
}

static void on_event(void *arg, const char *name, json_t *data)
{
	struct vswitchd *d = arg;

	if (d->ctrl)
		switch_ctl_event(d->ctrl, name, data);
}

// One worker on the last CPU, unless the configuration says otherwise.
static void choose_workers(struct conf *conf)
{
	cpu_set_t cpus;

	if (conf->nb_workers)
		return;
	sched_getaffinity(0, sizeof(cpus), &cpus);
	for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (CPU_ISSET(cpu, &cpus))
			conf->workers[0] = cpu;
	}
	conf->nb_workers = 1;
}

// The main thread keeps off the workers' CPUs when there are others.
static void leave_worker_cpus(const struct conf *conf)
{
	cpu_set_t cpus;

	sched_getaffinity(0, sizeof(cpus), &cpus);
	for (unsigned i = 0; i < conf->nb_workers; i++)
		CPU_CLR(conf->workers[i], &cpus);
	if (CPU_COUNT(&cpus))
		sched_setaffinity(0, sizeof(cpus), &cpus);
}

static int open_dirs(struct vswitchd *d, struct err *err)
{
	int rc = daemon_dirs(&d->daemon, d->opts.run_dir, d->opts.state_dir, err);
	char *real;

	if (rc < 0)
		return rc;
	real = realpath(d->opts.state_dir, NULL);
	if (!real)
		return err_set_errno(err, -errno, d->opts.state_dir, "cannot resolve the path");
	// Devices carry it, so that a restarted switch knows its own from another's.
	snprintf(d->switch_id, sizeof(d->switch_id), "%08x",
		(unsigned)hash_add(HASH_INIT, real, strlen(real)));
	free(real);
	return 0;
}

// What a start can be refused for before anything is made: --check ends here, and takes no folder.
static int check_start(struct vswitchd *d, struct err *err)
{
	int rc = ctrl_server_check(d->opts.run_dir, &d->opts.tcp, err);

	if (rc == 0 && !d->opts.check)
		rc = open_dirs(d, err);
	if (rc < 0)
		return rc;
	snprintf(d->state_path, sizeof(d->state_path), "%s/running.yaml", d->opts.state_dir);
	rc = state_load(d->opts.config, d->state_path, &d->conf, &d->digests, err);
	if (rc == 0)
		rc = conf_workers_check(&d->conf, err);
	return rc == 0 ? eal_check(&d->conf, err) : rc;
}

static int open_loop(struct vswitchd *d, struct err *err)
{
	int rc = daemon_loop(&d->daemon, err);

	if (rc < 0)
		return rc;
	d->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (d->wake_fd < 0 || !loop_add_fd(d->daemon.loop, d->wake_fd, on_wake, d))
		return err_set(err, -ENOMEM, "event loop", "cannot be made");
	return 0;
}

static int open_switch(struct vswitchd *d, struct err *err)
{
	struct dp_opts dp_opts = {
		.cpus = d->conf.workers,
		.nb_workers = d->conf.nb_workers,
		.polling = d->conf.polling,
		.pool = d->eal.pool,
		.wake_main = wake_main,
		.wake_arg = d,
	};
	struct vswitch_opts opts = {
		.loop = d->daemon.loop,
		.port_env =
			{
				.pool = d->eal.pool,
				.big_pool = d->eal.big_pool,
				.nb_workers = d->conf.nb_workers,
				.switch_id = d->switch_id,
			},
		.state_path = d->state_path,
		.process = d->conf,
		.digests = d->digests,
		.event = on_event,
		.event_arg = d,
	};
	int rc;

	rc = dp_new(&dp_opts, &d->dp, err);
	if (rc < 0)
		return rc;
	leave_worker_cpus(&d->conf);
	opts.dp = d->dp;
	opts.process.nb_workers = d->workers_given;
	rc = vswitch_new(&opts, &d->vs, err);
	if (rc < 0)
		return rc;
	return vswitch_load(d->vs, &d->conf, err);
}

static int open_control(struct vswitchd *d, struct err *err)
{
	struct switch_ctl_opts opts = {
		.loop = d->daemon.loop,
		.run_dir = d->opts.run_dir,
		.vswitch = d->vs,
		.tcp = d->opts.tcp,
	};

	return switch_ctl_new(&opts, &d->ctrl, err);
}

static int open_parts(struct vswitchd *d, struct err *err)
{
	int rc;

	capability_tell(capabilities, program.name);
	d->workers_given = d->conf.nb_workers;
	choose_workers(&d->conf);
	if ((rc = open_loop(d, err)) < 0 || (rc = eal_start(&d->conf, &d->eal, err)) < 0 ||
		(rc = open_switch(d, err)) < 0)
		return rc;
	return open_control(d, err);
}

static void close_parts(struct vswitchd *d)
{
	switch_ctl_free(d->ctrl);
	d->ctrl = NULL;
	vswitch_free(d->vs, false);
	dp_free(d->dp);
	if (d->eal.pool)
		eal_stop(&d->eal);
	daemon_close(&d->daemon);
	conf_fini(&d->conf);
	if (d->wake_fd >= 0)
		close(d->wake_fd);
}

int main(int argc, char **argv)
{
	struct vswitchd d = {.daemon = DAEMON_INIT(&program), .wake_fd = -1};
	struct err err = {0};
	int rc, status = parse_options(argc, argv, &d.opts);

	if (status >= 0)
		return status;
	conf_init(&d.conf);
	rc = check_start(&d, &err);
	if (rc == 0 && !d.opts.check)
		rc = open_parts(&d, &err);
	if (rc < 0) {
		status = daemon_fail(&err);
	} else if (d.opts.check) {
		status = 0;
	} else {
		log_info("vswitchd " CAUSEWAY_VERSION
			 " is ready: %u worker%s, %s polling, socket %s/ctl.sock",
			d.conf.nb_workers, d.conf.nb_workers == 1 ? "" : "s",
			d.conf.polling == CONF_POLLING_BUSY ? "busy" : "adaptive", d.opts.run_dir);
		status = daemon_run(&d.daemon);
	}
	close_parts(&d);
	return status;
}
