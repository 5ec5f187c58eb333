// SPDX-License-Identifier: BSD-3-Clause
// Checks that a store does what kv/kv.h says:
//   kv_conformance [--control COMMAND] [--second URL] [--ca FILE] [--cert FILE] [--key FILE]
//                  [--user NAME] [--password WORD] [--token WORD] [--timeout MS] URL [CASE…]
// Cases that need the store stopped, or worse, are run when there is a COMMAND that does it.
#include "tests/kv/suite.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"

#define PATIENCE_MS 20000

struct loop *loop;
struct kv *kv;
struct kv_opts kv_options;
const char *second_url;
static const char *control_command, *running = "";
static char folder[64];

void demand_at(bool holds, const char *what, const char *file, int line)
{
	if (holds)
		return;
	fprintf(stderr, "%s:%d: %s: not so: %s (the store's words: %s)\n", file, line, running,
		what, kv ? kv_reason(kv) : "");
	// Not exit(): a store's threads may be at work.
	_exit(1);
}

const char *in(const char *name)
{
	static char buf[8][KV_KEY_MAX_BYTES + 64];
	static unsigned next;
	char *text = buf[next++ % ARRAY_SIZE(buf)];

	snprintf(text, sizeof(buf[0]), "%s%s", folder, name);
	return text;
}

static void expire(void *arg)
{
	*(bool *)arg = true;
	loop_stop(loop);
}

bool run_until(const bool *done, unsigned ms)
{
	bool expired = false;
	struct loop_handle *timer = loop_add_timer(loop, (uint64_t)ms * 1000, expire, &expired);

	while (!*done && !expired)
		demand(loop_run(loop) == 0);
	loop_del(loop, timer);
	return *done;
}

void run_for(unsigned ms)
{
	bool never = false;

	run_until(&never, ms);
}

// ---- requests ----

static struct kv_pair copy_pair(const struct kv_pair *pair)
{
	struct kv_pair copy = *pair;
	char *value = calloc(1, pair->len_bytes + 1);

	if (pair->len_bytes)
		memcpy(value, pair->value, pair->len_bytes);
	copy.key = pair->key ? strdup(pair->key) : NULL;
	copy.value = value;
	return copy;
}

void result_free(struct result *r)
{
	for (size_t i = 0; i < r->count; i++) {
		free((char *)r->pairs[i].key);
		free((char *)r->pairs[i].value);
	}
	free(r->pairs);
	r->pairs = NULL;
	r->count = 0;
}

void on_read(void *arg, int rc, const struct kv_pair *pairs, size_t count, uint64_t revision)
{
	struct result *r = arg;

	r->rc = rc;
	r->revision = revision;
	r->calls++;
	r->pairs = count ? calloc(count, sizeof(*pairs)) : NULL;
	r->count = count;
	for (size_t i = 0; i < count; i++) {
		demand(pairs[i].value[pairs[i].len_bytes] == '\0');
		r->pairs[i] = copy_pair(&pairs[i]);
	}
	r->done = true;
	loop_stop(loop);
}

void on_write(void *arg, int rc, uint64_t revision)
{
	struct result *r = arg;

	r->rc = rc;
	r->revision = revision;
	r->calls++;
	r->done = true;
	loop_stop(loop);
}

struct result await(struct result *r)
{
	demand(!r->done); // never from inside the call
	demand(run_until(&r->done, PATIENCE_MS));
	return *r;
}

struct result get(const char *key)
{
	struct result r = {0};

	kv_get(kv, key, on_read, &r);
	return await(&r);
}

struct result list(const char *prefix)
{
	struct result r = {0};

	kv_list(kv, prefix, on_read, &r);
	return await(&r);
}

struct result put(const char *key, const char *value)
{
	struct result r = {0};

	kv_put(kv, key, value, strlen(value), NULL, on_write, &r);
	return await(&r);
}

struct result create(const char *key, const char *value)
{
	struct result r = {0};

	kv_create(kv, key, value, strlen(value), NULL, on_write, &r);
	return await(&r);
}

struct result swap(const char *key, uint64_t revision, const char *value)
{
	struct result r = {0};

	kv_swap(kv, key, revision, value, strlen(value), on_write, &r);
	return await(&r);
}

struct result drop(const char *key)
{
	struct result r = {0};

	kv_delete(kv, key, on_write, &r);
	return await(&r);
}

struct result txn(const struct kv_op *ops, unsigned count)
{
	struct result r = {0};

	kv_txn(kv, ops, count, on_write, &r);
	return await(&r);
}

bool holds(const char *key, const char *value)
{
	struct result r = get(key);
	bool same;

	if (value)
		same = r.rc == 0 && r.count == 1 && strcmp(r.pairs[0].value, value) == 0;
	else
		same = r.rc == -ENOENT;
	result_free(&r);
	return same;
}

bool holds_soon(const char *key, const char *value, unsigned ms)
{
	uint64_t end_us = monotonic_us() + (uint64_t)ms * 1000;

	while (!holds(key, value)) {
		if (monotonic_us() > end_us)
			return false;
		run_for(50);
	}
	return true;
}

uint64_t put_ok(const char *key, const char *value)
{
	struct result r = put(key, value);

	demand(r.rc == 0);
	demand(r.revision > 0);
	return r.revision;
}

// ---- watches ----

