// SPDX-License-Identifier: BSD-3-Clause
// Any sequence of changes of the store, full readings and lost stores: the indexes of the replica
// agree with its lists, and with what observers were told.
//
// Each four bytes are a step: what, which, and two of its contents.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "netd/replica/replica.h"

#define NB_HOSTS 4
#define NB_NETS	 3
#define NB_IPS	 6

struct step {
	uint8_t what, which, a, b;
};

// What the observers were told.
struct told {
	unsigned nb_endpoints;
};

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void on_net(void *arg, struct replica_net *net, bool gone)
{
	require(net->known == !gone);
}

static void on_block(void *arg, struct replica_block *block, bool gone)
{
	require(block->net && !block->host == !block->rec.owner[0]);
}

static void on_endpoint(
	void *arg, struct replica_endpoint *ep, const struct endpoint_record *old, bool gone)
{
	struct told *told = arg;

	require(!strcmp(ep->host->rec.name, ep->rec.host));
	if (!old)
		told->nb_endpoints++;
	if (gone)
		told->nb_endpoints--;
}

static void net_id(char *id, unsigned which)
{
	memset(id, '0' + which % NB_NETS, ID_BYTES - 1);
	id[ID_BYTES - 1] = '\0';
}

static struct ip_addr address(unsigned which)
{
	return (struct ip_addr){.family = 4, .byte = {10, 0, 0, 1 + which % NB_IPS}};
}

static char *host_text(const struct step *s, char *key)
{
	struct host_record rec = {.udp_port = s->a, .epoch = s->b, .vtep = address(s->a)};

	snprintf(rec.name, sizeof(rec.name), "h%u", s->which % NB_HOSTS);
	net_id(rec.id, 0);
	record_key_host(key, rec.name);
	return host_record_print(&rec);
}

static char *net_text(const struct step *s, char *key)
{
	struct network_record rec = {.driver = "overlay", .vni = s->b};

	snprintf(rec.name, sizeof(rec.name), "n%u", s->which % NB_NETS);
	net_id(rec.id, s->a);
	record_key_network(key, rec.name);
	return network_record_print(&rec);
}

static char *block_text(const struct step *s, char *key)
{
	struct block_record rec = {.epoch = s->b};
	char id[ID_BYTES];

	rec.cidr.ip = (struct ip_addr){.family = 4, .byte = {10, 0, 0, s->which << 4}};
	rec.cidr.prefix = 28;
	if (s->a % (NB_HOSTS + 1))
		snprintf(rec.owner, sizeof(rec.owner), "h%u", s->a % (NB_HOSTS + 1) - 1);
	net_id(id, s->which >> 4);
	record_key_block(key, id, &rec.cidr);
	return block_record_print(&rec);
}

static char *endpoint_text(const struct step *s, char *key)
{
	struct endpoint_record rec = {.nb_ips = 1, .mac = {{2}}, .epoch = s->b >> 6};
	char id[ID_BYTES];

	rec.ips[0] = (struct cidr){address(s->which), 24};
	if (s->a % NB_IPS != s->which % NB_IPS)
		rec.ips[rec.nb_ips++] = (struct cidr){address(s->a), 24};
	rec.seq = s->b >> 3 & 7;
	snprintf(rec.name, sizeof(rec.name), "c%u", s->b & 3);
	snprintf(rec.host, sizeof(rec.host), "h%u", s->a / NB_IPS % NB_HOSTS);
	net_id(rec.id, s->b);
	net_id(id, s->which / NB_IPS);
	record_key_endpoint(key, id, &rec.ips[0].ip);
	return endpoint_record_print(&rec);
}

// ---- what must hold ----

static struct replica_endpoint *find_winner(struct replica_net *net, const struct ip_addr *ip)
{
	struct replica_endpoint *ep, *best = NULL;

