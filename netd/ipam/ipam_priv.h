// SPDX-License-Identifier: BSD-3-Clause
// What the files of a subnet's addresses share.
//
//	ipam.c	what the caller asks: using, releasing, giving out
//	taken.c	addresses that are used or in quarantine
//	block.c	blocks and who owns them
//	own.c	own blocks: which of their addresses were never given out
#pragma once

#include <sys/queue.h>

#include <uthash.h>

#include "netd/ipam/ipam.h"

typedef unsigned __int128 ipam_wide; // an address, or a distance between addresses

// Where a released address waits.
enum ipam_place {
	PLACE_NONE,    // it is used
	PLACE_FOREIGN, // in no own block: for the time of the quarantine
	PLACE_WAITING, // in an own block, in quarantine
	PLACE_RIPE,    // in an own block, can be given out again
	NB_PLACES
};

// An address that is used, or was and is not forgotten.
struct ipam_taken {
	struct ip_addr ip;
	unsigned uses;
	enum ipam_place place;
	uint64_t released_us;
	struct ipam_block *block;	  // NULL: not in the range
	TAILQ_ENTRY(ipam_taken) of_place; // by released_us
	LIST_ENTRY(ipam_taken) of_block;
	UT_hash_handle hh; // by ip
};

TAILQ_HEAD(ipam_taken_list, ipam_taken);

// A block that has a record, or taken addresses.
struct ipam_block {
	struct ip_addr ip;
	enum ipam_owner owner;
	uint64_t epoch;
	uint64_t freed_us;
	LIST_HEAD(, ipam_taken) taken;
	unsigned nb_taken, nb_reserved;
	unsigned borrowed;	       // the address that was proposed last
	TAILQ_ENTRY(ipam_block) entry; // of `own` or `freed`, by owner
	UT_hash_handle hh;	       // by ip
	// Of an own block: a bit for each address that was not given out since it is.
	uint64_t *fresh;
	unsigned nb_fresh;
	unsigned cursor;
	bool started; // one was given out
};

TAILQ_HEAD(ipam_block_list, ipam_block);

struct ipam {
	struct cidr cidr, range;
	struct ip_addr gateway;
	struct named_ip *aux;
	unsigned nb_aux;
	uint64_t quarantine_us, seed;
	unsigned bits; // of an address
	unsigned block_bits;
	ipam_wide nb_blocks;

	struct ipam_taken *taken;
	struct ipam_taken_list places[NB_PLACES];
	uint64_t nb_ripe;

	struct ipam_block *blocks;
	ipam_wide nb_recorded;	      // blocks with a record
	ipam_wide lowest;	      // all blocks before this one have a record
	struct ipam_block_list own;   // those with fresh addresses first, in order
	struct ipam_block_list freed; // by freed_us
	unsigned nb_freed;
	uint64_t nb_fresh;
	struct ipam_block *borrow_from; // the last one

	// Hosts that start together want the same block; only one can have it. The others choose
	// among twice as many after each race that they lost.
	struct ip_addr proposed; // the block that was proposed last; family 0: none
	unsigned spread, attempt;
};

// An address that is kept for something. `n` counts from 0; false: there are no more.
bool ipam_reserved_at(const struct ipam *ipam, unsigned n, struct ip_addr *ret_ip);

// ---- ipam.c ----

// What the address is kept for, NULL: for nothing.
const char *ipam_reserved_for(const struct ipam *ipam, const struct ip_addr *ip);

// ---- taken.c ----

struct ipam_taken *ipam_taken_find(const struct ipam *ipam, const struct ip_addr *ip);
// It waits in that place, in the order of release; or does not wait any more.
void ipam_place_in(struct ipam *ipam, struct ipam_taken *taken, enum ipam_place where);
void ipam_place_out(struct ipam *ipam, struct ipam_taken *taken);
// The block stays, also when it was the last one of it: ipam_block_tidy().
void ipam_forget(struct ipam *ipam, struct ipam_taken *taken);
bool ipam_is_over(const struct ipam *ipam, uint64_t since_us, uint64_t now_us);
// Ends the quarantine of those whose time is over.
void ipam_settle(struct ipam *ipam, uint64_t now_us);

// ---- block.c ----

ipam_wide ipam_to_wide(const struct ip_addr *ip);
struct ip_addr ipam_from_wide(unsigned family, ipam_wide value);
// Of an address of the range: the number of its block, and its place in it.
ipam_wide ipam_block_index(const struct ipam *ipam, const struct ip_addr *ip);
unsigned ipam_block_offset(const struct ipam *ipam, const struct ip_addr *ip);
// The block of an address of the range. NULL: it has neither a record nor taken addresses;
// otherwise it is made (NULL: out of memory).
struct ipam_block *ipam_block_of(const struct ipam *ipam, const struct ip_addr *ip);
struct ipam_block *ipam_block_make(struct ipam *ipam, const struct ip_addr *ip);
int ipam_block_find_void(struct ipam *ipam); // -ENOMEM
// Frees a block without record and taken addresses.
void ipam_block_tidy(struct ipam *ipam, struct ipam_block *block);

// ---- own.c ----

uint64_t *ipam_fresh_new(const struct ipam *ipam); // NULL: out of memory
// The block, whose `fresh` is new, is an own one from now on; or not any more.
void ipam_own_begin(struct ipam *ipam, struct ipam_block *block);
void ipam_own_end(struct ipam *ipam, struct ipam_block *block);
// An address of an own block gets used.
void ipam_fresh_take(struct ipam *ipam, struct ipam_block *block, unsigned offset);
// The first fresh one at or after the cursor, else the first one at all. There is one.
unsigned ipam_fresh_next(const struct ipam *ipam, const struct ipam_block *block);
