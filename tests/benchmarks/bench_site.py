"""A site of 500 model pages with the macros, against the very same pages without them.

Run as ``python -m tests.benchmarks.bench_site``. The peer's pages hold as plain Markdown what the macros write, so that
both builds give the same site; the measurements are in the cache, as they are on every build but the first.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.paired import HEADER, environment, paired, row
from tests.site.project import FIXED, MKDOCS, card, make

_MACROS = """\
{{ summary_table() }}

{{ published_numbers() }}

{{ cost_breakdown() }}

{{ weights_table() }}
"""

# Every model is another one, as in a zoo that is in order.
_FACTORY = """\
def create(name: str):
    from torch import nn

    width = 4 + int(name.removeprefix("model_"))
    return nn.Sequential(nn.Conv2d(3, width, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 10))
"""

# Writes every page as the macros left it.
_CAPTURE = """
import os
from pathlib import Path

def on_page_markdown(markdown, page, config, files):
    path = Path(os.environ["CAPTURE"]) / page.file.src_path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(markdown, encoding="utf-8")
"""


def pages(count: int) -> dict[str, str]:
    """Cards of one model each, with the claims that a card usually makes."""
    made = {"index.md": "# Home\n"}
    for n in range(count):
        entry = (
            f"- Name: model_{n:04d}\n  Metadata:\n    Parameters: {38 * (4 + n) + 10}\n"
            f"  Weights: https://example.org/model_{n:04d}-{n * 40503 % 2**32:08x}.pth\n  Results:\n"
            "  - Task: Image Classification\n    Dataset: ImageNet\n"
            "    Metrics: {Top 1 Accuracy: 75.1%, Top 5 Accuracy: 92.5%}"
        )
        made[f"models/model_{n:04d}.md"] = card(entry, text="About this model.\n\n" + _MACROS)
    return made


def build(project: Path, **variables: str) -> None:
    """Build a project; findings are no failure here, an unfinished site is."""
    site = project / "site"
    command = [sys.executable, "-m", "mkdocs", "build", "-q", "-d", str(site)]
    done = subprocess.run(
        command, cwd=project, env={**environment(), **FIXED, **variables}, capture_output=True, text=True, check=False
    )
    if not (site / "sitemap.xml").is_file() or "Macro Rendering Error" in done.stderr:
        raise RuntimeError(f"the build of {project} did not finish:\n{done.stderr[-2000:]}")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--pages", type=int, default=500)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ours = make(Path(folder, "ours"), pages(options.pages), "Import: ['models/*.md']\n")
        (ours / "madeup.py").write_text(_FACTORY)
        config = ours / "mkdocs.yml"
        (ours / "capture.py").write_text(_CAPTURE)
        config.write_text(MKDOCS + "hooks: [capture.py]\n")
        peer = Path(folder, "peer")
        build(ours, CAPTURE=str(peer / "docs"))
        config.write_text(MKDOCS)
        for name in ("assets/zoo.css", "assets/zoo.js"):
            path = peer / "docs" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes((ours / "docs" / name).read_bytes())
        (peer / "mkdocs.yml").write_text(re.sub(r"plugins:\n(  .*\n)+", "plugins: []\n", MKDOCS))
        ratio = paired(lambda: build(ours), lambda: build(peer), options.runs)
        _same(ours / "site", peer / "site")
    print(HEADER)
    name = f"site of {options.pages} model pages"
    print(row(name, "mkdocs build", "the same pages without macros", ratio))


def _same(ours: Path, peer: Path) -> None:
    """Both builds must have made the same pages."""
    for path in sorted(peer.rglob("*.html")):
        if path.read_bytes() != (ours / path.relative_to(peer)).read_bytes():
            raise RuntimeError(f"{path.relative_to(peer)} differs between the two builds")


if __name__ == "__main__":
    main()
