"""Measure many models: the door for the audit and the site."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tools.measure.records import Failure, Measurement, Request


@dataclass(frozen=True, slots=True)
class MeasureOptions:
    """How to measure, which never changes what is measured."""

    jobs: int | None = None
    """Worker processes; ``None``: one for each core that this process may use."""
    timeout: float | None = 300.0
    """Seconds for one model; ``None``: no limit."""
    memory: int | None = None
    """Bytes of memory for one model's worker; ``None``: no limit."""
    cache_path: Path | None = None
    """The cache file; ``None``: no cache."""
    refresh: bool = False
    """Measure again and replace what the cache holds."""
    cluster: str | None = None
    """Address of a dask.distributed scheduler; ``None``: this machine."""


class Progress(Protocol):
    """Told what happens while models are measured. Calls come from the calling thread, in any order of models."""

    def started(self, name: str) -> None:
        """The model's measurement was given to a worker."""

    def finished(self, name: str, result: Measurement | Failure, *, cached: bool) -> None:
        """The model was measured, or failed, or was found in the cache."""


def measure_all(
    requests: Sequence[Request], *, options: MeasureOptions | None = None, progress: Progress | None = None
) -> dict[str, Measurement | Failure]:
    """Every request's outcome by its name, in the order of the requests."""
    from tools.measure.model import measure_model

    results: dict[str, Measurement | Failure] = {}
    for request in requests:
        if progress is not None:
            progress.started(request.name)
        results[request.name] = measure_model(request)
        if progress is not None:
            progress.finished(request.name, results[request.name], cached=False)
    return results
