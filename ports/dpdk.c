// SPDX-License-Identifier: BSD-3-Clause
// Any DPDK ethdev by its devargs: physical NICs by PCI address, virtual devices by name. What the
// device can do is read from it; the switch finishes the rest in software.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>

#include "base/log.h"
#include "base/util.h"
#include "ports/device.h"
#include "ports/types.h"

#define RX_DESC	   1024
#define TX_DESC	   1024
#define NB_TXQ_MAX 64

// The offloads that the data plane knows (struct dp_port).
#define DPDK_OFFLOADS                                                                              \
	(RTE_ETH_TX_OFFLOAD_TCP_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM |                             \
		RTE_ETH_TX_OFFLOAD_TCP_TSO | RTE_ETH_TX_OFFLOAD_UDP_TSO |                          \
		RTE_ETH_TX_OFFLOAD_MULTI_SEGS)

struct dpdk {
	uint16_t ethdev;
	bool has_intr, started;
};

// ---- receive and transmit ----

static inline uint16_t ethdev_of(const struct dp_port *dp)
{
	return ((const struct dpdk *)((const struct port *)dp)->priv)->ethdev;
}

static uint16_t dpdk_rx(struct dp_port *dp, uint16_t queue, struct rte_mbuf **pkts, uint16_t n,
	struct dp_counters *cnt)
{
	return rte_eth_rx_burst(ethdev_of(dp), queue, pkts, n);
}

// The bytes are summed before the burst: afterwards the packets are the driver's.
static void dpdk_tx(struct dp_port *dp, uint16_t queue, struct rte_mbuf **pkts, uint16_t n,
	struct dp_counters *cnt)
{
	uint16_t ethdev = ethdev_of(dp), sent;
	uint64_t bytes = 0;

	for (uint16_t i = 0; i < n; i++)
		bytes += pkts[i]->pkt_len;
	sent = rte_eth_tx_burst(ethdev, queue, pkts, n);
	for (uint16_t i = sent; i < n; i++) {
		bytes -= pkts[i]->pkt_len;
		dp_drop(cnt, DP_DROP_TX_FULL, pkts[i]);
	}
	cnt->tx_packets += sent;
	cnt->tx_bytes += bytes;
}

// For devices with checksum or segmentation offloads, whose drivers want a look at such packets
// first. A packet that the driver refuses is dropped and the rest goes on.
static void dpdk_tx_prepare(struct dp_port *dp, uint16_t queue, struct rte_mbuf **pkts, uint16_t n,
	struct dp_counters *cnt)
{
	uint16_t ethdev = ethdev_of(dp), done = 0, good;

	while (done < n) {
		good = rte_eth_tx_prepare(ethdev, queue, pkts + done, n - done);
		if (good)
			dpdk_tx(dp, queue, pkts + done, good, cnt);
		done += good;
		if (done < n)
			dp_drop(cnt, DP_DROP_TX_ERROR, pkts[done++]);
	}
}

static void dpdk_rx_arm(struct dp_port *dp, uint16_t queue, bool on)
{
	if (on)
		rte_eth_dev_rx_intr_enable(ethdev_of(dp), queue);
	else
		rte_eth_dev_rx_intr_disable(ethdev_of(dp), queue);
}

// ---- open ----

static bool needs_hugepages(const struct conf_port *conf)
{
	return strncmp(conf->devargs, "net_vhost", 9) == 0 ||
	       strncmp(conf->devargs, "eth_vhost", 9) == 0;
}

