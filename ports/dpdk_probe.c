// SPDX-License-Identifier: BSD-3-Clause
#include "ports/dpdk_probe.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <rte_bus.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>

#include "base/log.h"
#include "base/text.h"
#include "base/util.h"
#include "ports/dpdk_log.h"

#define MACS_BYTES 200 // of the text that lists addresses

#define UNFINISHED                                                                                 \
	"the kernel leaves checksums of packets unfinished there, and TCP hangs; for the host's "  \
	"end of a veth pair use type=veth host-ifname=NAME, for a NIC "                            \
	"devargs=net_af_xdp0,iface=NAME or its PCI address"
#define NO_TAP                                                                                     \
	"its device goes with the switch, and has no offloads; use type=tap, which makes a TAP "   \
	"device that stays"

// ethdevs of ours have an owner; those that nobody has taken have none.
static uint64_t owner_id(void)
{
	static uint64_t id;

	if (!id && rte_eth_dev_owner_new(&id) < 0)
		id = RTE_ETH_DEV_NO_OWNER;
	return id;
}

int dpdk_refused(const struct port *port, int code, const char *what, struct err *err)
{
	const char *said = dpdk_log_said();

	if (said[0])
		return err_set(
			err, code, port->path, "%s '%.100s': %s", what, port->conf.devargs, said);
	return err_set_errno(err, code, port->path, "%s '%.100s'", what, port->conf.devargs);
}

// ethdevs that are never closed: see dpdk_abandon().
static bool abandoned[RTE_MAX_ETHPORTS];

static const struct rte_device *device_of(uint16_t ethdev)
{
	struct rte_eth_dev_info info;

	return rte_eth_dev_info_get(ethdev, &info) == 0 ? info.device : NULL;
}

// The device called `name` among those that have ethdevs, taken or free.
static const struct rte_device *find_device(const char *name)
{
	for (uint16_t i = 0; i < RTE_MAX_ETHPORTS; i++) {
		const struct rte_device *dev = rte_eth_dev_is_valid_port(i) ? device_of(i) : NULL;

		if (dev && strcmp(rte_dev_name(dev), name) == 0)
			return dev;
	}
	return NULL;
}

static bool has_mac(uint16_t ethdev, const struct conf_port *conf)
{
	struct rte_ether_addr addr;

	return conf->has_mac && rte_eth_macaddr_get(ethdev, &addr) == 0 &&
	       memcmp(&addr, &conf->mac, sizeof(addr)) == 0;
}

static bool has_abandoned(const struct rte_device *dev)
{
	for (uint16_t i = 0; i < RTE_MAX_ETHPORTS; i++) {
		if (abandoned[i] && device_of(i) == dev)
			return true;
	}
	return false;
}

static void list_mac(uint16_t ethdev, char *text)
{
	struct text macs = text_continue(text, MACS_BYTES);
	struct rte_ether_addr addr;
	char mac[MAC_TEXT_BYTES];

	if (rte_eth_macaddr_get(ethdev, &addr) == 0)
		text_add_item(&macs, ", ", "%s", mac_format((const struct mac *)&addr, mac));
}

// One of the free ethdevs of `dev`: see dpdk_probe().
static int choose(const struct port *port, const struct rte_device *dev, uint16_t *ret_ethdev,
	struct err *err)
{
	char macs[MACS_BYTES] = "";
	unsigned free = 0;
	uint16_t i;

	RTE_ETH_FOREACH_DEV(i)
	{
		if (device_of(i) != dev)
			continue;
		*ret_ethdev = i;
		if (has_mac(i, &port->conf))
			return 0;
		list_mac(i, macs);
		free++;
	}
	if (free == 1)
		return 0;
	if (!free && has_abandoned(dev))
		return err_set(err, -EBUSY, port->path,
			"device '%.100s' could not be set up before, and its driver cannot let go "
			"of it until the switch is restarted: give the device another number",
			port->conf.devargs);
	if (!free)
		return err_set(err, -EBUSY, port->path, "device '%.100s' is in use by another port",
			port->conf.devargs);
	return err_set(err, -EINVAL, port->path,
		"device '%.100s' has %u network ports; choose one with mac= (%s)",
		port->conf.devargs, free, macs);
}

// Some drivers name what they need only in their documentation.
static int explain_probe(
	const struct port *port, const struct rte_devargs *da, int code, struct err *err)
{
	const char *said = dpdk_log_said(), *devargs = port->conf.devargs;
	bool pci = strcmp(rte_bus_name(da->bus), "pci") == 0;

	if (code == -EEXIST || code == -EBUSY)
		return err_set(err, -EBUSY, port->path,
			"device '%.100s' is already in use: give another name", devargs);
	if (pci && code == -ENODEV)
		return err_set(err, code, port->path,
			"there is no PCI device %.100s; 'lspci -D' lists them", da->name);
	if (pci)
		return err_set(err, code, port->path,
			"no DPDK driver takes PCI device %.100s (%s): bind it to vfio-pci with "
			"dpdk-devbind.py",
			da->name, said[0] ? said : strerror(-code));
	if (said[0])
		return err_set(err, code, port->path, "DPDK refuses '%.100s': %s", devargs, said);
	return err_set(err, code, port->path,
		"the driver refuses '%.100s' and does not say why: compare its arguments with "
		"DPDK's guide to the driver",
		devargs);
}

