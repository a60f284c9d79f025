"""The concrete scalars, lists and mappings of the records: thin views of composed YAML nodes.

A view holds a node and the stretch of text it was composed from; text, place and offsets are worked out
when somebody asks. An index of ten thousand models holds a million nodes of which few are ever asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from collections.abc import Mapping as MappingABC
from dataclasses import dataclass
from functools import lru_cache

import yaml

from tools.modelindex.records import Entry, Mapping, Place, Problem, Scalar, Sequence, Value, canonical
from tools.modelindex.text import Source

Report = Callable[[Problem], None]
"""Where problems go."""

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_PROPERTIES = re.compile(r"(?:[&!]\S*\s+)+")
_canonical = lru_cache(maxsize=4096)(canonical)


class Block:
    """A stretch of YAML in a file: a whole file, a comment or front matter. ``base`` is its offset."""

    __slots__ = ("base", "source")

    def __init__(self, source: Source, base: int) -> None:
        self.source = source
        self.base = base

    def place(self, node: yaml.Node) -> Place:
        """Where a node begins."""
        return self.source.place(self.base + node.start_mark.index)


class YamlScalar:
    """A :class:`~tools.modelindex.records.Scalar` that stands in a file."""

    __slots__ = ("_block", "_node")

    def __init__(self, block: Block, node: yaml.ScalarNode) -> None:
        self._block = block
        self._node = node

    @property
    def text(self) -> str:
        """The value as text."""
        text: str = self._node.value
        return text

    @property
    def quoted(self) -> bool:
        """Whether it was written in quotes or as a block."""
        return bool(self._node.style)

    @property
    def start(self) -> int:
        """Offset of the first character; an anchor or tag before the value is not part of it."""
        source = self._block.source
        start: int = self._block.base + self._node.start_mark.index
        if source.text[start : start + 1] in ("&", "!"):
            found = _PROPERTIES.match(source.text, start, self._block.base + self._node.end_mark.index)
            if found:
                return found.end()
        return start

    @property
    def end(self) -> int:
        """Offset behind the last character; of a block scalar, behind its last line's text."""
        end: int = self._block.base + self._node.end_mark.index
        if self._node.style in ("|", ">"):
            return self.start + len(self._block.source.text[self.start : end].rstrip())
        return end

    @property
    def place(self) -> Place:
        """File, line and column."""
        return self._block.source.place(self.start)

    def __repr__(self) -> str:
        return f"<{self.text!r} at {self.place}>"


class FlowKey(YamlScalar):
    """A key of a mapping in flow style (``{a: 1, b: 2}``): what is added there needs a comma, not a line."""

    __slots__ = ()


class YamlSequence:
    """A :class:`~tools.modelindex.records.Sequence` that stands in a file."""

    __slots__ = ("_block", "_items", "_node")

    def __init__(self, block: Block, node: yaml.SequenceNode) -> None:
        self._block = block
        self._node = node
        self._items: tuple[Value, ...] | None = None

    @property
    def items(self) -> tuple[Value, ...]:
        """The values in order."""
        if self._items is None:
            self._items = tuple(wrap(self._block, node) for node in self._node.value)
        return self._items

    @property
    def place(self) -> Place:
        """Where the list begins."""
        return self._block.place(self._node)

    def __repr__(self) -> str:
        return f"<list of {len(self._node.value)} at {self.place}>"


class YamlMapping:
    """A :class:`~tools.modelindex.records.Mapping` that stands in a file."""

    __slots__ = ("_block", "_entries", "_node")

    def __init__(self, block: Block, node: yaml.MappingNode) -> None:
        self._block = block
        self._node = node
        self._entries: dict[str, Entry] | None = None

    @property
    def entries(self) -> MappingABC[str, Entry]:
        """The entries by canonical key; of a key that stands twice the last one counts, as in YAML's libraries."""
        return self.read(_nowhere)

    def read(self, report: Report) -> dict[str, Entry]:
        """The entries; duplicate keys and keys that are no scalars are reported, here and in all values below."""
        if self._entries is None:
            self._entries = _entries(self._block, self._node, report)
        return self._entries

    @property
    def place(self) -> Place:
        """Where the mapping begins."""
        return self._block.place(self._node)

    def __repr__(self) -> str:
        return f"<mapping of {len(self._node.value)} at {self.place}>"


