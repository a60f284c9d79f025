"""The counters' own page: what each convention counts, and how far apart they are on the very same model."""

from __future__ import annotations

from markupsafe import Markup

from tools.measure.counters import COUNTERS
from tools.measure.records import InputSize
from tools.site.facts import REFERENCE, Facts
from tools.site.html import render


def descriptions() -> Markup:
    """Each counter with a table of what it counts, and as what."""
    return render("counter_descriptions.html", counters=COUNTERS.values(), reference=REFERENCE)


def quotations(facts: Facts) -> Markup:
    """One model's cost as it may be quoted: every counter at every size measured, a multiply-add as one and as two."""
    counts = facts.measurement.counts if facts.measurement else ()
    names: dict[tuple[int, InputSize, int], list[str]] = {}
    for count in counts:
        # A doubled figure is something that people publish only where every unit is a multiply-add.
        for factor in (1, 2) if count.counter in {"torch", "conv-linear"} else (1,):
            names.setdefault((count.total * factor, count.input_size, factor), []).append(count.counter)
    return render("quotations.html", facts=facts, rows=sorted(names.items()), base=facts.count())
