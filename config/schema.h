// SPDX-License-Identifier: BSD-3-Clause
// The schema of a configuration, as data: one row a key. Parsing, checking and printing, the
// conversion of command line options and the reference page all read these rows, so a new key is
// a field in config/conf.h and a row in schema.c.
//
// The tables are constant and may be read by any thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

enum schema_type {
	SCHEMA_ENUM, // one of `names`; an enum
	SCHEMA_UINT, // min..max; uint16_t or uint32_t
	SCHEMA_TEXT, // char[], checked by `check`
	SCHEMA_MAC,  // struct mac
	SCHEMA_IPS,  // list of addresses with prefix; char[][64]
	SCHEMA_IP,   // struct ip_addr; with `given_offset`, an unsigned there takes a prefix length
	SCHEMA_HOSTS, // list of addresses; struct ip_addr[]
	SCHEMA_VLANS, // list of ids and ranges; struct vlan_set
	SCHEMA_CPUS,  // list of CPU numbers; unsigned[]
	SCHEMA_MAP,   // named objects of the table `sub`; bound by config/conf.c
	SCHEMA_LIST,  // a list of objects of the table `sub`; bound by config/conf.c
};

struct schema_table;

struct schema_field {
	const char *key;
	const char *alias[2]; // other spellings that are accepted, or NULL
	enum schema_type type;

	// Where the value lies in the structure, and the room it has there.
	// SCHEMA_ENUM and SCHEMA_UINT have one byte (an enum of two: a bool), two or four.
	size_t offset, size_bytes;
	// Where a bool says that the value was given (has_mac), or the count of a list: SCHEMA_MAC,
	// SCHEMA_IPS, SCHEMA_HOSTS, SCHEMA_CPUS, SCHEMA_VLANS.
	size_t given_offset;

	uint64_t min, max;
	uint64_t initial;	  // default of SCHEMA_ENUM and SCHEMA_UINT; `derive` comes first
	const char *const *names; // of SCHEMA_ENUM, by value, ends with NULL
	bool integer_ok;	  // SCHEMA_TEXT: a JSON integer is taken as its digits
	const char *word;	  // SCHEMA_UINT: taken as well, and stands for `word_value`
	uint64_t word_value;
	bool selects_kind; // SCHEMA_ENUM: schema_table.kind() looks at it

	// SCHEMA_TEXT, SCHEMA_MAC, SCHEMA_IP, SCHEMA_HOSTS: NULL when the value will do, else what
	// is allowed.
	const char *(*check)(const void *value);
	// Default that depends on other fields of the structure `obj`, or NULL.
	uint64_t (*derive)(const void *obj);

	// Kinds of object (schema_table.kind) that have this key, and those that cannot be without
	// it, as bit masks. A `kinds` of 0 stands for all.
	unsigned kinds, required;

	const struct schema_table *sub;

	const char *allowed;  // the sentence in a mistake, "a VLAN id is 1 to 4094"
	const char *syntax;   // the value in usage texts, "ID"
	const char *fallback; // the default, in words; NULL when `initial` or "none" says it
	const char *help;
	// The kinds of object whose value can change while the switch runs, as a bit mask; of
	// others it takes what schema_table.fixed says.
	unsigned live;
};

struct schema_table {
	const char *what; // "port", as in "a port has no key 'x'"
	const struct schema_field *fields;
	unsigned count;
	size_t size_bytes; // of the structure
	// Number of the kind of `obj` (a port's type), or NULL when there is one kind only.
	unsigned (*kind)(const void *obj);
	const char *const *kind_names;
	const char *kind_word; // between the two in "a port of type tap"
	const char *fixed;     // what it takes to change a key that is not live; NULL: "restart"
};

extern const struct schema_table schema_conf;	// struct conf
extern const struct schema_table schema_bridge; // struct conf_bridge_opts
extern const struct schema_table schema_port;	// struct conf_port
extern const struct schema_table schema_fdb;	// struct conf_fdb
extern const struct schema_table schema_neigh;	// struct conf_neigh
extern const struct schema_table schema_vtep;	// struct conf_vtep

// The row of `key`, or NULL.
const struct schema_field *schema_find(const struct schema_table *table, const char *key);

#define SCHEMA_KEY_BYTES 64

// The key in JSON (snake_case), written into `buf`. It has this one spelling there.
const char *schema_json_key(const struct schema_field *field, char buf[SCHEMA_KEY_BYTES]);

// The row of a key in JSON, or NULL.
const struct schema_field *schema_find_json(const struct schema_table *table, const char *key);

// Whether the field is true or false: a boolean in JSON, one of its two `names` elsewhere.
bool schema_is_bool(const struct schema_field *field);

// The value of such a field, its index in `names`, as true or false; and back.
bool schema_bool(const struct schema_field *field, uint64_t value);
uint64_t schema_bool_value(const struct schema_field *field, bool is_true);

// Whether `key` is one of the field's spellings.
bool schema_is_key(const struct schema_field *field, const char *key);

// The key of the table that is meant by `key`, a word that others have for it ("vlan": "tag"); NULL
// when there is none.
const char *schema_meant(const struct schema_table *table, const char *key);

// The key that is meant, or closest to `key`; NULL when none is close enough to have been meant.
const char *schema_nearest(const struct schema_table *table, const char *key);

// The name in `names` (ends with NULL) closest to `word`, or NULL.
const char *schema_nearest_name(const char *const *names, const char *word);

// Whether objects of kind `kind` have `field`, or must have it.
bool schema_applies(const struct schema_field *field, unsigned kind);
bool schema_is_required(const struct schema_field *field, unsigned kind);

// Whether an object of kind `kind` can have another value of `field` while it exists.
bool schema_is_live(const struct schema_field *field, unsigned kind);

// Whether `old` can become `now` while it exists: -EOPNOTSUPP names the first key that differs and
// is not live for the kind of `old`. The error's path is `path`.
int schema_check_change(const struct schema_table *table, const void *old, const void *now,
	const char *path, struct err *err);

// Writes a table as a section of a reference page (Markdown).
void schema_print_table(FILE *file, const char *title, const struct schema_table *table);

// Writes the reference page of the switch.
void schema_print_reference(FILE *file);
