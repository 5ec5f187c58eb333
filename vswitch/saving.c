// SPDX-License-Identifier: BSD-3-Clause
// When the running configuration is written. The whole file is, each time, and while it is the main
// thread does nothing else: 100,000 forwarding entries take some 0.2 s. So what an agent feeds one
// by one is written at most once a second, and as seldom as that writing takes a twentieth of the
// time. What is missing after a crash is what the agent has told last, and it tells again. Bridges,
// ports and VTEPs are saved before the answer: a switch that comes back with an older guard lets
// through what it should not. When the whole file would take too long, they go to a file of their
// own until it is written.
#include "base/log.h"
#include "vswitch/model.h"
#include "vswitch/state.h"

#define AT_ONCE_US 20000 // that saving may take, to be waited for
#define PAUSE_US   1000000
#define SHARE	   20 // of the time that passes, at most one part is spent

static int write_file(struct vswitch *vs, struct err *err)
{
	struct conf conf;
	int rc = vswitch_running_conf(vs, true, &conf, err);

	if (rc < 0)
		return rc;
	rc = state_save(vs->opts.state_path, &vs->opts.digests, &conf, err);
	conf_fini(&conf);
	return rc;
}

static int write_objects(struct vswitch *vs, struct err *err)
{
	struct conf conf;
	int rc = vswitch_running_conf(vs, false, &conf, err);

	if (rc < 0)
		return rc;
	rc = state_save_objects(vs->opts.state_path, &vs->opts.digests, &conf, err);
	conf_fini(&conf);
	return rc;
}

// When the next time may begin.
static uint64_t pause_ends_us(const struct saving *s)
{
	uint64_t pause_us = s->took_us * SHARE;

	return s->ended_us + (pause_us > PAUSE_US ? pause_us : PAUSE_US);
}

static void put_off(struct vswitch *vs)
{
	struct saving *s = &vs->saving;
	uint64_t now_us = monotonic_us(), at_us = pause_ends_us(s);

	if (s->shown.pending)
		return;
	s->shown.pending = true;
	if (at_us < now_us + PAUSE_US) // more may follow
		at_us = now_us + PAUSE_US;
	loop_timer_set(s->timer, at_us - now_us);
}

// Tells when saving begins or ceases to fail.
static void tell(struct vswitch *vs, bool failed_before)
{
	struct saving *s = &vs->saving;
	char text[sizeof(s->failed.path) + sizeof(s->failed.reason) + 4];

	if (s->failed.code < 0 && !failed_before) {
		err_text(&s->failed, text, sizeof(text));
		log_error("the running configuration is not saved: %s", text);
		vswitch_event(vs, "state.unsaved", json_pack("{s:s}", "reason", text));
	} else if (s->failed.code == 0 && failed_before) {
		log_info("the running configuration is saved again");
		vswitch_event(vs, "state.saved", json_object());
	}
}

static void save(struct vswitch *vs)
{
	struct saving *s = &vs->saving;
	bool failed_before = s->failed.code < 0;
	uint64_t begin_us = monotonic_us();

	s->shown.pending = false;
	loop_timer_set(s->timer, 0);
	if (!vs->opts.state_path)
		return;
	s->failed = (struct err){0};
	write_file(vs, &s->failed);
	s->shown.count++;
	s->ended_us = monotonic_us();
	s->took_us = s->ended_us - begin_us;
	if (s->failed.code < 0)
		put_off(vs);
	tell(vs, failed_before);
}

static void save_objects(struct vswitch *vs)
{
	struct saving *s = &vs->saving;
	bool failed_before = s->failed.code < 0;
	struct err err = {0};

	if (!vs->opts.state_path || write_objects(vs, &err) == 0)
		return;
	s->failed = err;
	tell(vs, failed_before);
}

static void on_timer(void *arg)
{
	save(arg);
}

void saving_init(struct vswitch *vs)
{
	vs->saving.timer = loop_add_timer(vs->opts.loop, 0, on_timer, vs);
}

void saving_request(struct vswitch *vs)
{
	struct saving *s = &vs->saving;
	bool entries_only = s->entries_only;
	bool must_wait = entries_only && s->ended_us && monotonic_us() < pause_ends_us(s);

	s->entries_only = false;
	if (!must_wait && s->took_us < AT_ONCE_US) {
		save(vs);
		return;
	}
	put_off(vs);
	if (!entries_only)
		save_objects(vs);
}

void saving_finish(struct vswitch *vs)
{
	if (vs->saving.shown.pending)
		save(vs);
}

const struct err *vswitch_unsaved(const struct vswitch *vs)
{
	return &vs->saving.failed;
}

const struct vswitch_saving *vswitch_saving(const struct vswitch *vs)
{
	return &vs->saving.shown;
}
