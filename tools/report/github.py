"""GitHub workflow commands: findings become annotations in the diff of a pull request.

GitHub shows ten annotations of each level for a step and drops the rest in silence, so the rest is printed
as plain log lines and counted.
Syntax: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

from collections import Counter

from tools.report.escape import log_line, visible
from tools.report.options import Options
from tools.report.records import Report
from tools.report.text import finding_line, summary_lines
from tools.rules.records import Finding, Severity

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}
SHOWN = 10
"""Annotations of one level that GitHub shows for one step."""


def write(report: Report, _options: Options | None = None) -> str:
    """One annotation a finding, worst first, then what GitHub would not show, then the summary."""
    ranked = sorted(report.findings, key=lambda finding: (list(Severity).index(finding.severity), finding.place))
    annotated: list[str] = []
    rest: list[str] = []
    shown: Counter[Severity] = Counter()
    for finding in ranked:
        shown[finding.severity] += 1
        if shown[finding.severity] <= SHOWN:
            annotated.append(_annotation(finding))
        else:
            rest.append(log_line(finding_line(finding)))
    if rest:
        rest.insert(0, f"{len(rest)} more without an annotation, since GitHub shows {SHOWN} of a level:")
    return "\n".join([*annotated, *rest, *map(log_line, summary_lines(report))]) + "\n"


def _annotation(finding: Finding) -> str:
    title = " ".join(filter(None, (finding.code, finding.model, finding.field)))
    properties = {
        "file": finding.place.path,
        "line": str(finding.place.line),
        "col": str(finding.place.column),
        "title": title,
    }
    listed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{_COMMANDS[finding.severity]} {listed}::{_data(finding.message)}"


def _data(text: str) -> str:
    return visible(text).replace("%", "%25").replace("##[", "#%23[")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
