"""Imports everything that measuring a common model needs. The server that forks the workers imports it once for all.

What torch loads only for the meta kernels that it has in Python (sympy and more, another second) is left to the
workers that meet such an operator.
"""

from __future__ import annotations

import gc
import importlib
import sys
from types import TracebackType

from tools.collector import collector_paused


def _untold(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Don't tell of a worker that Ctrl-C overtook: what it was to be started with is gone before it could look."""
    if not isinstance(error, FileNotFoundError | EOFError):
        sys.__excepthook__(kind, error, trace)


# What a model raises never comes here: the worker catches all of it.
sys.excepthook = _untold

with collector_paused():
    for _name in (
        "fvcore.nn",
        "torch.utils.flop_counter",
        "tools.measure.build",
        "tools.measure.counters",
        "tools.measure.evidence",
        "tools.measure.fingerprint",
        "tools.measure.forward",
        "tools.measure.model",
        "tools.measure.trace",
    ):
        importlib.import_module(_name)
    # All of it stays for good: no worker need look for garbage in it, or copy its pages by looking. Frozen before the
    # collector runs again, or it would look at all of it once.
    gc.freeze()
