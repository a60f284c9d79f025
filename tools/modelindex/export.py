"""The merged index in one file: as model-index YAML, Hugging Face front matter, JSON or CSV."""

from __future__ import annotations

from collections.abc import Callable

from tools.modelindex.export_csv import export_csv
from tools.modelindex.export_huggingface import export_huggingface
from tools.modelindex.export_json import export_json
from tools.modelindex.export_model_index import export_model_index
from tools.modelindex.records import Index

_EXPORTERS: dict[str, Callable[[Index], str]] = {
    "model-index": export_model_index,
    "huggingface": export_huggingface,
    "json": export_json,
    "csv": export_csv,
}

FORMATS: tuple[str, ...] = tuple(_EXPORTERS)
"""The names of the formats."""


def export(index: Index, form: str) -> str:
    """The whole index as text in one of :data:`FORMATS`.

    ``model-index``: collections and models as they stand, so that loading it from the root folder gives
    an equal index. ``huggingface``: front matter of a model page, with what the models inherit; a result
    that lacks what that dialect requires is left out, and a YAML comment at the top says so. ``json``:
    models with what they inherit, and where each stands. ``csv``: one line a model.

    Raises:
        ValueError: an unknown format.
    """
    if form not in _EXPORTERS:
        raise ValueError(f"unknown format {form!r}; there are {', '.join(FORMATS)}")
    return _EXPORTERS[form](index)
