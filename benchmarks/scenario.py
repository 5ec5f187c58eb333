# SPDX-License-Identifier: BSD-3-Clause
"""What a scenario is, and how those in the folder scenarios are found.

A file in scenarios/ declares

    TITLE     one line
    ABOUT     what is done, in a sentence or two, for the report
    PEERS     names of switches (peers/), in the order of turns; Causeway first
    METRICS   {name: Metric}
    CASES     [Case]
    QUICK     names of the cases of --quick
    TWO_CORES whether what is measured crosses CPUs
    PLOTS     [Plot]
    measure(lab, switch, case) -> {metric: value}

and nothing else is needed: the file's name is the scenario's.
"""

import dataclasses
import importlib
import pathlib
import pkgutil

FOLDER = pathlib.Path(__file__).resolve().parent / "scenarios"
NEEDED = ("TITLE", "ABOUT", "PEERS", "METRICS", "CASES", "QUICK", "TWO_CORES", "PLOTS", "measure")


@dataclasses.dataclass
class Metric:
    title: str
    unit: str
    higher_is_better: bool = True


@dataclasses.dataclass
class Case:
    """options are the scenario's own; pages: huge pages of 2 MiB that the case takes; peers: those
    of the scenario that take part, all when None."""
    name: str
    options: dict = dataclasses.field(default_factory=dict)
    pages: int = 1024
    peers: list = None


@dataclasses.dataclass
class Plot:
    """A picture of one metric over the cases, a series for each peer; kind: bars or lines."""
    metric: str
    kind: str = "bars"
    title: str = ""


def names():
    return sorted(module.name for module in pkgutil.iter_modules([str(FOLDER)]))


def load(name):
    module = importlib.import_module("benchmarks.scenarios." + name)
    missing = [key for key in NEEDED if not hasattr(module, key)]
    if missing:
        raise SystemExit("benchmarks/scenarios/%s.py lacks %s" % (name, ", ".join(missing)))
    module.NAME = name
    return module
