"""Where the labels of a scatter chart go: nearest to their own point, on no other label, point or stroke."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple


class Box(NamedTuple):
    """A rectangle in the chart's units; y grows downwards."""

    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: Box) -> bool:
        """Whether the two share more than an edge."""
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )

    def distance(self, x: float, y: float) -> float:
        """How far a point lies outside; 0 within."""
        return math.hypot(max(self.left - x, 0, x - self.right), max(self.top - y, 0, y - self.bottom))

    def inside(self, other: Box) -> bool:
        """Whether this box lies within ``other``."""
        return (
            self.left >= other.left
            and self.top >= other.top
            and self.right <= other.right
            and self.bottom <= other.bottom
        )


class Wanted(NamedTuple):
    """A label to place: its point and the size of its text."""

    x: float
    y: float
    width: float
    height: float


# Around the point: directions in order of preference, each as (dx, dy) in label sizes.
_SIDES = ((-1, 0), (1, 0), (-1, -1), (1, 1), (0, -1), (0, 1), (1, -1), (-1, 1))
_DIRECTIONS = (*_SIDES, (-1, -0.5), (1, 0.5), (-1, 0.5), (1, -0.5), (-0.5, -1), (0.5, 1), (0.5, -1), (-0.5, 1))
_DISTANCES = (7.0, 14.0, 24.0)


def place(wanted: Sequence[Wanted], frame: Box, blocked: Sequence[Box] = (), radius: float = 5.0) -> list[Box | None]:
    """Place the labels in order, the most important first, off everything that is ``blocked``.

    Returns one box a label, in the order given; ``None`` where every spot near the point is taken.
    Boxes lie inside ``frame``, overlap neither each other nor the square of ``radius`` around any point, and are nearer
    to their own point than to any other, so that nobody takes them for another's.
    """
    points = [Box(w.x - radius, w.y - radius, w.x + radius, w.y + radius) for w in wanted]
    taken = [*points, *blocked]
    places: list[Box | None] = []
    for label in wanted:
        box = next(
            (
                candidate
                for candidate in _candidates(label)
                if candidate.inside(frame)
                and not any(candidate.overlaps(other) for other in taken)
                and _nearest(candidate, label, wanted)
            ),
            None,
        )
        if box is not None:
            taken.append(box)
        places.append(box)
    return places


def _nearest(box: Box, label: Wanted, others: Sequence[Wanted]) -> bool:
    own = box.distance(label.x, label.y)
    return all(box.distance(o.x, o.y) > own for o in others if (o.x, o.y) != (label.x, label.y))


def _candidates(label: Wanted) -> Iterator[Box]:
    for distance in _DISTANCES:
        for dx, dy in _DIRECTIONS:
            left = label.x + dx * distance - (0.5 - dx / 2) * label.width
            top = label.y + dy * distance - (0.5 - dy / 2) * label.height
            yield Box(left, top, left + label.width, top + label.height)
