"""WTS: weight files without the file: what the index, the code and the architecture tell of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from tools.modelindex.records import canonical
from tools.rules.evidence import Evidence, Subject
from tools.rules.filesize import judge_size
from tools.rules.quantity import grouped, parse
from tools.rules.records import Claim, Severity, Verdict
from tools.rules.rule import ModelRule, Outcome, Rule, addition, judged, replacement
from tools.rules.urls import file_name, moves, split
from tools.weights.names import name_hash
from tools.weights.records import WeightFile

_URL = "https://example.org/weights/"


def weights_claim(subject: Subject) -> Claim | None:
    """The claim on where the weights are."""
    return subject.claim("weights")


def local_file(subject: Subject) -> WeightFile | None:
    """The local file of a model's weights URL, where ``--weights`` holds one."""
    claim, files = weights_claim(subject), subject.evidence.context.weights
    if claim is None or not files:
        return None
    name = file_name(claim.value.text) or claim.value.text.strip()
    return files.get(name)


def _has_auxiliary_head(subject: Subject) -> bool:
    return any("auxiliary" in canonical(c.value.text) for c in subject.by_field.get("architecture", ()))


class FileSizeMismatch(ModelRule):
    """The claimed File Size against the state dict of the built model."""

    code = "WTS001"
    title = "File Size cannot be that of the model's state dict"
    why = (
        "A weight file holds the model's tensors and little else, so its size follows from the architecture: never "
        "smaller, and hardly larger (2 % or 256 KiB). A size outside belongs to another file. One inside is reported "
        "as consistent, with the file format whose predicted size it fits: a prediction, not a proof. Half-precision "
        "files and auxiliary heads that were left out or added are recognised."
    )
    remedy = (
        "Write the size in bytes of the file that the Weights link gives. With the file at hand (`--weights DIR`) the "
        "size is compared exactly."
    )
    before = "- Name: mixnet_s\n  Metadata:\n    File Size: 20298347\n"
    after = "- Name: mixnet_s\n  Metadata:\n    File Size: 16727982\n"
    needs = ("measurement",)
    proves = ("file size",)

    def check_model(self, subject: Subject) -> Iterator[Outcome]:
        """Compare one model's claim; where the file is at hand, :class:`LocalSizeMismatch` knows better."""
        claim, measurement = subject.claim("file size"), subject.measurement
        if claim is None or measurement is None or local_file(subject) is not None:
            return
        quantity = parse(claim.value.text, "bytes")
        if quantity is None or quantity.value <= 0:
            return
        weights = weights_claim(subject)
        name = file_name(weights.value.text) if weights is not None else ""
        verdict = judge_size(quantity, measurement, name, auxiliary=_has_auxiliary_head(subject))
        if verdict.fits:
            yield judged(claim, Verdict.CONSISTENT, verdict.predicted, verdict.reason)
        else:
            total = measurement.state_dict_bytes
            message = (
                f"File Size: {claim.value.text} claimed, {grouped(total)} bytes of tensors measured: {verdict.reason}"
            )
            yield from self.breach(claim, message, measured=total)


class SharedWeights(Rule):
    """One weight file under two models that are built differently."""

    code = "WTS002"
    title = "The same weights under two models of different architecture"
    why = (
        "A file cannot be loaded into two different architectures. One of the links was copied and never changed, and "
        "whoever trusts it gets an error or, with a careless loader, wrong predictions."
    )
    remedy = "Link each model's own file; the hash in its name tells them apart."
    before = (
        f"- Name: mixnet_s\n  Weights: {_URL}mixnet_s-a907afbc.pth\n"
        f"- Name: mixnet_m\n  Weights: {_URL}mixnet_s-a907afbc.pth\n"
    )
    after = (
        f"- Name: mixnet_s\n  Weights: {_URL}mixnet_s-a907afbc.pth\n"
        f"- Name: mixnet_m\n  Weights: {_URL}mixnet_m-4647fc68.pth\n"
    )
    needs = ("measurement",)

    def check(self, evidence: Evidence) -> Iterator[Outcome]:
        """Group by URL, hash in the name and SHA256; compare fingerprints within each group."""
        groups: defaultdict[str, list[tuple[Subject, Claim]]] = defaultdict(list)
        for subject in evidence.subjects:
            if subject.measurement is None:
                continue
            weights, digest = weights_claim(subject), subject.claim("sha256")
            if weights is not None:
                hashed = name_hash(file_name(weights.value.text))
                groups[f"hash {hashed}" if hashed else f"URL {weights.value.text.strip()}"].append((subject, weights))
            if digest is not None:
                groups[f"SHA256 {digest.value.text.strip().casefold()}"].append((subject, digest))
        for shared, users in groups.items():
            yield from self._compare(shared, users)

    def _compare(self, shared: str, users: list[tuple[Subject, Claim]]) -> Iterator[Outcome]:
        by_architecture: dict[str, Subject] = {}
        for subject, _ in users:
            if subject.measurement is not None:
                by_architecture.setdefault(subject.measurement.fingerprint, subject)
        if len(by_architecture) < 2:
            return
        owner = self._owner(users)
        for subject, claim in users:
            if subject.measurement is None or owner.measurement is None:
                continue
            if subject.measurement.fingerprint != owner.measurement.fingerprint:
                message = f"{claim.field}: the same {shared} as {owner.name}'s, whose architecture is another"
                yield from self.breach(claim, message)

    def _owner(self, users: list[tuple[Subject, Claim]]) -> Subject:
        """The model to which the file belongs most likely: the code's own, or the one that the file is named after."""
        for subject, claim in users:
            if subject.measurement is not None and subject.measurement.config.weights == claim.value.text.strip():
                return subject
        named = [s for s, claim in users if file_name(claim.value.text).casefold().startswith(s.name.casefold())]
        return max(named, key=lambda s: len(s.name)) if named else users[0][0]


