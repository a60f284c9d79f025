"""Whether BibTeX entries parse: a small check that says where, for what people paste into model pages.

It knows entries, keys, fields with braced, quoted or bare values, ``#`` and balanced braces: what BibTeX itself
insists on. It does not judge field names or entry types.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

_ENTRY = re.compile(r"@\s*(?P<type>[A-Za-z]+)\s*(?P<open>[{(])?")
_KEY = re.compile(r"\s*(?P<key>[^\s,{}()\"=#%~\\]+)\s*(?P<after>[,})])")
_FIELD = re.compile(r"\s*(?P<name>[A-Za-z][\w:.+-]*)\s*=\s*")
_BARE = re.compile(r"[0-9]+|[A-Za-z][\w:.+-]*")
_BRACE = re.compile(r"(?<!\\)[{}]")
_IN_QUOTES = re.compile(r"[\"{}]")
_NO_KEY = frozenset({"comment", "preamble", "string"})


class Mistake(NamedTuple):
    """What is wrong, and the offset at which it shows."""

    offset: int
    message: str


def mistakes(text: str, start: int = 0, end: int | None = None) -> list[Mistake]:
    """What is wrong with the entries in ``text[start:end]``: at most one mistake an entry, none where all parse.

    A text without any entry has one mistake, too.
    """
    stop = len(text) if end is None else end
    position, found, entries = start, [], 0
    closings = _closings(text, start, stop)
    while True:
        match = _ENTRY.search(text, position, stop)
        if match is None:
            break
        entries += 1
        position = match.end()
        if match["type"].casefold() in _NO_KEY:
            continue
        if match["open"] is None:
            found.append(Mistake(match.start(), f"@{match['type']} without an opening brace"))
            continue
        mistake, position = _entry(text, match, stop, closings)
        if mistake is not None:
            found.append(mistake)
    if not entries:
        return [Mistake(start, "no BibTeX entry")]
    return found


def _entry(text: str, opened: re.Match[str], stop: int, closings: Mapping[int, int]) -> tuple[Mistake | None, int]:
    """Check one entry; gives where to go on."""
    close = "}" if opened["open"] == "{" else ")"
    key = _KEY.match(text, opened.end(), stop)
    if key is None:
        return Mistake(opened.start(), f"@{opened['type']} without a key and a comma behind it"), opened.end()
    position = key.end()
    if key["after"] == close:
        return None, position
    while True:
        position = _blank(text, position, stop)
        if position >= stop:
            return Mistake(opened.start(), f"the entry {key['key']} is never closed"), stop
        if text[position] == close:
            return None, position + 1
        field = _FIELD.match(text, position, stop)
        if field is None:
            return Mistake(position, f"a field of {key['key']} begins with {text[position]!r}"), position + 1
        after = _value(text, field.end(), stop, closings)
        if after is None:
            return Mistake(field.start("name"), f"the value of {field['name']} is not closed or missing"), field.end()
        position = _blank(text, after, stop)
        if position < stop and text[position] == ",":
            position += 1
        elif position < stop and text[position] != close:
            message = f"a comma is missing behind {field['name']} of {key['key']}"
            return Mistake(field.start("name"), message), position


def _value(text: str, position: int, stop: int, closings: Mapping[int, int]) -> int | None:
    """The offset behind a value, pieces joined by ``#``; ``None`` where it does not end or is missing."""
    while True:
        if position >= stop:
            return None
        if text[position] == "{":
            after = closings.get(position)
        elif text[position] == '"':
            after = _quoted(text, position, stop, closings)
        else:
            bare = _BARE.match(text, position, stop)
            after = bare.end() if bare else None
        if after is None:
            return None
        following = _blank(text, after, stop)
        if following >= stop or text[following] != "#":
            return after
        position = _blank(text, following + 1, stop)


def _closings(text: str, start: int, stop: int) -> dict[int, int]:
    """The offset behind the closing brace by that of its opening one; those that are never closed are left out."""
    found: dict[int, int] = {}
    opened: list[int] = []
    for match in _BRACE.finditer(text, start, stop):
        if match[0] == "{":
            opened.append(match.start())
        elif opened:
            found[opened.pop()] = match.end()
    return found


def _quoted(text: str, position: int, stop: int, closings: Mapping[int, int]) -> int | None:
    """The offset behind a quoted value, whose braces must balance; a quote within braces does not end it."""
    offset: int | None = position + 1
    while offset is not None:
        match = _IN_QUOTES.search(text, offset, stop)
        if match is None or match[0] == "}":
            return None
        if match[0] == '"':
            return match.end()
        offset = closings.get(match.start())
    return None


def _blank(text: str, position: int, stop: int) -> int:
    while position < stop and text[position].isspace():
        position += 1
    return position
