"""Where the parts of a zip or legacy checkpoint lie. Only headers and the pickle are read."""

from __future__ import annotations

import io
import struct
import zipfile
from typing import IO

from tools.weights.contents import BadFileError, Block, Contents
from tools.weights.opcodes import MAX_PICKLE, Storage, Tensor, UnsafePickleError, Value, read_pickle, shorten
from tools.weights.pickled import STORAGES

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
"""The number that a legacy file begins with, itself a pickle."""

MAX_DIRECTORY = 16 * 2**20
"""Bytes of the largest zip directory that is read: some 200,000 records."""

_PICKLE_RATIO = 64
"""How many times its size a compressed pickle may unpack to; those of state dicts shrink to a tenth."""

_STORAGE_BYTES = dict(STORAGES.values()) | {"UntypedStorage": 1}
_STORAGE_DTYPES = {name: dtype for dtype, (name, _) in STORAGES.items()}


def tensor_dtype(tensor: Tensor) -> str:
    """torch's name of the tensor's dtype; empty for a storage class that holds no plain numbers."""
    return tensor.dtype or _STORAGE_DTYPES.get(tensor.storage.kind, "")


def open_zip(stream: IO[bytes], size: int) -> zipfile.ZipFile:
    """The archive, with its directory checked.

    Raises:
        BadFileError: the directory is broken, too large, encrypted, or its records overlap or reach beyond the file.
    """
    _check_directory_size(stream, size)
    try:
        archive = zipfile.ZipFile(stream)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error, OverflowError) as error:
        raise BadFileError(f"the zip archive is broken or truncated ({shorten(str(error))})") from error
    records = archive.infolist()
    if len({record.filename for record in records}) != len(records):
        raise BadFileError("the zip archive holds two records of one name")
    if any(record.flag_bits & 1 for record in records):
        raise BadFileError("the zip archive is encrypted")
    if sum(record.compress_size for record in records) > size:
        raise BadFileError("the zip archive's records claim more bytes than the file has, or overlap")
    return archive


def _check_directory_size(stream: IO[bytes], size: int) -> None:
    """zipfile reads the whole directory at once, so its claimed size is looked at first."""
    tail_size = min(size, 22 + 0xFFFF)
    stream.seek(size - tail_size)
    tail = stream.read(tail_size)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < 22:
        raise BadFileError("the zip archive is truncated: its directory is missing")
    claims = [struct.unpack_from("<I", tail, at + 12)[0]]
    locator = size - tail_size + at - 20
    if locator >= 56:
        stream.seek(locator - 56)
        record = stream.read(56)
        if record[:4] == b"PK\x06\x06":
            claims = [claim for claim in claims if claim != 0xFFFFFFFF] + [struct.unpack_from("<Q", record, 40)[0]]
    directory = max(claims)
    if directory > MAX_DIRECTORY:
        raise BadFileError(f"the zip archive claims a directory of {directory} bytes")


def torch_records(archive: zipfile.ZipFile) -> str | None:
    """What all records of a torch archive begin with, slash included; ``None`` where it is no torch archive."""
    for name in archive.namelist():
        prefix, slash, rest = name.partition("/")
        if slash and rest == "data.pkl":
            return prefix + "/"
    return None


def read_zip(archive: zipfile.ZipFile, prefix: str, stream: IO[bytes], size: int) -> Contents:
    """The contents of a torch archive.

    Raises:
        BadFileError: a record is missing, lies about its size, or would unpack to far more than the file.
    """
    names = set(archive.namelist())
    if f"{prefix}constants.pkl" in names or any(name.startswith(f"{prefix}code/") for name in names):
        raise BadFileError("a TorchScript archive: it holds code, not only weights")
    value = _read_pickle(io.BytesIO(read_record(archive, f"{prefix}data.pkl", MAX_PICKLE)))
    big_endian = f"{prefix}byteorder" in names and read_record(archive, f"{prefix}byteorder", 16) == b"big"
    blocks: dict[str, Block] = {}
    for storage in _storages(value).values():
        name = f"{prefix}data/{storage.key}"
        if name not in names:
            raise BadFileError(f"the record of storage {shorten(storage.key)} is missing")
        record = archive.getinfo(name)
        claimed = storage.numel * _STORAGE_BYTES.get(storage.kind, 1)
        if record.file_size < claimed:
            raise BadFileError(
                f"storage {shorten(storage.key)} claims {claimed} bytes, its record has {record.file_size}"
            )
        if record.file_size > 20 * record.compress_size + 2**20:
            raise BadFileError(
                f"storage {shorten(storage.key)} would unpack {record.compress_size} bytes to {record.file_size}"
            )
        blocks[storage.key] = Block(_stored_at(record, stream, size), record.file_size)
    return Contents(value, blocks, big_endian)


