"""The tables of the pages: every number in them carries its verdict."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from markupsafe import Markup

from tools.measure.counters import COUNTERS
from tools.report.records import Report
from tools.rules.records import Severity, Verdict
from tools.site.architecture import identifier
from tools.site.facts import REFERENCE, Facts
from tools.site.html import render
from tools.site.numbers import TIMES, input_size
from tools.site.verdicts import MEANING

Link = Callable[[Facts], str | None]
"""Where a model's row links to from the current page; ``None``: nowhere."""


def anchor(name: str) -> str:
    """The id of a model's row on its card."""
    return f"model-{identifier(name)}"


def summary(models: Sequence[Facts]) -> Markup:
    """A card's variants: each number with its verdict, claimed and measured on hover and focus."""
    return render(
        "summary.html",
        models=models,
        anchor=anchor,
        sizes=_input_sizes(models),
        counter=REFERENCE,
        claims=[_published_by(facts) for facts in models],
    )


def overview(models: Sequence[Facts], link: Link) -> Markup:
    """All variants in one table that can be sorted and filtered."""
    return render(
        "overview.html",
        models=models,
        links=[link(facts) for facts in models],
        families=sorted({facts.family for facts in models}),
        sizes=_input_sizes(models),
        unchecked=Verdict.UNCHECKED.value,
    )


def published(models: Sequence[Facts]) -> Markup:
    """How each published FLOPs figure comes about: its counter's sum, operator by operator."""
    rows = []
    for facts in models:
        claim, count = facts.judgement("FLOPs"), facts.claimed_count()
        if claim is not None:
            rows.append((facts, claim, count))
    operators = list(dict.fromkeys(name for _, _, count in rows if count for name, n in count.by_operator.items() if n))
    return render(
        "published.html",
        rows=rows,
        operators=operators,
        reference=[(facts, facts.count()) for facts, _, _ in rows],
    )


def weights(models: Sequence[Facts]) -> Markup:
    """The weight files: size, hash and the command that verifies a copy by hand."""
    return render("weights.html", models=[f for f in models if f.weights_url])


def verify_by_hand(facts: Facts | None) -> str:
    """The command that hashes a model's weight file, as Markdown; nothing for a name that no shell takes as it is."""
    if facts is None or not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*", facts.weights_name):
        return ""
    return (
        f"To verify a file by hand, hash it; the output must begin with `{facts.hash_prefix}`:\n\n"
        f"```console\n$ sha256sum {facts.weights_name}\n```\n\n"
    )


def counters(models: Sequence[Facts], link: Link) -> Markup:
    """The same models under each counter at their own input size; counters that agree on all of them share a column."""
    names: dict[tuple[int | None, ...], list[str]] = {}
    for counter in COUNTERS:
        totals = tuple(count.total if (count := facts.count(counter)) else None for facts in models)
        names.setdefault(totals, []).append(counter)
    return render(
        "counters.html",
        columns=[", ".join(counters) for counters in names.values()],
        rows=[(facts, link(facts), totals) for facts, *totals in zip(models, *names, strict=True)],
        reference=REFERENCE,
        sizes=_input_sizes(models),
    )


def state(report: Report, commit: object) -> Markup:
    """The audit's state: how many claims have which verdict, when, and with what."""
    verdicts = report.verdicts()
    return render(
        "state.html",
        models=len(report.models),
        claims=sum(verdicts.values()),
        verdicts=[(v.value, n, MEANING[v.value]) for v, n in verdicts.items() if n or v is not Verdict.IGNORED],
        errors=report.severities()[Severity.ERROR],
        warnings=report.severities()[Severity.WARNING],
        environment=report.environment,
        commit=commit,
    )


def _published_by(facts: Facts) -> str:
    """The counter and the input size: what the published FLOPs were compared with."""
    count = facts.claimed_count()
    if facts.judgement("FLOPs") is None or count is None:
        return ""
    return f"{count.counter}, {input_size(count.input_size)}"


def _input_sizes(models: Sequence[Facts]) -> str:
    """Height and width, or several of them, without the channels."""
    sizes = sorted({facts.measurement.input_size[1:] for facts in models if facts.measurement})
    return ", ".join(TIMES.join(map(str, size)) for size in sizes)
