// SPDX-License-Identifier: BSD-3-Clause
// Lists and watches: the nodes below a folder as they were read last. A watch keeps the tree, and
// reads again what ZooKeeper says has changed; its watches fire once, and reading arms them anew. A
// list reads the tree once. The
// root is the folder itself.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "kv/zookeeper_priv.h"

#define CALLS_MAX 256 // under way at once, of one tree

struct tree_node {
	UT_hash_handle hh; // in `children` of the parent
	struct tree_node *parent, *children;
	STAILQ_ENTRY(tree_node) entry;
	bool queued, busy, again; // to be read; being read; changed since
	bool told;
	uint64_t mzxid;
	unsigned nb_read, seen; // as a folder; in which reading of the parent
	char name[];
};

struct zk_tree {
	struct kv_watch base;
	LIST_ENTRY(zk_tree) entry;
	char *prefix; // "" or "a/b/"
	char path[ZK_PATH_MAX_BYTES];
	struct tree_node *root;
	STAILQ_HEAD(, tree_node) queue;
	unsigned pending, busy; // calls under way; those of this session
	unsigned depth;		// > 0: it is being told
	uint64_t session;
	bool dead, news;

	struct zk_op *list; // that it is for; NULL: a watch
	kv_watch_fn *fn;
	void *arg;
};

struct list {
	struct zk_op base;
	struct zk_tree *tree; // NULL: to be started
	char *prefix;
	kv_read_fn *fn;
	void *arg;
	struct kv_pair *pairs; // keys and values are owned
	size_t count, capacity;
};

static void pump(struct zk_tree *tree);

// ---- nodes ----

static bool is_key(const struct tree_node *node)
{
	return node->name[0] == '=';
}

static struct tree_node *add_node(struct tree_node *parent, const char *name)
{
	struct tree_node *node = calloc(1, sizeof(*node) + strlen(name) + 1);

	if (!node)
		abort();
	strcpy(node->name, name);
	node->parent = parent;
	if (parent)
		HASH_ADD_STR(parent->children, name, node);
	return node;
}

static void queue_node(struct zk_tree *tree, struct tree_node *node)
{
	if (node->busy) {
		node->again = true;
	} else if (!node->queued) {
		node->queued = true;
		STAILQ_INSERT_TAIL(&tree->queue, node, entry);
	}
}

static void append_path(const struct tree_node *node, const char *top, char *path, bool as_key)
{
	if (!node->parent) {
		strcpy(path, top);
		return;
	}
	append_path(node->parent, top, path, as_key);
	if (path[0] != '\0' && path[strlen(path) - 1] != '/')
		strcat(path, "/");
	strcat(path, node->name + (as_key && is_key(node) ? 1 : 0));
}

// By its path; NULL when it is not (any more) in the tree.
static struct tree_node *find_node(const struct zk_tree *tree, const char *path)
{
	size_t len = strcmp(tree->path, "/") == 0 ? 0 : strlen(tree->path);
	struct tree_node *node = tree->root, *child;

	if (strncmp(path, tree->path, len) != 0 || (path[len] != '/' && path[len] != '\0'))
		return NULL;
	for (path += len; node && path[0] == '/' && path[1] != '\0';) {
		char name[ZK_PATH_MAX_BYTES];
		size_t size = strcspn(path + 1, "/");

		if (size >= sizeof(name))
			return NULL;
		memcpy(name, path + 1, size);
		name[size] = '\0';
		path += 1 + size;
		HASH_FIND_STR(node->children, name, child);
		node = child;
	}
	return node;
}

// ---- telling ----

static void keep_pair(struct list *list, const struct kv_pair *pair)
{
	struct kv_pair *copy;
	char *value;

	if (list->count == list->capacity) {
		list->capacity = list->capacity ? 2 * list->capacity : 16;
		list->pairs = realloc(list->pairs, list->capacity * sizeof(*list->pairs));
		if (!list->pairs)
			abort();
	}
	copy = &list->pairs[list->count++];
	*copy = *pair;
	copy->key = strdup(pair->key);
	value = malloc(pair->len_bytes + 1);
	if (!value)
		abort();
	copy->value = memcpy(value, pair->value, pair->len_bytes + 1);
}

