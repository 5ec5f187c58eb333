# SPDX-License-Identifier: BSD-3-Clause
"""Draws a metric over the cases of a scenario, a series for each switch, as plain SVG."""

import html
import math

WIDTH, HEIGHT = 760, 380
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 64, 44
COLOURS = {"causeway": "#0b6e99", "causeway-busy": "#5fb3d3", "ovs": "#c2571a",
           "ovs-tso": "#e39a5f",
           "testpmd-io": "#8a8a8a", "testpmd-mac": "#b9b9b9", "tapfwd": "#6b8e23",
           "tapfwd-busy": "#a9c46c", "linux-bridge": "#7b5ea7"}
OTHERS = ["#444444", "#aa3377", "#228833"]


def title_of(scenario, chosen):
    metric = scenario["metrics"][chosen["metric"]]
    return chosen["title"] or "%s: %s, %s" % (scenario["title"], metric["title"], metric["unit"])


def nice_steps(top):
    """Values for the lines of the scale, from 0 to at least top."""
    raw = top / 5
    power = 10 ** math.floor(math.log10(raw))
    step = next(f * power for f in (1, 2, 2.5, 5, 10) if f * power >= raw)
    return [i * step for i in range(math.ceil(top / step - 1e-9) + 1)]


def text(x, y, words, anchor="middle", size=12, colour="#333333"):
    return '<text x="%.1f" y="%.1f" text-anchor="%s" font-size="%d" fill="%s">%s</text>' % (
        x, y, anchor, size, colour, html.escape(words))


class Chart:
    def __init__(self, cases, series, top):
        self.cases, self.series = cases, series
        self.steps = nice_steps(top)
        self.slot = (WIDTH - LEFT - RIGHT) / len(cases)

    def y(self, value):
        return HEIGHT - BOTTOM - value / self.steps[-1] * (HEIGHT - TOP - BOTTOM)

    def frame(self, title):
        yield ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" '
               'font-family="sans-serif">' % (WIDTH, HEIGHT))
        yield '<rect width="%d" height="%d" fill="#ffffff"/>' % (WIDTH, HEIGHT)
        yield text(LEFT, 22, title, "start", 14, "#111111")
        for step in self.steps:
            yield '<path d="M%d %.1fH%d" stroke="#dddddd"/>' % (LEFT, self.y(step), WIDTH - RIGHT)
            yield text(LEFT - 6, self.y(step) + 4, "%g" % round(step, 6), "end")
        for i, case in enumerate(self.cases):
            yield text(LEFT + (i + 0.5) * self.slot, HEIGHT - BOTTOM + 18, case)
        x = LEFT
        for name, colour, _ in self.series:
            yield '<rect x="%.1f" y="34" width="11" height="11" fill="%s"/>' % (x, colour)
            yield text(x + 15, 44, name, "start")
            x += 30 + 7 * len(name)

    def whisker(self, x, m):
        return '<path d="M%.1f %.1fV%.1f" stroke="#222222"/>' % (
            x, self.y(m["min"]), self.y(m["max"]))

    def bars(self):
        width = min(46, self.slot * 0.82 / len(self.series))
        for i, case in enumerate(self.cases):
            x = LEFT + (i + 0.5) * self.slot - width * len(self.series) / 2
            for _, colour, points in self.series:
                if case in points:
                    m = points[case]
                    yield '<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>' % (
                        x, self.y(m["median"]), width - 1,
                        self.y(0) - self.y(m["median"]), colour)
                    yield self.whisker(x + width / 2, m)
                    if width >= 24:
                        yield text(x + width / 2, self.y(m["max"]) - 4, "%.3g" % m["median"],
                                   size=10)
                x += width

    def lines(self):
        for _, colour, points in self.series:
            dots = [(LEFT + (i + 0.5) * self.slot, points[case])
                    for i, case in enumerate(self.cases) if case in points]
            yield '<polyline points="%s" fill="none" stroke="%s" stroke-width="2"/>' % (
                " ".join("%.1f,%.1f" % (x, self.y(m["median"])) for x, m in dots), colour)
            for x, m in dots:
                yield self.whisker(x, m)
                yield '<circle cx="%.1f" cy="%.1f" r="3.5" fill="%s"/>' % (
                    x, self.y(m["median"]), colour)


def draw(scenario, chosen):
    """The SVG; None when there is nothing to draw."""
    cases = list(dict.fromkeys(result["case"] for result in scenario["results"]))
    points = {}
    for result in scenario["results"]:
        if chosen["metric"] in result["metrics"]:
            points.setdefault(result["peer"], {})[result["case"]] = \
                result["metrics"][chosen["metric"]]
    top = max((m["max"] for peer in points.values() for m in peer.values()), default=0)
    if top <= 0:
        return None
    others = iter(OTHERS * len(points))
    series = [(name, COLOURS.get(name) or next(others), values) for name, values in points.items()]
    cases = [case for case in cases if any(case in values for values in points.values())]
    chart = Chart(cases, series, top)
    shapes = chart.lines() if chosen["kind"] == "lines" and len(cases) > 1 else chart.bars()
    return "\n".join([*chart.frame(title_of(scenario, chosen)), *shapes, "</svg>"]) + "\n"
