// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "kv/etcd_priv.h"

// A page costs etcd a walk over all keys of the range, so pages grow while they are small.
#define PAGE_KEYS_MIN  256 // of the largest values they fit into what http.c takes
#define PAGE_KEYS_MAX  16384
#define PAGE_MAX_BYTES (8u << 20) // beyond this the next page has no more keys
#define MAX_STARTS     3

struct etcd_read {
	TAILQ_ENTRY(etcd_read) entry;
	struct etcd *etcd;
	struct etcd_call *call;
	struct pairs pairs;
	uint64_t revision; // of all pages; 0: not known yet
	unsigned nb_starts, page_keys;
	bool is_prefix;
	kv_read_fn *fn;
	void *arg;
	char key[KV_KEY_MAX_BYTES + 1];
};

static void on_page(void *arg, int rc, const struct http_reply *reply);

void etcd_read_cancel(struct etcd_read *read)
{
	if (!read)
		return;
	etcd_cancel(read->call);
	TAILQ_REMOVE(&read->etcd->reads, read, entry);
	pairs_free(&read->pairs);
	free(read);
}

static void finish(struct etcd_read *read, int rc)
{
	if (rc == 0 && !read->is_prefix && read->pairs.count == 0)
		rc = -ENOENT;
	if (rc < 0)
		read->fn(read->arg, rc, NULL, 0, read->revision);
	else
		read->fn(read->arg, 0, read->pairs.list, read->pairs.count, read->revision);
	etcd_read_cancel(read);
}

// The end of a range is the first text that does not begin so: the '/' becomes a '0'.
static void add_range_end(struct text *body, const char *prefix, const char *folder)
{
	char end[ETCD_KEY_BYTES];
	int len = snprintf(end, sizeof(end), "%s%s", prefix, folder);

	if (len == 0) {
		text_addf(body, ",\"range_end\":\"AA==\""); // a zero: all
		return;
	}
	end[len - 1]++;
	text_add(body, ",", 1);
	etcd_add_key(body, "range_end", end, "");
}

void etcd_add_range(struct text *body, const struct etcd *etcd, const char *key, bool is_prefix)
{
	if (!etcd->prefix[0] && !key[0])
		text_addf(body, "\"key\":\"AA==\"");
	else
		etcd_add_key(body, "key", etcd->prefix, key);
	if (is_prefix)
		add_range_end(body, etcd->prefix, key);
}

// From the last key that was read, which comes again and is left out.
static int ask_page(struct etcd_read *read)
{
	const struct pairs *got = &read->pairs;
	struct text body = {0};

	text_add(&body, "{", 1);
	if (got->count > 0) {
		etcd_add_key(&body, "key", read->etcd->prefix, got->list[got->count - 1].key);
		add_range_end(&body, read->etcd->prefix, read->key);
	} else {
		etcd_add_range(&body, read->etcd, read->key, read->is_prefix);
	}
	text_addf(&body, ",\"limit\":\"%u\",\"revision\":\"%llu\"}", read->page_keys,
		(unsigned long long)read->revision);
	read->call = etcd_post(read->etcd, "/v3/kv/range", &body, true, on_page, read);
	return read->call ? 0 : -ENOMEM;
}

static void drop_first(struct pairs *pairs, size_t at)
{
	free((char *)pairs->list[at].key);
	pairs->count--;
	memmove(&pairs->list[at], &pairs->list[at + 1], (pairs->count - at) * sizeof(*pairs->list));
}

static int take_page(struct etcd_read *read, const struct http_reply *reply, bool *ret_more)
{
	struct etcd_header header;
	size_t before = read->pairs.count;
	int rc;

	rc = etcd_parse_range(
		reply->body, reply->len_bytes, read->etcd->prefix, &read->pairs, &header, ret_more);
	if (rc < 0)
		return rc;
	etcd_saw(read->etcd, &header);
	if (read->revision == 0)
		read->revision = header.revision;
	if (before > 0 && before < read->pairs.count &&
		strcmp(read->pairs.list[before - 1].key, read->pairs.list[before].key) == 0)
		drop_first(&read->pairs, before);
	if (reply->len_bytes * 2 < PAGE_MAX_BYTES)
		read->page_keys = MIN_OF(read->page_keys * 2, PAGE_KEYS_MAX);
	// A page without anything new would be asked for again and again.
	if (*ret_more && read->pairs.count == before)
		return -EIO;
	return 0;
}

static void on_page(void *arg, int rc, const struct http_reply *reply)
{
	struct etcd_read *read = arg;
	bool more = false;

	read->call = NULL;
	if (rc == 0)
		rc = take_page(read, reply, &more);
	// Compacted between two pages.
	if (rc == -ERANGE && ++read->nb_starts < MAX_STARTS) {
		pairs_free(&read->pairs);
		read->revision = 0;
		more = true;
		rc = 0;
	}
	// Small values were followed by large ones.
	if ((rc == -E2BIG || rc == -ETIMEDOUT) && read->page_keys > PAGE_KEYS_MIN) {
		read->page_keys = PAGE_KEYS_MIN;
		more = true;
		rc = 0;
	}
	if (rc == 0 && more)
		rc = ask_page(read);
	if (rc < 0 || !more)
		finish(read, rc == -ERANGE ? -EIO : rc);
}

struct etcd_read *etcd_read(
	struct etcd *etcd, const char *key, bool is_prefix, kv_read_fn *fn, void *arg)
{
	struct etcd_read *read = calloc(1, sizeof(*read));

	if (!read)
		return NULL;
	read->etcd = etcd;
	read->is_prefix = is_prefix;
	read->page_keys = PAGE_KEYS_MIN;
	read->fn = fn;
	read->arg = arg;
	snprintf(read->key, sizeof(read->key), "%s", key);
	TAILQ_INSERT_TAIL(&etcd->reads, read, entry);
	if (ask_page(read) == 0)
		return read;
	etcd_read_cancel(read);
	return NULL;
}