static int parse(const struct port *port, struct rte_devargs *ret_da, struct err *err)
{
	memset(ret_da, 0, sizeof(*ret_da));
	if (rte_devargs_parse(ret_da, port->conf.devargs) == 0 && ret_da->bus)
		return 0;
	return err_set(err, -ENODEV, port->path,
		"there is no device '%.100s': it is not a PCI address, and no DPDK driver creates "
		"devices of "
		"this name (those for net_null0, net_pcap0, net_af_xdp0, net_memif0 do)",
		port->conf.devargs);
}

// Drivers over interfaces of the kernel for which there are port types. `with`: only with this in
// the devargs; NULL: always. net_virtio_user over /dev/vhost-net is none of them: the kernel
// finishes the checksums of what it gives to it.
static const struct {
	const char *driver, *with, *why_not;
} kernel_drivers[] = {
	{"net_af_packet", NULL, UNFINISHED},
	{"eth_af_packet", NULL, UNFINISHED},
	{"net_tap", NULL, NO_TAP},
	{"eth_tap", NULL, NO_TAP},
	{"net_tun", NULL, NO_TAP},
	{"net_pcap", "iface=", UNFINISHED},
	{"eth_pcap", "iface=", UNFINISHED},
};

// Whether the device is one of the driver's, or has one of them below it: "net_failsafe0,dev(...)".
// Drivers take all names that begin with theirs.
static bool is_of_driver(const char *name, const char *devargs, const char *driver)
{
	size_t len = strlen(driver);
	const char *below = devargs;

	if (strncmp(name, driver, len) == 0)
		return true;
	while ((below = strchr(below, '('))) {
		if (strncmp(++below, driver, len) == 0)
			return true;
	}
	return false;
}

static int refuse_kernel_driver(
	const struct port *port, const struct rte_devargs *da, struct err *err)
{
	const char *devargs = port->conf.devargs;

	for (size_t i = 0; i < ARRAY_SIZE(kernel_drivers); i++) {
		const char *driver = kernel_drivers[i].driver, *with = kernel_drivers[i].with;

		if (is_of_driver(da->name, devargs, driver) && (!with || strstr(devargs, with)))
			return err_set(err, -EOPNOTSUPP, port->path,
				"'%.100s' is not supported: %s", devargs,
				kernel_drivers[i].why_not);
	}
	return 0;
}

// The device as DPDK knows it, made or found now unless it was before.
static int get_device(const struct port *port, const struct rte_devargs *da,
	const struct rte_device **ret_dev, struct err *err)
{
	const struct rte_device *dev = find_device(da->name);
	int rc = 0;

	if (!dev) {
		rc = rte_dev_probe(port->conf.devargs);
		dev = find_device(da->name);
	}
	if (rc)
		return explain_probe(port, da, rc, err);
	if (!dev)
		return err_set(err, -ENODEV, port->path, "device '%.100s' is not a network device",
			port->conf.devargs);
	*ret_dev = dev;
	return 0;
}

static bool has_owned(const struct rte_device *dev)
{
	uint16_t i;

	RTE_ETH_FOREACH_DEV_OWNED_BY(i, owner_id())
	{
		if (device_of(i) == dev)
			return true;
	}
	return false;
}

int dpdk_probe(const struct port *port, uint16_t *ret_ethdev, struct err *err)
{
	struct rte_eth_dev_owner owner = {.id = owner_id()};
	const struct rte_device *dev = NULL;
	struct rte_devargs da;
	uint16_t ethdev = RTE_MAX_ETHPORTS;
	int rc = parse(port, &da, err);

	if (rc)
		return rc;
	rc = refuse_kernel_driver(port, &da, err);
	if (!rc)
		rc = get_device(port, &da, &dev, err);
	rte_devargs_reset(&da);
	if (rc)
		return rc;
	rc = choose(port, dev, &ethdev, err);
	if (rc)
		goto err_remove;
	snprintf(owner.name, sizeof(owner.name), "%s", port->conf.name);
	rc = rte_eth_dev_owner_set(ethdev, &owner);
	if (rc) {
		dpdk_refused(port, rc, "cannot take device", err);
		goto err_remove;
	}
	*ret_ethdev = ethdev;
	return 0;

err_remove:
	if (!has_owned(dev))
		rte_dev_remove((struct rte_device *)dev);
	return rc;
}

void dpdk_release(const struct port *port, uint16_t ethdev)
{
	const struct rte_device *dev = device_of(ethdev);
	int rc = rte_eth_dev_close(ethdev);

	if (!rc && dev && !has_owned(dev))
		rc = rte_dev_remove((struct rte_device *)dev);
	if (rc)
		log_warn("%s: the device was not released: %s %s", port->path, rte_strerror(-rc),
			dpdk_log_said());
}

bool dpdk_is_unsafe_to_close(uint16_t ethdev)
{
	struct rte_eth_dev_info info;

	return rte_eth_dev_info_get(ethdev, &info) == 0 &&
	       strcmp(info.driver_name, "net_pcap") == 0;
}

void dpdk_abandon(uint16_t ethdev)
{
	abandoned[ethdev] = true;
}

bool dpdk_is_abandoned(uint16_t ethdev)
{
	return abandoned[ethdev];
}

bool dpdk_has_abandoned(void)
{
	for (uint16_t i = 0; i < RTE_MAX_ETHPORTS; i++) {
		if (abandoned[i])
			return true;
	}
	return false;
}
