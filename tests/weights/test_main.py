"""The command line: what it prints, what it compares with, and its exit codes."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result
from torch import nn

from tests.weights.files import Poison, save
from tools.weights.__main__ import main

ZOO = """
from torch import nn


def create_model(name):
    width = {"tiny": 2, "twin": 2, "wide": 4}[name]
    return nn.Sequential(nn.Conv2d(3, width, 3), nn.BatchNorm2d(width))

def list_models():
    return ["tiny", "twin", "wide"]
"""

SETTINGS = """
[tool.zoo-audit]
factory = "tinyzoo:create_model"
list-models = "tinyzoo:list_models"
"""


@pytest.fixture
def zoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a zoo of three models, two of which are alike."""
    (tmp_path / "tinyzoo.py").write_text(ZOO)
    (tmp_path / "pyproject.toml").write_text(SETTINGS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "tinyzoo", raising=False)
    return tmp_path


def model(width: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, width, 3), nn.BatchNorm2d(width))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def test_a_file_is_described_and_recognised(zoo: Path) -> None:
    wrapped = {f"module.{key}": tensor for key, tensor in model(2).state_dict().items()}
    path = save({"state_dict": wrapped, "epoch": 1}, zoo / "weights.pth")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    renamed = path.rename(zoo / f"tiny-{digest[:8]}.pth")
    result = run(renamed.name)
    # 2 x 3 x 3 x 3 + 2 of the convolution, 2 + 2 of the batch norm; its statistics are no parameters.
    assert (
        result.output
        == f"""{renamed.name}
  format      zip
  size        {renamed.stat().st_size:,} bytes
  SHA-256     {digest}
  name hash   {digest[:8]} agrees
  wrapper     state_dict
  prefix      module. before every key, left out here
  entries     7
  parameters  60, batch-norm statistics not counted
  dtypes      float32 (6), int64 (1)
  values      all finite
  fits        tiny, twin exactly
"""
    )
    assert result.exit_code == 0


def test_json_holds_the_records_and_the_comparison(zoo: Path) -> None:
    state_dict = model(2).state_dict()
    del state_dict["1.bias"]
    save(state_dict, zoo / "a.pth", legacy=True)
    result = run("a.pth", "--format", "json", "--no-values")
    assert result.exit_code == 0
    document = json.loads(result.output)
    assert document["schema"] == "zoo-weights/1"
    [file] = document["files"]
    assert (file["format"], file["parameters"], file["nonfinite"]) == ("legacy", 58, None)
    assert file["entries"][0] == {"key": "0.weight", "shape": [2, 3, 3, 3], "dtype": "float32", "nbytes": 216}
    models = file["models"]
    assert (models["compared"], models["fits"], models["nearest"]) == (3, [], "tiny")
    assert models["differences"]["missing"] == ["1.bias"]


def test_what_is_wrong_with_a_file_makes_the_command_fail(zoo: Path) -> None:
    save({"weight": torch.tensor([float("nan")])}, zoo / "nan.pth")
    save({"weight": torch.zeros(1)}, zoo / "renamed-0123abcd.pth")
    save({"weight": Poison(zoo / "trace")}, zoo / "poison.pth")
    (zoo / "fine").mkdir()
    save({"weight": torch.zeros(1)}, zoo / "fine" / "fine.pth")
    shown = {
        name: run(name, "--no-models") for name in ("nan.pth", "renamed-0123abcd.pth", "poison.pth", "fine/fine.pth")
    }
    assert [result.exit_code for result in shown.values()] == [1, 1, 1, 0]
    assert "VALUES      1 NaN or infinite in weight" in shown["nan.pth"].output
    assert "0123abcd DISAGREES with the SHA-256" in shown["renamed-0123abcd.pth"].output
    assert "PROBLEM     loading it would import posix.mkdir" in shown["poison.pth"].output
    assert not (zoo / "trace").exists()


def test_usage_errors_exit_with_2(zoo: Path) -> None:
    save(model(2).state_dict(), zoo / "a.pth")
    assert run("missing.pth").exit_code == 2
    assert run().exit_code == 2
    (zoo / "pyproject.toml").write_text('[tool.zoo-audit]\nfactory = "tinyzoo:create_model"\n')
    unlisted = run("a.pth")
    assert unlisted.exit_code == 2
    assert "give their names with --models" in unlisted.output
    assert "fits        tiny exactly" in run("a.pth", "--models", "tiny").output
    assert run("a.pth", "--models", "unknown").exit_code == 2


def test_without_a_zoo_a_file_is_still_described(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    save({"weight": torch.zeros(3)}, tmp_path / "a.pth")
    result = run("a.pth")
    assert result.exit_code == 0
    assert "parameters  3," in result.output
    assert "fits" not in result.output


def test_neither_help_nor_inspection_imports_torch(tmp_path: Path) -> None:
    save(model(2).state_dict(), tmp_path / "a.pth")
    program = (
        "import sys; from click.testing import CliRunner; from tools.weights.__main__ import main\n"
        "import tools.weights.predict, tools.weights.remote\n"
        "assert CliRunner().invoke(main, ['--help']).exit_code == 0\n"
        "assert CliRunner().invoke(main, [sys.argv[1], '--no-models']).exit_code == 0\n"
        "print(sorted({'torch', 'numpy', 'requests', 'safetensors'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "a.pth")]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "['numpy']\n"
