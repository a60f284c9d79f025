"""Where the time of a run went (``--profile``)."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.measure.records import Measurement

_SLOWEST = 5


class Clock:
    """Adds up wall time by phase. Phases don't nest."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}
        self._measured: list[Measurement] = []
        self._cached = 0

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Count the time inside to ``name``."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            self.add(name, time.perf_counter() - begun)

    def add(self, name: str, seconds: float) -> None:
        """Count ``seconds`` to ``name``."""
        self._seconds[name] = self._seconds.get(name, 0.0) + seconds

    def measured(self, measurement: Measurement, *, cached: bool) -> None:
        """Note one model's own time, which passed in a worker."""
        if cached:
            self._cached += 1
        else:
            self._measured.append(measurement)

    def lines(self) -> Iterable[str]:
        """The table: phases in the order in which they began, then the slowest models."""
        total = sum(self._seconds.values())
        yield "Where the time went:"
        for name, seconds in self._seconds.items():
            yield f"  {name:<10} {seconds:8.3f} s  {100 * seconds / total if total else 0:5.1f} %"
        yield f"  {'total':<10} {total:8.3f} s"
        if self._measured or self._cached:
            spent = sum(m.seconds for m in self._measured)
            importing, building = (
                sum(m.import_seconds for m in self._measured),
                sum(m.build_seconds for m in self._measured),
            )
            yield (
                f"{len(self._measured)} models measured in {spent:.3f} s of worker time, "
                f"{self._cached} taken from the cache."
            )
            for name, seconds in (("import", importing), ("build", building), ("count", spent - importing - building)):
                yield f"  {name:<10} {seconds:8.3f} s  {100 * seconds / spent if spent else 0:5.1f} %"
        slowest = sorted(self._measured, key=lambda m: m.seconds, reverse=True)[:_SLOWEST]
        if slowest:
            yield "The slowest:"
        for measurement in slowest:
            yield f"  {measurement.name:<40} {measurement.seconds:8.3f} s"


def since_process_start() -> float:
    """Seconds since this process was started: the interpreter and the imports up to now.

    0.0 where the system does not tell (anything but Linux).
    """
    try:
        ticks = int(Path("/proc/self/stat").read_text("utf-8", "replace").rpartition(")")[2].split()[19])
        uptime = float(Path("/proc/uptime").read_text("ascii").split()[0])
        return max(0.0, uptime - ticks / os.sysconf("SC_CLK_TCK"))
    except (OSError, ValueError, IndexError):
        return 0.0
