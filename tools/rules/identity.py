"""MOD: the card's model is the zoo's model: it can be built, it is the right one, and it is configured as claimed."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal

from tools.modelindex.records import Place
from tools.rules.architecture import judge_tag
from tools.rules.evidence import Evidence, Subject
from tools.rules.quantity import Quantity, parse
from tools.rules.records import Claim, Severity, Verdict
from tools.rules.rule import ModelRule, Outcome, Rule, judged, replacement
from tools.rules.sizes import claimed_size, parse_size, show_size
from tools.rules.variants import differ_in_size

_STAGES = {
    "import": "its code cannot be imported",
    "build": "cannot be built",
    "forward": "was built, but does not run",
    "timeout": "took too long",
    "memory": "needed too much memory",
    "crash": "crashed the process",
}


class CannotBuild(ModelRule):
    """A model that the factory cannot build or run."""

    code = "MOD001"
    title = "The zoo cannot build the model"
    why = (
        "A page that describes a model which its own code cannot build is of no use to its reader, and none of its "
        "numbers can be checked. The other models are audited all the same."
    )
    remedy = (
        "The finding ends with the last line of the error; `--format json` holds all of it. Usually the name is "
        "misspelt or was renamed in the code, an optional dependency is missing, or the default input size does not "
        "fit the model (`--input-size`)."
    )
    before = "- Name: broken_net\n"
    after = "- Name: mixnet_s\n"
    needs = ("measurement",)

    def check_model(self, subject: Subject) -> Iterator[Outcome]:
        """Report a failure, except one that :class:`CardWithoutModel` explains better."""
        failure = subject.failure
        if failure is None or failure.stage == "cancelled" or _unlisted(subject):
            return
        what = _STAGES.get(failure.stage, "failed")
        yield self.finding(subject.model.place, f"{subject.name} {what}: {failure.message}", model=subject.name)


def _unlisted(subject: Subject) -> bool:
    """Whether the zoo's code lists its models and this one is none of them."""
    evidence = subject.evidence
    listing = evidence.context.listing
    if listing is None or not listing.names or subject.measurement is not None:
        return False
    built_as = evidence.context.build_names.get(subject.name, subject.name)
    return built_as not in evidence.listed and subject.name not in evidence.listed


class SameArchitecture(Rule):
    """Two models that claim to differ and do not."""

    code = "MOD002"
    title = "Two models with different claims build the very same architecture"
    why = (
        "An alias in the zoo's code points at the wrong variant, or an entry was copied and the factory never told "
        "about the new one. Readers who ask for the large model get the small one, with nothing to warn them. "
        "The same architecture under several names is in order where it was trained differently: weights, results "
        "and training data may differ. It is reported where the names tell of two sizes of one family (resnet50, "
        "resnet101), or where both Parameters and FLOPs (by one counter at one input size) contradict each other; "
        "a single wrong number is a slip, and the rules on that number tell of it."
    )
    remedy = "Let the factory build the variant that the name promises, or correct the claims copied from the other."
    before = (
        "- Name: mixnet_s\n  Metadata:\n    Parameters: 4130000\n    FLOPs: 252M\n"
        "- Name: mixnet_s_twin\n  Metadata:\n    Parameters: 5010000\n    FLOPs: 356M\n"
    )
    after = (
        "- Name: mixnet_s\n  Metadata:\n    Parameters: 4130000\n    FLOPs: 252M\n"
        "- Name: mixnet_s_twin\n  Metadata:\n    Parameters: 4130000\n    FLOPs: 252M\n"
    )
    needs = ("measurement",)

    def check(self, evidence: Evidence) -> Iterator[Outcome]:
        """Compare the models that share a fingerprint with one of them that is what it claims to be."""
        groups: defaultdict[str, list[Subject]] = defaultdict(list)
        for subject in evidence.subjects:
            if subject.measurement is not None and subject.measurement.fingerprint:
                groups[subject.measurement.fingerprint].append(subject)
        for group in groups.values():
            if len(group) < 2:
                continue
            honest = next((subject for subject in group if _is_what_it_claims(subject)), group[0])
            for subject in group:
                difference = "" if subject is honest else _difference(honest, subject)
                if difference:
                    message = f"{subject.name} builds the very same architecture as {honest.name}, but {difference}"
                    yield self.finding(subject.model.place, message, model=subject.name)


def _quantity(subject: Subject, key: str) -> Quantity | None:
    claim = subject.claim(key)
    return None if claim is None else parse(claim.value.text)


def _is_what_it_claims(subject: Subject) -> bool:
    parameters, measurement = _quantity(subject, "parameters"), subject.measurement
    return parameters is not None and measurement is not None and parameters.agrees(measurement.parameters)


