// SPDX-License-Identifier: BSD-3-Clause
#include "base/text.h"
#include "ctrl/method_priv.h"

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

// "a list of ports", as far as a type says it.
static void type_text(const struct ctrl_member *member, struct text *text)
{
	const struct ctrl_object *object = member->object;

	if (member->type == CTRL_OBJECT && object && object->name) {
		text_addf(text, "an object [%s](#object-%s)", object->name, object->name);
	} else if (member->type == CTRL_LIST && member->item) {
		text_addf(text, "a list, each ");
		type_text(member->item, text);
	} else if (member->type == CTRL_MAP && member->item) {
		text_addf(text, "an object of items by name, each ");
		type_text(member->item, text);
	} else {
		text_addf(text, "%s", ctrl_type_name(member->type));
	}
	if (member->nullable)
		text_addf(text, " or null");
}

static void print_members(FILE *out, const struct ctrl_member *members, unsigned depth)
{
	for (; members->name; members++) {
		const struct ctrl_member *inner = members->item ? members->item : members;
		char buf[256];
		struct text text = text_over(buf, sizeof(buf));

		type_text(members, &text);
		fprintf(out, "%*s- `%s`, %s%s%s: %s.\n", depth * 2, "", members->name, buf,
			members->when ? ", only " : "", members->when ? members->when : "",
			members->help);
		if (inner->object && !inner->object->name)
			print_members(out, inner->object->members, depth + 1);
	}
}

static void print_result(FILE *out, const struct ctrl_object *result)
{
	if (result->name)
		fprintf(out, "Result: an object [%s](#object-%s).\n", result->name, result->name);
	else if (!result->members->name)
		fprintf(out, "Result: an empty object.\n");
	else
		fprintf(out, "Result:\n\n");
	if (!result->name)
		print_members(out, result->members, 0);
}

static void print_objects(FILE *out, const struct ctrl_object *const *objects)
{
	fprintf(out, "\n## Objects\n");
	for (; *objects; objects++) {
		fprintf(out, "\n### Object %s\n\n%s.\n\n", (*objects)->name, (*objects)->help);
		print_members(out, (*objects)->members, 0);
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

static void print_counters(FILE *out, const struct counter_group *group)
{
	fprintf(out, "\n## Counters\n\nKinds and units of the counters in results. A counter only "
		     "grows, "
		     "until the daemon ends; a gauge goes\nup and down.\n");
	for (; group->name; group++) {
		fprintf(out, "\n### Counters of a %s (`%s`: `%s`)\n\n", group->name, group->method,
			group->path);
		for (const struct counter *c = group->counters; c->name; c++)
			fprintf(out, "- `%s`: %s, %s.\n", c->name, counter_kind_name(c->kind),
				c->unit);
	}
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
		if (methods[i].params->name)
			fputc('\n', out);
		print_result(out, methods[i].result);
	}
	print_objects(out, ref->objects);
	if (ref->counters)
		print_counters(out, ref->counters);
}
