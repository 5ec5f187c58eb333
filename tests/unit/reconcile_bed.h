// SPDX-License-Identifier: BSD-3-Clause
// A reconciler between a replica and a switch in memory, for its tests: host h0 of a few, in time
// that does not pass by itself.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "netd/reconcile/reconcile.h"
#include "tests/sim/fake_switch.h"
#include "tests/sim/random.h"
#include "tests/sim/records.h"

#define SELF	"h0"
#define NETS	3
#define HOSTS	5
#define OWN_MAX 8
#define SECOND	UINT64_C(1000000)

struct own {
	struct local_endpoint base;
	bool used, told, gone, failed; // `failed`: once
	int rc;
	unsigned nb_down;
	char reason[200];
};

struct bed {
	struct replica replica;
	struct reconcile *rec;
	struct fake_switch *sw;
	struct sim_random random;
	uint64_t now_us;
	struct own own[OWN_MAX];
	bool up;
	char gateway[NETS][ID_BYTES]; // networks whose gateway is up
	unsigned nb_gateway_calls;
	json_t *audit;
	int audit_rc;
};

// ---- life; for cmocka ----

int bed_set_up(void **state);
int bed_tear_down(void **state);

// ---- what the reconciler tells ----

void bed_on_port(void *arg, struct local_endpoint *base, int rc, const struct err *err);
void bed_on_port_gone(void *arg, struct local_endpoint *base);
void bed_on_port_down(void *arg, struct local_endpoint *base, const char *reason);
void bed_on_state(void *arg, bool up);
void bed_on_gateway(void *arg, struct replica_net *net, const char *ifname, bool up);
void bed_start_rec(struct bed *bed);

// The entry of bed.gateway with that id; NULL.
char *bed_gateway(struct bed *bed, const char *id);

// ---- what changes, besides records.h ----

// An endpoint by its number.
void bed_add(struct bed *bed, unsigned net, unsigned n, unsigned host);

// An endpoint of this host; and after on_port_gone().
struct own *bed_connect(struct bed *bed, unsigned slot, unsigned net, unsigned n);
void bed_let_go(struct own *own);

// Hosts 1 to 3 at 10.1.0.2 to .4, a network with an endpoint on each and one of this host.
void bed_usual(struct bed *bed);

// ---- time ----

void bed_run(struct bed *bed, uint64_t us);

// Until the switch has all that is wanted, which has to come soon.
void bed_settle(struct bed *bed);

// ---- what must be so ----

// The switch has what a plain look at the replica says. Not for networks where a MAC is claimed
// twice.
void bed_check(struct bed *bed);

// Both of the above.
void bed_settled(struct bed *bed);

// The answer is in bed.audit.
void bed_audit(struct bed *bed, bool repair);

const struct own *bed_own_of(struct bed *bed, const struct replica_net *net,
	const struct ip_addr *ip, const struct mac *mac);
bool bed_wins(struct bed *bed, const struct replica_net *net, const struct replica_endpoint *ep);
bool bed_is_placed(const struct replica_endpoint *ep);
bool bed_is_gateway(const struct replica_net *net, const struct ip_addr *ip);
unsigned bed_flood_count(const struct bed *bed, const struct replica_net *net);
