"""A baseline lets an old zoo adopt the audit: only what is new fails."""

from __future__ import annotations

import json
from pathlib import Path

from tests.audit.conftest import Audit
from tests.audit.toyzoo import edit


def test_known_findings_are_counted_and_fail_nothing(zoo: Path, audit: Audit) -> None:
    card = zoo / "cards" / "large.md"
    edit(card, "Parameters: 448", "Parameters: 458")
    written = audit("--write-baseline", "known.json")
    assert written.exit_code == 0
    assert "1 finding known from now on: known.json" in written.stderr
    (entry,) = json.loads((zoo / "known.json").read_text("utf-8"))["findings"]
    assert entry == {
        "code": "PAR001",
        "path": "cards/large.md",
        "model": "large",
        "field": "Parameters",
        "claimed": "458",
    }

    known = audit("--baseline", "known.json")
    assert known.exit_code == 0
    assert "0 errors, 0 warnings, 0 notes, 1 known from the baseline" in known.stdout
    assert audit().exit_code == 1

    edit(card, "# Large\n", "# Large\n\nA paragraph that moves every line.\n")
    assert audit("--baseline", "known.json").exit_code == 0

    edit(card, "FLOPs: 110592", "FLOPs: 110593")
    new = audit("--baseline", "known.json", "--format", "json")
    assert new.exit_code == 1
    report = json.loads(new.stdout)
    assert [finding["code"] for finding in report["findings"]] == ["FLP001"]
    assert report["summary"]["baselined_findings"] == 1


def test_an_entry_whose_finding_is_gone_is_a_note(zoo: Path, audit: Audit) -> None:
    edit(zoo / "cards" / "large.md", "Parameters: 448", "Parameters: 458")
    audit("--write-baseline", "known.json")
    edit(zoo / "cards" / "large.md", "Parameters: 458", "Parameters: 448")
    result = audit("--baseline", "known.json")
    assert result.exit_code == 0
    assert "known.json:1:1 BAS001 known but gone: PAR001 cards/large.md large Parameters 458" in result.stdout
    assert "BAS001" not in audit("--baseline", "known.json", "--models", "small").stdout
    assert "BAS001" not in audit("--baseline", "known.json", "--select", "FLP").stdout
    audit("--write-baseline", "known.json")
    assert "BAS001" not in audit("--baseline", "known.json").stdout


def test_the_baseline_of_the_settings_is_used(zoo: Path, audit: Audit) -> None:
    edit(zoo / "cards" / "large.md", "Parameters: 448", "Parameters: 458")
    audit("--write-baseline", "known.json")
    edit(zoo / "pyproject.toml", "rename", 'baseline = "known.json"\nrename')
    assert audit().exit_code == 0


def test_what_is_no_baseline_is_refused(zoo: Path, audit: Audit) -> None:
    for text in (
        "",
        "[]",
        "{}",
        '{"schema": "zoo-audit-baseline/1"}',
        '{"schema": "zoo-audit-baseline/1", "findings": [1]}',
    ):
        (zoo / "known.json").write_text(text, "utf-8")
        result = audit("--baseline", "known.json", "--static")
        assert result.exit_code == 2, text
        assert "--baseline: " in result.stderr
