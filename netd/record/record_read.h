// SPDX-License-Identifier: BSD-3-Clause
// Takes members out of a record's JSON text, or says which one is wrong. For netd/record*.c.
#pragma once

#include "netd/record/record.h"

struct record_reader {
	const char *key;
	json_t *root;
	const json_t *at; // the object that members are taken from: `root` or a part of it
	char where[32];	  // which part: "subnets[1]: "; empty: `root`
	struct err *err;
};

// Parses the text and checks its version. After 0, record_reader_fini().
int record_reader_init(struct record_reader *r, const char *key, const char *value,
	size_t len_bytes, struct err *err);
void record_reader_fini(struct record_reader *r);

// Sets the error and returns -EBADMSG.
int record_refuse(struct record_reader *r, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

// Each returns 0 or -EBADMSG and leaves its output alone when the member is not there, which is a
// mistake if it is `needed`.
int record_read_uint(struct record_reader *r, const char *member, bool needed, uint64_t max,
	uint64_t *ret_value);
int record_read_bool(struct record_reader *r, const char *member, bool *ret_value);
// Printable; `size` with its zero.
int record_read_text(
	struct record_reader *r, const char *member, bool needed, size_t size, char *ret_text);
int record_read_name(struct record_reader *r, const char *member, bool needed, char *ret_name);
int record_read_id(struct record_reader *r, const char *member, char *ret_id);
// The address of one machine: neither "any" nor multicast.
int record_read_ip(
	struct record_reader *r, const char *member, bool needed, struct ip_addr *ret_ip);
// A network: no host bits.
int record_read_net(
	struct record_reader *r, const char *member, bool needed, struct cidr *ret_cidr);
int record_read_list(struct record_reader *r, const char *member, bool needed, size_t max,
	const json_t **ret_list);
// A new reference to an object of strings; NULL when it is not there.
int record_read_texts(struct record_reader *r, const char *member, json_t **ret_texts);

// The address that `text` is, as record_read_ip() takes it.
bool record_ip_parse(const char *text, struct ip_addr *ret_ip);
// A network that a subnet or block can be.
bool record_net_is_valid(const struct cidr *cidr);

// {"v": RECORD_VERSION}
json_t *record_object(void);
// The text of `object`, which is taken over (NULL is fine); NULL: out of memory.
char *record_dump(json_t *object);
json_t *record_json_ip(const struct ip_addr *ip);
json_t *record_json_cidr(const struct cidr *cidr);
