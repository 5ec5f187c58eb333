// SPDX-License-Identifier: BSD-3-Clause
#include "vxlan/vxlan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/util.h"
#include "vxlan/liveness.h"
#include "vxlan/vtep.h"

#define PROBES_A_SERVICE 256  // remotes whose route is looked at in one vtep_service()
#define UNDERLAY_MTU	 1500 // when nothing says what it is
#define NUMBERS_RESTING	 64

// ---- VTEPs ----

const struct vtep_underlay *vtep_underlay_of(enum conf_underlay underlay)
{
	static const struct vtep_underlay *const underlays[] = {
		[CONF_UNDERLAY_KERNEL] = &kernel_underlay,
		[CONF_UNDERLAY_PORT] = &port_underlay,
	};

	return underlays[underlay];
}

static void vtep_free(struct vtep *vtep)
{
	vxlan_table_free(atomic_load(&vtep->table));
	liveness_fini(&vtep->liveness);
	for (uint32_t r = 0; r < vtep->remote_room; r++)
		free(vtep->remote[r].heartbeat);
	free(vtep->remote);
	free(vtep->vni);
	free(vtep);
}

static void update_mtu(struct vtep *vtep);

int vtep_open(const struct conf_vtep *conf, const struct vxlan_env *env, struct dp_port *lower,
	struct vtep **ret_vtep, struct err *err)
{
	const struct vtep_underlay *underlay = vtep_underlay_of(conf->underlay);
	struct vtep *vtep = calloc(1, sizeof(*vtep));
	int rc;

	if (!vtep)
		return err_set(err, -ENOMEM, conf->name, "out of memory");
	vtep->conf = *conf;
	vtep->env = *env;
	snprintf(vtep->path, sizeof(vtep->path), "VTEP %s", conf->name);
	rte_spinlock_init(&vtep->dp.tx_lock);
	vtep->dp.demux = true;
	vtep->dp.mtu = UINT16_MAX;
	vtep->dirty = true;
	for (unsigned i = 0; i < DP_QUEUES_MAX; i++)
		vtep->dp.rx_fd[i] = -1;
	rc = liveness_init(&vtep->liveness);
	if (!rc)
		rc = vtep_publish(vtep);
	if (rc)
		err_set_errno(err, rc, vtep->path, "cannot be created");
	else
		rc = underlay->open(vtep, lower, err);
	if (rc) {
		vtep_free(vtep);
		return rc;
	}
	vtep->underlay = underlay;
	vtep->env.distrusted = NULL; // the caller's
	update_mtu(vtep);
	*ret_vtep = vtep;
	return 0;
}

void vtep_close(struct vtep *vtep)
{
	vtep->underlay->close(vtep);
	vtep_free(vtep);
}

struct dp_port *vtep_port(struct vtep *vtep)
{
	return &vtep->dp;
}

// ---- MTU ----

uint16_t vtep_mtu(const struct vtep *vtep)
{
	return atomic_load_explicit(&vtep->mtu, memory_order_relaxed);
}

static uint16_t smaller_of_known(uint16_t a, uint16_t b)
{
	return !a || (b && b < a) ? b : a;
}

// Of the underlay: what is configured, else the least of the device and the ways to the remotes.
static uint16_t underlay_mtu(const struct vtep *vtep)
{
	uint16_t mtu;

	if (vtep->conf.mtu)
		return vtep->conf.mtu;
	mtu = vtep->underlay->device_mtu(vtep);
	for (uint32_t r = 1; r < vtep->remote_room; r++)
		if (vtep->remote[r].ip.family)
			mtu = smaller_of_known(mtu, vtep->remote[r].path_mtu);
	return mtu ? mtu : UNDERLAY_MTU;
}

// Of the VTEP's family; with both, that of IPv6 unless all remotes are of IPv4.
static uint16_t overhead(const struct vtep *vtep)
{
	const struct ip_addr *own = &vtep->conf.address;
	bool ip4 = own->family == 4 || (ip_is_any(own) && vtep->nb_remotes && !vtep->nb_ip6);

	return ip4 ? VXLAN_OVERHEAD_IP4 : VXLAN_OVERHEAD_IP6;
}

