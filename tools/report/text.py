"""The report for people: a block a model, a line a claim, findings where a terminal makes them clickable."""

from __future__ import annotations

import textwrap
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from tools.measure.records import Failure, Measurement
from tools.modelindex.records import Place
from tools.report.as_json import environment, size_text
from tools.report.escape import log_line, shorten, visible
from tools.report.options import Options
from tools.report.records import ModelReport, Report
from tools.rules.records import Finding, Judgement, Plain, Severity, Verdict

_VALUE_WIDTH = 28
_NARROW_WIDTH = 22
"""Where a terminal has fewer than 100 columns, so that verdicts stay on it."""
_FIELD_WIDTH = 20
_RESET = "\x1b[0m"
_BOLD, _DIM = "\x1b[1m", "\x1b[2m"
_COLOURS = {
    Verdict.VERIFIED: "\x1b[32m",
    Verdict.CONSISTENT: "\x1b[36m",
    Verdict.MISMATCH: "\x1b[31m",
    Verdict.IGNORED: _DIM,
    Verdict.UNCHECKED: "\x1b[33m",
    Severity.ERROR: "\x1b[31m",
    Severity.WARNING: "\x1b[33m",
    Severity.NOTE: "\x1b[36m",
}


def write(report: Report, options: Options | None = None) -> str:
    """The whole report as text with a final line break."""
    return "\n".join(map(log_line, _lines(report, options or Options()))) + "\n"


def _lines(report: Report, options: Options) -> Iterator[str]:
    paint = _Paint(options.colour)
    if options.quiet:
        yield from (_painted_finding(finding, paint) for finding in report.findings)
        if report.findings:
            yield ""
    else:
        yield from _blocks(report, options, paint)
    yield from summary_lines(report)


def _blocks(report: Report, options: Options, paint: _Paint) -> Iterator[str]:
    of_model: dict[str, list[Finding]] = defaultdict(list)
    elsewhere: list[Finding] = []
    names = {model.model.name.text for model in report.models}
    for finding in report.findings:
        if finding.model in names:
            of_model[finding.model or ""].append(finding)
        else:
            elsewhere.append(finding)
    for model in report.models:
        # Popped, so that models that share a name by mistake don't print the same findings twice.
        yield from _block(model, of_model.pop(model.model.name.text, []), options, paint)
        yield ""
    if elsewhere:
        yield paint("The index", _BOLD)
        yield from (f"  {_painted_finding(finding, paint)}" for finding in elsewhere)
        yield ""
    if options.verbose:
        for title, findings in (("Ignored", report.ignored), ("Known from the baseline", report.baselined)):
            if findings:
                yield paint(title, _BOLD)
                yield from (f"  {finding_line(finding)}" for finding in findings)
                yield ""


def _block(model: ModelReport, findings: Sequence[Finding], options: Options, paint: _Paint) -> Iterator[str]:
    place = model.model.place
    name = visible(model.model.name.text)
    yield f"{paint(name, _BOLD)}  {paint(visible(f'{place.path}:{place.line}'), _DIM)}"
    if isinstance(model.measurement, Measurement):
        yield f"  {_measured(model.measurement)}"
        if options.verbose:
            yield from (f"  {line}" for line in _details(model.measurement))
    elif isinstance(model.measurement, Failure):
        yield "  " + paint(visible(f"not measured ({model.measurement.stage}): {model.measurement.message}"), _DIM)
        if options.verbose and model.measurement.detail:
            yield from (f"    | {visible(line)}" for line in model.measurement.detail.splitlines())
    yield from _claims(model.judgements, {(f.place, f.message): f.code for f in findings}, options, paint)
    yield from (f"  {_painted_finding(finding, paint)}" for finding in findings)


def _measured(measurement: Measurement) -> str:
    parts = [f"{measurement.parameters} parameters"]
    reference = measurement.count("fvcore")
    if reference is not None:
        parts.append(f"{reference.total} FLOPs (fvcore, {size_text(reference.input_size)})")
    parts.append(f"{measurement.state_dict_bytes} bytes of state dict")
    return ", ".join(parts)


def _details(measurement: Measurement) -> Iterator[str]:
    yield (
        f"{measurement.trainable_parameters} trainable, {measurement.buffers} buffers, "
        f"{measurement.activations} activations, {measurement.dtype}, by {measurement.method}"
        + (f" ({visible(measurement.method_reason)})" if measurement.method_reason else "")
    )
    for count in measurement.counts:
        yield f"{count.counter} at {size_text(count.input_size)}: {count.total}"
        for operator, total in sorted(count.by_operator.items(), key=lambda item: (-item[1], item[0])):
            yield f"  {visible(operator)}: {total}"
        if count.uncounted:
            calls = ", ".join(f"{visible(name)} ({times})" for name, times in sorted(count.uncounted.items()))
            yield f"  not counted: {calls}"


