// SPDX-License-Identifier: BSD-3-Clause
// What the LMDB store does beyond what all stores do: several processes on one folder, one that
// dies, one that is stopped with the lock, files that vanish. Compiled with a short log.
#include <errno.h>
#include <lmdb.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/util.h"
#include "kv/kv.h"

#define DEADLINE_US 20000000ull

static char dir[64], url[80];

// ---- a process with a handle ----

static struct process {
	struct loop *loop;
	struct loop_handle *check;
	struct kv *kv;
	bool (*done)(void);
	uint64_t deadline_us;
	bool late;

	bool answered;
	int rc;
	uint64_t revision;
	char text[4096]; // keys and values that were read or told
	enum kv_lease_state lease;
	unsigned nb_begins, nb_synced, nb_held, nb_lost;
} p;

static void check(void *arg)
{
	p.late = monotonic_us() > p.deadline_us;
	if (p.done() || p.late)
		loop_stop(p.loop);
}

static void run_until(bool (*done)(void))
{
	p.done = done;
	p.deadline_us = monotonic_us() + DEADLINE_US;
	loop_timer_set(p.check, 1000);
	assert_int_equal(loop_run(p.loop), 0);
	assert_false(p.late);
}

static void open_kv(unsigned timeout_ms)
{
	struct kv_opts opts = {.url = url, .timeout_ms = timeout_ms};
	struct err err = {0};

	memset(&p, 0, sizeof(p));
	p.loop = loop_new();
	p.check = loop_add_timer(p.loop, 0, check, NULL);
	opts.loop = p.loop;
	if (kv_open(&opts, &p.kv, &err) < 0)
		fail_msg("%s: %s", err.path, err.reason);
}

static void close_kv(void)
{
	kv_free(p.kv);
	loop_free(p.loop);
}

static bool answered(void)
{
	return p.answered;
}

static void on_write(void *arg, int rc, uint64_t revision)
{
	p.answered = true;
	p.rc = rc;
	p.revision = revision;
}

static int wait_answer(void)
{
	run_until(answered);
	p.answered = false;
	return p.rc;
}

static int put(const char *key, const char *value, struct kv_lease *lease)
{
	kv_put(p.kv, key, value, strlen(value), lease, on_write, NULL);
	return wait_answer();
}

static void add_text(const char *sign, const struct kv_pair *pair)
{
	size_t len = strlen(p.text);

	snprintf(p.text + len, sizeof(p.text) - len, "%s%s=%s ", sign, pair->key, pair->value);
}

static void on_read(void *arg, int rc, const struct kv_pair *pairs, size_t count, uint64_t revision)
{
	p.text[0] = '\0';
	for (size_t i = 0; i < count; i++)
		add_text("", &pairs[i]);
	on_write(NULL, rc, revision);
}

static void expect(const char *prefix, const char *want)
{
	kv_list(p.kv, prefix, on_read, NULL);
	assert_int_equal(wait_answer(), 0);
	assert_string_equal(p.text, want);
}

static void on_event(void *arg, const struct kv_event *event)
{
	switch (event->kind) {
	case KV_EVENT_BEGIN:
		p.nb_begins++;
		p.text[0] = '\0';
		break;
	case KV_EVENT_SET:
		add_text("", &event->pair);
		break;
	case KV_EVENT_DELETE:
		add_text("-", &event->pair);
		break;
	case KV_EVENT_SYNCED:
		p.nb_synced++;
		p.revision = event->revision;
		break;
	}
}

static bool synced(void)
{
	return p.nb_synced > 0;
}

static void wait_synced(void)
{
	run_until(synced);
	p.nb_synced = 0;
}

static void on_lease(void *arg, enum kv_lease_state state)
{
	p.lease = state;
	if (state == KV_LEASE_HELD)
		p.nb_held++;
	else
		p.nb_lost++;
}

static bool held(void)
{
	return p.nb_held > 0;
}

static bool lost(void)
{
	return p.nb_lost > 0;
}

// ---- other processes: each does what it is told with a byte ----

struct other {
	pid_t pid;
	int to, from;
};

static struct other start(void (*run)(int from, int to))
{
	int down[2], up[2];
	pid_t pid;

	assert_int_equal(pipe(down), 0);
	assert_int_equal(pipe(up), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(down[1]);
		close(up[0]);
		prctl(PR_SET_PDEATHSIG, SIGKILL); // also when the test fails
		run(down[0], up[1]);
		_exit(0);
	}
	close(down[0]);
	close(up[1]);
	return (struct other){pid, down[1], up[0]};
}

static void say(int fd)
{
	assert_int_equal(write(fd, "x", 1), 1);
}

static bool hear(int fd)
{
	char c;

	return read(fd, &c, 1) == 1;
}

