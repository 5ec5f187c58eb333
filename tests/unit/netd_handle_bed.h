// SPDX-License-Identifier: BSD-3-Clause
// A server with vsnetd's methods before an agent that only remembers what it was asked, and a
// client of it. One bed a program.
#pragma once

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/util.h"
#include "ctrl/async.h"
#include "netd/ctl/handle.h"

struct handle_bed {
	struct loop *loop;
	struct netd_handle handle;
	struct ctrl_async *async;
	bool up, done;
	int rc;
	json_t *result;
	char reason[512];
	json_t *asked;	   // what the agent was asked
	agent_done_fn *fn; // held
	void *arg;
	bool hold;
	unsigned wait_ms; // as the agent was told
};

extern struct handle_bed t;
extern char handle_dir[]; // for mkdtemp()

int setup(void **state);
int teardown(void **state);
void wait_for(bool *flag);
void on_reply(void *arg, int rc, const json_t *result, const struct err *err);
void call(const char *method, const char *params);
// The agent was asked for `want` (a part of it), and its answer came back.
void expect_asked(const char *method, const char *params, const char *want);
void expect_refused(const char *method, const char *params, int rc, const char *say);
void expect_result(const char *method, const char *params, const char *want);
int handle_run(const struct CMUnitTest *tests, size_t count); // what main() returns
