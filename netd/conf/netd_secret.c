// SPDX-License-Identifier: BSD-3-Clause
#include "netd/conf/netd_secret.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/log.h"

#define SECRET_MAX_BYTES 4096

// ---- reading ----

static int path_of(const char *option, const char *file, char path[PATH_MAX], struct err *err)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	int len;

	if (file[0] == '/')
		len = snprintf(path, PATH_MAX, "%s", file);
	else if (strchr(file, '/'))
		return err_set(err, -EINVAL, option,
			"'%s' is neither an absolute path nor the name of a systemd credential",
			file);
	else if (dir)
		len = snprintf(path, PATH_MAX, "%s/%s", dir, file);
	else
		return err_set(err, -ENOENT, option,
			"systemd gives this process no credentials; add 'LoadCredential=%s:PATH' "
			"to "
			"the unit, or give an absolute path",
			file);
	return len < PATH_MAX ? 0 : err_set(err, -ENAMETOOLONG, option, "the path is too long");
}

static int read_secret(
	const char *option, const char *file, char *secret, size_t secret_bytes, struct err *err)
{
	char path[PATH_MAX], *text;
	struct err why = {0};
	size_t len;
	int rc;

	if (!file[0])
		return 0;
	rc = path_of(option, file, path, err);
	if (rc < 0)
		return rc;
	rc = file_read(path, SECRET_MAX_BYTES, &text, &len, &why);
	if (rc < 0)
		return err_set(err, rc, option, "%s: %s", why.path, why.reason);
	while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
		len--;
	text[len] = '\0';
	if (len == 0 || len >= secret_bytes || strlen(text) != len || strchr(text, '\n'))
		rc = err_set(err, -EINVAL, option, "%s must hold one line of 1 to %zu bytes", path,
			secret_bytes - 1);
	else
		memcpy(secret, text, len + 1);
	explicit_bzero(text, len);
	free(text);
	return rc;
}

int netd_secrets_read(struct netd_conf *conf, struct err *err)
{
	int rc = 0;

	if (conf->password[0] && conf->password_file[0])
		rc = err_set(err, -EINVAL, "cluster-store-opts",
			"password and password-file are both given; remove one of them");
	else if (conf->token[0] && conf->token_file[0])
		rc = err_set(err, -EINVAL, "cluster-store-opts",
			"token and token-file are both given; remove one of them");
	if (rc == 0)
		rc = read_secret("password-file", conf->password_file, conf->password,
			sizeof(conf->password), err);
	if (rc == 0)
		rc = read_secret(
			"token-file", conf->token_file, conf->token, sizeof(conf->token), err);
	return rc;
}

// ---- warnings ----

static void warn_readable(const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0 && (st.st_mode & S_IROTH))
		log_warn("%s: every user of this host can read the secret in this file; run "
			 "'chmod o-rwx %s'",
			path, path);
}

void netd_secrets_warn(const struct netd_conf *conf, const char *path)
{
	bool has_secret = conf->password[0] || conf->token[0];
	bool is_own = (conf->password[0] && !conf->password_file[0]) ||
		      (conf->token[0] && !conf->token_file[0]);
	bool has_tls = conf->ca_file[0] || conf->cert_file[0] || conf->key_file[0];

	if (path && is_own)
		warn_readable(path);
	if (conf->password_file[0] == '/')
		warn_readable(conf->password_file);
	if (conf->token_file[0] == '/')
		warn_readable(conf->token_file);
	if (has_secret && !has_tls && strncmp(conf->cluster_store, "lmdb:", 5) != 0 &&
		conf->cluster_store[0])
		log_warn("cluster-store: the %s is sent to the store unencrypted; use TLS "
			 "(cluster-store-opts: ca-file)",
			conf->password[0] ? "password" : "token");
}