static void end(struct other *other)
{
	int status;

	kill(other->pid, SIGKILL);
	assert_int_equal(waitpid(other->pid, &status, 0), other->pid);
	close(other->to);
	close(other->from);
}

// ---- tests ----

static int setup(void **state)
{
	snprintf(dir, sizeof(dir), "/tmp/test_lmdb.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(url, sizeof(url), "lmdb:%s", dir);
	return 0;
}

static int teardown(void **state)
{
	char command[96];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static void test_reopened(void **state)
{
	uint64_t revision;

	open_kv(0);
	assert_int_equal(put("a/1", "one", NULL), 0);
	assert_int_equal(put("a/2", "two", NULL), 0);
	revision = p.revision;
	close_kv();
	open_kv(0);
	expect("a/", "a/1=one a/2=two ");
	assert_int_equal(p.revision, revision);
	assert_int_equal(put("a/3", "", NULL), 0);
	assert_int_equal(p.revision, revision + 1);
	close_kv();
}

static void test_bad_urls(void **state)
{
	struct loop *loop = loop_new();
	struct kv_opts opts = {.loop = loop, .url = "lmdb:relative"};
	struct kv *kv = NULL;
	struct err err = {0};

	assert_int_equal(kv_open(&opts, &kv, &err), -EINVAL);
	assert_non_null(strstr(err.reason, "lmdb:/"));
	opts.url = "lmdb:/proc/none/x";
	assert_int_equal(kv_open(&opts, &kv, NULL), -ENOENT);
	opts.url = url;
	opts.user = "somebody";
	assert_int_equal(kv_open(&opts, &kv, NULL), -EINVAL);
	loop_free(loop);
}

// Where the log still has everything the watch goes on, else it begins anew.
static void test_log(void **state)
{
	struct kv_watch *watch;
	uint64_t revision;
	char key[16];

	open_kv(0);
	assert_int_equal(put("w/a", "1", NULL), 0);
	revision = p.revision;
	assert_int_equal(put("w/b", "1", NULL), 0);
	assert_int_equal(put("w/b", "2", NULL), 0);
	assert_int_equal(put("v/b", "2", NULL), 0);
	watch = kv_watch(p.kv, "w/", revision, on_event, NULL);
	wait_synced();
	assert_string_equal(p.text, "w/b=2 ");
	assert_int_equal(p.nb_begins, 0);
	kv_unwatch(watch);
	for (int i = 0; i < 200; i++) {
		snprintf(key, sizeof(key), "v/%d", i);
		assert_int_equal(put(key, "", NULL), 0);
	}
	watch = kv_watch(p.kv, "w/", revision, on_event, NULL);
	wait_synced();
	assert_string_equal(p.text, "w/a=1 w/b=2 ");
	assert_int_equal(p.nb_begins, 1);
	kv_unwatch(watch);
	revision = p.revision + 1000; // of a store that is not any more
	watch = kv_watch(p.kv, "w/", revision, on_event, NULL);
	wait_synced();
	assert_int_equal(p.nb_begins, 2);
	kv_unwatch(watch);
	close_kv();
}

#define NB_ROUNDS 60

static void write_rounds(int from, int to)
{
	char value[16];

	open_kv(0);
	for (int i = 0; i < NB_ROUNDS && hear(from); i++) {
		snprintf(value, sizeof(value), "%d", i);
		assert_int_equal(put("w/k", value, NULL), 0);
	}
	pause();
}

// Were it not for the notification, each round would wait for the next look: a second.
static void test_two_processes(void **state)
{
	struct other other = start(write_rounds);
	struct kv_watch *watch;
	uint64_t end_us;
	char want[32];

	open_kv(0);
	watch = kv_watch(p.kv, "w/", 0, on_event, NULL);
	wait_synced();
	end_us = monotonic_us() + DEADLINE_US;
	for (int i = 0; i < NB_ROUNDS; i++) {
		p.text[0] = '\0';
		say(other.to);
		wait_synced();
		snprintf(want, sizeof(want), "w/k=%d ", i);
		assert_string_equal(p.text, want);
		assert_true(monotonic_us() < end_us);
	}
	kv_unwatch(watch);
	close_kv();
	end(&other);
}

static void hold_lease(int from, int to)
{
	struct kv_lease *lease;

	open_kv(0);
	lease = kv_lease_new(p.kv, 1000, on_lease, NULL);
	run_until(held);
	assert_int_equal(put("hosts/h1", "here", lease), 0);
	say(to);
	p.deadline_us = UINT64_MAX;
	p.nb_lost = 0;
	run_until(lost); // keeps it until killed
}

static bool host_is_gone(void)
{
	return strstr(p.text, "-hosts/h1") != NULL;
}

static void test_killed_holder(void **state)
{
	struct other other = start(hold_lease);
	struct kv_watch *watch;

	assert_true(hear(other.from));
	open_kv(0);
	watch = kv_watch(p.kv, "hosts/", 0, on_event, NULL);
	wait_synced();
	assert_string_equal(p.text, "hosts/h1=here ");
	end(&other);
	run_until(host_is_gone);
	kv_unwatch(watch);
	close_kv();
}

static void hold_lock(int from, int to)
{
	MDB_env *env;
	MDB_txn *txn;

	if (hear(from) && mdb_env_create(&env) == 0 && mdb_env_open(env, dir, 0, 0600) == 0 &&
		mdb_txn_begin(env, NULL, 0, &txn) == 0)
		say(to);
	raise(SIGSTOP);
}

static void test_stopped_with_lock(void **state)
{
	struct other other = start(hold_lock);
	struct kv_lease *lease;

	open_kv(300);
	assert_int_equal(put("a/1", "one", NULL), 0);
	assert_true(kv_is_up(p.kv));
	lease = kv_lease_new(p.kv, 900, on_lease, NULL);
	run_until(held);
	say(other.to);
	assert_true(hear(other.from));
	assert_int_equal(put("a/1", "two", NULL), -ETIMEDOUT);
	assert_false(kv_is_up(p.kv));
	assert_non_null(strstr(kv_reason(p.kv), "lock"));
	expect("a/", "a/1=one ");
	run_until(lost); // nobody keeps it
	assert_false(kv_lease_is_held(lease));
	assert_int_equal(put("a/2", "", lease), -ESTALE);
	p.nb_held = 0;
	end(&other);
	run_until(held);
	assert_int_equal(put("a/3", "three", lease), 0);
	assert_true(kv_is_up(p.kv));
	expect("a/", "a/1=one a/3=three "); // what had not begun is not done
	kv_lease_free(lease, true);
	assert_int_equal(put("a/4", "", NULL), 0);
	expect("a/", "a/1=one a/4= ");
	close_kv();
}

// A handle can be freed, and the folder opened again, while its thread waits.
static void test_freed_while_locked(void **state)
{
	struct other other = start(hold_lock);

	open_kv(300);
	assert_int_equal(put("a/1", "one", NULL), 0);
	say(other.to);
	assert_true(hear(other.from));
	kv_put(p.kv, "a/1", "two", 3, NULL, on_write, NULL);
	close_kv();
	open_kv(300);
	expect("a/", "a/1=one ");
	assert_int_equal(put("a/1", "three", NULL), -ETIMEDOUT);
	end(&other);
	assert_int_equal(put("a/1", "four", NULL), 0);
	close_kv();
}

static bool began(void)
{
	return p.nb_begins > 0 && p.nb_synced > 0;
}

static void test_wiped(void **state)
{
	struct kv_watch *watch;
	struct kv_lease *lease;
	char command[96];

	open_kv(0);
	lease = kv_lease_new(p.kv, 2000, on_lease, NULL);
	run_until(held);
	assert_int_equal(put("w/a", "1", lease), 0);
	watch = kv_watch(p.kv, "w/", 0, on_event, NULL);
	wait_synced();
	p.nb_begins = p.nb_held = 0;
	snprintf(command, sizeof(command), "rm -r %s", dir);
	assert_int_equal(system(command), 0);
	run_until(began);
	assert_string_equal(p.text, "");
	run_until(lost);
	run_until(held);
	p.nb_synced = 0;
	assert_int_equal(put("w/b", "2", lease), 0);
	wait_synced();
	assert_string_equal(p.text, "w/b=2 ");
	kv_unwatch(watch);
	kv_lease_free(lease, false);
	close_kv();
}

static unsigned nb_answers;

static void count_answer(void *arg, int rc, uint64_t revision)
{
	assert_int_equal(rc, 0);
	nb_answers++;
}

static bool all_answered(void)
{
	return nb_answers == 5000;
}

static void test_many_writes(void **state)
{
	struct kv *second;
	struct kv_opts opts = {.url = url};
	char key[32];

	open_kv(0);
	opts.loop = p.loop;
	assert_int_equal(kv_open(&opts, &second, NULL), 0);
	nb_answers = 0;
	for (int i = 0; i < 5000; i++) {
		snprintf(key, sizeof(key), "many/%d", i);
		kv_put(i % 2 ? p.kv : second, key, "", 0, NULL, count_answer, NULL);
	}
	run_until(all_answered);
	kv_free(second);
	assert_int_equal(put("many/x", "", NULL), 0);
	close_kv();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_reopened, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_urls, setup, teardown),
		cmocka_unit_test_setup_teardown(test_log, setup, teardown),
		cmocka_unit_test_setup_teardown(test_two_processes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_killed_holder, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stopped_with_lock, setup, teardown),
		cmocka_unit_test_setup_teardown(test_freed_while_locked, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wiped, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_writes, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
