"""Numbers as a person reads them: short in the table, exact on hover."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from tools.rules.quantity import Kind, parse

_UNITS = (("T", 10**12), ("G", 10**9), ("M", 10**6), ("k", 10**3))
NARROW_SPACE = "\N{NARROW NO-BREAK SPACE}"
TIMES = "\N{MULTIPLICATION SIGN}"
NOTHING = "\N{EN DASH}"


def grouped(value: object) -> str:
    """``4134606`` -> ``4,134,606``; what is no number stays as it is."""
    number = as_number(value)
    if number is None:
        return str(value)
    return f"{int(number):,}" if number == number.to_integral_value() else f"{number:,}"


def short(value: object, digits: int = 3) -> str:
    """``4134606`` -> ``4.13 M`` at ``digits`` significant digits; what is no number stays as it is."""
    number = as_number(value)
    if number is None:
        return str(value)
    for letter, factor in _UNITS:
        if abs(number) >= factor:
            return f"{_significant(number / factor, digits)}{NARROW_SPACE}{letter}"
    return grouped(value)


def short_bytes(value: object) -> str:
    """``16738218`` -> ``16.7 MB`` (decimal megabytes, as download pages count them)."""
    number = as_number(value, "bytes")
    if number is None:
        return str(value)
    text = short(number)
    return f"{text}B" if text[-1].isalpha() else f"{text}{NARROW_SPACE}B"


def input_size(size: Sequence[int]) -> str:
    """``(3, 224, 285)`` -> ``3x224x285``, with the sign for times."""
    return TIMES.join(map(str, size))


def percent(part: float, whole: float) -> str:
    """The share of ``part`` in ``whole`` with one decimal; ``0.0 %`` of nothing, ``< 0.1 %`` for what rounds to it."""
    share = 100 * part / whole if whole else 0
    if 0 < share < 0.05:
        return f"<{NARROW_SPACE}0.1{NARROW_SPACE}%"
    return f"{share:.1f}{NARROW_SPACE}%"


def as_number(value: object, kind: Kind = "count") -> Decimal | None:
    """``value``, or text such as ``4.13M``, ``16 MB`` or ``78.78%``, as a number in base units; else ``None``."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int):
        return Decimal(value)
    quantity = parse(str(value), kind)
    return None if quantity is None else quantity.value


def _significant(number: Decimal, digits: int) -> str:
    decimals = max(0, digits - 1 - number.adjusted())
    return f"{number:.{decimals}f}"


def tick(value: float) -> str:
    """A round number as an axis shows it: ``400 M``, ``2.5 M``."""
    for letter, factor in _UNITS:
        if abs(value) >= factor:
            return f"{value / factor:g}{NARROW_SPACE}{letter}"
    return f"{value:g}"
