# SPDX-License-Identifier: BSD-3-Clause
import json
import subprocess

from benchmarks import machine
from benchmarks.scenario import Case, Metric

PROGRAM = machine.TOOLS / "micro"

TITLE = "Single operations"
ABOUT = ("What one operation of Causeway's data plane costs, without devices and without a switch "
         "around it: ticks of the time stamp counter, the median and the minimum of many "
         "repetitions, and what the processor counts besides where it lets us.")
PEERS = ["causeway"]
METRICS = {"cycles": Metric("cycles, median", "ticks", False),
           "least": Metric("cycles, minimum", "ticks", False),
           "instructions": Metric("instructions", "each", False),
           "misses": Metric("cache misses", "each", False)}


def names():
    """The program knows them; without it, Causeway is not built and nothing is measured."""
    if not PROGRAM.exists():
        return []
    return subprocess.run([PROGRAM, "--list"], check=True, capture_output=True,
                          text=True).stdout.split()


CASES = [Case(name, pages=0) for name in names()]
QUICK = names()
TWO_CORES = False
PLOTS = []  # their sizes differ too much for one


def measure(lab, switch, case):
    options = ["--quick"] if lab.quick else []
    out = lab.run(lab.tool("micro"), "--json", "--cpu", machine.SWITCH_CPU, *options, case.name)
    found = next(b for b in json.loads(out)["benchmarks"] if b["name"] == case.name)
    values = {"cycles": found["cycles_median"], "least": found["cycles_min"],
              "instructions": found["instructions"], "misses": found["cache_misses"]}
    return {name: value for name, value in values.items() if value is not None}
