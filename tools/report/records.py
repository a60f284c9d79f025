"""The outcome of one audit run, as every output format shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tools.measure.records import Environment, Failure, Measurement
from tools.modelindex.records import Model
from tools.rules.records import Finding, Judgement, Severity, Verdict


@dataclass(frozen=True, slots=True)
class RuleInfo:
    """What a report says of a rule, so that formats need not know the rules themselves."""

    code: str
    title: str
    why: str
    remedy: str
    severity: Severity
    """The severity that it has in this run."""


@dataclass(frozen=True, slots=True)
class ModelReport:
    """One model: what was claimed, what was measured, and the verdict on each claim, in the card's order."""

    model: Model
    measurement: Measurement | Failure | None
    """``None``: not measured (``--static``)."""
    judgements: tuple[Judgement, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """One run over one index. ``findings`` holds what counts: ignored and baselined ones are left out."""

    models: tuple[ModelReport, ...]
    findings: tuple[Finding, ...]
    ignored: tuple[Finding, ...]
    environment: Environment | None
    """``None``: nothing was measured."""
    baselined: tuple[Finding, ...] = ()
    """Findings that the baseline knows: counted, but they fail nothing."""
    rules: tuple[RuleInfo, ...] = ()
    """The rules that took part in the run, by code."""
    interrupted: bool = False
    """The run was stopped before every model was measured."""

    def verdicts(self) -> Mapping[Verdict, int]:
        """How many claims got which verdict; every verdict is present."""
        counts = dict.fromkeys(Verdict, 0)
        for model in self.models:
            for judgement in model.judgements:
                counts[judgement.verdict] += 1
        return counts

    def severities(self) -> Mapping[Severity, int]:
        """How many findings have which severity; every severity is present."""
        counts = dict.fromkeys(Severity, 0)
        for finding in self.findings:
            counts[finding.severity] += 1
        return counts
