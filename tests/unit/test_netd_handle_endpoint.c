// SPDX-License-Identifier: BSD-3-Clause
// What the requests of connecting in steps make of their parameters.
#include "tests/unit/netd_handle_bed.h"

static void test_endpoint(void **state)
{
	expect_asked("endpoint.create", "{\"id\": \"e1\", \"network\": \"a\", \"name\": \"c1\"}",
		"{\"id\": \"e1\", \"network\": \"a\", \"name\": \"c1\", \"sandbox\": null, \"ip\": "
		"\"\", \"ifname\": null, \"aliases\": []}");
	expect_asked("endpoint.create",
		"{\"id\": \"e1\", \"network\": \"a\", \"name\": \"c1\", \"ip\": \"10.1.0.5\", "
		"\"mac\": \"02:00:00:00:00:05\", \"aliases\": [\"web\"], \"options\": {\"spoof\": "
		"\"allow\"}}",
		"{\"ip\": \"10.1.0.5\", \"mac\": \"02:00:00:00:00:05\", \"aliases\": [\"web\"], "
		"\"options\": {\"spoof\": \"allow\"}}");
	expect_refused("endpoint.create", "{\"network\": \"a\", \"name\": \"c1\"}", -EINVAL,
		"'id' is missing");
	expect_refused("endpoint.create",
		"{\"id\": \"e1\", \"network\": \"a\", \"name\": \"c1\", \"netns\": \"c1\"}",
		-EINVAL, "netns");
	expect_asked("endpoint.join",
		"{\"id\": \"e1\", \"netns\": \"/proc/1/ns/net\", \"ifname\": \"net0\"}",
		"{\"id\": \"e1\", \"sandbox\": \"/proc/1/ns/net\", \"ifname\": \"net0\"}");
	expect_refused("endpoint.join", "{\"id\": \"e1\"}", -EINVAL, "'netns' is missing");
	expect_refused("endpoint.join", "{\"id\": \"e1\", \"netns\": \"c1\", \"ifname\": \"a/b\"}",
		-EINVAL, "ifname 'a/b' is not allowed");
	expect_asked("endpoint.leave", "{\"id\": \"e1\"}",
		"{\"what\": \"leave\", \"id\": \"e1\", \"if_exists\": false}");
	expect_asked("endpoint.delete", "{\"id\": \"e1\", \"if_exists\": true}",
		"{\"what\": \"delete\", \"id\": \"e1\", \"if_exists\": true}");
	expect_refused("endpoint.delete", "{}", -EINVAL, "'id' is missing");
}

static void test_address(void **state)
{
	expect_asked("address.request", "{\"id\": \"a1\", \"network\": \"a\"}",
		"{\"id\": \"a1\", \"network\": \"a\", \"ip\": \"\", \"ipv6\": false}");
	expect_asked("address.request",
		"{\"id\": \"a1\", \"network\": \"a\", \"ip\": \"fd00::5\", \"ipv6\": true}",
		"{\"ip\": \"fd00::5\", \"ipv6\": true}");
	expect_refused("address.request", "{\"id\": \"a1\"}", -EINVAL, "'network' is missing");
	expect_asked("address.release", "{\"id\": \"a1\"}",
		"{\"what\": \"release\", \"id\": \"a1\", \"if_exists\": false}");
	expect_result("pool.request",
		"{\"id\": \"p1\", \"subnet\": \"10.1.0.0/16\", \"ip_range\": \"10.1.4.0/24\"}",
		"{\"id\": \"p1\", \"subnet\": \"10.1.0.0/16\", \"ip_range\": \"10.1.4.0/24\", "
		"\"ipv6\": false}");
	expect_result("pool.request", "{\"id\": \"p1\", \"ipv6\": true}",
		"{\"id\": \"p1\", \"subnet\": \"\", \"ip_range\": \"\", \"ipv6\": true}");
	expect_refused("pool.request", "{\"id\": \"p1\", \"subnet\": \"10.1\"}", -EINVAL,
		"subnet '10.1' is no subnet");
	expect_result("pool.release", "{\"id\": \"p1\", \"if_exists\": true}",
		"{\"id\": \"p1\", \"released\": false}");
	expect_refused("pool.release", "{\"id\": \"p1\"}", -ENOENT, "it does not exist");
	expect_result("pool.ls", "", "{\"pools\": []}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_endpoint, setup, teardown),
		cmocka_unit_test_setup_teardown(test_address, setup, teardown),
	};

	return handle_run(tests, ARRAY_SIZE(tests));
}