def _stored_at(record: zipfile.ZipInfo, stream: IO[bytes], size: int) -> int | None:
    """The offset of a record's bytes; ``None`` where they are compressed."""
    if record.compress_type != zipfile.ZIP_STORED:
        return None
    stream.seek(record.header_offset)
    header = stream.read(30)
    if len(header) < 30 or header[:4] != b"PK\x03\x04":
        raise BadFileError("a record of the zip archive has no header where the directory says")
    name_size, extra_size = struct.unpack_from("<HH", header, 26)
    start = record.header_offset + 30 + int(name_size) + int(extra_size)
    if start + record.file_size > size or record.file_size != record.compress_size:
        raise BadFileError("a record of the zip archive reaches beyond the file")
    return start


def read_record(archive: zipfile.ZipFile, name: str, limit: int) -> bytes:
    """One record's bytes, decompressed up to ``limit`` and to what a pickle may shrink by."""
    try:
        limit = min(limit, _PICKLE_RATIO * archive.getinfo(name).compress_size + 2**20)
        with archive.open(name) as record:
            data = record.read(limit + 1)
    except (zipfile.BadZipFile, KeyError, NotImplementedError, EOFError, OSError, ValueError, RuntimeError) as error:
        raise BadFileError(f"the record {shorten(name)} is broken ({shorten(str(error))})") from error
    except Exception as error:  # zlib.error and lzma.LZMAError share no other base
        raise BadFileError(f"the record {shorten(name)} cannot be decompressed ({shorten(str(error))})") from error
    if len(data) > limit:
        raise BadFileError(f"the record {shorten(name)} unpacks to more than {limit} bytes")
    return data


def is_legacy(stream: IO[bytes]) -> bool:
    """Whether the stream, at its beginning, holds the legacy magic number; the position is left behind it."""
    stream.seek(0)
    try:
        return bool(_is_int(magic := read_pickle(stream)) and magic == LEGACY_MAGIC)
    except UnsafePickleError:
        return False


def read_legacy(stream: IO[bytes], size: int) -> Contents:
    """The contents of a legacy file, from behind its magic number.

    Raises:
        BadFileError: it is truncated, or a storage lies about its length.
    """
    protocol = _read_pickle(stream)
    if not _is_int(protocol) or protocol != 1001:
        raise BadFileError("the legacy file is of an unknown protocol version")
    system = _read_pickle(stream)
    big_endian = isinstance(system, dict) and system.get("little_endian") is False
    value = _read_pickle(stream)
    storages = _storages(value)
    keys = _read_pickle(stream)
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise BadFileError("the legacy file has no list of storages")
    if set(keys) != set(storages) or len(keys) != len(storages):
        raise BadFileError("the legacy file's list of storages is not that of its tensors")
    blocks: dict[str, Block] = {}
    position = stream.tell()
    for key in keys:
        storage = storages[key]
        stream.seek(position)
        head = stream.read(8)
        length = struct.unpack(">q" if big_endian else "<q", head)[0] if len(head) == 8 else None
        if length is None:
            raise BadFileError(f"truncated: {len(keys) - len(blocks)} of {len(keys)} storages are missing")
        if length != storage.numel:
            raise BadFileError(f"storage {shorten(key)} has {length} elements, its tensors say {storage.numel}")
        nbytes = length * _STORAGE_BYTES.get(storage.kind, 1)
        if position + 8 + nbytes > size:
            raise BadFileError(
                f"truncated: storage {shorten(key)} ends {position + 8 + nbytes - size} bytes beyond the file"
            )
        blocks[key] = Block(position + 8, nbytes)
        position += 8 + nbytes
    return Contents(value, blocks, big_endian)


def _read_pickle(stream: IO[bytes]) -> Value:
    try:
        return read_pickle(stream)
    except UnsafePickleError as error:
        raise BadFileError(str(error)) from error


def _is_int(value: Value) -> bool:
    return type(value) is int


def _storages(value: Value) -> dict[str, Storage]:
    """Every storage that the value's tensors use, by key; each container is visited once."""
    found: dict[str, Storage] = {}
    seen: set[int] = set()
    todo = [value]
    while todo:
        item = todo.pop()
        if isinstance(item, Tensor):
            item = item.storage
        if isinstance(item, Storage):
            if found.setdefault(item.key, item) != item:
                raise BadFileError(f"storage {shorten(item.key)} is described in two ways")
        elif isinstance(item, dict | list | tuple) and id(item) not in seen:
            seen.add(id(item))
            todo.extend(item.values() if isinstance(item, dict) else item)
    return found
