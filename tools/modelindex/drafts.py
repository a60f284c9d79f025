"""What one entry of an index says by itself, before its collections are asked: models, metadata, results."""

from __future__ import annotations

import re
from collections.abc import Mapping as MappingABC
from dataclasses import dataclass

from tools.modelindex.fields import LEVELS, suggestion
from tools.modelindex.nodes import Report, is_null, is_scalar, kind_of, mapping, scalar, sequence
from tools.modelindex.records import Entry, Metric, Paper, Place, Problem, Result, Scalar, Value, canonical

_KNOWN = {level: frozenset(canonical(name) for name in names) for level, names in LEVELS.items()}
_ARXIV_ID = r"(?:\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?/\d{7})"
_BARE_ARXIV = re.compile(rf"(?:arxiv:\s*)?({_ARXIV_ID})(?:v\d+)?\Z", re.IGNORECASE)
_ARXIV_URL = re.compile(rf"arxiv\.org/(?:abs|pdf|html|format)/({_ARXIV_ID})(?=v\d|\.pdf|[/?#\s]|\Z)", re.IGNORECASE)
_URL = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?//|www\.", re.IGNORECASE)

ONE_VALUE = frozenset(
    {"flops", "flops counter", "parameters", "file size", "sha256", "epochs", "id", "crop pct", "interpolation"}
)
"""Metadata that a list or mapping can never state."""


@dataclass(slots=True)
class Draft:
    """A model or collection as its own entry states it."""

    name: Scalar
    file: str
    page: str | None
    fields: MappingABC[str, Entry]
    metadata: MappingABC[str, Entry]
    results: tuple[Result, ...]
    collections: tuple[Scalar, ...]
    place: Place


def is_url(text: str) -> bool:
    """Whether a text is a URL (with a scheme, or ``//host``, or ``www.``)."""
    return _URL.match(text) is not None


def names_file(key: str, text: str) -> bool:
    """Whether a README, Image or Config names a local file (a README may be the text itself)."""
    if key not in ("readme", "image", "config") or is_url(text):
        return False
    return key != "readme" or (len(text) <= 255 and "\n" not in text and text.lower().endswith((".md", ".mdx")))


def check_names(entries: MappingABC[str, Entry], level: str, report: Report) -> None:
    """Report fields whose names are slips of known ones."""
    for name in entries.keys() - _KNOWN[level]:
        meant = suggestion(name, level)
        if meant is not None and canonical(meant) not in entries:
            key = entries[name].key
            report(Problem("misspelt-field", key.place, f"unknown field {key.text!r}", f"Did you mean {meant!r}?"))


def check_metadata(entries: MappingABC[str, Entry], report: Report) -> None:
    """Report misspelt metadata, and lists and mappings where one value belongs."""
    check_names(entries, "metadata", report)
    for name in entries.keys() & ONE_VALUE:
        value = entries[name].value
        if not is_scalar(value):
            message = f"{entries[name].key.text} needs one value, not {kind_of(value)}"
            report(Problem("wrong-type", value.place, message))


def paper(entry: Entry | None, report: Report) -> Paper | None:
    """The paper that a ``Paper`` field cites; ``url`` is as written and may be a bare arXiv id."""
    if entry is None or is_null(entry.value):
        return None
    text = scalar(entry.value)
    if text is not None:
        bare = _BARE_ARXIV.match(text.text.strip())
        if bare:
            return Paper(None, text, bare[1])
        return Paper(None, text, arxiv_id(text.text)) if is_url(text.text) else Paper(text, None, None)
    fields = mapping(entry.value)
    if fields is None:
        report(
            Problem(
                "wrong-type", entry.value.place, f"Paper is a URL, an arXiv id or a mapping, not {kind_of(entry.value)}"
            )
        )
        return None
    title, url = (_one(fields.entries.get(name), report) for name in ("title", "url"))
    bare = _BARE_ARXIV.match(url.text.strip()) if url else None
    return Paper(title, url, bare[1] if bare else arxiv_id(url.text) if url else None)


