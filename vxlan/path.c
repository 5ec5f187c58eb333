// SPDX-License-Identifier: BSD-3-Clause
#include "vxlan/path.h"

#include "base/util.h"

#define TRIES	  2 // with each rung
#define ALIVE_MIN 2 // small ones answered, while large ones were not

uint16_t path_size(const struct path *path, uint16_t limit)
{
	return path->size && path->size < limit ? path->size : limit;
}

static void ask(struct path *p, uint16_t size, struct path_request *ret_request)
{
	*ret_request = (struct path_request){
		.msg = {.seq = p->asked, .cookie = heartbeat_cookie(p->secret, p->asked)},
		.size = size};
	p->answered &= ~(1u << p->asked % PATH_WINDOW);
	p->bytes[p->asked++ % PATH_WINDOW] = size;
}

// Those of the ladder that were not answered yet.
static unsigned ask_rungs(
	struct path *p, uint64_t now_us, struct path_request ret_request[PATH_RUNGS])
{
	unsigned count = 0;

	for (unsigned i = 0; i < PATH_RUNGS; i++) {
		if (p->rung[i] > p->low && (!i || p->rung[i] != p->rung[i - 1]))
			ask(p, p->rung[i], &ret_request[count++]);
	}
	p->tries++;
	p->due_us = now_us + PATH_ROUND_US;
	return count;
}

static void make_rungs(struct path *p)
{
	for (unsigned i = 0; i < PATH_RUNGS; i++)
		p->rung[i] = p->low + (p->high - 1 - p->low) * (i + 1) / PATH_RUNGS;
	p->tries = 0;
}

static void begin(struct path *p, bool down, uint16_t low, uint16_t high)
{
	p->down = down;
	p->low = low;
	p->high = high;
	make_rungs(p);
}

static void end(struct path *p, uint16_t limit)
{
	p->high = 0;
	p->alive = 0;
	// Nothing was answered: that says nothing of sizes.
	if (p->low > PATH_SIZE_MIN)
		p->size = p->low < limit ? p->low : 0;
	p->rest = MIN_OF(MAX_OF(p->rest * 2, PATH_REST_MIN), PATH_REST_MAX);
	p->wait = p->rest;
	p->calm = 0;
}

// Moves the upper end down to the first rung that nobody has answered.
static void narrow(struct path *p)
{
	for (unsigned i = 0; i < PATH_RUNGS; i++) {
		if (p->rung[i] > p->low) {
			p->high = p->rung[i];
			return;
		}
	}
}

static unsigned search(struct path *p, uint64_t now_us, uint16_t limit,
	struct path_request ret_request[PATH_RUNGS])
{
	if (now_us < p->due_us)
		return 0;
	if (p->tries < TRIES && p->low + 1 < p->high)
		return ask_rungs(p, now_us, ret_request);
	narrow(p);
	if (p->low + 1 >= p->high) {
		end(p, limit);
		return 0;
	}
	make_rungs(p);
	return ask_rungs(p, now_us, ret_request);
}

// Until a large one is answered after all, or none at all: then it is not the size.
static unsigned search_down(struct path *p, uint64_t now_us, uint16_t limit,
	const struct heartbeat *h, struct path_request ret_request[PATH_ASKS])
{
	if (h->unanswered <= 1 || h->state == HEARTBEAT_DOWN) {
		p->high = 0;
		p->alive = 0;
		return 0;
	}
	ask(p, PATH_SIZE_MIN, ret_request);
	return 1 + search(p, now_us, limit, ret_request + 1);
}

// Large ones are answered.
static unsigned look_for_more(struct path *p, uint64_t now_us, uint16_t limit,
	struct path_request ret_request[PATH_RUNGS])
{
	p->alive = 0;
	if (!p->size || p->size >= limit) {
		p->size = 0;
		if (p->calm++ == PATH_REST_MAX)
			p->rest = 0;
		return 0;
	}
	if (p->wait) {
		p->wait--;
		return 0;
	}
	begin(p, false, p->size, limit + 1);
	return ask_rungs(p, now_us, ret_request);
}

unsigned path_step(struct path *path, uint64_t now_us, uint16_t limit, const struct heartbeat *h,
	struct path_request ret_request[PATH_ASKS])
{
	uint32_t before = h->unanswered ? h->unanswered - 1 : 0; // this one is on its way

	if (path->high)
		return path->down ? search_down(path, now_us, limit, h, ret_request)
				  : search(path, now_us, limit, ret_request);
	if (!before)
		return look_for_more(path, now_us, limit, ret_request);
	if (before >= HEARTBEAT_MISSES && path->alive >= ALIVE_MIN &&
		path_size(path, limit) > PATH_SIZE_MIN + 1) {
		begin(path, true, PATH_SIZE_MIN, path_size(path, limit));
		return ask_rungs(path, now_us, ret_request);
	}
	if (h->state == HEARTBEAT_UNKNOWN && before % PATH_UNKNOWN)
		return 0;
	ask(path, PATH_SIZE_MIN, ret_request);
	return 1;
}

bool path_answered(struct path *path, const struct heartbeat_msg *reply, uint16_t size)
{
	uint32_t before = path->asked - 1 - reply->seq, bit = 1u << reply->seq % PATH_WINDOW;
	uint16_t asked = path->bytes[reply->seq % PATH_WINDOW];

	if (before >= MIN_OF(path->asked, PATH_WINDOW) || path->answered & bit || size < asked ||
		reply->cookie != heartbeat_cookie(path->secret, reply->seq))
		return false;
	path->answered |= bit;
	if (asked == PATH_SIZE_MIN)
		path->alive++;
	if (path->high)
		path->low = MAX_OF(path->low, asked);
	return true;
}
