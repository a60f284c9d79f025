"""Show what a weight file is, as text and as plain values for JSON."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from tools.measure.records import TensorEntry
from tools.weights.compare import Differences, group_keys
from tools.weights.opcodes import shorten
from tools.weights.records import WeightFile

_STATISTICS = frozenset({"running_mean", "running_var", "num_batches_tracked"})


@dataclass(frozen=True, slots=True)
class Match:
    """How a file compares with the zoo's models."""

    compared: int
    """Models whose state dict was at hand."""
    fits: tuple[str, ...] = ()
    """Names of the models whose state dict it is exactly: keys, shapes and dtypes."""
    nearest: str = ""
    """Where it fits none: the model with the fewest differences, if most of its entries agree."""
    differences: Differences | None = None
    """From the nearest model."""


def parameter_count(entries: tuple[TensorEntry, ...]) -> int:
    """Elements of all entries but batch-norm statistics: what a state dict tells of the number of parameters."""
    return sum(math.prod(entry.shape) for entry in entries if entry.key.rpartition(".")[2] not in _STATISTICS)


def dtype_counts(entries: tuple[TensorEntry, ...]) -> dict[str, int]:
    """dtype -> entries, the most frequent first."""
    return dict(Counter(entry.dtype for entry in entries).most_common())


def is_sound(file: WeightFile) -> bool:
    """Whether nothing is wrong with the file itself."""
    return not file.problem and file.name_hash_agrees is not False and not file.nonfinite


def as_json(file: WeightFile, match: Match | None) -> dict[str, Any]:
    """The record's fields, what follows from them, and the comparison with the zoo."""
    return {
        **asdict(file),
        "name_hash_agrees": file.name_hash_agrees,
        "parameters": parameter_count(file.entries),
        "dtypes": dtype_counts(file.entries),
        "models": None if match is None else asdict(match),
    }


def as_text(file: WeightFile, match: Match | None) -> str:
    """One block: the path, then a line for everything that is known."""
    return "\n".join([shorten(file.path, 1000), *(f"  {name:<12}{value}" for name, value in _lines(file, match))])


def _lines(file: WeightFile, match: Match | None) -> Iterator[tuple[str, str]]:
    if file.sha256:
        yield "format", file.format
        yield "size", f"{file.size:,} bytes"
        yield "SHA-256", file.sha256
        agrees = {None: "no hash in the file's name", True: "agrees", False: "DISAGREES with the SHA-256"}
        yield "name hash", " ".join(filter(None, [file.name_hash, agrees[file.name_hash_agrees]]))
    if file.entries:
        yield from _contents(file)
    if match is not None and file.entries:
        yield "fits", _fits(match)
    if file.problem:
        yield "PROBLEM", file.problem


def _contents(file: WeightFile) -> Iterator[tuple[str, str]]:
    if file.wrapper:
        others = f" (also there: {', '.join(file.other_wrappers)})" if file.other_wrappers else ""
        yield "wrapper", f"{file.wrapper}{others}"
    if file.prefix:
        yield "prefix", f"{file.prefix} before every key, left out here"
    yield "entries", f"{len(file.entries):,}"
    yield "parameters", f"{parameter_count(file.entries):,}, batch-norm statistics not counted"
    yield "dtypes", ", ".join(f"{dtype} ({count:,})" for dtype, count in dtype_counts(file.entries).items())
    if file.nonfinite is None:
        yield "values", "not read"
    elif file.nonfinite:
        total = sum(file.nonfinite.values())
        yield "VALUES", f"{total:,} NaN or infinite in {', '.join(group_keys(tuple(file.nonfinite)))}"
    else:
        yield "values", "all finite"


def _fits(match: Match) -> str:
    if match.fits:
        return f"{', '.join(match.fits)} exactly"
    if match.differences is None:
        return f"none of {match.compared:,} models" if match.compared else "no model to compare with"
    return f"none of {match.compared:,} models; nearest is {match.nearest}: {match.differences.describe()}"