static void update_vni_mtu(struct vni *vni)
{
	uint16_t mtu = vtep_mtu(vni->vtep);

	if (vni->conf_mtu)
		mtu = MIN_OF(vni->conf_mtu, mtu);
	if (mtu == vni->dp.mtu)
		return;
	vni->dp.mtu = mtu;
	if (vni->on_mtu)
		vni->on_mtu(vni->on_mtu_arg);
}

// What goes to all remotes. An MTU that is configured is the operator's word, whatever is measured.
static uint16_t measured_mtu(const struct vtep *vtep)
{
	// Linux takes IPv6 away from interfaces with less.
	uint16_t mtu = vtep->limit, floor = MIN_OF(vtep->limit, MTU_MIN_IPV6);

	for (uint32_t r = 1; r < vtep->remote_room && !vtep->conf.mtu; r++)
		mtu = MIN_OF(mtu, path_size(&vtep->remote[r].path, vtep->limit));
	return MAX_OF(mtu, floor);
}

static void update_mtu(struct vtep *vtep)
{
	uint16_t mtu = underlay_mtu(vtep);

	vtep->limit = mtu > overhead(vtep) ? mtu - overhead(vtep) : 0;
	mtu = measured_mtu(vtep);
	if (mtu == vtep_mtu(vtep))
		return;
	atomic_store_explicit(&vtep->mtu, mtu, memory_order_relaxed);
	for (uint32_t i = 0; i < vtep->vni_room; i++)
		if (vtep->vni[i])
			update_vni_mtu(vtep->vni[i]);
}

// ---- remote VTEPs ----

static uint16_t *head_of(struct vtep *vtep, const struct ip_addr *ip)
{
	return &vtep->head[hash_add(HASH_INIT, ip, sizeof(*ip)) % VTEP_REMOTE_HEADS];
}

static int check_remote(const struct vtep *vtep, const struct ip_addr *ip, struct err *err)
{
	const struct ip_addr *own = &vtep->conf.address;
	char text[IP_TEXT_BYTES];

	ip_format(ip, text);
	if (ip->family != own->family && !(own->family == 6 && ip_is_any(own)))
		return err_set(err, -EAFNOSUPPORT, vtep->path,
			"has an IPv%u address; remote VTEP %s has one of IPv%u", own->family, text,
			ip->family);
	if (ip_is_any(ip) || ip_is_multicast(ip))
		return err_set(err, -EINVAL, vtep->path,
			"remote VTEP %s is not the address of a host", text);
	if (ip_equal(ip, own))
		return err_set(err, -EINVAL, vtep->path, "remote VTEP %s is its own address", text);
	return 0;
}

// Numbers come again only after some others: forwarding entries may still name an old one.
static int take_number(struct vtep *vtep, uint16_t *ret_remote)
{
	uint32_t room = MIN_OF(vtep->nb_remotes * 2 + NUMBERS_RESTING, VXLAN_REMOTES_MAX) + 1;
	uint32_t number = vtep->last_remote;

	if (vtep->nb_remotes == VXLAN_REMOTES_MAX)
		return -ENOSPC;
	if (room > vtep->remote_room) {
		struct vtep_remote *bigger = realloc(vtep->remote, room * sizeof(*bigger));

		if (!bigger)
			return -ENOMEM;
		memset(bigger + vtep->remote_room, 0, (room - vtep->remote_room) * sizeof(*bigger));
		vtep->remote = bigger;
		vtep->remote_room = room;
	}
	do {
		number = number % (vtep->remote_room - 1) + 1;
	} while (vtep->remote[number].ip.family);
	*ret_remote = vtep->last_remote = number;
	return 0;
}

int vtep_remote_get(
	struct vtep *vtep, const struct ip_addr *ip, uint16_t *ret_remote, struct err *err)
{
	uint16_t *head = head_of(vtep, ip), number;
	int rc = check_remote(vtep, ip, err);

