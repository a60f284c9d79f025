"""``python -m tools.measure`` as a user meets it."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from tools.measure.__main__ import main

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ZOO_AUDIT_CACHE", str(tmp_path / "cache"))


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, [*arguments, "--root", str(ROOT)])
    return result.exit_code, result.output


def test_a_model_and_a_mistake_as_tables_and_as_json() -> None:
    status, shown = run("tf_mixnet_s", "nonesuch", "--jobs", "1")
    assert status == 1
    for part in ("4,134,606", "396 entries, 16,667,584 bytes", "251,736,960", "235,645,054", "blocks.5", "MixConv 34"):
        assert part in shown
    assert "aten::silu x 39" in shown
    assert "nonesuch: build: " in shown
    assert "Traceback" not in shown

    status, shown = run("tf_mixnet_s", "--format", "json", "--jobs", "1")
    assert status == 0
    (document,) = json.loads(shown)
    assert document["kind"] == "measurement"
    assert document["parameters"] == 4134606
    assert len(document["state_dict"]) == 396


def test_another_size_and_another_factory() -> None:
    status, shown = run("plain", "--factory", "tests.measure.toys:build", "--input-size", "3x16x16", "--format", "json")
    assert status == 0
    (document,) = json.loads(shown)
    assert document["input_size"] == [3, 16, 16]
    assert document["counts"][0]["by_operator"]["conv"] == 256 * 216


def test_a_weight_file_by_its_path(tmp_path: Path) -> None:
    content = b"not really weights"
    good = tmp_path / f"model-{hashlib.sha256(content).hexdigest()[:8]}.pth"
    good.write_bytes(content)
    bad = tmp_path / "model-00000000.pth"
    bad.write_bytes(content)
    status, shown = run(str(good), str(bad), "--format", "json")
    first, second = json.loads(shown)
    assert status == 1
    assert (first["size"], first["name_hash_agrees"], second["name_hash_agrees"]) == (18, True, False)
    assert first["sha256"] == hashlib.sha256(content).hexdigest()
    assert run(str(bad))[0] == 1
    assert "does not agree" in run(str(bad))[1].replace("\n", " ")


@pytest.mark.parametrize("size", ["224", "3x0x2", "3xax4", "", "-3x4"])
def test_a_size_that_is_none_is_a_usage_error(size: str) -> None:
    status, shown = run("x", "--input-size", size)
    if size == "224":  # a vector of 224 features is an input size too
        assert status == 1
    else:
        assert status == 2
        assert "is not of the form 3x224x224" in shown


def test_help_loads_neither_torch_nor_rich() -> None:
    script = (
        "import sys; from tools.measure.__main__ import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: print([name for name in ('torch', 'rich', 'numpy', 'pebble') if name in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert shown.stdout.splitlines()[-1] == "[]"
    assert "--input-size" in shown.stdout
