"""Worker processes on this machine: each model has a time limit and a memory limit, and none can sink the run.

Where the system can, a server process imports torch once and forks the workers from itself, so that a second worker,
or one that replaces a crashed one, starts in milliseconds.
"""

from __future__ import annotations

import functools
import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, wait
from concurrent.futures.process import BrokenProcessPool
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
    from pebble import ProcessFuture, ProcessPool

_POLL_SECONDS = 0.2
_TICK_SECONDS = 0.05
"""How often pebble looks after its workers, and how long it takes to notice its end (its own choice: 0.1)."""
_AHEAD = 4
"""Tasks for each worker that the pool knows of: no worker runs dry, and there are never thousands to look through."""


def available_cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class LocalRunner:
    """Runs tasks in a pool of processes that stays from one round to the next (see :class:`tools.measure.task.Runner`).

    What a worker has loaded in one round, torch and the zoo's package among it, is there in the next.
    """

    def __init__(self, jobs: int, limits: Limits) -> None:
        self.jobs = max(1, jobs)
        self.limits = limits
        self._pool: ProcessPool | None = None
        self._workers = 0

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
        for index, outcome in suspects.items():
            again = outcome
            if not interrupted:
                again = self._alone(tasks[index])
                interrupted = isinstance(again.record, Failure) and again.record.stage == "cancelled"
            done(index, outcome if interrupted else again)

    def close(self) -> None:
        """End the worker processes."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.stop()  # type: ignore[no-untyped-call]
            pool.join()

    def _alone(self, task: Task) -> Outcome:
        self.close()
        outcomes: list[Outcome] = []
        self._run([task], lambda _: None, lambda _, outcome: outcomes.append(outcome))
        return outcomes[0]

    def _run(self, tasks: Sequence[Task], started: Callable[[int], None], done: Callable[[int, Outcome], None]) -> None:
        workers = min(self.jobs, len(tasks))
        waiting = deque(range(len(tasks)))
        pending: dict[ProcessFuture[dict[str, Any]], int] = {}
        announced: set[int] = set()
        dropped: set[int] = set()
        try:
            while waiting or pending:
                while waiting and len(pending) < _AHEAD * self.jobs:
                    try:
                        future = self._schedule(tasks[waiting[0]], workers)
                    except RuntimeError:  # the pool broke, which is looked into below
                        break
                    pending[future] = waiting.popleft()
                for future, index in pending.items():
                    if index not in announced and future.running():
                        announced.add(index)
                        started(index)
                wait(pending, timeout=_POLL_SECONDS, return_when=FIRST_COMPLETED)
                for future in self._dropped(pending):
                    if pending[future] not in dropped:
                        waiting.appendleft(pending.pop(future))
                        dropped.add(waiting[0])
                for future in [future for future in pending if future.done()]:
                    index = pending.pop(future)
                    if index not in announced:
                        announced.add(index)
                        started(index)
                    done(index, self._outcome(tasks[index], future))
        except KeyboardInterrupt:
            self.close()
            for index in (*pending.values(), *waiting):
                done(index, cancelled(tasks[index]))
        except BaseException:
            self.close()
            raise

    def _schedule(self, task: Task, workers: int) -> ProcessFuture[dict[str, Any]]:
        from tools.measure import worker

        return self._ready(workers).schedule(worker.perform, args=[to_wire(task)], timeout=self.limits.timeout)

    def _dropped(self, pending: Iterable[ProcessFuture[dict[str, Any]]]) -> list[ProcessFuture[dict[str, Any]]]:
        """What was never begun because the pool broke: a worker ended, by itself, while it had nothing to do."""
        if self._pool is None or self._pool.active:
            return []
        self.close()
        for future in pending:
            if not future.done():
                future.set_exception(BrokenProcessPool())
        return [future for future in pending if isinstance(future.exception(), BrokenProcessPool)]

    def _ready(self, workers: int) -> ProcessPool:
        """The pool that there is, or a new one where there is none with so many workers."""
        if self._pool is not None and self._workers >= workers:
            return self._pool
        self.close()
        context = _context()  # before the imports: the server loads torch meanwhile
        import pebble

        from tools.measure import worker

        pebble.CONSTS.sleep_unit = _TICK_SECONDS
        self._pool = pebble.ProcessPool(
            max_workers=workers,
            context=context,
            initializer=worker.prepare,
            initargs=(self.limits.memory,),
        )
        self._workers = workers
        return self._pool

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
