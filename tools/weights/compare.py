"""Hold the tensors of a weight file against the state dict of the built model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tools.measure.records import TensorEntry
from tools.weights.opcodes import shorten

_TRACKED = "num_batches_tracked"
_DEEPEST = 20
"""Levels of modules that keys are grouped by; a key from a hostile file may have millions."""


@dataclass(frozen=True, slots=True)
class Change:
    """One entry whose shape or dtype differs."""

    key: str
    file: str
    """What the file has: ``1000x1280`` or ``float16``."""
    model: str

    def __str__(self) -> str:
        return f"{shorten(self.key)} ({self.file} in the file, {self.model} in the model)"


@dataclass(frozen=True, slots=True)
class Differences:
    """What keeps a file from being the model's state dict; falsy where nothing does."""

    missing: tuple[str, ...] = ()
    """Keys of the model that the file lacks."""
    unexpected: tuple[str, ...] = ()
    """Keys of the file that the model lacks."""
    wrong_shape: tuple[Change, ...] = ()
    wrong_dtype: tuple[Change, ...] = ()
    """They load, since ``load_state_dict`` converts; the model does not compute with the numbers of the file."""
    without_counters: int = 0
    """How many ``num_batches_tracked`` the file lacks, if it has none at all: files older than torch 0.4.1.

    torch adds them while the file carries no module versions, or a batch norm's below 2. So they are told apart and
    are no difference.
    """

    def __bool__(self) -> bool:
        return self.count > 0

    @property
    def count(self) -> int:
        """How many entries differ."""
        return len(self.missing) + len(self.unexpected) + len(self.wrong_shape) + len(self.wrong_dtype)

    @property
    def loads(self) -> bool:
        """Whether ``load_state_dict(strict=True)`` takes the file: only dtypes may differ."""
        return not (self.missing or self.unexpected or self.wrong_shape)

    def describe(self, limit: int = 5) -> str:
        """The differences in one sentence, with at most ``limit`` names of each kind; empty without any."""
        kinds: Iterable[tuple[str, Sequence[str]]] = (
            ("missing", group_keys(self.missing, limit)),
            ("unexpected", group_keys(self.unexpected, limit)),
            ("of another shape", [str(change) for change in self.wrong_shape]),
            ("of another dtype", [str(change) for change in self.wrong_dtype]),
        )
        counts = (len(self.missing), len(self.unexpected), len(self.wrong_shape), len(self.wrong_dtype))
        return "; ".join(
            f"{count} {kind}: {_listed(names, limit)}"
            for (kind, names), count in zip(kinds, counts, strict=True)
            if count
        )


def compare(entries: Sequence[TensorEntry], state_dict: Sequence[TensorEntry]) -> Differences:
    """What differs between a file's entries and a model's state dict. Order does not count: loading goes by key."""
    ours = {entry.key: entry for entry in entries}
    model = {entry.key: entry for entry in state_dict}
    missing = [key for key in model if key not in ours]
    counters = [key for key in missing if key.rpartition(".")[2] == _TRACKED]
    if any(key.rpartition(".")[2] == _TRACKED for key in ours):
        counters = []  # a file that has some is not old but incomplete
    absent = set(counters)
    both = [(ours[key], model[key]) for key in model if key in ours]
    return Differences(
        missing=tuple(key for key in missing if key not in absent),
        unexpected=tuple(key for key in ours if key not in model),
        wrong_shape=tuple(Change(a.key, _shape(a.shape), _shape(b.shape)) for a, b in both if a.shape != b.shape),
        wrong_dtype=tuple(Change(a.key, a.dtype, b.dtype) for a, b in both if a.dtype != b.dtype),
        without_counters=len(counters),
    )


def group_keys(keys: Sequence[str], limit: int = 5) -> list[str]:
    """The keys by name, or where there are more than ``limit``, by the parts of the model: ``blocks.3.* (24 entries)``.

    The deepest common level is taken that gives no more than ``limit`` groups.
    """
    if len(keys) <= limit:
        return [shorten(key) for key in keys]
    best: dict[str, list[str]] = {}
    for depth in range(1, min(max(key.count(".") for key in keys), _DEEPEST) + 2):
        groups: dict[str, list[str]] = {}
        for key in keys:
            parts = key.split(".", depth)
            groups.setdefault(key if len(parts) <= depth else ".".join(parts[:depth]) + ".*", []).append(key)
        if best and len(groups) > limit:
            break
        best = groups
    return [
        shorten(group) if group in members else f"{shorten(group)} ({_entries(len(members))})"
        for group, members in best.items()
    ]


def _entries(count: int) -> str:
    return "1 entry" if count == 1 else f"{count} entries"


def _shape(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "scalar"


def _listed(names: Sequence[str], limit: int) -> str:
    more = len(names) - limit
    return ", ".join(names[:limit]) + (f" and {more} more" if more > 0 else "")
