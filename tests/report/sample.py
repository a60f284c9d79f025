"""Reports made by hand: one healthy model, one with every verdict, and metadata that means harm."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tools.measure.records import CodeConfig, Count, Environment, Failure, Measurement, TensorEntry
from tools.modelindex import load_index
from tools.modelindex.records import Edit, Index, Place, Scalar
from tools.report.records import ModelReport, Report, RuleInfo
from tools.rules.claims import claims_of
from tools.rules.records import Finding, Judgement, Severity, Verdict

ENVIRONMENT = Environment(python="3.11.7", torch="2.13.0", fvcore="0.1.5", platform="Linux")

CARD = """\
# Toys

<!--
Type: model-index
Models:
- Name: small
  Metadata:
    FLOPs: 640
    Parameters: 90
    File Size: 400
    Training Data: none
- Name: broken
  Metadata:
    Parameters: 12
-->
"""


def measurement(name: str) -> Measurement:
    """A linear layer of 8 inputs and 10 outputs: 80 weights and 10 biases."""
    counts = (
        Count("fvcore", (8, 1, 1), 80, {"linear": 80}, {"": 80}, {"aten::relu": 2}, {}),
        Count("torch", (8, 1, 1), 80, {"mm": 80}, {"": 80}, {}, {}),
    )
    return Measurement(
        name=name,
        parameters=90,
        trainable_parameters=90,
        buffers=0,
        parameters_by_stage={"": 90},
        parameters_by_kind={"Linear": 90},
        counts=counts,
        activations=10,
        activations_by_stage={"": 10},
        state_dict=(TensorEntry("weight", (10, 8), "float32", 320), TensorEntry("bias", (10,), "float32", 40)),
        module_versions=(("", 1),),
        kinds={"Linear": 1},
        fingerprint="abc",
        classifier=(8, 10),
        input_size=(8, 1, 1),
        dtype="float32",
        method="meta",
        method_reason="",
        environment=ENVIRONMENT,
        config=CodeConfig(),
        seconds=0.5,
    )


def index_of(folder: Path, card: str = CARD) -> Index:
    """An index of one card, ``toys.md``."""
    (folder / "toys.md").write_text(card, encoding="utf-8")
    return load_index([folder / "toys.md"], folder)


def report_of(folder: Path) -> Report:
    """A mismatch with a fix, one claim of every other verdict, a model that failed, and a finding of the index."""
    index = index_of(folder)
    small, broken = index.models
    flops, parameters, size, data = claims_of(small)
    wrong = "640 are claimed, 80 were counted: 8 times as many"
    finding = Finding(
        "FLP001",
        Severity.ERROR,
        flops.place,
        wrong,
        "small",
        "FLOPs",
        "640",
        80,
        fix=(_edit(flops.value, "80"),),
    )
    return Report(
        models=(
            ModelReport(
                small,
                measurement("small"),
                (
                    Judgement(flops, Verdict.MISMATCH, "640", 80, wrong),
                    Judgement(parameters, Verdict.VERIFIED, "90", 90, "exactly"),
                    Judgement(size, Verdict.CONSISTENT, "400", 396, "predicted"),
                    Judgement(data, Verdict.UNCHECKED, "none", None, "no rule checks it"),
                ),
            ),
            ModelReport(
                broken,
                Failure("broken", "build", "KeyError: 'broken'", "Traceback\n  a line\nKeyError: 'broken'"),
                (Judgement(claims_of(broken)[0], Verdict.IGNORED, "12", None, "known to be off"),),
            ),
        ),
        findings=(
            finding,
            Finding("MOD001", Severity.ERROR, broken.place, "cannot be built: KeyError: 'broken'", "broken"),
            Finding("CIT003", Severity.WARNING, Place("toys.md", 1, 1), "no citation"),
        ),
        ignored=(Finding("PAR001", Severity.ERROR, claims_of(broken)[0].place, "12 are claimed", "broken"),),
        environment=ENVIRONMENT,
        rules=(
            RuleInfo("CIT003", "a card cites", "Credit.", "Add a citation.", Severity.WARNING),
            RuleInfo("FLP001", "FLOPs agree", "People compare.", "Write what was counted.", Severity.ERROR),
            RuleInfo("MOD001", "the model is built", "It is used.", "Name it rightly.", Severity.ERROR),
        ),
    )


def _edit(value: Scalar, new: str) -> Edit:
    return Edit(value.place.path, value.start, value.end, value.text, new)


HOSTILE = (
    "\x1b[31mred\x1b[0m",
    "one\n::error file=a::owned",
    "::error::owned",
    "##[set-output name=a]owned",
    "a\rb\x00c\x7f\x9b31m",
    "\u202egnp.exe",
    "a|b <script>alert(1)</script> `c` [d](javascript:e) &amp; *f*",
    "]]> -->",
    "100%0A::error::x,y:z",
    "\ud800",
)
"""Texts that steer a terminal, a CI runner, an XML reader or a page, where they are not escaped."""


def hostile_report(folder: Path, text: str) -> Report:
    """The report with ``text`` wherever metadata can put one."""
    report = report_of(folder)
    small = report.models[0]
    model = replace(small.model, name=_Text(small.model.name, text))
    judgements = tuple(
        replace(judgement, claim=replace(judgement.claim, field=text), claimed=text, measured=text, reason=text)
        for judgement in small.judgements
    )
    findings = tuple(
        replace(finding, message=text, model=text, field=text, claimed=text, place=Place(text, 1, 1), fix=())
        for finding in report.findings
    )
    failure = Failure("broken", "build", text, text)
    return replace(
        report,
        models=(ModelReport(model, small.measurement, judgements), replace(report.models[1], measurement=failure)),
        findings=findings,
        ignored=findings,
        baselined=findings,
    )


class _Text:
    """A scalar whose text was replaced."""

    def __init__(self, scalar: Scalar, text: str) -> None:
        self.text = text
        self.quoted = scalar.quoted
        self.place = scalar.place._replace(path=text)
        self.start = scalar.start
        self.end = scalar.end