static int probe(struct port *port, uint16_t *ret_ethdev, struct err *err)
{
	const char *devargs = port->conf.devargs;
	struct rte_dev_iterator it;
	uint16_t ethdev = RTE_MAX_ETHPORTS, i;
	int ret;

	if (needs_hugepages(&port->conf) && !port->env->hugepages)
		return err_set(err, -ENOTSUP, port->path,
			"vhost-user shares memory with a guest, which needs hugepages: 'sysctl "
			"vm.nr_hugepages=512', then restart the switch with hugepages: auto or on");
	RTE_ETH_FOREACH_MATCHING_DEV (i, devargs, &it) {
		rte_eth_iterator_cleanup(&it);
		return err_set(err, -EBUSY, port->path,
			"device %s is in use already: give another name in devargs=", devargs);
	}
	ret = rte_dev_probe(devargs);
	if (ret)
		return err_set_errno(err, ret == -EEXIST ? -EBUSY : ret, port->path,
			"DPDK cannot make or find device '%s'", devargs);
	RTE_ETH_FOREACH_MATCHING_DEV (i, devargs, &it) {
		ethdev = i;
		rte_eth_iterator_cleanup(&it);
		break;
	}
	if (ethdev == RTE_MAX_ETHPORTS)
		return err_set(
			err, -ENODEV, port->path, "DPDK device '%s' is no network device", devargs);
	*ret_ethdev = ethdev;
	return 0;
}

static void count_queues(struct port *port, const struct rte_eth_dev_info *info)
{
	uint16_t wanted = port->conf.queues ? port->conf.queues : 1;
	uint16_t workers = MAX_OF(port->env->nb_workers, 1);

	port->dp.nb_rxq = MIN_OF(wanted, info->max_rx_queues);
	port->dp.nb_txq = MAX_OF(1, MIN_OF(MIN_OF(workers, info->max_tx_queues), NB_TXQ_MAX));
}

static int configure(
	struct port *port, struct dpdk *dpdk, const struct rte_eth_dev_info *info, struct err *err)
{
	struct rte_eth_conf conf = {};
	int ret;

	if (port->conf.queues > info->max_rx_queues)
		return err_set(err, -EINVAL, port->path, "queues: the device has at most %u",
			info->max_rx_queues);
	port->dp.tx_offloads = info->tx_offload_capa & DPDK_OFFLOADS;
	conf.txmode.offloads = port->dp.tx_offloads;
	if (port->dp.tx_offloads & RTE_ETH_TX_OFFLOAD_TCP_TSO) // it rewrites IPv4 headers
		conf.txmode.offloads |= info->tx_offload_capa & RTE_ETH_TX_OFFLOAD_IPV4_CKSUM;
	if (port->dp.nb_rxq > 1) {
		conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		conf.rx_adv_conf.rss_conf.rss_hf =
			info->flow_type_rss_offloads &
			(RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP);
		if (!conf.rx_adv_conf.rss_conf.rss_hf)
			conf.rxmode.mq_mode = RTE_ETH_MQ_RX_NONE;
	}
	if (port->conf.mtu)
		conf.rxmode.mtu = port->conf.mtu;
	conf.intr_conf.rxq = 1;
	ret = rte_eth_dev_configure(dpdk->ethdev, port->dp.nb_rxq, port->dp.nb_txq, &conf);
	dpdk->has_intr = ret == 0;
	if (ret) {
		conf.intr_conf.rxq = 0;
		ret = rte_eth_dev_configure(dpdk->ethdev, port->dp.nb_rxq, port->dp.nb_txq, &conf);
	}
	if (ret)
		return err_set_errno(err, ret, port->path, "the device refused its configuration");
	return 0;
}

// Jumbo frames of a device that cannot scatter need big buffers.
static struct rte_mempool *rx_pool(const struct port *port)
{
	uint32_t room = rte_pktmbuf_data_room_size(port->env->pool) - RTE_PKTMBUF_HEADROOM;

	if (port->conf.mtu + RTE_ETHER_HDR_LEN + 2 * RTE_VLAN_HLEN <= room || !port->env->big_pool)
		return port->env->pool;
	return port->env->big_pool;
}

