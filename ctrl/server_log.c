// SPDX-License-Identifier: BSD-3-Clause
// The log of changes: who asked for what, a line for each.
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "ctrl/server_priv.h"

#define ITEMS_MAX  4 // of a list; of a longer one the number is told
#define WHAT_BYTES 400

// The command of a process, without what a terminal would take for more than letters: others choose
// it.
static void name_process(long pid, char *buf, size_t len_bytes)
{
	char path[48];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/comm", pid);
	f = fopen(path, "re");
	if (!f || !fgets(buf, len_bytes, f))
		snprintf(buf, len_bytes, "process");
	if (f)
		fclose(f);
	buf[strcspn(buf, "\n")] = '\0';
	for (char *c = buf; *c; c++) {
		if (!isgraph((unsigned char)*c))
			*c = '?';
	}
}

void ctrl_log_peer(struct ctrl_call *call, zmq_msg_t *body)
{
	const char *address = zmq_msg_gets(body, "Peer-Address");
	const char *key = zmq_msg_gets(body, "User-Id");
	long uid, gid, pid;
	char command[32];

	// ZeroMQ has the credentials of a local peer in this form.
	if (call->listener == &call->listener->server->requests[LISTENER_LOCAL] && address &&
		sscanf(address, "%*[^:]:%ld:%ld:%ld", &uid, &gid, &pid) == 3) {
		name_process(pid, command, sizeof(command));
		snprintf(call->uid, sizeof(call->uid), "%ld", uid);
		snprintf(call->pid, sizeof(call->pid), "%ld", pid);
		snprintf(call->who, sizeof(call->who), "uid %ld, %s[%ld]", uid, command, pid);
		return;
	}
	if (address && !strncmp(address, "::ffff:", 7)) // the sockets are of IPv6
		address += 7;
	snprintf(call->who, sizeof(call->who), "%.48s%s%.40s", address ? address : "somebody",
		key && *key ? ", key " : "", key ? key : "");
}

static void add_value(struct text *out, const json_t *value);

static void add_members(struct text *out, const json_t *obj)
{
	const char *key, *joint = "";
	json_t *value;

	json_object_foreach ((json_t *)obj, key, value) {
		text_addf(out, "%s%.64s=", joint, key);
		add_value(out, value);
		joint = " ";
	}
}

static void add_list(struct text *out, const json_t *list)
{
	const char *joint = "";
	json_t *value;
	size_t i;

	if (json_array_size(list) > ITEMS_MAX) {
		text_addf(out, "[%zu items]", json_array_size(list));
		return;
	}
	text_addf(out, "[");
	json_array_foreach (list, i, value) {
		text_addf(out, "%s", joint);
		add_value(out, value);
		joint = ", ";
	}
	text_addf(out, "]");
}

static bool is_plain(const char *text)
{
	for (; *text; text++) {
		if (!isgraph((unsigned char)*text) || *text == '"')
			return false;
	}
	return true;
}

static void add_value(struct text *out, const json_t *value)
{
	const char *string = json_string_value(value);
	char *dump;

	if (json_is_object(value)) {
		text_addf(out, "{");
		add_members(out, value);
		text_addf(out, "}");
	} else if (json_is_array(value)) {
		add_list(out, value);
	} else if (string && *string && is_plain(string)) {
		text_addf(out, "%s", string);
	} else {
		dump = json_dumps(value, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
		text_addf(out, "%s", dump ? dump : "?");
		free(dump);
	}
}

void ctrl_log_change(const struct ctrl_call *call, const struct err *err)
{
	const struct ctrl_method *method = &call->listener->server->opts.methods[call->method];
	enum log_level level = err ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO;
	const struct log_field fields[] = {{"CAUSEWAY_METHOD", method->name},
		{"CAUSEWAY_PEER", call->who},
		{"CAUSEWAY_PEER_UID", call->uid[0] ? call->uid : NULL},
		{"CAUSEWAY_PEER_PID", call->pid[0] ? call->pid : NULL}, {}};
	char what[WHAT_BYTES] = "";
	struct text out = text_over(what, sizeof(what));

	if (!method->is_write || level > log_get_level())
		return;
	add_members(&out, call->req.params);
	if (out.cut)
		strcpy(what + sizeof(what) - 4, "...");
	if (err)
		log_write_fields(level, fields, "%s by %s refused: %s: %.400s", method->name,
			call->who, what, err->reason);
	else
		log_write_fields(level, fields, "%s by %s: %s", method->name, call->who, what);
}
