# SPDX-License-Identifier: BSD-3-Clause
"""The machine: namespaces of our own, huge pages, CPUs, and what to write down about it."""

import os
import pathlib
import platform
import signal
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("CAUSEWAY_BUILD", TOP / "build"))
TOOLS = BUILD / "benchmarks"
SCRATCH = pathlib.Path("/mnt")  # a file system of our own, see enter_private
HUGEPAGES = pathlib.Path("/proc/sys/vm/nr_hugepages")
PRIVATE = "CAUSEWAY_PRIVATE"

# Containers' ends run on the first CPU, the switch on the second.
CPUS = sorted(os.sched_getaffinity(0))
CONTAINER_CPU = CPUS[0]
SWITCH_CPU = CPUS[min(1, len(CPUS) - 1)]


def huge_pages():
    return int(HUGEPAGES.read_text())


def reserve_huge_pages(count):
    """Raises the number of huge pages, never lowers it. Returns what was there before and what is
    there now."""
    before = huge_pages()
    try:
        if before < count:
            HUGEPAGES.write_text("%d\n" % count)
    except OSError as error:
        print("no huge pages to be had: %s" % error, file=sys.stderr)
    return before, huge_pages()


def is_private():
    """Whether this is the process that run_private() started: number 1 of its namespace."""
    return os.environ.get(PRIVATE) == "1" and os.getpid() == 1


def run_private(argv, pages):
    """Runs the program again in mount, network and process namespaces of its own, so that nothing
    it makes can outlive it (the same as in_private_machine of scripts/common.sh), with that many
    huge pages. Puts back the number of huge pages however that ends. Returns its exit status."""
    if os.geteuid() != 0:
        os.execvp("sudo", ["sudo", "--preserve-env=CAUSEWAY_BUILD"] + argv)

    def stop(number, frame):
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGHUP, stop)
    before, reserved = reserve_huge_pages(pages)
    child = None
    try:
        child = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--net", "--pid", "--fork",
             "--mount-proc", "--kill-child", "--"] + argv, env=dict(os.environ, **{PRIVATE: "1"}))
        return child.wait()
    except KeyboardInterrupt:
        return 130
    finally:
        if child and child.poll() is None:
            child.kill()
            child.wait()
        if before != reserved == huge_pages():  # else somebody else has changed it meanwhile
            HUGEPAGES.write_text("%d\n" % before)


def enter_private():
    """The rest of run_private(), inside."""
    del os.environ[PRIVATE]
    os.makedirs("/run/netns", exist_ok=True)
    for command in (["mount", "-t", "tmpfs", "none", "/run/netns"],
                    ["mount", "-t", "tmpfs", "-o", "mode=755", "none", str(SCRATCH)],
                    ["ip", "link", "set", "lo", "up"]):
        subprocess.run(command, check=True)


def core_round_trip():
    """Ticks that a cache line takes from the containers' CPU to the switch's and back; None where
    it cannot be measured."""
    tool = TOOLS / "corelat"
    if not tool.exists() or CONTAINER_CPU == SWITCH_CPU:
        return None
    out = subprocess.run([tool, str(CONTAINER_CPU), str(SWITCH_CPU)], check=True,
                         capture_output=True, text=True, timeout=30)
    return int(out.stdout)


def describe():
    cpu = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo")
                if line.startswith("model name")), platform.machine())
    memory = next(int(line.split()[1]) for line in open("/proc/meminfo")
                  if line.startswith("MemTotal"))
    return {
        "cpu": cpu, "cpus": os.cpu_count(), "memory_gib": round(memory / 2**20, 1),
        "kernel": platform.release(), "huge_pages": huge_pages(),
        "container_cpu": CONTAINER_CPU, "switch_cpu": SWITCH_CPU,
    }
