"""A zoo that is not ours, audited by the console script from another folder, then mended."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.rules.test_madeup import ROOT, expected
from tools.rules import RULES

SETTINGS = """
[tool.zoo-audit]
index = "model-index.yml"
factory = "madeup:create_model"
config-of = "madeup:config_of"
list-models = "madeup:list_models"
weights = "weights"
source = "."
jobs = 1
"""
UNSEEN = {rule.code for rule in RULES if "links" in rule.needs}
"""Rules that look at servers' answers: this audit asks no server."""


@pytest.fixture(scope="module")
def madeup(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("madeup")
    shutil.copytree(ROOT, folder / "zoo", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "zoo" / "pyproject.toml").write_text(SETTINGS, "utf-8")
    (folder / "elsewhere").mkdir()
    return folder


def _audit(folder: Path, *arguments: str) -> tuple[int, Any]:
    script = Path(sys.executable).with_name("zoo-audit")
    done = subprocess.run(
        [script, "--config", "../zoo/pyproject.toml", "--format", "json", *arguments],
        cwd=folder / "elsewhere",
        capture_output=True,
        text=True,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, json.loads(done.stdout)


def test_every_mistake_is_reported_at_its_line_and_column_then_mended_where_certain(madeup: Path) -> None:
    code, report = _audit(madeup)
    assert code == 1
    found = Counter((f["code"], f["path"], f["line"], f["column"]) for f in report["findings"])
    wanted = Counter(place for place in expected() if place[0] not in UNSEEN)
    assert sorted((found - wanted).elements()) == []
    assert {code for code, *_ in (wanted - found).elements()} <= UNSEEN

    fixable = [finding for finding in report["findings"] if finding["fixable"]]
    assert len(fixable) > 10
    _, mended = _audit(madeup, "--fix")
    left = {(f["code"], f["message"]) for f in mended["findings"]}
    assert not {(f["code"], f["message"]) for f in fixable} & left
    assert not [finding for finding in mended["findings"] if finding["fixable"]]
    files = {path: path.read_bytes() for path in (madeup / "zoo").rglob("*.[ym]*")}
    code, again = _audit(madeup, "--fix")
    assert again == mended
    assert files == {path: path.read_bytes() for path in files}
    assert list((madeup / "elsewhere").iterdir()) == []
