# SPDX-License-Identifier: BSD-3-Clause
"""dnsmasq with names from a file, in a container's own namespace: no switch, only the DNS server that
people put there."""

import shutil
import subprocess

from benchmarks.peers import Switch


def missing():
    if not shutil.which("dnsmasq"):
        return "not installed: run scripts/setup --bench (Debian: dnsmasq-base)"
    return None


def version():
    out = subprocess.run(["dnsmasq", "--version"], check=True, capture_output=True, text=True)
    return " ".join(out.stdout.split("\n")[0].split()[:3])


class Dnsmasq(Switch):
    def names(self, addresses, cpu):
        lab, address = self.lab, "127.0.0.11"
        lab.namespace("c1")
        hosts = lab.dir / "hosts"
        hosts.write_text("".join("%s %s\n" % (ip, name) for name, ip in addresses.items()))
        process = lab.spawn(
            "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--user=root", "--no-resolv",
            "--no-hosts", "--addn-hosts=%s" % hosts, "--listen-address=" + address,
            "--bind-interfaces", "--local-ttl=2", "--pid-file=%s" % (lab.dir / "dnsmasq.pid"),
            namespace="c1", cpu=cpu, log="dnsmasq.log")
        lab.wait("dnsmasq answers", lambda: lab.run(
            "dig", "+short", "+tries=1", "+time=1", "@" + address, next(reversed(addresses)),
            namespace="c1").strip(), 20, process)
        return "c1", address


PEERS = {"dnsmasq": Dnsmasq}
