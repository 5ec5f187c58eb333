// SPDX-License-Identifier: BSD-3-Clause
// Blocks of addresses.
#include <errno.h>
#include <stdlib.h>

#include "netd/replica/replica_priv.h"

static void tell_block(struct replica *r, struct replica_block *block, bool gone)
{
	if (r->observer.block)
		r->observer.block(r->observer.arg, block, gone);
}

struct replica_block *replica_block(struct replica *r, const char *key)
{
	struct replica_block *block;

	HASH_FIND_STR(r->blocks, key, block);
	return block;
}

static void block_set_host(struct replica_block *block, struct replica_host *host)
{
	if (block->host)
		LIST_REMOVE(block, of_host);
	block->host = host;
	if (host)
		LIST_INSERT_HEAD(&host->blocks, block, of_host);
}

void replica_block_remove(struct replica *r, struct replica_block *block)
{
	struct replica_host *host = block->host;

	HASH_DEL(r->blocks, block);
	LIST_REMOVE(block, of_net);
	if (host)
		LIST_REMOVE(block, of_host);
	tell_block(r, block, true);
	replica_net_tidy(r, block->net);
	replica_host_tidy(r, host);
	free(block);
}

static struct replica_block *block_make(struct replica *r, const char *key, const char *net_id)
{
	struct replica_block *block = calloc(1, sizeof(*block) + strlen(key) + 1);

	if (!block || !(block->net = replica_net_make(r, net_id))) {
		free(block);
		return NULL;
	}
	strcpy(block->key, key);
	LIST_INSERT_HEAD(&block->net->blocks, block, of_net);
	HASH_ADD_STR(r->blocks, key, block);
	return block;
}

int replica_block_apply(struct replica *r, const struct replica_change *c)
{
	struct replica_block *block = replica_block(r, c->key);
	struct replica_host *host = NULL, *old_host;
	struct block_record rec;
	struct err err = {0};

	if (!c->value) {
		if (block)
			replica_block_remove(r, block);
		return 0;
	}
	if (block)
		block->seen = true;
	if (block_record_parse(c->key, c->value, c->len_bytes, &rec, &err) < 0)
		return replica_skip(r, c->key, &err);
	if (rec.owner[0] && !(host = replica_host_make(r, rec.owner, c->now_us)))
		return -ENOMEM;
	if (!block && !(block = block_make(r, c->key, c->k.net))) {
		replica_host_tidy(r, host);
		return -ENOMEM;
	}
	old_host = block->host;
	block_set_host(block, host);
	block->rec = rec;
	block->revision = c->revision;
	block->seen = true;
	tell_block(r, block, false);
	replica_host_tidy(r, old_host);
	return 0;
}
