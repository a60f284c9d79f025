"""Tell what a weight file is: format, hash, tensors, wrapper, non-finite values. Files are taken as hostile.

Nothing in a file is ever run: pickles are followed, not unpickled (:mod:`tools.weights.opcodes`), so torch is not
needed and not imported. Memory is bounded by the headers' limits, whatever the file claims.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import lzma
import os
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import IO, cast

from tools.weights.archives import is_legacy, open_zip, read_legacy, read_zip, torch_records
from tools.weights.contents import BadFileError
from tools.weights.hashing import sha256_of
from tools.weights.names import name_hash
from tools.weights.opcodes import UnsafePickleError, read_pickle, shorten
from tools.weights.records import WeightFile
from tools.weights.safetensors import header_length, parse_header
from tools.weights.state import Extent, Found, common_prefix, find_state_dict
from tools.weights.values import count_nonfinite

MAX_UNPACKED = 16 * 2**30
"""Bytes that a compressed file may unpack to."""

_MAX_RATIO = 20
"""How many times its size a compressed file may unpack to; trained weights shrink by a tenth."""


def inspect_files(paths: Sequence[Path], *, jobs: int | None = None, check_values: bool = True) -> list[WeightFile]:
    """:func:`inspect_file` for several files at once, in the order given, on ``jobs`` threads (default: every core)."""
    with ThreadPoolExecutor(max_workers=jobs or os.cpu_count() or 1) as pool:
        return list(pool.map(lambda path: inspect_file(path, check_values=check_values), paths))


def inspect_file(path: Path, *, check_values: bool = True) -> WeightFile:
    """What a file is. Never raises for what the file is or holds: ``problem`` says what is wrong with it.

    Args:
        path: the file; a symbolic link is followed.
        check_values: read the values too, and count those that are NaN or infinite.
    """
    result = WeightFile(path=str(path), format="unknown", size=0, sha256="", name_hash=name_hash(path.name))
    try:
        # Opening a pipe waits for a writer, unless it is opened like this.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except (OSError, ValueError) as error:
        return replace(result, problem=f"cannot be opened: {getattr(error, 'strerror', None) or error}")
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        return replace(result, problem=f"not a regular file but {_kind(status.st_mode)}")
    result = replace(result, size=status.st_size)
    with os.fdopen(descriptor, "rb") as stream:
        try:
            result = replace(result, sha256=sha256_of(stream))
            return _inspect(stream, result, check_values=check_values)
        except OSError as error:
            return replace(result, problem=f"cannot be read: {error.strerror or error}")
        except MemoryError:
            return replace(result, problem="takes more memory to read than there is")


def find_files(directory: Path, names: Iterable[str]) -> dict[str, Path]:
    """Files of these names in a directory and its sub-folders; see :func:`find_all` for names found more than once.

    Of several files of one name the one nearest to the top is taken, then the first in the order of the alphabet.
    """
    return {name: paths[0] for name, paths in find_all(directory, names).items()}


def find_all(directory: Path, names: Iterable[str]) -> dict[str, tuple[Path, ...]]:
    """Every place of each name, nearest to the top first. Names that are not found are left out.

    Links to folders are not followed, nor links to files outside the directory.
    """
    wanted = set(names)
    root = directory.resolve()
    found: dict[str, list[Path]] = {}
    for folder, _, files in os.walk(root):
        for name in wanted.intersection(files):
            path = Path(folder, name)
            if not path.is_symlink() or path.resolve().is_relative_to(root):
                found.setdefault(name, []).append(directory / path.relative_to(root))
    return {
        name: tuple(sorted(paths, key=lambda path: (len(path.parts), str(path))))
        for name, paths in sorted(found.items())
    }


def _kind(mode: int) -> str:
    kinds: Mapping[str, Callable[[int], bool]] = {
        "a folder": stat.S_ISDIR,
        "a named pipe": stat.S_ISFIFO,
        "a socket": stat.S_ISSOCK,
        "a device": lambda mode: stat.S_ISCHR(mode) or stat.S_ISBLK(mode),
    }
    return next((kind for kind, is_kind in kinds.items() if is_kind(mode)), "something else")


def _inspect(stream: IO[bytes], result: WeightFile, *, check_values: bool) -> WeightFile:
    packing = ""
    try:
        packing = _packing(stream, result.size)
        if not packing:
            return _read(stream, result.size, result, check_values=check_values)
        with tempfile.TemporaryFile() as unpacked:
            size = _unpack(stream, result.size, packing, unpacked)
            inner = _read(unpacked, size, result, check_values=check_values)
            return replace(inner, format=f"{packing}:{inner.format}")
    except BadFileError as error:
        return replace(result, format=packing or result.format, problem=str(error))


def _packing(stream: IO[bytes], size: int) -> str:
    """``gzip``, ``zip`` for an archive of exactly one file that is no torch archive, else empty."""
    stream.seek(0)
    head = stream.read(4)
    if head[:2] == b"\x1f\x8b":
        return "gzip"
    if head != b"PK\x03\x04":
        return ""
    try:
        with open_zip(stream, size) as archive:
            one = len(archive.namelist()) == 1 and not archive.infolist()[0].is_dir()
            return "zip" if one and torch_records(archive) is None else ""
    except BadFileError:
        return ""  # told again, with its format, when it is read


def _unpack(stream: IO[bytes], size: int, packing: str, target: IO[bytes]) -> int:
    """Decompress into ``target`` and return its size.

    Raises:
        BadFileError: it is broken, or unpacks to far more than weights do.
    """
    limit = min(_MAX_RATIO * size + 2**20, MAX_UNPACKED)
    stream.seek(0)
    try:
        with contextlib.ExitStack() as stack:
            packed: IO[bytes]
            if packing == "gzip":
                packed = cast(IO[bytes], stack.enter_context(gzip.GzipFile(fileobj=stream)))
            else:
                archive = stack.enter_context(open_zip(stream, size))
                packed = stack.enter_context(archive.open(archive.infolist()[0]))
            total = 0
            while chunk := packed.read(2**20):
                total += len(chunk)
                if total > limit:
                    raise BadFileError(f"a bomb: {size} bytes unpack to more than {limit}")
                target.write(chunk)
            return total
    except (
        OSError,
        EOFError,
        zlib.error,
        lzma.LZMAError,
        zipfile.BadZipFile,
        NotImplementedError,
        RuntimeError,
    ) as error:
        raise BadFileError(f"cannot be decompressed ({shorten(str(error))})") from error


def _read(stream: IO[bytes], size: int, result: WeightFile, *, check_values: bool) -> WeightFile:
    """The result with what an uncompressed file holds."""
    stream.seek(0)
    head = stream.read(512)
    file_format = _sniff(head, size)
    result = replace(result, format=file_format)
    try:
        if file_format == "safetensors":
            found = _find_safetensors(stream, head, size)
        elif file_format == "zip":
            with open_zip(stream, size) as archive:
                prefix = torch_records(archive)
                if prefix is None:
                    raise BadFileError("a zip archive that torch.save did not write: it has no data.pkl")
                found = find_state_dict(read_zip(archive, prefix, stream, size))
        elif file_format == "legacy":
            is_legacy(stream)
            found = find_state_dict(read_legacy(stream, size))
        else:
            raise BadFileError(_why_unknown(stream, head, file_format))
        result = replace(
            result,
            entries=found.entries,
            wrapper=found.wrapper,
            other_wrappers=found.other_wrappers,
            prefix=found.prefix,
        )
        if check_values and None not in found.extents:
            pairs = zip(found.entries, found.extents, strict=True)
            located = [(entry.key, extent) for entry, extent in pairs if extent is not None]
            result = replace(result, nonfinite=count_nonfinite(stream, size, located))
    except BadFileError as error:
        return replace(result, problem=str(error))
    return result


def _sniff(head: bytes, size: int) -> str:
    if head[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return "zip"
    if head[257:262] == b"ustar":
        return "tar"
    if head[:1] == b"\x80":
        return "legacy" if is_legacy(io.BytesIO(head)) else "pickle"
    # A header's length is below 2**48 bytes in any file that exists, and its JSON begins with a brace.
    if head[6:9] == b"\0\0{" or (len(head) < 9 <= size):
        return "safetensors"
    return "unknown"


def _find_safetensors(stream: IO[bytes], head: bytes, size: int) -> Found:
    length = header_length(head, size)
    stream.seek(8)
    located = parse_header(stream.read(length), size)
    prefix = common_prefix({tensor.entry.key: None for tensor in located})
    entries = tuple(replace(tensor.entry, key=tensor.entry.key[len(prefix) :]) for tensor in located)
    extents = tuple(Extent(tensor.start, tensor.entry.nbytes, tensor.entry.dtype, False) for tensor in located)
    return Found(entries, extents, "", (), prefix)


def _why_unknown(stream: IO[bytes], head: bytes, file_format: str) -> str:
    if not head:
        return "an empty file"
    if file_format == "tar":
        return "a tar archive, as torch before 0.1.10 wrote it; torch.load(weights_only=True) refuses it: save it again"
    if file_format == "pickle":
        stream.seek(0)
        try:
            read_pickle(stream)
        except UnsafePickleError as error:
            return str(error)
        return "a plain pickle that torch.save did not write"
    if head.lstrip()[:1] == b"<":
        return "a web page, not weights: perhaps the answer of a server that did not find the file"
    if head.startswith(b"version https://git-lfs"):
        return "a Git LFS pointer, not the file itself"
    return "of no known format"
