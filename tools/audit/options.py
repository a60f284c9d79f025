"""The audit's flags: declared here, read by :mod:`tools.audit.settings`, run by :mod:`tools.audit.cli`."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click

from tools.audit import paths, settings
from tools.audit.group import Section
from tools.audit.settings import SETTINGS, Settings, SettingsError

Function = TypeVar("Function", bound=Callable[..., Any])

_AUDITED, _RULES, _MEASURING, _FILES, _REPORT, _FIXES = (
    "What is audited",
    "Rules",
    "Measuring",
    "Weights, source and links",
    "Report",
    "Fixes",
)


def _option(section: str, *names: str, **kwargs: Any) -> Callable[[Function], Function]:
    return click.option(*names, cls=Section, section=section, **kwargs)


_OPTIONS = (
    click.argument("given", metavar="[PATH]...", nargs=-1),
    _option(_AUDITED, "--config", metavar="FILE", help="pyproject.toml to read [tool.zoo-audit] from."),
    _option(_AUDITED, "--index", multiple=True, metavar="PATH", help="Index file, folder or glob; repeatable."),
    _option(_AUDITED, "--models", multiple=True, metavar="PATTERN", help="Only models of these names (*, ?, [])."),
    _option(_AUDITED, "--factory", metavar="MODULE:CALLABLE", help="What builds a model from its name."),
    _option(_AUDITED, "--root", metavar="DIR", help="Folder to import the factory from."),
    _option(_AUDITED, "--config-of", metavar="MODULE:CALLABLE", help="What tells a model's own weights URL and sizes."),
    _option(_AUDITED, "--list-models", metavar="MODULE:CALLABLE", help="What lists the models that the code knows."),
    _option(_AUDITED, "--rename", multiple=True, metavar="NAME=NAME", help="Index name = name to build; repeatable."),
    _option(_AUDITED, "--input-size", metavar="SIZE", help="224 or 3x224x224, where the code does not say."),
    _option(_AUDITED, "--static", is_flag=True, help="Build no model: check only what needs none."),
    _option(_RULES, "--select", multiple=True, metavar="CODES", help="Only these rules: codes or prefixes."),
    _option(_RULES, "--ignore", multiple=True, metavar="CODES", help="Leave these rules out."),
    _option(_RULES, "--severity", multiple=True, metavar="CODE=LEVEL", help="error, warning or note for a rule."),
    _option(_RULES, "--baseline", metavar="FILE", help="Findings in this file are known and fail nothing."),
    _option(_RULES, "--write-baseline", metavar="FILE", help="Write the present findings as a baseline, and exit 0."),
    _option(_RULES, "--list-rules", is_flag=True, help="List all rules and exit."),
    _option(_RULES, "--explain", metavar="CODE", help="Explain a rule (or all of a prefix) and exit."),
    _option(_MEASURING, "--jobs", "-j", metavar="N", help="Worker processes; default: one a core."),
    _option(_MEASURING, "--timeout", metavar="SECONDS", help="Time limit for one model."),
    _option(_MEASURING, "--memory", metavar="SIZE", help="Memory limit for one model, such as 4GB."),
    _option(_MEASURING, "--no-cache", is_flag=True, help="Neither read nor write the cache."),
    _option(_MEASURING, "--refresh", is_flag=True, help="Measure everything anew and write it to the cache."),
    _option(_MEASURING, "--cluster", metavar="ADDRESS", help="Measure on a dask.distributed scheduler."),
    _option(_MEASURING, "--profile", is_flag=True, help="Print where the time went."),
    _option(_FILES, "--weights", metavar="DIR", help="Folder with weight files to check against."),
    _option(_FILES, "--download", is_flag=True, help="Fetch weight files that are missing there."),
    _option(_FILES, "--mirror", multiple=True, metavar="PREFIX=URL", help="Fetch URLs that begin so from elsewhere."),
    _option(_FILES, "--source", metavar="DIR", help="Checkout of the code that Code links point into."),
    _option(_FILES, "--online", is_flag=True, help="Ask each URL once whether it exists."),
    _option(_REPORT, "--format", "-f", "format_", default="text", metavar="FORMAT", show_default=True,
            help="text, json, sarif, github, junit or markdown."),
    _option(_REPORT, "--output", "-o", multiple=True, metavar="[FORMAT=]FILE",
            help="Write the report to a file; with FORMAT= further ones; - is standard output."),
    _option(_REPORT, "--quiet", "-q", is_flag=True, help="Only findings and summary; no progress."),
    _option(_REPORT, "--verbose", "-v", is_flag=True, help="Also counters, operators, tracebacks, ignored findings."),
    _option(_FIXES, "--fix", is_flag=True, help="Mend what is certain, in place, and audit again."),
    _option(_FIXES, "--diff", is_flag=True, help="Show what --fix would change; write nothing."),
)  # fmt: skip


def audit_options(function: Function) -> Function:
    """Declare every flag of the audit on ``function``."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def settings_of(flags: Mapping[str, Any]) -> Settings:
    """The settings of pyproject.toml with the flags laid over them.

    Raises:
        SettingsError: a file, key or value that cannot be used.
    """
    here = Path.cwd()
    chosen = flags.get("config")
    if chosen is not None and not Path(chosen).is_file():
        raise SettingsError(f"--config: there is no file {chosen}")
    base = settings.from_config(Path(chosen).absolute() if chosen else settings.find_config(here), here)
    values: dict[str, Any] = {}
    for key in SETTINGS:
        name = key.replace("-", "_")
        value = flags.get(name)
        if value is not None and value != ():
            values[name] = settings.read(key, list(value) if isinstance(value, tuple) else value, here, f"--{key}")
    for name in ("rename", "severity", "mirror"):
        if name in values:
            values[name] = {**getattr(base, name), **values[name]}
    given = tuple(flags.get("given") or ())
    if given:
        found = settings.read("index", list(given), here, "PATH")
        values |= {"index": found, "partial": True, "project": paths.project_of(found, base.project)}
        values.setdefault("root", base.root or base.project)
    return replace(
        base,
        **values,
        static=bool(flags.get("static")),
        download=bool(flags.get("download")),
        online=bool(flags.get("online")),
        cache=not flags.get("no_cache"),
        refresh=bool(flags.get("refresh")),
        cluster=flags.get("cluster"),
    )


def colours(stream_is_terminal: bool) -> bool:
    """Whether to colour: NO_COLOR and FORCE_COLOR (https://no-color.org, https://force-color.org), else a terminal."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream_is_terminal and os.environ.get("TERM") != "dumb"
