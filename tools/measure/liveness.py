"""Which calls the output depends on. A trace drops the others, and so must a count that equals fvcore's.

Tensors are followed by their storages: views and operators that work in place share one. This keeps a little more than
the compiler's alias analysis would where a storage is written after it was last needed, which no model is known to do.
"""

from __future__ import annotations

from typing import Any

import torch


class Call:
    """One operator call, kept until it is known whether the output depends on it."""

    __slots__ = ("activations", "flops", "name", "own", "path", "reads", "writes")

    def __init__(self, name: str, path: str, reads: list[int], writes: list[int]) -> None:
        self.name = name
        self.path = path
        self.reads = reads
        self.writes = writes
        self.flops: dict[str, int] | None = None
        self.own: int = 0
        self.activations: dict[str, int] | None = None


def storages(values: Any) -> list[int]:
    """The storages of all tensors in nested tuples, lists, mappings and dataclasses."""
    if isinstance(values, torch.Tensor):
        return [values.untyped_storage()._cdata]
    if isinstance(values, dict):
        values = list(values.values())
    elif not isinstance(values, tuple | list):
        return storages(vars(values)) if hasattr(values, "__dataclass_fields__") else []
    found = []
    for value in values:
        if isinstance(value, torch.Tensor):
            found.append(value.untyped_storage()._cdata)
        elif value is not None and not isinstance(value, int | float | str):
            found += storages(value)
    return found


def live(calls: list[Call], output: list[int]) -> list[Call]:
    """The calls that ``output`` depends on, in their order. Views and in-place operators share a storage."""
    wanted = set(output)
    kept = []
    for call in reversed(calls):
        if not wanted.isdisjoint(call.writes):
            wanted.update(call.reads)
            kept.append(call)
    kept.reverse()
    return kept
