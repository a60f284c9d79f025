"""Which accuracies stand apart from those of models of about the same size: a robust, deliberately deaf test."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import log
from statistics import median

NEIGHBOURS = 8
"""How many of the nearest models in size a value is compared with."""
FEWEST = 5
"""With fewer neighbours nothing is said."""
BELOW = 30.0
ABOVE = 12.0
"""Points from the neighbours' median from which a value is suspect. AlexNet lies 26 below its neighbours, rightly."""
DEVIATIONS = 6.0
_TO_SIGMA = 1.4826
"""Median absolute deviation -> standard deviation, for a normal distribution."""


def outliers(points: Sequence[tuple[float, float]]) -> Iterator[tuple[int, float]]:
    """The positions of the outliers among (size, value) pairs, with the median of their neighbours.

    Sizes are compared as ratios. Costs a sort and a few steps a point.
    """
    order = sorted(range(len(points)), key=lambda position: points[position])
    sizes = [log(points[position][0]) for position in order]
    for rank, position in enumerate(order):
        near = _nearest(sizes, rank)
        if len(near) < FEWEST:
            return
        values = [points[order[other]][1] for other in near]
        middle = median(values)
        spread = _TO_SIGMA * median(abs(value - middle) for value in values)
        distance = points[position][1] - middle
        limit = max(ABOVE if distance > 0 else BELOW, DEVIATIONS * spread)
        if abs(distance) > limit:
            yield position, middle


def _nearest(sizes: Sequence[float], rank: int) -> list[int]:
    """The ranks of the nearest neighbours of one rank among sorted sizes."""
    left, right = rank - 1, rank + 1
    near: list[int] = []
    while len(near) < NEIGHBOURS and (left >= 0 or right < len(sizes)):
        take_left = right >= len(sizes) or (left >= 0 and sizes[rank] - sizes[left] <= sizes[right] - sizes[rank])
        if take_left:
            near.append(left)
            left -= 1
        else:
            near.append(right)
            right += 1
    return near
