// SPDX-License-Identifier: BSD-3-Clause
#include "ctrl/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#include "base/file.h"

static int check_private(const char *path, struct err *err)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return err_set_errno(err, -errno, path, "cannot open the file");
	if (st.st_mode & 077)
		return err_set(err, -EACCES, path,
			"the secret key can be read by others (mode %04o); chmod 600 %s",
			st.st_mode & 07777, path);
	return 0;
}

static int add_key(struct ctrl_keys *keys, const char *text)
{
	uint8_t binary[32];
	void *grown;

	if (strlen(text) != CTRL_KEY_BYTES - 1 || !zmq_z85_decode(binary, text))
		return -EINVAL;
	grown = realloc(keys->key, (keys->count + 1) * sizeof(*keys->key));
	if (!grown)
		return -ENOMEM;
	keys->key = grown;
	memcpy(keys->key[keys->count++], text, CTRL_KEY_BYTES);
	return 0;
}

static int parse(char *text, const char *path, struct ctrl_keys *keys, struct err *err)
{
	char *save = NULL;
	unsigned nb_line = 0;
	int rc;

	for (char *line = text; line; line = save) {
		save = strchr(line, '\n');
		if (save)
			*save++ = '\0';
		nb_line++;
		line[strcspn(line, " \t\r")] = '\0';
		if (!line[0] || line[0] == '#')
			continue;
		rc = add_key(keys, line);
		if (rc == -EINVAL)
			return err_set(err, rc, path,
				"line %u is not a key: 40 characters of Z85 are expected", nb_line);
		if (rc < 0)
			return err_set(err, rc, path, "out of memory");
	}
	return 0;
}

int ctrl_keys_read(const char *path, bool secret, struct ctrl_keys *ret_keys, struct err *err)
{
	struct ctrl_keys keys = {0};
	char *text;
	size_t len;
	int rc;

	rc = secret ? check_private(path, err) : 0;
	if (rc == 0)
		rc = file_read(path, 1 << 20, &text, &len, err);
	if (rc < 0)
		return rc;
	rc = parse(text, path, &keys, err);
	explicit_bzero(text, len);
	free(text);
	if (rc == 0 && (secret ? keys.count != 1 : keys.count == 0))
		rc = err_set(err, -EINVAL, path, "the file holds %zu keys, %s expected", keys.count,
			secret ? "one is" : "at least one is");
	if (rc < 0) {
		ctrl_keys_fini(&keys);
		return rc;
	}
	*ret_keys = keys;
	return 0;
}

void ctrl_keys_fini(struct ctrl_keys *keys)
{
	if (keys->key)
		explicit_bzero(keys->key, keys->count * sizeof(*keys->key));
	free(keys->key);
	memset(keys, 0, sizeof(*keys));
}

bool ctrl_keys_have(const struct ctrl_keys *keys, const char *key)
{
	for (size_t i = 0; i < keys->count; i++) {
		if (!strcmp(keys->key[i], key))
			return true;
	}
	return false;
}

static int write_key(const char *path, const char *key, mode_t mode, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	int rc = 0;

	if (fd < 0)
		return err_set_errno(err, -errno, path, "cannot create the file");
	if (dprintf(fd, "%s\n", key) != CTRL_KEY_BYTES)
		rc = err_set_errno(err, -EIO, path, "cannot write the file");
	close(fd);
	if (rc < 0)
		unlink(path);
	return rc;
}

int ctrl_keys_generate(const char *path, struct err *err)
{
	char public_key[CTRL_KEY_BYTES], secret_key[CTRL_KEY_BYTES], public_path[PATH_MAX];
	int rc;

	if (zmq_curve_keypair(public_key, secret_key) < 0)
		return err_set(err, -EOPNOTSUPP, path, "this libzmq was built without CURVE");
	snprintf(public_path, sizeof(public_path), "%s.pub", path);
	rc = write_key(path, secret_key, 0600, err);
	explicit_bzero(secret_key, sizeof(secret_key));
	if (rc < 0)
		return rc;
	rc = write_key(public_path, public_key, 0644, err);
	if (rc < 0)
		unlink(path);
	return rc;
}
