// SPDX-License-Identifier: BSD-3-Clause
// Any DPDK ethdev by its devargs: physical NICs by PCI address, virtual devices by name. What the
// device can do is read from it; the switch finishes the rest in software.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ethdev.h>

#include "base/log.h"
#include "base/util.h"
#include "ports/device.h"
#include "ports/dpdk_io.h"
#include "ports/dpdk_log.h"
#include "ports/dpdk_probe.h"
#include "ports/port_types.h"

#define RX_DESC 1024
#define TX_DESC 1024

// The offloads that the data plane knows (struct dp_port).
#define DPDK_OFFLOADS                                                                              \
	(RTE_ETH_TX_OFFLOAD_TCP_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM |                             \
		RTE_ETH_TX_OFFLOAD_TCP_TSO | RTE_ETH_TX_OFFLOAD_UDP_TSO |                          \
		RTE_ETH_TX_OFFLOAD_MULTI_SEGS)

// ---- open ----

static void count_queues(struct port *port, const struct rte_eth_dev_info *info)
{
	uint16_t wanted = port->conf.queues ? port->conf.queues : 1;
	uint16_t workers = MAX_OF(port->env->nb_workers, 1);

	port->dp.nb_rxq = MIN_OF(wanted, info->max_rx_queues);
	port->dp.nb_txq = MAX_OF(1, MIN_OF(MIN_OF(workers, info->max_tx_queues), CONF_WORKERS_MAX));
}

static int refused_mtu(const struct port *port, const struct rte_eth_dev_info *info, uint16_t mtu,
	int code, struct err *err)
{
	if (info->max_mtu && mtu > info->max_mtu)
		return err_set(err, code, port->path,
			"the device refused mtu %u; it takes at most %u", mtu, info->max_mtu);
	return dpdk_refused(port, code, "the device refused mtu", err);
}

// What a receive buffer must hold for a frame of `mtu` with two tags.
static uint32_t frame_bytes(uint16_t mtu)
{
	return mtu + RTE_ETHER_HDR_LEN + 2 * RTE_VLAN_HLEN;
}

static uint32_t room_bytes(struct rte_mempool *pool)
{
	return rte_pktmbuf_data_room_size(pool) - RTE_PKTMBUF_HEADROOM;
}

// Frames larger than a buffer of 2 KiB are scattered over several of them where the device can,
// else received into big buffers.
static void choose_pool(
	const struct port *port, struct dpdk *dpdk, const struct rte_eth_dev_info *info)
{
	const struct port_env *env = port->env;
	uint16_t mtu = port->conf.mtu ? port->conf.mtu : RTE_ETHER_MTU;

	dpdk->pool = env->pool;
	dpdk->scatter = info->rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER &&
			frame_bytes(mtu) > room_bytes(env->pool);
	if (frame_bytes(mtu) > room_bytes(env->pool) && !dpdk->scatter && env->big_pool)
		dpdk->pool = env->big_pool;
}

static void set_rss(
	const struct port *port, const struct rte_eth_dev_info *info, struct rte_eth_conf *conf)
{
	if (port->dp.nb_rxq == 1)
		return;
	conf->rx_adv_conf.rss_conf.rss_hf =
		info->flow_type_rss_offloads & (RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP);
	if (conf->rx_adv_conf.rss_conf.rss_hf)
		conf->rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
}

static int configure(
	struct port *port, struct dpdk *dpdk, const struct rte_eth_dev_info *info, struct err *err)
{
	struct rte_eth_conf conf = {};
	int rc;

	if (port->conf.queues > info->max_rx_queues)
		return err_set(err, -EINVAL, port->path, "queues: the device has at most %u",
			info->max_rx_queues);
	if (port->conf.mtu && info->max_mtu && port->conf.mtu > info->max_mtu)
		return refused_mtu(port, info, port->conf.mtu, -EINVAL, err);
	port->dp.tx_offloads = info->tx_offload_capa & DPDK_OFFLOADS;
	conf.txmode.offloads = port->dp.tx_offloads;
	if (port->dp.tx_offloads & RTE_ETH_TX_OFFLOAD_TCP_TSO) // it rewrites IPv4 headers
		conf.txmode.offloads |= info->tx_offload_capa & RTE_ETH_TX_OFFLOAD_IPV4_CKSUM;
	if (dpdk->scatter)
		conf.rxmode.offloads |= RTE_ETH_RX_OFFLOAD_SCATTER;
	set_rss(port, info, &conf);
	if (port->conf.mtu)
		conf.rxmode.mtu = port->conf.mtu;
	conf.intr_conf.rxq = 1;
	rc = rte_eth_dev_configure(dpdk->ethdev, port->dp.nb_rxq, port->dp.nb_txq, &conf);
	dpdk->has_intr = rc == 0;
	if (rc) {
		conf.intr_conf.rxq = 0;
		rc = rte_eth_dev_configure(dpdk->ethdev, port->dp.nb_rxq, port->dp.nb_txq, &conf);
	}
	return rc ? dpdk_refused(port, rc, "cannot configure device", err) : 0;
}

