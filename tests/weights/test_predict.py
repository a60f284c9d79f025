"""Predicted sizes are held against files that the installed torch writes, and against sizes that were published."""

from __future__ import annotations

import json
import math
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from tests.weights.files import StateDict, entries_of, metadata_of, save, small_model, versions_of, with_metadata
from tools.measure.records import TensorEntry
from tools.weights.predict import KEY_DIGITS, closest, predict_sizes
from tools.weights.records import Prediction

REFERENCE = Path(__file__).parent.parent / "data" / "reference" / "mixnet_state_dict.json"


def predicted(state_dict: StateDict, file_format: str, container: str, stem: str, tracked: bool = True) -> Prediction:
    predictions = predict_sizes(entries_of(state_dict), versions_of(state_dict), stem)
    [found] = [
        prediction
        for prediction in predictions
        if (prediction.format, prediction.container, prediction.num_batches_tracked)
        == (file_format, container, tracked)
    ]
    return found


def key_digits(state_dict: StateDict) -> int:
    """Digits of all storage keys that torch writes into a legacy file in this process."""
    return sum(len(str(tensor.untyped_storage()._cdata)) for tensor in state_dict.values())


def check(state_dict: StateDict, container: str, folder: Path, stem: str = "model") -> None:
    """Both formats, equal to the byte; of legacy files only the addresses' digits are not the model's."""
    value: Any = dict(state_dict) if container == "dict" else state_dict
    path = save(value, folder / f"{stem}.pth")
    assert predicted(state_dict, "zip", container, stem).size == path.stat().st_size
    size = save(value, path, legacy=True).stat().st_size
    surplus = 2 * (key_digits(state_dict) - KEY_DIGITS * len(state_dict))
    assert predicted(state_dict, "legacy", container, stem).size == size - surplus


