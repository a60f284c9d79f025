"""Small documentation projects of their own, built by mkdocs as a user would."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

MKDOCS = """\
site_name: Made up
strict: true
theme:
  name: material
  font: false
plugins:
  - macros:
      modules: [tools.site]
      on_undefined: strict
      on_error_fail: true
extra_css: [assets/zoo.css]
extra_javascript: [assets/zoo.js]
markdown_extensions: [attr_list, tables, pymdownx.superfences, pymdownx.tabbed]
exclude_docs: |
  *.yml
"""

FIXED = {"SOURCE_DATE_EPOCH": "1780000000", "NO_MKDOCS_2_WARNING": "1", "NO_COLOR": "1"}
"""What the environment of a build must say: the same date each time, no notices, no colours."""

PYPROJECT = """\
[tool.zoo-audit]
index = ["docs/model-index.yml"]
factory = "madeup:create"
"""

FACTORY = '''\
"""A zoo that builds one tiny network under any name."""


def create(name: str):
    from torch import nn

    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 10))
'''

PARAMETERS = 4 * 3 * 3 * 3 + 4 + 4 * 10 + 10


def make(folder: Path, pages: dict[str, str], index: str = "Import:\n- '*.md'\n") -> Path:
    """Write a project with these pages. Its models all have :data:`PARAMETERS` parameters."""
    files = {
        "mkdocs.yml": MKDOCS,
        "pyproject.toml": PYPROJECT,
        "madeup.py": FACTORY,
        "docs/model-index.yml": index,
        "docs/assets/zoo.css": (ROOT / "docs/assets/zoo.css").read_text("utf-8"),
        "docs/assets/zoo.js": (ROOT / "docs/assets/zoo.js").read_text("utf-8"),
        **{f"docs/{name}": text for name, text in pages.items()},
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def card(*models: str, text: str = "{{ summary_table() }}", header: str = "") -> str:
    """A card whose models are given as YAML of their list entries."""
    entries = "\n".join(models)
    return f"{header}# A card\n\n{text}\n\n<!--\nType: model-index\nModels:\n{entries}\n-->\n"


def mkdocs(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run mkdocs in a project and wait for it."""
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", *arguments],
        cwd=project,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def environment() -> dict[str, str]:
    """The environment of a build."""
    return {**os.environ, **FIXED}
