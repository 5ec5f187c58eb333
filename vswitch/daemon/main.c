// SPDX-License-Identifier: BSD-3-Clause
// vswitchd: puts the parts together. Configuration, DPDK, data plane, object model, control
// channel; then the event loop until a signal; then the same in reverse.
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/notify.h"
#include "config/schema.h"
#include "vswitch/ctl/switch_ctl.h"
#include "vswitch/ctl/switch_method.h"
#include "vswitch/daemon/eal.h"
#include "vswitch/state.h"
#include "vswitch/vswitch.h"

#define RUN_DIR_DEFAULT	  "/run/causeway"
#define STATE_DIR_DEFAULT "/var/lib/causeway"

struct options {
	const char *config, *run_dir, *state_dir;
	struct ctrl_tcp tcp;
};

struct daemon {
	struct options opts;
	int run_lock, state_lock;
	char state_path[4096], switch_id[17];
	struct conf conf;
	unsigned workers_given; // 0: chosen here, and chosen anew at the next start
	uint64_t boot_digest;
	struct eal eal;
	struct loop *loop;
	int signal_fd, wake_fd;
	struct dp *dp;
	struct vswitch *vs;
	struct switch_ctl *ctrl;
};

static const char usage[] =
	"usage: vswitchd [OPTION...]\n"
	"\n"
	"  -c, --config FILE    configuration to start from (YAML)\n"
	"      --run-dir DIR    sockets; default $CAUSEWAY_RUN_DIR or " RUN_DIR_DEFAULT "\n"
	"      --state-dir DIR  running configuration, kept over restarts; "
	"default " STATE_DIR_DEFAULT "\n"
	"      --log-level L    error, warn, info (default) or debug\n"
	"      --listen tcp://ADDRESS:PORT, --listen-events tcp://ADDRESS:PORT\n"
	"                       also answer requests, and send events, over TCP; needs\n"
	"      --key FILE       the secret key of this switch (vsctl key create)\n"
	"      --client-keys FILE  public keys of those who may connect\n"
	"      --reference control|config\n"
	"                       print a reference page (Markdown) and exit\n"
	"      --version        print the version and exit\n"
	"  -h, --help           print this and exit\n";

static int print_reference(const char *page)
{
	if (!strcmp(page, "control")) {
		ctrl_reference_print(stdout, &switch_reference);
		return 0;
	}
	if (!strcmp(page, "config")) {
		schema_print_reference(stdout);
		return 0;
	}
	fprintf(stderr, "vswitchd: --reference takes control or config, not '%s'\n", page);
	return 2;
}

// Returns -1 to go on, else the exit status.
static int parse_options(int argc, char **argv, struct options *ret_opts)
{
	enum {
		CONFIG,
		RUN_DIR,
		STATE_DIR,
		LISTEN,
		LISTEN_EVENTS,
		KEY,
		CLIENT_KEYS,
		NB_TEXTS,
		LOG_LEVEL = 256,
		REFERENCE,
		VERSION
	};
	const char *env = getenv("CAUSEWAY_RUN_DIR");
	struct options opts = {NULL, env && *env ? env : RUN_DIR_DEFAULT, STATE_DIR_DEFAULT};
	const char **const texts[NB_TEXTS] = {
		[CONFIG] = &opts.config,
		[RUN_DIR] = &opts.run_dir,
		[STATE_DIR] = &opts.state_dir,
		[LISTEN] = &opts.tcp.listen,
		[LISTEN_EVENTS] = &opts.tcp.listen_events,
		[KEY] = &opts.tcp.secret_key_file,
		[CLIENT_KEYS] = &opts.tcp.client_keys_file,
	};
	static const struct option longs[] = {
		{"config", required_argument, NULL, CONFIG},
		{"run-dir", required_argument, NULL, RUN_DIR},
		{"state-dir", required_argument, NULL, STATE_DIR},
		{"listen", required_argument, NULL, LISTEN},
		{"listen-events", required_argument, NULL, LISTEN_EVENTS},
		{"key", required_argument, NULL, KEY},
		{"client-keys", required_argument, NULL, CLIENT_KEYS},
		{"log-level", required_argument, NULL, LOG_LEVEL},
		{"reference", required_argument, NULL, REFERENCE},
		{"version", no_argument, NULL, VERSION},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "c:h", longs, NULL)) != -1) {
		if (c == 'c')
			c = CONFIG;
		if (c < NB_TEXTS) {
			*texts[c] = optarg;
		} else if (c == LOG_LEVEL) {
			if (log_take_option("vswitchd", optarg) < 0)
				return 2;
		} else if (c == REFERENCE) {
			return print_reference(optarg);
		} else if (c == VERSION) {
			puts("vswitchd (causeway) " CAUSEWAY_VERSION);
			return 0;
		} else if (c == 'h') {
			fputs(usage, stdout);
			return 0;
		} else {
			fputs(usage, stderr);
			return 2;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "vswitchd: unexpected argument '%s'\n%s", argv[optind], usage);
		return 2;
	}
	*ret_opts = opts;
	return -1;
}

static void wake_main(void *arg)
{
	struct daemon *d = arg;
	uint64_t one = 1;

	// A full counter means that main is awake already.
	if (write(d->wake_fd, &one, sizeof(one)) < 0)
		return;
}

static void on_wake(void *arg)
{
	struct daemon *d = arg;
	uint64_t count;

	if (read(d->wake_fd, &count, sizeof(count)) > 0)
		vswitch_service(d->vs);
}

