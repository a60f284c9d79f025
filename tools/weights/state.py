"""Find the state dict in a checkpoint: behind wrappers (``{"state_dict": ...}``) and prefixes (``module.``)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

from tools.measure.records import TensorEntry
from tools.weights.archives import tensor_dtype
from tools.weights.contents import DTYPE_SIZES, BadFileError, Contents
from tools.weights.opcodes import Opaque, Tensor, Value, shorten

WRAPPERS = (
    "state_dict",
    "model",
    "model_state_dict",
    "net",
    "network",
    "module",
    "params",
    "weights",
    "state_dict_ema",
    "model_ema",
    "ema_state_dict",
    "ema",
    "params_ema",
)
"""Keys under which training scripts keep a state dict, in the order in which they are chosen.

The trained weights come before their moving average (``ema``): that is what loaders take unless told otherwise.
"""

PREFIXES = ("module.", "_orig_mod.")
"""What ``DataParallel`` and ``torch.compile`` put before every key."""

_MAX_WRAPPING = 4


class Extent(NamedTuple):
    """The bytes from a tensor's first element to its last."""

    start: int
    size: int
    dtype: str
    big_endian: bool


class Found(NamedTuple):
    """A state dict with its place in the file."""

    entries: tuple[TensorEntry, ...]
    extents: tuple[Extent | None, ...]
    """For each entry; ``None``: compressed."""
    wrapper: str
    other_wrappers: tuple[str, ...]
    prefix: str


def find_state_dict(contents: Contents) -> Found:
    """The state dict in a pickle's description.

    Raises:
        BadFileError: there is none, or one of its tensors reaches beyond its storage or is absurd.
    """
    tensors, wrapper, others = _unwrap(contents.value)
    prefix = common_prefix(tensors)
    entries, extents = [], []
    for key, tensor in tensors.items():
        entry, extent = _entry(key, tensor, contents)
        entries.append(TensorEntry(key[len(prefix) :], entry.shape, entry.dtype, entry.nbytes))
        extents.append(extent)
    return Found(tuple(entries), tuple(extents), wrapper, others, prefix)


def common_prefix(keys: Mapping[str, object]) -> str:
    """The known prefixes that every key carries, one after the other; empty without any."""
    prefix = ""
    for _ in range(_MAX_WRAPPING if keys else 0):
        prefix += next((known for known in PREFIXES if all(key.startswith(prefix + known) for key in keys)), "")
    return prefix


def _unwrap(value: Value) -> tuple[dict[str, Tensor], str, tuple[str, ...]]:
    path: list[str] = []
    others: list[str] = []
    while True:
        if not isinstance(value, dict):
            what = (
                "a tensor"
                if isinstance(value, Tensor)
                else f"a {type(value).__name__}".replace("a Opaque", "an object")
            )
            raise BadFileError(f"not a state dict: the file holds {what}")
        tensors = {key: item for key, item in value.items() if isinstance(item, Tensor) and isinstance(key, str)}
        wrapped = [key for key in WRAPPERS if isinstance(value.get(key), dict) and _holds_tensors(value[key])]
        if tensors or not wrapped:
            break
        if len(path) == _MAX_WRAPPING:
            raise BadFileError(f"not a state dict: wrapped more than {_MAX_WRAPPING} times")
        others += [".".join([*path, key]) for key in wrapped[1:]]
        path.append(wrapped[0])
        value = value[wrapped[0]]
    if not tensors:
        held = ", ".join(shorten(str(key), 40) for key in list(value)[:5] if isinstance(key, str))
        raise BadFileError(
            f"not a state dict: no tensors under {held or 'any key'}" if value else "an empty state dict"
        )
    strange = [
        key for key, item in value.items() if isinstance(item, Opaque) and item.is_tensor and isinstance(key, str)
    ]
    if strange:
        raise BadFileError(f"the entry {shorten(strange[0])} is not a plain tensor (sparse, quantised or a subclass)")
    return tensors, ".".join(path), tuple(others)


def _holds_tensors(value: dict[Value, Value]) -> bool:
    """Whether there is a tensor in the dictionary, or in one inside it. Each is looked at once: they may be shared."""
    level, seen = [value], {id(value)}
    for _ in range(_MAX_WRAPPING + 1):
        inner = []
        for item in (item for dictionary in level for item in dictionary.values()):
            if isinstance(item, Tensor):
                return True
            if isinstance(item, dict) and id(item) not in seen:
                seen.add(id(item))
                inner.append(item)
        level = inner
    return False


def _entry(key: str, tensor: Tensor, contents: Contents) -> tuple[TensorEntry, Extent | None]:
    dtype = tensor_dtype(tensor)
    itemsize = DTYPE_SIZES.get(dtype)
    if itemsize is None:
        raise BadFileError(
            f"the tensor {shorten(key)} is of a kind that holds no plain numbers ({tensor.storage.kind})"
        )
    numel = math.prod(tensor.shape)
    span = sum((length - 1) * stride for length, stride in zip(tensor.shape, tensor.strides, strict=True)) + 1
    block = contents.blocks[tensor.storage.key]
    if numel and (tensor.offset + span) * itemsize > block.size:
        raise BadFileError(f"the tensor {shorten(key)} reaches beyond its storage of {block.size} bytes")
    if numel * itemsize > max(block.size, 2**20) and numel * itemsize > 64 * block.size:
        raise BadFileError(
            f"the tensor {shorten(key)} blows {block.size} bytes up to {shorten(str(numel * itemsize), 24)}"
        )
    entry = TensorEntry(key, tensor.shape, dtype, numel * itemsize)
    if block.start is None:
        return entry, None
    size = span * itemsize if numel else 0
    return entry, Extent(block.start + tensor.offset * itemsize, size, dtype, contents.big_endian)
