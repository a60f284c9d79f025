"""Input sizes as cards state them: ``224``, ``224x285``, ``1x3x224x285``, ``(3, 224, 224)``."""

from __future__ import annotations

import re

from tools.measure.records import InputSize
from tools.modelindex.records import Model
from tools.rules.claims import scalar

LARGEST = 65_536
"""No side of an input is longer; a larger number is a slip."""

_SEPARATOR = re.compile(r"\s*[xX\u00d7*,]\s*")


def parse_size(text: str, channels: int = 3) -> InputSize | None:
    """An input size as channels, height, width; ``None`` for anything else.

    One number is a square of ``channels`` channels, two are height and width, four have a batch in front, which must
    be one sample.
    """
    inner = text.strip()
    if inner[:1] + inner[-1:] in {"()", "[]"}:
        inner = inner[1:-1].strip()
    parts = _SEPARATOR.split(inner.removesuffix("px").rstrip())
    if not all(part.isascii() and part.isdigit() and len(part) <= 6 for part in parts):
        return None
    numbers = tuple(int(part) for part in parts)
    if any(not 0 < number <= LARGEST for number in numbers):
        return None
    match numbers:
        case (side,):
            return (channels, side, side)
        case (height, width):
            return (channels, height, width)
        case (stated, height, width) | (1, stated, height, width):
            return (stated, height, width)
        case _:
            return None


def show_size(size: InputSize) -> str:
    """``3x224x285``."""
    return "x".join(str(side) for side in size)


def claimed_size(model: Model, channels: int = 3) -> InputSize | None:
    """The input size at which a model's FLOPs are claimed: ``FLOPs Input Size``, else ``Image Size``, else ``None``.

    A size that states no channels has ``channels`` of them.
    """
    for key in ("flops input size", "image size"):
        value = scalar(model.metadata.get(key))
        if value is not None:
            return parse_size(value.text, channels)
    return None
