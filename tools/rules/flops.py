"""FLP: floating-point operations, with the counter and the input size they were counted at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from tools.measure.records import Count, InputSize, Measurement
from tools.rules.diagnosis import COUNTERS, DEFAULT_COUNTER, Explanation, explain_flops
from tools.rules.evidence import Subject
from tools.rules.operators import costly, matrix_share, short_name
from tools.rules.quantity import Agreement, Quantity, format_like, grouped, parse
from tools.rules.records import Claim, Severity, Verdict
from tools.rules.rule import ModelRule, Outcome, judged, replacement
from tools.rules.sizes import claimed_size, parse_size, show_size

_TRUSTED_DIGITS = 5
"""Digits from which a claim that another counter or size reproduces cannot be a coincidence."""


@dataclass(frozen=True, slots=True)
class _Stated:
    """What a card says about FLOPs."""

    claim: Claim
    quantity: Quantity
    counter_claim: Claim | None
    size_claim: Claim | None

    @property
    def counter(self) -> str:
        """The counter's name as stated, or the default."""
        return DEFAULT_COUNTER if self.counter_claim is None else self.counter_claim.value.text.strip()


def _stated(subject: Subject) -> _Stated | None:
    claim = subject.claim("flops")
    quantity = parse(claim.value.text) if claim is not None else None
    if claim is None or quantity is None or quantity.value <= 0:
        return None
    return _Stated(claim, quantity, subject.claim("flops counter"), subject.claim("flops input size"))


def _size(subject: Subject, measurement: Measurement) -> InputSize:
    return claimed_size(subject.model) or measurement.input_size


def find_count(measurement: Measurement, counter: str, size: InputSize) -> Count | None:
    """The count by a counter at an input size; a size is found by height and width where the channels differ."""
    exact = measurement.count(counter, size)
    if exact is not None:
        return exact
    return next((c for c in measurement.counts if c.counter == counter and c.input_size[1:] == size[1:]), None)


class FlopsMismatch(ModelRule):
    """The claimed FLOPs against the count by the claimed counter at the claimed input size."""

    code = "FLP001"
    title = "FLOPs differ from the count"
    why = (
        "Published FLOPs are only comparable with the counter and the input size that gave them: the same network has "
        "half or twice the number under another convention, and a third more at another resolution. A claim is "
        "therefore checked under what the card declares: `FLOPs Counter` and `FLOPs Input Size`, and without them the "
        "counter fvcore (one multiply-add counts one) at the card's Image Size."
    )
    remedy = (
        "Read what the finding says the number seems to be. Where another counter or input size reproduces it, "
        "declare these beside the number, or write the number that the declared ones give. `--fix` writes the "
        "measured number, or corrects the declaration where the number proves that it is the declaration that is wrong."
    )
    before = "- Name: mixnet_s\n  Metadata:\n    FLOPs: 321264910\n"
    after = (
        "- Name: mixnet_s\n  Metadata:\n    FLOPs: 321264910\n    FLOPs Counter: thop-0.0.31\n"
        "    FLOPs Input Size: 3x224x285\n"
    )
    fixable = True
    needs = ("measurement",)
    proves = ("flops", "flops counter", "flops input size")

    def check_model(self, subject: Subject) -> Iterator[Outcome]:
        """Compare one model's claim, and pass a verdict on what it declares."""
        stated, measurement = _stated(subject), subject.measurement
        if stated is None or measurement is None:
            return
        size = _size(subject, measurement)
        if stated.counter not in COUNTERS:
            yield judged(stated.claim, Verdict.UNCHECKED, None, f"unknown counter {stated.counter}")
            return
        count = find_count(measurement, stated.counter, size)
        if count is None:
            reason = f"not counted by {stated.counter} at {show_size(size)}"
            yield from _each(stated, Verdict.UNCHECKED, None, reason)
            return
        agreement = stated.quantity.compare(count.total)
        how = f"by {count.counter} at {show_size(count.input_size)}"
        if agreement in {Agreement.CUT, Agreement.DIFFERENT}:
            yield from self._differs(stated, measurement, count, subject)
        elif stated.quantity.coarse:
            yield from _each(stated, Verdict.UNCHECKED, count.total, "one digit is too coarse to check")
        else:
            yield from _each(stated, Verdict.VERIFIED, count.total, how)

    def _differs(self, stated: _Stated, measurement: Measurement, count: Count, subject: Subject) -> Iterator[Outcome]:
        claim, quantity = stated.claim, stated.quantity
        totals = subject.evidence.flop_counts
        others = [totals[count.counter]] if count.counter in totals else []
        why = explain_flops(quantity, measurement, count, others, subject.name)
        how = f"by {count.counter} at {show_size(count.input_size)}"
        culprit = _culprit(stated, why, count)
        if culprit is not None:
            wrong, right = culprit
            message = f"{wrong.field}: {wrong.value.text} claimed, but the FLOPs claimed are exactly those of {right}"
            yield from self.breach(wrong, message, measured=right, fix=replacement(subject, wrong.value, right))
            reason = f"exactly those of {right}, but declared {how}"
            for held in (claim, stated.counter_claim, stated.size_claim):
                if held is not None and held is not wrong:
                    yield judged(held, Verdict.UNCHECKED, None, reason)
            return
        message = f"FLOPs: {claim.value.text} claimed, {grouped(count.total)} measured {how}: {why.text}"
        if why.counter is not None and why.input_size is not None:
            message += f" (declare it: FLOPs Counter: {why.counter}, FLOPs Input Size: {show_size(why.input_size)})"
        fix = replacement(subject, claim.value, format_like(count.total, quantity))
        yield from self.breach(claim, message, measured=count.total, fix=fix)
        for declared in (stated.counter_claim, stated.size_claim):
            if declared is not None:
                yield judged(declared, Verdict.UNCHECKED, None, "the FLOPs claimed are not reproduced with it")


