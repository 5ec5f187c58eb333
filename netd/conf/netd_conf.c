// SPDX-License-Identifier: BSD-3-Clause
#include "netd/conf/netd_conf.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "config/check.h"
#include "config/field.h"
#include "config/tree.h"
#include "netd/conf/netd_schema.h"
#include "netd/drivers/network_check.h"

static const struct {
	const char *base;
	unsigned size;
} default_pools[] = {
	// Away from what Docker, Kubernetes and clouds take by default.
	{"10.64.0.0/11", 20},
	{"fd63:6175:7365::/48", 64},
};

struct parse {
	struct report report;
	struct bind bind;
	struct lines lines;
};

static void set_host(struct netd_conf *conf)
{
	char name[256] = "";

	gethostname(name, sizeof(name) - 1);
	if (record_name_is_valid(name)) // else the file has to give one
		snprintf(conf->host, sizeof(conf->host), "%.63s", name);
}

static void set_pools(struct netd_conf *conf)
{
	conf->nb_pools = 0;
	for (unsigned i = 0; i < ARRAY_SIZE(default_pools); i++) {
		struct pool *pool = &conf->pools[conf->nb_pools++];

		cidr_parse(default_pools[i].base, &pool->cidr);
		pool->size = default_pools[i].size;
	}
}

void netd_conf_init(struct netd_conf *conf)
{
	struct netd_file file;

	bind_defaults(&netd_schema, &file);
	for (unsigned i = 0; i < netd_schema_store.count; i++)
		field_reset(&netd_schema_store.fields[i], &file);
	*conf = file.conf;
	conf->vni_first = 4096;
	conf->vni_last = 1048575;
	dns_conf_init(&conf->dns);
	set_host(conf);
	set_pools(conf);
}

void netd_conf_fini(struct netd_conf *conf)
{
	for (unsigned i = 0; i < conf->nb_networks; i++)
		network_record_fini(&conf->networks[i]);
	free(conf->networks);
	conf->networks = NULL;
	conf->nb_networks = 0;
}

// ---- pools ----

static void check_pool(
	struct parse *p, struct pool *pool, const json_t *obj, const char *path, const void *at)
{
	unsigned longest = pool->cidr.ip.family == 6 ? 126 : 30;
	char key[REPORT_PATH_BYTES], text[CIDR_TEXT_BYTES];

	if (!pool->cidr.prefix) {
		report_add(&p->report, tree_key_at(obj, "base", at), report_path(key, path, "base"),
			"a pool is ADDRESS/LENGTH; the length is missing");
		return;
	}
	cidr_mask(&pool->cidr);
	if (pool->size > longest || pool->size < pool->cidr.prefix)
		report_add(&p->report, tree_key_at(obj, "size", at), report_path(key, path, "size"),
			"%u is not allowed; subnets of %s have a prefix length of %u to %u",
			pool->size, cidr_format(&pool->cidr, text), pool->cidr.prefix, longest);
}

static void parse_pools(struct parse *p, const json_t *list, const void *at, struct netd_conf *conf)
{
	static const char path[] = "default-address-pools";
	char item_path[REPORT_PATH_BYTES];
	const json_t *value;
	size_t i;

	if (json_array_size(list) > NETD_POOLS_MAX) {
		report_add(&p->report, at, path, "there are too many; at most %d are allowed",
			NETD_POOLS_MAX);
		return;
	}
	conf->nb_pools = 0;
	json_array_foreach (list, i, value) {
		const void *item_at = json_is_null(value) ? at : value;
		struct pool *pool = &conf->pools[conf->nb_pools++];

		report_path_item(item_path, path, i);
		if (tree_bind_item(&p->bind, &netd_schema_pool, value, item_path, item_at, pool))
			check_pool(p, pool, value, item_path, item_at);
	}
}

// ---- networks ----

// The text of a member of `labels` or the like; NULL after a report.
static const char *text_of(
	struct parse *p, const json_t *value, const char *path, const void *at, const char *what)
{
	if (json_is_string(value) && strlen(json_string_value(value)) == json_string_length(value))
		return json_string_value(value);
	if (!json_is_true(value)) // has been reported
		report_add(&p->report, at, path, "%s is not allowed; %s is needed",
			json_is_string(value) ? "text with a zero byte" : bind_type_name(value),
			what);
	return NULL;
}

// The items of a list of texts: `take` gets each, and says what is allowed when it will not do.
typedef const char *take_fn(void *obj, unsigned i, const char *text);

