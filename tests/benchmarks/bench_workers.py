"""Two worker processes against one: whole audits with nothing in the cache, start-up included.

Run as ``python -m tests.benchmarks.bench_workers``. The index holds the shipped cards' entries again and again, each
time for another Image Size. Once they are as they were first published: no counter is declared for their FLOPs, and
most models are measured a second time to find out how they were counted. Once they are as shipped, every counter
declared. Loading torch takes as long for one worker as for two, so the gain grows with what there is to measure.

Two audits of half of the models, side by side, show what the machine gives at best: two cores are seldom twice as fast
as one.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice, product
from pathlib import Path
from typing import Any

import yaml

from tests.benchmarks.paired import HEADER, paired, process, row

_SIZES = range(96, 4096, 8)
"""Pixels of the Image Sizes."""
_DECLARATIONS = ("FLOPs Counter", "FLOPs Input Size")
_SHOWN = "python -m tools.audit --no-cache --jobs 2"


def shipped() -> list[dict[str, Any]]:
    """The entries of the shipped cards."""
    command = [sys.executable, "-m", "tools.audit", "export", "--format", "model-index"]
    shown = subprocess.run(command, capture_output=True, check=True).stdout
    entries: list[dict[str, Any]] = yaml.safe_load(shown)["Models"]
    return entries


def write(folder: Path, entries: Sequence[dict[str, Any]], models: int, *, declared: bool) -> None:
    """An index of so many models, and the settings to audit it with."""
    made, rename = [], {}
    for size, entry in islice(product(_SIZES, entries), models):
        name = f"{entry['Name']}_{size}"
        rename[name] = entry["Name"]
        claims = entry.get("Metadata", {}) | {"Image Size": str(size), "ID": name}
        if not declared:
            claims = {key: value for key, value in claims.items() if key not in _DECLARATIONS}
        made.append({"Name": name, "Metadata": claims, "Results": entry.get("Results", [])})
    # YAML that is JSON too: quick to write, and read as any other.
    (folder / "model-index.yml").write_text(json.dumps({"Models": made}, indent=1))
    renamed = "".join(f"{name} = {json.dumps(build_name)}\n" for name, build_name in rename.items())
    # MOD002 tells of models that differ in nothing but their name, which these do on purpose.
    settings = f'factory = "zoo:create_model"\nignore = ["MOD002"]\n[tool.zoo-audit.rename]\n{renamed}'
    (folder / "pyproject.toml").write_text("[tool.zoo-audit]\n" + settings)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, nargs="+", default=[56, 112])
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    entries = shipped()
    print(HEADER)
    for declared, models in product((False, True), options.models):
        what = f"audit {models} models, cards {'as shipped' if declared else 'as first published'}"
        # FLOPs of an undeclared counter are findings, as they should be.
        allowed = (0,) if declared else (1,)
        with tempfile.TemporaryDirectory() as whole, tempfile.TemporaryDirectory() as half:
            write(Path(whole), entries, models, declared=declared)
            write(Path(half), entries, models // 2, declared=declared)
            two = process(audit(whole, 2), allowed=allowed)
            ratio = paired(two, process(audit(whole, 1), allowed=allowed), options.runs)
            print(row(what, _SHOWN, "`--jobs 1`", ratio), flush=True)
            if (declared, models) == (False, options.models[0]):  # once: it is about the machine
                halves = partial(twice_at_once, process(audit(half, 1), allowed=allowed))
                ratio = paired(two, halves, options.runs)
                print(row(what, _SHOWN, "two audits of half of them, side by side", ratio), flush=True)


def audit(folder: str, jobs: int) -> list[str]:
    """The command that audits the index in ``folder``, whatever the cache holds."""
    settings = ["--config", str(Path(folder, "pyproject.toml")), "--no-cache", "--quiet"]
    return [sys.executable, "-m", "tools.audit", *settings, "--jobs", str(jobs)]


def twice_at_once(call: Callable[[], object]) -> None:
    """What the machine gives to two processes that know nothing of each other, where ``call`` runs one."""
    with ThreadPoolExecutor() as pool:
        for running in [pool.submit(call), pool.submit(call)]:
            running.result()


if __name__ == "__main__":
    main()
