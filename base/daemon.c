// SPDX-License-Identifier: BSD-3-Clause
#include "base/daemon.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/notify.h"
#include "base/text.h"

#define OPTIONS_MAX  32
#define USAGE_INDENT 27
#define USAGE_WIDTH  80

enum { LOG_LEVEL, REFERENCE, VERSION, HELP, NB_COMMON };

static const struct daemon_option common[NB_COMMON + 1] = {
	[LOG_LEVEL] = {"log-level", "LEVEL", "error, warn, info (default) or debug"},
	[REFERENCE] = {"reference", "PAGE", "print a reference page in Markdown and exit"},
	[VERSION] = {"version", NULL, "print the version and exit"},
	[HELP] = {"help", NULL, "print this and exit", .letter = 'h'},
};

// ---- usage ----

// The help beside the option, wrapped.
static void print_help(FILE *out, const char *help, int column)
{
	while (*help) {
		int len = strcspn(help, " ");

		if (column > USAGE_INDENT && column + 1 + len > USAGE_WIDTH)
			column = fprintf(out, "\n%*s", USAGE_INDENT, "") - 1;
		column += fprintf(out, "%s%.*s", column > USAGE_INDENT ? " " : "", len, help);
		help += len + strspn(help + len, " ");
	}
	fputc('\n', out);
}

static void print_option(FILE *out, const struct daemon_option *o)
{
	char letter[] = {'-', o->letter, ',', ' ', '\0'};
	int column = fprintf(out, "  %s--%s%s%s", o->letter ? letter : "    ", o->name,
		o->arg ? " " : "", o->arg ? o->arg : "");

	if (column >= USAGE_INDENT - 1) {
		fputc('\n', out);
		column = 0;
	}
	column += fprintf(out, "%*s", USAGE_INDENT - column, "");
	print_help(out, o->help, column);
}

static void print_pages(FILE *out, const struct daemon_page *pages)
{
	fprintf(out, "\nPages of --reference:");
	for (; pages->name; pages++)
		fprintf(out, " %s", pages->name);
	fputc('\n', out);
}

static void print_usage(
	FILE *out, const struct daemon_program *program, const struct daemon_option *options)
{
	fprintf(out, "usage: %s [OPTION...]\n\n", program->name);
	for (; options->name; options++)
		print_option(out, options);
	for (options = common; options->name; options++)
		print_option(out, options);
	print_pages(out, program->pages);
}

// ---- the command line ----

static int print_reference(const struct daemon_program *program, const char *name)
{
	char names[128];
	struct text text = text_over(names, sizeof(names));

	for (const struct daemon_page *page = program->pages; page->name; page++) {
		if (!strcmp(page->name, name)) {
			page->print(stdout);
			return 0;
		}
		text_add_item(&text, " or ", "%s", page->name);
	}
	fprintf(stderr, "%s: --reference takes %s, not '%s'\n", program->name, names, name);
	return 2;
}

static int take_common(const struct daemon_program *program, const struct daemon_option *options,
	unsigned which, const char *arg)
{
	switch (which) {
	case LOG_LEVEL:
		return log_take_option(program->name, arg) < 0 ? 2 : -1;
	case REFERENCE:
		return print_reference(program, arg);
	case VERSION:
		printf("%s (causeway) " CAUSEWAY_VERSION "\n", program->name);
		return 0;
	default:
		print_usage(stdout, program, options);
		return 0;
	}
}

static int take(const struct daemon_option *option, const char *arg)
{
	if (option->flag)
		*option->flag = true;
	if (option->text)
		*option->text = arg;
	return -1;
}

// What getopt_long(3) wants: long options by their place in both tables, and short ones.
struct lists {
	struct option longs[OPTIONS_MAX + 1];
	char shorts[2 * OPTIONS_MAX + 1];
	const struct daemon_option *option[OPTIONS_MAX];
	unsigned count;
};

