"""The sub-commands beside the audit: ``export`` and ``cache``."""

from __future__ import annotations

import time

from tools.audit import output
from tools.audit.nearest import hint
from tools.audit.paths import index_files
from tools.audit.settings import NothingToAuditError, Settings, SettingsError


def export_index(settings: Settings, format_name: str, file: str) -> int:
    """Write the merged index; 1 where something is wrong with it (it is told on standard error), else 0.

    Raises:
        SettingsError: an unknown format, or the file cannot be written.
        NothingToAuditError: there is no index.
    """
    import click

    from tools.modelindex import load_index
    from tools.modelindex.export import FORMATS, export
    from tools.report.escape import log_line, visible

    if format_name not in FORMATS:
        raise SettingsError(
            f"unknown format {format_name!r}{hint(format_name, FORMATS)} (formats: {', '.join(FORMATS)})"
        )
    files = index_files(settings)
    index = load_index(files, settings.project) if files else None
    if index is None or not (index.models or index.problems):
        raise NothingToAuditError("no model index to export; name it: zoo-audit export PATH")
    for problem in index.problems:
        click.echo(log_line(visible(f"{problem.place} {problem.message}")), err=True)
    output.deliver(export(index, format_name), file)
    return 1 if index.problems else 0


def show_cache(settings: Settings, prune_days: int | None) -> int:
    """List the kept measurements, or remove those that were not used for ``prune_days``; 2 where the file is broken."""
    import click

    from tools.measure.cache import Cache, default_path
    from tools.report.escape import visible

    path = default_path(settings.project)
    with Cache(path) as cache:
        if prune_days is not None:
            removed = cache.prune(prune_days)
            message = f"{_count(removed)} removed from {path}"
        else:
            entries = cache.entries()
            for entry in entries:
                day = time.strftime("%Y-%m-%d %H:%M", time.localtime(entry.created))
                click.echo(f"{day}  {entry.size:>9} bytes  {visible(entry.name) or '(the list of models)'}")
            message = f"{_count(len(entries))}, {sum(entry.size for entry in entries)} bytes in {path}"
        if cache.problem:
            raise SettingsError(cache.problem)
    click.echo(message)
    return 0


def _count(number: int) -> str:
    return "1 entry" if number == 1 else f"{number} entries"
