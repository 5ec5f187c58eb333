// SPDX-License-Identifier: BSD-3-Clause
// What the socket of a VTEP does not take: packets that come in by devices of containers.
#include "tests/unit/ends.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/sock_diag.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/netlink.h"
#include "base/netns.h"
#include "base/util.h"
#include "vxlan/kernel.h"
#include "vxlan/vtep_object.h"

static int index_of_va(void)
{
	struct nl_link link;
	struct nl *nl;
	int ns, index;

	assert_int_equal(netns_open("a", "", &ns, NULL), 0);
	assert_int_equal(nl_open(ns, &nl), 0);
	assert_int_equal(nl_link_by_name(nl, "va", &link), 0);
	index = link.ifindex;
	nl_close(nl);
	close(ns);
	return index;
}

// Until the socket has refused so many packets.
static void wait_for_drops(const struct vtep *vtep, uint32_t count)
{
	uint32_t info[SK_MEMINFO_VARS] = {0};
	uint64_t start = monotonic_us();

	while (info[SK_MEMINFO_DROPS] < count && monotonic_us() < start + WAIT_US) {
		socklen_t len = sizeof(info);

		assert_int_equal(
			getsockopt(vtep->kernel->rx_fd, SOL_SOCKET, SO_MEMINFO, info, &len), 0);
	}
	assert_int_equal(info[SK_MEMINFO_DROPS], count);
}

// Who is behind a device of the switch's own is no other host, whatever address he sends from.
static void test_distrusted_devices(void **state)
{
	struct end a = end_at("a", "10.9.0.1"), b = end_at("b", "10.9.0.2");
	uint16_t to_a = knows(&b, "10.9.0.1", true);
	int devices[] = {99999, index_of_va()};

	knows(&a, "10.9.0.2", true);
	for (unsigned times = 0; times < 2; times++) {
		struct rte_mbuf *stranger = small_frame(1000, 0), *friend = small_frame(1000, 1);

		assert_int_equal(vtep_distrust(a.vtep, devices, 2), 0);
		send_to(&b, to_a, &stranger, 1);
		wait_for_drops(a.vtep, times + 1);
		assert_int_equal(vtep_distrust(a.vtep, devices, times ? 0 : 1), 0);
		send_to(&b, to_a, &friend, 1);
		receive(&a, 1);
		assert_small_frame(got[0], 1000, 1);
		free_got();
	}
	close_end(&a);
	close_end(&b);
}

// Of thousands each one counts, and none but them: `others` are all but va.
static void test_many_distrusted_devices(void **state)
{
	struct end a = end_at("a", "10.9.0.1"), b = end_at("b", "10.9.0.2");
	uint16_t to_a = knows(&b, "10.9.0.1", true);
	int others[2 * 1999 + 2], all[2 * 1999 + 3], va = index_of_va();
	unsigned count = 0, drops = 0;

	knows(&a, "10.9.0.2", true);
	others[count++] = va + 1;
	for (unsigned i = 1; i < 1990; i++) { // in pairs with gaps, and not in order
		int first = va + 4 * (int)(i * 7 % 1990);

		others[count++] = first;
		others[count++] = first + 1;
	}
	if (va > 1)
		others[count++] = va - 1;
	memcpy(all, others, count * sizeof(int));
	all[count] = va;
	for (unsigned times = 0; times < 2; times++) {
		struct rte_mbuf *stranger = small_frame(1000, 0), *friend = small_frame(1000, 1);

		assert_int_equal(vtep_distrust(a.vtep, all, count + 1), 0);
		send_to(&b, to_a, &stranger, 1);
		wait_for_drops(a.vtep, ++drops);
		assert_int_equal(vtep_distrust(a.vtep, others, count), 0);
		send_to(&b, to_a, &friend, 1);
		receive(&a, 1);
		assert_small_frame(got[0], 1000, 1);
		free_got();
	}
	close_end(&a);
	close_end(&b);
}

// The list of before stays in force.
static void test_too_many_distrusted_devices(void **state)
{
	struct end a = end_at("a", "10.9.0.1"), b = end_at("b", "10.9.0.2");
	uint16_t to_a = knows(&b, "10.9.0.1", true);
	struct rte_mbuf *stranger = small_frame(1000, 0);
	int odd[3000], va = index_of_va();

	for (unsigned i = 0; i < ARRAY_SIZE(odd); i++)
		odd[i] = 100001 + 2 * i;
	knows(&a, "10.9.0.2", true);
	assert_int_equal(vtep_distrust(a.vtep, &va, 1), 0);
	assert_int_equal(vtep_distrust(a.vtep, odd, ARRAY_SIZE(odd)), -E2BIG);
	send_to(&b, to_a, &stranger, 1);
	wait_for_drops(a.vtep, 1);
	close_end(&a);
	close_end(&b);
}

