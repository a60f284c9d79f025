"""What every rule is: one thing that is checked, with its own documentation."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import ClassVar, Literal, TypeAlias

from tools.modelindex import edit
from tools.modelindex.records import Edit, Entry, Place, Scalar, TextFile
from tools.rules.claims import scalar
from tools.rules.evidence import Evidence, Subject
from tools.rules.records import Claim, Finding, Judgement, Plain, Severity, Verdict

Need: TypeAlias = Literal["index", "measurement", "config", "listing", "weights", "links", "source", "files"]
"""What a rule must see before it can say anything."""
Outcome: TypeAlias = Finding | Judgement


class RuleError(RuntimeError):
    """A rule itself failed: a bug in this tool, never the card's fault. Says which rule, and for which model."""


class Rule(ABC):
    """One check. The class variables are its documentation: ``--explain`` and the site print them."""

    code: ClassVar[str]
    title: ClassVar[str]
    """What the rule demands or finds, as a short phrase."""
    severity: ClassVar[Severity] = Severity.ERROR
    why: ClassVar[str]
    """Why it matters, for somebody who has never heard of it."""
    remedy: ClassVar[str]
    """How to mend it."""
    before: ClassVar[str]
    """A card, or a part of one, that breaks the rule."""
    after: ClassVar[str]
    """The same, mended."""
    fixable: ClassVar[bool] = False
    """Whether ``--fix`` mends it where the mend is certain."""
    needs: ClassVar[tuple[Need, ...]] = ("index",)
    proves: ClassVar[tuple[str, ...]] = ()
    """Canonical keys of the fields on whose claims the rule passes a verdict."""

    @abstractmethod
    def check(self, evidence: Evidence) -> Iterator[Outcome]:
        """Everything that the rule has to say about the whole index."""

    def finding(
        self,
        place: Place,
        message: str,
        *,
        model: str | None = None,
        field: str | None = None,
        claimed: Plain = None,
        measured: Plain = None,
        fix: tuple[Edit, ...] = (),
    ) -> Finding:
        """A finding of this rule."""
        return Finding(self.code, self.severity, place, message, model, field, claimed, measured, fix)

    def breach(
        self, claim: Claim, message: str, *, measured: Plain = None, fix: tuple[Edit, ...] = ()
    ) -> tuple[Finding, Judgement]:
        """A claim that does not hold: the finding, and the verdict on the claim."""
        return (
            self.remark(claim, message, measured=measured, fix=fix),
            Judgement(claim, Verdict.MISMATCH, claim.value.text, measured, message),
        )

    def remark(self, claim: Claim, message: str, *, measured: Plain = None, fix: tuple[Edit, ...] = ()) -> Finding:
        """A finding about a claim that passes no verdict on it."""
        return self.finding(
            claim.place,
            message,
            model=claim.model,
            field=claim.field,
            claimed=claim.value.text,
            measured=measured,
            fix=fix,
        )

    @classmethod
    def available(cls, evidence: Evidence) -> bool:
        """Whether this run holds everything that the rule needs."""
        return all(evidence.holds(need) for need in cls.needs)

    @classmethod
    def runs(cls, evidence: Evidence) -> bool:
        """Whether the rule has anything to say in this run; a rule that can say a part without its needs, says yes."""
        return cls.available(evidence)


class ModelRule(Rule):
    """A rule that looks at one model at a time."""

    def check(self, evidence: Evidence) -> Iterator[Outcome]:
        """Check every model; a failure inside names the model."""
        for subject in evidence.subjects:
            try:
                yield from self.check_model(subject)
            except RuleError:
                raise
            except Exception as error:
                message = f"{self.code} failed on model {subject.name!r}: {type(error).__name__}: {error}"
                raise RuleError(message) from error

    @abstractmethod
    def check_model(self, subject: Subject) -> Iterable[Outcome]:
        """Everything that the rule has to say about one model."""


def judged(claim: Claim, verdict: Verdict, measured: Plain = None, reason: str = "") -> Judgement:
    """A verdict on a claim that is no breach."""
    return Judgement(claim, verdict, claim.value.text, measured, reason)


def replacement(subject: Subject, value: Scalar, new: str) -> tuple[Edit, ...]:
    """The edit that writes ``new`` over a scalar, in the quotes that it has or needs; nothing where that is not safe.

    Not safe is an anchored value: what its aliases stand for would change with it.
    """
    file = subject.evidence.index.files.get(value.place.path)
    if file is None or value.start == value.end or _ANCHORED.search(file.text, 0, value.start):
        return ()
    return (edit.replacement(file, value, new),)


def addition(subject: Subject, field: str, value: str) -> tuple[Edit, ...]:
    """The edit that adds a field to a model's own metadata, behind its last single value; nothing where there is none.

    A model without any metadata gets them behind its Weights. Metadata that another model shares (a file that both
    name, a YAML anchor) are left alone: they speak of both.
    """
    for entry in reversed(tuple(subject.model.metadata.values())):
        file = subject.evidence.index.files.get(entry.key.place.path)
        own = entry.inherited_from is None and subject.evidence.is_own(entry.key)
        if own and file is not None and _stands_beside(file, entry):
            return (edit.insertion(file, entry, field, value),)
    weights = subject.model.fields.get("weights")
    if "metadata" in subject.model.fields or weights is None or weights.inherited_from is not None:
        return ()
    file = subject.evidence.index.files.get(weights.key.place.path)
    if file is None or not subject.evidence.is_own(weights.key) or not _stands_beside(file, weights):
        return ()
    return (edit.insertion(file, weights, field, value, within="Metadata"),)


def _stands_beside(file: TextFile, entry: Entry) -> bool:
    """Whether an entry's value is a single one that stands behind its key, not elsewhere (in a file, at an anchor)."""
    value = scalar(entry)
    between = None if value is None or value.place.path != file.path else file.text[entry.key.end : value.start]
    return between is not None and _BESIDE.fullmatch(between) is not None


_ANCHORED = re.compile(r"&\S+\s+(?:!\S*\s+)?\Z")
_BESIDE = re.compile(r"\s*:\s*")
