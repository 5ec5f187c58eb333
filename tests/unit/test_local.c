// SPDX-License-Identifier: BSD-3-Clause
// What a host keeps: in LMDB, and the simulation's in memory, which has to do the same. Compiled
// with little room in the map, so that it grows often.
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "netd/agent/local.h"
#include "tests/sim/local_memory.h"

static char dir[64];

static struct local *open_it(void)
{
	struct local *local = NULL;
	struct err err = {0};

	if (local_open(dir, &local, &err) < 0)
		fail_msg("%s: %s", err.path, err.reason);
	return local;
}

static int setup(void **state)
{
	snprintf(dir, sizeof(dir), "/tmp/test_local.XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	char command[96];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static void put(struct local *local, const char *key, const char *value)
{
	assert_int_equal(local->ops->put(local, key, value, strlen(value)), 0);
}

static void add_text(void *arg, const char *key, const char *value, size_t len_bytes)
{
	char *text = arg;

	assert_int_equal(value[len_bytes], 0);
	sprintf(text + strlen(text), "%s=%.*s ", key, (int)len_bytes, value);
}

static void expect(struct local *local, const char *prefix, const char *want)
{
	char text[1024] = "";

	assert_int_equal(local->ops->each(local, prefix, add_text, text), 0);
	assert_string_equal(text, want);
}

static void use(struct local *local)
{
	char key[LOCAL_KEY_MAX_BYTES + 2];

	expect(local, "", "");
	put(local, "b/2", "two");
	put(local, "b/10", "ten");
	put(local, "b0", "no");
	put(local, "a", "");
	put(local, "b/2", "TWO");
	expect(local, "b/", "b/10=ten b/2=TWO ");
	expect(local, "", "a= b/10=ten b/2=TWO b0=no ");
	assert_int_equal(local->ops->del(local, "b/10"), 0);
	assert_int_equal(local->ops->del(local, "b/10"), 0);
	expect(local, "b/", "b/2=TWO ");

	// A batch reads what it wrote.
	assert_int_equal(local->ops->begin(local), 0);
	put(local, "c", "1");
	assert_int_equal(local->ops->del(local, "b0"), 0);
	expect(local, "", "a= b/2=TWO c=1 ");
	assert_int_equal(local->ops->commit(local), 0);
	expect(local, "", "a= b/2=TWO c=1 ");

	memset(key, 'k', sizeof(key) - 1);
	key[sizeof(key) - 1] = '\0';
	assert_int_equal(local->ops->put(local, key, "", 0), -E2BIG);
	key[sizeof(key) - 2] = '\0';
	put(local, key, "");
	assert_int_equal(local->ops->del(local, key), 0);
}

static void test_lmdb(void **state)
{
	struct local *local = open_it();

	use(local);
	local_close(local);
	local = open_it();
	expect(local, "", "a= b/2=TWO c=1 ");
	local_close(local);
	local_close(NULL);
}

static void test_memory(void **state)
{
	struct local *local = local_memory_new();

	use(local);
	assert_int_equal(local_memory_count(local), 3);
	assert_int_equal(local->ops->begin(local), 0);
	put(local, "b/2", "x");
	put(local, "b/2", "y");
	put(local, "d", "new");
	assert_int_equal(local->ops->del(local, "a"), 0);
	local_memory_crash(local);
	expect(local, "", "a= b/2=TWO c=1 ");
	local_memory_free(local);
	local_memory_free(NULL);
}

static void test_failed_batch(void **state)
{
	struct local *local = open_it();
	char key[LOCAL_KEY_MAX_BYTES + 2];

	memset(key, 'k', sizeof(key) - 1);
	key[sizeof(key) - 1] = '\0';
	put(local, "a", "1");
	assert_int_equal(local->ops->begin(local), 0);
	put(local, "a", "2");
	assert_int_equal(local->ops->put(local, key, "", 0), -E2BIG);
	put(local, "b", "2");
	assert_int_equal(local->ops->commit(local), -E2BIG);
	expect(local, "", "a=1 ");
	put(local, "c", "1");
	expect(local, "", "a=1 c=1 ");
	local_close(local);
}

// A child that is killed keeps what it wrote, not what it had not committed.
static void test_killed(void **state)
{
	struct local *local;
	int fds[2], status;
	pid_t pid;
	char c;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		local = open_it();
		put(local, "a", "1");
		local->ops->begin(local);
		put(local, "b", "1");
		put(local, "c", "1");
		local->ops->commit(local);
		local->ops->begin(local);
		put(local, "d", "1");
		_exit(write(fds[1], "x", 1) == 1 && pause() ? 0 : 1);
	}
	close(fds[1]);
	assert_int_equal(read(fds[0], &c, 1), 1);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(fds[0]);
	local = open_it();
	expect(local, "", "a=1 b=1 c=1 ");
	put(local, "d", "2"); // the lock of the dead is free
	expect(local, "d", "d=2 ");
	local_close(local);
}

static void count(void *arg, const char *key, const char *value, size_t len_bytes)
{
	(*(size_t *)arg)++;
}

static void test_many(void **state)
{
	struct local *local = open_it();
	size_t nb = 0;

	for (int i = 0; i < 300; i++) {
		assert_int_equal(local->ops->begin(local), 0);
		for (int k = 0; k < 1000; k++) {
			char key[32], value[64];

			snprintf(key, sizeof(key), "ep/%d/%d", k, i);
			snprintf(value, sizeof(value), "{\"address\":%d}", i);
			put(local, key, value);
		}
		assert_int_equal(local->ops->commit(local), 0);
	}
	assert_int_equal(local->ops->each(local, "ep/", count, &nb), 0);
	assert_int_equal(nb, 300000);
	local_close(local);
}

static void test_large_values(void **state)
{
	size_t len = 512 << 10, nb = 0;
	struct local *local = open_it();
	char *value = malloc(len), key[16];

	memset(value, 'v', len);
	for (int i = 0; i < 40; i++) {
		snprintf(key, sizeof(key), "large/%d", i);
		assert_int_equal(local->ops->put(local, key, value, len), 0);
	}
	local_close(local);
	local = open_it();
	assert_int_equal(local->ops->each(local, "large/", count, &nb), 0);
	assert_int_equal(nb, 40);
	local_close(local);
	free(value);
}

static void test_bad_folder(void **state)
{
	struct local *local = NULL;
	struct err err = {0};

	assert_int_equal(local_open("/proc/none/x", &local, &err), -ENOENT);
	assert_null(local);
	assert_string_not_equal(err.reason, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_lmdb, setup, teardown),
		cmocka_unit_test(test_memory),
		cmocka_unit_test_setup_teardown(test_failed_batch, setup, teardown),
		cmocka_unit_test_setup_teardown(test_killed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many, setup, teardown),
		cmocka_unit_test_setup_teardown(test_large_values, setup, teardown),
		cmocka_unit_test(test_bad_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
