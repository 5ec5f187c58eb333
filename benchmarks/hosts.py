# SPDX-License-Identifier: BSD-3-Clause
"""Two hosts, which are namespaces h1 and h2 joined by a veth of 1500 bytes, and VXLAN network 42
between them."""

NAMES = ("h1", "h2")
VNI = 42
UDP_PORT = 4789
MTU = 1450  # inside


def address(name):
    return "192.0.2.%d" % (NAMES.index(name) + 1)


def other(name):
    return NAMES[1 - NAMES.index(name)]


def join(lab, cut):
    """Makes the hosts. cut: their wire takes no whole segments of a kernel's tunnel."""
    for name in NAMES:
        lab.namespace(name)
    lab.run("ip", "link", "add", "u0", "netns", "h1", "mtu", "1500", "type", "veth", "peer", "name",
            "u0", "netns", "h2")
    for name in NAMES:
        lab.run("ip", "-n", name, "address", "add", address(name) + "/24", "dev", "u0")
        lab.run("ip", "-n", name, "link", "set", "u0", "up")
        if cut:
            lab.run("ethtool", "-K", "u0", "tx-udp_tnl-segmentation", "off",
                    "tx-udp_tnl-csum-segmentation", "off", namespace=name)


def kernel(lab, name):
    """The kernel's bridge and VXLAN device on a host."""
    def ip(*words):
        lab.run("ip", "-n", name, *words)

    ip("link", "add", "br0", "type", "bridge")
    ip("link", "add", "v0", "type", "vxlan", "id", VNI, "local", address(name), "remote",
       address(other(name)), "dstport", UDP_PORT, "dev", "u0")
    ip("link", "set", "v0", "master", "br0", "up")
    ip("link", "set", "br0", "up")


def kernel_container(lab, host, name, namespace, inside, ifname):
    lab.run("ip", "-n", host, "link", "add", name, "type", "veth", "peer", "name", ifname, "mtu",
            MTU, "netns", namespace)
    lab.run("ip", "-n", host, "link", "set", name, "master", "br0", "up")
    lab.run("ip", "-n", namespace, "address", "add", inside, "dev", ifname)
    lab.run("ip", "-n", namespace, "link", "set", ifname, "up")
