"""Each format holds what the report says, in the form that its readers take."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from junitparser import Error, Failure, JUnitXml, Skipped, TestCase

import tools.report
from tests.report.sample import HOSTILE, hostile_report, report_of
from tools.modelindex.records import Place
from tools.report import FORMATS, Options
from tools.report.markdown import LIMIT
from tools.report.records import Report
from tools.rules.records import Finding, Severity

SCHEMAS = {
    "json": Path(tools.report.__file__).with_name("zoo-audit-1.schema.json"),
    "sarif": Path(__file__).parents[1] / "data" / "sarif" / "sarif-schema-2.1.0.json",
}


@pytest.fixture
def report(tmp_path: Path) -> Report:
    return report_of(tmp_path)


def _write(report: Report, name: str, options: Options | None = None) -> str:
    return FORMATS[name](report, options)


def _suites(document: str) -> list[Any]:
    reader: Any = JUnitXml  # its iterator has no types
    return list(reader.fromstring(document.encode()))


def _validated(document: str, name: str) -> Any:
    schema = json.loads(SCHEMAS[name].read_text("utf-8"))
    value = json.loads(document)
    jsonschema.validators.validator_for(schema)(schema).validate(value)
    return value


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_report_gives_the_same_text_with_one_final_line_break(report: Report, name: str) -> None:
    text = _write(report, name)
    assert text == _write(report, name)
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


def test_text_has_a_block_a_model_and_a_line_a_claim(report: Report) -> None:
    assert _write(report, "text").splitlines() == [
        "small  toys.md:6",
        "  90 parameters, 80 FLOPs (fvcore, 8x1x1), 360 bytes of state dict",
        "    FLOPs          640   80   mismatch    FLP001",
        "    Parameters     90    90   verified    exactly",
        "    File Size      400   396  consistent  predicted",
        "    Training Data  none  -    unchecked   no rule checks it",
        "  toys.md:8:12 FLP001 640 are claimed, 80 were counted: 8 times as many [can be fixed]",
        "",
        "broken  toys.md:12",
        "  not measured (build): KeyError: 'broken'",
        "    Parameters  12  -  ignored     known to be off",
        "  toys.md:12:9 MOD001 cannot be built: KeyError: 'broken'",
        "",
        "The index",
        "  toys.md:1:1 CIT003 no citation",
        "",
        "2 models, 5 claims: 1 verified, 1 consistent, 1 mismatch, 1 ignored, 1 unchecked",
        "2 errors, 1 warning, 0 notes, 1 ignored",
        "1 finding can be fixed with --fix (--diff shows how).",
        "zoo-audit 0.1.0, Python 3.11.7, torch 2.13.0, fvcore 0.1.5",
    ]


def test_quiet_text_is_findings_and_summary(report: Report) -> None:
    lines = _write(report, "text", Options(quiet=True)).splitlines()
    assert [line.split()[:2] for line in lines[:3]] == [
        ["toys.md:8:12", "FLP001"],
        ["toys.md:12:9", "MOD001"],
        ["toys.md:1:1", "CIT003"],
    ]
    assert lines[4].startswith("2 models, 5 claims")


def test_verbose_text_tells_counters_tracebacks_and_ignored_findings(report: Report) -> None:
    text = _write(report, "text", Options(verbose=True))
    assert "  fvcore at 8x1x1: 80\n    linear: 80\n    not counted: aten::relu (2)\n" in text
    assert "    |   a line\n" in text
    assert "Ignored\n  toys.md:14:17 PAR001 12 are claimed\n" in text


def test_text_folds_reasons_into_a_terminal(report: Report) -> None:
    long = "because " * 30
    small = report.models[0]
    judgements = tuple(replace(judgement, reason=long.strip()) for judgement in small.judgements)
    report = replace(report, models=(replace(small, judgements=judgements),), findings=())
    lines = _write(report, "text", Options(width=80)).splitlines()
    assert max(map(len, lines[:-3])) <= 80
    assert sum("because" in line for line in lines) > 4 * 3
    wide = _write(report, "text", Options(width=None)).splitlines()
    assert sum("because" in line for line in wide) == 4


def test_text_is_coloured_only_when_asked(report: Report) -> None:
    assert "\x1b[31mmismatch\x1b[0m" in _write(report, "text", Options(colour=True))
    assert "\x1b" not in _write(report, "text")


def test_json_keeps_its_contract(report: Report) -> None:
    document = _validated(_write(report, "json"), "json")
    assert document["schema"] == "zoo-audit/1"
    assert document["environment"]["torch"] == "2.13.0"
    small, broken = document["models"]
    assert (small["name"], small["path"], small["line"]) == ("small", "toys.md", 6)
    assert small["measured"]["flops_by_operator"] == {"linear": 80}
    assert small["measured"]["input_size"] == [8, 1, 1]
    assert small["measured"]["state_dict_bytes"] == 360
    assert small["claims"][0] == {
        "field": "FLOPs",
        "claimed": "640",
        "measured": 80,
        "verdict": "mismatch",
        "reason": "640 are claimed, 80 were counted: 8 times as many",
        "path": "toys.md",
        "line": 8,
        "column": 12,
    }
    assert broken["measured"] is None
    assert broken["failure"]["stage"] == "build"
    assert document["findings"][0]["column"] == 12
    assert document["summary"]["mismatch"] == document["summary"]["verified"] == 1
    assert (document["summary"]["errors"], document["summary"]["warnings"], document["summary"]["models"]) == (2, 1, 2)


def test_json_schema_refuses_what_breaks_the_contract(report: Report) -> None:
    schema = json.loads(SCHEMAS["json"].read_text("utf-8"))
    validator = jsonschema.Draft202012Validator(schema)
    validator.check_schema(schema)
    document = json.loads(_write(report, "json"))
    spoilers: tuple[Callable[[Any], object], ...] = (
        lambda d: d.update(schema="zoo-audit/2"),
        lambda d: d["summary"].pop("verified"),
        lambda d: d["models"][0]["claims"][0].update(verdict="passed"),
        lambda d: d["findings"][0].update(line="8"),
        lambda d: d["models"][0]["measured"].pop("flops"),
    )
    for spoil in spoilers:
        spoiled = json.loads(json.dumps(document))
        spoil(spoiled)
        assert not validator.is_valid(spoiled)


def test_sarif_validates_and_places_every_finding(report: Report, tmp_path: Path) -> None:
    texts = {"toys.md": (tmp_path / "toys.md").read_text("utf-8")}
    log = _validated(_write(report, "sarif", Options(texts=texts)), "sarif")
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    first, second, third = run["results"]
    assert rules[first["ruleIndex"]]["id"] == first["ruleId"] == "FLP001"
    assert rules[first["ruleIndex"]]["help"]["text"] == "People compare.\n\nWrite what was counted."
    location = first["locations"][0]["physicalLocation"]
    assert location["region"] == {"startLine": 8, "startColumn": 12}
    assert location["artifactLocation"]["uri"] == "toys.md"
    assert [result["level"] for result in (first, second, third)] == ["error", "error", "warning"]
    (change,) = first["fixes"][0]["artifactChanges"]
    assert change["replacements"] == [
        {
            "deletedRegion": {"startLine": 8, "startColumn": 12, "endLine": 8, "endColumn": 15},
            "insertedContent": {"text": "80"},
        }
    ]


def test_sarif_fingerprints_stay_when_lines_move_and_tell_twins_apart(report: Report) -> None:
    def fingerprints(report: Report) -> list[str]:
        results = json.loads(_write(report, "sarif"))["runs"][0]["results"]
        return [result["partialFingerprints"]["zooAudit/v1"] for result in results]

    moved = tuple(replace(f, place=f.place._replace(line=f.place.line + 7)) for f in report.findings)
    assert fingerprints(replace(report, findings=moved)) == fingerprints(report)
    twins = fingerprints(replace(report, findings=(report.findings[0], report.findings[0])))
    assert twins[0] != twins[1]


def test_junit_has_a_suite_a_model_and_never_passes_what_was_not_proved(report: Report) -> None:
    suites = _suites(_write(report, "junit"))
    assert [(suite.name, suite.tests, suite.failures, suite.skipped) for suite in suites] == [
        ("small", 4, 1, 1),
        ("broken", 2, 1, 1),
        ("index", 1, 0, 0),
    ]
    results = {case.name: case.result for case in suites[0] if isinstance(case, TestCase)}
    (failure,) = results["FLOPs"]
    assert isinstance(failure, Failure)
    assert not isinstance(failure, Error)
    assert failure.type == "FLP001"
    assert failure.text is not None
    assert "toys.md:8:12" in failure.text
    assert results["Parameters"] == results["File Size"] == []
    (skipped,) = results["Training Data"]
    assert isinstance(skipped, Skipped)
    assert skipped.message == "unchecked: no rule checks it"


def test_github_annotations_name_file_line_and_column(report: Report) -> None:
    lines = _write(report, "github").splitlines()
    assert (
        lines[0] == "::error file=toys.md,line=8,col=12,title=FLP001 small FLOPs::"
        "640 are claimed, 80 were counted: 8 times as many"
    )
    assert lines[2] == "::warning file=toys.md,line=1,col=1,title=CIT003::no citation"


def test_github_shows_ten_of_a_level_and_counts_the_rest(report: Report) -> None:
    many = tuple(Finding("FLP001", Severity.ERROR, Place("a.md", line, 1), "wrong") for line in range(1, 31))
    lines = _write(replace(report, findings=many), "github").splitlines()
    assert sum(line.startswith("::error") for line in lines) == 10
    assert "20 more without an annotation, since GitHub shows 10 of a level:" in lines
    assert "a.md:30:1 FLP001 wrong" in lines


def test_markdown_fits_a_step_summary_however_many_findings(report: Report) -> None:
    long = "wrong é " * 40
    many = tuple(Finding("FLP001", Severity.ERROR, Place("a.md", line, 1), long) for line in range(1, 6001))
    text = _write(replace(report, findings=many), "markdown")
    assert LIMIT - 10_000 < len(text.encode()) <= LIMIT
    assert "more rows did not fit into the summary." in text


def test_markdown_tells_state_counts_and_findings(report: Report) -> None:
    text = _write(report, "markdown")
    assert text.startswith("## Model index audit: failed\n")
    assert "| 2 | 1 | 1 | 1 | 1 | 1 | 2 | 1 | 0 |" in text
    assert "| error | FLP001 | toys\\.md\\:8\\:12 | small |" in text
    assert "Not counted as findings: 1 ignored." in text


@pytest.mark.parametrize("text", HOSTILE)
def test_no_format_lets_metadata_steer_its_reader(tmp_path: Path, text: str) -> None:
    report = hostile_report(tmp_path, text)
    for name in FORMATS:
        for options in (Options(), Options(verbose=True), Options(quiet=True, colour=False)):
            written = _write(report, name, options)
            written.encode()  # no lone surrogate reaches a file
            steering = [c for c in written if (ord(c) < 32 and c != "\n") or 127 <= ord(c) < 160 or c == "\u202e"]
            assert steering == [], name
            assert "##[" not in written or name in {"json", "sarif", "junit"}
            if name in {"text", "markdown"}:
                assert not [line for line in written.splitlines() if line.lstrip().startswith("::")]
            if name == "github":
                commands = [line for line in written.splitlines() if line.startswith("::")]
                assert len(commands) == 3
                assert all(line.count("::") >= 2 and ",title=" in line.split("::")[1] for line in commands)
                assert not [line for line in commands if ":" in line.split("title=", 1)[1].split("::")[0]]
            if name in SCHEMAS:
                _validated(written, name)
            if name == "junit":
                assert _suites(written)
            if name == "markdown":
                assert "<script" not in written


def test_markdown_metadata_breaks_no_table(tmp_path: Path) -> None:
    text = _write(hostile_report(tmp_path, HOSTILE[6]), "markdown")
    rows = [line for line in text.splitlines() if line.startswith("| error")]
    assert rows
    assert all(row.replace("\\|", "").count("|") == 6 for row in rows)


def test_an_interrupted_report_says_so_everywhere(report: Report) -> None:
    interrupted = replace(report, interrupted=True)
    assert "Interrupted: this is what was known so far" in _write(interrupted, "text")
    assert json.loads(_write(interrupted, "json"))["summary"]["interrupted"] is True
    assert json.loads(_write(interrupted, "sarif"))["runs"][0]["invocations"] == [{"executionSuccessful": False}]
    assert "interrupted" in _write(interrupted, "markdown")