static void on_event(void *arg, const struct kv_event *event)
{
	struct seen *s = arg;
	struct kv_event *events = realloc(s->events, (s->count + 1) * sizeof(*events));

	demand(events != NULL);
	s->events = events;
	s->events[s->count] = *event;
	s->events[s->count++].pair = copy_pair(&event->pair);
	// Nothing but whole groups.
	demand(s->begins > 0 || event->kind == KV_EVENT_BEGIN || s->revision > 0);
	if (event->kind == KV_EVENT_BEGIN)
		s->begins++;
	if (event->kind == KV_EVENT_SYNCED) {
		s->synced++;
		s->revision = event->revision;
	}
	s->done = s->synced >= s->wanted;
	loop_stop(loop);
}

void watch_start(struct seen *s, const char *prefix, uint64_t from_revision)
{
	*s = (struct seen){.revision = from_revision, .wanted = SIZE_MAX};
	s->watch = kv_watch(kv, prefix, from_revision, on_event, s);
	demand(s->watch != NULL);
	demand(s->count == 0); // never from inside the call
}

void watch_stop(struct seen *s)
{
	kv_unwatch(s->watch);
	for (size_t i = 0; i < s->count; i++) {
		free((char *)s->events[i].pair.key);
		free((char *)s->events[i].pair.value);
	}
	free(s->events);
	*s = (struct seen){0};
}

bool watch_synced(struct seen *s, unsigned times)
{
	s->wanted = times;
	s->done = s->synced >= times;
	return run_until(&s->done, PATIENCE_MS);
}

const char *watch_value(const struct seen *s, const char *key)
{
	for (size_t i = s->count; i-- > 0;) {
		const struct kv_event *e = &s->events[i];

		if (e->kind == KV_EVENT_BEGIN)
			return NULL;
		if (e->kind != KV_EVENT_SYNCED && strcmp(e->pair.key, key) == 0)
			return e->kind == KV_EVENT_SET ? e->pair.value : NULL;
	}
	return NULL;
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

bool watch_holds_soon(struct seen *s, const char *key, const char *value)
{
	uint64_t end_us = monotonic_us() + PATIENCE_MS * 1000;

	while (!same_text(watch_value(s, key), value) ||
		s->events[s->count - 1].kind != KV_EVENT_SYNCED) {
		if (monotonic_us() > end_us)
			return false;
		run_for(20);
	}
	return true;
}

// ---- the store itself ----

void control(const char *verb)
{
	char line[512];

	snprintf(line, sizeof(line), "%s %s", control_command, verb);
	demand(system(line) == 0);
}

bool store_is(const char *scheme)
{
	return strcmp(kv_scheme(kv), scheme) == 0;
}

// ---- the program ----

static void run_case(const struct suite_case *c)
{
	struct err err = {0};
	uint64_t start_us = monotonic_us();
	char text[700];

	running = c->name;
	snprintf(folder, sizeof(folder), "%s-%d/", c->name, (int)getpid());
	loop = loop_new();
	kv_options.loop = loop;
	if (kv_open(&kv_options, &kv, &err) < 0) {
		fprintf(stderr, "%s\n", err_text(&err, text, sizeof(text)));
		exit(1);
	}
	c->run();
	kv_free(kv);
	kv = NULL;
	loop_free(loop);
	printf("ok %s (%.1f s)\n", c->name, (monotonic_us() - start_us) / 1e6);
	fflush(stdout);
}

static bool is_named(const char *name, char **names)
{
	if (!*names)
		return true;
	for (; *names; names++) {
		if (strcmp(*names, name) == 0)
			return true;
	}
	return false;
}

static unsigned run_group(const struct suite_case *c, char **names)
{
	unsigned count = 0;

	for (; c->name; c++) {
		if (!is_named(c->name, names))
			continue;
		if (c->needs_control && !control_command) {
			printf("skipped %s: needs --control\n", c->name);
			continue;
		}
		if (c->needs_second && !second_url)
			continue;
		run_case(c);
		count++;
	}
	return count;
}

int main(int argc, char **argv)
{
	static const struct suite_case *const groups[] = {
		cases_data, cases_watch, cases_group, cases_lease, cases_away, cases_cluster};
	static const struct option options[] = {{"control", 1, NULL, 'C'}, {"second", 1, NULL, 's'},
		{"ca", 1, NULL, 'a'}, {"cert", 1, NULL, 'c'}, {"key", 1, NULL, 'k'},
		{"user", 1, NULL, 'u'}, {"password", 1, NULL, 'p'}, {"token", 1, NULL, 't'},
		{"timeout", 1, NULL, 'T'}, {0}};
	unsigned count = 0;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 's':
			second_url = optarg;
			break;
		case 'C':
			control_command = optarg;
			break;
		case 'a':
			kv_options.ca_file = optarg;
			break;
		case 'c':
			kv_options.cert_file = optarg;
			break;
		case 'k':
			kv_options.key_file = optarg;
			break;
		case 'u':
			kv_options.user = optarg;
			break;
		case 'p':
			kv_options.password = optarg;
			break;
		case 't':
			kv_options.token = optarg;
			break;
		case 'T':
			kv_options.timeout_ms = atoi(optarg);
			break;
		default:
			return 2;
		}
	}
	if (optind == argc)
		return 2;
	kv_options.url = argv[optind];
	for (unsigned i = 0; i < ARRAY_SIZE(groups); i++)
		count += run_group(groups[i], argv + optind + 1);
	printf("%u cases\n", count);
	return count == 0;
}
