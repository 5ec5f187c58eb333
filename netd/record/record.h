// SPDX-License-Identifier: BSD-3-Clause
// What is in the store: keys, and records as JSON with a version. Pure functions, any thread.
//
//	cluster			   which store this is
//	allocation		   counts changes of `networks/`: each one swaps it
//	hosts/HOST		   on the lease of its host; everything of the host hangs on this
//	networks/NAME		   desired state
//	nets/ID/blocks/ADDRESS_LEN a range of addresses and the host that gives them out
//	nets/ID/ep/ADDRESS	   an endpoint under its first address
//
// all below RECORD_PREFIX. A value of a newer version, or with wrong or missing members, is
// refused with the reason; unknown members are ignored, so that a newer writer may add some.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/err.h"
#include "base/ip.h"
#include "base/mac.h"
#include "netd/record/dns_address.h"
#include "netd/record/record_name.h"

#define RECORD_PREFIX  "v1/"
#define RECORD_VERSION 1

#define NAME_BYTES	       64 // of a host, network or endpoint, with its zero
#define ID_BYTES	       33 // 32 hexadecimal digits and the zero
#define RECORD_KEY_BYTES       256
#define RECORD_SUBNETS_MAX     16
#define RECORD_IPS_MAX	       4
#define RECORD_ALIASES_MAX     32
#define RECORD_TEXT_MAX	       4096 // of a label or option
#define RECORD_TEXTS_MAX       256  // labels or options of a record
#define RECORD_AUX_MAX	       256  // reserved addresses of a subnet
#define RECORD_BLOCK_BITS_MAX  16   // of the addresses of a block
#define RECORD_VALUE_MAX_BYTES (512u << 10)

struct cidr {
	struct ip_addr ip; // of a network: its first address
	unsigned prefix;
};

struct cluster_record {
	char id[ID_BYTES]; // made once, with the store
};

struct host_record {
	char name[NAME_BYTES];
	char id[ID_BYTES];   // made once, in the state folder: another machine of that name has
			     // another
	struct ip_addr vtep; // its tunnel endpoint
	uint16_t udp_port;
	uint32_t mtu;	// of its underlay
	uint64_t epoch; // starts of its agent
};

struct named_ip {
	char name[NAME_BYTES];
	struct ip_addr ip;
};

struct subnet {
	struct cidr cidr;
	struct cidr range; // addresses are given out from here; the same as `cidr` when not given
	unsigned block_prefix;	// of the blocks of the range; 0: ipam_block_prefix_first()
	struct ip_addr gateway; // family 0: none
	struct named_ip *aux;	// reserved
	unsigned nb_aux;
};

// Owns its allocations: network_record_fini(). `labels` and `options` are objects of strings.
struct network_record {
	char name[NAME_BYTES];
	char id[ID_BYTES];
	char driver[16];
	uint32_t vni; // of its tunnels; 0: none
	bool ipv6, internal;
	struct subnet *subnets;
	unsigned nb_subnets;
	struct dns_server dns[DNS_SERVERS_MAX]; // asked instead of the host's; none: these
	unsigned nb_dns;
	json_t *labels, *options; // never NULL in a parsed record
	char created[32];	  // RFC 3339, for people
};

struct block_record {
	struct cidr cidr;
	char owner[NAME_BYTES]; // a host; empty: given back, kept for its epoch
	uint64_t epoch;		// raised each time it gets an owner
	bool giving;		// its owner will give it back, and gives out nothing of it
};

// Of records that claim one address the greater (epoch, seq) wins, then the smaller id.
struct endpoint_record {
	char id[ID_BYTES];
	char name[NAME_BYTES]; // empty: an address that is held, without an endpoint
	char host[NAME_BYTES];
	struct cidr ips[RECORD_IPS_MAX]; // prefix: of the subnet. The first one is the key
	unsigned nb_ips;
	struct mac mac;
	char (*aliases)[NAME_BYTES];
	unsigned nb_aliases;
	bool is_static;	   // somebody asked for this address
	uint64_t epoch;	   // of the block that the address was in
	uint64_t seq;	   // of its host
	char sandbox[128]; // how its host finds the container's namespace; empty: it has none yet
	char ifname[16];
	json_t *options; // of `connect`; object of strings, may be NULL
	char created[32];
};

