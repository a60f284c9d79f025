"""How a verdict looks: a shape and a word each, never a colour alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tools.rules.records import Judgement, Verdict
from tools.site.numbers import NOTHING, grouped

MEASURED = "measured"
"""The look of a number that code found and nobody claimed."""

MEANING = {
    Verdict.VERIFIED.value: "code came to the same value, at the precision claimed",
    Verdict.CONSISTENT.value: "fits what code predicts; a prediction, not a proof",
    Verdict.MISMATCH.value: "code contradicts it",
    Verdict.IGNORED.value: "differs, and the card says why that is left alone",
    Verdict.UNCHECKED.value: "as published; nothing here proves it",
    MEASURED: "measured by code; nobody claims it",
}
"""Every look, in the order of the legend."""

SYMBOL = {
    Verdict.VERIFIED.value: "✓",
    Verdict.CONSISTENT.value: "≈",
    Verdict.MISMATCH.value: "✕",
    Verdict.IGNORED.value: "⊘",
    Verdict.UNCHECKED.value: "?",
    MEASURED: "◆",
}

# Of several judgements on one claim the page shows the one that promises least.
_CAUTION = (Verdict.MISMATCH, Verdict.IGNORED, Verdict.UNCHECKED, Verdict.CONSISTENT, Verdict.VERIFIED)


@dataclass(frozen=True, slots=True)
class Cell:
    """One value on a page: what stands there, how sure it is, and what hover and focus add."""

    text: str
    look: str
    """A verdict, or :data:`MEASURED`; empty for a cell that holds nothing."""
    detail: str
    value: float | None = None
    """What sorting compares."""


EMPTY = Cell(NOTHING, "", "not published")


def most_cautious(judgements: Sequence[Judgement]) -> Judgement | None:
    """The judgement that promises least, ``None`` of none."""
    return min(judgements, key=lambda j: _CAUTION.index(j.verdict), default=None)


def explain(judgement: Judgement) -> str:
    """Claimed, measured and why, as one sentence."""
    parts = [f"claimed {grouped(judgement.claimed)}"]
    if judgement.measured is not None:
        word = "predicted" if judgement.verdict is Verdict.CONSISTENT else "measured"
        parts.append(f"{word} {grouped(judgement.measured)}")
    text = f"{judgement.verdict.value}: {', '.join(parts)}"
    return f"{text} ({judgement.reason})" if judgement.reason else text
