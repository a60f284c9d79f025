"""A static audit of 10,000 models over 1,000 cards, against a process that only loads them.

Run as ``python -m tests.benchmarks.bench_static``. Both are whole processes, start-up included.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.bench_load import write
from tests.benchmarks.paired import HEADER, paired, process, row

_LOAD = (
    "import sys; from pathlib import Path; from tools.modelindex import load_index;"
    "folder = Path(sys.argv[1]); load_index([folder], folder)"
)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cards", type=int, default=1000)
    parser.add_argument("--models", type=int, default=10, help="models a card")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        write(Path(name), options.cards, options.models)
        audit = process([sys.executable, "-m", "tools.audit", "--static", "--quiet", name], allowed=(0, 1))
        ratio = paired(audit, process([sys.executable, "-c", _LOAD, name]), options.runs)
    print(HEADER)
    what = f"static audit of {options.cards * options.models:,} models over {options.cards:,} cards"
    print(row(what, "python -m tools.audit --static", "a process that loads the same index", ratio))


if __name__ == "__main__":
    main()
