"""Files that would harm whoever trusts them: each gives a problem in words, runs nothing and takes little memory."""

from __future__ import annotations

import gzip
import io
import json
import os
import pickle
import struct
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.weights.files import Poison, save, saved, small_model
from tools.weights.compare import compare
from tools.weights.inspect import inspect_file
from tools.weights.opcodes import MAX_OPERATIONS

MEMORY = 32 * 2**20
"""Bytes that reading a hostile file of a few kilobytes may take at most."""


def problem_of(path: Path) -> str:
    """The problem, found in bounded memory; nothing inside the file is told beside it."""
    tracemalloc.start()
    try:
        found = inspect_file(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found.problem
    assert peak < MEMORY
    assert "\n" not in found.problem
    return found.problem


def problem_with(content: bytes, path: Path) -> str:
    path.write_bytes(content)
    return problem_of(path)


@pytest.mark.parametrize(
    "write",
    [
        lambda poison: saved({"weight": torch.zeros(2), "extra": poison}),
        lambda poison: saved({"weight": torch.zeros(2), "extra": poison}, legacy=True),
        lambda poison: saved(poison),
        lambda poison: gzip.compress(saved(poison, legacy=True)),
        pickle.dumps,
        lambda poison: pickle.dumps(poison, protocol=0),
        lambda poison: pickle.dumps(0x1950A86A20F9469CFC6C, protocol=2) + pickle.dumps(poison, protocol=2),
    ],
)
def test_a_pickle_that_would_run_code_is_named_and_not_run(write: Callable[[Any], bytes], tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    content = write(Poison(trace))
    problem = problem_with(content, tmp_path / "model.pth")
    assert not trace.exists()
    if content[:1] == b"\x80" or content[:2] in (b"PK", b"\x1f\x8b"):
        assert "would import posix.mkdir" in problem
    else:
        assert problem == "of no known format"


def test_the_poison_is_real(tmp_path: Path) -> None:
    # What the tests above prove means nothing unless the pickle works.
    pickle.loads(pickle.dumps(Poison(tmp_path / "trace")))
    assert (tmp_path / "trace").is_dir()


def test_a_whole_pickled_model_is_refused(tmp_path: Path) -> None:
    assert "torch.nn.modules.container.Sequential" in problem_of(save(small_model(), tmp_path / "model.pth"))


def _edited(content: bytes, old: bytes, new: bytes) -> bytes:
    assert content.count(old) == 1
    return content.replace(old, new)


def test_every_truncation_is_a_problem(tmp_path: Path) -> None:
    state_dict = small_model().state_dict()
    for legacy in (False, True):
        content = saved(state_dict, legacy=legacy)
        for length in range(0, len(content), 37):
            assert problem_with(content[:length], tmp_path / "model.pth")


def test_flipped_bytes_never_raise(tmp_path: Path) -> None:
    path = tmp_path / "model.pth"
    for legacy in (False, True):
        content = saved({"weight": torch.zeros(3), "bias": torch.zeros(1)}, legacy=legacy)
        for position in range(0, len(content), 5):
            for value in (0, 0xFF):
                path.write_bytes(content[:position] + bytes([value]) + content[position + 1 :])
                inspect_file(path)


def test_a_legacy_storage_that_lies_about_its_length(tmp_path: Path) -> None:
    content = saved({"weight": torch.tensor([1.5, 2.5])}, legacy=True)
    numbers = struct.pack("<ff", 1.5, 2.5)
    more = _edited(content, struct.pack("<q", 2) + numbers, struct.pack("<q", 2**40) + numbers)
    assert "has 1099511627776 elements, its tensors say 2" in problem_with(more, tmp_path / "a.pth")
    assert "truncated" in problem_with(content[:-1], tmp_path / "b.pth")


def test_absurd_shapes(tmp_path: Path) -> None:
    far = torch.zeros(1).as_strided((2**31, 2**31), (0, 0))
    assert "blows 4 bytes up to" in problem_of(save({"weight": far}, tmp_path / "a.pth"))
    content = saved({"weight": torch.zeros(7)}, legacy=True)
    beyond = _edited(content, b"K\x07\x85", b"K\xff\x85")  # the shape's BININT1 7 TUPLE1
    assert "reaches beyond its storage" in problem_with(beyond, tmp_path / "b.pth")


def test_a_zip_directory_that_claims_to_be_huge(tmp_path: Path) -> None:
    content = saved({"weight": torch.zeros(1)})
    end = content.rindex(b"PK\x05\x06")
    size = struct.unpack_from("<I", content, end + 12)[0]
    lies = content[: end + 12] + struct.pack("<I", 2**31) + content[end + 16 :]
    assert size < 2**16
    assert problem_with(lies, tmp_path / "model.pth") == "the zip archive claims a directory of 2147483648 bytes"


def test_a_zip_record_that_is_shorter_than_its_tensor(tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(saved({"weight": torch.zeros(8)}))) as archive:
        records = {name: archive.read(name) for name in archive.namelist()}
    records["archive/data/0"] = b"1234"
    with zipfile.ZipFile(tmp_path / "model.pth", "w") as archive:
        for name, data in records.items():
            archive.writestr(name, data)
    assert problem_of(tmp_path / "model.pth") == "storage 0 claims 32 bytes, its record has 4"
    del records["archive/data/0"]
    with zipfile.ZipFile(tmp_path / "model.pth", "w") as archive:
        for name, data in records.items():
            archive.writestr(name, data)
    assert problem_of(tmp_path / "model.pth") == "the record of storage 0 is missing"


@pytest.mark.parametrize("name", ["model/data.pkl", "model.pth"])
def test_a_zip_bomb_is_not_unpacked(name: str, tmp_path: Path) -> None:
    with (
        zipfile.ZipFile(tmp_path / "model.pth", "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open(name, "w") as record,
    ):
        for _ in range(128):
            record.write(bytes(2**20))
    assert "unpack" in problem_of(tmp_path / "model.pth")


def test_a_zip_bomb_of_tensors_is_not_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(saved({"weight": torch.zeros(2**23)}))) as archive:
        pickled = archive.read("archive/data.pkl")
    with zipfile.ZipFile(tmp_path / "model.pth", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", pickled)
        archive.writestr("archive/data/0", bytes(2**25))
    assert "would unpack" in problem_of(tmp_path / "model.pth")


def test_a_gzip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    assert "a bomb" in problem_with(gzip.compress(bytes(2**26)), tmp_path / "model.pth.gz")
    twice = gzip.compress(gzip.compress(saved(small_model().state_dict())))
    assert problem_with(twice, tmp_path / "twice.pth.gz")


def test_a_deflated_archive_is_read_without_its_values(tmp_path: Path) -> None:
    with (
        zipfile.ZipFile(io.BytesIO(saved(small_model().state_dict()))) as old,
        zipfile.ZipFile(tmp_path / "model.pth", "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            new.writestr(name, old.read(name))
    found = inspect_file(tmp_path / "model.pth")
    assert (len(found.entries), found.nonfinite, found.problem) == (7, None, "")


def test_a_torchscript_archive_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "script.pt", "w") as archive:
        archive.writestr("script/data.pkl", pickle.dumps({}, protocol=2))
        archive.writestr("script/code/__torch__.py", "")
    assert "TorchScript" in problem_of(tmp_path / "script.pt")


def _safetensors(header: object, data: bytes = b"", length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def _tensor(shape: list[Any], offsets: list[Any], dtype: str = "F32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (_safetensors({"a": _tensor([1], [0, 4])}, bytes(4), length=2**40), "the header claims 1099511627776 bytes"),
        (_safetensors({"a": _tensor([1], [0, 4])}, bytes(3)), "the tensors end at byte"),
        (_safetensors({"a": _tensor([1], [0, 4])}, bytes(5)), "the tensors end at byte"),
        (_safetensors({"a": _tensor([2], [0, 4])}, bytes(4)), "needs 8 bytes and is given 4"),
        (_safetensors({"a": _tensor([2**62, 2**62], [0, 4])}, bytes(4)), "bytes and is given 4"),
        (_safetensors({"a": _tensor([1], [0, 4]), "b": _tensor([1], [2, 6])}, bytes(6)), "overlaps another"),
        (_safetensors({"a": _tensor([1], [0, 4]), "b": _tensor([1], [8, 12])}, bytes(12)), "leaves a hole"),
        (_safetensors({"a": _tensor([-1], [0, 4])}, bytes(4)), "is not a list of sizes"),
        (_safetensors({"a": _tensor([True], [0, 4])}, bytes(4)), "is not a list of sizes"),
        (_safetensors({"a": _tensor([1], [4, 0])}, bytes(4)), "not two ascending positions"),
        (_safetensors({"a": _tensor([1], [0, 4], dtype="F31")}, bytes(4)), "unknown dtype"),
        (_safetensors({"a": []}), "lacks its dtype"),
        (_safetensors(b'{"a":{},"a":{}}'), "one key twice"),
        (_safetensors(b"{" * 20_000), "is not JSON"),
        (_safetensors(b'{"a":' * 20_000), "is not JSON"),
        (_safetensors(b'{"\xff":0}'), "is not JSON"),
    ],
)
def test_a_safetensors_header_that_lies(content: bytes, problem: str, tmp_path: Path) -> None:
    assert problem in problem_with(content, tmp_path / "model.safetensors")


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"]" * 200_000 + b".", "the file holds a list"),
        (b"(" * 200_000 + b".", "broken or truncated"),
        (b"}" + b"\x85" * 200_000 + b".", "not a state dict: the file holds a tuple"),
        (b"X\xff\xff\xff\x7f.", "claims more than"),
        (b"}q\x00" + b"(h\x00h\x00u" * 10 + b".", "no tensors"),
        (b"ctorch\nload\n.", "torch.load"),
        (b"c__builtin__\neval\n.", "builtins.eval"),
        (b"ccollections\nOrderedDict\n(]tR.", "an empty state dict"),
        (b"h\x07.", "broken or truncated"),
        (b"0.", "opcode POP"),
        (b"K\x01.", "the file holds a int"),
    ],
)
def test_strange_pickles(body: bytes, problem: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "model.pth", "w") as archive:
        archive.writestr("model/data.pkl", b"\x80\x02" + body)
    assert problem in problem_of(tmp_path / "model.pth")


def test_a_pickle_that_copies_without_end(tmp_path: Path) -> None:
    # One list of 200,000 pairs, made into a dictionary again and again: 3 bytes ask for 200,000 steps.
    pairs = b"(" + b"h\x00" * 200_000 + b"e"
    body = b"K\x01K\x02\x86q\x00" + b"]" + pairs + b"\x85q\x01" + b"ccollections\nOrderedDict\nq\x02"
    body += b"h\x02h\x01R" * 10_000 + b"."
    with zipfile.ZipFile(tmp_path / "model.pth", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model/data.pkl", b"\x80\x02" + body)
        archive.writestr("model/version", b"3")
    assert inspect_file(tmp_path / "model.pth").problem == f"the pickle takes more than {MAX_OPERATIONS} operations"


def test_dictionaries_that_share_each_other_are_looked_at_once(tmp_path: Path) -> None:
    # Under 300 keys of each level stands one and the same dictionary: 300 to the power of 4 paths lead to the last.
    inner: dict[str, Any] = {}
    for _ in range(4):
        inner = {str(number): inner for number in range(300)}
    assert "no tensors under model" in problem_of(save({"model": inner}, tmp_path / "model.pth"))


def test_a_key_of_nothing_but_prefixes(tmp_path: Path) -> None:
    found = inspect_file(save({"module." * 300_000: torch.zeros(1)}, tmp_path / "model.pth"))
    assert found.prefix == "module." * 4
    assert len(compare(found.entries, ()).describe()) < 200


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "an empty file"),
        (b"<!DOCTYPE html><title>404</title>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n", "a Git LFS pointer"),
        (b"not weights", "of no known format"),
        (pickle.dumps({"weight": 1}, protocol=2), "a plain pickle that torch.save did not write"),
        (pickle.dumps({"weight": 1}, protocol=4), "pickle protocol 4"),
        (b"PK\x03\x04" + bytes(100), "truncated"),
    ],
)
def test_files_that_are_no_weights(content: bytes, problem: str, tmp_path: Path) -> None:
    assert problem in problem_with(content, tmp_path / "model.pth")


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({}, "an empty state dict"),
        ({"epoch": 3}, "no tensors under epoch"),
        ([torch.zeros(2)], "the file holds a list"),
        (torch.zeros(2), "the file holds a tensor"),
        ({"a": torch.zeros(2).to_sparse()}, "no tensors under a"),
        ({"a": torch.zeros(2), "b": torch.zeros(2).to_sparse()}, "the entry b is not a plain tensor"),
    ],
)
def test_checkpoints_without_a_state_dict(value: Any, problem: str, tmp_path: Path) -> None:
    assert problem in problem_of(save(value, tmp_path / "model.pth"))


def test_a_tar_archive_is_told_to_be_saved_again(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "model.tar", "w") as archive:
        archive.addfile(tarfile.TarInfo("storages"))
    assert "a tar archive" in problem_of(tmp_path / "model.tar")


def test_what_is_no_regular_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.pth")
    (tmp_path / "loop.pth").symlink_to(tmp_path / "loop.pth")
    assert problem_of(tmp_path / "pipe.pth") == "not a regular file but a named pipe"
    assert problem_of(tmp_path / "loop.pth").startswith("cannot be opened")
    assert problem_of(tmp_path / "missing.pth").startswith("cannot be opened: No such file")
    assert problem_of(Path("/dev/zero")) == "not a regular file but a device"
    assert problem_of(tmp_path) == "not a regular file but a folder"
    assert problem_of(Path("nul\0.pth")).startswith("cannot be opened")


def test_names_from_a_file_are_shown_as_printable_text(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "model.pth", "w") as archive:
        archive.writestr("model/data.pkl", b"\x80\x02cos\x1b[31m\n" + b"x" * 5000 + b"\n.")
    problem = problem_of(tmp_path / "model.pth")
    assert "\x1b" not in problem
    assert len(problem) < 400
