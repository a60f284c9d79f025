"""Where a model's FLOPs and parameters go: bars by stage and by operator, with the numbers beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

from tools.site.architecture import identifier
from tools.site.facts import Facts
from tools.site.html import render
from tools.site.numbers import grouped, input_size, percent, short

_WIDTH, _ROW, _TOP = 380, 22, 4
_LABEL, _VALUE = 132, 116
_MOST_ROWS = 24


@dataclass(frozen=True, slots=True)
class Bar:
    """One row: a part of the whole."""

    y: int
    label: str
    width: float
    exact: str
    share: str
    text: str


@dataclass(frozen=True, slots=True)
class Panel:
    """One bar chart. Its bars add up to ``total``."""

    id: str
    title: str
    unit: str
    total: int
    bars: tuple[Bar, ...]
    height: int

    @property
    def description(self) -> str:
        """The bars in words, for those who do not see them."""
        return " ".join(f"{bar.label}: {bar.exact}, {bar.share}." for bar in self.bars)


def draw(facts: Facts) -> Markup:
    """Four panels: FLOPs and parameters, by stage and by operator or kind of layer."""
    count, measurement = facts.count(), facts.measurement
    if count is None or measurement is None:
        return render("cost.html", name=facts.name, panels=(), why=facts.why_not_measured(), uncounted={})
    name = identifier(facts.name)
    flops = f"FLOPs ({count.counter}, {input_size(count.input_size)})"
    panels = [
        _panel(f"{name}-fs", "FLOPs by stage", flops, count.by_stage),
        _panel(f"{name}-ps", "Parameters by stage", "parameters", measurement.parameters_by_stage),
        _panel(f"{name}-fo", "FLOPs by operator", flops, _descending(count.by_operator)),
        _panel(f"{name}-pk", "Parameters by kind of layer", "parameters", _descending(measurement.parameters_by_kind)),
    ]
    return render(
        "cost.html",
        name=facts.name,
        panels=[panel for panel in panels if panel.bars],
        why="",
        uncounted=count.uncounted,
        geometry=(_WIDTH, _ROW - 7, _LABEL),
    )


def _panel(identifier_: str, title: str, unit: str, parts: Mapping[str, int]) -> Panel:
    shown = [(label, value) for label, value in parts.items() if value]
    if len(shown) > _MOST_ROWS:
        kept = sorted(shown, key=lambda item: -item[1])[: _MOST_ROWS - 1]
        rest = sum(value for _, value in shown) - sum(value for _, value in kept)
        shown = [item for item in shown if item in kept] + [(f"{len(shown) - len(kept)} smaller ones", rest)]
    total = sum(value for _, value in shown)
    largest = max((value for _, value in shown), default=1)
    room = _WIDTH - _LABEL - _VALUE
    bars = tuple(
        Bar(
            _TOP + n * _ROW,
            label.replace("_", " "),
            max(1.0, round(room * value / largest, 1)),
            grouped(value),
            share,
            f"{short(value)} · {share}",
        )
        for n, (label, value) in enumerate(shown)
        for share in (percent(value, total),)
    )
    return Panel(identifier_, title, unit, total, bars, _TOP + len(bars) * _ROW + 4)


def _descending(parts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(parts.items(), key=lambda item: (-item[1], item[0])))
