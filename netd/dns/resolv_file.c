// SPDX-License-Identifier: BSD-3-Clause
// The files of containers. Beside each of our files there is a second one: the previous file, or a
// note that there was none. So we recognise a file that we did not write, also after a crash. It is
// not in the container's folder, of which `ip netns exec` mounts each file over one in /etc, and
// complains of those that /etc has not.
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/netns.h"
#include "base/util.h"
#include "netd/dns/resolv.h"

#define FILE_MAX_BYTES 65536
#define HEAD	       "# Written by vsnetd, which removes it again: "
#define HEAD_BYTES     (sizeof(HEAD) - 1 + 16 + 1) // with the hash and the end of the line
#define NO_FILE	       "# causeway: there was no resolv.conf before\n"
#define NO_FOLDER      "# causeway: there was no folder before\n"

static const char *base = "/etc/netns";

void resolv_base_set(const char *dir)
{
	base = dir;
}

struct paths {
	char dir[PATH_MAX - 64];
	char file[PATH_MAX], saved[PATH_MAX], fresh[PATH_MAX];
};

static int paths_init(const char *netns, struct paths *ret_paths, struct err *err)
{
	const char *name = netns_name(netns);
	struct paths *p = ret_paths;

	if (!name)
		return err_set(err, -EINVAL, netns,
			"the namespace has no name, so it has no resolv.conf of its own; one that "
			"'ip netns add' makes has");
	if (snprintf(p->dir, sizeof(p->dir), "%s/%s", base, name) >= (int)sizeof(p->dir))
		return err_set(err, -ENAMETOOLONG, netns, "the name is too long");
	snprintf(p->file, sizeof(p->file), "%s/resolv.conf", p->dir);
	snprintf(p->saved, sizeof(p->saved), "%s/.%s.resolv.conf.causeway-saved", base, name);
	snprintf(p->fresh, sizeof(p->fresh), "%s/.%s.resolv.conf.causeway", base, name);
	return 0;
}

static void print_head(char head[HEAD_BYTES + 1], const char *body, size_t body_bytes)
{
	snprintf(head, HEAD_BYTES + 1, HEAD "%016" PRIx64 "\n",
		hash_add(HASH_INIT, body, body_bytes));
}

// As we wrote it, byte by byte; empty lines at the end are of a change that was not finished.
static bool is_ours(const char *path)
{
	char head[HEAD_BYTES + 1], *text;
	bool ours = false;
	size_t len;

	if (file_read(path, FILE_MAX_BYTES, &text, &len, NULL) < 0)
		return false;
	while (len >= 2 && text[len - 1] == '\n' && text[len - 2] == '\n')
		len--;
	if (len >= HEAD_BYTES) {
		print_head(head, text + HEAD_BYTES, len - HEAD_BYTES);
		ours = !memcmp(text, head, HEAD_BYTES);
	}
	free(text);
	return ours;
}

static bool says(const char *path, const char *note)
{
	bool same = false;
	char *text;
	size_t len;

	if (file_read(path, FILE_MAX_BYTES, &text, &len, NULL) < 0)
		return false;
	same = len == strlen(note) && !memcmp(text, note, len);
	free(text);
	return same;
}

static bool exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

// Another hand has been at the file since we came.
static bool is_foreign(const struct paths *p)
{
	struct stat file, saved;

	if (lstat(p->file, &file) < 0 || is_ours(p->file))
		return false;
	// The same file twice: we were stopped between saving it and writing ours.
	return lstat(p->saved, &saved) < 0 || saved.st_ino != file.st_ino ||
	       saved.st_dev != file.st_dev;
}

static int tell_foreign(const struct paths *p, struct err *err)
{
	return err_set(err, -EEXIST, p->file,
		"another program has changed the file since vsnetd wrote it, so vsnetd leaves it "
		"alone; remove the file to let vsnetd write it again");
}

// Keeps the existing file, or a note that there is none.
static int save(const struct paths *p, const char *note, struct err *err)
{
	if (exists(p->saved))
		return 0;
	if (link(p->file, p->saved) == 0)
		return 0;
	if (errno != ENOENT)
		return err_set_errno(err, -errno, p->file, "cannot keep the file");
	return file_write_atomic(p->saved, note, strlen(note), err);
}