static void parse_items(struct parse *p, const json_t *obj, const char *key, const char *path,
	const struct schema_table *table, size_t max, take_fn *take, void *into)
{
	char list_path[REPORT_PATH_BYTES], item_path[REPORT_PATH_BYTES], shown[72];
	const json_t *list, *value;
	size_t i;

	report_path(list_path, path, key);
	list = tree_section(&p->report, obj, key, JSON_ARRAY, table, list_path);
	if (json_array_size(list) > max) {
		report_add(&p->report, tree_key_at(obj, key, NULL), list_path,
			"there are too many; at most %zu are allowed", max);
		return;
	}
	json_array_foreach (list, i, value) {
		const void *at = json_is_null(value) ? tree_key_at(obj, key, NULL) : value;
		const char *text, *allowed;

		report_path_item(item_path, list_path, i);
		text = text_of(p, value, item_path, at, "a text");
		allowed = text ? take(into, i, text) : NULL;
		if (allowed)
			report_add(&p->report, at, item_path, "'%s' is not allowed; %s",
				report_shown(shown, text), allowed);
	}
}

static const char *take_server(struct dns_server *ret_server, const char *text)
{
	return dns_server_parse(text, ret_server) < 0 ? "a server is " DNS_SERVER_SYNTAX : NULL;
}

static json_t *parse_texts(struct parse *p, const json_t *obj, const char *key, const char *path)
{
	char map_path[REPORT_PATH_BYTES], item_path[REPORT_PATH_BYTES];
	const json_t *map, *value;
	json_t *ret = json_object();
	const char *name;

	report_path(map_path, path, key);
	map = tree_section(&p->report, obj, key, JSON_OBJECT, &netd_schema_network, map_path);
	json_object_foreach ((json_t *)map, name, value) {
		const char *text =
			json_is_null(value)
				? ""
				: text_of(p, value, report_path(item_path, map_path, name), name,
					  "a text");

		if (text && json_object_set_new(ret, name, json_string(text)) < 0)
			report_no_memory(&p->report);
	}
	if (!ret)
		report_no_memory(&p->report);
	return ret;
}

static void parse_aux_ip(struct parse *p, const char *name, const json_t *value, const char *path,
	struct subnet *subnet)
{
	const char *text = text_of(p, value, path, name, "an address");
	struct named_ip *aux = &subnet->aux[subnet->nb_aux];
	bool is_valid = record_name_is_valid(name);
	char shown[72];

	if (!is_valid)
		report_add(&p->report, name, path, "'%s' is not a valid name of an address: use %s",
			report_shown(shown, name), RECORD_NAME_ALLOWED);
	if (!text || !is_valid)
		return;
	if (ip_parse(text, &aux->ip) < 0) {
		report_add(&p->report, name, path, "'%s' is not allowed; an address is needed",
			report_shown(shown, text));
		return;
	}
	snprintf(aux->name, sizeof(aux->name), "%s", name);
	subnet->nb_aux++;
}

static void parse_aux(struct parse *p, const json_t *obj, const char *path, struct subnet *subnet)
{
	char map_path[REPORT_PATH_BYTES], item_path[REPORT_PATH_BYTES];
	const json_t *map, *value;
	const char *name;

	report_path(map_path, path, "aux-addresses");
	map = tree_section(
		&p->report, obj, "aux-addresses", JSON_OBJECT, &netd_schema_subnet, map_path);
	if (!map)
		return;
	subnet->aux = calloc(json_object_size(map) + 1, sizeof(*subnet->aux));
	if (!subnet->aux) {
		report_no_memory(&p->report);
		return;
	}
	json_object_foreach ((json_t *)map, name, value)
		parse_aux_ip(p, name, value, report_path(item_path, map_path, name), subnet);
}

static void need_prefix(struct parse *p, const struct cidr *cidr, const char *key,
	const json_t *obj, const char *path, const void *at)
{
	char key_path[REPORT_PATH_BYTES];

	if (cidr->ip.family && !cidr->prefix)
		report_add(&p->report, tree_key_at(obj, key, at), report_path(key_path, path, key),
			"the prefix length is missing: ADDRESS/LENGTH is needed");
}

static void parse_subnets(
	struct parse *p, const json_t *obj, const char *path, struct network_record *rec)
{
	char list_path[REPORT_PATH_BYTES], item_path[REPORT_PATH_BYTES];
	const json_t *list, *value;
	size_t i;

	report_path(list_path, path, "subnets");
	list = tree_section(
		&p->report, obj, "subnets", JSON_ARRAY, &netd_schema_network, list_path);
	if (!list)
		return;
	rec->subnets = calloc(json_array_size(list) + 1, sizeof(*rec->subnets));
	if (!rec->subnets) {
		report_no_memory(&p->report);
		return;
	}
	json_array_foreach (list, i, value) {
		const void *at = json_is_null(value) ? tree_key_at(obj, "subnets", NULL) : value;
		struct subnet *subnet = &rec->subnets[rec->nb_subnets++];

		report_path_item(item_path, list_path, i);
		if (!tree_bind_item(&p->bind, &netd_schema_subnet, value, item_path, at, subnet))
			continue;
		need_prefix(p, &subnet->cidr, "subnet", value, item_path, at);
		need_prefix(p, &subnet->range, "ip-range", value, item_path, at);
		parse_aux(p, value, item_path, subnet);
	}
}

