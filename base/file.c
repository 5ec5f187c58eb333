// SPDX-License-Identifier: BSD-3-Clause
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

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

void file_give(const char *path)
{
	char copy[PATH_MAX];
	struct stat dir, st;
	int fd;

	snprintf(copy, sizeof(copy), "%s", path);
	if (stat(dirname(copy), &dir) < 0 || dir.st_uid == geteuid())
		return;
	// Whoever owns the folder may have put a link to a file of ours there.
	fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0 && st.st_uid == geteuid() &&
		(S_ISDIR(st.st_mode) || (S_ISREG(st.st_mode) && st.st_nlink == 1)) &&
		fchownat(fd, "", dir.st_uid, dir.st_gid, AT_EMPTY_PATH) < 0)
		log_debug("%s: cannot be given to the owner of its folder: %s", path,
			strerror(errno));
	close(fd);
}

void file_give_inside(const char *path)
{
	DIR *dir = opendir(path);
	char file[PATH_MAX];
	struct dirent *e;

	while (dir && (e = readdir(dir))) {
		if (e->d_name[0] != '.' &&
			snprintf(file, sizeof(file), "%s/%s", path, e->d_name) < (int)sizeof(file))
			file_give(file);
	}
	if (dir)
		closedir(dir);
}

static int replace(
	const char *path, const char *text, size_t len_bytes, unsigned mode, struct err *err)
{
	char temp[PATH_MAX];
	int rc, fd;

	snprintf(temp, sizeof(temp), "%s.new", path);
	unlink(temp); // of a run that was stopped, or a link
	fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0)
		return err_set_errno(err, -errno, temp, "cannot create the file");
	rc = write_all(fd, text, len_bytes);
	if (rc == 0 && fchmod(fd, mode) < 0)
		rc = -errno;
	close(fd);
	file_give(temp);
	if (rc == 0 && rename(temp, path) < 0)
		rc = -errno;
	if (rc < 0) {
		unlink(temp);
		return err_set_errno(err, rc, path, "cannot write the file");
	}
	sync_parent(path);
	return 0;
}

int file_write_atomic(const char *path, const char *text, size_t len_bytes, struct err *err)
{
	return replace(path, text, len_bytes, 0640, err);
}

int file_write_public(const char *path, const char *text, size_t len_bytes, struct err *err)
{
	return replace(path, text, len_bytes, 0644, err);
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
		if (mkdir(copy, mode) == 0 && chmod(copy, mode) == 0) // whatever the umask
			file_give(copy);
		else if (errno != EEXIST)
			return err_set_errno(err, -errno, copy, "cannot create the folder");
		*p = c;
		if (c == '\0')
			return 0;
	}
}

// The name of a user, or the number of one that has none.
static const char *user_name(uid_t uid, char *buf, size_t len_bytes)
{
	const struct passwd *user = getpwuid(uid);

	if (user)
		snprintf(buf, len_bytes, "%s", user->pw_name);
	else
		snprintf(buf, len_bytes, "%u", uid);
	return buf;
}

// A file that somebody else made, which this user may not open.
static int tell_owner(
	const char *dir, const char *file, const char *program, int code, struct err *err)
{
	char owner[64], own[64];
	struct stat st;

	if (code != -EACCES || stat(file, &st) < 0 || st.st_uid == geteuid())
		return err_set_errno(err, code, file, "cannot open the lock file");
	user_name(st.st_uid, owner, sizeof(owner));
	user_name(geteuid(), own, sizeof(own));
	return err_set(err, code, file,
		"the lock file belongs to user %s, who ran %s here before; end that one if it "
		"still runs, then give the folder to user %s: chown -R %s %s",
		owner, program, own, own, dir);
}

static int open_lock(
	const char *dir, const char *file, const char *program, int *ret_fd, struct err *err)
{
	int flags = O_RDWR | O_NOFOLLOW | O_CLOEXEC;
	int fd = open(file, flags | O_CREAT | O_EXCL, 0640);

	if (fd >= 0)
		file_give(file);
	else if (errno == EEXIST)
		fd = open(file, flags);
	if (fd < 0)
		return tell_owner(dir, file, program, -errno, err);
	*ret_fd = fd;
	return 0;
}

int dir_lock(
	const char *path, const char *program, const char *option, int *ret_fd, struct err *err)
{
	char file[PATH_MAX], pid[32] = "";
	ssize_t len;
	int fd = -1, rc;

	snprintf(file, sizeof(file), "%s/%s.lock", path, program);
	rc = open_lock(path, file, program, &fd, err);
	if (rc < 0)
		return rc;
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
