"""YAML and JSON text to composed nodes: within limits, never built into objects, errors located.

Only the composer of PyYAML runs, not its constructor: a tag that names a Python object is text to us.
"""

from __future__ import annotations

import json
import re
from typing import Any

import yaml

from tools.modelindex.nodes import Block, Report
from tools.modelindex.records import Problem
from tools.modelindex.text import Source

MAX_DEPTH = 100
"""Lists and mappings within each other. The C composer recurses, and crashes the process at some 100,000."""

MAX_NODES = 2_000_000
"""Values in one file; about 20,000 models. A node costs some 600 bytes."""

_CORE_TAGS = frozenset(
    f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "seq", "map", "timestamp", "merge")
)
_TAG = re.compile(r"(?:^|[\s\[\]{},:\-?])!")
_ALIAS = re.compile(r"(?:^|[\s\[\]{},:\-?])\*[^\s*]")
_SURROGATES = re.compile(r"\\u[dD]([89abAB][0-9a-fA-F]{2})\\u[dD]([c-fC-F][0-9a-fA-F]{2})")


_NOT_IN_YAML = frozenset({*range(0x7F, 0xA0), 0x2028, 0x2029, 0xFEFF, 0xFFFE, 0xFFFF})


class LimitError(yaml.MarkedYAMLError):
    """The text breaks a limit of this module."""


class _Limits:
    """What the composer asks on its way: it counts depth and nodes here, and tags stay as written.

    PyYAML's own resolver works out a type for every scalar (``12:30`` would be 750, ``no`` False). We want
    the text alone, and not asking saves two fifths of the time.
    """

    _depth = 0
    _nodes = 0

    def descend_resolver(self, parent: yaml.Node | None, _index: object) -> None:
        self._depth += 1
        self._nodes += 1
        if self._depth > MAX_DEPTH:
            assert parent is not None
            raise LimitError(None, None, f"values are nested more than {MAX_DEPTH} deep", parent.start_mark)
        if self._nodes > MAX_NODES:
            assert parent is not None
            raise LimitError(None, None, f"the text holds more than {MAX_NODES} values", parent.start_mark)

    def ascend_resolver(self) -> None:
        self._depth -= 1

    def resolve(self, _kind: object, _value: object, _implicit: object) -> None:
        return None


def composer(pure: bool = not yaml.__with_libyaml__) -> type[Any]:
    """The class that composes: on libyaml, or in pure Python where PyYAML was built without it."""
    if pure:
        from yaml.composer import Composer
        from yaml.parser import Parser
        from yaml.reader import Reader
        from yaml.scanner import Scanner

        class PureComposer(_Limits, Reader, Scanner, Parser, Composer):
            def __init__(self, stream: str) -> None:
                Reader.__init__(self, stream)
                Scanner.__init__(self)
                Parser.__init__(self)
                Composer.__init__(self)

        return PureComposer

    from yaml._yaml import CParser

    class CComposer(_Limits, CParser):
        def __init__(self, stream: str) -> None:
            CParser.__init__(self, stream)

    return CComposer


_Composer = composer()


def compose(source: Source, start: int, end: int, report: Report, pad: int = 0) -> tuple[Block, yaml.Node] | None:
    """Compose ``source.text[start:end]``; ``None`` where it is empty or broken, and then the break is reported.

    ``pad`` spaces are put before it, where its first line is indented less than its next ones.
    """
    text = " " * pad + source.text[start:end]
    block = Block(source, start - pad)
    if source.file.kind == "json" and not _is_json(source, report):
        return None
    stand_ins: dict[int, int] = {}
    if source.file.kind == "json":
        stand_ins = _stand_ins(text)
        text = _SURROGATES.sub(_one_escape, text.translate(stand_ins))
    try:
        node = yaml.compose(text, Loader=_Composer)
    except yaml.MarkedYAMLError as error:
        report(_problem(block, text, error))
        return None
    except yaml.reader.ReaderError as error:
        offset = block.base + _reader_offset(text, error)
        report(Problem("unreadable", source.place(offset), f"broken YAML: {error.reason}"))
        return None
    if node is None:
        return None
    if stand_ins:
        back = {stand_in: character for character, stand_in in stand_ins.items()}
        for each in nodes(node):
            if isinstance(each, yaml.ScalarNode):
                each.value = each.value.translate(back)
    if "!" in text and _TAG.search(text):
        _check_tags(block, node, report)
    if "*" in text and _ALIAS.search(text) and not _aliases_are_harmless(block, node, report):
        return None
    return block, node


