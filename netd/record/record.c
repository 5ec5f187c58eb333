// SPDX-License-Identifier: BSD-3-Clause
// The small records; network.c and endpoint.c have the others.
#include "netd/record/record.h"

#include <errno.h>

#include "base/limits.h"
#include "netd/record/record_read.h"

int cluster_record_parse(const char *key, const char *value, size_t len_bytes,
	struct cluster_record *ret, struct err *err)
{
	struct cluster_record rec = {0};
	struct record_reader r;
	int rc = record_reader_init(&r, key, value, len_bytes, err);

	if (rc < 0)
		return rc;
	rc = record_read_id(&r, "id", rec.id);
	record_reader_fini(&r);
	if (rc == 0)
		*ret = rec;
	return rc;
}

char *cluster_record_print(const struct cluster_record *rec)
{
	json_t *object = record_object();

	json_object_set_new(object, "id", json_string(rec->id));
	return record_dump(object);
}

char *allocation_record_print(uint64_t seq)
{
	json_t *object = record_object();

	json_object_set_new(object, "seq", json_integer(seq));
	return record_dump(object);
}

static int read_host(struct record_reader *r, struct host_record *rec)
{
	uint64_t udp_port = 0, mtu = 0;
	struct record_key key;

	if (record_read_name(r, "name", true, rec->name) < 0 ||
		record_read_id(r, "id", rec->id) < 0 ||
		record_read_ip(r, "vtep", true, &rec->vtep) < 0 ||
		record_read_uint(r, "port", true, UDP_PORT_MAX, &udp_port) < 0 ||
		record_read_uint(r, "mtu", false, MTU_MAX, &mtu) < 0 ||
		record_read_uint(r, "epoch", true, INT64_MAX, &rec->epoch) < 0)
		return -EBADMSG;
	if (udp_port == 0)
		return record_refuse(r, "member 'port' must not be 0");
	rec->udp_port = udp_port;
	rec->mtu = mtu;
	record_key_parse(r->key, &key);
	if (key.kind != RECORD_HOST || strcmp(key.name, rec->name) != 0)
		return record_refuse(r, "the record is of host %s", rec->name);
	return 0;
}

int host_record_parse(const char *key, const char *value, size_t len_bytes, struct host_record *ret,
	struct err *err)
{
	struct host_record rec = {0};
	struct record_reader r;
	int rc = record_reader_init(&r, key, value, len_bytes, err);

	if (rc < 0)
		return rc;
	rc = read_host(&r, &rec);
	record_reader_fini(&r);
	if (rc == 0)
		*ret = rec;
	return rc;
}

char *host_record_print(const struct host_record *rec)
{
	json_t *object = record_object();

	json_object_set_new(object, "name", json_string(rec->name));
	json_object_set_new(object, "id", json_string(rec->id));
	json_object_set_new(object, "vtep", record_json_ip(&rec->vtep));
	json_object_set_new(object, "port", json_integer(rec->udp_port));
	json_object_set_new(object, "mtu", json_integer(rec->mtu));
	json_object_set_new(object, "epoch", json_integer(rec->epoch));
	return record_dump(object);
}

static int read_block(struct record_reader *r, struct block_record *rec)
{
	struct record_key key;

	if (record_read_net(r, "block", true, &rec->cidr) < 0 ||
		record_read_name(r, "owner", false, rec->owner) < 0 ||
		record_read_uint(r, "epoch", true, INT64_MAX, &rec->epoch) < 0 ||
		record_read_bool(r, "giving", &rec->giving) < 0)
		return -EBADMSG;
	record_key_parse(r->key, &key);
	if (key.kind != RECORD_BLOCK || !cidr_equal(&key.cidr, &rec->cidr))
		return record_refuse(r, "the record is of another block");
	return 0;
}

int block_record_parse(const char *key, const char *value, size_t len_bytes,
	struct block_record *ret, struct err *err)
{
	struct block_record rec = {0};
	struct record_reader r;
	int rc = record_reader_init(&r, key, value, len_bytes, err);

	if (rc < 0)
		return rc;
	rc = read_block(&r, &rec);
	record_reader_fini(&r);
	if (rc == 0)
		*ret = rec;
	return rc;
}

char *block_record_print(const struct block_record *rec)
{
	json_t *object = record_object();

	json_object_set_new(object, "block", record_json_cidr(&rec->cidr));
	if (rec->owner[0])
		json_object_set_new(object, "owner", json_string(rec->owner));
	json_object_set_new(object, "epoch", json_integer(rec->epoch));
	if (rec->giving)
		json_object_set_new(object, "giving", json_true());
	return record_dump(object);
}