def _each(stated: _Stated, verdict: Verdict, measured: int | None, reason: str) -> Iterator[Outcome]:
    """The same verdict on the number and on what is declared of it."""
    yield judged(stated.claim, verdict, measured, reason)
    for declared in (stated.counter_claim, stated.size_claim):
        if declared is not None:
            yield judged(declared, verdict, None, reason)


def _culprit(stated: _Stated, why: Explanation, count: Count) -> tuple[Claim, str] | None:
    """The declaration that is wrong, and what it should be, where the number itself proves it."""
    if why.counter is None or why.input_size is None or stated.quantity.digits < _TRUSTED_DIGITS:
        return None
    same_counter, same_size = why.counter == count.counter, why.input_size == count.input_size
    if stated.size_claim is not None and same_counter and not same_size:
        written = parse_size(stated.size_claim.value.text)
        batch = "1x" if written is not None and len(stated.size_claim.value.text.lower().split("x")) == 4 else ""
        return stated.size_claim, batch + show_size(why.input_size)
    if stated.counter_claim is not None and same_size and not same_counter:
        return stated.counter_claim, why.counter
    return None


class CountersDisagree(ModelRule):
    """fvcore's convolutions and matrix products against torch's own counter."""

    code = "FLP002"
    title = "Two counters disagree about convolutions and matrix products"
    severity = Severity.WARNING
    why = (
        "fvcore and torch's own counter are written independently and must give the same number for convolutions and "
        "matrix products, once torch's is halved to multiply-adds. Where they do not, one of them has missed or "
        "misread an operator of this model, and neither total should be published before it is known which."
    )
    remedy = (
        "Look at the operators of both counts (`--format json`). Usual causes are custom autograd functions, fused "
        "attention, einsum, and weights that are themselves computed. Publish the number of the counter that saw "
        "every operator, and name it in `FLOPs Counter`."
    )
    before = "- Name: disagreeing\n  Metadata:\n    FLOPs: 300M\n"
    after = "- Name: mixnet_s\n  Metadata:\n    FLOPs: 252M\n"
    needs = ("measurement",)

    def check_model(self, subject: Subject) -> Iterator[Outcome]:
        """Compare the two counts at the size that matters for the claim."""
        stated, measurement = _stated(subject), subject.measurement
        if measurement is None or (stated is not None and stated.counter not in {"fvcore", "fvcore+", "torch"}):
            return
        size = _size(subject, measurement) if stated is not None else measurement.input_size
        torch = find_count(measurement, "torch", size)
        fvcore = find_count(measurement, "fvcore+", size) or find_count(measurement, "fvcore", size)
        if torch is None or fvcore is None:
            return
        matrix = matrix_share(fvcore)
        if matrix != torch.total:
            message = (
                f"fvcore counts {grouped(matrix)} for convolutions and matrix products at {show_size(size)}, "
                f"torch's own counter {grouped(torch.total)}"
            )
            place = subject.model.place if stated is None else stated.claim.place
            field = None if stated is None else stated.claim.field
            yield self.finding(place, message, model=subject.name, field=field, claimed=matrix, measured=torch.total)


