"""The command line: ``python -m tools.audit`` and ``zoo-audit``."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

import tools
from tools.audit.group import AuditGroup
from tools.audit.options import audit_options, colours, settings_of
from tools.audit.settings import NothingToAuditError, Settings, SettingsError

if TYPE_CHECKING:
    from tools.audit.output import Destination
    from tools.audit.profile import Clock
    from tools.audit.run import Run

CLEAN, FINDINGS, FAILED, NOTHING, INTERRUPTED = 0, 1, 2, 3, 130
"""Exit codes. 130 is what shells report of a program that Ctrl-C ended (128 + SIGINT)."""

_EPILOG = """\b
Settings are read from [tool.zoo-audit] of the nearest pyproject.toml; flags win.
\b
Exit codes:
  0    no finding of severity error
  1    findings of severity error
  2    wrong usage, or the tool itself could not do what was asked
  3    nothing to audit was found
  130  interrupted; what was known by then is printed
"""


@click.group(
    cls=AuditGroup,
    invoke_without_command=True,
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@audit_options
@click.version_option(tools.__version__, prog_name="zoo-audit")
def cli(**flags: Any) -> None:
    """Prove the numbers on model pages.

    Reads the model index (or the files and folders given as PATH), builds every model, measures it, and compares
    what the pages claim with what is true.
    """
    sys.exit(_guarded(lambda: _audit(flags)))


@cli.command()
@click.option("--format", "format_", default="model-index", show_default=True, metavar="FORMAT",
              help="model-index, huggingface, json or csv.")  # fmt: skip
@click.option("--output", "-o", default="-", metavar="FILE", help="File to write; default: standard output.")
@click.option("--config", metavar="FILE", help="pyproject.toml to read [tool.zoo-audit] from.")
@click.argument("given", metavar="[PATH]...", nargs=-1)
def export(format_: str, output: str, config: str | None, given: tuple[str, ...]) -> None:
    """Write the merged index, imports and collections resolved, as one file."""
    from tools.audit.extras import export_index

    sys.exit(_guarded(lambda: export_index(settings_of({"config": config, "given": given}), format_, output)))


@cli.command()
@click.option(
    "--prune",
    metavar="DAYS",
    type=click.IntRange(min=0),
    help="Remove what no audit has used for so many days; 0 removes everything.",
)
@click.option("--config", metavar="FILE", help="pyproject.toml of the project whose cache is meant.")
def cache(prune: int | None, config: str | None) -> None:
    """Show or prune the cache of measurements."""
    from tools.audit.extras import show_cache

    sys.exit(_guarded(lambda: show_cache(settings_of({"config": config}), prune)))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; never returns."""
    with _ended_by_signal():
        cli.main(args=None if arguments is None else list(arguments), prog_name="zoo-audit")


def _guarded(work: Callable[[], int]) -> int:
    """Run ``work``. Whatever goes wrong becomes a sentence and an exit code, which is never that of findings."""
    try:
        return work()
    except SettingsError as error:
        return _failed(str(error), FAILED)
    except NothingToAuditError as error:
        return _failed(str(error), NOTHING)
    except KeyboardInterrupt:
        return _failed("interrupted before anything was known", INTERRUPTED)
    except BrokenPipeError:
        # Whoever read our output went away (head, less): nothing is left to be said to them. What Python would
        # still flush at exit goes nowhere instead of raising again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as error:
        import traceback

        click.echo("".join(traceback.format_exception(error)), err=True)
        return _failed(f"the audit itself failed, which is a bug in it: {type(error).__name__}: {error}", FAILED)


def _failed(message: str, code: int) -> int:
    from tools.report.escape import visible

    click.echo(f"zoo-audit: {visible(message)}", err=True)
    return code


def _audit(flags: dict[str, Any]) -> int:
    from tools.audit import output
    from tools.audit.profile import Clock, since_process_start

    clock = Clock()
    clock.add("start", since_process_start())
    if flags["list_rules"] or flags["explain"] is not None:
        from tools.audit.explain import explain, list_rules

        output.deliver(list_rules() if flags["list_rules"] else explain(flags["explain"]), output.STDOUT)
        return CLEAN
    if flags["fix"] and flags["diff"]:
        raise SettingsError("--fix writes and --diff only shows: give one of them")
    if flags["write_baseline"] and (flags["fix"] or flags["diff"]):
        raise SettingsError("--write-baseline goes with neither --fix nor --diff")
    destinations = output.destinations(flags["format_"], flags["output"])
    settings = settings_of(flags)
    if flags["write_baseline"]:
        return _write_baseline(replace(settings, baseline=None), flags, clock)
    outcome = _run(settings, flags, clock)
    if flags["diff"]:
        return _diff(outcome)
    if flags["fix"]:
        outcome = _fix(outcome, settings, flags, clock)
    with clock.phase("report"):
        _deliver(outcome, destinations, flags)
    for trouble in outcome.troubles:
        _warn(trouble)
    if flags["profile"]:
        for line in clock.lines():
            click.echo(line, err=True)
    return _exit_code(outcome)


