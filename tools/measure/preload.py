"""Imports everything that measuring a common model needs. The server that forks the workers imports it once for all.

What torch loads only for the meta kernels that it has in Python (sympy and more, another second) is left to the
workers that meet such an operator.
"""

from __future__ import annotations

import gc
import importlib

from tools.collector import collector_paused

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
