"""Mend single values in files: the scalar alone is spliced, every other byte stays as it was.

An :class:`~tools.modelindex.records.Edit` replaces characters of a file's decoded text. :func:`replacement`
and :func:`insertion` make edits that are safe YAML or JSON where they stand; :func:`apply_edits` works out
the new texts; :func:`encode` and :func:`write_atomic` bring one back to its file.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import stat
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import yaml

from tools.modelindex.compose import composer
from tools.modelindex.nodes import FlowKey, last_offset
from tools.modelindex.records import Edit, Entry, Scalar, TextFile

_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?\Z")
_LINE_END = re.compile(r"\r\n|\n|\r")
# Words that a YAML reader takes for null, a truth value, a merge key or the like when they stand without quotes.
_NOT_PLAIN = re.compile(r"(?:~|null|y|n|yes|no|true|false|on|off|=|<<|\d{4}-\d\d?-\d\d?\b.*)\Z", re.IGNORECASE)
_BOM = b"\xef\xbb\xbf"


class EditError(ValueError):
    """Edits that cannot be made: they overlap, lie outside the text, or the text no longer reads ``old``."""

    def __init__(self, edit: Edit, message: str) -> None:
        super().__init__(f"{edit.path}, characters {edit.start} to {edit.end}: {message}")
        self.edit = edit


def splice(text: str, edits: Iterable[Edit]) -> str:
    """The text with all edits made. The same edit twice counts once; insertions at one place keep their order.

    Raises:
        EditError: two edits overlap, or the text at an edit's place is not its ``old``.
    """
    ordered = sorted(dict.fromkeys(edits), key=lambda edit: (edit.start, edit.end))
    parts: list[str] = []
    position = 0
    for edit in ordered:
        if not 0 <= edit.start <= edit.end <= len(text):
            raise EditError(edit, "the place lies outside the text")
        if edit.start < position:
            raise EditError(edit, "another edit changes the same characters")
        if text[edit.start : edit.end] != edit.old:
            raise EditError(edit, f"the text there is {text[edit.start : edit.end]!r}, not {edit.old!r}")
        parts.append(text[position : edit.start])
        parts.append(edit.new)
        position = edit.end
    return "".join([*parts, text[position:]])


def apply_edits(files: Mapping[str, TextFile], edits: Iterable[Edit]) -> dict[str, str]:
    """The new text of every file that the edits change, by path. Nothing is written.

    Raises:
        EditError: an edit's file is not among ``files``, or :func:`splice` refuses.
    """
    by_path: dict[str, list[Edit]] = {}
    for edit in edits:
        if edit.path not in files:
            raise EditError(edit, "the file was not read")
        by_path.setdefault(edit.path, []).append(edit)
    return {path: splice(files[path].text, group) for path, group in by_path.items()}


def encode(file: TextFile, text: str) -> bytes:
    """The bytes of ``text`` as the file had them: UTF-8, with the byte order mark if it began with one."""
    return (_BOM if file.bom else b"") + text.encode("utf-8")


def replacement(file: TextFile, scalar: Scalar, new: str) -> Edit:
    """The edit that makes ``new`` the value of ``scalar``, in the quotes that it has, or in quotes if it needs them."""
    old = file.text[scalar.start : scalar.end]
    if file.kind == "json":
        written = new if old[:1] != '"' and _NUMBER.match(new) else json.dumps(new, ensure_ascii=False)
    else:
        written = _yaml(new, old[:1] if old[:1] in ("'", '"') else "")
    if not old and file.text[scalar.start - 1 : scalar.start] in (":", "-", ","):
        written = " " + written
    return Edit(file.path, scalar.start, scalar.end, old, written)


def insertion(file: TextFile, after: Entry, key: str, value: str, *, within: str = "") -> Edit:
    """The edit that adds ``key: value`` behind the entry ``after`` of the same mapping, or a new mapping ``within``.

    In a block it is a line of its own, with the entry's indentation and the file's line end; in a flow
    mapping or JSON it follows behind a comma.
    """
    text = file.text
    start = after.key.start
    line_start = max(text.rfind("\n", 0, start), text.rfind("\r", 0, start)) + 1
    before = text[line_start:start]
    end = last_offset(after.value)
    if file.kind == "json":
        number = _NUMBER.match(value) is not None
        line = f"{json.dumps(key, ensure_ascii=False)}: {value if number else json.dumps(value, ensure_ascii=False)}"
        line = f"{json.dumps(within, ensure_ascii=False)}: {{{line}}}" if within else line
    else:
        line = f"{_yaml(key, '')}: {_yaml(value, '')}"
        line = f"{_yaml(within, '')}: {{{line}}}" if within else line
    if isinstance(after.key, FlowKey):
        separator = f",{_newline(text, start)}{before}" if not before.strip() else ", "
        return Edit(file.path, end, end, "", separator + line)
    found = _LINE_END.search(text, end)
    place = found.start() if found else len(text)
    closing = text.find("-->", end, place) if file.kind == "card" else -1
    if closing >= 0:
        place = end
    # "- Name" begins a list item: what follows stands under the N.
    indentation = "".join(character if character == "\t" else " " for character in before)
    return Edit(file.path, place, place, "", f"{_newline(text, end)}{indentation}{line}")


def write_atomic(path: Path, data: bytes) -> None:
    """Replace the file by one with ``data``: a kill, crash or power cut leaves the old or the new one, whole.

    The permissions stay; a symlink stays, and its target is replaced. A kill may leave a temporary file
    (``.name.*.tmp``) in the same folder.

    Raises:
        OSError: the folder cannot be written, or a device or pipe stands there; the old file is as it was.
    """
    target = Path(os.path.realpath(path))
    try:
        there = target.stat().st_mode
        if not (stat.S_ISREG(there) or stat.S_ISDIR(there)):
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        mode = stat.S_IMODE(there)
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        mode = 0o666 & ~mask
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            temporary.chmod(mode)
            os.fsync(stream.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    with contextlib.suppress(OSError):  # some file systems cannot sync a folder; the file itself is safe
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _newline(text: str, near: int) -> str:
    """The line end of the line at ``near``, else of the file's first line."""
    found = _LINE_END.search(text, near) or _LINE_END.search(text)
    return found[0] if found else "\n"


