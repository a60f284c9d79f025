"""What every file format comes down to: a pickled value or a list of tensors, and where the numbers lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from tools.weights.opcodes import Value


class BadFileError(ValueError):
    """A file that cannot be trusted; the message says why, in one sentence without a full stop."""


class Block(NamedTuple):
    """One storage's numbers in the file."""

    start: int | None
    """Offset of the first byte; ``None``: compressed, not addressable."""
    size: int
    """Bytes."""


@dataclass(frozen=True, slots=True)
class Contents:
    """A file's description of its tensors."""

    value: Value
    """What the pickle describes."""
    blocks: Mapping[str, Block]
    """By storage key."""
    big_endian: bool = False


DTYPE_SIZES = {
    "float64": 8,
    "float32": 4,
    "float16": 2,
    "bfloat16": 2,
    "float8_e4m3fn": 1,
    "float8_e4m3fnuz": 1,
    "float8_e5m2": 1,
    "float8_e5m2fnuz": 1,
    "float8_e8m0fnu": 1,
    "int64": 8,
    "int32": 4,
    "int16": 2,
    "int8": 1,
    "uint64": 8,
    "uint32": 4,
    "uint16": 2,
    "uint8": 1,
    "bool": 1,
    "complex64": 8,
    "complex128": 16,
}
"""Bytes an element of the dtypes that are read; ``torch``'s names."""
