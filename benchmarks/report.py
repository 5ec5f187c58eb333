#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Turns the samples of a scenario into JSON, and that into a table.

report.py NAME TITLE "METRIC=UNIT ..." < samples    prints JSON; a sample is "PEER METRIC VALUE"
report.py --table FILE                              prints a Markdown table
"""

import json
import statistics
import sys


def collect(name, title, units):
    peers = {}
    for line in sys.stdin:
        fields = line.split()
        if len(fields) != 3:
            continue
        peer, metric, value = fields
        peers.setdefault(peer, {}).setdefault(metric, []).append(float(value))
    result = {"scenario": name, "title": title, "units": dict(u.split("=") for u in units.split())}
    result["peers"] = {
        peer: {
            metric: {
                "median": statistics.median(values),
                "min": min(values),
                "max": max(values),
                "samples": values,
            }
            for metric, values in metrics.items()
        }
        for peer, metrics in peers.items()
    }
    json.dump(result, sys.stdout, indent=1)
    print()


def table(path):
    with open(path) as file:
        result = json.load(file)
    metrics = list(result["units"])
    print(f"\n### {result['title']}\n")
    print("| | " + " | ".join(f"{m} ({result['units'][m]})" for m in metrics) + " |")
    print("|---|" + "---|" * len(metrics))
    ours = result["peers"].get("causeway", {})
    for peer, values in result["peers"].items():
        cells = []
        for metric in metrics:
            if metric not in values:
                cells.append("–")
                continue
            v = values[metric]
            cell = f"{v['median']:.2f} ({v['min']:.2f}–{v['max']:.2f})"
            if peer != "causeway" and metric in ours and v["median"]:
                cell += f", Causeway {ours[metric]['median'] / v['median']:.2f}×"
            cells.append(cell)
        print(f"| {peer} | " + " | ".join(cells) + " |")
    print()


if sys.argv[1:2] == ["--table"]:
    table(sys.argv[2])
else:
    collect(*sys.argv[1:4])
