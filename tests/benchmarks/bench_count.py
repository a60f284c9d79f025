"""Counting on the meta device against building the model and calling stock ``FlopCountAnalysis``.

Run as ``python -m tests.benchmarks.bench_count``. One run is all eight variants of the zoo at their own size. Ours
counts with every counter, the activations and by module; the peer gives fvcore's total. Both give the same total,
which is checked. The second table is the peak memory of measuring a model of a billion parameters.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import warnings

import torch
from fvcore.nn import FlopCountAnalysis

import zoo
from tests.benchmarks.paired import HEADER, paired, row
from tools.measure.build import build_meta
from tools.measure.trace import run_meta

_HUGE = """
import resource
from tools.measure.model import measure_model
from tools.measure.records import Factory, Request
result = measure_model(Request("huge", Factory("tests.measure.huge:build"), input_size=(16384,)))
print(result.parameters, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def ours(name: str) -> int:
    """The total by fvcore's formulas, counted without computing."""
    model = build_meta(lambda: zoo.create_model(name))
    tally = run_meta(model, (torch.empty(1, 3, 224, 224, device="meta"),))
    return sum(tally.flops[""].values())


def stock(name: str) -> int:
    """The total by fvcore as it is installed."""
    model = zoo.create_model(name).eval()
    analysis = FlopCountAnalysis(model, torch.zeros(1, 3, 224, 224))
    return int(analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False).total())


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    names = zoo.list_models()
    for name in names:
        assert ours(name) == stock(name), name
    ratio = paired(lambda: [ours(name) for name in names], lambda: [stock(name) for name in names], options.runs)
    print(HEADER)
    peer = "create_model and stock FlopCountAnalysis.total()"
    print(row(f"build and count {len(names)} models", "build_meta, run_meta", peer, ratio))
    shown = subprocess.run([sys.executable, "-c", _HUGE], capture_output=True, text=True, check=True).stdout.split()
    print(
        f"\nPeak memory of measuring a model of {int(shown[0]):,} parameters: {shown[1]} MiB, Python and torch included"
    )


if __name__ == "__main__":
    main()
