// SPDX-License-Identifier: BSD-3-Clause
// base/: errors, Ethernet addresses, log levels, files, the event loop.
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <zmq.h>

#include "base/err.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mac.h"
#include "base/sorted.h"
#include "base/util.h"

static void test_err(void **state)
{
	struct err err = {0};
	char buf[64], wide[1000];

	assert_int_equal(err_set(&err, -EINVAL, "port c1", "bad %s", "tag"), -EINVAL);
	assert_string_equal(err_text(&err, buf, sizeof(buf)), "port c1: bad tag");
	// The first reason stays.
	assert_int_equal(err_set(&err, -ENOENT, "other", "later"), -ENOENT);
	assert_int_equal(err.code, -EINVAL);
	assert_string_equal(err.path, "port c1");
	err = (struct err){0};
	err_set_errno(&err, -ENOENT, NULL, "cannot open it");
	assert_string_equal(
		err_text(&err, buf, sizeof(buf)), "cannot open it: No such file or directory");
	assert_int_equal(err_set(NULL, -EIO, "x", "y"), -EIO);
	memset(wide, 'w', sizeof(wide) - 1);
	wide[sizeof(wide) - 1] = '\0';
	err = (struct err){0};
	err_set_errno(&err, -EIO, wide, "%s", wide);
	assert_int_equal(strlen(err.path), sizeof(err.path) - 1);
	assert_int_equal(strlen(err.reason), sizeof(err.reason) - 1);
	assert_int_equal(strlen(err_text(&err, buf, sizeof(buf))), sizeof(buf) - 1);
}

static void test_mac(void **state)
{
	static const char *const bad[] = {"", "02:00:00:00:00", "02:00:00:00:00:0", "2:0:0:0:0:1",
		"02:00:00:00:00:01:", "02:00:00:00:00:0g", "02.00.00.00.00.01", " 2:00:00:00:00:01",
		"02:00:00:00:00:011"};
	struct mac mac, before;
	char buf[MAC_TEXT_BYTES];

	assert_int_equal(mac_parse("02:AB:cd:00:ff:01", &mac), 0);
	assert_string_equal(mac_format(&mac, buf), "02:ab:cd:00:ff:01");
	assert_false(mac_is_zero(&mac));
	assert_false(mac_is_multicast(&mac));
	before = mac;
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(mac_parse(bad[i], &mac), -EINVAL);
	assert_memory_equal(&mac, &before, sizeof(mac));
	assert_int_equal(mac_parse("33-33-00-00-00-01", &mac), 0);
	assert_true(mac_is_multicast(&mac));
	assert_true(mac_is_zero(&(struct mac){{0}}));
}

// The vectors of draft-eastlake-fnv.
static void test_hash(void **state)
{
	assert_true(hash_add(HASH_INIT, "", 0) == 0xcbf29ce484222325ull);
	assert_true(hash_add(HASH_INIT, "a", 1) == 0xaf63dc4c8601ec8cull);
	assert_true(hash_add(HASH_INIT, "foobar", 6) == 0x85944171f73967e8ull);
	assert_true(hash_add(hash_add(HASH_INIT, "foo", 3), "bar", 3) == 0x85944171f73967e8ull);
}

