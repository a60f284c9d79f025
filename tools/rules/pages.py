"""A Markdown page as far as rules need it: fenced code, HTML comments, front matter, links, arXiv ids."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

_FENCE = re.compile(r"^[ \t]{0,12}(?P<mark>`{3,}|~{3,})[ \t]*(?P<info>[^\n`]*)$", re.MULTILINE)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_FRONT = re.compile(r"\A---[ \t]*\r?\n(?P<body>.*?)^(?:---|\.\.\.)[ \t]*\r?$", re.DOTALL | re.MULTILINE)
_MODEL_NAME = re.compile(r"^model_name[ \t]*:[ \t]*(?P<value>[^\r\n#]*?)[ \t]*(?:#[^\r\n]*)?\r?$", re.MULTILINE)
_LINK = re.compile(r"\]\(\s*<?(?P<target>[^)\s<>]{1,1000})")
_ARXIV = re.compile(
    r"(?:arxiv\.org/(?:abs|pdf|html)/|eprint\s*=\s*[{\"]?\s*|\barxiv:\s*)(?P<id>[0-9]{4}\.[0-9]{4,5})", re.IGNORECASE
)


class Fence(NamedTuple):
    """A block of fenced code. Offsets are those of the decoded text."""

    info: str
    """What stands behind the opening mark: the language, in lower case."""
    start: int
    end: int
    """The offsets of its content, without the marks."""


@dataclass(frozen=True)
class Page:
    """One Markdown file."""

    path: str
    text: str

    @cached_property
    def fences(self) -> tuple[Fence, ...]:
        """The fenced blocks, in order; one that is never closed runs to the end."""
        found: list[Fence] = []
        opened: re.Match[str] | None = None
        for match in _FENCE.finditer(self.text):
            if opened is None:
                opened = match
            elif match["mark"].startswith(opened["mark"]) and not match["info"].strip():
                found.append(Fence(_language(opened), min(opened.end() + 1, match.start()), match.start()))
                opened = None
        if opened is not None:
            found.append(Fence(_language(opened), min(opened.end() + 1, len(self.text)), len(self.text)))
        return tuple(found)

    @cached_property
    def _hidden(self) -> tuple[tuple[int, int], ...]:
        """Stretches that are no prose: fenced code and comments outside it, in order."""
        spans = [(fence.start, fence.end) for fence in self.fences]
        starts = [start for start, _ in spans]
        for match in _COMMENT.finditer(self.text):
            before = bisect_right(starts, match.start()) - 1
            if before < 0 or match.start() >= spans[before][1]:
                spans.append(match.span())
        return tuple(sorted(spans))

    def in_prose(self, offset: int) -> bool:
        """Whether a character stands outside fenced code and comments."""
        before = bisect_right(self._hidden, (offset, len(self.text) + 1)) - 1
        return before < 0 or offset >= self._hidden[before][1]

    @cached_property
    def model_name(self) -> tuple[str, int] | None:
        """``model_name`` of the front matter, without quotes, with the offset where its value begins."""
        front = _FRONT.match(self.text)
        found = _MODEL_NAME.search(self.text, front.start("body"), front.end("body")) if front is not None else None
        if found is None or not found["value"]:
            return None
        return found["value"].strip("'\""), found.start("value")

    def local_links(self) -> Iterator[tuple[str, int]]:
        """Targets of links and images in the prose that name no other host, with their offsets."""
        for match in _LINK.finditer(self.text):
            target = match["target"]
            if "{" not in target and ":" not in target and target[0] not in "#/?" and self.in_prose(match.start()):
                yield target, match.start("target")

    @cached_property
    def arxiv_ids(self) -> tuple[str, ...]:
        """The arXiv ids that the page states, each once, in order: links, ``arXiv:`` and BibTeX ``eprint``."""
        return tuple(dict.fromkeys(match["id"] for match in _ARXIV.finditer(self.text)))


def _language(match: re.Match[str]) -> str:
    words = match["info"].strip().casefold().lstrip("{.").split()
    return words[0].rstrip("}") if words else ""
