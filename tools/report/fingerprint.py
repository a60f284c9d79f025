"""What makes two findings of two runs the same one: never the line, which moves whenever a page is edited."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tools.rules.records import Finding


class Identity(NamedTuple):
    """A finding without its line, message and measured value, all as text."""

    code: str
    path: str
    model: str
    field: str
    claimed: str


def identity(finding: Finding) -> Identity:
    """The parts of ``finding`` that stay when the page around it is edited."""
    return Identity(
        finding.code,
        finding.place.path,
        finding.model or "",
        finding.field or "",
        "" if finding.claimed is None else str(finding.claimed),
    )


def fingerprints(findings: Iterable[Finding]) -> Iterator[tuple[Finding, str]]:
    """Each finding with a stable digest (32 hex digits); findings that look alike are numbered in order."""
    seen: Counter[Identity] = Counter()
    for finding in findings:
        key = identity(finding)
        seen[key] += 1
        digest = hashlib.sha256(json.dumps([*key, seen[key]]).encode()).hexdigest()
        yield finding, digest[:32]
