"""How many bytes the pickle of a state dict takes: the part of a saved file that is not tensor data.

``torch.save`` pickles with protocol 2. The pickler numbers ("memoises") every string, tuple, class and object that
it writes: each costs a PUT opcode, and each later use of the same object a GET instead of the object. Both take
2 bytes for numbers below 256 and 5 bytes from there on, which is why the numbering has to be followed exactly.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import NamedTuple

from tools.measure.records import TensorEntry

STORAGES = {
    "float32": ("FloatStorage", 4),
    "float64": ("DoubleStorage", 8),
    "float16": ("HalfStorage", 2),
    "bfloat16": ("BFloat16Storage", 2),
    "int64": ("LongStorage", 8),
    "int32": ("IntStorage", 4),
    "int16": ("ShortStorage", 2),
    "int8": ("CharStorage", 1),
    "uint8": ("ByteStorage", 1),
    "bool": ("BoolStorage", 1),
    "complex64": ("ComplexFloatStorage", 8),
    "complex128": ("ComplexDoubleStorage", 16),
}
"""dtype -> the storage class that stands in the file and its bytes an element. Newer dtypes are saved untyped."""

_BATCH = 1000
"""``pickle`` writes the items of a container in batches of this many."""

_MARK_AND_CLOSE = 2
"""Bytes of MARK and the opcode that ends a batch or a tuple."""


class Entries(NamedTuple):
    """What all entries of a state dict cost together, whatever container holds them."""

    size: int
    """Bytes without the PUT and GET opcodes, and without the storage keys, whose lengths depend on the format."""
    puts: int
    shared: tuple[tuple[int, int], ...]
    """Of each object that several entries use: its number, counted from the first entry, and its later uses."""
    entries: int


class _Shared(NamedTuple):
    """An object that is written once and fetched afterwards."""

    name: str
    size: int
    after: int
    """How many of the tensor's own objects are numbered before it."""


def integer(value: int) -> int:
    """Bytes of a non-negative integer: BININT1, BININT2, BININT or LONG1."""
    if value <= 0xFF:
        return 2
    if value <= 0xFFFF:
        return 3
    return 5 if value <= 0x7FFFFFFF else 2 + value.bit_length() // 8 + 1


def text(value: str) -> int:
    """Bytes of a string (BINUNICODE), without its PUT."""
    return texts((value,))


def texts(values: Collection[str]) -> int:
    """Bytes of several strings, without their PUTs."""
    return 5 * len(values) + len("".join(values).encode("utf-8", "surrogatepass"))


def puts_size(first: int, count: int) -> int:
    """Bytes of ``count`` PUT opcodes whose numbers begin at ``first``."""
    short = min(max(256 - first, 0), count)
    return 2 * short + 5 * (count - short)


def walk(entries: Sequence[TensorEntry]) -> Entries:
    """Follow the pickler over the entries of a state dict, in order."""
    size = texts([entry.key for entry in entries])
    puts = 0
    first: dict[str, int] = {}
    uses: dict[str, int] = {}
    still = Counter(entry.dtype for entry in entries)
    for entry in entries:
        own_size, own_puts = _tensor(entry.shape, entry.dtype, entry.nbytes)
        size += own_size
        puts += 1 + own_puts  # 1: the entry's key
        times = still.pop(entry.dtype, 0)  # with the first of a dtype, all of them are counted
        for item in _shared(entry.dtype, entry.shape) if times else ():
            if item.name in first:
                uses[item.name] += times
            else:
                first[item.name], uses[item.name] = puts - own_puts + item.after, times - 1
                size += item.size
                puts += 1
    return Entries(size, puts, tuple((first[name], uses[name]) for name in first), len(entries))


