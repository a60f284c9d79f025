"""Why a number differs: the usual ways in which published FLOPs and parameter counts come to be wrong.

Each explanation is tried in the order of how surely it tells what happened, and the first that fits is given. What
nothing explains is told as a ratio. Torch-free; everything is looked up in measurements that are already there, so
the audit measures the sizes of :func:`sizes_claimed` at first, and those of :func:`sizes_to_try` once a claim fits
no counter.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from math import ceil, floor

from tools.measure.records import Count, InputSize, Measurement
from tools.modelindex.records import Index, Model
from tools.rules.claims import scalar
from tools.rules.evidence import Totals
from tools.rules.quantity import Agreement, Quantity, grouped, parse
from tools.rules.sizes import claimed_size, show_size

DEFAULT_COUNTER = "fvcore"
"""The counter of a FLOPs claim that names none."""

COUNTERS = ("fvcore", "fvcore+", "torch", "conv-linear", "thop-0.0.31")
"""The counters that a claim may name, the likeliest first."""

COMMON_SIDES = (
    *(32, 64, 96, 112, 128, 160, 176, 192, 208, 224, 240, 256, 260, 272, 288, 299, 300, 320, 331, 336, 342, 352),
    *(380, 384, 400, 416, 448, 456, 475, 480, 512, 518, 528, 544, 560, 576, 600, 640, 672, 768, 800, 896, 1024),
)
"""Sides of the square inputs that image models are published at."""

PHOTO = (1213, 1546)
"""Height and width of the photo in the usage example of many published cards: counting scripts resized it, did not crop
it, and took its 3x224x285 for the model's input."""

