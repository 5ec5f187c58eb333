// SPDX-License-Identifier: BSD-3-Clause
// Any bytes as a configuration of vsnetd: refused with reasons, or taken, and then its networks
// stay as they are when they are checked again.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config/conf.h"
#include "netd/conf/netd_conf.h"
#include "netd/drivers/network_check.h"

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void check_mistakes(const struct conf_mistakes *mistakes, size_t len_bytes)
{
	require(mistakes->count > 0);
	for (unsigned i = 0; i < mistakes->count; i++) {
		const struct conf_mistake *mistake = &mistakes->list[i];

		require(mistake->err.reason[0] != '\0');
		require(mistake->line <= len_bytes + 1);
		require(i == 0 || mistake->line >= mistakes->list[i - 1].line);
	}
}

static void check_conf(const struct netd_conf *conf)
{
	require(conf->vni_first >= 1 && conf->vni_first <= conf->vni_last);
	for (unsigned i = 0; i < conf->nb_pools; i++)
		require(conf->pools[i].size >= conf->pools[i].cidr.prefix);
	for (unsigned i = 0; i < conf->nb_networks; i++)
		// What was checked once is in its normal form.
		require(network_check(&conf->networks[i], NULL) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len_bytes)
{
	struct conf_mistakes mistakes;
	struct netd_conf conf;

	if (netd_conf_parse((const char *)data, len_bytes, &conf, &mistakes) < 0) {
		check_mistakes(&mistakes, len_bytes);
	} else {
		check_conf(&conf);
		netd_conf_fini(&conf);
	}
	conf_mistakes_fini(&mistakes);
	return 0;
}
