"""JUnit XML, which every CI server reads: a suite a model, a test case a claim.

Only an error is a failure. Whatever was not proved is skipped with its reason, never a pass.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from tools.modelindex.records import Place
from tools.report.escape import visible
from tools.report.options import Options
from tools.report.records import ModelReport, Report
from tools.report.text import finding_line, summary_lines
from tools.rules.records import Finding, Judgement, Severity, Verdict


def write(report: Report, _options: Options | None = None) -> str:
    """The report as one ``testsuites`` document."""
    waiting: dict[tuple[str | None, Place], list[Finding]] = defaultdict(list)
    for finding in report.findings:
        waiting[finding.model, finding.place].append(finding)
    names = {model.model.name.text for model in report.models}
    root = Element("testsuites", name="zoo-audit")
    for model in report.models:
        _suite(root, model, waiting)
    rest = [finding for findings in waiting.values() for finding in findings]
    of_models = [finding for finding in rest if finding.model in names]
    for name in dict.fromkeys(finding.model for finding in of_models):
        suite = next(suite for suite in root if suite.get("name") == visible(name))
        _own_cases(suite, [finding for finding in of_models if finding.model == name])
    others = [finding for finding in rest if finding.model not in names]
    if others or not report.models:
        _own_cases(SubElement(root, "testsuite", name="index"), others)
    for suite in root:
        _count(suite)
    for attribute in ("tests", "failures", "errors", "skipped"):
        root.set(attribute, str(sum(int(suite.get(attribute, "0")) for suite in root)))
    if len(root):
        SubElement(root[-1], "system-out").text = "\n".join(map(visible, summary_lines(report)))
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _suite(root: Element, model: ModelReport, waiting: dict[tuple[str | None, Place], list[Finding]]) -> None:
    name = model.model.name.text
    suite = SubElement(root, "testsuite", name=visible(name))
    for judgement in model.judgements:
        case = _case(suite, visible(judgement.claim.field), visible(name), judgement.claim.place)
        _fill(case, judgement, waiting.pop((name, judgement.claim.place), []))


def _case(suite: Element, name: str, classname: str, place: Place) -> Element:
    return SubElement(
        suite, "testcase", name=name, classname=classname, file=visible(place.path), line=str(place.line), time="0"
    )


def _fill(case: Element, judgement: Judgement, findings: Iterable[Finding]) -> None:
    lines = [finding_line(finding) for finding in findings]
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    compared = f"claimed {judgement.claimed}, measured {judgement.measured}"
    if errors:
        failure = SubElement(case, "failure", type=errors[0].code, message=visible(errors[0].message))
        failure.text = "\n".join([*lines, visible(compared)])
    elif judgement.verdict in (Verdict.UNCHECKED, Verdict.IGNORED, Verdict.MISMATCH):
        SubElement(case, "skipped", message=visible(f"{judgement.verdict.value}: {judgement.reason}"))
    if lines and not errors:
        SubElement(case, "system-out").text = "\n".join(lines)


def _own_cases(suite: Element, findings: Iterable[Finding]) -> None:
    """Findings that belong to no claim: one case each, failed for an error."""
    for finding in findings:
        case = _case(suite, finding.code, visible(finding.model or finding.place.path), finding.place)
        if finding.severity is Severity.ERROR:
            SubElement(case, "failure", type=finding.code, message=visible(finding.message)).text = finding_line(
                finding
            )
        else:
            SubElement(case, "system-out").text = finding_line(finding)


def _count(suite: Element) -> None:
    cases = suite.findall("testcase")
    suite.set("tests", str(len(cases)))
    suite.set("failures", str(sum(case.find("failure") is not None for case in cases)))
    suite.set("errors", "0")
    suite.set("skipped", str(sum(case.find("skipped") is not None for case in cases)))
    suite.set("time", "0")