class NoCheckableHash(ModelRule):
    """Weights that nobody can verify."""

    code = "WTS003"
    title = "No hash by which the weights can be checked"
    severity = Severity.WARNING
    why = (
        "Without a hash nobody can tell a damaged or exchanged file from the real one. torch.hub checks the hash in a "
        "file's name (`name-a907afbc.pth`: the first digits of its SHA-256); a full one can stand in the metadata."
    )
    remedy = (
        "Add `SHA256:` to the metadata, or rename the file with the first eight digits of its SHA-256. `--fix` adds "
        "the field where the file is at hand (`--weights DIR`)."
    )
    before = f"- Name: mixnet_s\n  Weights: {_URL}mixnet_s.pth\n"
    after = f"- Name: mixnet_s\n  Weights: {_URL}mixnet_s-a907afbc.pth\n"
    fixable = True

    def check_model(self, subject: Subject) -> Iterator[Outcome]:
        """Look for a hash in the name or the metadata."""
        claim = weights_claim(subject)
        if claim is None or "sha256" in subject.model.metadata:
            return
        name = file_name(claim.value.text)
        if not name or name_hash(name) is not None:
            return
        file = local_file(subject)
        fix = addition(subject, "SHA256", file.sha256) if file is not None and not file.problem else ()
        yield self.remark(claim, f"Weights: {name} has no hash in its name, and no SHA256 is stated", fix=fix)


class WeightsDiffer(ModelRule):
    """The weights URL against the code's own."""

    code = "WTS004"
    title = "Weights differ from the code's own"
    why = (
        "Readers who follow the page and readers who call the code get different weights, and the results on the page "
        "belong to one of them at most."
    )
    remedy = "Write the URL that the zoo's code downloads, or correct the code."
    before = "- Name: mixnet_s\n  Weights: https://example.org/weights/mixnet_s-b907afbc.pth\n"
    after = "- Name: mixnet_s\n  Weights: https://example.org/weights/mixnet_s-a907afbc.pth\n"
    fixable = True
    needs = ("config",)
    proves = ("weights",)

    def check_model(self, subject: Subject) -> Iterator[Outcome]:
        """Compare the URLs as they are written; the URL is right, yet no file was seen."""
        claim, measurement = weights_claim(subject), subject.measurement
        if claim is None or measurement is None or measurement.config.weights is None:
            return
        own = measurement.config.weights
        if claim.value.text.strip() != own:
            message = f"Weights: {claim.value.text} claimed, {own} in the zoo's code"
            yield from self.breach(claim, message, measured=own, fix=replacement(subject, claim.value, own))
        elif local_file(subject) is None:
            yield judged(claim, Verdict.UNCHECKED, None, "no file; the URL is the code's own")


class InsecureWeights(ModelRule):
    """Weights fetched without encryption."""

    code = "WTS005"
    title = "Weights are fetched over an insecure connection"
    severity = Severity.WARNING
    why = (
        "Whoever sits between the server and the reader can exchange the file, and a weight file may be a pickle that "
        "runs code. Plain http and ftp give no protection."
    )
    remedy = "Use https. Nearly every server offers it."
    before = "- Name: mixnet_s\n  Weights: http://example.org/weights/mixnet_s-a907afbc.pth\n"
    after = "- Name: mixnet_s\n  Weights: https://example.org/weights/mixnet_s-a907afbc.pth\n"

    def check_model(self, subject: Subject) -> Iterator[Outcome]:
        """Look at the scheme."""
        claim = weights_claim(subject)
        parts = split(claim.value.text) if claim is not None else None
        if claim is not None and parts is not None and parts.scheme in {"http", "ftp"}:
            yield self.remark(claim, f"Weights: {parts.scheme} is not encrypted; use https")


class UnpinnedWeights(ModelRule):
    """Weights that may change under their URL."""

    code = "WTS006"
    title = "The weights' URL is not pinned"
    severity = Severity.WARNING
    why = (
        "A link to a branch or to `latest` gives another file after the next upload, and the results on the page no "
        "longer belong to it."
    )
    remedy = "Link a release, a tag or a commit."
    before = "- Name: mixnet_s\n  Weights: https://huggingface.co/zoo/mixnet/resolve/main/mixnet_s-a907afbc.pth\n"
    after = "- Name: mixnet_s\n  Weights: https://huggingface.co/zoo/mixnet/resolve/v1.0/mixnet_s-a907afbc.pth\n"

    def check_model(self, subject: Subject) -> Iterator[Outcome]:
        """Look for a branch in the URL. A full SHA256 pins the content, whatever the URL."""
        claim = weights_claim(subject)
        if claim is None or "sha256" in subject.model.metadata:
            return
        moving = moves(claim.value.text)
        if moving is not None:
            yield self.remark(claim, f"Weights: the URL follows {moving}, so the file may change under it")


WEIGHTS_RULES = (
    FileSizeMismatch(),
    SharedWeights(),
    NoCheckableHash(),
    WeightsDiffer(),
    InsecureWeights(),
    UnpinnedWeights(),
)
