"""A Markdown summary that fits GitHub's step summary: at most 1 MiB, worst first, metadata shown as text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from tools.measure.records import Measurement
from tools.report.as_json import environment
from tools.report.escape import log_line, visible
from tools.report.options import Options
from tools.report.records import ModelReport, Report
from tools.rules.records import Finding, Severity, Verdict

LIMIT = 1024 * 1024
"""Bytes that GitHub takes of one step's summary; more is refused whole."""
_RESERVE = 2048
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|~$@:.-])")


def write(report: Report, _options: Options | None = None) -> str:
    """The verdicts, the findings and one row a model, as GitHub-flavoured Markdown."""
    parts = [*_head(report)]
    room = LIMIT - _RESERVE - sum(len(part.encode()) + 1 for part in parts)
    for header, rows in _tables(report):
        table, room = _fitted(header, rows, room)
        parts.extend(table)
    return "\n".join(map(log_line, parts)).rstrip("\n") + "\n"


def escape(text: object) -> str:
    """Text for a table cell or a sentence: no markup, no HTML, no cell border."""
    shown = visible(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _SPECIAL.sub(r"\\\1", shown).replace("www\\.", "www&#46;")


def _head(report: Report) -> Iterator[str]:
    severities, verdicts = report.severities(), report.verdicts()
    state = "failed" if severities[Severity.ERROR] else "interrupted" if report.interrupted else "passed"
    yield f"## Model index audit: {state}"
    yield ""
    yield "| models | " + " | ".join(verdict.value for verdict in Verdict) + " | errors | warnings | notes |"
    yield "|" + "---:|" * (len(Verdict) + 4)
    numbers = [len(report.models), *(verdicts[verdict] for verdict in Verdict), *(severities[s] for s in Severity)]
    yield "| " + " | ".join(map(str, numbers)) + " |"
    yield ""
    left_out = [
        f"{len(findings)} {word}"
        for findings, word in ((report.ignored, "ignored"), (report.baselined, "known from the baseline"))
        if findings
    ]
    if left_out:
        yield f"Not counted as findings: {', '.join(left_out)}."
        yield ""
    if report.interrupted:
        yield "The run was interrupted: this is what was known so far, not the whole audit."
        yield ""
    versions = ", ".join(f"{escape(name)} {escape(version)}" for name, version in environment(report).items())
    yield f"Measured with {versions}." if report.environment is not None else "Nothing was measured."
    yield ""


def _tables(report: Report) -> Iterator[tuple[list[str], list[str]]]:
    if report.findings:
        ranked = sorted(report.findings, key=lambda finding: (list(Severity).index(finding.severity), finding.place))
        yield (
            ["### Findings", "", "| severity | rule | place | model | message |", "|---|---|---|---|---|"],
            [_finding_row(finding) for finding in ranked],
        )
    if report.models:
        yield (
            [
                "### Models",
                "",
                "| model | parameters | FLOPs by fvcore | " + " | ".join(verdict.value for verdict in Verdict) + " |",
                "|---|---:|---:|" + "---:|" * len(Verdict),
            ],
            [_model_row(model) for model in report.models],
        )


def _finding_row(finding: Finding) -> str:
    cells = (finding.severity.value, finding.code, finding.place, finding.model or "", finding.message)
    return "| " + " | ".join(map(escape, cells)) + " |"


def _model_row(model: ModelReport) -> str:
    parameters = flops = "not measured"
    if isinstance(model.measurement, Measurement):
        parameters = str(model.measurement.parameters)
        count = model.measurement.count("fvcore")
        flops = "not counted" if count is None else str(count.total)
    verdicts = [judgement.verdict for judgement in model.judgements]
    counts = [str(verdicts.count(verdict)) for verdict in Verdict]
    return "| " + " | ".join([escape(model.model.name.text), parameters, flops, *counts]) + " |"


def _fitted(header: list[str], rows: Iterable[str], room: int) -> tuple[list[str], int]:
    """As many rows as fit into ``room`` bytes, with a note for the others, and the room that is left."""
    table = list(header)
    room -= sum(len(line.encode()) + 1 for line in header)
    rows = list(rows)
    for position, row in enumerate(rows):
        room -= len(row.encode()) + 1
        if room < 0:
            table += ["", f"{len(rows) - position} more rows did not fit into the summary."]
            break
        table.append(row)
    table.append("")
    return table, max(room, 0)