def container_size(entries: Entries, *, plain: bool, modules: Sequence[tuple[str, int | None]] | None) -> int:
    """Bytes of the whole pickle, ``\\x80\\x02`` to STOP, without the storage keys.

    Args:
        entries: what :func:`walk` found.
        plain: in a plain ``dict``, which costs 3 bytes less than an ``OrderedDict``.
        modules: ``_metadata`` as (module path, version), or ``None`` for a state dict without it.
    """
    # The class OrderedDict and the state dict itself take numbers 0 and 1. In a plain dict the state dict is 0 and
    # the class takes its number in the first entry (for the tensor's hooks): the entries' own numbers are the same.
    size = 2 + _global("collections", "OrderedDict") + 2 + 1  # PROTO, class, EMPTY_TUPLE REDUCE, STOP
    puts = 2
    size += entries.size + sum(uses * _get(puts + number) for number, uses in entries.shared)
    size += entries.entries * _get(0)  # the class again, for each tensor's hooks
    puts += entries.puts
    if plain:
        # No class and no call, one EMPTY_DICT; the first tensor writes the class instead of fetching it.
        without = size + 1 - 2 - _get(0) if entries.entries else 4
        return without + puts_size(0, puts if entries.entries else 1) + _batches(entries.entries, exact=True)
    size += _batches(entries.entries)
    if modules is not None:
        # EMPTY_DICT "_metadata" OrderedDict() ... SETITEM BUILD, and for each module path {"version": version}
        size += 1 + text("_metadata") + _get(0) + 2 + _batches(len(modules)) + 2
        puts += 3
        word = puts + 2  # the string "version": numbered behind the first module's path and dict
        size += texts([path for path, _ in modules])
        versions = [version for _, version in modules if version is not None]
        size += 3 * len(modules) - len(versions) + sum(map(integer, versions))
        if modules:
            size += text("version") + (len(modules) - 1) * _get(word)
            puts += 2 * len(modules) + 1
    return size + puts_size(0, puts)


@lru_cache(maxsize=4096)
def _tensor(shape: tuple[int, ...], dtype: str, nbytes: int) -> tuple[int, int]:
    """Bytes of the opcodes that are one tensor's own, and how many objects it numbers itself."""
    _, itemsize = STORAGES.get(dtype, ("", 1))
    strides = []
    step = 1
    for length in reversed(shape):
        strides.append(step)
        step *= max(length, 1)
    brackets = 1 if len(shape) <= 3 else _MARK_AND_CLOSE
    size = (
        _MARK_AND_CLOSE  # the arguments of the rebuild function
        + _MARK_AND_CLOSE  # the storage's description
        + integer(nbytes // itemsize)
        + 1  # BINPERSID
        + integer(0)  # the tensor's offset in its storage
        + 2 * brackets
        + sum(map(integer, shape))
        + sum(map(integer, strides))
        + 1  # requires_grad: NEWFALSE
        + 2  # hooks: EMPTY_TUPLE REDUCE
        + 1  # REDUCE
    )
    # Storage key, description, shape and strides, hooks, arguments, tensor.
    return size, 5 + _numbered_dimensions(shape)


def _shared(dtype: str, shape: tuple[int, ...]) -> list[_Shared]:
    """What the tensors of a dtype share; where it is numbered, for the first one's shape."""
    storage, _ = STORAGES.get(dtype, ("", 1))
    if storage:
        rebuild, storage_class = "_rebuild_tensor_v2", ("torch", storage)
    else:
        rebuild, storage_class = "_rebuild_tensor_v3", ("torch.storage", "UntypedStorage")
    shared = [
        _Shared(rebuild, _global("torch._utils", rebuild), 0),
        _Shared("storage", text("storage"), 0),
        _Shared(storage_class[1], _global(*storage_class), 0),
        _Shared("cpu", text("cpu"), 1),  # behind the storage key
    ]
    if not storage:
        # Behind the storage key, the description, the dimensions and the hooks.
        shared.append(_Shared(f"dtype {dtype}", _global("torch", dtype), 3 + _numbered_dimensions(shape)))
    return shared


def _numbered_dimensions(shape: tuple[int, ...]) -> int:
    return 2 if shape else 0  # shape and strides; () is an opcode, not an object


def _global(module: str, name: str) -> int:
    return 1 + len(module) + 1 + len(name) + 1


def _get(number: int) -> int:
    return 2 if number < 256 else 5


def _batches(items: int, *, exact: bool = False) -> int:
    """Bytes of the opcodes around the items of a mapping.

    An exact ``dict`` whose items end with a full batch is followed by an empty one; any other mapping's
    last item, where it stands alone in its batch, needs no MARK.
    """
    if items == 1:
        return 1
    if exact:
        return _MARK_AND_CLOSE * (items // _BATCH + 1) if items else 0
    full, rest = divmod(items, _BATCH)
    return _MARK_AND_CLOSE * full + min(rest, _MARK_AND_CLOSE)
