"""FLP: floating-point operations, with the counter and the input size they were counted at."""

from __future__ import annotations

from collections.abc import Iterator

from tools.measure.records import Count, Measurement
from tools.rules.counting import COUNTING_RULES
from tools.rules.diagnosis import COUNTERS, Explanation, explain_flops
from tools.rules.evidence import Subject
from tools.rules.quantity import Agreement, format_like, grouped
from tools.rules.records import Claim, Verdict
from tools.rules.rule import ModelRule, Outcome, judged, replacement
from tools.rules.sizes import parse_size, show_size
from tools.rules.statedflops import Stated, size_of, stated_flops

_TRUSTED_DIGITS = 5
"""Digits from which a claim that another counter or size reproduces cannot be a coincidence."""


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
        stated, measurement = stated_flops(subject), subject.measurement
        if stated is None or measurement is None:
            return
        size = size_of(subject, measurement)
        if stated.counter not in COUNTERS:
            yield judged(stated.claim, Verdict.UNCHECKED, None, f"unknown counter {stated.counter}")
            return
        count = measurement.count(stated.counter, size)
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

    def _differs(self, stated: Stated, measurement: Measurement, count: Count, subject: Subject) -> Iterator[Outcome]:
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


def _each(stated: Stated, verdict: Verdict, measured: int | None, reason: str) -> Iterator[Outcome]:
    """The same verdict on the number and on what is declared of it."""
    yield judged(stated.claim, verdict, measured, reason)
    for declared in (stated.counter_claim, stated.size_claim):
        if declared is not None:
            yield judged(declared, verdict, None, reason)


def _culprit(stated: Stated, why: Explanation, count: Count) -> tuple[Claim, str] | None:
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


FLOPS_RULES = (FlopsMismatch(), *COUNTING_RULES)
