// SPDX-License-Identifier: BSD-3-Clause
#include "base/netns.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/util.h"

#define OWN_NETNS     "/proc/thread-self/ns/net"
#define BOOT_ID	      "/proc/sys/kernel/random/boot_id"
#define BOOT_ID_BYTES 64

enum netns_kind netns_kind(const char *text)
{
	if (!text[0])
		return NETNS_OWN;
	if (text[0] == '/')
		return NETNS_PATH;
	return text[strspn(text, "0123456789")] ? NETNS_NAME : NETNS_PID;
}

const char *netns_name(const char *text)
{
	static const char *const folders[] = {"/run/netns/", "/var/run/netns/"};
	const char *name = netns_kind(text) == NETNS_NAME ? text : NULL;

	for (unsigned i = 0; i < ARRAY_SIZE(folders); i++) {
		size_t len = strlen(folders[i]);

		if (!strncmp(text, folders[i], len))
			name = text + len;
	}
	return name && name[0] && name[0] != '.' && !strchr(name, '/') ? name : NULL;
}

static int explain_open(
	int code, const char *text, const char *file, const char *path, struct err *err)
{
	if (code != -ENOENT)
		return err_set_errno(
			err, code, path, "cannot open network namespace %s (%s)", text, file);
	if (netns_kind(text) == NETNS_PID)
		return err_set(
			err, code, path, "there is no process %s for its network namespace", text);
	if (netns_kind(text) == NETNS_PATH)
		return err_set(err, code, path, "there is no network namespace %s", text);
	return err_set(err, code, path,
		"there is no network namespace %s (%s); 'ip netns add %s' makes it", text, file,
		text);
}

int netns_open(const char *text, const char *path, int *ret_fd, struct err *err)
{
	static const char *const formats[] = {
		[NETNS_OWN] = OWN_NETNS "%s",
		[NETNS_PATH] = "%s",
		[NETNS_PID] = "/proc/%s/ns/net",
		[NETNS_NAME] = "/run/netns/%s",
	};
	char file[PATH_MAX];
	int fd, n;

	n = snprintf(file, sizeof(file), formats[netns_kind(text)], text);
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

static uint64_t this_boot(void)
{
	static uint64_t boot;
	char *text;
	size_t len;

	if (!boot && file_read(BOOT_ID, BOOT_ID_BYTES, &text, &len, NULL) == 0) {
		boot = hash_add(HASH_INIT, text, strcspn(text, "\n"));
		free(text);
	}
	return boot;
}

// A socket knows it of the namespace that it was opened in.
static uint64_t cookie_here(void)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return 0;
	if (getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &len) < 0)
		cookie = 0;
	close(fd);
	return cookie;
}

int netns_identify(int fd, struct netns_id *ret_id)
{
	struct stat st;
	int home_fd;

	if (fstat(fd, &st) < 0)
		return -errno;
	*ret_id = (struct netns_id){.dev = st.st_dev, .ino = st.st_ino, .boot = this_boot()};
	home_fd = netns_enter(fd);
	if (home_fd < 0)
		return 0;
	ret_id->cookie = cookie_here();
	netns_leave(home_fd);
	return 0;
}

bool netns_same(const struct netns_id *a, const struct netns_id *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->boot == b->boot && a->cookie == b->cookie;
}

bool netns_differs(const struct netns_id *a, const struct netns_id *b)
{
	return a->dev != b->dev || a->ino != b->ino || (a->boot && b->boot && a->boot != b->boot) ||
	       (a->cookie && b->cookie && a->cookie != b->cookie);
}

// The open file says that it is not `id`. One that cannot be opened any more says nothing.
static bool is_another(const char *file, const struct netns_id *id)
{
	struct netns_id now;
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool differs;

	if (fd < 0)
		return false;
	differs = netns_identify(fd, &now) == 0 && netns_differs(&now, id);
	close(fd);
	return differs;
}

// "net:[4026531840]", as /proc calls it.
static void proc_name(const struct netns_id *id, char *buf, size_t len_bytes)
{
	snprintf(buf, len_bytes, "net:[%llu]", (unsigned long long)id->ino);
}