static void list_options(struct lists *lists, const struct daemon_option *options)
{
	struct text shorts = text_continue(lists->shorts, sizeof(lists->shorts));

	for (; options->name && lists->count < OPTIONS_MAX; options++) {
		lists->longs[lists->count] = (struct option){options->name,
			options->arg ? required_argument : no_argument, NULL, 256 + lists->count};
		lists->option[lists->count++] = options;
		if (options->letter)
			text_addf(&shorts, "%c%s", options->letter, options->arg ? ":" : "");
	}
}

// The option that getopt_long(3) found; NULL: it is none, which has been said.
static const struct daemon_option *found(const struct lists *lists, int c)
{
	if (c >= 256)
		return lists->option[c - 256];
	for (unsigned i = 0; i < lists->count; i++) {
		if (lists->option[i]->letter == c)
			return lists->option[i];
	}
	return NULL;
}

int daemon_options(const struct daemon_program *program, const struct daemon_option *options,
	int argc, char **argv)
{
	struct lists lists = {0};
	int c, status = -1;

	list_options(&lists, options);
	list_options(&lists, common);
	while (status < 0 && (c = getopt_long(argc, argv, lists.shorts, lists.longs, NULL)) != -1) {
		const struct daemon_option *option = found(&lists, c);

		if (!option) {
			print_usage(stderr, program, options);
			return 2;
		}
		status = option >= common && option < common + NB_COMMON
				 ? take_common(program, options, option - common, optarg)
				 : take(option, optarg);
	}
	if (status < 0 && optind < argc) {
		fprintf(stderr, "%s: unexpected argument '%s'\n", program->name, argv[optind]);
		print_usage(stderr, program, options);
		return 2;
	}
	return status;
}

const char *daemon_env(const char *name, const char *missing)
{
	const char *text = getenv(name);

	return text && *text ? text : missing;
}

const char *daemon_config(const char *given, const char *standard)
{
	if (given)
		return given;
	return access(standard, F_OK) < 0 && (errno == ENOENT || errno == ENOTDIR) ? NULL
										   : standard;
}

// ---- what a daemon needs first ----

int daemon_dirs(struct daemon *d, const char *run_dir, const char *state_dir, struct err *err)
{
	const char *name = d->program->name;
	int rc;

	if ((rc = dir_make(run_dir, 0755, err)) < 0 ||
		(rc = dir_lock(run_dir, name, "--run-dir", &d->run_lock, err)) < 0 ||
		(rc = dir_make(state_dir, 0750, err)) < 0)
		return rc;
	return dir_lock(state_dir, name, "--state-dir", &d->state_lock, err);
}

static void on_signal(void *arg)
{
	struct daemon *d = arg;
	struct signalfd_siginfo info;

	if (read(d->signal_fd, &info, sizeof(info)) != sizeof(info))
		return;
	log_info("%s: leaving; %s", strsignal(info.ssi_signo), d->program->leaves);
	loop_stop(d->loop);
}

int daemon_loop(struct daemon *d, struct err *err)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	d->loop = loop_new();
	d->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (!d->loop || d->signal_fd < 0 || !loop_add_fd(d->loop, d->signal_fd, on_signal, d))
		return err_set(err, -ENOMEM, "event loop", "cannot be made");
	return 0;
}

int daemon_run(struct daemon *d)
{
	int rc;

	notify_systemd("READY=1");
	rc = loop_run(d->loop);
	notify_systemd("STOPPING=1");
	return rc < 0 ? 1 : 0;
}

int daemon_fail(const struct err *err)
{
	char text[sizeof(struct err)];

	log_error("%s", err_text(err, text, sizeof(text)));
	return 1;
}

void daemon_close(struct daemon *d)
{
	loop_free(d->loop);
	for (unsigned i = 0; i < 3; i++) {
		int fd = (int[]){d->signal_fd, d->run_lock, d->state_lock}[i];

		if (fd >= 0)
			close(fd);
	}
}
