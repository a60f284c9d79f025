"""MOD, continued: the model is configured and built of what the card says: preprocessing and Architecture tags."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from tools.rules.architecture import judge_tag
from tools.rules.evidence import Subject
from tools.rules.quantity import Quantity, parse
from tools.rules.records import Claim, Verdict
from tools.rules.rule import ModelRule, Outcome, judged, replacement
from tools.rules.sizes import parse_size, show_size


class ImageSizeMismatch(ModelRule):
    """The Image Size against the code's own input size."""

    code = "MOD004"
    title = "Image Size differs from the code's"
    why = "Accuracy and FLOPs hold for one input size. A reader who feeds another one gets other results."
    remedy = "Write the input size that the zoo's code gives for these weights, or correct the code."
    before = "- Name: mixnet_s\n  Metadata:\n    Image Size: '240'\n"
    after = "- Name: mixnet_s\n  Metadata:\n    Image Size: '224'\n"
    fixable = True
    needs = ("config",)
    proves = ("image size",)

    def check_model(self, subject: Subject) -> Iterator[Outcome]:
        """Compare height and width, and channels where the card states them."""
        claim, measurement = subject.claim("image size"), subject.measurement
        if claim is None or measurement is None or measurement.config.input_size is None:
            return
        own = measurement.config.input_size
        claimed = parse_size(claim.value.text, own[0])
        if claimed is None:
            return
        alone = claim.value.text.strip().isdigit()
        shown = str(own[-1]) if alone and own[-1] == own[-2] else show_size(own)
        if claimed == (own[0], *own[-2:]):  # of a video, the frames in between are not stated
            yield judged(claim, Verdict.VERIFIED, shown, "the code's own")
        else:
            message = f"Image Size: {claim.value.text} claimed, {shown} in the zoo's code"
            yield from self.breach(claim, message, measured=shown, fix=replacement(subject, claim.value, shown))


class CropPctMismatch(ModelRule):
    """The Crop Pct against the code's own."""

    code = "MOD005"
    title = "Crop Pct differs from the code's"
    why = "The crop decides how much of each picture the model sees; a wrong one costs up to a point of accuracy."
    remedy = "Write the fraction that the zoo's code gives for these weights, or correct the code."
    before = "- Name: mixnet_s\n  Metadata:\n    Crop Pct: '0.95'\n"
    after = "- Name: mixnet_s\n  Metadata:\n    Crop Pct: '0.875'\n"
    fixable = True
    needs = ("config",)
    proves = ("crop pct",)

    def check_model(self, subject: Subject) -> Iterator[Outcome]:
        """Compare the fractions; 87.5% is 0.875, and two digits or more may be rounded."""
        claim, measurement = subject.claim("crop pct"), subject.measurement
        if claim is None or measurement is None or measurement.config.crop_pct is None:
            return
        quantity = parse(claim.value.text, "plain")
        if quantity is None:
            return
        own = Decimal(str(measurement.config.crop_pct))
        if _agrees(quantity, own * 100 if quantity.percent else own):
            yield judged(claim, Verdict.VERIFIED, measurement.config.crop_pct, "the code's own")
        else:
            message = f"Crop Pct: {claim.value.text} claimed, {own} in the zoo's code"
            new = f"{own * 100}%" if quantity.percent else str(own)
            fix = replacement(subject, claim.value, new)
            yield from self.breach(claim, message, measured=measurement.config.crop_pct, fix=fix)


def _agrees(claim: Quantity, own: Decimal) -> bool:
    """Equal, or rounded to two digits or more."""
    return claim.value == own or (claim.digits > 1 and claim.agrees(own))


class InterpolationMismatch(ModelRule):
    """The Interpolation against the code's own."""

    code = "MOD006"
    title = "Interpolation differs from the code's"
    why = "Resizing with another filter than the one used for evaluation changes the accuracy."
    remedy = "Write the interpolation that the zoo's code gives for these weights, or correct the code."
    before = "- Name: mixnet_s\n  Metadata:\n    Interpolation: bilinear\n"
    after = "- Name: mixnet_s\n  Metadata:\n    Interpolation: bicubic\n"
    fixable = True
    needs = ("config",)
    proves = ("interpolation",)

    def check_model(self, subject: Subject) -> Iterator[Outcome]:
        """Compare the names without regard to case."""
        claim, measurement = subject.claim("interpolation"), subject.measurement
        own = measurement.config.interpolation if measurement is not None else None
        if claim is None or own is None:
            return
        if claim.value.text.strip().casefold() == own.casefold():
            yield judged(claim, Verdict.VERIFIED, own, "the code's own")
        else:
            message = f"Interpolation: {claim.value.text} claimed, {own} in the zoo's code"
            yield from self.breach(claim, message, measured=own, fix=replacement(subject, claim.value, own))


