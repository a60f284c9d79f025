"""The model index inside a card: data for the audit, nothing for the page."""

from __future__ import annotations

import re

_COMMENT = re.compile(r"<!--(?P<body>.*?)-->", re.DOTALL)
_TYPE = re.compile(r"^\s*type\s*:\s*['\"]?model-index['\"]?\s*$", re.MULTILINE | re.IGNORECASE)
_FENCE = re.compile(r"^[ ]{0,3}(?P<fence>`{3,}|~{3,})", re.MULTILINE)


def without_index(text: str) -> str:
    """``text`` without its model-index comments; those inside code fences are examples and stay.

    Braces in metadata are no macros, and readers need not download what they cannot see.
    """
    if "<!--" not in text or "model-index" not in text:
        return text
    fences = _fences(text)

    def replace(match: re.Match[str]) -> str:
        inside = any(start <= match.start() < end for start, end in fences)
        return match[0] if inside or not _TYPE.search(match["body"]) else ""

    return _COMMENT.sub(replace, text)


def _fences(text: str) -> list[tuple[int, int]]:
    """Where the fenced code blocks of ``text`` begin and end; one that is never closed runs to the end."""
    spans = []
    opened: re.Match[str] | None = None
    for match in _FENCE.finditer(text):
        if opened is None:
            opened = match
        elif match["fence"].startswith(opened["fence"]) and not text[match.end() :].split("\n", 1)[0].strip():
            spans.append((opened.start(), match.end()))
            opened = None
    if opened is not None:
        spans.append((opened.start(), len(text)))
    return spans
