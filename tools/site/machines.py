"""What the site gives to machines: JSON with a schema, JSON-LD in the cards, and a badge."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

import tools
from tools.measure.records import Count, Measurement
from tools.report.records import Report
from tools.rules.records import Judgement, Verdict
from tools.site.facts import Facts
from tools.site.html import TEMPLATES, render, web_url
from tools.site.repository import Commit

SCHEMA = "zoo-models/1"
SCHEMA_FILE = TEMPLATES / "models.schema.json"


def file_name(name: str) -> str:
    """The file of one model under ``models/``: no name can leave that folder or hide in it."""
    safe = quote(name, safe="")
    return f"{safe.replace('.', '%2E', 1) if safe.startswith('.') else safe}.json"


def _head(report: Report, commit: Commit) -> dict[str, Any]:
    """What ``models.json`` says before its models: what made it, from what, and how many claims have which verdict."""
    environment = report.environment
    return {
        "$schema": "models.schema.json",
        "schema": SCHEMA,
        "generator": {"name": "zoo-audit", "version": tools.__version__},
        "commit": {"hash": commit.hash, "date": commit.date, "changed": commit.changed},
        "environment": None
        if environment is None
        else {
            "python": environment.python,
            "torch": environment.torch,
            "fvcore": environment.fvcore,
            "platform": environment.platform,
        },
        "summary": {verdict.value: n for verdict, n in report.verdicts().items()},
    }


def model_document(facts: Facts) -> dict[str, Any]:
    """One model: the same object alone in its file and in ``models.json``."""
    model = facts.report.model
    return {
        "name": facts.name,
        "collections": [collection.text for collection in model.collections],
        "page": model.page,
        "paper": model.paper.url.text if model.paper and model.paper.url else None,
        "weights": facts.weights_url,
        "measured": None if facts.measurement is None else _measured(facts.measurement),
        "not_measured": facts.why_not_measured() or None,
        "claims": [_claim(judgement) for judgement in facts.report.judgements],
    }


def dump(document: object) -> str:
    """JSON text that is the same for the same content."""
    return json.dumps(document, ensure_ascii=False)


def files(report: Report, models: Sequence[Facts], commit: Commit) -> dict[str, str]:
    """``models.json``, which has one model a line, and one file a model with that same line."""
    lines = [dump(model_document(facts)) for facts in models]
    body = ",\n".join(lines)
    return {
        "models.json": f'{dump(_head(report, commit)).removesuffix("}")}, "models": [\n{body}\n]}}\n',
        **{f"models/{file_name(facts.name)}": f"{line}\n" for facts, line in zip(models, lines, strict=True)},
    }


def badge(report: Report) -> Markup:
    """An SVG that another README can embed: how many claims are verified, of how many."""
    verdicts = report.verdicts()
    total, verified, wrong = sum(verdicts.values()), verdicts[Verdict.VERIFIED], verdicts[Verdict.MISMATCH]
    label, value = "claims verified", f"{verified}/{total}"
    widths = [round(len(text) * 6.4 + 12) for text in (label, value)]
    return render("badge.svg", label=label, value=value, widths=widths, wrong=wrong)


def json_ld(facts: Sequence[Facts], url: str | None) -> Markup:
    """The card's models for search engines, as schema.org's SoftwareSourceCode with property values."""
    graph = [_linked(one, url) for one in facts]
    text = json.dumps({"@context": "https://schema.org", "@graph": graph}, ensure_ascii=True)
    # "</script>" inside a string would end the element, and a run of backticks could open a code fence.
    for character in "<>&`~":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(f'<script type="application/ld+json">{text}</script>')  # noqa: S704 - escaped above


def write(site: Path, files: dict[str, str]) -> None:
    """Write the files below the site's folder."""
    for folder in {(site / name).parent for name in files}:
        folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (site / name).write_bytes(text.encode())


def _linked(facts: Facts, url: str | None) -> dict[str, Any]:
    model = facts.report.model
    linked: dict[str, Any] = {
        "@type": "SoftwareSourceCode",
        "name": facts.name,
        "programmingLanguage": "Python",
        "runtimePlatform": "PyTorch",
        "isPartOf": facts.family,
    }
    if url:
        linked["url"] = url
    if model.code and web_url(model.code.text):
        linked["codeRepository"] = model.code.text
    if model.paper and model.paper.url and web_url(model.paper.url.text):
        linked["citation"] = model.paper.url.text
    count = facts.count()
    properties = []
    if facts.measurement and count:
        properties = [
            _property("parameters, measured", facts.measurement.parameters, ""),
            _property(f"FLOPs, measured by {count.counter}", count.total, "multiply-adds"),
        ]
    for judgement in facts.report.judgements:
        properties.append(
            _property(f"{judgement.claim.field}, {judgement.verdict.value}", judgement.claim.value.text, "")
        )
    linked["additionalProperty"] = properties
    return linked


def _property(name: str, value: object, unit: str) -> dict[str, Any]:
    described = {"@type": "PropertyValue", "name": name, "value": value}
    return {**described, "unitText": unit} if unit else described


def _measured(measurement: Measurement) -> dict[str, Any]:
    return {
        "parameters": measurement.parameters,
        "trainable_parameters": measurement.trainable_parameters,
        "buffers": measurement.buffers,
        "activations": measurement.activations,
        "state_dict_bytes": measurement.state_dict_bytes,
        "input_size": list(measurement.input_size),
        "dtype": measurement.dtype,
        "fingerprint": measurement.fingerprint,
        "flops": [_count(count) for count in measurement.counts],
    }


def _count(count: Count) -> dict[str, Any]:
    return {
        "counter": count.counter,
        "input_size": list(count.input_size),
        "total": count.total,
        "by_operator": dict(count.by_operator),
        "by_stage": dict(count.by_stage),
        "uncounted": dict(count.uncounted),
    }


def _claim(judgement: Judgement) -> dict[str, Any]:
    return {
        "field": judgement.claim.field,
        "claimed": judgement.claimed,
        "measured": judgement.measured,
        "verdict": judgement.verdict.value,
        "reason": judgement.reason,
        "place": str(judgement.claim.place),
    }
