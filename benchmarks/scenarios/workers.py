# SPDX-License-Identifier: BSD-3-Clause
from benchmarks import machine
from benchmarks.loops import devices_rate
from benchmarks.scenario import Case, Metric, Plot

TITLE = "Forwarding alone, by number of workers"
ABOUT = ("Two pairs of devices on one bridge, 1000 addresses on each side of each, shared by one "
         "or two polling threads. The second shares its CPU with the harness, which sleeps.")
PEERS = ["causeway", "testpmd-mac", "ovs"]
METRICS = {"mpps": Metric("forwarded, all directions", "Mpps")}
CASES = [Case("1 worker", {"cpus": [machine.SWITCH_CPU]}),
         Case("2 workers", {"cpus": [machine.CONTAINER_CPU, machine.SWITCH_CPU]})]
QUICK = ["2 workers"]
TWO_CORES = True
PLOTS = [Plot("mpps")]


def measure(lab, switch, case):
    return {"mpps": devices_rate(lab, switch, macs=1000, pairs=2, cpus=case.options["cpus"]) / 1e6}
