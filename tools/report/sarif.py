"""SARIF 2.1.0, for code scanning: rules with their help, findings with region, fingerprint and fix.

Ignored and baselined findings are left out: GitHub would show them as open alerts.
Standard: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any
from urllib.parse import quote

import tools
from tools.modelindex.records import Edit
from tools.report.escape import json_safe, visible
from tools.report.fingerprint import fingerprints
from tools.report.options import Options
from tools.report.records import Report, RuleInfo
from tools.rules.records import Finding

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_ROOT = "%SRCROOT%"
_FINGERPRINT = "zooAudit/v1"


def write(report: Report, options: Options | None = None) -> str:
    """The report as one SARIF log with one run."""
    texts = {} if options is None else options.texts
    rules = _rules(report)
    positions = {rule["id"]: position for position, rule in enumerate(rules)}
    run = {
        "tool": {
            "driver": {
                "name": "zoo-audit",
                "semanticVersion": tools.__version__,
                "rules": rules,
            }
        },
        "automationDetails": {"id": "zoo-audit/"},
        "invocations": [{"executionSuccessful": not report.interrupted}],
        "columnKind": "unicodeCodePoints",
        "results": [
            _result(finding, fingerprint, positions[finding.code], texts)
            for finding, fingerprint in fingerprints(report.findings)
        ],
    }
    log = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return json_safe(json.dumps(log, indent=2, ensure_ascii=False)) + "\n"


def _rules(report: Report) -> list[dict[str, Any]]:
    known = {rule.code: rule for rule in report.rules}
    codes = sorted(known.keys() | {finding.code for finding in report.findings})
    return [_rule(known[code]) if code in known else {"id": code} for code in codes]


def _rule(rule: RuleInfo) -> dict[str, Any]:
    return {
        "id": rule.code,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.why},
        "help": {
            "text": f"{rule.why}\n\n{rule.remedy}",
            "markdown": f"**Why it matters.** {rule.why}\n\n**How to mend it.** {rule.remedy}",
        },
        "defaultConfiguration": {"level": rule.severity.value},
    }


def _result(finding: Finding, fingerprint: str, rule_index: int, texts: Mapping[str, str]) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": rule_index,
        "level": finding.severity.value,
        "message": {"text": _message(finding)},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": _artifact(finding.place.path),
                    "region": {"startLine": max(1, finding.place.line), "startColumn": max(1, finding.place.column)},
                }
            }
        ],
        "partialFingerprints": {_FINGERPRINT: fingerprint},
    }
    if finding.model is not None:
        result["locations"][0]["logicalLocations"] = [{"name": visible(finding.model), "kind": "object"}]
    if finding.fix and all(edit.path in texts for edit in finding.fix):
        result["fixes"] = [_fix(finding.fix, texts)]
    return result


def _message(finding: Finding) -> str:
    subject = f"{finding.model}: " if finding.model and finding.model not in finding.message else ""
    return visible(subject + finding.message)


def _artifact(path: str) -> dict[str, str]:
    return {"uri": quote(path.encode("utf-8", "surrogatepass")), "uriBaseId": _ROOT}


def _fix(edits: Sequence[Edit], texts: Mapping[str, str]) -> dict[str, Any]:
    changes = []
    for path, group in groupby(sorted(edits, key=lambda edit: (edit.path, edit.start)), key=lambda edit: edit.path):
        replacements = [
            {
                "deletedRegion": _region(texts[path], edit.start, edit.end),
                "insertedContent": {"text": edit.new},
            }
            for edit in group
        ]
        changes.append({"artifactLocation": _artifact(path), "replacements": replacements})
    return {"description": {"text": "Write what was measured."}, "artifactChanges": changes}


def _region(text: str, start: int, end: int) -> dict[str, int]:
    """Offsets as 1-based lines and columns, the end exclusive, which is what code scanning reads."""
    first = text.rfind("\n", 0, start) + 1
    last = text.rfind("\n", 0, end) + 1
    line = text.count("\n", 0, start) + 1
    return {
        "startLine": line,
        "startColumn": start - first + 1,
        "endLine": line + text.count("\n", start, end),
        "endColumn": end - last + 1,
    }