def _run(settings: Settings, flags: dict[str, Any], clock: Clock) -> Run:
    _load_torch_ahead(settings)
    from tools.audit.progress import Lines, Live, Silent
    from tools.audit.run import run

    if flags["quiet"]:
        return run(settings, Silent(), clock)
    if sys.stderr.isatty():
        with Live() as live:
            return run(settings, live, clock)
    return run(settings, Lines(), clock)


def _load_torch_ahead(settings: Settings) -> None:
    """Let torch load beside what this process imports and reads, where it is sure that models must be measured."""
    if settings.factory is None or settings.static or settings.cluster is not None:
        return
    cache = settings.cache_path
    if cache is not None and cache.is_file() and not settings.refresh:
        return
    from tools.measure.pool import load_torch_ahead

    load_torch_ahead()


def _exit_code(outcome: Run) -> int:
    from tools.rules.records import Severity

    if outcome.report.interrupted:
        return INTERRUPTED
    if outcome.report.severities()[Severity.ERROR]:
        return FINDINGS
    return FAILED if outcome.troubles else CLEAN


def _deliver(outcome: Run, destinations: Sequence[Destination], flags: dict[str, Any]) -> None:
    from tools.audit import output
    from tools.report import FORMATS, Options
    from tools.report.text import summary_lines

    texts = {path: file.text for path, file in outcome.index.files.items()}
    for destination in destinations:
        to_terminal = destination.file == output.STDOUT and output.is_terminal()
        options = Options(
            colour=destination.file == output.STDOUT and colours(to_terminal),
            width=_columns() if to_terminal else None,
            quiet=flags["quiet"],
            verbose=flags["verbose"],
            texts=texts,
        )
        output.deliver(FORMATS[destination.format](outcome.report, options), destination.file)
    if all(destination.file != output.STDOUT for destination in destinations) and not flags["quiet"]:
        for line in summary_lines(outcome.report):
            click.echo(line, err=True)


def _columns() -> int:
    import shutil

    return max(40, shutil.get_terminal_size().columns)


def _write_baseline(settings: Settings, flags: dict[str, Any], clock: Clock) -> int:
    from tools.audit import baseline, output
    from tools.report.text import plural

    outcome = _run(settings, flags, clock)
    if outcome.report.interrupted:
        _warn("interrupted: no baseline was written")
        return INTERRUPTED
    findings = outcome.report.findings
    output.deliver(baseline.text(findings), flags["write_baseline"])
    click.echo(f"{plural(len(findings), 'finding')} known from now on: {flags['write_baseline']}", err=True)
    for trouble in outcome.troubles:
        _warn(trouble)
    return FAILED if outcome.troubles else CLEAN


def _diff(outcome: Run) -> int:
    from tools.audit import fixes, output
    from tools.report.text import plural

    mended = fixes.mend(outcome.index, outcome.report.findings)
    output.deliver(fixes.unified_diff(outcome.index, mended), output.STDOUT)
    left = len(outcome.report.findings) - len(mended.findings)
    click.echo(
        f"--fix would mend {plural(len(mended.findings), 'finding')} and leave {left}; nothing was written.", err=True
    )
    return _exit_code(outcome)


def _fix(outcome: Run, settings: Settings, flags: dict[str, Any], clock: Clock) -> Run:
    """Mend, and audit again until nothing more can be mended; what is returned is the state of the files now."""
    from tools.audit import fixes
    from tools.report.text import finding_line

    for _round in range(_ROUNDS):
        if outcome.report.interrupted:
            _warn("interrupted: nothing was mended")
            return outcome
        mended = fixes.mend(outcome.index, outcome.report.findings)
        if not mended.texts:
            break
        troubles = fixes.write(outcome.index, mended)
        for finding in mended.findings:
            click.echo(f"mended {finding_line(finding)}", err=True)
        outcome = _run(replace(settings, refresh=False), flags, clock)
        if troubles:
            return replace(outcome, troubles=(*outcome.troubles, *troubles))
    return outcome


_ROUNDS = 5
"""How often ``--fix`` looks again: an edit that overlapped another waits for the next round."""


def _warn(message: str) -> None:
    from tools.report.escape import log_line, visible

    click.echo(log_line(visible(f"zoo-audit: {message}")), err=True)


@contextlib.contextmanager
def _ended_by_signal() -> Iterator[None]:
    """Take SIGTERM, which CI sends to a job that it cancels, as Ctrl-C: show what is known and clean up."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)