_NUMBERS = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE]-?[0-9]+)?")


class NormalisationMismatch(ModelRule):
    """Mean and Std against the code's own."""

    code = "MOD007"
    title = "Mean or Std differ from the code's"
    why = "The weights were trained on pictures normalised in one way; another way silently costs accuracy."
    remedy = "Write the mean and standard deviation that the zoo's code gives for these weights, or correct the code."
    before = "- Name: mixnet_s\n  Metadata:\n    Mean: [0.5, 0.5, 0.5]\n"
    after = "- Name: mixnet_s\n  Metadata:\n    Mean: [0.485, 0.456, 0.406]\n"
    needs = ("config",)
    proves = ("mean", "std")

    def check_model(self, subject: Subject) -> Iterator[Outcome]:
        """Compare channel by channel at the stated precision."""
        measurement = subject.measurement
        if measurement is None:
            return
        for key, own in (("mean", measurement.config.mean), ("std", measurement.config.std)):
            if own is not None:
                yield from self._compare(subject.by_field.get(key, ()), own)

    def _compare(self, claims: tuple[Claim, ...], own: tuple[float, ...]) -> Iterator[Outcome]:
        """One claim may hold all channels in one text, or each channel is a claim of its own."""
        if len(claims) == 1:
            pairs = [(claims[0], tuple(_NUMBERS.findall(claims[0].value.text)), own)]
        elif len(claims) == len(own):
            pairs = [(claim, (claim.value.text.strip(),), (value,)) for claim, value in zip(claims, own, strict=True)]
        else:
            pairs = [(claim, (), own) for claim in claims[:1]]
        for claim, texts, values in pairs:
            numbers = [parse(text, "plain") for text in texts]
            shown = ", ".join(str(value) for value in values)
            equal = len(numbers) == len(values) and all(
                number is not None and _agrees(number, Decimal(str(value)))
                for number, value in zip(numbers, values, strict=True)
            )
            if equal:
                yield judged(claim, Verdict.VERIFIED, shown, "the code's own")
            else:
                message = f"{claim.field}: {claim.value.text} claimed, {shown} in the zoo's code"
                yield from self.breach(claim, message, measured=shown)


class ArchitectureMismatch(ModelRule):
    """Architecture tags against the modules that are present."""

    code = "MOD008"
    title = "An Architecture tag names what the model does not contain"
    why = (
        "Tags are how models are found and compared. Each tag that modules can prove is looked for in the built model; "
        "tags about ideas rather than modules stay unchecked."
    )
    remedy = "Remove the tag, or correct it. Lists copied from another family's card are the usual cause."
    before = "- Name: mixnet_s\n  Metadata:\n    Architecture:\n    - Layer Normalization\n"
    after = "- Name: mixnet_s\n  Metadata:\n    Architecture:\n    - Batch Normalization\n"
    needs = ("measurement",)
    proves = ("architecture",)

    def check_model(self, subject: Subject) -> Iterator[Outcome]:
        """Look for each tag's modules."""
        measurement = subject.measurement
        if measurement is None:
            return
        for claim in subject.by_field.get("architecture", ()):
            answer = judge_tag(claim.value.text, measurement.kinds)
            if answer is None:
                yield judged(claim, Verdict.UNCHECKED, None, "modules cannot tell")
                continue
            present, number = answer
            if present:
                plural = "module" if number == 1 else "modules"
                yield judged(claim, Verdict.VERIFIED, number, f"{number} {plural}")
            else:
                message = f"Architecture: {claim.value.text} is claimed, but the model has no such module"
                yield from self.breach(claim, message, measured=0)


CONFIGURATION_RULES = (
    ImageSizeMismatch(),
    CropPctMismatch(),
    InterpolationMismatch(),
    NormalisationMismatch(),
    ArchitectureMismatch(),
)
