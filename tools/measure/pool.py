"""Worker processes on this machine: each model has a time limit and a memory limit, and none can sink the run.

Where the system can, a server process imports torch once and forks the workers from itself, so that a second worker,
or one that replaces a crashed one, starts in milliseconds.
"""

from __future__ import annotations

import functools
import multiprocessing
import os
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, wait
from itertools import islice
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.collector import collector_paused
from tools.measure.records import Failure
from tools.measure.task import (
    Limits,
    Outcome,
    Task,
    cancelled,
    crashed,
    outcome_from_wire,
    task_name,
    timed_out,
    to_wire,
)

if TYPE_CHECKING:
    from pebble import ProcessFuture

_POLL_SECONDS = 0.2
_AHEAD = 4
"""Tasks for each worker that the pool knows of: no worker runs dry, and there are never thousands to look through."""


def available_cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class LocalRunner:
    """Runs tasks in a pool of processes (see :class:`tools.measure.task.Runner`)."""

    def __init__(self, jobs: int, limits: Limits) -> None:
        self.jobs = max(1, jobs)
        self.limits = limits

    def run(self, tasks: Sequence[Task], started: Callable[[int], None], done: Callable[[int, Outcome], None]) -> None:
        """Carry out ``tasks`` with at most ``jobs`` processes at once.

        A task whose process crashed or ran out of time is tried once more, alone: on a busy machine a worker's end may
        be charged to its neighbour, and a slow model may only have lacked a core.
        """
        suspects: dict[int, Outcome] = {}
        interrupted = False

        def first(index: int, outcome: Outcome) -> None:
            nonlocal interrupted
            stage = outcome.record.stage if isinstance(outcome.record, Failure) else ""
            interrupted = interrupted or stage == "cancelled"
            if stage in ("crash", "timeout") and len(tasks) > 1:
                suspects[index] = outcome
            else:
                done(index, outcome)

        self._run(tasks, started, first)
        alone = LocalRunner(1, self.limits)
        for index, outcome in suspects.items():
            again = outcome
            if not interrupted:
                again = alone._alone(tasks[index])
                interrupted = isinstance(again.record, Failure) and again.record.stage == "cancelled"
            done(index, outcome if interrupted else again)

    def _alone(self, task: Task) -> Outcome:
        outcomes: list[Outcome] = []
        self._run([task], lambda _: None, lambda _, outcome: outcomes.append(outcome))
        return outcomes[0]

    def _run(self, tasks: Sequence[Task], started: Callable[[int], None], done: Callable[[int, Outcome], None]) -> None:
        context = _context()  # before the imports: the server loads torch meanwhile
        from pebble import ProcessPool

        from tools.measure import worker

        pool = ProcessPool(
            max_workers=min(self.jobs, len(tasks)) or 1,
            context=context,
            initializer=worker.prepare,
            initargs=(self.limits.memory,),
        )
        waiting = iter(range(len(tasks)))
        pending: dict[ProcessFuture[dict[str, Any]], int] = {}
        announced: set[int] = set()
        try:
            while True:
                for index in islice(waiting, _AHEAD * self.jobs - len(pending)):
                    wire = to_wire(tasks[index])
                    pending[pool.schedule(worker.perform, args=[wire], timeout=self.limits.timeout)] = index
                if not pending:
                    break
                for future, index in pending.items():
                    if index not in announced and future.running():
                        announced.add(index)
                        started(index)
                wait(pending, timeout=_POLL_SECONDS, return_when=FIRST_COMPLETED)
                for future in [future for future in pending if future.done()]:
                    index = pending.pop(future)
                    if index not in announced:
                        announced.add(index)
                        started(index)
                    done(index, self._outcome(tasks[index], future))
            pool.close()  # type: ignore[no-untyped-call]
        except KeyboardInterrupt:
            pool.stop()  # type: ignore[no-untyped-call]
            for index in (*pending.values(), *waiting):
                done(index, cancelled(tasks[index]))
        except BaseException:
            pool.stop()  # type: ignore[no-untyped-call]
            raise
        finally:
            pool.join()

    def _outcome(self, task: Task, future: ProcessFuture[dict[str, Any]]) -> Outcome:
        from pebble import ProcessExpired

        try:
            with collector_paused(settle=True):
                return outcome_from_wire(future.result())
        except TimeoutError:
            return timed_out(task, self.limits.timeout or 0.0)
        except ProcessExpired as error:
            return crashed(task, error.exitcode)
        except CancelledError:
            return cancelled(task)
        except Exception as error:  # what a result cannot be sent back by: the pipe broke, memory ended
            return Outcome(Failure(task_name(task), "crash", f"{type(error).__name__}: {error}"))


def load_torch_ahead() -> None:
    """Start the server, where the system has one: it loads torch while the caller does something else."""
    _context()


@functools.cache
def _context() -> BaseContext:
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tools.measure.preload"])
    _start_server()
    return context


def _start_server() -> None:
    """Start the server that forks the workers, without the current folder on its path and deaf to Ctrl-C.

    The server is started with ``python -c``, which would put the folder first: a zoo that has a ``tools`` package of
    its own would hide ours. Ctrl-C is for this process, which ends the others; the server would print a traceback.
    """
    from multiprocessing import forkserver, resource_tracker

    # The server starts it too if need be, and it would let Ctrl-C through again.
    resource_tracker.ensure_running()
    before = os.environ.get("PYTHONSAFEPATH")
    paths = os.environ.get("PYTHONPATH")
    os.environ["PYTHONSAFEPATH"] = "1"
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(Path(__file__).parents[2]), paths]))
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for name, value in (("PYTHONSAFEPATH", before), ("PYTHONPATH", paths)):
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
