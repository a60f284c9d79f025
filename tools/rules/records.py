"""What the rules say: verdicts on claims and findings, as frozen records that import no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias

from tools.measure.records import Failure, Listing, Measurement
from tools.modelindex.records import Edit, Index, Place, Scalar
from tools.weights.records import LinkStatus, WeightFile

Plain: TypeAlias = str | int | float | None
"""A claimed or measured value as JSON shows it."""


class Verdict(StrEnum):
    """What came of one claim. "Not checked" is never shown as passed."""

    VERIFIED = "verified"
    CONSISTENT = "consistent"
    MISMATCH = "mismatch"
    IGNORED = "ignored"
    UNCHECKED = "unchecked"


class Severity(StrEnum):
    """How bad a finding is; only errors make the audit fail."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """One breach of one rule."""

    code: str
    severity: Severity
    place: Place
    message: str
    model: str | None = None
    field: str | None = None
    claimed: Plain = None
    measured: Plain = None
    fix: tuple[Edit, ...] = ()
    """The edits that mend it, where the mend is certain."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One value that the index states of one model."""

    model: str
    field: str
    """As the field is written in the field's standard form: ``FLOPs``, ``Top 1 Accuracy`` ..."""
    value: Scalar
    inherited_from: str | None = None

    @property
    def place(self) -> Place:
        """Where the claimed value stands."""
        return self.value.place


@dataclass(frozen=True, slots=True)
class Judgement:
    """A rule's verdict on one claim, with what it was compared with and why."""

    claim: Claim
    verdict: Verdict
    claimed: Plain
    measured: Plain
    reason: str = ""

    def but(self, verdict: Verdict, reason: str) -> Judgement:
        """The same claim with another verdict (an ignored mismatch)."""
        return replace(self, verdict=verdict, reason=reason)


@dataclass(frozen=True, slots=True)
class Context:
    """Everything that a rule may look at. Rules never read files, build models or open connections."""

    index: Index
    measurements: Mapping[str, Measurement | Failure]
    """By model name. Empty for a static audit."""
    listing: Listing | None = None
    weights: Mapping[str, WeightFile] | None = None
    """Local weight files by file name; ``None``: no ``--weights``."""
    links: Mapping[str, LinkStatus] | None = None
    """By URL; ``None``: not ``--online``."""
    source: Path | None = None
    """``--source``: a checkout of the code that Code links point into."""
    static: bool = False
    input_size: tuple[int, ...] | None = None
    """The configured default input size, where the zoo's code does not say."""
    build_names: Mapping[str, str] = field(default_factory=dict)
    """Model name -> what the factory was called with, where a configured mapping renames it."""
    source_files: Mapping[str, str] | None = None
    """Text of the files under ``source`` that :func:`tools.rules.links.source_paths` asks for; ``None``: no source."""
    missing_files: frozenset[str] | None = None
    """Those of :func:`tools.rules.links.local_paths` that do not exist; ``None``: nobody looked."""
    partial: bool = False
    """Only a part of the index is audited (``PATH...``, ``--models``): what is absent proves nothing."""
