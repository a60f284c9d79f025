"""Two worker processes against one, start-up included.

Run as ``python -m tests.benchmarks.bench_workers``. Each run is a whole process that measures the zoo's variants at
many input sizes, without a cache. Starting (Python, torch in the server that forks the workers) is the same for one
worker and for two, so the gain grows with the number of models.
"""

from __future__ import annotations

import argparse
import sys
from itertools import islice, product

import zoo
from tests.benchmarks.paired import HEADER, paired, process, row
from tools.measure.records import Factory, Measurement, Request
from tools.measure.run import MeasureOptions, measure_all


def requests(models: int) -> list[Request]:
    """As many models as asked for: every variant at one input size after the other."""
    factory = Factory("zoo:create_model", config_of="zoo:model_info")
    sizes = range(96, 4096, 8)
    return [
        Request(f"{name}-{size}", factory, build_name=name, input_size=(3, size, size))
        for size, name in islice(product(sizes, zoo.list_models()), models)
    ]


def main() -> None:
    """Print the table; with ``--jobs`` be one run of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, nargs="+", default=[56, 160, 400])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--jobs", type=int, help="measure once with so many workers and print nothing")
    options = parser.parse_args()
    if options.jobs:
        results = measure_all(requests(options.models[0]), options=MeasureOptions(jobs=options.jobs))
        if not all(isinstance(result, Measurement) for result in results.values()):
            sys.exit("a model could not be measured")
        return
    print(HEADER)
    for models in options.models:
        command = [sys.executable, "-m", "tests.benchmarks.bench_workers", "--models", str(models), "--jobs"]
        ratio = paired(process([*command, "2"]), process([*command, "1"]), options.runs)
        print(row(f"measure {models} models", "--jobs 2", "`--jobs 1`", ratio), flush=True)


if __name__ == "__main__":
    main()