MODELS: dict[str, Callable[[], nn.Module]] = {
    "small": small_model,
    "no weights": nn.ReLU,
    "one": lambda: nn.Linear(3, 1, bias=False),
    "deep": lambda: nn.ModuleList([nn.ModuleList([nn.BatchNorm1d(2) for _ in range(5)]) for _ in range(45)]),
    "attention": lambda: nn.TransformerEncoderLayer(8, 2, 16, batch_first=True),
    "wide": lambda: nn.Linear(1, 70_000),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_models_state_dict_takes_the_predicted_bytes(name: str, tmp_path: Path) -> None:
    state_dict = MODELS[name]().state_dict()
    check(state_dict, "state_dict", tmp_path)
    check(OrderedDict(state_dict), "OrderedDict", tmp_path)
    check(state_dict, "dict", tmp_path)


@pytest.mark.parametrize("count", [999, 1000, 1001, 1002, 2001])
def test_pickle_writes_a_thousand_items_at_a_time(count: int, tmp_path: Path) -> None:
    # 0, 1 and 2 elements: an empty record of a zip file has no data descriptor.
    state_dict = OrderedDict((f"a.{number}", torch.zeros(number % 3)) for number in range(count))
    check(state_dict, "OrderedDict", tmp_path)
    check(state_dict, "dict", tmp_path)


@pytest.mark.parametrize("before", range(27, 34))
def test_objects_shared_around_number_256_cost_two_or_five_bytes_each(before: int, tmp_path: Path) -> None:
    floats = {f"weight{number}": torch.zeros(3) for number in range(before)}
    others = {f"other{number}": torch.tensor(number) for number in range(5)}
    eighths = {f"eighth{number}": torch.zeros(2, 2, dtype=torch.float8_e5m2) for number in range(5)}
    check(OrderedDict(floats | others | eighths), "OrderedDict", tmp_path)
    check(OrderedDict(floats | eighths | others), "dict", tmp_path)


def test_every_dtype_and_number_of_dimensions(tmp_path: Path) -> None:
    names = (
        "float64 float32 float16 bfloat16 int64 int32 int16 int8 uint8 bool complex64 complex128 uint16 float8_e4m3fn"
    )
    state_dict = OrderedDict(
        (name, torch.zeros((2, 1, 3, 1, 2)[: number % 6], dtype=getattr(torch, name)))
        for number, name in enumerate(names.split())
    )
    check(state_dict, "OrderedDict", tmp_path)


def test_keys_and_archive_names_that_are_not_ascii(tmp_path: Path) -> None:
    check(OrderedDict({"größe.weight": torch.zeros(2)}), "OrderedDict", tmp_path, stem="größe")


def test_a_module_without_a_version(tmp_path: Path) -> None:
    state_dict = small_model().state_dict()
    metadata = OrderedDict([("", {"version": None}), ("0", {"version": 70_000})])
    check(with_metadata(state_dict, metadata), "state_dict", tmp_path)


def test_without_num_batches_tracked(tmp_path: Path) -> None:
    state_dict = small_model().state_dict()
    kept = {key: tensor for key, tensor in state_dict.items() if key != "1.num_batches_tracked"}
    size = save(with_metadata(kept, metadata_of(state_dict)), tmp_path / "old.pth").stat().st_size
    assert predicted(state_dict, "zip", "state_dict", "old", tracked=False).size == size
    assert all(prediction.num_batches_tracked for prediction in predict_sizes(entries_of(kept), (), "old"))


def test_files_beyond_four_gigabytes(tmp_path: Path) -> None:
    # Nothing is allocated: the large tensor lies in a sparse file, and so does what is saved.
    large = torch.from_file(str(tmp_path / "tensor"), shared=True, size=2**30 + 1)
    state_dict = {"a": torch.empty(2), "b": large, "c": torch.empty(3), "d": torch.empty(1)}
    with torch.serialization.skip_data():
        size = save(state_dict, tmp_path / "large.pth").stat().st_size
    entries = [TensorEntry(key, tuple(tensor.shape), "float32", tensor.nbytes) for key, tensor in state_dict.items()]
    (tmp_path / "large.pth").unlink()
    assert next(iter(predict_sizes(entries, (), "large"))).size == size > 2**32


def test_one_digit_in_every_storage_key_is_the_stated_slack() -> None:
    legacy = predicted(small_model().state_dict(), "legacy", "dict", "model")
    assert legacy.slack == 2 * 7
    assert predicted(small_model().state_dict(), "zip", "dict", "model").slack == 0


def mixnet(name: str) -> list[TensorEntry]:
    described = json.loads(REFERENCE.read_text("utf-8"))[name]
    kinds = [("int64", 8) if key.endswith("num_batches_tracked") else ("float32", 4) for key, _ in described]
    return [
        TensorEntry(key, tuple(shape), dtype, math.prod(shape) * size)
        for (key, shape), (dtype, size) in zip(described, kinds, strict=True)
    ]


def module_tree(entries: list[TensorEntry]) -> list[tuple[str, int | None]]:
    """The modules that hold entries, and the pooling that holds none: ported models were saved with these."""
    paths = {"": None}
    for entry in entries:
        parts = entry.key.split(".")[:-1]
        paths |= {".".join(parts[: depth + 1]): None for depth in range(len(parts))}
    batch_norms = {entry.key.removesuffix(".running_mean") for entry in entries if entry.key.endswith("running_mean")}
    return [(path, 2 if path in batch_norms else 1) for path in [*paths, "global_pool", "global_pool.pool"]]


@pytest.mark.parametrize(
    ("name", "size", "container"),
    [
        ("mixnet_s", 16727982, "dict"),
        ("mixnet_m", 20298347, "dict"),
        ("mixnet_l", 29608232, "dict"),
        ("mixnet_xl", 48001170, "OrderedDict"),
        ("tf_mixnet_s", 16738218, "state_dict"),
        ("tf_mixnet_m", 20310871, "state_dict"),
        ("tf_mixnet_l", 29620756, "state_dict"),
    ],
)
def test_the_published_sizes_are_legacy_files_to_the_byte(name: str, size: int, container: str) -> None:
    entries = mixnet(name)
    best = closest(predict_sizes(entries, module_tree(entries), name), size)
    assert best is not None
    assert (best.size, best.format, best.container, best.num_batches_tracked) == (size, "legacy", container, True)
    assert best.metadata == (container == "state_dict")


def test_other_modules_than_those_that_were_saved_are_still_near() -> None:
    # Today's code has modules for activations, which the code that saved the file did not have.
    entries = mixnet("tf_mixnet_s")
    modules = [*module_tree(entries)[:-2], *((f"blocks.{number}.0.act", 1) for number in range(6))]
    best = closest(predict_sizes(entries, modules, "tf_mixnet_s"), 16738218)
    assert best is not None
    assert best.container == "state_dict of owners"
    # The two modules that are missing here: 5 + 2 for the path, 2 or 5 for its number, the version's dict behind it.
    assert 16738218 - best.size == 75


def test_closest_of_none_is_none() -> None:
    assert closest((), 1) is None