	if (rc)
		return rc;
	for (number = *head; number; number = vtep->remote[number].next) {
		if (ip_equal(&vtep->remote[number].ip, ip)) {
			vtep->remote[number].refs++;
			*ret_remote = number;
			return 0;
		}
	}
	rc = take_number(vtep, &number);
	if (rc)
		return err_set_errno(err, rc, vtep->path, "has no room for another remote VTEP");
	vtep->remote[number] =
		(struct vtep_remote){.ip = *ip, .refs = 1, .next = *head, .vni = VTEP_NO_VNI};
	*head = number;
	vtep->nb_remotes++;
	vtep->nb_ip6 += ip->family == 6;
	vtep->dirty = true;
	vtep->remote[number].path_mtu = vtep->underlay->path_mtu(vtep, ip);
	// Not for each of thousands: vtep_service() looks at them all.
	if (vtep->nb_remotes == 1 || (ip->family == 6 && vtep->nb_ip6 == 1) ||
		vtep->remote[number].path_mtu < vtep->limit + overhead(vtep))
		update_mtu(vtep);
	*ret_remote = number;
	return 0;
}

void vtep_remote_put(struct vtep *vtep, uint16_t number)
{
	struct vtep_remote *remote = &vtep->remote[number];
	uint16_t *link = head_of(vtep, &remote->ip);

	if (--remote->refs)
		return;
	vtep->nb_ip6 -= remote->ip.family == 6;
	while (*link != number)
		link = &vtep->remote[*link].next;
	*link = remote->next;
	free(remote->heartbeat);
	*remote = (struct vtep_remote){};
	vtep->nb_remotes--;
	vtep->dirty = true;
}

bool vtep_remote_ip(const struct vtep *vtep, uint16_t remote, struct ip_addr *ret_ip)
{
	if (!vtep_is_remote(vtep, remote))
		return false;
	*ret_ip = vtep->remote[remote].ip;
	return true;
}

// ---- VNIs ----

// The index of a VNI that is to be `number`: a free one. -EEXIST when the VTEP has it.
static int take_index(struct vtep *vtep, uint32_t number, uint32_t *ret_index, struct err *err)
{
	uint32_t room = vtep->vni_room, index = room;
	struct vni **bigger;

	for (uint32_t i = room; i-- > 0;) {
		if (!vtep->vni[i])
			index = i;
		else if (vtep->vni[i]->number == number)
			return err_set(err, -EEXIST, vtep->path, "already has VNI %u", number);
	}
	if (index == room) {
		bigger = realloc(vtep->vni, (room * 2 + 4) * sizeof(*bigger));
		if (!bigger)
			return err_set(err, -ENOMEM, vtep->path, "out of memory");
		memset(bigger + room, 0, (room + 4) * sizeof(*bigger));
		vtep->vni = bigger;
		vtep->vni_room = room * 2 + 4;
	}
	*ret_index = index;
	return 0;
}

int vni_open(
	struct vtep *vtep, uint32_t number, uint16_t mtu, struct vni **ret_vni, struct err *err)
{
	struct vni *vni = calloc(1, sizeof(*vni));
	int rc;

	if (!vni)
		return err_set(err, -ENOMEM, vtep->path, "out of memory");
	rc = take_index(vtep, number, &vni->index, err);
	if (rc) {
		free(vni);
		return rc;
	}
	vni->vtep = vtep;
	vni->number = number;
	vni->conf_mtu = mtu;
	vni_mark(vni, 0, VXLAN_TTL);
	vni->dp.tunnel = true;
	vni->dp.take_local = liveness_take;
	for (unsigned i = 0; i < DP_QUEUES_MAX; i++)
		vni->dp.rx_fd[i] = -1;
	rte_spinlock_init(&vni->dp.tx_lock);
	vtep->underlay->vni_init(vni);
	update_vni_mtu(vni);
	vtep->vni[vni->index] = vni;
	vtep->dirty = true;
	*ret_vni = vni;
	return 0;
}

