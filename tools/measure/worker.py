"""What runs inside a worker process, on this machine or on another.

``python -m tools.measure.worker`` serves tasks as lines of JSON on standard input and answers on standard output: so
a process on another machine is driven. Locally :mod:`tools.measure.pool` calls :func:`perform` by itself.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from typing import Any

from tools.measure.listing import list_in_process
from tools.measure.model import failure, measure_model
from tools.measure.records import Request
from tools.measure.serial import from_json
from tools.measure.sources import loaded_sources
from tools.measure.task import Outcome, outcome_to_wire, task_name


def prepare(memory: int | None = None, *, threads: int = 1) -> None:
    """Load torch before the first task, use one core, and limit what the process may allocate to ``memory`` more."""
    import torch

    import tools.measure.preload  # noqa: F401 - loaded once, before any time limit runs

    # Ctrl-C is for the process that drives this one, which ends the workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What a model writes to descriptor 1, past sys.stdout, must not end up in the report.
    os.dup2(2, 1)
    torch.set_num_threads(threads)
    if memory is not None:
        limit_memory(memory)


def limit_memory(memory: int) -> None:
    """Let allocations fail beyond ``memory`` bytes more than the process has now (Linux; elsewhere: no limit).

    What counts is private writable memory: the address space (RLIMIT_AS) that torch reserves is far larger than what
    it uses, and the resident size cannot be limited at all.
    """
    try:
        import resource

        with open("/proc/self/status", encoding="ascii") as status:  # noqa: PTH123 - procfs, not a user's file
            line = next(line for line in status if line.startswith("VmData:"))
        limit = int(line.split()[1]) * 1024 + memory
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    except (ImportError, OSError, StopIteration, ValueError):
        return


def perform(data: Any) -> dict[str, Any]:
    """Carry out one task, given and answered as JSON values. Never raises for what foreign code does."""
    task = from_json(data)
    _forget_settings()
    try:
        record: Any = measure_model(task) if isinstance(task, Request) else list_in_process(task)
    except KeyboardInterrupt as error:  # the model's own: prepare() has seen to it that no other comes here
        record = failure(task_name(task), "build", error)
    root = task.factory.root if isinstance(task, Request) else task.root
    return outcome_to_wire(Outcome(record, loaded_sources(root)))


def _forget_settings() -> None:
    """Undo what the model before may have set in torch for the whole process."""
    import torch

    torch.set_default_dtype(torch.float32)
    torch.set_default_device(None)
    torch.set_grad_enabled(True)


def _end_with(parent: int) -> None:
    """End this process, in the middle of a model if need be, when the one that started it is gone."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def serve() -> None:
    """Answer tasks until standard input ends. Whatever foreign code prints goes to standard error."""
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    settings = json.loads(sys.stdin.readline())
    prepare(settings.get("memory"))
    answers.write('{"ready": true}\n')
    answers.flush()
    for line in sys.stdin:
        answers.write(json.dumps(perform(json.loads(line))) + "\n")
        answers.flush()


if __name__ == "__main__":
    serve()
