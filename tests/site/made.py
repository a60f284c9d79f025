"""Hand-made facts for tests of single pages' parts: no file is read, no model built."""

from __future__ import annotations

from dataclasses import dataclass

from tools.measure.records import CodeConfig, Count, Environment, Failure, InputSize, Measurement
from tools.modelindex.records import Model, Paper, Place
from tools.report.records import ModelReport, Report
from tools.rules.records import Claim, Judgement, Verdict
from tools.site.facts import Facts

PLACE = Place("docs/models/made.md", 7, 3)
ENVIRONMENT = Environment("3.11.7", "2.13.0", "0.1.5", "Linux x86_64")


@dataclass(frozen=True)
class Text:
    text: str
    quoted: bool = False
    place: Place = PLACE
    start: int = 0
    end: int = 0


def count(counter: str, total: int, size: InputSize = (3, 224, 224), **operators: int) -> Count:
    return Count(counter, size, total, operators or {"conv": total}, {"stem": total}, {"aten::silu": 3}, {})


def measurement(name: str, *, parameters: int = 4_134_606, counts: tuple[Count, ...] | None = None) -> Measurement:
    return Measurement(
        name=name,
        parameters=parameters,
        trainable_parameters=parameters,
        buffers=10,
        parameters_by_stage={"stem": parameters},
        parameters_by_kind={"Conv2d": parameters},
        counts=counts if counts is not None else (count("fvcore", 251_736_960),),
        activations=6_252_094,
        activations_by_stage={"stem": 6_252_094},
        state_dict=(),
        module_versions=(),
        kinds={},
        fingerprint="0" * 64,
        classifier=(1536, 1000),
        input_size=(3, 224, 224),
        dtype="float32",
        method="meta",
        method_reason="",
        environment=ENVIRONMENT,
        config=CodeConfig(),
        seconds=0.1,
    )


def judgement(
    model: str, field: str, claimed: str, verdict: Verdict, measured: int | None = None, reason: str = ""
) -> Judgement:
    return Judgement(Claim(model, field, Text(claimed)), verdict, claimed, measured, reason)


def facts(
    name: str,
    *claims: tuple[str, str, Verdict],
    family: str = "Made",
    weights: str | None = None,
    measured: Measurement | Failure | None = None,
    page: str = "docs/models/made.md",
) -> Facts:
    model = Model(
        name=Text(name),
        file=page,
        page=page,
        fields={},
        metadata={},
        results=(),
        paper=Paper(None, Text("https://arxiv.org/abs/1907.09595"), "1907.09595"),
        code=None,
        weights=Text(weights) if weights else None,
        config=None,
        collections=(Text(family),),
    )
    judgements = tuple(judgement(name, field, claimed, verdict) for field, claimed, verdict in claims)
    return Facts(ModelReport(model, measured if measured is not None else measurement(name), judgements), {})


def report(*models: Facts) -> Report:
    return Report(tuple(one.report for one in models), (), (), ENVIRONMENT)
