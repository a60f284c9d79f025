"""FLP, continued: counters that are unknown, disagree or leave something out, and claims that say too little."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from tools.rules.diagnosis import COUNTERS
from tools.rules.evidence import Subject
from tools.rules.operators import costly, matrix_share, short_name
from tools.rules.quantity import format_like, grouped
from tools.rules.records import Severity
from tools.rules.rule import ModelRule, Outcome, replacement
from tools.rules.sizes import show_size
from tools.rules.statedflops import size_of, stated_flops


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
        stated, measurement = stated_flops(subject), subject.measurement
        if measurement is None or (stated is not None and stated.counter not in {"fvcore", "fvcore+", "torch"}):
            return
        size = size_of(subject, measurement) if stated is not None else measurement.input_size
        torch = measurement.count("torch", size)
        fvcore = measurement.count("fvcore+", size) or measurement.count("fvcore", size)
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
        stated, measurement = stated_flops(subject), subject.measurement
        if stated is None or measurement is None or stated.counter == "thop-0.0.31":
            return
        count = measurement.count(stated.counter, size_of(subject, measurement))
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
        stated, measurement = stated_flops(subject), subject.measurement
        if stated is None or measurement is None or stated.counter in COUNTERS:
            return
        size = size_of(subject, measurement)
        count = measurement.count("fvcore", size)
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
        stated, measurement = stated_flops(subject), subject.measurement
        if stated is None or not stated.quantity.coarse:
            return
        count = None
        if measurement is not None:
            count = measurement.count(stated.counter, size_of(subject, measurement))
        if count is not None and not stated.quantity.agrees(count.total):
            return
        claim = stated.claim
        fix = () if count is None else replacement(subject, claim.value, format_like(count.total, stated.quantity))
        message = f"FLOPs: {claim.value.text} states one digit, too coarse to check"
        yield self.remark(claim, message, measured=None if count is None else count.total, fix=fix)


class DoesNotRun(ModelRule):
    """An input size at which FLOPs are claimed and the model fails."""

    code = "FLP007"
    title = "The model does not run at the input size of its FLOPs"
    why = (
        "FLOPs belong to an input size. Where the model fails on an input of that size, nobody can have counted them "
        "there, and the number means nothing until the size is known."
    )
    remedy = (
        "Write the size that the number was counted at: `FLOPs Input Size` as channels x height x width, such as "
        "`3x224x224`, or `Image Size` where there is no other. `python -m tools.measure NAME --input-size SIZE` tells "
        "how the model fails."
    )
    before = "- Name: mixnet_s\n  Metadata:\n    FLOPs: 252M\n    FLOPs Input Size: 5x224x224\n"
    after = "- Name: mixnet_s\n  Metadata:\n    FLOPs: 252M\n    FLOPs Input Size: 3x224x224\n"
    needs = ("measurement",)

    def check_model(self, subject: Subject) -> Iterator[Outcome]:
        """The measurement has a count by some counter at every size at which the model ran."""
        stated, measurement = stated_flops(subject), subject.measurement
        if stated is None or measurement is None:
            return
        size = size_of(subject, measurement)
        if any(count.input_size == size for count in measurement.counts):
            return
        about = stated.size_claim or subject.claim("image size") or stated.claim
        message = f"the model does not run at {show_size(size)}, where its FLOPs are claimed"
        yield self.finding(
            about.place, message, model=subject.name, field=about.field, claimed=about.value.text, measured=None
        )


COUNTING_RULES = (
    CountersDisagree(),
    UncountedOperators(),
    UnknownCounter(),
    BelowConvolutions(),
    FlopsTooCoarse(),
    DoesNotRun(),
)
