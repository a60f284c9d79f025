"""Metadata is hostile: what it says may reach a terminal, a CI log, an XML reader or a Markdown page.

Everything here turns a value into text that is shown as it is and steers nothing.
"""

from __future__ import annotations

import re

_STEERING = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # C0 and C1 controls: escape sequences, line breaks, backspace
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # direction marks: text that reads other than it is
    "\u2028\u2029"  # line and paragraph separators
    "\ufeff\ufffe\uffff"  # byte order mark and the two that XML forbids
    "\ud800-\udfff"  # lone surrogates: no encoding takes them
    "]"
)


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def visible(text: object) -> str:
    r"""``text`` on one line, with every character that would steer a reader written as an escape (``\x1b``)."""
    return _STEERING.sub(_escaped, str(text))


def json_safe(document: str) -> str:
    r"""A JSON document in which the same characters are ``\uXXXX`` escapes, which mean the same to a JSON reader."""
    return re.sub(
        "[\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]",
        lambda match: f"\\u{ord(match[0]):04x}",
        document,
    )


def log_line(line: str) -> str:
    """A line that no CI runner takes for a command: GitHub reads ``::`` at a line's start and ``##[`` anywhere."""
    line = line.replace("##[", "#\\x23[")
    stripped = line.lstrip()
    if stripped.startswith("::"):
        line = line[: len(line) - len(stripped)] + "\\x3a" + stripped[1:]
    return line


def shorten(text: str, width: int) -> str:
    """``text`` in at most ``width`` characters; the middle goes, since URLs and paths differ at their ends."""
    if len(text) <= width:
        return text
    tail = (width - 1) * 2 // 3
    return text[: width - 1 - tail] + "…" + text[len(text) - tail :]
