// SPDX-License-Identifier: BSD-3-Clause
#include "ctrl/method.h"

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

static void print_envelope(FILE *out, const struct ctrl_reference *ref)
{
	fprintf(out,
		"Requests go to the ZeroMQ ROUTER socket `ipc://%s/ctl.sock` (from a DEALER "
		"or REQ socket), one\nJSON object in each message:\n\n"
		"    {\"id\": 1, \"method\": \"%s\", \"params\": {...}}\n\n"
		"and are answered with one of\n\n"
		"    {\"id\": 1, \"result\": {...}}\n"
		"    {\"id\": 1, \"error\": {\"code\": \"exists\", \"message\": \"%s: ...\", "
		"\"data\": {\"object\": \"%s\"}}}\n\n"
		"`id` is a string, an integer or null and comes back as it is. %s A request may "
		"have "
		"%u bytes and %d objects and lists inside each other.\n\n"
		"Events are published on the ZeroMQ PUB socket `ipc://%s/events.sock` in two "
		"frames: the name of\nthe event, and a JSON object with `time` (UTC), `seq` "
		"(counts up by one; a gap means that events\nwere lost) and `data`.\n\n",
		ref->run_dir, ref->example_method, ref->example_object, ref->example_object,
		ref->changes, CTRL_MESSAGE_MAX_BYTES, CTRL_DEPTH_MAX, ref->run_dir);
}

void ctrl_reference_print(FILE *out, const struct ctrl_reference *ref)
{
	const struct ctrl_method *methods = ref->methods;

	fprintf(out, "# %s\n\n", ref->title);
	print_envelope(out, ref);
	fprintf(out, "## Errors\n\n");
	for (unsigned i = 0; i < CTRL_NB_ERRORS; i++)
		fprintf(out, "- `%s`: %s.\n", ctrl_error_info[i].name, ctrl_error_info[i].help);
	fprintf(out, "\n## Events\n\n");
	for (const struct ctrl_event *e = ref->events; e->name; e++)
		fprintf(out, "- `%s`: %s. Data: %s.\n", e->name, e->help, e->data);
	fprintf(out, "\n## Methods\n");
	for (unsigned i = 0; i < ref->count; i++) {
		fprintf(out, "\n### %s (%s)\n\n%s\n\n", methods[i].name,
			methods[i].is_write ? "changes" : "reads", methods[i].help);
		print_params(out, methods[i].params, 0);
		fprintf(out, "%sResult: %s.\n", methods[i].params->name ? "\n" : "",
			methods[i].result);
	}
}
