"""What the pages say of one model: the audit's report of it, looked up by the fields that the pages show."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from tools.measure.records import Count, Measurement
from tools.modelindex.records import canonical
from tools.report.records import ModelReport
from tools.rules.records import Judgement, Verdict
from tools.rules.sizes import claimed_size
from tools.site.numbers import NOTHING, as_number, input_size, short, short_bytes
from tools.site.verdicts import EMPTY, MEASURED, Cell, explain, most_cautious
from tools.weights.records import WeightFile

REFERENCE = "fvcore"
_HASH = re.compile(r"-([0-9a-fA-F]{8,64})\.[^-]*$")
_TOP = {k: re.compile(rf"top[ _-]?{k}(?!\d)|(acc|accuracy)[ _]?@[ _]?{k}(?!\d)", re.IGNORECASE) for k in (1, 5)}


@dataclass(frozen=True)
class Facts:
    """One model, as every page shows it."""

    report: ModelReport
    files: dict[str, WeightFile]
    """Local weight files by name; empty where the audit had none at hand."""

    @property
    def name(self) -> str:
        """The model's name."""
        return self.report.model.name.text

    @property
    def family(self) -> str:
        """The first collection that it is in, else its card."""
        collections = self.report.model.collections
        return collections[0].text if collections else (self.report.model.page or self.report.model.file)

    @property
    def measurement(self) -> Measurement | None:
        """What was measured; ``None`` where it could not be."""
        found = self.report.measurement
        return found if isinstance(found, Measurement) else None

    @property
    def weights_url(self) -> str | None:
        """The published weight file's URL, as the card has it."""
        return self.report.model.weights.text if self.report.model.weights else None

    @cached_property
    def weights_name(self) -> str:
        """The weight file's name; empty without weights."""
        try:
            return PurePosixPath(unquote(urlsplit(self.weights_url or "").path)).name
        except ValueError:
            return ""

    @cached_property
    def hash_prefix(self) -> str:
        """The beginning of the weight file's SHA-256 as its name promises it; empty without one."""
        match = _HASH.search(self.weights_name)
        return match[1].lower() if match else ""

    def judgement(self, field: str) -> Judgement | None:
        """The verdict on the claim of a field; on the one that promises least, of several."""
        return most_cautious(self._by_field.get(canonical(field), ()))

    @cached_property
    def _by_field(self) -> Mapping[str, Sequence[Judgement]]:
        found: dict[str, list[Judgement]] = {}
        for judgement in self.report.judgements:
            found.setdefault(canonical(judgement.claim.field), []).append(judgement)
        return found

    def accuracy(self, k: int) -> Judgement | None:
        """The verdict on the published top-``k`` accuracy."""
        return most_cautious([j for j in self.report.judgements if _TOP[k].search(j.claim.field)])

    def count(self, counter: str = REFERENCE) -> Count | None:
        """FLOPs by one counter at the model's own input size."""
        return self.measurement.count(counter) if self.measurement else None

    def claimed_count(self) -> Count | None:
        """The count that the card's FLOPs claim is compared with: its counter, at its input size."""
        if self.measurement is None:
            return None
        counter = self.judgement("FLOPs Counter")
        size = claimed_size(self.report.model, self.measurement.input_size[0]) or self.measurement.input_size
        return self.measurement.count(counter.claim.value.text if counter else REFERENCE, size)

    def parameters_cell(self) -> Cell:
        """Parameters: the claim with its verdict, else what was measured."""
        measured = self.measurement.parameters if self.measurement else None
        return _claimed_or_measured(self.judgement("Parameters"), measured, "parameters")

    def flops_cell(self) -> Cell:
        """FLOPs by fvcore at the model's input size: measured, claimed by nobody."""
        count = self.count()
        if count is None:
            return Cell(NOTHING, "", self.why_not_measured())
        return Cell(
            short(count.total),
            MEASURED,
            f"measured {count.total:,} by {count.counter} at {input_size(count.input_size)}",
            count.total,
        )

    def activations_cell(self) -> Cell:
        """Activations: measured, claimed by nobody."""
        if self.measurement is None:
            return Cell(NOTHING, "", self.why_not_measured())
        return Cell(
            short(self.measurement.activations),
            MEASURED,
            f"measured {self.measurement.activations:,} at {input_size(self.measurement.input_size)}",
            self.measurement.activations,
        )

    def published_flops_cell(self) -> Cell:
        """The FLOPs that the card publishes, under the counter that it names."""
        judgement = self.judgement("FLOPs")
        if judgement is None:
            return EMPTY
        return _claim_cell(judgement, short)

    def file_size_cell(self) -> Cell:
        """The weight file's size as published."""
        judgement = self.judgement("File Size")
        return _claim_cell(judgement, short_bytes) if judgement else EMPTY

    def hash_cell(self) -> Cell:
        """The hash in the weight file's name: proved only by a file that was read."""
        prefix = self.hash_prefix
        if not prefix:
            return EMPTY
        file = self.files.get(self.weights_name)
        if file is None:
            return Cell(prefix, Verdict.UNCHECKED.value, f"unchecked: claimed {prefix}; no file at hand to hash")
        verdict = Verdict.VERIFIED if file.sha256.startswith(prefix) else Verdict.MISMATCH
        return Cell(prefix, verdict.value, f"{verdict.value}: claimed {prefix}, measured {file.sha256}")

    def accuracy_cell(self, k: int) -> Cell:
        """A published accuracy in percent."""
        judgement = self.accuracy(k)
        return _claim_cell(judgement, _percentage) if judgement else EMPTY

    def accuracy_value(self, k: int) -> float | None:
        """A published accuracy as a number of percent; ``None`` where it is none between 0 and 100."""
        judgement = self.accuracy(k)
        number = as_number(judgement.claim.value.text, "plain") if judgement else None
        return float(number) if number is not None and 0 <= number <= 100 else None

    def why_not_measured(self) -> str:
        """A sentence on a model without a measurement."""
        failure = self.report.measurement
        if failure is None:
            return "not measured"
        return f"not measured: {failure.message}" if not isinstance(failure, Measurement) else ""

    def verdicts(self) -> dict[str, int]:
        """How many of its claims have which verdict; those that none has are left out."""
        return {
            verdict.value: n
            for verdict in Verdict
            if (n := sum(judgement.verdict is verdict for judgement in self.report.judgements))
        }


def _claimed_or_measured(judgement: Judgement | None, measured: int | None, what: str) -> Cell:
    if judgement is not None:
        return _claim_cell(judgement, short)
    if measured is None:
        return EMPTY
    return Cell(short(measured), MEASURED, f"measured {measured:,} {what}; none published", measured)


def _claim_cell(judgement: Judgement, show: Callable[[object], str]) -> Cell:
    text = judgement.claim.value.text
    number = next((n for n in (as_number(text, kind) for kind in ("count", "bytes", "plain")) if n is not None), None)
    return Cell(show(text), judgement.verdict.value, explain(judgement), None if number is None else float(number))


def _percentage(text: object) -> str:
    number = as_number(text, "plain")
    return f"{number:.2f}" if number is not None else str(text)