// A VTEP that is opened while there are such devices never takes a packet of theirs.
static void test_distrusted_from_the_first(void **state)
{
	int va = index_of_va();
	struct vxlan_env env = the_env();
	struct conf_vtep conf = conf_of("a", "10.9.0.1");
	struct end a = {}, b = end_at("b", "10.9.0.2");
	uint16_t to_a = knows(&b, "10.9.0.1", true);
	struct rte_mbuf *m = small_frame(1000, 0);

	env.distrusted = &va;
	env.nb_distrusted = 1;
	assert_int_equal(vtep_open(&conf, &env, NULL, &a.vtep, NULL), 0);
	send_to(&b, to_a, &m, 1);
	wait_for_drops(a.vtep, 1);
	vtep_close(a.vtep);
	close_end(&b);
}

// ---- all VTEPs of a switch ----

static void no_publish(void *arg)
{
}

static bool no_name(void *arg, const char *name)
{
	return false;
}

// Sends to UDP port `port` of this namespace, through lo.
static void say(int fd, uint16_t port)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)), 1);
}

static void test_distrust_by_all(void **state)
{
	struct conf_vtep conf = conf_of("", "127.0.0.1");
	const struct vtep_objects_env env = {
		.vxlan = the_env(),
		.loop = loop_new(),
		.publish = no_publish,
		.name_taken = no_name,
	};
	int devices[] = {1, 99999}, fd = socket(AF_INET, SOCK_DGRAM, 0), none = 0;
	struct vtep_objects all = {};
	struct vtep_object *vo;
	int rx_fd;
	char byte;

	run("ip link set lo up");
	vtep_objects_init(&all, &env);
	assert_int_equal(vtep_objects_distrust(&all, devices, 1), 0); // lo
	assert_int_equal(vtep_object_add(&all, &conf, true, &vo, NULL), 0);
	rx_fd = vo->vtep->kernel->rx_fd;
	say(fd, VXLAN_UDP_PORT);
	wait_for_drops(vo->vtep, 1);
	// The same list is not put there again: what is there now stays.
	assert_int_equal(setsockopt(rx_fd, SOL_SOCKET, SO_DETACH_FILTER, &none, sizeof(none)), 0);
	assert_int_equal(vtep_objects_distrust(&all, devices, 1), 0);
	say(fd, VXLAN_UDP_PORT);
	assert_int_equal(recv(rx_fd, &byte, 1, MSG_DONTWAIT), 1);
	// Another list is.
	assert_int_equal(vtep_objects_distrust(&all, devices, 2), 0);
	say(fd, VXLAN_UDP_PORT);
	wait_for_drops(vo->vtep, 2);
	assert_int_equal(vtep_objects_distrust(&all, NULL, 0), 0);
	say(fd, VXLAN_UDP_PORT);
	assert_int_equal(recv(rx_fd, &byte, 1, MSG_DONTWAIT), 1);
	vtep_objects_fini(&all, true);
	loop_free(env.loop);
	close(fd);
}

// The devices are in the switch's own namespace, and their numbers mean others elsewhere.
static void test_distrust_elsewhere(void **state)
{
	struct conf_vtep conf = conf_of("a", "10.9.0.1");
	const struct vtep_objects_env env = {
		.vxlan = the_env(),
		.loop = loop_new(),
		.publish = no_publish,
		.name_taken = no_name,
	};
	struct end b = end_at("b", "10.9.0.2");
	uint16_t to_a = knows(&b, "10.9.0.1", true);
	struct rte_mbuf *m = small_frame(1000, 0);
	struct vtep_objects all = {};
	struct vtep_object *vo;
	int va = index_of_va();

	vtep_objects_init(&all, &env);
	assert_int_equal(vtep_objects_distrust(&all, &va, 1), 0);
	assert_int_equal(vtep_object_add(&all, &conf, true, &vo, NULL), 0);
	send_to(&b, to_a, &m, 1);
	expect_rx_drop(&(struct end){.vtep = vo->vtep}, DP_DROP_TUNNEL_VNI, 1);
	vtep_objects_fini(&all, true);
	loop_free(env.loop);
	close_end(&b);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		ENDTEST(test_distrusted_devices),
		ENDTEST(test_many_distrusted_devices),
		ENDTEST(test_too_many_distrusted_devices),
		ENDTEST(test_distrusted_from_the_first),
		ENDTEST(test_distrust_by_all),
		ENDTEST(test_distrust_elsewhere),
	};

	return ends_run(tests, ARRAY_SIZE(tests), argc, argv);
}
