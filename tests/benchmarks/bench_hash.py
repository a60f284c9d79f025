"""Hashing weight files: against the machine's own SHA-256, and several files against one after the other.

Run as ``python -m tests.benchmarks.bench_hash``. The files are of random bytes and read once before the clock starts,
so that the disk is not what is measured. The peers are ``hashlib.sha256`` over the same bytes already in memory, which
is as fast as this machine's SHA-256 gets from Python, and coreutils' ``sha256sum``, start-up included.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from tests.benchmarks.paired import HEADER, paired, process, row
from tools.weights.hashing import sha256_of
from tools.weights.inspect import inspect_file, inspect_files


def write(folder: Path, number: int, size: int) -> Path:
    """A safetensors file with one tensor of random bytes."""
    size -= size % 4
    header = b'{"weight":{"dtype":"F32","shape":[%d],"data_offsets":[0,%d]}}' % (size // 4, size)
    path = folder / f"{number}.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + os.urandom(size))
    return path


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=256, help="size of each file")
    parser.add_argument("--files", type=int, default=4)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    size = options.megabytes * 2**20
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with tempfile.TemporaryDirectory() as name:
        paths = [write(Path(name), number, size) for number in range(options.files)]
        first = paths[0]
        content = first.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        assert inspect_file(first).sha256 == digest == sha256_of(first)
        print(HEADER)
        memory = paired(lambda: sha256_of(first), lambda: hashlib.sha256(content).digest(), options.runs)
        what = f"SHA-256 of a file of {options.megabytes} MiB"
        print(row(what, "sha256_of(path)", "hashlib.sha256 of the same bytes in memory", memory))
        command = shutil.which("sha256sum")
        if command is not None:
            tool = paired(lambda: sha256_of(first), process([command, str(first)]), options.runs)
            print(row(what, "sha256_of(path)", "sha256sum", tool))
        inspected = paired(lambda: inspect_file(first), lambda: sha256_of(first), options.runs)
        print(row(f"{what}, and its values", "inspect_file(path)", "sha256_of(path)", inspected))
        several = paired(lambda: inspect_files(paths), lambda: [inspect_file(path) for path in paths], options.runs)
        what = f"inspect {options.files} files on {cores} cores"
        print(row(what, "inspect_files(paths)", "inspect_file of one after the other", several))


if __name__ == "__main__":
    main()
