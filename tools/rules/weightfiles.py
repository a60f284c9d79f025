"""WTS, continued: weight files that are at hand (``--weights``), or whose tensors a server told (``--online``)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tools.measure.records import TensorEntry
from tools.rules.evidence import Evidence, Subject
from tools.rules.quantity import Agreement, format_like, grouped, parse
from tools.rules.records import Severity, Verdict
from tools.rules.rule import ModelRule, Outcome, addition, judged, replacement
from tools.rules.urls import file_name
from tools.rules.weights import local_file, weights_claim
from tools.weights.compare import Differences, compare
from tools.weights.names import name_hash
from tools.weights.records import WeightFile

_URL = "https://example.org/weights/"
_SHA256 = "a907afbc" + "0123456789abcdef" * 3 + "01234567"
_OTHER = "b907afbc" + "0123456789abcdef" * 3 + "01234567"


def _usable(subject: Subject) -> WeightFile | None:
    """The local file of a model, where it could be read."""
    file = local_file(subject)
    return file if file is not None and not file.problem else None


class LocalSizeMismatch(ModelRule):
    """The File Size against the file."""

    code = "WTS007"
    title = "File Size differs from the file's"
    why = "The file at hand is the one that the Weights link names, so its size in bytes is known exactly."
    remedy = "Write the measured size. If the hash differs as well, the file is another one: look at that first."
    before = f"- Name: at_hand\n  Weights: {_URL}at_hand-a907afbc.pth\n  Metadata:\n    File Size: 16727983\n"
    after = f"- Name: at_hand\n  Weights: {_URL}at_hand-a907afbc.pth\n  Metadata:\n    File Size: 16727982\n"
    fixable = True
    needs = ("weights",)
    proves = ("file size",)

    def check_model(self, subject: Subject) -> Iterator[Outcome]:
        """Compare at the claimed precision; a file with the wrong hash corrects nothing."""
        claim, file = subject.claim("file size"), local_file(subject)
        quantity = parse(claim.value.text, "bytes") if claim is not None else None
        if claim is None or file is None or quantity is None or not file.sha256:
            return
        if quantity.compare(file.size) in {Agreement.CUT, Agreement.DIFFERENT}:
            message = f"File Size: {claim.value.text} claimed, {grouped(file.size)} bytes measured"
            sure = not file.problem and file.name_hash_agrees is not False
            fix = replacement(subject, claim.value, format_like(file.size, quantity)) if sure else ()
            yield from self.breach(claim, message, measured=file.size, fix=fix)
        else:
            yield judged(claim, Verdict.VERIFIED, file.size, "the file at hand")


class HashMismatch(ModelRule):
    """The hash in the file's name, and SHA256, against the file."""

    code = "WTS008"
    title = "The hash of the weights is wrong"
    why = (
        "The file is damaged, or it is not the file that was published under this name. Loading it gives wrong "
        "predictions at best. Without the file, the hash in the name and the SHA256 stated must at least agree."
    )
    remedy = (
        "Download the file again. If the hash is still wrong, the file was exchanged: ask its publisher, and do not "
        "load it."
    )
    before = f"- Name: mixnet_s\n  Weights: {_URL}mixnet_s-a907afbc.pth\n  Metadata:\n    SHA256: {_OTHER}\n"
    after = f"- Name: mixnet_s\n  Weights: {_URL}mixnet_s-a907afbc.pth\n  Metadata:\n    SHA256: {_SHA256}\n"
    needs = ("weights",)
    proves = ("weights", "sha256")

    @classmethod
    def runs(cls, evidence: Evidence) -> bool:
        """Always: name and SHA256 can be held against each other without a file."""
        del evidence
        return True

    def check_model(self, subject: Subject) -> Iterator[Outcome]:
        """Compare what is stated with the file, or with itself where no file is at hand."""
        weights, stated, file = weights_claim(subject), subject.claim("sha256"), local_file(subject)
        in_name = name_hash(file_name(weights.value.text)) if weights is not None else None
        digest = stated.value.text.strip().casefold() if stated is not None else ""
        if file is None or not file.sha256:
            if stated is not None and in_name is not None and not digest.startswith(in_name):
                message = f"SHA256: {_short(digest)} claimed, but the hash in the file's name is {in_name}"
                yield from self.breach(stated, message, measured=in_name)
            return
        if stated is not None:
            if digest == file.sha256:
                yield judged(stated, Verdict.VERIFIED, file.sha256, "the file at hand")
            else:
                message = f"SHA256: {_short(digest)} claimed, {_short(file.sha256)} measured"
                yield from self.breach(stated, message, measured=file.sha256)
        if weights is None:
            return
        if in_name is None:
            reason = "no hash in its name" if stated is None else "see SHA256"
            yield judged(weights, Verdict.UNCHECKED, None, f"the file is at hand; {reason}")
        elif file.sha256.startswith(in_name):
            yield judged(weights, Verdict.VERIFIED, file.sha256, "the hash in its name is the file's")
        else:
            message = f"Weights: the hash in the name is {in_name}, the file's SHA-256 begins {file.sha256[:8]}"
            yield from self.breach(weights, message, measured=file.sha256)


def _short(digest: str) -> str:
    return digest if len(digest) <= 12 else f"{digest[:12]}…"


