// SPDX-License-Identifier: BSD-3-Clause
// The reconciler when anything happens in any order, accidents of the switch included: in the end
// the switch has what is wanted.
#include <errno.h>

#include "base/util.h"
#include "tests/unit/reconcile_bed.h"

static void any_endpoint(struct bed *bed)
{
	unsigned net = sim_below(&bed->random, NETS), n = 100 + sim_below(&bed->random, 12);
	unsigned host = sim_below(&bed->random, HOSTS), second = sim_below(&bed->random, 3);
	unsigned mac = sim_chance(&bed->random, 80) ? n : n + 50;
	struct endpoint_record rec = record_endpoint_of(n, host, second, mac);

	rec.epoch = sim_below(&bed->random, 2);
	if (sim_chance(&bed->random, 30))
		record_endpoint_gone(&bed->replica, net, n);
	else
		record_endpoint(&bed->replica, net, &rec);
}

static void any_own(struct bed *bed)
{
	unsigned slot = sim_below(&bed->random, OWN_MAX);
	struct own *own = &bed->own[slot];

	if (!own->used)
		bed_connect(bed, slot, sim_below(&bed->random, NETS), 1 + slot);
	else if (sim_chance(&bed->random, 30) && !own->gone)
		reconcile_endpoint_add(bed->rec, &own->base);
	else if (own->base.state != ENDPOINT_STOPPING) {
		own->base.state = ENDPOINT_STOPPING;
		reconcile_endpoint_del(bed->rec, &own->base);
	}
}

static void any_host(struct bed *bed)
{
	unsigned host = 1 + sim_below(&bed->random, HOSTS - 1);
	struct ip_addr vtep =
		record_ip("10.1.0.%u", host + 1 + 10 * (unsigned)sim_below(&bed->random, 3));

	if (sim_chance(&bed->random, 20))
		record_host_gone(&bed->replica, host);
	else
		record_host(&bed->replica, host, &vtep);
}

static void any_accident(struct bed *bed)
{
	static const char *const methods[] = {"fdb.add", "fdb.del", "neigh.add", "port.add",
		"port.del", "bridge.add", "bridge.del", "port.list", "fdb.show", "neigh.list",
		"vtep.add"};
	static const int codes[] = {-EIO, -ENOSPC, -ETIMEDOUT, -EAGAIN};

	if (sim_chance(&bed->random, 40))
		fake_switch_fail(bed->sw, methods[sim_below(&bed->random, ARRAY_SIZE(methods))],
			codes[sim_below(&bed->random, ARRAY_SIZE(codes))],
			sim_below(&bed->random, 3));
	else if (!fake_switch_is_up(bed->sw))
		fake_switch_start(bed->sw, bed->now_us);
	else
		fake_switch_crash(bed->sw, bed->now_us);
}

static void drop_gone(struct bed *bed)
{
	for (unsigned i = 0; i < OWN_MAX; i++) {
		if (bed->own[i].used && bed->own[i].gone)
			bed_let_go(&bed->own[i]);
	}
}

static void any_life(struct bed *bed, uint64_t seed)
{
	bed->random.state = seed;
	for (unsigned i = 0; i < NETS; i++)
		record_net(&bed->replica, i, NULL);
	for (unsigned i = 0; i < 300; i++) {
		unsigned what = sim_below(&bed->random, 100);

		if (what < 55)
			any_endpoint(bed);
		else if (what < 80)
			any_own(bed);
		else if (what < 92)
			any_host(bed);
		else
			any_accident(bed);
		if (sim_chance(&bed->random, 50))
			bed_run(bed, sim_below(&bed->random, 3000));
		drop_gone(bed);
	}
	if (!fake_switch_is_up(bed->sw))
		fake_switch_start(bed->sw, bed->now_us);
	bed_run(bed, 30 * SECOND);
	drop_gone(bed);
	bed_settle(bed);
	drop_gone(bed);
}

// Of several with one MAC it does not matter here which one has it.
static void check_any(struct bed *bed)
{
	struct replica_net *net;

	for (net = bed->replica.nets; net; net = net->hh.next) {
		struct fake_bridge *bridge = fake_switch_bridge_of_vni(bed->sw, net->rec.vni);
		const struct fake_neigh *neigh;

		assert_int_equal(bridge != NULL, net->nb_local > 0);
		if (!bridge)
			continue;
		assert_int_equal(HASH_COUNT(bridge->ports), net->nb_local + 2);
		assert_int_equal(HASH_COUNT(bridge->floods), bed_flood_count(bed, net));
		for (neigh = bridge->neigh; neigh; neigh = neigh->hh.next) {
			struct replica_endpoint *ep =
				replica_by_ip(&bed->replica, net->id, &neigh->ip);
			const struct own *own = bed_own_of(bed, net, &neigh->ip, NULL);

			if (bed_is_gateway(net, &neigh->ip))
				continue;
			assert_true(own || (ep && bed_is_placed(ep) && bed_wins(bed, net, ep)));
			assert_memory_equal(&neigh->mac, own ? &own->base.rec.mac : &ep->rec.mac,
				sizeof(neigh->mac));
		}
	}
	bed_audit(bed, false);
	if (json_array_size(bed->audit))
		fail_msg("%s", json_dumps(bed->audit, JSON_INDENT(1)));
}

static void test_any(void **state)
{
	for (uint64_t seed = 1; seed <= 200; seed++) {
		void *local_endpoint_state = NULL;
		struct bed *bed;

		bed_set_up(&local_endpoint_state);
		bed = local_endpoint_state;
		any_life(bed, seed);
		check_any(bed);
		bed_tear_down(&local_endpoint_state);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_any)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
