"""The audit as its users call it: exit codes, formats, files, messages."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.audit.conftest import Audit
from tests.audit.toyzoo import edit
from tools.report import FORMATS
from tools.rules import RULES


def test_a_right_zoo_is_clean(zoo: Path, audit: Audit) -> None:
    result = audit("--format", "json")
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert report["findings"] == []
    small = next(model for model in report["models"] if model["name"] == "small")
    assert small["measured"]["parameters"] == 216
    assert small["measured"]["flops"] == 216 * 16 * 16
    verdicts = {claim["field"]: claim["verdict"] for claim in small["claims"]}
    assert verdicts == {"FLOPs": "verified", "Parameters": "verified", "Image Size": "verified"}


def test_a_wrong_claim_fails_at_its_line_and_column(zoo: Path, audit: Audit) -> None:
    edit(zoo / "cards" / "large.md", "Parameters: 448", "Parameters: 458")
    result = audit()
    assert result.exit_code == 1
    assert "  cards/large.md:9:17 PAR001 " in result.stdout
    assert re.search(r"Parameters +458 +448 +mismatch", result.stdout)
    assert "1 mismatch" in result.stdout


def test_an_unreadable_card_is_located_and_the_other_is_audited(zoo: Path, audit: Audit) -> None:
    edit(zoo / "cards" / "small.md", 'Parameters: "216"', "Parameters: [216")
    result = audit("--format", "json")
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert [model["name"] for model in report["models"]] == ["large"]
    assert report["models"][0]["measured"]["parameters"] == 448
    unreadable = [f for f in report["findings"] if f["code"].startswith("IDX") and f["path"] == "cards/small.md"]
    assert unreadable
    assert unreadable[0]["line"] in (9, 10)


def test_a_model_that_cannot_be_built_is_one_finding_and_the_others_go_on(zoo: Path, audit: Audit) -> None:
    edit(zoo / "cards" / "large.md", "Name: large", "Name: huge")
    result = audit("--format", "json", "--models", "*")
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    (finding,) = (f for f in report["findings"] if f["severity"] == "error")
    assert (finding["path"], finding["line"], finding["column"]) == ("cards/large.md", 6, 9)
    assert "KeyError: 'huge'" in finding["message"]
    huge, small = sorted(report["models"], key=lambda model: model["name"])
    assert huge["measured"] is None
    assert huge["failure"]["stage"] == "build"
    assert small["measured"]["parameters"] == 216


def test_paths_given_by_hand_are_audited_alone(zoo: Path, audit: Audit) -> None:
    for path in ("cards/large.md", zoo / "cards" / "large.md"):
        result = audit(path, "--format", "json")
        assert result.exit_code == 0, result.output
        report = json.loads(result.stdout)
        assert [(model["name"], model["path"]) for model in report["models"]] == [("large", "cards/large.md")]
    both = json.loads(audit("cards", "--format", "json").stdout)
    assert sorted(model["name"] for model in both["models"]) == ["large", "small"]


def test_models_are_selected_by_pattern(zoo: Path, audit: Audit) -> None:
    report = json.loads(audit("--models", "s*", "-f", "json").stdout)
    assert [model["name"] for model in report["models"]] == ["small"]
    wrong = audit("--models", "smal")
    assert wrong.exit_code == 2
    assert "no model fits 'smal'; did you mean 'small'?" in wrong.stderr


def test_static_builds_nothing_and_says_unchecked(zoo: Path, audit: Audit) -> None:
    (zoo / "toyzoo.py").write_text("raise SystemExit('imported')", "utf-8")
    result = audit("--static", "--format", "json")
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert all(model["measured"] is None for model in report["models"])
    assert report["summary"]["verified"] == 0
    assert report["summary"]["unchecked"] + report["summary"]["consistent"] == 6
    assert list(report["environment"]) == ["zoo_audit"]


def test_nothing_to_audit_is_an_exit_code_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, audit: Audit
) -> None:
    monkeypatch.chdir(tmp_path)
    nothing = audit()
    assert nothing.exit_code == 3
    assert "no model-index.yml in" in nothing.stderr
    (tmp_path / "page.md").write_text("# No index here\n", "utf-8")
    assert audit("page.md", "--static").exit_code == 3
    assert audit(".", "--static").exit_code == 3


def test_without_a_factory_the_way_out_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, audit: Audit) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model-index.yml").write_text("Models:\n- Name: a\n", "utf-8")
    result = audit()
    assert result.exit_code == 2
    assert "--factory package.module:callable" in result.stderr
    assert "--static" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--format", "jsno"], "unknown format 'jsno'; did you mean 'json'?"),
        (["--output", "xml=a"], "unknown format 'xml'"),
        (["--output", "a", "--output", "b"], "two files without a format"),
        (["--output", "json=a", "--output", "sarif=a"], "two reports for a"),
        (["--select", "FLQ"], "no rule has the code or prefix 'FLQ'; did you mean 'FLP"),
        (["--ignore", "XYZ9"], "the families are CIT, FLP, IDX, LNK, MOD, PAG, PAR, RES, WTS"),
        (["--severity", "FLP001=fatal"], "unknown severity 'fatal'"),
        (["--explain", "FLP0011"], "no rule 'FLP0011'; did you mean 'FLP001'"),
        (["--input-size", "big"], "--input-size: expected 224 or 3x224x224"),
        (["--factory", "toyzoo"], "expected 'package.module:callable'"),
        (["--jobs", "0"], "--jobs: expected a whole number above 0"),
        (["--memory", "much"], "--memory: expected a size such as 4GB"),
        (["--timeout", "-1"], "--timeout: expected seconds above 0"),
        (["--baseline", "none.json"], "there is no file"),
        (["--config", "none.toml"], "--config: there is no file none.toml"),
        (["no/such/page.md"], "there is no file or folder"),
        (["--fix", "--diff"], "give one of them"),
        (["--statik"], "No such option"),
    ],
)
def test_wrong_usage_exits_2_with_a_way_out(zoo: Path, audit: Audit, arguments: list[str], message: str) -> None:
    result = audit(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


def test_several_reports_are_written_at_once(zoo: Path, audit: Audit) -> None:
    outputs = [f"--output={name}=reports/audit.{name}" for name in FORMATS]
    result = audit("--quiet", *outputs)
    assert result.exit_code == 0
    assert result.stdout.startswith("2 models, 6 claims: 6 verified")
    assert sorted(path.name for path in (zoo / "reports").iterdir()) == sorted(f"audit.{name}" for name in FORMATS)
    assert json.loads((zoo / "reports" / "audit.sarif").read_text("utf-8"))["version"] == "2.1.0"


def test_an_output_that_is_a_pipe_or_an_open_file_is_written_as_a_stream(zoo: Path, audit: Audit) -> None:
    pipe = zoo / "pipe"
    os.mkfifo(pipe)
    held = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)  # a reader, so that writing does not wait for one
    log = zoo / "log"
    with log.open("w") as file:
        file.write("begun\n")
        file.flush()
        result = audit("--static", "-q", "--output", f"json={pipe}", "--output", f"text=/dev/fd/{file.fileno()}")
    received = os.read(held, 65536)
    os.close(held)
    assert result.exit_code == 0, result.output
    assert json.loads(received)["schema"] == "zoo-audit/1"
    assert pipe.is_fifo()
    assert log.read_text().startswith("begun\n2 models")


@pytest.mark.parametrize(("redirection", "why"), [(">&-", "it is closed"), (">/dev/full", "No space left on device")])
def test_a_standard_output_that_takes_nothing_is_told(zoo: Path, redirection: str, why: str) -> None:
    command = f'"{sys.executable}" -m tools.audit --static -q {redirection}'
    result = subprocess.run(["sh", "-c", command], cwd=zoo, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (2, f"zoo-audit: cannot write to standard output: {why}\n")


def test_a_plain_output_takes_the_report_off_standard_output(zoo: Path, audit: Audit) -> None:
    result = audit("--format", "json", "--output", "audit.json")
    assert result.stdout == ""
    assert "2 models, 6 claims" in result.stderr
    assert json.loads((zoo / "audit.json").read_text("utf-8"))["schema"] == "zoo-audit/1"
    only = audit("--output", "json=-")
    assert json.loads(only.stdout) == json.loads((zoo / "audit.json").read_text("utf-8"))


def test_rules_can_be_selected_ignored_and_weighed(zoo: Path, audit: Audit) -> None:
    edit(zoo / "cards" / "large.md", "Parameters: 448", "Parameters: 458")
    assert audit("--select", "par001").exit_code == 1
    assert audit("--select", "FLP").exit_code == 0
    assert audit("--ignore", "PAR").exit_code == 0
    weighed = audit("--severity", "PAR001=note")
    assert weighed.exit_code == 0
    assert "0 errors, 0 warnings, 1 note" in weighed.stdout
    edit(zoo / "pyproject.toml", "rename", 'severity = { PAR = "warning" }\nrename')
    assert audit().exit_code == 0
    assert audit("--severity", "PAR001=error").exit_code == 1


def test_settings_with_a_mistake_are_located(zoo: Path, audit: Audit) -> None:
    edit(zoo / "pyproject.toml", "factory =", "factroy =")
    result = audit()
    assert result.exit_code == 2
    assert "pyproject.toml:4: factroy is no setting of [tool.zoo-audit]; did you mean 'factory'?" in result.stderr
    (zoo / "pyproject.toml").write_text("[tool.zoo-audit\n", "utf-8")
    assert "at line 1, column" in audit("--config", "pyproject.toml").stderr


def test_settings_of_a_folder_above_are_found(zoo: Path, audit: Audit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(zoo / "cards")
    report = json.loads(audit("--format", "json").stdout)
    assert sorted(model["path"] for model in report["models"]) == ["cards/large.md", "cards/small.md"]


def test_every_rule_is_listed_and_explained(audit: Audit) -> None:
    listed = audit("--list-rules").stdout.splitlines()
    assert [line.split()[0] for line in listed] == sorted(rule.code for rule in RULES)
    for rule in RULES:
        explained = audit("--explain", rule.code.lower())
        assert explained.exit_code == 0
        assert explained.stdout.startswith(f"{rule.code}  {rule.title}\nSeverity: {rule.severity.value}")
        for heading in ("Why it matters", "How to mend it", "Before", "After"):
            assert f"\n{heading}\n  " in explained.stdout
    family = audit("--explain", "PAR").stdout
    assert all(f"{rule.code}  {rule.title}" in family for rule in RULES if rule.code.startswith("PAR"))


def test_profile_tells_where_the_time_went(zoo: Path, audit: Audit) -> None:
    result = audit("--profile", "--quiet")
    for phase in ("start", "load", "measure", "hash", "links", "judge", "report", "total"):
        assert re.search(rf"^  {phase} +\d+\.\d+ s", result.stderr, re.MULTILINE), phase


def test_a_second_run_measures_nothing_and_refresh_measures_again(zoo: Path, audit: Audit) -> None:
    audit()
    second = audit("--profile")
    assert "0 models measured" in second.stderr
    assert "2 taken from the cache" in second.stderr
    assert "small" in audit("cache").stdout
    again = audit("--refresh", "--profile").stderr
    assert "2 models measured" in again
    for phase in ("load", "measure", "judge", "report", "import", "build", "count"):
        assert f"\n  {phase} " in again
    pruned = audit("cache", "--prune", "0")
    assert pruned.exit_code == 0
    assert "removed from" in pruned.stdout
    assert "0 entries" in audit("cache").stdout


def test_no_cache_leaves_no_file(zoo: Path, audit: Audit, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ZOO_AUDIT_CACHE", str(tmp_path / "cache"))
    assert audit("--no-cache", "--models", "small").exit_code == 0
    assert not (tmp_path / "cache").exists()


def test_help_lists_options_by_section_and_sub_commands(audit: Audit) -> None:
    result = audit("--help")
    assert result.exit_code == 0
    assert result.stdout.startswith("Usage: cli [OPTIONS] [PATH]...\n")
    for heading in ("What is audited:", "Rules:", "Measuring:", "Report:", "Fixes:", "Other:", "Commands:"):
        assert f"\n{heading}\n" in result.stdout
    assert "130  interrupted" in result.stdout
    assert audit("export", "--help").exit_code == 0


def test_a_file_named_like_a_sub_command_is_reached_by_a_path(zoo: Path, audit: Audit) -> None:
    (zoo / "export").mkdir(exist_ok=True)
    (zoo / "export" / "model-index.yml").write_text("Models:\n- Name: large\n", "utf-8")
    report = json.loads(audit("./export", "--static", "-f", "json").stdout)
    assert report["models"][0]["path"] == "export/model-index.yml"


def test_export_writes_the_merged_index(zoo: Path, audit: Audit) -> None:
    result = audit("export", "--format", "json")
    assert result.exit_code == 0
    assert "small" in result.stdout
    assert audit("export", "--format", "yml").exit_code == 2
    assert audit("export", "cards/small.md", "-o", "merged.yml").exit_code == 0
    assert "large" not in (zoo / "merged.yml").read_text("utf-8")


def test_start_up_loads_nothing_heavy() -> None:
    heavy = ("torch", "fvcore", "numpy", "rich", "requests", "jinja2", "mkdocs", "yaml_unused")
    code = (
        "import sys\n"
        "from tools.audit.__main__ import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit as ended:\n    assert not ended.code\n"
        f"print([name for name in {heavy!r} if name in sys.modules], file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Usage: zoo-audit")
    assert done.stderr == "[]\n"


def test_a_run_from_the_cache_imports_no_torch(zoo: Path, audit: Audit) -> None:
    assert audit().exit_code == 0
    code = (
        "import sys\n"
        "from tools.audit.__main__ import main\n"
        "try:\n    main([])\nexcept SystemExit as ended:\n    print(ended.code, file=sys.stderr)\n"
        "print([name for name in ('torch', 'fvcore', 'numpy', 'rich') if name in sys.modules], file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "0\n[]\n"


def test_the_console_script_works_from_another_folder(zoo: Path, audit: Audit, tmp_path: Path) -> None:
    assert audit().exit_code == 0
    script = Path(sys.executable).with_name("zoo-audit")
    done = subprocess.run(
        [script, "--config", zoo / "pyproject.toml", "-f", "json"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["summary"]["verified"] == 6
    assert list(tmp_path.iterdir()) == []


def test_a_claimed_input_size_at_which_the_model_does_not_run_is_told(zoo: Path, audit: Audit) -> None:
    # A linear layer behind 16 maps of 16x16 takes inputs of that size alone.
    edit(
        zoo / "toyzoo.py",
        "nn.Conv2d(3, 16, 3, padding=1))",
        "nn.Conv2d(3, 16, 3, padding=1), nn.Flatten(), nn.Linear(4096, 1))",
    )
    edit(zoo / "cards" / "large.md", "    Image Size: 16\n", "    Image Size: 16\n    FLOPs Input Size: 32\n")
    result = audit("--models", "large", "--select", "FLP", "--format", "json")
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    (finding,) = report["findings"]
    assert (finding["code"], finding["field"], finding["column"]) == ("FLP007", "FLOPs Input Size", 23)
    assert "the model does not run at 3x32x32" in finding["message"]
    (large,) = report["models"]
    assert large["measured"]["parameters"] == 448 + 4097
