"""Charts as static SVG: readable without a script, in the page's own colours, with their data beside them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

from tools.site.html import render
from tools.site.labels import Box, Wanted, place
from tools.site.numbers import tick

_WIDTH, _HEIGHT = 440, 330
_PLOT = Box(48, 12, 430, 276)
_FONT = 14
# A system sans-serif is at most this wide a character, on average, in parts of its size.
_CHARACTER_WIDTH = 0.6
SERIES = 6
"""How many series have a colour and a marker of their own; more than these share the last."""


@dataclass(frozen=True, slots=True)
class Point:
    """One model in a scatter chart."""

    name: str
    family: str
    x: float
    y: float
    href: str
    """Where a click leads; made by this package, never by a card."""


@dataclass(frozen=True, slots=True)
class Axis:
    """What an axis shows: ``title`` for people, ``unit`` of the tick labels, and the column's name in the data."""

    title: str
    column: str
    decimals: int | None = None
    """Decimals of exact values in the data table; ``None``: grouped integers."""

    def exact(self, value: float) -> str:
        """The value as the data table shows it."""
        return f"{value:,.0f}" if self.decimals is None else f"{value:.{self.decimals}f}"


def scatter(
    identifier: str, title: str, description: str, x_axis: Axis, y_axis: Axis, points: Sequence[Point]
) -> Markup:
    """A scatter chart with the Pareto front: no point on the front has another that is cheaper and better.

    Args:
        identifier: prefix of the ids within the page.
        title: the chart's accessible name and heading.
        description: one sentence on what it shows.
        x_axis: a cost; lower is better.
        y_axis: a merit; higher is better.
        points: what to draw; none gives a chart that says so.
    """
    if not points:
        return render("no_chart.html", title=title)
    x_scale = Scale.of([p.x for p in points], _PLOT.left, _PLOT.right, margin=0.24)
    y_scale = Scale.of([p.y for p in points], _PLOT.bottom, _PLOT.top)
    families = list(dict.fromkeys(p.family for p in points))
    front = pareto([(p.x, p.y) for p in points])
    # The front's labels are placed first: where space is short, they are the ones to keep.
    order = sorted(range(len(points)), key=lambda i: (i not in front, points[i].x))
    wanted = [
        Wanted(x_scale(points[i].x), y_scale(points[i].y), len(points[i].name) * _FONT * _CHARACTER_WIDTH, _FONT + 2)
        for i in order
    ]
    corners = [(x_scale(points[i].x), y_scale(points[i].y)) for i in front]
    boxes = dict(zip(order, place(wanted, _PLOT, _strokes(corners)), strict=True))
    return render(
        "scatter.html",
        id=identifier,
        title=title,
        description=description,
        width=_WIDTH,
        height=_HEIGHT,
        plot=_PLOT,
        x_axis=x_axis,
        y_axis=y_axis,
        x_ticks=[(_round(x_scale(v)), tick(v)) for v in x_scale.ticks],
        y_ticks=[(_round(y_scale(v)), f"{v:g}") for v in y_scale.ticks],
        front=_step(corners),
        families=[(name, min(n, SERIES - 1)) for n, name in enumerate(families)],
        points=[
            {
                "point": point,
                "series": min(families.index(point.family), SERIES - 1),
                "x": _round(x_scale(point.x)),
                "y": _round(y_scale(point.y)),
                "label": _anchor(boxes[i], x_scale(point.x)),
                "front": i in front,
            }
            for i, point in enumerate(points)
        ],
    )


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps values to positions along an axis; logarithmic where the values span more than a factor of 20."""

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool
    ticks: tuple[float, ...]

    @classmethod
    def of(cls, values: Sequence[float], start: float, end: float, margin: float = 0.1) -> Scale:
        """A scale on which ``values`` lie between ``start`` and ``end``, with ticks at round numbers.

        ``margin`` is left free at either end, as a part of the values' span.
        """
        low, high = min(values), max(values)
        if low > 0 and high / low > 20:
            return cls(low / 1.3, high * 1.3, start, end, True, _decades(low / 1.3, high * 1.3))
        room = (high - low) * margin or abs(high) * margin or 1.0
        low, high = low - room, high + room
        step = _round_step((high - low) / 5)
        first, last = math.ceil(low / step), math.floor(high / step)
        return cls(low, high, start, end, False, tuple(n * step for n in range(first, last + 1)))

    def __call__(self, value: float) -> float:
        """The position of a value."""
        if self.logarithmic:
            part = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            part = (value - self.low) / (self.high - self.low)
        return self.start + part * (self.end - self.start)


def pareto(values: Sequence[tuple[float, float]]) -> list[int]:
    """The indices of the (cost, merit) pairs that no other pair beats, by rising cost.

    One pair beats another if it is no worse in both and better in one; of equal pairs the first is kept.
    """
    front: list[int] = []
    best = -math.inf
    for i in sorted(range(len(values)), key=lambda i: (values[i][0], -values[i][1], i)):
        if values[i][1] > best:
            front.append(i)
            best = values[i][1]
    return front


def _step(corners: Sequence[tuple[float, float]]) -> str:
    """An SVG path of horizontal and vertical strokes: what the front guarantees at each cost."""
    path = ""
    for n, (x, y) in enumerate(corners):
        path += f"M{_round(x)} {_round(y)}" if n == 0 else f"H{_round(x)}V{_round(y)}"
    return path


def _strokes(corners: Sequence[tuple[float, float]]) -> list[Box]:
    """The strokes of the same path as thin boxes, for the labels to keep off."""
    boxes = []
    for (x, y), (next_x, next_y) in pairwise(corners):
        boxes.append(Box(x, y - 1, next_x, y + 1))
        boxes.append(Box(next_x - 1, min(y, next_y), next_x + 1, max(y, next_y)))
    return boxes


def _anchor(box: Box | None, x: float) -> tuple[float, float, str] | None:
    """Where a label's text begins, and at which end it is held, so that a narrower font still touches its point."""
    if box is None:
        return None
    baseline = _round(box.bottom - 4)
    if box.left >= x:
        return _round(box.left), baseline, "start"
    if box.right <= x:
        return _round(box.right), baseline, "end"
    return _round((box.left + box.right) / 2), baseline, "middle"


def _round_step(rough: float) -> float:
    """The next of 1, 2, 2.5, 5, 10 ... at or above ``rough``."""
    magnitude = 10.0 ** math.floor(math.log10(rough))
    return next(m * magnitude for m in (1, 2, 2.5, 5, 10) if m * magnitude >= rough * 0.999)


def _decades(low: float, high: float) -> tuple[float, ...]:
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [m * 10.0**e for e in exponents for m in (1, 2, 5) if low <= m * 10.0**e <= high]
    wide = len(ticks) > 8
    return tuple(t for t in ticks if not wide or math.log10(t).is_integer())


def _round(value: float) -> float:
    """One decimal is a tenth of a pixel; more only makes the page larger and differs between machines."""
    return round(value, 1)