static int compare_ints(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static void test_sorted(void **state)
{
	static const int old[] = {1, 3, 5, 7}, named[] = {0, 3, 6, 7}, twice[] = {1, 4, 4, 5};
	static const int both[] = {0, 1, 3, 5, 6, 7};
	int some[8] = {1, 3, 5, 7}, kept[] = {1, 3, 5, 7}, none = 4;
	size_t room = 0;
	int *grown;

	assert_null(sorted_twice(old, 4, sizeof(int), compare_ints));
	assert_ptr_equal(sorted_twice(twice, 4, sizeof(int), compare_ints), &twice[2]);
	assert_null(sorted_twice(NULL, 0, sizeof(int), compare_ints));
	assert_int_equal(sorted_insert(some, 4, named, 4, sizeof(int), compare_ints), 6);
	assert_memory_equal(some, both, sizeof(both));
	assert_int_equal(sorted_insert(some, 0, named, 4, sizeof(int), compare_ints), 4);
	assert_memory_equal(some, named, sizeof(named));
	assert_int_equal(sorted_find(old, 4, &none, sizeof(int), compare_ints), 2);
	assert_int_equal(sorted_find(old, 4, &old[3], sizeof(int), compare_ints), 3);
	assert_int_equal(sorted_remove(NULL, 0, named, 4, sizeof(int), compare_ints), 0);
	assert_int_equal(sorted_remove(kept, 4, &none, 1, sizeof(int), compare_ints), 4);
	assert_int_equal(sorted_remove(kept, 4, named, 4, sizeof(int), compare_ints), 2);
	grown = sorted_reserve(NULL, &room, 4, sizeof(int));
	assert_int_equal(room, 4);
	grown = sorted_reserve(grown, &room, 5, sizeof(int));
	assert_int_equal(room, 6);
	assert_ptr_equal(sorted_reserve(grown, &room, 6, sizeof(int)), grown);
	free(grown);
	assert_int_equal(kept[0], 1);
	assert_int_equal(kept[1], 5);
}

static void test_log_level(void **state)
{
	enum log_level level = LOG_LEVEL_ERROR, before = log_get_level();

	assert_int_equal(log_level_parse("debug", &level), 0);
	assert_int_equal(level, LOG_LEVEL_DEBUG);
	assert_int_equal(log_level_parse("loud", &level), -EINVAL);
	assert_int_equal(level, LOG_LEVEL_DEBUG);
	log_set_level(level);
	assert_int_equal(log_get_level(), LOG_LEVEL_DEBUG);
	assert_int_equal(log_take_option("test", "warn"), 0);
	assert_int_equal(log_get_level(), LOG_LEVEL_WARN);
	assert_int_equal(log_take_option("test", "loud"), -EINVAL);
	assert_int_equal(log_get_level(), LOG_LEVEL_WARN);
	log_set_level(before);
}

// ---- files, in a folder of the test's own ----

static int make_folder(void **state)
{
	static char folder[] = "/tmp/test_base.XXXXXX";

	*state = mkdtemp(folder);
	return *state ? 0 : -1;
}

static int remove_folder(void **state)
{
	return rmdir(*state);
}

static void test_file(void **state)
{
	char path[128], temp[136], *text;
	struct err err = {0};
	size_t len_bytes;

	snprintf(path, sizeof(path), "%s/f", (char *)*state);
	snprintf(temp, sizeof(temp), "%s.new", path);
	assert_int_equal(file_read(path, 100, &text, &len_bytes, &err), -ENOENT);
	assert_string_equal(err.path, path);
	assert_int_equal(file_write_atomic(path, "a\0b", 3, NULL), 0);
	assert_int_equal(file_read(path, 3, &text, &len_bytes, NULL), 0);
	assert_int_equal(len_bytes, 3);
	assert_memory_equal(text, "a\0b", 4);
	free(text);
	assert_int_equal(file_read(path, 2, &text, &len_bytes, NULL), -EFBIG);
	assert_int_equal(file_write_atomic(path, "", 0, NULL), 0);
	assert_int_equal(file_read(path, 0, &text, &len_bytes, NULL), 0);
	assert_int_equal(len_bytes, 0);
	assert_int_equal(text[0], 0);
	free(text);
	assert_int_equal(access(temp, F_OK), -1);
	assert_int_equal(unlink(path), 0);
}

// A write that fails leaves the old file and no temporary one.
static void test_file_write_fails(void **state)
{
	char folder[128], inside[136], temp[136];
	struct err err = {0};

	snprintf(folder, sizeof(folder), "%s/d", (char *)*state);
	snprintf(inside, sizeof(inside), "%s/x", folder);
	snprintf(temp, sizeof(temp), "%s.new", folder);
	assert_int_equal(file_write_atomic(inside, "x", 1, &err), -ENOENT);
	assert_int_equal(mkdir(folder, 0700), 0);
	err = (struct err){0};
	assert_int_equal(file_write_atomic(folder, "x", 1, &err), -EISDIR);
	assert_string_equal(err.path, folder);
	assert_int_equal(access(temp, F_OK), -1);
	assert_int_equal(rmdir(folder), 0);
}

static void test_large_file(void **state)
{
	size_t size_bytes = 100000, len_bytes;
	char path[128], *text, *back;

	snprintf(path, sizeof(path), "%s/large", (char *)*state);
	text = malloc(size_bytes);
	for (size_t i = 0; i < size_bytes; i++)
		text[i] = i * 31;
	assert_int_equal(file_write_atomic(path, text, size_bytes, NULL), 0);
	assert_int_equal(file_read(path, size_bytes, &back, &len_bytes, NULL), 0);
	assert_int_equal(len_bytes, size_bytes);
	assert_memory_equal(back, text, size_bytes);
	free(text);
	free(back);
	assert_int_equal(unlink(path), 0);
}

static void test_dir_make(void **state)
{
	char deep[160], file[176], parent[128];
	struct err err = {0};
	struct stat st;

	snprintf(parent, sizeof(parent), "%s/a", (char *)*state);
	snprintf(deep, sizeof(deep), "%s/b", parent);
	snprintf(file, sizeof(file), "%s/f", deep);
	assert_int_equal(dir_make(deep, 0750, &err), 0);
	assert_int_equal(stat(deep, &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_int_equal(dir_make(deep, 0750, &err), 0);
	assert_int_equal(file_write_atomic(file, "x", 1, NULL), 0);
	strcat(file, "/g");
	assert_int_equal(dir_make(file, 0750, &err), -ENOTDIR);
	file[strlen(file) - 2] = '\0';
	assert_int_equal(unlink(file), 0);
	assert_int_equal(rmdir(deep), 0);
	assert_int_equal(rmdir(parent), 0);
}

// ---- the loop ----

struct scene {
	struct loop *loop;
	struct loop_handle *handle, *other;
	int fd;
	void *socket;
	unsigned calls, ticks;
};

static void drain(void *arg)
{
	struct scene *s = arg;
	uint64_t value;

	assert_int_equal(read(s->fd, &value, sizeof(value)), sizeof(value));
	s->calls += value;
	loop_stop(s->loop);
}

static void count_tick(void *arg)
{
	struct scene *s = arg;

	if (++s->ticks == 3)
		loop_stop(s->loop);
}

static void write_one(void *arg)
{
	struct scene *s = arg;
	uint64_t one = 1;

	loop_timer_set(s->handle, 0);
	assert_int_equal(write(s->fd, &one, sizeof(one)), sizeof(one));
}

// What is written to standard error by one log_warn().
static void logged(const char *text, char *buf, size_t len_bytes)
{
	int old = dup(STDERR_FILENO), ends[2];
	ssize_t len;

	assert_int_equal(pipe(ends), 0);
	dup2(ends[1], STDERR_FILENO);
	close(ends[1]);
	log_warn("%s", text);
	dup2(old, STDERR_FILENO);
	close(old);
	len = read(ends[0], buf, len_bytes - 1);
	close(ends[0]);
	buf[len > 0 ? len : 0] = '\0';
}

static void test_log_line(void **state)
{
	char line[256];

	logged("one\ntwo\x1b[31m \xc2\x9b"
	       "2J \xc3\xa9 \x7f",
		line, sizeof(line));
	assert_int_equal(line[4], '-'); // "2026-12-01T02:00:00.000000Z"
	assert_int_equal(line[26], 'Z');
	assert_string_equal(line + 27, " warn: one?two?[31m ??2J \xc3\xa9 ?\n");
}

static void test_dir_lock(void **state)
{
	const char *dir = *state;
	struct err err = {0};
	char pid[24], file[128];
	int fd, other;

	assert_int_equal(dir_lock(dir, "testd", "--dir", &fd, &err), 0);
	assert_int_equal(dir_lock(dir, "testd", "--dir", &other, &err), -EBUSY);
	snprintf(pid, sizeof(pid), "testd (pid %d)", getpid());
	assert_non_null(strstr(err.reason, pid));
	assert_non_null(strstr(err.reason, "--dir"));
	close(fd);
	assert_int_equal(dir_lock(dir, "testd", "--dir", &fd, NULL), 0);
	close(fd);
	snprintf(file, sizeof(file), "%s/testd.lock", dir);
	assert_int_equal(unlink(file), 0);
	err = (struct err){0};
	assert_int_equal(dir_lock("/no/such/folder", "testd", "--dir", &fd, &err), -ENOENT);
}

// What root makes in a folder of another user is that user's; what others may have put there to
// get a file of root's is not.
static void test_file_give(void **state)
{
	char dir[128], file[160], link_path[160], hard[160], own[160];
	struct stat st;
	int fd;

	if (geteuid() != 0)
		skip();
	snprintf(dir, sizeof(dir), "%s/theirs", (const char *)*state);
	snprintf(own, sizeof(own), "%s/own", (const char *)*state);
	snprintf(file, sizeof(file), "%s/sub/testd.lock", dir);
	snprintf(link_path, sizeof(link_path), "%s/link", dir);
	snprintf(hard, sizeof(hard), "%s/hard", dir);
	assert_int_equal(mkdir(dir, 0755), 0);
	assert_int_equal(chown(dir, 65534, 65534), 0);
	strrchr(file, '/')[0] = '\0';
	assert_int_equal(dir_make(file, 0755, NULL), 0);
	assert_int_equal(dir_lock(file, "testd", "--dir", &fd, NULL), 0);
	close(fd);
	strcat(file, "/testd.lock");
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_uid, 65534);
	assert_int_equal(file_write_atomic(file, "x", 1, NULL), 0);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_uid, 65534);
	assert_int_equal(st.st_mode & 07777, 0640);

	assert_int_equal(file_write_public(own, "x", 1, NULL), 0);
	assert_int_equal(symlink(own, link_path), 0);
	assert_int_equal(link(own, hard), 0);
	file_give_inside(dir);
	assert_int_equal(stat(own, &st), 0);
	assert_int_equal(st.st_uid, 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	// Nor is a link written through.
	snprintf(file, sizeof(file), "%s/target", dir);
	snprintf(link_path, sizeof(link_path), "%s/target.new", dir);
	assert_int_equal(symlink(own, link_path), 0);
	assert_int_equal(file_write_atomic(file, "theirs", 6, NULL), 0);
	assert_int_equal(stat(own, &st), 0);
	assert_int_equal(st.st_size, 1);
	unlink(file);
	unlink(hard);
	unlink(own);
	snprintf(link_path, sizeof(link_path), "%s/link", dir);
	unlink(link_path);
	snprintf(file, sizeof(file), "%s/sub/testd.lock", dir);
	unlink(file);
	strrchr(file, '/')[0] = '\0';
	assert_int_equal(rmdir(file), 0);
	assert_int_equal(rmdir(dir), 0);
}

static void test_loop_fd(void **state)
{
	struct scene s = {.loop = loop_new(), .fd = eventfd(0, EFD_CLOEXEC)};

	assert_non_null(loop_add_fd(s.loop, s.fd, drain, &s));
	s.handle = loop_add_timer(s.loop, 2000, write_one, &s);
	assert_int_equal(loop_run(s.loop), 0);
	assert_int_equal(s.calls, 1);
	loop_free(s.loop);
	close(s.fd);
}

static void test_loop_timer(void **state)
{
	struct scene s = {.loop = loop_new()};
	uint64_t start_us = monotonic_us();

	s.handle = loop_add_timer(s.loop, 5000, count_tick, &s);
	assert_int_equal(loop_run(s.loop), 0);
	assert_int_equal(s.ticks, 3);
	assert_true(monotonic_us() - start_us >= 15000);
	loop_free(s.loop);
}

static void stop(void *arg)
{
	struct scene *s = arg;

	loop_stop(s->loop);
}

// Of two readable handles each removes both: the second one is then not called.
static void remove_both(void *arg)
{
	struct scene *s = arg;

	s->calls++;
	loop_del(s->loop, s->handle);
	loop_del(s->loop, s->other);
	// Enough to make the loop's tables grow while it walks them.
	for (unsigned i = 0; i < 40; i++)
		assert_non_null(loop_add_timer(s->loop, 1000000, count_tick, s));
	assert_non_null(loop_add_timer(s->loop, 3000, stop, s));
}

static void test_loop_remove(void **state)
{
	struct scene s = {.loop = loop_new(), .fd = eventfd(1, EFD_CLOEXEC)};

	s.handle = loop_add_fd(s.loop, s.fd, remove_both, &s);
	s.other = loop_add_fd(s.loop, s.fd, remove_both, &s);
	assert_int_equal(loop_run(s.loop), 0);
	assert_int_equal(s.calls, 1);
	loop_del(s.loop, NULL);
	loop_free(s.loop);
	close(s.fd);
}

static void stop_once(void *arg)
{
	struct scene *s = arg;

	s->ticks++;
	loop_timer_once(s->other, 3000);
}

// A timer that fires once, at the earliest from the next turn of the loop.
static void test_loop_once(void **state)
{
	struct scene s = {.loop = loop_new()};

	s.handle = loop_add_timer(s.loop, 0, stop_once, &s);
	s.other = loop_add_timer(s.loop, 0, stop, &s);
	loop_timer_once(s.handle, 0);
	assert_int_equal(s.ticks, 0);
	assert_int_equal(loop_run(s.loop), 0);
	assert_int_equal(s.ticks, 1);
	loop_free(s.loop);
}

// Writable: once, then it is watched for nothing, then for reading.
static void next_events(void *arg)
{
	struct scene *s = arg;
	static const unsigned events[] = {0, LOOP_READ};

	s->ticks++;
	if (s->ticks > 2) {
		loop_stop(s->loop);
		return;
	}
	loop_fd_events(s->handle, events[s->ticks - 1]);
	loop_timer_once(s->other, 1000);
}

static void test_loop_events(void **state)
{
	struct scene s = {.loop = loop_new(), .fd = eventfd(0, EFD_CLOEXEC)};
	uint64_t one = 1;

	s.handle = loop_add_fd(s.loop, s.fd, next_events, &s);
	s.other = loop_add_timer(s.loop, 0, next_events, &s);
	loop_fd_events(s.handle, LOOP_READ | LOOP_WRITE);
	// The second call is the timer's: a handle for nothing is not called.
	assert_int_equal(write(s.fd, &one, sizeof(one)), sizeof(one));
	assert_int_equal(loop_run(s.loop), 0);
	assert_int_equal(s.ticks, 3);
	loop_free(s.loop);
	close(s.fd);
}

static void receive(void *arg)
{
	struct scene *s = arg;
	char buf[8];

	while (zmq_recv(s->socket, buf, sizeof(buf), ZMQ_DONTWAIT) >= 0)
		s->calls++;
	assert_int_equal(errno, EAGAIN);
	if (s->calls == 2)
		loop_stop(s->loop);
}

static void test_loop_socket(void **state)
{
	struct scene s = {.loop = loop_new()};
	void *ctx = zmq_ctx_new(), *sender = zmq_socket(ctx, ZMQ_PAIR);

	s.socket = zmq_socket(ctx, ZMQ_PAIR);
	assert_int_equal(zmq_bind(s.socket, "inproc://test"), 0);
	assert_int_equal(zmq_connect(sender, "inproc://test"), 0);
	assert_non_null(loop_add_socket(s.loop, s.socket, receive, &s));
	assert_int_equal(zmq_send(sender, "a", 1, 0), 1);
	assert_int_equal(zmq_send(sender, "b", 1, 0), 1);
	assert_int_equal(loop_run(s.loop), 0);
	assert_int_equal(s.calls, 2);
	loop_free(s.loop);
	zmq_close(sender);
	zmq_close(s.socket);
	zmq_ctx_term(ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_err),
		cmocka_unit_test(test_mac),
		cmocka_unit_test(test_hash),
		cmocka_unit_test(test_sorted),
		cmocka_unit_test(test_log_level),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_file_write_fails),
		cmocka_unit_test(test_large_file),
		cmocka_unit_test(test_dir_make),
		cmocka_unit_test(test_dir_lock),
		cmocka_unit_test(test_log_line),
		cmocka_unit_test(test_file_give),
		cmocka_unit_test(test_loop_fd),
		cmocka_unit_test(test_loop_timer),
		cmocka_unit_test(test_loop_remove),
		cmocka_unit_test(test_loop_once),
		cmocka_unit_test(test_loop_events),
		cmocka_unit_test(test_loop_socket),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
