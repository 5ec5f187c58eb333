#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""seccomp.py UNIT COMMAND...: runs the command with the filters of system calls that the unit asks systemd for.

SystemCallFilter, RestrictAddressFamilies, RestrictNamespaces (of setns and unshare), MemoryDenyWriteExecute,
NoNewPrivileges, UMask, LimitCORE. x86-64 only.
"""
import ctypes
import os
import re
import resource
import socket
import struct
import sys

import sandbox

LD, JEQ, JSET, RET = 0x20, 0x15, 0x45, 0x06
ALLOW, ERRNO = 0x7fff0000, 0x00050000
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, PR_SET_MDWE = 38, 22, 65
NUMBER, ARG0, ARG1 = 0, 16, 24  # offsets in struct seccomp_data
CLONE_NEWNET, CLONE_NEWANY = 0x40000000, 0x7e020080


def numbers():
    with open("/usr/include/x86_64-linux-gnu/asm/unistd_64.h") as header:
        return {name: int(nr) for name, nr in re.findall(r"#define __NR_(\w+)\s+(\d+)", header.read())}


def program(values):
    nr = numbers()
    unit = {key: " ".join(v).split() for key, v in values.items()}
    families = [getattr(socket, name) for name in unit["RestrictAddressFamilies"]]
    code = [(LD, 0, 0, NUMBER)]
    # A check of an argument ends the program, or is jumped over.
    for call, offset, body in (
            ("socket", ARG0, [insn for f in families for insn in ((JEQ, 0, 1, f), (RET, 0, 0, ALLOW))] + [(RET, 0, 0, ERRNO | 97)]),
            ("setns", ARG1, [(JEQ, 0, 1, CLONE_NEWNET), (RET, 0, 0, ALLOW), (RET, 0, 0, ERRNO | 1)]),
            ("unshare", ARG0, [(JSET, 0, 1, CLONE_NEWANY), (RET, 0, 0, ERRNO | 1), (RET, 0, 0, ALLOW)])):
        code += [(JEQ, 0, len(body) + 1, nr[call]), (LD, 0, 0, offset)] + body
    # What starts the command is not the service's.
    for name in sorted(sandbox.allowed_calls(values) | {"execve"}):
        if name in nr:
            code += [(JEQ, 0, 1, nr[name]), (RET, 0, 0, ALLOW)]
    return code + [(RET, 0, 0, ERRNO | 1)]


def main(unit, *command):
    values = sandbox.unit_values(unit)
    code = b"".join(struct.pack("HBBI", *insn) for insn in program(values))
    buffer = ctypes.create_string_buffer(code)
    fprog = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    os.umask(int(values["UMask"][0], 8))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 or libc.prctl(PR_SET_SECCOMP, 2, fprog, 0, 0) < 0:
        sys.exit("no filter: %s" % os.strerror(ctypes.get_errno()))
    # Inherited over execve(2); kernels before 6.3 do not have it.
    libc.prctl(PR_SET_MDWE, 1, 0, 0, 0)
    os.execvp(command[0], command)


main(*sys.argv[1:])
