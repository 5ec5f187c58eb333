// SPDX-License-Identifier: BSD-3-Clause
// The main thread's side of heartbeats.
#include "vxlan/liveness.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/loop.h"
#include "base/utc.h"
#include "base/util.h"

#define ASKS_A_CALL  256
#define REASON_BYTES 96

int liveness_init(struct liveness *liveness)
{
	ssize_t bytes = rte_ring_get_memsize_elem(sizeof(struct liveness_heard), LIVENESS_RING);
	struct rte_ring *ring =
		aligned_alloc(RTE_CACHE_LINE_SIZE, RTE_ALIGN_CEIL(bytes, RTE_CACHE_LINE_SIZE));

	if (!ring)
		return -ENOMEM;
	if (getrandom(&liveness->mac, sizeof(liveness->mac), 0) != sizeof(liveness->mac) ||
		rte_ring_init(ring, "heartbeats", LIVENESS_RING, RING_F_SC_DEQ) < 0) {
		free(ring);
		return -EIO;
	}
	liveness->mac.byte[0] = (liveness->mac.byte[0] & 0xfc) | 2; // individual, local
	liveness->heard = ring;
	return 0;
}

void liveness_fini(struct liveness *liveness)
{
	free(liveness->heard);
}

// ---- sending ----

static int send_msg(struct vtep *vtep, uint16_t remote, uint32_t vni, uint32_t bytes,
	const struct heartbeat_msg *msg)
{
	bool big = bytes + RTE_PKTMBUF_HEADROOM > rte_pktmbuf_data_room_size(vtep->env.pool);
	struct rte_mbuf *m = rte_pktmbuf_alloc(big ? vtep->env.big_pool : vtep->env.pool);
	uint8_t *frame;

	if (!m)
		return -ENOBUFS;
	bytes = MAX_OF(MIN_OF(bytes, rte_pktmbuf_tailroom(m)), HEARTBEAT_FRAME_BYTES);
	frame = (uint8_t *)rte_pktmbuf_append(m, bytes);
	memset(frame, 0, bytes);
	heartbeat_write(frame, &vtep->liveness.mac, msg);
	// Of several paths, each takes another one: a loss on one of them is seen.
	return vtep->underlay->send(vtep, remote, vni, m, msg->seq);
}

static void tell(
	struct vtep *vtep, const struct vtep_remote *remote, const char *event, const char *reason)
{
	char ip[IP_TEXT_BYTES];
	json_t *data;

	if (!vtep->env.event)
		return;
	data = json_pack("{s:s, s:s, s:s}", "vtep", vtep->conf.name, "remote",
		ip_format(&remote->ip, ip), "reason", reason);
	vtep->env.event(vtep->env.event_arg, event, data);
	json_decref(data);
}

static void tell_down(struct vtep *vtep, const struct vtep_remote *remote, uint32_t bytes)
{
	char reason[REASON_BYTES];

	if (remote->failed)
		snprintf(reason, sizeof(reason), "heartbeats cannot be sent: %s",
			strerror(-remote->failed));
	else
		snprintf(reason, sizeof(reason), "%d heartbeats of %u bytes were not answered",
			HEARTBEAT_MISSES, bytes);
	tell(vtep, remote, "remote.down", reason);
}

static void tell_mtu(struct vtep *vtep, const struct vtep_remote *remote, uint16_t before)
{
	uint16_t size = path_size(&remote->path, vtep->limit);
	char reason[REASON_BYTES];

	if (size < before)
		snprintf(reason, sizeof(reason),
			"heartbeats of more than %u bytes are not answered",
			size + VXLAN_FRAME_MIN);
	else
		snprintf(reason, sizeof(reason), "heartbeats of %u bytes are answered",
			size + VXLAN_FRAME_MIN);
	tell(vtep, remote, "remote.mtu", reason);
}

// Asks what the path carries, when there is reason to.
static void ask_path(struct vtep *vtep, uint16_t number, uint64_t now_us)
{
	struct vtep_remote *remote = &vtep->remote[number];
	uint16_t before = path_size(&remote->path, vtep->limit);
	struct path_request request[PATH_ASKS];
	unsigned n = path_step(&remote->path, now_us, vtep->limit, remote->heartbeat, request);

	for (unsigned i = 0; i < n; i++)
		send_msg(vtep, number, remote->vni, request[i].size + VXLAN_FRAME_MIN,
			&request[i].msg);
	if (path_size(&remote->path, vtep->limit) != before)
		tell_mtu(vtep, remote, before);
}

// Cookies are not to be guessed.
static int begin(struct vtep_remote *remote)
{
	uint64_t secret[2];

	if (remote->heartbeat)
		return 0;
	if (getrandom(secret, sizeof(secret), 0) != sizeof(secret))
		return -EIO;
	remote->heartbeat = calloc(1, sizeof(*remote->heartbeat));
	if (!remote->heartbeat)
		return -ENOMEM;
	remote->heartbeat->secret = secret[0];
	remote->path.secret = secret[1];
	return 0;
}

