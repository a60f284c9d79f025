"""Measure many models: the door for the audit and the site. What the cache holds needs no worker, and no torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tools.collector import collector_paused
from tools.measure.cache import Cache, Keys
from tools.measure.records import Failure, Listing, Measurement, Request
from tools.measure.task import Limits, Outcome, Runner, Task, cancelled, task_name


@dataclass(frozen=True, slots=True)
class MeasureOptions:
    """How to measure, which never changes what is measured."""

    jobs: int | None = None
    """Worker processes; ``None``: one for each core that this process may use."""
    timeout: float | None = 300.0
    """Seconds for one model; ``None``: no limit."""
    memory: int | None = None
    """Bytes that one worker may allocate on top of the loaded libraries; ``None``: no limit."""
    cache_path: Path | None = None
    """The cache file; ``None``: no cache."""
    refresh: bool = False
    """Measure again and replace what the cache holds."""
    cluster: str | None = None
    """Address of a dask.distributed scheduler; ``None``: this machine."""


class Progress(Protocol):
    """Told what happens while models are measured, in the calling thread."""

    def started(self, name: str) -> None:
        """A worker began with the model."""

    def finished(self, name: str, result: Measurement | Failure, *, cached: bool) -> None:
        """The model was measured, or failed, or was found in the cache."""


class Session:
    """Measures in rounds. What was started for one round stays for the next, to the end of the ``with`` block."""

    def __init__(self, options: MeasureOptions | None = None) -> None:
        self.options = options or MeasureOptions()
        self._runner: Runner | None = None

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._runner is not None:
            self._runner.close()

    def carry_out(
        self, tasks: Sequence[Task], *, progress: Progress | None = None
    ) -> list[Measurement | Listing | Failure]:
        """The outcome of each task, in order: from the cache, or from a worker and then kept.

        Failures are never cached: what a model lacked (memory, a package) may be there next time. An interrupt ends
        the work, and what was not measured by then is a failure of stage ``cancelled``.

        Raises:
            tools.measure.task.ClusterError: ``options.cluster`` is given and cannot be used.
        """
        options = self.options
        records: dict[int, Measurement | Listing | Failure] = {}

        def note(index: int, record: Measurement | Listing | Failure, *, cached: bool) -> None:
            records[index] = record
            if progress is not None and isinstance(tasks[index], Request):
                assert not isinstance(record, Listing), "a measurement was asked for"
                progress.finished(task_name(tasks[index]), record, cached=cached)

        if options.cache_path is None:
            self._run(
                tasks, range(len(tasks)), progress, lambda index, outcome: note(index, outcome.record, cached=False)
            )
        else:
            with Cache(options.cache_path) as cache:
                keys = _keys(tasks)
                with collector_paused(settle=True):
                    for index, (task, key) in enumerate(zip(tasks, keys, strict=True)):
                        found = None if options.refresh else cache.find(key, _root(task))
                        if found is not None:
                            note(index, found, cached=True)
                cache.touch([keys[index] for index in records])

                def keep(index: int, outcome: Outcome) -> None:
                    if not isinstance(outcome.record, Failure):
                        cache.keep(keys[index], task_name(tasks[index]), outcome.record, outcome.sources)
                    note(index, outcome.record, cached=False)

                self._run(tasks, [index for index in range(len(tasks)) if index not in records], progress, keep)
        # An interrupt may come between a worker's answer and its being noted.
        return [records.get(index) or cancelled(task).record for index, task in enumerate(tasks)]

    def _run(
        self,
        tasks: Sequence[Task],
        wanted: Sequence[int],
        progress: Progress | None,
        done: Callable[[int, Outcome], None],
    ) -> None:
        if not wanted:
            return

        def started(position: int) -> None:
            task = tasks[wanted[position]]
            if progress is not None and isinstance(task, Request):
                progress.started(task.name)

        self._runner = self._runner or _runner(self.options)
        self._runner.run(
            [tasks[index] for index in wanted], started, lambda position, outcome: done(wanted[position], outcome)
        )


def measure_all(
    requests: Sequence[Request], *, options: MeasureOptions | None = None, progress: Progress | None = None
) -> dict[str, Measurement | Failure]:
    """Every request's outcome by its name, in the order of the requests, whatever the order of work was.

    One round of a :class:`Session`, which says more.

    Raises:
        tools.measure.task.ClusterError: ``options.cluster`` is given and cannot be used.
    """
    with Session(options) as session:
        records = session.carry_out(requests, progress=progress)
    results: dict[str, Measurement | Failure] = {}
    for request, record in zip(requests, records, strict=True):
        assert isinstance(record, Measurement | Failure), "a measurement was asked for"
        results[request.name] = record
    return results


def _keys(tasks: Sequence[Task]) -> list[str]:
    keys = Keys()
    return [keys.key(task) for task in tasks]


def _root(task: Task) -> str:
    return task.factory.root if isinstance(task, Request) else task.root


def _runner(options: MeasureOptions) -> Runner:
    limits = Limits(options.timeout, options.memory)
    if options.cluster is not None:
        from tools.measure.cluster import ClusterRunner

        return ClusterRunner(options.cluster, limits)
    from tools.measure.pool import LocalRunner, available_cores

    return LocalRunner(options.jobs or available_cores(), limits)
