"""Sound weight files of every format are read without torch's help, and read as torch reads them."""

from __future__ import annotations

import gzip
import hashlib
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from tests.weights.files import SMALL_KEYS, entries_of, save, saved, small_model
from tools.weights.inspect import find_all, find_files, inspect_file, inspect_files


def write_zip(value: Any, path: Path) -> Path:
    return save(value, path)


def write_legacy(value: Any, path: Path) -> Path:
    return save(value, path, legacy=True)


def write_gzip(value: Any, path: Path) -> Path:
    path.write_bytes(gzip.compress(saved(value, legacy=True)))
    return path


def write_hub_zip(value: Any, path: Path) -> Path:
    """What torch.hub takes as a compressed checkpoint: an archive of exactly one file."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model.pth", saved(value))
    return path


def write_safetensors(value: Any, path: Path) -> Path:
    save_file(value, path)
    return path


WRITERS: dict[str, Callable[[Any, Path], Path]] = {
    "zip": write_zip,
    "legacy": write_legacy,
    "gzip:legacy": write_gzip,
    "zip:zip": write_hub_zip,
    "safetensors": write_safetensors,
}


@pytest.mark.parametrize("file_format", WRITERS)
def test_every_format_gives_the_entries_of_the_state_dict(file_format: str, tmp_path: Path) -> None:
    state_dict = small_model().state_dict()
    path = WRITERS[file_format](state_dict, tmp_path / "model.bin")
    found = inspect_file(path)
    assert found.problem == ""
    assert found.format == file_format
    assert found.size == path.stat().st_size
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert sorted(found.entries, key=lambda entry: entry.key) == sorted(entries_of(state_dict), key=lambda e: e.key)
    assert (found.wrapper, found.other_wrappers, found.prefix) == ("", (), "")
    assert found.nonfinite == {}


@pytest.mark.parametrize("file_format", WRITERS)
def test_values_that_are_not_finite_are_counted_by_name(file_format: str, tmp_path: Path) -> None:
    state_dict = small_model().state_dict()
    state_dict["0.bias"][1:] = float("nan")
    state_dict["1.running_var"][0] = -float("inf")
    found = inspect_file(WRITERS[file_format](state_dict, tmp_path / "model.bin"))
    assert found.nonfinite == {"0.bias": 2, "1.running_var": 1}
    unread = inspect_file(tmp_path / "model.bin", check_values=False)
    assert unread.nonfinite is None
    assert unread.entries == found.entries


@pytest.mark.parametrize(
    "dtype", ["float64", "float16", "bfloat16", "complex64", "float8_e5m2", "float8_e4m3fn", "float8_e8m0fnu"]
)
@pytest.mark.parametrize("legacy", [False, True])
def test_non_finite_values_of_every_dtype(dtype: str, legacy: bool, tmp_path: Path) -> None:
    values = torch.tensor([1.0, float("nan"), 0.5, 2.0]).to(getattr(torch, dtype))
    found = inspect_file(save({"weight": values, "count": torch.arange(4)}, tmp_path / "a.pth", legacy=legacy))
    assert found.nonfinite == {"weight": 1}
    assert found.entries[0].dtype == dtype


@pytest.mark.parametrize("legacy", [False, True])
def test_views_shared_storages_and_other_layouts(legacy: bool, tmp_path: Path) -> None:
    base = torch.arange(24.0)
    state_dict = {
        "part": base[4:8],
        "transposed": base[:6].reshape(2, 3).T,
        "channels last": torch.zeros(2, 3, 4, 4).contiguous(memory_format=torch.channels_last),
        "parameter": nn.Parameter(torch.ones(2)),
        "empty": torch.zeros(0, 3),
    }
    base[5] = float("inf")
    found = inspect_file(save(state_dict, tmp_path / "a.pth", legacy=legacy))
    assert found.problem == ""
    assert found.entries == entries_of(state_dict)
    # The transposed tensor holds elements 0 to 5 of the same storage.
    assert found.nonfinite == {"part": 1, "transposed": 1}


@pytest.mark.parametrize(
    ("value", "wrapper", "others", "prefix"),
    [
        (lambda s: {"state_dict": s, "epoch": 3}, "state_dict", (), ""),
        (lambda s: {"model_ema": s, "model": s}, "model", ("model_ema",), ""),
        (lambda s: {"model_ema": s, "optimizer": {"state": {}}}, "model_ema", (), ""),
        (lambda s: {"net": s, "ema": s, "state_dict": s}, "state_dict", ("net", "ema"), ""),
        (lambda s: {"model": {"state_dict": s}}, "model.state_dict", (), ""),
        (lambda s: {f"module.{key}": item for key, item in s.items()}, "", (), "module."),
        (lambda s: {"model": {f"module._orig_mod.{k}": v for k, v in s.items()}}, "model", (), "module._orig_mod."),
    ],
)
def test_wrappers_and_prefixes_are_recognised(
    value: Callable[[Any], Any], wrapper: str, others: tuple[str, ...], prefix: str, tmp_path: Path
) -> None:
    found = inspect_file(save(value(OrderedDict(small_model().state_dict())), tmp_path / "checkpoint.pth.tar"))
    assert tuple(entry.key for entry in found.entries) == SMALL_KEYS
    assert (found.wrapper, found.other_wrappers, found.prefix) == (wrapper, others, prefix)


def test_a_prefix_that_not_every_key_carries_is_part_of_the_keys(tmp_path: Path) -> None:
    state_dict = {"module.weight": torch.zeros(2), "n_averaged": torch.tensor(3)}
    found = inspect_file(save(state_dict, tmp_path / "a.pth"))
    assert [entry.key for entry in found.entries] == ["module.weight", "n_averaged"]
    assert found.prefix == ""


def test_a_safetensors_prefix_is_left_out_too(tmp_path: Path) -> None:
    found = inspect_file(write_safetensors({"module.weight": torch.zeros(2)}, tmp_path / "a.safetensors"))
    assert ([entry.key for entry in found.entries], found.prefix) == (["weight"], "module.")


def test_the_hash_in_the_name_is_held_against_the_file(tmp_path: Path) -> None:
    content = saved(small_model().state_dict())
    digest = hashlib.sha256(content).hexdigest()
    names = {f"model-{digest[:8].upper()}.pth": True, "model-0123456789.pth": False, "model-20210831.pth": None}
    for name, agrees in names.items():
        (tmp_path / name).write_bytes(content)
        assert inspect_file(tmp_path / name).name_hash_agrees is agrees


def test_several_files_come_back_in_their_order(tmp_path: Path) -> None:
    paths = [save({"weight": torch.zeros(number)}, tmp_path / f"{number}.pth") for number in range(1, 6)]
    assert [file.entries[0].shape for file in inspect_files(paths, jobs=2)] == [(1,), (2,), (3,), (4,), (5,)]


def test_files_are_found_in_sub_folders_but_not_outside(tmp_path: Path) -> None:
    inside, outside = tmp_path / "weights", tmp_path / "outside"
    for folder in (inside / "b" / "c", inside / "a", outside):
        folder.mkdir(parents=True)
    (inside / "a" / "one.pth").touch()
    (inside / "b" / "one.pth").touch()
    (inside / "b" / "c" / "two.pth").touch()
    (outside / "secret.pth").touch()
    (inside / "secret.pth").symlink_to(outside / "secret.pth")
    (inside / "link").symlink_to(outside)
    (inside / "three.pth").symlink_to(inside / "b" / "c" / "two.pth")
    (inside / "loop").symlink_to(inside)
    names = ["one.pth", "two.pth", "three.pth", "secret.pth", "missing.pth"]
    assert find_files(inside, names) == {
        "one.pth": inside / "a" / "one.pth",
        "three.pth": inside / "three.pth",
        "two.pth": inside / "b" / "c" / "two.pth",
    }
    assert find_all(inside, ["one.pth"]) == {"one.pth": (inside / "a" / "one.pth", inside / "b" / "one.pth")}


def test_what_is_read_is_what_torch_loads(tmp_path: Path) -> None:
    path = save({"state_dict": nn.TransformerEncoderLayer(8, 2, 16).state_dict(), "epoch": 1}, tmp_path / "a.pth")
    assert inspect_file(path).entries == entries_of(torch.load(path, weights_only=True)["state_dict"])