// How many receive descriptors: a queue of big buffers may hold a quarter of them, or the first
// port would have them all.
static uint16_t nb_rx_desc(const struct port *port, const struct dpdk *dpdk)
{
	if (dpdk->pool == port->env->pool)
		return RX_DESC;
	return RTE_MAX(RTE_MIN(dpdk->pool->size / 4 / port->dp.nb_rxq, (unsigned)RX_DESC), 1u);
}

static int set_up_queues(struct port *port, const struct dpdk *dpdk,
	const struct rte_eth_dev_info *info, struct err *err)
{
	uint16_t nb_rx = nb_rx_desc(port, dpdk), nb_tx = TX_DESC;
	int rc = rte_eth_dev_adjust_nb_rx_tx_desc(dpdk->ethdev, &nb_rx, &nb_tx);
	int socket = rte_eth_dev_socket_id(dpdk->ethdev);

	for (uint16_t q = 0; !rc && q < port->dp.nb_rxq; q++)
		rc = rte_eth_rx_queue_setup(dpdk->ethdev, q, nb_rx, socket, NULL, dpdk->pool);
	for (uint16_t q = 0; !rc && q < port->dp.nb_txq; q++)
		rc = rte_eth_tx_queue_setup(dpdk->ethdev, q, nb_tx, socket, NULL);
	return rc ? dpdk_refused(port, rc, "cannot set up the queues of device", err) : 0;
}

static int set_mac(const struct port *port, const struct dpdk *dpdk, const struct conf_port *conf,
	struct err *err)
{
	struct rte_ether_addr addr;
	int rc;

	if (!conf->has_mac)
		return 0;
	memcpy(&addr, &conf->mac, sizeof(addr));
	rc = rte_eth_dev_default_mac_addr_set(dpdk->ethdev, &addr);
	return rc ? dpdk_refused(port, rc, "mac refused by device", err) : 0;
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
	struct rte_eth_dev_info info = {};
	int rc = mtu ? rte_eth_dev_set_mtu(dpdk->ethdev, mtu) : 0;

	if (!rc || rc == -ENOTSUP)
		return 0;
	rte_eth_dev_info_get(dpdk->ethdev, &info);
	return refused_mtu(port, &info, mtu, rc, err);
}

static int start(struct port *port, struct dpdk *dpdk, struct err *err)
{
	int rc = rte_eth_dev_start(dpdk->ethdev);

	if (rc)
		return dpdk_refused(port, rc, "cannot start device", err);
	dpdk->started = true;
	rc = rte_eth_promiscuous_enable(dpdk->ethdev);
	if (rc && rc != -ENOTSUP)
		return dpdk_refused(port, rc, "no promiscuous mode on device", err);
	return 0;
}

// Asks in the order in which a device without interrupts says so first and silently.
static bool set_up_interrupt(struct port *port, const struct dpdk *dpdk, uint16_t queue)
{
	if (rte_eth_dev_rx_intr_enable(dpdk->ethdev, queue) < 0)
		return false;
	rte_eth_dev_rx_intr_disable(dpdk->ethdev, queue);
	port->dp.rx_fd[queue] = rte_eth_dev_rx_intr_ctl_q_get_fd(dpdk->ethdev, queue);
	return port->dp.rx_fd[queue] >= 0;
}

static void set_up_interrupts(struct port *port, const struct dpdk *dpdk)
{
	for (uint16_t q = 0; dpdk->has_intr && q < port->dp.nb_rxq; q++) {
		if (!set_up_interrupt(port, dpdk, q)) { // all queues or none
			for (uint16_t i = 0; i <= q; i++)
				port->dp.rx_fd[i] = -1;
			return;
		}
	}
	if (dpdk->has_intr)
		port->dp.rx_arm = dpdk_rx_arm;
}

static void release(const struct port *port, const struct dpdk *dpdk)
{
	if (dpdk->started)
		rte_eth_dev_stop(dpdk->ethdev);
	dpdk_release(port, dpdk->ethdev);
}

static int bring_up(struct port *port, struct dpdk *dpdk, struct err *err)
{
	struct rte_eth_dev_info info;
	int rc = rte_eth_dev_info_get(dpdk->ethdev, &info);

	if (rc)
		return err_set_errno(err, rc, port->path, "the device does not describe itself");
	count_queues(port, &info);
	choose_pool(port, dpdk, &info);
	rc = configure(port, dpdk, &info, err);
	if (!rc)
		rc = set_up_queues(port, dpdk, &info, err);
	if (rc && dpdk_is_unsafe_to_close(dpdk->ethdev)) {
		dpdk_abandon(dpdk->ethdev);
		return rc;
	}
	if (!rc)
		rc = set_mtu(port, dpdk, port->conf.mtu, err);
	if (!rc)
		rc = set_mac(port, dpdk, &port->conf, err);
	if (!rc)
		rc = start(port, dpdk, err);
	return rc;
}

