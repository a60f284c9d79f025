"""While ``mkdocs serve`` runs: take up changes to the macros and the zoo without a restart."""

from __future__ import annotations

import importlib
import logging
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from tools.site.reference import Reference

log = logging.getLogger("mkdocs.macros.zoo")

_PACKAGES = ("tools", "zoo")
# These hold what outlives a reload: the builds by plugin, the times and the pages below.
_KEPT = ("tools", "tools.site", "tools.site.reference", __name__)
_seen: dict[str, int] = {}
reference = Reference()
"""The API reference as the last build rendered it."""


def serving() -> bool:
    """Whether ``mkdocs serve`` is running, as opposed to a build."""
    import click

    context = click.get_current_context(silent=True)
    return context is not None and context.info_name == "serve"


def lenient(env: Any) -> None:
    """Let a page show what is wrong with it: the plugin would end the server, and strict mode leave the old page."""
    from mkdocs.utils import CountHandler

    env.config["on_error_fail"] = False
    logger = logging.getLogger("mkdocs")
    for handler in [h for h in logger.handlers if isinstance(h, CountHandler)]:
        logger.removeHandler(handler)


def fresh(name: str) -> ModuleType:
    """Import a module; where source files have changed since the last call, import them all again first."""
    changed = _changed()
    if changed:
        log.info("%s changed: loading the macros and the zoo again", ", ".join(changed))
        for loaded in [m for m in sys.modules if m.split(".")[0] in _PACKAGES and m not in _KEPT]:
            _forget(loaded)
        importlib.invalidate_caches()
    module = importlib.import_module(name)
    _note()
    return module


def _forget(name: str) -> None:
    """Unload a module. Its package knows it too, and ``from package import module`` would find the old one there."""
    del sys.modules[name]
    package, _, attribute = name.rpartition(".")
    if package in sys.modules:
        vars(sys.modules[package]).pop(attribute, None)


def _sources() -> dict[str, int]:
    """Every loaded source file of ours -> when it was changed."""
    times = {}
    for name, module in list(sys.modules.items()):
        path = getattr(module, "__file__", None)
        if path and name.split(".")[0] in _PACKAGES:
            try:
                times[path] = Path(path).stat().st_mtime_ns
            except OSError:
                times[path] = 0
    return times


def _changed() -> list[str]:
    now = _sources()
    return sorted(Path(path).name for path, time in _seen.items() if now.get(path, time) != time)


def _note() -> None:
    _seen.update(_sources())
