// SPDX-License-Identifier: BSD-3-Clause
// Whole files: read at once, replaced at once.
#pragma once

#include <stddef.h>

#include "base/err.h"

// Reads at most `max_bytes` of `path` into a fresh, zero-terminated buffer that the caller frees.
// -EFBIG when the file is larger, else the negative errno of open(2) or read(2).
int file_read(const char *path, size_t max_bytes, char **ret_text, size_t *ret_len_bytes,
	struct err *err);

// Replaces `path` with `text`: a crash leaves the old file or the new one, never a mix
// (temporary file, fsync, rename, fsync of the folder).
int file_write_atomic(const char *path, const char *text, size_t len_bytes, struct err *err);

// The same, for a file that all users may read; that of the other one is its group's as well.
int file_write_public(const char *path, const char *text, size_t len_bytes, struct err *err);

// What this process makes in a folder of another user becomes that user's, if it may (root, and
// CAP_CHOWN): a service finds its own there, whoever ran the program by hand before; and a service
// keeps no hold on a folder of root's. The file or folder `path`, and all in the folder `path`.
// Leaves alone what may be another's: a link, or a file with a second name. The functions here do
// it by themselves.
void file_give(const char *path);
void file_give_inside(const char *path);

// Makes the folder `path` and its parents, unless they exist.
int dir_make(const char *path, unsigned mode, struct err *err);

// Takes the folder for this process of `program` alone: a locked file PROGRAM.lock with its pid.
// The lock ends when `ret_fd` is closed, and with the process however that ends. -EBUSY names the
// process that holds it; `option` is the command-line option that chooses another folder. -EACCES
// says whose the file is.
int dir_lock(
	const char *path, const char *program, const char *option, int *ret_fd, struct err *err);
