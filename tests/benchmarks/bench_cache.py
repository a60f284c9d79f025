"""A whole audit in which nothing changed, against ``python -c "import torch"``.

Run as ``python -m tests.benchmarks.bench_cache``. The audit is the repository's own; its first, unmeasured run fills
the cache, and every run that is timed finds all measurements there.
"""

from __future__ import annotations

import argparse
import sys

from tests.benchmarks.paired import HEADER, paired, process, row


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=9)
    options = parser.parse_args()
    audit = process([sys.executable, "-m", "tools.audit"], allowed=(0, 1))
    audit()
    ratio = paired(audit, process([sys.executable, "-c", "import torch"]), options.runs)
    print(HEADER)
    print(row("audit with nothing changed", "python -m tools.audit", '`python -c "import torch"`', ratio))


if __name__ == "__main__":
    main()
