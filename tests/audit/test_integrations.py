"""The guide, the GitHub action and the pre-commit hooks do what they say."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.audit.conftest import Audit
from tests.audit.toyzoo import edit

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "guides" / "audit-your-own-zoo.md"


def test_the_guide_gives_what_it_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, audit: Audit) -> None:
    blocks = re.findall(r"^```(\w+)\n(.*?)^```", GUIDE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    first = dict(reversed(blocks))
    (tmp_path / "docs").mkdir()
    (tmp_path / "yourzoo.py").write_text(first["python"], "utf-8")
    (tmp_path / "pyproject.toml").write_text(first["toml"], "utf-8")
    (tmp_path / "docs" / "tiny.md").write_text(first["markdown"], "utf-8")
    monkeypatch.chdir(tmp_path)
    shown = next(text for _, text in blocks if text.startswith("$ zoo-audit\n")).splitlines()[1:]
    result = audit()
    assert result.exit_code == 1
    assert result.stdout.splitlines()[:-1] == shown[:-1]  # the last line tells versions
    assert "-    FLOPs: 0.92M\n+    FLOPs: 0.46M\n" in audit("--diff").stdout
    assert audit("--fix").exit_code == 0
    edit(tmp_path / "docs" / "tiny.md", "FLOPs: 0.46M", "FLOPs: 0.92M  # audit: ignore[FLP001] counted by another tool")
    assert "1 ignored" in audit().stdout
    assert audit("--write-baseline", "known.json").exit_code == 0
    assert audit("--baseline", "known.json").exit_code == 0


def _steps() -> list[dict[str, object]]:
    action = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
    steps: list[dict[str, object]] = action["runs"]["steps"]
    return steps


@pytest.mark.parametrize(("arguments", "code"), [("--static", 0), ("--models small", 1)])
def test_the_actions_step_reports_in_all_places(zoo: Path, tmp_path: Path, arguments: str, code: int) -> None:
    edit(zoo / "cards" / "small.md", '"216"', '"217"')
    script = next(str(step["run"]) for step in _steps() if step.get("id") == "audit")
    environment = {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "PATHS": "",
        "ARGS": arguments,
        "SARIF": str(tmp_path / "audit.sarif"),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
    }
    shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    done = subprocess.run(shell, cwd=zoo, env=environment, capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    assert (tmp_path / "output").read_text() == f"exit-code={code}\n"
    assert (tmp_path / "summary.md").read_text("utf-8").startswith("## Model index audit: ")
    assert '"version": "2.1.0"' in (tmp_path / "audit.sarif").read_text("utf-8")
    assert ("::error file=cards/small.md,line=9,col=17,title=PAR001 small Parameters::" in done.stdout) == bool(code)


def test_actions_are_pinned_by_commit_and_no_input_is_text_of_a_script() -> None:
    for step in _steps():
        assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", str(step.get("uses", f"a/b@{'0' * 40}")))
        assert "${{" not in str(step.get("run", ""))


def test_the_hooks_run_the_audit(zoo: Path) -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    assert [hook["id"] for hook in hooks] == ["zoo-audit-static", "zoo-audit"]
    for hook in hooks:
        assert re.search(hook["files"], "docs/models/a.md")
        command, *arguments = hook["entry"].split()
        script = Path(sys.executable).with_name(command)
        assert subprocess.run([script, *arguments], cwd=zoo, capture_output=True).returncode == 0