def arxiv_id(text: str) -> str | None:
    """The arXiv id in a URL of arxiv.org, without its version; ``None`` without one."""
    found = _ARXIV_URL.search(text)
    return found[1] if found else None


def link(entry: Entry | None, report: Report) -> Scalar | None:
    """The scalar of a field like Code or Weights; of a mapping, its ``URL`` (OpenMMLab writes it so)."""
    if entry is None or is_null(entry.value):
        return None
    fields = mapping(entry.value)
    if fields is not None and "url" in fields.entries:
        return _one(fields.entries["url"], report)
    return _one(entry, report)


def _one(entry: Entry | None, report: Report) -> Scalar | None:
    if entry is None or is_null(entry.value):
        return None
    text = scalar(entry.value)
    if text is None:
        message = f"{entry.key.text} needs one value, not {kind_of(entry.value)}"
        report(Problem("wrong-type", entry.value.place, message))
    return text


def names(entry: Entry | None, report: Report) -> tuple[Scalar, ...]:
    """The scalars of a field that holds a name or a list of names."""
    if entry is None or is_null(entry.value):
        return ()
    text = scalar(entry.value)
    if text is not None:
        return (text,)
    items = sequence(entry.value)
    found: list[Scalar] = []
    for item in (entry.value,) if items is None else items.items:
        name = scalar(item)
        if name is None:
            report(
                Problem(
                    "wrong-type", item.place, f"{entry.key.text} needs a name or a list of names, not {kind_of(item)}"
                )
            )
        else:
            found.append(name)
    return tuple(found)


def result(value: Value, entries: MappingABC[str, Entry], report: Report) -> Result:
    """One result. What it lacks is reported; what it has is kept."""
    check_names(entries, "result", report)
    task = _named(entries.get("task"), report)
    dataset = _named(entries.get("dataset"), report)
    given = entries.get("metrics")
    metrics = () if given is None or is_null(given.value) else tuple(_metrics(given.value, report))
    missing = [
        name
        for name, there in (("Task", task), ("Dataset", dataset), ("Metrics", given and not is_null(given.value)))
        if not there
        and not (name != "Metrics" and name.lower() in entries and not is_null(entries[name.lower()].value))
    ]
    if missing:
        report(Problem("wrong-type", value.place, f"a result without {' and '.join(missing)}"))
    return Result(task, dataset, metrics, value.place, None, entries)


def _named(entry: Entry | None, report: Report) -> Scalar | None:
    """The name of a task or data set: the scalar itself, or ``name`` (else ``type``) of a mapping."""
    if entry is None or is_null(entry.value):
        return None
    text = scalar(entry.value)
    if text is not None:
        return text
    fields = mapping(entry.value)
    if fields is not None:
        for key in ("name", "type"):
            if key in fields.entries and not is_null(fields.entries[key].value):
                return _one(fields.entries[key], report)
    report(
        Problem(
            "wrong-type",
            entry.value.place,
            f"{entry.key.text} needs a name, or a mapping with one, not {kind_of(entry.value)}",
        )
    )
    return None


def _metrics(value: Value, report: Report) -> list[Metric]:
    items = sequence(value)
    fields = mapping(value)
    if items is not None:
        return [metric for item in items.items for metric in _metrics_of(item, report)]
    if fields is not None:
        return _metrics_of(value, report)
    report(Problem("wrong-type", value.place, "Metrics is a mapping of names to values or a list, not a single value"))
    return []


def _metrics_of(value: Value, report: Report) -> list[Metric]:
    """The metrics of one mapping: ``{name, value}`` (``type`` where there is no name), or names to values."""
    fields = mapping(value)
    if fields is None:
        report(Problem("wrong-type", value.place, f"a metric is a mapping, not {kind_of(value)}"))
        return []
    entries = fields.entries
    named = next((entries[key] for key in ("name", "type") if key in entries and not is_null(entries[key].value)), None)
    if named is None or "value" not in entries:
        return [Metric(entry.key, entry.value) for entry in entries.values()]
    name = _one(named, report)
    return [] if name is None else [Metric(name, entries["value"].value)]