@dataclass(frozen=True, slots=True)
class Written:
    """A scalar that stands nowhere as such (a name taken from the file's name); ``place`` is what it belongs to."""

    text: str
    place: Place
    start: int = 0
    end: int = 0
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class MergedSequence:
    """A list that a model and its collections make together; ``own`` is the model's part."""

    items: tuple[Value, ...]
    own: tuple[Value, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class MergedMapping:
    """A mapping that a model and its collections, or several comments, make together; ``own`` is the model's part."""

    entries: MappingABC[str, Entry]
    own: MappingABC[str, Entry]
    place: Place


def wrap(block: Block, node: yaml.Node) -> Value:
    """The view of a composed node."""
    if isinstance(node, yaml.ScalarNode):
        return YamlScalar(block, node)
    if isinstance(node, yaml.MappingNode):
        return YamlMapping(block, node)
    assert isinstance(node, yaml.SequenceNode)
    return YamlSequence(block, node)


def last_offset(value: Value) -> int:
    """Offset behind the last character of a value in its file: of its last part, where it is a block."""
    if isinstance(value, (YamlSequence, YamlMapping)):
        node = value._node
        if node.flow_style or not node.value:
            end: int = value._block.base + node.end_mark.index
            return end
        last = node.value[-1]
        return last_offset(wrap(value._block, last[1] if isinstance(last, tuple) else last))
    if isinstance(value, MergedSequence):
        return last_offset(value.own[-1])
    if isinstance(value, MergedMapping):
        return last_offset(list(value.own.values())[-1].value)
    assert isinstance(value, (YamlScalar, Written))
    return value.end


def is_scalar(value: Value | None) -> bool:
    """Whether a value is a scalar (the records' protocols are told apart by what they offer)."""
    return isinstance(value, (YamlScalar, Written))


def scalar(value: Value | None) -> Scalar | None:
    """The value if it is a scalar that says something, else ``None``."""
    if type(value) is YamlScalar:
        node = value._node
        return value if node.style or node.value not in _NULLS else None
    return value if isinstance(value, (YamlScalar, Written)) and not is_null(value) else None


def sequence(value: Value | None) -> Sequence | None:
    """The value if it is a list, else ``None``."""
    return value if isinstance(value, (YamlSequence, MergedSequence)) else None


def mapping(value: Value | None) -> Mapping | None:
    """The value if it is a mapping, else ``None``."""
    return value if isinstance(value, (YamlMapping, MergedMapping)) else None


def is_null(value: Value | None) -> bool:
    """Whether there is no value: nothing written, ``~`` or ``null`` without quotes."""
    if type(value) is YamlScalar:
        node = value._node
        return not node.style and node.value in _NULLS
    return value is None or (isinstance(value, (YamlScalar, Written)) and not value.quoted and value.text in _NULLS)


def entries_of(value: Value) -> MappingABC[str, Entry] | None:
    """The entries of a mapping, ``None`` for anything else."""
    found = mapping(value)
    return None if found is None else found.entries


def shown(value: Value) -> str:
    """A value for messages: what it is, or a scalar's text, shortened."""
    text = scalar(value)
    return kind_of(value) if text is None else repr(text.text if len(text.text) <= 60 else text.text[:57] + "...")


def kind_of(value: Value) -> str:
    """What a value is, for messages."""
    if mapping(value) is not None:
        return "a mapping"
    if sequence(value) is not None:
        return "a list"
    return "nothing" if is_null(value) else "a single value"


def _nowhere(_problem: Problem) -> None:
    """For readers that come after the loader has reported everything."""


def _entries(block: Block, node: yaml.MappingNode, report: Report) -> dict[str, Entry]:
    entries: dict[str, Entry] = {}
    key_view = FlowKey if node.flow_style else YamlScalar
    pairs: Iterable[tuple[yaml.Node, yaml.Node]] = node.value
    for key, _ in pairs:
        if key.value == "<<":
            pairs = _pairs(node, block, report)
            break
    for key, value in pairs:
        if type(key) is not yaml.ScalarNode:
            report(Problem("wrong-type", block.place(key), "a key must be a single value, not a list or a mapping"))
            continue
        name = _canonical(key.value)
        view = YamlScalar(block, value) if type(value) is yaml.ScalarNode else wrap(block, value)
        entry = Entry(key_view(block, key), view)
        if name in entries:
            first = entries[name].key
            message = f"the key {key.value!r} stands here again; it stands as {first.text!r} in line {first.place.line}"
            report(Problem("duplicate-key", block.place(key), message, "Keep one of them."))
        entries[name] = entry
        if type(value) is not yaml.ScalarNode:
            read_below(entry.value, value, report)
    return entries


def _pairs(node: yaml.MappingNode, block: Block, report: Report) -> Iterable[tuple[yaml.Node, yaml.Node]]:
    """Key and value nodes, with what a merge key (``<<: *defaults``) brings and the mapping does not say itself."""
    pairs: list[tuple[yaml.Node, yaml.Node]] = node.value
    own: list[tuple[yaml.Node, yaml.Node]] = []
    merged: list[tuple[yaml.Node, yaml.Node]] = []
    for key, value in pairs:
        if type(key) is not yaml.ScalarNode or key.value != "<<" or key.style:
            own.append((key, value))
            continue
        for part in value.value if type(value) is yaml.SequenceNode else [value]:
            if type(part) is yaml.MappingNode:
                merged.extend(_pairs(part, block, report))
            else:
                report(
                    Problem("wrong-type", block.place(part), "the merge key << needs a mapping or a list of mappings")
                )
    said = {_canonical(key.value) for key, _ in own if type(key) is yaml.ScalarNode}
    for key, value in merged:
        name = _canonical(key.value) if type(key) is yaml.ScalarNode else ""
        if name not in said:
            said.add(name)
            own.append((key, value))
    return own


def read_below(view: Value, node: yaml.Node, report: Report) -> None:
    """Read every mapping in a value, so that what is wrong with its keys is reported wherever it stands."""
    if isinstance(view, YamlMapping):
        view.read(report)
    elif isinstance(view, YamlSequence) and any(type(item) is not yaml.ScalarNode for item in node.value):
        for item in view.items:
            if isinstance(item, YamlMapping):
                item.read(report)
            elif isinstance(item, YamlSequence):
                read_below(item, item._node, report)