class StateDictMismatch(ModelRule):
    """The tensors of the file against the state dict of the built model."""

    code = "WTS009"
    title = "The weights do not fit the model"
    why = (
        "`load_state_dict` refuses the file, or a careless loader leaves part of the model random. Names and shapes "
        "are compared with the built model. Half-precision tensors, and auxiliary heads that only one side has, are "
        "recognised and not reported: the model itself loads."
    )
    remedy = (
        "The names of what differs tell most: a whole part missing is another variant, the classifier alone is another "
        "number of classes, everything is another architecture or another naming."
    )
    before = f"- Name: misfit\n  Weights: {_URL}misfit-a907afbc.pth\n"
    after = f"- Name: at_hand\n  Weights: {_URL}at_hand-a907afbc.pth\n"
    needs = ("measurement", "weights")
    proves = ("weights",)

    @classmethod
    def runs(cls, evidence: Evidence) -> bool:
        """Also where servers were asked, who may have sent the header of a safetensors file."""
        return evidence.holds("measurement") and (evidence.holds("weights") or evidence.holds("links"))

    def check_model(self, subject: Subject) -> Iterator[Outcome]:
        """Compare keys, shapes and dtypes, from the file or from the header that the server sent."""
        claim, measurement = weights_claim(subject), subject.measurement
        if claim is None or measurement is None:
            return
        entries, source = _entries(subject, claim.value.text)
        if entries is None:
            return
        differences = compare(entries, measurement.state_dict)
        if _heads_alone(differences):
            yield judged(claim, Verdict.CONSISTENT, None, f"{source} fits, apart from auxiliary heads")
        elif not differences.loads:
            yield from self.breach(claim, f"Weights: {source} does not fit the model: {differences.describe()}")
        else:
            dtypes = {change.file for change in differences.wrong_dtype}
            as_what = f" as {' and '.join(sorted(dtypes))}" if dtypes else ""
            yield judged(claim, Verdict.VERIFIED, None, f"{source} fits the model{as_what}")


def _entries(subject: Subject, url: str) -> tuple[Sequence[TensorEntry] | None, str]:
    file = _usable(subject)
    if file is not None and file.entries:
        return file.entries, "the file"
    status = (subject.evidence.context.links or {}).get(url)
    return (status.entries, "the server's header") if status is not None else (None, "")


def _heads_alone(differences: Differences) -> bool:
    """Whether auxiliary heads are all that one side has and the other lacks."""
    keys = (*differences.missing, *differences.unexpected)
    if not keys or differences.wrong_shape:
        return False
    return all(any(part.casefold().startswith("aux") for part in key.split(".")) for key in keys)


class NonFiniteWeights(ModelRule):
    """NaN or infinity among the weights."""

    code = "WTS010"
    title = "The weights hold NaN or infinite values"
    why = "One of them is enough to turn every prediction into NaN. Training diverged, or the file is damaged."
    remedy = "Check the file's hash; if it is right, publish weights from before training diverged."
    before = f"- Name: diverged\n  Weights: {_URL}diverged-a907afbc.pth\n"
    after = f"- Name: at_hand\n  Weights: {_URL}at_hand-a907afbc.pth\n"
    needs = ("weights",)

    def check_model(self, subject: Subject) -> Iterator[Outcome]:
        """Name the tensors, five at most."""
        claim, file = weights_claim(subject), _usable(subject)
        if claim is None or file is None or not file.nonfinite:
            return
        shown = ", ".join(f"{key} ({grouped(number)})" for key, number in list(file.nonfinite.items())[:5])
        more = f" and {len(file.nonfinite) - 5} more tensors" if len(file.nonfinite) > 5 else ""
        yield from self.breach(claim, f"Weights: NaN or infinite values in {shown}{more}")


class UnusableFile(ModelRule):
    """A weight file that cannot be read, or must not."""

    code = "WTS011"
    title = "The weight file cannot be read safely"
    why = (
        "A weight file may be a pickle, and a pickle may run code when it is loaded. Files that would, that are cut "
        "short, that lie about their length or unpack to a thousand times their size are not opened any further."
    )
    remedy = "Download the file again; if it stays so, do not load it, and tell its publisher. Prefer safetensors."
    before = f"- Name: poisoned\n  Weights: {_URL}poisoned-a907afbc.pth\n"
    after = f"- Name: at_hand\n  Weights: {_URL}at_hand-a907afbc.pth\n"
    needs = ("weights",)

    def check_model(self, subject: Subject) -> Iterator[Outcome]:
        """Pass on what the reader of the file found."""
        claim, file = weights_claim(subject), local_file(subject)
        if claim is not None and file is not None and file.problem:
            yield from self.breach(claim, f"Weights: {file_name(claim.value.text)}: {file.problem}")


class HashNotStated(ModelRule):
    """A verified file whose full hash the card does not give."""

    code = "WTS012"
    title = "The full SHA-256 is not stated"
    severity = Severity.NOTE
    why = (
        "Eight digits in a name guard against accidents, not against malice: a file with the same eight digits can be "
        "made in minutes. The full hash cannot be forged, and `--fix` knows it, for the file is at hand."
    )
    remedy = "Add `SHA256:` to the metadata, or run with `--fix`."
    before = f"- Name: at_hand\n  Weights: {_URL}at_hand-a907afbc.pth\n  Metadata:\n    File Size: 16727982\n"
    after = f"{before}    SHA256: {_SHA256}\n"
    fixable = True
    needs = ("weights",)

    def check_model(self, subject: Subject) -> Iterator[Outcome]:
        """Offer the hash of a file that its name's hash has proved."""
        claim, file = weights_claim(subject), _usable(subject)
        if claim is None or file is None or "sha256" in subject.model.metadata or not file.name_hash_agrees:
            return
        fix = addition(subject, "SHA256", file.sha256)
        message = f"Weights: verified, but SHA256 is not stated: {file.sha256}"
        yield self.remark(claim, message, measured=file.sha256, fix=fix)


WEIGHT_FILE_RULES = (
    LocalSizeMismatch(),
    HashMismatch(),
    StateDictMismatch(),
    NonFiniteWeights(),
    UnusableFile(),
    HashNotStated(),
)
