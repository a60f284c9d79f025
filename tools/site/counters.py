"""The counters' own page: what each convention counts, and how far apart they are on the very same model."""

from __future__ import annotations

from markupsafe import Markup

from tools.measure.counters import COUNTERS
from tools.site.facts import REFERENCE, Facts
from tools.site.html import render


def descriptions() -> Markup:
    """Each counter with a table of what it counts, and as what."""
    return render("counter_descriptions.html", counters=COUNTERS.values(), reference=REFERENCE)


def quotations(facts: Facts) -> Markup:
    """One model's cost as it may be quoted: every counter at every size measured, a multiply-add as one and as two."""
    counts = facts.measurement.counts if facts.measurement else ()
    base = facts.count()
    rows = [(count, factor, count.total * factor) for count in counts for factor in (1, 2)]
    # A doubled figure is something that people publish only where every unit is a multiply-add.
    rows = [row for row in rows if row[1] == 1 or row[0].counter in {"torch", "conv-linear"}]
    rows.sort(key=lambda row: (row[2], row[0].counter))
    return render("quotations.html", facts=facts, rows=rows, base=base)
