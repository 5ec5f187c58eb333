// SPDX-License-Identifier: BSD-3-Clause
// The running configuration in two files: the second has bridges, ports and VTEPs that are newer
// than the first, and counts only over that one.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/conf.h"
#include "vswitch/state.h"

#define ENTRIES                                                                                    \
	"    fdb: [{mac: 02:00:00:00:00:01, port: c1}, {mac: 02:00:00:00:00:02, port: c2},\n"      \
	"      {mac: 02:00:00:00:00:03, port: vx, tunnel: 10.0.0.9}]\n"                            \
	"    neigh: [{ip: 10.1.0.1, mac: 02:00:00:00:00:01}]\n"

static const char before[] =
	"vteps: {te0: {address: 10.0.0.1}}\n"
	"bridges:\n"
	"  br0:\n"
	"    ports: {c1: {guard: off}, c2: {}, vx: {type: vxlan, key: 7}}\n" ENTRIES;
// c1 has a guard, c2 is gone, there is another bridge.
static const char after[] =
	"vteps: {te0: {address: 10.0.0.1}}\n"
	"bridges:\n"
	"  br0:\n"
	"    ports: {c1: {guard: on, mac: 02:00:00:00:00:01}, vx: {type: vxlan, key: 7}}\n"
	"  br1: {}\n";

struct files {
	char dir[32], state[64], objects[80];
	struct state_digests digests;
};

static int set_up(void **state)
{
	struct files *f = calloc(1, sizeof(*f));

	snprintf(f->dir, sizeof(f->dir), "/tmp/test_state.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->state, sizeof(f->state), "%s/running.yaml", f->dir);
	snprintf(f->objects, sizeof(f->objects), "%s.objects", f->state);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct files *f = *state;

	unlink(f->state);
	unlink(f->objects);
	assert_int_equal(rmdir(f->dir), 0);
	free(f);
	return 0;
}

static struct conf parse(const char *text)
{
	struct conf_mistakes mistakes = {0};
	struct conf conf;

	conf_init(&conf);
	if (conf_parse(text, strlen(text), &conf, &mistakes) < 0)
		fail_msg("%s: %s", mistakes.list[0].err.path, mistakes.list[0].err.reason);
	return conf;
}

static void save(struct files *f, const char *text)
{
	struct conf conf = parse(text);

	assert_int_equal(state_save(f->state, &f->digests, &conf, NULL), 0);
	conf_fini(&conf);
}

static void save_objects(struct files *f, const struct state_digests *digests, const char *text)
{
	struct conf conf = parse(text);

	assert_int_equal(state_save_objects(f->state, digests, &conf, NULL), 0);
	conf_fini(&conf);
}

static struct conf load(struct files *f)
{
	struct state_digests digests;
	struct err err = {0};
	struct conf conf;

	if (state_load(NULL, f->state, &conf, &digests, &err) < 0)
		fail_msg("%s: %s", err.path, err.reason);
	assert_int_equal(digests.state, f->digests.state);
	return conf;
}

static void test_newer_objects(void **state)
{
	struct files *f = *state;
	struct conf conf;

	save(f, before);
	conf = load(f);
	assert_false(conf.bridges[0].ports[0].guard);
	assert_int_equal(conf.bridges[0].nb_fdb, 3);
	conf_fini(&conf);
	save_objects(f, &f->digests, after);
	conf = load(f);
	assert_int_equal(conf.nb_bridges, 2);
	assert_int_equal(conf.bridges[0].nb_ports, 2);
	assert_true(conf.bridges[0].ports[0].guard);
	// The entries are those of before, but for that of a port that is gone.
	assert_int_equal(conf.bridges[0].nb_fdb, 2);
	assert_string_equal(conf.bridges[0].fdb[0].port, "c1");
	assert_string_equal(conf.bridges[0].fdb[1].port, "vx");
	assert_int_equal(conf.bridges[0].nb_neigh, 1);
	conf_fini(&conf);
}

// An entry that the port's VTEP could not have any more would keep the switch from starting.
static void test_other_vtep(void **state)
{
	static const char moved[] =
		"vteps: {te0: {address: \"fd00::1\"}}\n"
		"bridges: {br0: {ports: {c1: {}, c2: {}, vx: {type: vxlan, key: 7}}}}\n";
	struct files *f = *state;
	struct conf conf;

	save(f, before);
	save_objects(f, &f->digests, moved);
	conf = load(f);
	assert_int_equal(conf.bridges[0].nb_fdb, 2);
	assert_string_equal(conf.bridges[0].fdb[1].port, "c2");
	conf_fini(&conf);
}

static void test_older_objects(void **state)
{
	struct state_digests stale;
	struct files *f = *state;
	struct conf conf;

	save(f, after);
	save_objects(f, &f->digests, before);
	assert_int_equal(access(f->objects, F_OK), 0);
	save(f, after); // takes the other one away
	assert_int_equal(access(f->objects, F_OK), -1);
	// As after a crash between the two: it stands over another file.
	stale = f->digests;
	stale.state++;
	save_objects(f, &stale, before);
	conf = load(f);
	assert_int_equal(conf.nb_bridges, 2);
	assert_true(conf.bridges[0].ports[0].guard);
	conf_fini(&conf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_newer_objects, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_other_vtep, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_older_objects, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
