"""Numbers as people write them: ``4.13M``, ``4,130,000``, ``688674516``, ``4.1 GMACs``, ``78.78%``, ``16 MiB``.

A number in a card says two things: a value, and how precisely it is known. ``4130000`` states three digits, so
it agrees with 4,134,606; ``4134606`` states seven. The rule is the schoolbook one: every digit counts, except
the zeros at the end of a number without a decimal point, which may only be place holders.

All arithmetic is decimal: no value is ever rounded on the way through a binary float.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import Enum
from functools import lru_cache
from typing import Literal

Kind = Literal["count", "bytes", "plain"]
"""What is measured: a number of things (parameters, FLOPs), a number of bytes, or a bare figure."""

MAX_LENGTH = 80
"""Longer texts are no numbers; the limit keeps hostile input cheap."""

_NUMBER = re.compile(
    r"""(?P<about>[~≈]\s*)?(?P<sign>[+-]?)
        (?P<whole>[0-9]{1,3}(?:(?P<mark>[,_'\u2009\u202f\u00a0 ])[0-9]{3})(?:(?P=mark)[0-9]{3})*|[0-9]+|(?=\.[0-9]))
        (?:\.(?P<fraction>[0-9]*))?
        (?:[eE](?P<exponent>[+-]?[0-9]{1,2}))?
        (?P<gap>\s*)(?P<unit>%|[A-Za-zµ][A-Za-z .-]*)?""",
    re.VERBOSE,
)

_PREFIXES = {
    "": 0,
    "k": 3,
    "thousand": 3,
    "m": 6,
    "mio": 6,
    "million": 6,
    "millions": 6,
    "g": 9,
    "b": 9,
    "bn": 9,
    "billion": 9,
    "billions": 9,
    "t": 12,
    "trillion": 12,
    "trillions": 12,
    "p": 15,
}
_NOUNS = re.compile(
    r"(?:flops?|flop|macs?|mac|madds?|mult-?adds?|multiply-?adds?|ops?|params?|parameters?|weights)\.?$",
)
_BYTES = {"": 0, "k": 3, "m": 6, "g": 9, "t": 12}
_BINARY = {"ki": 10, "mi": 20, "gi": 30, "ti": 40}


class Agreement(Enum):
    """How a claim and a measurement compare at the precision that the claim states."""

    EXACT = "exact"
    """The very same value."""
    ROUNDED = "rounded"
    """The measurement rounds to the claim."""
    HALFWAY = "halfway"
    """The measurement lies exactly half-way, and the claim went up or to the even neighbour, as people round."""
    HALFWAY_DOWN = "halfway-down"
    """The measurement lies exactly half-way, and the claim is the neighbour that no usual rounding gives."""
    CUT = "cut"
    """The claim is the measurement with its last digits cut off, not rounded: a mismatch."""
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number as it was written. ``value`` and ``quantum`` are in base units (ones, FLOPs, bytes)."""

    text: str
    value: Decimal
    quantum: Decimal
    """What one step of the last stated digit is worth, in base units."""
    digits: int
    """How many significant digits are stated."""
    factor: Decimal
    """Base units in one unit as written: 1,000,000 for ``M``."""
    decimals: int
    """Digits behind the decimal point as written."""
    mark: str
    """The thousands separator as written, or nothing."""
    exponent: int | None
    """The power of ten as written, or ``None``."""
    tail: str
    """Everything behind the digits as written: the gap and the unit."""
    percent: bool = False

    @property
    def coarse(self) -> bool:
        """Whether a single digit is stated, so that the number fits anything within half its own size or so."""
        return self.digits < 2 and self.quantum > 1

    def compare(self, measured: int | Decimal) -> Agreement:
        """Compare with a measurement (in base units) at the stated precision."""
        exact = Decimal(measured)
        if exact == self.value:
            return Agreement.EXACT
        distance = abs(exact - self.value)
        half = self.quantum / 2
        if distance < half:
            return Agreement.ROUNDED
        if distance == half:
            steps = self.value / self.quantum
            usual = self.value > exact or steps % 2 == 0
            return Agreement.HALFWAY if usual else Agreement.HALFWAY_DOWN
        if 0 < exact - self.value < self.quantum:
            return Agreement.CUT
        return Agreement.DIFFERENT

    def agrees(self, measured: int | Decimal) -> bool:
        """Whether a measurement (in base units) rounds to this number at the stated precision."""
        return abs(Decimal(measured) - self.value) * 2 <= self.quantum


@lru_cache(maxsize=65536)
def parse(text: str, kind: Kind = "count") -> Quantity | None:
    """Read a number with its precision; ``None`` where the text is no number of this kind.

    ``bytes`` reads ``MB`` as 10^6 and ``MiB`` as 2^20. ``plain`` knows no unit except ``%``.
    """
    if len(text) > MAX_LENGTH:
        return None
    match = _NUMBER.fullmatch(text.strip())
    if match is None:
        return None
    unit = match["unit"] or ""
    factor = _factor(unit, kind)
    if factor is None:
        return None
    whole, fraction, mark = match["whole"], match["fraction"], match["mark"] or ""
    digits_written = (whole.replace(mark, "") if mark else whole) + (fraction or "")
    exponent = int(match["exponent"]) if match["exponent"] else None
    scale = factor.scaleb(exponent or 0)
    mantissa = int(digits_written)
    decimals = len(fraction or "")
    significant = digits_written.lstrip("0")
    place_holders = 0
    if not decimals and exponent is None:
        place_holders = len(significant) - len(significant.rstrip("0"))
    value = Decimal(mantissa).scaleb(-decimals) * scale
    return Quantity(
        text=text,
        value=-value if match["sign"] == "-" else value,
        quantum=Decimal(1).scaleb(place_holders - decimals) * scale,
        digits=len(significant) - place_holders,
        factor=factor,
        decimals=decimals,
        mark=mark,
        exponent=exponent,
        tail=match["gap"] + unit,
        percent=unit == "%",
    )


def format_like(measured: int | Decimal, model: Quantity) -> str:
    """Write a measurement as ``model`` is written: same unit, separators and precision.

    The result always agrees with the measurement. A number much smaller than the claim keeps as many
    significant digits as the claim stated; a claim of one digit is answered with three.
    """
    exact = Decimal(measured)
    quantum = model.quantum
    if exact:
        wanted = model.digits if model.digits > 1 else 3
        quantum = min(quantum, Decimal(1).scaleb(exact.adjusted() - wanted + 1))
    rounded = (exact / quantum).quantize(Decimal(1), rounding=ROUND_HALF_UP) * quantum
    if exact == exact.to_integral_value() and quantum <= 1 and model.factor == 1 and model.exponent is None:
        rounded, quantum = exact, Decimal(1)
    shown = rounded / model.factor
    if model.exponent is not None:
        shown = shown.scaleb(-model.exponent)
    decimals = max(model.decimals, -int(shown.normalize().as_tuple().exponent), 0)
    text = f"{shown:,.{decimals}f}"
    text = text.replace(",", model.mark)
    exponent = "" if model.exponent is None else f"e{model.exponent}"
    return f"{text}{exponent}{model.tail}"


def grouped(number: int | float | Decimal) -> str:
    """A number for a message, with thousands separators: ``4,134,606``."""
    return f"{number:,}"


def _factor(unit: str, kind: Kind) -> Decimal | None:
    """Base units in one of ``unit``; ``None`` for a unit that does not belong to this kind."""
    word = unit.strip().rstrip(".").casefold()
    if kind == "plain":
        return Decimal(1) if word in {"", "%"} else None
    if word == "%":
        return None
    if kind == "bytes":
        if word in {"byte", "bytes"}:
            return Decimal(1)
        stem = word.removesuffix("bytes").removesuffix("byte").removesuffix("b").strip()
        if stem in _BINARY:
            return Decimal(2) ** _BINARY[stem]
        return Decimal(10) ** _BYTES[stem] if stem in _BYTES else None
    stem = _NOUNS.sub("", word).strip(" -")
    return Decimal(10) ** _PREFIXES[stem] if stem in _PREFIXES else None
