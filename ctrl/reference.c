// SPDX-License-Identifier: BSD-3-Clause
#include "ctrl/check.h"

static void print_params(FILE *out, const struct ctrl_param *params, unsigned depth)
{
	char allowed[256];

	for (; params->name; params++) {
		const struct ctrl_param *inner = params->item ? params->item : params;

		fprintf(out, "%*s- `%s`: %s%s. %s.\n", depth * 2, "", params->name,
			ctrl_param_allowed(params, allowed, sizeof(allowed)),
			params->required ? "; required"
			: params->one_of ? "; exactly one of these"
					 : "",
			params->help);
		if (inner->fields)
			print_params(out, inner->fields, depth + 1);
	}
}

static void print_envelope(FILE *out)
{
	fprintf(out,
		"Requests go to the ZeroMQ ROUTER socket `ipc://RUN_DIR/ctl.sock` (from a DEALER "
		"or REQ socket), one\nJSON object in each message:\n\n"
		"    {\"id\": 1, \"method\": \"port.add\", \"params\": {...}}\n\n"
		"and are answered with one of\n\n"
		"    {\"id\": 1, \"result\": {...}}\n"
		"    {\"id\": 1, \"error\": {\"code\": \"exists\", \"message\": \"port c1: ...\", "
		"\"data\": {\"object\": \"port c1\"}}}\n\n"
		"`id` is a string, an integer or null and comes back as it is. Methods that change "
		"something run one\nat a time, in the order in which they came, and are answered "
		"when the change took effect in every\nworker; methods that only read are answered "
		"at once, also while a change is on its way. The result\nof a change may have a "
		"member `warning`: a text for people, such as that the change is in effect\nbut "
		"could not be saved. A request may have %u bytes and %d objects and lists inside "
		"each other.\n\n"
		"Events are published on the ZeroMQ PUB socket `ipc://RUN_DIR/events.sock` in two "
		"frames: the name of\nthe event, and a JSON object with `time` (UTC), `seq` "
		"(counts "
		"up by one; a gap means that events\nwere lost) and `data`.\n\n",
		CTRL_MESSAGE_MAX_BYTES, CTRL_DEPTH_MAX);
}

void ctrl_reference_print(FILE *out, const char *title, const struct ctrl_method *methods,
	unsigned count, const struct ctrl_event *events)
{
	fprintf(out, "# %s\n\n", title);
	print_envelope(out);
	fprintf(out, "## Errors\n\n");
	for (unsigned i = 0; i < CTRL_NB_ERRORS; i++)
		fprintf(out, "- `%s`: %s.\n", ctrl_error_info[i].name, ctrl_error_info[i].help);
	fprintf(out, "\n## Events\n\n");
	for (; events->name; events++)
		fprintf(out, "- `%s`: %s. Data: %s.\n", events->name, events->help, events->data);
	fprintf(out, "\n## Methods\n");
	for (unsigned i = 0; i < count; i++) {
		fprintf(out, "\n### %s (%s)\n\n%s\n\n", methods[i].name,
			methods[i].is_write ? "changes" : "reads", methods[i].help);
		print_params(out, methods[i].params, 0);
		fprintf(out, "%sResult: %s.\n", methods[i].params->name ? "\n" : "",
			methods[i].result);
	}
}
