"""Accuracy against cost: what a point of accuracy costs in FLOPs and in parameters."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from markupsafe import Markup

from tools.site.charts import Axis, Point, scatter
from tools.site.facts import REFERENCE, Facts
from tools.site.html import render
from tools.site.numbers import input_size

_TOP1 = Axis("Top 1 accuracy, % of ImageNet (published)", "Top 1, %", 2)


def charts(models: Sequence[Facts], link: Callable[[Facts], str | None]) -> Markup:
    """Two charts side by side, of the models that publish a top-1 accuracy and were measured."""
    by_flops, by_parameters, sizes = [], [], set()
    for facts in models:
        top1, count, measurement = facts.accuracy_value(1), facts.count(), facts.measurement
        if top1 is None or count is None or measurement is None:
            continue
        href = link(facts) or "#"
        by_flops.append(Point(facts.name, facts.family, count.total, top1, href))
        by_parameters.append(Point(facts.name, facts.family, measurement.parameters, top1, href))
        sizes.add(input_size(count.input_size))
    at = f" at {', '.join(sorted(sizes))}" if sizes else ""
    return render(
        "side_by_side.html",
        figures=[
            scatter(
                "flops",
                "Top 1 over FLOPs",
                f"FLOPs are measured by {REFERENCE}{at}; accuracies are as published and not checked here.",
                Axis("FLOPs (multiply-adds)", "FLOPs"),
                _TOP1,
                by_flops,
            ),
            scatter(
                "parameters",
                "Top 1 over parameters",
                "Parameters are measured; accuracies are as published and not checked here.",
                Axis("Parameters", "Parameters"),
                _TOP1,
                by_parameters,
            ),
        ],
    )
