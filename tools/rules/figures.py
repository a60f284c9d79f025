"""The figures of a model's results: metrics with their numbers, and what kind of metric each is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache

from tools.modelindex.records import Metric, Model, Result
from tools.rules.claims import key_of, metric_value
from tools.rules.quantity import Quantity, parse
from tools.rules.records import Claim

_ACCURACY = re.compile(r"\b(?:acc(?:uracy)?|top ?[15]|precision|recall|f1|m?ap|m?iou)\b")
_TOP = re.compile(r"(?:\btop ?|@|acc ?@? ?)(?P<k>[1-9])\b")
_ERROR = re.compile(r"\berr(?:or)?s?\b")


@lru_cache(maxsize=4096)
def is_accuracy_name(name: str) -> bool:
    """Whether a metric's name means a share of right answers, 0 to 100 per cent."""
    key = key_of(name.replace("-", " "))
    return bool(_ACCURACY.search(key)) and not _ERROR.search(key)


@dataclass(frozen=True)
class Figure:
    """One metric of one result, with its number."""

    result: Result
    metric: Metric
    claim: Claim
    quantity: Quantity | None

    @cached_property
    def name(self) -> str:
        """The metric's name in a form that can be compared: ``Top-1 Accuracy`` -> ``top 1 accuracy``."""
        return key_of(self.metric.name.text.replace("-", " "))

    @cached_property
    def is_accuracy(self) -> bool:
        """Whether a share of right answers is meant, 0 to 100 per cent."""
        return is_accuracy_name(self.metric.name.text)

    @cached_property
    def top(self) -> int | None:
        """1 of ``Top 1 Accuracy`` and ``acc@1``, 5 of ``Top-5``; ``None`` for other metrics and for error rates."""
        match = _TOP.search(self.name)
        return int(match["k"]) if match and not _ERROR.search(self.name) else None

    @cached_property
    def dataset(self) -> tuple[str, str]:
        """Task and data set in forms that can be compared."""
        task, dataset = self.result.task, self.result.dataset
        return key_of(task.text) if task is not None else "", key_of(dataset.text) if dataset is not None else ""


def figures_of(model: Model, claims: tuple[Claim, ...]) -> tuple[Figure, ...]:
    """The figures of one model that are single values, each with its claim."""
    if not model.results:
        return ()
    by_value = {id(claim.value): claim for claim in claims}
    found = []
    for result in model.results:
        for metric in result.metrics:
            value = metric_value(metric)
            claim = by_value.get(id(value)) if value is not None else None
            if value is not None and claim is not None:
                found.append(Figure(result, metric, claim, parse(value.text, "plain")))
    return tuple(found)
