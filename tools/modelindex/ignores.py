"""``# audit: ignore[FLP001] reason`` at the end of a YAML line: the user's say about findings on that line."""

from __future__ import annotations

import re
from bisect import bisect_right

import yaml

from tools.modelindex.compose import nodes
from tools.modelindex.nodes import Block, Report
from tools.modelindex.records import Ignore, Problem

_COMMENT = re.compile(
    r"#[ \t]*audit[ \t]*:[ \t]*ignore\b[ \t]*(?:\[(?P<codes>[^\]\r\n]*)\])?[ \t]*:?(?P<reason>[^\r\n]*)", re.IGNORECASE
)
_CODE = re.compile(r"[A-Za-z]{3}\d{0,3}\Z")


def find_ignores(block: Block, root: yaml.Node, start: int, end: int, report: Report) -> list[Ignore]:
    """The ignore comments of a composed block that stands from ``start`` to ``end`` in its file.

    A ``#`` inside a scalar is text, not a comment. One without a reason, or without a rule's code, does
    not count and is reported.
    """
    source = block.source
    text = source.text
    if source.file.kind == "json" or text.find("ignore", start, end) < 0:
        return []
    found = list(_COMMENT.finditer(text, start, end))
    if not found:
        return []
    scalars = sorted(
        (block.base + node.start_mark.index, block.base + node.end_mark.index)
        for node in nodes(root)
        if type(node) is yaml.ScalarNode
    )
    starts = [start for start, _ in scalars]
    ignores: list[Ignore] = []
    for comment in found:
        offset = comment.start()
        before = bisect_right(starts, offset) - 1
        inside = before >= 0 and offset < scalars[before][1] and not _is_header_comment(text, scalars[before], offset)
        if inside or (offset > start and text[offset - 1] not in " \t\r\n"):
            continue
        place = source.place(offset)
        codes = [code.strip().upper() for code in (comment["codes"] or "").split(",") if code.strip()]
        reason = comment["reason"].strip()
        if not codes or not all(_CODE.match(code) for code in codes):
            message = "an ignore must name the rules it means, as in ignore[FLP001]"
        elif not reason:
            message = f"the ignore of {', '.join(codes)} gives no reason"
        else:
            ignores.append(Ignore(tuple(codes), reason, place))
            continue
        report(
            Problem("ignore-without-reason", place, message, "Write: # audit: ignore[CODE] why the finding is wrong")
        )
    return ignores


def _is_header_comment(text: str, scalar: tuple[int, int], offset: int) -> bool:
    """Whether ``offset`` stands in the first line of a block scalar (``|  # comment``), where a comment may be."""
    return text[scalar[0]] in "|>" and not set("\r\n") & set(text[scalar[0] : offset])
