// SPDX-License-Identifier: BSD-3-Clause
// Limits of protocols and of the kernel that several layers check.
#pragma once

#define VNI_MAX		  0xffffff // 24 bits (RFC 7348, section 5)
#define MTU_MIN		  68	   // of IPv4 (RFC 791)
#define MTU_MIN_IPV6	  1280	   // RFC 8200, section 5
#define MTU_MAX		  65535	   // of a tap or veth (linux/if_ether.h, ETH_MAX_MTU)
#define MTU_MIN_UNDERLAY  576	   // what every IPv4 host takes (RFC 791)
#define FLOOD_LIMIT_MAX	  16777216 // frames a second
#define FLOOD_LIMIT_HOSTS 8 // remote hosts that are sent a frame of these; more count as more
#define UDP_PORT_MAX	  65535
#define VXLAN_UDP_PORT	  4789 // RFC 7348, section 5