def _claims(
    judgements: Sequence[Judgement], told: Mapping[tuple[Place, str], str], options: Options, paint: _Paint
) -> Iterator[str]:
    """One line a claim. A reason that is told as a finding below is not told twice: its code stands for it."""
    room = _VALUE_WIDTH if options.width is None or options.width >= 100 else _NARROW_WIDTH
    rows = [
        (
            shorten(visible(judgement.claim.field), _FIELD_WIDTH),
            shorten(_value(judgement.claimed), room),
            shorten(_value(judgement.measured), room),
            judgement.verdict,
            visible(told.get((judgement.claim.place, judgement.reason), judgement.reason)),
        )
        for judgement in judgements
    ]
    if not rows:
        return
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    verdict_width = max(len(verdict) for verdict in Verdict)
    indent = 4 + sum(widths) + 2 * len(widths)
    for field, claimed, measured, verdict, reason in rows:
        cells = "  ".join(text.ljust(width) for text, width in zip((field, claimed, measured), widths, strict=True))
        line = f"    {cells}  {paint(verdict.value, _COLOURS[verdict])}"
        if not reason:
            yield line
            continue
        folded = _folded(reason, options.width, indent + verdict_width + 2)
        if folded is None:
            # No room beside the verdict: the reason goes below it, indented, so that columns stay columns.
            yield line
            yield from (f"      {part}" for part in textwrap.wrap(reason, max(20, (options.width or 80) - 6)))
            continue
        padding = " " * (verdict_width - len(verdict.value))
        yield f"{line}{padding}  {folded[0]}"
        yield from (" " * (indent + verdict_width + 2) + part for part in folded[1:])


def _folded(reason: str, width: int | None, column: int) -> list[str] | None:
    """The reason in lines that fit behind ``column``; ``None`` where it would not look well there."""
    if width is None or column + len(reason) <= width:
        return [reason]
    room = width - column
    return textwrap.wrap(reason, room, break_long_words=False) if room >= 30 else None


def _value(value: Plain) -> str:
    return "-" if value is None else visible(value)


def finding_line(finding: Finding) -> str:
    """``path:line:column CODE message``, the form that editors and terminals make a link of."""
    return visible(f"{finding.place} {finding.code} {finding.message}")


def _painted_finding(finding: Finding, paint: _Paint) -> str:
    place = visible(finding.place)
    code = paint(finding.code, _COLOURS[finding.severity])
    suffix = paint(" [can be fixed]", _DIM) if finding.fix else ""
    return f"{place} {code} {visible(finding.message)}{suffix}"


def summary_lines(report: Report) -> list[str]:
    """Counts of models, verdicts and severities, and the versions behind the numbers."""
    verdicts, severities = report.verdicts(), report.severities()
    claims = sum(verdicts.values())
    lines = [
        f"{plural(len(report.models), 'model')}, {plural(claims, 'claim')}: "
        + ", ".join(f"{verdicts[verdict]} {verdict.value}" for verdict in Verdict),
        ", ".join(plural(severities[severity], severity.value) for severity in Severity)
        + (f", {len(report.ignored)} ignored" if report.ignored else "")
        + (f", {len(report.baselined)} known from the baseline" if report.baselined else ""),
    ]
    fixable = sum(bool(finding.fix) for finding in report.findings)
    if fixable:
        lines.append(f"{plural(fixable, 'finding')} can be fixed with --fix (--diff shows how).")
    if report.interrupted:
        lines.append("Interrupted: this is what was known so far, not the whole audit.")
    if report.environment is not None:
        names = {"zoo_audit": "zoo-audit", "python": "Python"}
        versions = environment(report)
        versions.pop("platform")
        lines.append(", ".join(f"{names.get(name, name)} {visible(version)}" for name, version in versions.items()))
    return lines


def plural(count: int, noun: str) -> str:
    """``1 finding``, ``2 findings``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


class _Paint:
    """Wraps text in an ANSI colour where colours are wanted."""

    def __init__(self, wanted: bool) -> None:
        self._wanted = wanted

    def __call__(self, text: str, colour: str) -> str:
        return f"{colour}{text}{_RESET}" if self._wanted else text
