from __future__ import annotations

from collections import OrderedDict

import pytest
from torch import nn

from tests.weights.files import metadata_of, with_metadata
from tools.measure.records import TensorEntry
from tools.weights.compare import compare, group_keys


def entry(key: str, *shape: int, dtype: str = "float32") -> TensorEntry:
    return TensorEntry(key, shape, dtype, 0)


def test_equal_entries_in_another_order_do_not_differ() -> None:
    a, b = entry("a", 2), entry("b", 3)
    differences = compare([a, b], [b, a])
    assert not differences
    assert differences.describe() == ""
    assert differences.loads


def test_every_kind_of_difference_is_named() -> None:
    file = [entry("same", 2), entry("shape", 1000, 64), entry("dtype", 2, dtype="float16"), entry("extra", 1)]
    model = [entry("same", 2), entry("shape", 10, 64), entry("dtype", 2), entry("lost"), entry("scalar")]
    differences = compare([*file, entry("scalar", 1)], model)
    assert differences.missing == ("lost",)
    assert differences.unexpected == ("extra",)
    assert differences.count == 5
    assert not differences.loads
    assert differences.describe() == (
        "1 missing: lost; 1 unexpected: extra; "
        "2 of another shape: shape (1000x64 in the file, 10x64 in the model), "
        "scalar (1 in the file, scalar in the model); "
        "1 of another dtype: dtype (float16 in the file, float32 in the model)"
    )


def test_another_dtype_alone_still_loads() -> None:
    differences = compare([entry("a", 2, dtype="float16")], [entry("a", 2)])
    assert differences
    assert differences.loads


def test_missing_counters_of_old_files_are_told_apart() -> None:
    model = [entry("bn1.weight", 2), entry("bn1.num_batches_tracked"), entry("bn2.num_batches_tracked")]
    old = compare([entry("bn1.weight", 2)], model)
    assert not old
    assert old.without_counters == 2
    incomplete = compare([entry("bn1.weight", 2), entry("bn1.num_batches_tracked")], model)
    assert incomplete.missing == ("bn2.num_batches_tracked",)
    assert incomplete.without_counters == 0


def test_torch_does_add_the_counters_of_old_files() -> None:
    # Without versions it adds them; with a batch norm's version 2 it asks for them. compare() says so.
    kept = OrderedDict(nn.BatchNorm1d(2).state_dict())
    versions = metadata_of(nn.BatchNorm1d(2).state_dict())
    del kept["num_batches_tracked"]
    nn.BatchNorm1d(2).load_state_dict(kept)
    with pytest.raises(RuntimeError, match="num_batches_tracked"):
        nn.BatchNorm1d(2).load_state_dict(with_metadata(kept, versions))


@pytest.mark.parametrize(
    ("keys", "shown"),
    [
        ([], []),
        (["a.b", "a.c"], ["a.b", "a.c"]),
        ([f"blocks.3.{n}.weight" for n in range(24)], ["blocks.3.* (24 entries)"]),
        (
            [f"blocks.{n // 12}.{n}" for n in range(24)] + ["head"],
            ["blocks.0.* (12 entries)", "blocks.1.* (12 entries)", "head"],
        ),
        (
            [f"layer{n}.weight" for n in range(4)] + ["a.x", "a.y"],
            [f"layer{n}.* (1 entry)" for n in range(4)] + ["a.* (2 entries)"],
        ),
    ],
)
def test_many_keys_are_shortened_to_the_parts_of_the_model(keys: list[str], shown: list[str]) -> None:
    assert group_keys(keys, 5) == shown


def test_more_groups_than_the_limit_are_counted() -> None:
    differences = compare([], [entry(f"layer{number}") for number in range(9)])
    assert differences.describe(limit=2) == "9 missing: layer0, layer1 and 7 more"