void vni_close(struct vni *vni)
{
	vni->vtep->vni[vni->index] = NULL;
	vni->vtep->dirty = true;
	free(vni->member);
	free(vni);
}

struct dp_port *vni_port(struct vni *vni)
{
	return &vni->dp;
}

void vni_mark(struct vni *vni, uint8_t dscp, uint8_t ttl)
{
	atomic_store_explicit(
		&vni->marking, marking_pack(marking_make(dscp, ttl)), memory_order_relaxed);
}

struct vxlan_marking vtep_marking(const struct vtep *vtep, uint32_t number)
{
	for (uint32_t i = 0; i < vtep->vni_room; i++)
		if (vtep->vni[i] && vtep->vni[i]->number == number)
			return vni_marking(vtep->vni[i]);
	return marking_make(0, VXLAN_TTL);
}

void vni_watch_mtu(struct vni *vni, void (*fn)(void *arg), void *arg)
{
	vni->on_mtu = fn;
	vni->on_mtu_arg = arg;
}

int vni_remote_add(struct vni *vni, uint16_t remote, bool flood)
{
	struct vtep *vtep = vni->vtep;

	if (!vtep_is_remote(vtep, remote))
		return -ENOENT;
	if (remote >= vni->member_room) {
		uint32_t room = vtep->remote_room;
		struct vni_member *bigger = realloc(vni->member, room * sizeof(*bigger));

		if (!bigger)
			return -ENOMEM;
		memset(bigger + vni->member_room, 0, (room - vni->member_room) * sizeof(*bigger));
		vni->member = bigger;
		vni->member_room = room;
	}
	vtep->dirty |= !vni->member[remote].takes++;
	if (flood)
		vtep->dirty |= !vni->member[remote].floods++;
	return 0;
}

void vni_remote_del(struct vni *vni, uint16_t remote, bool flood)
{
	vni->vtep->dirty |= !--vni->member[remote].takes;
	if (flood)
		vni->vtep->dirty |= !--vni->member[remote].floods;
}

// ---- tables ----

struct sizes {
	uint32_t sources, flooded;
};

static struct sizes count_entries(const struct vtep *vtep)
{
	struct sizes sizes = {};

	for (uint32_t i = 0; i < vtep->vni_room; i++) {
		const struct vni *vni = vtep->vni[i];

		for (uint32_t r = 0; vni && r < vni->member_room; r++) {
			sizes.sources += vni->member[r].takes > 0;
			sizes.flooded += vni->member[r].floods > 0;
		}
	}
	return sizes;
}

static void add_vni(struct vtep *vtep, struct vni *vni, struct vxlan_table *table)
{
	unsigned nb_flooded = 0;

	vxlan_table_add_vni(table, vni->index, vni->number);
	for (uint32_t r = 0; r < vni->member_room; r++) {
		if (!vtep_is_remote(vtep, r))
			continue;
		if (vni->member[r].takes) {
			vxlan_table_add_source(table, r, vni->number, vni->dp.id);
			vtep->remote[r].vni = MIN_OF(vtep->remote[r].vni, vni->number);
		}
		if (!vni->member[r].floods)
			continue;
		vxlan_table_add_flood(table, vni->index, r);
		nb_flooded++;
	}
	atomic_store_explicit(&vni->dp.nb_remotes, nb_flooded, memory_order_relaxed);
}

static struct vxlan_table *build_table(struct vtep *vtep)
{
	struct sizes sizes = count_entries(vtep);
	struct vxlan_table *table =
		vxlan_table_new(vtep->remote_room, vtep->vni_room, sizes.sources, sizes.flooded);

	if (!table)
		return NULL;
	for (uint32_t r = 1; r < vtep->remote_room; r++)
		if (vtep_is_remote(vtep, r)) {
			vxlan_table_add_remote(
				table, r, &vtep->remote[r].ip, vtep->conf.udp_port, vtep->mapped);
			vtep->remote[r].vni = VTEP_NO_VNI;
		}
	for (uint32_t i = 0; i < vtep->vni_room; i++)
		if (vtep->vni[i])
			add_vni(vtep, vtep->vni[i], table);
	return table;
}