// A program that has the file mounted, as under `ip netns exec`, would keep the old file if a new
// one took its place. So our file is overwritten with one write: a reader sees the old text or the
// new one, maybe with empty lines at its end.
static int overwrite(const struct paths *p, const char *text, struct err *err)
{
	int fd = open(p->file, O_WRONLY | O_CLOEXEC | O_NOFOLLOW), rc = 0;
	size_t len = strlen(text), size;
	struct stat st;
	char *padded;

	if (fd < 0 || fstat(fd, &st) < 0) {
		rc = err_set_errno(err, -errno, p->file, "cannot write the file");
		goto out;
	}
	size = MAX_OF(len, (size_t)st.st_size);
	padded = malloc(size);
	if (!padded) {
		rc = err_set(err, -ENOMEM, p->file, "out of memory");
		goto out;
	}
	memset(padded, '\n', size);
	memcpy(padded, text, len);
	errno = ENOSPC; // if only a part is written
	if (pwrite(fd, padded, size, 0) != (ssize_t)size || ftruncate(fd, len) < 0)
		rc = err_set_errno(err, -errno, p->file, "cannot write the file");
	free(padded);
out:
	if (fd >= 0)
		close(fd);
	return rc;
}

static int replace(const struct paths *p, const char *text, struct err *err)
{
	// All users of the container read it.
	int rc = file_write_public(p->fresh, text, strlen(text), err);

	if (rc < 0)
		return rc;
	if (rename(p->fresh, p->file) < 0) {
		rc = err_set_errno(err, -errno, p->file, "cannot write the file");
		unlink(p->fresh);
	}
	return rc;
}

static int write_file(const struct paths *p, const struct resolv *resolv, struct err *err)
{
	char head[HEAD_BYTES + 1], *body = resolv_print(resolv), *text = NULL;
	int rc = 0;

	if (!body)
		return err_set(err, -ENOMEM, p->file, "out of memory");
	print_head(head, body, strlen(body));
	if (asprintf(&text, "%s%s", head, body) < 0) {
		text = NULL;
		rc = err_set(err, -ENOMEM, p->file, "out of memory");
	} else if (!says(p->file, text)) {
		rc = is_ours(p->file) ? overwrite(p, text, err) : replace(p, text, err);
	}
	free(text);
	free(body);
	return rc;
}

int resolv_write(const char *netns, const struct resolv *resolv, struct err *err)
{
	const char *note = NO_FILE;
	struct paths p;
	int rc;

	rc = paths_init(netns, &p, err);
	if (rc < 0)
		return rc;
	if (exists(p.saved) && is_foreign(&p))
		return tell_foreign(&p, err);
	if (!exists(p.dir)) {
		note = NO_FOLDER;
		rc = dir_make(p.dir, 0755, err);
		if (rc < 0)
			return rc;
	}
	rc = save(&p, note, err);
	if (rc < 0)
		return rc;
	return write_file(&p, resolv, err);
}

int resolv_remove(const char *netns, struct err *err)
{
	bool no_folder, foreign;
	struct paths p;
	int rc;

	rc = paths_init(netns, &p, err);
	if (rc < 0)
		return rc;
	if (!exists(p.saved))
		return 0;
	no_folder = says(p.saved, NO_FOLDER);
	foreign = is_foreign(&p);
	if (!no_folder && !says(p.saved, NO_FILE)) {
		if (foreign)
			return tell_foreign(&p, err);
		if (rename(p.saved, p.file) < 0)
			return err_set_errno(err, -errno, p.file, "cannot put the file back");
		// Two names of one file: rename(2) leaves both.
		if (unlink(p.saved) < 0 && errno != ENOENT)
			return err_set_errno(err, -errno, p.saved, "cannot remove the file");
		return 0;
	}
	if (!foreign && unlink(p.file) < 0 && errno != ENOENT)
		return err_set_errno(err, -errno, p.file, "cannot remove the file");
	unlink(p.saved);
	if (foreign)
		return tell_foreign(&p, err);
	if (no_folder)
		rmdir(p.dir); // not empty: others use it
	return 0;
}
