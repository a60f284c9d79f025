"""The header of a ``.safetensors`` file: an eight-byte length and as many bytes of JSON. No tensor is read.

The rules are the format's own (https://github.com/huggingface/safetensors): little endian, offsets relative to the
end of the header, every byte of the rest belongs to exactly one tensor.
"""

from __future__ import annotations

import json
import math
from typing import Any, NamedTuple

from tools.measure.records import TensorEntry
from tools.weights.contents import DTYPE_SIZES, BadFileError
from tools.weights.opcodes import MAX_DIMENSIONS, shorten

MAX_HEADER = 16 * 2**20
"""Bytes of the longest header that is read. The format allows 100 MB; 100,000 tensors take about 12 MB."""

DTYPES = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2": "float8_e5m2",
    "F8_E8M0": "float8_e8m0fnu",
    "I64": "int64",
    "I32": "int32",
    "I16": "int16",
    "I8": "int8",
    "U64": "uint64",
    "U32": "uint32",
    "U16": "uint16",
    "U8": "uint8",
    "BOOL": "bool",
    "C64": "complex64",
}
"""The format's names of dtypes -> torch's."""


class Located(NamedTuple):
    """One tensor of the header."""

    entry: TensorEntry
    start: int
    """Offset of its first byte in the file."""


def header_length(head: bytes, file_size: int) -> int:
    """The header's length in bytes, from the file's first eight.

    Raises:
        BadFileError: the file is too short, or the length reaches beyond it or beyond :data:`MAX_HEADER`.
    """
    if len(head) < 8:
        raise BadFileError("truncated: a safetensors file has at least eight bytes")
    length = int.from_bytes(head[:8], "little")
    if length > file_size - 8:
        raise BadFileError(f"the header claims {length} bytes, the file has {file_size - 8} behind its length")
    if length > MAX_HEADER:
        raise BadFileError(f"the header claims {length} bytes; more than {MAX_HEADER} are not read")
    return length


def parse_header(header: bytes, file_size: int) -> tuple[Located, ...]:
    """The tensors that a header describes, in the order of the header.

    Raises:
        BadFileError: it is not what the format asks for: an unknown dtype, a shape that does not fill its bytes,
            offsets that overlap, leave a hole or reach beyond the file.
    """
    try:
        described = json.loads(header.decode("utf-8"), object_pairs_hook=_unique)
    except BadFileError:
        raise
    except (ValueError, RecursionError) as error:
        raise BadFileError(f"the header is not JSON ({shorten(str(error))})") from error
    if not isinstance(described, dict):
        raise BadFileError("the header is not a JSON object")
    described.pop("__metadata__", None)
    data = 8 + len(header)
    located = [_located(key, fields, data) for key, fields in described.items()]
    end = data
    for tensor in sorted(located, key=lambda tensor: (tensor.start, tensor.entry.nbytes)):
        if tensor.start != end:
            raise BadFileError(f"the tensor {shorten(tensor.entry.key)} overlaps another or leaves a hole before it")
        end += tensor.entry.nbytes
    if end != file_size:
        raise BadFileError(f"the tensors end at byte {end}, the file at byte {file_size}")
    return tuple(located)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    unique = dict(pairs)
    if len(unique) != len(pairs):
        raise BadFileError("the header holds one key twice")
    return unique


def _located(key: str, fields: Any, data: int) -> Located:
    name = shorten(key)
    if not isinstance(fields, dict) or not {"dtype", "shape", "data_offsets"} <= fields.keys():
        raise BadFileError(f"the tensor {name} lacks its dtype, shape or offsets")
    dtype = DTYPES.get(fields["dtype"]) if isinstance(fields["dtype"], str) else None
    if dtype is None:
        raise BadFileError(f"the tensor {name} has an unknown dtype")
    shape, offsets = fields["shape"], fields["data_offsets"]
    if not _counts(shape) or len(shape) > MAX_DIMENSIONS:
        raise BadFileError(f"the shape of the tensor {name} is not a list of sizes")
    if not _counts(offsets) or len(offsets) != 2 or offsets[0] > offsets[1]:
        raise BadFileError(f"the offsets of the tensor {name} are not two ascending positions")
    nbytes = math.prod(shape) * DTYPE_SIZES[dtype]
    if nbytes != offsets[1] - offsets[0]:
        raise BadFileError(
            f"the tensor {name} needs {shorten(str(nbytes), 24)} bytes and is given {offsets[1] - offsets[0]}"
        )
    return Located(TensorEntry(key, tuple(shape), dtype, nbytes), data + offsets[0])


def _counts(value: Any) -> bool:
    return isinstance(value, list) and all(type(item) is int and 0 <= item < 2**63 for item in value)
