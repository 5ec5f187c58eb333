# SPDX-License-Identifier: BSD-3-Clause
"""Runs scenarios: every switch in turn, the turns repeated, and keeps what came out.

A run that crosses CPUs counts only while these are close (machine.core_round_trip() before and
after it at most max_round_trip): a virtual machine's host moves them. Others are repeated, up to a
bound, and reported, marked, only when there is nothing better."""

import statistics
import time

from benchmarks import machine, peers
from benchmarks.lab import Failed, Lab, Skip

TRIES = 3  # of one repetition


def cases_of(module, options):
    cases = module.CASES
    if options.quick:
        cases = [case for case in cases if case.name in module.QUICK]
    if options.cases:
        cases = [case for case in cases if any(t in case.name for t in options.cases.split(","))]
    return cases


class Run:
    def __init__(self, options):
        self.options = options
        self.peers = peers.load()
        self.missing = {}
        self.versions = {}
        for name, module in self.peers.items():
            why = module.missing()
            if why:
                self.missing[name] = why
            else:
                self.versions[name] = module.version()
        self.started = time.strftime("%Y-%m-%dT%H:%M:%S%z")
        self.machine = machine.describe()
        self.scenarios = {}
        self.were_close = False  # whether the CPUs were, ever
        self.skipped = []
        self.failed = []
        for name, why in self.missing.items():
            self.skip(None, None, name, why)

    def skip(self, scenario, case, peer, why):
        entry = {"scenario": scenario, "case": case, "peer": peer, "why": why}
        if entry not in self.skipped:
            self.skipped.append(entry)
            print("skipped: %s: %s" % (" / ".join(x for x in (scenario, case, peer) if x), why),
                  flush=True)

    def fail(self, scenario, case, peer, why):
        self.failed.append({"scenario": scenario, "case": case, "peer": peer, "why": why})
        print("FAILED: %s / %s / %s: %s" % (scenario, case, peer, why), flush=True)

    def scenario(self, module):
        print("==> %s: %s" % (module.NAME, module.TITLE), flush=True)
        attempts = {}
        for repetition in range(1, self.options.repetitions + 1):
            for case in cases_of(module, self.options):
                for peer in self.peers_of(module, case):
                    done = attempts.setdefault((case.name, peer), [])
                    if done is None:
                        continue
                    if not self.repetition(module, case, peer, repetition, done):
                        attempts[case.name, peer] = None
        self.scenarios[module.NAME] = {
            "title": module.TITLE, "about": module.ABOUT, "two_cores": module.TWO_CORES,
            "metrics": {name: vars(metric) for name, metric in module.METRICS.items()},
            "plots": [vars(plot) for plot in module.PLOTS],
            "results": summarize(module, {k: v for k, v in attempts.items() if v}),
        }

    def peers_of(self, module, case):
        if case.pages and self.machine["huge_pages"] < case.pages and case.pages > 1024:
            self.skip(module.NAME, case.name, None, "needs %d huge pages, there are %d" % (
                case.pages, self.machine["huge_pages"]))
            return
        for peer in module.PEERS:
            if self.options.peers and peer not in self.options.peers + ["causeway"]:
                continue
            if peer in self.missing:
                continue
            if case.peers and peer not in case.peers:
                continue
            yield peer

    def repetition(self, module, case, peer, repetition, attempts):
        """Appends what it took to one repetition. Returns whether others make sense."""
        for _ in range(TRIES):
            try:
                attempt = self.attempt(module, case, peer)
            except Skip as why:
                self.skip(module.NAME, case.name, peer, str(why))
                return False
            except (Failed, OSError, ValueError, KeyError) as why:
                self.fail(module.NAME, case.name, peer, "%s: %s" % (type(why).__name__, why))
                return True
            attempts.append(dict(attempt, repetition=repetition))
            print("    %s, %s, #%d: %s%s" % (
                case.name, peer, repetition,
                ", ".join("%s %.6g" % item for item in attempt["values"].items()),
                "" if attempt["accepted"] else " (CPUs too far apart: %s ticks)"
                % attempt["round_trips"]), flush=True)
            # On a machine where CPUs are never close, trying again only takes time.
            if attempt["accepted"] or not self.were_close:
                break
        return True

    def attempt(self, module, case, peer):
        crosses = module.TWO_CORES and not self.options.quick
        before = self.wait_for_close_cores() if crosses else None
        with Lab(self.options.seconds, self.options.quick) as lab:
            switch = self.peers[peer].PEERS[peer](lab)
            switch.name = peer
            try:
                values = module.measure(lab, switch, case)
            except Skip:
                raise
            except Exception:
                lab.keep_logs(self.options.out / "logs" / "-".join(
                    (module.NAME, case.name.replace(" ", "_"), peer)))
                raise
        after = machine.core_round_trip() if crosses else None
        trips = [trip for trip in (before, after) if trip is not None]
        return {"values": values, "round_trips": trips,
                "accepted": all(trip <= self.options.max_round_trip for trip in trips)}

    def wait_for_close_cores(self):
        for _ in range(10):
            trip = machine.core_round_trip()
            if trip is None or trip <= self.options.max_round_trip:
                self.were_close = True
                break
            time.sleep(0.2)
        return trip

    def result(self):
        return {
            "format": 1, "started": self.started, "quick": self.options.quick,
            "repetitions": self.options.repetitions, "seconds": self.options.seconds,
            "max_round_trip": self.options.max_round_trip, "machine": self.machine,
            "peers": self.versions, "skipped": self.skipped, "failed": self.failed,
            "scenarios": self.scenarios,
        }


def kept(attempts):
    """{repetition: values} of what counts: what was accepted; all when nothing was."""
    good = [attempt for attempt in attempts if attempt["accepted"]]
    return {attempt["repetition"]: attempt["values"] for attempt in good or attempts}


def spread(values):
    return {"values": values, "median": statistics.median(values), "min": min(values),
            "max": max(values)}


def summarize(module, attempts):
    """A list of {case, peer, accepted, thrown_away, attempts, metrics: {name: {values, median,
    min, max, ratios, ratio}}}. Ratios are Causeway's value by the switch's of the same repetition,
    and their median."""
    results = []
    for (case, peer), tries in attempts.items():
        values = kept(tries)
        own = kept(attempts.get((case, "causeway"), ()))
        metrics = {}
        for name in module.METRICS:
            numbers = {r: v[name] for r, v in values.items() if v.get(name) is not None}
            if not numbers:
                continue
            ratios = [own[r][name] / number for r, number in numbers.items()
                      if number and r in own and own[r].get(name) is not None]
            metrics[name] = dict(spread(list(numbers.values())), ratios=ratios,
                                 ratio=statistics.median(ratios) if ratios else None)
        results.append({
            "case": case, "peer": peer, "metrics": metrics, "attempts": tries,
            "accepted": any(attempt["accepted"] for attempt in tries),
            "thrown_away": sum(not attempt["accepted"] for attempt in tries),
        })
    return results
