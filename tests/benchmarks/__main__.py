"""Run every benchmark, one after the other, and print one table; ``make bench`` calls this.

Each benchmark is a process of its own, so that none inherits another's caches or memory.
"""

from __future__ import annotations

import platform
import subprocess
import sys
import time
from pathlib import Path

from tests.benchmarks.paired import HEADER

BENCHMARKS = ("bench_cache", "bench_count", "bench_workers", "bench_load", "bench_static", "bench_site", "bench_hash")


def main() -> int:
    """Print the table as it grows, then what the benchmarks say besides."""
    missing = {path.stem for path in Path(__file__).parent.glob("bench_*.py")} - set(BENCHMARKS)
    assert not missing, f"not listed: {missing}"
    notes, failed = [], 0
    print(HEADER, flush=True)
    for name in BENCHMARKS:
        begin = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", f"tests.benchmarks.{name}"], capture_output=True, text=True, check=False
        )
        lines = [line for line in done.stdout.splitlines() if line and line not in HEADER.splitlines()]
        for line in lines:
            if line.startswith("|"):
                print(line, flush=True)
            else:
                notes.append(line)
        print(f"{name}: {time.perf_counter() - begin:.0f} s", file=sys.stderr)
        if done.returncode != 0:
            failed += 1
            print(f"{name} failed:\n{done.stderr[-2000:]}", file=sys.stderr)
    print()
    for note in notes:
        print(note[:1].upper() + note[1:] + ".")
    print(f"Measured with Python {platform.python_version()} on {platform.system()} {platform.machine()}.")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
