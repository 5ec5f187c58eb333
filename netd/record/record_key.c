// SPDX-License-Identifier: BSD-3-Clause
// Keys of the store.
#include <stdio.h>

#include "netd/record/record.h"

bool record_id_is_valid(const char *id)
{
	return strlen(id) == ID_BYTES - 1 && strspn(id, "0123456789abcdef") == ID_BYTES - 1;
}

const char *record_key_host(char *buf, const char *host)
{
	snprintf(buf, RECORD_KEY_BYTES, RECORD_PREFIX "hosts/%s", host);
	return buf;
}

const char *record_key_generation(char *buf, const char *host)
{
	snprintf(buf, RECORD_KEY_BYTES, RECORD_PREFIX "generations/%s", host);
	return buf;
}

const char *record_key_network(char *buf, const char *name)
{
	snprintf(buf, RECORD_KEY_BYTES, RECORD_PREFIX "networks/%s", name);
	return buf;
}

const char *record_key_block(char *buf, const char *net_id, const struct cidr *cidr)
{
	char ip[IP_TEXT_BYTES];

	snprintf(buf, RECORD_KEY_BYTES, RECORD_PREFIX "nets/%s/blocks/%s_%u", net_id,
		ip_format(&cidr->ip, ip), cidr->prefix);
	return buf;
}

const char *record_key_endpoint(char *buf, const char *net_id, const struct ip_addr *ip)
{
	char text[IP_TEXT_BYTES];

	snprintf(buf, RECORD_KEY_BYTES, RECORD_PREFIX "nets/%s/ep/%s", net_id, ip_format(ip, text));
	return buf;
}

// What follows `start` in `text`; NULL when it does not begin so.
static const char *after(const char *text, const char *start)
{
	size_t len = strlen(start);

	return strncmp(text, start, len) == 0 ? text + len : NULL;
}

static enum record_kind parse_name(enum record_kind kind, const char *name, struct record_key *key)
{
	if (!record_name_is_valid(name))
		return RECORD_UNKNOWN;
	snprintf(key->name, sizeof(key->name), "%s", name);
	return kind;
}

// ADDRESS_LEN
static bool parse_block(const char *text, struct cidr *cidr)
{
	char copy[CIDR_TEXT_BYTES];
	struct cidr masked;
	char *mark;

	if (strlen(text) >= sizeof(copy))
		return false;
	strcpy(copy, text);
	mark = strchr(copy, '_');
	if (!mark)
		return false;
	*mark = '/';
	if (cidr_parse(copy, cidr) < 0)
		return false;
	masked = *cidr;
	cidr_mask(&masked);
	return cidr_equal(&masked, cidr);
}

static bool parse_address(const char *text, struct cidr *cidr)
{
	if (ip_parse(text, &cidr->ip) < 0)
		return false;
	cidr->prefix = cidr->ip.family == 6 ? 128 : 32;
	return true;
}

// ID/blocks/ADDRESS_LEN or ID/ep/ADDRESS. An address has one text only, else it would have two
// keys.
static enum record_kind parse_in_net(const char *text, struct record_key *key)
{
	const char *slash = strchr(text, '/'), *rest;
	char again[RECORD_KEY_BYTES];

	if (!slash || slash - text != ID_BYTES - 1)
		return RECORD_UNKNOWN;
	memcpy(key->net, text, ID_BYTES - 1);
	if (!record_id_is_valid(key->net))
		return RECORD_UNKNOWN;
	if ((rest = after(slash, "/ep/")) && parse_address(rest, &key->cidr)) {
		record_key_endpoint(again, key->net, &key->cidr.ip);
		return !strcmp(strrchr(again, '/') + 1, rest) ? RECORD_ENDPOINT : RECORD_UNKNOWN;
	}
	if ((rest = after(slash, "/blocks/")) && parse_block(rest, &key->cidr)) {
		record_key_block(again, key->net, &key->cidr);
		return !strcmp(strrchr(again, '/') + 1, rest) ? RECORD_BLOCK : RECORD_UNKNOWN;
	}
	return RECORD_UNKNOWN;
}

static enum record_kind parse(const char *text, struct record_key *key)
{
	const char *rest;

	if (!strcmp(text, "cluster"))
		return RECORD_CLUSTER;
	if (!strcmp(text, "allocation"))
		return RECORD_ALLOCATION;
	if ((rest = after(text, "hosts/")))
		return parse_name(RECORD_HOST, rest, key);
	if ((rest = after(text, "generations/")))
		return parse_name(RECORD_GENERATION, rest, key);
	if ((rest = after(text, "networks/")))
		return parse_name(RECORD_NETWORK, rest, key);
	if ((rest = after(text, "nets/")))
		return parse_in_net(rest, key);
	return RECORD_UNKNOWN;
}

void record_key_parse(const char *key, struct record_key *ret_key)
{
	struct record_key parsed = {.kind = RECORD_UNKNOWN};
	const char *rest = after(key, RECORD_PREFIX);

	if (rest)
		parsed.kind = parse(rest, &parsed);
	if (parsed.kind == RECORD_UNKNOWN)
		parsed = (struct record_key){.kind = RECORD_UNKNOWN};
	*ret_key = parsed;
}
