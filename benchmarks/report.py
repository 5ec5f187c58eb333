# SPDX-License-Identifier: BSD-3-Clause
"""Writes what a run found: JSON, a page of Markdown and pictures."""

import json

from benchmarks import plot


def number(value):
    """Three digits that matter."""
    if value is None:
        return "–"
    if abs(value) >= 1000:
        return "%.0f" % value
    return "%.3g" % value


def write(folder, result):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")
    pictures = {}
    for name, scenario in result["scenarios"].items():
        for chosen in scenario["plots"]:
            svg = plot.draw(scenario, chosen)
            if svg:
                file = "%s-%s.svg" % (name, chosen["metric"])
                (folder / file).write_text(svg)
                pictures.setdefault(name, []).append((file, chosen))
    (folder / "results.md").write_text("\n".join(markdown(result, pictures)) + "\n")


def markdown(result, pictures):
    m = result["machine"]
    yield "# Causeway beside other switches"
    yield ""
    yield "%s; %d CPUs, %s; %s GiB; Linux %s; %d huge pages." % (
        result["started"], m["cpus"], m["cpu"], m["memory_gib"], m["kernel"], m["huge_pages"])
    yield "Medians of %d repetition(s) of %g s%s." % (
        result["repetitions"], result["seconds"],
        ", **quick: the figures mean nothing**" if result["quick"] else "")
    yield "The switch ran on CPU %d, containers on CPU %d." % (m["switch_cpu"], m["container_cpu"])
    yield ""
    for version in sorted(set(result["peers"].values())):
        names = [name for name, text in result["peers"].items() if text == version]
        yield "- %s: %s" % (", ".join(names), version)
    for name, scenario in result["scenarios"].items():
        yield ""
        yield "## %s" % scenario["title"]
        yield ""
        yield scenario["about"]
        for file, chosen in pictures.get(name, ()):
            yield ""
            yield "![%s](%s)" % (plot.title_of(scenario, chosen), file)
        yield ""
        yield from table(scenario)
        yield from remarks(result, scenario)
    for title, entries in (("Skipped", result["skipped"]), ("Failed", result["failed"])):
        if entries:
            yield ""
            yield "## " + title
            yield ""
        for entry in entries:
            where = " / ".join(x for x in (entry["scenario"], entry["case"], entry["peer"]) if x)
            yield "- %s: %s" % (where, " ".join(entry["why"].split()))


def table(scenario):
    if not scenario["results"]:
        yield "Nothing could be measured: see what was skipped and failed."
        return
    yield "| case | what | switch | median | from – to | Causeway ÷ this |"
    yield "|---|---|---|--:|--:|--:|"
    results = scenario["results"]
    for case in dict.fromkeys(result["case"] for result in results):
        for name, metric in scenario["metrics"].items():
            for result in results:
                if result["case"] != case or name not in result["metrics"]:
                    continue
                m = result["metrics"][name]
                yield "| %s | %s, %s (%s is better) | %s%s | %s | %s – %s | %s |" % (
                    case, metric["title"], metric["unit"],
                    "more" if metric["higher_is_better"] else "less",
                    result["peer"], "" if result["accepted"] else " †", number(m["median"]),
                    number(m["min"]), number(m["max"]),
                    "" if result["peer"] == "causeway" else number(m["ratio"]))


def remarks(result, scenario):
    if not scenario["two_cores"] or result["quick"]:
        return
    yield ""
    yield ("%d run(s) were thrown away because the round trip of a cache line between the two CPUs "
           "was above %d ticks." % (
               sum(r["thrown_away"] for r in scenario["results"] if r["accepted"]),
               result["max_round_trip"]))
    if any(not r["accepted"] for r in scenario["results"]):
        trips = [t for r in scenario["results"] for a in r["attempts"] for t in a["round_trips"]]
        yield ""
        yield ("† No run of this switch met that: the CPUs were %d to %d ticks apart, and the "
               "figures are what came out all the same." % (min(trips), max(trips)))


def show(folder, result):
    """The tables on the terminal."""
    for name, scenario in result["scenarios"].items():
        print("\n%s" % scenario["title"])
        rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table(scenario)]
        if len(rows) == 1:
            print("  " + rows[0][0])
            continue
        del rows[1]
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        for row in rows:
            print("  " + "  ".join(cell.ljust(width) if i < 3 else cell.rjust(width)
                                   for i, (cell, width) in enumerate(zip(row, widths))))
        for line in remarks(result, scenario):
            print(line and "  " + line)
    print("\n%d skipped, %d failed; %s" % (
        len(result["skipped"]), len(result["failed"]), folder / "results.md"))
