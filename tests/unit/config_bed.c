// SPDX-License-Identifier: BSD-3-Clause
#include "tests/unit/config_bed.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"

json_t *json(const char *text)
{
	json_error_t error;
	json_t *obj = json_loads(text, JSON_ALLOW_NUL, &error);

	if (!obj)
		fail_msg("%s in %s", error.text, text);
	return obj;
}

int bind_port(struct conf_port *port, const char *text, struct err *err)
{
	json_t *obj = json(text);
	int rc;

	*err = (struct err){0};
	rc = conf_port_bind(obj, "port c1", port, err);
	json_decref(obj);
	return rc;
}

void bind_ok(struct conf_port *port, const char *text)
{
	struct err err;
	char buf[768];

	if (bind_port(port, text, &err) < 0)
		fail_msg("%s: %s", text, err_text(&err, buf, sizeof(buf)));
}

void bind_refused(struct conf_port *port, const char *text, const char *say)
{
	struct conf_port before = *port;
	struct err err;
	char buf[768];

	assert_int_equal(bind_port(port, text, &err), -EINVAL);
	assert_int_equal(err.code, -EINVAL);
	if (!strstr(err_text(&err, buf, sizeof(buf)), say))
		fail_msg("%s: \"%s\" does not say \"%s\"", text, buf, say);
	assert_memory_equal(port, &before, sizeof(before));
}

void fresh(struct conf_port *port)
{
	conf_port_init(port);
	strcpy(port->name, "c1");
}

void show(const struct conf_mistakes *mistakes)
{
	char buf[768];

	for (unsigned i = 0; i < mistakes->count; i++)
		print_error("%u: %s\n", mistakes->list[i].line,
			err_text(&mistakes->list[i].err, buf, sizeof(buf)));
}

void parse_ok(const char *text, struct conf *ret_conf)
{
	struct conf_mistakes mistakes;

	if (conf_parse(text, strlen(text), ret_conf, &mistakes) < 0) {
		show(&mistakes);
		fail_msg("refused: %s", text);
	}
	assert_int_equal(mistakes.count, 0);
	conf_mistakes_fini(&mistakes);
}

static void assert_same(const struct conf *a, const struct conf *b)
{
	assert_int_equal(a->nb_workers, b->nb_workers);
	assert_memory_equal(a->workers, b->workers, sizeof(a->workers));
	assert_int_equal(a->polling, b->polling);
	assert_int_equal(a->hugepages, b->hugepages);
	assert_int_equal(a->mbufs, b->mbufs);
	assert_int_equal(a->big_mbufs, b->big_mbufs);
	assert_int_equal(a->nb_bridges, b->nb_bridges);
	for (unsigned i = 0; i < a->nb_bridges; i++) {
		const struct conf_bridge *x = &a->bridges[i], *y = &b->bridges[i];

		assert_memory_equal(&x->opts, &y->opts, sizeof(x->opts));
		assert_int_equal(x->nb_ports, y->nb_ports);
		for (unsigned j = 0; j < x->nb_ports; j++)
			assert_memory_equal(&x->ports[j], &y->ports[j], sizeof(x->ports[j]));
		assert_int_equal(x->nb_fdb, y->nb_fdb);
		for (unsigned j = 0; j < x->nb_fdb; j++)
			assert_memory_equal(&x->fdb[j], &y->fdb[j], sizeof(x->fdb[j]));
		assert_int_equal(x->nb_neigh, y->nb_neigh);
		for (unsigned j = 0; j < x->nb_neigh; j++)
			assert_memory_equal(&x->neigh[j], &y->neigh[j], sizeof(x->neigh[j]));
	}
	assert_int_equal(a->nb_vteps, b->nb_vteps);
	for (unsigned i = 0; i < a->nb_vteps; i++)
		assert_memory_equal(&a->vteps[i], &b->vteps[i], sizeof(a->vteps[i]));
}

void round_trip(const struct conf *conf)
{
	char *text = conf_print(conf);
	struct conf back;

	assert_non_null(text);
	parse_ok(text, &back);
	assert_same(conf, &back);
	conf_fini(&back);
	free(text);
}

int bind_vtep(struct conf_vtep *vtep, const char *text, struct err *err)
{
	json_t *obj = json(text);
	int rc;

	conf_vtep_init(vtep);
	strcpy(vtep->name, "west");
	*err = (struct err){0};
	rc = conf_vtep_bind(obj, "vtep", vtep, err);
	json_decref(obj);
	return rc;
}