static void tell(struct zk_tree *tree, enum kv_event_kind kind, const struct kv_pair *pair)
{
	struct zk_kv *self = (struct zk_kv *)tree->base.kv;
	struct kv_event event = {.kind = kind, .revision = self->revision};

	if (tree->dead)
		return;
	if (pair) {
		event.pair = *pair;
		event.revision = pair->revision;
	}
	if (!tree->list)
		tree->fn(tree->arg, &event);
	else if (kind == KV_EVENT_SET)
		keep_pair((struct list *)tree->list, pair);
}

static void tell_key(struct zk_tree *tree, const struct tree_node *node, const struct zk_call *call)
{
	struct zk_kv *self = (struct zk_kv *)tree->base.kv;
	struct kv_pair pair = {.value = "", .revision = self->revision};
	char key[ZK_PATH_MAX_BYTES];

	append_path(node, tree->prefix, key, true);
	pair.key = key;
	tree->news = true;
	if (!call) {
		tell(tree, KV_EVENT_DELETE, &pair);
		return;
	}
	pair.value = call->value;
	pair.len_bytes = call->len_bytes;
	pair.revision = node->mzxid;
	tell(tree, KV_EVENT_SET, &pair);
}

// With all below it.
static void remove_node(struct zk_tree *tree, struct tree_node *node, bool tells)
{
	struct tree_node *child, *next;

	HASH_ITER(hh, node->children, child, next)
	remove_node(tree, child, tells);
	if (node->told && tells)
		tell_key(tree, node, NULL);
	if (node->queued)
		STAILQ_REMOVE(&tree->queue, node, tree_node, entry);
	if (node->parent)
		HASH_DEL(node->parent->children, node);
	free(node);
}

// ---- answers ----

// Now, or when the last call is back.
static void free_tree(struct zk_tree *tree)
{
	tree->dead = true;
	if (tree->pending > 0 || tree->depth > 0)
		return;
	if (tree->root)
		remove_node(tree, tree->root, false);
	free(tree->prefix);
	free(tree);
}

static void have_key(struct zk_tree *tree, struct tree_node *node, const struct zk_call *call)
{
	if (node->told && node->mzxid == (uint64_t)call->stat.mzxid)
		return;
	node->mzxid = call->stat.mzxid;
	node->told = true;
	tell_key(tree, node, call);
}

static void have_names(struct zk_tree *tree, struct tree_node *node, const struct zk_call *call)
{
	struct tree_node *child, *next;

	node->nb_read++;
	for (unsigned i = 0; i < call->nb_names; i++) {
		HASH_FIND_STR(node->children, call->names[i], child);
		if (!child) {
			child = add_node(node, call->names[i]);
			queue_node(tree, child);
		}
		child->seen = node->nb_read;
	}
	HASH_ITER(hh, node->children, child, next)
	{
		if (child->seen != node->nb_read)
			remove_node(tree, child, true);
	}
}

static void on_made(struct zk_call *call);

// The folder itself is not there: a watch makes it, to have something to watch.
static void have_nothing(struct zk_tree *tree)
{
	struct zk_kv *self = (struct zk_kv *)tree->base.kv;
	struct tree_node *child, *next;
	char path[ZK_PATH_MAX_BYTES + 2];
	unsigned made;

	HASH_ITER(hh, tree->root->children, child, next)
	remove_node(tree, child, true);
	if (tree->list)
		return;
	snprintf(path, sizeof(path), "%s/", tree->path);
	made = zk_make_parents(self->session, path, on_made, tree);
	tree->pending += made;
	tree->busy += made;
}

// What was asked for in vain is asked for again, later.
static void have_failed(struct zk_tree *tree, struct tree_node *node, int rc)
{
	struct zk_kv *self = (struct zk_kv *)tree->base.kv;

	if (tree->list && zk_is_lost(rc))
		zk_op_wait(tree->list);
	else if (tree->list)
		zk_op_answer(tree->list, zk_rc(rc));
	if (tree->dead)
		return;
	if (!zk_is_lost(rc))
		kv_set_state(&self->kv, self->kv.up, zerror(rc));
	queue_node(tree, node);
	zk_tick_within(self, ZK_SOON_US);
}

