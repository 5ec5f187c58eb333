// SPDX-License-Identifier: BSD-3-Clause
// The addresses of one subnet, as one host sees them: which are used, reserved, in quarantine, and
// which blocks belong to whom. Pure logic, time is given; the caller tells what it reads in the
// store and writes what is decided here. Main thread only.
//
// A host gives out addresses of its own blocks without asking anybody. Blocks are small parts of
// the subnet's range, as many as hosts may need (subnet.block_prefix). Addresses are given out in
// sequence, so that the one that was released last comes last, and not before its quarantine is
// over.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "netd/record/record.h"

struct ipam;

// IPAM_VOID: the block has no address that can be given out, so nobody is to claim it.
enum ipam_owner { IPAM_NOBODY, IPAM_MINE, IPAM_OTHER, IPAM_FREED, IPAM_VOID };

struct ipam_opts {
	const struct subnet *subnet; // copied
	uint64_t quarantine_us;
	uint64_t seed; // differs from host to host: ipam_next_block()
};

// -EINVAL: the range is not in the subnet, or there is none; -ENOMEM.

int ipam_new(const struct ipam_opts *opts, struct ipam **ret_ipam);
void ipam_free(struct ipam *ipam);

// The length of the blocks of this range in a new network: a 64th of it, or 64 addresses (IPv4), or
// a /112 (IPv6), whatever is smallest. It is in the network's record, since all hosts must have the
// same.
unsigned ipam_block_prefix(const struct cidr *range);
// That of networks whose record has none: a 16th of the range or 256 addresses, whatever is
// smaller, but at least 4 addresses (IPv4); of IPv6 a /112 or a 16th.
unsigned ipam_block_prefix_first(const struct cidr *range);

// A block was read in the store. Freed blocks come last when a block is chosen, and not within the
// quarantine after `now_us`, when this host heard that it was freed. IPAM_NOBODY: its record is
// gone. -EINVAL: not a block of this range, nothing was done; -ENOMEM.
int ipam_set_block(struct ipam *ipam, const struct cidr *cidr, enum ipam_owner owner,
	uint64_t epoch, uint64_t now_us);

// An address is used (counted: by records and by what is only wanted), or not any more: then it is
// in quarantine from `now_us` on. -EINVAL: not in the subnet, nothing was done; -ENOMEM.
int ipam_use(struct ipam *ipam, const struct ip_addr *ip);
void ipam_release(struct ipam *ipam, const struct ip_addr *ip, uint64_t now_us);
bool ipam_is_used(const struct ipam *ipam, const struct ip_addr *ip);

// The next address of the own blocks, and the epoch of its block: one that was never used, in
// sequence, then the one that was released longest ago. It is not marked as used. -ENOSPC.
int ipam_next(struct ipam *ipam, uint64_t now_us, struct ip_addr *ret_ip, uint64_t *ret_epoch);

// One of another's block: when all blocks have an owner and the own are full. To be claimed in the
// store before use. Another one each time, since the claim may be lost. -ENOSPC.
int ipam_borrow(struct ipam *ipam, uint64_t now_us, struct ip_addr *ret_ip, uint64_t *ret_epoch);

// Whether somebody may ask for this very address: -EINVAL it is not in the subnet, is its network
// or broadcast address, or reserved (named); -EADDRINUSE. Quarantine is no hindrance. `ret_owner`
// and `ret_epoch`: of its block.
int ipam_check(struct ipam *ipam, const struct ip_addr *ip, enum ipam_owner *ret_owner,
	uint64_t *ret_epoch, struct err *err);

// Addresses that ipam_next() could give out now.
uint64_t ipam_nb_free(struct ipam *ipam, uint64_t now_us);

// ---- how much there is for all hosts ----

uint64_t ipam_nb_unused(struct ipam *ipam, uint64_t now_us); // of the range; not in quarantine
// Blocks that no host has, those in quarantine included, and without those that have no address to
// give out.
uint64_t ipam_nb_blocks(const struct ipam *ipam);

struct ipam_use {
	enum ipam_owner owner;
	unsigned nb_free; // addresses that are neither used nor reserved nor in quarantine
	bool idle;	  // none is used
};

// Of the block that begins at that address. All zero when there is none.
void ipam_block_use(
	struct ipam *ipam, const struct ip_addr *ip, uint64_t now_us, struct ipam_use *ret_use);
enum ipam_owner ipam_block_owner(const struct ipam *ipam, const struct ip_addr *ip);
unsigned ipam_block_size(const struct ipam *ipam);

// A block to claim: one that nobody has, else one freed long enough ago. `ret_epoch` is the one to
// write. `ret_is_new`: there is no record of it yet. The first one there is; when that went to
// another host, one of the first two, four and so on, by `seed`, so that a thousand hosts that
// start at once do not go on wanting the same. -ENOSPC; -EAGAIN: some, but in quarantine.
int ipam_next_block(struct ipam *ipam, uint64_t now_us, struct cidr *ret_cidr, uint64_t *ret_epoch,
	bool *ret_is_new);

// ---- pools of whole subnets, for networks without --subnet ----

// The first subnet of `size` bits in the pools that overlaps none of `taken`. -ENOSPC; -ENOMEM.
struct pool {
	struct cidr cidr;
	unsigned size;
};
int pool_next(const struct pool *pools, unsigned nb_pools, unsigned family,
	const struct cidr *taken, unsigned nb_taken, struct cidr *ret_cidr);

// The MAC address of an endpoint: of an address always the same, so that a neighbour's entry stays
// right when an address moves; locally administered, unicast.
struct mac ipam_mac(const struct ip_addr *ip);
