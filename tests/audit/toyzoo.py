"""A small zoo that is not ours: one module, a settings table, two cards. Counts are worked out by hand."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

CODE = """
from types import SimpleNamespace

def create_model(name):
    from torch import nn
    if name == "net/small":
        # 8 filters of 3x3x3 without bias: 216 weights, at 16x16 outputs 216 * 256 = 55296 multiply-adds.
        return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1, bias=False))
    if name == "large":
        # 27 * 16 = 432 weights + 16 biases = 448; 432 * 256 = 110592 multiply-adds.
        return nn.Sequential(nn.Conv2d(3, 16, 3, padding=1))
    raise KeyError(name)

def config_of(name):
    return SimpleNamespace(input_size=(3, 16, 16))

def list_models():
    return ["net/small", "large"]
"""

SETTINGS = """
[tool.zoo-audit]
index = "model-index.yml"
factory = "toyzoo:create_model"
config-of = "toyzoo:config_of"
ignore = ["CIT"]  # toys cite nobody
rename = { small = "net/small" }
"""

INDEX = """
Import:
- cards/*.md
"""

SMALL = """\
# Small

<!--
Type: model-index
Models:
- Name: small
  Metadata:
    FLOPs: 55296  # by fvcore
    Parameters: "216"
    Image Size: 16
-->
"""

LARGE = """\
# Large

<!--
Type: model-index
Models:
- Name: large
  Metadata:
    FLOPs: 110592
    Parameters: 448
    Image Size: 16
-->
"""


def write_zoo(folder: Path) -> Path:
    """Write the zoo into ``folder``, every claim of it right."""
    (folder / "cards").mkdir(parents=True, exist_ok=True)
    (folder / "toyzoo.py").write_text(dedent(CODE), "utf-8")
    (folder / "pyproject.toml").write_text(SETTINGS, "utf-8")
    (folder / "model-index.yml").write_text(INDEX, "utf-8")
    (folder / "cards" / "small.md").write_text(SMALL, "utf-8", newline="")
    (folder / "cards" / "large.md").write_text(LARGE, "utf-8", newline="")
    return folder


def edit(path: Path, old: str, new: str) -> None:
    """Replace the only ``old`` in a file, every other byte kept."""
    text = path.read_bytes().decode()
    assert text.count(old) == 1, (path, old)
    path.write_bytes(text.replace(old, new).encode())
