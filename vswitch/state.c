// SPDX-License-Identifier: BSD-3-Clause
#include "vswitch/state.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "config/mistakes.h"

#define HEADER "# causeway: running configuration over boot file "

static int parse_file(const char *path, struct conf *ret_conf, uint64_t *ret_digest,
	uint64_t *ret_boot_digest, struct err *err)
{
	struct conf_mistakes mistakes = {0};
	size_t len;
	char *text;
	int rc;

	rc = file_read(path, CONF_FILE_MAX_BYTES, &text, &len, err);
	if (rc < 0)
		return rc;
	rc = conf_parse(text, len, ret_conf, &mistakes);
	rc = conf_mistakes_tell(&mistakes, path, rc, ", nothing was applied", err);
	if (rc == 0) {
		*ret_digest = hash_add(HASH_INIT, text, len);
		if (sscanf(text, HEADER "%" SCNx64, ret_boot_digest) != 1)
			*ret_boot_digest = 0;
	}
	free(text);
	return rc;
}

static const struct conf_port *find_port(const struct conf *conf, const char *name)
{
	for (unsigned b = 0; b < conf->nb_bridges; b++) {
		for (unsigned i = 0; i < conf->bridges[b].nb_ports; i++) {
			if (!strcmp(conf->bridges[b].ports[i].name, name))
				return &conf->bridges[b].ports[i];
		}
	}
	return NULL;
}

static struct conf_bridge *find_bridge(struct conf *conf, const char *name)
{
	for (unsigned b = 0; b < conf->nb_bridges; b++) {
		if (!strcmp(conf->bridges[b].opts.name, name))
			return &conf->bridges[b];
	}
	return NULL;
}

static struct conf_bridge *add_bridge(struct conf *conf, const struct conf_bridge_opts *opts)
{
	struct conf_bridge *grown =
		reallocarray(conf->bridges, conf->nb_bridges + 1, sizeof(struct conf_bridge));

	if (!grown)
		return NULL;
	conf->bridges = grown;
	grown[conf->nb_bridges] = (struct conf_bridge){.opts = *opts};
	return &grown[conf->nb_bridges++];
}

static int add_port(struct conf_bridge *bridge, const struct conf_port *port)
{
	struct conf_port *grown =
		reallocarray(bridge->ports, bridge->nb_ports + 1, sizeof(struct conf_port));

	if (!grown)
		return -ENOMEM;
	bridge->ports = grown;
	grown[bridge->nb_ports++] = *port;
	return 0;
}

static bool has_vtep(const struct conf *conf, const char *name)
{
	for (unsigned i = 0; i < conf->nb_vteps; i++) {
		if (!strcmp(conf->vteps[i].name, name))
			return true;
	}
	return false;
}

static int add_vteps(struct conf *conf, const struct conf *boot)
{
	unsigned count = conf->nb_vteps + boot->nb_vteps;
	struct conf_vtep *grown = reallocarray(conf->vteps, count + 1, sizeof(struct conf_vtep));

	if (!grown)
		return -ENOMEM;
	conf->vteps = grown;
	for (unsigned i = 0; i < boot->nb_vteps; i++) {
		if (!has_vtep(conf, boot->vteps[i].name))
			grown[conf->nb_vteps++] = boot->vteps[i];
	}
	return 0;
}

// Adds to `conf` the VTEPs, bridges and ports that only `boot` has.
static int merge(struct conf *conf, const struct conf *boot)
{
	if (add_vteps(conf, boot) < 0)
		return -ENOMEM;
	for (unsigned b = 0; b < boot->nb_bridges; b++) {
		const struct conf_bridge *from = &boot->bridges[b];
		struct conf_bridge *to = find_bridge(conf, from->opts.name);

		if (!to)
			to = add_bridge(conf, &from->opts);
		if (!to)
			return -ENOMEM;
		for (unsigned i = 0; i < from->nb_ports; i++) {
			if (!find_port(conf, from->ports[i].name) &&
				add_port(to, &from->ports[i]) < 0)
				return -ENOMEM;
		}
	}
	return 0;
}

static void take_process_options(struct conf *to, const struct conf *from)
{
	memcpy(to->workers, from->workers, sizeof(to->workers));
	to->nb_workers = from->nb_workers;
	to->polling = from->polling;
	to->hugepages = from->hugepages;
	to->mbufs = from->mbufs;
	to->big_mbufs = from->big_mbufs;
}

int state_load(const char *boot_path, const char *state_path, struct conf *ret_conf,
	uint64_t *ret_boot_digest, struct err *err)
{
	struct conf boot, state;
	uint64_t boot_digest = 0, unused, over;
	int rc;

	conf_init(&boot);
	conf_init(&state);
	if (boot_path) {
		rc = parse_file(boot_path, &boot, &boot_digest, &unused, err);
		if (rc < 0)
			return rc;
	}
	if (!state_path || access(state_path, F_OK) < 0) {
		*ret_conf = boot;
		*ret_boot_digest = boot_digest;
		return 0;
	}
	rc = parse_file(state_path, &state, &unused, &over, err);
	if (rc == 0 && boot_path) {
		take_process_options(&state, &boot);
		if (over != boot_digest) {
			log_info("%s was edited after %s was written: adding what is new in it",
				boot_path, state_path);
			rc = merge(&state, &boot);
		}
	}
	conf_fini(&boot);
	if (rc < 0) {
		conf_fini(&state);
		return err_set_errno(err, rc, state_path, "cannot load the state");
	}
	*ret_conf = state;
	*ret_boot_digest = boot_digest;
	return 0;
}

int state_save(
	const char *state_path, uint64_t boot_digest, const struct conf *conf, struct err *err)
{
	char *yaml = conf_print(conf), *text = NULL;
	int len, rc;

	if (!yaml)
		return err_set(err, -ENOMEM, state_path, "out of memory");
	len = asprintf(&text, HEADER "%016" PRIx64 "\n%s", boot_digest, yaml);
	free(yaml);
	if (len < 0)
		return err_set(err, -ENOMEM, state_path, "out of memory");
	rc = file_write_atomic(state_path, text, len, err);
	free(text);
	return rc;
}