static bool has_process(const char *name, const struct netns_id *id)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	bool found = false;

	while (dir && !found && (entry = readdir(dir))) {
		char file[NAME_MAX + 32], link[64];
		ssize_t n;

		if (netns_kind(entry->d_name) != NETNS_PID)
			continue;
		snprintf(file, sizeof(file), "/proc/%s/ns/net", entry->d_name);
		n = readlink(file, link, sizeof(link) - 1);
		if (n < 0) // it ended just now
			continue;
		link[n] = '\0';
		found = strcmp(link, name) == 0 && !is_another(file, id);
	}
	if (dir)
		closedir(dir);
	return found;
}

// Fields of a line: "... / MOUNT-POINT", of a namespace "... net:[4026531840] MOUNT-POINT".
static bool is_mount_of(const char *line, const char *text, const struct netns_id *id)
{
	const char *at = strstr(line, text);
	char file[PATH_MAX];

	return at && sscanf(at + strlen(text), "%4095s", file) == 1 && !is_another(file, id);
}

static bool has_mount(const char *name, const struct netns_id *id)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char *line = NULL, text[72];
	bool found = false;
	size_t size = 0;

	snprintf(text, sizeof(text), " %s ", name);
	while (f && !found && getline(&line, &size, f) > 0)
		found = is_mount_of(line, text, id);
	free(line);
	if (f)
		fclose(f);
	return found;
}

bool netns_alive(const char *text, const struct netns_id *id)
{
	struct netns_id now;
	char name[64];
	int fd;

	if (netns_open(text, "", &fd, NULL) == 0) {
		bool known = netns_identify(fd, &now) == 0;

		close(fd);
		if (known && !netns_differs(&now, id))
			return true;
		// The number of a process may be another's by now.
		if (netns_kind(text) != NETNS_PID)
			return false;
	}
	proc_name(id, name, sizeof(name));
	return has_process(name, id) || has_mount(name, id);
}

// Whether this thread is in the namespace `fd`. "No" when that cannot be told. Both are open: their
// numbers are theirs alone.
static bool is_in(int fd)
{
	struct stat here, there;
	int here_fd = open(OWN_NETNS, O_RDONLY | O_CLOEXEC);
	bool same;

	if (here_fd < 0)
		return false;
	same = fstat(here_fd, &here) == 0 && fstat(fd, &there) == 0 &&
	       here.st_dev == there.st_dev && here.st_ino == there.st_ino;
	close(here_fd);
	return same;
}

// The way back is tried first: in a namespace that another user namespace owns, or without
// CAP_SYS_ADMIN, there is none, and the thread would be stuck in a container.
static int go(int home_fd, int fd)
{
	if (setns(home_fd, CLONE_NEWNET) < 0 || setns(fd, CLONE_NEWNET) < 0)
		return -errno;
	return 0;
}

int netns_enter(int fd)
{
	int home_fd = open(OWN_NETNS, O_RDONLY | O_CLOEXEC);
	int ret;

	if (home_fd < 0)
		return -errno;
	if (fd < 0 || is_in(fd)) // which takes no capability
		return home_fd;
	ret = go(home_fd, fd);
	if (ret < 0) {
		close(home_fd);
		return ret;
	}
	return home_fd;
}

int netns_refused(int code, const char *text, const char *path, struct err *err)
{
	if (code != -EPERM)
		return err_set_errno(err, code, path, "cannot enter network namespace %s", text);
	return err_set(err, code, path,
		"cannot enter network namespace %s and come back, which takes CAP_SYS_ADMIN: start "
		"%s as root, or with AmbientCapabilities=CAP_SYS_ADMIN in its unit",
		text, program_invocation_short_name);
}

void netns_leave(int home_fd)
{
	const struct timespec pause = {.tv_nsec = 1000000};

	if (!is_in(home_fd)) {
		// A memory cgroup at its limit has none for the moment.
		while (setns(home_fd, CLONE_NEWNET) < 0) {
			if (errno != ENOMEM && errno != EINTR) {
				log_error("cannot return to the own network namespace: %s",
					strerror(errno));
				abort();
			}
			nanosleep(&pause, NULL);
		}
	}
	close(home_fd);
}
