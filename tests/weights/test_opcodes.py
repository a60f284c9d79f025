"""What the reader of pickles allows is what the installed torch allows with ``weights_only=True``."""

from __future__ import annotations

import io
import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch
from torch._weights_only_unpickler import _get_allowed_globals

from tests.weights.files import Poison, save, small_model
from tools.weights.allowed import NAMES
from tools.weights.opcodes import Tensor, UnsafePickleError, read_pickle, shorten


def test_nothing_is_allowed_that_torch_refuses() -> None:
    assert set(NAMES) <= set(_get_allowed_globals())


def test_nothing_is_refused_that_torch_allows_but_types_of_tensors() -> None:
    refused = set(_get_allowed_globals()) - set(NAMES)
    assert {name for name in refused if not name.endswith("Tensor")} == set()


@pytest.mark.parametrize("legacy", [False, True])
def test_torch_loads_and_refuses_the_same_files(legacy: bool, tmp_path: Path) -> None:
    from tools.weights.inspect import inspect_file

    values: dict[str, Any] = {
        "weights": small_model().state_dict(),
        "with other things": {"model": small_model().state_dict(), "epoch": 3, "lr": 0.1, "names": ["a", None, True]},
        "size and device": {"a": torch.zeros(2), "size": torch.Size([1]), "device": torch.device("cpu"), "set": {1}},
        "bytes": {"a": torch.zeros(2), "bytes": b"1", "array": bytearray(b"2")},
        "poison": {"a": torch.zeros(2), "b": Poison(tmp_path / "trace")},
        "model": small_model(),
        "path": {"a": torch.zeros(2), "path": Path("x")},
    }
    for name, value in values.items():
        path = save(value, tmp_path / "file.pth", legacy=legacy)
        try:
            torch.load(path, weights_only=True)
            loads = True
        except pickle.UnpicklingError:
            loads = False
        assert (inspect_file(path).problem == "") is loads, name
    assert not (tmp_path / "trace").exists()


def test_plain_values_are_read_as_pickle_reads_them() -> None:
    value = OrderedDict([("a", [1, 2.5, (3,), (4, 5, 6, 7), {"b": None}]), ("c", "ü" * 300), ("d", 2**70), ("e", -1)])
    stream = io.BytesIO(pickle.dumps(value, protocol=2) + b"rest")
    assert read_pickle(stream) == value
    assert stream.read() == b"rest"


def test_a_tensor_is_described_not_made() -> None:
    buffer = io.BytesIO()
    torch.save(torch.zeros(4, 6)[1:3, ::2], buffer, _use_new_zipfile_serialization=False)
    buffer.seek(0)
    for _ in range(3):
        read_pickle(buffer)
    tensor = read_pickle(buffer)
    assert isinstance(tensor, Tensor)
    assert (tensor.offset, tensor.shape, tensor.strides) == (6, (2, 3), (6, 2))
    assert (tensor.storage.kind, tensor.storage.numel) == ("FloatStorage", 24)


def test_a_truncated_pickle_is_unsafe() -> None:
    with pytest.raises(UnsafePickleError, match="broken or truncated"):
        read_pickle(io.BytesIO(pickle.dumps({"a": 1}, protocol=2)[:-1]))


def test_texts_from_files_are_cut_and_printable() -> None:
    assert shorten("a\x1b[2Jb\nc") == "a?[2Jb?c"
    assert shorten("a" * 11, 10) == "a" * 9 + "…"