static int set_up_queues(struct port *port, const struct dpdk *dpdk,
	const struct rte_eth_dev_info *info, struct err *err)
{
	struct rte_mempool *pool = rx_pool(port);
	uint16_t nb_rx = RX_DESC, nb_tx = TX_DESC;
	int ret = rte_eth_dev_adjust_nb_rx_tx_desc(dpdk->ethdev, &nb_rx, &nb_tx);
	int socket = rte_eth_dev_socket_id(dpdk->ethdev);

	for (uint16_t q = 0; !ret && q < port->dp.nb_rxq; q++)
		ret = rte_eth_rx_queue_setup(dpdk->ethdev, q, nb_rx, socket, NULL, pool);
	for (uint16_t q = 0; !ret && q < port->dp.nb_txq; q++)
		ret = rte_eth_tx_queue_setup(dpdk->ethdev, q, nb_tx, socket, NULL);
	return ret ? err_set_errno(err, ret, port->path, "cannot set up the device's queues") : 0;
}

static int set_mac(const struct port *port, const struct dpdk *dpdk, const struct conf_port *conf,
	struct err *err)
{
	struct rte_ether_addr addr;
	int ret;

	if (!conf->has_mac)
		return 0;
	memcpy(&addr, &conf->mac, sizeof(addr));
	ret = rte_eth_dev_default_mac_addr_set(dpdk->ethdev, &addr);
	return ret ? err_set_errno(err, ret, port->path, "mac refused by the device") : 0;
}

static void get_mtu(struct port *port, const struct dpdk *dpdk)
{
	uint16_t mtu = RTE_ETHER_MTU;

	rte_eth_dev_get_mtu(dpdk->ethdev, &mtu);
	port->dp.mtu = port->conf.mtu ? port->conf.mtu : mtu;
}

// Virtual devices without a notion of MTU take frames of any size.
static int set_mtu(const struct port *port, const struct dpdk *dpdk, uint16_t mtu, struct err *err)
{
	int ret = mtu ? rte_eth_dev_set_mtu(dpdk->ethdev, mtu) : 0;

	if (ret && ret != -ENOTSUP)
		return err_set_errno(err, ret, port->path, "mtu %u refused by the device", mtu);
	return 0;
}

static int start(struct port *port, struct dpdk *dpdk, struct err *err)
{
	int ret = rte_eth_dev_start(dpdk->ethdev);

	if (ret)
		return err_set_errno(err, ret, port->path, "the device does not start");
	dpdk->started = true;
	ret = rte_eth_promiscuous_enable(dpdk->ethdev);
	if (ret && ret != -ENOTSUP)
		return err_set_errno(err, ret, port->path, "the device refuses promiscuous mode");
	return 0;
}

static void set_up_interrupts(struct port *port, const struct dpdk *dpdk)
{
	if (!dpdk->has_intr)
		return;
	for (uint16_t q = 0; q < port->dp.nb_rxq; q++) {
		port->dp.rx_fd[q] = rte_eth_dev_rx_intr_ctl_q_get_fd(dpdk->ethdev, q);
		if (port->dp.rx_fd[q] < 0 || rte_eth_dev_rx_intr_enable(dpdk->ethdev, q) < 0) {
			port->dp.rx_fd[q] = -1;
			return;
		}
		rte_eth_dev_rx_intr_disable(dpdk->ethdev, q);
	}
	port->dp.rx_arm = dpdk_rx_arm;
}

static void release(const struct port *port, const struct dpdk *dpdk)
{
	struct rte_eth_dev_info info;
	bool known = rte_eth_dev_info_get(dpdk->ethdev, &info) == 0;
	int ret;

	if (dpdk->started)
		rte_eth_dev_stop(dpdk->ethdev);
	ret = rte_eth_dev_close(dpdk->ethdev);
	if (!ret && known)
		ret = rte_dev_remove(info.device);
	if (ret)
		log_warn("%s: the device was not let go: %s", port->path, rte_strerror(-ret));
}

