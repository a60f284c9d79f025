"""Runs the rules over one context and settles one verdict for every claim."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from tools.collector import collector_paused
from tools.modelindex.records import Ignore, Place
from tools.rules.claims import key_of
from tools.rules.evidence import Evidence, Subject
from tools.rules.records import Claim, Context, Finding, Judgement, Plain, Severity, Verdict
from tools.rules.registry import RULES
from tools.rules.rule import Rule, RuleError

_RANK = {
    Verdict.MISMATCH: 0,
    Verdict.IGNORED: 1,
    Verdict.VERIFIED: 2,
    Verdict.CONSISTENT: 3,
    Verdict.UNCHECKED: 4,
}
"""Which verdict wins where several rules judged one claim."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What came out: one verdict for each claim, what is wrong, and what was wrong but ignored."""

    judgements: Mapping[str, tuple[Judgement, ...]]
    """By model name, in the card's order; every model of the index is there."""
    findings: tuple[Finding, ...]
    """Sorted by path, line, column and code."""
    ignored: tuple[Finding, ...]


def matches(code: str, selectors: Iterable[str]) -> bool:
    """Whether a code is meant by one of the selectors: the code itself or the start of it (``FLP``, ``FLP0``)."""
    return any(selector and code.startswith(selector.upper()) for selector in selectors)


def unknown_selectors(selectors: Iterable[str], rules: Sequence[Rule] = RULES) -> tuple[str, ...]:
    """The selectors that mean no rule at all: misspelt ones, for a usage error."""
    return tuple(s for s in selectors if not any(matches(rule.code, (s,)) for rule in rules))


@collector_paused()
def judge(
    context: Context,
    *,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    severities: Mapping[str, Severity] | None = None,
    rules: Sequence[Rule] = RULES,
) -> Judged:
    """Run the rules and settle the verdicts.

    Args:
        context: everything that the rules may look at.
        select: codes or prefixes of the rules to run; empty means all.
        ignore: codes or prefixes of rules to leave out.
        severities: code or prefix -> severity in place of the rule's own; the longest one that fits wins.
        rules: the rules to choose from.

    Raises:
        RuleError: a rule failed, which is a bug in this tool; names the rule and the model.
    """
    evidence = Evidence(context)
    chosen = tuple(r for r in rules if (not select or matches(r.code, select)) and not matches(r.code, ignore))
    findings, judgements = _run(chosen, evidence)
    ignores, why = _Ignores(context.index.ignores), _Why(evidence, rules, chosen)
    settled: dict[str, tuple[Judgement, ...]] = {}
    for subject in evidence.subjects:
        verdicts = (_settle(claim, subject, judgements.get(id(claim), ()), ignores, why) for claim in subject.claims)
        # Two models of one name are a finding of their own; the claims of both are told.
        settled[subject.name] = (*settled.get(subject.name, ()), *verdicts)
    kept: list[Finding] = []
    ignored: list[Finding] = []
    for finding in _without_disputed_fixes(findings, settled):
        (ignored if ignores.covers(finding.place, finding.code) else kept).append(finding)
    unused = next((rule for rule in chosen if rule.code == "IDX013"), None)
    if unused is not None and not context.partial:
        kept.extend(ignores.unused(unused, rules, chosen, evidence))
    return Judged(settled, _finished(kept, severities or {}), _finished(ignored, severities or {}))


def _run(rules: Iterable[Rule], evidence: Evidence) -> tuple[list[Finding], Mapping[int, list[tuple[str, Judgement]]]]:
    """Everything that the rules say. Judgements are kept by the identity of their claim, with the code of the rule."""
    findings: list[Finding] = []
    judgements: defaultdict[int, list[tuple[str, Judgement]]] = defaultdict(list)
    for rule in rules:
        if not rule.runs(evidence):
            continue
        try:
            for outcome in rule.check(evidence):
                if isinstance(outcome, Finding):
                    findings.append(outcome)
                else:
                    judgements[id(outcome.claim)].append((rule.code, outcome))
        except RuleError:
            raise
        except Exception as error:
            raise RuleError(f"{rule.code} failed: {type(error).__name__}: {error}") from error
    return findings, judgements


def _without_disputed_fixes(
    findings: Sequence[Finding], settled: Mapping[str, tuple[Judgement, ...]]
) -> Iterator[Finding]:
    """The findings, without the fixes of values that are shared and for which not all claims have the same verdict.

    What a collection or an anchor gives to several models may be wrong for one of them and right for the next.
    """
    mended = {edit.start for finding in findings for edit in finding.fix if edit.old}
    said: defaultdict[tuple[str, int], set[tuple[Verdict, Plain]]] = defaultdict(set)
    for judgement in (judgement for judgements in settled.values() for judgement in judgements):
        value = judgement.claim.value
        if mended and value.start in mended:
            said[value.place.path, value.start].add((judgement.verdict, judgement.measured))
    for finding in findings:
        disputed = any(edit.old and len(said[edit.path, edit.start]) > 1 for edit in finding.fix)
        yield replace(finding, fix=()) if disputed else finding


