"""Loading 10,000 models over 1,000 cards, against PyYAML's C composer on the very same texts.

Run as ``python -m tests.benchmarks.bench_load``. Both sides start from files on disk: the loader from the
index that imports the cards; the peer reads each card and composes the text of its comment with
``yaml.compose(text, Loader=yaml.CSafeLoader)``, and keeps what it composed, as the loader must. The peer
does not have to find the comments (they are cut out beforehand and timed as read), check or link anything.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

from tests.benchmarks.paired import HEADER, paired, row
from tools.collector import collector_paused

ARCHITECTURE = (
    "Batch Normalization", "Dense Connections", "Dropout", "Global Average Pooling", "Grouped Convolution",
    "MixConv", "Squeeze-and-Excitation Block", "Swish",
)  # fmt: skip


def model(family: int, number: int) -> str:
    """The entry of one made-up model, as long and as varied as a published one."""
    name = f"madeup_{family:04}_{number:02}"
    tags = "".join(f"    - {tag}\n" for tag in ARCHITECTURE)
    return f"""- Name: {name}
  In Collection: Family {family}
  Metadata:
    FLOPs: {251_736_960 + 1_000_003 * number + family}
    Parameters: {4_130_000 + 10_000 * number}
    File Size: {16_738_218 + 41_003 * number}
    Architecture:
{tags}    Tasks:
    - Image Classification
    Training Techniques:
    - MNAS
    Training Data:
    - ImageNet
    ID: {name}
    Crop Pct: '0.875'
    Image Size: '224'
    Interpolation: bicubic
  Code: https://example.org/zoo/blob/9a25fdf3ad0414b4d66da443fe60ae0aa14edc84/zoo/family_{family}.py#L{number * 9 + 1}
  Weights: https://example.org/zoo/releases/download/v0.1-weights/{name}-{family * 97 + number:08x}.pth
  Results:
  - Task: Image Classification
    Dataset: ImageNet
    Metrics:
      Top 1 Accuracy: {70 + number * 0.75:.2f}%
      Top 5 Accuracy: {90 + number * 0.5:.2f}%
"""


def comment(family: int, models: int) -> str:
    """The YAML of one card."""
    head = f"""
Type: model-index
Collections:
- Name: Family {family}
  Paper:
    Title: 'Family {family}: Made-up Kernels'
    URL: https://arxiv.org/abs/1907.09595
Models:
"""
    return head + "".join(model(family, number) for number in range(models))


def write(folder: Path, cards: int, models: int) -> list[Path]:
    """Write the index and its cards; the cards' paths."""
    (folder / "models").mkdir()
    (folder / "model-index.yml").write_text("Import: models/*.md\n", encoding="utf-8")
    paths = []
    for family in range(cards):
        path = folder / "models" / f"family-{family:04}.md"
        prose = f"# Family {family}\n\n" + "A made-up family of models that nobody has trained.\n\n" * 12
        path.write_text(f"{prose}<!--{comment(family, models)}-->\n", encoding="utf-8")
        paths.append(path)
    return paths


def peer(paths: list[Path]) -> list[yaml.Node | None]:
    """Read every card and compose its comment."""
    composed = []
    for path in paths:
        text = path.read_text(encoding="utf-8")
        start = text.index("<!--") + 4
        composed.append(yaml.compose(text[start : text.index("-->", start)], Loader=yaml.CSafeLoader))
    return composed


def peer_without_collector(paths: list[Path]) -> list[yaml.Node | None]:
    """The same with Python's garbage collector paused, as the loader pauses it while it loads."""
    with collector_paused(settle=True):
        return peer(paths)


def memory(folder: Path) -> int:
    """Peak resident bytes of a fresh process that loads the index of ``folder``."""
    code = (
        "import resource, sys; from pathlib import Path; from tools.modelindex import load_index;"
        "folder = Path(sys.argv[1]); index = load_index([folder], folder);"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)], check=True, capture_output=True, text=True, env=environment
    )
    return int(done.stdout)


def main() -> None:
    """Print the table."""
    from tools.modelindex import load_index

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cards", type=int, default=1000)
    parser.add_argument("--models", type=int, default=10, help="models a card")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    # Memory first: a child's peak begins with what its parent holds while it is started.
    sizes = []
    for share in (4, 2, 1):
        with tempfile.TemporaryDirectory() as part:
            write(Path(part), options.cards // share, options.models)
            sizes.append((options.cards // share * options.models, memory(Path(part))))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = write(folder, options.cards, options.models)
        index = load_index([folder], folder)
        assert len(index.models) == options.cards * options.models
        assert not index.problems, index.problems[:3]
        ratio = paired(lambda: load_index([folder], folder), lambda: peer(paths), options.runs)
        print(HEADER)
        count = options.cards * options.models
        what = f"load {count:,} models over {options.cards:,} cards"
        print(row(what, "load_index([folder], folder)", "read + yaml.compose, CSafeLoader", ratio))
        ratio = paired(lambda: load_index([folder], folder), lambda: peer_without_collector(paths), options.runs)
        print(row(what, "load_index([folder], folder)", "the same, garbage collector paused", ratio))
        print("\npeak memory: " + ", ".join(f"{models:,} models {peak / 2**20:.0f} MiB" for models, peak in sizes))


if __name__ == "__main__":
    main()
