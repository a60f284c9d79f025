"""The index as JSON, for programs."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping as MappingABC
from typing import TypeAlias

from tools.modelindex.fields import standard_form
from tools.modelindex.nodes import mapping, scalar, sequence
from tools.modelindex.records import Entry, Index, Model, Paper, Result, Scalar, Value

Json: TypeAlias = "str | int | float | list[Json] | dict[str, Json] | None"

_INTEGER = re.compile(r"-?(?:0|[1-9]\d{0,14})\Z")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?\Z")


def export_json(index: Index) -> str:
    """Models with what they inherit, and the file and line where each stands."""
    document: Json = {
        "schema": "zoo-audit-index/1",
        "library": _json_entries(index.library),
        "collections": [
            {
                "name": each.name.text,
                **_where(each.name),
                "paper": _json_paper(each.paper),
                "metadata": _json_entries(each.metadata),
            }
            for each in index.collections
        ],
        "models": [_json_model(model) for model in index.models],
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


_MODEL_KEYS = frozenset({"name", "type", "metadata", "results", "paper", "code", "weights", "config", "in collection"})


def _json_model(model: Model) -> Json:
    return {
        "name": model.name.text,
        **_where(model.name),
        "page": model.page,
        "collections": [name.text for name in model.collections],
        "paper": _json_paper(model.paper),
        "code": _optional(model.code),
        "weights": _optional(model.weights),
        "config": _optional(model.config),
        "metadata": _json_entries(model.metadata),
        "results": [_json_result(result) for result in model.results],
        "fields": _json_entries({key: entry for key, entry in model.fields.items() if key not in _MODEL_KEYS}),
    }


def _where(name: Scalar) -> dict[str, Json]:
    return {"file": name.place.path, "line": name.place.line}


def _optional(value: Scalar | None) -> str | None:
    return None if value is None else value.text


def _json_paper(paper: Paper | None) -> Json:
    if paper is None:
        return None
    return {"title": _optional(paper.title), "url": _optional(paper.url), "arxiv_id": paper.arxiv_id}


def _json_result(result: Result) -> Json:
    return {
        "task": _optional(result.task),
        "dataset": _optional(result.dataset),
        "metrics": {metric.name.text: _json_value(metric.value) for metric in result.metrics},
        "inherited_from": result.inherited_from,
    }


def _json_entries(entries: MappingABC[str, Entry]) -> dict[str, Json]:
    return {standard_form(entry.key.text): _json_value(entry.value) for entry in entries.values()}


def _json_value(value: Value) -> Json:
    items, fields = sequence(value), mapping(value)
    if items is not None:
        return [_json_value(item) for item in items.items]
    if fields is not None:
        return {entry.key.text: _json_value(entry.value) for entry in fields.entries.values()}
    text = scalar(value)
    return None if text is None else number(text)


def number(value: Scalar) -> str | int | float:
    """A number where writing it as one loses nothing, else the text: ``78.78%`` and ``0.8750`` stay texts."""
    text = value.text
    if not value.quoted and _INTEGER.match(text):
        return int(text)
    if not value.quoted and _NUMBER.match(text) and repr(float(text)) == text:
        return float(text)
    return text
