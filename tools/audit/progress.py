"""Progress on standard error: a live display on a terminal, plain lines in a CI log, nothing when quiet."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

import click

from tools.measure.records import Failure, Measurement
from tools.report.escape import log_line, visible

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

Outcome = Measurement | Failure
FindingsOf = Callable[[str, Outcome], int]
"""How much is wrong with a model, as far as it can be told from the model alone."""
_PATIENCE = 2.0
"""Seconds between two plain lines about models that went well."""


def _none(_name: str, _result: Outcome) -> int:
    return 0


def _findings(by_model: Mapping[str, int]) -> str:
    """A model that is measured again counts once, as it was found last."""
    count = sum(by_model.values())
    return "1 finding" if count == 1 else f"{count} findings"


class Progress(Protocol):
    """Told what a run does. A run without a listener uses :class:`Silent`."""

    def begin(self, total: int, findings_of: FindingsOf) -> None:
        """``total`` models will be measured; ``findings_of`` counts what is wrong with one that is done."""

    def started(self, name: str) -> None:
        """A model was given to a worker."""

    def finished(self, name: str, result: Outcome, *, cached: bool) -> None:
        """A model was measured, failed, or was found in the cache."""

    def note(self, message: str) -> None:
        """Something else takes its time now, such as a download."""


class Silent:
    """Says nothing."""

    def begin(self, total: int, findings_of: FindingsOf) -> None:
        """Nothing."""

    def started(self, name: str) -> None:
        """Nothing."""

    def finished(self, name: str, result: Outcome, *, cached: bool) -> None:
        """Nothing."""

    def note(self, message: str) -> None:
        """Nothing."""


class Lines(Silent):
    """Plain lines: every failure, and how far it is every few seconds. Cached models are only counted."""

    def __init__(self) -> None:
        self._total = self._done = self._cached = 0
        self._findings: dict[str, int] = {}
        self._last = 0.0
        self._findings_of: FindingsOf = _none

    def begin(self, total: int, findings_of: FindingsOf) -> None:
        """A pass over ``total`` models begins."""
        self._total, self._done, self._cached = total, 0, 0
        self._findings_of = findings_of
        self._last = time.monotonic()

    def finished(self, name: str, result: Outcome, *, cached: bool) -> None:
        """One line where there is something to say."""
        self._done += 1
        self._cached += cached
        if not cached:
            self._findings[name] = self._findings_of(name, result)
        if isinstance(result, Failure) and result.stage != "cancelled":
            self._line(f"{name}: {result.stage} failed: {result.message}")
        elif (
            isinstance(result, Measurement)
            and not cached
            and (time.monotonic() - self._last > _PATIENCE or self._done == self._total)
        ):
            self._line(f"{name}: measured in {result.seconds:.1f} s")

    def _line(self, text: str) -> None:
        self._last = time.monotonic()
        cached = f", {self._cached} from the cache" if self._cached else ""
        findings = f" ({_findings(self._findings)} so far)" if any(self._findings.values()) else ""
        self.note(f"[{self._done}/{self._total}{cached}] {text}{findings}")

    def note(self, message: str) -> None:
        """One line."""
        click.echo(log_line(visible(message)), err=True)


class Live(Silent, AbstractContextManager["Live"]):
    """rich's display: done, running, findings so far, time left. Nothing is drawn while the cache answers."""

    def __init__(self) -> None:
        self._display: RichProgress | None = None
        self._task: TaskID | None = None
        self._running: dict[str, None] = {}
        self._total = self._done = self._cached = 0
        self._findings: dict[str, int] = {}
        self._findings_of: FindingsOf = _none

    def begin(self, total: int, findings_of: FindingsOf) -> None:
        """A pass over ``total`` models begins."""
        self._total, self._done, self._cached = total, 0, 0
        self._findings_of = findings_of
        self._running.clear()
        if self._display is not None and self._task is not None:
            self._display.reset(self._task, total=total)

    def started(self, name: str) -> None:
        """Show the model among those at work."""
        self._running[name] = None
        if self._display is None:
            self._open()
        self._refresh()

    def finished(self, name: str, result: Outcome, *, cached: bool) -> None:
        """Count the model and what is wrong with it."""
        self._running.pop(name, None)
        self._done += 1
        self._cached += cached
        if not cached:
            self._findings[name] = self._findings_of(name, result)
        self._refresh()

    def note(self, message: str) -> None:
        """Above the bar, or on a line of its own."""
        if self._display is not None:
            self._display.console.print(visible(message), markup=False, highlight=False)
        else:
            click.echo(visible(message), err=True)

    def _open(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            SpinnerColumn,
            TextColumn,
            TimeRemainingColumn,
        )

        self._display = Progress(
            SpinnerColumn(),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[findings]}"),
            TimeRemainingColumn(),
            TextColumn("{task.description}", markup=False),
            console=Console(stderr=True),
            transient=True,
        )
        self._display.start()
        self._task = self._display.add_task("", total=self._total, findings="")

    def _refresh(self) -> None:
        if self._display is None or self._task is None:
            return
        names = list(self._running)
        shown = ", ".join(map(visible, names[:2])) + (f" and {len(names) - 2} more" if len(names) > 2 else "")
        cached = f", {self._cached} from the cache" if self._cached else ""
        findings = _findings(self._findings) + cached
        self._display.update(self._task, completed=self._done, description=shown, findings=findings)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._display is not None:
            self._display.stop()
            self._display = self._task = None
