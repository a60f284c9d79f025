"""Small indexes made on the spot, and what was loaded in a form that is easy to compare."""

from __future__ import annotations

from collections.abc import Mapping as MappingABC
from pathlib import Path
from typing import Any

from tools.modelindex import load_index
from tools.modelindex.nodes import mapping, scalar, sequence
from tools.modelindex.records import Entry, Index, Model, Problem, Value

DATA = Path(__file__).parents[1] / "data" / "modelindex"


def make(root: Path, files: MappingABC[str, str | bytes]) -> Path:
    """Write files below ``root``, byte for byte."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return root


def load(root: Path, files: MappingABC[str, str | bytes], *paths: str) -> Index:
    """The index of the files; without ``paths`` that of ``root``'s ``model-index.yml``."""
    make(root, files)
    return load_index([root / path for path in paths or ("model-index.yml",)], root)


def one(root: Path, text: str, name: str = "model-index.yml") -> Index:
    """The index of a single file."""
    return load(root, {name: text}, name)


def clean(index: Index) -> Index:
    """The index, which must have no problems."""
    assert index.problems == ()
    return index


def names(index: Index) -> list[str]:
    return [model.name.text for model in index.models]


def where(index: Index) -> list[str]:
    """The problems as ``path:line:column kind``."""
    return [f"{problem.place} {problem.kind}" for problem in index.problems]


def only(index: Index, kind: str) -> Problem:
    """The one problem of an index, which must be of this kind."""
    assert [problem.kind for problem in index.problems] == [kind], where(index)
    return index.problems[0]


def plain(value: Value | None) -> Any:
    """A value as text, lists and dicts, places left out."""
    items, fields = sequence(value), mapping(value)
    if items is not None:
        return [plain(item) for item in items.items]
    if fields is not None:
        return entries(fields.entries)
    text = scalar(value)
    return None if text is None else text.text


def entries(of: MappingABC[str, Entry]) -> dict[str, Any]:
    return {key: plain(entry.value) for key, entry in of.items()}


def metadata(model: Model) -> dict[str, Any]:
    return entries(model.metadata)


def metrics(model: Model) -> list[dict[str, Any]]:
    return [{metric.name.text: plain(metric.value) for metric in result.metrics} for result in model.results]


def text_at(index: Index, value: Value) -> str:
    """What stands in the file from ``start`` to ``end`` of a scalar."""
    found = scalar(value)
    assert found is not None
    return index.files[found.place.path].text[found.start : found.end]