static const char *take_network_server(void *obj, unsigned i, const char *text)
{
	struct network_record *rec = obj;

	rec->nb_dns = i + 1;
	return take_server(&rec->dns[i], text);
}

struct network_place {
	struct parse *p;
	const char *name; // its node
	const json_t *obj;
	char path[REPORT_PATH_BYTES];
};

// The node that `key` ("subnets[0].gateway") names in the network, or the last one on the way.
static const void *find_node(const struct network_place *place, const char *key)
{
	const json_t *obj = place->obj;
	const void *at = place->name;

	while (*key && obj) {
		size_t len = strcspn(key, ".[");
		char part[128];

		snprintf(part, sizeof(part), "%.*s", (int)len, key);
		at = tree_key_at(obj, part, at);
		obj = json_object_get(obj, part);
		key += len;
		if (*key == '[') {
			obj = json_array_get(obj, strtoul(key + 1, NULL, 10));
			at = obj ? obj : at;
			key += strcspn(key, "]");
			key += *key == ']';
		}
		key += *key == '.';
	}
	return at;
}

static void add_mistake(void *arg, const char *key, const char *reason)
{
	struct network_place *place = arg;
	char path[REPORT_PATH_BYTES];

	report_add(&place->p->report, find_node(place, key),
		key[0] ? report_path(path, place->path, key) : place->path, "%s", reason);
}

static void parse_network(
	struct parse *p, const char *name, const json_t *value, struct network_record *rec)
{
	struct network_place place = {.p = p, .name = name};
	unsigned before = p->report.mistakes->count;
	json_t *empty = json_object();
	char shown[72];

	place.obj = tree_object_or_null(value, empty);
	report_path(place.path, "networks", name);
	bind_defaults(&netd_schema_network, rec);
	if (!record_name_is_valid(name))
		report_add(&p->report, name, place.path, "'%s' is not a valid network name: use %s",
			report_shown(shown, name), RECORD_NAME_ALLOWED);
	snprintf(rec->name, sizeof(rec->name), "%s", name);
	bind_object(&p->bind, &netd_schema_network, place.obj, place.path, name, rec);
	parse_subnets(p, place.obj, place.path, rec);
	parse_items(p, place.obj, "dns", place.path, &netd_schema_network, DNS_SERVERS_MAX,
		take_network_server, rec);
	rec->labels = parse_texts(p, place.obj, "labels", place.path);
	rec->options = parse_texts(p, place.obj, "options", place.path);
	if (p->report.mistakes->count == before && p->report.code != -ENOMEM)
		network_check_all(rec, add_mistake, &place);
	json_decref(empty);
}

// Subnets and VNIs are looked for among all networks of the cluster when one is made; those of one
// file are told here, with the line.
static void check_pair(struct parse *p, const struct network_record *rec,
	const struct network_record *other, const json_t *networks)
{
	struct network_place place = {.p = p, .name = tree_key_at(networks, rec->name, NULL)};
	char mine[CIDR_TEXT_BYTES], theirs[CIDR_TEXT_BYTES], key[64], reason[256];

	place.obj = json_object_get(networks, rec->name);
	report_path(place.path, "networks", rec->name);
	if (rec->vni && rec->vni == other->vni) {
		snprintf(reason, sizeof(reason), "%u is the VNI of network %s, too", rec->vni,
			other->name);
		add_mistake(&place, "options.vni", reason);
	}
	for (size_t i = 0; i < rec->nb_subnets * other->nb_subnets; i++) {
		const struct cidr *a = &rec->subnets[i / other->nb_subnets].cidr;
		const struct cidr *b = &other->subnets[i % other->nb_subnets].cidr;

		if (!a->ip.family || !cidr_overlap(a, b)) // what could not be read has been told
			continue;
		snprintf(key, sizeof(key), "subnets[%zu].subnet", i / other->nb_subnets);
		snprintf(reason, sizeof(reason), "%s overlaps %s of network %s; choose another",
			cidr_format(a, mine), cidr_format(b, theirs), other->name);
		add_mistake(&place, key, reason);
	}
}

static void check_pairs(struct parse *p, const struct netd_conf *conf, const json_t *networks)
{
	for (unsigned i = 0; i < conf->nb_networks; i++) {
		for (unsigned j = 0; j < i; j++)
			check_pair(p, &conf->networks[i], &conf->networks[j], networks);
	}
}

