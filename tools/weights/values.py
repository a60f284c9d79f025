"""Count NaN and infinite values in a file, a few megabytes at a time, without torch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO, TYPE_CHECKING

from tools.weights.contents import BadFileError
from tools.weights.state import Extent

if TYPE_CHECKING:
    import numpy

CHUNK = 4 * 2**20
"""Bytes that are held at a time; a multiple of every element's size."""

_MAX_READS = 4
"""How often over the file's size may be read in all; tensors that share a storage are read again."""

_BITS = {
    # Integer type of the bits, mask and value that say NaN or infinite.
    "bfloat16": ("u2", 0x7F80, 0x7F80),
    "float8_e5m2": ("u1", 0x7C, 0x7C),
    "float8_e4m3fn": ("u1", 0x7F, 0x7F),
    "float8_e5m2fnuz": ("u1", 0xFF, 0x80),
    "float8_e4m3fnuz": ("u1", 0xFF, 0x80),
    "float8_e8m0fnu": ("u1", 0xFF, 0xFF),
}
_FLOATS = {"float64": "f8", "float32": "f4", "float16": "f2", "complex64": "f4", "complex128": "f8"}


def count_nonfinite(stream: IO[bytes], size: int, tensors: Iterable[tuple[str, Extent]]) -> dict[str, int]:
    """Keys that hold NaN or infinite values -> how many. A complex value counts once for each part.

    Tensors with gaps between their elements are read with their gaps.

    Raises:
        BadFileError: the tensors share their storages so much that reading them all would take unreasonably long.
    """
    found: dict[str, int] = {}
    known: dict[Extent, int] = {}
    left = _MAX_READS * size
    for key, extent in tensors:
        if extent.dtype not in _BITS and extent.dtype not in _FLOATS:
            continue
        if extent not in known:
            left -= extent.size
            if left < 0:
                raise BadFileError("its tensors overlap so much that their values were not all read")
            known[extent] = _count(stream, extent)
        if known[extent]:
            found[key] = known[extent]
    return found


def _count(stream: IO[bytes], extent: Extent) -> int:
    count = 0
    done = 0
    while done < extent.size:
        stream.seek(extent.start + done)
        data = stream.read(min(CHUNK, extent.size - done))
        if not data:
            raise BadFileError("the file became shorter while it was read")
        done += len(data)
        count += _nonfinite(data, extent)
    return count


def _nonfinite(data: bytes, extent: Extent) -> int:
    import numpy

    order = ">" if extent.big_endian else "<"
    if extent.dtype in _BITS:
        kind, mask, value = _BITS[extent.dtype]
        bits: numpy.ndarray = numpy.frombuffer(data, dtype=order + kind)
        return int(numpy.count_nonzero((bits & mask) == value))
    numbers: numpy.ndarray = numpy.frombuffer(data, dtype=order + _FLOATS[extent.dtype])
    return numbers.size - int(numpy.count_nonzero(numpy.isfinite(numbers)))