static int bring_up(struct port *port, struct dpdk *dpdk, struct err *err)
{
	struct rte_eth_dev_info info;
	int ret = rte_eth_dev_info_get(dpdk->ethdev, &info);

	if (ret)
		return err_set_errno(err, ret, port->path, "the device does not describe itself");
	count_queues(port, &info);
	ret = configure(port, dpdk, &info, err);
	if (!ret)
		ret = set_up_queues(port, dpdk, &info, err);
	if (!ret)
		ret = set_mtu(port, dpdk, port->conf.mtu, err);
	if (!ret)
		ret = set_mac(port, dpdk, &port->conf, err);
	if (!ret)
		ret = start(port, dpdk, err);
	return ret;
}

static int dpdk_open(struct port *port, struct err *err)
{
	struct dpdk *dpdk;
	int ret;

	if (!port->conf.devargs[0])
		return err_set(err, -EINVAL, port->path,
			"devargs= is needed: a PCI address or a "
			"virtual device such as net_null0");
	dpdk = calloc(1, sizeof(*dpdk));
	if (!dpdk)
		return err_set(err, -ENOMEM, port->path, "out of memory");
	ret = probe(port, &dpdk->ethdev, err);
	if (ret)
		goto err_free;
	ret = bring_up(port, dpdk, err);
	if (ret)
		goto err_release;
	get_mtu(port, dpdk);
	port->priv = dpdk;
	port->dp.rx = dpdk_rx;
	port->dp.tx =
		port->dp.tx_offloads & ~RTE_ETH_TX_OFFLOAD_MULTI_SEGS ? dpdk_tx_prepare : dpdk_tx;
	set_up_interrupts(port, dpdk);
	return 0;

err_release:
	release(port, dpdk);
err_free:
	free(dpdk);
	return ret;
}

// ---- the rest ----

static void dpdk_close(struct port *port, bool remove)
{
	struct dpdk *dpdk = port->priv;

	release(port, dpdk); // the process owns the device: there is nothing to leave behind
	free(dpdk);
}

static int dpdk_change(struct port *port, const struct conf_port *conf, struct err *err)
{
	const struct dpdk *dpdk = port->priv;
	const struct conf_port *old = &port->conf;
	uint16_t mtu = conf->mtu ? conf->mtu : RTE_ETHER_MTU;
	int ret = 0;

	if (conf->mtu != old->mtu)
		ret = set_mtu(port, dpdk, mtu, err);
	if (ret)
		return ret;
	if (conf->mtu != old->mtu)
		port->dp.mtu = mtu;
	if (conf->has_mac != old->has_mac || memcmp(&conf->mac, &old->mac, sizeof(conf->mac)) != 0)
		ret = set_mac(port, dpdk, conf, err);
	return ret;
}

static void dpdk_describe(const struct port *port, json_t *obj)
{
	const struct dpdk *dpdk = port->priv;
	struct rte_eth_dev_info info;
	struct rte_eth_link link = {};
	struct rte_ether_addr addr;
	char mac[MAC_TEXT_BYTES];

	if (rte_eth_dev_info_get(dpdk->ethdev, &info) == 0)
		json_object_set_new(obj, "driver", json_string(info.driver_name));
	if (rte_eth_macaddr_get(dpdk->ethdev, &addr) == 0)
		json_object_set_new(
			obj, "mac", json_string(mac_format((const struct mac *)&addr, mac)));
	rte_eth_link_get_nowait(dpdk->ethdev, &link);
	json_object_set_new(obj, "mtu", json_integer(port->dp.mtu));
	json_object_set_new(obj, "link", json_string(link.link_status ? "up" : "down"));
	offloads_describe(port->dp.tx_offloads, obj);
}

const struct port_type port_dpdk = {
	.id = CONF_PORT_DPDK,
	.open = dpdk_open,
	.close = dpdk_close,
	.change = dpdk_change,
	.describe = dpdk_describe,
};
