"""What is sent to a worker and what comes back: JSON values, so that every kind of worker is sent the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from tools.measure.records import Factory, Failure, Listing, Measurement, Request
from tools.measure.serial import from_json, to_json

Task: TypeAlias = Request | Factory
"""A model to measure, or a zoo to list."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A task's result, with the source files that it came from."""

    record: Measurement | Listing | Failure
    sources: Mapping[str, str] = field(default_factory=dict)
    """File relative to the zoo's folder -> SHA-256."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one task may take."""

    timeout: float | None = None
    """Seconds."""
    memory: int | None = None
    """Bytes on top of what the loaded libraries take."""


class ClusterError(RuntimeError):
    """The cluster cannot be used. The message says what is missing, and where."""


class Runner(Protocol):
    """Carries out tasks somewhere, in one round or several. Whatever a task does, each gets exactly one outcome."""

    def run(self, tasks: Sequence[Task], started: Callable[[int], None], done: Callable[[int, Outcome], None]) -> None:
        """Carry out ``tasks``, telling of each by its index in the calling thread.

        An interrupt (Ctrl-C) ends it early: what is not done by then has the outcome ``cancelled``.
        """

    def close(self) -> None:
        """Let go of what was kept for the next round."""


def task_name(task: Task) -> str:
    """The model's name; empty for a listing."""
    return task.name if isinstance(task, Request) else ""


def cancelled(task: Task) -> Outcome:
    """The outcome of what was interrupted."""
    return Outcome(Failure(task_name(task), "cancelled", "interrupted before it was measured"))


def timed_out(task: Task, seconds: float) -> Outcome:
    """The outcome of what took too long."""
    return Outcome(Failure(task_name(task), "timeout", f"no result after {seconds:g} s"))


def crashed(task: Task, exit_code: int | None) -> Outcome:
    """The outcome of what took its process with it."""
    if exit_code is not None and exit_code < 0:
        how = f"its process was ended by signal {-exit_code}"
        if exit_code == -9:
            how += ", perhaps by the system for lack of memory"
    else:
        how = "its process ended" + (f" with exit code {exit_code}" if exit_code is not None else "")
    return Outcome(Failure(task_name(task), "crash", f"{how} while the model was built or run"))


def to_wire(task: Task) -> dict[str, Any]:
    """The task as JSON values."""
    return to_json(task)


def outcome_to_wire(outcome: Outcome) -> dict[str, Any]:
    """The outcome as JSON values."""
    return {"record": to_json(outcome.record), "sources": dict(outcome.sources)}


def outcome_from_wire(data: Any) -> Outcome:
    """The outcome that :func:`outcome_to_wire` wrote.

    Raises:
        ValueError: it is none.
    """
    if not isinstance(data, dict) or not isinstance(data.get("sources"), dict):
        raise ValueError("not an outcome")
    record = from_json(data.get("record"))
    if not isinstance(record, Measurement | Listing | Failure):
        raise ValueError(f"a {type(record).__name__} is no result")
    return Outcome(record, data["sources"])
