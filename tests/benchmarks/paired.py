"""Paired benchmark runs: two things timed turn by turn in one process, compared by the ratio of each pair.

The machine's load changes from minute to minute; two runs made one after the other share it. So the
figure that is printed is the median of the ratios of pairs, with the lowest and highest pair beside it.
"""

from __future__ import annotations

import gc
import os
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

HEADER = "| what | command | peer | ratio (median) | spread | ours | peer's |\n|---|---|---|---|---|---|---|"
"""The heading of the Markdown table whose rows :func:`row` renders."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """The time of ``a`` divided by the time of ``b``, over all pairs of runs."""

    median: float
    low: float
    high: float
    a_median_s: float
    b_median_s: float


def seconds(call: Callable[[], object]) -> float:
    """Wall time of one call, in seconds. Garbage of earlier runs is collected before the clock starts."""
    gc.collect()
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def paired(a: Callable[[], object], b: Callable[[], object], runs: int = 5) -> Ratio:
    """Time ``a`` and ``b`` in turn, ``runs`` times, after one unmeasured call of each.

    The order changes from pair to pair, so that neither always finds the caches warmed by the other.
    """
    if runs < 1:
        raise ValueError("a comparison needs at least one pair of runs")
    a()
    b()
    times: list[tuple[float, float]] = []
    for turn in range(runs):
        if turn % 2:
            of_b = seconds(b)
            of_a = seconds(a)
        else:
            of_a = seconds(a)
            of_b = seconds(b)
        times.append((of_a, of_b))
    ratios = [of_a / of_b for of_a, of_b in times]
    return Ratio(
        median=statistics.median(ratios),
        low=min(ratios),
        high=max(ratios),
        a_median_s=statistics.median(of_a for of_a, _ in times),
        b_median_s=statistics.median(of_b for _, of_b in times),
    )


def environment() -> dict[str, str]:
    """The environment of a measured process: Python keeps compiled modules, as it does for users."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def process(command: Sequence[str], *, allowed: Sequence[int] = (0,)) -> Callable[[], object]:
    """A call that runs ``command`` as a whole process, start-up included, and throws its output away.

    The call raises ``RuntimeError``, with the end of what the command wrote, where its exit code is
    not in ``allowed``: a command that fails early must not count as a fast one.
    """

    def run() -> None:
        done = subprocess.run(
            list(command), env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False
        )
        if done.returncode not in allowed:
            tail = done.stderr.decode(errors="replace")[-2000:]
            raise RuntimeError(f"{' '.join(command)} ended with exit code {done.returncode}:\n{tail}")

    return run


def row(name: str, command: str, peer: str, ratio: Ratio) -> str:
    """One line of a Markdown table: what, how it was run, against what, median, spread, both medians."""
    cells = (
        name,
        f"`{command}`",
        peer,
        f"{ratio.median:.2f}",
        f"{ratio.low:.2f} to {ratio.high:.2f}",
        duration(ratio.a_median_s),
        duration(ratio.b_median_s),
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def duration(value: float) -> str:
    """Seconds as a reader likes them: three digits, in s, ms or µs."""
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if value >= scale:
            return f"{value / scale:.3g} {unit}"
    return f"{value / 1e-9:.3g} ns"
