// SPDX-License-Identifier: BSD-3-Clause
// What the daemons share: options of the command line, folders that belong to one process, the
// event loop with the signals that end it, and telling systemd. Main thread only.
//
// In order: daemon_options(), daemon_dirs(), daemon_loop(), the daemon's own parts, daemon_run(),
// these parts in reverse, daemon_close().
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"
#include "base/loop.h"

// An option of the command line. Its argument goes to `text`; one without an argument sets `flag`.
struct daemon_option {
	const char *name; // "config"; NULL ends a table
	const char *arg;  // "FILE"; NULL: none
	const char *help; // a phrase
	const char **text;
	bool *flag;
	char letter; // its short form, or 0
};

// A page that --reference prints.
struct daemon_page {
	const char *name; // NULL ends a table
	void (*print)(FILE *out);
};

struct daemon_program {
	const char *name;		 // "vswitchd"
	const char *leaves;		 // what stays when it ends: "ports stay for the next start"
	const struct daemon_page *pages; // of --reference
};

struct daemon {
	const struct daemon_program *program;
	struct loop *loop;
	int signal_fd, run_lock, state_lock;
};

// Parses the command line: the options of the table, and --log-level, --reference, --version and
// --help. Returns -1 to go on, else the exit status, after it has printed why.
int daemon_options(const struct daemon_program *program, const struct daemon_option *options,
	int argc, char **argv);

// Text of an environment variable, or `missing` when it is not set or empty.
const char *daemon_env(const char *name, const char *missing);

// The configuration to read: `given`, else the file `standard` when it is there, else NULL. What
// may be there but cannot be looked at is no NULL: reading it tells why.
const char *daemon_config(const char *given, const char *standard);

// Makes both folders and locks them for this process (dir_lock()).
int daemon_dirs(struct daemon *d, const char *run_dir, const char *state_dir, struct err *err);

// Makes the loop, which SIGTERM and SIGINT stop. To be called before any thread is made: all of
// them inherit that these signals are blocked.
int daemon_loop(struct daemon *d, struct err *err);

// Tells systemd that the daemon is ready, and runs the loop until a signal. Returns the exit
// status.
int daemon_run(struct daemon *d);

// Logs why the daemon cannot start. Returns the exit status.
int daemon_fail(const struct err *err);

// Frees the loop and releases the folders. `d` may be as DAEMON_INIT made it.
void daemon_close(struct daemon *d);

#define DAEMON_INIT(program_)                                                                      \
	{                                                                                          \
		.program = (program_), .signal_fd = -1, .run_lock = -1, .state_lock = -1           \
	}
