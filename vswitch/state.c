// SPDX-License-Identifier: BSD-3-Clause
#include "vswitch/state.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "config/mistakes.h"

#define HEADER	       "# causeway: running configuration over boot file "
#define OBJECTS_HEADER "# causeway: bridges, ports and VTEPs over running configuration "
#define OBJECTS_SUFFIX ".objects"

// `ret_over` is the digest in the first line, behind `header`; 0: there is none.
static int parse_file(const char *path, const char *header, struct conf *ret_conf,
	uint64_t *ret_digest, uint64_t *ret_over, struct err *err)
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
		*ret_over = 0;
		if (!strncmp(text, header, strlen(header)))
			*ret_over = strtoull(text + strlen(header), NULL, 16);
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

// ---- the file of bridges, ports and VTEPs ----

static void objects_path(const char *state_path, char buf[PATH_MAX])
{
	snprintf(buf, PATH_MAX, "%s" OBJECTS_SUFFIX, state_path);
}

static bool reaches(
	const struct conf *conf, const struct conf_bridge *bridge, const struct conf_fdb *entry)
{
	const char *vtep = NULL;

	if (!entry->tunnel.family)
		return true;
	for (unsigned i = 0; i < bridge->nb_ports; i++) {
		if (!strcmp(bridge->ports[i].name, entry->port))
			vtep = bridge->ports[i].vtep;
	}
	for (unsigned i = 0; vtep && i < conf->nb_vteps; i++) {
		if (!strcmp(conf->vteps[i].name, vtep))
			return conf_vtep_reaches(&conf->vteps[i], &entry->tunnel, NULL) == 0;
	}
	return false;
}

// Those of the state file that the ports of now can have.
static int take_fdb(const struct conf *conf, struct conf_bridge *to, struct conf_bridge *from)
{
	struct conf_fdb_ports ports = {.bridge = to->opts.name, .count = to->nb_ports};
	unsigned kept = 0;

	ports.port = calloc(to->nb_ports + 1, sizeof(*ports.port));
	if (!ports.port)
		return -ENOMEM;
	for (unsigned i = 0; i < to->nb_ports; i++)
		ports.port[i] = &to->ports[i];
	for (unsigned i = 0; i < from->nb_fdb; i++) {
		if (conf_fdb_settle(&from->fdb[i], &ports, NULL) == 0 &&
			reaches(conf, to, &from->fdb[i]))
			from->fdb[kept++] = from->fdb[i];
	}
	free(ports.port);
	to->fdb = from->fdb;
	to->nb_fdb = kept;
	from->fdb = NULL;
	from->nb_fdb = 0;
	return 0;
}

static int take_entries(struct conf *to, struct conf *from)
{
	int rc = 0;

	for (unsigned b = 0; b < to->nb_bridges && rc == 0; b++) {
		struct conf_bridge *bridge = &to->bridges[b];
		struct conf_bridge *was = find_bridge(from, bridge->opts.name);

		if (!was)
			continue;
		rc = take_fdb(to, bridge, was);
		bridge->neigh = was->neigh;
		bridge->nb_neigh = was->nb_neigh;
		was->neigh = NULL;
		was->nb_neigh = 0;
	}
	return rc;
}

// Puts the bridges, ports and VTEPs of the second file, if it counts, in the place of the others.
static int load_objects(
	const char *state_path, uint64_t digest, struct conf *state, struct err *err)
{
	struct conf objects, old;
	uint64_t unused, over;
	char path[PATH_MAX];
	int rc;

	objects_path(state_path, path);
	if (access(path, F_OK) < 0)
		return 0;
	conf_init(&objects);
	rc = parse_file(path, OBJECTS_HEADER, &objects, &unused, &over, err);
	if (rc == 0 && over == digest) {
		rc = take_entries(&objects, state);
		old = *state;
		*state = objects;
		objects = old;
	}
	conf_fini(&objects);
	return rc;
}

int state_load(const char *boot_path, const char *state_path, struct conf *ret_conf,
	struct state_digests *ret_digests, struct err *err)
{
	struct state_digests digests = {0};
	struct conf boot, state;
	uint64_t unused, over;
	int rc;

	conf_init(&boot);
	conf_init(&state);
	if (boot_path) {
		rc = parse_file(boot_path, HEADER, &boot, &digests.boot, &unused, err);
		if (rc < 0)
			return rc;
	}
	if (!state_path || access(state_path, F_OK) < 0) {
		*ret_conf = boot;
		*ret_digests = digests;
		return 0;
	}
	rc = parse_file(state_path, HEADER, &state, &digests.state, &over, err);
	if (rc == 0)
		rc = load_objects(state_path, digests.state, &state, err);
	if (rc == 0 && boot_path) {
		take_process_options(&state, &boot);
		if (over != digests.boot) {
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
	*ret_digests = digests;
	return 0;
}

static int write_conf(const char *path, const char *header, uint64_t over, const struct conf *conf,
	uint64_t *ret_digest, struct err *err)
{
	char *yaml = conf_print(conf), *text = NULL;
	int len, rc;

	if (!yaml)
		return err_set(err, -ENOMEM, path, "out of memory");
	len = asprintf(&text, "%s%016" PRIx64 "\n%s", header, over, yaml);
	free(yaml);
	if (len < 0)
		return err_set(err, -ENOMEM, path, "out of memory");
	rc = file_write_atomic(path, text, len, err);
	if (rc == 0)
		*ret_digest = hash_add(HASH_INIT, text, len);
	free(text);
	return rc;
}

int state_save(const char *state_path, struct state_digests *digests, const struct conf *conf,
	struct err *err)
{
	char path[PATH_MAX];
	int rc = write_conf(state_path, HEADER, digests->boot, conf, &digests->state, err);

	if (rc < 0)
		return rc;
	objects_path(state_path, path);
	unlink(path); // most often there is none
	return 0;
}

int state_save_objects(const char *state_path, const struct state_digests *digests,
	const struct conf *conf, struct err *err)
{
	char path[PATH_MAX];
	uint64_t unused;

	objects_path(state_path, path);
	return write_conf(path, OBJECTS_HEADER, digests->state, conf, &unused, err);
}
