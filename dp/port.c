// SPDX-License-Identifier: BSD-3-Clause
#include "dp/port.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct port_type_row *port_type_find(const struct port_env *env, enum conf_port_type type)
{
	const struct port_type_row *row = &env->types[type];

	return row->type ? row : NULL;
}

static struct port *port_new(const struct conf_port *conf, const struct port_env *env)
{
	// Workers write to `dp` of neighbouring ports: no two share a cache line.
	size_t size = RTE_ALIGN_CEIL(sizeof(struct port), RTE_CACHE_LINE_SIZE);
	struct port *port = aligned_alloc(RTE_CACHE_LINE_SIZE, size);

	if (!port)
		return NULL;
	memset(port, 0, size);
	port->env = env;
	port->conf = *conf;
	snprintf(port->path, sizeof(port->path), "port %s", conf->name);
	for (unsigned i = 0; i < DP_QUEUES_MAX; i++)
		port->dp.rx_fd[i] = -1;
	rte_spinlock_init(&port->dp.tx_lock);
	return port;
}

int port_open(const struct conf_port *conf, const struct port_env *env, struct port **ret_port,
	struct err *err)
{
	const struct port_type_row *row = port_type_find(env, conf->type);
	struct port *port = port_new(conf, env);
	int rc;

	if (!port)
		return err_set(err, -ENOMEM, conf->name, "out of memory");
	if (!row) {
		rc = err_set(err, -EINVAL, port->path, "this switch has no ports of type %s",
			conf_port_type_name(conf->type));
	} else if (conf->queues > DP_QUEUES_MAX) {
		rc = err_set(err, -EINVAL, port->path, "queues: at most %d", DP_QUEUES_MAX);
	} else {
		port->type = row->type;
		port->type_arg = row->arg;
		rc = port->type->open(port, err);
	}
	if (rc) {
		free(port);
		return rc;
	}
	*ret_port = port;
	return 0;
}

void port_close(struct port *port, bool remove)
{
	if (!port)
		return;
	port->type->close(port, remove);
	free(port);
}

int port_change(struct port *port, const struct conf_port *conf, struct err *err)
{
	int rc = conf_port_check_change(&port->conf, conf, err);

	if (!rc)
		rc = port->type->change(port, conf, err);
	if (!rc)
		port->conf = *conf;
	return rc;
}

void port_describe(const struct port *port, json_t *obj)
{
	json_object_set_new(obj, "type", json_string(conf_port_type_name(port->conf.type)));
	port->type->describe(port, obj);
}

void port_poll(struct port *port)
{
	if (port->type->poll)
		port->type->poll(port);
}
