# SPDX-License-Identifier: BSD-3-Clause
"""Docker's own DNS server, as containers on a network that a user has made see it: no switch here."""

import glob
import os
import shutil
import subprocess

from benchmarks import lab as labs
from benchmarks.peers import Switch

PAUSE = "#include <unistd.h>\nint main(void) { for (;;) pause(); }\n"
ALIASES = 1000  # of one container: a command has a longest length
GROUP = "causeway-benchmark"  # control group of all containers


def missing():
    for program in ("dockerd", "docker", "containerd"):
        if not shutil.which(program):
            return "%s is not installed (Debian: docker.io)" % program
    return None


def version():
    out = subprocess.run(["dockerd", "--version"], check=True, capture_output=True, text=True)
    return out.stdout.split(",")[0].strip()


class Docker(Switch):
    """A dockerd of its own, whose files are in the lab. Names are aliases of containers; addresses are
    as Docker gives them."""

    def names(self, addresses, cpu):
        self.daemons(cpu)
        self.image()
        self.docker("network", "create", "names")
        names = list(addresses)
        for i in range(0, len(names), ALIASES):
            self.container("s%d" % i, *("--network-alias=" + n for n in names[i:i + ALIASES]))
        self.container("c1")
        pid = self.docker("inspect", "-f", "{{.State.Pid}}", "c1").strip()
        self.lab.run("ip", "netns", "attach", "c1", pid)
        self.lab.namespaces.append("c1")
        return "c1", "127.0.0.11"

    def daemons(self, cpu):
        lab, top = self.lab, self.lab.dir
        self.socket = "unix://%s" % (top / "docker.sock")
        containerd = lab.spawn(
            "containerd", "--root", top / "cd", "--state", top / "cd-run", "--address",
            top / "cd.sock", cpu=cpu, log="containerd.log")
        lab.wait("containerd", (top / "cd.sock").exists, 20, containerd)
        process = lab.spawn(
            "dockerd", "--data-root", top / "docker", "--exec-root", top / "docker-run", "--pidfile",
            top / "docker.pid", "-H", self.socket, "--storage-driver", "vfs", "--containerd",
            top / "cd.sock", "--cgroup-parent", "/" + GROUP, cpu=cpu, log="dockerd.log",
            env=dict(os.environ, GOMAXPROCS="1"))
        try:
            lab.wait("dockerd answers", lambda: self.docker("version"), 30, process)
        except labs.Failed as error:
            raise labs.Skip("dockerd does not run here: %s" % lab.log("dockerd.log")[-300:]) from error

    def image(self):
        """Of one program that does nothing."""
        top = self.lab.dir
        (top / "pause.c").write_text(PAUSE)
        (top / "root").mkdir()
        self.lab.run("musl-gcc", "-static", "-o", top / "root/pause", top / "pause.c")
        self.lab.run("tar", "-C", top / "root", "-cf", top / "root.tar", ".")
        self.docker("import", top / "root.tar", "pause")

    def container(self, name, *options):
        self.docker("run", "-d", "--name", name, "--network", "names", *options, "pause", "/pause")

    def docker(self, *words):
        return self.lab.run("docker", "-H", self.socket, *words)

    def stop(self):  # containers leave their control groups behind otherwise
        for name in self.docker("ps", "-q").split():
            self.docker("rm", "-f", name)
        for path in glob.glob("/sys/fs/cgroup/*/" + GROUP):
            os.rmdir(path)
        # The lab's namespace is left as it was: the kernel's bridge would forward nothing.
        self.lab.run("iptables", "-P", "FORWARD", "ACCEPT")
        self.lab.run("iptables", "-F")


PEERS = {"docker": Docker}
