"""PAR: the number of parameters."""

from __future__ import annotations

from collections.abc import Iterator

from tools.rules.diagnosis import explain_parameters
from tools.rules.evidence import Subject
from tools.rules.quantity import Agreement, Quantity, format_like, grouped, parse
from tools.rules.records import Claim, Severity, Verdict
from tools.rules.rule import ModelRule, Outcome, judged, replacement

_FIELD = "parameters"


def _claim(subject: Subject) -> tuple[Claim, Quantity] | None:
    """The claim on parameters with its number; ``None`` where there is none or it is no number."""
    claim = subject.claim(_FIELD)
    quantity = parse(claim.value.text) if claim is not None else None
    return (claim, quantity) if claim is not None and quantity is not None and quantity.value > 0 else None


class ParametersMismatch(ModelRule):
    """The claimed number of parameters against the built model's."""

    code = "PAR001"
    title = "Parameters differ from the model's"
    why = (
        "The number of parameters is what readers compare models by, and it follows from the code alone, so there is "
        "no reason for it to be wrong. The claim is compared at the precision that it states: 4130000 and 4.13M both "
        "state three digits and agree with 4,134,606."
    )
    remedy = (
        "Write the measured number at the precision you like. Buffers such as the running mean of a batch norm are "
        "not parameters, and the classifier counts with the number of classes that the published weights have. "
        "Where the finding says what the number seems to be (buffers counted, another number of classes, another "
        "model's count, a slip of unit), check that first: the factory may build another variant than you think."
    )
    before = "- Name: mixnet_s\n  Metadata:\n    Parameters: 4140000\n"
    after = "- Name: mixnet_s\n  Metadata:\n    Parameters: 4130000\n"
    fixable = True
    needs = ("measurement",)
    proves = (_FIELD,)

    def check_model(self, subject: Subject) -> Iterator[Outcome]:
        """Compare one model's claim."""
        found, measurement = _claim(subject), subject.measurement
        if found is None or measurement is None:
            return
        claim, quantity = found
        measured = measurement.parameters
        agreement = quantity.compare(measured)
        if agreement in {Agreement.CUT, Agreement.DIFFERENT}:
            why = explain_parameters(quantity, measurement, subject.evidence.parameter_counts, subject.name)
            message = f"Parameters: {claim.value.text} claimed, {grouped(measured)} measured: {why.text}"
            fix = replacement(subject, claim.value, format_like(measured, quantity))
            yield from self.breach(claim, message, measured=measured, fix=fix)
        elif quantity.coarse:
            yield judged(claim, Verdict.UNCHECKED, measured, "one digit is too coarse to check")
        else:
            yield judged(claim, Verdict.VERIFIED, measured, _how_rounded(agreement, quantity))


def _how_rounded(agreement: Agreement, quantity: Quantity) -> str:
    if agreement is Agreement.ROUNDED:
        return f"at the {quantity.digits} digits stated"
    return "exactly half-way between two roundings" if agreement is not Agreement.EXACT else ""


class HalfwayRounding(ModelRule):
    """A claim that only an unusual rounding of a half gives."""

    code = "PAR002"
    title = "Parameters rounded down at exactly half-way"
    severity = Severity.NOTE
    why = (
        "The measured number lies exactly half-way between two numbers of the precision stated, and the claim is the "
        "one that neither usual rounding gives (half up, or half to the even digit). Nothing is wrong with the model, "
        "so this is told apart from a mismatch, but another tool that rounds as usual will print another number."
    )
    remedy = "Write the number as usually rounded, or with one digit more."
    before = "- Name: halfway\n  Metadata:\n    Parameters: 4.13M\n"
    after = "- Name: halfway\n  Metadata:\n    Parameters: 4.135M\n"
    fixable = True
    needs = ("measurement",)

    def check_model(self, subject: Subject) -> Iterator[Outcome]:
        """Look at one model's claim."""
        found, measurement = _claim(subject), subject.measurement
        if found is None or measurement is None or found[1].coarse:
            return
        claim, quantity = found
        measured = measurement.parameters
        if quantity.compare(measured) is Agreement.HALFWAY_DOWN:
            usual = format_like(measured, quantity)
            message = f"Parameters: {grouped(measured)} is usually rounded to {usual}, not to {claim.value.text}"
            yield self.remark(claim, message, measured=measured, fix=replacement(subject, claim.value, usual))


class ParametersTooCoarse(ModelRule):
    """A claim that states so little that checking it proves nothing."""

    code = "PAR003"
    title = "Parameters stated too coarsely to check"
    severity = Severity.WARNING
    why = (
        "A number with a single significant digit, such as 4M, agrees with anything from 3.5 to 4.5 million. Such a "
        "claim cannot be told from its neighbours', so the audit leaves it unchecked instead of calling it verified. "
        "Zeros at the end of a number without a decimal point state nothing: 4000000 has one digit, too."
    )
    remedy = "State two digits or more; three are usual."
    before = "- Name: mixnet_s\n  Metadata:\n    Parameters: 4M\n"
    after = "- Name: mixnet_s\n  Metadata:\n    Parameters: 4.1M\n"
    fixable = True

    def check_model(self, subject: Subject) -> Iterator[Outcome]:
        """Look at one model's claim; the mend needs the measured number."""
        found = _claim(subject)
        if found is None or not found[1].coarse:
            return
        claim, quantity = found
        measurement = subject.measurement
        if measurement is not None and not quantity.agrees(measurement.parameters):
            return
        measured = None if measurement is None else measurement.parameters
        fix = () if measured is None else replacement(subject, claim.value, format_like(measured, quantity))
        yield self.remark(
            claim, f"Parameters: {claim.value.text} states one digit, too coarse to check", measured=measured, fix=fix
        )


PARAMETERS_RULES = (ParametersMismatch(), HalfwayRounding(), ParametersTooCoarse())
