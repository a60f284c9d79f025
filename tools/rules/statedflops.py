"""What a card says about FLOPs, and the count that it must be held against."""

from __future__ import annotations

from dataclasses import dataclass

from tools.measure.records import InputSize, Measurement
from tools.rules.diagnosis import DEFAULT_COUNTER
from tools.rules.evidence import Subject
from tools.rules.quantity import Quantity, parse
from tools.rules.records import Claim
from tools.rules.sizes import claimed_size


@dataclass(frozen=True, slots=True)
class Stated:
    """What a card says about FLOPs."""

    claim: Claim
    quantity: Quantity
    counter_claim: Claim | None
    size_claim: Claim | None

    @property
    def counter(self) -> str:
        """The counter's name as stated, or the default."""
        return DEFAULT_COUNTER if self.counter_claim is None else self.counter_claim.value.text.strip()


def stated_flops(subject: Subject) -> Stated | None:
    """What a model's card says about FLOPs; ``None`` where it says nothing that is a positive number."""
    claim = subject.claim("flops")
    quantity = parse(claim.value.text) if claim is not None else None
    if claim is None or quantity is None or quantity.value <= 0:
        return None
    return Stated(claim, quantity, subject.claim("flops counter"), subject.claim("flops input size"))


def size_of(subject: Subject, measurement: Measurement) -> InputSize:
    """The input size that a claim is about: the one that the card states, else the model's own."""
    return claimed_size(subject.model, measurement.input_size[0]) or measurement.input_size