static void have(struct zk_tree *tree, struct tree_node *node, const struct zk_call *call)
{
	node->busy = false;
	if (call->rc == ZOK) {
		zk_note_revision((struct zk_kv *)tree->base.kv, &call->stat);
		if (is_key(node))
			have_key(tree, node, call);
		else
			have_names(tree, node, call);
	} else if (call->rc == ZNONODE && node == tree->root) {
		have_nothing(tree);
	} else if (call->rc == ZNONODE) {
		remove_node(tree, node, true);
		return;
	} else {
		have_failed(tree, node, call->rc);
		return;
	}
	if (node->again)
		queue_node(tree, node);
	node->again = false;
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct kv_pair *)a)->key, ((const struct kv_pair *)b)->key);
}

static void tell_end(struct zk_tree *tree)
{
	if (tree->busy > 0 || !STAILQ_EMPTY(&tree->queue) || tree->dead)
		return;
	if (tree->list) {
		zk_op_answer(tree->list, 0);
	} else if (tree->news) {
		tree->news = false;
		tell(tree, KV_EVENT_SYNCED, NULL);
	}
}

static bool returned(struct zk_tree *tree, const struct zk_call *call)
{
	bool current = call->session == tree->session;

	tree->pending--;
	if (current)
		tree->busy--;
	if (!tree->dead && current)
		return true;
	if (tree->dead)
		free_tree(tree);
	return false;
}

static void go_on(struct zk_tree *tree, bool asks)
{
	if (asks && !tree->dead)
		pump(tree);
	tell_end(tree);
	tree->depth--;
	if (tree->dead)
		free_tree(tree);
}

static void on_node(struct zk_call *call)
{
	struct zk_tree *tree = call->arg;
	struct tree_node *node;

	if (!returned(tree, call))
		return;
	tree->depth++;
	node = find_node(tree, call->path);
	if (node && node->busy)
		have(tree, node, call);
	go_on(tree, !zk_is_lost(call->rc));
}

static void on_made(struct zk_call *call)
{
	struct zk_tree *tree = call->arg;

	if (!returned(tree, call))
		return;
	tree->depth++;
	queue_node(tree, tree->root);
	if (call->rc != ZOK && call->rc != ZNODEEXISTS)
		have_failed(tree, tree->root, call->rc);
	go_on(tree, tree->busy == 0 && (call->rc == ZOK || call->rc == ZNODEEXISTS));
}

static void on_synced(struct zk_call *call)
{
	struct zk_tree *tree = call->arg;

	returned(tree, call);
}

// ---- asking ----

static struct zk_call *call_of(
	struct zk_tree *tree, void (*done)(struct zk_call *), const char *path)
{
	tree->pending++;
	tree->busy++;
	return zk_call_new(done, tree, path);
}

static void pump(struct zk_tree *tree)
{
	struct zk_kv *self = (struct zk_kv *)tree->base.kv;
	struct tree_node *node;

	while (self->connected && tree->busy < CALLS_MAX && (node = STAILQ_FIRST(&tree->queue))) {
		char path[ZK_PATH_MAX_BYTES];
		struct zk_call *call;

		STAILQ_REMOVE_HEAD(&tree->queue, entry);
		node->queued = false;
		node->busy = true;
		append_path(node, tree->path, path, false);
		call = call_of(tree, on_node, path);
		if (is_key(node))
			zk_get(self->session, call, !tree->list);
		else
			zk_children(self->session, call, !tree->list);
	}
}

// All from the beginning, in the session that there is.
static void begin(struct zk_tree *tree)
{
	struct zk_kv *self = (struct zk_kv *)tree->base.kv;

	if (tree->root)
		remove_node(tree, tree->root, false);
	tree->root = add_node(NULL, "");
	tree->session = zk_session_number(self->session);
	tree->busy = 0;
	tree->news = true;
	tree->depth++;
	tell(tree, KV_EVENT_BEGIN, NULL);
	if (!tree->dead) {
		zk_sync(self->session, call_of(tree, on_synced, "/"));
		queue_node(tree, tree->root);
	}
	go_on(tree, true);
}

static struct zk_tree *new_tree(struct zk_kv *self, const char *prefix)
{
	struct zk_tree *tree = calloc(1, sizeof(*tree));

