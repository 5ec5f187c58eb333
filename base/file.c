// SPDX-License-Identifier: BSD-3-Clause
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

int file_read(
	const char *path, size_t max_bytes, char **ret_text, size_t *ret_len_bytes, struct err *err)
{
	size_t len = 0, size = 4096;
	char *text = NULL;
	int rc, fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_set_errno(err, -errno, path, "cannot open the file");
	for (;;) {
		char *grown = realloc(text, size + 1);
		ssize_t got;

		if (!grown) {
			rc = err_set(err, -ENOMEM, path, "out of memory");
			goto err;
		}
		text = grown;
		got = read(fd, text + len, size - len);
		if (got < 0) {
			rc = err_set_errno(err, -errno, path, "cannot read the file");
			goto err;
		}
		if (got == 0)
			break;
		len += got;
		if (len > max_bytes) {
			rc = err_set(
				err, -EFBIG, path, "the file is larger than %zu bytes", max_bytes);
			goto err;
		}
		if (len == size)
			size *= 2;
	}
	close(fd);
	text[len] = '\0';
	*ret_text = text;
	*ret_len_bytes = len;
	return 0;

err:
	free(text);
	close(fd);
	return rc;
}

static int write_all(int fd, const char *text, size_t len_bytes)
{
	while (len_bytes > 0) {
		ssize_t put = write(fd, text, len_bytes);

		if (put < 0)
			return -errno;
		text += put;
		len_bytes -= put;
	}
	return fsync(fd) < 0 ? -errno : 0;
}

static void sync_parent(const char *path)
{
	char copy[PATH_MAX];
	int fd;

	snprintf(copy, sizeof(copy), "%s", path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	fsync(fd);
	close(fd);
}

int file_write_atomic(const char *path, const char *text, size_t len_bytes, struct err *err)
{
	char temp[PATH_MAX];
	int rc, fd;

	snprintf(temp, sizeof(temp), "%s.new", path);
	fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	if (fd < 0)
		return err_set_errno(err, -errno, temp, "cannot create the file");
	rc = write_all(fd, text, len_bytes);
	close(fd);
	if (rc == 0 && rename(temp, path) < 0)
		rc = -errno;
	if (rc < 0) {
		unlink(temp);
		return err_set_errno(err, rc, path, "cannot write the file");
	}
	sync_parent(path);
	return 0;
}

int dir_make(const char *path, unsigned mode, struct err *err)
{
	char copy[PATH_MAX];

	snprintf(copy, sizeof(copy), "%s", path);
	for (char *p = copy + 1;; p++) {
		char c = *p;

		if (c != '/' && c != '\0')
			continue;
		*p = '\0';
		if (mkdir(copy, mode) < 0 && errno != EEXIST)
			return err_set_errno(err, -errno, copy, "cannot create the folder");
		*p = c;
		if (c == '\0')
			return 0;
	}
}

int dir_lock(
	const char *path, const char *program, const char *option, int *ret_fd, struct err *err)
{
	char file[PATH_MAX], pid[32] = "";
	ssize_t len;
	int fd, rc;

	snprintf(file, sizeof(file), "%s/%s.lock", path, program);
	fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	if (fd < 0)
		return err_set_errno(err, -errno, file, "cannot open the lock file");
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		rc = -errno;
		len = read(fd, pid, sizeof(pid) - 1);
		pid[len > 0 ? strcspn(pid, "\n") : 0] = '\0';
		close(fd);
		if (rc != -EWOULDBLOCK)
			return err_set_errno(err, rc, file, "cannot lock the file");
		return err_set(err, -EBUSY, path,
			"another %s (pid %s) uses this folder; give this one a %s of its own",
			program, pid[0] ? pid : "unknown", option);
	}
	// For people; that it is locked is what counts.
	if (ftruncate(fd, 0) == 0)
		dprintf(fd, "%d\n", getpid());
	*ret_fd = fd;
	return 0;
}
