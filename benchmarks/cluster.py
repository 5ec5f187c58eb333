# SPDX-License-Identifier: BSD-3-Clause
"""Hosts h1, h2, ... (namespaces) on a LAN with vswitchd and vsnetd each, and a real etcd."""

import json
import shutil
import time

from benchmarks import machine
from benchmarks.lab import Skip
from benchmarks.peers.causeway import VSCTL, Process

VSNETD = machine.BUILD / "netd/daemon/vsnetd"
STORE = "10.1.0.100"
PREFIX = "causeway"
ETCD = shutil.which("etcd")


class Node:
    """One host."""

    def __init__(self, cluster, number):
        self.lab = cluster.lab
        self.name = "h%d" % number
        cluster.join(self.name, "10.1.0.%d" % number)
        cpu = number % len(machine.CPUS)
        self.switch = Process(self.lab, self.name, "workers: [%d]\n" % machine.CPUS[cpu], self.name)
        self.conf = self.switch.dir / "vsnetd.yaml"
        self.conf.write_text("\n".join([
            "host: " + self.name, "cluster-store: etcd://%s:2379/%s" % (STORE, PREFIX),
            "cluster-advertise: u0", *cluster.conf, ""]))
        self.launch()

    def launch(self):
        run = self.switch.dir / "run"
        self.agent = self.lab.spawn(
            VSNETD, "--config", self.conf, "--switch", run, "--run-dir", run / "net", "--state-dir",
            self.switch.dir / "net", namespace=self.name, log=self.name + "-net.log")
        self.lab.wait("vsnetd answers", lambda: self.vsctl("host", "ls"), 30, self.agent)

    def stop(self):
        self.lab.end(self.agent)

    def vsctl(self, *words):
        return self.lab.run(VSCTL, "--run-dir", self.switch.dir / "run", *words)

    def json(self, *words):
        return json.loads(self.vsctl("--json", *words))

    def status(self):
        """As `vsctl agent show` tells it, also when something is wrong: then the verb fails."""
        return json.loads(self.lab.run(VSCTL, "--run-dir", self.switch.dir / "run", "--json", "agent",
                                       "show", check=False))

    def endpoints(self, network):
        """The endpoints of a network that this host knows, by name."""
        result = self.json("network", "inspect", network)
        found = result[0] if isinstance(result, list) else result.get("networks", [result])[0]
        return {e["name"]: e for e in found["endpoints"]}


class Cluster:
    """conf: further lines of vsnetd's configuration."""

    def __init__(self, lab, hosts, conf=()):
        self.conf = conf
        if not ETCD:
            raise Skip("etcd is not installed")
        self.lab = lab
        lab.namespace("lan")
        lab.run("ip", "-n", "lan", "link", "add", "lan", "type", "bridge", "mcast_snooping", "0")
        lab.run("ip", "-n", "lan", "link", "set", "lan", "up")
        self.join("store", STORE)
        self.start_store()
        self.nodes = [Node(self, number) for number in range(1, hosts + 1)]
        lab.wait("all hosts are present", self.complete, 20)

    def join(self, name, address):
        self.lab.namespace(name)
        run = self.lab.run
        run("ip", "-n", "lan", "link", "add", name, "type", "veth", "peer", "name", "u0", "netns", name)
        run("ip", "-n", "lan", "link", "set", name, "master", "lan", "up")
        run("ip", "-n", name, "address", "add", address + "/24", "dev", "u0")
        run("ip", "-n", name, "link", "set", "u0", "up")

    def start_store(self):
        client, peer = "http://%s:2379" % STORE, "http://127.0.0.1:2380"
        self.store = self.lab.spawn(
            ETCD, "--name", "s", "--data-dir", self.lab.dir / "etcd", "--listen-client-urls", client,
            "--advertise-client-urls", client, "--listen-peer-urls", peer,
            "--initial-advertise-peer-urls", peer, "--initial-cluster", "s=" + peer,
            namespace="store", log="etcd.log")
        self.lab.wait("etcd answers", lambda: self.etcdctl("endpoint", "health") is not None, 30,
                      self.store)

    def etcdctl(self, *words, **options):
        return self.lab.run("env", "ETCDCTL_API=3", "etcdctl", "--endpoints",
                            "http://%s:2379" % STORE, *words, namespace="store", **options)

    def get(self, key):
        """The value of one key of the store, as JSON."""
        return json.loads(self.etcdctl("get", "--print-value-only", PREFIX + "/v1/" + key))

    def revision(self):
        out = json.loads(self.etcdctl("get", "-w", "json", "nothing"))
        return out["header"]["revision"]

    def complete(self):
        return all(sum(h["state"] == "present" for h in node.json("host", "ls")["hosts"]) ==
                   len(self.nodes) for node in self.nodes)


def reach_ms(lab, namespace, address, start):
    """Milliseconds from `start` to the first answered ping; each try asks for the neighbour anew."""
    while time.monotonic() - start < 10:
        lab.run("ip", "-n", namespace, "neigh", "flush", "dev", "eth0")
        if " 0% packet loss" in lab.run("ping", "-q", "-c", "1", "-W", "0.02", address,
                                        namespace=namespace, check=False):
            break
    return (time.monotonic() - start) * 1000
