// SPDX-License-Identifier: BSD-3-Clause
// Network namespaces: finding them by what a user writes, and visiting them. Main thread only:
// workers never enter a namespace (setns(2) is per thread).
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

// What identifies a namespace, whatever its name. The kernel gives the inode number of one that has
// gone to the next; its cookie (Linux 5.14) never again until the next boot. Without padding.
struct netns_id {
	dev_t dev;
	ino_t ino;
	uint64_t boot;	 // of which boot it is; 0: not known
	uint64_t cookie; // 0: not known (an older kernel, or the namespace cannot be entered)
};

// Opens the namespace that `text` names: all digits are a process, a path begins with '/',
// everything else is a name under /run/netns, and empty is the namespace of this thread. An open
// namespace stays alive, so close the descriptor soon. `path` names the object in errors.
int netns_open(const char *text, const char *path, int *ret_fd, struct err *err);

// How a namespace is named: see netns_open().
enum netns_kind { NETNS_OWN, NETNS_PATH, NETNS_PID, NETNS_NAME };
enum netns_kind netns_kind(const char *text);
// The name under /run/netns, whether written as one or as that path; NULL: it has none. Part of
// `text`.
const char *netns_name(const char *text);

// Enters it for its cookie: without CAP_SYS_ADMIN only the own namespace has one.
int netns_identify(int fd, struct netns_id *ret_id);
// Whether they are provably one, and provably two. Neither: the cookie of one is not known.
// Of a kernel without cookies all that is known counts.
bool netns_same(const struct netns_id *a, const struct netns_id *b);
bool netns_differs(const struct netns_id *a, const struct netns_id *b);

// Whether the namespace `id`, which `text` named once, is still somebody's. A descriptor of ours
// that keeps it alive does not count. A path or name that is another namespace's by now speaks
// against it; a process that has ended, or a name that was deleted, does not while other processes
// are in it or a file has it mounted. Costs a walk over all processes in that case only.
bool netns_alive(const char *text, const struct netns_id *id);

// Takes this thread into the namespace `fd`, if it could come back from there. Returns a descriptor
// for netns_leave() or a negative errno: -EPERM without CAP_SYS_ADMIN. -1 for `fd` stays where it
// is, which takes no capability, as the own namespace does.
int netns_enter(int fd);

// Says in `err` why netns_enter() or nl_open() returned `code` for the namespace that `text` names,
// and what helps. Returns `code`.
int netns_refused(int code, const char *text, const char *path, struct err *err);

// Comes back and closes `home_fd`. Waits while the kernel has no memory for it. Aborts the process
// when there is no way back although netns_enter() found one: everything that it did afterwards
// would happen in a container.
void netns_leave(int home_fd);
