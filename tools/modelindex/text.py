"""Reading one file as text: bounded, strict about UTF-8, and able to tell line and column of any character."""

from __future__ import annotations

import os
import re
import stat
from bisect import bisect_right
from itertools import accumulate
from pathlib import Path, PurePosixPath

from tools.modelindex.records import Place, Problem, TextFile

MAX_FILE_BYTES = 16 * 2**20
"""Larger files are not read. The largest model index in public use that we know of is below 1 MB."""

PAGES = (".md", ".mdx", ".markdown")
YAML = (".yml", ".yaml")
SUFFIXES = {**dict.fromkeys(PAGES, "card"), **dict.fromkeys(YAML, "yaml"), ".json": "json"}
"""The file name endings that can hold a model index -> the kind of :class:`TextFile`."""

_BOM = b"\xef\xbb\xbf"
_NEWLINE = re.compile(r"\r\n|\n|\r")
_NONBLOCK: int = getattr(os, "O_NONBLOCK", 0)
_BINARY: int = getattr(os, "O_BINARY", 0)


class Source:
    """A file's text with its line table, which is made when the first place is asked for."""

    __slots__ = ("_starts", "file", "path", "text")

    def __init__(self, file: TextFile) -> None:
        self.file = file
        self.path = file.path
        self.text = file.text
        self._starts: list[int] | None = None

    def place(self, offset: int) -> Place:
        """File, 1-based line and 1-based column (in characters) of the character at ``offset``.

        Lines end at ``\\n``, ``\\r\\n`` or a lone ``\\r``, as editors count them, and not at the further
        line ends of YAML (U+0085, U+2028, U+2029).
        """
        starts = self._starts
        if starts is None:
            starts = self._starts = _line_starts(self.text)
        line = bisect_right(starts, offset)
        return Place(self.path, line, offset - starts[line - 1] + 1)


def _line_starts(text: str) -> list[int]:
    if "\r" in text:
        return [0, *(match.end() for match in _NEWLINE.finditer(text))]
    # The same, several times as fast; one start too many, behind the end, does no harm.
    return [0, *accumulate(len(line) + 1 for line in text.split("\n"))]


def suffix(name: str) -> str:
    """The ending of a file name, in lower case."""
    return PurePosixPath(name).suffix.lower()


def read(path: Path, shown: str) -> Source | Problem:
    """Read the regular file ``path``, shown to the reader as ``shown``.

    Whatever is wrong with it comes back as a problem of kind ``unreadable``: not a regular file (a
    folder, a pipe, a device: none is waited for), too large, no permission, not UTF-8, or a NUL byte.
    """
    try:
        data = _read_bytes(path)
    except OSError as error:
        return _unreadable(Place(shown, 1, 1), f"the file cannot be read: {error.strerror or error}")
    except ValueError as error:
        return _unreadable(Place(shown, 1, 1), str(error))
    bom = data.startswith(_BOM)
    if bom:
        data = data[len(_BOM) :]
    kind = SUFFIXES.get(suffix(shown), "yaml")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        healthy = Source(TextFile(shown, data[: error.start].decode("utf-8"), kind))
        byte = data[error.start]
        hint = (
            "It looks like UTF-16; save it as UTF-8." if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "Save it as UTF-8."
        )
        return _unreadable(healthy.place(error.start and len(healthy.text)), f"byte 0x{byte:02x} is not UTF-8", hint)
    source = Source(TextFile(shown, text, kind, bom))
    nul = text.find("\0")
    if nul >= 0:
        return _unreadable(source.place(nul), "the file holds a NUL character, which no text file does")
    return source


def _read_bytes(path: Path) -> bytes:
    """The bytes of a regular file; ``ValueError`` with the reason where it is none, or too large."""
    # Opening a named pipe would wait for its writer for ever, hence O_NONBLOCK, and the check is made on
    # the open file so that nothing can be swapped in between.
    handle = os.open(path, os.O_RDONLY | _NONBLOCK | _BINARY)
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise ValueError("this is not a regular file")
        if status.st_size > MAX_FILE_BYTES:
            raise ValueError(_too_large(status.st_size))
        with os.fdopen(handle, "rb", closefd=False) as stream:
            data = stream.read(MAX_FILE_BYTES + 1)
    finally:
        os.close(handle)
    if len(data) > MAX_FILE_BYTES:
        raise ValueError(_too_large(len(data)))
    return data


def _too_large(size: int) -> str:
    return f"the file has at least {size} bytes; the limit is {MAX_FILE_BYTES} ({MAX_FILE_BYTES // 2**20} MiB)"


def _unreadable(place: Place, message: str, hint: str = "") -> Problem:
    return Problem("unreadable", place, message, hint)
