"""Python's garbage collector, kept out of work that makes nothing but records that stay."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused(*, settle: bool = False) -> Iterator[None]:
    """Make many lasting objects without the collector walking all of them again and again.

    With ``settle`` what exists at the end counts as old at once: the collector would else walk it as soon as it may.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            if settle and not gc.get_freeze_count():
                gc.freeze()
                gc.unfreeze()
            gc.enable()
