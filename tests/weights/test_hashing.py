from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from tools.weights.hashing import sha256_of

LARGE = 600 * 2**20

# The limit on the address space makes reading the file as a whole fail, on every machine and at every load.
PROGRAM = """
import resource, sys
from pathlib import Path
from tools.weights.inspect import inspect_file
limit = 400 * 2**20
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
found = inspect_file(Path(sys.argv[1]))
assert "torch" not in sys.modules
print(found.sha256, found.size, len(found.entries), found.nonfinite, found.problem)
"""


def test_the_digest_is_sha256(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    # FIPS 180-2, appendix B.1.
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256_of(tmp_path / "file") == digest
    with (tmp_path / "file").open("rb") as stream:
        stream.read(2)
        assert sha256_of(stream) == digest


def test_a_file_larger_than_memory_is_hashed_and_read(tmp_path: Path) -> None:
    # A safetensors file of zeros, sparse on disk: one tensor of 600 MiB.
    header = b'{"weight":{"dtype":"F32","shape":[%d],"data_offsets":[0,%d]}}' % (LARGE // 4, LARGE)
    path = tmp_path / "large.safetensors"
    with path.open("wb") as stream:
        stream.write(len(header).to_bytes(8, "little") + header)
        stream.truncate(8 + len(header) + LARGE)
    # numpy's library of linear algebra reserves memory for each core.
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", PROGRAM, str(path)]
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert result.stderr == ""
    expected = hashlib.sha256(len(header).to_bytes(8, "little") + header)
    for _ in range(LARGE // 2**20):
        expected.update(bytes(2**20))
    assert result.stdout.split() == [expected.hexdigest(), str(path.stat().st_size), "1", "{}"]
