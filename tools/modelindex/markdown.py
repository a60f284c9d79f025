"""Where metadata stands in a Markdown page: the front matter, and HTML comments outside code."""

from __future__ import annotations

import re
from bisect import bisect_right
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
_LINE_END = re.compile(r"[\r\n]")
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
    spans = _CodeSpans(text)
    while found := _NEXT.search(text, position):
        fence = found["fence"]
        if fence is not None:
            position = _fence_end(text, found.end(), fence)
            continue
        if (after := spans.end_at(found.start())) is not None:
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


class _CodeSpans:
    """The inline code spans of a text, found line by line as they are asked for, with rising offsets."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._line = (0, 0)
        self._spans: list[tuple[int, int]] = []

    def end_at(self, offset: int) -> int | None:
        """If ``offset`` stands in a code span of its line: the offset behind the span."""
        if not self._line[0] <= offset < self._line[1]:
            text = self._text
            begin = max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1
            line_end = _LINE_END.search(text, offset)
            self._line = (begin, line_end.start() if line_end else len(text))
            self._spans = self._of_line(*self._line)
        at = bisect_right(self._spans, (offset, len(self._text))) - 1
        return self._spans[at][1] if at >= 0 and offset < self._spans[at][1] else None

    def _of_line(self, begin: int, end: int) -> list[tuple[int, int]]:
        """A run of backticks opens a span that the next run of the same length closes; without one it is text."""
        runs = [(run.start(), run.end()) for run in _BACKTICKS.finditer(self._text, begin, end)]
        next_of_width: dict[int, int] = {}
        closing: list[int | None] = [None] * len(runs)
        for index in range(len(runs) - 1, -1, -1):
            width = runs[index][1] - runs[index][0]
            closing[index] = next_of_width.get(width)
            next_of_width[width] = index
        spans: list[tuple[int, int]] = []
        index = 0
        while index < len(runs):
            close = closing[index]
            if close is not None:
                spans.append((runs[index][0], runs[close][1]))
            index = index + 1 if close is None else close + 1
        return spans
