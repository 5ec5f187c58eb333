#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""sandbox.py UNIT TRACE WRITABLE...: would the sandbox of a unit have let the daemon do what it did?

TRACE is what `strace -f` wrote while the daemon worked outside of it; WRITABLE are the folders that stand for
those that the unit may write. Prints what the sandbox would have refused, and the number of calls.
"""
import re
import subprocess
import sys

# DPDK asks at its start for the I/O ports of old virtio NICs, and goes on without them.
NOT_NEEDED = {"iopl"}
NAMESPACES = re.compile(r"CLONE_NEW(\w+)")


def unit_values(path):
    values = {}
    for line in open(path):
        key, equals, value = line.strip().partition("=")
        if equals and not line.startswith("#"):
            values.setdefault(key, []).append(value)
    return values


def expand(name, cache={}):
    """The calls of a set of systemd's, as systemd-analyze prints it."""
    if not name.startswith("@"):
        return {name}
    if name not in cache:
        cache[name] = set()
        out = subprocess.run(["systemd-analyze", "syscall-filter", "--no-pager", name],
                             capture_output=True, text=True, check=True).stdout
        for word in (line.strip() for line in out.splitlines()[1:]):
            if word and not word.startswith("#"):
                cache[name] |= expand(word)
    return cache[name]


def allowed_calls(values):
    allowed = set()
    for line in values.get("SystemCallFilter", []):
        names = set().union(*(expand(word) for word in line.lstrip("~").split()))
        allowed = allowed - names if line.startswith("~") else allowed | names
    return allowed


def refused(name, args, result, values, calls, writable):
    """Why the sandbox would refuse this call; None if it would not."""
    unit = {key: " ".join(v).split() for key, v in values.items()}
    if name not in calls:
        return "SystemCallFilter"
    if name in ("socket", "socketpair") and args.split(",")[0] not in unit["RestrictAddressFamilies"]:
        return "RestrictAddressFamilies"
    if name in ("clone", "clone3", "unshare", "setns"):
        kinds = {kind.lower().replace("ns", "mnt") if kind == "NS" else kind.lower() for kind in NAMESPACES.findall(args)}
        if not kinds <= set(unit["RestrictNamespaces"]):
            return "RestrictNamespaces"
    if name in ("mmap", "mprotect", "pkey_mprotect") and "PROT_EXEC" in args and \
            ("PROT_WRITE" in args or name != "mmap"):
        return "MemoryDenyWriteExecute"
    if name.startswith("sched_set") and re.search("SCHED_(FIFO|RR|DEADLINE)", args):
        return "RestrictRealtime"
    if name == "personality" and "0xffffffff" not in args:
        return "LockPersonality"
    if re.search(r"\b(S_ISUID|S_ISGID|0[246]\d{3})\b", args) and "chmod" in name:
        return "RestrictSUIDSGID"
    path = re.search(r'"([^"]*)"', args) if name in ("open", "openat", "creat") else None
    if path and not result.startswith("-1"):
        return refused_path(path.group(1), args, unit, writable)
    return None


def refused_path(path, args, unit, writable):
    devices = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/hugepages"}
    if path.startswith("/dev/") and not path.startswith("/dev/shm/") and path not in devices and \
            path not in unit.get("DeviceAllow", []):
        return "DeviceAllow"
    if not re.search("O_(WRONLY|RDWR|CREAT|TRUNC)", args) or path.startswith("/dev/"):
        return None
    if path.startswith(("/proc/sys/", "/sys/")):
        free = tuple(p for p in unit.get("ReadWritePaths", []) if p.startswith("/proc/"))
        return "ProtectKernelTunables" if not path.startswith(free or ("-",)) else None
    if path.startswith("/") and not path.startswith(("/proc/self/", "/tmp/", *writable)):
        return "ProtectSystem"
    return None


def main(unit, trace, *writable):
    values = unit_values(unit)
    calls = allowed_calls(values)
    found, count = {}, 0
    for line in open(trace, errors="replace"):
        match = re.match(r"\d+ +(\w+)\((.*)", line)
        if not match or match.group(1) in NOT_NEEDED | {"execve", "exit_group"}:
            continue
        count += 1
        args, _, result = match.group(2).rpartition(" = ")
        why = refused(match.group(1), args or match.group(2), result, values, calls, writable)
        if why:
            found.setdefault("%s: %s" % (why, match.group(1)), line.strip())
    for what, line in sorted(found.items()):
        print("%s  %s" % (what, line[:160]))
    print("calls %d" % count)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