class UncountedOperators(ModelRule):
    """Operators that the claim's counter has no formula for and that may cost something."""

    code = "FLP003"
    title = "The FLOPs leave out costly operators"
    severity = Severity.WARNING
    why = (
        "A counter adds nothing for an operator that it has no formula for. For additions, activations and reshaping "
        "that is the convention and is not reported here. For attention, matrix products, Fourier transforms and "
        "operators nobody knows it means that the published number is too small: fvcore loses 7.6 % of a small vision "
        "transformer by leaving out its fused attention."
    )
    remedy = (
        "Name a counter that has a formula (`FLOPs Counter: fvcore+` counts attention, `torch` counts attention and "
        "matrix products) and publish its number, or say on the card what is left out and ignore the finding there."
    )
    before = "- Name: vit_toy\n  Metadata:\n    FLOPs: 1250M\n"
    after = "- Name: vit_toy\n  Metadata:\n    FLOPs: 1350M\n    FLOPs Counter: fvcore+\n"
    needs = ("measurement",)

    def check_model(self, subject: Subject) -> Iterator[Outcome]:
        """Look at what the claim's own counter left out; without a claim nothing was published."""
        stated, measurement = _stated(subject), subject.measurement
        if stated is None or measurement is None or stated.counter == "thop-0.0.31":
            return
        count = find_count(measurement, stated.counter, _size(subject, measurement))
        if count is None:
            return
        counted = count.by_operator.keys()  # a counter of our own formulas lists what the library leaves out, too
        left_out = {
            name: calls
            for name, calls in count.uncounted.items()
            if costly(name) and short_name(name) not in counted and name not in counted
        }
        if left_out:
            named = ", ".join(
                f"{short_name(name)} ({calls} {'call' if calls == 1 else 'calls'})"
                for name, calls in sorted(left_out.items(), key=lambda item: (-item[1], item[0]))[:8]
            )
            more = f" and {len(left_out) - 8} more" if len(left_out) > 8 else ""
            yield self.remark(stated.claim, f"{count.counter} counts nothing for {named}{more}", measured=count.total)


class UnknownCounter(ModelRule):
    """A counter that the audit does not know."""

    code = "FLP004"
    title = "Unknown FLOPs counter"
    why = (
        "Without knowing how the operations were counted nobody can check the number or compare it with another "
        f"model's. The audit knows {', '.join(COUNTERS)}."
    )
    remedy = (
        "Write one of the known names, exactly. Where the number came from another tool, find the known counter that "
        "reproduces it by leaving the field out: the finding then names the counter that fits."
    )
    before = "- Name: mixnet_s\n  Metadata:\n    FLOPs: 239173360\n    FLOPs Counter: conv+linear\n"
    after = "- Name: mixnet_s\n  Metadata:\n    FLOPs: 239173360\n    FLOPs Counter: conv-linear\n"
    fixable = True
    proves = ("flops counter",)

    def check_model(self, subject: Subject) -> Iterator[Outcome]:
        """Look at the name, and offer the nearest known ones."""
        claim = subject.claim("flops counter")
        if claim is None or claim.value.text.strip() in COUNTERS:
            return
        written = claim.value.text.strip()
        near = get_close_matches(written[:40].casefold(), COUNTERS, n=2, cutoff=0.6)
        hint = f"did you mean {' or '.join(near)}?" if near else f"known are {', '.join(COUNTERS)}"
        fix = replacement(subject, claim.value, near[0]) if len(near) == 1 else ()
        yield from self.breach(claim, f"FLOPs Counter: {written[:40]!r} is not known; {hint}", fix=fix)