def _yaml(value: str, quote: str) -> str:
    """A value as a YAML scalar in the wanted quotes (none, single, double), or in others where it must be."""
    if not quote and _is_plain(value):
        return value
    # "-->" would end the HTML comment that a card's YAML stands in; a line break would be folded.
    if "-->" in value or not value.isprintable():
        return _double(value)
    if quote == '"':
        return _double(value)
    return "'" + value.replace("'", "''") + "'"


def _double(value: str) -> str:
    escaped = json.dumps(value).replace("-->", "--\\x3E")
    # JSON writes characters beyond U+FFFF as surrogate pairs, which YAML does not know.
    return re.sub(
        r"\\ud([89ab][0-9a-f]{2})\\ud([c-f][0-9a-f]{2})",
        lambda pair: (
            f"\\U{0x10000 + ((int('d' + pair[1], 16) - 0xD800) << 10) + (int('d' + pair[2], 16) - 0xDC00):08X}"
        ),
        escaped,
    )


def _is_plain(value: str) -> bool:
    """Whether a value can stand without quotes, in block and flow, and is neither null nor a truth value then."""
    if not value or value != value.strip() or "-->" in value or not value.isprintable():
        return False
    if _NOT_PLAIN.match(value):
        return False
    return _reads(f"k: {value}\nl: m\n", value) and _reads(f"{{k: {value}, l: m}}", value)


def _reads(text: str, value: str) -> bool:
    """Whether a YAML text is a mapping of two, of which the first value is ``value`` without quotes."""
    try:
        node = yaml.compose(text, Loader=composer())
    except yaml.YAMLError:
        return False
    first = node.value[0][1] if isinstance(node, yaml.MappingNode) and len(node.value) == 2 else None
    return isinstance(first, yaml.ScalarNode) and first.value == value and not first.style
