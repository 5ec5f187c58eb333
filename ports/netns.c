// SPDX-License-Identifier: BSD-3-Clause
#include "ports/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

#define OWN_NETNS "/proc/thread-self/ns/net"

static bool is_pid(const char *text)
{
	return strspn(text, "0123456789") == strlen(text);
}

static int explain_open(
	int code, const char *text, const char *file, const char *path, struct err *err)
{
	if (code != -ENOENT)
		return err_set_errno(
			err, code, path, "cannot open network namespace %s (%s)", text, file);
	if (is_pid(text))
		return err_set(
			err, code, path, "there is no process %s for its network namespace", text);
	if (text[0] == '/')
		return err_set(err, code, path, "there is no network namespace %s", text);
	return err_set(err, code, path,
		"there is no network namespace %s (%s); 'ip netns add %s' makes it", text, file,
		text);
}

int netns_open(const char *text, const char *path, int *ret_fd, struct err *err)
{
	char file[PATH_MAX];
	int fd, n;

	if (!text[0])
		n = snprintf(file, sizeof(file), OWN_NETNS);
	else if (text[0] == '/')
		n = snprintf(file, sizeof(file), "%s", text);
	else if (is_pid(text))
		n = snprintf(file, sizeof(file), "/proc/%s/ns/net", text);
	else
		n = snprintf(file, sizeof(file), "/run/netns/%s", text);
	if (n >= (int)sizeof(file))
		return err_set(err, -ENAMETOOLONG, path, "netns: the path is too long");
	fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return explain_open(-errno, text, file, path, err);
	if (ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET) {
		close(fd);
		return err_set(err, -EINVAL, path, "%s is not a network namespace", file);
	}
	*ret_fd = fd;
	return 0;
}

int netns_identify(int fd, struct netns_id *ret_id)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	*ret_id = (struct netns_id){.dev = st.st_dev, .ino = st.st_ino};
	return 0;
}

bool netns_same(const struct netns_id *a, const struct netns_id *b)
{
	return a->dev == b->dev && a->ino == b->ino;
}

int netns_enter(int fd)
{
	int home_fd = open(OWN_NETNS, O_RDONLY | O_CLOEXEC);
	int ret;

	if (home_fd < 0)
		return -errno;
	if (fd >= 0 && setns(fd, CLONE_NEWNET) < 0) {
		ret = -errno;
		close(home_fd);
		return ret;
	}
	return home_fd;
}

void netns_leave(int home_fd)
{
	if (setns(home_fd, CLONE_NEWNET) < 0) {
		log_error(
			"cannot return to the switch's own network namespace: %s", strerror(errno));
		abort();
	}
	close(home_fd);
}
