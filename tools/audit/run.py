"""One audit: read the index, measure the models, look at what is at hand, judge, and put the report together.

No command line here: the site runs the same audit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from tools.audit import baseline, gather
from tools.audit.measuring import Measured, measure
from tools.audit.nearest import hint
from tools.audit.paths import index_files
from tools.audit.profile import Clock
from tools.audit.progress import Progress, Silent
from tools.audit.settings import NothingToAuditError, Settings, SettingsError
from tools.measure.records import Environment, Measurement
from tools.modelindex.records import Index, Problem
from tools.report.records import ModelReport, Report, RuleInfo
from tools.rules.engine import Judged, judge, matches, unknown_selectors
from tools.rules.records import Context, Finding, Severity
from tools.rules.rule import Rule


@dataclass(frozen=True, slots=True)
class Run:
    """What an audit found, with what it was found from."""

    report: Report
    index: Index
    context: Context
    troubles: tuple[str, ...] = ()
    """What was asked for and could not be done: a download that failed, a listing that raised."""


def run(settings: Settings, progress: Progress | None = None, clock: Clock | None = None) -> Run:
    """Audit what the settings name.

    Raises:
        SettingsError: the settings name a rule, model or baseline that does not exist, or lack a factory.
        NothingToAuditError: there is no index, or nothing in it.
        RuleError: a rule failed, which is a bug in this tool.
        KeyboardInterrupt: stopped at a moment at which there is nothing to show yet.
    """
    progress, clock = progress or Silent(), clock or Clock()
    check_selectors(settings)
    known = baseline.read(settings.baseline) if settings.baseline is not None else None
    with clock.phase("load"):
        index = _load(settings)
        selected = select_models(index, settings.models)
    if settings.factory is None and not settings.static and index.models:
        raise SettingsError(
            "no factory to build the models with: give --factory package.module:callable "
            "(or factory in [tool.zoo-audit] of pyproject.toml), or --static for the checks that build nothing"
        )
    measured = measure(settings, selected, progress, clock)
    context = _context(settings, index, selected, measured, progress, clock)
    with clock.phase("judge"):
        judged = judge(context, select=settings.select, ignore=settings.ignore, severities=settings.severity)
    report = Report(
        models=_models(selected, judged, context),
        findings=_about(selected, judged.findings) if settings.models else judged.findings,
        ignored=_about(selected, judged.ignored) if settings.models else judged.ignored,
        environment=_environment(measured),
        rules=rule_infos(settings),
        interrupted=measured.interrupted,
    )
    if known is not None:
        report = baseline.apply(
            report, known, complete=not (settings.partial or settings.models or measured.interrupted)
        )
    return Run(report, index, context, tuple(measured.troubles))


def check_selectors(settings: Settings) -> None:
    """Refuse codes and prefixes that mean no rule.

    Raises:
        SettingsError: names the first wrong one and the nearest right one.
    """
    from tools.rules import RULES

    codes = [rule.code for rule in RULES]
    for flag, selectors in (
        ("select", settings.select),
        ("ignore", settings.ignore),
        ("severity", tuple(settings.severity)),
    ):
        for wrong in unknown_selectors(selectors):
            families = sorted({code.rstrip("0123456789") for code in codes})
            raise SettingsError(
                f"{flag}: no rule has the code or prefix {wrong!r}"
                + hint(wrong, [*codes, *families], f"; the families are {', '.join(families)}")
            )


def rule_infos(settings: Settings) -> tuple[RuleInfo, ...]:
    """What reports say of the rules that take part."""
    from tools.rules import RULES

    return tuple(
        RuleInfo(rule.code, rule.title, rule.why, rule.remedy, _severity(rule, settings))
        for rule in sorted(RULES, key=lambda rule: rule.code)
        if (not settings.select or matches(rule.code, settings.select)) and not matches(rule.code, settings.ignore)
    )


def _severity(rule: Rule, settings: Settings) -> Severity:
    fitting = [selector for selector in settings.severity if matches(rule.code, (selector,))]
    return settings.severity[max(fitting, key=len)] if fitting else rule.severity


def _load(settings: Settings) -> Index:
    from tools.modelindex import load_index

    files = index_files(settings)
    if not files:
        raise NothingToAuditError(
            f"no page with a model index in {settings.project}"
            if settings.partial
            else f"no model-index.yml in {settings.project}; name the index: zoo-audit PATH, --index PATH, "
            "or index in [tool.zoo-audit] of pyproject.toml"
        )
    index = load_index(files, settings.project)
    if not index.models and all(_is_absence(problem, index) for problem in index.problems):
        listed = ", ".join(str(path) for path in files)
        raise NothingToAuditError(f"no model in {listed}: neither a Models list nor a model-index comment")
    return index


def _is_absence(problem: Problem, index: Index) -> bool:
    """Whether a problem only says that a file or folder which was named holds no index at all."""
    if problem.place[1:] != (1, 1):
        return False
    file = index.files.get(problem.place.path)
    if file is None:
        return problem.kind == "missing-import"
    # Metadata never begins with a page's first character: comments and front matter have a first line of their own.
    return problem.kind == "wrong-type" and (file.kind == "card" or not file.text.strip())


def select_models(index: Index, patterns: Sequence[str]) -> Index:
    """The index with those models alone whose names fit a pattern.

    The rules still look at the whole index: a page may speak of models that were not selected.

    Raises:
        SettingsError: a pattern fits no name; gives the nearest names.
    """
    if not patterns:
        return index
    names = [model.name.text for model in index.models]
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in names):
            few = f"; the index has {', '.join(names[:8])}{' ...' if len(names) > 8 else ''}"
            raise SettingsError(f"--models: no model fits {pattern!r}{hint(pattern, names, few)}")
    chosen = tuple(
        model for model in index.models if any(fnmatchcase(model.name.text, pattern) for pattern in patterns)
    )
    return replace(index, models=chosen)


def _about(selected: Index, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings about the selected models, and those about no model in their files."""
    names = {model.name.text for model in selected.models}
    files = {path for model in selected.models for path in (model.file, model.page)}
    return tuple(
        finding
        for finding in findings
        if finding.model in names or (finding.model is None and finding.place.path in files)
    )


def _context(
    settings: Settings, index: Index, selected: Index, measured: Measured, progress: Progress, clock: Clock
) -> Context:
    with clock.phase("hash"):
        weights = gather.weight_files(settings, index, selected, progress, measured.troubles)
    with clock.phase("links"):
        links = gather.links(settings, index, progress)
        sources = gather.source_files(settings, index)
        missing = gather.missing_files(index)
    return Context(
        index=index,
        measurements=measured.outcomes,
        listing=measured.listing,
        weights=weights,
        links=links,
        source=settings.source,
        static=settings.static,
        input_size=settings.input_size,
        build_names=settings.rename,
        source_files=sources,
        missing_files=missing,
        partial=settings.partial or bool(settings.models),
    )


def _models(index: Index, judged: Judged, context: Context) -> tuple[ModelReport, ...]:
    """One entry a model of the index. Of models that share a name (which is a finding) the last has the verdicts."""
    last = {model.name.text: position for position, model in enumerate(index.models)}
    return tuple(
        ModelReport(
            model,
            context.measurements.get(model.name.text),
            judged.judgements.get(model.name.text, ()) if last[model.name.text] == position else (),
        )
        for position, model in enumerate(index.models)
    )


def _environment(measured: Measured) -> Environment | None:
    return next((o.environment for o in measured.outcomes.values() if isinstance(o, Measurement)), None)