class _Why:
    """Tells why no rule passed a verdict on a claim."""

    def __init__(self, evidence: Evidence, rules: Sequence[Rule], chosen: Sequence[Rule]) -> None:
        self._static = evidence.context.static
        self._able: defaultdict[str, list[Rule]] = defaultdict(list)
        for rule in rules:
            for key in rule.proves:
                self._able[key].append(rule)
        self._chosen = set(chosen)

    def tell(self, claim: Claim, subject: Subject) -> str:
        """The reason, as it stands beside ``unchecked``."""
        able = self._able.get(key_of(claim.field))
        if not able:
            return f"no rule checks {claim.field}"
        running = [rule for rule in able if rule in self._chosen]
        if not running:
            return f"{', '.join(rule.code for rule in able)} not selected"
        needs = running[0].needs
        if "measurement" in needs or "config" in needs:
            if subject.failure is not None:
                return f"not measured: {subject.failure.message}"
            if subject.measurement is None:
                return "not measured: static audit" if self._static else "not measured"
            if "config" in needs:
                return "the zoo's code does not say"
        if "weights" in needs:
            return "no file"
        if "source" in needs:
            return "no source: needs --source"
        if "links" in needs:
            return "not asked: needs --online"
        return "no rule could tell"


def _settle(
    claim: Claim, subject: Subject, judgements: Sequence[tuple[str, Judgement]], ignores: _Ignores, why: _Why
) -> Judgement:
    """The one verdict on a claim: the weightiest, with the reasons of all that share it."""
    heard: list[Judgement] = []
    for code, judgement in judgements:
        mismatch = judgement.verdict is Verdict.MISMATCH
        reason = ignores.reason(claim.place, code) if mismatch and ignores else None
        heard.append(judgement if reason is None else judgement.but(Verdict.IGNORED, reason))
    if not heard:
        return Judgement(claim, Verdict.UNCHECKED, claim.value.text, None, why.tell(claim, subject))
    best = min(heard, key=lambda judgement: _RANK[judgement.verdict])
    agreeing = [judgement for judgement in heard if judgement.verdict is best.verdict]
    if len(agreeing) == 1:
        return best
    reasons = dict.fromkeys(judgement.reason for judgement in agreeing if judgement.reason)
    measured = next((judgement.measured for judgement in agreeing if judgement.measured is not None), None)
    return replace(best, measured=measured, reason="; ".join(reasons))


class _Ignores:
    """The ``audit: ignore`` comments by line, and which of their codes were of use."""

    def __init__(self, ignores: Iterable[Ignore]) -> None:
        self._by_line: defaultdict[tuple[str, int], list[Ignore]] = defaultdict(list)
        self._used: set[tuple[Place, str]] = set()
        self._all = [ignore for ignore in ignores if ignore.reason.strip()]
        for ignore in self._all:
            self._by_line[ignore.place.path, ignore.place.line].append(ignore)

    def __bool__(self) -> bool:
        return bool(self._by_line)

    def reason(self, place: Place, code: str) -> str | None:
        """The reason given for ignoring ``code`` on a line, or ``None`` where it is not ignored."""
        reason = None
        for ignore in self._by_line.get((place.path, place.line), ()):
            for selector in ignore.codes:
                if matches(code, (selector,)):
                    self._used.add((ignore.place, selector))
                    reason = reason or ignore.reason
        return reason

    def covers(self, place: Place, code: str) -> bool:
        """Whether a finding is ignored."""
        return bool(self) and self.reason(place, code) is not None

    def unused(
        self, rule: Rule, rules: Sequence[Rule], chosen: Sequence[Rule], evidence: Evidence
    ) -> Iterable[Finding]:
        """Codes that ignored nothing, although every rule they mean could speak in this run."""
        if not self._all:
            return
        unmeasured = {
            (claim.place.path, claim.place.line)
            for subject in evidence.subjects
            if subject.measurement is None
            for claim in subject.claims
        }
        for ignore in self._all:
            for selector in ignore.codes:
                if (ignore.place, selector) in self._used:
                    continue
                meant = [r for r in rules if matches(r.code, (selector,))]
                if not meant:
                    yield rule.finding(ignore.place, f"ignore[{selector}] names no rule", claimed=selector)
                elif all(r in chosen and r.available(evidence) for r in meant) and not (
                    any("measurement" in r.needs or "config" in r.needs for r in meant)
                    and (ignore.place.path, ignore.place.line) in unmeasured
                ):
                    yield rule.finding(ignore.place, f"ignore[{selector}] ignores nothing", claimed=selector)


def _finished(findings: Iterable[Finding], severities: Mapping[str, Severity]) -> tuple[Finding, ...]:
    """Findings in order, each once, with the configured severity.

    A value that several models inherit is told once, for the first of them, where the message is the same.
    """
    unique: dict[tuple[str, Place, str], Finding] = {}
    for finding in findings:
        unique.setdefault((finding.code, finding.place, finding.message), finding)
    ordered = sorted(unique.values(), key=lambda f: (f.place, f.code, f.message))
    if not severities:
        return tuple(ordered)
    return tuple(_with_severity(finding, severities) for finding in ordered)


def _with_severity(finding: Finding, severities: Mapping[str, Severity]) -> Finding:
    fitting = [selector for selector in severities if matches(finding.code, (selector,))]
    return replace(finding, severity=severities[max(fitting, key=len)]) if fitting else finding
