// SPDX-License-Identifier: BSD-3-Clause
// Traffic control, as far as it is needed: filters that drop everything at both hooks of a device
// (clsact). Classic BPF in direct-action mode needs neither an action module nor bpf(2).
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/rtnetlink.h>

#include "base/netlink.h"
#include "base/netlink_talk.h"

#define PRIORITY 1 // before whatever else there is

static const uint16_t hooks[] = {TC_H_MIN_INGRESS, TC_H_MIN_EGRESS};

static struct nlmsghdr *begin(struct nl *nl, char *buf, uint16_t type, uint16_t flags, int ifindex,
	uint32_t parent, struct tcmsg **ret_tc)
{
	struct nlmsghdr *msg = nl_begin(nl, buf, type, NLM_F_ACK | flags);

	*ret_tc = mnl_nlmsg_put_extra_header(msg, sizeof(**ret_tc));
	(*ret_tc)->tcm_family = AF_UNSPEC;
	(*ret_tc)->tcm_ifindex = ifindex;
	(*ret_tc)->tcm_parent = parent;
	return msg;
}

static struct nlmsghdr *begin_filter(
	struct nl *nl, char *buf, uint16_t type, uint16_t flags, int ifindex, uint16_t hook)
{
	struct tcmsg *tc;
	struct nlmsghdr *msg =
		begin(nl, buf, type, flags, ifindex, TC_H_MAKE(TC_H_CLSACT, hook), &tc);

	tc->tcm_handle = 1;
	tc->tcm_info = TC_H_MAKE(PRIORITY << 16, htons(ETH_P_ALL));
	mnl_attr_put_strz(msg, TCA_KIND, "bpf");
	return msg;
}

static int add_hooks(struct nl *nl, int ifindex)
{
	char buf[NL_BUFFER_BYTES];
	struct tcmsg *tc;
	struct nlmsghdr *msg =
		begin(nl, buf, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, ifindex, TC_H_CLSACT, &tc);

	tc->tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0);
	mnl_attr_put_strz(msg, TCA_KIND, "clsact");
	return nl_talk(nl, msg, NULL, NULL);
}

static int add_filter(struct nl *nl, int ifindex, uint16_t hook)
{
	const struct sock_filter drop = BPF_STMT(BPF_RET | BPF_K, TC_ACT_SHOT);
	char buf[NL_BUFFER_BYTES];
	struct nlmsghdr *msg =
		begin_filter(nl, buf, RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL, ifindex, hook);
	struct nlattr *options = mnl_attr_nest_start(msg, TCA_OPTIONS);

	mnl_attr_put_u16(msg, TCA_BPF_OPS_LEN, 1);
	mnl_attr_put(msg, TCA_BPF_OPS, sizeof(drop), &drop);
	mnl_attr_put_u32(msg, TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT);
	mnl_attr_nest_end(msg, options);
	return nl_talk(nl, msg, NULL, NULL);
}

int nl_stack_off(struct nl *nl, int ifindex)
{
	int ret = add_hooks(nl, ifindex);
	bool is_new = ret == 0;

	if (ret && ret != -EEXIST)
		return ret;
	for (unsigned i = 0; i < sizeof(hooks) / sizeof(hooks[0]); i++) {
		ret = add_filter(nl, ifindex, hooks[i]);
		if (ret && ret != -EEXIST)
			return ret;
		is_new |= ret == 0;
	}
	return is_new;
}

int nl_stack_on(struct nl *nl, int ifindex)
{
	int ret = 0;

	for (unsigned i = 0; i < sizeof(hooks) / sizeof(hooks[0]); i++) {
		char buf[NL_BUFFER_BYTES];
		int rc = nl_talk(nl, begin_filter(nl, buf, RTM_DELTFILTER, 0, ifindex, hooks[i]),
			NULL, NULL);

		ret = ret ? ret : rc;
	}
	return ret;
}