def _difference(first: Subject, second: Subject) -> str:
    """How the claims on two models' architectures contradict each other; empty where they do not."""
    if differ_in_size(first.name, second.name):
        return "its name tells of another size"
    if _convention(first) != _convention(second):
        return ""
    told: list[str] = []
    for key, field in (("parameters", "Parameters"), ("flops", "FLOPs")):
        one, other = _quantity(first, key), _quantity(second, key)
        if one is None or other is None or one.value <= 0 or other.value <= 0:
            return ""
        if abs(one.value - other.value) * 2 <= one.quantum + other.quantum:
            return ""
        told.append(f"{field} {other.text.strip()}, not {one.text.strip()}")
    return f"claims {' and '.join(told)}"


def _convention(subject: Subject) -> tuple[str, object]:
    counter = subject.claim("flops counter")
    return ("fvcore" if counter is None else counter.value.text.strip(), claimed_size(subject.model))


class IdMismatch(ModelRule):
    """The ID against the name that the zoo builds."""

    code = "MOD003"
    title = "ID is not the name that the zoo builds"
    why = "The ID is what readers copy into their code. A wrong one gives them another model, or an error."
    remedy = "Write the name that the factory takes. An entry that was copied often keeps the ID of its origin."
    before = "- Name: mixnet_s\n  Metadata:\n    ID: mixnet_m\n"
    after = "- Name: mixnet_s\n  Metadata:\n    ID: mixnet_s\n"
    fixable = True
    proves = ("id",)

    def check_model(self, subject: Subject) -> Iterator[Outcome]:
        """Compare one model's ID; only a model that was built proves it."""
        claim = subject.claim("id")
        if claim is None:
            return
        built_as = subject.evidence.context.build_names.get(subject.name, subject.name)
        if claim.value.text.strip() not in {subject.name, built_as}:
            message = f"ID: {claim.value.text} claimed, but the zoo builds this model as {built_as}"
            yield from self.breach(claim, message, measured=built_as, fix=replacement(subject, claim.value, built_as))
        elif subject.measurement is not None:
            yield judged(claim, Verdict.VERIFIED, built_as, "the zoo builds it by this name")
        elif subject.failure is not None:
            yield judged(claim, Verdict.UNCHECKED, None, f"not measured: {subject.failure.message}")
        else:
            yield judged(claim, Verdict.CONSISTENT, None, "the model's name; not built")


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
        """Compare height and width."""
        claim, measurement = subject.claim("image size"), subject.measurement
        if claim is None or measurement is None or measurement.config.input_size is None:
            return
        claimed, own = parse_size(claim.value.text), measurement.config.input_size
        if claimed is None:
            return
        alone = claim.value.text.strip().isdigit()
        shown = str(own[-1]) if alone and own[-1] == own[-2] else show_size(own)
        if claimed[-2:] == own[-2:]:
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


class ModelWithoutCard(Rule):
    """A model of the zoo that no card describes."""

    code = "MOD009"
    title = "A published model has no card"
    severity = Severity.WARNING
    why = "The zoo's code offers the model, with weights, and the index says nothing about it: it cannot be found."
    remedy = (
        "Add an entry for it. Where the code says which models have weights (`config-of`), only those need a card; "
        "otherwise every model that `list-models` gives."
    )
    before = "Models:\n- Name: mixnet_s\n"
    after = "Models:\n- Name: mixnet_s\n- Name: mixnet_m\n"
    needs = ("listing",)

    def check(self, evidence: Evidence) -> Iterator[Outcome]:
        """Look for every published name; findings stand at the head of the index's first file."""
        context, listing = evidence.context, evidence.context.listing
        if listing is None or context.partial or not evidence.index.files:
            return
        described = {subject.name for subject in evidence.subjects} | set(context.build_names.values())
        place = Place(next(iter(evidence.index.files)), 1, 1)
        for name in listing.published or listing.names:
            if name not in described:
                yield self.finding(place, f"the zoo's {name} has no card", model=name)


class CardWithoutModel(ModelRule):
    """A card whose model the zoo's code does not know."""

    code = "MOD010"
    title = "A card describes a model that the zoo does not have"
    why = "Readers will try the name and fail. The model was renamed or removed in the code, or the name is misspelt."
    remedy = "Correct the name, map it to the code's name in the configuration, or remove the entry."
    before = "- Name: mixnet_ss\n"
    after = "- Name: mixnet_s\n"

    def check_model(self, subject: Subject) -> Iterator[Outcome]:
        """Look the name up among those that the code lists."""
        if not _unlisted(subject):
            return
        near = subject.evidence.nearest(subject.name)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        yield self.finding(subject.model.place, f"the zoo has no model {subject.name}{hint}", model=subject.name)


IDENTITY_RULES = (
    CannotBuild(),
    SameArchitecture(),
    IdMismatch(),
    ImageSizeMismatch(),
    CropPctMismatch(),
    InterpolationMismatch(),
    NormalisationMismatch(),
    ArchitectureMismatch(),
    ModelWithoutCard(),
    CardWithoutModel(),
)
