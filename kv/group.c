// SPDX-License-Identifier: BSD-3-Clause
// Groups of keys: when a copy of them is whole. Nothing here knows a store.
#include <string.h>

#include "kv/kv.h"

void kv_group_told(struct kv_group *group, const struct kv_event *event)
{
	switch (event->kind) {
	case KV_EVENT_BEGIN:
		group->head_revision = 0;
		group->is_told = false;
		break;
	case KV_EVENT_SET:
	case KV_EVENT_DELETE:
		if (!strcmp(event->pair.key, group->head))
			group->head_revision =
				event->kind == KV_EVENT_SET ? event->pair.revision : 0;
		break;
	case KV_EVENT_SYNCED:
		group->revision = event->revision;
		group->is_told = true;
		break;
	}
}

bool kv_group_is_whole(const struct kv_group *group)
{
	return group->is_told && group->head_revision <= group->revision;
}

struct kv_op kv_group_swap(const struct kv_group *group, const char *value, size_t len_bytes)
{
	return (struct kv_op){.action = KV_PUT,
		.guard = group->head_revision ? KV_REVISION : KV_ABSENT,
		.key = group->head,
		.revision = group->head_revision,
		.value = value,
		.len_bytes = len_bytes};
}
