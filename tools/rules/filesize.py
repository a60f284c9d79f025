"""What a claimed file size may be, judged from the state dict alone: no file is at hand."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tools.measure.records import Measurement, TensorEntry
from tools.rules.quantity import Quantity, grouped
from tools.weights.names import archive_name
from tools.weights.predict import closest, predict_sizes

ALLOWANCE = 0.02
"""Part of the state dict's bytes that a file's structure may add."""
ALLOWANCE_BYTES = 256 * 1024
"""What a file's structure may add to a small state dict."""
NEAR = 0.001
"""How near a prediction must come for the file format to be named."""

_WIDE = frozenset({"float32", "float64"})


@dataclass(frozen=True, slots=True)
class SizeVerdict:
    """Whether a size fits, and what it looks like."""

    fits: bool
    reason: str
    predicted: int | None = None
    """Bytes of the file that the reason names, where one is named."""


def judge_size(claim: Quantity, measurement: Measurement, file_name: str, *, auxiliary: bool) -> SizeVerdict:
    """Compare a claimed size with what the model's state dict would take.

    ``auxiliary``: the card says that the model was trained with an auxiliary head.
    """
    total, size = measurement.state_dict_bytes, int(claim.value)
    stem = archive_name(file_name) or "archive"
    if _in_band(claim, total):
        return SizeVerdict(True, *_described(claim, measurement.state_dict, measurement, stem, ""))
    half = _half(measurement.state_dict)
    if _in_band(claim, sum(entry.nbytes for entry in half)):
        return SizeVerdict(True, *_described(claim, half, measurement, stem, "half-precision "))
    body = tuple(entry for entry in measurement.state_dict if not _is_auxiliary(entry.key))
    if len(body) < len(measurement.state_dict) and _in_band(claim, sum(entry.nbytes for entry in body)):
        return SizeVerdict(True, *_described(claim, body, measurement, stem, "without auxiliary heads, "))
    if auxiliary and total < size <= 2.5 * total:
        return SizeVerdict(True, f"{grouped(size - total)} bytes more than the state dict: an auxiliary head")
    return SizeVerdict(False, _misfit(size, total))


def _in_band(claim: Quantity, total: int) -> bool:
    """Not smaller than the tensors, and no more above than a file's structure takes, at the stated precision."""
    size, slack = float(claim.value), float(claim.quantum) / 2 if claim.quantum > 1 else 0.0
    return total - slack <= size <= total + max(ALLOWANCE * total, ALLOWANCE_BYTES) + slack


def _half(entries: tuple[TensorEntry, ...]) -> tuple[TensorEntry, ...]:
    """The entries with their floating-point tensors at half precision."""
    return tuple(
        replace(entry, dtype="float16", nbytes=entry.nbytes // (4 if entry.dtype == "float64" else 2))
        if entry.dtype in _WIDE
        else entry
        for entry in entries
    )


def _is_auxiliary(key: str) -> bool:
    """Whether a state-dict entry belongs to an auxiliary head: ``aux1.conv.weight``, ``AuxLogits.fc.bias``."""
    return any(part.casefold().startswith("aux") for part in key.split("."))


def _described(
    claim: Quantity, entries: tuple[TensorEntry, ...], measurement: Measurement, stem: str, what: str
) -> tuple[str, int | None]:
    """The reason, with the format that the size fits, and the predicted bytes."""
    size, bytes_of_tensors = int(claim.value), sum(entry.nbytes for entry in entries)
    best = closest(predict_sizes(entries, measurement.module_versions, stem), size)
    # A size in bytes may end in a few zeros by chance (48001170).
    if best is not None and claim.quantum <= 1000 and abs(best.size - size) <= NEAR * size:
        how = "to the byte" if best.size == size else f"{grouped(abs(best.size - size))} bytes off"
        return f"predicted {what}{grouped(best.size)} bytes in {best.format} format ({how})", best.size
    return f"predicted {what}at least {grouped(bytes_of_tensors)} bytes of tensors", bytes_of_tensors


def _misfit(size: int, total: int) -> str:
    if total == 0:
        return "the model has no weights"
    if size < total:
        return f"{grouped(total - size)} bytes too few for its tensors"
    times = size / total
    if 1.95 < times < 2.1:
        return "twice the state dict: a second copy of the weights (an average of them) or double precision"
    if 2.9 < times < 3.1:
        return "three times the state dict: a training checkpoint with an optimiser's state"
    return f"{grouped(size - total)} bytes more than its tensors ({100 * (times - 1):.0f} %)"
