"""The index as front matter of a model page, in Hugging Face's dialect."""

from __future__ import annotations

import re

import yaml

from tools.modelindex.export_json import Json, number
from tools.modelindex.nodes import mapping, scalar, sequence
from tools.modelindex.records import Index, Metric, Result


def export_huggingface(index: Index) -> str:
    """The front matter; results that lack what the dialect requires are left out and named in comments."""
    missing: list[str] = []
    models: list[Json] = []
    for model in index.models:
        results: list[Json] = []
        for result in model.results:
            lacking = _lacking(result)
            if lacking:
                missing.append(
                    f"# {_one_line(model.name.text)}: a result without {lacking} ({_one_line(str(result.place))})"
                )
            else:
                results.append(_huggingface_result(result))
        models.append({"name": model.name.text, "results": results})
    head = ["# Left out, because the dialect requires what is not stated:", *missing] if missing else []
    body = yaml.safe_dump({"model-index": models}, sort_keys=False, allow_unicode=True, width=1_000_000)
    return "\n".join(["---", *head, body.rstrip("\n"), "---", ""])


def _lacking(result: Result) -> str:
    metrics = [metric for metric in result.metrics if scalar(metric.value) is not None]
    has = (("Task", result.task), ("Dataset", result.dataset), ("Metrics", metrics))
    return " and ".join(name for name, value in has if not value)


def _huggingface_result(result: Result) -> Json:
    """One result: task, data set and metrics each with the ``type`` that was given, else one made from the name."""
    assert result.task is not None
    assert result.dataset is not None
    task, dataset = result.task.text, result.dataset.text
    return {
        "task": {"type": _given(result, "task", "type") or slug(task), "name": task},
        "dataset": {**_further(result), "type": _given(result, "dataset", "type") or slug(dataset), "name": dataset},
        "metrics": [
            {"type": _metric_type(result, metric), "name": metric.name.text, "value": number(value)}
            for metric in result.metrics
            if (value := scalar(metric.value)) is not None
        ],
    }


def _given(result: Result, field: str, key: str) -> str:
    fields = mapping(result.fields[field].value) if field in result.fields else None
    value = scalar(fields.entries[key].value) if fields is not None and key in fields.entries else None
    return "" if value is None else value.text


def _metric_type(result: Result, metric: Metric) -> str:
    given = sequence(result.fields["metrics"].value)
    for fields in map(mapping, given.items if given is not None else ()):
        if fields is not None and "value" in fields.entries and fields.entries["value"].value is metric.value:
            kind = scalar(fields.entries["type"].value) if "type" in fields.entries else None
            return slug(metric.name.text) if kind is None else kind.text
    return slug(metric.name.text)


def _further(result: Result) -> dict[str, Json]:
    """What else the dialect knows of a data set."""
    found = {key: _given(result, "dataset", key) for key in ("config", "split", "revision")}
    return {key: value for key, value in found.items() if value}


def slug(name: str) -> str:
    """A name as an identifier: ``Image Classification`` -> ``image-classification``."""
    return re.sub(r"[\W_]+", "-", name.casefold()).strip("-") or name


def _one_line(text: str) -> str:
    return " ".join(text.split()) if text.isprintable() else repr(text)