_MOST_SIZES = 6
_UNITS = (
    (Decimal(10) ** 3, "a thousand"),
    (Decimal(10) ** 6, "a million"),
    (Decimal(10) ** 9, "a billion"),
    (Decimal(2) ** 10, "1,024"),
    (Decimal(2) ** 20, "1,024²"),
    (Decimal(2) ** 30, "1,024³"),
)
_CLASSES = {
    0: "no classifier at all",
    10: "CIFAR-10",
    100: "CIFAR-100",
    365: "Places365",
    1000: "ImageNet-1k",
    1001: "ImageNet-1k with a background class",
    8142: "iNaturalist 2018",
    10450: "ImageNet-21k, winter 2021 release, reduced",
    11221: "ImageNet-21k-P",
    21841: "ImageNet-21k",
    21842: "ImageNet-21k with a background class",
    21843: "ImageNet-21k as the original ViT counts it",
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a wrong number seems to be. ``counter`` and ``input_size`` are set where they reproduce the claim."""

    text: str
    counter: str | None = None
    input_size: InputSize | None = None


def sizes_claimed(model: Model) -> tuple[InputSize, ...]:
    """The input sizes at which FLOPs must be counted to check a model's claim, beside the model's own size."""
    if scalar(model.metadata.get("flops")) is None:
        return ()
    size = claimed_size(model)
    return () if size is None else (size,)


def sizes_to_try(model: Model, measurement: Measurement, index: Index | None = None) -> tuple[InputSize, ...]:
    """Further input sizes at which the claimed FLOPs may have been counted; few, the likeliest first.

    Nothing where the claim already fits a counter. FLOPs grow nearly with the area of the input, so a size is
    worth a measurement where some counter's total, scaled by area, comes within a tenth of the claim. The sizes
    are those that the other models of ``index`` claim, the :data:`PHOTO` resized to the model's height, and
    :data:`COMMON_SIDES`.
    """
    quantity = _flops(model)
    if quantity is None or quantity.value <= 0:
        return ()
    if any(quantity.agrees(count.total) for count in measurement.counts):
        return ()
    channels, *sides = measurement.input_size
    known = {count.input_size for count in measurement.counts}
    others = {claimed_size(other) for other in index.models} if index is not None else set()
    others |= {(channels, side, side * PHOTO[1] // PHOTO[0]) for side in sides[:1]}
    candidates: tuple[list[InputSize], list[InputSize]] = (
        [size for size in others if size is not None and size[0] == channels and size not in known],
        [(channels, side, side) for side in COMMON_SIDES if (channels, side, side) not in known],
    )
    densities = {
        count.counter: Decimal(count.total) / _area(count.input_size) for count in measurement.counts if count.total
    }
    order = [DEFAULT_COUNTER, *COUNTERS]
    scored: list[tuple[Decimal, InputSize]] = []
    for rank, sizes in enumerate(candidates):
        for size in sizes:
            distances = [
                abs(densities[counter] * _area(size) / quantity.value - 1) for counter in order if counter in densities
            ]
            if distances and min(distances) < Decimal("0.1"):
                scored.append((min(distances) + rank, size))
    return tuple(dict.fromkeys(size for _, size in sorted(scored)))[:_MOST_SIZES]


def explain_flops(
    claim: Quantity, measurement: Measurement, asked: Count, others: Iterable[Totals] = (), name: str = ""
) -> Explanation:
    """Why a FLOPs claim differs from ``asked``, the count by the claim's counter at its input size."""
    if claim.compare(asked.total) is Agreement.CUT:
        return Explanation("its last digits are cut off, not rounded")
    size, at = asked.input_size, show_size(asked.input_size)
    if claim.coarse:  # one digit fits nearly everything, and so explains nothing
        return Explanation(_unit_slip(claim, asked.total) or _too_small(claim, asked) or _ratio(claim, asked.total))
    same_size = [c for c in _ordered(measurement) if c.input_size == size and c.counter != asked.counter]
    for count in same_size:
        if claim.agrees(count.total):
            return Explanation(f"reproduced by the counter {count.counter} at {at}", count.counter, size)
    for count in (asked, *same_size):
        whose = "" if count is asked else f" of the counter {count.counter}"
        if _agrees_times(claim, count.total, 2):
            return Explanation(f"twice the count{whose}: multiplications and additions counted apart")
        if _agrees_times(claim, count.total, Decimal("0.5")):
            return Explanation(f"half the count{whose}: operations halved to multiply-adds once too often")
    slip = _unit_slip(claim, asked.total)
    if slip:
        return Explanation(slip)
    elsewhere = [c for c in _ordered(measurement) if c.input_size != size]
    for count in sorted(elsewhere, key=lambda c: c.counter != asked.counter):
        if claim.agrees(count.total):
            where = show_size(count.input_size)
            counter = "" if count.counter == asked.counter else f"by the counter {count.counter} "
            return Explanation(f"reproduced {counter}at {where}, another input size", count.counter, count.input_size)
    for totals in others:
        twin = _other_model(claim, totals, name)
        if twin:
            return Explanation(f"the count of another model, {twin}")
    return Explanation(_too_small(claim, asked) or _ratio(claim, asked.total))


def explain_parameters(claim: Quantity, measurement: Measurement, others: Totals, name: str = "") -> Explanation:
    """Why a parameter claim differs from the measured number."""
    measured = measurement.parameters
    if claim.compare(measured) is Agreement.CUT:
        return Explanation("its last digits are cut off, not rounded")
    if measurement.buffers and claim.agrees(measured + measurement.buffers):
        return Explanation(f"with the {grouped(measurement.buffers)} elements of its buffers, which are no parameters")
    if measurement.trainable_parameters != measured and claim.agrees(measurement.trainable_parameters):
        return Explanation("only the trainable parameters")
    slip = _unit_slip(claim, measured)
    if slip:
        return Explanation(slip)
    classes = _other_classes(claim, measurement)
    if classes:
        return Explanation(classes)
    twin = _other_model(claim, others, name)
    if twin:
        return Explanation(f"the count of another model, {twin}")
    return Explanation(_ratio(claim, measured))


def _flops(model: Model) -> Quantity | None:
    value = scalar(model.metadata.get("flops"))
    return None if value is None else parse(value.text)


def _area(size: InputSize) -> int:
    return size[-1] * size[-2]


def _ordered(measurement: Measurement) -> list[Count]:
    """The counts, the likeliest counter first."""
    rank = {counter: position for position, counter in enumerate(COUNTERS)}
    return sorted(measurement.counts, key=lambda count: rank.get(count.counter, len(rank)))


def _agrees_times(claim: Quantity, measured: int, factor: int | Decimal) -> bool:
    """Whether the claim, rounded to what it states, is ``factor`` times a measurement of more than nothing."""
    return measured > 0 and claim.agrees(measured * Decimal(factor))


def _unit_slip(claim: Quantity, measured: int) -> str:
    if claim.value <= 0 or measured <= 0:
        return ""
    for factor, word in _UNITS:
        if claim.agrees(Decimal(measured) / factor):
            return f"too small by {word}: a slip of unit"
        if claim.agrees(Decimal(measured) * factor):
            return f"too large by {word}: a slip of unit"
    return ""


def _other_model(claim: Quantity, totals: Totals, name: str) -> str:
    """Names of other models whose count the claim is; needs three digits, as two fit by chance."""
    if claim.digits < 3:
        return ""
    low, high = ceil(claim.value - claim.quantum / 2), floor(claim.value + claim.quantum / 2)
    names = sorted({other for _, other in totals.between(low, high)} - {name})
    if not names:
        return ""
    return " and ".join(names) if len(names) < 3 else f"{names[0]} and {len(names) - 1} more"


def _other_classes(claim: Quantity, measurement: Measurement) -> str:
    """The number of classes with which the model would have the parameters that are claimed."""
    if measurement.classifier is None:
        return ""
    inputs, outputs = measurement.classifier
    bias = 1 if any(entry.shape == (outputs,) for entry in measurement.state_dict) else 0
    body = measurement.parameters - outputs * (inputs + bias)
    if body < 0 or inputs + bias < 8:
        return ""
    half = claim.quantum / 2
    low = ceil((claim.value - half - body) / (inputs + bias))
    high = floor((claim.value + half - body) / (inputs + bias))
    # A rounded claim fits several numbers of classes; one that is near to the real one fits by chance.
    fitting = [
        known
        for known in _CLASSES
        if low <= known <= high and known != outputs and (low == high or abs(known - outputs) > 4 * (high - low + 1))
    ]
    if fitting:
        return f"a classifier for {fitting[0]:,} classes ({_CLASSES[fitting[0]]}) instead of {outputs:,}"
    if low == high and 1 < low < 200_000 and claim.quantum == 1:
        return f"a classifier for {low:,} classes instead of {outputs:,}"
    return ""


def _too_small(claim: Quantity, asked: Count) -> str:
    convolutions = asked.by_operator.get("conv", 0)
    if not 0 < claim.value < convolutions:
        return ""
    return f"{_ratio(claim, asked.total)}, and less than the convolutions alone, {convolutions:,}"


def _ratio(claim: Quantity, measured: int) -> str:
    if measured == 0:
        return "nothing was counted"
    ratio = claim.value / Decimal(measured)
    percent = abs(ratio - 1) * 100
    if percent < 100:
        shown = f"{percent:.2g}" if percent < 10 else f"{percent:.0f}"
        if "e" in shown:
            shown = f"{percent:.1g}" if percent >= Decimal("0.0001") else "less than 0.0001"
        return f"{shown} % too {'large' if ratio > 1 else 'small'}"
    return f"{ratio:.3g} times the count"