static void parse_networks(struct parse *p, const json_t *networks, struct netd_conf *conf)
{
	const json_t *value;
	const char *name;

	conf->networks = calloc(json_object_size(networks) + 1, sizeof(*conf->networks));
	if (!conf->networks) {
		report_no_memory(&p->report);
		return;
	}
	json_object_foreach ((json_t *)networks, name, value)
		parse_network(p, name, value, &conf->networks[conf->nb_networks++]);
	check_pairs(p, conf, networks);
}

// ---- names ----

static const char *take_dns_server(void *obj, unsigned i, const char *text)
{
	struct dns_conf *conf = obj;

	conf->nb_servers = i + 1;
	return take_server(&conf->servers[i], text);
}

#define DOMAIN_ALLOWED                                                                             \
	"a domain has labels of up to 63 letters, digits, '-' and '_' with dots between them, "    \
	"253 "                                                                                     \
	"bytes in all"

// A domain that resolv.conf may have; the dot at its end goes.
static const char *take_domain(const char *text, char domain[256])
{
	size_t len = strlen(text), label = 0;

	if (len > 1 && text[len - 1] == '.')
		len--;
	if (len < 1 || len > 253)
		return DOMAIN_ALLOWED;
	for (size_t i = 0; i <= len; i++) {
		bool is_end = i == len || text[i] == '.';

		if (is_end ? label < 1 || label > 63
			   : !isalnum((unsigned char)text[i]) && !strchr("-_", text[i]))
			return DOMAIN_ALLOWED;
		label = is_end ? 0 : label + 1;
	}
	snprintf(domain, 256, "%.*s", (int)len, text);
	return NULL;
}

static const char *take_search(void *obj, unsigned i, const char *text)
{
	struct dns_conf *conf = obj;

	conf->nb_search = i + 1;
	return take_domain(text, conf->search[i]);
}

static void parse_dns(struct parse *p, const json_t *root, struct dns_conf *conf)
{
	static const char key[] = "dns";
	const json_t *obj = tree_section(&p->report, root, key, JSON_OBJECT, &netd_schema, key);

	if (!obj)
		return;
	bind_object(&p->bind, &netd_schema_dns, obj, key, tree_key_at(root, key, NULL), conf);
	parse_items(
		p, obj, "servers", key, &netd_schema_dns, DNS_SERVERS_MAX, take_dns_server, conf);
	parse_items(p, obj, "search", key, &netd_schema_dns, DNS_SEARCH_MAX, take_search, conf);
}

// ---- the file ----

static void parse_store(struct parse *p, const json_t *root, struct netd_file *file)
{
	static const char key[] = "cluster-store-opts";
	const json_t *obj = tree_section(&p->report, root, key, JSON_OBJECT, &netd_schema, key);
	const struct netd_conf *conf = &file->conf;

	if (obj)
		bind_object(
			&p->bind, &netd_schema_store, obj, key, tree_key_at(root, key, NULL), file);
	if (!conf->cert_file[0] != !conf->key_file[0])
		report_add(&p->report, tree_key_at(root, key, NULL), key,
			"a certificate needs its key, and a key its certificate: give cert-file "
			"and "
			"key-file");
}

static void parse_root(struct parse *p, const json_t *root, struct netd_file *file)
{
	static const char pools_key[] = "default-address-pools", networks_key[] = "networks";
	const json_t *pools, *networks;

	if (json_is_null(root)) // an empty file: everything at its default
		return;
	bind_object(&p->bind, &netd_schema, root, "", NULL, file);
	if (file->vni_range[0])
		netd_vni_range_parse(file->vni_range, &file->conf.vni_first, &file->conf.vni_last);
	parse_store(p, root, file);
	parse_dns(p, root, &file->conf.dns);
	pools = tree_section(&p->report, root, pools_key, JSON_ARRAY, &netd_schema, pools_key);
	if (pools)
		parse_pools(p, pools, tree_key_at(root, pools_key, NULL), &file->conf);
	networks = tree_section(
		&p->report, root, networks_key, JSON_OBJECT, &netd_schema, networks_key);
	if (networks)
		parse_networks(p, networks, &file->conf);
}

int netd_conf_parse(const char *text, size_t len_bytes, struct netd_conf *ret_conf,
	struct conf_mistakes *mistakes)
{
	struct parse p = {.report.mistakes = mistakes};
	struct netd_file file = {0};
	json_t *root;

	*mistakes = (struct conf_mistakes){0};
	p.bind = (struct bind){.yaml = true, .report = &p.report};
	p.report.lines = &p.lines;
	netd_conf_init(&file.conf);
	root = tree_load(text, len_bytes, &p.lines, &p.report);
	if (root)
		parse_root(&p, root, &file);
	json_decref(root);
	lines_fini(&p.lines);
	report_sort(mistakes);
	if (p.report.code < 0)
		netd_conf_fini(&file.conf);
	else
		*ret_conf = file.conf;
	return p.report.code;
}