class BelowConvolutions(ModelRule):
    """A claim under an unknown counter that is less than the convolutions alone cost."""

    code = "FLP005"
    title = "FLOPs below what the convolutions alone cost"
    severity = Severity.WARNING
    why = (
        "Every convention counts at least one operation for each multiplication of a convolution. A number below that "
        "cannot be this model's at this input size under any counter, so even a claim under a counter that the audit "
        "does not know can be refuted."
    )
    remedy = (
        "Check the input size and the unit first, then whether the number belongs to a smaller variant. Name a counter "
        "that the audit knows to have the number itself checked."
    )
    before = "- Name: mixnet_s\n  Metadata:\n    FLOPs: 120M\n    FLOPs Counter: own-counter\n"
    after = "- Name: mixnet_s\n  Metadata:\n    FLOPs: 252M\n    FLOPs Counter: own-counter\n"
    needs = ("measurement",)

    def check_model(self, subject: Subject) -> Iterator[Outcome]:
        """Compare with the convolutions; claims under a known counter are :class:`FlopsMismatch`'s."""
        stated, measurement = _stated(subject), subject.measurement
        if stated is None or measurement is None or stated.counter in COUNTERS:
            return
        size = _size(subject, measurement)
        count = find_count(measurement, "fvcore", size)
        floor = count.by_operator.get("conv", 0) if count is not None else 0
        if stated.quantity.value + stated.quantity.quantum / 2 < floor:
            message = (
                f"FLOPs: {stated.claim.value.text} claimed, but the convolutions alone cost {grouped(floor)} "
                f"multiply-adds at {show_size(size)}"
            )
            yield from self.breach(stated.claim, message, measured=floor)


class FlopsTooCoarse(ModelRule):
    """A claim that states so little that checking it proves nothing."""

    code = "FLP006"
    title = "FLOPs stated too coarsely to check"
    severity = Severity.WARNING
    why = (
        "A number with a single significant digit, such as 4G, agrees with anything from 3.5 to 4.5 billion: with "
        "several counters and input sizes at once. The audit leaves it unchecked instead of calling it verified."
    )
    remedy = "State two digits or more; three are usual."
    before = "- Name: mixnet_s\n  Metadata:\n    FLOPs: 300M\n"
    after = "- Name: mixnet_s\n  Metadata:\n    FLOPs: 252M\n"
    fixable = True

    def check_model(self, subject: Subject) -> Iterator[Outcome]:
        """Look at one model's claim; the mend needs the count."""
        stated, measurement = _stated(subject), subject.measurement
        if stated is None or not stated.quantity.coarse:
            return
        count = None
        if measurement is not None:
            count = find_count(measurement, stated.counter, _size(subject, measurement))
        if count is not None and not stated.quantity.agrees(count.total):
            return
        claim = stated.claim
        fix = () if count is None else replacement(subject, claim.value, format_like(count.total, stated.quantity))
        message = f"FLOPs: {claim.value.text} states one digit, too coarse to check"
        yield self.remark(claim, message, measured=None if count is None else count.total, fix=fix)


FLOPS_RULES = (
    FlopsMismatch(),
    CountersDisagree(),
    UncountedOperators(),
    UnknownCounter(),
    BelowConvolutions(),
    FlopsTooCoarse(),
)
