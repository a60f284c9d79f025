"""Where metadata stands in a Markdown page: the front matter, and HTML comments outside code."""

from __future__ import annotations

import re
from typing import NamedTuple


class Comment(NamedTuple):
    """One HTML comment: offsets of ``<!--``, of its body's beginning and of its body's end."""

    opening: int
    start: int
    end: int
    closed: bool


class Page(NamedTuple):
    """The parts of a page that may hold metadata."""

    front_matter: tuple[int, int] | None
    """Offsets of the text between the ``---`` lines; ``None`` without front matter."""
    comments: tuple[Comment, ...]


_FRONT_MATTER = re.compile(r"---[ \t]*(?:\r\n|\n|\r)")
_FRONT_MATTER_END = re.compile(r"^(?:---|\.\.\.)[ \t]*$", re.MULTILINE)
# A fence may stand in a list or a quotation, hence any indentation and ">" before it. The info string of
# a fence of backticks has no backtick, else it is an inline code span.
_NEXT = re.compile(
    r"<!--|(?:^|(?<=\r))[ \t>]*(?:(?:[-+*]|\d{1,9}[.)])[ \t]+)*(?P<fence>`{3,}(?=[^`\r\n]*(?:[\r\n]|\Z))|~{3,})",
    re.MULTILINE,
)
_LINE_START = re.compile(r"[\r\n]")
_BACKTICKS = re.compile(r"`+")


def split(text: str) -> Page:
    """Find front matter and comments. Comments in fenced code or inline code spans are examples, and left out.

    A comment that is never closed reaches to the end of the page, as in a browser; so does a fence.
    """
    front_matter = None
    position = 0
    opening = _FRONT_MATTER.match(text)
    if opening:
        closing = _FRONT_MATTER_END.search(text.replace("\r", "\n") if "\r" in text else text, opening.end())
        if closing:
            front_matter = (opening.end(), closing.start())
            position = closing.end()
    comments: list[Comment] = []
    while found := _NEXT.search(text, position):
        fence = found["fence"]
        if fence is not None:
            position = _fence_end(text, found.end(), fence)
            continue
        if (after := _code_span_end(text, found.start())) is not None:
            position = after
            continue
        start = found.end()
        end = text.find("-->", start)
        comments.append(Comment(found.start(), start, len(text) if end < 0 else end, end >= 0))
        if end < 0:
            break
        position = end + 3
    return Page(front_matter, tuple(comments))


def _fence_end(text: str, start: int, fence: str) -> int:
    """Behind the line that closes a fence: the same character, at least as often, and nothing else."""
    closing = re.compile(rf"(?:^|(?<=\r))[ \t>]*{fence[0]}{{{len(fence)},}}[ \t]*(?:\r?$|\r)", re.MULTILINE)
    found = closing.search(text, start)
    return found.end() if found else len(text)


def _code_span_end(text: str, offset: int) -> int | None:
    """If ``offset`` stands in an inline code span of its line: the offset behind the span."""
    begin = max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1
    line_end = _LINE_START.search(text, offset)
    end = line_end.start() if line_end else len(text)
    runs = [(run.start(), run.end()) for run in _BACKTICKS.finditer(text, begin, end)]
    index = 0
    while index < len(runs) and runs[index][0] < offset:
        width = runs[index][1] - runs[index][0]
        close = next((i for i in range(index + 1, len(runs)) if runs[i][1] - runs[i][0] == width), None)
        if close is None:
            index += 1
            continue
        if runs[close][0] > offset:
            return runs[close][1]
        index = close + 1
    return None