static void on_signal(void *arg)
{
	struct daemon *d = arg;
	struct signalfd_siginfo info;

	if (read(d->signal_fd, &info, sizeof(info)) != sizeof(info))
		return;
	log_info("%s: leaving; ports stay for the next start", strsignal(info.ssi_signo));
	loop_stop(d->loop);
}

static void on_event(void *arg, const char *name, json_t *data)
{
	struct daemon *d = arg;

	if (d->ctrl)
		switch_ctl_event(d->ctrl, name, data);
}

// One worker on the last CPU, unless the configuration says otherwise.
static int check_workers(struct conf *conf, struct err *err)
{
	char path[32];
	cpu_set_t cpus;

	sched_getaffinity(0, sizeof(cpus), &cpus);
	if (conf->nb_workers == 0) {
		for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++) {
			if (CPU_ISSET(cpu, &cpus))
				conf->workers[0] = cpu;
		}
		conf->nb_workers = 1;
	}
	for (unsigned i = 0; i < conf->nb_workers; i++) {
		snprintf(path, sizeof(path), "workers[%u]", i);
		if (conf->workers[i] >= CPU_SETSIZE || !CPU_ISSET(conf->workers[i], &cpus))
			return err_set(err, -EINVAL, path,
				"CPU %u is not there or not allowed for this process",
				conf->workers[i]);
	}
	return 0;
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

static int open_dirs(struct daemon *d, struct err *err)
{
	char *real;
	int rc;

	if ((rc = ctrl_server_check(d->opts.run_dir, &d->opts.tcp, err)) < 0 ||
		(rc = dir_make(d->opts.run_dir, 0755, err)) < 0 ||
		(rc = dir_lock(d->opts.run_dir, "vswitchd", "--run-dir", &d->run_lock, err)) < 0 ||
		(rc = dir_make(d->opts.state_dir, 0750, err)) < 0 ||
		(rc = dir_lock(d->opts.state_dir, "vswitchd", "--state-dir", &d->state_lock, err)) <
			0)
		return rc;
	real = realpath(d->opts.state_dir, NULL);
	if (!real)
		return err_set_errno(err, -errno, d->opts.state_dir, "cannot resolve the path");
	// Devices carry it, so that a restarted switch knows its own from another's.
	snprintf(d->switch_id, sizeof(d->switch_id), "%08x",
		(unsigned)hash_add(HASH_INIT, real, strlen(real)));
	free(real);
	snprintf(d->state_path, sizeof(d->state_path), "%s/running.yaml", d->opts.state_dir);
	return state_load(d->opts.config, d->state_path, &d->conf, &d->boot_digest, err);
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
	d->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (!d->loop || d->signal_fd < 0 || d->wake_fd < 0 ||
		!loop_add_fd(d->loop, d->signal_fd, on_signal, d) ||
		!loop_add_fd(d->loop, d->wake_fd, on_wake, d))
		return err_set(err, -ENOMEM, "event loop", "cannot be made");
	return 0;
}

static int open_switch(struct daemon *d, struct err *err)
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
		.loop = d->loop,
		.port_env =
			{
				.pool = d->eal.pool,
				.big_pool = d->eal.big_pool,
				.nb_workers = d->conf.nb_workers,
				.switch_id = d->switch_id,
			},
		.state_path = d->state_path,
		.process = d->conf,
		.boot_digest = d->boot_digest,
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

static int daemon_open(struct daemon *d, struct err *err)
{
	struct switch_ctl_opts ctrl_opts = {0};
	int rc;

	if ((rc = open_dirs(d, err)) < 0)
		return rc;
	d->workers_given = d->conf.nb_workers;
	if ((rc = check_workers(&d->conf, err)) < 0 || (rc = open_loop(d, err)) < 0 ||
		(rc = eal_start(&d->conf, &d->eal, err)) < 0 || (rc = open_switch(d, err)) < 0)
		return rc;
	ctrl_opts.loop = d->loop;
	ctrl_opts.run_dir = d->opts.run_dir;
	ctrl_opts.vswitch = d->vs;
	ctrl_opts.tcp = d->opts.tcp;
	return switch_ctl_new(&ctrl_opts, &d->ctrl, err);
}

static void daemon_close(struct daemon *d)
{
	switch_ctl_free(d->ctrl);
	d->ctrl = NULL;
	vswitch_free(d->vs, false);
	dp_free(d->dp);
	if (d->eal.pool)
		eal_stop(&d->eal);
	loop_free(d->loop);
	conf_fini(&d->conf);
	for (unsigned i = 0; i < 4; i++) {
		int fd = (int[]){d->signal_fd, d->wake_fd, d->run_lock, d->state_lock}[i];

		if (fd >= 0)
			close(fd);
	}
}

int main(int argc, char **argv)
{
	struct daemon d = {.run_lock = -1, .state_lock = -1, .signal_fd = -1, .wake_fd = -1};
	struct err err = {0};
	char text[700];
	int rc;

	conf_init(&d.conf);
	rc = parse_options(argc, argv, &d.opts);
	if (rc >= 0)
		return rc;
	rc = daemon_open(&d, &err);
	if (rc < 0) {
		log_error("%s", err_text(&err, text, sizeof(text)));
		daemon_close(&d);
		return 1;
	}
	log_info("vswitchd " CAUSEWAY_VERSION
		 " is ready: %u worker%s, %s polling, socket %s/ctl.sock",
		d.conf.nb_workers, d.conf.nb_workers == 1 ? "" : "s",
		d.conf.polling == CONF_POLLING_BUSY ? "busy" : "adaptive", d.opts.run_dir);
	notify_systemd("READY=1");
	rc = loop_run(d.loop);
	notify_systemd("STOPPING=1");
	daemon_close(&d);
	return rc < 0 ? 1 : 0;
}
