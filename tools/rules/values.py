"""IDX, continued: values are of the kind that their field asks for, and numbers are numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

from tools.modelindex.records import Place, Value
from tools.rules.claims import is_scalar
from tools.rules.evidence import Evidence, Subject
from tools.rules.quantity import parse
from tools.rules.records import Claim
from tools.rules.rule import ModelRule, Outcome
from tools.rules.sizes import parse_size

_SHOWN = 40
"""Characters of a bad value that a message shows."""

_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_CHANNELS = re.compile(r"[\[(]?\s*-?[0-9.]+(\s*,\s*-?[0-9.]+)*\s*[\])]?")


class WrongType(ModelRule):
    """A value of the wrong kind: structure (found by the loader), and numbers that are none."""

    code = "IDX005"
    kind: ClassVar[str] = "wrong-type"
    title = "A value of the wrong kind"
    why = (
        "A list where a mapping belongs, a number that is none (`FLOPs: banana`) or that cannot be (`Parameters: -1`): "
        "such a value cannot be compared with anything, and most tools pass it on as it is."
    )
    remedy = (
        "Write a positive number: 4134606, 4.13M, 4.1 million, 302 MFLOPs; sizes as bytes or with MB or MiB; "
        "a file's SHA256 as 64 hexadecimal digits; Crop Pct as a fraction between 0 and 1."
    )
    before = "- Name: mixnet_s\n  Metadata:\n    FLOPs: banana\n"
    after = "- Name: mixnet_s\n  Metadata:\n    FLOPs: 251736960\n"

    def check(self, evidence: Evidence) -> Iterator[Outcome]:
        """Pass on the loader's problems, then look at the numbers."""
        reported: set[Place] = set()
        for problem in evidence.index.problems:
            if problem.kind == self.kind:
                reported.add(problem.place)
                hint = problem.hint.strip()
                message = f"{problem.message.rstrip('.')}. {hint}" if hint else problem.message
                yield self.finding(problem.place, message, model=problem.model)
        for outcome in super().check(evidence):
            if not hasattr(outcome, "place") or outcome.place not in reported:
                yield outcome

    def check_model(self, subject: Subject) -> Iterator[Outcome]:
        """Look at the fields that must hold a number."""
        for key in _CHECKS:
            entry = subject.model.metadata.get(key)
            if entry is not None and key in _SINGLE and not is_scalar(entry.value):
                yield self._structure(subject, entry.key.text, entry.value)
                continue
            claims = subject.by_field.get(key, ())
            if len(claims) == 1 or key in _LISTS:
                for claim in claims:
                    complaint = _CHECKS[key](claim)
                    if complaint:
                        yield from self.breach(claim, f"{claim.field}: {_short(claim.value.text)} {complaint}")

    def _structure(self, subject: Subject, field: str, value: Value) -> Outcome:
        return self.finding(value.place, f"{field}: a single value belongs here", model=subject.name, field=field)


def _short(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")


def _count(claim: Claim) -> str:
    quantity = parse(claim.value.text)
    if quantity is None:
        return "is not a number"
    return "" if quantity.value > 0 else "is not a positive number"


def _bytes(claim: Claim) -> str:
    quantity = parse(claim.value.text, "bytes")
    if quantity is None:
        return "is not a number of bytes"
    return "" if quantity.value > 0 else "is not a positive number of bytes"


def _some_number(claim: Claim) -> str:
    """Epochs and batch sizes are written in many ways (``90 + 10``, ``32 per GPU``): only sense is asked for."""
    text = claim.value.text.strip()
    if not any(character.isdigit() for character in text):
        return "is not a number"
    quantity = parse(text)
    return "is not a positive number" if quantity is not None and quantity.value <= 0 else ""


def _size(claim: Claim) -> str:
    return "" if parse_size(claim.value.text) is not None else "is not an input size such as 224 or 3x224x224"


def _fraction(claim: Claim) -> str:
    quantity = parse(claim.value.text, "plain")
    if quantity is None:
        return "is not a number"
    value = quantity.value / 100 if quantity.percent else quantity.value
    return "" if 0 < value <= 1 else "is not between 0 and 1"


def _digest(claim: Claim) -> str:
    return "" if _SHA256.fullmatch(claim.value.text.strip()) else "is not 64 hexadecimal digits"


def _channels(claim: Claim) -> str:
    return "" if _CHANNELS.fullmatch(claim.value.text.strip()) else "is not a number or a list of numbers"


_CHECKS = {
    "parameters": _count,
    "flops": _count,
    "flops input size": _size,
    "file size": _bytes,
    "sha256": _digest,
    "epochs": _some_number,
    "batch size": _some_number,
    "image size": _size,
    "crop pct": _fraction,
    "mean": _channels,
    "std": _channels,
}
_LISTS = frozenset({"mean", "std"})
_SINGLE = frozenset({"parameters", "flops", "flops counter", "flops input size", "file size", "sha256", "crop pct"})
