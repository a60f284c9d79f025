"""What one run of a model yields before it is summed up: numbers by module and by operator."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

ByModule: TypeAlias = defaultdict[str, Counter[str]]
"""Module path (``""`` is the model) -> operator -> number. A module's numbers contain its descendants'."""


def by_module() -> ByModule:
    """An empty table."""
    return defaultdict(Counter)


def ancestors(path: str) -> tuple[str, ...]:
    """``a.b.c`` -> ``("", "a", "a.b", "a.b.c")``: the modules that an operator called in ``path`` counts for."""
    if not path:
        return ("",)
    parts = path.split(".")
    return ("", *(".".join(parts[: end + 1]) for end in range(len(parts))))


def add(table: ByModule, modules: Iterable[str], operator: str, number: int) -> None:
    """Count ``number`` for ``operator`` in each of ``modules``."""
    for module in modules:
        table[module][operator] += number


@dataclass(slots=True)
class Tally:
    """Everything that was counted while a model ran once."""

    flops: ByModule = field(default_factory=by_module)
    """By fvcore's formulas, in multiply-adds."""
    own: ByModule = field(default_factory=by_module)
    """By this project's formulas for operators that fvcore has none for, in multiply-adds."""
    matrix: ByModule = field(default_factory=by_module)
    """By ``torch.utils.flop_counter``'s formulas, in its own unit: two for a multiply-add."""
    thop: ByModule = field(default_factory=by_module)
    """By the rules of ``thop-0.0.31``, in its own unit; by the type of module."""
    activations: ByModule = field(default_factory=by_module)
    """Elements of outputs, by fvcore's definition."""
    uncounted: Counter[str] = field(default_factory=Counter)
    """Operators that fvcore neither counts nor ignores (``aten::mul``) -> calls."""
    operators: ByModule = field(default_factory=by_module)
    """Every operator that was seen (``aten::dropout``) -> calls, by the module that called it and not by those that
    contain that one: evidence of what a model does."""