static void ask(struct vtep *vtep, uint16_t number, uint64_t now_us)
{
	struct vtep_remote *remote = &vtep->remote[number];
	uint32_t bytes = path_size(&remote->path, vtep->limit) + VXLAN_FRAME_MIN;
	struct heartbeat_msg request;

	if (begin(remote) < 0 || remote->vni == VTEP_NO_VNI)
		return;
	if (heartbeat_ask(remote->heartbeat, now_us, bytes, &request))
		tell_down(vtep, remote, bytes);
	remote->failed = send_msg(vtep, number, remote->vni, bytes, &request);
	ask_path(vtep, number, now_us);
}

static void ask_next(struct vtep *vtep, uint64_t now_us)
{
	uint16_t *number = &vtep->liveness.remote;

	do {
		*number = (*number + 1u) % vtep->remote_room;
	} while (!vtep->remote[*number].ip.family);
	ask(vtep, *number, now_us);
}

uint32_t vtep_heartbeat(struct vtep *vtep, uint64_t now_us)
{
	uint64_t interval_us = vtep->conf.heartbeat_ms * 1000ull, *due_us = &vtep->liveness.due_us;
	uint64_t step_us;

	if (!interval_us)
		return 0;
	if (!vtep->nb_remotes)
		return interval_us;
	// One after the other, so that thousands are not asked all at once.
	step_us = MAX_OF(interval_us / vtep->nb_remotes, 1);
	if (*due_us + interval_us < now_us)
		*due_us = now_us;
	for (unsigned i = 0; i < ASKS_A_CALL && *due_us <= now_us; i++) {
		ask_next(vtep, now_us);
		*due_us += step_us;
	}
	return MAX_OF(*due_us, now_us + 1) - now_us;
}

// ---- receiving ----

static void hear_reply(struct vtep *vtep, struct vtep_remote *remote,
	const struct liveness_heard *heard, uint64_t now_us)
{
	uint16_t size = MIN_OF(heard->bytes, UINT16_MAX) - VXLAN_FRAME_MIN;

	if (!remote->heartbeat)
		return;
	if (!heartbeat_answered(remote->heartbeat, now_us, &heard->msg, heard->bytes) &&
		!path_answered(&remote->path, &heard->msg, size))
		return;
	if (heartbeat_alive(remote->heartbeat, now_us))
		tell(vtep, remote, "remote.up", "a heartbeat was answered");
}

static void hear(struct vtep *vtep, const struct liveness_heard *heard, uint64_t now_us)
{
	struct vtep_remote *remote = &vtep->remote[heard->remote];
	struct heartbeat_msg reply = heard->msg;

	if (heard->msg.is_reply) {
		hear_reply(vtep, remote, heard, now_us);
		return;
	}
	reply.is_reply = true;
	if (heartbeat_may_answer(&remote->answer_due_us, now_us))
		send_msg(vtep, heard->remote, heard->vni, heard->bytes, &reply);
}

void vtep_hear(struct vtep *vtep, uint64_t now_us)
{
	struct liveness_heard heard;

	if (!atomic_exchange_explicit(&vtep->dp.calls_main, false, memory_order_acquire))
		return;
	for (unsigned i = 0; i < LIVENESS_RING; i++) {
		if (rte_ring_sc_dequeue_elem(vtep->liveness.heard, &heard, sizeof(heard)) < 0)
			return;
		if (vtep_is_remote(vtep, heard.remote))
			hear(vtep, &heard, now_us);
	}
}

// ---- telling ----

void liveness_describe(const struct vtep *vtep, const struct vtep_remote *remote, json_t *obj)
{
	static const char *const names[] = {"unknown", "up", "down"};
	static const struct heartbeat none;
	const struct heartbeat *h = remote->heartbeat ? remote->heartbeat : &none;
	struct heartbeat_stats s;
	char since[UTC_TEXT_BYTES];
	uint32_t settled;

	if (!vtep->conf.heartbeat_ms)
		return;
	heartbeat_stats(h, &s);
	settled = s.answered + s.lost;
	json_object_set_new(obj, "state", json_string(names[h->state]));
	if (h->since_us)
		json_object_set_new(
			obj, "since", json_string(utc_of_monotonic(h->since_us, since)));
	json_object_set_new(obj, "sent", json_integer(h->sent));
	json_object_set_new(obj, "received", json_integer(h->received));
	if (settled)
		json_object_set_new(
			obj, "loss_percent", json_integer((s.lost * 100 + settled / 2) / settled));
	if (s.answered)
		json_object_set_new(obj, "round_trip_us",
			json_pack("{s:I, s:I, s:I}", "min", (json_int_t)s.min_us, "avg",
				(json_int_t)s.avg_us, "max", (json_int_t)s.max_us));
}

void vtep_count(const struct vtep *vtep, struct vtep_count *ret_count)
{
	struct vtep_count count = {.remotes = vtep->nb_remotes};

	for (uint32_t r = 1; r < vtep->remote_room; r++) {
		const struct heartbeat *h = vtep->remote[r].heartbeat;

		count.up += h && h->state == HEARTBEAT_UP;
		count.down += h && h->state == HEARTBEAT_DOWN;
	}
	*ret_count = count;
}
