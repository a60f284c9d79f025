"""A baseline: the findings that an old zoo lives with for now. New ones fail, known ones are counted.

The file is JSON with one finding a line, sorted, without line numbers: a diff of it shows what came and what went,
and editing a page elsewhere changes nothing in it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from tools.audit.settings import SettingsError
from tools.modelindex.records import Place
from tools.report.fingerprint import Identity, identity
from tools.report.records import Report, RuleInfo
from tools.rules.records import Finding, Severity

SCHEMA = "zoo-audit-baseline/1"
STALE = RuleInfo(
    "BAS001",
    "the baseline knows a finding that is gone",
    "A baseline that keeps what was mended would also let the same mistake come back unseen.",
    "Write the baseline again with --write-baseline.",
    Severity.NOTE,
)
"""Not a rule about the zoo, but about the baseline itself; it can only be a note."""


class Baseline:
    """The known findings of one file; a finding that occurs twice is known twice."""

    def __init__(self, path: Path, known: Counter[Identity]) -> None:
        self.path = path
        self.known = known


def read(path: Path) -> Baseline:
    """Read a baseline file.

    Raises:
        SettingsError: it cannot be read or is not a baseline.
    """
    try:
        document = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise SettingsError(f"--baseline: there is no file {path}; write one with --write-baseline {path}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise SettingsError(f"--baseline: {path}: {error}") from None
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise SettingsError(f"--baseline: {path} is not a baseline ({SCHEMA})")
    try:
        known = Counter(Identity(*(str(entry[name]) for name in Identity._fields)) for entry in document["findings"])
    except (TypeError, KeyError):
        names = ", ".join(Identity._fields)
        raise SettingsError(f"--baseline: {path}: each finding must be an object with {names}") from None
    return Baseline(path, known)


def apply(report: Report, baseline: Baseline, *, complete: bool) -> Report:
    """Move the known findings of ``report`` to ``baselined``; after a complete run note the entries that are stale."""
    left = Counter(baseline.known)
    new: list[Finding] = []
    known: list[Finding] = []
    for finding in report.findings:
        key = identity(finding)
        if left[key] > 0:
            left[key] -= 1
            known.append(finding)
        else:
            new.append(finding)
    ran = {rule.code for rule in report.rules}
    stale = [key for key in sorted(left.elements()) if key.code in ran] if complete else []
    path = _shown(baseline.path)
    new += [
        Finding(
            STALE.code,
            STALE.severity,
            Place(path, 1, 1),
            f"known but gone: {key.code} {' '.join(filter(None, (key.path, key.model, key.field, key.claimed)))}",
        )
        for key in stale
    ]
    rules = (*report.rules, STALE) if stale else report.rules
    return replace(report, findings=tuple(new), baselined=tuple(known), rules=rules)


def _shown(path: Path) -> str:
    here = Path.cwd()
    return path.relative_to(here).as_posix() if path.is_relative_to(here) else path.as_posix()


def text(findings: Iterable[Finding]) -> str:
    """The baseline file that knows ``findings``."""
    entries = sorted(identity(finding) for finding in findings if finding.code != STALE.code)
    lines = ",\n".join("    " + json.dumps(entry._asdict(), ensure_ascii=False) for entry in entries)
    listed = f"[\n{lines}\n  ]" if lines else "[]"
    return f'{{\n  "schema": "{SCHEMA}",\n  "findings": {listed}\n}}\n'