	if (!tree)
		abort();
	tree->base.kv = &self->kv;
	tree->prefix = strdup(prefix);
	zk_folder_path(self, prefix, tree->path);
	STAILQ_INIT(&tree->queue);
	return tree;
}

// ---- lists ----

static void free_pairs(struct list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free((char *)list->pairs[i].key);
		free((char *)list->pairs[i].value);
	}
	free(list->pairs);
	list->pairs = NULL;
	list->count = list->capacity = 0;
}

static void start_list(struct zk_op *op)
{
	struct list *list = (struct list *)op;

	if (list->tree)
		free_tree(list->tree);
	free_pairs(list);
	list->tree = new_tree(op->self, list->prefix);
	list->tree->list = op;
	begin(list->tree);
}

static void answer_list(struct zk_op *op, int rc)
{
	struct list *list = (struct list *)op;

	if (rc == 0 && list->count > 0)
		qsort(list->pairs, list->count, sizeof(*list->pairs), by_key);
	list->fn(list->arg, rc, list->pairs, rc < 0 ? 0 : list->count, op->self->revision);
}

static void free_list(struct zk_op *op)
{
	struct list *list = (struct list *)op;

	if (list->tree)
		free_tree(list->tree);
	free_pairs(list);
	free(list->prefix);
	free(list);
}

void zk_read_folder(struct zk_kv *self, const char *prefix, kv_read_fn *fn, void *arg)
{
	struct list *list = calloc(1, sizeof(*list));

	if (!list)
		abort();
	list->base.start = start_list;
	list->base.answer = answer_list;
	list->base.free = free_list;
	list->prefix = strdup(prefix);
	list->fn = fn;
	list->arg = arg;
	zk_op_begin(self, &list->base);
}

// ---- watches ----

struct kv_watch *zk_watch(
	struct kv *kv, const char *prefix, uint64_t from_revision, kv_watch_fn *fn, void *arg)
{
	struct zk_kv *self = (struct zk_kv *)kv;
	struct zk_tree *tree = new_tree(self, prefix);

	tree->fn = fn;
	tree->arg = arg;
	LIST_INSERT_HEAD(&self->trees, tree, entry);
	zk_tick_within(self, 0); // which begins it
	return &tree->base;
}

void zk_unwatch(struct kv_watch *watch)
{
	struct zk_tree *tree = (struct zk_tree *)watch;

	LIST_REMOVE(tree, entry);
	free_tree(tree);
}

void zk_trees_changed(struct zk_kv *self, const char *path)
{
	struct zk_tree *tree, *next;
	struct tree_node *node;

	for (tree = LIST_FIRST(&self->trees); tree; tree = next) {
		next = LIST_NEXT(tree, entry);
		node = tree->root ? find_node(tree, path) : NULL;
		if (!node)
			continue;
		queue_node(tree, node);
		pump(tree);
	}
}

void zk_trees_connected(struct zk_kv *self)
{
	struct zk_tree *tree;
	bool again = true;

	while (again) { // what is told may end others
		again = false;
		LIST_FOREACH (tree, &self->trees, entry) {
			again = tree->session != zk_session_number(self->session);
			if (again) {
				begin(tree);
				break;
			}
			pump(tree);
		}
	}
}

static size_t paths_bytes(const struct tree_node *node, size_t parent_bytes)
{
	size_t path_bytes = parent_bytes + 1 + strlen(node->name);
	size_t bytes = path_bytes + 4; // with its length on the wire
	struct tree_node *child, *next;

	HASH_ITER(hh, node->children, child, next)
	bytes += paths_bytes(child, path_bytes);
	return bytes;
}

size_t zk_trees_bytes(struct zk_kv *self)
{
	struct zk_tree *tree;
	size_t bytes = 0;

	LIST_FOREACH (tree, &self->trees, entry) {
		if (tree->root)
			bytes += paths_bytes(tree->root, strlen(tree->path));
	}
	return bytes;
}

void zk_trees_free(struct zk_kv *self)
{
	struct zk_tree *tree;

	while ((tree = LIST_FIRST(&self->trees))) {
		tree->pending = 0; // the calls are freed with the inbox
		zk_unwatch(&tree->base);
	}
}