enum record_kind {
	RECORD_CLUSTER,
	RECORD_ALLOCATION,
	RECORD_HOST,
	RECORD_GENERATION, // of a host: the number of what ended there last
	RECORD_NETWORK,
	RECORD_BLOCK,
	RECORD_ENDPOINT,
	RECORD_UNKNOWN, // not ours; ignored
};

// What a key says: `name` is a host or network name, `net` a network's id, `ip` the address. The
// key has RECORD_PREFIX.
struct record_key {
	enum record_kind kind;
	char name[NAME_BYTES];
	char net[ID_BYTES];
	struct cidr cidr;
};

bool record_id_is_valid(const char *id); // 32 lower-case hexadecimal digits

// RECORD_UNKNOWN of anything that record_key_*() does not write.
void record_key_parse(const char *key, struct record_key *ret_key);

// Write the key into `buf` (RECORD_KEY_BYTES) and return it.
const char *record_key_host(char *buf, const char *host);
const char *record_key_generation(char *buf, const char *host);
const char *record_key_network(char *buf, const char *name);
const char *record_key_block(char *buf, const char *net_id, const struct cidr *cidr);
const char *record_key_endpoint(char *buf, const char *net_id, const struct ip_addr *ip);

// Parse a value. What the key says must agree with what the value says. `err.path` is the key.
// -EPROTONOSUPPORT: a newer version; -EBADMSG: not a record. `ret` is written on success only.
int host_record_parse(const char *key, const char *value, size_t len_bytes, struct host_record *ret,
	struct err *err);
int network_record_parse(const char *key, const char *value, size_t len_bytes,
	struct network_record *ret, struct err *err);
int block_record_parse(const char *key, const char *value, size_t len_bytes,
	struct block_record *ret, struct err *err);
int endpoint_record_parse(const char *key, const char *value, size_t len_bytes,
	struct endpoint_record *ret, struct err *err);
int cluster_record_parse(const char *key, const char *value, size_t len_bytes,
	struct cluster_record *ret, struct err *err);

// New text that the caller frees; NULL: out of memory.
char *host_record_print(const struct host_record *rec);
char *network_record_print(const struct network_record *rec);
char *block_record_print(const struct block_record *rec);
char *endpoint_record_print(const struct endpoint_record *rec);
char *cluster_record_print(const struct cluster_record *rec);
char *allocation_record_print(uint64_t seq);

void network_record_fini(struct network_record *rec);
void endpoint_record_fini(struct endpoint_record *rec);
int network_record_copy(const struct network_record *from, struct network_record *ret);
int endpoint_record_copy(const struct endpoint_record *from, struct endpoint_record *ret);

// Whether it has a subnet, or an address, of family 4 or 6.
bool network_record_has_family(const struct network_record *rec, unsigned family);
bool endpoint_record_has_family(const struct endpoint_record *rec, unsigned family);

// As `network inspect` shows it, without its endpoints.
json_t *network_record_json(const struct network_record *rec);
json_t *endpoint_record_json(const struct endpoint_record *rec);

// What of an endpoint decides who wins.
struct endpoint_rank {
	uint64_t epoch, seq;
	char id[ID_BYTES];
};

struct endpoint_rank endpoint_record_rank(const struct endpoint_record *rec);

// Positive when `a` wins an address over `b`.
int endpoint_rank_compare(const struct endpoint_rank *a, const struct endpoint_rank *b);
int endpoint_record_compare(const struct endpoint_record *a, const struct endpoint_record *b);

// ---- addresses ----

bool cidr_has(const struct cidr *cidr, const struct ip_addr *ip);
bool cidr_overlap(const struct cidr *a, const struct cidr *b);
bool cidr_equal(const struct cidr *a, const struct cidr *b);
int cidr_parse(const char *text, struct cidr *ret); // host bits are cleared by nobody
#define CIDR_TEXT_BYTES (IP_TEXT_BYTES + 4)
const char *cidr_format(const struct cidr *cidr, char *buf);
void cidr_mask(struct cidr *cidr); // clears the host bits
// ip + `add`, within its family; wraps.
struct ip_addr ip_add(const struct ip_addr *ip, uint64_t add);
int ip_compare(const struct ip_addr *a, const struct ip_addr *b);
