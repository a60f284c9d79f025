"""The versioned JSON report, ``zoo-audit/1``: its contract is the schema file beside this module.

Wall times, dates and machine names are left out: the same pages and the same code give the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import tools
from tools.measure.records import Count, Failure, InputSize, Measurement
from tools.report.escape import json_safe
from tools.report.options import Options
from tools.report.records import ModelReport, Report
from tools.rules.records import Finding, Judgement, Severity, Verdict

SCHEMA = "zoo-audit/1"


def write(report: Report, _options: Options | None = None) -> str:
    """The report as one JSON document with a final line break: a line a model and a line a finding.

    Indented further it would take a minute for ten thousand models, and a diff would show no more.
    """
    parts = [f"  {_json(key)}: {_lines(value)}" for key, value in as_document(report).items()]
    return json_safe("{\n" + ",\n".join(parts) + "\n}\n")


def _lines(value: Any) -> str:
    if not isinstance(value, list) or not value:
        return _json(value)
    return "[\n" + ",\n".join(f"    {_json(item)}" for item in value) + "\n  ]"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def as_document(report: Report) -> dict[str, Any]:
    """The report as plain dicts and lists."""
    return {
        "schema": SCHEMA,
        "environment": environment(report),
        "models": [_model(model) for model in report.models],
        "findings": [_finding(finding) for finding in report.findings],
        "summary": summary(report),
    }


def environment(report: Report) -> dict[str, str]:
    """The versions behind the numbers; only this tool's own where nothing was measured."""
    versions = {"zoo_audit": tools.__version__}
    if report.environment is not None:
        made_with = report.environment
        versions |= {
            "python": made_with.python,
            "torch": made_with.torch,
            "fvcore": made_with.fvcore,
            "platform": made_with.platform,
        }
    return versions


def summary(report: Report) -> dict[str, int | bool]:
    """Counts of models, of every verdict and of every severity."""
    verdicts, severities = report.verdicts(), report.severities()
    return {
        "models": len(report.models),
        **{verdict.value: verdicts[verdict] for verdict in Verdict},
        "errors": severities[Severity.ERROR],
        "warnings": severities[Severity.WARNING],
        "notes": severities[Severity.NOTE],
        "ignored_findings": len(report.ignored),
        "baselined_findings": len(report.baselined),
        "interrupted": report.interrupted,
    }


def size_text(size: InputSize) -> str:
    """``3x224x224`` of ``(3, 224, 224)``."""
    return "x".join(map(str, size))


def _model(model: ModelReport) -> dict[str, Any]:
    document: dict[str, Any] = {
        "name": model.model.name.text,
        "path": model.model.place.path,
        "line": model.model.place.line,
        "measured": None,
        "claims": [_claim(judgement) for judgement in model.judgements],
    }
    if isinstance(model.measurement, Measurement):
        document["measured"] = _measured(model.measurement)
    elif isinstance(model.measurement, Failure):
        failure = model.measurement
        document["failure"] = {"stage": failure.stage, "message": failure.message, "detail": failure.detail}
    return document


def _measured(measurement: Measurement) -> dict[str, Any]:
    reference = measurement.count("fvcore")
    return {
        "parameters": measurement.parameters,
        "trainable_parameters": measurement.trainable_parameters,
        "buffers": measurement.buffers,
        "flops": None if reference is None else reference.total,
        "flops_by_operator": {} if reference is None else _sorted(reference.by_operator),
        "counts": [_count(count) for count in measurement.counts],
        "activations": measurement.activations,
        "input_size": list(measurement.input_size),
        "dtype": measurement.dtype,
        "state_dict_entries": len(measurement.state_dict),
        "state_dict_bytes": measurement.state_dict_bytes,
        "method": measurement.method,
        "method_reason": measurement.method_reason,
        "architecture": measurement.fingerprint,
    }


def _count(count: Count) -> dict[str, Any]:
    return {
        "counter": count.counter,
        "input_size": list(count.input_size),
        "total": count.total,
        "uncounted": _sorted(count.uncounted),
    }


def _sorted(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _claim(judgement: Judgement) -> dict[str, Any]:
    return {
        "field": judgement.claim.field,
        "claimed": _plain(judgement.claimed),
        "measured": _plain(judgement.measured),
        "verdict": judgement.verdict.value,
        "reason": judgement.reason,
        "path": judgement.claim.place.path,
        "line": judgement.claim.place.line,
        "column": judgement.claim.place.column,
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "model": finding.model,
        "field": finding.field,
        "path": finding.place.path,
        "line": finding.place.line,
        "column": finding.place.column,
        "message": finding.message,
        "claimed": _plain(finding.claimed),
        "measured": _plain(finding.measured),
        "fixable": bool(finding.fix),
    }


def _plain(value: object) -> object:
    """A value that JSON can write: not a number and infinity become text, since JSON has no word for them."""
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return str(value)
    return value