static int open_device(struct port *port, struct dpdk *dpdk, struct err *err)
{
	int rc = dpdk_probe(port, &dpdk->ethdev, err);

	if (rc)
		return rc;
	rc = bring_up(port, dpdk, err);
	if (rc) {
		if (!dpdk_is_abandoned(dpdk->ethdev))
			release(port, dpdk);
		return rc;
	}
	set_up_interrupts(port, dpdk);
	return 0;
}

static int dpdk_open(struct port *port, struct err *err)
{
	struct dpdk *dpdk;
	int rc;

	if (!port->conf.devargs[0])
		return err_set(err, -EINVAL, port->path,
			"devargs= is needed: a PCI address or a "
			"virtual device such as net_null0");
	dpdk = calloc(1, sizeof(*dpdk));
	if (!dpdk)
		return err_set(err, -ENOMEM, port->path, "out of memory");
	dpdk_log_begin();
	rc = open_device(port, dpdk, err);
	dpdk_log_end();
	if (rc) {
		free(dpdk);
		return rc;
	}
	if (dpdk_log_said()[0]) // some drivers fail and return success
		log_warn("%s: DPDK: %s", port->path, dpdk_log_said());
	get_mtu(port, dpdk);
	port->priv = dpdk;
	port->dp.rx = dpdk_rx;
	port->dp.tx =
		port->dp.tx_offloads & ~RTE_ETH_TX_OFFLOAD_MULTI_SEGS ? dpdk_tx_prepare : dpdk_tx;
	return 0;
}

// ---- the rest ----

static void dpdk_close(struct port *port, bool remove)
{
	struct dpdk *dpdk = port->priv;

	dpdk_log_begin();
	release(port, dpdk); // the process owns the device: there is nothing to leave behind
	dpdk_log_end();
	free(dpdk);
}

// The queues have the buffers that the MTU at their start called for.
static int check_room(
	const struct port *port, const struct dpdk *dpdk, uint16_t mtu, struct err *err)
{
	if (dpdk->scatter || frame_bytes(mtu) <= room_bytes(dpdk->pool))
		return 0;
	return err_set(err, -EOPNOTSUPP, port->path,
		"mtu %u needs larger receive buffers: delete the port and add it again with this "
		"mtu",
		mtu);
}

static int change(
	struct port *port, const struct dpdk *dpdk, const struct conf_port *conf, struct err *err)
{
	const struct conf_port *old = &port->conf;
	uint16_t mtu = conf->mtu ? conf->mtu : RTE_ETHER_MTU, old_mtu = port->dp.mtu;
	int rc = 0;

	if (conf->mtu != old->mtu)
		rc = check_room(port, dpdk, mtu, err);
	if (!rc && conf->mtu != old->mtu)
		rc = set_mtu(port, dpdk, mtu, err);
	if (rc)
		return rc;
	if (conf->has_mac != old->has_mac || memcmp(&conf->mac, &old->mac, sizeof(conf->mac)) != 0)
		rc = set_mac(port, dpdk, conf, err);
	if (rc && conf->mtu != old->mtu)
		rte_eth_dev_set_mtu(dpdk->ethdev, old_mtu);
	if (!rc && conf->mtu != old->mtu)
		port->dp.mtu = mtu;
	return rc;
}

static int dpdk_change(struct port *port, const struct conf_port *conf, struct err *err)
{
	int rc;

	dpdk_log_begin();
	rc = change(port, port->priv, conf, err);
	dpdk_log_end();
	return rc;
}

static bool dpdk_wire_mac(const struct port *port, struct mac *ret_mac)
{
	const struct dpdk *dpdk = port->priv;
	struct rte_ether_addr addr;

	if (rte_eth_macaddr_get(dpdk->ethdev, &addr) < 0)
		return false;
	memcpy(ret_mac, &addr, sizeof(*ret_mac));
	return true;
}

static void dpdk_describe(const struct port *port, json_t *obj)
{
	const struct dpdk *dpdk = port->priv;
	struct rte_eth_dev_info info;
	struct rte_eth_link link = {};
	char text[MAC_TEXT_BYTES];
	struct mac mac;

	if (rte_eth_dev_info_get(dpdk->ethdev, &info) == 0)
		json_object_set_new(obj, "driver", json_string(info.driver_name));
	if (dpdk_wire_mac(port, &mac))
		json_object_set_new(obj, "mac", json_string(mac_format(&mac, text)));
	rte_eth_link_get_nowait(dpdk->ethdev, &link);
	json_object_set_new(obj, "mtu", json_integer(port->dp.mtu));
	json_object_set_new(obj, "link", json_string(link.link_status ? "up" : "down"));
	offloads_describe(port->dp.tx_offloads, obj);
}

const struct port_type port_dpdk = {
	.open = dpdk_open,
	.close = dpdk_close,
	.change = dpdk_change,
	.describe = dpdk_describe,
	.wire_mac = dpdk_wire_mac,
};
