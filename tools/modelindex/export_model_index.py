"""The index as one model-index file."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping as MappingABC
from pathlib import Path
from typing import Any

import yaml

from tools.modelindex.drafts import names_file
from tools.modelindex.fields import standard_form
from tools.modelindex.nodes import MergedMapping, MergedSequence, is_null, mapping, scalar, sequence
from tools.modelindex.records import Collection, Entry, Index, Model, Scalar, Value

_ELSEWHERE = frozenset({"name", "type", "metadata", "results"})
_NUMBER_START = tuple("0123456789.+-")
_STR = "tag:yaml.org,2002:str"


def export_model_index(index: Index) -> str:
    """Collections and models as they stand, imports resolved; paths are relative to the root folder."""
    top: list[tuple[yaml.Node, yaml.Node]] = [(_text("Type"), _text("model-index"))]
    if index.library:
        top.append((_text("Library"), _library(index)))
    for name, group in (("Collections", index.collections), ("Models", index.models)):
        if group:
            top.append(
                (
                    _text(name),
                    yaml.SequenceNode(_tag("seq"), [_own(each, index.root) for each in group], flow_style=False),
                )
            )
    return _dump(yaml.MappingNode(_tag("map"), top, flow_style=False))


def _own(record: Model | Collection, root: Path) -> yaml.Node:
    """A model or collection as its own entry states it; what it inherits is left to its collection."""
    pairs: list[tuple[yaml.Node, yaml.Node]] = [(_text("Name"), _scalar(record.name))]
    folder = _folder(record.name)
    for key, entry in record.fields.items():
        if entry.inherited_from is not None or key in _ELSEWHERE or is_null(entry.value):
            continue
        name = standard_form(entry.key.text, "model")
        pairs.append((_text(name), _path(key, entry.value, folder, root)))
    if isinstance(record, Model) and record.page is not None and "readme" not in record.fields:
        pairs.append((_text("README"), _text(record.page)))
    metadata = {key: entry for key, entry in record.metadata.items() if entry.inherited_from is None}
    if metadata:
        pairs.append((_text("Metadata"), _fields(metadata, "metadata")))
    own = [_fields(result.fields, "result") for result in record.results if result.inherited_from is None]
    if own:
        pairs.append((_text("Results"), yaml.SequenceNode(_tag("seq"), own, flow_style=False)))
    return yaml.MappingNode(_tag("map"), pairs, flow_style=False)


def _fields(entries: MappingABC[str, Entry], level: str) -> yaml.Node:
    pairs = [(_text(standard_form(entry.key.text, level)), _node(entry.value)) for entry in entries.values()]
    return yaml.MappingNode(_tag("map"), pairs, flow_style=False)


def _library(index: Index) -> yaml.Node:
    pairs = [
        (_text(standard_form(entry.key.text, "library")), _path(key, entry.value, _folder(entry.key), index.root))
        for key, entry in index.library.items()
    ]
    return yaml.MappingNode(_tag("map"), pairs, flow_style=False)


def _folder(name: Scalar) -> str:
    return posixpath.dirname(name.place.path)


def _path(key: str, value: Value, folder: str, root: Path) -> yaml.Node:
    """A field; a path in it as seen from the root, where the exported file is meant to stand."""
    text = scalar(value)
    if text is None or not folder or not names_file(key, text.text):
        return _node(value)
    path = posixpath.normpath(posixpath.join(folder, text.text))
    if key == "config" and not (root / path).exists():
        return _node(value)  # written as seen from the root already
    return _text(path)


def _node(value: Value) -> yaml.Node:
    items, fields = sequence(value), mapping(value)
    if items is not None:
        own = items.own if isinstance(items, MergedSequence) else items.items
        return yaml.SequenceNode(_tag("seq"), [_node(item) for item in own], flow_style=False)
    if fields is not None:
        entries = fields.own if isinstance(fields, MergedMapping) else fields.entries
        pairs = [(_scalar(entry.key), _node(entry.value)) for entry in entries.values()]
        return yaml.MappingNode(_tag("map"), pairs, flow_style=False)
    text = scalar(value)
    return yaml.ScalarNode(_tag("null"), "null") if text is None else _scalar(text)


def _scalar(value: Scalar) -> yaml.Node:
    """A scalar as it was written: in quotes or without, so that readers take it for the same type."""
    if not value.quoted:
        return yaml.ScalarNode(_implicit(value.text), value.text)
    # YAML 1.1 and 1.2 disagree on what is a number (1e3, 0o17): quotes around one stay.
    return yaml.ScalarNode(_STR, value.text, style="'" if value.text[:1] in _NUMBER_START else None)


def _text(text: str) -> yaml.Node:
    """A text that stays one: the emitter puts it in quotes where a reader would take it for something else."""
    return yaml.ScalarNode(_STR, text)


def _tag(name: str) -> str:
    return f"tag:yaml.org,2002:{name}"


_RESOLVER: Any = yaml.resolver.Resolver()


def _implicit(text: str) -> str:
    tag: str = _RESOLVER.resolve(yaml.ScalarNode, text, (True, False))
    return tag


def _dump(root: yaml.Node) -> str:
    dumper = yaml.CSafeDumper if yaml.__with_libyaml__ else yaml.SafeDumper
    text: str = yaml.serialize(root, Dumper=dumper, allow_unicode=True, width=1_000_000)
    return text
