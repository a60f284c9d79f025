"""From a model to its claims: every single value the index states of it, each exactly once, in the card's order."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TypeGuard

from tools.modelindex.records import Entry, Mapping, Metric, Model, Scalar, Sequence, Value, canonical
from tools.rules.records import Claim

key_of = lru_cache(maxsize=4096)(canonical)
"""The canonical key of a field, remembered: an index has few fields and many models."""

STANDARD_FORMS = {
    canonical(form): form
    for form in (
        "FLOPs",
        "FLOPs Counter",
        "FLOPs Input Size",
        "Parameters",
        "File Size",
        "SHA256",
        "Epochs",
        "Batch Size",
        "Training Data",
        "Training Techniques",
        "Training Resources",
        "Training Time",
        "Architecture",
        "Tasks",
        "ID",
        "Image Size",
        "Crop Pct",
        "Interpolation",
        "Mean",
        "Std",
    )
}
"""How a known metadata field is written, by its canonical key."""

STRUCTURE = frozenset({"name", "metadata", "results", "in collection", "paper", "code", "weights", "readme", "config"})
"""Top-level fields that are no claims of their own, or that :func:`claims_of` handles one by one."""

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})


def is_scalar(value: Value) -> TypeGuard[Scalar]:
    """Whether a value is a scalar."""
    return hasattr(value, "text")


def is_mapping(value: Value) -> TypeGuard[Mapping]:
    """Whether a value is a mapping."""
    return hasattr(value, "entries")


def is_sequence(value: Value) -> TypeGuard[Sequence]:
    """Whether a value is a list."""
    return hasattr(value, "items") and not hasattr(value, "entries")


def is_null(value: Scalar) -> bool:
    """Whether nothing is stated: an empty value or YAML's ``null``, not in quotes."""
    return not value.quoted and value.text in _NULLS


def scalars(value: Value) -> Iterator[Scalar]:
    """The scalars in a value, in order: itself, a list's items, a mapping's values. Nulls are left out.

    Depth is bounded by the loader, which refuses deeply nested files.
    """
    stack = [value]
    while stack:
        top = stack.pop()
        if is_scalar(top):
            if not is_null(top):
                yield top
        elif is_mapping(top):
            stack.extend(entry.value for entry in reversed(tuple(top.entries.values())))
        elif is_sequence(top):
            stack.extend(reversed(top.items))


def scalar(entry: Entry | None) -> Scalar | None:
    """The scalar that an entry holds; ``None`` for no entry, a null, a list or a mapping."""
    if entry is None or not is_scalar(entry.value) or is_null(entry.value):
        return None
    return entry.value


def metric_value(metric: Metric) -> Scalar | None:
    """The scalar that a metric states, or ``None``."""
    return metric.value if is_scalar(metric.value) and not is_null(metric.value) else None


def claims_of(model: Model) -> tuple[Claim, ...]:
    """Every claim of one model, in the order of its card; inherited ones come first, as collections do.

    A list gives one claim an item (each tag of ``Architecture``). Names, collections and page paths are
    structure, not claims.
    """
    name = model.name.text
    found: list[Claim] = []
    for key, entry in model.metadata.items():
        field = STANDARD_FORMS.get(key, entry.key.text)
        found.extend(Claim(name, field, value, entry.inherited_from) for value in scalars(entry.value))
    if model.code is not None:
        found.append(Claim(name, "Code", model.code, _origin(model, "code")))
    if model.weights is not None:
        found.append(Claim(name, "Weights", model.weights, _origin(model, "weights")))
    if model.paper is not None and model.paper.url is not None:
        found.append(Claim(name, "Paper", model.paper.url, _origin(model, "paper")))
    for key, entry in model.fields.items():
        if key not in STRUCTURE:
            found.extend(Claim(name, entry.key.text, value, entry.inherited_from) for value in scalars(entry.value))
    for result in model.results:
        for metric in result.metrics:
            found.extend(Claim(name, metric.name.text, value, result.inherited_from) for value in scalars(metric.value))
    # Offsets, not places: counting lines for every claim of a large index costs more than all rules together.
    unique = {(claim.field, claim.value.start, claim.value.text): claim for claim in found}
    return tuple(sorted(unique.values(), key=lambda claim: (claim.inherited_from is None, claim.value.start)))


def _origin(model: Model, key: str) -> str | None:
    """The collection that gave a top-level field, or ``None``."""
    entry = model.fields.get(key)
    return entry.inherited_from if entry is not None else None