int vtep_distrust(struct vtep *vtep, const int *ifindex, unsigned count)
{
	return vtep->underlay->distrust ? vtep->underlay->distrust(vtep, ifindex, count) : 0;
}

int vtep_publish(struct vtep *vtep)
{
	struct vxlan_table *table, *old;

	if (!vtep->dirty)
		return 0;
	table = build_table(vtep);
	if (!table)
		return -ENOMEM;
	if (vtep->underlay && vtep->underlay->publish) {
		int rc = vtep->underlay->publish(vtep, table);

		if (rc) {
			vxlan_table_free(table);
			return rc;
		}
	}
	old = atomic_exchange(&vtep->table, table);
	if (old)
		dp_retire(vtep->env.dp, vxlan_table_free, old);
	vtep->dirty = false;
	return 0;
}

// ---- time and telling ----

static void probe_remotes(struct vtep *vtep)
{
	uint16_t *next = &vtep->next_probe;
	unsigned left = MIN_OF(vtep->nb_remotes, PROBES_A_SERVICE);

	for (uint32_t i = 0; left && i < vtep->remote_room; i++) {
		struct vtep_remote *remote;

		*next = (*next + 1u) % vtep->remote_room;
		remote = &vtep->remote[*next];
		if (!remote->ip.family)
			continue;
		remote->path_mtu = vtep->underlay->path_mtu(vtep, &remote->ip);
		left--;
	}
}

uint32_t vtep_service(struct vtep *vtep, uint64_t now_us)
{
	uint16_t before = vtep_mtu(vtep);
	uint32_t next_us = vtep->underlay->service(vtep, now_us);

	probe_remotes(vtep);
	update_mtu(vtep);
	if (vtep_mtu(vtep) != before && vtep->env.event) {
		json_t *data =
			json_pack("{s:s, s:i}", "vtep", vtep->conf.name, "mtu", vtep_mtu(vtep));

		vtep->env.event(vtep->env.event_arg, "vtep.mtu", data);
		json_decref(data);
	}
	return next_us;
}

// Of outer packets on the way to a remote; 0: not known.
static uint16_t path_mtu(const struct vtep *vtep, const struct vtep_remote *remote)
{
	uint16_t added = remote->ip.family == 4 ? VXLAN_OVERHEAD_IP4 : VXLAN_OVERHEAD_IP6;
	uint16_t size = path_size(&remote->path, vtep->limit);

	return size < vtep->limit ? size + added : remote->path_mtu;
}

json_t *vtep_remotes_json(const struct vtep *vtep)
{
	json_t *list = json_array();
	char text[IP_TEXT_BYTES];

	for (uint32_t r = 1; r < vtep->remote_room; r++) {
		const struct vtep_remote *remote = &vtep->remote[r];
		json_t *obj;

		if (!remote->ip.family)
			continue;
		obj = json_pack("{s:s}", "ip", ip_format(&remote->ip, text));
		if (path_mtu(vtep, remote))
			json_object_set_new(obj, "path_mtu", json_integer(path_mtu(vtep, remote)));
		liveness_describe(vtep, remote, obj);
		json_array_append_new(list, obj);
	}
	return list;
}

void vtep_describe(const struct vtep *vtep, json_t *obj)
{
	json_t *vnis = json_array();

	for (uint32_t i = 0; i < vtep->vni_room; i++)
		if (vtep->vni[i])
			json_array_append_new(vnis, json_integer(vtep->vni[i]->number));
	json_object_set_new(obj, "mtu", json_integer(vtep_mtu(vtep)));
	json_object_set_new(obj, "vnis", vnis);
	json_object_set_new(obj, "remotes", vtep_remotes_json(vtep));
	if (vtep->underlay->describe)
		vtep->underlay->describe(vtep, obj);
}
