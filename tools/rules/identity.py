"""MOD: the card's model is the zoo's model: it can be built, it is the right one, and it is configured as claimed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from tools.modelindex.records import Place
from tools.rules.configuration import CONFIGURATION_RULES
from tools.rules.evidence import Evidence, Subject
from tools.rules.quantity import Quantity, parse
from tools.rules.records import Severity, Verdict
from tools.rules.rule import ModelRule, Outcome, Rule, judged, replacement
from tools.rules.sizes import claimed_size
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
    *CONFIGURATION_RULES,
    ModelWithoutCard(),
    CardWithoutModel(),
)
