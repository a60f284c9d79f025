"""Findings and verdicts as text, JSON, SARIF, GitHub annotations, JUnit and Markdown.

A format is a function of a :class:`~tools.report.records.Report` and :class:`~tools.report.options.Options`.
"""

from collections.abc import Callable, Mapping

from tools.report import as_json, github, junit, markdown, sarif, text
from tools.report.options import Options
from tools.report.records import Report

FORMATS: Mapping[str, Callable[[Report, Options | None], str]] = {
    "text": text.write,
    "json": as_json.write,
    "sarif": sarif.write,
    "github": github.write,
    "junit": junit.write,
    "markdown": markdown.write,
}
"""Every output format by name."""

__all__ = ["FORMATS", "Options", "Report"]
