# SPDX-License-Identifier: BSD-3-Clause
"""The command line of run."""

import argparse
import pathlib
import sys
import time

from benchmarks import machine, peers, report, runner, scenario

EPILOG = """Without a SCENARIO, all of them. Results go into out/benchmarks/TIME: results.json,
results.md and a picture of each plot. Two results are compared by benchmarks/compare. Exit status:
0 done, 1 something did not work, 2 usage. Keep the machine quiet meanwhile."""


def arguments(argv):
    parser = argparse.ArgumentParser(
        prog="benchmarks/run", epilog=EPILOG,
        description="Measures Causeway beside the other switches that are installed, in turns.")
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO")
    parser.add_argument("--list", action="store_true", help="list scenarios, cases and switches")
    parser.add_argument("--quick", action="store_true",
                        help="each scenario once, short and small: whether it works, not how fast")
    parser.add_argument("--repetitions", type=int, metavar="N", help="default 5")
    parser.add_argument("--seconds", type=float, metavar="S", help="of each measurement; default 5")
    parser.add_argument("--peers", metavar="NAME,…", help="only these switches, and Causeway")
    parser.add_argument("--cases", metavar="TEXT,…",
                        help="only cases whose names hold one of these")
    parser.add_argument("--out", type=pathlib.Path, metavar="DIR")
    parser.add_argument("--max-round-trip", type=int, default=250, metavar="TICKS",
                        help="runs on two CPUs count while a cache line takes at most so long "
                        "between them (250)")
    options = parser.parse_args(argv)
    known = scenario.names()
    for name in options.scenarios:
        if name not in known:
            parser.error("no scenario %s: there are %s" % (name, " ".join(known)))
    options.repetitions = options.repetitions or (1 if options.quick else 5)
    options.seconds = options.seconds or (1 if options.quick else 5)
    options.scenarios = [scenario.load(name) for name in options.scenarios or known]
    if options.peers:
        options.peers = options.peers.split(",")
        for name in options.peers:
            if name not in peers.load():
                parser.error("no switch %s: there are %s" % (name, " ".join(peers.load())))
    options.out = (options.out or machine.TOP / "out/benchmarks"
                   / time.strftime("%Y%m%d-%H%M%S")).absolute()
    return options


def list_all(options):
    for module in options.scenarios:
        print("%s: %s" % (module.NAME, module.TITLE))
        print("    cases: %s" % ", ".join(case.name for case in module.CASES))
        print("    switches: %s" % " ".join(module.PEERS))
    print("switches:")
    for name, module in peers.load().items():
        print("    %-14s %s" % (name, module.missing() or module.version()))


def main(argv):
    options = arguments(argv)
    if options.list:
        list_all(options)
        return 0
    why = peers.load()["causeway"].missing()
    if not why and len(machine.CPUS) < 2:
        why = "two CPUs are needed: one for the containers, one for the switch"
    if why:
        print("error: %s" % why, file=sys.stderr)
        return 1
    if not machine.is_private():
        pages = max((case.pages for module in options.scenarios
                     for case in runner.cases_of(module, options)), default=0)
        program = str(machine.TOP / "benchmarks/run")
        return machine.run_private([program] + argv + ["--out", str(options.out)], pages)
    machine.enter_private()
    run = runner.Run(options)
    for module in options.scenarios:
        run.scenario(module)
        report.write(options.out, run.result())
    report.show(options.out, run.result())
    return 1 if run.failed else 0