	LIST_FOREACH (ep, &net->endpoints, of_net) {
		for (unsigned i = 0; i < ep->rec.nb_ips; i++) {
			int rc;

			if (!ip_equal(&ep->rec.ips[i].ip, ip))
				continue;
			rc = best ? endpoint_record_compare(&ep->rec, &best->rec) : 1;
			if (rc > 0 || (rc == 0 && strcmp(ep->key, best->key) < 0))
				best = ep;
		}
	}
	return best;
}

static unsigned check_net(struct replica *r, struct replica_net *net)
{
	struct replica_endpoint *ep, *named;
	struct replica_block *block;
	unsigned count = 0;

	LIST_FOREACH (ep, &net->endpoints, of_net) {
		count++;
		require(ep->net == net);
		require(replica_endpoint(r, ep->key) == ep);
		named = replica_by_name(net, ep->rec.name);
		require(named && !strcmp(named->rec.name, ep->rec.name));
		require(endpoint_record_compare(&named->rec, &ep->rec) >= 0);
	}
	require(count == net->nb_endpoints);
	LIST_FOREACH (block, &net->blocks, of_net)
		require(block->net == net && replica_block(r, block->key) == block);
	for (unsigned i = 0; i < NB_IPS; i++) {
		struct ip_addr ip = address(i);

		require(replica_by_ip(r, net->id, &ip) == find_winner(net, &ip));
	}
	require(net->known || count || !LIST_EMPTY(&net->blocks));
	require(!net->known || replica_net(r, net->rec.name) == net);
	return count;
}

static void check(struct replica *r, const struct told *told)
{
	struct replica_host *host, *next_host;
	struct replica_net *net, *next_net;
	struct replica_endpoint *ep;
	struct replica_block *block;
	unsigned of_nets = 0, of_hosts = 0;

	HASH_ITER(hh, r->nets, net, next_net)
	of_nets += check_net(r, net);
	HASH_ITER(hh, r->hosts, host, next_host)
	{
		unsigned count = 0;

		LIST_FOREACH (ep, &host->endpoints, of_host) {
			count++;
			require(ep->host == host && !strcmp(ep->rec.host, host->rec.name));
		}
		LIST_FOREACH (block, &host->blocks, of_host)
			require(block->host == host && !strcmp(block->rec.owner, host->rec.name));
		require(count == host->nb_endpoints);
		require(host->present || count || !LIST_EMPTY(&host->blocks));
		of_hosts += count;
	}
	require(of_nets == HASH_COUNT(r->endpoints) && of_hosts == of_nets);
	require(told->nb_endpoints == of_nets);
}

static void apply(struct replica *r, const struct step *s, uint64_t revision)
{
	char *(*const texts[])(const struct step *, char *) = {
		host_text, net_text, block_text, endpoint_text};
	char key[RECORD_KEY_BYTES], *text = texts[s->what & 3](s, key);

	require(text);
	switch (s->what >> 2 & 7) {
	case 0:
		replica_apply(r, key, NULL, 0, revision, revision);
		break;
	case 1: // not readable
		replica_apply(r, key, text, strlen(text) - 1, revision, revision);
		break;
	default:
		replica_apply(r, key, text, strlen(text), revision, revision);
	}
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len_bytes)
{
	struct told told = {0};
	struct replica_observer observer = {
		.net = on_net, .block = on_block, .endpoint = on_endpoint, .arg = &told};
	struct replica r;
	uint64_t revision = 1;

	log_set_level(LOG_LEVEL_ERROR);
	require(replica_init(&r, &observer) == 0);
	for (size_t at = 0; at + sizeof(struct step) <= len_bytes; at += sizeof(struct step)) {
		struct step s;

		memcpy(&s, data + at, sizeof(s));
		if (s.what == 0xff)
			replica_begin(&r);
		else if (s.what >= 0xfd)
			replica_end(&r, s.what == 0xfd ? REPLICA_KEEP_ALL : REPLICA_KEEP_NONE,
				revision);
		else
			apply(&r, &s, revision);
		// Sometimes the same again: a store that is another one.
		revision += s.b & 1;
		check(&r, &told);
	}
	replica_fini(&r);
	return 0;
}
