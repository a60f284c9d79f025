"""Settings of the whole suite, made before anything imports torch, and what every test leaves behind as it found it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from types import ModuleType

import pytest

# The suite runs one worker a core, and so do the processes that it starts: threads would only fight over the cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")

_OURS = ("tools", "zoo")


def _loaded(package: str) -> dict[str, ModuleType]:
    return {name: m for name, m in sys.modules.items() if name == package or name.startswith(f"{package}.")}


@pytest.fixture(autouse=True)
def our_packages_stay_loaded() -> Iterator[None]:
    """Tests of foreign zoos and of reloading put other modules in the place of ours; undo that for the next test."""
    path = list(sys.path)
    before = {package: _loaded(package) for package in _OURS}
    yield
    sys.path[:] = path
    for package, modules in before.items():
        if sys.modules.get(package) is not modules.get(package):
            for name in _loaded(package):
                del sys.modules[name]
            sys.modules.update(modules)
