"""One small class a rule: claims and measurements in, verdicts and findings out. Imports no torch.

``RULES`` (every rule), ``judge`` (run them) and ``Judged`` (what comes out) are loaded when first asked for, so that
the records of this package stay cheap to import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tools.rules.engine import Judged, judge
    from tools.rules.registry import RULES

__all__ = ["RULES", "Judged", "judge"]


def __getattr__(name: str) -> object:
    if name == "RULES":
        from tools.rules.registry import RULES

        return RULES
    if name in {"judge", "Judged"}:
        from tools.rules import engine

        return getattr(engine, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
