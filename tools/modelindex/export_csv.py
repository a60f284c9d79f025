"""The index as CSV, for spreadsheets."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

from tools.modelindex.export_huggingface import slug
from tools.modelindex.nodes import mapping, scalar, sequence
from tools.modelindex.records import Index, Metric, Model, Scalar, Value

CSV_COLUMNS = (
    "name", "collections", "parameters", "flops", "flops counter", "flops input size", "file size", "sha256",
    "image size", "crop pct", "interpolation", "tasks", "architecture", "training data", "top 1 accuracy",
    "top 5 accuracy", "paper", "arxiv id", "code", "weights", "config", "page", "file", "line",
)  # fmt: skip
"""The columns of the CSV form: always these, in this order. Later versions add at the end alone."""

_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?%?\Z")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def export_csv(index: Index) -> str:
    """One line a model, :data:`CSV_COLUMNS`; no cell is a formula to a spreadsheet."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(CSV_COLUMNS)
    for model in index.models:
        cells = _csv_cells(model)
        writer.writerow([_harmless(cells[column]) for column in CSV_COLUMNS])
    return stream.getvalue()


def _csv_cells(model: Model) -> dict[str, str]:
    cells = dict.fromkeys(CSV_COLUMNS, "")
    for key, entry in model.metadata.items():
        if key in cells:
            cells[key] = _joined(entry.value)
    for name in ("top 1 accuracy", "top 5 accuracy"):
        found = (metric for result in model.results for metric in result.metrics if _is_metric(metric, name))
        first = next(found, None)
        cells[name] = "" if first is None else _joined(first.value)
    paper = model.paper
    cells |= {
        "name": model.name.text,
        "collections": "; ".join(name.text for name in model.collections),
        "paper": "" if paper is None else _optional(paper.url or paper.title),
        "arxiv id": "" if paper is None else paper.arxiv_id or "",
        "code": _optional(model.code),
        "weights": _optional(model.weights),
        "config": _optional(model.config),
        "page": model.page or "",
        "file": model.place.path,
        "line": str(model.place.line),
    }
    return cells


def _is_metric(metric: Metric, name: str) -> bool:
    return slug(metric.name.text) in (slug(name), slug(name).replace("top-", "top"))


def _joined(value: Value) -> str:
    """Everything in a value, in one cell."""
    return "; ".join(_texts(value))


def _texts(value: Value) -> Iterator[str]:
    items, fields = sequence(value), mapping(value)
    if items is not None:
        for item in items.items:
            yield from _texts(item)
    elif fields is not None:
        for entry in fields.entries.values():
            yield f"{entry.key.text}: {_joined(entry.value)}"
    else:
        text = scalar(value)
        if text is not None:
            yield text.text


def _harmless(cell: str) -> str:
    """A cell that no spreadsheet runs: what begins like a formula and is no number gets an apostrophe."""
    cell = cell.replace("\0", "")
    return f"'{cell}" if cell.startswith(_FORMULA) and not _NUMBER.match(cell) else cell


def _optional(value: Scalar | None) -> str:
    return "" if value is None else value.text