def nodes(root: yaml.Node) -> list[yaml.Node]:
    """Every distinct node of a tree, parents before children; shared (aliased) nodes once."""
    found = [root]
    seen = {id(root)}
    for node in found:  # grows while it is walked
        for child in _children(node):
            if id(child) not in seen:
                seen.add(id(child))
                found.append(child)
    return found


def _problem(block: Block, text: str, error: yaml.MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    offset = min(mark.index, len(text)) if mark is not None else 0
    message = error.problem or error.context or "it cannot be parsed"
    if isinstance(error, LimitError):
        return Problem("unreadable", block.source.place(block.base + offset), message)
    if error.context and error.problem:
        message = f"{error.problem} ({error.context})"
    hint = "Indent with spaces, not tabs." if text[offset : offset + 1] == "\t" else ""
    return Problem("unreadable", block.source.place(block.base + offset), f"broken YAML: {message}", hint)


def _reader_offset(text: str, error: yaml.reader.ReaderError) -> int:
    """Where a character stands that YAML does not allow: libyaml tells bytes, pure PyYAML tells characters."""
    position = int(error.position)
    if not yaml.__with_libyaml__:
        return min(position, len(text))
    return len(text.encode("utf-8")[:position].decode("utf-8", "ignore"))


def _is_json(source: Source, report: Report) -> bool:
    """Whether a ``.json`` file is JSON: YAML is laxer. Nesting is left to the composer's limit."""
    try:
        json.loads(source.text, parse_int=str, parse_float=str)
    except json.JSONDecodeError as error:
        report(Problem("unreadable", source.place(min(error.pos, len(source.text))), f"broken JSON: {error.msg}"))
        return False
    except RecursionError:
        pass
    return True


def _one_escape(found: re.Match[str]) -> str:
    """JSON's escape of a character beyond U+FFFF is a surrogate pair, which YAML does not know.

    The replacement has the same twelve characters, so that every offset stays: an escaped line break,
    which a YAML reader drops, and the character's own escape.
    """
    high, low = int("d" + found[1], 16), int("d" + found[2], 16)
    return f"\\\n\\U{0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00):08X}"


def _stand_ins(text: str) -> dict[int, int]:
    """Private characters to stand for those that JSON allows in a text and YAML takes for line ends or refuses."""
    odd = sorted({ord(character) for character in set(text)} & _NOT_IN_YAML)
    free = (code for code in range(0xE000, 0xF900) if chr(code) not in text)
    return dict(zip(odd, free, strict=False))


def _check_tags(block: Block, root: yaml.Node, report: Report) -> None:
    for node in nodes(root):
        if node.tag is not None and node.tag not in _CORE_TAGS:
            tag = node.tag.replace("tag:yaml.org,2002:", "!!")
            what = "names a Python object" if "python" in tag else "is none that a model index knows"
            message = f"the YAML tag {tag} {what}; the value is read as plain text and nothing is run"
            report(Problem("unreadable", block.place(node), message, "Remove the tag."))


def _aliases_are_harmless(block: Block, root: yaml.Node, report: Report) -> bool:
    """Whether aliases stay within reason when expanded; a bomb or an alias to its own parent is reported."""
    extents: dict[int, tuple[int, int]] = {}  # by node: nodes and depth, when every alias is expanded
    open_: set[int] = set()
    limit = 10_000 + 10 * len(nodes(root))
    stack = [(root, False)]
    while stack:
        node, done = stack.pop()
        if id(node) in extents:
            continue
        below = _children(node)
        if done:
            open_.discard(id(node))
            size = 1 + sum(extents[id(child)][0] for child in below)
            depth = 1 + max((extents[id(child)][1] for child in below), default=0)
            extents[id(node)] = size, depth
            if size > limit or depth > MAX_DEPTH:
                report(Problem("unreadable", block.place(node), "aliases blow this value up beyond all reason"))
                return False
            continue
        open_.add(id(node))
        stack.append((node, True))
        for child in below:
            if id(child) in open_:
                report(Problem("unreadable", block.place(child), "an alias within this value points back at it"))
                return False
            stack.append((child, False))
    return True


def _children(node: yaml.Node) -> list[yaml.Node]:
    if type(node) is yaml.ScalarNode:
        return []
    if type(node) is yaml.SequenceNode:
        return list(node.value)
    return [child for pair in node.value for child in pair]
